"""Somebody of ours in a group as an item: made a member or leader there once; what Planning Center refuses becomes a to-do for staff.

A role that stands there is never changed: leaders keep it there (people.ownership). Where a group takes requests, its leaders decide, and
Planning Center takes no request from outside, so that staff are asked before somebody who left a card is put in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.connections.words import in_words as trouble_in_words
from connectcard.database import db, end_reading
from connectcard.people.models import LEADER, MEMBER, GroupMembership, Person
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, FieldRefused, Forbidden, Gone, Merged, ProductUnavailable, Refused
from connectcard.planning_center.resources import groups, people
from connectcard.sync.holds import Hold, held
from connectcard.sync.items import go_on_soon
from connectcard.sync.mappings._core import moment
from connectcard.sync.models import INTENT, MEMBERSHIP, NEEDS_YOU, REFUSED, REVIEW, SyncItem, SyncStep
from connectcard.sync.moves import follow
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import PlannedStep
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
from connectcard.sync.steps import AskSomebody, Later, Made, PersonGone, Step, in_words

ADD_TO_GROUP = "add_to_group"
REQUESTS = "request_to_join"

WAITS_FOR_PERSON = "Waits until this person is in Planning Center."
NOT_THERE = "This person is not in Planning Center yet. Say who they are, or send them first; then send this again."
NO_GROUP = "This group is archived or gone in Planning Center, so nobody can be put into it."
TAKES_REQUESTS = "This group takes requests: its leader decides who joins. Ask the leader, then put them in, or do it in Planning Center."
TO_DO = "Add them to the group in Planning Center by hand. Planning Center said: {}"
OTHER_ROLE = "They are in the group as {} already; leaders keep roles in Planning Center."
DELETED = "This person was deleted in Planning Center."

# Somebody made in People a moment ago may not have arrived in Groups yet.
ARRIVES_AFTER = timedelta(seconds=15)
MOST_WAITS = 6


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

    def target(self) -> "MembershipTarget":
        return MembershipTarget(membership_at_hand(self._subject_id, {}).attempts)

    def finish(self) -> None:
        with held(self.hold) as item:
            step = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id).order_by(SyncStep.position.desc())).first()
            if step is not None and step.state == REFUSED:
                settle(item, REVIEW, NEEDS_YOU, TO_DO.format(f"“{step.problem}”")[:500])
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


@dataclass(frozen=True)
class MembershipTarget:
    """What the one step of a membership is written to."""

    attempts: int

    def missing(self, step: Step) -> str:
        return ""

    def looks_first(self, step: Step) -> bool:
        return True

    def send(self, step: Step, client: Client) -> Made:
        try:
            return Made.of(client.create(groups.MEMBERSHIP, step.body["attributes"], parent_id=step.body["group"]))
        except ProductUnavailable as error:
            # For one write no access is a refusal: staff do it by hand, and the rest of the run goes on.
            raise Forbidden(str(error), status=error.status, detail=trouble_in_words(error, "Groups")) from error

    def probe(self, step: Step, client: Client) -> Made | None:
        try:
            records = client.iterate(groups.PERSON_MEMBERSHIP, parent_id=step.body["attributes"]["person_id"])
            return next((Made.of(record) for record in records if step.body["group"] in {ref.id for ref in record.related("group")}), None)
        except Gone:
            # Whoever has not arrived in Groups yet is in no group.
            return None
        except (Forbidden, ProductUnavailable) as error:
            if step.state == INTENT:
                raise AskSomebody("Planning Center no longer shows who is in this group. Look there whether they are in it.") from error
            return None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return isinstance(error, Conflict) or (isinstance(error, FieldRefused) and "taken" in in_words(error))

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        if isinstance(error, Gone | FieldRefused):
            _look_for(step.body["attributes"]["person_id"], client)
            if self.attempts < MOST_WAITS and "role" not in in_words(error):
                raise Later(now() + ARRIVES_AFTER, "Planning Center Groups does not know this person yet. Tried again by itself.")
        return in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        if made.record is not None:
            _keep(_subject(item), made.record, step.body["attributes"]["person_id"])


def _keep(row: GroupMembership, record: Record, person: str) -> None:
    """The membership stands there now: the answer is its read-back. Where it was pulled meanwhile, ours gives way."""
    pulled = select(GroupMembership).where(GroupMembership.group_id == row.group_id, GroupMembership.person_remote_id == person)
    other = db.session.scalars(pulled.where(GroupMembership.id != row.id)).first()
    row.role = LEADER if record["role"] == LEADER else MEMBER
    if other is not None:
        row.gone_at, row.added_here_at = now(), None
        return
    row.remote_id, row.person_remote_id, row.joined_at = record.id, person, moment(record["joined_at"])
    row.added_here_at, row.gone_at = None, None


def _look_for(remote_id: str, client: Client) -> None:
    try:
        client.get(people.PERSON, remote_id)
    except Merged as moved:
        raise PersonGone(moved.kept_id) from moved
    except Gone as gone:
        raise PersonGone(None) from gone
