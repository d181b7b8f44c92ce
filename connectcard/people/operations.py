"""Keeping the church's directory: what cards and single records tell of people."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db
from connectcard.people import contact_edits, ownership
from connectcard.people.contacts import STREET
from connectcard.people.identity import base_email, name_key
from connectcard.people.marks import name_mark, value_mark, word_marks
from connectcard.people.matching import Candidate
from connectcard.people.models import (
    EMAIL,
    HERE,
    IDENTITY,
    INACTIVE,
    PERSON,
    PHONE,
    Address,
    Contact,
    Family,
    FamilyMember,
    Group,
    GroupMembership,
    Identity,
    Person,
    sealed_identity,
)
from connectcard.people.queries import find_person

NAMES = ("first_name", "last_name", "given_name", "nickname")
OURS_ALONE = ("allergies", "pickup_notes", "photo_url")
EDITABLE = ("child", "gender", "status", "membership", "campus_remote_id")


def remember_person(seen: Candidate) -> Person:
    """Write down a person as Planning Center just showed them to a card; contacts that are gone there go here too.

    What was changed here, or is ours, stands: a card's look knows too little to weigh both sides, as the next pull does.
    """
    known = find_person(seen.remote_id)
    person, before = known or Person(remote_id=seen.remote_id), _as_shown(known)
    told = {name: getattr(seen, name) for name in NAMES} | {"child": seen.child or person.child is True}
    told |= {"status": INACTIVE} if seen.inactive else {}
    ours = _standing_here(known)
    told = {name: value for name, value in told.items() if name not in ours}
    named = {name: told[name] for name in NAMES if name in told}
    set_identity(person, replace(person.identity, **named), child=told.get("child", person.child is True), key=marking_key())
    person.status = told.get("status", person.status)
    person.seen_at, person.gone_at = now(), None
    _keep_contacts(person, {(EMAIL, address) for address in seen.emails} | {(PHONE, number) for number in seen.phones})
    if _as_shown(person) != before:
        # What was looked up may lag behind what a pull read: the next one stores all of it again.
        person.remote_mark = None
    db.session.add(person)
    db.session.flush()
    return person


def _standing_here(person: Person | None) -> set[str]:
    """The fields of somebody that no look of a card writes over."""
    if person is None:
        return set()
    owners = ownership.owners()
    return set(person.edits or {}) | {one.name for one in ownership.FIELDS if one.subject == PERSON and owners[one.key] == HERE}


def _as_shown(person: Person | None) -> Any:
    """What a card's look may change of somebody."""
    return person and (person.identity, person.child, person.status, {(one.kind, one.value) for one in person.contacts})


def remember_unnamed(remote_id: str, mark: str) -> Person:
    """Write down a child whom we made: by a mark in the place of the name, until a pull brings the sealed rest."""
    person = find_person(remote_id) or Person(remote_id=remote_id)
    person.name_key, person.child, person.seen_at, person.gone_at = mark, True, now(), None
    db.session.add(person)
    db.session.flush()
    return person


def set_identity(person: Person, identity: Identity, *, child: bool, key: str) -> None:
    """Give a person names and birthdate: an adult's openly, a child's sealed and found by a mark of the name only."""
    named = name_key(identity.first_name, identity.last_name)
    person.child = child
    person.name_key = name_mark(key, named) if child else named
    person.name_marks = word_marks(key, identity.words) if child else ""
    person.child_details = sealed_identity(identity) if child else None
    for name in IDENTITY:
        nothing = None if name == "birthdate" else ""
        setattr(person, name, nothing if child else getattr(identity, name))


def marking_key() -> str:
    """The key that the marks of the open church are made with."""
    return get_church().remote_id_key or ""


def forget_person(remote_id: str, kept: str | None = None) -> None:
    """A person was deleted in Planning Center, or merged into `kept`: matching does not find them any more; nothing is lost here.

    What we keep of our own about a merged person goes over to the one who was kept, or the row itself does where we have none of them.
    """
    person = find_person(remote_id)
    if person is None:
        return
    other = find_person(kept) if kept else None
    if kept and other is None:
        # How they changed before says nothing of the one who was kept.
        person.remote_id, person.remote_mark, person.remote_updated_at = kept, None, None
        _move_in_families_and_groups(person, kept)
        db.session.flush()
        _leave_behind(person, remote_id)
    else:
        person.gone_at, person.merged_into = person.gone_at or now(), kept
        person.status = person.status if kept else INACTIVE
        _leave_families_and_groups(person)
    if other is not None:
        _hand_over(person, other)
    db.session.flush()


def _leave_behind(person: Person, remote_id: str) -> None:
    """The earlier id of somebody stays as that of one who was merged: an answer from before the merge does not make them anew."""
    earlier = Person(remote_id=remote_id, gone_at=now(), merged_into=person.remote_id)
    set_identity(earlier, person.identity, child=person.child, key=marking_key())
    # Of a child whom we made there is nothing but the mark of its name.
    earlier.name_key = person.name_key
    db.session.add(earlier)


