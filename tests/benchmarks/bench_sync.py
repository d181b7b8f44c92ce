"""Sending new visitors to Planning Center: how much of the allowed rate is used, beside the sequential loop of the guides; twenty churches
at once with two workers; a small church behind a very large one. 250 ms for each answer, 100 requests in 20 seconds.

Run it with `make bench`, or `pytest -n 0 -s tests/benchmarks/bench_sync.py`. It prints figures and asserts only that everybody came once.
"""

import base64
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from connectcard import create_app
from connectcard.cards.models import Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.models import Church
from connectcard.churches.operations import open_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.budget import RESERVE
from connectcard.connections.models import RemoteChoice
from connectcard.connections.operations import connect, read_choices
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.jobs.queue import ring
from connectcard.sync import runs
from tests.benchmarks.guide_loop import send_all
from tests.conftest import make_config, running
from tests.installation import Program
from tests.servers import free_port, wait_until

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

VISITORS = int(os.environ.get("BENCH_VISITORS", "100"))
CHURCHES = int(os.environ.get("BENCH_CHURCHES", "20"))
MANY = int(os.environ.get("BENCH_CARDS_OF_THE_LARGE_CHURCH", "5000"))
SECONDS = int(os.environ.get("BENCH_CHURCHES_SECONDS", "100"))
LATENCY_MS, LIMIT, PERIOD = 250, 100, 20
ONE_LANE = "from functools import partial; from connectcard.jobs import lanes, worker; worker.Lanes = partial(lanes.Lanes, lanes=1)"


