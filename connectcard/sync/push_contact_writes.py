"""How a contact that was changed or removed here is written there, found again after a lost answer, and read back."""

from typing import Any

from connectcard.people import contact_edits
from connectcard.people.contact_edits import their_content
from connectcard.people.contacts import ADDRESS, PRIMARY, compared, content_of
from connectcard.people.models import EMAIL, PHONE, Person
from connectcard.people.operations import marking_key
from connectcard.planning_center import Client, Record
from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import Resource
from connectcard.sync.mappings.people import read_part
from connectcard.sync.plans import REMOVE_CONTACT, UPDATE_CONTACT
from connectcard.sync.push_contact_plans import BOTH_SIDES, INSTEAD
from connectcard.sync.steps import Made, NoLonger, Step

CHANGES = (UPDATE_CONTACT, REMOVE_CONTACT)
RESOURCES: dict[str, Resource] = {EMAIL: people.EMAIL, PHONE: people.PHONE_NUMBER, ADDRESS: people.ADDRESS}
TYPES = {EMAIL: "Email", PHONE: "PhoneNumber", ADDRESS: "Address"}
REMOVED_THERE = "It was removed in Planning Center meanwhile. Decide whether it stays, then send again."


def send(step: Step, client: Client) -> Made:
    resource, record = RESOURCES[step.body["of"]], step.body["record"]
    if step.kind == UPDATE_CONTACT:
        return Made.of(client.update(resource, record, step.body["attributes"]))
    client.delete(resource, record)
    return Made(record)


def find(step: Step, person: Record, country_code: str) -> Made | None:
    """Whether this person, as just read, has it already; raises NoLonger where it is not as it was when the change was planned.

    Only what this person's own record holds is looked at: what moved to somebody else is neither changed nor removed.
    """
    row = row_of(step.body, person)
    if shows(step.kind, step.body, row, country_code):
        return Made(step.body["record"], row)
    if row is None:
        raise NoLonger(REMOVED_THERE)
    if "was" in step.body and compared(content_of(read_part(row, country_code))) != step.body["was"]:
        raise NoLonger(BOTH_SIDES)
    if "was" not in step.body and primary_id(step.body["of"], person) != step.body["instead_of"]:
        raise NoLonger(BOTH_SIDES)
    return None


def row_of(body: dict[str, Any], person: Record) -> Record | None:
    """The contact that a step is about, among those of this person."""
    return next((row for row in person.included_of(TYPES[body["of"]]) if row.id == body["record"]), None)


def shows(kind: str, body: dict[str, Any], row: Record | None, country_code: str) -> bool:
    """Whether a contact stands there as the step leaves it."""
    if kind == REMOVE_CONTACT or row is None:
        return kind == REMOVE_CONTACT and row is None
    if "content" not in body:
        return row[PRIMARY] is True
    return compared(content_of(read_part(row, country_code))) == compared(body["content"])


def is_primary_instead(body: dict[str, Any], person: Record) -> dict[str, str | None]:
    """What Planning Center answers of a removal: which one of its kind is the primary one in its place."""
    return {INSTEAD: primary_id(body["of"], person)}


def primary_id(kind: str, person: Record) -> str | None:
    """The contact of this kind that is the primary one of a person."""
    return next((row.id for row in person.included_of(TYPES[kind]) if row[PRIMARY] is True), None)


def is_done(step: Step, made: Made, person: Person, country_code: str) -> None:
    """Nothing waits here any more, unless staff changed it again meanwhile."""
    body, key = step.body, marking_key()
    if step.kind == UPDATE_CONTACT and "content" not in body:
        contact_edits.primary_is_written(person, body["of"], body["record"], key)
        return
    answered = their_content(read_part(made.record, country_code)) if made.record is not None else None
    contact_edits.is_written(person, body["of"], body["record"], body.get("content"), answered, key)
