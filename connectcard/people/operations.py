"""Keeping the church's directory."""

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.identity import base_email, name_key
from connectcard.people.matching import Candidate
from connectcard.people.models import EMAIL, MAILBOX, PHONE, Contact, Person
from connectcard.people.queries import find_person


def remember_person(seen: Candidate) -> Person:
    """Write down a person as Planning Center just showed them; contacts that are gone there go here too."""
    person = find_person(seen.remote_id) or Person(remote_id=seen.remote_id)
    person.first_name, person.last_name = seen.first_name, seen.last_name
    person.given_name, person.nickname = seen.given_name, seen.nickname
    person.name_key = name_key(seen.first_name, seen.last_name)
    person.seen_at = now()
    _keep_contacts(person, _marks_of(seen))
    db.session.add(person)
    db.session.flush()
    return person


def remember_unnamed(remote_id: str, name_mark: str) -> Person:
    """Write down a child whom we made: by a mark in the place of the name, since children's names are not kept open."""
    person = find_person(remote_id) or Person(remote_id=remote_id)
    person.name_key, person.seen_at = name_mark, now()
    db.session.add(person)
    db.session.flush()
    return person


def forget_person(remote_id: str) -> None:
    """Drop a person who was merged away or deleted in Planning Center."""
    person = find_person(remote_id)
    if person is not None:
        db.session.delete(person)
        db.session.flush()


def _marks_of(seen: Candidate) -> set[tuple[str, str]]:
    mailboxes = {(MAILBOX, base_email(address)) for address in seen.emails}
    return {(EMAIL, address) for address in seen.emails} | {(PHONE, number) for number in seen.phones} | mailboxes


def _keep_contacts(person: Person, wanted: set[tuple[str, str]]) -> None:
    person.contacts = [contact for contact in person.contacts if (contact.kind, contact.value) in wanted]
    kept = {(contact.kind, contact.value) for contact in person.contacts}
    person.contacts += [Contact(church_id=person.church_id, kind=kind, value=value) for kind, value in sorted(wanted - kept)]
