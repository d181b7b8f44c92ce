"""Looking at a practice Planning Center through the read-only views, as a page and a worker do."""

from threading import Event
from typing import Any
from uuid import UUID

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.sync import mirrors, readings
from connectcard.sync.mirror_lists import Listing, Wish, list_records, values_of
from connectcard.sync.mirror_models import RemoteReading, RemoteRecord
from connectcard.sync.remote_views import BY_KEY


def want(church_id: UUID, key: str, parent: str = "") -> None:
    """Somebody presses *Refresh*."""
    with church_scope(church_id), transaction():
        mirrors.want_view(BY_KEY[key], parent)


def work(church_id: UUID, stop: Event | None = None) -> None:
    """A worker reads what is wanted."""
    with church_scope(church_id):
        connection = find_connection()
        assert connection is not None
        mirrors.read_views(church_id, client_for(connection, background=True), stop or Event())


def refresh(church_id: UUID, key: str, parent: str = "") -> RemoteReading:
    want(church_id, key, parent)
    work(church_id)
    return reading(church_id, key, parent)


def reading(church_id: UUID, key: str, parent: str = "") -> RemoteReading:
    with church_scope(church_id):
        found = readings.find_reading(key, parent)
        assert found is not None
        return found


def listing(church_id: UUID, key: str, parent: str = "", **wish: Any) -> Listing:
    with church_scope(church_id):
        return list_records(BY_KEY[key], parent, Wish(**wish))


def values(church_id: UUID, key: str, parent: str = "", **wish: Any) -> list[dict[str, Any]]:
    """What the rows of the first page hold."""
    with church_scope(church_id):
        return [values_of(row) for row in list_records(BY_KEY[key], parent, Wish(**wish)).rows]


def kept(church_id: UUID) -> list[RemoteRecord]:
    with church_scope(church_id):
        return list(db.session.scalars(db.select(RemoteRecord).order_by(RemoteRecord.id)))
