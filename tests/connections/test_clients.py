"""The only door out: whose tokens it uses, where they go, and what it refuses."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app
from requests_mock import Mocker

from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections.clients import client_for
from connectcard.connections.models import DISCONNECTED, PERSONAL_ACCESS_TOKEN, RECONNECT
from connectcard.connections.queries import find_connection
from connectcard.database import transaction
from connectcard.errors import ConnectionMissing
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Gone, NotRenewed, OutcomeUnknown, RateLimited, ReconnectNeeded, Unavailable
from connectcard.planning_center.resources import people
from tests.conftest import MovedClock, make_config
from tests.connections.conftest import connected, connection_of
from tests.planning_center.changing_list import ChangingList

PLANNING_CENTER = "https://api.planningcenteronline.com"
ME = {"data": {"type": "Person", "id": "7", "attributes": {"people_permissions": "Editor"}}}
EXPIRED = {"errors": [{"status": "401", "title": "Unauthorized", "detail": "Error Code Hint: (BABOON)"}]}
LIMITED = {"errors": [{"code": "429", "title": "Too Many Requests", "detail": "Rate limit exceeded: 101 of 100 requests per 20 seconds"}]}
RATE = {"X-PCO-API-Request-Rate-Limit": "100", "X-PCO-API-Request-Rate-Period": "20", "X-PCO-API-Request-Rate-Count": "7"}


@pytest.fixture
def origin() -> str:
    return PLANNING_CENTER


@pytest.fixture
def config(database_url: str, origin: str, redis_url: str) -> Config:
    return make_config(database_url, pco_base_url=origin, redis_url=redis_url, personal_access_token=("app", "secret"))


def client(**how: Any) -> Client:
    """A client of the open scope's church."""
    connection = find_connection()
    assert connection is not None
    return client_for(connection, **how)


