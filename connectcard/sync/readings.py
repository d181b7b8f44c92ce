"""What somebody who looks at a page wants read from Planning Center, and how that went: a view of it, or one record of the directory.

A reading is known by its `key` (of a view, or "directory/person") and, where it is about one record, that record's id there.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select

from connectcard.churches.tenancy import every_church
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, HIDDEN_ROWS, NO_ACCESS, NO_SCOPE, OK, Connection
from connectcard.connections.queries import find_connection
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center.errors import Forbidden, Gone, PlanningCenterError, ProductUnavailable, RateLimited, ScopeMissing
from connectcard.sync.holds import due
from connectcard.sync.mirror_models import RemoteReading
from connectcard.sync.models import RUNNING, SyncItem, SyncRun
from connectcard.sync.remote_views import PRODUCT_WORDS

MOST_TRIES = 3
AGAIN_AFTER = timedelta(minutes=1)
REFUSED_STANDINGS = {ScopeMissing: NO_SCOPE, ProductUnavailable: NO_ACCESS, Forbidden: NO_ACCESS}
NOT_THERE = "Planning Center does not have this any more, or does not show it to the person who connected."

__all__ = ["HIDDEN_ROWS", "OK", "find_reading", "give_up", "is_wanted", "put_off", "settle", "want", "wanted_now"]


def find_reading(key: str, remote_id: str = "") -> RemoteReading | None:
    """How a reading stands; None where nobody ever asked for it."""
    return db.session.scalars(_of(key, remote_id)).first()


def get_reading(key: str, remote_id: str = "") -> RemoteReading:
    """One that was asked for."""
    return db.session.scalars(_of(key, remote_id)).one()


def _of(key: str, remote_id: str) -> Select[RemoteReading]:
    return select(RemoteReading).where(RemoteReading.view == key, RemoteReading.parent_remote_id == remote_id)


def is_wanted(reading: RemoteReading | None) -> bool:
    return reading is not None and reading.wanted_at is not None


def want(key: str, remote_id: str = "") -> RemoteReading:
    """Ask a worker to read; asked twice is asked once. Inside `transaction()`; the caller rings."""
    reading = find_reading(key, remote_id)
    if reading is None:
        reading = RemoteReading(view=key, parent_remote_id=remote_id)
        db.session.add(reading)
    if reading.wanted_at is None:
        reading.wanted_at = reading.due_at = now()
        reading.tries, reading.problem = 0, None
    db.session.flush()
    return reading


# The worker's side.


def churches_wanting_readings() -> list[UUID]:
    """The connected churches for which something is to be read now."""
    due_now = select(RemoteReading.church_id).where(RemoteReading.wanted_at.is_not(None), RemoteReading.due_at <= now())
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, Connection.church_id.in_(due_now))
    with every_church():
        return list(db.session.scalars(wanted))


def wanted_now() -> list[tuple[str, str]]:
    """What the open church wants read now, what was asked for first in front: key and record."""
    due_now = RemoteReading.wanted_at.is_not(None) & (RemoteReading.due_at <= now())
    rows = db.session.scalars(select(RemoteReading).where(due_now).order_by(RemoteReading.wanted_at)).all()
    return [(row.view, row.parent_remote_id) for row in rows]


def cards_are_due() -> bool:
    """Whether a card of the open church waits for its turn."""
    on = select(SyncRun.id).where(SyncRun.state == RUNNING)
    waiting = db.session.scalar(select(SyncItem.id).where(due(now()), SyncItem.run_id.in_(on)).limit(1)) is not None
    end_reading()
    return waiting


def settle(key: str, remote_id: str, standing: str, began_at: datetime) -> RemoteReading:
    """It was read. Inside `transaction()`; what was asked for meanwhile is read once more."""
    reading = get_reading(key, remote_id)
    if reading.wanted_at is not None and reading.wanted_at <= began_at:
        reading.wanted_at = reading.due_at = None
    reading.read_at, reading.standing, reading.problem, reading.tries = began_at, standing, None, 0
    return reading


def put_off(key: str, remote_id: str, product: str, error: PlanningCenterError) -> None:
    """Planning Center was not there: said in words and tried again, three times in all; for room in the rate limit as often as need be."""
    seconds = getattr(error, "retry_after", None)
    with transaction():
        reading = get_reading(key, remote_id)
        reading.tries += not isinstance(error, RateLimited)
        reading.problem = in_words(error, PRODUCT_WORDS[product])[:300]
        reading.due_at = now() + (timedelta(seconds=seconds) if seconds else AGAIN_AFTER)
        if reading.tries >= MOST_TRIES:
            reading.wanted_at = reading.due_at = None


def give_up(key: str, remote_id: str, product: str, error: PlanningCenterError) -> None:
    """Planning Center said no: said in words; nothing of what was read before is touched."""
    standing = next((standing for kind, standing in REFUSED_STANDINGS.items() if isinstance(error, kind)), None)
    with transaction():
        reading = get_reading(key, remote_id)
        reading.wanted_at = reading.due_at = None
        reading.problem = (NOT_THERE if isinstance(error, Gone) else in_words(error, PRODUCT_WORDS[product]))[:300]
        reading.standing = standing or reading.standing
        if standing and not isinstance(error, Forbidden):
            note_product(product, standing)


def forget(key: str, kept: timedelta) -> None:
    """Drop what is known of readings that nobody asked for again since; the page then asks by itself when it is opened."""
    with transaction() as session:
        aged = RemoteReading.read_at <= now() - kept
        session.execute(delete(RemoteReading).where(RemoteReading.view == key, RemoteReading.wanted_at.is_(None), aged))


def note_product(product: str, standing: str) -> None:
    """Keep on the connection how a product stands. Inside `transaction()`."""
    connection = find_connection()
    if connection is not None and connection.products.get(product) != standing:
        connection.products = {**connection.products, product: standing}
