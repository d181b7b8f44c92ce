"""Sealing the names of children by the hundred, without a mapped row for each."""

from types import SimpleNamespace
from uuid import UUID

from connectcard.churches.tenancy import current_church_id
from connectcard.crypto import keyring
from connectcard.people.models import Identity, Person, sealed_identity


def seal_child(person_id: UUID, identity: Identity) -> bytes:
    """What `child_details_sealed` of a person holds; it opens as that row's only."""
    row = SimpleNamespace(__tablename__=Person.__tablename__, church_id=current_church_id(), id=person_id)
    return keyring().seal(sealed_identity(identity), Person.child_details.bound_to(row))
