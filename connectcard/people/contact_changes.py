"""What staff do to the contacts of a person here: add, change, remove, make primary, take back. Inside `transaction()`.

Of a contact that stands in Planning Center the change is kept (`ContactEdit`) and waits to be sent. One that stands here only is
changed and nothing else is to be done. Each change is in the person's history with who made it.
"""

from collections.abc import Sequence

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people.contact_edits import (
    Row,
    as_text,
    drop_row,
    edits_of,
    find_edit,
    opened,
    put_row,
    rows_of,
    show_primary,
    their_content,
    write_content,
)
from connectcard.people.contacts import (
    ADDRESS,
    KINDS,
    PRIMARY,
    WORDS,
    Content,
    compared,
    content_of,
    field_of,
    kind_of,
    mark_of,
    primary_of,
    says_the_same,
)
from connectcard.people.edit_models import ContactEdit, PersonEdit
from connectcard.people.family_addresses import move_families
from connectcard.people.identity import base_email
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL, Conflict, Person
from connectcard.people.operations import marking_key

WHAT = ADDED, CHANGED, REMOVED, MADE_PRIMARY, TAKEN_BACK = "added", "changed", "removed", "made_primary", "taken_back"
HISTORY_WORDS = {f"{kind}_{what}": f"{WORDS[kind]} {what.replace('_', ' ')}" for kind in KINDS for what in WHAT}
CHANGED_MEANWHILE = "This was changed while you were typing. What stands here now is shown; save again to replace it."
NOT_READ_YET = "Planning Center was not read since this came here. Press Refresh on the person's page, then change it."
DECIDE_FIRST = "This was changed here and in Planning Center. Decide first which of both stands."
THERE_ALREADY = "This person has it already."
GONE_MEANWHILE = "This is not there any more. Somebody removed or changed it meanwhile."


def history_of(person: Person) -> Sequence[PersonEdit]:
    """Every change of a contact here, the newest first; `HISTORY_WORDS` says what each was."""
    wanted = select(PersonEdit).where(PersonEdit.person_id == person.id, PersonEdit.field.in_(HISTORY_WORDS))
    return db.session.scalars(wanted.order_by(PersonEdit.changed_at.desc(), PersonEdit.id)).all()


def key_of(row: Row) -> str:
    """By what a page names a contact: the record's id in Planning Center, which outlives our rows, or our own."""
    return row.remote_id or str(row.id)


def get_contact(person: Person, kind: str, key: str) -> Row:
    """A contact of this person by `key_of`. Raises NotFound."""
    row = next((row for row in rows_of(person, kind) if key_of(row) == key), None)
    if row is None:
        raise NotFound(GONE_MEANWHILE)
    return row


def as_of(row: Row) -> str:
    """Changes whenever what the contact says does: a form sends it back, so that nobody's change is lost unseen."""
    return value_mark(marking_key(), their_content(row))


def add_contact(person: Person, kind: str, content: Content, member_name: str) -> Row:
    """Raises ChangeRefused where the person has it. One that was removed here, and not yet there, simply stays."""
    if _has_it(person, kind, content):
        raise ChangeRefused(THERE_ALREADY)
    removed = _find_removed(person, kind, content)
    if removed is not None:
        return _bring_back(person, removed, content, member_name)
    row = put_row(person, kind, content)
    row.primary = not any(other.primary for other in rows_of(person, kind)) and person.remote_id is None
    row.added_here_at = now() if person.remote_id else None
    _after(person, kind, ADDED, member_name)
    return row


def _has_it(person: Person, kind: str, content: Content, besides: Row | None = None) -> bool:
    """Whether another contact of theirs says the same, or is the same mailbox: a push would not add it."""
    others = [row for row in rows_of(person, kind) if row is not besides]
    if kind == EMAIL:
        mailbox = base_email(str(content["value"]))
        return any(base_email(str(content_of(row)["value"])) == mailbox for row in others)
    return any(says_the_same(content_of(row), content) for row in others)


def _find_removed(person: Person, kind: str, content: Content) -> ContactEdit | None:
    edits = [edit for edit in edits_of(person) if edit.kind == kind and edit.remote_id != PRIMARY and edit.ours is None]
    return next((edit for edit in edits if says_the_same(opened(edit.theirs) or {}, content)), None)


def _bring_back(person: Person, edit: ContactEdit, content: Content, member_name: str) -> Row:
    kind, remote_id = edit.kind, edit.remote_id
    take_back(person, kind, remote_id, member_name)
    change_contact(person, kind, remote_id, content, member_name)
    return get_contact(person, kind, remote_id)


def change_contact(person: Person, kind: str, key: str, content: Content, member_name: str) -> bool:
    """Says whether anything changed. Raises ChangeRefused where it cannot be now, NotFound."""
    row = get_contact(person, kind, key)
    if compared(content_of(row)) == compared(content):
        return False
    if _has_it(person, kind, content, besides=row):
        raise ChangeRefused(THERE_ALREADY)
    _may_change(person, row)
    if row.remote_id:
        _keep_edit(person, row, content, member_name)
    write_content(row, content)
    chosen = find_edit(person, kind, PRIMARY) if row.primary else None
    if chosen is not None:
        chosen.ours = as_text({**content_of(row), "remote_id": row.remote_id or ""})
    _after(person, kind, CHANGED, member_name)
    return True


