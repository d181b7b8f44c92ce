"""The church's own directory as lists: people, families and groups, searched and paged.

Adults are found by parts of their names in plain letters (José under jose), by e-mail and by phone. Children's names are sealed: theirs
are opened and looked through one by one, up to a bound.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from connectcard.database import db
from connectcard.errors import NotFound
from connectcard.people.models import (
    ACTIVE,
    EMAIL,
    PHONE,
    Area,
    Contact,
    Department,
    Family,
    FamilyMember,
    Group,
    GroupMembership,
    Person,
)
from connectcard.people.plain_letters import plain_words
from connectcard.people.sealing import open_child

PAGE_ROWS = 50
# Children whose names are opened for one search; whom it does not reach is found by the whole name.
MOST_CHILDREN = 10_000
MOST_FOUND = 500
SHORTEST_NUMBER = 4
EVERYBODY, ADULTS, CHILDREN, ONLY_HERE, INACTIVE_OR_GONE = "everybody", "adults", "children", "only_here", "inactive"
WHO = (EVERYBODY, ADULTS, CHILDREN, ONLY_HERE, INACTIVE_OR_GONE)
Row = TypeVar("Row", Person, Family, Group)


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """One page, how many there are in all, and how many pages."""

    rows: Sequence[Row]
    total: int
    page: int
    pages: int


def list_people(text: str, who: str, page: int) -> Listing[Person]:
    """People by name; children stand after adults, since the database cannot order what is sealed."""
    fitting = [_who(who), *([_fits(text)] if text.strip() else [])]
    return _listed(select(Person).order_by(Person.child, Person.last_name, Person.first_name, Person.id), Person.id, fitting, page)


def _who(who: str) -> ColumnElement[bool]:
    there = and_(Person.gone_at.is_(None), Person.status == ACTIVE)
    return {
        ADULTS: and_(there, Person.child.is_(False)),
        CHILDREN: and_(there, Person.child.is_(True)),
        ONLY_HERE: Person.remote_id.is_(None),
        INACTIVE_OR_GONE: ~there,
    }.get(who, there)


def _fits(text: str) -> ColumnElement[bool]:
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        return Person.id.in_(_with_contact(EMAIL, text.strip().casefold()))
    if len(digits) >= SHORTEST_NUMBER and not re.search(r"[^\W\d]", text):
        return Person.id.in_(_with_contact(PHONE, digits))
    words = plain_words(text)
    if not words:
        return Person.id.is_(None)
    return or_(_named(words), Person.id.in_(_children_named(words)))


def _with_contact(kind: str, part: str) -> Select[UUID]:
    return select(Contact.person_id).where(Contact.kind == kind, Contact.value.contains(part, autoescape=True))


def _named(words: Sequence[str]) -> ColumnElement[bool]:
    """Each word somewhere in the name, or a nickname that begins with it."""
    of_adults = Person.child.is_(False)
    parts = [
        or_(Person.name_key.contains(word, autoescape=True), func.lower(Person.nickname).startswith(word, autoescape=True))
        for word in words
    ]
    return and_(of_adults, *parts)


def _children_named(words: Sequence[str]) -> list[UUID]:
    sealed = select(Person.id, Person.child_details_sealed).where(Person.child.is_(True), Person.child_details_sealed.is_not(None))
    found: list[UUID] = []
    for child_id, envelope in db.session.execute(sealed.order_by(Person.id).limit(MOST_CHILDREN)):
        identity = open_child(child_id, envelope or b"")
        name = "|".join(plain_words(f"{identity.first_name} {identity.nickname} {identity.last_name}"))
        if all(word in name for word in words):
            found.append(child_id)
        if len(found) == MOST_FOUND:
            break
    return found


def list_families(text: str, page: int) -> Listing[Family]:
    """Families by name; found by a part of the name or the town, as they are written or in plain letters."""
    words = text.split()
    fitting = [or_(*(column.icontains(word, autoescape=True) for column in (Family.name, Family.city, Family.street))) for word in words]
    return _listed(select(Family).order_by(Family.gone_at.is_not(None), Family.name, Family.id), Family.id, fitting, page)


def list_groups(text: str, page: int) -> Listing[Group]:
    """Groups by department, area and name; archived ones and those that are gone stand last in their area."""
    fitting = [Group.name.icontains(word, autoescape=True) for word in text.split()]
    ordered = (
        select(Group)
        .join(Area, Area.id == Group.area_id)
        .join(Department, Department.id == Area.department_id)
        .order_by(
            Department.name, Area.name, Area.id, or_(Group.archived_at.is_not(None), Group.gone_at.is_not(None)), Group.name, Group.id
        )
    )
    return _listed(ordered, Group.id, fitting, page)


def _listed(ordered: Select[Any], identifier: Any, fitting: Sequence[ColumnElement[bool]], page: int) -> Listing[Any]:
    total = db.session.scalar(select(func.count(identifier)).where(*fitting)) or 0
    pages = max(1, ceil(total / PAGE_ROWS))
    page = min(max(1, page), pages)
    rows = db.session.scalars(ordered.where(*fitting).limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)).all()
    return Listing(rows, total, page, pages)


def get_person(person_id: UUID) -> Person:
    """Raises NotFound."""
    return _get(Person, person_id, "There is no such person in your directory.")


def get_family(family_id: UUID) -> Family:
    """Raises NotFound."""
    return _get(Family, family_id, "There is no such family in your directory.")


def get_group(group_id: UUID) -> Group:
    """Raises NotFound."""
    return _get(Group, group_id, "There is no such group in your directory.")


def _get(model: type[Row], row_id: UUID, missing: str) -> Row:
    row = db.session.scalars(select(model).where(model.id == row_id)).first()
    if row is None:
        raise NotFound(missing)
    return row


def families_of(person: Person) -> list[FamilyMember]:
    """The families that somebody is in."""
    return list(db.session.scalars(select(FamilyMember).where(FamilyMember.person_id == person.id, FamilyMember.gone_at.is_(None))))


def groups_of(person: Person) -> list[GroupMembership]:
    """The groups that somebody is in."""
    mine = select(GroupMembership).where(GroupMembership.person_id == person.id, GroupMembership.gone_at.is_(None))
    return list(db.session.scalars(mine))


def find_person_merged_into(person: Person) -> Person | None:
    """Whom somebody became in Planning Center."""
    if person.merged_into is None:
        return None
    return db.session.scalars(select(Person).where(Person.remote_id == person.merged_into)).first()


def names_of(remote_ids: Sequence[str]) -> dict[str, str]:
    """What people are called, by their ids in Planning Center."""
    found = db.session.scalars(select(Person).where(Person.remote_id.in_(remote_ids)))
    return {person.remote_id: person.name for person in found if person.remote_id}


def counts() -> tuple[int, int, int]:
    """How many people, families and groups the lists show when nothing is looked for."""
    people = db.session.scalar(select(func.count(Person.id)).where(_who(EVERYBODY))) or 0
    families = db.session.scalar(select(func.count(Family.id))) or 0
    groups = db.session.scalar(select(func.count(Group.id))) or 0
    return people, families, groups
