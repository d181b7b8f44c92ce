"""Where each answer of a card goes in the church's Planning Center.

What the church chose stands in rows; the rest follows from names ("How did you hear about us?"). A choice is only ever sent as
the text of an option that exists: Planning Center makes a new option of any other text (its field_data documentation).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectcard.cards.in_words import Labels, choice_labels, in_words
from connectcard.cards.models import Card
from connectcard.clock import now
from connectcard.connections.models import RemoteChoice
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync.forms import FORM_FIELD, chosen_form_id, of_the_form
from connectcard.sync.models import Destination

PERSON_ATTRIBUTE, EMAIL, PHONE, ADDRESS, HOUSEHOLD = "person_attribute", "email", "phone", "address", "household"
CUSTOM_FIELD, NOTE, WORKFLOW_CARD, NOTHING = "custom_field", "note", "workflow_card", "nothing"

# Which RemoteChoice a destination's target is.
TARGETS = {CUSTOM_FIELD: "field_definition", FORM_FIELD: "form_field", NOTE: "note_category", WORKFLOW_CARD: "workflow"}
# Places that take answers of some types only, with the kind of their options.
TYPED = {CUSTOM_FIELD: "field_option", FORM_FIELD: "form_field_option"}
# What is sent by its id and not by its words.
BY_ID = ("campus", "workflow", "form_field_option")
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
    CardField("text_me", "Text me", (CUSTOM_FIELD, FORM_FIELD, NOTE, WORKFLOW_CARD, NOTHING), ("boolean", *TEXT_TYPES)),
    CardField("family", "My family", (HOUSEHOLD, CUSTOM_FIELD, FORM_FIELD, NOTE, NOTHING), TEXT_TYPES),
    CardField("ages", "Children's ages", (NOTE, CUSTOM_FIELD, FORM_FIELD, NOTHING), TEXT_TYPES),
    CardField("prayer", "Prayer request", (NOTE, CUSTOM_FIELD, FORM_FIELD, NOTHING), TEXT_TYPES),
)
FIELDS = {field.key: field for field in CARD_FIELDS}

# Names under which churches keep these; compared without case and punctuation.
USUAL_NAMES = {
    "membership": ("visitor", "guest", "first time visitor", "first time guest", "new visitor", "new guest"),
    "visit": ("visit", "visit type", "first time", "is this your first time", "how often have you visited"),
    "first_visit_date": ("first visit date", "date of first visit", "first visit", "first visited"),
    "interests": ("interests", "interested in", "i am interested in", "areas of interest", "id like to know more about"),
    "heard": ("how did you hear about us", "how did you hear", "how they heard about us", "heard about us", "referral source"),
    "text_me": ("text me", "ok to text", "texts ok", "can we text you", "text opt in", "text messages"),
    "phone": ("mobile", "mobile phone", "mobile number", "phone", "phone number", "cell phone"),
    "address": ("address", "home address", "mailing address"),
    "ages": ("family", "children", "kids", "childrens ministry", "childrens ages"),
}


@dataclass(frozen=True)
class Resolved:
    """What one answer becomes: the values to send, and in words what could not be sent and why."""

    values: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def normalised(text: str) -> str:
    """A name for comparing: no case, no punctuation, single spaces, no article in front ("A friend" is "Friend")."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = re.sub(r"[^\w\s]", "", plain.replace("-", " ").replace("/", " ")).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("a", "an", "the") else words)


# What the church chose, and what follows without a choice.


def current() -> dict[str, Destination]:
    """Where each card field goes now, in the order of CARD_FIELDS: the church's choice, else the default."""
    chosen = {row.card_field: row for row in db.session.scalars(select(Destination))}
    defaults = {row.card_field: row for row in default_destinations(offered())}
    return {field.key: chosen.get(field.key) or defaults[field.key] for field in CARD_FIELDS}


