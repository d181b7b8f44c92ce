"""Where each answer of a card goes in the church's Planning Center.

What the church chose stands in rows; the rest follows from names ("How did you hear about us?").
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from connectcard.cards.in_words import Labels, choice_labels
from connectcard.cards.models import Card
from connectcard.clock import now
from connectcard.connections.models import RemoteChoice
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync.card_fields import CARD_FIELDS, CUSTOM_FIELD, FIELDS, NOTE, NOTHING, PERSON_ATTRIBUTE, WORKFLOW_CARD, CardField
from connectcard.sync.forms import FORM_FIELD, chosen_form_id, of_the_form
from connectcard.sync.models import Destination
from connectcard.sync.places import TARGETS, fitting_targets, normalised, option_for, options_of, place, target_of, why_gone

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


_CHOSEN = select(Destination)
_OFFERED = select(RemoteChoice).order_by(RemoteChoice.position, RemoteChoice.name)
_CARDS = select(Card).order_by(Card.created_at)


def current(choices: Sequence[RemoteChoice] | None = None) -> dict[str, Destination]:
    """Where each card field goes now, in the order of CARD_FIELDS: the church's choice, else the default.

    `choices` is `offered()`, where that was read already.
    """
    chosen = {row.card_field: row for row in db.session.scalars(_CHOSEN)}
    defaults = {row.card_field: row for row in default_destinations(offered() if choices is None else choices)}
    return {field.key: chosen.get(field.key) or defaults[field.key] for field in CARD_FIELDS}


def offered() -> list[RemoteChoice]:
    """Everything in the church's Planning Center that can be chosen, as a worker last read it; form fields of the chosen form only."""
    return offered_with(chosen_form_id())


def offered_with(form_id: str | None) -> list[RemoteChoice]:
    """The same with the form fields of this form."""
    return of_the_form(list(db.session.scalars(_OFFERED)), form_id)


def labels() -> dict[str, dict[str, str]]:
    """The words of the choices on the church's cards."""
    return choice_labels(list(db.session.scalars(_CARDS)))


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
        raise ChangeRefused(f"{field.label}: {why_gone(wanted)} Refresh the list and choose again.")
    if target not in fitting_targets(field, wanted.kind, choices):
        raise ChangeRefused(f"{field.label} does not fit “{target.name}”, which is a {target.detail.get('data_type')} field.")


def _refuse_unknown_choices(field: CardField, wanted: Destination, choices: Sequence[RemoteChoice], words: Labels) -> None:
    options = options_of(wanted, choices)
    wanted.choices = {key: text for key, text in wanted.choices.items() if key in words.get(field.key, {})} if options else {}
    for text in [*wanted.choices.values(), wanted.constant if field.constant and wanted.kind != NOTHING else None]:
        if text and option_for(options, text) is None:
            raise ChangeRefused(
                f"“{text}” is not a choice of {place(wanted, choices)} in Planning Center. Refresh the list and choose again."
            )
    if field.constant and wanted.kind == PERSON_ATTRIBUTE and not wanted.constant:
        raise ChangeRefused(f"{field.label}: choose a value, or “Don't send”.")
