"""Taking a run back: what is offered, the preview that is worked out first, the yes to it, and the no."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync.decisions import retry
from connectcard.sync.holds import changed
from connectcard.sync.models import (
    CARDS,
    DONE,
    FAILED,
    IGNORED,
    INTENT,
    LEFT_OUT,
    OPEN_STATES,
    PENDING,
    PREVIEW,
    REVIEW,
    RUNNING,
    STOPPED,
    STOPPING,
    SYNCED,
    UNDO,
    SyncItem,
    SyncOutcome,
    SyncRun,
    SyncStep,
)
from connectcard.sync.runs import new_run, one_press_at_a_time
from connectcard.sync.undo_items import TAKEN_BACK

NOTHING_LEFT = "Nothing of this sync is left to take back."
STILL_LOOKING = "We are still looking at what would be taken back. Wait until every card was looked at."


def may_be_undone(run: SyncRun) -> bool:
    """Whether a run can be taken back: one of cards, over, of which something stands that we wrote. An undo never can."""
    return run.kind == CARDS and run.finished_at is not None and db.session.scalar(_outcomes(run).limit(1)) is not None


def _outcomes(run: SyncRun) -> Any:
    """How those cards fared of which the run wrote something that stands, the oldest first; not those that an undo went through."""
    ours = (SyncStep.run_id == run.id, SyncStep.state == DONE, SyncStep.intent_at.is_not(None), SyncStep.undone_at.is_(None))
    wrote = exists().where(SyncStep.church_id == SyncOutcome.church_id, SyncStep.item_id == SyncOutcome.item_id, *ours)
    undone = exists().where(SyncItem.church_id == SyncOutcome.church_id, SyncItem.subject_id == SyncOutcome.id, SyncItem.state == SYNCED)
    return select(SyncOutcome.id).where(SyncOutcome.run_id == run.id, wrote, ~undone).order_by(SyncOutcome.at)


def undo_of(run: SyncRun) -> SyncRun | None:
    """The undo of a run, if somebody began one; the last where there were several."""
    wanted = select(SyncRun).where(SyncRun.undoes_run_id == run.id).order_by(SyncRun.number.desc())
    return db.session.scalars(wanted).first()


def undone_run(undo: SyncRun) -> SyncRun:
    """The run that an undo takes back."""
    return db.session.scalars(select(SyncRun).where(SyncRun.id == undo.undoes_run_id)).one()


def begin(run: SyncRun, member_name: str) -> SyncRun:
    """Have a worker look at what would be taken back of a run; nothing is written before `confirm`. Inside `transaction()`.

    A second press gives the same undo. Raises ChangeRefused where there is nothing to take back.
    """
    one_press_at_a_time()
    already_on = undo_of(run)
    if already_on is not None and already_on.state in (PREVIEW, RUNNING, STOPPING):
        return already_on
    outcomes = list(db.session.scalars(_outcomes(run))) if may_be_undone(run) else []
    if not outcomes:
        raise ChangeRefused(NOTHING_LEFT)
    undo = new_run(UNDO, member_name, undoes=run.id)
    undo.state, undo.total = PREVIEW, len(outcomes)
    for outcome_id in outcomes:
        _take(outcome_id, undo)
    db.session.flush()
    return undo


def _take(outcome_id: UUID, undo: SyncRun) -> None:
    """The one item of this subject: anew, unless a write of an earlier try is unclear."""
    item = db.session.scalars(select(SyncItem).where(SyncItem.kind == UNDO, SyncItem.subject_id == outcome_id)).first()
    if item is None:
        db.session.add(SyncItem(kind=UNDO, subject_id=outcome_id, run_id=undo.id))
        return
    unclear = any(step.state == INTENT for step in item.steps)
    item.run_id, item.state, item.due_at, item.attempts, item.reason = undo.id, PENDING, now(), 0, None
    item.planned_at = item.planned_at if unclear else None


def confirm(undo: SyncRun) -> SyncRun:
    """Take back what the preview shows. Inside `transaction()`; the caller rings the bell. Raises ChangeRefused while it is made."""
    if undo.state != PREVIEW:
        return undo
    if looked_at(undo) < undo.total:
        raise ChangeRefused(STILL_LOOKING)
    shown = update(SyncItem).where(SyncItem.run_id == undo.id, SyncItem.state == REVIEW, SyncItem.planned_at.is_not(None))
    changed(shown.values(state=PENDING, due_at=now(), reason=None))
    undo.state, undo.started_at, undo.version = RUNNING, now(), undo.version + 1
    db.session.flush()
    return undo


def discard(undo: SyncRun) -> SyncRun:
    """Leave everything as it is. Inside `transaction()`."""
    if undo.state != PREVIEW:
        raise ChangeRefused("This undo has begun already. Stop it, and what is left stays as it is.")
    items = SyncItem.run_id == undo.id
    changed(update(SyncItem).where(items).values(state=IGNORED, lease_until=None, fence=SyncItem.fence + 1))
    of_items = SyncStep.item_id.in_(select(SyncItem.id).where(items))
    db.session.execute(delete(SyncStep).where(of_items, SyncStep.state.not_in((INTENT, DONE))))
    undo.state, undo.finished_at, undo.version, undo.note = STOPPED, now(), undo.version + 1, "Nothing was taken back."
    db.session.flush()
    return undo


def looked_at(undo: SyncRun) -> int:
    """How many cards of an undo a worker has looked at."""
    open_ones = db.session.scalar(select(func.count(SyncItem.id)).where(SyncItem.run_id == undo.id, SyncItem.state.in_(OPEN_STATES))) or 0
    return undo.total - open_ones


def send_again(undo: SyncRun, member_name: str) -> SyncRun:
    """Send the cards that were taken back once more, on purpose. Inside `transaction()`. Raises ChangeRefused where none waits for it."""
    cards = list(db.session.scalars(select(SyncItem).where(_taken_back(undo))))
    runs = [retry(card, member_name) for card in cards]
    if not runs:
        raise ChangeRefused("None of these cards waits to be sent again.")
    return runs[-1]


def waiting_again(undo: SyncRun) -> int:
    """How many of the cards that were taken back wait for somebody."""
    return db.session.scalar(select(func.count(SyncItem.id)).where(_taken_back(undo))) or 0


def _taken_back(undo: SyncRun) -> ColumnElement[bool]:
    """Cards in review since this undo, of which nothing was written since."""
    undone = select(SyncItem.subject_id).where(SyncItem.run_id == undo.id, SyncItem.state.in_((SYNCED, FAILED)))
    cards = select(SyncOutcome.item_id).where(SyncOutcome.id.in_(undone))
    return SyncItem.id.in_(cards) & (SyncItem.state == REVIEW) & SyncItem.planned_at.is_(None)


def was_taken_back(item: SyncItem | None) -> bool:
    """Whether a card waits for somebody because it was taken back."""
    return item is not None and item.state == REVIEW and (item.reason or "").startswith(TAKEN_BACK)


# What the pages show of each card.


@dataclass(frozen=True)
class UndoRow:
    """One write of the run: what is done with it, or why it is kept. `shown` is the value it holds; `state` as on a step."""

    label: str
    member: int
    shown: str
    result: str
    kept: str
    state: str
    confirmed: bool


@dataclass(frozen=True)
class UndoneCard:
    """A card of an undo; `card_item_id` is the item of the card."""

    item: SyncItem
    card_item_id: UUID
    rows: Sequence[UndoRow] = field(default_factory=tuple)


ROWS_A_PAGE = 25


def cards_of(undo: SyncRun, page: int = 1) -> list[UndoneCard]:
    """The cards of an undo with what is done for each, ROWS_A_PAGE a page."""
    wanted = (
        select(SyncItem, SyncOutcome.item_id).join(SyncOutcome, SyncOutcome.id == SyncItem.subject_id).where(SyncItem.run_id == undo.id)
    )
    rows = db.session.execute(wanted.order_by(SyncOutcome.at).offset((page - 1) * ROWS_A_PAGE).limit(ROWS_A_PAGE)).all()
    return [UndoneCard(item, card_item_id, [_row(step) for step in item.steps]) for item, card_item_id in rows]


def _row(step: SyncStep) -> UndoRow:
    body = json.loads(step.body or "{}")
    kept = (step.problem or "") if step.state == LEFT_OUT else ""
    return UndoRow(step.label, step.member, shown_of(body), body.get("result", ""), kept, step.state, step.confirmed_at is not None)


SHOWN = ("address", "number", "name")


def shown_of(body: dict[str, Any]) -> str:
    """The value that a step of an undo is about, where anybody may read it: no names, no notes, no field that may hold a prayer."""
    after = body.get("after") or {}
    if body.get("of") in ("create_person", "reactivate"):
        return ""
    if body.get("attributes"):
        return ", ".join(str(after[name]) for name in body["attributes"] if after.get(name))
    street = ", ".join(str(after[name]) for name in ("street_line_1", "city", "zip") if after.get(name))
    return street or next((str(after[name]) for name in SHOWN if after.get(name)), "")
