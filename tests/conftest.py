"""Standing people: Grace Church, and the neighbour, a second church with the same names and e-mails on purpose."""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import connect
from uuid import UUID

import flask_migrate
import pytest
from flask import Flask
from playwright.sync_api import Browser

from connectcard import create_app
from connectcard.churches.models import Church
from connectcard.churches.tenancy import every_church
from connectcard.clock import clock
from connectcard.config import Config
from connectcard.database import db, transaction
from tests import browsing, made_once, servers

ORIGIN = "http://127.0.0.1:7777"
TESTS = Path(__file__).parent
# What takes long or waits long, so that at the end no process of the test run is left alone with it while the others have nothing to do.
LONGEST_FIRST = ("browser/test_every_page.py", "flows/", "test_up.py", "matrix/", "web/test_every_route.py", "browser/")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey without persistence, one for each process of the test run."""
    with servers.valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgresqlServer]:
    """A PostgreSQL server, one for each process of the test run."""
    try:
        with servers.postgresql() as server:
            yield server
    except servers.NoPostgresql as missing:
        pytest.skip(f"PostgreSQL is not here: {missing}")


@pytest.fixture(scope="session")
def postgresql_template(postgresql: servers.PostgresqlServer) -> Iterator[str]:
    """The name of a migrated, empty database that can be copied."""
    name = postgresql.make_database()
    make_schema(postgresql.url("cc_owner", name))
    yield name
    postgresql.drop_database(name)


@pytest.fixture(scope="session")
def postgresql_emptied(postgresql: servers.PostgresqlServer, postgresql_template: str) -> Iterator[str]:
    """The name of a database that one test after the other finds empty."""
    name = postgresql.make_database(template=postgresql_template)
    yield name
    postgresql.drop_database(name)


@pytest.fixture
def postgresql_database(postgresql: servers.PostgresqlServer, postgresql_emptied: str) -> Iterator[str]:
    """The name of a PostgreSQL database, migrated and empty; a test that alters more than rows puts that back."""
    yield postgresql_emptied
    postgresql.empty_database(postgresql_emptied)


@pytest.fixture
def postgresql_url(postgresql: servers.PostgresqlServer, postgresql_database: str) -> str:
    """The test's own PostgreSQL database, seen by the role that the product runs as: no owner, no superuser, no BYPASSRLS."""
    return postgresql.url("cc_app", postgresql_database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file from which each test's own is copied."""
    return empty_sqlite(tmp_path_factory.mktemp("sqlite") / "empty.sqlite")


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "connectcard.sqlite")
    return f"sqlite:///{tmp_path / 'connectcard.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def any_database(request: pytest.FixtureRequest) -> str:
    """A test that asks for this runs twice: once on SQLite, once on PostgreSQL."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Where this test keeps its rows: SQLite, unless `any_database` says otherwise."""
    kind = request.getfixturevalue("any_database") if "any_database" in request.fixturenames else "sqlite"
    return str(request.getfixturevalue(f"{kind}_url"))


def make_config(database_url: str, **others: object) -> Config:
    settings: dict[str, object] = {
        "database_url": database_url,
        "redis_url": "redis://127.0.0.1:1/0",
        "secret_key": "a secret key that is long enough for a test",
        "encryption_keys": (b"k" * 32,),
        "public_url": "http://127.0.0.1:5000",
        "pco_base_url": ORIGIN,
        "pco_client_id": "client-id",
        "pco_client_secret": "client-secret",
        "testing": True,
    }
    return Config(**(settings | others))  # type: ignore[arg-type]


@pytest.fixture
def config(database_url: str) -> Config:
    return make_config(database_url)


@pytest.fixture
def simulator() -> Iterator[str]:
    """A practice Planning Center of the test's own on a real socket; gives its address, without a trailing slash."""
    from connectcard.simulator import create_simulator

    with servers.serving(create_simulator()) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without its desktop, started once for each process of the test run."""
    program = browsing.headless_shell()
    if not program:
        pytest.skip("Chromium is not here (apt-get install chromium, or set CHROMIUM): what a person sees was not tested")
    with browsing.launched(program) as browser:
        yield browser


def empty_sqlite(path: Path) -> Path:
    """A migrated, empty SQLite file that can be copied as it is."""
    make_schema(f"sqlite:///{path}")
    with closing(connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    return path


@contextmanager
def running(app: Flask) -> Iterator[Flask]:
    """The application's context; its connections are given back at the end."""
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def make_schema(url: str) -> None:
    """Bring an empty database to where the product expects it, by the product's own migrations."""
    with running(create_app(make_config(url))) as app:
        migrations = Path(app.root_path).parent / "migrations"
        if (migrations / "env.py").exists():
            flask_migrate.upgrade(directory=str(migrations))
        else:
            db.create_all()


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    with running(create_app(config)) as app:
        yield app


def open_a_church(slug: str, organization_id: str) -> UUID:
    with every_church(), transaction() as session:
        church = Church(slug=slug, name=f"{slug.title()} Church", origin=ORIGIN, organization_id=organization_id)
        session.add(church)
        session.flush()
        church.remote_id_key = "ab" * 32
        return church.id


@pytest.fixture
def grace(app: Flask) -> UUID:
    """The id of Grace Church."""
    return open_a_church("grace", "1001")


@pytest.fixture
def neighbour(app: Flask) -> UUID:
    """The id of the church next door; whatever Grace does, nothing of it may show or change here."""
    return open_a_church("hope", "1002")


class MovedClock:
    """The clock of the test: stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def moved_clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    moved = MovedClock()
    monkeypatch.setattr(clock, "source", moved)
    return moved


def pytest_configure() -> None:
    made_once.for_every_application()


def pytest_xdist_auto_num_workers() -> int:
    """With `-n auto` one process more than there are cores: a third of the time a test waits, for a process or a browser of its own."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever opens a browser is marked so: `pytest -m "not browser"` leaves it out; and the longest begin first."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    path = item.path.relative_to(TESTS).as_posix()
    return next((turn for turn, long in enumerate(LONGEST_FIRST) if path.startswith(long)), len(LONGEST_FIRST))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a failure stands what the processes of the test wrote."""
    report = yield
    installation = getattr(item, "funcargs", {}).get("installation")
    if report.failed and installation:
        report.sections.append(("processes", installation.logs()))
    return report
