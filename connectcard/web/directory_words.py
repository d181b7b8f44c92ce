"""What the directory knows, in words: each value with where it came from, how somebody stands, what their role is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectcard.clock import now
from connectcard.people.group_values import value_in_words
from connectcard.people.models import INACTIVE, Address, Contact, Family, FamilyMember, Group, GroupMembership, Person
from connectcard.web.card_words import Status
from connectcard.web.times import local_day, plain_day

ROLE_WORDS = {
    "adult": "Adult",
    "parent_guardian": "Parent or guardian",
    "other_adult": "Other adult",
    "child_or_dependent": "Child",
    "leader": "Leader",
    "member": "Member",
}
ENROLLMENT_WORDS = {"open": "Takes people in", "closed": "Closed", "full": "Full", "private": "Private"}
FIELD_WORDS = {
    "first_name": "First name",
    "given_name": "Given name",
    "middle_name": "Middle name",
    "nickname": "Nickname",
    "last_name": "Last name",
    "birthdate": "Born",
    "gender": "Gender",
    "membership": "Membership",
    "campus_remote_id": "Campus",
}
THERE, HERE, CHANGED_HERE = "Planning Center", "Kept here", "Changed here"


@dataclass(frozen=True)
class Origin:
    """Where a value came from, and when: read from Planning Center, kept here, or changed here by somebody."""

    words: str
    at: datetime | None = None
    by: str = ""


GROUP_LABELS = {
    "name": "Name",
    "group_type": "Type",
    "schedule": "Meets",
    "tags": "Tags",
    "contact_email": "Contact",
    "description": "About",
}


@dataclass(frozen=True)
class Fact:
    """One value of a record with its origin."""

    label: str
    value: str
    origin: Origin
    name: str = ""


def facts_of(person: Person, campuses: Mapping[str, str]) -> list[Fact]:
    """What is known of a person beside contacts; what is empty is left out."""
    identity = person.identity
    values: dict[str, Any] = {name: getattr(identity, name, None) or getattr(person, name, None) for name in FIELD_WORDS}
    return [Fact(FIELD_WORDS[name], _said(name, value, campuses), _origin(person, name)) for name, value in values.items() if value]


def _said(name: str, value: Any, campuses: Mapping[str, str]) -> str:
    if isinstance(value, date):
        return f"{plain_day(value)} ({age(value)})"
    return campuses.get(value, f"#{value}") if name == "campus_remote_id" else str(value)


def age(birthdate: date) -> str:
    """How old somebody is on the church's own day."""
    today = local_day(now())
    years = today.year - birthdate.year - ((today.month, today.day) < (birthdate.month, birthdate.day))
    return f"{years} year{'' if years == 1 else 's'} old"


def _origin(row: Person | Family | Group, field: str) -> Origin:
    edit = (row.edits or {}).get(field)
    if edit:
        return Origin(CHANGED_HERE, datetime.fromisoformat(edit["at"]), edit["by"])
    return Origin(THERE, row.seen_at) if row.remote_id else Origin(HERE, row.created_at)


def origin_of_part(part: Contact | Address | FamilyMember | GroupMembership, row: Person | Family | Group) -> Origin:
    """Where a contact, an address or a membership came from."""
    if part.added_here_at:
        return Origin("Added here", part.added_here_at)
    return Origin(THERE, row.seen_at) if row.remote_id else Origin(HERE, row.created_at)


def group_facts(group: Group) -> list[Fact]:
    tags = value_in_words("tags", group.tag_ids)
    known = {"name": group.name, "group_type": group.area.name, "schedule": group.schedule, "tags": tags}
    values = {**known, "contact_email": group.contact_email, "description": group.description}
    return [Fact(GROUP_LABELS[name], value, _origin(group, name), name) for name, value in values.items() if value]


def family_address(family: Family) -> Fact | None:
    lines = [family.street, family.street2, " ".join(filter(None, (family.city, family.state, family.zip))), family.country_code]
    said = ", ".join(filter(None, lines))
    return Fact("Address", said, _origin(family, "street" if "street" in (family.edits or {}) else "address")) if said else None


def standing(row: Person | Family | Group) -> Status | None:
    """What staff need to know of a record at a glance; None where all is as usual."""
    if row.gone_at:
        merged = isinstance(row, Person) and row.merged_into
        return Status("warn", "Merged into somebody else" if merged else "No longer in Planning Center")
    if isinstance(row, Person) and row.status == INACTIVE:
        return Status("", "Inactive")
    if isinstance(row, Group) and row.archived_at:
        return Status("", "Archived")
    return Status("info", "Only here") if row.remote_id is None else None
