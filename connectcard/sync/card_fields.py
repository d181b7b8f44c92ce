"""What of a card can be sent, and to what kinds of place in Planning Center."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectcard.cards.in_words import Labels
from connectcard.sync.forms import FORM_FIELD

PERSON_ATTRIBUTE, EMAIL, PHONE, ADDRESS, HOUSEHOLD = "person_attribute", "email", "phone", "address", "household"
CUSTOM_FIELD, NOTE, WORKFLOW_CARD, GROUP, NOTHING = "custom_field", "note", "workflow_card", "group", "nothing"

TEXT_TYPES = ("string", "text", "paragraph")
CHOICE_TYPES = ("select", "checkboxes")
ANY_WORDS = CHOICE_TYPES + TEXT_TYPES
MEMBERSHIP, CAMPUS = "membership", "primary_campus_id"


@dataclass(frozen=True)
class CardField:
    """An answer that can be sent: the kinds of place it may go to and, for a custom field, which of its types it fits.

    A `constant` field is not asked: the church sets its value, and people we create get it.
    """

    key: str
    label: str
    kinds: tuple[str, ...]
    data_types: tuple[str, ...] = ()
    attribute: str | None = None
    constant: bool = False
    fixed: bool = False


CARD_FIELDS = (
    CardField("membership", "Membership of new people", (PERSON_ATTRIBUTE, NOTHING), attribute=MEMBERSHIP, constant=True),
    CardField("campus", "Campus of new people", (PERSON_ATTRIBUTE, NOTHING), attribute=CAMPUS, constant=True),
    CardField("first_name", "First name", (PERSON_ATTRIBUTE,), attribute="first_name", fixed=True),
    CardField("last_name", "Last name", (PERSON_ATTRIBUTE,), attribute="last_name", fixed=True),
    CardField("email", "Email", (EMAIL, NOTHING)),
    CardField("phone", "Mobile", (PHONE, FORM_FIELD, NOTHING), ("phone_number",)),
    CardField("address", "Address", (ADDRESS, FORM_FIELD, NOTHING), ("address",)),
    CardField("visit", "First time?", (CUSTOM_FIELD, FORM_FIELD, PERSON_ATTRIBUTE, NOTE, WORKFLOW_CARD, NOTHING), ANY_WORDS, MEMBERSHIP),
    CardField("first_visit_date", "Date of the first visit", (CUSTOM_FIELD, FORM_FIELD, NOTE, NOTHING), ("date", *TEXT_TYPES)),
    CardField(
        "interests", "I'd like to know more about", (CUSTOM_FIELD, FORM_FIELD, NOTE, WORKFLOW_CARD, NOTHING), ("checkboxes", *TEXT_TYPES)
    ),
    CardField("heard", "How did you hear about us?", (CUSTOM_FIELD, FORM_FIELD, NOTE, NOTHING), ANY_WORDS),
    CardField("group", "Join a group", (GROUP, NOTE, NOTHING)),
    CardField("text_me", "Text me", (CUSTOM_FIELD, FORM_FIELD, NOTE, WORKFLOW_CARD, NOTHING), ("boolean", *TEXT_TYPES)),
    CardField("family", "My family", (HOUSEHOLD, CUSTOM_FIELD, FORM_FIELD, NOTE, NOTHING), TEXT_TYPES),
    CardField("ages", "Children's ages", (NOTE, CUSTOM_FIELD, FORM_FIELD, NOTHING), TEXT_TYPES),
    CardField("prayer", "Prayer request", (NOTE, CUSTOM_FIELD, FORM_FIELD, NOTHING), TEXT_TYPES),
)
FIELDS = {field.key: field for field in CARD_FIELDS}

# What a preview never quotes: it is kept in the open.
PRIVATE = ("prayer", "family", "ages")


# Answers that the card does not have as such.


def ages_of(family: Mapping[str, Any]) -> str:
    """The children's ages as the card says them, which is no birthdate: "Leo: 6, Mia: 3"; "" where it says none."""
    children = family.get("children") or []
    return ", ".join(f"{one.get('first_name') or 'A child'}: {one['age']}" for one in children if one.get("age"))


def first_visit_date(answers: Mapping[str, Any], received_at: datetime, time_zone: str) -> date | None:
    """The church's own date of a first visit; None for people who were there before."""
    return received_at.astimezone(ZoneInfo(time_zone)).date() if answers.get("visit") == "first_time" else None


# What stands for an answer where the church looks at its choices.


def sample(field: str, words: Labels) -> Any:
    """An answer as a visitor might give it, to show what becomes of it."""
    keys = list(words.get(field, {}))
    return (keys[:2] if field == "interests" else keys[0]) if keys else example(field)


def example(field: str) -> Any:
    """An answer to a question that is not asked by choices."""
    return {
        "first_name": "Ana",
        "last_name": "Lopez",
        "email": "ana.lopez@gmail.com",
        "phone": "(512) 555-0177",
        "address": {"street": "12 Oak Street", "city": "Austin", "state": "TX", "zip": "78701"},
        "first_visit_date": date(2026, 11, 15),
        "group": {"id": "", "name": "Young adults", "open": True},
        "text_me": True,
        "prayer": "Please pray for my mother.",
        "family": {"children": [{"first_name": "Leo", "age": "6"}]},
        "ages": "Leo: 6",
    }.get(field, "")
