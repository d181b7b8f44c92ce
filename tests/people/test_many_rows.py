"""What a pull brings to PostgreSQL is checked against the people it belongs to one row at a time, however little is known of the table."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from connectcard import create_app
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people.bulk import upsert
from connectcard.people.families import take_in_families
from connectcard.people.models import EMAIL, Address, FamilyMember, Identity, Person
from connectcard.people.pulled import PulledAddress, PulledContact, PulledFamily, PulledMember, PulledPerson
from connectcard.people.taking_in import take_in_people
from tests.conftest import make_config, open_a_church, running
from tests.servers import PostgresqlServer

pytestmark = pytest.mark.postgresql
A_PAGE, PAGES = 100, 12
PEOPLE = A_PAGE * PAGES
# Rows read for each that is stored, where a walk through the whole church for each check would read some hundreds, three times.
FEW = 100


@pytest.fixture
def new_database(postgresql: PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """The name of a database of which PostgreSQL has no statistics at all."""
    name = postgresql.make_database(template=postgresql_template)
    yield name
    postgresql.drop_database(name)


@pytest.fixture
def app(postgresql: PostgresqlServer, new_database: str) -> Iterator[Flask]:
    with running(create_app(make_config(postgresql.url("cc_app", new_database)))) as app:
        yield app


def somebody(number: int) -> PulledPerson:
    mail, lives = f"p{number}@gmail.com", PulledAddress(street=f"{number} Maple St", remote_id=f"a{number}")
    return PulledPerson(str(number), Identity(f"First{number}", "Lopez"), contacts=(PulledContact(EMAIL, mail, mail),), addresses=(lives,))


def family_of(number: int) -> PulledFamily:
    return PulledFamily(f"f{number}", f"Lopez {number}", members=(PulledMember(str(number)),))


def take_in(church_id: UUID, numbers: range) -> None:
    for start in numbers[::A_PAGE]:
        page = range(start, min(start + A_PAGE, numbers.stop))
        with church_scope(church_id), transaction():
            take_in_people([somebody(number) for number in page], now())
        with church_scope(church_id), transaction():
            take_in_families([family_of(number) for number in page], now())


def read_of(table: str) -> int:
    """How many rows of a table this session has read."""
    counted = text("select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = :table")
    with every_church(), transaction() as session:
        session.execute(text("select pg_stat_force_next_flush()"))
    with every_church():
        return int(db.session.execute(counted, {"table": table}).scalar_one())


def test_a_whole_church_comes_into_a_new_database(grace: UUID) -> None:
    take_in(grace, range(PEOPLE))
    assert read_of("person") < FEW * PEOPLE
    assert read_of("family") < FEW * PEOPLE


def test_a_whole_church_comes_where_a_few_were_stored_before(postgresql: PostgresqlServer, new_database: str, grace: UUID) -> None:
    take_in(grace, range(60))
    postgresql.administer(sql.SQL("analyze").format(), new_database)
    take_in(grace, range(60, 90))
    take_in(grace, range(90, 90 + PEOPLE))
    assert read_of("person") < FEW * PEOPLE
    assert read_of("family") < FEW * PEOPLE


def test_many_rows_of_one_church_cannot_point_at_the_people_next_door(grace: UUID) -> None:
    neighbour = open_a_church("hope", "1002")
    take_in(neighbour, range(60))
    with church_scope(neighbour):
        theirs = list(db.session.scalars(select(Person.id)))
    with church_scope(grace), pytest.raises(IntegrityError), transaction():
        upsert(Address, None, (), [{"id": person_id, "church_id": grace, "person_id": person_id} for person_id in theirs])
    with church_scope(grace):
        assert not db.session.scalars(select(Address)).all() + db.session.scalars(select(FamilyMember)).all()
