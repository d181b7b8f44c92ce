"""The church boundary holds for every way a query can be written."""

from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from connectcard.churches.tenancy import church_scope, every_church
from connectcard.database import db, transaction
from connectcard.errors import ScopeError
from connectcard.people.models import EMAIL, Contact, Person


def add_ana(church_id: UUID) -> UUID:
    with church_scope(church_id), transaction() as session:
        ana = Person(remote_id="1", first_name="Ana")
        ana.contacts.append(Contact(kind=EMAIL, value="ana@gmail.com"))
        session.add(ana)
        return ana.id


def test_each_church_sees_only_its_own_rows(grace: UUID, neighbour: UUID) -> None:
    ours, theirs = add_ana(grace), add_ana(neighbour)
    with church_scope(grace):
        assert [person.id for person in db.session.scalars(select(Person))] == [ours]
        assert db.session.scalar(select(func.count()).select_from(Contact)) == 1
        assert db.session.scalar(select(func.count(Person.id))) == 1
        assert db.session.get(Person, theirs) is None


def test_a_query_without_a_scope_is_refused(grace: UUID) -> None:
    add_ana(grace)
    for statement in (
        select(Person),
        select(func.count()).select_from(Contact),
        select(Person.__table__),
        update(Person).values(first_name="x"),
    ):
        with pytest.raises(ScopeError):
            db.session.execute(statement)


def test_a_bulk_change_stays_inside_the_church(grace: UUID, neighbour: UUID) -> None:
    add_ana(grace)
    add_ana(neighbour)
    with church_scope(grace), transaction() as session:
        session.execute(update(Person).values(first_name="Changed"))
        session.execute(delete(Contact))
    with church_scope(neighbour):
        ana = db.session.scalars(select(Person)).one()
        assert (ana.first_name, len(ana.contacts)) == ("Ana", 1)


def test_a_row_of_another_church_does_not_flush(grace: UUID, neighbour: UUID) -> None:
    with church_scope(grace), pytest.raises(ScopeError), transaction() as session:
        session.add(Person(church_id=neighbour, remote_id="9"))


def test_scopes_do_not_overlap(grace: UUID, neighbour: UUID) -> None:
    with church_scope(grace):
        with pytest.raises(ScopeError), church_scope(neighbour):
            pass
        with pytest.raises(ScopeError), every_church():
            pass
