"""The church's own directory as lists: people, families and groups, searched and paged.

Adults are found by parts of their names in plain letters (José under jose), by e-mail and by phone. Children's names are sealed: they are
found by whole words of the name, of which short keyed marks are kept (marks.word_marks), however many there are.
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
from connectcard.people.identity import name_key
from connectcard.people.marks import name_mark, word_marks
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
    Identity,
    Person,
)
from connectcard.people.operations import marking_key
from connectcard.people.plain_letters import plain_words
from connectcard.people.sealing import open_child

PAGE_ROWS = 50
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
    """People by name, children after adults. Whom the database cannot order, since the name is sealed, stands in any order of its own
    unless names are looked for: then every child that fits is opened anyway."""
    digits, words = re.sub(r"\D", "", text), plain_words(text)
    if "@" in text:
        return _in_order(_who(who), Person.id.in_(_with_contact(EMAIL, text.strip().casefold())), page=page)
    if len(digits) >= SHORTEST_NUMBER and not re.search(r"[^\W\d]", text):
        return _in_order(_who(who), Person.id.in_(_with_contact(PHONE, digits)), page=page)
    if text.strip():
        return _named_so(words, who, page)
    return _in_order(_who(who), page=page)


def _in_order(*fitting: ColumnElement[bool], page: int) -> Listing[Person]:
    return _listed(_by_name(), Person.id, fitting, page)


def _by_name() -> Select[Any]:
    return select(Person).order_by(Person.child, Person.last_name, Person.first_name, Person.id)


def _who(who: str) -> ColumnElement[bool]:
    there = and_(Person.gone_at.is_(None), Person.status == ACTIVE)
    return {
        ADULTS: and_(there, Person.child.is_(False)),
        CHILDREN: and_(there, Person.child.is_(True)),
        ONLY_HERE: Person.remote_id.is_(None),
        INACTIVE_OR_GONE: ~there,
    }.get(who, there)


def _named_so(words: Sequence[str], who: str, page: int) -> Listing[Person]:
    """Adults as the database finds them, then the children: the page holds a part of both, one after the other."""
    if not words:
        return Listing([], 0, 1, 1)
    adults, children = (_who(who), _named(words)), _children_named(words, who)
    adult_count = db.session.scalar(select(func.count(Person.id)).where(*adults)) or 0
    total = adult_count + len(children)
    pages, page = _page_of(total, page)
    start = (page - 1) * PAGE_ROWS
    rows = list(db.session.scalars(_by_name().where(*adults).limit(PAGE_ROWS).offset(start)))
    shown = children[max(0, start - adult_count) : max(0, start - adult_count) + PAGE_ROWS - len(rows)]
    found = {person.id: person for person in db.session.scalars(select(Person).where(Person.id.in_(shown)))}
    return Listing([*rows, *(found[child_id] for child_id in shown)], total, page, pages)


def _page_of(total: int, page: int) -> tuple[int, int]:
    """How many pages there are, and the one nearest to what was asked for."""
    pages = max(1, ceil(total / PAGE_ROWS))
    return pages, min(max(1, page), pages)


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


def _children_named(words: Sequence[str], who: str) -> list[UUID]:
    """Every child whose name has each of these words, by name: found by marks, then opened, since a mark is one of many names.

    A child of whom only a mark of the whole name is known is found by the whole name.
    """
    key = marking_key()
    by_words = and_(Person.name_marks != "", *(Person.name_marks.contains(word_marks(key, [word])) for word in words))
    whole = and_(Person.name_marks == "", Person.name_key == name_mark(key, name_key(words[0], " ".join(words[1:]))))
    marked = select(Person.id, Person.child_details_sealed).where(_who(who), Person.child.is_(True), or_(by_words, whole))
    opened = [(child_id, open_child(child_id, envelope) if envelope else None) for child_id, envelope in db.session.execute(marked)]
    fitting = [(identity, child_id) for child_id, identity in opened if identity is None or identity.words.issuperset(words)]
    return [child_id for _, child_id in sorted(fitting, key=_order_of)]


def _order_of(found: tuple[Identity | None, UUID]) -> tuple[str, str, UUID]:
    identity, child_id = found
    return (identity.last_name, identity.first_name, child_id) if identity else ("", "", child_id)


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
    pages, page = _page_of(total, page)
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


def counts() -> tuple[int, int, int]:
    """How many people, families and groups the lists show when nothing is looked for."""
    people = db.session.scalar(select(func.count(Person.id)).where(_who(EVERYBODY))) or 0
    families = db.session.scalar(select(func.count(Family.id))) or 0
    groups = db.session.scalar(select(func.count(Group.id))) or 0
    return people, families, groups
