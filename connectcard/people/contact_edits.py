"""Contacts that were changed here and stand in Planning Center: what is kept of a change until both sides have the same again."""

import json
from typing import Any

from sqlalchemy import bindparam, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.contacts import (
    ADDRESS,
    PRIMARY,
    Content,
    Part,
    compared,
    content_of,
    field_of,
    kind_of,
    mark_of,
    says_the_same,
    split_field,
)
from connectcard.people.edit_models import ContactEdit
from connectcard.people.identity import base_email
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL, Address, Conflict, Contact, Person

Row = Contact | Address


_EDITS = select(ContactEdit).where(ContactEdit.person_id == bindparam("person")).order_by(ContactEdit.changed_at, ContactEdit.id)


def edits_of(person: Person) -> list[ContactEdit]:
    """Everything of this person that waits to be sent or decided, in the order it was changed."""
    return list(db.session.scalars(_EDITS, {"person": person.id}))


def find_edit(person: Person, kind: str, remote_id: str) -> ContactEdit | None:
    named = ContactEdit.kind == kind, ContactEdit.remote_id == remote_id
    return db.session.scalars(select(ContactEdit).where(ContactEdit.person_id == person.id, *named)).first()


def opened(text: str | None) -> dict[str, Any] | None:
    """What `ours` and `theirs` of an edit say; None for a contact that is not there."""
    return dict(json.loads(text)) if text else None


def as_text(content: Content | None) -> str | None:
    return None if content is None else json.dumps(dict(content), ensure_ascii=False)


def their_content(part: Part) -> dict[str, Any]:
    """A contact as it stands there, with whether it is the primary one."""
    return {**content_of(part), PRIMARY: part.primary}


# Rows.


def rows_of(person: Person, kind: str) -> list[Row]:
    """The contacts of one kind that the directory shows."""
    return list(person.addresses) if kind == ADDRESS else [row for row in person.contacts if row.kind == kind]


def find_row(person: Person, kind: str, remote_id: str) -> Row | None:
    return next((row for row in rows_of(person, kind) if row.remote_id == remote_id), None)


def put_row(person: Person, kind: str, content: Content, remote_id: str | None = None) -> Row:
    """Have the directory show this; a person has each e-mail address and number once."""
    row = find_row(person, kind, remote_id) if remote_id else None
    twin = find_twin(person, kind, content)
    if twin is not None and twin is not row:
        if row is not None:
            drop_row(person, row)
        return twin
    if row is None:
        row = _new_row(person, kind, remote_id)
    write_content(row, content)
    db.session.flush()
    return row


def _new_row(person: Person, kind: str, remote_id: str | None) -> Row:
    if kind == ADDRESS:
        address = Address(church_id=person.church_id, remote_id=remote_id, primary=False)
        person.addresses.append(address)
        return address
    contact = Contact(church_id=person.church_id, kind=kind, value="", remote_id=remote_id, primary=False)
    person.contacts.append(contact)
    return contact


def write_content(row: Row, content: Content) -> None:
    for name in content_of(row):
        setattr(row, name, content.get(name) or "")
    if isinstance(row, Contact):
        row.mailbox = base_email(row.value) if row.kind == EMAIL else None


def find_twin(person: Person, kind: str, content: Content) -> Row | None:
    """The contact that says the same, wherever it belongs."""
    return next((row for row in rows_of(person, kind) if says_the_same(content_of(row), content)), None)


def drop_row(person: Person, row: Row) -> None:
    if isinstance(row, Address):
        person.addresses.remove(row)
    else:
        person.contacts.remove(row)
    # What takes its place is added behind it.
    db.session.flush()


def show_primary(person: Person, kind: str, remote_id: str | None) -> None:
    """Have this one of a kind be the primary one here."""
    for row in rows_of(person, kind):
        row.primary = row.remote_id is not None and row.remote_id == remote_id


# What Planning Center was told, and what staff decided.


def is_added(person: Person, row: Row, remote_id: str) -> None:
    """One that was added here stands there now: no later push adds it again, and the read-back may renew it."""
    _take_over_what_came_first(person, row, remote_id)
    row.remote_id, row.added_here_at = remote_id, None
    chosen = find_edit(person, kind_of(row), PRIMARY) if row.primary else None
    if chosen is not None:
        chosen.ours = as_text({**content_of(row), "remote_id": remote_id})


def _take_over_what_came_first(person: Person, row: Row, remote_id: str) -> None:
    """A pull or a delivery may bring what we added before we know under which id it stands there: it is one and the same."""
    brought = find_row(person, kind_of(row), remote_id)
    if brought is not None and brought is not row:
        shown, primary = content_of(brought), brought.primary
        drop_row(person, brought)
        write_content(row, shown)
        row.primary = primary


def is_written(person: Person, kind: str, remote_id: str, sent: Content | None, answered: Content | None, key: str) -> None:
    """A change has arrived there (`sent` and `answered` are None for a removal): nothing waits, unless it was changed again meanwhile."""
    edit, row = find_edit(person, kind, remote_id), find_row(person, kind, remote_id)
    wanted = opened(edit.ours) if edit else content_of(row) if row else None
    if compared(wanted) == compared(sent) or (edit is None and row is None):
        _forget(edit)
        if row is not None and answered is not None:
            put_row(person, kind, answered, remote_id)
    elif answered is None:
        _forget(edit)
        _add_again(person, kind, wanted or {}, remote_id)
    else:
        edit = edit or _new_edit(person, kind, remote_id, wanted)
        edit.theirs, edit.base = as_text(answered), mark_of(answered, key)
    db.session.flush()


