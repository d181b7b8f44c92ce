"""What a delivery makes us read again, by the kind of its subject, and in words what came of it."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from connectcard.database import db, transaction
from connectcard.people import models as directory
from connectcard.people.models import Address, Contact, Family, FamilyMember, Group, GroupMembership, Person
from connectcard.planning_center import Client
from connectcard.sync.cursors import want_whole
from connectcard.sync.events import ADDRESS, EMAIL, FAMILIES_OF, FAMILY, FAMILY_MEMBER, GROUP, MEMBERSHIP, MEMBERSHIPS, PERSON, PHONE
from connectcard.sync.mappings import FAMILIES
from connectcard.sync.refreshing import (
    AS_IT_WAS,
    CREATED,
    GONE,
    HIDDEN,
    MERGED,
    UNKNOWN,
    UPDATED,
    Refreshed,
    refresh_families_of,
    refresh_family,
    refresh_group,
    refresh_memberships,
    refresh_person,
)

Reader = Callable[[str, Client], str]

NOT_KNOWN = "What was removed there was not known here."
WORDS = {
    CREATED: "Read again: it is new here.",
    UPDATED: "Read again: it was changed here.",
    AS_IT_WAS: "Read again: it was so here already.",
    GONE: "It is gone in Planning Center, and marked so here.",
    UNKNOWN: "It is gone in Planning Center, and was not known here.",
    HIDDEN: "Planning Center does not show it to the person who connected, who is no administrator of Groups. Nothing was changed here.",
}


def in_words(refreshed: Refreshed) -> str:
    """One or two sentences for staff."""
    words = f"Merged into #{refreshed.kept}; what is here goes on with that." if refreshed.outcome == MERGED else WORDS[refreshed.outcome]
    return f"{words} Some values differ on both sides and wait for you." if refreshed.conflicts else words


def _reading(refresh: Callable[[str, Client], Refreshed]) -> Reader:
    return lambda remote_id, client: in_words(refresh(remote_id, client))


def _reading_the_owner(owners: Callable[[str], Any], refresh: Callable[[str, Client], Refreshed]) -> Reader:
    """For what is gone and of which Planning Center does not say whose it was; our own directory knows."""

    def read(remote_id: str, client: Client) -> str:
        known = list(db.session.scalars(owners(remote_id)))
        words = [in_words(refresh(owner, client)) for owner in known if owner]
        return words[0] if words else NOT_KNOWN

    return read


def _read_the_family_of_a_member(remote_id: str, client: Client) -> str:
    """Who is in a household is known without the ids of its memberships until somebody opens it; then only all households tell."""
    words = _reading_the_owner(_families_of, refresh_family)(remote_id, client)
    if words != NOT_KNOWN:
        return words
    with transaction():
        want_whole(FAMILIES.name)
    return "Planning Center does not say which family it was: all of them are read again."


def _people_with(kind: str) -> Callable[[str], Any]:
    contacts = select(Person.remote_id).join(Contact, Contact.person_id == Person.id)
    return lambda remote_id: contacts.where(Contact.kind == kind, Contact.remote_id == remote_id)


def _people_at(remote_id: str) -> Any:
    return select(Person.remote_id).join(Address, Address.person_id == Person.id).where(Address.remote_id == remote_id)


def _families_of(remote_id: str) -> Any:
    return select(Family.remote_id).join(FamilyMember, FamilyMember.family_id == Family.id).where(FamilyMember.remote_id == remote_id)


def _groups_of(remote_id: str) -> Any:
    return select(Group.remote_id).join(GroupMembership, GroupMembership.group_id == Group.id).where(GroupMembership.remote_id == remote_id)


READ_AGAIN: Mapping[str, Reader] = {
    PERSON: _reading(refresh_person),
    FAMILY: _reading(refresh_family),
    GROUP: _reading(refresh_group),
    MEMBERSHIPS: _reading(refresh_memberships),
    EMAIL: _reading_the_owner(_people_with(directory.EMAIL), refresh_person),
    PHONE: _reading_the_owner(_people_with(directory.PHONE), refresh_person),
    ADDRESS: _reading_the_owner(_people_at, refresh_person),
    FAMILIES_OF: _reading(refresh_families_of),
    FAMILY_MEMBER: _read_the_family_of_a_member,
    MEMBERSHIP: _reading_the_owner(_groups_of, refresh_memberships),
}
