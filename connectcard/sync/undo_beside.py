"""What families and groups of ours wrote on a person: beside what is taken back, since somebody in either of them stays active."""

from collections.abc import Collection, Iterator
from itertools import chain
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.models import FamilyMember, GroupMembership
from connectcard.people.queries import find_person
from connectcard.sync import plans, undo_plans
from connectcard.sync.models import DONE, FAMILY, MEMBERSHIP, SyncItem, SyncStep
from connectcard.sync.push_person_writes import body_of
from connectcard.sync.undo_values import GROUP, HOUSEHOLD, Beside, Mark

# A household that the same run made goes as a whole, so it is said last.
WRITTEN = (plans.ADD_TO_GROUP, plans.ADD_MEMBER, plans.CREATE_HOUSEHOLD)


def written_beside(persons: Collection[str], run_id: UUID) -> tuple[dict[str, dict[Mark, Beside]], set[Mark]]:
    """By person what the items of this run wrote on them, and what those of other runs did."""
    beside: dict[str, dict[Mark, Beside]] = {person: {} for person in persons}
    others: set[Mark] = set()
    for person in persons:
        for step, mark, taken_by in _on(person):
            if step.run_id == run_id:
                beside[person][mark] = Beside(step.done_at or now(), taken_by)
            else:
                others.add(mark)
    return beside, others


def _on(person: str) -> Iterator[tuple[SyncStep, Mark, Mark]]:
    for step in sorted(_steps_about(person), key=lambda step: WRITTEN.index(step.kind)):
        body, made = body_of(step), step.remote_id or ""
        if step.kind == plans.ADD_TO_GROUP and body["attributes"]["person_id"] == person:
            yield step, (GROUP, made), (undo_plans.REMOVE_FROM_GROUP, made)
        elif step.kind == plans.ADD_MEMBER and body["person"] == person:
            yield step, (HOUSEHOLD, str(household_of(step))), (undo_plans.REMOVE_MEMBER, made)
        elif step.kind == plans.CREATE_HOUSEHOLD and person in body["people"]:
            yield step, (HOUSEHOLD, made), (undo_plans.REMOVE_HOUSEHOLD, made)


def _steps_about(person: str) -> list[SyncStep]:
    """Of the families and memberships of somebody in our directory, the writes that stand."""
    row = find_person(person)
    if row is None:
        return []
    families = db.session.scalars(select(FamilyMember.family_id).where(FamilyMember.person_id == row.id))
    memberships = db.session.scalars(select(GroupMembership.id).where(GroupMembership.person_id == row.id))
    items = select(SyncItem.id).where(SyncItem.kind.in_((FAMILY, MEMBERSHIP)), SyncItem.subject_id.in_([*chain(families, memberships)]))
    stands = SyncStep.state == DONE, SyncStep.intent_at.is_not(None), SyncStep.undone_at.is_(None)
    return list(db.session.scalars(select(SyncStep).where(SyncStep.item_id.in_(items), SyncStep.kind.in_(WRITTEN), *stands)))


def household_of(step: SyncStep) -> str | None:
    """The household that somebody was put into: the one that the plan named, or the one that was made for the family."""
    made_there = SyncStep.item_id == step.item_id, SyncStep.kind == plans.CREATE_HOUSEHOLD, SyncStep.state == DONE
    named: str | None = body_of(step).get("household")
    return named or db.session.scalar(select(SyncStep.remote_id).where(*made_there))
