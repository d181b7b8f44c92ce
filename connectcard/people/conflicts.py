"""Values that were changed on both sides: noted with both, decided by staff."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people import contact_edits, contacts, group_values
from connectcard.people.marks import value_mark
from connectcard.people.models import FAMILY, GROUP, IDENTITY, OURS, PERSON, THEIRS, Conflict, Family, Group, Person
from connectcard.people.operations import marking_key, set_identity
from connectcard.people.ownership import BY_KEY, TwoSided

MODELS: dict[str, type[Person] | type[Family] | type[Group]] = {PERSON: Person, FAMILY: Family, GROUP: Group}
BY_BOTH = "both sides"
CHANGED_MEANWHILE = "One of the two values changed meanwhile. Both are shown as they are now; decide again."


@dataclass(frozen=True)
class Shown:
    """A conflict as staff read it; `seen` marks the two values, so that nobody decides about others than they saw."""

    conflict: Conflict
    about: str
    field: str
    ours: str
    theirs: str
    seen: str


def open_conflicts(most: int | None = None) -> list[Shown]:
    """The conflicts that wait for a decision, the oldest first; all of them, or so many."""
    return _shown(select(Conflict).where(*_waiting()).limit(most))


def count() -> int:
    return db.session.scalar(select(func.count(Conflict.id)).where(*_waiting())) or 0


def _waiting() -> list[ColumnElement[bool]]:
    """About what is gone in Planning Center, merged or deleted, there is nothing to decide while it is gone."""
    gone = (exists().where(model.id == Conflict.subject_id, model.gone_at.is_not(None)) for model in MODELS.values())
    return [Conflict.decided_at.is_(None), *(~one for one in gone)]


def of_subject(subject_id: UUID) -> list[Shown]:
    """The open conflicts of one person, family or group."""
    return _shown(select(Conflict).where(*_waiting(), Conflict.subject_id == subject_id))


def _shown(waiting: Select[Conflict]) -> list[Shown]:
    return [shown(one) for one in db.session.scalars(waiting.order_by(Conflict.found_at, Conflict.id))]


def shown(conflict: Conflict) -> Shown:
    subject = subject_of(conflict)
    known = BY_KEY.get(f"{conflict.subject_kind}.{conflict.field}")
    return Shown(
        conflict,
        subject.name if subject else "",
        known.words if known else contacts.field_words(conflict.field),
        _in_words(conflict, read(conflict.ours)),
        _in_words(conflict, read(conflict.theirs)),
        _mark_of(conflict),
    )


def _mark_of(conflict: Conflict) -> str:
    return value_mark(marking_key(), [conflict.ours, conflict.theirs])


def _in_words(conflict: Conflict, value: Any) -> str:
    if contacts.split_field(conflict.field):
        return contacts.in_words(value)
    if conflict.subject_kind == GROUP:
        return group_values.value_in_words(conflict.field, value) or "(nothing)"
    if isinstance(value, date):
        return f"{value:%B} {value.day}, {value.year}"
    if isinstance(value, bool):
        return "Child" if value else "Adult"
    return str(value) if value not in (None, "") else "(nothing)"


def get_conflict(conflict_id: UUID) -> Conflict:
    """One of this church that is still open. Raises NotFound."""
    row = db.session.scalars(select(Conflict).where(*_waiting(), Conflict.id == conflict_id)).first()
    if row is None:
        raise NotFound("This was decided already, or both sides agree by now.")
    return row


def get_conflict_as_seen(conflict_id: UUID, seen: str) -> Conflict:
    """The same, of which somebody saw the values (`Shown.seen`). Raises ChangeRefused where one of them changed since."""
    row = get_conflict(conflict_id)
    if seen != _mark_of(row):
        raise ChangeRefused(CHANGED_MEANWHILE)
    return row


def subject_of(conflict: Conflict) -> Person | Family | Group | None:
    model: Any = MODELS[conflict.subject_kind]
    found: Person | Family | Group | None = db.session.scalars(select(model).where(model.id == conflict.subject_id)).first()
    return found


def note(kind: str, subject_id: UUID, found: Sequence[TwoSided], theirs_at: datetime | None) -> int:
    """Keep conflicts for staff; one that is open for the same field is brought up to date. Says how many are new."""
    waiting = select(Conflict).where(Conflict.subject_id == subject_id, Conflict.decided_at.is_(None))
    open_ones = {row.field: row for row in db.session.scalars(waiting)} if found else {}
    for one in found:
        row = open_ones.get(one.field) or Conflict(subject_kind=kind, subject_id=subject_id, field=one.field)
        row.ours, row.theirs = written(one.ours), written(one.theirs)
        row.ours_at, row.ours_by, row.theirs_at = datetime.fromisoformat(one.ours_at), one.ours_by, theirs_at
        db.session.add(row)
    db.session.flush()
    return sum(one.field not in open_ones for one in found)


def settle_agreed(subject_id: UUID, fields: Sequence[str]) -> None:
    """Both sides have the same value again: nothing is left to decide."""
    if not fields:
        return
    waiting = select(Conflict).where(Conflict.subject_id == subject_id, Conflict.field.in_(fields), Conflict.decided_at.is_(None))
    for row in db.session.scalars(waiting):
        row.decided_at, row.decided_by, row.decision = now(), BY_BOTH, OURS


def keep_ours(conflict: Conflict, member_name: str) -> None:
    """Our value stands and is what a push will send. Inside `transaction()`."""
    subject = subject_of(conflict)
    edits = dict(subject.edits or {}) if subject else {}
    if isinstance(subject, Person) and contacts.split_field(conflict.field):
        contact_edits.keep_ours(subject, conflict.field, read(conflict.theirs), marking_key())
    elif subject and conflict.field in edits:
        edits[conflict.field] = {**edits[conflict.field], "base": value_mark(marking_key(), read(conflict.theirs))}
        subject.edits = edits
    _decided(conflict, OURS, member_name)


def take_theirs(conflict: Conflict, member_name: str) -> None:
    """Planning Center's value replaces ours. Inside `transaction()`."""
    subject = subject_of(conflict)
    if isinstance(subject, Person) and contacts.split_field(conflict.field):
        contact_edits.take_theirs(subject, conflict.field, read(conflict.theirs))
    elif subject:
        put(subject, {conflict.field: read(conflict.theirs)})
        subject.edits = {name: edit for name, edit in (subject.edits or {}).items() if name != conflict.field} or None
    _decided(conflict, THEIRS, member_name)


def _decided(conflict: Conflict, decision: str, member_name: str) -> None:
    conflict.decision, conflict.decided_by, conflict.decided_at = decision, member_name, now()
    db.session.flush()


def put(subject: Person | Family | Group, values: dict[str, Any]) -> None:
    """Set fields of a person, family or group; a person's names as `set_identity` keeps them."""
    if isinstance(subject, Group):
        group_values.set_values(subject, values)
        return
    if isinstance(subject, Person) and (values.keys() & {*IDENTITY, "child"}):
        named = {name: values.pop(name) for name in IDENTITY if name in values}
        identity = type(subject.identity)(**{**vars(subject.identity), **named})
        set_identity(subject, identity, child=values.pop("child", subject.child is True), key=marking_key())
    for name, value in values.items():
        setattr(subject, name, value)


def written(value: Any) -> str:
    """A value as text that is sealed."""
    return json.dumps({"date": value.isoformat()} if isinstance(value, date) else {"value": value}, ensure_ascii=False)


def read(text: str | None) -> Any:
    kept = json.loads(text or "{}")
    return date.fromisoformat(kept["date"]) if "date" in kept else kept.get("value")
