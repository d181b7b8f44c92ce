"""Standing people: Grace Church, and the neighbour, a second church with the same names and e-mails on purpose."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from connectcard import create_app
from connectcard.churches.models import Church
from connectcard.churches.tenancy import every_church
from connectcard.clock import clock
from connectcard.config import Config
from connectcard.database import db, transaction

ORIGIN = "http://127.0.0.1:7777"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'connectcard.sqlite'}"


@pytest.fixture
def config(database_url: str) -> Config:
    return Config(
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",
        secret_key="a secret key that is long enough for a test",
        encryption_keys=(b"k" * 32,),
        public_url="http://127.0.0.1:5000",
        pco_base_url=ORIGIN,
        pco_client_id="client-id",
        pco_client_secret="client-secret",
        testing=True,
    )


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    app = create_app(config)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


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
