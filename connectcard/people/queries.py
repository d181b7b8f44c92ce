"""Reading the church's directory."""

from sqlalchemy import or_, select

from connectcard.database import db
from connectcard.people.identity import base_email, name_keys
from connectcard.people.matching import Candidate, Visitor
from connectcard.people.models import EMAIL, MAILBOX, PHONE, Contact, Person


def find_candidates(visitor: Visitor) -> list[Candidate]:
    """The people we know who share the visitor's e-mail, phone or name; they are found while Planning Center's search still lags."""
    shares_contact = select(Contact.person_id).where(
        or_(
            (Contact.kind == MAILBOX) & (Contact.value == (base_email(visitor.email) or None)),
            (Contact.kind == PHONE) & (Contact.value == (visitor.phone or None)),
        )
    )
    same_name = Person.name_key.in_(name_keys(visitor.first_name, visitor.last_name))
    people = db.session.scalars(select(Person).where(or_(Person.id.in_(shares_contact), same_name)))
    return [candidate_from(person) for person in people]


def find_unnamed(name_mark: str) -> list[str]:
    """The remote ids of the children whom we made with this name."""
    return list(db.session.scalars(select(Person.remote_id).where(Person.name_key == name_mark)))


def find_person(remote_id: str) -> Person | None:
    """The person with this id in Planning Center, if we have seen them."""
    return db.session.scalars(select(Person).where(Person.remote_id == remote_id)).first()


def candidate_from(person: Person) -> Candidate:
    """A row of the directory as a value."""
    return Candidate(
        remote_id=person.remote_id,
        first_name=person.first_name,
        last_name=person.last_name,
        given_name=person.given_name,
        nickname=person.nickname,
        emails=frozenset(contact.value for contact in person.contacts if contact.kind == EMAIL),
        phones=frozenset(contact.value for contact in person.contacts if contact.kind == PHONE),
    )