def _move_in_families_and_groups(person: Person, kept: str) -> None:
    """Somebody is known by another id from now on; where a family or group lists that one already, the earlier place is left."""
    places: tuple[tuple[Any, Any], ...] = ((FamilyMember, FamilyMember.family_id), (GroupMembership, GroupMembership.group_id))
    for model, where in places:
        taken = set(db.session.scalars(select(where).where(model.person_remote_id == kept)))
        for row in db.session.scalars(select(model).where(model.person_id == person.id, model.person_remote_id.is_not(None))):
            if getattr(row, where.key) in taken:
                row.person_id, row.gone_at = None, row.gone_at or now()
            else:
                row.person_remote_id = kept


def _leave_families_and_groups(gone: Person) -> None:
    """Of those in Planning Center; where the one who was kept belongs is told by the families and groups themselves."""
    told = select(FamilyMember).where(FamilyMember.person_id == gone.id, FamilyMember.person_remote_id.is_not(None))
    joined = select(GroupMembership).where(GroupMembership.person_id == gone.id, GroupMembership.person_remote_id.is_not(None))
    for row in (*db.session.scalars(told), *db.session.scalars(joined)):
        row.gone_at = row.gone_at or now()


def _hand_over(gone: Person, kept: Person) -> None:
    """Allergies, pick-up notes and a photo where the other has none; families and groups that we put them into."""
    for name in OURS_ALONE:
        if getattr(gone, name) and not getattr(kept, name):
            setattr(kept, name, getattr(gone, name))
    kept.verified = kept.verified or gone.verified
    contact_edits.hand_over(gone, kept)
    families = {row.family_id for row in db.session.scalars(select(FamilyMember).where(FamilyMember.person_id == kept.id))}
    groups = {row.group_id for row in db.session.scalars(select(GroupMembership).where(GroupMembership.person_id == kept.id))}
    for member in db.session.scalars(
        select(FamilyMember).where(FamilyMember.person_id == gone.id, FamilyMember.person_remote_id.is_(None))
    ):
        member.person_id = member.person_id if member.family_id in families else kept.id
    added = select(GroupMembership).where(GroupMembership.person_id == gone.id, GroupMembership.person_remote_id.is_(None))
    for membership in db.session.scalars(added):
        membership.person_id = membership.person_id if membership.group_id in groups else kept.id


def link_person(person: Person, remote_id: str) -> Person:
    """Say whom somebody of ours is in Planning Center; gives the row that stands for them from now on. Inside `transaction()`.

    Where we know that person already, what is ours alone, contacts and addresses among it, goes over to that row.
    """
    other = find_person(remote_id)
    if other is None:
        person.remote_id, person.seen_at, person.gone_at = remote_id, now(), None
        db.session.flush()
        return person
    if other.id != person.id:
        _hand_over(person, other)
        _hand_over_contacts(person, other)
        person.gone_at, person.merged_into = now(), remote_id
        db.session.flush()
    return other


def _hand_over_contacts(gone: Person, kept: Person) -> None:
    """What we know of a person of ours who turned out to be there stays to be added there."""
    known = {(contact.kind, contact.value) for contact in kept.contacts}
    for contact in gone.contacts:
        if (contact.kind, contact.value) not in known:
            copy = _contact(kept, contact.kind, contact.value)
            copy.display, copy.location, copy.added_here_at = contact.display, contact.location, now()
            kept.contacts.append(copy)
    for address in gone.addresses:
        parts = {name: getattr(address, name) for name in (*STREET, "location")}
        kept.addresses.append(Address(church_id=kept.church_id, added_here_at=now(), **parts))


def edit_person(person: Person, values: Mapping[str, Any], member_name: str) -> list[str]:
    """Change fields of a person here (names, birthdate, child, gender, status, membership, campus); says which really changed.

    What Planning Center has of them is remembered by a mark, so that a pull knows whether it changed there too. Inside `transaction()`.
    """
    now_is = {**vars(person.identity), **{name: getattr(person, name) for name in EDITABLE}}
    changed = {name: value for name, value in values.items() if now_is[name] != value}
    if person.remote_id and changed:
        note_edits(person, {name: now_is[name] for name in changed}, member_name)
    named = {name: changed[name] for name in IDENTITY if name in changed}
    if named or "child" in changed:
        set_identity(person, replace(person.identity, **named), child=changed.get("child", person.child), key=marking_key())
    for name in EDITABLE:
        if name in changed and name != "child":
            setattr(person, name, changed[name])
    db.session.flush()
    return list(changed)


def note_edits(subject: Person | Family | Group, before: Mapping[str, Any], member_name: str) -> None:
    """Remember that these fields were changed here, and by a mark what stood in Planning Center before."""
    edits, key = dict(subject.edits or {}), marking_key()
    for name, value in before.items():
        base = edits[name]["base"] if name in edits else value_mark(key, value)
        edits[name] = {"at": now().isoformat(), "by": member_name, "base": base}
    subject.edits = edits


def _keep_contacts(person: Person, wanted: set[tuple[str, str]]) -> None:
    if contact_edits.edits_of(person):
        # A card's look knows no ids: what was changed here stands until a pull sees both sides.
        return
    person.contacts = [one for one in person.contacts if (one.kind, one.value) in wanted or one.added_here_at]
    kept = {(contact.kind, contact.value) for contact in person.contacts}
    person.contacts += [_contact(person, kind, value) for kind, value in sorted(wanted - kept)]


def _contact(person: Person, kind: str, value: str) -> Contact:
    mailbox = base_email(value) if kind == EMAIL else None
    return Contact(church_id=person.church_id, kind=kind, value=value, display=value, mailbox=mailbox)
