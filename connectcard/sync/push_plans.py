"""What is to be written for a person of our directory: pure, so that a preview is the plan, shown.

Somebody whom we make gets everything we know. Of somebody who is there, a field is changed only where it was changed here and nobody
changed it there since, or where the church said that the field is ours. Contacts and addresses are added; one that stands there is
changed or removed only where staff did so here (push_contact_plans).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectcard.people.contacts import ADDRESS, Part, content_of, kind_of
from connectcard.people.identity import base_email
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL, HERE, PERSON
from connectcard.people.ownership import BY_KEY
from connectcard.sync.families import VISITOR
from connectcard.sync.plans import (
    ADD_ADDRESS,
    ADD_EMAIL,
    ADD_PHONE,
    CREATE_PERSON,
    UPDATE_PERSON,
    PersonNow,
    PlannedStep,
    address_key,
    looked_for,
    reactivation,
)
from connectcard.sync.push_contact_plans import BOTH_SIDES, ChangedContact, changed_contacts, primary_additions, removed_contacts, untouched
from connectcard.sync.push_contact_plans import wire as wire_contact

# Our names for the fields of a person that can be written, and Planning Center's.
WRITTEN = {
    "first_name": "first_name",
    "last_name": "last_name",
    "given_name": "given_name",
    "middle_name": "middle_name",
    "nickname": "nickname",
    "birthdate": "birthdate",
    "gender": "gender",
    "child": "child",
    "status": "status",
    "membership": "membership",
    "campus_remote_id": "primary_campus_id",
}
# Of somebody who was there before they are added where nothing stands; a name there stands as it is.
ADDED_TO_MATCHED = ("birthdate", "gender", "membership", "campus_remote_id")
ACTIVE_BY_DEFAULT = "active"


@dataclass(frozen=True)
class OurContact:
    """One e-mail address or phone number of ours that is to be there; `value` is normalised."""

    kind: str
    value: str
    display: str
    location: str
    primary: bool


@dataclass(frozen=True)
class OurPerson:
    """Somebody of our directory as a value. `values` are by the names of WRITTEN; `linked` says whether they stood there before.

    `contacts` and `addresses` are those that were added here, `changed` are contacts that stand there and wait to be changed or removed.
    `taken_back`: we made them, and an undo made them inactive.
    """

    values: Mapping[str, Any]
    edits: Mapping[str, Any]
    contacts: tuple[OurContact, ...]
    addresses: tuple[Mapping[str, Any], ...]
    changed: tuple[ChangedContact, ...]
    linked: bool
    token: int
    owned: Mapping[str, str]
    key: str
    taken_back: bool = False


def plan_person(ours: OurPerson, there: PersonNow | None, theirs: Mapping[str, Any], contacts: Sequence[Part]) -> tuple[PlannedStep, ...]:
    """The writes for one person; `there` is None for somebody who is to be made, `theirs` are the values there by our names.

    `contacts` are the contacts there, as a pull reads them.
    """
    if there is None:
        return (_made(ours), *_contacts(ours, (), ()), *_addresses(ours, (), ()))
    changes = (*_active_again(ours, there), *(_edited(ours, theirs) if ours.linked else _missing_there(ours, theirs)))
    changed = changed_contacts(ours.changed, contacts, ours.key)
    first = primary_additions(ours.changed, contacts, ours.key)
    removed = removed_contacts(ours.changed, contacts, ours.key)
    standing = {_key(part) for part in contacts}
    added = [*_contacts(ours, contacts, first), *_addresses(ours, contacts, first)]
    # What stands there by now is not added twice; what goes with a contact that is changed or removed is added beside it.
    added = [step if step.body["key"] in standing else looked_for(step) for step in added]
    return (*changes, *changed, *added, *removed)


def _active_again(ours: OurPerson, there: PersonNow) -> Iterable[PlannedStep]:
    if ours.taken_back and there.candidate.inactive:
        yield reactivation(VISITOR)


def _made(ours: OurPerson) -> PlannedStep:
    told = {WRITTEN[name]: wire(value) for name, value in ours.values.items() if value not in ("", None, False)}
    if told.get("status") == ACTIVE_BY_DEFAULT:
        del told["status"]
    attributes = {"first_name": "", "last_name": "", **told, "remote_id": ours.token}
    return PlannedStep(CREATE_PERSON, str(ours.token), "New person", {"attributes": attributes}, "A new person")


def _edited(ours: OurPerson, theirs: Mapping[str, Any]) -> Iterable[PlannedStep]:
    for name, value in ours.values.items():
        edit, own = ours.edits.get(name), ours.owned.get(f"{PERSON}.{name}") == HERE
        if value == theirs.get(name) or not (edit or own):
            continue
        unseen = edit is not None and edit["base"] != value_mark(ours.key, theirs.get(name)) and not own
        yield _change(ours, name, value, theirs.get(name), BOTH_SIDES if unseen else None)


def _missing_there(ours: OurPerson, theirs: Mapping[str, Any]) -> Iterable[PlannedStep]:
    """Somebody whom we found there: what they lack is added. Where both differ it is kept here until somebody decides."""
    for name in ADDED_TO_MATCHED:
        value = ours.values.get(name)
        if value and value != theirs.get(name):
            yield _change(ours, name, value, theirs.get(name), BOTH_SIDES if theirs.get(name) else None)


def _change(ours: OurPerson, name: str, value: Any, now: Any, problem: str | None) -> PlannedStep:
    attribute = WRITTEN[name]
    return PlannedStep(
        UPDATE_PERSON,
        name,
        BY_KEY[f"{PERSON}.{name}"].words,
        {"attributes": {attribute: wire(value)}, "name": name, "was": wire(now)},
        in_words(value),
        in_words(now),
        problem=problem,
        before={attribute: wire(now)},
    )


def wire(value: Any) -> Any:
    """A value as it is sent: a day as text, nothing for what is empty here."""
    if isinstance(value, date):
        return value.isoformat()
    return None if value == "" else value


def ours_of(attribute: str, value: Any) -> tuple[str, Any]:
    """Our name for an attribute of theirs, and its value as we keep it."""
    name = next(ours for ours, theirs in WRITTEN.items() if theirs == attribute)
    if name == "birthdate":
        return name, date.fromisoformat(value) if value else None
    if name in ("campus_remote_id", "child"):
        return name, value
    return name, value or ""


def in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Child" if value else "Adult"
    return "" if value is None else str(wire(value) or "")


def _contacts(ours: OurPerson, there: Sequence[Part], to_be_primary: Collection[str]) -> Iterable[PlannedStep]:
    staying = untouched(ours.changed, there)
    for contact in ours.contacts:
        email = contact.kind == EMAIL
        if any(kind_of(part) == contact.kind and _is_same(contact, part) for part in staying):
            continue
        first = not any(kind_of(part) == contact.kind for part in there)
        named = {"address": contact.display} if email else {"number": contact.display}
        primary = contact.primary and (first or contact.kind in to_be_primary)
        attributes = {**named, "location": contact.location or ("Home" if email else "Mobile"), "primary": primary}
        kind, label = (ADD_EMAIL, "Email") if email else (ADD_PHONE, "Mobile number")
        yield PlannedStep(
            kind,
            value_mark(ours.key, contact.value),
            label,
            {"attributes": attributes, "key": contact.value, "first": first},
            contact.display,
        )


def _key(part: Part) -> str:
    """What an added contact is found by."""
    content = content_of(part)
    return address_key(wire_contact(ADDRESS, content)) if kind_of(part) == ADDRESS else str(content["value"])


def _is_same(contact: OurContact, part: Part) -> bool:
    theirs = str(content_of(part)["value"])
    return base_email(contact.value) == base_email(theirs) if contact.kind == EMAIL else contact.value == theirs


def _addresses(ours: OurPerson, there: Sequence[Part], to_be_primary: Collection[str]) -> Iterable[PlannedStep]:
    present = {_key(part) for part in untouched(ours.changed, there) if kind_of(part) == ADDRESS}
    first = not any(kind_of(part) == ADDRESS for part in there)
    for address in ours.addresses:
        key = address_key(address)
        if key in present:
            continue
        present.add(key)
        told = {name: value for name, value in address.items() if value}
        primary = first or (address.get("primary") is True and ADDRESS in to_be_primary)
        attributes = {**told, "location": address.get("location") or "Home", "primary": primary}
        words = ", ".join(filter(None, (address.get("street_line_1"), address.get("city"), address.get("zip"))))
        yield PlannedStep(ADD_ADDRESS, value_mark(ours.key, key), "Address", {"attributes": attributes, "key": key, "first": first}, words)
