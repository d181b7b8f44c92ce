"""Read-only views of Planning Center: wanted by a page, read by a worker, shown from our own rows.

A pass that read everything replaces what was kept. One that was broken off, refused, or made by somebody from whom Planning Center
hides rows takes nothing away: what is missing in an answer is not therefore gone.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from threading import Event
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.checks import sees_all_groups
from connectcard.connections.models import HIDDEN_ROWS, OK
from connectcard.database import db, end_reading, transaction
from connectcard.errors import NotFound
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import (
    Blocked,
    NotSent,
    PlanningCenterError,
    RateLimited,
    Unavailable,
)
from connectcard.planning_center.resources import groups
from connectcard.sync import readings, record_readings
from connectcard.sync.mirror_models import RemoteReading, RemoteRecord
from connectcard.sync.remote_values import Kept, choices_of, kept_of
from connectcard.sync.remote_views import BELOW, BY_KEY, VIEWS, View

MOST_ROWS = 10_000
RECORDS_KEPT = timedelta(days=90)


class _BrokenOff(Exception):
    """The worker is to leave; the view stays wanted."""


# Wanting. The page's side.


def get_view(key: str) -> View:
    """The view with this address. Raises NotFound."""
    if key not in BY_KEY:
        raise NotFound("There is no such view of Planning Center.")
    return BY_KEY[key]


def want_view(view: View, parent_remote_id: str = "") -> RemoteReading:
    """Ask a worker to read a view. Inside `transaction()`; the caller rings. Raises NotFound for a record that we do not know."""
    if view.below and find_record(BY_KEY[view.below], parent_remote_id) is None:
        raise NotFound("We do not know the record that this belongs to. Refresh the list it stands in.")
    return readings.want(view.key, parent_remote_id)


def find_record(view: View, remote_id: str) -> RemoteRecord | None:
    """One record of a view that stands by itself."""
    return db.session.scalars(
        select(RemoteRecord).where(RemoteRecord.view == view.key, RemoteRecord.parent_remote_id == "", RemoteRecord.remote_id == remote_id)
    ).first()


# Reading. The worker's side.


def read_views(church_id: UUID, client: Client, stop: Event) -> None:
    """Read everything that is wanted now, each in one transaction, until `stop` is set; what was not read stays wanted.

    Cards go first: a client of the background leaves half of each window to them.
    """
    with church_scope(church_id):
        for key, remote_id in readings.wanted_now():
            if stop.is_set():
                return
            if key in BY_KEY:
                _read(BY_KEY[key], remote_id, client, stop)
            elif key in record_readings.KEYS:
                record_readings.read(key, remote_id, client)


def _read(view: View, parent_remote_id: str, client: Client, stop: Event) -> None:
    began_at = now()
    end_reading()
    try:
        standing = _standing(view, client)
        records = _everything(view, parent_remote_id, client, stop)
    except _BrokenOff:
        return
    except (RateLimited, Unavailable, NotSent, Blocked) as error:
        if not stop.is_set():
            readings.put_off(view.key, parent_remote_id, view.product, error)
    except PlanningCenterError as error:
        readings.give_up(view.key, parent_remote_id, view.product, error)
    else:
        with transaction():
            _keep(view, parent_remote_id, records, standing, began_at)


def _standing(view: View, client: Client) -> str:
    """Groups says nothing of the rows that it leaves out; it only tells what the connecting person may see."""
    if view.product != groups.PRODUCT:
        return OK
    return OK if sees_all_groups(client) else HIDDEN_ROWS


def _everything(view: View, parent_remote_id: str, client: Client, stop: Event) -> list[Record]:
    found: dict[str, Record] = {}
    for record in _records(view, parent_remote_id, client):
        found[record.id] = record
        if len(found) > MOST_ROWS:
            break
        if stop.is_set():
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
    reading = readings.settle(view.key, parent_remote_id, standing, began_at)
    reading.choices, reading.cut = choices_of(view.narrowings, records), len(records) > MOST_ROWS
    readings.note_product(view.product, standing)


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


# Forgetting.


def forget_aged() -> int:
    """Erase what was not read again for long, and days that a view no longer shows. In the church's scope; returns how many rows."""
    for key in record_readings.KEYS:
        readings.forget(key, RECORDS_KEPT)
    return sum(_forget(view) for view in VIEWS)


def _forget(view: View) -> int:
    aged = RemoteRecord.fetched_at <= now() - view.keep
    if view.span is not None and view.span.back is not None and view.at:
        aged = aged | (RemoteRecord.at <= now() - view.span.back)
    with transaction() as session:
        erased = session.execute(delete(RemoteRecord).where(RemoteRecord.view == view.key, aged))
    readings.forget(view.key, view.keep)
    return int(getattr(erased, "rowcount", 0))


def below(view: View) -> View | None:
    """The view that stands below each row of this one."""
    return BELOW.get(view.key)
