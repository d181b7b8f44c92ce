"""A family of our directory as an item: a household with its members and their roles, made once, nobody moved out of another one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people import ownership
from connectcard.people.families import link_family
from connectcard.people.models import HERE, PLANNING_CENTER, Family, FamilyMember, Person
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, Gone, Merged, Refused
from connectcard.planning_center.resources import people
from connectcard.sync import households
from connectcard.sync.holds import Hold, held
from connectcard.sync.households import Memberships, households_of
from connectcard.sync.items import go_on_soon
from connectcard.sync.models import DONE, FAMILY, INTENT, NEEDS_YOU, REVIEW, SyncItem, SyncStep
from connectcard.sync.moves import follow
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import ADD_MEMBER, CREATE_HOUSEHOLD
from connectcard.sync.proposals import Proposal, ProposedAtWork
from connectcard.sync.push_family_plans import BOTH_SIDES, FEWEST, RENAME_HOUSEHOLD, TOO_FEW, Household, OurFamily, OurMember, plan_family
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
from connectcard.sync.refreshing import refresh_family
from connectcard.sync.steps import Made, NoLonger, PersonGone, Step, in_words

WAITS_FOR_PEOPLE = "Waits until the people of this family are in Planning Center."
MEMBER_DELETED = "Somebody of this family was deleted in Planning Center. Look at the family, then try again."
HOUSEHOLD_GONE = "The household is no longer in Planning Center. Pull families, look at this one and send it again."


@dataclass(frozen=True)
class FamilyAtHand:
    family: OurFamily
    planned: bool
    missing_people: frozenset[UUID]


def family_at_hand(subject_id: UUID, expected: Mapping[UUID, Expected]) -> FamilyAtHand:
    """A family and its item as values; `expected` are those of it who are not there yet and whose own preview says who they will be."""
    item, family = item_about(FAMILY, subject_id), _family(subject_id)
    rows = members_in_order(family)
    members = tuple(_member(number, row, expected) for number, row in rows.items())
    names = sorted({row.person.identity.last_name for row in rows.values() if row.person and row.person.identity.last_name})
    ours = OurFamily(
        remote_id=family.remote_id,
        name=family.name or f"{names[0] if names else 'New'} Household",
        edit=(family.edits or {}).get("name"),
        members=members,
        new=frozenset(number for number, row in rows.items() if row.person_remote_id is None),
        owner=HERE if ownership.owners()["family.name"] == HERE else PLANNING_CENTER,
        key=get_church().remote_id_key or "",
    )
    missing = frozenset(one.person_id for one in members if one.remote_id is None and one.person_id)
    at_hand = FamilyAtHand(ours, item is not None and item.planned_at is not None, missing)
    end_reading()
    return at_hand


def members_in_order(family: Family) -> dict[int, FamilyMember]:
    """Who is in it, by the numbers that stand for them where no name is kept."""
    return dict(enumerate(sorted((one for one in family.members if one.gone_at is None), key=lambda one: one.id), 1))


def _member(number: int, row: FamilyMember, expected: Mapping[UUID, Expected]) -> OurMember:
    person = row.person
    remote_id = (person.remote_id if person else None) or row.person_remote_id
    comes = expected.get(person.id) if person and remote_id is None else None
    child = bool(person and person.child)
    return OurMember(number, row.person_id, comes.remote_id if comes else remote_id, row.role, child, row.primary, comes is not None)


def _subject(item: SyncItem) -> Family:
    return _family(item.about)


def _family(subject_id: UUID) -> Family:
    members = selectinload(Family.members).selectinload(FamilyMember.person)
    return db.session.scalars(select(Family).where(Family.id == subject_id).options(members)).one()


@dataclass(frozen=True)
class FamilyProposal(Proposal):
    """The proposal for a family; `household` is the one that it is there already."""

    household: str | None = None


def _proposal(one: FamilyAtHand, client: Client) -> FamilyProposal:
    found = plan_family(one.family, list(_households(one.family, client)))
    return FamilyProposal(found.steps, who=(found.household,), household=found.household)


class FamilyAtWork(ProposedAtWork[FamilyProposal]):
    """A family of our directory in a worker's hands."""

    def __init__(self, hold: Hold, client: Client) -> None:
        super().__init__(hold, client)
        self._memberships = Memberships()
        self._one = family_at_hand(subject_id_of(hold.item_id), {})

    @property
    def planned(self) -> bool:
        return self._one.planned

    def propose(self) -> FamilyProposal:
        wait_for_people(self._one.missing_people, WAITS_FOR_PEOPLE)
        return _proposal(self._one, self.client)

    def store(self, item: SyncItem, proposal: FamilyProposal) -> None:
        if proposal.household:
            link_family(_subject(item), proposal.household)
        store_plan(item, proposal.steps)

    @staticmethod
    def rehearse(about: UUID, client: Client) -> FamilyProposal:
        people = select(FamilyMember.person_id).where(FamilyMember.family_id == about, FamilyMember.gone_at.is_(None))
        return _proposal(family_at_hand(about, expected_people(db.session.scalars(people).all())), client)

    def target(self) -> "FamilyTarget":
        made = select(SyncStep.remote_id).where(
            SyncStep.item_id == self.hold.item_id, SyncStep.kind == CREATE_HOUSEHOLD, SyncStep.state == DONE
        )
        linked = select(Family.remote_id).join(SyncItem, SyncItem.subject_id == Family.id).where(SyncItem.id == self.hold.item_id)
        household = db.session.scalar(made) or db.session.scalar(linked)
        end_reading()
        return FamilyTarget(household, self._memberships)

    def finish(self) -> None:
        household = self.target().household
        if household:
            refresh_family(household, self.client)
        with held(self.hold) as item:
            at_home = _people_at_home(household)
            steps = list(db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id)))
            for step in steps:
                shows = step.state == DONE and (step.kind != ADD_MEMBER or _person_of(step) in at_home)
                step.confirmed_at = step.confirmed_at or (now() if shows else None)
            nothing_made = household is None and not any(step.state == DONE for step in steps)
            rest_as_it_went(item, CREATE_HOUSEHOLD, needs_you="No household was made." if nothing_made else "")

    def person_gone(self, gone: PersonGone) -> None:
        """A member was merged or deleted there: looked at again, with whom they are now."""
        with held(self.hold) as item:
            item.planned_at = None
            if isinstance(gone, MemberGone):
                follow({gone.remote_id: gone.kept})
            if item.attempts > 3:
                settle(item, REVIEW, NEEDS_YOU, MEMBER_DELETED)
                return
            item.attempts += 1
            go_on_soon(item, "Somebody of the family was merged or deleted in Planning Center; the push follows.")

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        wanted = select(SyncItem.id, Person).join(FamilyMember, FamilyMember.family_id == SyncItem.subject_id)
        rows = db.session.execute(wanted.join(Person, Person.id == FamilyMember.person_id).where(SyncItem.id.in_(item_ids))).all()
        return {item_id: marks_of_people(person for owner, person in rows if owner == item_id) for item_id in item_ids}


