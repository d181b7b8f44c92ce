"""Field mapping: where each answer of a card goes in the church's Planning Center, one row at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, g, redirect, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards.in_words import Labels, in_words
from connectcard.churches.models import OWNER
from connectcard.connections import operations
from connectcard.connections.models import Connection, RemoteChoice
from connectcard.connections.queries import find_connection
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.jobs.queue import ring
from connectcard.sync import destinations, forms
from connectcard.sync.card_fields import (
    ADDRESS,
    CAMPUS,
    CARD_FIELDS,
    CUSTOM_FIELD,
    EMAIL,
    FIELDS,
    GROUP,
    HOUSEHOLD,
    NOTE,
    NOTHING,
    PERSON_ATTRIBUTE,
    PHONE,
    WORKFLOW_CARD,
    CardField,
    sample,
)
from connectcard.sync.forms import FORM_FIELD
from connectcard.sync.models import Destination
from connectcard.sync.places import TARGETS, TYPED, fitting_targets, option_for, options_of, target_of
from connectcard.sync.resolving import resolve, wanted_option, warnings
from connectcard.web import group_question
from connectcard.web.access import poll, staff_page
from connectcard.web.group_question import GroupQuestion
from connectcard.web.landing import TYPE_WORDS, landing_shown

blueprint = Blueprint("mapping", __name__)

ATTRIBUTE_WORDS = {
    "membership": "Membership",
    "primary_campus_id": "Campus",
    "first_name": "First name",
    "last_name": "Last name",
}
KIND_WORDS = {
    EMAIL: "Email",
    PHONE: "Phone number",
    ADDRESS: "Address",
    HOUSEHOLD: "Household in Planning Center",
    GROUP: "The group they chose",
}
GROUP_WORDS = {FORM_FIELD: "A field of your form", NOTE: "A note", WORKFLOW_CARD: "A card in a workflow"}
EACH_CHOICE = "each"  # a workflow for each choice, instead of one for all


@dataclass(frozen=True)
class Place:
    """Somewhere that an answer can be sent, as the select on the page names it."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True)
class ChoiceRow:
    """One choice on the card and the option it becomes."""

    key: str
    words: str
    wanted: str


@dataclass(frozen=True)
class Row:
    """One card field on the page."""

    field: CardField
    destination: Destination
    goes_to: str
    type_words: str
    sample: str
    becomes: str
    warnings: tuple[str, ...]
    asked: str = ""


@blueprint.get("/mapping")
@staff_page(OWNER)
def page() -> str:
    return mapping_page()


def mapping_page(open_field: str = "", problem: str = "", wanted: Destination | None = None) -> str:
    """The whole page; without JavaScript one row of it can be a form."""
    choices, labels = destinations.offered(), destinations.labels()
    current = destinations.current()
    form = form_of(wanted or current[open_field], problem, choices, labels) if open_field else None
    rows = [row_of(current[field.key], choices, labels) for field in CARD_FIELDS]
    return render_template(
        "mapping/page.html",
        rows=rows,
        form=form,
        open_field=open_field,
        nothing_read=not choices,
        landing=landing_shown(current, choices),
        **freshness(),
    )


# How cards land: as direct records, or as submissions of a form.


@blueprint.post("/mapping/landing")
@staff_page(OWNER)
def land() -> AnyResponse:
    """Choose a form, or direct records; a worker then reads the fields of the form."""
    form = request.form.get("form", "") if request.form.get("way") == "form" else ""
    church_id = g.church.id
    try:
        with transaction():
            if request.form.get("way") == "form" and not form:
                raise ChangeRefused("Choose one of your forms.")
            forms.choose(form or None, g.member.name)
            connection = find_connection()
            if connection is not None:
                operations.want_choices(connection)
                after_commit(lambda: ring(church_id))
    except ChangeRefused as refusal:
        flash(str(refusal), "bad")
    else:
        flash(
            "Saved. New cards land this way." if not form else "Saved. Cards become submissions of this form; look where each answer goes.",
            "ok",
        )
    return redirect(url_for("mapping.page"), 303)


def row_of(destination: Destination, choices: Sequence[RemoteChoice], labels: Labels) -> Row:
    field = FIELDS[destination.card_field]
    answer = sample(field.key, labels)
    resolved = resolve(destination, answer, choices, labels)
    target = target_of(destination, choices)
    question = group_question.standing() if field.key == group_question.FIELD else None
    return Row(
        field=field,
        destination=destination,
        goes_to=goes_to(destination, choices),
        type_words=TYPE_WORDS.get(target.detail.get("data_type", ""), "") if target and destination.kind in TYPED else "",
        sample="" if field.constant else in_words(field.key, answer, labels),
        becomes=", ".join(in_people_words(destination, value, choices) for value in resolved.values),
        warnings=warnings(destination, choices, labels) + (question.warnings if question else ()),
        asked=question.words if question else "",
    )


