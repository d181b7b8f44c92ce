"""Every way a statement could be written to reach across: none shows, changes or adds anything of the neighbour's.

On SQLite the guard of `tenancy` stands alone; on PostgreSQL row-level security stands behind it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Select, and_, delete, exists, func, insert, literal, select, union_all, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased, joinedload, selectinload

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.database import db, transaction
from connectcard.errors import ScopeError
from connectcard.people.models import EMAIL, Contact, Person

SECRET = "Neighbour"
raw = Person.__table__


def add_person(church_id: UUID, first_name: str) -> UUID:
    with church_scope(church_id), transaction() as session:
        person = Person(remote_id="1", first_name=first_name, last_name="Lopez")
        person.contacts.append(Contact(kind=EMAIL, value=f"{first_name.lower()}@gmail.com"))
        session.add(person)
        return person.id


@pytest.fixture
def theirs(any_database: str, app: Flask, grace: UUID, neighbour: UUID) -> UUID:
    add_person(grace, "Ana")
    return add_person(neighbour, SECRET)


other = aliased(Person)
READS: dict[str, Callable[[UUID], Select[Any]]] = {
    "entity": lambda _: select(Person),
    "columns": lambda _: select(Person.first_name),
    "alias": lambda _: select(other),
    "alias joined": lambda _: select(other.first_name).join(Person, Person.last_name == other.last_name),
    "join by name": lambda _: select(Contact.value).join(Person, Person.last_name == "Lopez"),
    "outer join": lambda _: select(Church.name, Person.first_name).outerjoin(Person, Person.church_id == Church.id),
    "cross join": lambda _: select(Person.first_name, Contact.value).join(Contact, literal(True)),
    "subquery": lambda _: select(select(Person.first_name).subquery()),
    "entity from subquery": lambda _: select(aliased(Person, select(Person).subquery())),
    "cte": lambda _: select(select(Person.first_name).cte()),
    "scalar subquery": lambda their: select(select(Person.first_name).where(Person.id == their).scalar_subquery()),
    "scalar subquery beside a church": lambda their: select(
        Church.name, select(Person.first_name).where(Person.id == their).scalar_subquery()
    ),
    "union": lambda _: select(union_all(select(Person.first_name), select(Person.last_name)).subquery()),
    "exists": lambda their: select(literal(SECRET)).where(exists().where(Person.id == their)),
    "any": lambda their: select(literal(SECRET)).where(select(Contact).where(Contact.person.has(Person.id == their)).exists()),
    "or true": lambda _: select(Person).where((Person.first_name == "Ana") | literal(True)),
    "joined load": lambda _: select(Person).options(joinedload(Person.contacts)),
    "select-in load": lambda _: select(Person).options(selectinload(Person.contacts)),
    "lateral": lambda _: select(Church.name).join(select(Person.first_name).subquery(), literal(True)).add_columns(literal("x")),
    "table": lambda _: select(raw),
    "table in a condition": lambda their: select(literal(SECRET)).where(exists(select(raw.c.id).where(raw.c.id == their))),
    "maximum": lambda _: select(func.max(Person.first_name)),
    "maximum beside a church": lambda _: select(Church.slug, func.max(Person.first_name)).join(Person, literal(True)).group_by(Church.slug),
    "from statement": lambda _: select(Person).from_statement(select(Person)),
}


def words_of(row: Any) -> str:
    return " ".join(
        f"{part.first_name} {[contact.value for contact in part.contacts]}" if isinstance(part, Person) else str(part) for part in row
    )


@pytest.mark.parametrize("way", READS)
def test_no_way_of_reading_shows_the_neighbours_people(way: str, theirs: UUID, grace: UUID) -> None:
    with church_scope(grace):
        try:
            seen = [words_of(row) for row in db.session.execute(READS[way](theirs)).unique()]
        except (ScopeError, DBAPIError):
            return
    assert not [row for row in seen if SECRET.lower() in row.lower()]


def unchanged(neighbour: UUID) -> bool:
    with church_scope(neighbour):
        person = db.session.scalars(select(Person)).one()
        return (person.first_name, len(person.contacts)) == (SECRET, 1)


WRITES: dict[str, Callable[[UUID, UUID], Any]] = {
    "update all": lambda their, _: update(Person).values(first_name="x"),
    "update one": lambda their, _: update(Person).where(Person.id == their).values(first_name="x"),
    "update with returning": lambda their, _: update(Person).where(Person.id == their).values(first_name="x").returning(Person),
    "update by a subquery": lambda their, _: update(Person).where(Person.id.in_(select(Person.id))).values(first_name="x"),
    "update of the table": lambda their, _: update(raw).values(first_name="x"),
    "delete all": lambda their, _: delete(Person),
    "delete one": lambda their, _: delete(Contact).where(Contact.person_id == their),
    "delete from the table": lambda their, _: delete(raw),
    "insert a foreign row": lambda their, church: insert(Person).values(id=uuid4(), church_id=church, remote_id="9"),
    "insert into the table": lambda their, church: insert(raw).values(id=uuid4(), church_id=church, remote_id="9"),
    "insert from a select": lambda their, church: insert(Person).from_select(
        ["id", "church_id", "remote_id"], select(literal(uuid4()), literal(church), literal("9"))
    ),
    "give a row away": lambda their, church: update(Person).where(Person.remote_id == "1").values(church_id=church, remote_id="9"),
}


@pytest.mark.parametrize("way", WRITES)
def test_no_way_of_writing_changes_the_neighbours_people(way: str, theirs: UUID, grace: UUID, neighbour: UUID) -> None:
    with church_scope(grace):
        try:
            with transaction() as session:
                session.execute(WRITES[way](theirs, neighbour))
        except (ScopeError, DBAPIError):
            pass
    assert unchanged(neighbour)


def test_many_rows_at_once_do_not_slip_past(theirs: UUID, grace: UUID, neighbour: UUID) -> None:
    with church_scope(grace), pytest.raises((ScopeError, DBAPIError)), transaction() as session:
        session.execute(insert(Person), [{"id": uuid4(), "church_id": neighbour, "remote_id": "9"}])
    with church_scope(grace), pytest.raises((ScopeError, DBAPIError)), transaction() as session:
        session.bulk_save_objects([Person(church_id=neighbour, remote_id="9")])
    with church_scope(grace), pytest.raises(ScopeError), transaction() as session:
        session.execute(update(Person), [{"id": theirs, "first_name": "x"}])
    assert unchanged(neighbour)


def test_a_row_that_was_loaded_for_one_church_is_not_handed_to_another(theirs: UUID, grace: UUID, neighbour: UUID) -> None:
    with church_scope(neighbour):
        assert db.session.get(Person, theirs) is not None
    with church_scope(grace):
        assert db.session.get(Person, theirs) is None
        assert db.session.scalar(select(Person).where(and_(Person.id == theirs, Person.church_id == neighbour))) is None
    with every_church():
        assert len(db.session.scalars(select(Person)).all()) == 2


def test_without_a_scope_no_way_of_reading_is_open(theirs: UUID) -> None:
    for way, statement in READS.items():
        with pytest.raises(ScopeError):
            db.session.execute(statement(theirs))
            pytest.fail(f"{way} was let through")


ONCE = {"entity": select(Person), "joined load": READS["joined load"](uuid4()), "select-in load": READS["select-in load"](uuid4())}
RENAME = update(Person).values(nickname="x").execution_options(synchronize_session=False)


@pytest.mark.parametrize("way", ONCE)
def test_a_statement_that_is_built_once_serves_each_church_with_its_own_rows(
    way: str, app: Flask, theirs: UUID, grace: UUID, neighbour: UUID
) -> None:
    def serve(church_id: UUID) -> list[str]:
        with app.app_context(), church_scope(church_id):
            return [words_of(row) for row in db.session.execute(ONCE[way]).unique()]

    ours, neighbours = ["Ana ['ana@gmail.com']"], ["Neighbour ['neighbour@gmail.com']"]
    assert [serve(church_id) for church_id in (grace, neighbour, grace)] == [ours, neighbours, ours]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(serve, [grace, neighbour] * 10)) == [ours, neighbours] * 10
    with every_church():
        assert len(db.session.execute(ONCE[way]).unique().all()) == 2
    with pytest.raises(ScopeError):
        db.session.execute(ONCE[way])


def test_a_change_that_is_built_once_changes_only_the_church_that_is_open(theirs: UUID, grace: UUID, neighbour: UUID) -> None:
    for church_id, nicknames in ((grace, ["", "x"]), (neighbour, ["x", "x"])):
        with church_scope(church_id), transaction() as session:
            assert session.execute(RENAME).rowcount == 1  # type: ignore[attr-defined]
        with every_church():
            assert sorted(db.session.scalars(select(Person.nickname))) == nicknames
