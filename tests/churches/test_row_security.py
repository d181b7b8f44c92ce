"""PostgreSQL holds the church boundary below everything that is ours: by raw SQL, as the role that the product runs as."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Column, Connection, Engine, ForeignKeyConstraint, Table, create_engine, insert, select, text
from sqlalchemy.exc import ProgrammingError

from connectcard import create_app
from connectcard.application import import_models
from connectcard.churches.models import Member
from connectcard.churches.tenancy import church_owned_tables, church_scope, every_church
from connectcard.database import UtcDateTime, db, transaction
from tests.conftest import make_config, open_a_church, running
from tests.servers import PostgresqlServer

pytestmark = pytest.mark.postgresql

import_models()
TABLES: list[Table] = sorted(church_owned_tables(), key=lambda table: table.name)
numbers = count(1)
NO_CHURCHS = {"church", "staff_session", "schedule", "dead_grant_seen", "alembic_version"}
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@pytest.fixture
def database_url(postgresql_url: str) -> str:
    return postgresql_url


def made_up(column: Column[Any]) -> Any:
    """Something that fits the column and was not there before."""
    if isinstance(column.type, UtcDateTime):
        return datetime(2026, 1, 1, tzinfo=UTC)
    kind = column.type.python_type
    if kind is str:
        return uuid4().hex[: getattr(column.type, "length", None) or 8]
    return {UUID: uuid4(), int: next(numbers), bool: False, bytes: b"x"}.get(kind, {})


def a_row(table: Table, church_id: UUID) -> dict[str, Any]:
    """A row of any table with something in each column that needs it."""
    needed = [column for column in table.columns if not column.nullable]
    return {column.name: made_up(column) for column in needed} | {"id": uuid4(), "church_id": church_id}


def parents_first(table: Table, church_id: UUID) -> list[tuple[Table, dict[str, Any]]]:
    """The row and those it must hang on, in the order in which they can be written."""
    row = a_row(table, church_id)
    before: list[tuple[Table, dict[str, Any]]] = []
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name != "church":
            local = next(column.name for column in constraint.columns if column.name != "church_id")
            if table.columns[local].nullable:
                continue
            made = parents_first(constraint.referred_table, church_id)
            before, row[local] = before + made, made[-1][1]["id"]
    return [*before, (table, row)]


def serve(connection: Connection, church_id: UUID | None) -> None:
    connection.execute(text("select set_config('app.church_id', :church, true)"), {"church": str(church_id or "")})


def put(table: Table, church_id: UUID) -> dict[str, Any]:
    """Write a row as the church itself, by raw SQL; gives it back."""
    rows = parents_first(table, church_id)
    with db.engine.begin() as connection:
        serve(connection, church_id)
        for each, row in rows:
            connection.execute(insert(each).values(row))
    return rows[-1][1]


def ids(table: Table, church_id: UUID | None) -> list[UUID]:
    with db.engine.begin() as connection:
        serve(connection, church_id)
        return list(connection.execute(select(table.c.id)).scalars())


def test_the_role_that_the_product_runs_as_is_bound_by_it(app: Flask) -> None:
    with db.engine.connect() as connection:
        role = connection.execute(text("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")).one()
        owned = connection.execute(text("select count(*) from pg_tables where tableowner = current_user")).scalar()
    assert tuple(role) == ("cc_app", False, False)
    assert owned == 0


def test_every_church_owned_table_is_under_a_forced_policy_for_reading_and_writing(app: Flask) -> None:
    forced = text("select relname from pg_class where relrowsecurity and relforcerowsecurity")
    checked = text("select tablename from pg_policies where cmd = 'ALL' and qual is not null and with_check is not null")
    with db.engine.connect() as connection:
        names = {table.name for table in TABLES}
        assert set(connection.execute(forced).scalars()) == names
        assert set(connection.execute(checked).scalars()) == names


def keeps_apart(table: Table, grace: UUID, neighbour: UUID) -> None:
    """The line itself; each assertion is one way across it."""
    ours, theirs = put(table, grace), put(table, neighbour)
    assert ids(table, grace) == [ours["id"]]
    assert ids(table, neighbour) == [theirs["id"]]
    assert ids(table, None) == []
    with db.engine.begin() as connection:
        serve(connection, grace)
        changed = connection.execute(table.update().where(table.c.id == theirs["id"]).values(id=table.c.id))
        deleted = connection.execute(table.delete().where(table.c.id == theirs["id"]))
        assert (changed.rowcount, deleted.rowcount) == (0, 0)
    for church_id in (grace, None):
        with pytest.raises(ProgrammingError, match="row-level security"), db.engine.begin() as connection:
            serve(connection, church_id)
            connection.execute(insert(table).values({**theirs, "id": uuid4()}))
    with pytest.raises(ProgrammingError, match="row-level security"), db.engine.begin() as connection:
        serve(connection, grace)
        connection.execute(table.update().where(table.c.id == ours["id"]).values(church_id=neighbour))
    assert ids(table, neighbour) == [theirs["id"]]


@each_table
def test_a_church_reaches_its_own_rows_only(app: Flask, grace: UUID, neighbour: UUID, table: Table) -> None:
    keeps_apart(table, grace, neighbour)


@each_table
def test_without_the_policy_the_test_above_fails(
    app: Flask, grace: UUID, neighbour: UUID, table: Table, postgresql: PostgresqlServer, postgresql_database: str
) -> None:
    owner = create_engine(postgresql.url("cc_owner", postgresql_database))
    with without_policy(owner, table), pytest.raises(AssertionError):
        keeps_apart(table, grace, neighbour)
    owner.dispose()


@contextmanager
def without_policy(owner: Engine, table: Table) -> Iterator[None]:
    """The database is kept for the next test, and so is what protects it."""
    try:
        alter(owner, table, "disable")
        yield
    finally:
        alter(owner, table, "enable")


def alter(owner: Engine, table: Table, change: str) -> None:
    with owner.begin() as connection:
        connection.execute(text(f'alter table "{table.name}" {change} row level security'))


def test_the_owner_of_the_tables_is_bound_as_well(
    app: Flask, grace: UUID, neighbour: UUID, postgresql: PostgresqlServer, postgresql_database: str
) -> None:
    for church_id in (grace, neighbour):
        put(Member.__table__, church_id)  # type: ignore[arg-type]
    owner = create_engine(postgresql.url("cc_owner", postgresql_database))
    with owner.connect() as connection:
        assert connection.execute(text("select count(*) from member")).scalar() == 0
    owner.dispose()


@pytest.fixture
def one_connection(postgresql_url: str) -> Any:
    """The application with a pool of a single connection, so that each scope reuses the one before it."""
    app = create_app(make_config(postgresql_url))
    with running(app):
        db.engine.dispose()
        db.engines[None] = create_engine(postgresql_url, pool_size=1, max_overflow=0, pool_timeout=3)
        yield app


def visible_by_raw_sql() -> int:
    with db.engine.connect() as connection:
        return int(connection.execute(text("select count(*) from member")).scalar() or 0)


def test_a_connection_taken_from_the_pool_remembers_no_church(one_connection: Flask) -> None:
    grace, neighbour = open_a_church("grace", "1001"), open_a_church("hope", "1002")
    for church_id in (grace, neighbour, grace):
        put(Member.__table__, church_id)  # type: ignore[arg-type]
    for church_id, expected in ((grace, 2), (neighbour, 1), (grace, 2)):
        with church_scope(church_id):
            assert len(db.session.scalars(select(Member)).all()) == expected
            assert db.session.execute(text("select current_setting('app.church_id', true)")).scalar() == str(church_id)
        assert visible_by_raw_sql() == 0
    with every_church():
        assert len(db.session.scalars(select(Member)).all()) == 3
    assert visible_by_raw_sql() == 0


def test_a_transaction_that_failed_leaves_no_church_behind(one_connection: Flask) -> None:
    grace = open_a_church("grace", "1001")
    put(Member.__table__, grace)  # type: ignore[arg-type]
    with church_scope(grace), pytest.raises(ZeroDivisionError), transaction():
        _ = db.session.scalars(select(Member)).one().name, 1 / 0
    assert visible_by_raw_sql() == 0


def test_every_church_is_not_left_on(one_connection: Flask) -> None:
    grace, neighbour = open_a_church("grace", "1001"), open_a_church("hope", "1002")
    put(Member.__table__, neighbour)  # type: ignore[arg-type]
    with church_scope(grace):
        assert db.session.scalars(select(Member)).all() == []
        assert db.session.execute(text("select current_setting('app.every_church', true)")).scalar() == ""


def test_only_the_named_tables_are_without_a_church(app: Flask) -> None:
    """Doors, the clock's list, which connections were called dead of late, the migrations' own mark: nothing a visitor wrote."""
    with db.engine.connect() as connection:
        found = set(connection.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars())
    assert found - {table.name for table in TABLES} == NO_CHURCHS
