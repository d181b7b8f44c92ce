"""Changing the contacts of a person of the directory: an e-mail address, a phone number or a postal address at a time."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from babel import Locale
from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from phonenumbers import SUPPORTED_REGIONS
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.churches.queries import get_church
from connectcard.database import transaction
from connectcard.errors import AnswersRefused, ChangeRefused, NotFound
from connectcard.people import contact_changes, lists
from connectcard.people.contact_edits import Row
from connectcard.people.contacts import ADDRESS, KINDS, Content, content_of, in_words, split_field
from connectcard.people.models import EMAIL, PHONE, Person
from connectcard.sync import push
from connectcard.web import contact_forms
from connectcard.web.access import staff_page

blueprint = Blueprint("contacts", __name__)

NOUNS = {EMAIL: "email address", PHONE: "phone number", ADDRESS: "address"}
ON_ITS_WAY = "This is being sent to Planning Center right now. Try again in a minute."
SAVED, WAITS = "Saved.", "It waits here until somebody presses Send."


def countries() -> dict[str, str]:
    """The countries of the world by their two letters, as they are called in English."""
    names = Locale("en").territories
    known = {code: names[code] for code in SUPPORTED_REGIONS if code in names}
    return dict(sorted(known.items(), key=lambda one: one[1]))


def named(contact: str) -> tuple[str, str]:
    """The kind of a contact and its key. Raises NotFound."""
    parts = split_field(contact)
    if parts is None:
        raise NotFound(contact_changes.GONE_MEANWHILE)
    return parts


# Adding.


@blueprint.get("/people/<uuid:person_id>/contacts/new/<kind>")
@staff_page(STAFF)
def new(person_id: UUID, kind: str) -> str:
    return shown(lists.get_person(person_id), known_kind(kind), None)


@blueprint.post("/people/<uuid:person_id>/contacts/new/<kind>")
@staff_page(STAFF)
def add(person_id: UUID, kind: str) -> tuple[str, int] | AnyResponse:
    known_kind(kind)
    try:
        content = typed(kind)
        with transaction():
            person = lists.get_person(person_id)
            row = contact_changes.add_contact(person, kind, content, g.member.name)
            if request.form.get("primary") == "yes":
                contact_changes.make_primary(person, kind, contact_changes.key_of(row), g.member.name)
    except (AnswersRefused, ChangeRefused) as refusal:
        return again(person_id, kind, None, problems_of(refusal))
    return back(person_id, True)


def known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise NotFound("There is no such kind of contact.")
    return kind


# Changing, removing, taking back.


@blueprint.get("/people/<uuid:person_id>/contacts/<contact>")
@staff_page(STAFF)
def edit(person_id: UUID, contact: str) -> str:
    person, (kind, key) = lists.get_person(person_id), named(contact)
    return shown(person, kind, contact_changes.get_contact(person, kind, key))


@blueprint.post("/people/<uuid:person_id>/contacts/<contact>")
@staff_page(STAFF)
def save(person_id: UUID, contact: str) -> tuple[str, int] | AnyResponse:
    """Keep what was typed; where it cannot be it comes back with the reason."""
    kind, key = named(contact)
    try:
        content = typed(kind)
        with transaction():
            changed = _save(lists.get_person(person_id), kind, key, content)
    except (AnswersRefused, ChangeRefused) as refusal:
        return again(person_id, kind, key, problems_of(refusal))
    return back(person_id, changed)


def _save(person: Person, kind: str, key: str, content: Content) -> bool:
    row = contact_changes.get_contact(person, kind, key)
    if request.form.get("as_of") != contact_changes.as_of(row):
        raise ChangeRefused(contact_changes.CHANGED_MEANWHILE)
    refuse_while_sent(person, row)
    changed = contact_changes.change_contact(person, kind, key, content, g.member.name)
    chosen = request.form.get("primary") == "yes" and contact_changes.make_primary(person, kind, key, g.member.name)
    return changed or chosen


@blueprint.post("/people/<uuid:person_id>/contacts/<contact>/remove")
@staff_page(STAFF)
def remove(person_id: UUID, contact: str) -> tuple[str, int] | AnyResponse:
    """Somebody of the staff says that it is to go, here and there; nothing else ever removes a contact there."""
    kind, key = named(contact)
    try:
        with transaction():
            person = lists.get_person(person_id)
            row = contact_changes.get_contact(person, kind, key)
            if request.form.get("as_of") != contact_changes.as_of(row):
                raise ChangeRefused(contact_changes.CHANGED_MEANWHILE)
            refuse_while_sent(person, row)
            contact_changes.remove_contact(person, kind, key, g.member.name)
    except ChangeRefused as refusal:
        return again(person_id, kind, key, problems_of(refusal))
    return back(person_id, True, "Removed.")


@blueprint.post("/people/<uuid:person_id>/contacts/<contact>/take-back")
@staff_page(STAFF)
def take_back(person_id: UUID, contact: str) -> AnyResponse:
    kind, key = named(contact)
    with transaction():
        contact_changes.take_back(lists.get_person(person_id), kind, key, g.member.name)
    flash("Taken back. It stands here again as in Planning Center.", "ok")
    return redirect(url_for("directory.person", person_id=person_id), 303)


def refuse_while_sent(person: Person, row: Row) -> None:
    """What has no id there yet cannot be told from what is being made of it this minute."""
    if row.remote_id is None and push.is_on_its_way(person.id):
        raise ChangeRefused(ON_ITS_WAY)


def typed(kind: str) -> dict[str, Any]:
    return contact_forms.content_from(kind, request.form, church_country(), countries())


def church_country() -> str:
    return get_church().country_code or "US"


def problems_of(refusal: AnswersRefused | ChangeRefused) -> dict[str, str]:
    return refusal.problems if isinstance(refusal, AnswersRefused) else {"": str(refusal)}


def back(person_id: UUID, changed: bool, words: str = SAVED) -> AnyResponse:
    waits = f" {WAITS}" if lists.get_person(person_id).remote_id else ""
    flash(f"{words}{waits}" if changed else "Nothing was changed.", "ok")
    return redirect(url_for("directory.person", person_id=person_id), 303)


def again(person_id: UUID, kind: str, key: str | None, problems: Mapping[str, str]) -> tuple[str, int]:
    """The form with what was typed, and why it cannot be kept; the form of a removal has nothing to type."""
    person = lists.get_person(person_id)
    row = contact_changes.get_contact(person, kind, key) if key else None
    return shown(person, kind, row, request.form if "location" in request.form else None, problems), 422


def shown(
    person: Person, kind: str, row: Row | None, form: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> str:
    content = content_of(row) if row else None
    filled = form or contact_forms.form_of(kind, content, church_country())
    return render_template(
        "directory/contact.html",
        person=person,
        kind=kind,
        noun=NOUNS[kind],
        row=row,
        stands=in_words(content) if content else "",
        contact=f"{kind}:{contact_changes.key_of(row)}" if row else "",
        as_of=contact_changes.as_of(row) if row else "",
        form=filled,
        problems=problems or {},
        locations={place: place for place in contact_forms.locations(kind, filled.get("location", ""))},
        countries=countries(),
        street_words=contact_forms.STREET_WORDS,
    )
