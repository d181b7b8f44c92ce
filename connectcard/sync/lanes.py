"""The worker's side of a run: the lane of a church, several cards in flight, and the end of the run."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import BindParameter, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import MOST_ATTEMPTS, db, end_reading
from connectcard.errors import ConnectCardError, ConnectionMissing
from connectcard.planning_center import Client
from connectcard.sync.confirmations import look_again
from connectcard.sync.held_up import say_what_waits
from connectcard.sync.holds import Hold, HoldLost, Lane, claim, due, held, keep_lane, leave_lane, take_lane
from connectcard.sync.items import go_on_soon
from connectcard.sync.kinds import sync_item
from connectcard.sync.models import (
    CLAIMED,
    NEEDS_YOU,
    OPEN_STATES,
    PENDING,
    REVIEW,
    RUNNING,
    RUNS_OF_ITEMS,
    STOPPING,
    WAITING,
    WORKED_ON,
    SyncItem,
    SyncPreview,
    SyncRun,
    SyncStep,
)
from connectcard.sync.outcomes import settle
from connectcard.sync.rehearsals import make_previews
from connectcard.sync.runs import finish_runs, note_on_runs
from connectcard.sync.searches import answer_searches
from connectcard.sync.side_by_side import SideBySide, in_threads
from connectcard.sync.turns import free_items

log = structlog.get_logger()

# At 250 ms a call two cards use up 5 requests a second; the others are for calls that take longer.
CARDS_IN_FLIGHT = 6
# After so long a church gives its lane to one that waits.
SLICE_SECONDS = 10.0
# How soon a preview or a search is seen that somebody asks for meanwhile.
LOOK_AGAIN_SECONDS = 1.0


_NOW: BindParameter[Any] = bindparam("moment")
_ON = exists().where(SyncRun.church_id == SyncItem.church_id, SyncRun.id == SyncItem.run_id, SyncRun.state.in_(WORKED_ON))
_CARD = exists().where(SyncItem.church_id == Connection.church_id, due(_NOW), _ON)
_PREVIEW = exists().where(SyncPreview.church_id == Connection.church_id, SyncPreview.made_at.is_(None))
_SEARCH = exists().where(SyncItem.church_id == Connection.church_id, SyncItem.search_wanted.is_not(None))
_CONFIRMATION = exists().where(SyncStep.church_id == Connection.church_id, SyncStep.look_again_at <= _NOW)
_OPEN_CARD = exists().where(SyncItem.church_id == SyncRun.church_id, SyncItem.run_id == SyncRun.id, SyncItem.state.in_(OPEN_STATES))
_OVER = and_(SyncRun.kind.in_(RUNS_OF_ITEMS), or_(SyncRun.state == STOPPING, and_(SyncRun.state == RUNNING, ~_OPEN_CARD)))
_ENDING = exists().where(SyncRun.church_id == Connection.church_id, _OVER)
_FREE = or_(Connection.lane_until.is_(None), Connection.lane_until < _NOW)
_TO_DO = or_(_CARD, _PREVIEW, _SEARCH, _CONFIRMATION, _ENDING)
_WITH_DUE_WORK = select(Connection.church_id).where(Connection.state == CONNECTED, _FREE, _TO_DO)
_FREE_AT = case((SyncItem.state == CLAIMED, SyncItem.lease_until), else_=SyncItem.due_at)
_NEXT_DUE_AT = select(func.min(_FREE_AT)).where(SyncItem.state.in_((PENDING, WAITING, CLAIMED)), _ON)


def churches_with_due_work() -> list[UUID]:
    """The connected churches that have a card, a preview or the end of a run to work on now and whose lane is free."""
    with every_church():
        return list(db.session.scalars(_WITH_DUE_WORK, {"moment": now()}))


def next_due_at() -> datetime | None:
    """When the next card of any church is due, or the hold on one ends whose worker may have gone away."""
    with every_church():
        found: datetime | None = db.session.scalar(_NEXT_DUE_AT)
        return found


@dataclass(frozen=True)
class Shift:
    """A worker's time in one church's lane: what each of its threads needs. `ends_at` is by the monotonic clock."""

    app: Flask
    church_id: UUID
    lane: Lane
    client: Client
    stop: Event
    ends_at: float
    others_wait: Callable[[], bool]
    side_by_side: SideBySide

    @property
    def slice_over(self) -> bool:
        """Whether this church had its time, and another one waits for its own."""
        return monotonic() >= self.ends_at and self.others_wait()

    @property
    def over(self) -> bool:
        """Whether no further card is to be begun."""
        return self.stop.is_set() or self.slice_over


def advance(church_id: UUID, stop: Event, others_wait: Callable[[], bool] = lambda: False, side_by_side: SideBySide = in_threads) -> bool:
    """Work a church's due cards in its lane until nothing is due, `stop` is set, or its slice is over while `others_wait`.

    `side_by_side` is how the writes of one card that go together are run.
    Says whether it stopped for the others' sake, with more to do; returns at once where the lane is taken.
    """
    with church_scope(church_id):
        lane = take_lane()
    if lane is None:
        return False
    try:
        shift = _begin(church_id, lane, stop, others_wait, side_by_side)
        return shift is not None and _work(shift)
    finally:
        with church_scope(church_id):
            leave_lane(lane)


def _begin(church_id: UUID, lane: Lane, stop: Event, others_wait: Callable[[], bool], side_by_side: SideBySide) -> Shift | None:
    """One client for the whole shift: its connection to Planning Center is kept open from card to card."""
    with church_scope(church_id):
        connection = find_connection()
        if connection is None:
            return None
        try:
            client = client_for(connection, stopping=stop)
        except ConnectionMissing as error:
            log.warning("church_cannot_be_served", church_id=str(church_id), exc_info=error)
            note_on_runs(str(error))
            return None
        note_on_runs(None)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return Shift(app, church_id, lane, client, stop, monotonic() + SLICE_SECONDS, others_wait, side_by_side)


def _work(shift: Shift) -> bool:
    with church_scope(shift.church_id):
        say_what_waits()
    with ThreadPoolExecutor(CARDS_IN_FLIGHT + 1, thread_name_prefix="card") as pool:
        previews, looked_at = pool.submit(_previews, shift), monotonic()
        in_flight: dict[Future[Any], frozenset[str]] = {}
        while _holds(shift) and not (shift.over and not in_flight):
            _begin_cards(shift, in_flight, pool)
            if previews.done() and not shift.over:
                found = previews.result()
                if not found and not in_flight:
                    break
                if found or monotonic() >= looked_at + LOOK_AGAIN_SECONDS:
                    previews, looked_at = pool.submit(_previews, shift), monotonic()
            wait(set(in_flight) or {previews}, timeout=1, return_when=FIRST_COMPLETED)
            for future in [future for future in in_flight if future.done()]:
                del in_flight[future]
                future.result()
    with church_scope(shift.church_id):
        finish_runs()
    return shift.slice_over


def _begin_cards(shift: Shift, in_flight: dict[Future[Any], frozenset[str]], pool: ThreadPoolExecutor) -> None:
    """Take up as many cards as there is room for, each sharing no mark with another that is in flight."""
    if shift.over or len(in_flight) >= CARDS_IN_FLIGHT:
        return
    for item_id, marks in free_items(shift.church_id):
        if len(in_flight) < CARDS_IN_FLIGHT and not any(marks & busy for busy in in_flight.values()):
            in_flight[pool.submit(_one_card, shift, item_id)] = marks


def _holds(shift: Shift) -> bool:
    with church_scope(shift.church_id):
        return keep_lane(shift.lane)


def _one_card(shift: Shift, item_id: UUID) -> None:
    """One card in its own thread, session and scope."""
    with shift.app.app_context(), church_scope(shift.church_id):
        hold = claim(item_id, shift.lane)
        if hold is None:
            return
        try:
            sync_item(hold, shift.client, shift.stop.is_set, partial(_side_by_side, shift))
        except ConnectCardError as error:
            _our_own_fault(hold, error)
        except IntegrityError as error:
            log.info("somebody_was_quicker", item_id=str(item_id))
            _begin_anew(hold, error)
        except Exception as error:
            log.exception("card_failed", item_id=str(item_id))
            _our_own_fault(hold, error)


def _side_by_side(shift: Shift, calls: Sequence[Callable[[], None]]) -> list[Exception | None]:
    end_reading()
    return shift.side_by_side([partial(_in_its_scope, shift, call) for call in calls])


def _in_its_scope(shift: Shift, call: Callable[[], None]) -> None:
    """Each write in a session and a scope of its own."""
    with shift.app.app_context(), church_scope(shift.church_id):
        call()


def _begin_anew(hold: Hold, error: IntegrityError) -> None:
    """A pull or a webhook stored the same row here at the same moment: what was sent is in the books, so the item begins anew."""
    end_reading()
    try:
        with held(hold) as item:
            item.attempts += 1
            again = item.attempts <= MOST_ATTEMPTS
            if again:
                go_on_soon(item, "The same was written down here at that moment; it goes on by itself.")
    except HoldLost:
        log.info("hold_lost", item_id=str(hold.item_id))
        return
    if not again:
        _our_own_fault(hold, error)


def _our_own_fault(hold: Hold, error: Exception) -> None:
    end_reading()
    try:
        with held(hold) as item:
            words = str(error) if isinstance(error, ConnectCardError) else f"Something went wrong on our side ({type(error).__name__})."
            settle(item, REVIEW, NEEDS_YOU, f"{words} Nothing was lost; try this card again.")
    except HoldLost:
        log.info("hold_lost", item_id=str(hold.item_id))


def _previews(shift: Shift) -> int:
    with shift.app.app_context(), church_scope(shift.church_id):
        return make_previews(shift.client) + answer_searches(shift.client) + look_again(shift.client)
