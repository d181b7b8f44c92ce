"""What a card can ask: each kind of field reads its part of a posted form and says what is wrong with it.

Reading never fails. It takes out what no person types (control characters, marks that turn the direction of writing) and keeps
every real script; names are never re-cased. Checking is separate, so that a refused card can show what was typed.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask_babel import gettext, lazy_gettext
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult
from rapidfuzz.distance import OSA
from werkzeug.datastructures import MultiDict

from connectcard.cards.models import Card

FIRST_TIME, FEW_TIMES, HOME = "first_time", "few_times", "home"
PASTORS, PRAYER_TEAM = "pastors", "prayer_team"
MOST_CHILDREN = 8
LONGEST_NAME, LONGEST_EMAIL, LONGEST_PHONE, LONGEST_PRAYER = 100, 254, 40, 2000
MOST_EXTRAS, LONGEST_EXTRA_NAME, LONGEST_EXTRA = 20, 40, 500

# The inputs of one child. What they say is kept sealed, so no number of them is an unknown question.
CHILD = re.compile(r"child_([1-9]\d{0,3})_(?:first_name|age)", re.ASCII)
# What the form itself carries beside the answers.
TECHNICAL_NAMES = frozenset({"submission_key", "form_token", "website"})

Answers = dict[str, Any]
Problems = dict[str, str]
Form = Mapping[str, Any]

_JOINERS = "\u200c\u200d"  # needed to write Persian and several Indian scripts


def clean(text: str) -> str:
    """Text without control, surrogate and direction-turning characters, composed (NFC); line ends become plain newlines."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(mark for mark in composed if mark in _JOINERS or mark in "\n\t" or unicodedata.category(mark) not in ("Cc", "Cf", "Cs"))


def clean_line(text: str) -> str:
    """One line of clean text with single spaces; text of joiners alone is nothing."""
    line = " ".join(clean(text).split())
    return line if line.strip(_JOINERS + " ") else ""


@dataclass(frozen=True)
class GroupChoice:
    """A group of the church's as a card shows it; `open` says whether it takes people in at this moment. `id` is our own."""

    id: str
    name: str
    schedule: str = ""
    area: str = ""
    open: bool = True


Groups = Mapping[str, GroupChoice]


class Posted:
    """A posted form, read as clean text. Where a name comes twice the first value that says something counts.

    `groups` are those of the church that the form names, by their ids.
    """

    def __init__(self, form: Form, groups: Groups | None = None) -> None:
        self.values: dict[str, list[str]] = MultiDict(form).to_dict(flat=False)
        self.groups = groups or {}

    def line(self, name: str) -> str:
        return next(iter(self.lines(name)), "")

    def lines(self, name: str) -> list[str]:
        return [line for said in self.values.get(name, ()) if (line := clean_line(str(said)))]

    def text(self, name: str) -> str:
        return clean(str(self.values.get(name, [""])[0])).strip()

    def ticked(self, name: str) -> bool:
        return bool(self.line(name))


class Field(ABC):
    """One kind of question. `key` names its answer, `names` the inputs it is made of."""

    key: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.key})

    @abstractmethod
    def read(self, posted: Posted, card: Card) -> Any:
        """The answer; something empty when there is none."""

    def check(self, answers: Answers, card: Card) -> Problems:
        """What is wrong with the answer: input name -> words for the visitor, in the language of the page."""
        return {}


class Line(Field):
    """One line of text."""

    def __init__(self, key: str, label: Any, longest: int, missing: Any = None) -> None:
        self.key, self.label, self.longest, self.missing = key, label, longest, missing

    def read(self, posted: Posted, card: Card) -> str:
        return posted.line(self.key)

    def check(self, answers: Answers, card: Card) -> Problems:
        line = answers.get(self.key, "")
        if not line and self.missing is not None:
            return {self.key: str(self.missing)}
        return too_long(self.key, self.label, line, self.longest)


class Email(Line):
    def check(self, answers: Answers, card: Card) -> Problems:
        email = answers.get("email", "")
        if not email:
            return {} if answers.get("phone") else {"email": gettext("Enter an email address or a mobile number")}
        if looks_like_email(email):
            return {}
        return {"email": gettext("Enter an email address in the correct format, like name@example.com")}


class Phone(Line):
    def check(self, answers: Answers, card: Card) -> Problems:
        phone = answers.get("phone", "")
        if not phone or (len(phone) <= self.longest and possible_phone(phone, card.church.country_code)):
            return {}
        return {"phone": gettext("Enter a mobile number with its area code")}


