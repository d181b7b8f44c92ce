"""A church's grant from consent to withdrawal, at the practice Planning Center and over real HTTP."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections import operations
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, RECONNECT, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import transaction
from connectcard.planning_center import Client
from connectcard.planning_center.errors import NotRenewed, OutcomeUnknown, ReconnectNeeded, Unavailable
from connectcard.planning_center.resources import people
from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET
from tests.conftest import MovedClock, make_config
from tests.connections import renewing
from tests.connections.conftest import all_at_once, connection_of, open_church
from tests.forked import PROCESSES

CALLBACK = "http://127.0.0.1:5000/oauth/callback"


@pytest.fixture
def origin(simulator: str) -> str:
    return simulator


@pytest.fixture
def config(database_url: str, origin: str, redis_url: str) -> Config:
    client = {"pco_client_id": PRACTICE_CLIENT_ID, "pco_client_secret": PRACTICE_CLIENT_SECRET}
    return make_config(database_url, pco_base_url=origin, redis_url=redis_url, **client)


@pytest.fixture
def grace(app: Flask, origin: str, moved_clock: MovedClock) -> UUID:
    """Grace Church, connected by the consent of the first person who can sign in there; the clock stands from the beginning on."""
    return consented(origin, "grace", 0)


@pytest.fixture
def neighbour(app: Flask, origin: str) -> UUID:
    return consented(origin, "hope", 1)


def consented(origin: str, slug: str, place: int) -> UUID:
    told = requests.get(f"{origin}/_simulator/organizations?people=0", timeout=10).json()
    organization = (told["organizations"] if isinstance(told, dict) else told)[place]["id"]
    church_id = open_church(slug, organization, origin)
    answer = consent(origin, place)
    with church_scope(church_id), transaction() as session:
        operations.connect(session.get_one(Church, church_id), answer, organization_id=organization, authorised_by="Sam Hill")
    return church_id


def consent(origin: str, place: int) -> dict[str, Any]:
    """What a person does on the consent page, and the exchange of the code."""
    ask = {
        "client_id": PRACTICE_CLIENT_ID,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "people",
        "prompt": "select_account",
    }
    page = requests.get(f"{origin}/oauth/authorize", params=ask, timeout=10).text
    church = page.split("<fieldset")[place + 1] if "<fieldset" in page else page
    person = re.findall(r'name="person"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="person"', church)[0]
    chosen = {**ask, "decision": "allow", "person": "".join(person)}
    back = requests.post(f"{origin}/oauth/authorize", data=chosen, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    exchange = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    exchange |= {"client_id": PRACTICE_CLIENT_ID, "client_secret": PRACTICE_CLIENT_SECRET}
    answer: dict[str, Any] = requests.post(f"{origin}/oauth/token", data=exchange, timeout=10).json()
    return answer


def control(origin: str, what: str, **values: Any) -> None:
    requests.post(f"{origin}/_simulator/{what}", json=values, timeout=10).raise_for_status()


def client() -> Client:
    connection = find_connection()
    assert connection is not None
    return client_for(connection)


def organization_seen() -> str:
    return client().get(people.ORGANIZATION).id


def test_each_church_reads_its_own_organization(grace: UUID, neighbour: UUID) -> None:
    for church_id in (grace, neighbour):
        with church_scope(church_id):
            assert organization_seen() == connection_of(church_id).organization_id
    assert connection_of(grace).organization_id != connection_of(neighbour).organization_id


def test_a_token_that_expired_there_is_renewed_on_the_way(grace: UUID, neighbour: UUID, origin: str) -> None:
    before = connection_of(grace), connection_of(neighbour)
    control(origin, "settings", advance_s=7300)
    with church_scope(grace):
        made = client().create(people.PERSON, {"first_name": "Ana", "last_name": "Lopez"})
        found = client().list(people.PERSON, where={"first_name": "Ana", "last_name": "Lopez"}).records
        assert made.id in {record.id for record in found}
    after = connection_of(grace), connection_of(neighbour)
    assert after[0].version == before[0].version + 1
    assert after[0].access_token != before[0].access_token
    assert after[1].version == before[1].version


def test_many_threads_survive_a_renewal_that_ends_the_old_token(app: Flask, grace: UUID, origin: str) -> None:
    control(origin, "settings", refresh_ends_old_access=True, advance_s=7300)
    seen = all_at_once(app, grace, 5, organization_seen)
    assert set(seen) == {connection_of(grace).organization_id}
    assert connection_of(grace).version == 2


def test_forty_processes_at_once_renew_by_one_call(app: Flask, config: Config, grace: UUID, origin: str) -> None:
    with church_scope(grace), transaction() as session:
        connection = session.scalars(select(Connection)).one()
        connection.expires_at = now() - timedelta(minutes=1)
        connection_id, spent = connection.id, connection.access_token
    before = len(token_calls(origin))
    all_ready, got = PROCESSES.Barrier(40), PROCESSES.Queue()
    forty = [PROCESSES.Process(target=renewing.renew, args=(config, grace, connection_id, all_ready, got)) for _ in range(40)]
    for one in forty:
        one.start()
    tokens = {got.get(timeout=120) for _ in forty}
    for one in forty:
        one.join(30)
    assert len(tokens) == 1
    assert spent not in tokens
    assert len(token_calls(origin)) - before == 1


def token_calls(origin: str) -> list[dict[str, Any]]:
    """The requests that reached the token endpoint."""
    log = requests.get(f"{origin}/_simulator/log", timeout=10).json()
    return [entry for entry in log if entry["path"] == "/oauth/token"]


def test_a_grant_that_was_withdrawn_there_needs_reconnecting_and_a_new_consent_mends_it(
    grace: UUID, neighbour: UUID, origin: str, moved_clock: MovedClock
) -> None:
    control(origin, "faults", kind="revoked_token", path="/people/v2", times=1)
    before = len(token_calls(origin))
    with church_scope(grace):
        for _ in range(3):
            with pytest.raises(NotRenewed):
                organization_seen()
    assert (connection_of(grace).state, len(token_calls(origin)) - before) == (CONNECTED, 1)
    moved_clock.move(minutes=15)
    with church_scope(grace), pytest.raises(ReconnectNeeded):
        organization_seen()
    assert (connection_of(grace).state, len(token_calls(origin)) - before) == (RECONNECT, 2)
    assert connection_of(neighbour).state == CONNECTED
    with church_scope(grace), transaction() as session:
        church = session.get_one(Church, grace)
        operations.connect(church, consent(origin, 0), organization_id=church.organization_id, authorised_by="Sam Hill")
    with church_scope(grace):
        assert organization_seen() == connection_of(grace).organization_id


def test_a_firewalls_page_at_the_token_endpoint_costs_nobody_the_connection(grace: UUID, origin: str, moved_clock: MovedClock) -> None:
    moved_clock.move(hours=3)
    control(origin, "faults", kind="html_403", path="/oauth/token", times=1)
    with church_scope(grace), pytest.raises(Unavailable):
        organization_seen()
    assert connection_of(grace).state == CONNECTED
    moved_clock.move(seconds=31)
    with church_scope(grace):
        assert organization_seen() == connection_of(grace).organization_id


def test_a_renewal_that_was_applied_and_lost_is_said_plainly(grace: UUID, origin: str, moved_clock: MovedClock) -> None:
    moved_clock.move(hours=3)
    control(origin, "faults", kind="drop_after", path="/oauth/token", times=1)
    with church_scope(grace), pytest.raises(NotRenewed):
        organization_seen()
    moved_clock.move(minutes=15)
    with church_scope(grace), pytest.raises(ReconnectNeeded):
        organization_seen()
    assert connection_of(grace).state == RECONNECT


@pytest.mark.parametrize("kind", ["drop_after", "truncated", "status_502_after", "refuse_before"])
def test_a_write_without_an_answer_is_unknown_and_sent_once(grace: UUID, origin: str, kind: str) -> None:
    control(origin, "faults", kind=kind, method="POST", path="/people/v2/people", times=1)
    with church_scope(grace):
        with pytest.raises(OutcomeUnknown):
            client().create(people.PERSON, {"first_name": "Zacharias", "last_name": "Quill"})
        there = client().list(people.PERSON, where={"first_name": "Zacharias", "last_name": "Quill"}).records
        assert len(there) == (0 if kind == "refuse_before" else 1)


def test_the_limit_that_planning_center_says_is_obeyed(grace: UUID, origin: str) -> None:
    control(origin, "settings", limit=12, period=2)
    with church_scope(grace):
        one = client()
        for _ in range(16):
            one.get(people.ORGANIZATION)
    log = requests.get(f"{origin}/_simulator/log?since=0", timeout=10).json()
    entries = log["entries"] if isinstance(log, dict) else log
    assert [entry for entry in entries if entry["status"] == 429] == []


def test_a_disconnected_church_can_do_nothing_with_its_old_tokens(grace: UUID, origin: str) -> None:
    token = connection_of(grace).access_token
    with church_scope(grace):
        row = find_connection()
        assert row is not None
        assert operations.disconnect(row) is True
    answer = requests.get(f"{origin}/people/v2", headers={"Authorization": f"Bearer {token}", "User-Agent": "test"}, timeout=10)
    assert answer.status_code == 401
