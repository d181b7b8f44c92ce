"""The worker's side of a run: the lane of a church, several cards in flight, and the end of the run."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import and_, case, exists, func, or_, select

from connectcard.cards.in_words import opened_family
from connectcard.cards.models import Submission
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.queries import find_connection
from connectcard.crypto import CannotOpen
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectCardError, ConnectionMissing
from connectcard.people.identity import base_email, name_key, name_keys
from connectcard.planning_center import Client
from connectcard.sync.families import members_of
from connectcard.sync.holds import Hold, HoldLost, Lane, claim, due, keep_hold, keep_lane, leave_lane, take_lane
from connectcard.sync.models import (
    CLAIMED,
    INTENT,
    NEEDS_YOU,
    OPEN_STATES,
    PENDING,
    PLANNED,
    REVIEW,
    RUNNING,
    RUNS_OF_ITEMS,
    STOPPING,
    WAITING,
    SyncItem,
    SyncPreview,
    SyncRun,
    SyncStep,
)
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import CREATE_PERSON
from connectcard.sync.rehearsals import make_previews
from connectcard.sync.runs import finish_runs, note_on_runs
from connectcard.sync.visitors import sync_item

log = structlog.get_logger()

CARDS_IN_FLIGHT = 4
# Cards looked at in one go: enough to find some that share no mark with those in hand.
CARDS_IN_VIEW = 100
NAMES_AND_CONTACTS = ("first_name", "last_name", "email", "phone")


def churches_with_due_work() -> list[UUID]:
    """The connected churches that have a card, a preview or the end of a run to work on now and whose lane is free."""
    moment = now()
    on = exists().where(SyncRun.church_id == SyncItem.church_id, SyncRun.id == SyncItem.run_id, SyncRun.state == RUNNING)
    card = exists().where(SyncItem.church_id == Connection.church_id, due(moment), on)
    preview = exists().where(SyncPreview.church_id == Connection.church_id, SyncPreview.made_at.is_(None))
    open_card = exists().where(SyncItem.church_id == SyncRun.church_id, SyncItem.run_id == SyncRun.id, SyncItem.state.in_(OPEN_STATES))
    over = and_(SyncRun.kind.in_(RUNS_OF_ITEMS), or_(SyncRun.state == STOPPING, and_(SyncRun.state == RUNNING, ~open_card)))
    ending = exists().where(SyncRun.church_id == Connection.church_id, over)
    free = or_(Connection.lane_until.is_(None), Connection.lane_until < moment)
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, free, or_(card, preview, ending))
    with every_church():
        return list(db.session.scalars(wanted))


def next_due_at() -> datetime | None:
    """When the next card of any church is due, or the hold on one ends whose worker may have gone away."""
    with every_church():
        on = exists().where(SyncRun.church_id == SyncItem.church_id, SyncRun.id == SyncItem.run_id, SyncRun.state == RUNNING)
        free_at = case((SyncItem.state == CLAIMED, SyncItem.lease_until), else_=SyncItem.due_at)
        found: datetime | None = db.session.scalar(select(func.min(free_at)).where(SyncItem.state.in_((PENDING, WAITING, CLAIMED)), on))
        return found


@dataclass(frozen=True)
class Shift:
    """A worker's time in one church's lane: what each of its threads needs."""

    app: Flask
    church_id: UUID
    lane: Lane
    client: Client
    stop: Event


def advance(church_id: UUID, stop: Event) -> None:
    """Work a church's due cards in its lane until nothing is due or `stop` is set; returns at once where the lane is taken."""
    with church_scope(church_id):
        lane = take_lane()
    if lane is None:
        return
    try:
        shift = _begin(church_id, lane, stop)
        if shift is not None:
            _work(shift)
    finally:
        with church_scope(church_id):
            leave_lane(lane)


def _begin(church_id: UUID, lane: Lane, stop: Event) -> Shift | None:
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
    return Shift(current_app._get_current_object(), church_id, lane, client, stop)  # type: ignore[attr-defined]


