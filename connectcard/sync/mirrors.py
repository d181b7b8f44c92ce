"""Read-only views of Planning Center: wanted by a page, read by a worker, shown from our own rows.

A pass that read everything replaces what was kept. One that was broken off, refused, or made by somebody from whom Planning Center
hides rows takes nothing away: what is missing in an answer is not therefore gone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update

from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, HIDDEN_ROWS, NO_ACCESS, NO_SCOPE, OK, Connection
from connectcard.connections.queries import find_connection
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.errors import NotFound
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import (
    Blocked,
    Forbidden,
    Gone,
    NotSent,
    PlanningCenterError,
    ProductUnavailable,
    RateLimited,
    ScopeMissing,
    Unavailable,
)
from connectcard.planning_center.resources import Resource, groups
from connectcard.sync.holds import due
from connectcard.sync.mirror_models import RemoteReading, RemoteRecord
from connectcard.sync.models import RUNNING, SyncItem, SyncRun
from connectcard.sync.remote_values import Kept, choices_of, kept_of
from connectcard.sync.remote_views import BELOW, BY_KEY, PRODUCT_WORDS, VIEWS, View

MOST_ROWS = 10_000
MOST_TRIES = 3
AGAIN_AFTER = timedelta(minutes=1)
LOOK_EVERY_RECORDS = 100
REFUSED_STANDINGS = {ScopeMissing: NO_SCOPE, ProductUnavailable: NO_ACCESS, Forbidden: NO_ACCESS}
SEES_ALL_GROUPS = "administrator"
NOT_THERE = "Planning Center does not have this any more, or does not show it to the person who connected."


class _BrokenOff(Exception):
    """Something else goes first; the view stays wanted."""


# Wanting. The page's side.


def get_view(key: str) -> View:
    """The view with this address. Raises NotFound."""
    if key not in BY_KEY:
        raise NotFound("There is no such view of Planning Center.")
    return BY_KEY[key]


def find_reading(view: View, parent_remote_id: str = "") -> RemoteReading | None:
    """How the reading of a view stands; None where nobody ever asked for it."""
    return db.session.scalars(_reading_of(view, parent_remote_id)).first()


def _reading_of(view: View, parent_remote_id: str) -> Select[RemoteReading]:
    return select(RemoteReading).where(RemoteReading.view == view.key, RemoteReading.parent_remote_id == parent_remote_id)


def is_wanted(reading: RemoteReading | None) -> bool:
    return reading is not None and reading.wanted_at is not None


def want_view(view: View, parent_remote_id: str = "") -> RemoteReading:
    """Ask a worker to read a view. Inside `transaction()`; the caller rings. Raises NotFound for a record that we do not know."""
    if view.below and find_record(BY_KEY[view.below], parent_remote_id) is None:
        raise NotFound("We do not know the record that this belongs to. Refresh the list it stands in.")
    reading = find_reading(view, parent_remote_id)
    if reading is None:
        reading = RemoteReading(view=view.key, parent_remote_id=parent_remote_id)
        db.session.add(reading)
    if reading.wanted_at is None:
        reading.wanted_at = reading.due_at = now()
        reading.tries, reading.problem = 0, None
    db.session.flush()
    return reading


def find_record(view: View, remote_id: str) -> RemoteRecord | None:
    """One record of a view that stands by itself."""
    return db.session.scalars(
        select(RemoteRecord).where(RemoteRecord.view == view.key, RemoteRecord.parent_remote_id == "", RemoteRecord.remote_id == remote_id)
    ).first()


# Reading. The worker's side.


def churches_wanting_views() -> list[UUID]:
    """The connected churches for which a view is to be read now."""
    due_now = select(RemoteReading.church_id).where(RemoteReading.wanted_at.is_not(None), RemoteReading.due_at <= now())
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, Connection.church_id.in_(due_now))
    with every_church():
        return list(db.session.scalars(wanted))


def wants_views() -> bool:
    """Whether the open church has a view to be read now."""
    return bool(_wanted())


def read_views(church_id: UUID, client: Client, stop: Event) -> None:
    """Read every view that is wanted now, each in one transaction. Cards that become due go first: the rest stays wanted."""

    def interrupted() -> bool:
        return stop.is_set() or cards_are_due()

    with church_scope(church_id):
        for key, parent_remote_id in _wanted():
            if interrupted():
                return
            _read(BY_KEY[key], parent_remote_id, client, interrupted)


def _wanted() -> list[tuple[str, str]]:
    due_now = RemoteReading.wanted_at.is_not(None) & (RemoteReading.due_at <= now())
    rows = db.session.scalars(select(RemoteReading).where(due_now).order_by(RemoteReading.wanted_at)).all()
    return [(row.view, row.parent_remote_id) for row in rows if row.view in BY_KEY]


def cards_are_due() -> bool:
    """Whether a card of the open church waits for its turn."""
    on = select(SyncRun.id).where(SyncRun.state == RUNNING)
    waiting = db.session.scalar(select(SyncItem.id).where(due(now()), SyncItem.run_id.in_(on)).limit(1)) is not None
    end_reading()
    return waiting


def _read(view: View, parent_remote_id: str, client: Client, interrupted: Callable[[], bool]) -> None:
    began_at = now()
    end_reading()
    try:
        standing = _standing(view, client)
        records = _everything(view, parent_remote_id, client, interrupted)
    except _BrokenOff:
        return
    except (RateLimited, Unavailable, NotSent, Blocked) as error:
        if not interrupted():
            _put_off(view, parent_remote_id, error)
    except PlanningCenterError as error:
        _give_up(view, parent_remote_id, error)
    else:
        with transaction():
            _keep(view, parent_remote_id, records, standing, began_at)


def _standing(view: View, client: Client) -> str:
    """Groups says nothing of the rows that it leaves out; it only tells what the connecting person may see."""
    if view.product != groups.PRODUCT:
        return OK
    return OK if client.get(groups.ME)["permissions"] == SEES_ALL_GROUPS else HIDDEN_ROWS


def _everything(view: View, parent_remote_id: str, client: Client, interrupted: Callable[[], bool]) -> list[Record]:
    found: dict[str, Record] = {}
    for record in _records(view, parent_remote_id, client):
        found[record.id] = record
        if len(found) > MOST_ROWS:
            break
        if len(found) % LOOK_EVERY_RECORDS == 0 and interrupted():
            raise _BrokenOff
    return list(found.values())


def _records(view: View, parent_remote_id: str, client: Client) -> Iterator[Record]:
    if view.each is None:
        yield from _list(view, parent_remote_id or None, client)
        return
    for one in client.iterate(view.each, filter=view.each_filter):
        yield from _list(view, one.id, client)


def _list(view: View, parent_id: str | None, client: Client) -> Iterator[Record]:
    found = client.iterate(
        view.resource, parent_id=parent_id, where=_where(view), order=view.order, include=view.include, filter=view.filter
    )
    # One more than is kept, which tells that there are more.
    with closing(found):  # type: ignore[type-var]
        yield from islice(found, MOST_ROWS + 1)


def _where(view: View) -> dict[str, Any]:
    if view.span is None:
        return dict(view.where)
    bounds: dict[str, datetime] = {}
    if view.span.back is not None:
        bounds["gte"] = now() - view.span.back
    if view.span.ahead is not None:
        bounds["lte"] = now() + view.span.ahead
    return {**view.where, view.span.attribute: bounds}


def _keep(view: View, parent_remote_id: str, records: Sequence[Record], standing: str, began_at: datetime) -> None:
    rows = {row.remote_id: row for row in db.session.scalars(_rows_of(view, parent_remote_id))}
    for record in records[:MOST_ROWS]:
        kept = kept_of(view, record)
        row = rows.pop(kept.remote_id) if kept.remote_id in rows else _new(view, parent_remote_id, record, kept)
        _write(row, kept, began_at)
    if standing == OK:
        for vanished in rows.values():
            db.session.delete(vanished)
    reading = db.session.scalars(_reading_of(view, parent_remote_id)).one()
    # What was asked for while it was read is read once more.
    if reading.wanted_at is not None and reading.wanted_at <= began_at:
        reading.wanted_at = reading.due_at = None
    reading.read_at, reading.standing, reading.problem, reading.tries = began_at, standing, None, 0
    reading.choices, reading.cut = choices_of(view.narrowings, records), len(records) > MOST_ROWS
    _note_product(view.resource, standing)


def _rows_of(view: View, parent_remote_id: str) -> Select[RemoteRecord]:
    return select(RemoteRecord).where(RemoteRecord.view == view.key, RemoteRecord.parent_remote_id == parent_remote_id)


def _new(view: View, parent_remote_id: str, record: Record, kept: Kept) -> RemoteRecord:
    row = RemoteRecord(
        view=view.key, product=view.product, type=record.type[:40], parent_remote_id=parent_remote_id, remote_id=kept.remote_id
    )
    db.session.add(row)
    return row


def _write(row: RemoteRecord, kept: Kept, fetched_at: datetime) -> None:
    row.attributes, row.at, row.name_key = dict(kept.attributes), kept.at, kept.name_key
    row.marks, row.page, row.fetched_at = kept.marks, kept.page, fetched_at
    # Sealing the same once more would write the row for nothing.
    if row.sealed_values != kept.sealed_values:
        row.sealed_values = kept.sealed_values


def sealed_values_of(row: RemoteRecord) -> dict[str, Any]:
    """What is kept sealed of a record, opened."""
    values: dict[str, Any] = json.loads(row.sealed_values or "{}")
    return values


def _put_off(view: View, parent_remote_id: str, error: PlanningCenterError) -> None:
    seconds = getattr(error, "retry_after", None)
    with transaction():
        reading = db.session.scalars(_reading_of(view, parent_remote_id)).one()
        reading.tries += 1
        reading.problem = in_words(error, _product_words(view))[:300]
        reading.due_at = now() + (timedelta(seconds=seconds) if seconds else AGAIN_AFTER)
        if reading.tries >= MOST_TRIES:
            reading.wanted_at = reading.due_at = None


def _give_up(view: View, parent_remote_id: str, error: PlanningCenterError) -> None:
    standing = next((standing for kind, standing in REFUSED_STANDINGS.items() if isinstance(error, kind)), None)
    with transaction():
        reading = db.session.scalars(_reading_of(view, parent_remote_id)).one()
        reading.wanted_at = reading.due_at = None
        reading.problem = (NOT_THERE if isinstance(error, Gone) else in_words(error, _product_words(view)))[:300]
        reading.standing = standing or reading.standing
        if standing and not isinstance(error, Forbidden):
            _note_product(view.resource, standing)


def _note_product(resource: Resource, standing: str) -> None:
    connection = find_connection()
    if connection is not None and connection.products.get(resource.product) != standing:
        connection.products = {**connection.products, resource.product: standing}


def _product_words(view: View) -> str:
    return PRODUCT_WORDS[view.product]


# Forgetting.


def forget_aged() -> int:
    """Erase what was not read again for long, and days that a view no longer shows. In the church's scope; returns how many rows."""
    return sum(_forget(view) for view in VIEWS)


def _forget(view: View) -> int:
    aged = RemoteRecord.fetched_at <= now() - view.keep
    if view.span is not None and view.span.back is not None and view.at:
        aged = aged | (RemoteRecord.at <= now() - view.span.back)
    with transaction() as session:
        erased = session.execute(delete(RemoteRecord).where(RemoteRecord.view == view.key, aged))
        unread = RemoteReading.read_at <= now() - view.keep
        session.execute(update(RemoteReading).where(RemoteReading.view == view.key, unread).values(read_at=None, choices={}))
    return int(getattr(erased, "rowcount", 0))


def below(view: View) -> View | None:
    """The view that stands below each row of this one."""
    return BELOW.get(view.key)