def renewed(number: int) -> dict[str, Any]:
    return {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": 7200}


def test_a_church_is_spoken_for_with_its_own_token_by_name(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", json=ME, headers=RATE)
    with church_scope(grace):
        assert client().get(people.ME).id == "7"
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.headers["Authorization"] == "Bearer access-0"
    assert sent.headers["User-Agent"] == "connectcard (http://127.0.0.1:5000)"
    row = connection_of(grace)
    assert (row.rate_limit, row.rate_period, row.rate_count) == (100, 20, 7)


def test_a_token_that_runs_out_on_the_way_is_renewed_and_the_request_repeated_once(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", [{"status_code": 401, "json": EXPIRED}, {"json": ME}])
    requests_mock.post(f"{PLANNING_CENTER}/oauth/token", json=renewed(1))
    with church_scope(grace):
        client().get(people.ME)
    assert [sent.headers.get("Authorization") for sent in requests_mock.request_history] == ["Bearer access-0", None, "Bearer access-1"]
    assert connection_of(grace).access_token == "access-1"


def test_a_withdrawn_grant_is_believed_the_second_time_and_ends_in_reconnect(
    grace: UUID, requests_mock: Mocker, moved_clock: MovedClock
) -> None:
    connected(grace)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", status_code=401, json=EXPIRED)
    requests_mock.post(f"{PLANNING_CENTER}/oauth/token", status_code=400, json={"error": "invalid_grant"})
    with church_scope(grace), pytest.raises(NotRenewed):
        client().get(people.ME)
    moved_clock.move(minutes=16)
    with church_scope(grace), pytest.raises(ReconnectNeeded):
        client().get(people.ME)
    assert connection_of(grace).state == RECONNECT
    with church_scope(grace), pytest.raises(ConnectionMissing, match="connect again"):
        client()


def test_a_refresh_whose_answer_is_lost_never_makes_a_write_doubtful(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace, left=timedelta(minutes=-1))
    requests_mock.post(f"{PLANNING_CENTER}/oauth/token", status_code=502, text="<html>")
    with church_scope(grace), pytest.raises(Unavailable):
        client().create(people.PERSON, {"first_name": "Ana"})
    assert {sent.path for sent in requests_mock.request_history} == {"/oauth/token"}


def test_too_many_requests_hold_the_church_back_and_nobody_else(grace: UUID, neighbour: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    connected(neighbour, tokens="50")
    answers = [{"status_code": 429, "json": LIMITED, "headers": RATE | {"Retry-After": "120"}}, {"json": ME}]
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", answers)
    with church_scope(grace):
        for _ in range(3):
            with pytest.raises(RateLimited):
                client().get(people.ME)
    assert len(requests_mock.request_history) == 1
    assert connection_of(grace).blocked_until is not None
    with church_scope(neighbour):
        client().get(people.ME)
    assert connection_of(neighbour).blocked_until is None


def test_nothing_is_sent_while_a_transaction_is_open(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", json=ME)
    with church_scope(grace):
        one = client()
        with pytest.raises(RuntimeError, match="transaction"), transaction():
            one.get(people.ME)
    assert requests_mock.request_history == []


def test_a_worker_writes_between_the_records_of_a_long_list(grace: UUID, neighbour: UUID, requests_mock: Mocker) -> None:
    connected(grace, left=timedelta(minutes=1))
    rows = ChangingList()
    rows.add(40)
    requests_mock.post(f"{PLANNING_CENTER}/oauth/token", json=renewed(1))
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/people", json=rows.answer, headers=RATE)
    with church_scope(grace):
        for person in client().iterate(people.PERSON, per_page=4):
            with transaction():
                connection = find_connection()
                assert connection is not None
                connection.authorised_by = person.id
    assert connection_of(grace).authorised_by == "1039"
    pages = [sent for sent in requests_mock.request_history if sent.method == "GET"]
    assert {sent.headers["Authorization"] for sent in pages} == {"Bearer access-1"}
    assert len(requests_mock.request_history) == len(pages) + 1


def test_no_page_is_waited_for_while_a_transaction_is_open(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    rows = ChangingList()
    rows.add(40)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/people", json=rows.answer, headers=RATE)
    with church_scope(grace):
        records = client().iterate(people.PERSON, per_page=4)
        next(records)
        with pytest.raises(RuntimeError, match="transaction"), transaction():
            list(records)


def test_a_church_connected_at_another_planning_center_is_refused(grace: UUID, requests_mock: Mocker) -> None:
    connected(grace, origin="http://127.0.0.1:7777")
    with church_scope(grace), pytest.raises(ConnectionMissing, match=r"connected at http://127\.0\.0\.1:7777.*PCO_BASE_URL"):
        client()
    assert requests_mock.request_history == []


@pytest.mark.parametrize("state", [RECONNECT, DISCONNECTED])
def test_a_church_that_is_not_connected_has_no_client(grace: UUID, state: str) -> None:
    connected(grace, state=state)
    with church_scope(grace), pytest.raises(ConnectionMissing):
        client()


def test_a_personal_access_token_comes_from_the_settings(app: Flask, grace: UUID, requests_mock: Mocker) -> None:
    connected(grace, kind=PERSONAL_ACCESS_TOKEN)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/me", json=ME)
    with church_scope(grace):
        client().get(people.ME)
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.headers["Authorization"] == "Basic YXBwOnNlY3JldA=="
    current_app.config["CONNECTCARD"] = make_config("sqlite://", pco_base_url=PLANNING_CENTER)
    with church_scope(grace), pytest.raises(ConnectionMissing, match="PCO_APP_ID"):
        client()


def test_each_church_reads_with_its_own_token_only(grace: UUID, neighbour: UUID, requests_mock: Mocker) -> None:
    connected(grace)
    connected(neighbour, tokens="50")
    nobody = {"errors": [{"status": "404", "title": "Not Found"}]}
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/people/7", status_code=404, json=nobody, headers=RATE)
    requests_mock.get(f"{PLANNING_CENTER}/people/v2/person_mergers", json={"data": []})
    requests_mock.post(f"{PLANNING_CENTER}/people/v2/people", status_code=500)
    for church in (grace, neighbour, grace):
        with church_scope(church):
            one = client()
            with pytest.raises(Gone):
                one.get(people.PERSON, "7")
            with pytest.raises(OutcomeUnknown):
                one.create(people.PERSON, {"first_name": "Ana"})
    used = [sent.headers["Authorization"] for sent in requests_mock.request_history]
    assert used == ["Bearer access-0"] * 3 + ["Bearer access-50"] * 3 + ["Bearer access-0"] * 3
