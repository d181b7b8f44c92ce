"""How fast the door for deliveries answers in a burst, with a worker idle and with one that is busy with what came in.

Run it with `make bench`. It prints figures beside what Planning Center waits for (10 s) and what we aim at (200 ms), and asserts only
that every event was kept once.
"""

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from connectcard import create_app
from connectcard.churches.operations import open_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.models import PERSONAL_ACCESS_TOKEN, Connection
from connectcard.database import db, transaction
from connectcard.planning_center.webhooks import signature
from connectcard.sync.webhook_models import WAITING, WebhookDelivery
from tests.conftest import make_config, running
from tests.deliveries import PERSON_UPDATED, Told, told_of_everything
from tests.installation import Installation
from tests.servers import wait_until

pytestmark = pytest.mark.benchmark

EVENTS = int(os.environ.get("BENCH_EVENTS", "900"))
AT_ONCE = 16
AIM_MS, PATIENCE_MS = 200, 10_000
# A page that is not there, answered without a look into the database.
NO_SUCH_ADDRESS = "/webhooks/elsewhere"


@dataclass(frozen=True)
class Burst:
    """What one burst measured, in milliseconds."""

    per_second: float
    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return f"{self.per_second:6.0f} /s   p50 {self.p50:6.1f} ms   p99 {self.p99:6.1f} ms   longest {self.longest:6.1f} ms"


@pytest.fixture
def database_url(any_database: str, request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{any_database}_url"))


@contextmanager
def a_church_that_is_told(directory: Path, database_url: str) -> Iterator[tuple[Installation, Told, list[str]]]:
    """Web, Redis and a practice Planning Center as processes; the worker is not started yet."""
    installation = Installation(directory, database_url)
    installation.simulator.start()
    practice = installation.planning_center
    practice.reset(people=300)
    practice.settings(limit=100_000, latency_ms=50)
    organization = practice.organization()
    token = organization["personal_access_token"]
    installation.settings |= {"PCO_APP_ID": token["app_id"], "PCO_SECRET": token["secret"]}
    for program in installation.programs:
        program.environment.update(installation.settings)
    settings = {"pco_base_url": practice.url, "public_url": installation.url, "personal_access_token": (token["app_id"], token["secret"])}
    try:
        with running(create_app(make_config(database_url, **settings))) as app:
            with every_church(), transaction():
                church = open_church(practice.url, organization["id"], organization["name"], "US", "America/Chicago", "%m/%d/%Y")
                church_id = church.id
            with church_scope(church_id), transaction() as session:
                session.add(Connection(kind=PERSONAL_ACCESS_TOKEN, origin=practice.url, organization_id=organization["id"]))
            installation.redis.start()
            installation.web.start()
            told = told_of_everything(app, church_id, organization["id"])
            yield installation, told, [person["id"] for person in organization["people"]]
    finally:
        for program in reversed(installation.programs):
            program.kill()


def burst(url: str, told: Told, people: list[str], path: str = "", status: int = 200) -> Burst:
    """So many events, each of its own, as fast as they are answered with this status."""
    records = ({"type": "Person", "id": people[number % len(people)], "attributes": {}} for number in range(EVENTS))
    bodies = [told.body(PERSON_UPDATED, record=record) for record in records]
    secret = told.secrets[PERSON_UPDATED]
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        parts = [senders.submit(send, url, path or told.path, bodies[place::AT_ONCE], secret, status) for place in range(AT_ONCE)]
        times = sorted(took for part in parts for took in part.result())
    seconds = time.perf_counter() - began
    return Burst(len(times) / seconds, times[len(times) // 2], times[int(len(times) * 0.99)], times[-1])


def send(url: str, path: str, bodies: list[bytes], secret: str, status: int) -> list[float]:
    where, times = urlsplit(url), []
    for body in bodies:
        headers = {"Content-Type": "application/json", "X-PCO-Webhooks-Name": PERSON_UPDATED}
        headers["X-PCO-Webhooks-Authenticity"] = signature(body, secret)
        before = time.perf_counter()
        # A connection for each, as Planning Center does.
        caller = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        caller.request("POST", path, body, headers)
        answer = caller.getresponse()
        answer.read()
        caller.close()
        times.append((time.perf_counter() - before) * 1000)
        assert answer.status == status
    return times


def counted(told: Told, *conditions: object) -> int:
    with church_scope(told.church_id):
        return db.session.scalar(select(func.count(WebhookDelivery.id)).where(*conditions)) or 0  # type: ignore[arg-type]


@pytest.mark.timeout(300)
def test_how_fast_deliveries_are_answered_in_a_burst(tmp_path: Path, database_url: str, any_database: str) -> None:
    with a_church_that_is_told(tmp_path, database_url) as (installation, told, people):
        burst(installation.url, told, people[:1])
        warm = counted(told)
        floor = burst(installation.url, told, people, NO_SUCH_ADDRESS, 404)
        idle = burst(installation.url, told, people)
        installation.worker.start()
        wait_until(lambda: counted(told, WebhookDelivery.state != WAITING), "the worker to be busy", 60)
        busy = burst(installation.url, told, people)
        assert counted(told) == warm + 2 * EVENTS
        began = time.perf_counter()
        wait_until(lambda: not counted(told, WebhookDelivery.state == WAITING), "everything to be looked at", 200)
        worked = time.perf_counter() - began
    print(f"\n{EVENTS} events at once, {AT_ONCE} connections, {any_database} (aim {AIM_MS} ms, Planning Center waits {PATIENCE_MS} ms)")
    print(f"  machine      {os.cpu_count()} processors, load {os.getloadavg()[0]:.0f}: the senders, web, worker and practice share them")
    print(f"  no such page {floor}   (the least that this application needs for an answer, just now)")
    print(f"  no worker    {idle}")
    print(f"  busy worker  {busy}")
    print(f"  {warm + 2 * EVENTS} events about {len(people)} people were looked at {worked:.0f} s after the last burst")