def remove_contact(person: Person, kind: str, key: str, member_name: str) -> None:
    """It goes here at once, and in Planning Center with the next push. Raises ChangeRefused where it cannot be now, NotFound."""
    row = get_contact(person, kind, key)
    _may_change(person, row)
    chosen = find_edit(person, kind, PRIMARY)
    if row.primary and chosen is not None:
        take_back(person, kind, PRIMARY, member_name)
    if row.remote_id:
        _keep_edit(person, row, None, member_name)
    drop_row(person, row)
    _after(person, kind, REMOVED, member_name)


def make_primary(person: Person, kind: str, key: str, member_name: str) -> bool:
    """Says whether anything changed. Raises ChangeRefused where it cannot be now, NotFound."""
    row = get_contact(person, kind, key)
    if row.primary:
        return False
    if _is_disputed(person, kind, PRIMARY):
        raise ChangeRefused(DECIDE_FIRST)
    if person.remote_id:
        _keep_primary_edit(person, row, member_name)
    for other in rows_of(person, kind):
        other.primary = other is row
    _after(person, kind, MADE_PRIMARY, member_name)
    return True


def take_back(person: Person, kind: str, remote_id: str, member_name: str) -> None:
    """Have it here again as it stands in Planning Center. Raises ChangeRefused where both sides changed it, NotFound."""
    edit = find_edit(person, kind, remote_id)
    if edit is None:
        raise NotFound("This was sent or taken back already.")
    if _is_disputed(person, kind, remote_id):
        raise ChangeRefused(DECIDE_FIRST)
    theirs = opened(edit.theirs) or {}
    db.session.delete(edit)
    db.session.flush()
    if remote_id == PRIMARY:
        show_primary(person, kind, theirs.get("remote_id"))
    else:
        row = put_row(person, kind, theirs, remote_id)
        row.primary = bool(theirs.get(PRIMARY)) and not any(other.primary for other in rows_of(person, kind) if other is not row)
    _after(person, kind, TAKEN_BACK, member_name)


def _may_change(person: Person, row: Row) -> None:
    if person.remote_id and row.remote_id is None and row.added_here_at is None:
        raise ChangeRefused(NOT_READ_YET)
    if row.remote_id and _is_disputed(person, kind_of(row), row.remote_id):
        raise ChangeRefused(DECIDE_FIRST)


def _is_disputed(person: Person, kind: str, remote_id: str) -> bool:
    open_ones = select(Conflict.id).where(Conflict.subject_id == person.id, Conflict.decided_at.is_(None))
    return db.session.scalar(open_ones.where(Conflict.field == field_of(kind, remote_id)).limit(1)) is not None


def _keep_edit(person: Person, row: Row, content: Content | None, member_name: str) -> None:
    """Remember the change, and by a mark what stood in Planning Center before; what is as it is there waits for nothing."""
    key, kind, remote_id = marking_key(), kind_of(row), row.remote_id or ""
    edit = find_edit(person, kind, remote_id) or _new_edit(person, kind, remote_id, their_content(row), mark_of(content_of(row), key))
    if content is not None and mark_of(content, key) == edit.base:
        db.session.delete(edit)
    else:
        _say(edit, content, member_name)


def _keep_primary_edit(person: Person, row: Row, member_name: str) -> None:
    key, kind = marking_key(), kind_of(row)
    theirs = _their_primary(person, kind)
    base = value_mark(key, (theirs or {}).get("remote_id"))
    edit = find_edit(person, kind, PRIMARY) or _new_edit(person, kind, PRIMARY, theirs, base)
    if row.remote_id and value_mark(key, row.remote_id) == edit.base:
        db.session.delete(edit)
    else:
        _say(edit, {**content_of(row), "remote_id": row.remote_id or ""}, member_name)


def _their_primary(person: Person, kind: str) -> dict[str, object] | None:
    """Which one is the primary one there; it may have been removed here."""
    row = primary_of(rows_of(person, kind), kind)
    if row is not None:
        return {**content_of(row), "remote_id": row.remote_id}
    removed = [edit for edit in edits_of(person) if edit.kind == kind and edit.ours is None]
    found = [(edit.remote_id, opened(edit.theirs) or {}) for edit in removed]
    return next(({**theirs, "remote_id": remote_id} for remote_id, theirs in found if theirs.get(PRIMARY)), None)


def _new_edit(person: Person, kind: str, remote_id: str, theirs: Content | None, base: str) -> ContactEdit:
    edit = ContactEdit(person_id=person.id, kind=kind, remote_id=remote_id, base=base)
    edit.theirs = as_text(theirs)
    db.session.add(edit)
    return edit


def _say(edit: ContactEdit, ours: Content | None, member_name: str) -> None:
    edit.ours, edit.changed_by, edit.changed_at = as_text(ours), member_name, now()


def _after(person: Person, kind: str, what: str, member_name: str) -> None:
    """Keep who did it in the history; a family lives where its primary contact does."""
    db.session.add(PersonEdit(person_id=person.id, field=f"{kind}_{what}", changed_by=member_name, changed_at=now()))
    db.session.flush()
    if kind == ADDRESS and person.remote_id:
        move_families({person.remote_id: person.addresses})