class MemberGone(PersonGone):
    """Somebody of the family is not there any more under `remote_id`."""

    def __init__(self, remote_id: str, kept: str | None) -> None:
        super().__init__(kept)
        self.remote_id = remote_id


def _people_at_home(household: str | None) -> set[str | None]:
    """Who is in it, as it was just read back."""
    there = select(FamilyMember.person_remote_id).join(Family, Family.id == FamilyMember.family_id)
    return set(db.session.scalars(there.where(Family.remote_id == household, FamilyMember.gone_at.is_(None))))


def _person_of(step: SyncStep) -> str | None:
    person: str | None = json.loads(step.body or "{}").get("person")
    return person


def _households(family: OurFamily, client: Client) -> Iterator[Household]:
    """Every household there in which somebody of the family is, once each."""
    asked = [one for one in family.members if one.remote_id and (not family.remote_id or one.number in family.new)]
    found: dict[str, Household] = {}
    for member in asked:
        for one in _of_member(str(member.remote_id), client):
            found.setdefault(one.remote_id, one)
    if family.remote_id and family.remote_id not in found:
        record = client.get(people.HOUSEHOLD, family.remote_id, include=("people",))
        everybody = frozenset(ref.id for ref in record.related("people"))
        found[record.id] = Household(record.id, record["name"] or "", everybody)
    yield from found.values()


