"""Changing a group of our directory: its name, its type, when it meets and its tags; Send carries it to Planning Center."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import transaction
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.people import group_edits, group_values, lists
from connectcard.people.group_values import TAGS
from connectcard.people.models import Group, GroupTag
from connectcard.web import directory_words
from connectcard.web.access import staff_page

blueprint = Blueprint("group_edit", __name__)


@blueprint.get("/groups/<uuid:group_id>/edit")
@staff_page(STAFF)
def edit(group_id: UUID) -> str | AnyResponse:
    group = lists.get_group(group_id)
    if not group_edits.may_be_changed(group):
        flash(group_edits.NOT_TO_CHANGE, "warn")
        return _back(group_id)
    return _page(group, form_of(group), {})


def form_of(group: Group) -> MultiDict[str, str]:
    """The form, filled with the values as they stand."""
    values = group_values.values_of(group)
    lines = [(name, value) for name, value in values.items() if name != TAGS]
    return MultiDict([*lines, *((TAGS, one) for one in values[TAGS] or ()), ("as_of", group_edits.mark_of(group))])


def _page(group: Group, form: MultiDict[str, str], problems: Mapping[str, str]) -> str:
    return render_template(
        "directory/edit_group.html",
        group=group,
        form=form,
        chosen=form.getlist(TAGS),
        problems=problems,
        as_of=group_edits.mark_of(group),
        types=group_values.types(),
        type_now=group.area,
        tag_groups=_by_heading(group_values.tags()) if group.tag_ids is not None else {},
        facts={fact.name: fact for fact in directory_words.group_facts(group)},
    )


def _by_heading(tags: list[GroupTag]) -> dict[str, list[GroupTag]]:
    headings: dict[str, list[GroupTag]] = {}
    for tag in tags:
        headings.setdefault(tag.tag_group, []).append(tag)
    return headings


@blueprint.post("/groups/<uuid:group_id>/edit")
@staff_page(STAFF)
def save(group_id: UUID) -> tuple[str, int] | AnyResponse:
    """Keep what was changed; what was typed comes back with the reason where it cannot be kept."""
    try:
        with transaction():
            group = lists.get_group(group_id)
            given = group_edits.values_from(request.form, group)
            changed = group_edits.edit_group(group, given, g.member.name, request.form.get("as_of", ""))
    except AnswersRefused as refusal:
        return _page(lists.get_group(group_id), request.form, refusal.problems), 422
    except ChangeRefused as refusal:
        return _page(lists.get_group(group_id), request.form, {"": str(refusal)}), 422
    flash("Saved. It goes to Planning Center when somebody sends it." if changed else "Nothing was changed.", "ok")
    return _back(group_id)


def _back(group_id: UUID) -> AnyResponse:
    return redirect(url_for("directory.group", group_id=group_id), 303)


def waits(group: Group) -> dict[str, Any]:
    """What the page of a group says of changes that are not sent yet."""
    known = directory_words.GROUP_LABELS
    return {"unsent": [known[name] for name in group.edits or {} if name in known], "editable": group_edits.may_be_changed(group)}
