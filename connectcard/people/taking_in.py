"""Taking pulled people into the directory, many at a time: new ones added, changed ones renewed, nobody deleted.

Whose they are: 1 the same id in Planning Center; 2 somebody of ours who is not there yet with the same mailbox and a compatible name;
3 the same name and birthdate. An e-mail address alone under another name is a spouse or a child: they are two people. Somebody whom
two people of ours fit stays a person of their own.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, delete, or_, select, update

from connectcard.churches.tenancy import current_church_id
from connectcard.database import db
from connectcard.people import conflicts, ownership
from connectcard.people.bulk import chunks, upsert
from connectcard.people.contact_pulls import put_ours_over
from connectcard.people.family_addresses import move_families
from connectcard.people.identity import base_email, is_role_address, name_key, same_first_name, same_last_name
from connectcard.people.marks import name_mark, value_mark, word_marks
from connectcard.people.models import (
    EMAIL,
    HERE,
    IDENTITY,
    PERSON,
    Address,
    Contact,
    FamilyMember,
    GroupMembership,
    Identity,
    Person,
)
from connectcard.people.operations import marking_key
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson, Tally
from connectcard.people.sealing import seal_child

RENEWED = (
    "child", *IDENTITY, "child_details_sealed", "name_key", "name_marks", "gender", "status", "membership", "campus_remote_id",
    "remote_updated_at", "remote_mark", "edits", "seen_at", "gone_at", "merged_into",
)  # fmt: skip
OWNED = ("gender", "status", "membership", "campus_remote_id")
# What is written down here of somebody before they stand in Planning Center; what they are called there is theirs.
KNOWN_HERE = ("birthdate", "gender", "membership", "campus_remote_id")


@dataclass(frozen=True)
class _Known:
    """A person of ours who is seen again."""

    id: UUID
    mark: str | None
    edits: dict[str, Any] | None
    gone_at: datetime | None
    updated_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True)
class _Rules:
    """What holds for a whole page: the church's marking key, whose the fields are, and when Planning Center showed it."""

    key: str
    owned: dict[str, str]
    at: datetime

    @property
    def all_theirs(self) -> bool:
        return all(self.owned.get(f"{PERSON}.{name}") != HERE for name in (*IDENTITY, *OWNED))


def take_in_people(pulled: Sequence[PulledPerson], at: datetime) -> Tally:
    """Store people as Planning Center showed them at a moment, unless more is known of them since. Inside `transaction()`."""
    tally, rules = Tally(), _Rules(marking_key(), ownership.owners(), at)
    latest = {one.remote_id: one for one in pulled}
    known = _known(latest)
    known |= _link_our_own([one for one in latest.values() if one.remote_id not in known], rules.key)
    # When something changed last says nothing about what is shown: an echo of our own write changes nothing here.
    marks = {one.remote_id: value_mark(rules.key, replace(one, updated_at=None)) for one in latest.values()}
    changed = [one for one in latest.values() if not _is_as_it_was(one, marks[one.remote_id], known.get(one.remote_id), at)]
    ids = {one.remote_id: known[one.remote_id].id if one.remote_id in known else uuid4() for one in changed}
    rows = [_row(one, ids[one.remote_id], marks[one.remote_id], known.get(one.remote_id), rules, tally) for one in changed]
    upsert(Person, ("church_id", "remote_id"), RENEWED, rows)
    changed, new_conflicts = put_ours_over(changed, ids, rules.key)
    tally.conflicts += new_conflicts
    _renew_contacts(changed, ids, known)
    _renew_addresses(changed, ids, known)
    _link_members(ids)
    _mark_seen([row.id for remote_id, row in known.items() if remote_id not in ids], at)
    tally.created = sum(remote_id not in known for remote_id in ids)
    tally.updated = sum(known[one].mark != marks[one] or known[one].gone_at is not None for one in ids if one in known)
    tally.skipped = len(latest) - tally.created - tally.updated
    return tally


def _is_as_it_was(one: PulledPerson, mark: str, row: _Known | None, at: datetime) -> bool:
    if row is None:
        return False
    if row.gone_at is not None:
        return row.gone_at > at and not _is_later(one, row.gone_at)
    same = row.mark == mark and row.updated_at == one.updated_at
    return same or _is_older(one, row) or _was_read_since(one, row, at)


def _is_later(one: PulledPerson, moment: datetime | None) -> bool:
    """Whether they changed after a moment."""
    return one.updated_at is not None and (moment is None or one.updated_at > moment)


def _was_read_since(one: PulledPerson, row: _Known, at: datetime) -> bool:
    """Whether all of them was read after that moment, with nothing newer shown now: a changed contact may change nothing else."""
    return row.mark is not None and row.seen_at is not None and row.seen_at > at and not _is_later(one, row.updated_at)


