"""A press of Sync: start, advance, stop, finish, and the counters that the page polls."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import and_, exists, func, or_, select, update

from connectcard.cards.models import RECEIVED, Submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, current_church_id, every_church
from connectcard.clock import now
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectCardError, NotFound
from connectcard.people.identity import name_key, normalised_email
from connectcard.sync.holds import Hold, HoldLost, Lane, changed, claim, due, keep_hold, keep_lane, leave_lane, take_lane
from connectcard.sync.models import (
    CLAIMED,
    FINISHED,
    INTENT,
    NEEDS_YOU,
    PENDING,
    REVIEW,
    RUNNING,
    STOPPED,
    STOPPING,
    WAITING,
    SyncItem,
    SyncPreview,
    SyncRun,
    SyncStep,
)
from connectcard.sync.outcomes import settle
from connectcard.sync.previews import make_previews
from connectcard.sync.tokens import reference_code
from connectcard.sync.visitors import sync_item

log = structlog.get_logger()

CARDS_IN_FLIGHT = 4
RUNS_A_PAGE = 20
OPEN_STATES = (PENDING, CLAIMED, WAITING)


# Starting and stopping.


def start_push(member_name: str, only: Sequence[UUID] | None = None) -> SyncRun:
    """Send the ready cards; while a run is on, it is the one that takes them. Inside `transaction()`.

    `only` limits it to these cards. Raises NotFound where there is nothing to send.
    """
    db.session.scalars(select(Church).where(Church.id == current_church_id()).with_for_update()).one()
    run = running() or _new_run(member_name)
    taken = _take_items(run, only)
    if not taken and run.total == 0:
        raise NotFound("No card is ready to be sent.")
    run.total, run.version = run.total + taken, run.version + 1
    db.session.flush()
    return run


def running() -> SyncRun | None:
    """The run that is on, if one is."""
    return db.session.scalars(select(SyncRun).where(SyncRun.state.in_((RUNNING, STOPPING)))).first()


def _new_run(member_name: str) -> SyncRun:
    number = (db.session.scalar(select(func.max(SyncRun.number))) or 0) + 1
    run = SyncRun(number=number, started_by=member_name)
    run.total, run.version = 0, 1
    db.session.add(run)
    db.session.flush()
    return run


def _take_items(run: SyncRun, only: Sequence[UUID] | None) -> int:
    """Give the run an item for each ready card; the items of an earlier, stopped run go over to this one."""
    church = db.session.scalars(select(Church).where(Church.id == run.church_id)).one()
    ready = _ready(select(Submission.id, SyncItem.id)).order_by(Submission.received_at)
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
    """The cards that a press of Sync would send: received, and neither at rest nor in a run that is on."""
    resting = SyncItem.state.in_((PENDING, WAITING)) & ~exists().where(
        SyncRun.id == SyncItem.run_id, SyncRun.church_id == SyncItem.church_id, SyncRun.state.in_((RUNNING, STOPPING))
    )
    joined = wanted.select_from(Submission).outerjoin(SyncItem, SyncItem.submission_id == Submission.id)
    return joined.where(Submission.state == RECEIVED, or_(SyncItem.id.is_(None), resting))


def ready_count() -> int:
    """How many cards a press of Sync would send."""
    return db.session.scalar(_ready(select(func.count(Submission.id)))) or 0


def stop(run: SyncRun) -> None:
    """End the run after the cards that are in hand; the others stay ready."""
    if run.state == RUNNING:
        run.state, run.version = STOPPING, run.version + 1
        db.session.flush()
        _finish_if_done(run.id)


# What the page shows.


@dataclass(frozen=True)
class Counters:
    """A run at this moment. `waiting_for` says in words why nothing moves, where nothing does."""

    number: int
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
        waiting_for=_waiting_for(run) if run.state == RUNNING else None,
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
    run = db.session.scalars(select(SyncRun).where(SyncRun.number == number)).first()
    if run is None:
        raise NotFound("There is no such sync run.")
    return run


def recent(page: int = 1) -> tuple[list[SyncRun], bool]:
    """The runs, newest first, twenty a page, and whether there is a further page."""
    wanted = select(SyncRun).order_by(SyncRun.number.desc()).offset((page - 1) * RUNS_A_PAGE).limit(RUNS_A_PAGE + 1)
    rows = list(db.session.scalars(wanted))
    return rows[:RUNS_A_PAGE], len(rows) > RUNS_A_PAGE


# The worker's side.


def churches_with_due_work() -> list[UUID]:
    """The connected churches that have a card or a preview to work on now and whose lane is free."""
    moment = now()
    on = exists().where(SyncRun.church_id == SyncItem.church_id, SyncRun.id == SyncItem.run_id, SyncRun.state == RUNNING)
    card = exists().where(SyncItem.church_id == Connection.church_id, due(moment), on)
    preview = exists().where(SyncPreview.church_id == Connection.church_id, SyncPreview.made_at.is_(None))
    ending = exists().where(SyncRun.church_id == Connection.church_id, SyncRun.state == STOPPING)
    free = or_(Connection.lane_until.is_(None), Connection.lane_until < moment)
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, free, or_(card, preview, ending))
    with every_church():
        return list(db.session.scalars(wanted))


def next_due_at() -> datetime | None:
    """When the next card of any church is due."""
    with every_church():
        on = exists().where(SyncRun.church_id == SyncItem.church_id, SyncRun.id == SyncItem.run_id, SyncRun.state == RUNNING)
        return db.session.scalar(select(func.min(SyncItem.due_at)).where(SyncItem.state.in_((PENDING, WAITING)), on))


def advance(church_id: UUID, stop: Event) -> None:
    """Work a church's due cards in its lane until nothing is due or `stop` is set; returns at once where the lane is taken."""
    with church_scope(church_id):
        lane = take_lane()
    if lane is None:
        return
    try:
        with ThreadPoolExecutor(CARDS_IN_FLIGHT + 1, thread_name_prefix="card") as pool:
            _work(church_id, lane, pool, stop)
    finally:
        with church_scope(church_id):
            leave_lane(lane)