class OneOf(Field):
    """One choice; what is not among the choices is no answer."""

    def __init__(self, key: str) -> None:
        self.key = key

    def read(self, posted: Posted, card: Card) -> str:
        return next((line for line in posted.lines(self.key) if line in choices(self.key, card)), "")


class SomeOf(OneOf):
    """Any number of choices, in the order the card has them."""

    def read(self, posted: Posted, card: Card) -> list[str]:  # type: ignore[override]
        ticked = posted.lines(self.key)
        return [key for key in choices(self.key, card) if key in ticked]


class Tick(Field):
    def __init__(self, key: str) -> None:
        self.key = key

    def read(self, posted: Posted, card: Card) -> bool:
        return posted.ticked(self.key)


class Address(Field):
    key = "address"
    parts: Mapping[str, tuple[Any, int]] = {
        "street": (lazy_gettext("Street address"), 200),
        "street2": (lazy_gettext("Apartment, suite or unit"), 200),
        "city": (lazy_gettext("City"), 100),
        "state": (lazy_gettext("State or region"), 100),
        "zip": (lazy_gettext("ZIP or postal code"), 20),
    }

    @property
    def names(self) -> frozenset[str]:
        return frozenset(f"address_{part}" for part in self.parts)

    def read(self, posted: Posted, card: Card) -> dict[str, str]:
        lines = {part: posted.line(f"address_{part}") for part in self.parts}
        return {**lines, "country": card.church.country_code} if any(lines.values()) else {}

    def check(self, answers: Answers, card: Card) -> Problems:
        address = answers.get("address") or {}
        problems: Problems = {}
        for part, (label, longest) in self.parts.items():
            problems |= too_long(f"address_{part}", label, address.get(part, ""), longest)
        return problems


class Prayer(Field):
    """A prayer request; its text is kept sealed."""

    key = "prayer"

    def read(self, posted: Posted, card: Card) -> str:
        return posted.text("prayer")

    def check(self, answers: Answers, card: Card) -> Problems:
        return too_long("prayer", lazy_gettext("Prayer request"), answers.get("prayer", ""), LONGEST_PRAYER)


class Family(Field):
    """Spouse and children who came along; kept sealed. A child is a first name and an age in years."""

    key = "family"

    @property
    def names(self) -> frozenset[str]:
        return frozenset({"spouse_first_name", "spouse_last_name"})

    def read(self, posted: Posted, card: Card) -> Answers:
        spouse = {name: posted.line(f"spouse_{name}") for name in ("first_name", "last_name")}
        children = [child for row in child_rows(posted) if any((child := posted_child(posted, row)).values())]
        return {"spouse": spouse if any(spouse.values()) else {}, "children": children} if any(spouse.values()) or children else {}

    def check(self, answers: Answers, card: Card) -> Problems:
        family = answers.get("family") or {}
        problems: Problems = {}
        for name, label in (("first_name", lazy_gettext("First name")), ("last_name", lazy_gettext("Last name"))):
            problems |= too_long(f"spouse_{name}", label, family.get("spouse", {}).get(name, ""), LONGEST_NAME)
        for row, child in enumerate(family.get("children", []), start=1):
            problems |= child_problems(row, child)
        return problems


def child_rows(posted: Posted) -> list[int]:
    """The rows of children that a form has, also of one that offered more of them than ours does."""
    return sorted({int(found[1]) for name in posted.values if (found := CHILD.fullmatch(name))})


def posted_child(posted: Posted, row: int) -> dict[str, str]:
    return {"first_name": posted.line(f"child_{row}_first_name"), "age": posted.line(f"child_{row}_age")}


def child_problems(row: int, child: Mapping[str, str]) -> Problems:
    name = f"child_{row}_first_name"
    if not child["first_name"]:
        return {name: gettext("Enter the child’s first name, or remove the child")}
    if child["age"] and not re.fullmatch(r"[0-9]{1,2}", child["age"]):
        return {f"child_{row}_age": gettext("Enter the child’s age in years, like 6")}
    return too_long(name, lazy_gettext("First name"), child["first_name"], LONGEST_NAME)


class JoinGroup(Field):
    """A group that they want to join, with its name as it was shown. One that closed while the page was open is an answer all the same."""

    key = "group"

    def read(self, posted: Posted, card: Card) -> Answers:
        chosen = next((posted.groups[line] for line in posted.lines(self.key) if line in posted.groups), None)
        return {"id": chosen.id, "name": chosen.name, "open": chosen.open} if chosen else {}


