"""`connectcard worker` as a process: it finds what is due with and without Redis, and leaves in good order."""

import base64
import os
import signal
import sys
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
import redis
import requests
from flask import Flask

from connectcard import create_app
from connectcard.application import ROOT
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.models import PERSONAL_ACCESS_TOKEN, Connection
from connectcard.connections.operations import want_choices
from connectcard.connections.queries import choices, find_connection
from connectcard.database import db, transaction
from connectcard.jobs.queue import ring
from tests import servers
from tests.conftest import make_config, running
from tests.servers import Process, free_port, serving, start, stop, wait_until

NO_REDIS = "redis://127.0.0.1:1/0"


class Church1001:
    """A self-hosted church whose Planning Center is at `origin`, and the worker that serves it."""

    def __init__(self, app: Flask, database_url: str, origin: str, token: tuple[str, str], organization_id: str, folder: Path) -> None:
        self.app, self.database_url, self.origin, self.token, self.folder = app, database_url, origin, token, folder
        with every_church(), transaction() as session:
            church = Church(slug="grace", name="Grace Church", origin=origin, organization_id=organization_id)
            session.add(church)
            session.flush()
            self.id: UUID = church.id
        with church_scope(self.id), transaction() as session:
            session.add(Connection(kind=PERSONAL_ACCESS_TOKEN, origin=origin, organization_id=organization_id, choices_wanted_at=now()))

    def worker(self, redis_url: str = NO_REDIS, look: int = 1) -> Process:
        """Started; `look` is how many seconds it rests between two looks into the database."""
        settings = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "a secret key that is long enough for a test",
            "ENCRYPTION_KEYS": base64.b64encode(b"k" * 32).decode(),
            "PUBLIC_URL": "http://127.0.0.1:5000",
            "PCO_BASE_URL": self.origin,
            "PCO_APP_ID": self.token[0],
            "PCO_SECRET": self.token[1],
            "SYNC_WAITS": f"90,60,120,{look}",
        }
        command = [sys.executable, "-m", "connectcard.cli", "worker"]
        return start(command, self.folder / "worker.log", cwd=ROOT, env=os.environ | settings)

    def has_read_choices(self) -> bool:
        with church_scope(self.id):
            connection = find_connection()
            assert connection is not None
            wanted, read = connection.choices_wanted_at, connection.choices_read_at
            return read is not None and (wanted is None or read >= wanted)

    def names(self) -> list[str]:
        with church_scope(self.id):
            return [choice.name for choice in choices("campus")]

    def want_choices_again(self) -> None:
        with church_scope(self.id), transaction():
            connection = find_connection()
            assert connection is not None
            want_choices(connection)

    def want_and_ring(self, redis_url: str) -> None:
        self.want_choices_again()
        with running(create_app(make_config(self.database_url, redis_url=redis_url))):
            ring(self.id)

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()


@pytest.fixture
def church(database_url: str, simulator: str, tmp_path: Path) -> Iterator[Church1001]:
    (first, *_) = requests.get(f"{simulator}/_simulator/organizations", timeout=20).json()
    token = first["personal_access_token"]
    app = create_app(make_config(database_url, pco_base_url=simulator, personal_access_token=(token["app_id"], token["secret"])))
    with running(app):
        yield Church1001(app, database_url, simulator, (token["app_id"], token["secret"]), str(first["id"]), tmp_path)


def test_without_any_redis_the_worker_finds_what_is_due(church: Church1001) -> None:
    worker = church.worker()
    try:
        wait_until(church.has_read_choices, "the choices to be read")
    finally:
        assert stop(worker) == 0
    assert church.names() != []
    assert "Traceback" not in church.log()


def test_a_bell_wakes_it_also_after_redis_was_emptied_and_restarted(church: Church1001, tmp_path: Path) -> None:
    port = free_port()
    address = f"redis://127.0.0.1:{port}/0"
    with servers.valkey(tmp_path, port):
        worker = church.worker(address, look=3600)
        wait_until(church.has_read_choices, "the first choices")
        redis.Redis.from_url(address).flushall()
        church.want_and_ring(address)
        wait_until(church.has_read_choices, "the choices after Redis was emptied")
    with servers.valkey(tmp_path, port):
        church.want_and_ring(address)
        wait_until(church.has_read_choices, "the choices after Redis came back")
        assert stop(worker) == 0