def goes_to(destination: Destination, choices: Sequence[RemoteChoice]) -> str:
    """Where an answer goes, in words."""
    target = target_of(destination, choices)
    match destination.kind:
        case "nothing":
            return "Not sent"
        case "person_attribute":
            return ATTRIBUTE_WORDS.get(destination.target or "", "")
        case "custom_field":
            return f"{target.detail.get('tab') or 'Custom field'} › {target.name}" if target else "A custom field that is gone"
        case "form_field":
            return f"Form › {target.name}" if target else "A form field that is gone"
        case "note":
            return f"Note › {target.name}" if target else "A note category that is gone"
        case "workflow_card":
            return f"Workflow › {target.name}" if target else "A workflow for each choice"
        case kind:
            return KIND_WORDS[kind]


def in_people_words(destination: Destination, value: str, choices: Sequence[RemoteChoice]) -> str:
    """What is sent, as the church knows it: a campus and a workflow have names."""
    if destination.kind in TYPED and value == "true":
        return "Yes"
    named = (choice.name for choice in options_of(destination, choices) if choice.remote_id == value)
    return next(named, value) if destination.kind in (WORKFLOW_CARD, PERSON_ATTRIBUTE, FORM_FIELD) else value


# Changing one row.


@dataclass(frozen=True)
class Form:
    """A row while it is changed."""

    field: CardField
    destination: Destination
    groups: dict[str, list[Place]]
    choices: list[ChoiceRow]
    options: list[tuple[str, str]]
    problem: str
    question: GroupQuestion | None = None


def form_of(destination: Destination, problem: str, choices: Sequence[RemoteChoice], labels: Labels) -> Form:
    field = FIELDS[destination.card_field]
    shown_as = destination if not field.constant else Destination(card_field=field.key, kind=PERSON_ATTRIBUTE, target=field.attribute)
    options = options_of(shown_as, choices)
    by_id = destination.kind == WORKFLOW_CARD or shown_as.target == CAMPUS
    asked = labels.get(field.key, {}) if options and not (destination.kind == WORKFLOW_CARD and destination.target) else {}
    return Form(
        field=field,
        destination=destination,
        groups=places(field, destination, choices),
        choices=[ChoiceRow(key, words, wanted_value(destination, key, options, labels)) for key, words in asked.items()],
        options=[(option.remote_id if by_id else option.name, option.name) for option in options],
        problem=problem,
        question=group_question.standing() if field.key == group_question.FIELD else None,
    )


def wanted_value(destination: Destination, key: str, options: Sequence[RemoteChoice], labels: Labels) -> str:
    """The option that a choice becomes now; "" where it becomes none."""
    wanted = wanted_option(destination, key, labels)
    if destination.kind == WORKFLOW_CARD:
        return next((option.remote_id for option in options if option.remote_id == wanted), "")
    option = option_for(options, wanted)
    return option.name if option else ""


def place_of(destination: Destination) -> str:
    """A destination as the select names it, such as custom_field:10."""
    if destination.kind == WORKFLOW_CARD and not destination.target:
        return f"{WORKFLOW_CARD}:{EACH_CHOICE}"
    return f"{destination.kind}:{destination.target}" if destination.kind in TARGETS else destination.kind


def places(field: CardField, destination: Destination, choices: Sequence[RemoteChoice]) -> dict[str, list[Place]]:
    """Everywhere that this answer can be sent, by group; the first group has no heading."""
    groups: dict[str, list[Place]] = {"": []}
    chosen = place_of(destination)
    for kind in field.kinds:
        for heading, value, words in _places_of(field, kind, choices):
            groups.setdefault(heading, []).append(Place(value, words, value == chosen))
    return groups


def _places_of(field: CardField, kind: str, choices: Sequence[RemoteChoice]) -> list[tuple[str, str, str]]:
    if kind == NOTHING:
        return [("", NOTHING, "Don’t send")]
    if kind not in TARGETS:
        return [("", kind, KIND_WORDS.get(kind) or ATTRIBUTE_WORDS[field.attribute or ""])]
    fitting = fitting_targets(field, kind, choices)
    single = [(_heading(kind, choice), f"{kind}:{choice.remote_id}", _named(kind, choice)) for choice in fitting]
    by_choice = fitting and kind == WORKFLOW_CARD and field.key in ("visit", "interests")
    return single + ([(GROUP_WORDS[kind], f"{kind}:{EACH_CHOICE}", "One for each choice…")] if by_choice else [])


