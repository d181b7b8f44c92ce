"""What staff see of pushes: what needs them, what each record is called, and the push that was started last."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.database import db
from connectcard.people.matching import UNCLEAR
from connectcard.people.models import Family, Group, GroupMembership, Person
from connectcard.people.queries import find_person
from connectcard.sync import push
from connectcard.sync.approvals import stopped_as_changed
from connectcard.sync.models import FAILED, FAMILY, GROUP, MEMBERSHIP, PERSON, REVIEW, SyncItem, SyncRun
from connectcard.sync.push_families import members_in_order
from connectcard.sync.taken_back import was_taken_back

MOST_SHOWN = 50


@dataclass(frozen=True)
class Candidate:
    """Somebody in Planning Center who may be meant, with what agrees and what does not."""

    remote_id: str
    name: str
    reasons: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class NeedsYou:
    """An item of a push that waits for staff. `question`: they have to say who it is; `asks_leader`: whether to put them in after all;
    `changed`: what would be written is no longer what was approved, and is looked at on the record's own page;
    `taken_back`: whether it is sent again or left."""

    item_id: UUID
    kind: str
    subject_id: UUID | None
    about: str
    words: str
    failed: bool
    question: bool = False
    asks_leader: bool = False
    candidates: tuple[Candidate, ...] = field(default_factory=tuple)
    changed: bool = False
    taken_back: bool = False


def needing_you() -> list[NeedsYou]:
    """What waits for staff, the oldest first."""
    wanted = select(SyncItem).where(SyncItem.kind.in_(push.ORDER), SyncItem.state.in_((REVIEW, FAILED)))
    return [needs(item) for item in db.session.scalars(wanted.order_by(SyncItem.due_at, SyncItem.id).limit(MOST_SHOWN))]


def count() -> int:
    """How many wait so."""
    waiting = select(func.count(SyncItem.id)).where(SyncItem.kind.in_(push.ORDER), SyncItem.state.in_((REVIEW, FAILED)))
    return db.session.scalar(waiting) or 0


def needs(item: SyncItem) -> NeedsYou:
    """What an item in review, or one that failed, needs of staff."""
    decision = item.decision or {}
    question = item.kind == PERSON and decision.get("kind") == UNCLEAR and not decision.get("by")
    leader = item.kind == MEMBERSHIP and item.planned_at is None and not item.steps and item.person_remote_id is None
    return NeedsYou(
        item_id=item.id,
        kind=item.kind,
        subject_id=item.subject_id,
        about=about(item.kind, item.about),
        words=item.reason or "",
        failed=item.state == FAILED,
        question=question,
        asks_leader=leader,
        candidates=tuple(_candidate(one) for one in decision.get("candidates", ())) if question else (),
        changed=stopped_as_changed(item),
        taken_back=was_taken_back(item),
    )


def _candidate(one: dict[str, Any]) -> Candidate:
    known = find_person(one["remote_id"]) if not one["name"] else None
    return Candidate(one["remote_id"], one["name"] or (known.name if known else "A child of this name"), one["reasons"])


def about(kind: str, subject_id: UUID) -> str:
    """Whom or what an item of this kind is about, in words; "" where it is gone."""
    return NAMES[kind](subject_id)


def _person_name(person_id: UUID) -> str:
    person = db.session.get(Person, person_id)
    return person.name if person else ""


def _family_name(family_id: UUID) -> str:
    family = db.session.get(Family, family_id)
    return family.name or "A family" if family else ""


def _membership_name(membership_id: UUID) -> str:
    row = db.session.get(GroupMembership, membership_id)
    if row is None:
        return ""
    group, person = db.session.get(Group, row.group_id), db.session.get(Person, row.person_id) if row.person_id else None
    return f"{person.name if person else 'Somebody'} in {group.name if group else 'a group'}"


def _group_name(group_id: UUID) -> str:
    group = db.session.get(Group, group_id)
    return group.name if group else ""


# What the records of each kind of item are called; a new kind is a line here.
NAMES: dict[str, Callable[[UUID], str]] = {PERSON: _person_name, FAMILY: _family_name, GROUP: _group_name, MEMBERSHIP: _membership_name}


def names_in(kind: str, subject_id: UUID) -> dict[int, str]:
    """What the members of a family are called, by the numbers that stand for them in its plan; {} for any other kind."""
    family = db.session.get(Family, subject_id) if kind == FAMILY else None
    rows = members_in_order(family) if family else {}
    return {number: row.person.name for number, row in rows.items() if row.person and row.person.name}


def names_written(item: SyncItem) -> dict[int, str]:
    """The same of those whom the steps of a family are about, as they were when it was planned."""
    if item.kind != FAMILY:
        return {}
    subjects = {step.member: json.loads(step.body or "{}").get("subject") for step in item.steps if step.member}
    return {number: name for number, subject in subjects.items() if subject and (name := _person_name(UUID(subject)))}


def group_of(membership_id: UUID) -> UUID | None:
    """The group that a membership belongs to."""
    return db.session.scalar(select(GroupMembership.group_id).where(GroupMembership.id == membership_id))


def name_of(person_id: UUID) -> str:
    """What somebody of our directory is called; "" for nobody."""
    person = db.session.get(Person, person_id)
    return person.name if person else ""


def last_push() -> SyncRun | None:
    """The push that was started last."""
    return db.session.scalars(select(SyncRun).where(SyncRun.kind.in_(push.WAITING)).order_by(SyncRun.number.desc())).first()


def choose_to_send_memberships(chosen: bool) -> None:
    """Whether the church sends group memberships; leaders may be told of each. Inside `transaction()`."""
    church = db.session.scalars(select(Church).where(Church.id == current_church_id())).one()
    church.sends_memberships = chosen
    db.session.flush()
