"""Who may work: the lane of a church, and the hold on one item. Both are claimed by one UPDATE and its row count.

Leases only tell when others may try; fences give the safety: whoever was overtaken finds its fence raised and stops.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from flask import current_app
from sqlalchemy import CursorResult, Update, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from connectcard.clock import now
from connectcard.config import Config, Waits
from connectcard.connections.models import CONNECTED, Connection
from connectcard.database import db, transaction
from connectcard.errors import ConnectCardError
from connectcard.sync.models import CLAIMED, PENDING, WAITING, SyncItem

LANE_LEASE = timedelta(seconds=20)


class HoldLost(ConnectCardError):
    """Another worker took this item or this lane over; whatever was in hand is theirs now."""


def waits() -> Waits:
    return cast("Config", current_app.config["CONNECTCARD"]).waits


def lane_lease() -> timedelta:
    """How long a lane stays taken by a worker that went away: never longer than the hold on a card."""
    return min(LANE_LEASE, waits().lease)


@dataclass(frozen=True)
class Lane:
    """The right to send for one church."""

    connection_id: UUID
    fence: int


@dataclass(frozen=True)
class Hold:
    """The right to write for one item, as long as the lane is ours too; `kind` and `run_id` are the item's."""

    item_id: UUID
    fence: int
    lane: Lane
    kind: str
    run_id: UUID


def take_lane() -> Lane | None:
    """The lane of the open church, unless it is not connected or another worker has it."""
    holder = str(uuid4())
    free = or_(Connection.lane_until.is_(None), Connection.lane_until < now())
    with transaction() as session:
        taken = changed(
            update(Connection)
            .where(Connection.state == CONNECTED, free)
            .values(lane_holder=holder, lane_until=now() + lane_lease(), lane_fence=Connection.lane_fence + 1)
        )
        connection = session.scalars(select(Connection).where(Connection.lane_holder == holder)).first() if taken else None
        return Lane(connection.id, connection.lane_fence) if connection else None


def keep_lane(lane: Lane) -> bool:
    """Extend the lease; False where the church was disconnected or another worker has the lane."""
    with transaction():
        return changed(_of_lane(lane).where(Connection.state == CONNECTED).values(lane_until=now() + lane_lease()))


def leave_lane(lane: Lane) -> None:
    with transaction():
        changed(_of_lane(lane).values(lane_holder=None, lane_until=None))


def _of_lane(lane: Lane) -> Update:
    return update(Connection).where(Connection.id == lane.connection_id, Connection.lane_fence == lane.fence)


def due(moment: datetime) -> Any:
    """The items that can be worked now: due ones, and those whose worker went away."""
    waiting = and_(SyncItem.state.in_((PENDING, WAITING)), SyncItem.due_at <= moment)
    return or_(waiting, and_(SyncItem.state == CLAIMED, SyncItem.lease_until < moment))


def claim(item_id: UUID, lane: Lane) -> Hold | None:
    """Take one due item; None where somebody was faster."""
    with transaction() as session:
        taken = changed(
            update(SyncItem)
            .where(SyncItem.id == item_id, due(now()))
            .values(state=CLAIMED, fence=SyncItem.fence + 1, lease_until=now() + waits().lease)
        )
        found = session.execute(select(SyncItem.fence, SyncItem.kind, SyncItem.run_id).where(SyncItem.id == item_id)).first()
        return Hold(item_id, found.fence, lane, found.kind, found.run_id) if taken and found else None


def keep_hold(hold: Hold) -> None:
    """Extend the lease inside the open transaction; raises HoldLost, which rolls it back."""
    lane = exists().where(Connection.church_id == SyncItem.church_id, Connection.lane_fence == hold.lane.fence)
    kept = changed(
        update(SyncItem)
        .where(SyncItem.id == hold.item_id, SyncItem.fence == hold.fence, SyncItem.state == CLAIMED, lane)
        .values(lease_until=now() + waits().lease)
    )
    if not kept:
        raise HoldLost("another worker holds this card now")


@contextmanager
def holding(hold: Hold) -> Iterator[Session]:
    """A short transaction in which the item is ours. Raises HoldLost where it is not."""
    with transaction() as session:
        keep_hold(hold)
        yield session


@contextmanager
def held(hold: Hold) -> Iterator[SyncItem]:
    """The same; yields the item's row."""
    with holding(hold) as session:
        yield session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()


def changed(statement: Update) -> bool:
    """Run an UPDATE and say whether it reached a row."""
    result = cast("CursorResult[Any]", db.session.execute(statement.execution_options(synchronize_session=False)))
    return result.rowcount > 0
