"""A rung bell wakes the church's lane, also after Redis was emptied or away."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest
import redis
from flask import Flask

from connectcard import create_app
from connectcard.jobs.lanes import Lanes
from connectcard.jobs.listener import listen
from connectcard.jobs.queue import ring
from tests import servers
from tests.conftest import make_config, running
from tests.servers import wait_until


class Woken(Lanes):
    """Lanes that only note who was woken."""

    def __init__(self) -> None:
        super().__init__(lambda church_id: None)
        self.churches: list[UUID] = []

    def wake(self, church_id: UUID) -> None:
        self.churches.append(church_id)


@pytest.fixture
def port() -> int:
    return servers.free_port()


@pytest.fixture
def listening(database_url: str, port: int) -> Iterator[tuple[Flask, Woken]]:
    with running(create_app(make_config(database_url, redis_url=f"redis://127.0.0.1:{port}/0"))) as app:
        woken, stop = Woken(), Event()
        app.extensions["lanes"] = woken
        thread = listen(app, stop)
        yield app, woken
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def ring_until_heard(app: Flask, woken: Woken) -> None:
    church_id = uuid4()

    def heard() -> bool:
        app.extensions.pop("bell_quiet_until", None)
        ring(church_id)
        return church_id in woken.churches

    wait_until(heard, "the bell to be heard")


def test_bells_are_heard_again_after_redis_was_emptied(listening: tuple[Flask, Woken], port: int, tmp_path: Path) -> None:
    with servers.valkey(tmp_path, port) as url:
        ring_until_heard(*listening)
        redis.Redis.from_url(url).flushall()
        ring_until_heard(*listening)


def test_bells_are_heard_again_after_redis_was_away(listening: tuple[Flask, Woken], port: int, tmp_path: Path) -> None:
    with servers.valkey(tmp_path, port):
        ring_until_heard(*listening)
    with servers.valkey(tmp_path, port):
        ring_until_heard(*listening)


def test_no_job_is_left_behind_in_redis(listening: tuple[Flask, Woken], port: int, tmp_path: Path) -> None:
    with servers.valkey(tmp_path, port) as url:
        ring_until_heard(*listening)
        connection = redis.Redis.from_url(url)
        wait_until(lambda: not connection.keys("rq:job:*") and not connection.keys("rq:queue:bells*"), "an empty queue")
        assert connection.keys("rq:results:*") == []