CARD_FIELDS: tuple[Field, ...] = (
    Line("first_name", lazy_gettext("First name"), LONGEST_NAME, missing=lazy_gettext("Enter your first name")),
    Line("last_name", lazy_gettext("Last name"), LONGEST_NAME),
    Email("email", lazy_gettext("Email"), LONGEST_EMAIL),
    Phone("phone", lazy_gettext("Mobile number"), LONGEST_PHONE),
    OneOf("visit"),
    SomeOf("interests"),
    OneOf("heard"),
    JoinGroup(),
    Address(),
    Prayer(),
    OneOf("prayer_audience"),
    Family(),
    Tick("text_me"),
)
FIELDS: Mapping[str, Field] = {field.key: field for field in CARD_FIELDS}
KNOWN_NAMES = frozenset().union(TECHNICAL_NAMES, *(field.names for field in CARD_FIELDS))


def choices(key: str, card: Card) -> list[str]:
    """The keys a visitor can choose from."""
    if key in ("interests", "heard"):
        return [choice["key"] for choice in (card.interests if key == "interests" else card.sources)]
    return {"visit": [FIRST_TIME, FEW_TIMES, HOME], "prayer_audience": [PASTORS, PRAYER_TEAM]}[key]


def read(form: Form, card: Card, groups: Groups | None = None) -> Answers:
    """Everything a posted form says, by the keys of the fields; every key is there. Questions that are switched off are read as
    well: the page may have been open since before, and no answer is dropped silently. `groups` are those of the church it names."""
    posted = Posted(form, groups)
    return {field.key: field.read(posted, card) for field in CARD_FIELDS} | {"extra": extra_answers(posted, card)}


def check(answers: Answers, card: Card) -> Problems:
    """What the visitor has to mend, in the order of the card; empty when the card can be taken."""
    problems: Problems = {}
    for field in CARD_FIELDS:
        problems |= field.check(answers, card)
    return problems


def extra_answers(posted: Posted, card: Card) -> dict[str, str]:
    """Answers to questions that this card does not know (any more): kept for staff to read, within bounds, never sent on."""
    found = {name: posted.text(name) for name in posted.values if name not in KNOWN_NAMES and not CHILD.fullmatch(name)}
    found |= {key: ", ".join(_unknown_choices(posted, key, card)) for key in ("visit", "interests", "heard", "group")}
    said = [(clean_line(name)[:LONGEST_EXTRA_NAME], text[:LONGEST_EXTRA]) for name, text in found.items() if text]
    return dict(said[:MOST_EXTRAS])


def _unknown_choices(posted: Posted, key: str, card: Card) -> list[str]:
    known = posted.groups if key == "group" else choices(key, card)
    return [line for line in posted.lines(key) if line not in known]


def too_long(name: str, label: Any, text: str, longest: int) -> Problems:
    if len(text) <= longest:
        return {}
    return {name: gettext("%(label)s must be %(longest)s characters or fewer", label=label, longest=longest)}


def looks_like_email(email: str) -> bool:
    """Whether mail could be addressed so; nobody is asked over the network."""
    try:
        return bool(validate_email(email, check_deliverability=False))
    except EmailNotValidError:
        return False


def possible_phone(phone: str, country_code: str) -> bool:
    """Whether a number has as many digits as one of that country, area code included, or of the country it names with a +."""
    region = country_code if country_code in phonenumbers.SUPPORTED_REGIONS else None
    try:
        number = phonenumbers.parse(phone, region)
    except NumberParseException:
        return region is None and sum(mark.isdigit() for mark in phone) >= 7
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def fewest_digits(country_code: str) -> int:
    """How many digits a number of that country has at least, for the hint the page gives before it is sent."""
    metadata = PhoneMetadata.metadata_for_region(country_code, None)
    lengths = metadata.general_desc.possible_length if metadata and metadata.general_desc else None
    return min(lengths) if lengths else 7


COMMON_DOMAINS = ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "comcast.net", "verizon.net", "sbcglobal.net")
# One letter away from a common domain and yet real.
REAL_NEIGHBOURS = ("ymail.com", "email.com", "mail.com")


def suggested_email(email: str) -> str | None:
    """The address that was probably meant, where the domain is one letter away from a common one: ana@gmial.com -> ana@gmail.com."""
    name, _, domain = email.rpartition("@")
    domain = domain.lower()
    if not name or domain in COMMON_DOMAINS or domain in REAL_NEIGHBOURS:
        return None
    return next((f"{name}@{common}" for common in COMMON_DOMAINS if OSA.distance(domain, common) == 1), None)


@dataclass(frozen=True)
class Choice:
    """A choice as it is shown."""

    key: str
    label: str


def shown_choices(configured: Iterable[Mapping[str, str]], language: str) -> list[Choice]:
    """A church's own choices in a language; a choice without words in it is shown in the church's first ones."""
    return [Choice(choice["key"], choice.get(f"label_{language}") or choice["label"]) for choice in configured]
