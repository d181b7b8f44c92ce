"""A person of our directory as an item: matched or made, updated where the field is ours to send, read back as a pull reads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people import ownership
from connectcard.people.contact_edits import edits_of, opened
from connectcard.people.matching import NEW, SAME, UNCLEAR, Decision
from connectcard.people.models import EMAIL, IDENTITY, PHONE, Address, Contact, Person
from connectcard.people.operations import EDITABLE, link_person
from connectcard.planning_center import Client, Record
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.fresh_look import FreshLook
from connectcard.sync.holds import Hold, held
from connectcard.sync.items import go_on_soon
from connectcard.sync.looking import find_person_now
from connectcard.sync.made_people import Unconfirmed, leave_unmade, unconfirmed_of, whether_made
from connectcard.sync.mappings import PEOPLE
from connectcard.sync.mappings.people import read_part
from connectcard.sync.models import DONE, NEEDS_YOU, PERSON, REVIEW, SyncItem, SyncStep
from connectcard.sync.moves import follow
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import PersonNow
from connectcard.sync.proposals import Proposal, ProposedAtWork
from connectcard.sync.push_contact_plans import ChangedContact
from connectcard.sync.push_contact_writes import CHANGES, is_primary_instead, row_of, shows
from connectcard.sync.push_items import item_about, marks_of_people, rest_as_it_went, store_plan, subject_id_of
from connectcard.sync.push_matching import Stranger, decide_who
from connectcard.sync.push_person_writes import (
    FIELDS,
    PersonTarget,
    address_key_of,
    attribute_of,
    body_of,
    person_of,
    read_back,
    subject_of,
    values_of,
    wire_address,
)
from connectcard.sync.push_plans import OurContact, OurPerson, plan_person
from connectcard.sync.steps import PerhapsMade, PersonGone, open_steps
from connectcard.sync.tokens import remote_id_token
from connectcard.sync.visitors import candidate_ids, decision_row

DELETED = "This person was deleted in Planning Center. They are kept here; nothing was sent."
EDITED_THERE = "Somebody changed this in Planning Center meanwhile."


@dataclass(frozen=True)
class PersonAtHand:
    """Somebody and their item as values, so that no row is touched while Planning Center is spoken to."""

    ours: OurPerson
    stranger: Stranger
    remote_id: str | None
    planned: bool
    decision: Mapping[str, Any] | None
    gone: bool
    unconfirmed: Unconfirmed | None = None
    country_code: str = field(default="US")


def person_at_hand(subject_id: UUID) -> PersonAtHand:
    item, person = item_about(PERSON, subject_id), person_of(subject_id)
    church = get_church()
    key, country = church.remote_id_key or "", church.country_code or "US"
    values = {**vars(person.identity), **{name: getattr(person, name) for name in EDITABLE}}
    # Of somebody who is not there yet everything is to be there; of others what was added here.
    since = person.created_at
    added = [one for one in person.contacts if one.added_here_at or not person.remote_id]
    # No database promises an order, and what was approved has to be planned in the same one again.
    added.sort(key=lambda one: (one.kind, one.added_here_at or since, one.value))
    contacts = tuple(OurContact(one.kind, one.value, one.display or one.value, one.location, one.primary) for one in added)
    settled = [one for one in person.addresses if one.added_here_at or not person.remote_id]
    settled.sort(key=lambda one: (one.added_here_at or since, one.id))
    addresses = tuple({**wire_address(one), "primary": one.primary} for one in settled)
    ours = OurPerson(
        values=values,
        edits=dict(person.edits or {}),
        contacts=contacts,
        addresses=addresses,
        changed=tuple(ChangedContact(one.kind, one.remote_id, opened(one.ours), one.base) for one in edits_of(person)),
        linked=person.remote_id is not None,
        token=(item and item.remote_id_token) or remote_id_token(key, person.id),
        owned=ownership.owners(),
        key=key,
        taken_back=_was_taken_back(item),
    )
    emails = tuple(one.value for one in person.contacts if one.kind == EMAIL)
    phones = tuple(one.value for one in person.contacts if one.kind == PHONE)
    stranger = Stranger(person.identity, person.child is True, emails, phones, country, key)
    planned, decision = (item.planned_at is not None, item.decision) if item else (False, None)
    unconfirmed = unconfirmed_of(item).get(VISITOR) if item else None
    at_hand = PersonAtHand(ours, stranger, person.remote_id, planned, decision, person.gone_at is not None, unconfirmed, country)
    end_reading()
    return at_hand


def _was_taken_back(item: SyncItem | None) -> bool:
    """Whether we made this person and an undo made them inactive: whatever made them active is undone."""
    made = [step for step in (item.steps if item else ()) if step.kind in (plans.CREATE_PERSON, plans.REACTIVATE) and step.state == DONE]
    return bool(made) and all(step.undone_at for step in made)


@dataclass(frozen=True)
class PersonProposal(Proposal):
    """The proposal for a person: whom they turned out to be, if they are there, and the values there by our names."""

    found: Decision | None = None
    remote_id: str | None = None
    theirs: Mapping[str, Any] = field(default_factory=dict)


class PersonAtWork(ProposedAtWork[PersonProposal]):
    """A person of our directory in a worker's hands."""

    def __init__(self, hold: Hold, client: Client) -> None:
        super().__init__(hold, client)
        self._one, self._fresh_look = person_at_hand(subject_id_of(hold.item_id)), FreshLook()

    @property
    def planned(self) -> bool:
        return self._one.planned

    def propose(self) -> PersonProposal:
        return _proposal(self._one, self.client)

    def store(self, item: SyncItem, proposal: PersonProposal) -> None:
        _keep_decision(item, proposal, self._one)
        if proposal.remote_id:
            _link(item, proposal.remote_id, proposal.theirs)
        store_plan(item, proposal.steps)

    @staticmethod
    def rehearse(about: UUID, client: Client) -> PersonProposal:
        return _proposal(person_at_hand(about), client)

    def target(self) -> "PersonTarget":
        person = db.session.scalar(select(SyncItem.person_remote_id).where(SyncItem.id == self.hold.item_id))
        end_reading()
        self._fresh_look.before(open_steps(self.hold.item_id), person, self.client)
        return PersonTarget(person, self._one.country_code, self._fresh_look)

    def finish(self) -> None:
        person = db.session.scalar(select(SyncItem.person_remote_id).where(SyncItem.id == self.hold.item_id))
        end_reading()
        at, record = now(), read_back(person, self.client) if person else None
        with held(self.hold) as item:
            if record is not None:
                PEOPLE.take_in([PEOPLE.read(record, self._one.country_code)], at)
                _tick(item, record, self._one.country_code)
            rest_as_it_went(item, plans.CREATE_PERSON)

    def person_gone(self, gone: PersonGone) -> None:
        with held(self.hold) as item:
            if item.person_remote_id:
                follow({item.person_remote_id: gone.kept}, item)
            item.planned_at = None
            if gone.kept:
                item.person_remote_id = gone.kept
                go_on_soon(item, "The person was merged in Planning Center; the push follows.")
            else:
                settle(item, REVIEW, NEEDS_YOU, DELETED)

    def perhaps_made(self, lost: PerhapsMade) -> None:
        stranger = self._one.stranger
        asked = whether_made(next(stranger.visitors), lost, self._one.country_code, self.client)
        with held(self.hold) as item:
            leave_unmade(lost, asked)
            item.decision, item.planned_at = _decision_row(asked, self._one), None
            settle(item, REVIEW, NEEDS_YOU, str(lost))

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        wanted = select(SyncItem.id, Person).join(Person, Person.id == SyncItem.subject_id).where(SyncItem.id.in_(item_ids))
        return {item_id: marks_of_people([person]) for item_id, person in db.session.execute(wanted)}


