"""Taking a run back: what is offered, the preview that is worked out first, the yes to it, and the no."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, update

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync import push_decisions
from connectcard.sync.decisions import retry
from connectcard.sync.holds import changed
from connectcard.sync.models import (
    BEGUN,
    CARDS,
    DONE,
    FAILED,
    IGNORED,
    INTENT,
    LEFT_OUT,
    OPEN_STATES,
    PENDING,
    PERSON,
    PLANNED,
    PREVIEW,
    REVIEW,
    RUNNING,
    RUNS_OF_ITEMS,
    STOPPED,
    STOPPING,
    SYNCED,
    UNDO,
    SyncItem,
    SyncOutcome,
    SyncRun,
    SyncStep,
)
from connectcard.sync.push import begin_anew
from connectcard.sync.runs import new_run, one_press_at_a_time
from connectcard.sync.undo_needs import why_still_active
from connectcard.sync.undo_plans import LEFT_OUT_BY, MAKE_INACTIVE
from connectcard.sync.undo_writes import undone_item

NOTHING_LEFT = "Nothing of this sync is left to take back."
STILL_LOOKING = "We are still looking at what would be taken back. Wait until everything was looked at."
# Of a step: we sent it, and it was not taken back.
_STANDS = SyncStep.state == DONE, SyncStep.intent_at.is_not(None), SyncStep.undone_at.is_(None)


def may_be_undone(run: SyncRun) -> bool:
    """Whether a run can be taken back: one of cards or a push, over, of which something stands that we wrote. An undo never can."""
    written = run.kind in RUNS_OF_ITEMS and run.kind != UNDO
    over = written and run.finished_at is not None
    return over and any(db.session.scalar(left.limit(1)) is not None for left in (_outcomes(run), _begun(run)))


def _outcomes(run: SyncRun) -> Any:
    """How those items fared of which the run wrote something that stands, the oldest first; not those that an undo went through. One that
    was stopped with everything taken back, and did not say so, is among them."""
    wrote = exists().where(
        SyncStep.church_id == SyncOutcome.church_id, SyncStep.item_id == SyncOutcome.item_id, SyncStep.run_id == run.id, *_STANDS
    )
    of_it = SyncItem.church_id == SyncOutcome.church_id, SyncItem.kind == UNDO, SyncItem.subject_id == SyncOutcome.id
    undo_of_it = exists().where(*of_it)
    taken = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id, SyncStep.state == DONE)
    begun = undo_of_it.where(SyncItem.state.not_in((SYNCED, FAILED)), taken)
    undone = undo_of_it.where(SyncItem.state == SYNCED)
    return select(SyncOutcome.id).where(SyncOutcome.run_id == run.id, or_(wrote, begun), ~undone).order_by(SyncOutcome.at)


def _begun(run: SyncRun) -> Select[UUID]:
    """The items for which the run wrote something that stands, and that did not come to rest in it before it was stopped."""
    fared = select(SyncOutcome.item_id).where(SyncOutcome.run_id == run.id)
    wrote = select(SyncStep.item_id).where(SyncStep.run_id == run.id, *_STANDS)
    return select(SyncItem.id).where(SyncItem.id.in_(wrote), SyncItem.id.not_in(fared)).order_by(SyncItem.id)


def undo_of(run: SyncRun) -> SyncRun | None:
    """The undo of a run, if somebody began one; the last where there were several."""
    wanted = select(SyncRun).where(SyncRun.undoes_run_id == run.id).order_by(SyncRun.number.desc())
    return db.session.scalars(wanted).first()


def begun_before(run: SyncRun) -> list[int]:
    """The numbers of the earlier runs that wrote for the same items, where that stands: it is taken back there, not with this run."""
    items = select(SyncOutcome.item_id).where(SyncOutcome.run_id == run.id)
    wrote = select(SyncStep.run_id).where(SyncStep.item_id.in_(items), *_STANDS)
    earlier = select(SyncRun.number).where(SyncRun.id.in_(wrote), SyncRun.number < run.number)
    return list(db.session.scalars(earlier.order_by(SyncRun.number)))


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
    if not may_be_undone(run):
        raise ChangeRefused(NOTHING_LEFT)
    db.session.add_all(
        SyncOutcome(run_id=run.id, item_id=item, outcome=BEGUN, at=run.finished_at) for item in db.session.scalars(_begun(run))
    )
    db.session.flush()
    outcomes = list(db.session.scalars(_outcomes(run)))
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
    item.run_id, item.state, item.due_at, item.attempts, item.reason = undo.id, PENDING, now(), 0, None
    begin_anew(item)


def leave_out(undo: SyncRun, shown: Collection[UUID], ticked: Collection[UUID], member_name: str) -> None:
    """Of the steps that a page showed take back the ticked ones and no others. Inside `transaction()`; only before `confirm`."""
    one_press_at_a_time()
    if undo.state != PREVIEW:
        raise ChangeRefused("This undo has begun already. Look at it again.")
    of_undo = select(SyncStep).join(SyncItem, SyncItem.id == SyncStep.item_id).where(SyncItem.run_id == undo.id, SyncStep.id.in_(shown))
    for step in db.session.scalars(of_undo):
        if step.id in ticked and _was_left_out(step):
            step.state, step.problem = PLANNED, None
        elif step.id not in ticked and step.state == PLANNED:
            step.state, step.problem = LEFT_OUT, f"{LEFT_OUT_BY} {member_name}."
    db.session.flush()


def _was_left_out(step: SyncStep) -> bool:
    """Whether staff left it out, and may take it in again."""
    return step.state == LEFT_OUT and (step.problem or "").startswith(LEFT_OUT_BY)


def confirm(undo: SyncRun) -> SyncRun:
    """Take back what the preview shows. Inside `transaction()`; the caller rings the bell. Raises ChangeRefused while it is made."""
    one_press_at_a_time()
    if undo.state != PREVIEW:
        return undo
    if looked_at(undo) < undo.total:
        raise ChangeRefused(STILL_LOOKING)
    shown = update(SyncItem).where(SyncItem.run_id == undo.id, SyncItem.state == REVIEW, SyncItem.planned_at.is_not(None))
    # People come last: whoever is still in a household or a group stays active.
    changed(shown.where(SyncItem.subject_id.in_(_of_people())).values(state=PENDING, due_at=now() + timedelta(milliseconds=1), reason=None))
    changed(shown.values(state=PENDING, due_at=now(), reason=None))
    undo.state, undo.started_at, undo.version = RUNNING, now(), undo.version + 1
    db.session.flush()
    return undo


def _of_people() -> Any:
    return select(SyncOutcome.id).where(SyncOutcome.item_id.in_(select(SyncItem.id).where(SyncItem.kind == PERSON)))


def discard(undo: SyncRun) -> SyncRun:
    """Leave everything as it is. Inside `transaction()`."""
    one_press_at_a_time()
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
    """How many items of an undo a worker has looked at."""
    open_ones = db.session.scalar(select(func.count(SyncItem.id)).where(SyncItem.run_id == undo.id, SyncItem.state.in_(OPEN_STATES))) or 0
    return undo.total - open_ones


def send_again(undo: SyncRun, member_name: str) -> SyncRun:
    """Send what was taken back once more, on purpose. Inside `transaction()`. Raises ChangeRefused where nothing waits for it."""
    one_press_at_a_time()
    items = list(db.session.scalars(select(SyncItem).where(_taken_back(undo))))
    if not items:
        raise ChangeRefused("Nothing of this waits to be sent again.")
    if undone_run(undo).kind != CARDS:
        return push_decisions.send_again(items, undone_run(undo).kind, member_name)
    return [retry(card, member_name) for card in items][-1]


def waiting_again(undo: SyncRun) -> int:
    """How many of those that were taken back wait for somebody."""
    return db.session.scalar(select(func.count(SyncItem.id)).where(_taken_back(undo))) or 0


def _taken_back(undo: SyncRun) -> ColumnElement[bool]:
    """Items in review since this undo, of which nothing was written since."""
    undone = select(SyncItem.subject_id).where(SyncItem.run_id == undo.id, SyncItem.state.in_((SYNCED, FAILED)))
    items = select(SyncOutcome.item_id).where(SyncOutcome.id.in_(undone))
    return SyncItem.id.in_(items) & (SyncItem.state == REVIEW) & SyncItem.planned_at.is_(None)


# What the pages show of each item.


@dataclass(frozen=True)
class UndoRow:
    """One write of the run: what is done with it, or why it is kept. `shown` is the value it holds; `state` as on a step. `optional`:
    staff may still leave it out, or take it in again; `subject` is the person of our directory whom it is about, where it names one."""

    id: UUID
    kind: str
    label: str
    member: int
    shown: str
    result: str
    kept: str
    state: str
    confirmed: bool
    optional: bool = False
    subject: UUID | None = None


@dataclass(frozen=True)
class Undone:
    """An item of an undo; `of` is the item that it takes back."""

    item: SyncItem
    of: SyncItem
    rows: Sequence[UndoRow] = field(default_factory=tuple)


ROWS_A_PAGE = 25


def undone_in(undo: SyncRun, page: int = 1) -> list[Undone]:
    """The items of an undo with what is done for each, ROWS_A_PAGE a page."""
    wanted = select(SyncItem).join(SyncOutcome, SyncOutcome.id == SyncItem.subject_id).where(SyncItem.run_id == undo.id)
    items = db.session.scalars(wanted.order_by(SyncOutcome.at, SyncOutcome.id).offset((page - 1) * ROWS_A_PAGE).limit(ROWS_A_PAGE)).all()
    return [Undone(item, undone_item(item), [_row(step, undo) for step in item.steps]) for item in items]


def _row(step: SyncStep, undo: SyncRun) -> UndoRow:
    body = json.loads(step.body or "{}")
    kept = (step.problem or "") if step.state == LEFT_OUT else ""
    optional = undo.state == PREVIEW and (step.state == PLANNED or _was_left_out(step))
    if optional and not kept and step.kind == MAKE_INACTIVE:
        kept = why_still_active([(kind, record) for kind, record in body.get("needs", ())], undo.id)
        optional = not kept
    subject = UUID(body["subject"]) if body.get("subject") else None
    confirmed = step.confirmed_at is not None
    return UndoRow(
        step.id, step.kind, step.label, step.member, shown_of(body), body.get("result", ""), kept, step.state, confirmed, optional, subject
    )


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
