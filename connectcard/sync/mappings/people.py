"""Planning Center's Person is our person; its e-mails, phone numbers and addresses come with it. Medical notes are not kept."""

from typing import Any

from connectcard.people.identity import e164, normalised_email
from connectcard.people.models import ACTIVE, EMAIL, INACTIVE, PHONE, Identity, Person
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson
from connectcard.people.taking_in import take_in_people
from connectcard.planning_center import Record
from connectcard.planning_center.resources import people
from connectcard.sync.mappings._core import Mapping, day, fitting, moment

ATTRIBUTES = ("birthdate", "child", "first_name", "gender", "given_name", "last_name", "membership", "middle_name", "nickname", "status")
EMAIL_TYPE, PHONE_TYPE, ADDRESS_TYPE = "Email", "PhoneNumber", "Address"


def read(record: Record, country_code: str) -> PulledPerson:
    """A record as our value. Contacts and addresses are None where the answer does not hold them."""
    named = {name: fitting(record[name], 200) for name in ("first_name", "last_name", "given_name", "middle_name", "nickname")}
    return PulledPerson(
        remote_id=record.id,
        identity=Identity(**named, birthdate=day(record["birthdate"])),
        # Of whom it is not told may be a child, and the names of children stand nowhere in the open.
        child=record["child"] is True or "child" not in record.attributes,
        gender=fitting(record["gender"], 60),
        status=INACTIVE if record["status"] == INACTIVE else ACTIVE,
        membership=fitting(record["membership"], 120),
        campus_remote_id=next((ref.id for ref in record.related("primary_campus")), None),
        updated_at=moment(record["updated_at"]),
        contacts=_contacts(record, country_code),
        addresses=_addresses(record),
        untold=_untold(record),
    )


def _untold(record: Record) -> tuple[str, ...]:
    """The fields that the answer leaves out: they are not known, and so not empty."""
    missing = [name for name in ATTRIBUTES if name not in record.attributes]
    return tuple(missing if "primary_campus" in record.relationships else [*missing, "campus_remote_id"])


def _holds(record: Record, parts: str) -> bool:
    """Whether an answer tells these parts of a person: it names them, and holds each one that it names."""
    held = {(row.type, row.id) for row in record.included}
    return parts in record.relationships and all((ref.type, ref.id) in held for ref in record.related(parts))


def _contacts(record: Record, country_code: str) -> tuple[PulledContact, ...] | None:
    if not (_holds(record, "emails") and _holds(record, "phone_numbers")):
        return None
    found = [_contact(row, country_code) for type_ in (EMAIL_TYPE, PHONE_TYPE) for row in record.included_of(type_)]
    return tuple(sorted(found, key=lambda one: (one.kind, one.value, one.remote_id or "")))


def _contact(row: Record, country_code: str) -> PulledContact:
    common: dict[str, Any] = {"location": fitting(row["location"], 40), "primary": row["primary"] is True, "remote_id": row.id}
    common["updated_at"] = moment(row["updated_at"])
    if row.type == EMAIL_TYPE:
        written = fitting(row["address"], 254)
        return PulledContact(EMAIL, normalised_email(written)[:254], written, **common)
    number = fitting(row["number"], 254)
    value = fitting(row["e164"], 254) or e164(number, fitting(row["country_code"], 2) or country_code) or number
    return PulledContact(PHONE, value, number, **common)


def read_part(row: Record, country_code: str) -> PulledContact | PulledAddress:
    """An Email, PhoneNumber or Address record as our value."""
    return _address(row) if row.type == ADDRESS_TYPE else _contact(row, country_code)


def _addresses(record: Record) -> tuple[PulledAddress, ...] | None:
    if not _holds(record, "addresses"):
        return None
    return tuple(sorted((_address(row) for row in record.included_of(ADDRESS_TYPE)), key=lambda one: one.remote_id or ""))


def _address(row: Record) -> PulledAddress:
    return PulledAddress(
        street=fitting(row["street_line_1"], 300),
        street2=fitting(row["street_line_2"], 300),
        city=fitting(row["city"], 120),
        state=fitting(row["state"], 120),
        zip=fitting(row["zip"], 20),
        country_code=fitting(row["country_code"], 2),
        location=fitting(row["location"], 40),
        primary=row["primary"] is True,
        remote_id=row.id,
        updated_at=moment(row["updated_at"]),
    )


MAPPING = Mapping(
    name="people",
    words="People",
    resource=people.PERSON,
    model=Person,
    read=read,
    take_in=take_in_people,
    include=("emails", "phone_numbers", "addresses"),
    changed_by="updated_at",
)
