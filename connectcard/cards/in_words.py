"""An answer as a line of words: for the page of a card, the export, a note in Planning Center."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from connectcard.cards.models import Card

FIELD_LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Email",
    "phone": "Mobile",
    "address": "Address",
    "visit": "Visit",
    "interests": "Asked for",
    "heard": "Heard about us",
    "group": "Group to join",
    "text_me": "Text me",
    "prayer": "Prayer request",
    "family": "Family",
}
VISITS = {"first_time": "First time", "few_times": "A few times", "home": "Home church"}
ADDRESS_PARTS = ("street", "street2", "city", "state", "zip", "country")

Labels = Mapping[str, Mapping[str, str]]


def choice_labels(cards: list[Card]) -> dict[str, dict[str, str]]:
    """The words of each choice on these cards: {"interests": {"kids": "Kids"}, "heard": {...}, "visit": {...}}."""
    return {
        "visit": dict(VISITS),
        "interests": {choice["key"]: choice["label"] for card in cards for choice in card.interests},
        "heard": {choice["key"]: choice["label"] for card in cards for choice in card.sources},
    }


def in_words(field: str, answer: Any, labels: Labels) -> str:
    """One answer as a person would write it; "" where nothing was answered. An unknown choice keeps its key."""
    words = labels.get(field, {})
    match answer:
        case None | False:
            return ""
        case True:
            return "Yes"
        case list():
            return ", ".join(words.get(key, key) for key in answer)
        case dict():
            return _OF_PARTS[field](answer)
        case date():
            return answer.isoformat()
        case _:
            return words.get(answer, answer)


def address_in_words(address: Mapping[str, str]) -> str:
    """An address on one line."""
    street, street2, city, state, postcode, country = (address.get(part, "").strip() for part in ADDRESS_PARTS)
    return ", ".join(part for part in (street, street2, city, f"{state} {postcode}".strip(), country) if part)


def family_in_words(family: Mapping[str, Any]) -> str:
    """The family on one line, such as "Spouse Sam Lopez · Leo, 6 · Ana, 3"."""
    spouse = family.get("spouse") or {}
    name = f"{spouse.get('first_name', '')} {spouse.get('last_name', '')}".strip()
    children = [", ".join(filter(None, (child.get("first_name", ""), child.get("age", "")))) for child in family.get("children", [])]
    return " · ".join(part for part in (f"Spouse {name}" if name else "", *children) if part)


def group_in_words(group: Mapping[str, Any]) -> str:
    """The group they want to join, as it was called then."""
    return str(group["name"]) if group["open"] else f"{group['name']} (it took nobody in any more when the card came)"


_OF_PARTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "address": address_in_words,
    "family": family_in_words,
    "group": group_in_words,
}


def opened_family(text: str | None) -> dict[str, Any]:
    """The family as it was sealed, {} where none was given."""
    return json.loads(text) if text else {}
