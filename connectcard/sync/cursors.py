"""How far pulls have come: one row a resource. A page and the row move in one transaction, so a killed pull goes on where it stood.

`changed_since` is the latest time of change that Planning Center showed, by its own clock; the next pass asks from a little before it.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned
from connectcard.clock import now
from connectcard.database import Base, UtcDateTime, db
from connectcard.planning_center import Position
from connectcard.sync.models import SyncRun

# Rows of one second may be written after we asked for it, and clocks of several machines stand behind Planning Center's.
OVERLAP = timedelta(minutes=5)
# What has no time of change, or where it lies (who moved to which household, merged people), is found by reading everything.
WHOLE_EVERY = timedelta(days=7)
MOST_SWEEPS = 3


class SyncCursor(ChurchOwned, Base):
    """How the reading of one resource stands: the pass in hand, and what the next one asks for.

    `position` is where the sweep of the pass goes on ({"since", "offset", "previous"}), `since` the moment that it asks from (None: whole),
    `seen` how many records it was shown, `latest` the latest time of change among them.
    """

    __tablename__ = "sync_cursor"
    __table_args__ = (UniqueConstraint("church_id", "resource"),)

    resource: Mapped[str] = mapped_column(String(24))
    run_id: Mapped[UUID | None]
    began_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    position: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    sweeps: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    latest: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    tries: Mapped[int] = mapped_column(default=0)
    done: Mapped[bool] = mapped_column(default=False)
    problem: Mapped[str | None] = mapped_column(String(500))

    changed_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    whole_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    whole_wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def whole(self) -> bool:
        return self.since is None

    @property
    def place(self) -> Position | None:
        return Position.from_json(self.position) if self.position else None


def cursor_of(resource: str) -> SyncCursor:
    """The cursor of a resource; made when first needed. Inside `transaction()`."""
    cursor = db.session.scalars(select(SyncCursor).where(SyncCursor.resource == resource)).first()
    if cursor is None:
        cursor = SyncCursor(resource=resource)
        db.session.add(cursor)
        db.session.flush()
    return cursor


def reading(resource: str) -> SyncCursor:
    """A cursor that was begun, outside of any transaction."""
    return db.session.scalars(select(SyncCursor).where(SyncCursor.resource == resource)).one()


def begin(resource: str, run: SyncRun, *, by_change: bool, whole: bool) -> SyncCursor:
    """The cursor of a resource in a run: a new pass, or the one that was broken off. Inside `transaction()`."""
    cursor = cursor_of(resource)
    if cursor.run_id == run.id:
        return cursor
    asks_for_changes = by_change and not whole and cursor.changed_since is not None and not is_whole_due(cursor)
    cursor.run_id, cursor.began_at, cursor.done, cursor.problem = run.id, now(), False, None
    cursor.since = cursor.changed_since - OVERLAP if asks_for_changes and cursor.changed_since else None
    cursor.position, cursor.sweeps, cursor.seen, cursor.latest, cursor.tries, cursor.due_at = None, 0, 0, None, 0, now()
    if cursor.whole and cursor.whole_wanted_at is not None:
        # Until a whole pass was read to its end each one is whole.
        cursor.whole_wanted_at = cursor.whole_at = None
    db.session.flush()
    return cursor


def is_whole_due(cursor: SyncCursor) -> bool:
    due = cursor.whole_at is None or cursor.whole_at <= now() - WHOLE_EVERY
    return due or cursor.whole_wanted_at is not None


def want_whole(resource: str) -> None:
    """Have the next pass read everything: something changed, and Planning Center does not say what. Inside `transaction()`."""
    cursor_of(resource).whole_wanted_at = now()
    db.session.flush()


def is_whole_wanted(resource: str) -> bool:
    wanted = select(SyncCursor.id).where(SyncCursor.resource == resource, SyncCursor.whole_wanted_at.is_not(None))
    return db.session.scalar(wanted) is not None


def finish(cursor: SyncCursor, problem: str | None = None) -> None:
    """The pass is over. Without a problem the next one asks from what this one saw; with one, from where the last good one did."""
    cursor.done, cursor.problem, cursor.position = True, problem, None
    if problem is None:
        latest = [moment for moment in (cursor.latest, cursor.changed_since) if moment is not None]
        cursor.changed_since = max(latest, default=None)
        cursor.whole_at = cursor.began_at if cursor.whole else cursor.whole_at
    db.session.flush()


def put_off(cursor: SyncCursor, words: str, until: datetime, *, failed: bool) -> None:
    """The pass cannot go on now; what was read of it stays."""
    cursor.problem, cursor.due_at, cursor.tries = words, until, cursor.tries + failed
    db.session.flush()


def came_on(resource: str) -> None:
    """Something was read and stored: what failed before it counts no more. Inside `transaction()`."""
    db.session.execute(update(SyncCursor).where(SyncCursor.resource == resource, SyncCursor.tries > 0).values(tries=0))