def _proposal(one: PersonAtHand, client: Client) -> PersonProposal:
    """Say who it is and what is to be written for them; who is gone or unclear is asked about first."""
    if one.gone:
        return PersonProposal(question=DELETED)
    if one.unconfirmed and not one.remote_id:
        return PersonProposal(question=one.unconfirmed.why)
    moves: dict[str, str | None] = {}
    found = _who(one, client, moves)
    row, who = _decision_row(found, one), _named(found, one)
    if found is not None and found.kind == UNCLEAR:
        return PersonProposal(decision=row, question=found.words, who=who, moves=moves)
    remote_id = one.remote_id or (found.person.remote_id if found and found.person else None)
    there, theirs = _as_they_stand(remote_id, one.country_code, client)
    contacts = [read_part(record, one.country_code) for record in there.contacts] if there else []
    steps = plan_person(one.ours, there, theirs, contacts)
    known = there.candidate.remote_id if there else None
    return PersonProposal(steps, row, who=who, moves=moves, found=found, remote_id=known, theirs=theirs)


def _named(found: Decision | None, one: PersonAtHand) -> tuple[Any, ...]:
    """Who it is, or who it could be."""
    if found is None:
        return ("linked", one.remote_id)
    return (found.kind, found.person.remote_id if found.person else sorted(candidate_ids(found)))