def _is_older(one: PulledPerson, row: _Known) -> bool:
    """Whether a later state was stored already: pages and deliveries overtake one another."""
    return one.updated_at is not None and row.updated_at is not None and one.updated_at < row.updated_at


def _known(remote_ids: Collection[str]) -> dict[str, _Known]:
    columns = (Person.remote_id, Person.id, Person.remote_mark, Person.edits, Person.gone_at, Person.remote_updated_at, Person.seen_at)
    wanted = (select(*columns).where(Person.remote_id.in_(some)).with_for_update() for some in chunks(list(remote_ids)))
    rows: Iterable[Row[Any]] = (row for each in wanted for row in db.session.execute(each))
    return {row.remote_id: _Known(row.id, row.remote_mark, row.edits, row.gone_at, row.remote_updated_at, row.seen_at) for row in rows}


# Whose they are, where the id is new.


def _link_our_own(strangers: Sequence[PulledPerson], key: str) -> dict[str, _Known]:
    """Give our people who are not in Planning Center yet the id of whom they turn out to be there."""
    if not strangers or db.session.scalar(select(Person.id).where(Person.remote_id.is_(None)).limit(1)) is None:
        return {}
    taken: dict[str, _Known] = {}
    linked: set[UUID] = set()
    for one in strangers:
        person = whose(one, [mine for mine in _our_own_like(one, key) if mine.id not in linked])
        if person is not None:
            person.remote_id, person.edits = one.remote_id, _waiting_beside(person, one, key)
            linked.add(person.id)
            taken[one.remote_id] = _Known(person.id, None, person.edits, None, None, None)
    db.session.flush()
    return taken


def _waiting_beside(person: Person, one: PulledPerson, key: str) -> dict[str, Any] | None:
    """What we know of somebody who turns out to be there: what they lack there waits to be sent, what differs is for staff to decide."""
    ours, theirs = _values_of(person), {**vars(one.identity), **{name: getattr(one, name) for name in OWNED}}
    differing = [name for name in KNOWN_HERE if ours[name] not in (None, "", theirs[name])]
    bases = {name: value_mark(key, theirs[name]) if theirs[name] in (None, "") else "" for name in differing}
    return {name: {"at": person.created_at.isoformat(), "by": "", "base": base} for name, base in bases.items()} or None


def _values_of(person: Person) -> dict[str, Any]:
    return {**vars(person.identity), **{name: getattr(person, name) for name in OWNED}, "child": person.child}


def _our_own_like(one: PulledPerson, key: str) -> list[Person]:
    named = name_key(one.identity.first_name, one.identity.last_name)
    mailboxes = [base_email(contact.value) for contact in one.contacts or () if contact.kind == EMAIL]
    sharing = select(Contact.person_id).where(Contact.mailbox.in_(mailboxes))
    like = or_(Person.id.in_(sharing), Person.name_key.in_((named, name_mark(key, named))))
    return list(db.session.scalars(select(Person).where(Person.remote_id.is_(None), like)))


def whose(one: PulledPerson, ours: Sequence[Person]) -> Person | None:
    """Who of ours somebody in Planning Center is; None where nobody is, or two may be."""
    named = [person for person in ours if _same_name(one.identity, person.identity) and person.child is one.child]
    for rung in (_shares_mailbox, _born_the_same_day):
        fitting = [person for person in named if rung(one, person)]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def _same_name(theirs: Identity, ours: Identity) -> bool:
    first = any(same_first_name(ours.first_name, name) for name in (theirs.first_name, theirs.nickname, theirs.given_name) if name)
    return first and same_last_name(ours.last_name, theirs.last_name)


def _shares_mailbox(one: PulledPerson, person: Person) -> bool:
    theirs = {base_email(contact.value) for contact in one.contacts or () if contact.kind == EMAIL and not is_role_address(contact.value)}
    return any(contact.mailbox in theirs for contact in person.contacts if contact.kind == EMAIL)


def _born_the_same_day(one: PulledPerson, person: Person) -> bool:
    return one.identity.birthdate is not None and one.identity.birthdate == person.identity.birthdate


# What is stored of them.


def _row(one: PulledPerson, person_id: UUID, mark: str, row: _Known | None, rules: _Rules, tally: Tally) -> dict[str, Any]:
    """The columns of somebody who is new here or changed there."""
    values: dict[str, Any] = {**vars(one.identity), **{name: getattr(one, name) for name in OWNED}, "child": one.child}
    edits = None
    if row is not None and (row.edits or one.untold or not rules.all_theirs):
        values, edits = _reconciled(one, values, row, rules, tally)
    standing = {"remote_updated_at": one.updated_at, "remote_mark": mark, "edits": edits, "seen_at": rules.at}
    unless_there = {"created_at": rules.at, "verified": False}
    return _named(person_id, one.remote_id, values, rules.key) | standing | unless_there | {"gone_at": None, "merged_into": None}


