"""The clock: each duty is done once when its time has come, however many clocks there are, and a failure is tried again soon."""

import base64
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
import structlog
from flask import Flask
from sqlalchemy import select

from connectcard.application import ROOT
from connectcard.cards.models import ERASED, Submission
from connectcard.churches.models import StaffSession
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, PERSONAL_ACCESS_TOKEN, RECONNECT, Connection
from connectcard.database import db, transaction
from connectcard.jobs import schedule
from connectcard.jobs.models import Schedule
from connectcard.jobs.schedule import AGAIN_AFTER_FAILURE, DUTIES, Duty, carry_out, claim, do_what_is_due
from connectcard.planning_center.errors import Unavailable
from connectcard.sync.models import PULL_FULL, SYNCED, TRUTH_CHECK, SyncRun
from tests.conftest import ORIGIN, MovedClock
from tests.making import a_card, an_item
from tests.servers import start, stop, wait_until


@pytest.fixture
def any_database_app(any_database: str, app: Flask) -> Flask:
    """The application on SQLite and on PostgreSQL."""
    return app


def hourly(do: Callable[[], None] = lambda: None) -> Duty:
    return Duty("ring the noon bell", timedelta(hours=1), do)


def row(duty: Duty) -> Schedule:
    db.session.rollback()
    return db.session.get_one(Schedule, duty.name, populate_existing=True)


def test_a_duty_is_done_at_once_and_then_when_its_time_has_come(app: Flask, moved_clock: MovedClock) -> None:
    assert claim(hourly())
    assert not claim(hourly())
    moved_clock.move(minutes=59)
    assert not claim(hourly())
    moved_clock.move(minutes=1)
    assert claim(hourly())


def test_of_many_clocks_one_does_the_duty(any_database_app: Flask) -> None:
    clocks = 6
    together = Barrier(clocks)

    def claims(_number: int) -> bool:
        with any_database_app.app_context():
            together.wait(30)
            return claim(hourly())

    claim(hourly())
    with transaction():
        row(hourly()).due_at = now() - timedelta(minutes=1)
    with ThreadPoolExecutor(clocks) as pool:
        assert sorted(pool.map(claims, range(clocks))) == [False] * (clocks - 1) + [True]


def test_two_clocks_that_start_together_on_a_new_database_do_not_trip(any_database_app: Flask) -> None:
    together = Barrier(2)

    def claims(_number: int) -> bool:
        with any_database_app.app_context():
            together.wait(30)
            return claim(hourly())

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(claims, range(2))) == [False, True]


def test_a_duty_that_fails_is_logged_and_tried_again_in_a_few_minutes(app: Flask, moved_clock: MovedClock) -> None:
    def fail() -> None:
        raise RuntimeError("a mistake of ours")

    duty = hourly(fail)
    with structlog.testing.capture_logs() as logged:
        assert claim(duty)
        carry_out(duty)
    assert [(line["event"], line["name"]) for line in logged] == [("a duty failed and is tried again", duty.name)]
    assert row(duty).last_done_at is None
    moved_clock.move(seconds=AGAIN_AFTER_FAILURE.total_seconds())
    assert claim(duty)


def test_a_duty_that_is_done_says_when(app: Flask, moved_clock: MovedClock) -> None:
    claim(hourly())
    carry_out(hourly())
    assert row(hourly()).last_done_at == moved_clock.moment


def test_everything_has_its_time(app: Flask) -> None:
    do_what_is_due()
    rows = {line.name: line for line in db.session.scalars(select(Schedule))}
    assert set(rows) == {duty.name for duty in DUTIES}
    assert all(line.last_done_at is not None for line in rows.values())


def test_old_cards_of_every_church_are_erased_each_by_its_own_rules(app: Flask, grace: UUID, neighbour: UUID) -> None:
    long_ago = now() - timedelta(days=91)
    old = {church_id: a_card(church_id) for church_id in (grace, neighbour)}
    for church_id, submission_id in old.items():
        an_item(church_id, submission_id, SYNCED, synced_at=long_ago)
    with church_scope(neighbour), transaction():
        schedule.get_church().keep_cards_days = 365
    schedule.erase_expired()
    for church_id, erased in ((grace, True), (neighbour, False)):
        with church_scope(church_id):
            assert (db.session.get_one(Submission, old[church_id]).state == ERASED) is erased


