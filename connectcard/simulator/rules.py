"""What happens in People when something is written: checks, computed values and side effects, kind by kind.

Each rule's sureness and source stand in the project's notes on Planning Center; where those are silent the stricter answer was taken.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from connectcard.planning_center.resources import Resource
from connectcard.simulator import search
from connectcard.simulator.answers import (
    Refusal,
    bad_request,
    cannot_be_assigned,
    invalid,
    invalid_enum_value,
    invalid_payload,
    no_such_resource,
    not_found,
)
from connectcard.simulator.callers import Caller
from connectcard.simulator.catalogue import PARENTS, POINTERS, kept_as
from connectcard.simulator.moments import read_date, read_moment, stamp
from connectcard.simulator.questions import whole_number
from connectcard.simulator.store import Condition, Row, Store

BIGGEST_INTEGER = 2**31 - 1
CONTACTS = ("Email", "PhoneNumber", "Address")
COUNTRIES = {
    "US": "United States",
    "CA": "Canada",
    "MX": "Mexico",
    "GB": "United Kingdom",
    "AU": "Australia",
    "NZ": "New Zealand",
    "DE": "Germany",
}
DISALLOWED_DOMAINS = ("example.com", "example.org", "example.net", "mailinator.com")
RESERVED_ENDINGS = (".test", ".example", ".invalid", ".localhost")
EMAIL = re.compile(r"[^@\s,;<>\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+")
AVATARS = "https://avatars.planningcenteronline.com"
FILES = "https://account-center-production.s3.amazonaws.com/uploads/field_datum"
FALSE_WORDS = ("", "0", "f", "false", "off", "no")
DATE_FORMATS = {"MM/DD/YYYY": "{1}/{2}/{0}", "DD/MM/YYYY": "{2}/{1}/{0}"}


@dataclass(frozen=True)
class Happening:
    """Something that webhooks tell of: `created`, `updated` or `destroyed`."""

    action: str
    row: Row


@dataclass
class Desk:
    """Where one write is dealt with: the organization, who asks, when, and what has happened so far."""

    store: Store
    caller: Caller
    seconds: float
    version: str
    happened: list["Happening"] = field(default_factory=list)
    replication_lag: float = 0

    @property
    def organization(self) -> int:
        return self.caller.organization

    @property
    def now(self) -> str:
        return stamp(self.seconds)

    def find(self, kind: str, number: int | None) -> Row | None:
        return None if number is None else self.store.get(kind, self.organization, number)

    def save(self, row: Row) -> None:
        """Keep a new or changed row and let the searches know of it."""
        row.updated_at = self.now
        self.happened.append(Happening("updated" if row.id else "created", row))
        if row.id:
            self.store.change(row)
        else:
            row.created_at = row.created_at or self.now
            self.store.add(row)
        search.remember(self.store, row, self.seconds)

    def touch(self, person: int | None) -> None:
        row = self.find("Person", person)
        if row:
            row.updated_at = self.now
            self.store.change(row)

    def siblings(self, row: Row) -> list[Row]:
        """The other rows of this kind about the same person."""
        return [other for other in self.store.of_person(row.kind, row.person or 0) if other.id != row.id]


# What a body may say


@dataclass(frozen=True)
class Body:
    attributes: Mapping[str, Any]
    relationships: Mapping[str, Any]

    @classmethod
    def read(cls, document: Any) -> "Body":
        if not isinstance(document, dict) or "data" not in document:
            raise bad_request("invalid_resource_payload", "The payload given does not contain a 'data' key.")
        if not isinstance(document["data"], dict):
            raise bad_request("invalid_data")
        attributes, relationships = (document["data"].get(name) or {} for name in ("attributes", "relationships"))
        if not isinstance(attributes, dict) or not isinstance(relationships, dict):
            raise invalid_payload("attributes" if not isinstance(attributes, dict) else "relationships")
        return cls(attributes, relationships)


def assign(desk: Desk, resource: Resource, row: Row, body: Body) -> None:
    """Write a body into a row; raises a refusal for what cannot be assigned."""
    known = assignable_attributes(resource, desk.caller, new=not row.id)
    refused = [name for name in body.attributes if name not in known]
    refused += [relationship_word(name, value) for name, value in body.relationships.items() if not can_relate(resource, name)]
    if refused:
        raise cannot_be_assigned(refused)
    for name, value in body.attributes.items():
        assign_attribute(desk, resource, row, name, value)
    for name, value in body.relationships.items():
        if not resource.relationships[name].many:
            point(desk, resource, row, name, related_id(name, value))


def assignable_attributes(resource: Resource, caller: Caller, *, new: bool) -> set[str]:
    """What decides who may do what is for administrators of the organization."""
    known = {name for name, attribute in resource.attributes.items() if attribute.assignable and (new or not attribute.create_only)}
    administrator = bool(caller.person["site_administrator"])
    return known | {name for name, attribute in resource.attributes.items() if attribute.withheld and administrator}


def can_relate(resource: Resource, name: str) -> bool:
    return name in resource.relationships and resource.relationships[name].assignable


def relationship_word(name: str, value: Any) -> str:
    return f"{name}_ids" if isinstance(value, dict) and isinstance(value.get("data"), list) else name


def assign_attribute(desk: Desk, resource: Resource, row: Row, name: str, value: Any) -> None:
    pointer = name.removesuffix("_id")
    if name.endswith("_id") and (pointer in POINTERS or pointer in resource.relationships):
        return point(desk, resource, row, pointer, value)
    if name == "street":
        first, _, rest = str(value or "").partition("\n")
        row.attributes |= {"street_line_1": first or None, "street_line_2": rest or None}
        return None
    if name == "tag_ids":
        row.attributes[name] = ids_of(desk, "groups.Tag", name, value)
        return None
    if name == "created_at":
        row.created_at = read_moment(str(value)) or row.created_at
        return None
    row.attributes[name] = cast(resource.attributes[name].kind, name, value)
    return None


def ids_of(desk: Desk, kind: str, name: str, sent: Any) -> list[int]:
    """A list of ids (or a text with commas) of things that are there."""
    words = sent.split(",") if isinstance(sent, str) else sent
    if not isinstance(words, list):
        raise invalid_payload(name)
    numbers = [whole_number(word) for word in words]
    if not all(desk.find(kind, number) for number in numbers):
        raise no_such_resource(name)
    return [number for number in dict.fromkeys(numbers) if number is not None]


def related_id(name: str, value: Any) -> Any:
    """The id inside `{"data": {"type": ..., "id": ...}}`, None for `{"data": null}`."""
    if not isinstance(value, dict) or "data" not in value:
        raise invalid_payload(name)
    if value["data"] is None:
        return None
    if not isinstance(value["data"], dict):
        raise invalid_payload(name)
    return value["data"].get("id")


def target_kind(resource: Resource, name: str) -> str:
    return POINTERS.get(name) or kept_as(resource.product, resource.relationships[name].type)


def point(desk: Desk, resource: Resource, row: Row, name: str, value: Any) -> None:
    """Let a row name another row; an id that is nobody's is refused."""
    target = None if value in (None, "") else desk.find(target_kind(resource, name), whole_number(value))
    if target is None and value not in (None, ""):
        raise not_found() if name == "note_category" else no_such_resource(f"{name}_id")
    number = target.id if target else None
    if name == "gender":
        row.attributes["gender"] = target["value"] if target else None
    elif name == "person":
        row.person = number
    elif PARENTS.get(row.kind) == name:
        row.parent = number
    elif number is None:
        row.relations.pop(name, None)
    else:
        row.relations[name] = number


