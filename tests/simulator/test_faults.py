"""What goes wrong on the way, on a real socket: cut connections, lost answers, waits, error pages, dead tokens."""

import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from connectcard.simulator.faults import Fault
from connectcard.simulator.state import the
from tests import servers
from tests.simulator.conftest import Church, SignIn

PEOPLE = "/people/v2/people"
NATHAN = {"data": {"type": "Person", "attributes": {"first_name": "Zebulon", "last_name": "Quarterman"}}}


class Wire:
    """Grace's program on a real socket, and the controls beside it."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url, self.session = url, requests.Session()
        self.session.headers.update(headers | {"X-PCO-API-Version": "2025-11-10"})

    def order(self, kind: str, **more: Any) -> None:
        fault = {"kind": kind, "method": "POST", "path": PEOPLE} | more
        assert requests.post(f"{self.url}/_simulator/faults", json=fault, timeout=5).status_code == 201

    def create(self, timeout: float = 5) -> requests.Response:
        return self.session.post(self.url + PEOPLE, json=NATHAN, timeout=timeout)

    def number_made(self) -> int:
        found = self.session.get(self.url + PEOPLE, params={"where[last_name]": "Quarterman"}, timeout=5)
        return int(found.json()["meta"]["total_count"])

    def last_post(self) -> dict[str, Any]:
        entries = requests.get(f"{self.url}/_simulator/log?since=0", timeout=5).json()
        return next(entry for entry in reversed(entries) if entry["method"] == "POST")


@pytest.fixture
def wire(simulator_app: Flask, grace: Church) -> Iterator[Wire]:
    with servers.serving(simulator_app) as url:
        wire = Wire(url, grace.headers)
        yield wire
        wire.session.close()
        the(simulator_app).close()


def test_without_faults_a_connection_is_kept_and_both_sides_agree(wire: Wire) -> None:
    assert [wire.create().status_code, wire.number_made(), wire.create().status_code, wire.number_made()] == [201, 1, 201, 2]
    assert wire.last_post().items() >= {"method": "POST", "path": PEOPLE, "status": 201, "applied": True, "fault": None}.items()
    assert wire.last_post()["organization"]


def test_an_empty_answer_has_neither_type_nor_tag(wire: Wire) -> None:
    made = wire.create().json()["data"]["id"]
    response = wire.session.delete(f"{wire.url}{PEOPLE}/{made}", timeout=5)
    assert (response.status_code, response.content) == (204, b"")
    assert {"Content-Type", "ETag"}.isdisjoint(response.headers)
    assert response.headers["X-PCO-API-Request-Rate-Count"] == "2"


@pytest.mark.parametrize(("kind", "made"), [("refuse_before", 0), ("drop_after", 1)])
def test_the_connection_is_cut_before_or_after_the_work(wire: Wire, kind: str, made: int) -> None:
    wire.order(kind)
    with pytest.raises(ConnectionError):
        wire.create()
    assert wire.number_made() == made
    assert wire.last_post().items() >= {"status": None, "applied": bool(made), "fault": kind}.items()
    assert wire.create().status_code == 201


@pytest.mark.parametrize(("kind", "made"), [("timeout_before", 0), ("timeout_after", 1)])
def test_the_answer_does_not_come_before_or_after_the_work(wire: Wire, kind: str, made: int) -> None:
    wire.order(kind)
    with pytest.raises(ReadTimeout):
        wire.create(timeout=0.3)
    assert wire.number_made() == made
    assert wire.last_post().items() >= {"status": None, "applied": bool(made), "fault": kind}.items()


def test_a_wait_ends_after_its_seconds_with_a_cut(wire: Wire) -> None:
    wire.order("timeout_before", seconds=0.1)
    with pytest.raises(ConnectionError):
        wire.create()


def test_a_wait_does_not_hold_up_the_end(simulator_app: Flask, wire: Wire) -> None:
    wire.order("timeout_after", seconds=3600)
    errors: list[Exception] = []

    def create() -> None:
        try:
            wire.create(timeout=60)
        except ConnectionError as error:
            errors.append(error)

    caller = Thread(target=create)
    caller.start()
    servers.wait_until(lambda: wire_log(wire.url), "the request to arrive")
    the(simulator_app).close()
    caller.join(10)
    assert len(errors) == 1


def wire_log(url: str) -> list[Any]:
    return [entry for entry in requests.get(f"{url}/_simulator/log", timeout=5).json() if entry["fault"]]


def test_a_late_request_is_applied_when_its_time_has_come(wire: Wire) -> None:
    wire.order("late_apply", seconds=600)
    with pytest.raises(ConnectionError):
        wire.create()
    assert wire.number_made() == 0
    requests.post(f"{wire.url}/_simulator/settings", json={"advance_s": 601}, timeout=5)
    servers.wait_until(wire.number_made, "the late request")
    servers.wait_until(lambda: wire.last_post()["applied"], "its entry in the log")
    assert wire.number_made() == 1


def test_a_late_request_comes_by_itself_as_well_but_not_after_a_reset(wire: Wire) -> None:
    wire.order("late_apply", seconds=0.05)
    with pytest.raises(ConnectionError):
        wire.create()
    servers.wait_until(wire.number_made, "the late request")
    wire.order("late_apply", seconds=600)
    with pytest.raises(ConnectionError):
        wire.create()
    requests.post(f"{wire.url}/_simulator/reset", json={}, timeout=5)
    requests.post(f"{wire.url}/_simulator/settings", json={"advance_s": 601}, timeout=5)
    assert wire.create().status_code == 201
    assert wire.number_made() == 1


@pytest.mark.parametrize(
    ("kind", "status", "html", "made"),
    [("status_500", 500, False, 0), ("status_502_after", 502, True, 1), ("status_503", 503, True, 0), ("html_403", 403, True, 0)],
)
def test_an_error_comes_instead_of_the_answer(wire: Wire, kind: str, status: int, html: bool, made: int) -> None:
    wire.order(kind)
    response = wire.create()
    assert (response.status_code, response.headers["Content-Type"].startswith("text/html")) == (status, html)
    assert wire.number_made() == made
    assert wire.last_post().items() >= {"status": status, "applied": bool(made)}.items()


def test_a_503_says_when_to_come_back_if_it_was_told_to(wire: Wire) -> None:
    wire.order("status_503", seconds=30)
    assert wire.create().headers["Retry-After"] == "30"
    wire.order("status_503")
    assert "Retry-After" not in wire.create().headers


def test_half_an_answer_is_no_answer_but_the_work_was_done(wire: Wire) -> None:
    wire.order("truncated")
    with pytest.raises((ChunkedEncodingError, ConnectionError)):
        wire.create()
    assert wire.number_made() == 1


def test_too_many_requests_on_order(wire: Wire) -> None:
    wire.order("rate_limited", seconds=7)
    response = wire.create()
    assert (response.status_code, response.headers["Retry-After"], response.json()["errors"][0]["code"]) == (429, "7", "429")
    assert wire.number_made() == 0


def test_too_many_requests_without_a_word_about_how_long_to_wait(wire: Wire) -> None:
    wire.order("limited_silent")
    response = wire.create()
    assert (response.status_code, "Retry-After" in response.headers) == (429, False)
    assert wire.number_made() == 0


def test_a_fault_waits_for_its_turn_and_is_used_up(wire: Wire) -> None:
    wire.order("status_500", after=1, times=2)
    assert [wire.create().status_code for _ in range(4)] == [201, 500, 500, 201]
    assert requests.get(f"{wire.url}/_simulator/faults", timeout=5).json() == []


def test_faults_are_met_in_the_order_they_were_given(wire: Wire) -> None:
    wire.order("status_500")
    wire.order("status_503")
    assert [wire.create().status_code for _ in range(3)] == [500, 503, 201]


def test_open_faults_can_be_forgotten(wire: Wire) -> None:
    for forget in (requests.delete, lambda url, timeout: requests.post(url, json=[], timeout=timeout)):
        wire.order("status_500", times=100)
        forget(f"{wire.url}/_simulator/faults", timeout=5)
        assert wire.create().status_code == 201


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*", "/oauth/token", True),
        ("/people/v2/people", "/people/v2/people", True),
        ("/people/v2/people", "/people/v2/people/7/emails", True),
        ("/people/v2/people", "/people/v2/people_x", False),
        ("/people/v2/people/*/emails", "/people/v2/people/7/emails", True),
        ("/people/v2/people/*/emails", "/people/v2/people/7/emails/8", False),
        ("/people/v2/people/*/emails", "/people/v2/people", False),
        ("/people/v2/[x]*", "/people/v2/x", False),
    ],
)
def test_the_path_of_a_fault(pattern: str, path: str, fits: bool) -> None:
    assert Fault("status_500", path=pattern).fits("GET", path) is fits
    assert not Fault("status_500", method="POST", path=pattern).fits("GET", path)


# Tokens


def me(wire: Wire, token: str) -> str:
    response = requests.get(f"{wire.url}/people/v2/me", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    return "ok" if response.status_code == 200 else response.json()["errors"][0]["detail"].split("(")[1].strip(")")


@pytest.fixture
def tokens(sign_in: SignIn, staff: dict[str, str], wire: Wire) -> dict[str, str]:
    given: dict[str, str] = sign_in.tokens(staff["Eddie Editor"])
    return given


def test_a_token_told_to_expire_has_expired_and_a_refresh_helps(wire: Wire, tokens: dict[str, str], sign_in: SignIn) -> None:
    wire.order("expired_token", method="GET", path="/people/v2/me")
    assert [me(wire, tokens["access_token"]) for _ in range(2)] == ["BABOON", "BABOON"]
    assert me(wire, sign_in.refresh(tokens["refresh_token"]).json["access_token"]) == "ok"


def test_a_token_told_to_be_revoked_takes_its_grant_along(wire: Wire, tokens: dict[str, str], sign_in: SignIn) -> None:
    wire.order("revoked_token", method="GET", path="/people/v2/me")
    assert [me(wire, tokens["access_token"]) for _ in range(2)] == ["CAPUCHIN", "CAPUCHIN"]
    assert sign_in.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_person_without_access_gets_it_back_when_the_order_is_used_up(wire: Wire, tokens: dict[str, str]) -> None:
    wire.order("no_access", method="GET", path="/people/v2/me")
    assert [me(wire, tokens["access_token"]) for _ in range(2)] == ["TRASH_PANDA", "ok"]


def test_a_personal_access_token_that_is_told_to_be_dead_is_refused(wire: Wire) -> None:
    wire.order("revoked_token")
    assert [wire.create().status_code, wire.create().status_code] == [401, 201]


def refresh(wire: Wire, token: str) -> requests.Response:
    from tests.simulator.conftest import CLIENT

    sent = CLIENT | {"grant_type": "refresh_token", "refresh_token": token}
    return requests.post(f"{wire.url}/oauth/token", data=sent, timeout=5)


def test_a_refresh_whose_answer_is_lost_has_spent_the_token(wire: Wire, tokens: dict[str, str]) -> None:
    wire.order("drop_after", path="/oauth/token")
    with pytest.raises(ConnectionError):
        refresh(wire, tokens["refresh_token"])
    assert refresh(wire, tokens["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("kind", "status"), [("html_403", 403), ("status_500", 500), ("status_503", 503), ("rate_limited", 429)])
def test_a_refresh_that_meets_trouble_leaves_the_token_good(wire: Wire, tokens: dict[str, str], kind: str, status: int) -> None:
    wire.order(kind, path="/oauth/token")
    assert [refresh(wire, tokens["refresh_token"]).status_code for _ in range(2)] == [status, 200]


def test_a_refresh_can_be_told_that_the_grant_is_dead(wire: Wire, tokens: dict[str, str]) -> None:
    wire.order("revoked_token", path="/oauth/token")
    assert refresh(wire, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert me(wire, tokens["access_token"]) == "CAPUCHIN"


# Many at once


def test_latency_is_waited_outside_the_lock(wire: Wire) -> None:
    requests.post(f"{wire.url}/_simulator/settings", json={"latency_ms": 500}, timeout=5)
    callers = [Thread(target=requests.get, args=(f"{wire.url}/people/v2/me",), kwargs={"timeout": 10}) for _ in range(10)]
    started = time.monotonic()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert time.monotonic() - started < 4.5, "one after the other would take five seconds"


def test_people_made_at_the_same_time_are_all_there_with_ids_of_their_own(wire: Wire, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"limit": 1000})
    ids: list[str] = []

    def create() -> None:
        headers = dict(wire.session.headers)
        for _ in range(10):
            ids.append(requests.post(wire.url + PEOPLE, json=NATHAN, headers=headers, timeout=10).json()["data"]["id"])

    callers = [Thread(target=create) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set(ids)) == 60
    assert wire.number_made() == 60


def test_half_a_request_harms_nobody(wire: Wire) -> None:
    place = urlsplit(wire.url)
    for sent in (b"POST /people/v2/people HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{", b"\x00\x01\x02\r\n\r\n", b"GET "):
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=5) as connection:
            connection.sendall(sent)
    assert wire.number_made() == 0
