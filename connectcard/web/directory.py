"""The church's own directory: people, families and groups, each value with where it came from, and what is kept here alone."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF, VIEWER
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import choices, find_connection
from connectcard.database import after_commit, transaction
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.jobs.queue import ring
from connectcard.people import conflicts, lists, own_details
from connectcard.people.models import FAMILY, GROUP, LEADER, PERSON, Family, Group, Person
from connectcard.people.own_details import OwnDetails
from connectcard.sync import record_readings
from connectcard.sync.person_history import history
from connectcard.sync.readings import is_wanted
from connectcard.web import directory_words, group_edit
from connectcard.web.access import poll, staff_page
from connectcard.web.contact_words import contact_lines, waiting_changes
from connectcard.web.contacts import NOUNS
from connectcard.web.paging import asked_page

blueprint = Blueprint("directory", __name__)

WHO_WORDS = {
    lists.EVERYBODY: "Everybody",
    lists.ADULTS: "Adults",
    lists.CHILDREN: "Children",
    lists.ONLY_HERE: "Only here",
    lists.INACTIVE_OR_GONE: "Inactive or gone",
}
LONGEST_SEARCH = 100
GET: dict[str, Callable[[UUID], Any]] = {PERSON: lists.get_person, FAMILY: lists.get_family, GROUP: lists.get_group}
LISTS = {PERSON: "directory.people", FAMILY: "directory.families", GROUP: "directory.groups"}


# Lists. What is looked for is posted: a name that is sealed here stands in no address and so in no log.


@blueprint.route("/people", methods=["GET", "POST"])
@staff_page()
def people() -> str:
    who = request.values.get("who", lists.EVERYBODY)
    who = who if who in lists.WHO else lists.EVERYBODY
    found = lists.list_people(searched(), who, asked_page())
    return render_template("directory/people.html", found=found, who=who, who_words=WHO_WORDS, **list_words())


@blueprint.route("/families", methods=["GET", "POST"])
@staff_page()
def families() -> str:
    return render_template("directory/families.html", found=lists.list_families(searched(), asked_page()), **list_words())


@blueprint.route("/groups", methods=["GET", "POST"])
@staff_page()
def groups() -> str:
    return render_template("directory/groups.html", found=lists.list_groups(searched(), asked_page()), **list_words())


def searched() -> str:
    return request.form.get("search", "").strip()[:LONGEST_SEARCH]


def list_words() -> dict[str, Any]:
    return {
        "text": searched(),
        "counts": lists.counts(),
        "page_rows": lists.PAGE_ROWS,
        "standing": directory_words.standing,
        "enrollment_words": directory_words.ENROLLMENT_WORDS,
    }


# One record.


@blueprint.get("/people/<uuid:person_id>")
@staff_page()
def person(person_id: UUID) -> str:
    return render_template("directory/person.html", **shown_person(lists.get_person(person_id)))


@blueprint.get("/families/<uuid:family_id>")
@staff_page()
def family(family_id: UUID) -> str:
    return render_template("directory/family.html", **shown_family(lists.get_family(family_id)))


@blueprint.get("/groups/<uuid:group_id>")
@staff_page()
def group(group_id: UUID) -> str:
    return render_template("directory/group.html", **shown_group(lists.get_group(group_id)))


def shown_person(person: Person, form: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None) -> dict[str, Any]:
    campuses = {campus.remote_id: campus.name for campus in choices("campus")}
    words = record_words(PERSON, person)
    lines = contact_lines(person, words["conflicts"])
    return {
        "contacts": lines,
        "contact_nouns": NOUNS,
        "waiting": waiting_changes(person, lines, words["conflicts"]),
        "person": person,
        "facts": directory_words.facts_of(person, campuses),
        "families": lists.families_of(person),
        "groups": [one for one in lists.groups_of(person) if may_see_members(one.group)],
        "merged_into": lists.find_person_merged_into(person),
        "own": own_details.details_of(person),
        "last_edits": own_details.last_edits(person),
        "own_words": own_details.WORDS,
        "as_of": own_details.mark_of(person),
        "form": form,
        "problems": problems or {},
        "history": history(person),
        **words,
    }


def shown_family(family: Family) -> dict[str, Any]:
    members = [member for member in family.members if member.gone_at is None]
    return {
        "family": family,
        "members": sorted(members, key=lambda one: (not one.primary, one.person.child if one.person else True, name_of_member(one))),
        "address": directory_words.family_address(family),
        # The list of households tells no roles: they are read when a family is opened.
        **record_words(FAMILY, family, by_itself=family.remote_id is not None and family.roles_read_at is None),
    }


def shown_group(group: Group) -> dict[str, Any]:
    members = [member for member in group.memberships if member.gone_at is None]
    may_see = may_see_members(group)
    return {
        "group": group,
        "facts": directory_words.group_facts(group),
        "members": sorted(members, key=lambda one: (one.role != LEADER, name_of_member(one))) if may_see else [],
        "how_many": len(members),
        "may_see": may_see,
        **record_words(GROUP, group, by_itself=group.remote_id is not None and (group.members_read_at is None or group.tag_ids is None)),
        **group_edit.waits(group),
    }


def may_see_members(group: Group) -> bool:
    """Members of a confidential group are for staff; who may only look sees how many they are."""
    return not group.members_are_confidential or bool(g.member.role != VIEWER)


def name_of_member(member: Any) -> str:
    return member.person.name if member.person else ""


def record_words(kind: str, row: Person | Family | Group, by_itself: bool = False) -> dict[str, Any]:
    """What the pages of all three kinds show, and how old it is."""
    reading, connection = record_readings.find_reading(kind, row.remote_id), find_connection()
    connected = connection is not None and connection.state == CONNECTED
    wanted = connected and is_wanted(reading)
    return {
        "kind": kind,
        "row": row,
        "status": directory_words.standing(row),
        "reading": reading,
        "is_wanted": wanted,
        "may_refresh": connected and row.remote_id is not None and not wanted,
        "reads_by_itself": connected and by_itself and reading is None,
        "seen": str(reading.read_at) if reading else "",
        "stands_as": directory_words.ROLE_WORDS,
        "enrollment_words": directory_words.ENROLLMENT_WORDS,
        "origin_of_part": directory_words.origin_of_part,
        "standing": directory_words.standing,
        "may_change": g.member.role != VIEWER,
        "conflicts": conflicts.of_subject(row.id),
    }


# Reading one record again.


@blueprint.post("/directory/<any(person, family, group):kind>/<uuid:row_id>/refresh")
@staff_page()
def refresh(kind: str, row_id: UUID) -> str | AnyResponse:
    """Have a worker read this record of Planning Center again."""
    church_id = g.church.id
    with transaction():
        record_readings.want(kind, GET[kind](row_id).remote_id)
        after_commit(lambda: ring(church_id))
    if request.headers.get("HX-Request") == "true":
        return fragment(kind, row_id)
    return redirect(f"{url_for(LISTS[kind])}/{row_id}", 303)


@blueprint.get("/directory/<any(person, family, group):kind>/<uuid:row_id>/read")
@staff_page()
@poll
def read_yet(kind: str, row_id: UUID) -> str | AnyResponse:
    """The record as it is, asked for while a worker reads; nothing (204) until it has."""
    reading = record_readings.find_reading(kind, GET[kind](row_id).remote_id)
    if is_wanted(reading) and str(reading.read_at if reading else "") == request.args.get("seen") and not (reading and reading.problem):
        return Response(status=204)
    return fragment(kind, row_id)


def fragment(kind: str, row_id: UUID) -> str:
    shown: dict[str, Callable[[Any], dict[str, Any]]] = {PERSON: shown_person, FAMILY: shown_family, GROUP: shown_group}
    return render_template(f"directory/_{kind}.html", **shown[kind](GET[kind](row_id)))


# What is ours alone.


@blueprint.get("/people/<uuid:person_id>/edit")
@staff_page(STAFF)
def edit(person_id: UUID) -> str:
    person = lists.get_person(person_id)
    return render_template("directory/edit.html", **shown_person(person, form_of(own_details.details_of(person))))


def form_of(own: OwnDetails) -> dict[str, str]:
    texts = {name: getattr(own, name) for name in own_details.LONGEST}
    return texts | {own_details.VERIFIED: "yes" if own.verified else ""}


@blueprint.post("/people/<uuid:person_id>/edit")
@staff_page(STAFF)
def save(person_id: UUID) -> tuple[str, int] | AnyResponse:
    """Keep what is ours of a person; what was typed comes back with the reason where it cannot be kept."""
    try:
        given = own_details.details_from(request.form)
        with transaction():
            changed = own_details.keep_details(lists.get_person(person_id), given, g.member.name, request.form.get("as_of", ""))
    except AnswersRefused as refusal:
        return edit_again(person_id, refusal.problems)
    except ChangeRefused as refusal:
        return edit_again(person_id, {"": str(refusal)})
    flash("Saved." if changed else "Nothing was changed.", "ok")
    return redirect(url_for("directory.person", person_id=person_id), 303)


def edit_again(person_id: UUID, problems: Mapping[str, str]) -> tuple[str, int]:
    return render_template("directory/edit.html", **shown_person(lists.get_person(person_id), request.form, problems)), 422
