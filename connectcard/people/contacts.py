"""An e-mail address, a phone number or a postal address as a value, and what becomes of one that was changed on either side. Pure.

Both sides are compared by what a contact says and where it belongs (home, work). How it is written, such as the blanks of a phone
number, makes no difference. Which one of a kind is the primary one is a question of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connectcard.people.identity import e164, normalised_email
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL, PHONE, Address, Contact
from connectcard.people.pulled import PulledAddress, PulledContact

ADDRESS = "address"
KINDS = (EMAIL, PHONE, ADDRESS)
# In the place of a record's id: which one of a kind is the primary one.
PRIMARY = "primary"
STREET = ("street", "street2", "city", "state", "zip", "country_code")
WORDS = {EMAIL: "Email", PHONE: "Phone number", ADDRESS: "Address"}
PRIMARY_WORDS = {EMAIL: "Primary email", PHONE: "Primary phone number", ADDRESS: "Primary address"}
AGREED, WAITS, TWO_SIDED = "agreed", "waits", "two_sided"

# A contact as it is kept and compared: of an e-mail address or phone number value, display, location; of an address its parts.
Content = Mapping[str, Any]
# A row of ours, or what was pulled.
Part = Contact | Address | PulledContact | PulledAddress


def kind_of(part: Part) -> str:
    return str(getattr(part, "kind", ADDRESS))


def content_of(part: Part) -> dict[str, Any]:
    """What a contact says, as it is kept with an edit."""
    names = STREET if kind_of(part) == ADDRESS else ("value", "display")
    return {**{name: getattr(part, name) or "" for name in names}, "location": part.location or ""}


def compared(content: Content | None) -> dict[str, Any] | None:
    """What both sides are compared by; None for one that is not there."""
    return None if content is None else {name: value for name, value in content.items() if name not in ("display", "remote_id", PRIMARY)}


def mark_of(content: Content | None, key: str) -> str:
    """The marked value of one side."""
    return value_mark(key, compared(content))


def says_the_same(one: Content, other: Content) -> bool:
    """Whether two contacts are one, wherever each belongs: the same mailbox address, number or house."""
    return _without_place(one) == _without_place(other)


def _without_place(content: Content) -> dict[str, Any]:
    return {name: value for name, value in (compared(content) or {}).items() if name != "location"}


def weigh(ours: Content | None, theirs: Content | None, base: str, key: str) -> str:
    """How an edit stands: both sides have the same, ours waits to be sent, or it was changed on both sides since `base`."""
    if compared(ours) == compared(theirs):
        return AGREED
    return WAITS if mark_of(theirs, key) == base else TWO_SIDED


def weigh_primary(ours: str | None, theirs: str | None, base: str, key: str) -> str:
    """The same for which one is primary, by the records' ids."""
    if ours == theirs:
        return AGREED
    return WAITS if value_mark(key, theirs) == base else TWO_SIDED


def email_content(address: str, location: str) -> dict[str, Any]:
    return {"value": normalised_email(address), "display": address.strip(), "location": location}


def phone_content(number: str, location: str, country_code: str) -> dict[str, Any]:
    return {"value": e164(number, country_code) or number.strip(), "display": number.strip(), "location": location}


def in_words(content: Content | None) -> str:
    """A contact as people read it: ana@gmail.com (home)."""
    if content is None:
        return "Removed"
    said = content.get("display") or content.get("value") if "value" in content else address_line(content)
    return f"{said} ({str(content['location']).lower()})" if content.get("location") else str(said)


def address_line(parts: Mapping[str, Any]) -> str:
    """A postal address in one line."""
    place = " ".join(filter(None, (parts.get("city"), parts.get("state"), parts.get("zip"))))
    return ", ".join(filter(None, (parts.get("street"), parts.get("street2"), place, parts.get("country_code"))))


def field_of(kind: str, remote_id: str) -> str:
    """The name of a contact among the fields of a person: email:123, or email:primary."""
    return f"{kind}:{remote_id}"


def split_field(field: str) -> tuple[str, str] | None:
    """What `field_of` put together; None for any other field."""
    kind, colon, remote_id = field.partition(":")
    return (kind, remote_id) if colon and kind in KINDS else None


def field_words(field: str) -> str:
    """A contact's field in words for staff."""
    kind, remote_id = split_field(field) or (field, "")
    return (PRIMARY_WORDS if remote_id == PRIMARY else WORDS).get(kind, kind)


def primary_of(parts: Sequence[Part], kind: str) -> Part | None:
    """The primary one of a kind."""
    return next((part for part in parts if kind_of(part) == kind and part.primary), None)
