"""Reading the church's directory."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, bindparam, or_, select

from connectcard.database import db
from connectcard.people.identity import base_email, name_keys
from connectcard.people.matching import Candidate, Visitor
from connectcard.people.models import EMAIL, INACTIVE, PHONE, Contact, Person


def find_candidates(visitor: Visitor) -> list[Candidate]:
    """The people in Planning Center whom we know and who share the visitor's e-mail, phone or name.

    What was pulled and what our own cards made is found so while Planning Center's search still lags.
    """
    same_name = Person.name_key.in_(name_keys(visitor.first_name, visitor.last_name))
    there = Person.remote_id.is_not(None), Person.gone_at.is_(None)
    people = db.session.scalars(select(Person).where(*there, or_(same_name, *_shares_contact(visitor))))
    return [candidate_from(person) for person in people]


def _shares_contact(visitor: Visitor) -> Iterator[ColumnElement[bool]]:
    """Whether a person has the visitor's e-mail or phone; nothing where the visitor gave none, since nobody shares what is not there."""
    if visitor.email:
        yield Person.id.in_(select(Contact.person_id).where(Contact.mailbox == base_email(visitor.email)))
    if visitor.phone:
        yield Person.id.in_(select(Contact.person_id).where(Contact.kind == PHONE, Contact.value == visitor.phone))


def find_called(first_name: str, last_name: str, name_mark: str) -> list[str]:
    """The remote ids of all whom we know by this name, or knew by it until they were merged; `name_mark` is the one a child would have."""
    names = {*name_keys(first_name, last_name), name_mark}
    known = or_(Person.gone_at.is_(None), Person.merged_into.is_not(None))
    called = select(Person.remote_id).where(Person.name_key.in_(names), Person.remote_id.is_not(None), known)
    return [remote_id for remote_id in db.session.scalars(called) if remote_id is not None]


def find_unnamed(name_mark: str) -> list[str]:
    """The remote ids of the children of this name."""
    named = select(Person.remote_id).where(Person.name_key == name_mark, Person.gone_at.is_(None))
    return [remote_id for remote_id in db.session.scalars(named) if remote_id is not None]


_BY_REMOTE_ID = select(Person).where(Person.remote_id == bindparam("remote_id"))


def find_person(remote_id: str) -> Person | None:
    """The person with this id in Planning Center, if we have seen them."""
    return db.session.scalars(_BY_REMOTE_ID, {"remote_id": remote_id}).first()


def candidate_from(person: Person) -> Candidate:
    """A row of the directory as a value."""
    identity = person.identity
    return Candidate(
        remote_id=person.remote_id or "",
        first_name=identity.first_name,
        last_name=identity.last_name,
        given_name=identity.given_name,
        nickname=identity.nickname,
        emails=frozenset(contact.value for contact in person.contacts if contact.kind == EMAIL),
        phones=frozenset(contact.value for contact in person.contacts if contact.kind == PHONE),
        inactive=person.status == INACTIVE,
        child=person.child is True,
    )
