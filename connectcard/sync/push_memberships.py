"""Somebody of ours in a group as an item: made a member or leader there once; what Planning Center refuses becomes a to-do for staff.

A role that stands there is never changed: leaders keep it there (people.ownership). Where a group takes requests, its leaders decide, and
Planning Center takes no request from outside, so that staff are asked before somebody who left a card is put in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people.models import LEADER, MEMBER, GroupMembership, Person
from connectcard.planning_center import Client
from connectcard.sync.group_wishes import REQUESTS, TO_DO
from connectcard.sync.group_writes import MOST_WAITS, MembershipTarget
from connectcard.sync.holds import Hold, held
from connectcard.sync.items import go_on_soon
from connectcard.sync.models import MEMBERSHIP, NEEDS_YOU, REFUSED, REVIEW, SyncItem, SyncStep
from connectcard.sync.moves import follow
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import ADD_TO_GROUP, PlannedStep
from connectcard.sync.proposals import Proposal, ProposedAtWork
from connectcard.sync.push_items import (
    Expected,
    expected_people,
    item_about,
    marks_of_people,
    rest_as_it_went,
    store_plan,
    subject_id_of,
    wait_for_people,
)
from connectcard.sync.steps import PersonGone

WAITS_FOR_PERSON = "Waits until this person is in Planning Center."
NOT_THERE = "This person is not in Planning Center yet. Say who they are, or send them first; then send this again."
NO_GROUP = "This group is archived or gone in Planning Center, so nobody can be put into it."
TAKES_REQUESTS = "This group takes requests: its leader decides who joins. Ask the leader, then put them in, or do it in Planning Center."
OTHER_ROLE = "They are in the group as {} already; leaders keep roles in Planning Center."
DELETED = "This person was deleted in Planning Center."


@dataclass(frozen=True)
class MembershipAtHand:
    """A membership and its item as values."""

    planned: bool
    person_id: UUID | None
    person: str | None
    group: str | None
    role: str
    attempts: int
    asks_first: bool
    comes: bool = False


def membership_at_hand(subject_id: UUID, expected: Mapping[UUID, Expected]) -> MembershipAtHand:
    """`expected` is the person, where they are not there yet and their own preview says who they will be."""
    item, row = item_about(MEMBERSHIP, subject_id), _membership(subject_id)
    group, person = row.group, row.person
    stands = group.remote_id is not None and group.gone_at is None and group.archived_at is None
    remote_id = (person.remote_id if person else None) or row.person_remote_id
    comes = expected.get(person.id) if person and remote_id is None else None
    at_hand = MembershipAtHand(
        planned=item is not None and item.planned_at is not None,
        person_id=row.person_id,
        person=comes.remote_id if comes else remote_id,
        comes=comes is not None,
        group=group.remote_id if stands else None,
        role=LEADER if row.role == LEADER else MEMBER,
        attempts=item.attempts if item else 0,
        asks_first=group.enrollment_strategy == REQUESTS and not ((item and item.decision) or {}).get("by"),
    )
    end_reading()
    return at_hand


def _subject(item: SyncItem) -> GroupMembership:
    return _membership(item.about)


def _membership(subject_id: UUID) -> GroupMembership:
    return db.session.scalars(select(GroupMembership).where(GroupMembership.id == subject_id)).one()


class MembershipAtWork(ProposedAtWork[Proposal]):
    """Somebody in a group, in a worker's hands."""

    def __init__(self, hold: Hold, client: Client) -> None:
        super().__init__(hold, client)
        self._subject_id = subject_id_of(hold.item_id)
        self._one = membership_at_hand(self._subject_id, {})

    @property
    def planned(self) -> bool:
        return self._one.planned

    def propose(self) -> Proposal:
        if self._one.person is None and self._one.person_id:
            wait_for_people({self._one.person_id}, WAITS_FOR_PERSON)
        end_reading()
        return _proposal(self._one)

    def store(self, item: SyncItem, proposal: Proposal) -> None:
        item.person_remote_id = self._one.person
        store_plan(item, proposal.steps)

    @staticmethod
    def rehearse(about: UUID, _client: Client) -> Proposal:
        person_id = _membership(about).person_id
        return _proposal(membership_at_hand(about, expected_people([person_id])))

    def target(self) -> MembershipTarget:
        one = membership_at_hand(self._subject_id, {})
        return MembershipTarget(one.person, arriving=one.attempts < MOST_WAITS)

    def finish(self) -> None:
        with held(self.hold) as item:
            step = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id).order_by(SyncStep.position.desc())).first()
            if step is not None and step.state == REFUSED:
                settle(item, REVIEW, NEEDS_YOU, TO_DO.format(f"“{step.problem}”"))
                return
            if step is not None and step.remote_id:
                step.confirmed_at = step.confirmed_at or now()
            rest_as_it_went(item, ADD_TO_GROUP, note=_other_role(step, _subject(item)))

    def person_gone(self, gone: PersonGone) -> None:
        with held(self.hold) as item:
            if item.person_remote_id:
                follow({item.person_remote_id: gone.kept}, item)
            item.planned_at = None
            if gone.kept:
                go_on_soon(item, "The person was merged in Planning Center; the push follows.")
            else:
                settle(item, REVIEW, NEEDS_YOU, DELETED)

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        wanted = select(SyncItem.id, Person).join(GroupMembership, GroupMembership.id == SyncItem.subject_id)
        rows = db.session.execute(wanted.join(Person, Person.id == GroupMembership.person_id).where(SyncItem.id.in_(item_ids))).all()
        return {item_id: marks_of_people([person]) for item_id, person in rows}


def _proposal(one: MembershipAtHand) -> Proposal:
    """Nothing is looked up: Planning Center is asked whether they are in it before anything is sent."""
    known = str(one.person_id or one.person)
    who = (one.group, known, one.asks_first)
    question = _question(one)
    if question:
        return Proposal(question=question, who=who)
    body = {"attributes": {"person_id": one.person, "role": one.role}, "group": one.group}
    compared = {"attributes": {"person_id": known, "role": one.role}, "group": one.group}
    words = "Leader of the group" if one.role == LEADER else "Member of the group"
    return Proposal((PlannedStep(ADD_TO_GROUP, "", "Group", body, words, required=True, compared=compared),), who=who)


def _question(one: MembershipAtHand) -> str:
    """What staff have to do before anything can be sent; "" for nothing."""
    if one.group is None:
        return NO_GROUP
    if one.person is None and not one.comes:
        return NOT_THERE
    return TAKES_REQUESTS if one.asks_first else ""


def _other_role(step: SyncStep | None, row: GroupMembership) -> str:
    """What staff are told where somebody was found in the group in another role than ours."""
    wanted = json.loads(step.body or "{}")["attributes"]["role"] if step is not None and step.found else row.role
    return OTHER_ROLE.format(row.role) if wanted != row.role else ""
