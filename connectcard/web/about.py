"""Changing what is known of a person beside contacts: names, birthdate, gender, status, membership, campus."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards.fields import clean_line
from connectcard.churches.models import STAFF
from connectcard.clock import now
from connectcard.connections.queries import choices
from connectcard.database import transaction
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.people import conflicts, lists
from connectcard.people.contact_changes import CHANGED_MEANWHILE, DECIDE_FIRST
from connectcard.people.marks import value_mark
from connectcard.people.models import ACTIVE, IDENTITY, INACTIVE, PERSON, Person
from connectcard.people.operations import EDITABLE, edit_person, marking_key
from connectcard.people.ownership import BY_KEY
from connectcard.web.access import staff_page
from connectcard.web.contacts import SAVED, WAITS, problems_of
from connectcard.web.times import local_day

blueprint = Blueprint("about", __name__)

NAMES = tuple(name for name in IDENTITY if name != "birthdate")
FIELDS = (*IDENTITY, *EDITABLE)
LABELS = {name: BY_KEY[f"{PERSON}.{name}"].words for name in FIELDS}
LONGEST_NAME, CHILD = 200, "child"


def values_of(person: Person) -> dict[str, Any]:
    return {**vars(person.identity), **{name: getattr(person, name) for name in EDITABLE}}


def as_of(person: Person) -> str:
    """Changes whenever anything of it does, so that nobody's change is lost unseen."""
    return value_mark(marking_key(), values_of(person))


def form_of(person: Person) -> dict[str, str]:
    known = values_of(person)
    return {name: str(value or "") for name, value in known.items()} | {CHILD: "yes" if known[CHILD] else "no"}


def choices_for(person: Person) -> dict[str, dict[str, str]]:
    """What can be chosen; what is known and not among it stays what it is."""
    memberships = {one.name: one.name for one in choices("membership_type")}
    campuses = {one.remote_id: one.name for one in choices("campus")}
    known = {name: str(getattr(person, name) or "") for name in ("gender", "membership", "campus_remote_id")}
    offered = {"gender": {"Female": "Female", "Male": "Male"}, "membership": memberships, "campus_remote_id": campuses}
    kept = {name: {known[name]: known[name]} if known[name] else {} for name in offered}
    fixed = {CHILD: {"no": "Adult", "yes": "Child"}, "status": {ACTIVE: "Active", INACTIVE: "Inactive"}}
    return {**{name: {**kept[name], **words} for name, words in offered.items()}, **fixed}


def values_from(form: Mapping[str, str], offered: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What was typed. Raises AnswersRefused with words for each input that cannot be taken."""
    lines = {name: clean_line(form.get(name, "")) for name in FIELDS}
    problems = {name: f"{LABELS[name]}: shorten this to 200 letters or fewer" for name in NAMES if len(lines[name]) > LONGEST_NAME}
    if not lines["first_name"] and not lines["last_name"]:
        problems["first_name"] = "Enter a first name or a last name"
    problems |= {name: "Choose one of these" for name, words in offered.items() if lines[name] not in words and lines[name]}
    problems |= {name: "Choose one of these" for name in (CHILD, "status") if not lines[name]}
    born = _day(lines["birthdate"])
    if lines["birthdate"] and (born is None or not date(1900, 1, 1) <= born <= local_day(now())):
        problems["birthdate"] = "Enter the day as year, month and day, not in the future"
    if problems:
        raise AnswersRefused(problems)
    return {**lines, "birthdate": born, CHILD: lines[CHILD] == "yes", "campus_remote_id": lines["campus_remote_id"] or None}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@blueprint.get("/people/<uuid:person_id>/about")
@staff_page(STAFF)
def edit(person_id: UUID) -> str:
    person = lists.get_person(person_id)
    return shown(person, form_of(person), {})


@blueprint.post("/people/<uuid:person_id>/about")
@staff_page(STAFF)
def save(person_id: UUID) -> tuple[str, int] | AnyResponse:
    """Keep what was typed; where it cannot be it comes back with the reason."""
    try:
        with transaction():
            changed = _save(lists.get_person(person_id))
    except (AnswersRefused, ChangeRefused) as refusal:
        return shown(lists.get_person(person_id), request.form, problems_of(refusal)), 422
    waits = f" {WAITS}" if lists.get_person(person_id).remote_id else ""
    flash(f"{SAVED}{waits}" if changed else "Nothing was changed.", "ok")
    return redirect(url_for("directory.person", person_id=person_id), 303)


def _save(person: Person) -> list[str]:
    if request.form.get("as_of") != as_of(person):
        raise ChangeRefused(CHANGED_MEANWHILE)
    known, values = values_of(person), values_from(request.form, choices_for(person))
    disputed = {one.conflict.field for one in conflicts.of_subject(person.id)}
    if any(values[name] != known[name] for name in disputed & values.keys()):
        raise ChangeRefused(DECIDE_FIRST)
    return edit_person(person, values, g.member.name)


def shown(person: Person, form: Mapping[str, str], problems: Mapping[str, str]) -> str:
    return render_template(
        "directory/about.html",
        person=person,
        form=form,
        problems=problems,
        as_of=as_of(person),
        words=LABELS,
        choices=choices_for(person),
    )