def _heading(kind: str, choice: RemoteChoice) -> str:
    return f"Custom fields: {choice.detail.get('tab') or 'other'}" if kind == CUSTOM_FIELD else GROUP_WORDS[kind]


def _named(kind: str, choice: RemoteChoice) -> str:
    data_type = choice.detail.get("data_type", "")
    return f"{choice.name} ({TYPE_WORDS.get(data_type, data_type)})" if kind in TYPED else choice.name


@blueprint.get("/mapping/<card_field>")
@staff_page(OWNER)
def row(card_field: str) -> str | AnyResponse:
    """One row as it stands: what Cancel brings back."""
    check_field(card_field)
    if not request.htmx:
        return redirect(url_for("mapping.page", _anchor=card_field))
    return row_fragment(card_field)


def row_fragment(card_field: str, just_saved: bool = False) -> str:
    destination = destinations.current()[card_field]
    shown = row_of(destination, destinations.offered(), destinations.labels())
    return render_template("mapping/_row.html", row=shown, just_saved=just_saved, focused=True)


@blueprint.get("/mapping/<card_field>/edit")
@staff_page(OWNER)
def edit(card_field: str) -> str:
    """The row as a form; `place` shows it as if that place had been chosen."""
    check_field(card_field)
    place = request.args.get("place")
    wanted = chosen(card_field, place, {}, None) if place else destinations.current()[card_field]
    if not request.htmx:
        return mapping_page(card_field, wanted=wanted)
    return form_fragment(wanted, "")


def form_fragment(wanted: Destination, problem: str) -> str:
    form = form_of(wanted, problem, destinations.offered(), destinations.labels())
    return render_template("mapping/_form.html", form=form)


def check_field(card_field: str) -> None:
    if card_field not in FIELDS or FIELDS[card_field].fixed:
        raise NotFound("There is no such field on the card.")


def chosen(card_field: str, place: str, choices: dict[str, str], constant: str | None) -> Destination:
    """What a form says, as a destination that is not stored; a constant without a value is not sent."""
    if FIELDS[card_field].constant:
        place = PERSON_ATTRIBUTE if constant else NOTHING
    kind, _, target = place.partition(":")
    target = FIELDS[card_field].attribute or "" if kind == PERSON_ATTRIBUTE else target.replace(EACH_CHOICE, "")
    return Destination(card_field=card_field, kind=kind, target=target or None, choices=choices, constant=constant, changed_by="")


@blueprint.post("/mapping/<card_field>")
@staff_page(OWNER)
def save(card_field: str) -> str | tuple[str, int] | AnyResponse:
    """Store one row; the form comes back with the reason where Planning Center has no such place any more."""
    check_field(card_field)
    wanted = chosen(card_field, request.form.get("place", NOTHING), posted_choices(), request.form.get("constant"))
    try:
        with transaction():
            destinations.save(card_field, wanted.kind, wanted.target, wanted.choices, wanted.constant, g.member.name)
            if card_field == group_question.FIELD:
                group_question.ask(request.form)
    except ChangeRefused as refusal:
        return (form_fragment(wanted, str(refusal)) if request.htmx else mapping_page(card_field, str(refusal), wanted)), 422
    if request.htmx:
        return row_fragment(card_field, just_saved=True)
    flash(f"{FIELDS[card_field].label}: saved.", "ok")
    return redirect(url_for("mapping.page", _anchor=card_field), 303)


def posted_choices() -> dict[str, str]:
    """The option chosen for each choice; "" says that this choice is not sent."""
    return {name.removeprefix("choice-"): text for name, text in request.form.items() if name.startswith("choice-")}


# What Planning Center offers, as a worker last read it.


def freshness() -> dict[str, object]:
    connection = find_connection()
    return {"connection": connection, "reading": is_reading(connection)}


def is_reading(connection: Connection | None) -> bool:
    """Whether a worker was asked to read and has not answered yet."""
    if connection is None or connection.choices_wanted_at is None:
        return False
    return connection.choices_read_at is None or connection.choices_read_at < connection.choices_wanted_at


@blueprint.post("/mapping/refresh")
@staff_page(OWNER)
def refresh() -> AnyResponse:
    """Have a worker read the fields, campuses, membership types, note categories and workflows again."""
    church_id = g.church.id
    with transaction():
        connection = find_connection()
        if connection is not None:
            operations.want_choices(connection)
            after_commit(lambda: ring(church_id))
    return redirect(url_for("mapping.page"), 303)


@blueprint.get("/mapping/freshness")
@staff_page(OWNER)
@poll
def read_yet() -> str | AnyResponse:
    """The line that says how old the list is; asked for while a worker reads."""
    state = freshness()
    if state["reading"]:
        return Response(status=204)
    return render_template("mapping/_freshness.html", just_read=True, **state)
