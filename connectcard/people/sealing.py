"""Sealing and opening the names of children by the hundred, without a mapped row for each."""

from types import SimpleNamespace
from uuid import UUID

from connectcard.churches.tenancy import current_church_id
from connectcard.crypto import keyring
from connectcard.people.models import Identity, Person, opened_identity, sealed_identity


def seal_child(person_id: UUID, identity: Identity) -> bytes:
    """What `child_details_sealed` of a person holds; it opens as that row's only."""
    return keyring().seal(sealed_identity(identity), _bound_to(person_id))


def open_child(person_id: UUID, envelope: bytes) -> Identity:
    """What such a column says of a child of the open church."""
    return opened_identity(keyring().open(envelope, _bound_to(person_id)))


def _bound_to(person_id: UUID) -> str:
    return Person.child_details.bound_to(SimpleNamespace(__tablename__=Person.__tablename__, church_id=current_church_id(), id=person_id))
