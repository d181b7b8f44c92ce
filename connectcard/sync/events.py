"""What Planning Center tells us of, and what each event makes us read again; pure.

Since 2022 a change of contact details does not tell of the person, so each kind of contact is asked for by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectcard.planning_center.documents import Record
from connectcard.planning_center.webhooks import Delivery

WRITTEN = ("created", "updated", "destroyed")
KINDS: Mapping[str, tuple[str, ...]] = {
    "people.v2.events.person": WRITTEN,
    "people.v2.events.person_merger": ("created",),
    "people.v2.events.email": WRITTEN,
    "people.v2.events.phone_number": WRITTEN,
    "people.v2.events.address": WRITTEN,
    "people.v2.events.household": WRITTEN,
    "people.v2.events.household_membership": WRITTEN,
    "groups.v2.events.group": WRITTEN,
    "groups.v2.events.membership": WRITTEN,
}
EVENTS = tuple(f"{kind}.{action}" for kind, actions in KINDS.items() for action in actions)

PERSON, FAMILY, GROUP, MEMBERSHIPS = "person", "family", "group", "memberships"
# Gone, and Planning Center does not say whose they were: our own directory knows, or a pull finds out.
EMAIL, PHONE, ADDRESS, FAMILY_MEMBER, MEMBERSHIP = "email", "phone", "address", "family_member", "membership"
# Somebody is in a household, and Planning Center does not say in which.
FAMILIES_OF = "families_of"
NOTHING = "nothing"

# Type of the record -> what is read again, the relationship that names it, and what stands for it when nothing names it.
_BELONGS: Mapping[str, tuple[str, str, str]] = {
    "Email": (PERSON, "person", EMAIL),
    "PhoneNumber": (PERSON, "person", PHONE),
    "Address": (PERSON, "person", ADDRESS),
    "HouseholdMembership": (FAMILY, "household", FAMILY_MEMBER),
    "Membership": (MEMBERSHIPS, "group", MEMBERSHIP),
}
_ITSELF: Mapping[str, str] = {"Person": PERSON, "Household": FAMILY, "Group": GROUP}
HIDDEN = "hidden"


@dataclass(frozen=True)
class Subject:
    """What is to be read again, and by which id."""

    kind: str
    remote_id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.remote_id}"

    @classmethod
    def read(cls, written: str) -> "Subject":
        """The subject that `str` wrote down."""
        kind, _, remote_id = written.partition(" ")
        return cls(kind, remote_id)


def subjects_of(delivery: Delivery) -> list[Subject]:
    """What an event is about: one thing, or for a merger both people, the one that went first."""
    record = delivery.record
    if record.type == "PersonMerger":
        return _merged(record)
    if record.type in _ITSELF:
        return [Subject(_ITSELF[record.type], record.id)]
    if record.type not in _BELONGS:
        return [Subject(NOTHING, record.id)]
    kind, relationship, nameless = _BELONGS[record.type]
    owners, people = record.related(relationship), record.related("person")
    if not owners and people and nameless == FAMILY_MEMBER:
        return [Subject(FAMILIES_OF, people[0].id)]
    return [Subject(kind, owners[0].id) if owners else Subject(nameless, record.id)]


def _merged(record: Record) -> list[Subject]:
    """The ids stand in attributes, as numbers, and in newer answers as relationships."""
    ids = [_merged_id(record, side) for side in ("person_to_remove", "person_to_keep")]
    return [Subject(PERSON, remote_id) for remote_id in ids if remote_id] or [Subject(NOTHING, record.id)]


def _merged_id(record: Record, side: str) -> str | None:
    related = record.related(side)
    written = record[f"{side}_id"]
    return related[0].id if related else (str(written) if written else None)


def outline(record: Record) -> dict[str, Any]:
    """A delivered record without anything personal: names, addresses, notes and birthdays are replaced, ids and moments stay."""
    shown = {name: _shown(name, value) for name, value in record.attributes.items()}
    related = {name: [f"{ref.type} {ref.id}" for ref in refs] for name, refs in record.relationships.items()}
    return {"type": record.type, "id": record.id, "attributes": shown, "relationships": related}


def _shown(name: str, value: Any) -> Any:
    plain = value is None or name.endswith(("_at", "_id")) or name in ("primary", "location", "status")
    return value if plain else HIDDEN