def primary_is_written(person: Person, kind: str, remote_id: str, key: str) -> None:
    """This one is the primary one there now."""
    edit = find_edit(person, kind, PRIMARY)
    if edit is not None and (opened(edit.ours) or {}).get("remote_id") == remote_id:
        _forget(edit)
    elif edit is not None:
        row = find_row(person, kind, remote_id)
        edit.base, edit.theirs = value_mark(key, remote_id), as_text({**(content_of(row) if row else {}), "remote_id": remote_id})
    db.session.flush()


def is_unsent(person: Person, kind: str, remote_id: str, sent: Content | None, theirs: Content, member_name: str, key: str) -> None:
    """A change was taken back there: `theirs` stands there again, and what staff wrote here, `sent` where nothing newer is, waits anew."""
    edit, row = find_edit(person, kind, remote_id), find_row(person, kind, remote_id)
    here = content_of(row) if row else None
    ours = opened(edit.ours) if edit else sent if row is None or compared(here) == compared(theirs) else here
    edit = edit or _new_edit(person, kind, remote_id, ours, member_name)
    edit.theirs, edit.base = as_text(theirs), mark_of(theirs, key)
    if ours is not None:
        put_row(person, kind, ours, remote_id)
    db.session.flush()


def is_back(person: Person, kind: str, remote_id: str, theirs: Content, member_name: str, key: str) -> None:
    """A removal was taken back there: it stands there anew as `remote_id`, is still removed here, and waits to be removed again."""
    row = find_row(person, kind, remote_id)
    twin = find_twin(person, kind, theirs)
    if twin is not None and twin is not row:
        twin.remote_id, twin.added_here_at = remote_id, None
        return
    if row is not None:
        drop_row(person, row)
    edit = find_edit(person, kind, remote_id) or _new_edit(person, kind, remote_id, None, member_name)
    edit.theirs, edit.base = as_text(theirs), mark_of(theirs, key)
    db.session.flush()


def primary_is_unsent(person: Person, kind: str, remote_id: str, instead_of: str, member_name: str, key: str) -> None:
    """Another one is the primary one there again; which one staff chose here waits anew."""
    chosen, there = find_row(person, kind, remote_id), find_row(person, kind, instead_of)
    if chosen is None:
        return
    ours = {**content_of(chosen), "remote_id": remote_id}
    edit = find_edit(person, kind, PRIMARY) or _new_edit(person, kind, PRIMARY, ours, member_name)
    theirs = {**(content_of(there) if there else {}), "remote_id": instead_of}
    edit.theirs, edit.base = as_text(theirs), value_mark(key, instead_of)
    show_primary(person, kind, (opened(edit.ours) or {}).get("remote_id") or remote_id)
    db.session.flush()


def _new_edit(person: Person, kind: str, remote_id: str, ours: Content | None, member_name: str = "") -> ContactEdit:
    edit = ContactEdit(person_id=person.id, kind=kind, remote_id=remote_id, changed_by=member_name)
    edit.ours = as_text(ours)
    db.session.add(edit)
    return edit


def _forget(edit: ContactEdit | None) -> None:
    if edit is not None:
        db.session.delete(edit)
        db.session.flush()


def _add_again(person: Person, kind: str, content: Content, remote_id: str) -> Row:
    """It is not there any more and is wanted here: it goes there as a new one."""
    row = put_row(person, kind, content, remote_id)
    if row.remote_id in (None, remote_id):
        row.remote_id, row.added_here_at = None, now()
    return row


def keep_ours(person: Person, field: str, theirs: Content | None, key: str) -> None:
    """Staff decided that what was changed here stands: from now on it is the only change since `theirs`."""
    kind, remote_id = split_field(field) or ("", "")
    edit = find_edit(person, kind, remote_id)
    if edit is None:
        return
    if remote_id == PRIMARY:
        _keep_our_primary(person, edit, theirs, key)
    elif theirs is None:
        ours = opened(edit.ours) or {}
        _forget(edit)
        _add_again(person, kind, ours, remote_id)
    else:
        edit.theirs, edit.base = as_text(theirs), mark_of(theirs, key)


def _keep_our_primary(person: Person, edit: ContactEdit, theirs: Content | None, key: str) -> None:
    ours = opened(edit.ours) or {}
    edit.theirs, edit.base = as_text(theirs), value_mark(key, (theirs or {}).get("remote_id"))
    if not any(row.primary for row in rows_of(person, edit.kind)):
        _add_again(person, edit.kind, ours, str(ours.get("remote_id"))).primary = True


def take_theirs(person: Person, field: str, theirs: Content | None) -> None:
    """Staff decided that what stands in Planning Center stands."""
    kind, remote_id = split_field(field) or ("", "")
    _forget(find_edit(person, kind, remote_id))
    if remote_id == PRIMARY:
        show_primary(person, kind, (theirs or {}).get("remote_id"))
    elif theirs is None:
        row = find_row(person, kind, remote_id)
        if row is not None:
            drop_row(person, row)
    else:
        row = put_row(person, kind, theirs, remote_id)
        row.primary = bool(theirs.get(PRIMARY)) and find_edit(person, kind, PRIMARY) is None


def hand_over(gone: Person, kept: Person) -> None:
    """Somebody was merged: their contacts are the other one's now, and so is what waits of them."""
    theirs = {(edit.kind, edit.remote_id) for edit in edits_of(kept)}
    for edit in edits_of(gone):
        if edit.remote_id == PRIMARY or (edit.kind, edit.remote_id) in theirs:
            db.session.delete(edit)
            continue
        edit.person_id, kept.remote_mark = kept.id, None
        field = field_of(edit.kind, edit.remote_id)
        for conflict in db.session.scalars(select(Conflict).where(Conflict.subject_id == gone.id, Conflict.field == field)):
            conflict.subject_id = kept.id