def _who(one: PersonAtHand, client: Client, moves: dict[str, str | None]) -> Decision | None:
    """Who it is; None for somebody who is linked. What staff decided by hand goes first."""
    if one.remote_id:
        return None
    said = one.decision if one.decision and one.decision.get("by") else None
    if said is None:
        return decide_who(one.stranger, client, moves)
    if said["kind"] == NEW:
        return Decision(NEW, said["words"])
    found = find_person_now(said["person"], one.country_code, client)
    if found is None:
        raise PersonGone(None)
    return Decision(SAME, said["words"], found.candidate)


def _as_they_stand(remote_id: str | None, country_code: str, client: Client) -> tuple[PersonNow | None, dict[str, Any]]:
    """Somebody as they stand there now, and the same by our names."""
    if remote_id is None:
        return None, {}
    end_reading()
    there = find_person_now(remote_id, country_code, client)
    if there is None:
        raise PersonGone(None)
    record = Record("Person", there.candidate.remote_id, dict(there.attributes))
    theirs = PEOPLE.read(record, country_code)
    campus = str(there.attributes.get("primary_campus_id") or "") or None
    return there, {**values_of(theirs), "campus_remote_id": campus}


def _keep_decision(item: SyncItem, proposal: PersonProposal, one: PersonAtHand) -> None:
    if proposal.decision is not None and not (item.decision or {}).get("by"):
        item.decision = proposal.decision
    item.remote_id_token = item.remote_id_token or one.ours.token
    mine = subject_of(item)
    parts: list[Contact | Address] = [*mine.contacts, *mine.addresses]
    for part in parts:
        part.added_here_at = part.added_here_at or (None if part.remote_id or mine.remote_id else mine.created_at)


def _decision_row(decision: Decision | None, one: PersonAtHand) -> dict[str, Any] | None:
    """As on a card; of a child no name is kept openly."""
    if decision is None:
        return None
    row = decision_row(decision)
    if one.stranger.child:
        row["candidates"] = [
            {**each, "name": "", "first_name": "", "last_name": "", "emails": [], "phones": [], "reasons": []} for each in row["candidates"]
        ]
    return row


def _link(item: SyncItem, remote_id: str, theirs: Mapping[str, Any]) -> None:
    """Whom they turned out to be; a value that differs there waits here for a decision, so that the read-back does not take it."""
    item.person_remote_id, mine = remote_id, subject_of(item)
    if mine.remote_id is not None:
        return
    differing = {
        name: {"at": mine.created_at.isoformat(), "by": "", "base": ""}
        for name in ("birthdate", "gender", "membership", "campus_remote_id")
        if getattr(mine.identity if name in IDENTITY else mine, name) not in (None, "", theirs.get(name))
    }
    if link_person(mine, remote_id).id == mine.id:
        mine.edits = differing or None


# Read back.


def _tick(item: SyncItem, record: Record, country_code: str) -> None:
    """Set `confirmed_at` of the steps that the read-back shows."""
    shown = {one.value for one in PEOPLE.read(record, country_code).contacts or ()}
    addresses = {address_key_of(one) for one in record.included_of("Address")}
    for step in db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id, SyncStep.state == DONE)):
        body = body_of(step)
        if step.kind == plans.CREATE_PERSON:
            there = True
        elif step.kind in FIELDS:
            there = all(attribute_of(record, name) == value for name, value in body["attributes"].items())
        elif step.kind in CHANGES:
            there = shows(step.kind, body, row_of(body, record), country_code)
            if step.kind == plans.REMOVE_CONTACT and there and step.after is None:
                step.after = json.dumps(is_primary_instead(body, record))
        else:
            there = body["key"] in (addresses if step.kind == plans.ADD_ADDRESS else shown)
        step.confirmed_at = step.confirmed_at or (now() if there else None)
