"""What was changed here of contacts, put over what Planning Center shows of them: nothing is overwritten, or dropped, unseen."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.database import db
from connectcard.people import conflicts
from connectcard.people.bulk import chunks
from connectcard.people.contact_edits import opened, their_content
from connectcard.people.contacts import (
    ADDRESS,
    AGREED,
    PRIMARY,
    TWO_SIDED,
    Content,
    content_of,
    field_of,
    kind_of,
    primary_of,
    says_the_same,
    weigh,
    weigh_primary,
)
from connectcard.people.edit_models import ContactEdit
from connectcard.people.models import PERSON
from connectcard.people.ownership import TwoSided
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson

Pulled = PulledContact | PulledAddress


@dataclass
class _Found:
    """The contacts of one person as they are to be shown, the edits that are over, and what staff have to decide."""

    parts: list[Pulled]
    settled: list[ContactEdit] = field(default_factory=list)
    standing: list[ContactEdit] = field(default_factory=list)
    two_sided: list[tuple[TwoSided, datetime | None]] = field(default_factory=list)


def put_ours_over(pulled: Sequence[PulledPerson], ids: Mapping[str, UUID], key: str) -> tuple[list[PulledPerson], int]:
    """These people with the contacts that the directory is to show, and how many new conflicts were found. Inside `transaction()`."""
    waiting = _edits_of([ids[one.remote_id] for one in pulled])
    found = [(one, over(one, waiting[ids[one.remote_id]], key)) for one in pulled if ids[one.remote_id] in waiting]
    new = sum(_keep(ids[one.remote_id], each) for one, each in found)
    shown = {one.remote_id: _showing(one, each.parts) for one, each in found}
    return [shown.get(one.remote_id, one) for one in pulled], new


def _edits_of(person_ids: Collection[UUID]) -> dict[UUID, list[ContactEdit]]:
    found: dict[UUID, list[ContactEdit]] = {}
    for some in chunks(list(person_ids)):
        wanted = select(ContactEdit).where(ContactEdit.person_id.in_(some)).order_by(ContactEdit.changed_at, ContactEdit.id)
        for edit in db.session.scalars(wanted):
            found.setdefault(edit.person_id, []).append(edit)
    return found


def _keep(person_id: UUID, found: _Found) -> int:
    over_with = [field_of(edit.kind, edit.remote_id) for edit in (*found.settled, *found.standing)]
    conflicts.settle_agreed(person_id, over_with)
    for edit in found.settled:
        db.session.delete(edit)
    return sum(conflicts.note(PERSON, person_id, [one], theirs_at) for one, theirs_at in found.two_sided)


def _showing(one: PulledPerson, parts: Sequence[Pulled]) -> PulledPerson:
    contacts = [part for part in parts if isinstance(part, PulledContact)]
    addresses = [part for part in parts if isinstance(part, PulledAddress)]
    told_contacts = one.contacts if one.contacts is None else tuple(contacts)
    return replace(one, contacts=told_contacts, addresses=one.addresses if one.addresses is None else tuple(addresses))


def over(one: PulledPerson, edits: Iterable[ContactEdit], key: str) -> _Found:
    """Put what was changed here over what stands there; what was not told stays as it is."""
    found = _Found([*(one.contacts or ()), *(one.addresses or ())])
    theirs = list(found.parts)
    told = [edit for edit in edits if (one.addresses if edit.kind == ADDRESS else one.contacts) is not None]
    for edit in told:
        if edit.remote_id != PRIMARY:
            _put_over(edit, theirs, found, one.updated_at, key)
    for edit in told:
        if edit.remote_id == PRIMARY:
            _choose_primary(edit, theirs, found, one.updated_at, key)
    return found


def _put_over(edit: ContactEdit, theirs: Sequence[Pulled], found: _Found, at: datetime | None, key: str) -> None:
    there = next((part for part in theirs if (kind_of(part), part.remote_id) == (edit.kind, edit.remote_id)), None)
    ours, shown = opened(edit.ours), their_content(there) if there else None
    how = weigh(ours, shown, edit.base, key)
    _note(how, edit, ours, shown, there.updated_at or at if there else at, found)
    if how != AGREED:
        found.parts = [part for part in found.parts if part is not there]
        found.parts += [_part(edit, ours, primary=there is not None and there.primary)] if ours is not None else []


def _note(how: str, edit: ContactEdit, ours: Content | None, theirs: Content | None, at: datetime | None, found: _Found) -> None:
    if how == TWO_SIDED:
        one = TwoSided(field_of(edit.kind, edit.remote_id), ours, theirs, edit.changed_at.isoformat(), edit.changed_by)
        found.two_sided.append((one, at))
    else:
        (found.settled if how == AGREED else found.standing).append(edit)


def _part(edit: ContactEdit, content: Content, *, primary: bool) -> Pulled:
    names: dict[str, Any] = {name: value for name, value in content.items() if name != PRIMARY}
    if edit.kind == ADDRESS:
        return PulledAddress(**names, primary=primary, remote_id=edit.remote_id)
    return PulledContact(edit.kind, **names, primary=primary, remote_id=edit.remote_id)


def _choose_primary(edit: ContactEdit, theirs: Sequence[Pulled], found: _Found, at: datetime | None, key: str) -> None:
    ours = opened(edit.ours) or {}
    there = primary_of(theirs, edit.kind)
    chosen = next((part for part in found.parts if kind_of(part) == edit.kind and _is_chosen(part, ours)), None)
    wanted, now_is = chosen.remote_id if chosen else ours.get("remote_id") or "", there.remote_id if there else None
    how = weigh_primary(wanted, now_is, edit.base, key)
    _note(how, edit, ours, {**content_of(there), "remote_id": now_is} if there else None, at, found)
    if how != AGREED:
        found.parts = [replace(part, primary=part is chosen) if kind_of(part) == edit.kind else part for part in found.parts]


def _is_chosen(part: Pulled, ours: Content) -> bool:
    """One that was added here has no id yet."""
    return part.remote_id == ours["remote_id"] if ours.get("remote_id") else says_the_same(content_of(part), ours)
