"""The control paths: what tests and people who practise do to the simulator itself."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from connectcard.simulator import create_simulator
from connectcard.simulator.state import the
from tests import servers
from tests.simulator.conftest import Church, SignIn, church_number

ROOT = Path(__file__).resolve().parents[2]


def test_the_same_seed_makes_the_same_people_and_another_seed_others(control: Callable[..., Any], grace: Church) -> None:
    control("POST", "reset", {"people": 30, "seed": 7})
    first = control("GET", "organizations")
    grace.client.post("/_simulator/merge", json={"keep": first[0]["people"][9]["id"], "remove": first[0]["people"][8]["id"]})
    control("POST", "reset", {"people": 30, "seed": 8})
    other = control("GET", "organizations")
    control("POST", "reset", {"people": 30, "seed": 7})
    assert control("GET", "organizations") == first
    assert [len(church["people"]) for church in first] == [30, 30]
    assert {church["id"] for church in first}.isdisjoint(church["id"] for church in other)
    assert [person["first_name"] for person in first[0]["people"]] != [person["first_name"] for person in other[0]["people"]]


def test_a_reset_forgets_tokens_faults_settings_clock_and_log(
    sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any], client: FlaskClient
) -> None:
    eddie = sign_in.church_of(staff["Eddie Editor"])
    control("POST", "settings", {"limit": 7, "latency_ms": 1, "search_lag_s": 5, "advance_s": 1000})
    control("POST", "faults", {"kind": "status_500"})
    number = control("GET", "log")[-1]["number"] if control("GET", "log") else 0
    control("POST", "reset", {})
    assert "CAPUCHIN" in eddie.call("GET", "me").text
    assert control("GET", "settings").items() >= {"limit": 100, "latency_ms": 0, "search_lag_s": 0, "ahead_s": 0}.items()
    assert control("GET", "faults") == []
    assert [entry["number"] > number for entry in control("GET", "log")] == [True], "numbers go on"


def test_a_small_church_still_has_everybody_who_can_sign_in(control: Callable[..., Any]) -> None:
    control("POST", "reset", {"people": 0})
    for church in control("GET", "organizations"):
        assert [person["permission"] for person in church["people"]] == ["site_administrator", "Manager", "Editor", "Viewer", None]


def test_the_personal_access_token_belongs_to_an_administrator(control: Callable[..., Any], grace: Church, hope: Church) -> None:
    for church in (grace, hope):
        assert church.get("me")["data"]["attributes"]["site_administrator"] is True
        assert church.get("/people/v2")["data"]["id"] == church.id
    told = control("GET", "organizations")
    assert [church["name"] for church in told] == ["Grace Community Church", "Hope Chapel"]


def test_what_was_written_is_told(grace: Church, control: Callable[..., Any]) -> None:
    campus = grace.rows("campuses")[0]["id"]
    person = grace.person(membership="Visitor", primary_campus_id=campus, remote_id=4711)
    grace.create(f"people/{person}/emails", {"address": "n@gmail.com", "location": "Home"})
    grace.create(f"people/{person}/phone_numbers", {"number": "2175550123", "location": "Mobile"})
    grace.create(f"people/{person}/addresses", {"street_line_1": "1 Main St", "location": "Home"})
    field = grace.named("field_definitions", "First visit date")["id"]
    grace.create(f"people/{person}/field_data", {"field_definition_id": field, "value": "2026-11-22"})
    category = grace.named("note_categories", "Connect card")["id"]
    grace.create(f"people/{person}/notes", {"note": "Hello", "note_category_id": category})
    workflow = grace.named("workflows", "Prayer team")["id"]
    grace.create(f"workflows/{workflow}/cards", {"person_id": person})
    contact = {"data": {"type": "Person", "id": person}}
    grace.create("households", {"name": "Hale Household"}, {"primary_contact": contact, "people": {"data": [contact["data"]]}})
    told = next(one for one in control("GET", f"organizations?organization={grace.id}")[0]["people"] if one["id"] == person)
    assert told.items() >= {
        "first_name": "Nathan", "last_name": "Hale", "membership": "Visitor", "primary_campus_id": campus, "remote_id": 4711,
        "status": "active", "permission": None, "can_sign_in": False,
    }.items()  # fmt: skip
    assert told["emails"][0].items() >= {"address": "n@gmail.com", "location": "Home", "primary": True}.items()
    assert told["phone_numbers"][0].items() >= {"number": "2175550123", "e164": "+12175550123"}.items()
    assert told["addresses"][0]["street_line_1"] == "1 Main St"
    assert told["field_data"][0].items() >= {"field_definition_id": field, "name": "First visit date", "value": "11/22/2026"}.items()
    assert told["households"][0]["name"] == "Hale Household"
    assert told["notes"][0].items() >= {"note": "Hello", "name": "Connect card"}.items()
    assert told["workflow_cards"][0].items() >= {"stage": "ready", "name": "Prayer team"}.items()


def test_somebody_edits_and_deletes_in_planning_center(grace: Church, control: Callable[..., Any], client: FlaskClient) -> None:
    person = grace.person()
    assert control("PATCH", f"people/{person}", {"last_name": "Hall"})["last_name"] == "Hall"
    assert grace.get(f"people/{person}")["data"]["attributes"]["name"] == "Nathan Hall"
    assert client.delete(f"/_simulator/people/{person}").status_code == 204
    assert grace.call("GET", f"people/{person}").status_code == 404


def test_the_log_tells_each_request_once_and_from_a_number_on(grace: Church, control: Callable[..., Any]) -> None:
    grace.person()
    grace.get("people", **{"where[first_name]": "Ana"})
    grace.post("people", {"bogus": 1})
    made, read, refused = control("GET", "log?since=0")[-3:]
    assert made | {"at": "", "number": 0} == {
        "number": 0, "at": "", "method": "POST", "path": "/people/v2/people", "query": "", "status": 201, "organization": grace.id,
        "applied": True, "fault": None,
    }  # fmt: skip
    assert (read["status"], read["applied"], read["query"]) == (200, False, "where[first_name]=Ana")
    assert (refused["status"], refused["applied"]) == (422, False)
    assert [entry["number"] for entry in control("GET", f"log?since={read['number']}")] == [refused["number"]]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "reset", {"people": -1}),
        ("POST", "reset", {"people": "many"}),
        ("POST", "reset", {"people": True}),
        ("POST", "reset", {"pepole": 5}),
        ("POST", "reset", [1]),
        ("POST", "settings", {"limit": 0}),
        ("POST", "settings", {"advance_s": -1}),
        ("POST", "settings", {"speed": 1}),
        ("POST", "faults", {"kind": "meteor"}),
        ("POST", "faults", {"path": "*"}),
        ("POST", "faults", {"kind": "status_500", "times": 0}),
        ("POST", "faults", {"kind": "status_500", "path": 5}),
        ("POST", "faults", {"kind": "status_500", "where": "x"}),
        ("POST", "faults", [5]),
        ("GET", "log?since=soon", None),
        ("POST", "merge", {"keep": "1", "remove": "2"}),
        ("POST", "permission", {"person": "1", "permission": "Editor"}),
        ("POST", "permission", {"permission": ["Editor"]}),
        ("PATCH", "people/1", {"first_name": "X"}),
        ("PATCH", "people/x", {"last_name": "X"}),
        ("DELETE", "people/99999999999999999999999", None),
        ("POST", "clients", {"client_id": ""}),
    ],
)
def test_a_mistaken_control_request_says_how_to_mend_it(client: FlaskClient, method: str, path: str, body: object) -> None:
    response = client.open(f"/_simulator/{path}", method=method, json=body)
    assert 400 <= response.status_code < 500
    assert len(response.json["error"]) > 10


def test_people_of_two_churches_are_not_merged(grace: Church, hope: Church, client: FlaskClient) -> None:
    response = client.post("/_simulator/merge", json={"keep": grace.person(), "remove": hope.person()})
    assert response.status_code == 422


def test_a_control_body_that_is_not_json_is_a_400(client: FlaskClient) -> None:
    assert client.post("/_simulator/reset", data=b"\xff{").status_code == 400


def test_everything_is_still_there_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "practice.sqlite"
    first = create_simulator(state_file=file, people=10)
    client = first.test_client()
    sign_in = SignIn(client)
    grace = church_number(client, 0)
    person = grace.person()
    administrator = grace.get("me")["data"]["id"]
    tokens = sign_in.tokens(administrator)
    client.post("/_simulator/settings", json={"advance_s": 100, "limit": 50})
    keys = client.get("/oauth/discovery/keys").json
    the(first).close()

    client = create_simulator(state_file=file, seed=5, people=99).test_client()
    again = Church(client, grace.id, {"Authorization": f"Bearer {tokens['access_token']}"})
    assert again.get(f"people/{person}")["data"]["attributes"]["name"] == "Nathan Hale"
    assert again.get("people")["meta"]["total_count"] == 11
    assert client.get("/oauth/discovery/keys").json == keys
    assert client.get("/_simulator/settings").json.items() >= {"limit": 50, "ahead_s": 100}.items()
    assert SignIn(client).refresh(tokens["refresh_token"]).status_code == 200


def serve(tmp_path: Path, port: int) -> servers.Process:
    what = ["simulator", "--port", str(port), "--state", str(tmp_path / "practice.sqlite")]
    command = [sys.executable, "-m", "connectcard.cli", *what]
    return servers.start(command, tmp_path / "simulator.log", port, cwd=ROOT)


def test_a_killed_simulator_has_lost_nothing_that_it_had_answered(tmp_path: Path) -> None:
    port = servers.free_port()
    process = serve(tmp_path, port)
    url = f"http://127.0.0.1:{port}"
    told = requests.get(f"{url}/_simulator/organizations?people=0", timeout=10).json()[0]["personal_access_token"]
    pair = (told["app_id"], told["secret"])
    body = {"data": {"attributes": {"first_name": "Zebulon", "last_name": "Quarterman"}}}
    made = [requests.post(f"{url}/people/v2/people", json=body, auth=pair, timeout=10).json()["data"]["id"] for _ in range(5)]
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    process = serve(tmp_path, port)
    try:
        found = requests.get(f"{url}/people/v2/people", params={"where[last_name]": "Quarterman"}, auth=pair, timeout=10).json()
        assert [row["id"] for row in found["data"]] == made
    finally:
        assert servers.stop(process) == 0, "SIGTERM ends it in order"
