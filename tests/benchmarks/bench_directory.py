"""The directory: pulling a church of 5,000 people, asking for what changed, and storing 100,000 people.

Run it with `make bench`. It prints figures beside the limit that they are measured against; how fast is for a person to judge.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select, text

from connectcard import create_app
from connectcard.churches.models import Church
from connectcard.churches.operations import open_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.budget import LATENESS_SECONDS, RESERVE
from connectcard.connections.models import CONNECTED, PERSONAL_ACCESS_TOKEN, Connection
from connectcard.database import db, transaction
from connectcard.people.models import EMAIL, PHONE, Contact, Family, Group, Identity, Person
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson
from connectcard.people.taking_in import take_in_people
from connectcard.sync import pull
from connectcard.sync.models import PULL_FAMILIES, PULL_FULL, PULL_PEOPLE
from tests.benchmarks.bench_pull import practice
from tests.conftest import make_config, running

__all__ = ["practice"]

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

PEOPLE = int(os.environ.get("BENCH_DIRECTORY_PEOPLE", "5000"))
STORED = int(os.environ.get("BENCH_STORED_PEOPLE", "100000"))
LATENCY_MS = 250


def memory(which: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at most."""
    found = re.search(rf"{which}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def church_on(url: str, database_url: str, redis_url: str) -> Iterator[tuple[Flask, UUID]]:
    """Grace Church connected by a personal access token."""
    told = requests.get(f"{url}/_simulator/organizations?people=0", timeout=60).json()[0]
    token = (told["personal_access_token"]["app_id"], told["personal_access_token"]["secret"])
    config = make_config(database_url, redis_url=redis_url, pco_base_url=url, personal_access_token=token)
    with running(create_app(config)) as app:
        with every_church(), transaction() as session:
            church_id = open_church(url, told["id"], "Grace Church", "US", "UTC", "%m/%d/%Y").id
            session.flush()
        with church_scope(church_id), transaction() as session:
            session.add(Connection(kind=PERSONAL_ACCESS_TOKEN, state=CONNECTED, origin=url, organization_id=told["id"]))
            assert session.get(Church, church_id)
        yield app, church_id


def pulled(church_id: UUID, kind: str) -> float:
    """Pull and say how many seconds it took."""
    with church_scope(church_id), transaction():
        number = pull.want_pull(kind, "Sam Hill").number
    began = time.perf_counter()
    while pull.advance_pulls(church_id, Event()) or not _is_over(church_id, number):
        time.sleep(0.2)
    return time.perf_counter() - began


def _is_over(church_id: UUID, number: int) -> bool:
    from connectcard.sync.runs import get_run

    with church_scope(church_id):
        return get_run(number).finished_at is not None


def log_of(url: str) -> list[str]:
    return [entry["path"].split("?")[0] for entry in requests.get(f"{url}/_simulator/log", timeout=60).json()]


def seconds_by_the_limit(asked: int, limit: int = 100, period: int = 20) -> float:
    """The least time in which so many requests may be sent when all but the reserve of each window is used."""
    windows = (asked - 1) // (limit - RESERVE)
    return windows * (period + LATENESS_SECONDS) + LATENCY_MS / 1000


def test_a_church_of_five_thousand(practice: str, sqlite_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for path, sent in (("reset", {"people": PEOPLE, "seed": 1}), ("settings", {"latency_ms": LATENCY_MS})):
        requests.post(f"{practice}/_simulator/{path}", json=sent, timeout=900).raise_for_status()
    with church_on(practice, sqlite_url, redis_url) as (_, church_id):
        at_rest = memory("VmRSS")
        seconds = pulled(church_id, PULL_FULL)
        first = log_of(practice)
        members = sum(path.endswith("/memberships") for path in first)
        with church_scope(church_id):
            stored = [db.session.scalar(select(func.count(model.id))) for model in (Person, Family, Group)]
            changed = list(db.session.scalars(select(Person.remote_id).where(~Person.child).order_by(Person.remote_id.desc()).limit(20)))
        most = memory("VmHWM")
        requests.post(f"{practice}/_simulator/settings", json={"advance_s": 400}, timeout=60).raise_for_status()
        for place, remote_id in enumerate(changed):
            body = {"nickname": f"Nick {place}"}
            requests.patch(f"{practice}/_simulator/people/{remote_id}", json=body, timeout=60).raise_for_status()
        time.sleep(21)
        again = pulled(church_id, PULL_PEOPLE) + pulled(church_id, PULL_FAMILIES)
        later = log_of(practice)[len(first) :]
    by_limit = seconds_by_the_limit(len(first))
    with capsys.disabled():
        print(f"\nPulling a whole church, {LATENCY_MS} ms for each answer, 100 requests in 20 s, into SQLite")
        print(f"  {stored[0]} people, {stored[1]} families, {stored[2]} groups: {len(first)} requests, {seconds:.1f} s")
        print(f"  people, families and the group list {len(first) - members} requests (75), members of groups {members}")
        print(f"  the rate limit allows {len(first)} requests in {by_limit:.1f} s at the earliest: {seconds / by_limit:.2f} times that")
        print("  the spec: about 50 requests and 30 s for the list of people, 25,000 requests and 4 hours for a first sync")
        print(f"  {most:.0f} MB at most ({at_rest:.0f} at rest)")
        print(f"  after 20 changes: {len(later)} requests, {again:.1f} s")
    assert (stored[0] or 0) >= PEOPLE


def made_up(number: int, round_: int) -> PulledPerson:
    """Somebody with an e-mail address, a phone number and an address; every fourth is a child."""
    first, last = f"First{number % 997}", f"Last{number % 4999}"
    contacts = (
        PulledContact(
            EMAIL, f"{first}.{last}.{number}@gmail.com".lower(), f"{first}.{last}.{number}@gmail.com", "Home", True, f"e{number}"
        ),
        PulledContact(PHONE, f"+1512{number:07}", f"(512) {number:07}", "Mobile", True, f"p{number}"),
    )
    home = PulledAddress(street=f"{number} Maple St", city="Austin", state="TX", zip="78701", country_code="US", remote_id=f"a{number}")
    return PulledPerson(
        remote_id=str(1_000_000 + number),
        identity=Identity(first, last, nickname=f"Nick{round_}" if round_ else "", birthdate=date(1950 + number % 70, 1 + number % 12, 3)),
        child=number % 4 == 0,
        gender="Female",
        membership="Member",
        updated_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=round_),
        contacts=contacts,
        addresses=(home,),
    )


def server_seconds() -> float:
    """How long the PostgreSQL server on this machine has worked for this process; 0 where SQLite is, whose work is this process's own."""
    if db.engine.dialect.name == "sqlite":
        return 0.0
    with every_church():
        server = db.session.scalar(text("select pg_backend_pid()"))
    user, system = Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def stored_at(church_id: UUID, round_: int) -> tuple[float, float, float, float]:
    """Store everybody, a page at a time as a pull does.

    How many a second by the clock, a second of this process's own work, and a second of its work and the server's; memory grown by.
    """
    took, worked, at_rest, served = 0.0, 0.0, memory("VmRSS"), server_seconds()
    for start in range(0, STORED, 1000):
        page = [made_up(number, round_) for number in range(start, min(start + 1000, STORED))]
        began, working = time.perf_counter(), time.process_time()
        with church_scope(church_id), transaction():
            take_in_people(page, now())
        took, worked = took + time.perf_counter() - began, worked + time.process_time() - working
    served = server_seconds() - served
    return STORED / took, STORED / worked, STORED / (worked + served), memory("VmRSS") - at_rest


def test_storing_many_people(any_database: str, app: Flask, grace: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    """New people, changed people and people as they were. On a busy machine the figure of the work done says more than the clock."""
    figures = [(name, *stored_at(grace, round_)) for name, round_ in (("new", 0), ("changed", 1), ("as they were", 1))]
    with church_scope(grace):
        rows = db.session.scalar(select(func.count(Person.id))), db.session.scalar(select(func.count(Contact.id)))
    with capsys.disabled():
        print(f"\nStoring {STORED} people (a quarter children, sealed) with {rows[1]} contacts and an address each, on {any_database}")
        for name, each, own, both, grown in figures:
            work = f"{both:.0f} people/s ({both * 4:.0f} rows/s) of work, {own:.0f} people/s of own work"
            print(f"  {name:13} {each:7.0f} people/s ({each * 4:.0f} rows/s) by the clock; {work}; memory {grown:+.0f} MB")
    assert rows[0] == STORED
