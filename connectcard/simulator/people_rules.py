"""What happens in People when something is written: checks, computed values and side effects, kind by kind.

Each rule's sureness and source stand in the project's notes on Planning Center; where those are silent the stricter answer was taken.
"""

import re

import phonenumbers

from connectcard.simulator import search
from connectcard.simulator.answers import invalid, invalid_enum_value, invalid_payload, no_such_resource, not_found
from connectcard.simulator.moments import read_date
from connectcard.simulator.questions import whole_number
from connectcard.simulator.rules import FALSE_WORDS, Body, Desk, Rule, keep, require
from connectcard.simulator.store import Condition, Row

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
DATE_FORMATS = {"MM/DD/YYYY": "{1}/{2}/{0}", "DD/MM/YYYY": "{2}/{1}/{0}"}


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


def found_household(desk: Desk, row: Row, body: Body) -> None:
    """A new household with its members; every one of them is a member at once."""
    members = [*member_ids(desk, body), *filter(None, [row.relations.get("primary_contact")])]
    keep(desk, row)
    for person in dict.fromkeys(members):
        keep(desk, Row("HouseholdMembership", desk.organization, {"pending": False}, person=person, parent=row.id))
