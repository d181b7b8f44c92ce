"""Every kind of field that a form can have either takes an answer or says in words why not."""

import pytest

from connectcard.connections.form_fields import NOT_ASKED, what_it_takes
from connectcard.planning_center import Record, Ref

# People's own list (vertex FormField, 2025-11-10).
KINDS = (
    "string text checkboxes dropdown date phone_number address birthday gender custom_field note workflow heading number boolean file"
    " medical workflow_checkbox workflow_checkboxes workflow_dropdown marital_status anniversary grade primary_campus school household"
)
CUSTOM_FIELDS = {"10": "select", "11": "checkboxes", "12": "number", "13": "date", "14": "file", "15": "boolean", "16": "rainbow"}


def a_field(kind: str, stands_for: str | None = None) -> Record:
    fieldable = (Ref("FieldDefinition", stands_for),) if stands_for else ()
    return Record("FormField", "1", {"field_type": kind}, {"fieldable": fieldable})


@pytest.mark.parametrize("kind", KINDS.split())
def test_every_kind_is_taken_or_refused_in_words(kind: str) -> None:
    takes = what_it_takes(a_field(kind, "10"), CUSTOM_FIELDS, has_options=True)
    assert bool(takes.data_type) != bool(takes.why_not)
    assert "does not know" not in (takes.why_not or "")


@pytest.mark.parametrize(
    ("custom_field", "has_options", "data_type", "why_not"),
    [
        ("10", True, "select", None),
        ("11", True, "checkboxes", None),
        ("10", False, None, "Planning Center names no choices of it for this form."),
        ("12", False, None, "It takes a number, and no answer of the card is one."),
        ("13", False, "date", None),
        ("14", False, None, "It takes a file, and a card has none."),
        ("15", False, "boolean", None),
        ("16", False, None, "connectcard does not know this kind of field (“rainbow”)."),
        ("99", False, None, "The custom field it stands for is no longer there."),
    ],
)
def test_a_custom_field_takes_what_its_own_type_takes(
    custom_field: str, has_options: bool, data_type: str | None, why_not: str | None
) -> None:
    takes = what_it_takes(a_field("custom_field", custom_field), CUSTOM_FIELDS, has_options=has_options)
    assert (takes.data_type, takes.why_not) == (data_type, why_not)


def test_what_the_card_does_not_ask_says_so() -> None:
    assert what_it_takes(a_field("birthday"), {}, has_options=False).why_not == NOT_ASKED