def cast(kind: str, name: str, value: Any) -> Any:
    """A value as its column holds it; what cannot be read becomes null, as in Planning Center, but lists and objects are refused."""
    if kind == "list" and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    if isinstance(value, list | dict):
        raise invalid_payload(name)
    if value is None:
        return None
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).strip().lower() not in FALSE_WORDS
    if kind == "integer":
        return cast_integer(value)
    text = written(value)
    if "\0" in text:
        raise bad_request("invalid_data")
    return {"date": read_date, "moment": read_moment}.get(kind, str)(text)


def written(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def cast_integer(value: Any) -> int | None:
    """Text is cut to its leading digits; what a column of four bytes cannot hold is refused."""
    if isinstance(value, float) and not math.isfinite(value):
        raise bad_request("integer_out_of_range")
    found = re.match(r"\s*[-+]?\d+", str(value if not isinstance(value, bool | float) else int(value)), re.ASCII)
    if found and (len(found[0].strip()) > 11 or abs(int(found[0])) > BIGGEST_INTEGER):
        raise bad_request("integer_out_of_range")
    return int(found[0]) if found else None


# Kind by kind: what is checked before a row is kept, and what happens then


def require(row: Row, *names: str) -> None:
    missing = [name for name in names if not str(row[name] or "").strip()]
    if missing:
        refusal = invalid(row.kind, missing[0])
        raise Refusal(422, [error for name in missing for error in invalid(row.kind, name).errors], refusal.headers)


def avatar_of(desk: Desk, row: Row) -> str | None:
    """What was sent as an avatar is the id of an uploaded file; other text is not taken in, and none takes it away."""
    sent, file = row["avatar"], uploaded(desk, row["avatar"])
    if file is None:
        return sent if sent and sent.startswith(AVATARS) else None
    return f"{AVATARS}/uploads/person/{file.id}/avatar.1.jpg"


def uploaded(desk: Desk, word: object) -> Row | None:
    """The file that an id names, while it is good."""
    named = "record.kind = 'File' and record.organization = ? and json_extract(record.attributes, '$.id') = ?"
    found = desk.store.find([Condition(named, (desk.organization, str(word)))], limit=1) if word else []
    return found[0] if found and found[0]["expires_at"] > desk.now else None


def check_share(desk: Desk, row: Row) -> None:
    if row.person is None and not row["group"]:
        raise invalid(row.kind, "person")
    require(row, "permission")


def check_person(desk: Desk, row: Row) -> None:
    if not str(row["first_name"] or "").strip() and not str(row["last_name"] or "").strip():
        raise invalid("Person", "first_name")
    row.attributes["avatar"] = avatar_of(desk, row)
    row.attributes["people_permissions"] = row["people_permissions"] or None
    row.attributes["status"] = "inactive" if row["status"] == "inactive" else "active"
    row.attributes["inactivated_at"] = (row["inactivated_at"] or desk.now) if row["status"] == "inactive" else None
    suffix = desk.find("NameSuffix", row.relations.get("name_suffix"))
    shown = [row["nickname"] or row["first_name"], row["last_name"], suffix["value"] if suffix else None]
    row.attributes["name"] = " ".join(part.strip() for part in shown if part and part.strip())
    row.relations.setdefault("created_by", desk.caller.person.id)


def check_email(desk: Desk, row: Row) -> None:
    require(row, "address", "location")
    row.attributes["address"] = row["address"].strip()
    if not EMAIL.fullmatch(row["address"]) or len(row["address"]) > 254:
        raise invalid("Email", "address", "is not a valid email address")
    domain = row["address"].rpartition("@")[2].lower()
    if domain in DISALLOWED_DOMAINS or domain.endswith(RESERVED_ENDINGS):
        raise invalid("Email", "address", "has a disallowed domain name")
    row.attributes.setdefault("blocked", False)


def check_phone_number(desk: Desk, row: Row) -> None:
    require(row, "number", "location")
    country = (desk.find("Organization", desk.organization) or row)["country_code"] or "US"
    row.attributes |= written_forms(row["number"], country)


def written_forms(number: str, country: str) -> dict[str, str | None]:
    """A telephone number in its other forms, all null when it cannot be read."""
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_valid_number(parsed):
        return dict.fromkeys(("e164", "international", "national", "country_code"))
    forms = phonenumbers.PhoneNumberFormat
    kinds = {"e164": forms.E164, "international": forms.INTERNATIONAL, "national": forms.NATIONAL}
    written = {name: phonenumbers.format_number(parsed, form) for name, form in kinds.items()}
    return written | {"country_code": phonenumbers.region_code_for_number(parsed)}


def check_address(desk: Desk, row: Row) -> None:
    require(row, "location")
    country = row["country_code"] or (desk.find("Organization", desk.organization) or row)["country_code"]
    row.attributes |= {"country_code": country, "country_name": COUNTRIES.get(str(country).upper())}


def settle_new_contact(desk: Desk, row: Row) -> None:
    """The first of its kind is primary, whatever was sent."""
    if not row["primary"]:
        row.attributes["primary"] = not any(other["primary"] for other in desk.siblings(row))
        desk.store.change(row)
    settle_contact(desk, row)


def settle_contact(desk: Desk, row: Row) -> None:
    """A primary one makes the older one secondary; the only one can be made secondary (as was seen)."""
    for other in desk.siblings(row) if row["primary"] else []:
        if other["primary"]:
            other.attributes["primary"] = False
            desk.save(other)
    desk.touch(row.person)


def contact_removed(desk: Desk, row: Row) -> None:
    others = desk.siblings(row)
    if others and not any(other["primary"] for other in others):
        others[0].attributes["primary"] = True
        desk.save(others[0])
    desk.touch(row.person)


def check_field_datum(desk: Desk, row: Row) -> None:
    definition = desk.find("FieldDefinition", row.parent)
    if definition is None or definition["deleted_at"]:
        raise invalid("FieldDatum", "field_definition")
    if definition["data_type"] == "file":
        take_in_file(desk, row)
        return
    row.attributes["value"] = datum_value(desk, definition, row["value"])
    for other in desk.siblings(row):
        if other.parent == row.parent and other["value"] == row["value"]:
            raise invalid("FieldDatum", "field_definition", "An existing field datum already exists for this record and field definition.")
    if definition["data_type"] in ("checkboxes", "select"):
        ensure_option(desk, definition, row["value"])


def take_in_file(desk: Desk, row: Row) -> None:
    """The value names an uploaded file; what reads back is the file, and no value."""
    file = uploaded(desk, row["value"])
    if file is None:
        raise invalid("FieldDatum", "value", "is invalid")
    row.attributes |= {
        "value": None, "file": {"url": f"{FILES}/{file.id}/{file['name']}"}, "file_name": file["name"],
        "file_content_type": file["content_type"], "file_size": file["file_size"],
    }  # fmt: skip


def datum_value(desk: Desk, definition: Row, value: str | None) -> str:
    """The text that reads back: a date in the organization's format, a boolean as `true` or `false`."""
    if not str(value or "").strip():
        raise invalid("FieldDatum", "value")
    text = str(value)
    if definition["data_type"] == "boolean":
        return "false" if text.strip().lower() in FALSE_WORDS else "true"
    if definition["data_type"] != "date":
        return text
    day = read_date(text)
    if day is None:
        raise invalid("FieldDatum", "value", "is invalid")
    organization = desk.find("Organization", desk.organization)
    return DATE_FORMATS.get(organization["date_format"] if organization else "", "{1}/{2}/{0}").format(*day.split("-"))


def ensure_option(desk: Desk, definition: Row, value: str) -> None:
    """A value that is no option becomes one, to the letter: this is how a church's lists get littered."""
    options = desk.store.below("FieldOption", definition.id)
    if all(option["value"] != value for option in options):
        option = Row("FieldOption", desk.organization, {"value": value, "sequence": len(options) + 1}, parent=definition.id)
        desk.save(option)


def check_note(desk: Desk, row: Row) -> None:
    if row.parent is None:
        raise not_found()
    require(row, "note")
    row.attributes.setdefault("display_date", desk.now)
    row.relations.setdefault("created_by", desk.caller.person.id)


def check_card(desk: Desk, row: Row) -> None:
    if row.id:
        return
    if row.person is None:
        raise invalid("WorkflowCard", "person")
    steps = sorted(desk.store.below("WorkflowStep", row.parent or 0), key=lambda step: (step["sequence"] or 0, step.id))
    if not steps:
        raise invalid("WorkflowCard", "workflow", "must have at least one step")
    row.attributes |= {"stage": "ready", "overdue": False, "moved_to_step_at": desk.now}
    row.attributes.setdefault("sticky_assignment", False)
    row.relations["current_step"] = steps[0].id


def check_household(desk: Desk, row: Row) -> None:
    require(row, "name")
    if "primary_contact" not in row.relations:
        raise invalid("Household", "primary_contact")


def check_membership(desk: Desk, row: Row) -> None:
    if row.person is None:
        raise invalid("HouseholdMembership", "person")
    if any(other.parent == row.parent for other in desk.siblings(row)):
        raise invalid("HouseholdMembership", "person", "has already been taken")
    if row["household_role"] not in (None, "adult", "child_or_dependent", "other_adult", "parent_guardian"):
        raise invalid_enum_value("household_role")
    row.attributes.setdefault("pending", True)


def membership_removed(desk: Desk, row: Row) -> None:
    household = desk.find("Household", row.parent)
    others = desk.store.below("HouseholdMembership", row.parent or 0)
    if household and household.relations.get("primary_contact") == row.person and others:
        household.relations["primary_contact"] = others[0].person or 0
        desk.save(household)


def member_ids(desk: Desk, body: Body) -> list[int]:
    """The people named in a new household, its primary contact among them."""
    people = body.relationships.get("people", {"data": []})
    if not isinstance(people, dict) or not isinstance(people.get("data"), list) or not all(isinstance(one, dict) for one in people["data"]):
        raise invalid_payload("people")
    numbers = [whole_number(one.get("id")) for one in people["data"]]
    if not all(desk.find("Person", number) for number in numbers):
        raise no_such_resource("people_ids")
    return [number for number in dict.fromkeys(numbers) if number is not None]


def check_value(desk: Desk, row: Row) -> None:
    require(row, "value")


def check_name(desk: Desk, row: Row) -> None:
    require(row, "name")


def check_social_profile(desk: Desk, row: Row) -> None:
    require(row, "site", "url")
    row.attributes.setdefault("verified", False)


def check_definition(desk: Desk, row: Row) -> None:
    require(row, "name", "data_type")
    row.attributes.setdefault("slug", "_".join(search.words(row["name"])))


Rule = Callable[[Desk, Row], None]


def nothing_more(desk: Desk, row: Row) -> None:
    """Most kinds have no rule of their own."""


# The other products add theirs in `behaviour.py`.
CHECKS: dict[str, Rule] = {
    "Person": check_person,
    "Email": check_email,
    "PhoneNumber": check_phone_number,
    "Address": check_address,
    "Campus": check_name,
    "FieldDatum": check_field_datum,
    "FieldDefinition": check_definition,
    "FieldOption": check_value,
    "FormCategory": check_name,
    "Household": check_household,
    "HouseholdMembership": check_membership,
    "InactiveReason": check_value,
    "ListCategory": check_name,
    "ListShare": check_share,
    "MaritalStatus": check_value,
    "MembershipType": check_value,
    "NamePrefix": check_value,
    "NameSuffix": check_value,
    "Note": check_note,
    "NoteCategory": check_name,
    "NoteCategoryShare": check_share,
    "Report": check_name,
    "SchoolOption": check_value,
    "SocialProfile": check_social_profile,
    "Tab": check_name,
    "Workflow": check_name,
    "WorkflowCard": check_card,
    "WorkflowShare": check_share,
    "WorkflowStep": check_name,
}
SETTLED_NEW: dict[str, Rule] = dict.fromkeys(CONTACTS, settle_new_contact)
SETTLED: dict[str, Rule] = dict.fromkeys(CONTACTS, settle_contact)
REMOVED: dict[str, Rule] = {
    "Email": contact_removed,
    "PhoneNumber": contact_removed,
    "Address": contact_removed,
    "HouseholdMembership": membership_removed,
}


def kept(desk: Desk, row: Row) -> Row:
    keep(desk, row)
    return row


def keep(desk: Desk, row: Row) -> None:
    """Check a new or changed row, keep it, and let its side effects happen."""
    settled = SETTLED if row.id else SETTLED_NEW
    CHECKS.get(row.kind, nothing_more)(desk, row)
    desk.save(row)
    settled.get(row.kind, nothing_more)(desk, row)


def remove(desk: Desk, row: Row) -> None:
    """Take a row away. A custom field only gets its `deleted_at`; a person leaves the households first."""
    if row.kind == "FieldDefinition":
        row.attributes["deleted_at"] = desk.now
        desk.save(row)
        return
    if row.kind == "Tab" and any(not field["deleted_at"] for field in desk.store.below("FieldDefinition", row.id)):
        raise bad_request("delete_restriction")
    if row.kind == "Person":
        for membership in desk.store.of_person("HouseholdMembership", row.id):
            remove(desk, membership)
    desk.store.remove(row)
    desk.happened.append(Happening("destroyed", row))
    REMOVED.get(row.kind, nothing_more)(desk, row)


def found_household(desk: Desk, row: Row, body: Body) -> None:
    """A new household with its members; every one of them is a member at once."""
    members = [*member_ids(desk, body), *filter(None, [row.relations.get("primary_contact")])]
    keep(desk, row)
    for person in dict.fromkeys(members):
        keep(desk, Row("HouseholdMembership", desk.organization, {"pending": False}, person=person, parent=row.id))


# What somebody does in Planning Center itself


def merge(desk: Desk, kept: Row, removed: Row) -> Row:
    """Make two people one: contact details and everything else move over, the other id is gone and a merger tells where to."""
    for kind in CONTACTS:
        taken = {search.fold_contact(row) for row in desk.store.of_person(kind, kept.id)}
        for row in desk.store.of_person(kind, removed.id):
            if search.fold_contact(row) not in taken:
                row.attributes["primary"] = bool(row["primary"]) and not taken
                hand_over(desk, row, kept)
    for kind in ("FieldDatum", "Note", "WorkflowCard", "HouseholdMembership"):
        taken_places = {
            (row.parent, row["value"]) for row in desk.store.of_person(kind, kept.id) if kind in ("FieldDatum", "HouseholdMembership")
        }
        for row in desk.store.of_person(kind, removed.id):
            if (row.parent, row["value"]) not in taken_places:
                hand_over(desk, row, kept)
    for kind in ("FormSubmission", "ListResult", "groups.GroupApplication", "groups.Attendance", "groups.RSVP", "check_ins.CheckIn"):
        for row in desk.store.of_person(kind, removed.id):
            hand_over(desk, row, kept)
    own_groups = {row.parent for row in desk.store.of_person("groups.Membership", kept.id)}
    for row in desk.store.of_person("groups.Membership", removed.id):
        if row.parent not in own_groups:
            hand_over(desk, row, kept)
    desk.store.execute(
        "update record set relations = json_set(relations, '$.primary_contact', ?) where organization = ? and kind = 'Household'"
        " and json_extract(relations, '$.primary_contact') = ?",
        (kept.id, desk.organization, removed.id),
    )
    remove(desk, removed)
    merger = Row("PersonMerger", desk.organization, relations={"person_to_keep": kept.id, "person_to_remove": removed.id})
    desk.save(merger)
    desk.touch(kept.id)
    return merger


def hand_over(desk: Desk, row: Row, person: Row) -> None:
    row.person = person.id
    desk.save(row)
