"""A person's contacts in words: each with where it came from and when, what waits to be sent, and what stands in Planning Center."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from connectcard.people.conflicts import Shown
from connectcard.people.contact_changes import key_of
from connectcard.people.contact_edits import Row, edits_of, opened, rows_of
from connectcard.people.contacts import KINDS, PRIMARY, WORDS, content_of, field_of, in_words
from connectcard.people.edit_models import ContactEdit
from connectcard.people.models import Person
from connectcard.web.directory_words import Origin, origin_of_part

CHANGED, REMOVED, CHOSEN = "Changed here", "Removed here", "Made primary here"
TO_BE_SENT, TO_BE_REMOVED, ASKED = "Waits to be sent", "Waits to be removed there", "Changed on both sides"


@dataclass(frozen=True)
class Line:
    """One contact. `there` is what Planning Center has instead, `waits` what is still to happen; `takes_back` names what can be taken back.

    `contact` names it in addresses; "" for one that was removed here.
    """

    kind: str
    label: str
    value: str
    origin: Origin
    contact: str = ""
    primary: bool = False
    removed: bool = False
    there: str = ""
    waits: str = ""
    takes_back: str = ""


def contact_lines(person: Person, conflicts: Sequence[Shown]) -> list[Line]:
    """By kind, the primary one first, removed ones last."""
    disputed, edits = {one.conflict.field for one in conflicts}, edits_of(person)
    by_field = {field_of(edit.kind, edit.remote_id): edit for edit in edits}
    lines: list[Line] = []
    for kind in KINDS:
        rows = sorted(rows_of(person, kind), key=lambda row: (not row.primary, row.remote_id or "~"))
        lines += [_line(row, person, by_field, disputed) for row in rows]
        shown = {row.remote_id for row in rows}
        lines += [_without_row(edit, disputed) for edit in edits if edit.kind == kind and edit.remote_id not in {*shown, PRIMARY}]
    return lines


def _line(row: Row, person: Person, edits: dict[str, ContactEdit], disputed: Iterable[str]) -> Line:
    kind = str(getattr(row, "kind", KINDS[-1]))
    contact = field_of(kind, key_of(row))
    line = Line(kind, WORDS[kind], in_words(content_of(row)), origin_of_part(row, person), contact, bool(row.primary))
    edit, chosen = edits.get(contact), edits.get(field_of(kind, PRIMARY)) if row.primary else None
    if edit is not None:
        return _changed(line, edit, CHANGED, disputed)
    if chosen is not None:
        return _changed(line, chosen, CHOSEN, disputed)
    return replace(line, waits=TO_BE_SENT) if row.added_here_at else line


def _changed(line: Line, edit: ContactEdit, words: str, disputed: Iterable[str]) -> Line:
    field = field_of(edit.kind, edit.remote_id)
    there = in_words(opened(edit.theirs)) if edit.theirs else ""
    line = replace(line, origin=Origin(words, edit.changed_at, edit.changed_by))
    if field in disputed:
        # What stands there now is said where it is decided.
        return replace(line, waits=ASKED)
    return replace(line, there=there, waits=TO_BE_SENT, takes_back=field)


def _without_row(edit: ContactEdit, disputed: Iterable[str]) -> Line:
    """One that was removed here, or says what another one says as well."""
    removed = edit.ours is None
    value = in_words(opened(edit.theirs) if removed else opened(edit.ours))
    line = _changed(Line(edit.kind, WORDS[edit.kind], value, Origin(REMOVED)), edit, REMOVED if removed else CHANGED, disputed)
    return replace(line, removed=removed, there="" if removed else line.there, waits=_removal(line.waits) if removed else line.waits)


def _removal(waits: str) -> str:
    return TO_BE_REMOVED if waits == TO_BE_SENT else waits


def waiting_changes(person: Person, lines: Sequence[Line], conflicts: Sequence[Shown]) -> int:
    """How many changes of this person a push would send."""
    if person.remote_id is None or person.gone_at is not None:
        return 0
    fields = (person.edits or {}).keys() - {one.conflict.field for one in conflicts}
    return len(fields) + sum(line.waits in (TO_BE_SENT, TO_BE_REMOVED) for line in lines)