@pytest.fixture
def kept_alive(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The churches whose tokens were renewed."""
    renewed: list[UUID] = []
    monkeypatch.setattr(schedule, "keep_alive", lambda connection: renewed.append(connection.church_id))
    return renewed


def connect(church_id: UUID, expired_days_ago: float, **values: object) -> None:
    with church_scope(church_id), transaction() as session:
        expires_at = now() - timedelta(days=expired_days_ago)
        session.add(Connection(origin=ORIGIN, organization_id="1", expires_at=expires_at, **values))


def test_tokens_that_nobody_used_for_a_week_are_renewed_and_the_others_left_alone(
    app: Flask, grace: UUID, neighbour: UUID, kept_alive: list[UUID]
) -> None:
    connect(grace, expired_days_ago=8)
    connect(neighbour, expired_days_ago=2)
    schedule.keep_tokens_alive()
    assert kept_alive == [grace]


def test_a_sign_in_that_was_called_dead_is_tried_once_more_when_it_is_time_though_no_card_waits(
    app: Flask, grace: UUID, neighbour: UUID, kept_alive: list[UUID]
) -> None:
    connect(grace, expired_days_ago=0, second_try_at=now())
    connect(neighbour, expired_days_ago=0, second_try_at=now() + timedelta(minutes=1))
    schedule.try_sign_ins_once_more()
    assert kept_alive == [grace]


@pytest.mark.parametrize("values", [{"state": RECONNECT}, {"state": CONNECTED, "kind": PERSONAL_ACCESS_TOKEN}])
def test_where_there_is_nothing_to_renew_nothing_is_tried(
    app: Flask, grace: UUID, kept_alive: list[UUID], values: dict[str, object]
) -> None:
    connect(grace, expired_days_ago=30, **values)
    schedule.keep_tokens_alive()
    assert kept_alive == []


def test_one_church_s_trouble_does_not_keep_the_others_from_staying_connected(
    app: Flask, grace: UUID, neighbour: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[UUID] = []

    def refuse(connection: Connection) -> None:
        tried.append(connection.church_id)
        raise Unavailable("Planning Center is away")

    monkeypatch.setattr(schedule, "keep_alive", refuse)
    for church_id in (grace, neighbour):
        connect(church_id, expired_days_ago=8)
    with structlog.testing.capture_logs() as logged:
        schedule.keep_tokens_alive()
    assert set(tried) == {grace, neighbour}
    assert {line["church_id"] for line in logged if line["event"] == "a token could not be refreshed"} == {grace, neighbour}


def test_every_day_each_connected_church_s_fields_and_products_are_looked_at(app: Flask, grace: UUID, neighbour: UUID) -> None:
    connect(grace, expired_days_ago=0)
    connect(neighbour, expired_days_ago=0, state=RECONNECT)
    schedule.look_at_what_is_offered()
    for church_id, wanted in ((grace, True), (neighbour, False)):
        with church_scope(church_id):
            assert (db.session.scalars(select(Connection.choices_wanted_at)).one() is not None) is wanted


def test_every_four_hours_changes_are_pulled_and_every_night_both_sides_are_compared(
    app: Flask, grace: UUID, neighbour: UUID, moved_clock: MovedClock
) -> None:
    connect(grace, expired_days_ago=0)
    connect(neighbour, expired_days_ago=0, state=RECONNECT)
    due = {duty.name: duty.every for duty in DUTIES if duty.do in (schedule.pull_changes, schedule.check_the_truth)}
    assert due == {"pull changes": timedelta(hours=4), "check the truth": timedelta(days=1)}
    for _ in range(2):
        # A run that is still on is not begun a second time.
        schedule.pull_changes()
        schedule.check_the_truth()
    for church_id, kinds in ((grace, [PULL_FULL, TRUTH_CHECK]), (neighbour, [])):
        with church_scope(church_id):
            assert db.session.execute(select(SyncRun.kind, SyncRun.started_by).order_by(SyncRun.number)).all() == [
                (kind, "Schedule") for kind in kinds
            ]


def test_sessions_that_no_browser_can_open_any_more_are_forgotten(app: Flask) -> None:
    with transaction() as session:
        session.add(StaffSession(key_hash="old", last_seen_at=now() - timedelta(days=2)))
        session.add(StaffSession(key_hash="new", last_seen_at=now()))
    schedule.forget_old_sessions()
    assert list(db.session.scalars(select(StaffSession.key_hash))) == ["new"]


def test_the_command_does_the_duties_and_leaves_on_sigterm(app: Flask, database_url: str, tmp_path: Path) -> None:
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SECRET_KEY": "a secret key that is long enough for a test",
        "ENCRYPTION_KEYS": base64.b64encode(b"k" * 32).decode(),
        "PUBLIC_URL": "http://127.0.0.1:5000",
        "PCO_BASE_URL": ORIGIN,
        "PCO_CLIENT_ID": "practice-client",
        "PCO_CLIENT_SECRET": "practice-secret",
    }
    clock = start([sys.executable, "-m", "connectcard.cli", "clock"], tmp_path / "clock.log", cwd=ROOT, env=os.environ | settings)

    def all_done() -> bool:
        db.session.rollback()
        done = db.session.scalars(select(Schedule.name).where(Schedule.last_done_at.is_not(None)))
        return set(done) == {duty.name for duty in DUTIES}

    try:
        wait_until(all_done, "every duty to be done once")
    finally:
        assert stop(clock) == 0
    assert (tmp_path / "clock.log").read_text() == ""