def _work(church_id: UUID, lane: Lane, pool: ThreadPoolExecutor, stop: Event) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    previews: Future[Any] = pool.submit(_previews, app, church_id)
    in_flight: dict[Future[Any], frozenset[str]] = {}
    while not stop.is_set() and _holds(church_id, lane):
        for item_id, marks in _free_cards(church_id):
            if len(in_flight) < CARDS_IN_FLIGHT and not any(marks & busy for busy in in_flight.values()):
                in_flight[pool.submit(_one_card, app, church_id, lane, item_id, stop)] = marks
        if previews.done():
            if not previews.result() and not in_flight:
                break
            previews = pool.submit(_previews, app, church_id)
        wait(set(in_flight) or {previews}, timeout=1, return_when=FIRST_COMPLETED)
        for future in [future for future in in_flight if future.done()]:
            del in_flight[future]
            future.result()
    wait(in_flight)
    wait([previews])
    _finish_runs(church_id)


def _holds(church_id: UUID, lane: Lane) -> bool:
    with church_scope(church_id):
        return keep_lane(lane)


def _free_cards(church_id: UUID) -> list[tuple[UUID, frozenset[str]]]:
    """The due cards, oldest first, each with the marks by which it may be the same person as another card.

    A card whose marks another one has that is in hand, or whose write is still unclear, waits for that one: only then can it find
    the person there. A card with an unclear write of its own always goes on.
    """
    with church_scope(church_id):
        unclear = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id, SyncStep.state == INTENT)
        in_hand = and_(SyncItem.state == CLAIMED, SyncItem.lease_until >= now())
        busy = dict(_marked(select(*_MARKED).where(or_(in_hand, and_(SyncItem.state.in_(OPEN_STATES), unclear)))))
        on = select(SyncRun.id).where(SyncRun.state == RUNNING)
        wanted = select(*_MARKED).where(due(now()), SyncItem.run_id.in_(on)).order_by(SyncItem.due_at, Submission.received_at)
        cards = _marked(wanted.limit(25 * CARDS_IN_FLIGHT))
    return [
        (item_id, marks)
        for item_id, marks in cards
        if item_id in busy or not any(marks & theirs for other_id, theirs in busy.items() if other_id != item_id)
    ]