def _work(shift: Shift) -> None:
    with ThreadPoolExecutor(CARDS_IN_FLIGHT + 1, thread_name_prefix="card") as pool:
        previews: Future[int] = pool.submit(_previews, shift)
        in_flight: dict[Future[Any], frozenset[str]] = {}
        while not shift.stop.is_set() and _holds(shift):
            for item_id, marks in _free_cards(shift.church_id):
                if len(in_flight) < CARDS_IN_FLIGHT and not any(marks & busy for busy in in_flight.values()):
                    in_flight[pool.submit(_one_card, shift, item_id)] = marks
            if previews.done():
                if not previews.result() and not in_flight:
                    break
                previews = pool.submit(_previews, shift)
            wait(set(in_flight) or {previews}, timeout=1, return_when=FIRST_COMPLETED)
            for future in [future for future in in_flight if future.done()]:
                del in_flight[future]
                future.result()
    with church_scope(shift.church_id):
        finish_runs()


def _holds(shift: Shift) -> bool:
    with church_scope(shift.church_id):
        return keep_lane(shift.lane)


def _free_cards(church_id: UUID) -> list[tuple[UUID, frozenset[str]]]:
    """The due cards, oldest first, each with the marks by which it may be the same person as another card.

    A card whose marks another one has that is in hand, whose write is still unclear, or that is about to make people, waits for that
    one: only then can it find them there. Such a card itself always goes on.
    """
    with church_scope(church_id):
        on = select(SyncRun.id).where(SyncRun.state == RUNNING)
        of_item = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id)
        about_to_make = and_(SyncItem.run_id.in_(on), of_item.where(SyncStep.kind == CREATE_PERSON, SyncStep.state == PLANNED))
        unclear = or_(of_item.where(SyncStep.state == INTENT), about_to_make)
        in_hand = and_(SyncItem.state == CLAIMED, SyncItem.lease_until >= now())
        busy = dict(_marked(select(*_MARKED).where(or_(in_hand, and_(SyncItem.state.in_(OPEN_STATES), unclear)))))
        wanted = select(*_MARKED).where(due(now()), SyncItem.run_id.in_(on)).order_by(SyncItem.due_at, Submission.received_at)
        cards = _marked(wanted.limit(CARDS_IN_VIEW))
    return [
        (item_id, marks)
        for item_id, marks in cards
        if item_id in busy or not any(marks & theirs for other_id, theirs in busy.items() if other_id != item_id)
    ]


_MARKED = (SyncItem.id, Submission.id.label("submission_id"), *(getattr(Submission, name) for name in NAMES_AND_CONTACTS))


def _marked(wanted: Any) -> list[tuple[UUID, frozenset[str]]]:
    rows = db.session.execute(wanted.join(Submission, Submission.id == SyncItem.submission_id)).all()
    families = _family_marks([row.submission_id for row in rows])
    return [
        (row.id, shared_marks(row.first_name, row.last_name, row.email, row.phone) | families.get(row.submission_id, frozenset()))
        for row in rows
    ]


def _family_marks(submission_ids: list[UUID]) -> dict[UUID, frozenset[str]]:
    """The names of the visitors' families: the other parent's card may be on its way too."""
    given = select(Submission).where(Submission.id.in_(submission_ids), Submission.family_sealed.is_not(None))
    return {submission.id: _names_in_family(submission) for submission in db.session.scalars(given)}


def _names_in_family(submission: Submission) -> frozenset[str]:
    try:
        family = opened_family(submission.family)
    except CannotOpen:
        # The card itself says so when it is its turn; the others go on.
        return frozenset()
    return frozenset(name_key(one.first_name, one.last_name) for one in members_of(family, submission.last_name, int))


def shared_marks(first_name: str, last_name: str, email: str, phone: str) -> frozenset[str]:
    """By what two cards may be one person: mailbox, the end of the phone number, name in all its forms."""
    digits = "".join(filter(str.isdigit, phone))[-7:]
    return frozenset(filter(None, (base_email(email), digits, *name_keys(first_name, last_name))))


def _one_card(shift: Shift, item_id: UUID) -> None:
    """One card in its own thread, session and scope."""
    with shift.app.app_context(), church_scope(shift.church_id):
        hold = claim(item_id, shift.lane)
        if hold is None:
            return
        try:
            sync_item(hold, shift.client, shift.stop.is_set)
        except ConnectCardError as error:
            _our_own_fault(hold, error)
        except Exception as error:
            log.exception("card_failed", item_id=str(item_id))
            _our_own_fault(hold, error)
        finish_runs()


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


def _previews(shift: Shift) -> int:
    with shift.app.app_context(), church_scope(shift.church_id):
        return make_previews(shift.client)
