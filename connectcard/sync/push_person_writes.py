"""What the steps of a person are written to, and how what they made is found again and read back."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connectcard.database import db
from connectcard.people.contact_edits import is_added
from connectcard.people.identity import e164
from connectcard.people.models import Address, Contact, Person
from connectcard.people.operations import EDITABLE, link_person
from connectcard.people.pulled import PulledPerson
from connectcard.people.queries import find_person
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, Gone, Refused
from connectcard.planning_center.resources import people
from connectcard.sync import plans, push_contact_writes
from connectcard.sync.fresh_look import FreshLook, read_person
from connectcard.sync.made_people import find_made_person
from connectcard.sync.mappings import PEOPLE
from connectcard.sync.models import PLANNED, SyncItem, SyncStep
from connectcard.sync.push_contact_plans import BOTH_SIDES, STREET
from connectcard.sync.push_plans import wire
from connectcard.sync.steps import AskSomebody, Made, NoLonger, Step, in_words

ADDED = {plans.ADD_EMAIL: people.EMAIL, plans.ADD_PHONE: people.PHONE_NUMBER, plans.ADD_ADDRESS: people.ADDRESS}
FIELDS = (plans.UPDATE_PERSON, plans.REACTIVATE)


@dataclass(frozen=True)
class PersonTarget:
    """What the steps of a person are written to."""

    person_remote_id: str | None
    country_code: str
    fresh_look: FreshLook = field(default_factory=FreshLook, compare=False)

    @property
    def person(self) -> str:
        if self.person_remote_id is None:
            raise AskSomebody("The person was not made yet, so nothing can be added to them. Try again.")
        return self.person_remote_id

    def missing(self, step: Step) -> str:
        made = step.kind == plans.CREATE_PERSON or self.person_remote_id is not None
        return "" if made else "The person could not be made."

    def looks_first(self, step: Step) -> bool:
        """A person must never be made twice, and what somebody changed there meanwhile must not be touched."""
        always = (plans.CREATE_PERSON, plans.UPDATE_PERSON, *push_contact_writes.CHANGES)
        return step.kind in always or bool(step.body.get("look"))

    def send(self, step: Step, client: Client) -> Made:
        if step.kind in push_contact_writes.CHANGES:
            return push_contact_writes.send(step, client)
        attributes = step.body["attributes"]
        if step.kind == plans.CREATE_PERSON:
            return Made.of(client.create(people.PERSON, attributes))
        if step.kind in FIELDS:
            return Made.of(client.update(people.PERSON, self.person, attributes))
        return Made.of(client.create(ADDED[step.kind], self._beside_what_stands(step, client), parent_id=self.person))

    def _beside_what_stands(self, step: Step, client: Client) -> dict[str, Any]:
        """What is added; where it is the primary one as the first of its kind, only as long as it is."""
        attributes: dict[str, Any] = step.body["attributes"]
        if not (step.body.get("look") and step.body.get("first")):
            return attributes
        return {**attributes, "primary": attributes["primary"] and not _rows(step, self.fresh_look.at(self.person, client))}

    def probe(self, step: Step, client: Client) -> Made | None:
        if step.kind == plans.CREATE_PERSON:
            made = find_made_person(step, client)
            return Made.of(made) if made else None
        record = self._as_they_stand(step, client)
        if step.kind in push_contact_writes.CHANGES:
            return push_contact_writes.find(step, record, self.country_code)
        if step.kind in FIELDS:
            return self._find_changed(step, record)
        return next((Made.of(row) for row in _rows(step, record) if self._key(step, row) == step.body["key"]), None)

    def _as_they_stand(self, step: Step, client: Client) -> Record:
        """For what is added one look serves all; what is changed, and what was sent already, is read by itself."""
        planned = step.state == PLANNED and step.kind in ADDED
        return self.fresh_look.at(self.person, client) if planned else read_back(self.person, client)

    def _find_changed(self, step: Step, record: Record) -> Made | None:
        """Whether it says that already; raises NoLonger where somebody changed it there since this was planned."""
        if all(attribute_of(record, name) == value for name, value in step.body["attributes"].items()):
            return Made.of(record)
        if "was" in step.body and wire(values_of(PEOPLE.read(record, self.country_code))[step.body["name"]]) != step.body["was"]:
            raise NoLonger(BOTH_SIDES)
        return None

    def _key(self, step: Step, row: Record) -> str:
        if step.kind == plans.ADD_ADDRESS:
            return address_key_of(row)
        if step.kind == plans.ADD_EMAIL:
            return str(row["address"] or "").strip().lower()
        return str(row["e164"] or e164(row["number"], row["country_code"] or self.country_code) or row["number"])

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return isinstance(error, Conflict) or (step.kind == plans.REMOVE_CONTACT and isinstance(error, Gone))

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        if isinstance(error, Gone):
            read_back(self.person, client)
            return push_contact_writes.REMOVED_THERE if step.kind == plans.UPDATE_CONTACT else in_words(error)
        return in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        if step.kind == plans.CREATE_PERSON:
            item.person_remote_id = made.remote_id
            link_person(subject_of(item), made.remote_id)
        elif step.kind in push_contact_writes.CHANGES:
            push_contact_writes.is_done(step, made, subject_of(item), self.country_code)
        elif step.kind in ADDED and made.record is not None:
            _keep_remote_id(subject_of(item), step, made.remote_id)


def _rows(step: Step, record: Record) -> list[Record]:
    kind = {plans.ADD_EMAIL: "Email", plans.ADD_PHONE: "PhoneNumber", plans.ADD_ADDRESS: "Address"}[step.kind]
    return record.included_of(kind)


def _keep_remote_id(person: Person, step: Step, remote_id: str) -> None:
    """It stands there now: the read-back may renew it, and no later push adds it again."""
    rows: list[Contact | Address]
    key = step.body["key"]
    if step.kind == plans.ADD_ADDRESS:
        rows = [one for one in person.addresses if plans.address_key(wire_address(one)) == key]
    else:
        rows = [one for one in person.contacts if one.value == key]
    # Where a pull was faster, what it brought stands beside ours.
    ours = next((row for row in rows if row.added_here_at is not None), rows[0] if rows else None)
    if ours is not None:
        is_added(person, ours, remote_id)


# One person as both sides have them.


def wire_address(address: Address) -> dict[str, str]:
    country = {"country_code": address.country_code} if address.country_code else {}
    return {theirs: getattr(address, ours) or "" for ours, theirs in STREET.items()} | country | {"location": address.location}


def subject_of(item: SyncItem) -> Person:
    """The person the item is about, or whom they turned out to be."""
    return person_of(item.about)


def person_of(subject_id: UUID) -> Person:
    """Somebody of our directory, or whom they turned out to be."""
    wanted = select(Person).where(Person.id == subject_id).options(selectinload(Person.addresses))
    person = db.session.scalars(wanted).one()
    other = find_person(person.merged_into) if person.gone_at and person.merged_into and not person.remote_id else None
    return other or person


def values_of(theirs: PulledPerson) -> dict[str, Any]:
    """Somebody there, by our names."""
    return {**vars(theirs.identity), **{name: getattr(theirs, name) for name in EDITABLE}}


def read_back(remote_id: str, client: Client) -> Record:
    return read_person(remote_id, client, PEOPLE.include)


def body_of(step: SyncStep) -> dict[str, Any]:
    return dict(json.loads(step.body or "{}"))


def attribute_of(record: Record, name: str) -> Any:
    if name == "primary_campus_id":
        return next((ref.id for ref in record.related("primary_campus")), None)
    value = record[name]
    return None if value == "" else value


def address_key_of(row: Record) -> str:
    return plans.address_key({name: value or "" for name, value in row.attributes.items() if isinstance(value, str)})
