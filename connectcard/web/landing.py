"""How a church's cards land, as the page of field mapping shows it: the forms to choose from, and what becomes of each of their fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectcard.connections.models import RemoteChoice
from connectcard.sync import forms
from connectcard.sync.card_fields import FIELDS
from connectcard.sync.forms import FORM_FIELD
from connectcard.sync.models import Destination, Landing

TYPE_WORDS = {
    "string": "text",
    "text": "text",
    "paragraph": "long text",
    "date": "date",
    "boolean": "yes or no",
    "select": "one choice",
    "checkboxes": "checkboxes",
    "phone_number": "phone number",
    "address": "address",
}


@dataclass(frozen=True)
class FormFieldShown:
    """A field of the chosen form: which answer of the card fills it in, or why none can (`why_not`, in words)."""

    label: str
    type_words: str
    required: bool
    filled_by: str
    why_not: str


@dataclass(frozen=True)
class LandingShown:
    """The forms to choose from, the one that is chosen with its fields, and what is to be known about it."""

    forms: Sequence[RemoteChoice]
    chosen: Landing | None
    warnings: tuple[str, ...] = ()
    fields: tuple[FormFieldShown, ...] = ()

    @property
    def form_id(self) -> str:
        return (self.chosen.form_remote_id or "") if self.chosen else ""


def landing_shown(current: Mapping[str, Destination], choices: Sequence[RemoteChoice]) -> LandingShown:
    """What the page says of the church's choice."""
    chosen, offered = forms.find_landing(), forms.forms_offered()
    if chosen is None or not chosen.form_remote_id:
        return LandingShown(offered, chosen)
    if chosen.form_remote_id not in {form.remote_id for form in offered}:
        return LandingShown(offered, chosen, ("This form is closed or gone in Planning Center. Cards are refused until you choose again.",))
    filled = {row.target: FIELDS[row.card_field].label for row in current.values() if row.kind == FORM_FIELD and row.target}
    missing = forms.unanswered(choices, filled)
    needs = f"The form requires {', '.join(missing)}, which no answer of the card fills in. Make that optional in Planning Center."
    shown = tuple(_field_shown(choice, filled) for choice in choices if choice.kind == FORM_FIELD)
    return LandingShown(offered, chosen, (needs,) if missing else (), shown)


def _field_shown(choice: RemoteChoice, filled: Mapping[str, str]) -> FormFieldShown:
    detail = choice.detail
    type_words = TYPE_WORDS.get(detail.get("data_type") or "", "")
    why_not = "" if choice.remote_id in filled else detail.get("why_not") or "No answer goes here."
    return FormFieldShown(choice.name, type_words, bool(detail.get("required")), filled.get(choice.remote_id, ""), why_not)
