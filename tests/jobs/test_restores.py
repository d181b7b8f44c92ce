"""The database went back and Redis did not: noticed by ourselves, and told by the doctor."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask

from connectcard import create_app, doctor
from connectcard.churches.models import Church
from connectcard.config import Config
from connectcard.database import db, transaction
from connectcard.extensions import bell
from connectcard.jobs import restores, schedule
from connectcard.jobs.models import Schedule
from tests.conftest import MovedClock, make_config, open_a_church, running

[DUTY] = [duty for duty in schedule.DUTIES if duty.name == restores.DUTY]


@pytest.fixture
def config(database_url: str, redis_url: str) -> Config:
    return make_config(database_url, redis_url=redis_url)


@pytest.fixture
def installation(config: Config, moved_clock: MovedClock) -> Iterator[tuple[Flask, MovedClock]]:
    with running(create_app(config)) as app:
        bell.redis.flushall()
        open_a_church("grace", "1001")
        open_a_church("hope", "1002")
        yield app, moved_clock


def an_hour_of_the_clock(clock: MovedClock, times: int = 60) -> None:
    for _ in range(times):
        clock.move(minutes=1)
        assert schedule.claim(DUTY)
        schedule.carry_out(DUTY)


def put_back(hours: int, clock: MovedClock) -> None:
    """The row of the schedule as it stood in the backup."""
    with transaction() as session:
        entry = session.get_one(Schedule, restores.DUTY)
        assert entry.last_done_at is not None
        entry.last_done_at = entry.due_at = datetime.fromtimestamp(entry.last_done_at.timestamp() - 3600 * hours, clock.moment.tzinfo)


def restored() -> set[datetime | None]:
    return set(db.session.scalars(db.select(Church.restored_at)))


def test_an_ordinary_hour_is_no_restore(installation: tuple[Flask, MovedClock]) -> None:
    an_hour_of_the_clock(installation[1])
    installation[1].move(days=3)
    an_hour_of_the_clock(installation[1], 2)
    assert not restores.went_back()
    assert restored() == {None}


def test_every_church_is_marked_once_the_database_went_back(installation: tuple[Flask, MovedClock]) -> None:
    clock = installation[1]
    an_hour_of_the_clock(clock)
    put_back(2, clock)
    assert restores.went_back()
    an_hour_of_the_clock(clock, 1)
    noticed_at = clock.moment
    assert restored() == {noticed_at}
    an_hour_of_the_clock(clock, 5)
    assert restored() == {noticed_at}, "it is noticed once"


def test_an_emptied_redis_tells_nothing(installation: tuple[Flask, MovedClock]) -> None:
    an_hour_of_the_clock(installation[1])
    put_back(2, installation[1])
    bell.redis.flushall()
    assert not restores.went_back()


def test_a_worker_notices_too(installation: tuple[Flask, MovedClock]) -> None:
    an_hour_of_the_clock(installation[1], 1)
    put_back(2, installation[1])
    restores.notice()
    assert restored() == {installation[1].moment}


def test_the_doctor_says_it(installation: tuple[Flask, MovedClock]) -> None:
    clock = installation[1]
    an_hour_of_the_clock(clock)
    assert (doctor._backup().ok, "never put back" in doctor._backup().words) == (True, True)
    put_back(2, clock)
    assert (doctor._backup().ok, "run connectcard restored" in doctor._backup().words) == (False, True)
    an_hour_of_the_clock(clock, 1)
    assert (doctor._backup().ok, "look in Planning Center before they write" in doctor._backup().words) == (True, True)


def test_redis_away_keeps_nobody_waiting(app: Flask, moved_clock: MovedClock, grace: UUID) -> None:
    restores.notice_and_remember()
    assert restored() == {None}