_MARKED = (SyncItem.id, Submission.first_name, Submission.last_name, Submission.email, Submission.phone)


def _marked(wanted: Any) -> list[tuple[UUID, frozenset[str]]]:
    rows = db.session.execute(wanted.join(Submission, Submission.id == SyncItem.submission_id)).all()
    return [(row.id, shared_marks(row.first_name, row.last_name, row.email, row.phone)) for row in rows]


def shared_marks(first_name: str, last_name: str, email: str, phone: str) -> frozenset[str]:
    """By what two cards may be one person: e-mail, the end of the phone number, name."""
    digits = "".join(filter(str.isdigit, phone))[-7:]
    return frozenset(filter(None, (normalised_email(email), digits, name_key(first_name, last_name))))


def _one_card(app: Flask, church_id: UUID, lane: Lane, item_id: UUID, stop: Event) -> None:
    """One card in its own thread, session and scope."""
    with app.app_context(), church_scope(church_id):
        hold = claim(item_id, lane)
        connection = find_connection()
        if hold is None or connection is None:
            return
        client = client_for(connection, stopping=stop)
        end_reading()
        try:
            sync_item(hold, client, stop.is_set)
        except ConnectCardError as error:
            _our_own_fault(hold, error)
        except Exception as error:
            log.exception("card_failed", item_id=str(item_id))
            _our_own_fault(hold, error)
        _finish_runs(church_id)


def _our_own_fault(hold: Hold, error: Exception) -> None:
    end_reading()
    try:
        with transaction() as session:
            keep_hold(hold)
            item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
            words = str(error) if isinstance(error, ConnectCardError) else f"Something went wrong on our side ({type(error).__name__})."
            settle(item, REVIEW, NEEDS_YOU, f"{words} Nothing was lost; try this card again.")
    except HoldLost:
        log.info("hold_lost", item_id=str(hold.item_id))


def _previews(app: Flask, church_id: UUID) -> int:
    with app.app_context(), church_scope(church_id):
        return make_previews()


def _finish_runs(church_id: UUID) -> None:
    with church_scope(church_id):
        on = list(db.session.scalars(select(SyncRun.id).where(SyncRun.state.in_((RUNNING, STOPPING)))))
        for run_id in on:
            with transaction():
                _finish_if_done(run_id)


def _finish_if_done(run_id: UUID) -> None:
    """End a run with one UPDATE, so that two workers end it once: no open card left, or stopping and none in hand."""
    abandoned = (SyncItem.run_id == run_id, SyncItem.state == CLAIMED, SyncItem.lease_until < now())
    changed(update(SyncItem).where(*abandoned).values(state=PENDING, lease_until=None))
    of_run = exists().where(SyncItem.church_id == SyncRun.church_id, SyncItem.run_id == SyncRun.id)
    values = {"finished_at": now(), "version": SyncRun.version + 1}
    this = update(SyncRun).where(SyncRun.id == run_id, SyncRun.finished_at.is_(None))
    changed(this.where(SyncRun.state == STOPPING, ~of_run.where(SyncItem.state == CLAIMED)).values(state=STOPPED, **values))
    changed(this.where(SyncRun.state == RUNNING, ~of_run.where(SyncItem.state.in_(OPEN_STATES))).values(state=FINISHED, **values))
