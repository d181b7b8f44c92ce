"""pypco, written by others for the real Planning Center, works against the practice one over HTTP, unchanged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypco
import pytest
import requests

VERSION = "2025-11-10"


@pytest.fixture
def grace(simulator: str) -> dict[str, Any]:
    """A church of 260 people."""
    requests.post(f"{simulator}/_simulator/reset", json={"people": 260, "seed": 1}, timeout=30).raise_for_status()
    church: dict[str, Any] = requests.get(f"{simulator}/_simulator/organizations", timeout=30).json()[0]
    return church


@pytest.fixture
def pco(simulator: str, grace: dict[str, Any]) -> Iterator[Any]:
    """As its documentation has it; the version is ours to ask for."""
    token = grace["personal_access_token"]
    client = pypco.PCO(token["app_id"], token["secret"], api_base=simulator, timeout=20)
    client.session.headers["X-PCO-API-Version"] = VERSION
    yield client
    client.session.close()


def refused(call: Any) -> pypco.PCORequestException:
    with pytest.raises(pypco.PCORequestException) as error:
        call()
    return error.value


def test_it_lists(pco: Any, grace: dict[str, Any]) -> None:
    page = pco.get("/people/v2/people")
    assert len(page["data"]) == 25
    assert page["meta"]["total_count"] == len(grace["people"])
    assert page["meta"]["parent"] == {"id": grace["id"], "type": "Organization"}


def test_it_iterates_over_everybody_on_three_pages(simulator: str, pco: Any, grace: dict[str, Any]) -> None:
    before = len(requests.get(f"{simulator}/_simulator/log", timeout=10).json())
    people = list(pco.iterate("/people/v2/people", per_page=100, include="emails,phone_numbers,addresses"))
    asked = requests.get(f"{simulator}/_simulator/log", timeout=10).json()[before:]
    assert {person["data"]["id"] for person in people} == {person["id"] for person in grace["people"]}
    assert len(people) == len(grace["people"]) >= 260
    assert len(asked) == 3
    emails = {each["attributes"]["address"] for person in people for each in person["included"] if each["type"] == "Email"}
    assert emails == {email["address"] for person in grace["people"] for email in person["emails"]}


def test_it_gets_somebody_with_what_belongs_to_them(pco: Any, grace: dict[str, Any]) -> None:
    wanted = next(person for person in grace["people"] if person["emails"] and person["phone_numbers"])
    person = pco.get(f"/people/v2/people/{wanted['id']}", include="emails,phone_numbers")
    assert person["data"]["attributes"]["first_name"] == wanted["first_name"]
    assert {each["type"] for each in person["included"]} == {"Email", "PhoneNumber"}


def test_it_creates_changes_and_deletes(pco: Any) -> None:
    made = pco.post("/people/v2/people", payload=pco.template("Person", {"first_name": "Pico", "last_name": "Robot"}))
    address = f"/people/v2/people/{made['data']['id']}"
    changed = pco.patch(address, payload=pco.template("Person", {"first_name": "Paco"}))
    assert changed["data"]["attributes"]["name"] == "Paco Robot"
    assert pco.delete(address).status_code == 204
    assert refused(lambda: pco.get(address)).status_code == 404


def test_it_makes_an_address_and_a_household(pco: Any) -> None:
    made = pco.post("/people/v2/people", payload=pco.template("Person", {"first_name": "Pico", "last_name": "Robot"}))["data"]["id"]
    address = {"location": "Home", "street_line_1": "1 Main Street", "city": "Austin", "state": "TX", "zip": "78701", "primary": True}
    answer = pco.post(f"/people/v2/people/{made}/addresses", payload=pco.template("Address", address))
    assert answer["data"]["attributes"]["street_line_1"] == "1 Main Street"
    household = pco.template("Household", {"name": "Robot Household"})
    person = {"type": "Person", "id": made}
    household["data"]["relationships"] = {"primary_contact": {"data": person}, "people": {"data": [person]}}
    answer = pco.post("/people/v2/households", payload=household)
    assert answer["data"]["attributes"]["member_count"] is None
    told = pco.get(f"/people/v2/households/{answer['data']['id']}", include="people")
    assert told["data"]["attributes"]["member_count"] == 1
    assert [each["id"] for each in told["included"]] == [made]


def test_it_is_told_what_is_wrong(simulator: str, pco: Any) -> None:
    assert refused(lambda: pco.post("/people/v2/people", payload={})).status_code == 400
    assert refused(lambda: pco.get("/people/v2/people/999999999")).status_code == 404
    unknown = refused(lambda: pco.post("/people/v2/people", payload=pco.template("Person", {"bogus": "yes"})))
    assert unknown.status_code == 422
    assert "bogus cannot be assigned" in unknown.response_body
    pco.session.headers["X-PCO-API-Version"] = "1999-01-01"
    assert refused(lambda: pco.get("/people/v2/people")).status_code == 400
    stranger = pypco.PCO("nobody", "wrong", api_base=simulator, timeout=20)
    error = refused(lambda: stranger.get("/people/v2/people"))
    stranger.session.close()
    assert (error.status_code, error.response_body) == (401, "HTTP Basic: Access denied.\n")


def test_it_waits_for_as_long_as_it_is_told(simulator: str, pco: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []

    def wait(seconds: float) -> None:
        waited.append(int(seconds))
        requests.post(f"{simulator}/_simulator/settings", json={"advance_s": seconds}, timeout=10).raise_for_status()

    monkeypatch.setattr("pypco.pco.time.sleep", wait)
    requests.post(f"{simulator}/_simulator/settings", json={"limit": 3, "period": 20}, timeout=10).raise_for_status()
    for _ in range(4):
        assert pco.get("/people/v2/people", per_page=1)["data"]
    assert len(waited) == 1
    assert 1 <= waited[0] <= 20


def test_it_iterates_over_what_has_no_relationships(pco: Any) -> None:
    passes = list(pco.iterate("/check-ins/v2/passes", per_page=7))
    assert len({one["data"]["id"] for one in passes}) == len(passes) > 7
    assert all("relationships" not in one["data"] for one in passes)


def test_it_uploads_a_picture_and_uses_it(simulator: str, pco: Any, tmp_path: Path) -> None:
    picture = tmp_path / "ana.jpg"
    picture.write_bytes(b"a picture")
    pco.upload_url = f"{simulator}/v2/files"
    file = pco.upload(str(picture))["data"][0]
    person = pco.post("/people/v2/people", {"data": {"type": "Person", "attributes": {"first_name": "Ana"}}})["data"]
    changed = pco.patch(f"/people/v2/people/{person['id']}", {"data": {"type": "Person", "attributes": {"avatar": file["id"]}}})
    assert changed["data"]["attributes"]["avatar"] != person["attributes"]["avatar"]


def test_it_runs_a_list_and_is_answered_nothing(pco: Any) -> None:
    found = next(one["data"] for one in pco.iterate("/people/v2/lists") if one["data"]["attributes"]["name"] == "Visitors")
    assert pco.get(f"/people/v2/lists/{found['id']}/run") is None
    assert pco.get(f"/people/v2/lists/{found['id']}")["data"]["attributes"]["total_people"] > 0
