"""A bell is quick, is one bell however often it is rung, and never stands in anybody's way."""

import socket
from uuid import uuid4

import pytest
import redis
import structlog
from flask import Flask

from connectcard import create_app
from connectcard.jobs import queue
from connectcard.jobs.queue import bells, ring
from tests.conftest import make_config, running


@pytest.fixture
def with_redis(redis_url: str) -> redis.Redis:
    connection = redis.Redis.from_url(redis_url)
    connection.flushall()
    return connection


def test_bells_of_one_church_are_one_until_a_worker_hears_them(database_url: str, redis_url: str, with_redis: redis.Redis) -> None:
    grace, hope = uuid4(), uuid4()
    with running(create_app(make_config(database_url, redis_url=redis_url))):
        for church_id in (grace, hope, grace, grace):
            ring(church_id)
    assert [job.args for job in bells(with_redis).jobs] == [[str(grace)], [str(hope)]]


def test_what_is_in_redis_is_an_id_and_no_program(database_url: str, redis_url: str, with_redis: redis.Redis) -> None:
    grace = uuid4()
    with running(create_app(make_config(database_url, redis_url=redis_url))):
        ring(grace)
    (job,) = bells(with_redis).jobs
    assert job.data == f'["connectcard.jobs.tasks.serve_church", null, ["{grace}"], {{}}]'.encode()


def test_a_bell_without_redis_does_no_harm_and_is_noted_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "QUIET_SECONDS", 0)
    with structlog.testing.capture_logs() as logged:
        ring(uuid4())
        ring(uuid4())
    assert [line["event"] for line in logged] == ["redis is away, workers look into the database instead"]


def test_after_a_failure_nobody_waits_for_redis_again_for_a_while(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    ring(uuid4())
    monkeypatch.setattr(queue, "bells", lambda connection: pytest.fail("Redis was asked again at once"))
    ring(uuid4())


def test_a_bell_in_a_redis_that_does_not_answer_gives_up_soon(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with running(create_app(make_config(database_url, redis_url=address))) as app:
            ring(uuid4())
            assert app.extensions["bell_is_away"]
