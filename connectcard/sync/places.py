"""What stands in a church's Planning Center that an answer can be sent to, as a worker last read it; pure."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain

from connectcard.connections.models import RemoteChoice
from connectcard.sync.card_fields import CAMPUS, CUSTOM_FIELD, FIELDS, MEMBERSHIP, NOTE, WORKFLOW_CARD, CardField
from connectcard.sync.forms import FORM_FIELD
from connectcard.sync.models import Destination

# Which RemoteChoice a destination's target is.
TARGETS = {CUSTOM_FIELD: "field_definition", FORM_FIELD: "form_field", NOTE: "note_category", WORKFLOW_CARD: "workflow"}
# Places that take answers of some types only, with the kind of their options.
TYPED = {CUSTOM_FIELD: "field_option", FORM_FIELD: "form_field_option"}
# What is sent by its id and not by its words.
BY_ID = ("campus", "workflow", "form_field_option")


def normalised(text: str) -> str:
    """A name for comparing: no case, no punctuation, single spaces, no article in front ("A friend" is "Friend")."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = re.sub(r"[^\w\s]", "", plain.replace("-", " ").replace("/", " ")).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("a", "an", "the") else words)


def fitting_targets(field: CardField, kind: str, choices: Sequence[RemoteChoice]) -> list[RemoteChoice]:
    """The custom fields, form fields, note categories or workflows that this card field can be sent to."""
    return [
        choice
        for choice in choices
        if choice.kind == TARGETS.get(kind) and (kind not in TYPED or choice.detail.get("data_type") in field.data_types)
    ]


def target_of(destination: Destination, choices: Sequence[RemoteChoice]) -> RemoteChoice | None:
    """The custom field, form field, note category or workflow that a destination names; None if it is gone."""
    kind = TARGETS.get(destination.kind)
    return next((choice for choice in choices if choice.kind == kind and choice.remote_id == destination.target), None)


def options_of(destination: Destination, choices: Sequence[RemoteChoice]) -> list[RemoteChoice]:
    """What one choice on the card can become there: a field's options, the membership types, the campuses or the workflows."""
    if destination.kind in TYPED:
        of_field = (choice for choice in choices if choice.kind == TYPED[destination.kind])
        return [choice for choice in of_field if choice.parent_remote_id == destination.target]
    kind = (
        "workflow" if destination.kind == WORKFLOW_CARD else {MEMBERSHIP: "membership_type", CAMPUS: "campus"}.get(destination.target or "")
    )
    return [choice for choice in choices if choice.kind == kind]


def option_for(options: Sequence[RemoteChoice], text: str) -> RemoteChoice | None:
    """The option of this id or of these words, to the letter before others that are alike; None where there is none."""
    by_id = (option for option in options if option.kind in BY_ID and option.remote_id == text)
    to_the_letter = (option for option in options if option.name == text)
    alike = (option for option in options if normalised(text) and normalised(option.name) == normalised(text))
    return next(chain(by_id, to_the_letter, alike), None)


def sent_as(option: RemoteChoice) -> str:
    """What is sent for an option: its id, or its text."""
    return option.remote_id if option.kind in BY_ID else option.name


def place(destination: Destination, choices: Sequence[RemoteChoice]) -> str:
    """Where a destination leads, in a few words."""
    if destination.kind in TARGETS:
        target = target_of(destination, choices)
        return f"“{target.name}”" if target else "a place that is gone"
    return {MEMBERSHIP: "Membership", CAMPUS: "Campus"}.get(destination.target or "", label_of(destination))


def why_gone(destination: Destination) -> str:
    """Why a destination that names no target of now leads nowhere, in words."""
    what = {CUSTOM_FIELD: "custom field", FORM_FIELD: "form field", NOTE: "note category", WORKFLOW_CARD: "workflow"}[destination.kind]
    return f"its {what} is no longer in Planning Center." if destination.target else f"no {what} is chosen."


def label_of(destination: Destination) -> str:
    """How the page calls the card field of a destination."""
    return FIELDS[destination.card_field].label
