"""A worker's time in one church's pull lane: who has it, and what each stage of a pull needs.

The pull lane is another one than the cards': a card never waits for a pull to let go.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

from flask import Flask
from sqlalchemy import UniqueConstraint, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, Connection
from connectcard.database import Base, UtcDateTime, db, end_reading, transaction
from connectcard.people.pulled import Tally
from connectcard.planning_center import Client
from connectcard.sync import cursors
from connectcard.sync.cursors import SyncCursor, cursor_of
from connectcard.sync.holds import HoldLost, changed
from connectcard.sync.models import RUNNING, STOPPED, STOPPING, SyncRun
from connectcard.sync.readings import cards_are_due

# Longer than a window of the rate limit that a page may have to wait for.
LANE_LEASE = timedelta(seconds=60)


class PullLane(ChurchOwned, Base):
    """The lease on a church's pulls: one worker pulls at a time. `fence` grows with each holder."""

    __tablename__ = "pull_lane"
    __table_args__ = (UniqueConstraint("church_id"),)

    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(default=0)


def take_lane() -> int | None:
    """The fence under which this worker pulls for the open church; None where another one does."""
    _lay_out()
    with transaction() as session:
        free = or_(PullLane.until.is_(None), PullLane.until < now())
        taken = changed(update(PullLane).where(free).values(until=now() + LANE_LEASE, fence=PullLane.fence + 1))
        return session.scalar(select(PullLane.fence)) if taken else None


def _lay_out() -> None:
    if db.session.scalar(select(PullLane.id)) is None:
        try:
            with transaction() as session:
                session.add(PullLane())
        except IntegrityError:
            # Another worker was faster; the row is there.
            db.session.rollback()


def leave_lane(fence: int) -> None:
    with transaction():
        changed(update(PullLane).where(PullLane.fence == fence).values(until=None))


class BrokenOff(Exception):
    """The pull stays where it is: the worker leaves, somebody pressed Stop, or something else goes first.

    `soon`: what goes first is done by this lane itself, which goes on with the pull right after it.
    """

    def __init__(self, *, soon: bool = False) -> None:
        super().__init__()
        self.soon = soon


@dataclass(frozen=True)
class Pull:
    """One run that pulls, in the lane of its church."""

    app: Flask
    church_id: UUID
    run_id: UUID
    fence: int
    client: Client
    country_code: str
    stop: Event
    others_wait: Callable[[], bool]

    def pause_for_others(self) -> None:
        """Raises BrokenOff where something else goes first; called between two transactions."""
        state = db.session.scalar(select(SyncRun.state).where(SyncRun.id == self.run_id))
        if self.stop.is_set() or state != RUNNING or cards_are_due():
            raise BrokenOff
        if self.others_wait():
            raise BrokenOff(soon=True)

    def stay(self) -> None:
        """Keep the lane, inside the open transaction; raises HoldLost, which rolls it back."""
        connected = exists().where(Connection.church_id == PullLane.church_id, Connection.state == CONNECTED)
        if not changed(update(PullLane).where(PullLane.fence == self.fence, connected).values(until=now() + LANE_LEASE)):
            raise HoldLost("another worker pulls for this church now, or it was disconnected")

    def begin(self, stage: str, *, by_change: bool = False) -> SyncCursor:
        """The cursor of a stage in this run: its pass is begun, or goes on where it was broken off."""
        end_reading()
        with transaction():
            self.stay()
            run = self.run()
            return cursors.begin(stage, run, by_change=by_change, whole=bool((run.progress or {}).get("whole")))

    def sweeps_again(self, stage: str) -> bool:
        """Begin the list of a stage anew; False where that was done often enough."""
        with transaction():
            self.stay()
            cursor = cursor_of(stage)
            cursor.position, cursor.sweeps = None, cursor.sweeps + 1
            return cursor.sweeps < cursors.MOST_SWEEPS

    def run(self) -> SyncRun:
        return db.session.scalars(select(SyncRun).where(SyncRun.id == self.run_id)).one()

    def count(self, words: str, tally: Tally, done: int, of: int | None) -> None:
        """Bring the run's counters up to date, inside the open transaction."""
        run = self.run()
        run.created, run.updated = (run.created or 0) + tally.created, (run.updated or 0) + tally.updated
        run.skipped, run.needs_you = (run.skipped or 0) + tally.skipped, (run.needs_you or 0) + tally.conflicts
        run.total = (run.total or 0) + tally.total
        self.show(words, done, of)

    def show(self, words: str, done: int, of: int | None) -> None:
        """What the page says of the run, inside the open transaction; here a pressed Stop is heeded."""
        run = self.run()
        run.progress = {**(run.progress or {}), "stage": words, "done": min(done, of) if of else done, "of": of}
        run.version += 1
        if run.state == STOPPING:
            run.state, run.finished_at = STOPPED, now()
