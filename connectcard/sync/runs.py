"""A press of Sync: start, advance, stop, finish, and the counters that the page polls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Select, and_, bindparam, case, exists, func, or_, select, update

from connectcard.cards.models import RECEIVED, Submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.clock import now
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.errors import NotFound
from connectcard.sync.holds import changed
from connectcard.sync.models import (
    CARDS,
    CLAIMED,
    FINISHED,
    OPEN_STATES,
    PENDING,
    RUNNING,
    RUNS_OF_ITEMS,
    STOPPED,
    STOPPING,
    WAITING,
    WORKED_ON,
    SyncItem,
    SyncRun,
)
from connectcard.sync.taken_back import in_hand_of_undos
from connectcard.sync.tokens import reference_code

log = structlog.get_logger()

RUNS_A_PAGE = PREVIEWS_A_PAGE = 20
# Beyond what any church comes to, and still a number that every database can look for.
LAST_RUN = 1_000_000_000


# Starting and stopping.


def start_push(member_name: str, only: Sequence[UUID] | None = None) -> SyncRun:
    """Send the ready cards; while a run is on, it is the one that takes them. Inside `transaction()`.

    `only` limits it to these cards. Raises NotFound where there is nothing to send.
    """
    one_press_at_a_time()
    run = running() or new_run(CARDS, member_name)
    taken = _take_items(run, only)
    if not taken and run.total == 0:
        raise NotFound("No card is ready to be sent.")
    run.total, run.version = run.total + taken, run.version + 1
    db.session.flush()
    return run


def one_press_at_a_time() -> None:
    """Two who press at the same moment come one after the other, and the second one sees what the first one left. Inside
    `transaction()`, in which it counts once."""
    session = db.session()
    pressed = session.get_transaction()
    if pressed is not None and session.info.get("pressed") is pressed:
        return
    # What only points at the church, a visitor's card among it, is stored meanwhile.
    session.scalars(select(Church).where(Church.id == current_church_id()).with_for_update(key_share=True)).one()
    session.expire_all()
    session.info["pressed"] = session.get_transaction()


def running(kind: str = CARDS) -> SyncRun | None:
    """The run of this kind that is on, if one is."""
    return db.session.scalars(select(SyncRun).where(SyncRun.kind == kind, SyncRun.state.in_((RUNNING, STOPPING)))).first()


def new_run(kind: str, member_name: str, *, undoes: UUID | None = None) -> SyncRun:
    """A run of this kind, empty so far. Inside `transaction()`, after `one_press_at_a_time()`."""
    number = (db.session.scalar(select(func.max(SyncRun.number))) or 0) + 1
    run = SyncRun(number=number, kind=kind, started_by=member_name, undoes_run_id=undoes)
    run.total, run.version = 0, 1
    db.session.add(run)
    db.session.flush()
    return run


def _take_items(run: SyncRun, only: Sequence[UUID] | None) -> int:
    """Give the run an item for each ready card; the items of an earlier, stopped run go over to this one."""
    church = db.session.scalars(select(Church).where(Church.id == run.church_id)).one()
    ready = _ready(select(Submission.id, SyncItem.id)).order_by(Submission.received_at, Submission.id)
    taken = 0
    for submission_id, item_id in db.session.execute(ready if only is None else ready.where(Submission.id.in_(only))).all():
        if item_id is None:
            reference = reference_code(church.remote_id_key or "", submission_id)
            db.session.add(SyncItem(submission_id=submission_id, run_id=run.id, reference=reference))
        else:
            db.session.execute(update(SyncItem).where(SyncItem.id == item_id).values(run_id=run.id, state=PENDING))
        taken += 1
    db.session.flush()
    return taken


def _ready(wanted: Any) -> Any:
    """The cards that a press of Sync would send: received, and neither at rest nor in a run that is on, nor being taken back."""
    resting = SyncItem.state.in_((PENDING, WAITING)) & ~exists().where(
        SyncRun.id == SyncItem.run_id, SyncRun.church_id == SyncItem.church_id, SyncRun.state.in_((RUNNING, STOPPING))
    )
    resting &= SyncItem.id.not_in(in_hand_of_undos())
    joined = wanted.select_from(Submission).outerjoin(SyncItem, SyncItem.submission_id == Submission.id)
    return joined.where(Submission.state == RECEIVED, or_(SyncItem.id.is_(None), resting))


def ready_count() -> int:
    """How many cards a press of Sync would send."""
    return db.session.scalar(_ready(select(func.count(Submission.id)))) or 0


def ready_cards(page: int) -> list[UUID]:
    """The submissions that a press of Sync would send, the oldest first, PREVIEWS_A_PAGE a page."""
    wanted = _ready(select(Submission.id)).order_by(Submission.received_at, Submission.id)
    return list(db.session.scalars(wanted.offset((page - 1) * PREVIEWS_A_PAGE).limit(PREVIEWS_A_PAGE)))


def stop(run: SyncRun) -> None:
    """End the run after the items that are in hand; the others stay ready. A run without items ends itself when it sees this."""
    if run.state == RUNNING:
        run.state, run.version = STOPPING, run.version + 1
        db.session.flush()
        _finish_if_done(run.id)


# What the page shows.


@dataclass(frozen=True)
class Counters:
    """A run at this moment. `waiting_for` says in words why nothing moves, where nothing does."""

    number: int
    kind: str
    state: str
    total: int
    settled: int
    created: int
    updated: int
    skipped: int
    needs_you: int
    failed: int
    version: int
    seconds_left: int | None
    waiting_for: str | None

    @property
    def on(self) -> bool:
        return self.state in (RUNNING, STOPPING)


def counters(run: SyncRun) -> Counters:
    """The figures of a run."""
    return Counters(
        number=run.number,
        kind=run.kind,
        state=run.state,
        total=run.total,
        settled=run.settled,
        created=run.created,
        updated=run.updated,
        skipped=run.skipped,
        needs_you=run.needs_you,
        failed=run.failed,
        version=run.version,
        seconds_left=seconds_left(run.settled, run.total, now() - run.started_at) if run.state == RUNNING else None,
        waiting_for=_waiting_for(run) if run.state in WORKED_ON else None,
    )


def seconds_left(settled: int, total: int, elapsed: timedelta) -> int | None:
    """How long the rest takes at the pace so far; None until three cards have come to rest."""
    if settled < 3 or settled >= total:
        return None
    return max(1, round(elapsed.total_seconds() / settled * (total - settled)))


def _waiting_for(run: SyncRun) -> str | None:
    connection = find_connection()
    if connection is None or connection.state != CONNECTED:
        return "The church is not connected to Planning Center. The cards are kept and go on once an owner connects it."
    if connection.blocked_until and connection.blocked_until > now():
        return "Planning Center asked us to slow down. Goes on by itself."
    of_run = select(SyncItem).where(SyncItem.run_id == run.id)
    if db.session.scalars(of_run.where(or_(SyncItem.state == CLAIMED, (SyncItem.state == PENDING) & (SyncItem.due_at <= now())))).first():
        return None
    next_due = db.session.scalars(of_run.where(SyncItem.state.in_((PENDING, WAITING))).order_by(SyncItem.due_at)).first()
    return next_due.reason if next_due else None


def get_run(number: int) -> SyncRun:
    """A run of this church; raises NotFound for none and for another church's alike."""
    run = db.session.scalars(select(SyncRun).where(SyncRun.number == number)).first() if number <= LAST_RUN else None
    if run is None:
        raise NotFound("There is no such sync run.")
    return run


