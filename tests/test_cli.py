"""The `connectcard` command: what a person who hosts it sees when a setting is odd, and when they ask what is wrong."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
import requests_mock
from flask import Flask
from sqlalchemy import create_engine, select, text

from connectcard import create_app, doctor, keys
from connectcard.application import ROOT
from connectcard.cards.models import Submission
from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import Connection
from connectcard.crypto import CannotOpen, key_id
from connectcard.database import db, transaction
from connectcard.doctor import Finding
from tests.conftest import ORIGIN, make_config, running
from tests.making import a_card
from tests.servers import PostgresqlServer

OLD_KEY, NEW_KEY = b"k" * 32, b"n" * 32


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "a secret key that is long enough for a test",
        "ENCRYPTION_KEYS": base64.b64encode(OLD_KEY).decode(),
        "PUBLIC_URL": "http://127.0.0.1:5000",
        "PCO_BASE_URL": ORIGIN,
        "PCO_CLIENT_ID": "practice-client",
        "PCO_CLIENT_SECRET": "practice-secret",
    }


def connectcard(*words: str, settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "connectcard.cli", *words]
    return subprocess.run(command, cwd=ROOT, env=plain | settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["worker", "clock", "sign-in-link"])
def test_a_missing_setting_ends_the_command_with_every_name_and_no_traceback(command: str) -> None:
    run = connectcard(command, settings={})
    assert (run.returncode, run.stdout) == (2, "")
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "PUBLIC_URL", "PCO_CLIENT_ID"):
        assert f"{name} is missing; it should be " in run.stderr
    assert "Traceback" not in run.stderr


def test_an_odd_setting_is_named_with_what_it_should_be(settings: dict[str, str]) -> None:
    run = connectcard("worker", settings=settings | {"ENCRYPTION_KEYS": "c2hvcnQ=", "PUBLIC_URL": "http://cards.gracechurch.org"})
    assert run.returncode == 2
    assert "ENCRYPTION_KEYS is odd; it should be one or more keys of 32 bytes" in run.stderr
    assert "PUBLIC_URL is odd; it should be an https:// address" in run.stderr
    assert "DATABASE_URL" not in run.stderr
    assert "c2hvcnQ" not in run.stderr


@pytest.mark.parametrize("words", [("restored",), ("keys", "rotate"), ("sign-in-link",), ("db", "upgrade")])
def test_a_database_that_cannot_be_used_ends_the_command_in_words(settings: dict[str, str], words: tuple[str, ...]) -> None:
    owner = {"PCO_APP_ID": "app", "PCO_SECRET": "pat-secret", "PCO_CLIENT_ID": "", "PCO_CLIENT_SECRET": ""}
    away = {"DATABASE_URL": "postgresql://grace:much-too-secret@127.0.0.1:1/cards"}
    run = connectcard(*words, settings=settings | owner | away)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.strip() == "The database: it cannot be reached (OperationalError). Does the server run, and is DATABASE_URL right?"


def test_a_database_without_tables_ends_the_command_in_words(settings: dict[str, str], tmp_path: Path) -> None:
    run = connectcard("restored", settings=settings | {"DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite'}"})
    assert (run.returncode, run.stdout) == (1, "")
    assert "run connectcard db upgrade" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_port_that_is_none_is_refused() -> None:
    run = connectcard("simulator", "--port", "99999", settings={})
    assert run.returncode == 2
    assert "99999 is not in the range" in run.stderr


def test_help_needs_no_settings_and_names_the_commands() -> None:
    run = connectcard("--help", settings={})
    assert run.returncode == 0
    for command in ("up", "worker", "clock", "simulator", "db", "doctor", "keys", "restored", "sign-in-link"):
        assert f"\n  {command} " in run.stdout


def test_migrations_are_run_by_the_command(tmp_path: Path, settings: dict[str, str]) -> None:
    settings["DATABASE_URL"] = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert connectcard("db", "upgrade", settings=settings).returncode == 0
    assert connectcard("db", "check", settings=settings).returncode == 0


# The doctor.


def words_about(about: str, findings: list[Finding]) -> Finding:
    (finding,) = [finding for finding in findings if finding.about == about]
    return finding


class Asked:
    """The doctor, asked in an environment with these settings and a Planning Center that answers so."""

    monkeypatch: pytest.MonkeyPatch
    settings: dict[str, str]

    @classmethod
    def about(cls, name: str, *, status: int = 401, **others: str) -> Finding:
        for setting, value in (cls.settings | others).items():
            cls.monkeypatch.setenv(setting, value)
        with requests_mock.Mocker() as wire:
            wire.get(f"{ORIGIN}/people/v2", status_code=status)
            return words_about(name, list(doctor.examine()))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> type[Asked]:
    for name in settings:
        monkeypatch.delenv(name, raising=False)
    Asked.monkeypatch, Asked.settings = monkeypatch, settings
    return Asked


def test_a_healthy_installation_has_nothing_wrong(asked: type[Asked], redis_url: str) -> None:
    for about in ("settings", "database", "redis", "Planning Center"):
        assert asked.about(about, REDIS_URL=redis_url).ok, about


def test_odd_settings_are_all_that_is_said(asked: type[Asked]) -> None:
    finding = asked.about("settings", SECRET_KEY="short")
    assert not finding.ok
    assert "SECRET_KEY is odd" in finding.words


def test_a_database_without_tables_is_told_what_to_run(asked: type[Asked], tmp_path: Path) -> None:
    finding = asked.about("database", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    assert not finding.ok
    assert "at migration none" in finding.words
    assert "connectcard db upgrade" in finding.words


def test_a_database_of_a_newer_connectcard_is_not_told_to_be_brought_up_to_date(asked: type[Asked], tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'newer.sqlite'}"
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("create table alembic_version (version_num varchar(32))"))
        connection.execute(text("insert into alembic_version values ('9999')"))
    engine.dispose()
    finding = asked.about("database", DATABASE_URL=address)
    assert not finding.ok
    assert "9999" in finding.words
    assert "db upgrade" not in finding.words
    assert "start the newer connectcard" in finding.words


def test_a_database_out_of_reach_is_named_without_its_password(asked: type[Asked]) -> None:
    finding = asked.about("database", DATABASE_URL="postgresql://grace:much-too-secret@127.0.0.1:1/cards")
    assert not finding.ok
    assert "cannot be reached" in finding.words
    assert "much-too-secret" not in finding.words


@pytest.mark.postgresql
def test_a_database_role_that_may_see_every_church_is_refused(asked: type[Asked], postgresql: PostgresqlServer) -> None:
    powerful = f"postgresql://{postgresql.superuser}:{postgresql.superuser_password}@{postgresql.host}:{postgresql.port}/postgres"
    finding = asked.about("database", DATABASE_URL=powerful)
    assert not finding.ok
    assert "superuser" in finding.words


def test_redis_away_is_wrong_but_no_card_is_lost(asked: type[Asked]) -> None:
    finding = asked.about("redis")
    assert not finding.ok
    assert "Cards still come in" in finding.words


def test_a_refused_personal_access_token_says_how_to_mend_it(asked: type[Asked]) -> None:
    finding = asked.about("Planning Center", PCO_APP_ID="app", PCO_SECRET="pat-secret", status=401)
    assert not finding.ok
    assert "new personal access token" in finding.words
    assert "pat-secret" not in finding.words


def test_planning_center_out_of_reach(asked: type[Asked], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        for setting, value in (asked.settings | {"PCO_BASE_URL": address}).items():
            monkeypatch.setenv(setting, value)
        finding = words_about("Planning Center", list(doctor.examine()))
    assert not finding.ok
    assert "cannot be reached" in finding.words


def test_the_command_says_wrong_and_ends_with_1(settings: dict[str, str]) -> None:
    run = connectcard("doctor", settings=settings | {"SECRET_KEY": ""})
    assert run.returncode == 1
    assert run.stdout.startswith("WRONG  settings: ")


# Key rotation.


def connect(church_id: UUID) -> None:
    with church_scope(church_id), transaction() as session:
        connection = Connection(origin=ORIGIN, organization_id="1001")
        connection.access_token, connection.refresh_token = "access-1", "refresh-1"
        session.add(connection)


def only(model: type) -> object:
    return db.session.scalars(select(model)).one()


@pytest.fixture
def two_churches(app: Flask, grace: UUID, neighbour: UUID) -> tuple[UUID, UUID]:
    """Each with a connection and a prayer, sealed with the old key."""
    for church_id, prayer in ((grace, "for my mother"), (neighbour, "for my son")):
        connect(church_id)
        a_card(church_id, prayer=prayer)
        with church_scope(church_id), transaction():
            only(Submission).prayer = prayer  # type: ignore[attr-defined]
    return grace, neighbour


def prayers(*church_ids: UUID) -> list[str]:
    found = []
    for church_id in church_ids:
        with church_scope(church_id):
            found.append(only(Submission).prayer)  # type: ignore[attr-defined]
    return found


def with_keys(app: Flask, *encryption_keys: bytes) -> Flask:
    url = app.config["CONNECTCARD"].database_url
    return create_app(make_config(url, encryption_keys=encryption_keys))


def test_after_the_rotation_the_new_key_alone_opens_everything(app: Flask, two_churches: tuple[UUID, UUID]) -> None:
    with running(with_keys(app, NEW_KEY, OLD_KEY)):
        found = keys.rotate()
    assert found[key_id(OLD_KEY).hex()] == found.total() >= 2 * len(["remote_id_key", "access_token", "refresh_token", "prayer"])
    with running(with_keys(app, NEW_KEY)):
        assert prayers(*two_churches) == ["for my mother", "for my son"]
        with church_scope(two_churches[0]):
            connection = only(Connection)
            assert (connection.access_token, connection.refresh_token) == ("access-1", "refresh-1")  # type: ignore[attr-defined]


def test_without_a_rotation_the_new_key_alone_opens_nothing(app: Flask, two_churches: tuple[UUID, UUID]) -> None:
    with running(with_keys(app, NEW_KEY)), pytest.raises(CannotOpen, match="add that key back"):
        prayers(*two_churches)


def test_a_second_rotation_finds_everything_done(app: Flask, two_churches: tuple[UUID, UUID]) -> None:
    with running(with_keys(app, NEW_KEY, OLD_KEY)):
        keys.rotate()
        again = keys.rotate()
        assert set(again) == {key_id(NEW_KEY).hex()}
        assert f"Key {key_id(OLD_KEY).hex()} can be taken out of ENCRYPTION_KEYS" in "\n".join(keys.report(again))


def test_a_rotation_goes_on_where_many_rows_are(app: Flask, grace: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ROWS_AT_ONCE", 2)
    for _ in range(5):
        submission_id = a_card(grace)
        with church_scope(grace), transaction() as session:
            session.get_one(Submission, submission_id).prayer = "for rain"
    with running(with_keys(app, NEW_KEY, OLD_KEY)):
        keys.rotate()
    with running(with_keys(app, NEW_KEY)), church_scope(grace):
        assert [card.prayer for card in db.session.scalars(select(Submission))] == ["for rain"] * 5


def test_the_command_says_how_many_values_each_key_sealed(settings: dict[str, str], app: Flask, two_churches: tuple[UUID, UUID]) -> None:
    both = ",".join(base64.b64encode(key).decode() for key in (NEW_KEY, OLD_KEY))
    run = connectcard("keys", "rotate", settings=settings | {"ENCRYPTION_KEYS": both})
    assert run.returncode == 0, run.stderr
    assert f"sealed with key {key_id(OLD_KEY).hex()}, now sealed with {key_id(NEW_KEY).hex()}" in run.stdout