def offered() -> list[RemoteChoice]:
    """Everything in the church's Planning Center that can be chosen, as a worker last read it; form fields of the chosen form only."""
    read = list(db.session.scalars(select(RemoteChoice).order_by(RemoteChoice.position, RemoteChoice.name)))
    return of_the_form(read, chosen_form_id())


def labels() -> dict[str, dict[str, str]]:
    """The words of the choices on the church's cards."""
    return choice_labels(list(db.session.scalars(select(Card).order_by(Card.created_at))))


def default_destinations(choices: Sequence[RemoteChoice]) -> list[Destination]:
    """Where each card field goes if the church says nothing. A prayer request goes nowhere until it is switched on."""
    return [_default(field, choices) for field in CARD_FIELDS]


def _default(field: CardField, choices: Sequence[RemoteChoice]) -> Destination:
    if field.constant:
        named = _by_usual_name(field, [choice for choice in choices if choice.kind == "membership_type"])
        return _destination(field, PERSON_ATTRIBUTE if named else NOTHING, field.attribute, named.name if named else None)
    in_form = (
        _by_usual_name(field, fitting_targets(field, FORM_FIELD, choices)) if FORM_FIELD in field.kinds and field.key != "prayer" else None
    )
    if in_form:
        return _destination(field, FORM_FIELD, in_form.remote_id)
    if field.key == "ages":
        category = _by_usual_name(field, fitting_targets(field, NOTE, choices))
        return _destination(field, NOTE if category else NOTHING, category.remote_id if category else None)
    if field.kinds[0] != CUSTOM_FIELD:
        kind = NOTHING if field.key == "prayer" else field.kinds[0]
        return _destination(field, kind, field.attribute)
    named = _by_usual_name(field, fitting_targets(field, CUSTOM_FIELD, choices))
    return _destination(field, CUSTOM_FIELD if named else NOTHING, named.remote_id if named else None)


def _by_usual_name(field: CardField, choices: Iterable[RemoteChoice]) -> RemoteChoice | None:
    by_name = {normalised(choice.name): choice for choice in reversed(list(choices))}
    return next((by_name[name] for name in USUAL_NAMES.get(field.key, ()) if name in by_name), None)


def _destination(field: CardField, kind: str, target: str | None = None, constant: str | None = None) -> Destination:
    target = None if kind == NOTHING else target
    return Destination(card_field=field.key, kind=kind, target=target, choices={}, constant=constant, changed_by="")


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


# What a preview never quotes: it is kept in the open.
PRIVATE = ("prayer", "family", "ages")


def ages_of(family: Mapping[str, Any]) -> str:
    """The children's ages as the card says them, which is no birthdate: "Leo: 6, Mia: 3"; "" where it says none."""
    children = family.get("children") or []
    return ", ".join(f"{one.get('first_name') or 'A child'}: {one['age']}" for one in children if one.get("age"))


# From an answer to what is sent.


def resolve(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels | None = None) -> Resolved:
    """What is sent for an answer. Pure.

    `choices` is `offered()`, `words` is `labels()`. An unanswered field sends nothing. A choice is sent as the existing option
    with the same normalised text, or not at all, with a problem that says so. Values are texts: option texts, an ISO date,
    "true", a campus's or workflow's id. An address is sent by its parts; here it is one line, for people to read.
    """
    words = words or {}
    if FIELDS[destination.card_field].constant:
        answer = destination.constant
    if destination.kind == NOTHING or answer in (None, "", False, [], {}):
        return Resolved()
    if destination.kind in TARGETS and not (destination.kind == WORKFLOW_CARD and destination.choices):
        return _into_target(destination, answer, choices, words)
    if destination.kind == WORKFLOW_CARD or destination.target in (MEMBERSHIP, CAMPUS):
        return _as_options(destination, answer, choices, words)
    return _as_text(destination, answer, words)