def recent(page: int = 1, *, problems: bool = False) -> tuple[list[SyncRun], bool]:
    """The runs of every kind, newest first, twenty a page, and whether there is a further page; `problems` alone on wish."""
    rows = list(db.session.scalars(_newest_first(problems).offset((page - 1) * RUNS_A_PAGE).limit(RUNS_A_PAGE + 1)))
    return rows[:RUNS_A_PAGE], len(rows) > RUNS_A_PAGE


def all_of(*, problems: bool = False, most: int) -> list[SyncRun]:
    """The runs of every kind, newest first, for a file."""
    return list(db.session.scalars(_newest_first(problems).limit(most)))


def all_running() -> list[SyncRun]:
    """The runs of every kind that are on."""
    return list(db.session.scalars(_newest_first(problems=False).where(SyncRun.state.in_((RUNNING, STOPPING)))))


def _newest_first(problems: bool) -> Select[SyncRun]:
    wanted = select(SyncRun).order_by(SyncRun.number.desc())
    trouble = or_(SyncRun.needs_you > 0, SyncRun.failed > 0, SyncRun.note.is_not(None))
    return wanted.where(trouble) if problems else wanted


# The end of a run, as the worker finds it.


def go_on() -> None:
    """The church is connected again: its cards wait for nothing else. Those that wait until a lost write has settled go on waiting."""
    for item in db.session.scalars(select(SyncItem).where(SyncItem.state == PENDING, SyncItem.due_at > now())):
        item.due_at = now()


_ON = select(SyncRun.id).where(SyncRun.kind.in_(RUNS_OF_ITEMS), SyncRun.state.in_((RUNNING, STOPPING)))
_ABANDONED = SyncItem.run_id == bindparam("run"), SyncItem.state == CLAIMED, SyncItem.lease_until < bindparam("moment")
_FREE_ABANDONED = update(SyncItem).where(*_ABANDONED).values(state=PENDING, lease_until=None)
_OF_RUN = exists().where(SyncItem.church_id == SyncRun.church_id, SyncItem.run_id == SyncRun.id)
_STOPPED = and_(SyncRun.state == STOPPING, ~_OF_RUN.where(SyncItem.state == CLAIMED))
_FINISHED = and_(SyncRun.state == RUNNING, ~_OF_RUN.where(SyncItem.state.in_(OPEN_STATES)))
_END = (
    update(SyncRun)
    .where(SyncRun.id == bindparam("run"), SyncRun.kind.in_(RUNS_OF_ITEMS), SyncRun.finished_at.is_(None), or_(_STOPPED, _FINISHED))
    .values(state=case((SyncRun.state == STOPPING, STOPPED), else_=FINISHED), finished_at=bindparam("moment"), version=SyncRun.version + 1)
)


def finish_runs() -> None:
    """End the church's runs of which no item is open any more."""
    for run_id in list(db.session.scalars(_ON)):
        with transaction():
            _finish_if_done(run_id)


_OTHER = SyncRun.note.is_distinct_from(bindparam("words", type_=SyncRun.note.type))
_NOTE = update(SyncRun).where(SyncRun.state == RUNNING, _OTHER).values(note=bindparam("words"), version=SyncRun.version + 1)


def note_on_runs(words: str | None) -> None:
    """Say on the run that is on why it cannot go on, or that it can again."""
    with transaction():
        changed(_NOTE, words=words)


def _finish_if_done(run_id: UUID) -> None:
    """End a run of items with one UPDATE, so that two workers end it once: no open item left, or stopping and none in hand."""
    changed(_FREE_ABANDONED, run=run_id, moment=now())
    changed(_END, run=run_id, moment=now())
