"""Households over the wire: who is in them, making one, and taking somebody in.

A church may lack household roles (reference: Planning Center People, 3.5); there people are taken in without. The answer to a new
household does not count its members yet, so it is never judged by that.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connectcard.planning_center import Client, Record
from connectcard.planning_center.documents import Ref
from connectcard.planning_center.errors import Refused
from connectcard.planning_center.resources import people
from connectcard.sync.families import HouseholdNow, MemberNow
from connectcard.sync.made_people import made_since_sent
from connectcard.sync.steps import Step

ROLE = "household_role"
NAMES = ("first_name", "nickname", "given_name")


def households_of(person_remote_id: str, client: Client) -> tuple[HouseholdNow, ...]:
    """The households of a person, with everybody else in them."""
    records = client.iterate(people.PERSON_HOUSEHOLD, parent_id=person_remote_id, include=("people",))
    return tuple(HouseholdNow(record.id, record["name"] or "", _others(record, person_remote_id)) for record in records)


def households_with(person_remote_id: str, client: Client) -> tuple[HouseholdNow, ...]:
    """The same with the person among the members."""
    records = client.iterate(people.PERSON_HOUSEHOLD, parent_id=person_remote_id, include=("people",))
    return tuple(HouseholdNow(record.id, record["name"] or "", _others(record, "")) for record in records)


def _others(household: Record, person_remote_id: str) -> tuple[MemberNow, ...]:
    others = [person for person in household.included_of("Person") if person.id != person_remote_id]
    return tuple(MemberNow(one.id, tuple(one[name] for name in NAMES if one[name]), bool(one["child"])) for one in others)


def create_household(name: str, person_remote_ids: Sequence[str], client: Client) -> Record:
    """Make a household of these people; the first is its primary contact."""
    everybody = [Ref("Person", remote_id) for remote_id in person_remote_ids]
    return client.create(people.HOUSEHOLD, {"name": name}, relationships={"primary_contact": everybody[0], "people": everybody})


def find_household(step: Step, primary_contact: str, client: Client) -> Record | None:
    """The household that a step would make, whose primary contact is this person: by its name, or, where it was sent, as made since."""
    name = step.body["attributes"]["name"]
    led = (record for record in client.iterate(people.PERSON_HOUSEHOLD, parent_id=primary_contact) if _leads(primary_contact, record))
    return next((record for record in led if record["name"] == name or made_since_sent(record, step)), None)


def _leads(person_remote_id: str, household: Record) -> bool:
    return person_remote_id in {str(household["primary_contact_id"]), *(ref.id for ref in household.related("primary_contact"))}


class Memberships:
    """Who is in a household, read once for all steps of a card."""

    def __init__(self) -> None:
        self._read: dict[str, list[Record]] = {}

    def find(self, household: str, person_remote_id: str, client: Client, *, again: bool = False) -> Record | None:
        """Somebody's membership; `again` asks Planning Center anew."""
        if again or household not in self._read:
            self._read[household] = list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=household))
        return next((record for record in self._read[household] if person_remote_id in {ref.id for ref in record.related("person")}), None)

    def forget(self) -> None:
        """What was read may be old: somebody else changed it in between."""
        self._read.clear()


def needs_role(membership: Record) -> bool:
    """Whether a role is to be set: the church has roles, and nobody gave this member one."""
    return ROLE in membership.attributes and not membership[ROLE]


def take_in(household: str, person_remote_id: str, attributes: Mapping[str, Any], membership: Record | None, client: Client) -> Record:
    """Make somebody a member, or give a member a role; without the role where the church has none."""
    try:
        if membership is not None:
            return client.update(people.HOUSEHOLD_MEMBERSHIP, membership.id, {ROLE: attributes[ROLE]}, parent_id=household)
        return _join(household, person_remote_id, attributes, client)
    except Refused as error:
        if ROLE not in f"{error.parameter} {error.detail}":
            raise
    if membership is not None:
        return membership
    return _join(household, person_remote_id, {name: value for name, value in attributes.items() if name != ROLE}, client)


def _join(household: str, person_remote_id: str, attributes: Mapping[str, Any], client: Client) -> Record:
    person = Ref("Person", person_remote_id)
    return client.create(people.HOUSEHOLD_MEMBERSHIP, attributes, parent_id=household, relationships={"person": person})
