"""What the fields of a church's form take, and why a card cannot fill in some of them (reference: Planning Center People, 3.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectcard.planning_center import Record

CUSTOM_FIELD, NO_OPTIONS = "custom_field", "no options"
WITH_OPTIONS = ("select", "checkboxes")
# The kinds of field that an answer can go to, own and custom ones, each with the type of custom field that takes the same values.
TAKES = {
    "address": "address",
    "boolean": "boolean",
    "checkboxes": "checkboxes",
    "date": "date",
    "dropdown": "select",
    "note": "paragraph",
    "paragraph": "paragraph",
    "phone_number": "phone_number",
    "select": "select",
    "string": "string",
    "text": "text",
    "workflow_checkbox": "boolean",
    "workflow_checkboxes": "checkboxes",
    "workflow_dropdown": "select",
}
NOT_ASKED = "The card does not ask for this."
REFUSED = {
    "anniversary": NOT_ASKED,
    "birthday": NOT_ASKED,
    "file": "It takes a file, and a card has none.",
    "gender": NOT_ASKED,
    "grade": NOT_ASKED,
    "header": "A heading takes no answer.",
    "heading": "A heading takes no answer.",
    "household": "A family is put together after the submission, person by person.",
    "marital_status": NOT_ASKED,
    "medical": NOT_ASKED,
    "number": "It takes a number, and no answer of the card is one.",
    "primary_campus": NOT_ASKED,
    "school": NOT_ASKED,
    "workflow": "The form starts this workflow by itself.",
    "": "The custom field it stands for is no longer there.",
    NO_OPTIONS: "Planning Center names no choices of it for this form.",
}


@dataclass(frozen=True)
class Takes:
    """The type of custom field whose values a field of the form takes; None, with the reason in words, where no answer can go there."""

    data_type: str | None
    why_not: str | None = None


def what_it_takes(field: Record, custom_fields: Mapping[str, Any], *, has_options: bool) -> Takes:
    """What can be sent to a FormField. `custom_fields` are the types of the church's custom fields by their ids.

    An option is sent by the id it has among the options of the form's field, so a field that should have some and has none takes
    nothing.
    """
    kind = _kind_of(field, custom_fields)
    data_type = TAKES.get(kind)
    if data_type in WITH_OPTIONS and not has_options:
        return Takes(None, REFUSED[NO_OPTIONS])
    unknown = f"connectcard does not know this kind of field (“{kind}”)."
    return Takes(data_type, None if data_type else REFUSED.get(kind, unknown))


def _kind_of(field: Record, custom_fields: Mapping[str, Any]) -> str:
    if field["field_type"] != CUSTOM_FIELD:
        return str(field["field_type"])
    return next((str(custom_fields[ref.id]) for ref in field.related("fieldable") if ref.id in custom_fields), "")
