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
from sqlalchemy import BindParameter, CursorResult, Update, and_, bindparam, exists, or_, select, update
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


# What a worker says dozens of times for each card is built once: building it anew costs more than running it.
_TAKE_LANE = (
    update(Connection)
    .where(Connection.state == CONNECTED, or_(Connection.lane_until.is_(None), Connection.lane_until < bindparam("moment")))
    .values(lane_holder=bindparam("holder"), lane_until=bindparam("until"), lane_fence=Connection.lane_fence + 1)
)
_LANE_OF = select(Connection.id, Connection.lane_fence).where(Connection.lane_holder == bindparam("holder"))
_OF_LANE = update(Connection).where(Connection.id == bindparam("lane"), Connection.lane_fence == bindparam("its_fence"))
_KEEP_LANE = _OF_LANE.where(Connection.state == CONNECTED).values(lane_until=bindparam("until"))
_LEAVE_LANE = _OF_LANE.values(lane_holder=None, lane_until=None)


def take_lane() -> Lane | None:
    """The lane of the open church, unless it is not connected or another worker has it."""
    holder = str(uuid4())
    with transaction() as session:
        if not changed(_TAKE_LANE, moment=now(), holder=holder, until=now() + lane_lease()):
            return None
        return Lane(*session.execute(_LANE_OF, {"holder": holder}).one())


def keep_lane(lane: Lane) -> bool:
    """Extend the lease; False where the church was disconnected or another worker has the lane."""
    with transaction():
        return changed(_KEEP_LANE, lane=lane.connection_id, its_fence=lane.fence, until=now() + lane_lease())


def leave_lane(lane: Lane) -> None:
    with transaction():
        changed(_LEAVE_LANE, lane=lane.connection_id, its_fence=lane.fence)


def due(moment: datetime | BindParameter[Any]) -> Any:
    """The items that can be worked now: due ones, and those whose worker went away."""
    waiting = and_(SyncItem.state.in_((PENDING, WAITING)), SyncItem.due_at <= moment)
    return or_(waiting, and_(SyncItem.state == CLAIMED, SyncItem.lease_until < moment))


_CLAIM = (
    update(SyncItem)
    .where(SyncItem.id == bindparam("item"), due(bindparam("moment")))
    .values(state=CLAIMED, fence=SyncItem.fence + 1, lease_until=bindparam("until"))
)
_CLAIMED = select(SyncItem.fence, SyncItem.kind, SyncItem.run_id).where(SyncItem.id == bindparam("item"))
_HAS_LANE = exists().where(Connection.church_id == SyncItem.church_id, Connection.lane_fence == bindparam("fence_of_lane"))
_KEEP_HOLD = (
    update(SyncItem)
    .where(SyncItem.id == bindparam("item"), SyncItem.fence == bindparam("its_fence"), SyncItem.state == CLAIMED, _HAS_LANE)
    .values(lease_until=bindparam("until"))
)
_ITEM = select(SyncItem).where(SyncItem.id == bindparam("item"))


def claim(item_id: UUID, lane: Lane) -> Hold | None:
    """Take one due item; None where somebody was faster."""
    with transaction() as session:
        if not changed(_CLAIM, item=item_id, moment=now(), until=now() + waits().lease):
            return None
        found = session.execute(_CLAIMED, {"item": item_id}).one()
        return Hold(item_id, found.fence, lane, found.kind, found.run_id)


def keep_hold(hold: Hold) -> None:
    """Extend the lease inside the open transaction; raises HoldLost, which rolls it back."""
    fences = {"its_fence": hold.fence, "fence_of_lane": hold.lane.fence}
    if not changed(_KEEP_HOLD, item=hold.item_id, until=now() + waits().lease, **fences):
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
        yield session.scalars(_ITEM, {"item": hold.item_id}).one()


def changed(statement: Update, **values: Any) -> bool:
    """Run an UPDATE, with the values of its parameters, and say whether it reached a row."""
    result = cast("CursorResult[Any]", db.session.execute(statement, values, execution_options={"synchronize_session": False}))
    return result.rowcount > 0