def _reconciled(
    one: PulledPerson, theirs: dict[str, Any], row: _Known, rules: _Rules, tally: Tally
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    person = db.session.scalars(select(Person).where(Person.id == row.id)).one()
    ours = _values_of(person)
    told = {name: value for name, value in theirs.items() if name not in one.untold}
    found = ownership.reconcile(PERSON, ours, told, row.edits, rules.owned, rules.key)
    conflicts.settle_agreed(row.id, found.agreed)
    tally.conflicts += conflicts.note(PERSON, row.id, found.conflicts, one.updated_at)
    untold = {name: edit for name, edit in (row.edits or {}).items() if name in one.untold}
    return {**ours, **found.values}, {**found.edits, **untold} or None


def _named(person_id: UUID, remote_id: str, values: dict[str, Any], key: str) -> dict[str, Any]:
    """An adult's names openly, a child's sealed."""
    child, named = values["child"], name_key(values["first_name"], values["last_name"])
    row = {"id": person_id, "church_id": current_church_id(), "remote_id": remote_id, "child": child, "child_details_sealed": None}
    row |= {name: values[name] for name in OWNED}
    if not child:
        return row | {name: values[name] for name in IDENTITY} | {"name_key": named, "name_marks": ""}
    hidden = {name: None if name == "birthdate" else "" for name in IDENTITY}
    identity = Identity(**{name: values[name] for name in IDENTITY})
    marks = {"name_key": name_mark(key, named), "name_marks": word_marks(key, identity.words)}
    return row | hidden | marks | {"child_details_sealed": seal_child(person_id, identity)}


def _mark_seen(ids: Sequence[UUID], at: datetime) -> None:
    for some in chunks(ids):
        db.session.execute(
            update(Person)
            .where(Person.id.in_(some), or_(Person.seen_at.is_(None), Person.seen_at < at))
            .values(seen_at=at)
            .execution_options(synchronize_session=False)
        )


def _renew_contacts(changed: Sequence[PulledPerson], ids: dict[str, UUID], known: Collection[str]) -> None:
    told = [one for one in changed if one.contacts is not None]
    _drop_stale(Contact, [ids[one.remote_id] for one in told if one.remote_id in known])
    rows: dict[tuple[UUID, str, str], dict[str, Any]] = {}
    for one in told:
        for contact in one.contacts or ():
            mark = (ids[one.remote_id], contact.kind, contact.value)
            if contact.value and (mark not in rows or contact.primary):
                rows[mark] = _contact_row(ids[one.remote_id], _columns(contact))
    updated = ("display", "location", "primary", "remote_id", "added_here_at")
    upsert(Contact, ("church_id", "person_id", "kind", "value"), updated, list(rows.values()))


def _drop_stale(model: type[Contact] | type[Address], person_ids: Sequence[UUID]) -> None:
    """What Planning Center showed before; what was added here stays."""
    for some in chunks(person_ids):
        stale = delete(model).where(model.person_id.in_(some), model.added_here_at.is_(None))
        db.session.execute(stale.execution_options(synchronize_session=False))


def _columns(part: PulledContact | PulledAddress) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if name != "updated_at"}


def _contact_row(person_id: UUID, contact: dict[str, Any]) -> dict[str, Any]:
    mailbox = base_email(contact["value"]) if contact["kind"] == EMAIL else None
    return {"id": uuid4(), "church_id": current_church_id(), "person_id": person_id, **contact, "mailbox": mailbox, "added_here_at": None}


def _renew_addresses(changed: Sequence[PulledPerson], ids: dict[str, UUID], known: Collection[str]) -> None:
    told = [one for one in changed if one.addresses is not None]
    _drop_stale(Address, [ids[one.remote_id] for one in told if one.remote_id in known])
    church_id = current_church_id()
    rows = [
        {"id": uuid4(), "church_id": church_id, "person_id": ids[one.remote_id], **_columns(address), "added_here_at": None}
        for one in told
        for address in one.addresses or ()
    ]
    upsert(Address, None, (), rows)
    move_families({one.remote_id: one.addresses or () for one in told if one.remote_id in known})


def _link_members(people: dict[str, UUID]) -> None:
    """Families and groups that were pulled before their people find them now."""
    for some in chunks(list(people)):
        families = select(FamilyMember).where(FamilyMember.person_id.is_(None), FamilyMember.person_remote_id.in_(some))
        groups = select(GroupMembership).where(GroupMembership.person_id.is_(None), GroupMembership.person_remote_id.in_(some))
        for member in (*db.session.scalars(families), *db.session.scalars(groups)):
            member.person_id = people[member.person_remote_id or ""]
    db.session.flush()
