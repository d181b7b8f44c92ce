"""The form of one contact: read, checked in words, and filled again."""

from collections.abc import Mapping
from typing import Any

from connectcard.cards.fields import LONGEST_EMAIL, LONGEST_PHONE, clean_line, looks_like_email, possible_phone
from connectcard.errors import AnswersRefused
from connectcard.people.contacts import ADDRESS, Content, email_content, phone_content
from connectcard.people.models import EMAIL, PHONE

# Where a contact belongs, in Planning Center's own words; it takes none without.
LOCATIONS = {EMAIL: ("Home", "Work", "Other"), PHONE: ("Mobile", "Home", "Work", "Other"), ADDRESS: ("Home", "Work", "Other")}
STREET_WORDS = {
    "street": ("Street address", 200),
    "street2": ("Apartment, suite or unit", 200),
    "city": ("City", 100),
    "state": ("State or region", 100),
    "zip": ("ZIP or postal code", 20),
}
VALUE, LONGEST_LOCATION = "value", 40


def form_of(kind: str, content: Content | None, country_code: str) -> dict[str, str]:
    """What stands in the inputs: a contact as it is, or an empty one."""
    known = content or {"location": LOCATIONS[kind][0], "country_code": country_code}
    if kind != ADDRESS:
        return {VALUE: str(known.get("display") or known.get(VALUE) or ""), "location": str(known["location"])}
    return {name: str(known.get(name) or "") for name in (*STREET_WORDS, "country_code", "location")}


def locations(kind: str, chosen: str) -> list[str]:
    """What can be chosen; one that only Planning Center knows (pager, fax) stays what it is."""
    return [*LOCATIONS[kind], *([chosen] if chosen and chosen not in LOCATIONS[kind] else [])]


def content_from(kind: str, form: Mapping[str, str], country_code: str, countries: Mapping[str, str]) -> dict[str, Any]:
    """What was typed as a contact. Raises AnswersRefused with words for each input that cannot be taken."""
    lines = {name: clean_line(form.get(name, "")) for name in (VALUE, *STREET_WORDS, "country_code", "location")}
    problems = {EMAIL: _email_problems, PHONE: _phone_problems, ADDRESS: _address_problems}[kind](lines, country_code, countries)
    if not 0 < len(lines["location"]) <= LONGEST_LOCATION:
        problems["location"] = "Choose where this belongs"
    if problems:
        raise AnswersRefused(problems)
    if kind == EMAIL:
        return email_content(lines[VALUE], lines["location"])
    if kind == PHONE:
        return phone_content(lines[VALUE], lines["location"], country_code)
    return {**{name: lines[name] for name in STREET_WORDS}, "country_code": lines["country_code"], "location": lines["location"]}


def _email_problems(lines: Mapping[str, str], _country_code: str, _countries: Mapping[str, str]) -> dict[str, str]:
    if not lines[VALUE]:
        return {VALUE: "Enter an email address"}
    if len(lines[VALUE]) <= LONGEST_EMAIL and looks_like_email(lines[VALUE]):
        return {}
    return {VALUE: "Enter an email address in the correct format, like name@gmail.com"}


def _phone_problems(lines: Mapping[str, str], country_code: str, _countries: Mapping[str, str]) -> dict[str, str]:
    if not lines[VALUE]:
        return {VALUE: "Enter a phone number"}
    if len(lines[VALUE]) <= LONGEST_PHONE and possible_phone(lines[VALUE], country_code):
        return {}
    return {VALUE: "Enter a phone number with its area code, or with + and the country"}


def _address_problems(lines: Mapping[str, str], _country_code: str, countries: Mapping[str, str]) -> dict[str, str]:
    if not any(lines[name] for name in STREET_WORDS):
        return {"street": "Enter an address"}
    long_ones = {name: (words, most) for name, (words, most) in STREET_WORDS.items() if len(lines[name]) > most}
    problems = {name: f"{words}: shorten this to {most} letters or fewer" for name, (words, most) in long_ones.items()}
    return problems if lines["country_code"] in countries else {**problems, "country_code": "Choose a country"}