def test_while_redis_is_away_it_looks_by_itself(church: Church1001, tmp_path: Path) -> None:
    port = free_port()
    with servers.valkey(tmp_path, port):
        worker = church.worker(f"redis://127.0.0.1:{port}/0")
        wait_until(church.has_read_choices, "the first choices")
    church.want_choices_again()
    wait_until(church.has_read_choices, "the choices while Redis was away")
    assert stop(worker) == 0


class SlowPlanningCenter:
    """Says at once whose a token is; takes any other request and keeps it until it is let go."""

    def __init__(self) -> None:
        self.asked, self.let_go = Event(), Event()
        self.requests = 0
        self.app = Flask("slow")
        self.app.add_url_rule("/people/v2", view_func=lambda: {"data": {"type": "Organization", "id": "1001"}})
        self.app.add_url_rule("/<path:path>", view_func=self.answer)

    def answer(self, path: str) -> tuple[dict[str, object], int, dict[str, str]]:
        self.requests += 1
        self.asked.set()
        self.let_go.wait(60)
        rate = {"Limit": "100", "Period": "20 seconds", "Count": "1"}
        headers = {f"X-PCO-API-Request-Rate-{name}": value for name, value in rate.items()}
        return {"data": [], "included": [], "links": {}, "meta": {"total_count": 0, "count": 0}}, 200, headers


@pytest.fixture
def slow() -> SlowPlanningCenter:
    return SlowPlanningCenter()


@pytest.fixture
def kept_waiting(database_url: str, redis_url: str, slow: SlowPlanningCenter, tmp_path: Path) -> Iterator[tuple[Church1001, Process]]:
    """A church whose worker is in the middle of a call."""
    with serving(slow.app) as origin:
        app = create_app(make_config(database_url, pco_base_url=origin))
        with running(app):
            church = Church1001(app, database_url, origin, ("app", "secret"), "1001", tmp_path)
            worker = church.worker(redis_url)
            try:
                assert slow.asked.wait(30)
                yield church, worker
            finally:
                slow.let_go.set()
                stop(worker, at_once=True)


def signals(pid: int, *masks: str) -> int:
    """The signals of a process in these masks of the kernel, as one number with a bit for each."""
    lines = [line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return reduce(or_, (int(line[1], 16) for line in lines if line[0].rstrip(":") in masks))


def listens(pid: int) -> bool:
    """Whether the worker has come so far that a SIGTERM no longer ends it at once."""
    return bool(signals(pid, "SigBlk") & 1 << signal.SIGTERM - 1)


def leaving(pid: int) -> bool:
    """Whether the worker has taken the signal: it is pending no more."""
    return signals(pid, "SigPnd", "ShdPnd") == 0


def test_sigterm_lets_the_call_in_flight_end_and_then_leaves(kept_waiting: tuple[Church1001, Process], slow: SlowPlanningCenter) -> None:
    church, worker = kept_waiting
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: leaving(worker.pid), "the signal to be heard")
    assert worker.poll() is None, "it left in the middle of a call"
    slow.let_go.set()
    assert worker.wait(30) == 0
    assert church.has_read_choices()


def test_a_second_sigterm_leaves_at_once(kept_waiting: tuple[Church1001, Process]) -> None:
    church, worker = kept_waiting

    def has_left() -> bool:
        worker.send_signal(signal.SIGTERM)
        return worker.poll() is not None

    wait_until(has_left, "the worker to leave", seconds=10)
    assert worker.wait(10) == 128 + signal.SIGTERM
    assert not church.has_read_choices()


def test_two_workers_side_by_side_harm_nobody(church: Church1001, tmp_path: Path) -> None:
    one, two = church.worker(), church.worker()
    wait_until(lambda: listens(one.pid) and listens(two.pid), "both to listen for signals")
    wait_until(church.has_read_choices, "the choices to be read")
    assert (stop(one), stop(two)) == (0, 0)
    with church_scope(church.id):
        assert db.session.query(Connection).count() == 1
        names = [choice.name for choice in choices("campus")]
    assert len(names) == len(set(names))
