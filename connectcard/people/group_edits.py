"""What staff change of a group here, as far as Planning Center lets it be changed; it stays an edit until both sides agree."""

import json
from typing import Any

from werkzeug.datastructures import MultiDict

from connectcard.database import db
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.people.group_values import LONGEST, NAME, NO_TYPE, SCHEDULE, TAGS, TYPE, set_values, tags, types, values_of
from connectcard.people.marks import value_mark
from connectcard.people.models import Group
from connectcard.people.operations import marking_key, note_edits

CHANGED_MEANWHILE = "Somebody changed this group while you did. Look at what it is now, then save again."
NOT_TO_CHANGE = "This group is archived or gone in Planning Center, so that nothing of it can be changed."


def may_be_changed(group: Group) -> bool:
    """Whether Planning Center would take a change of it."""
    return group.archived_at is None and group.gone_at is None


def mark_of(group: Group) -> str:
    """A mark of the values as they are, by which a form knows that they changed meanwhile."""
    return value_mark(marking_key(), json.dumps(values_of(group), sort_keys=True))


def values_from(form: MultiDict[str, str], group: Group) -> dict[str, Any]:
    """What a form says. Raises AnswersRefused with words for each field that cannot be kept. Tags count only where they were shown."""
    given: dict[str, Any] = {name: " ".join(form.get(name, "").split()) for name in (NAME, SCHEDULE)}
    problems = {name: f"Shorten this to {most} letters or fewer" for name, most in LONGEST.items() if len(given[name]) > most}
    if not given[NAME]:
        problems[NAME] = "Enter the name of the group"
    known_types = {NO_TYPE, values_of(group)[TYPE], *(area.remote_id for area in types())}
    given[TYPE] = form.get(TYPE, "")
    if given[TYPE] not in known_types:
        problems[TYPE] = "Choose one of the types in the list"
    if group.tag_ids is not None and form.get("shows_tags"):
        given[TAGS] = sorted({*form.getlist(TAGS)} & {*group.tag_ids, *(tag.remote_id for tag in tags())})
    if problems:
        raise AnswersRefused(problems)
    return given


def edit_group(group: Group, given: dict[str, Any], member_name: str, as_of: str) -> list[str]:
    """Change a group here; says what really changed. Raises ChangeRefused where it was changed meanwhile or cannot be. Inside
    `transaction()`."""
    if not may_be_changed(group):
        raise ChangeRefused(NOT_TO_CHANGE)
    if as_of != mark_of(group):
        raise ChangeRefused(CHANGED_MEANWHILE)
    before = values_of(group)
    changed = {name: value for name, value in given.items() if before[name] != value}
    if changed and group.remote_id:
        note_edits(group, {name: before[name] for name in changed}, member_name)
    set_values(group, changed)
    db.session.flush()
    return list(changed)
