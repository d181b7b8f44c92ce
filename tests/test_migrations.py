"""A church that updates connectcard keeps its rows, and the migrated database is the one that the models describe."""

from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from connectcard import create_app
from connectcard.churches.tenancy import church_owned_tables
from connectcard.config import Config
from connectcard.database import Base, db
from tests.conftest import running
from tests.servers import PostgresqlServer


@pytest.fixture
def database_url(any_database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table, reached as its owner."""
    if any_database == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name = server.make_database()
    yield server.url("cc_owner", name)
    server.drop_database(name)


@pytest.fixture
def empty_app(config: Config) -> Iterator[Flask]:
    """The application on a database without a single table."""
    with running(create_app(config)) as app:
        yield app


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_the_migrated_database_is_what_the_models_describe(empty_app: Flask) -> None:
    flask_migrate.upgrade()
    flask_migrate.check()
    assert tables() == set(Base.metadata.tables)


def test_a_column_that_no_migration_adds_is_noticed(empty_app: Flask) -> None:
    flask_migrate.upgrade()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE church DROP COLUMN time_zone"))
    with pytest.raises(SystemExit):
        flask_migrate.check()


def test_an_update_can_be_taken_back_and_made_again(empty_app: Flask) -> None:
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="base")
    assert tables() == set()
    flask_migrate.upgrade()
    flask_migrate.check()


def test_sqlite_keeps_watching_foreign_keys_after_a_migration(empty_app: Flask) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL never stops watching")
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_every_church_owned_table_is_in_the_first_migration_s_row_security() -> None:
    written = "\n".join(path.read_text() for path in Path("migrations/versions").glob("*.py"))
    for table in church_owned_tables():
        assert f"op.keep_rows_by_church('{table.name}')" in written
