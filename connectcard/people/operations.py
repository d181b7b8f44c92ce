"""Keeping the church's directory: what cards and single records tell of people."""

from dataclasses import replace

from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.clock import now
from connectcard.database import db
from connectcard.people.identity import base_email, name_key
from connectcard.people.marks import name_mark
from connectcard.people.matching import Candidate
from connectcard.people.models import EMAIL, IDENTITY, INACTIVE, PHONE, Contact, Identity, Person, sealed_identity
from connectcard.people.queries import find_person


def remember_person(seen: Candidate) -> Person:
    """Write down a person as Planning Center just showed them to a card; contacts that are gone there go here too."""
    person = find_person(seen.remote_id) or Person(remote_id=seen.remote_id)
    known = {name: getattr(seen, name) for name in ("first_name", "last_name", "given_name", "nickname")}
    set_identity(person, replace(person.identity, **known), child=seen.child or person.child is True, key=marking_key())
    person.status = INACTIVE if seen.inactive else person.status
    person.seen_at, person.gone_at = now(), None
    _keep_contacts(person, {(EMAIL, address) for address in seen.emails} | {(PHONE, number) for number in seen.phones})
    db.session.add(person)
    db.session.flush()
    return person


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
    person.child_details = sealed_identity(identity) if child else None
    for name in IDENTITY:
        nothing = None if name == "birthdate" else ""
        setattr(person, name, nothing if child else getattr(identity, name))


def marking_key() -> str:
    """The key that the marks of the open church are made with."""
    church = db.session.scalars(select(Church).where(Church.id == current_church_id())).one()
    return church.remote_id_key or ""


def forget_person(remote_id: str, kept: str | None = None) -> None:
    """A person was deleted in Planning Center, or merged into `kept`: matching does not find them any more; nothing is lost here."""
    person = find_person(remote_id)
    if person is not None:
        person.gone_at, person.merged_into = person.gone_at or now(), kept
        db.session.flush()


def _keep_contacts(person: Person, wanted: set[tuple[str, str]]) -> None:
    person.contacts = [one for one in person.contacts if (one.kind, one.value) in wanted or one.added_here_at]
    kept = {(contact.kind, contact.value) for contact in person.contacts}
    person.contacts += [_contact(person, kind, value) for kind, value in sorted(wanted - kept)]


def _contact(person: Person, kind: str, value: str) -> Contact:
    mailbox = base_email(value) if kind == EMAIL else None
    return Contact(church_id=person.church_id, kind=kind, value=value, display=value, mailbox=mailbox)
