"""What is common to the items of a push: their plan is stored, what waits for another item waits, and they come to rest."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.models import Person
from connectcard.sync.approvals import as_sent, left_out_of
from connectcard.sync.card_marks import shared_marks
from connectcard.sync.card_writes import row_of
from connectcard.sync.models import (
    CREATED,
    DONE,
    FAILED,
    LEFT_OUT,
    NEEDS_YOU,
    OPEN_STATES,
    PERSON,
    PLANNED,
    REFUSED,
    REVIEW,
    RUNNING,
    SKIPPED,
    SYNCED,
    UPDATED,
    SyncItem,
    SyncRun,
    SyncStep,
)
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import CREATE_HOUSEHOLD, CREATE_PERSON, PlannedStep
from connectcard.sync.previews import READY, find_previews, forget_previews
from connectcard.sync.steps import Later

PAUSE = timedelta(seconds=5)
# What is made for good: one row for each, whatever run it was planned in.
MADE_ONCE = (CREATE_PERSON, CREATE_HOUSEHOLD)


def item_about(kind: str, subject_id: UUID) -> SyncItem | None:
    """The item of a record of ours, if it was ever sent."""
    return db.session.scalars(select(SyncItem).where(SyncItem.kind == kind, SyncItem.subject_id == subject_id)).first()


def subject_id_of(item_id: UUID) -> UUID:
    """Which record of ours an item is about."""
    return db.session.scalars(select(SyncItem).where(SyncItem.id == item_id)).one().about


def store_plan(item: SyncItem, planned: Iterable[PlannedStep]) -> None:
    """Inside `held`: write down what will be sent. What was begun stays as it is; what an earlier plan did not send goes,
    and so does a household that was taken back; somebody who was made is there, inactive, and is made active again.

    A later run may write the same again, so that a key holds the number of its run; what is made for good has one key for ever.
    """
    item.planned_at = now()
    void = or_(SyncStep.state.in_((PLANNED, REFUSED, LEFT_OUT)), (SyncStep.kind == CREATE_HOUSEHOLD) & SyncStep.undone_at.is_not(None))
    db.session.execute(delete(SyncStep).where(SyncStep.item_id == item.id, void))
    rows = list(db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id)))
    begun, position = {_what_it_does(row.kind, row.natural_key) for row in rows}, max((row.position for row in rows), default=0)
    run = db.session.scalars(select(SyncRun.number).where(SyncRun.id == item.run_id)).one()
    for step in as_sent(planned, item.approval):
        key = step.natural_key if step.kind in MADE_ONCE else f"{step.natural_key}#{run}"
        if _what_it_does(step.kind, key) not in begun:
            position += 1
            db.session.add(_row(step, key, item, position))
    forget_previews([item.about])
    db.session.flush()


def _what_it_does(kind: str, key: str) -> tuple[str, str]:
    return kind, "" if kind in MADE_ONCE else key


def _row(step: PlannedStep, key: str, item: SyncItem, position: int) -> SyncStep:
    row = row_of(step, item, position)
    row.natural_key, row.state = key, LEFT_OUT if step.mark in left_out_of(item.approval) else row.state
    return row


def wait_for_people(people: Collection[UUID], words: str) -> None:
    """Raise Later while one of these people, who are not in Planning Center yet, is on the way there."""
    on = select(SyncRun.id).where(SyncRun.state == RUNNING)
    open_ones = select(SyncItem.due_at).where(
        SyncItem.kind == PERSON, SyncItem.subject_id.in_(people), SyncItem.state.in_(OPEN_STATES), SyncItem.run_id.in_(on)
    )
    due = list(db.session.scalars(open_ones))
    if due:
        raise Later(max(now(), *due) + PAUSE, words)


@dataclass(frozen=True)
class Expected:
    """Who somebody of ours will be once they were sent: a person who is there already, or a new one (`remote_id` None)."""

    remote_id: str | None


def expected_people(people: Iterable[UUID | None]) -> dict[UUID, Expected]:
    """Those of these people whose own preview says who they will be; whoever has to be asked about is not among them."""
    previews = find_previews([person for person in people if person is not None])
    clear = {person: preview.decision for person, preview in previews.items() if preview.state == READY and not preview.question}
    return {person: Expected(decision["person"]) for person, decision in clear.items() if decision}


def rest_as_it_went(item: SyncItem, made: str, *, needs_you: str = "", note: str = "") -> None:
    """Inside `held`: the item rests as its steps of this run say. `made` is the kind of step that makes what it is about."""
    steps = list(db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id).order_by(SyncStep.position)))
    refused = [f"Planning Center did not accept {step.label}: {step.problem}" for step in steps if step.state == REFUSED]
    if refused:
        settle(item, FAILED, FAILED, " ".join(refused))
        return
    left_out = [f"{step.label}: {step.problem}" for step in steps if step.state == LEFT_OUT and step.problem]
    note = " ".join(filter(None, (needs_you, *left_out, note)))
    if needs_you:
        settle(item, REVIEW, NEEDS_YOU, note)
        return
    item.synced_at = now()
    settle(item, SYNCED, _outcome(steps, item, made), note or None)


def _outcome(steps: Sequence[SyncStep], item: SyncItem, made: str) -> str:
    done = [step for step in steps if step.state == DONE and step.run_id == item.run_id]
    sent = [step for step in done if not step.found]
    # What only we can have made was made by us, also where its answer was lost and it was found.
    if any(step.kind == made for step in done if not step.found or step.kind in MADE_ONCE):
        return CREATED
    return UPDATED if sent else SKIPPED


def marks_of_people(people: Iterable[Person]) -> frozenset[str]:
    """By what other items may touch these people: their names and contacts, and they themselves."""
    marks: set[str] = set()
    for person in people:
        identity = person.identity
        marks |= {f"person {person.id}", *shared_marks(identity.first_name, identity.last_name, "", "")}
        for contact in person.contacts:
            marks |= shared_marks("", "", contact.value if "@" in contact.value else "", "" if "@" in contact.value else contact.value)
    return frozenset(marks)