def _into_target(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    target = target_of(destination, choices)
    if target is None:
        return Resolved(problems=(f"{_label(destination)}: {_gone(destination)} Choose another place in Field mapping.",))
    if destination.kind == WORKFLOW_CARD:
        return Resolved((target.remote_id,))
    return _as_text(destination, answer, words) if destination.kind == NOTE else _into_field(destination, target, answer, choices, words)


def _gone(destination: Destination) -> str:
    what = {CUSTOM_FIELD: "custom field", FORM_FIELD: "form field", NOTE: "note category", WORKFLOW_CARD: "workflow"}[destination.kind]
    return f"its {what} is no longer in Planning Center." if destination.target else f"no {what} is chosen."


def _into_field(destination: Destination, target: RemoteChoice, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    data_type = target.detail.get("data_type")
    if data_type not in FIELDS[destination.card_field].data_types:
        return Resolved(problems=(f"{_label(destination)} does not fit “{target.name}”, which is now a {data_type} field.",))
    if data_type in CHOICE_TYPES:
        return _as_options(destination, answer, choices, words)
    return Resolved(("true",)) if data_type == "boolean" else _as_text(destination, answer, words)


def _as_text(destination: Destination, answer: Any, words: Labels) -> Resolved:
    text = in_words(destination.card_field, answer, words)
    return Resolved((text,) if text else ())


def _as_options(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    options = options_of(destination, choices)
    keys = answer if isinstance(answer, list) else [answer]
    wanted = {key: wanted_option(destination, key, words) for key in keys}
    found = {key: _option(options, text) for key, text in wanted.items() if text}
    values = [_sent_as(destination, option) for option in found.values() if option]
    problems = [_no_option(destination, key, choices, words) for key, option in found.items() if option is None]
    return Resolved(tuple(dict.fromkeys(values)), tuple(problems))


def wanted_option(destination: Destination, key: str, words: Labels) -> str:
    """The text (or id) that one choice on the card is meant to become; "" where the church does not send it."""
    return destination.choices.get(key, words.get(destination.card_field, {}).get(key, key))


def _option(options: Sequence[RemoteChoice], text: str) -> RemoteChoice | None:
    by_id = next((option for option in options if option.kind in BY_ID and option.remote_id == text), None)
    return by_id or next((option for option in options if normalised(option.name) == normalised(text)), None)


def _sent_as(destination: Destination, option: RemoteChoice) -> str:
    return option.remote_id if option.kind in BY_ID else option.name


def _no_option(destination: Destination, key: str, choices: Sequence[RemoteChoice], words: Labels) -> str:
    answer = in_words(destination.card_field, key, words)
    return f"“{answer}” has no matching choice in {place(destination, choices)}, so it is not sent."


def place(destination: Destination, choices: Sequence[RemoteChoice]) -> str:
    """Where a destination leads, in a few words."""
    if destination.kind in TARGETS:
        target = target_of(destination, choices)
        return f"“{target.name}”" if target else "a place that is gone"
    return {MEMBERSHIP: "Membership", CAMPUS: "Campus"}.get(destination.target or "", _label(destination))


def _label(destination: Destination) -> str:
    return FIELDS[destination.card_field].label


def warnings(destination: Destination, choices: Sequence[RemoteChoice], words: Labels) -> tuple[str, ...]:
    """What would go wrong with the answers that can be given, in words; choices without a match make one sentence."""
    answers = list(words.get(destination.card_field, {}))
    lost = [in_words(destination.card_field, key, words) for key in answers if _has_no_option(destination, key, choices, words)]
    if lost:
        are = "have no matching choice in" if len(lost) > 1 else "has no matching choice in"
        not_sent = "are not sent" if len(lost) > 1 else "is not sent"
        return (f"{', '.join(lost)} {are} {place(destination, choices)} and {not_sent}.",)
    return resolve(destination, answers[0] if answers else _example(destination.card_field), choices, words).problems


def _has_no_option(destination: Destination, key: str, choices: Sequence[RemoteChoice], words: Labels) -> bool:
    resolved = resolve(destination, key, choices, words)
    return bool(resolved.problems and options_of(destination, choices))


def sample(field: str, words: Labels) -> Any:
    """An answer as a visitor might give it, to show what becomes of it."""
    keys = list(words.get(field, {}))
    return (keys[:2] if field == "interests" else keys[0]) if keys else _example(field)


def _example(field: str) -> Any:
    return {
        "first_name": "Ana",
        "last_name": "Lopez",
        "email": "ana.lopez@gmail.com",
        "phone": "(512) 555-0177",
        "address": {"street": "12 Oak Street", "city": "Austin", "state": "TX", "zip": "78701"},
        "first_visit_date": date(2026, 11, 15),
        "text_me": True,
        "prayer": "Please pray for my mother.",
        "family": {"children": [{"first_name": "Leo", "age": "6"}]},
        "ages": "Leo: 6",
    }.get(field, "")


def first_visit_date(answers: Mapping[str, Any], received_at: datetime, time_zone: str) -> date | None:
    """The church's own date of a first visit; None for people who were there before."""
    return received_at.astimezone(ZoneInfo(time_zone)).date() if answers.get("visit") == "first_time" else None


# Changing it.


def save(card_field: str, kind: str, target: str | None, choices: Mapping[str, str], constant: str | None, member_name: str) -> Destination:
    """Send a card field somewhere else from now on; raises ChangeRefused, with words, where that place is not there or does not fit."""
    wanted = Destination(
        card_field=card_field, kind=kind, target=target or None, choices=dict(choices), constant=constant or None, changed_by=member_name
    )
    _refuse_misfits(wanted, offered(), labels())
    row = db.session.scalar(select(Destination).where(Destination.card_field == card_field).with_for_update()) or wanted
    row.kind, row.target, row.choices, row.constant = wanted.kind, wanted.target, wanted.choices, wanted.constant
    row.changed_by, row.changed_at = member_name, now()
    db.session.add(row)
    db.session.flush()
    return row


def _refuse_misfits(wanted: Destination, choices: Sequence[RemoteChoice], words: Labels) -> None:
    field = FIELDS.get(wanted.card_field)
    if field is None or field.fixed or wanted.kind not in field.kinds:
        raise ChangeRefused("This answer cannot be sent there. Choose one of the places in the list.")
    if wanted.kind == PERSON_ATTRIBUTE:
        wanted.target = field.attribute
    if wanted.kind not in TARGETS and wanted.kind != PERSON_ATTRIBUTE:
        wanted.target, wanted.choices, wanted.constant = None, {}, None
    _refuse_missing_target(field, wanted, choices)
    _refuse_unknown_choices(field, wanted, choices, words)


def _refuse_missing_target(field: CardField, wanted: Destination, choices: Sequence[RemoteChoice]) -> None:
    by_choice = wanted.kind == WORKFLOW_CARD and any(wanted.choices.values())
    if wanted.kind not in TARGETS or by_choice:
        return
    target = target_of(wanted, choices)
    if target is None:
        raise ChangeRefused(f"{field.label}: {_gone(wanted)} Refresh the list and choose again.")
    if target not in fitting_targets(field, wanted.kind, choices):
        raise ChangeRefused(f"{field.label} does not fit “{target.name}”, which is a {target.detail.get('data_type')} field.")


def _refuse_unknown_choices(field: CardField, wanted: Destination, choices: Sequence[RemoteChoice], words: Labels) -> None:
    options = options_of(wanted, choices)
    wanted.choices = {key: text for key, text in wanted.choices.items() if key in words.get(field.key, {})} if options else {}
    for text in [*wanted.choices.values(), wanted.constant if field.constant and wanted.kind != NOTHING else None]:
        if text and _option(options, text) is None:
            raise ChangeRefused(
                f"“{text}” is not a choice of {place(wanted, choices)} in Planning Center. Refresh the list and choose again."
            )
    if field.constant and wanted.kind == PERSON_ATTRIBUTE and not wanted.constant:
        raise ChangeRefused(f"{field.label}: choose a value, or “Don't send”.")