def _of_member(remote_id: str, client: Client) -> Iterator[Household]:
    try:
        for one in households_of(remote_id, client):
            yield Household(one.remote_id, one.name, frozenset({remote_id, *(other.remote_id for other in one.members)}))
    except Merged as moved:
        raise MemberGone(remote_id, moved.kept_id) from moved
    except Gone as gone:
        raise MemberGone(remote_id, None) from gone


def _look_for(remote_id: str, client: Client) -> None:
    try:
        client.get(people.PERSON, remote_id)
    except Merged as moved:
        raise MemberGone(remote_id, moved.kept_id) from moved
    except Gone as gone:
        raise MemberGone(remote_id, None) from gone


def _renamed(step: Step, household: Record) -> Record | None:
    """The household where it is called so already; raises NoLonger where somebody renamed it since this was planned."""
    name = household["name"] or ""
    if name not in (step.body["attributes"]["name"], step.body.get("was", name)):
        raise NoLonger(BOTH_SIDES)
    return household if name == step.body["attributes"]["name"] else None


@dataclass(frozen=True)
class FamilyTarget:
    """What the steps of a family are written to; `household` is None until it was made."""

    household: str | None
    memberships: Memberships = field(compare=False)

    def missing(self, step: Step) -> str:
        if step.kind == CREATE_HOUSEHOLD:
            return TOO_FEW if len(step.body["people"]) < FEWEST else ""
        return "" if self.household else "The household could not be made."

    def looks_first(self, step: Step) -> bool:
        return step.kind in (CREATE_HOUSEHOLD, ADD_MEMBER, RENAME_HOUSEHOLD)

    def send(self, step: Step, client: Client) -> Made:
        attributes = step.body["attributes"]
        if step.kind == CREATE_HOUSEHOLD:
            return Made.of(households.create_household(attributes["name"], step.body["people"], client))
        if step.kind == RENAME_HOUSEHOLD:
            return Made.of(client.update(people.HOUSEHOLD, str(self.household), attributes))
        membership = self.memberships.find(str(self.household), step.body["person"], client)
        return Made.of(households.take_in(str(self.household), step.body["person"], attributes, membership, client))

    def probe(self, step: Step, client: Client) -> Made | None:
        try:
            return self._find(step, client)
        except Gone:
            return None

    def _find(self, step: Step, client: Client) -> Made | None:
        if step.kind == CREATE_HOUSEHOLD:
            record = households.find_household(step, step.body["people"][0], client)
        elif step.kind == RENAME_HOUSEHOLD:
            record = _renamed(step, client.get(people.HOUSEHOLD, str(self.household)))
        else:
            record = self.memberships.find(str(self.household), step.body["person"], client, again=step.state == INTENT)
            record = None if record is None or households.needs_role(record) else record
        return Made.of(record) if record else None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        self.memberships.forget()
        return isinstance(error, Conflict) or step.kind == ADD_MEMBER

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        for remote_id in filter(None, (step.body.get("person"), *step.body.get("people", ()))):
            _look_for(remote_id, client)
        return HOUSEHOLD_GONE if isinstance(error, Gone) else in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        if step.kind == CREATE_HOUSEHOLD:
            link_family(_subject(item), made.remote_id)
