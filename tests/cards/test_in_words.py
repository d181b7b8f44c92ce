"""An answer reads as a person would write it."""

from datetime import date
from typing import Any

import pytest

from connectcard.cards.in_words import in_words

LABELS = {"visit": {"first_time": "First time"}, "interests": {"kids": "Kids", "serving": "Serving"}}
FAMILY = {
    "spouse": {"first_name": "Sam", "last_name": "Lopez"},
    "children": [{"first_name": "Leo", "age": "6"}, {"first_name": "Mia", "age": ""}],
}
ADDRESS = {"street": "12 Oak Street", "street2": "", "city": "Austin", "state": "TX", "zip": "78701", "country": "US"}


@pytest.mark.parametrize(
    ("field", "answer", "words"),
    [
        ("visit", "first_time", "First time"),
        ("visit", "a choice of an older form", "a choice of an older form"),
        ("interests", ["kids", "serving"], "Kids, Serving"),
        ("text_me", True, "Yes"),
        ("text_me", None, ""),
        ("address", ADDRESS, "12 Oak Street, Austin, TX 78701, US"),
        ("family", FAMILY, "Spouse Sam Lopez · Leo, 6 · Mia"),
        ("family", {}, ""),
        ("group", {"id": "1", "name": "Choir", "open": True}, "Choir"),
        ("group", {"id": "1", "name": "Choir", "open": False}, "Choir (it took nobody in any more when the card came)"),
        ("first_visit_date", date(2026, 11, 22), "2026-11-22"),
    ],
)
def test_an_answer_in_words(field: str, answer: Any, words: str) -> None:
    assert in_words(field, answer, LABELS) == words