def card(number: int) -> dict[str, Any]:
    """Somebody new with e-mail, phone, address and two fields, unlike everybody else."""
    letters = "".join(chr(97 + number // 26**place % 26) for place in range(4))
    named = {"first_name": f"Ot{letters}", "last_name": f"{letters}quist".capitalize(), "email": f"{letters}.quist@gmail.com"}
    address = {"street": f"{number + 1} Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
    return {**named, "phone": f"+1217{2_000_000 + number:07d}", "address": address, "visit": "first_time", "heard": "friend"}


def as_the_loop_takes_it(number: int) -> dict[str, Any]:
    """The same visitor with the words that stand in Planning Center: the loop knows no destinations."""
    return {**card(number), "heard_words": "Friend or family", "first_visit": "2026-11-22"}


@dataclass
class Installed:
    """An installation of several churches, each connected, and its workers."""

    app: Flask
    url: str
    keys: list[dict[str, Any]]
    settings: dict[str, str]
    folder: Path
    churches: list[UUID] = field(default_factory=list)

    def connect_all(self) -> None:
        for place, key in enumerate(self.keys):
            with every_church(), transaction():
                church_id = open_church(self.url, key["organization"], f"Church {place + 1}", "US", "America/Chicago", "%m/%d/%Y").id
            with church_scope(church_id):
                with transaction() as session:
                    church = session.get_one(Church, church_id)
                    ensure_default_card(church)
                    tokens = {"access_token": key["access_token"], "refresh_token": "none is needed", "expires_in": 7200}
                    connect(church, tokens, organization_id=key["organization"], authorised_by="Sam Hill")
                self._read_choices()
            self.churches.append(church_id)

    def _read_choices(self) -> None:
        connection = find_connection()
        assert connection is not None
        end_reading()
        read_choices(connection)

    def leave_cards(self, church_id: UUID, cards: list[dict[str, Any]]) -> None:
        with church_scope(church_id), transaction() as session:
            form = ensure_default_card(session.get_one(Church, church_id))
            session.add_all([submission(form.id, one) for one in cards])

    def press_sync(self, church_id: UUID) -> int:
        with church_scope(church_id), transaction():
            number = runs.start_push("Sam Hill").number
        ring(church_id)
        return number

    def run(self, church_id: UUID, number: int = 1) -> runs.Counters:
        with church_scope(church_id):
            found = runs.counters(runs.get_run(number))
            end_reading()
            return found

    def is_over(self, church_id: UUID, number: int = 1) -> bool:
        return not self.run(church_id, number).on

    @contextmanager
    def working(self, workers: int, before: str = "pass") -> Iterator[None]:
        """So many worker processes as shipped; `before` is Python that each of them runs first."""
        command = [sys.executable, "-c", f"{before}; from connectcard.cli import commands; commands(['worker'])"]
        programs = [Program(f"worker {number}", command, self.folder / f"worker-{number}.log", self.settings) for number in range(workers)]
        for program in programs:
            program.start()
        try:
            yield
        finally:
            for program in programs:
                program.stop()

    def set_up_the_practice(self) -> None:
        """From here on answers take their time, and everything is counted anew."""
        requests.post(f"{self.url}/_simulator/settings", json={"latency_ms": LATENCY_MS, "limit": LIMIT, "period": PERIOD}, timeout=30)
        time.sleep(PERIOD + 1)

    def last_number(self) -> int:
        return max((entry["number"] for entry in requests.get(f"{self.url}/_simulator/log", timeout=60).json()), default=0)

    def log(self, since: int) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_simulator/log?since={since}", timeout=60).json())


def submission(card_id: UUID, answers: dict[str, Any]) -> Submission:
    named = {name: answers[name] for name in ("first_name", "last_name", "email", "phone")}
    return Submission(card_id=card_id, submission_key=uuid4(), answers_hash=uuid4().hex, answers=answers, **named)


@contextmanager
def installed(folder: Path, database_url: str, redis_url: str, churches: int) -> Iterator[Installed]:
    port, tokens = free_port(), folder / "tokens.json"
    command = [sys.executable, "-m", "tests.benchmarks.many_churches", str(port), str(churches), str(tokens)]
    planning_center = Program("planning center", command, folder / "planning-center.log", {}, port)
    planning_center.start()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
        "REDIS_URL": redis_url,
        "SECRET_KEY": "a secret key that is long enough for a test",
        "ENCRYPTION_KEYS": base64.b64encode(b"k" * 32).decode(),
        "PUBLIC_URL": "http://127.0.0.1:5000",
        "PCO_BASE_URL": url,
        "PCO_CLIENT_ID": "client-id",
        "PCO_CLIENT_SECRET": "client-secret",
    }
    keys = [json.loads(line) for line in tokens.read_text().splitlines()]
    try:
        with running(create_app(make_config(database_url, redis_url=redis_url, pco_base_url=url))) as app:
            one = Installed(app, url, keys, settings, folder)
            one.connect_all()
            yield one
    finally:
        planning_center.kill()


def figures(name: str, asked: int, visitors: int, seconds: float, refused: int) -> str:
    each, pace = asked / visitors, visitors / seconds * 60
    whole, bulk = share(asked, seconds, LIMIT), share(asked, seconds, LIMIT - RESERVE)
    return (
        f"  {name:12} {visitors} visitors in {seconds:5.0f} s: {pace:4.1f} a minute, {each:4.1f} requests each, "
        f"{whole:5.1f} % of the allowed rate ({bulk:.1f} % of what bulk work may use), {refused} x 429"
    )


def share(asked: int, seconds: float, limit: int) -> float:
    """Per cent: what was asked from the press to the end, of `limit` in each PERIOD of that time."""
    return 100 * asked / (seconds * limit / PERIOD)


def statuses(log: list[dict[str, Any]]) -> Counter[int]:
    return Counter(entry["status"] for entry in log)


def test_new_visitors_of_one_church(tmp_path: Path, sqlite_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with installed(tmp_path, sqlite_url, redis_url, churches=2) as one:
        ours, theirs = one.churches
        one.leave_cards(ours, [card(number) for number in range(VISITORS)])
        one.set_up_the_practice()
        with one.working(1):
            number, began = one.last_number(), time.monotonic()
            one.press_sync(ours)
            wait_until(lambda: one.is_over(ours), "the run to end", 1800)
            seconds, log = time.monotonic() - began, one.log(number)
        run = one.run(ours)
        number, began = one.last_number(), time.monotonic()
        send_all(one.url, one.keys[1]["access_token"], [as_the_loop_takes_it(number) for number in range(VISITORS)], custom_fields(theirs))
        their_seconds, their_log = time.monotonic() - began, one.log(number)
    with capsys.disabled():
        print(f"\nNew visitors with e-mail, phone, address and two fields, {LATENCY_MS} ms an answer, {LIMIT} requests in {PERIOD} s")
        print(figures("connectcard", len(log), VISITORS, seconds, statuses(log)[429]))
        print(figures("guide's loop", len(their_log), VISITORS, their_seconds, statuses(their_log)[429]))
        print("  (connectcard looks for the person by e-mail, phone, name and its own mark, and reads each of them back)")
    assert (run.created, run.needs_you, run.failed) == (VISITORS, 0, 0)


def custom_fields(church_id: UUID) -> dict[str, str]:
    """The two custom fields of the church that the cards fill in, by what the loop's cards call them."""
    with church_scope(church_id):
        definitions = {row.name: row.remote_id for row in db.session.scalars(select(RemoteChoice))}
        end_reading()
    return {"heard_words": definitions["How did you hear about us?"], "first_visit": definitions["First visit date"]}


def test_many_churches_at_once(tmp_path: Path, postgresql_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with installed(tmp_path, postgresql_url, redis_url, CHURCHES) as many:
        for church_id in many.churches:
            many.leave_cards(church_id, [card(number) for number in range(SECONDS)])
        many.set_up_the_practice()
        with many.working(2):
            number, began = many.last_number(), time.monotonic()
            for church_id in many.churches:
                many.press_sync(church_id)
            wait_until(lambda: time.monotonic() - began >= SECONDS, "the time to be over", SECONDS + 10)
            seconds, log = time.monotonic() - began, many.log(number)
        cpus = os.cpu_count()
    asked = Counter(entry["organization"] for entry in log)
    shares = sorted(share(asked[key["organization"]], seconds, LIMIT) for key in many.keys)
    of_bulk = sorted(share(asked[key["organization"]], seconds, LIMIT - RESERVE) for key in many.keys)
    with capsys.disabled():
        print(f"\n{CHURCHES} churches at once, 2 workers, {cpus} processors for them, the database and the practice Planning Center")
        for named, of in (("its own limit", shares), (f"what bulk work may use of it ({LIMIT - RESERVE} of {LIMIT})", of_bulk)):
            print(f"  share of {named}: least {of[0]:.0f} %, middle {of[len(of) // 2]:.0f} %, most {of[-1]:.0f} %")
        print(f"  {len(log) / seconds:.0f} requests a second in all, {statuses(log)[429]} x 429")
    assert shares[0] > 0


@pytest.mark.parametrize("lanes", ["as shipped", "one lane for all"])
def test_a_small_church_behind_a_large_one(
    lanes: str, tmp_path: Path, sqlite_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with installed(tmp_path, sqlite_url, redis_url, churches=2) as two:
        large, small = two.churches
        two.leave_cards(large, [card(number) for number in range(MANY)])
        two.leave_cards(small, [card(number) for number in range(3)])
        two.set_up_the_practice()
        with two.working(1, ONE_LANE if lanes != "as shipped" else "pass"):
            two.press_sync(large)
            wait_until(lambda: two.run(large).settled >= 10, "the large church to be well on its way", 300)
            number, began = two.last_number(), time.monotonic()
            two.press_sync(small)
            theirs = two.keys[1]["organization"]
            wait_until(lambda: any(entry["organization"] == theirs for entry in two.log(number)), "its first request", 600)
            first = time.monotonic() - began
            wait_until(lambda: two.is_over(small), "the small church's run to end", 600)
            seconds, still, sent = time.monotonic() - began, MANY - two.run(large).settled, two.run(small).created
    with capsys.disabled():
        print(f"\n3 cards behind a church with {MANY} (one worker, {lanes}), which had {still} to go at the end")
        print(f"  first request after {first:.1f} s, all three sent after {seconds:.1f} s")
    assert sent == 3
