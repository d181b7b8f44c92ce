"""Key for key, in their order: the simulator's answers beside those that were recorded from Planning Center.

`recordings.json` holds what was recorded, with values made up: errors to the letter, headers with their values, documents by their keys
and the kinds of their values. For each there is a request below that brings it about; none may be without one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.simulator.conftest import Church, SignIn

RECORDED = json.loads(Path(__file__).with_name("recordings.json").read_text())
GROUPS = {"X-PCO-API-Version": "2023-07-10"}
WEBHOOKS = {"X-PCO-API-Version": "2022-10-20"}
SUBSCRIPTION = {"data": {"attributes": {"name": "people.v2.events.person.created", "url": "https://hooks.gmail.com/x", "active": True}}}
PLACEHOLDERS = {"<32 hex>": "[0-9a-f]{32}", "<uuid>": "[0-9a-f-]{36}", "<seconds>": r"[0-9]+(\.[0-9]+)?", "<id>": "[0-9]+"}


@dataclass
class World:
    """A church with its administrator's token, and the means to bring answers about."""

    grace: Church
    control: Callable[..., Any]
    sign_in: SignIn
    staff: dict[str, str]

    def after(self, kind: str) -> TestResponse:
        """What somebody who has signed in is answered by a request that meets a fault."""
        church = self.church("Ada Admin")
        self.control("POST", "faults", {"kind": kind})
        return church.call("GET", "me")

    def church(self, who: str, **how: str) -> Church:
        return self.sign_in.church_of(self.staff[who], **how)

    def field(self, name: str, data_type: str) -> str:
        tab = self.grace.rows("tabs")[0]["id"]
        return str(self.grace.create(f"tabs/{tab}/field_definitions", {"name": name, "data_type": data_type})["id"])


@pytest.fixture
def world(grace: Church, control: Callable[..., Any], sign_in: SignIn, staff: dict[str, str]) -> World:
    return World(grace, control, sign_in, staff)


def third_of_two(world: World) -> TestResponse:
    world.control("POST", "settings", {"limit": 2})
    return [world.grace.call("GET", "me") for _ in range(3)][-1]


def the_second(world: World) -> TestResponse:
    return [world.grace.call("POST", "/webhooks/v2/webhook_subscriptions", json=SUBSCRIPTION, headers=WEBHOOKS) for _ in range(2)][-1]


def blank(world: World) -> TestResponse:
    group = world.grace.call("GET", "/groups/v2/groups").json["data"][0]["id"]
    return world.grace.post(f"/groups/v2/groups/{group}/memberships", {}, headers=GROUPS)


def no_choice(world: World) -> TestResponse:
    household = world.grace.rows("households")[0]["id"]
    person = {"person": {"data": {"type": "Person", "id": world.grace.person()}}}
    return world.grace.post(f"households/{household}/household_memberships", {"household_role": "boss"}, person)


def names_nothing(world: World) -> TestResponse:
    return world.grace.post(f"workflows/{world.grace.named('workflows', 'Prayer team')['id']}/cards", {"person_id": "1"})


def viewer_reads_campuses(world: World) -> TestResponse:
    return world.church("Vera Viewer").call("GET", "campuses", headers={"X-PCO-API-Version": "2026-06-04"})


def upload(world: World) -> TestResponse:
    sent = {"file": (BytesIO(b"a picture"), "ana.png", "image/png")}
    return world.grace.client.post("/v2/files", data=sent, headers=world.grace.headers | {"User-Agent": "x"})


def upload_nothing(world: World) -> TestResponse:
    return world.grace.client.post("/v2/files", data={}, headers=world.grace.headers | {"User-Agent": "x"})


ERRORS: dict[str, Callable[[World], TestResponse]] = {
    "no data key": lambda world: world.grace.call("POST", "people", json={}),
    "not JSON": lambda world: world.grace.call("POST", "people", data=b"{", content_type="application/json"),
    "data that is no object": lambda world: world.grace.call("POST", "people", json={"data": []}),
    "number too big": lambda world: world.grace.post("people", {"first_name": "Ann", "remote_id": 10**12}),
    "still in use": lambda world: world.grace.call("DELETE", f"tabs/{world.grace.rows('tabs')[0]['id']}"),
    "parameter missing": upload_nothing,
    "version unknown": lambda world: world.grace.call("GET", "people", headers={"X-PCO-API-Version": "2011-01-01"}),
    "wrong pair": lambda world: world.grace.client.get("/people/v2/people", auth=("wrong", "pair")),
    "token expired": lambda world: world.after("expired_token"),
    "token revoked": lambda world: world.after("revoked_token"),
    "token lacks the scope": lambda world: world.after("lacks_scope"),
    "person lacks the product": lambda world: world.church("Noah Noaccess").call("GET", "me"),
    "person gone": lambda world: world.after("person_left"),
    "organization gone": lambda world: world.after("church_left"),
    "outside the scope": lambda world: world.church("Ada Admin").call("GET", "/groups/v2/nothing"),
    "may not create": lambda world: world.grace.post("/groups/v2/groups", {"name": "New"}, headers=GROUPS),
    "may not read": viewer_reads_campuses,
    "not there": lambda world: world.grace.call("GET", "people/1"),
    "verb not routed": lambda world: world.grace.call("PUT", "people/1", json={}),
    "there already": the_second,
    "not assignable": lambda world: world.grace.post("people", {"first_name": "Ann", "shoe_size": 9}),
    "blank": blank,
    "names nothing": names_nothing,
    "no such choice": no_choice,
    "wrong shape": lambda world: world.grace.post("people", {"first_name": {}}),
    "too many": third_of_two,
    "their own error": lambda world: world.after("status_500"),
}
HEADERS: dict[str, Callable[[World], TestResponse]] = {
    "a good answer": lambda world: world.grace.call("GET", "people"),
    "something made": lambda world: world.grace.post("people", {"first_name": "Ann"}),
    "nothing to say": lambda world: world.grace.call("DELETE", f"people/{world.grace.person()}"),
    "a list that is run": lambda world: world.grace.call("GET", f"lists/{world.grace.named('lists', 'Visitors')['id']}/run"),
    "an error": lambda world: world.grace.call("GET", "people/1"),
    "an address that nothing answers": lambda world: world.grace.call("GET", "nothing"),
    "too many": third_of_two,
    "an upload": upload,
}


def contacts(world: World) -> TestResponse:
    person = world.grace.person("Ada", "Bell", primary_campus_id=world.grace.rows("campuses")[0]["id"])
    world.grace.create(f"people/{person}/emails", {"address": "ada@gmail.com", "location": "Home"})
    world.grace.create(f"people/{person}/phone_numbers", {"number": "2175550123", "location": "Mobile"})
    world.grace.create(f"people/{person}/addresses", {"street_line_1": "1 Main St", "location": "Home", "state": "IL"})
    query = f"people?include=emails,addresses,phone_numbers&where[id]={person}"
    return world.grace.call("GET", query, headers={"X-PCO-API-Version": "2025-07-17"})


def email_made(world: World) -> TestResponse:
    return world.grace.post(f"people/{world.grace.person()}/emails", {"address": "ada@gmail.com", "location": "Home"})


def below_a_person(world: World) -> TestResponse:
    person = world.grace.person()
    world.grace.create(f"people/{person}/emails", {"address": "ada@gmail.com", "location": "Home"})
    return world.grace.call("GET", f"people/{person}/emails")


def household_made(world: World) -> TestResponse:
    who = {"type": "Person", "id": world.grace.person()}
    return world.grace.post("households", {"name": "Bell Household"}, {"primary_contact": {"data": who}, "people": {"data": [who]}})


def text_datum(world: World) -> TestResponse:
    person = world.grace.person()
    world.grace.create(f"people/{person}/field_data", {"field_definition_id": world.field("Newsletter", "boolean"), "value": "true"})
    return world.grace.call("GET", f"people/{person}/field_data")


def file_datum(world: World) -> TestResponse:
    person, field = world.grace.person(), world.field("Consent form", "file")
    file = upload(world).json["data"][0]["id"]
    world.grace.create(f"people/{person}/field_data", {"field_definition_id": field, "value": file})
    return world.grace.call("GET", f"people/{person}/field_data")


def merger(world: World) -> TestResponse:
    world.control("POST", "merge", {"keep": world.grace.person(), "remove": world.grace.person()})
    return world.grace.call("GET", "person_mergers")


DOCUMENTS: dict[str, Callable[[World], TestResponse]] = {
    "people with their contacts": contacts,
    "the middle of a list": lambda world: world.grace.call("GET", "people?per_page=2&offset=5"),
    "an empty list": lambda world: world.grace.call("GET", "emails?where[address]=nobody@gmail.com"),
    "a list below a person": below_a_person,
    "one person": lambda world: world.grace.call("GET", f"people/{world.grace.person()}"),
    "a person made": lambda world: world.grace.post("people", {"first_name": "Ann"}),
    "a person changed": lambda world: world.grace.patch(f"people/{world.grace.person()}", {"nickname": "Annie"}),
    "me": lambda world: world.grace.call("GET", "me"),
    "an email made": email_made,
    "households with their people": lambda world: world.grace.call("GET", "households?include=people&per_page=1"),
    "a household made": household_made,
    "campuses": lambda world: world.grace.call("GET", "campuses"),
    "a field datum of text": text_datum,
    "a field datum of a file": file_datum,
    "something without relationships": lambda world: world.grace.call("GET", "/check-ins/v2/passes"),
    "an address at its own place": lambda world: world.grace.call("GET", f"addresses/{world.grace.rows('addresses')[0]['id']}"),
    "a merger": merger,
    "events that can be subscribed to": lambda world: world.grace.call("GET", "/webhooks/v2/available_events", headers=WEBHOOKS),
    "an uploaded file": upload,
}
CAUSES = {"errors": ERRORS, "headers": HEADERS, "documents": DOCUMENTS}


@pytest.mark.parametrize("kind", CAUSES)
def test_every_recording_is_compared(kind: str) -> None:
    assert [recording["name"] for recording in RECORDED[kind]] == list(CAUSES[kind])
    assert all(recording["source"] for recording in RECORDED[kind])


def of(kind: str) -> Any:
    return pytest.mark.parametrize("recording", RECORDED[kind], ids=lambda recording: recording["name"])


def fits(recorded: str, ours: str) -> bool:
    """Whether a text is the recorded one; `*` stands for any, words in angle brackets for what differs each time."""
    pattern = re.escape(recorded)
    for name, what in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(name), what)
    return recorded == "*" or re.fullmatch(pattern, ours) is not None


@of("errors")
def test_an_error_is_the_recorded_one_to_the_letter(world: World, recording: dict[str, Any]) -> None:
    response = ERRORS[recording["name"]](world)
    assert response.status_code == recording["status"]
    assert response.headers["Content-Type"] == recording.get("content_type", "application/json; charset=utf-8")
    assert all(response.headers[name] == value for name, value in recording.get("headers", {}).items())
    assert not [name for name, _ in response.headers if name.upper().startswith(tuple(recording.get("without", ["ETag"])))]
    if "text" in recording:
        assert response.text == recording["text"]
    if "body" in recording:
        assert differences(recording["body"], response.json, exact=True) == []


@of("headers")
def test_headers_are_the_recorded_ones(world: World, recording: dict[str, Any]) -> None:
    response = HEADERS[recording["name"]](world)
    assert response.status_code == recording["status"]
    assert {
        name: response.headers.get(name)
        for name in recording["headers"]
        if not fits(recording["headers"][name], response.headers.get(name, ""))
    } == {}
    assert not [name for name, _ in response.headers if name.startswith(tuple(recording.get("without", ["Set-Cookie"])))]


@of("documents")
def test_a_document_has_the_recorded_keys_in_their_order(world: World, recording: dict[str, Any]) -> None:
    response = DOCUMENTS[recording["name"]](world)
    assert response.status_code < 300, response.text
    assert differences(recording["body"], response.json) == []


def differences(recorded: Any, ours: Any, at: str = "", *, exact: bool = False) -> list[str]:
    """Where a document differs from a recorded one: other keys, another order, another kind of value, or another value where `exact`."""
    if recorded == "*":
        return []
    if isinstance(recorded, dict):
        if not isinstance(ours, dict) or list(recorded) != list(ours):
            return [f"{at}: {list(recorded)} recorded, {list(ours) if isinstance(ours, dict) else ours} answered"]
        return [each for name, value in recorded.items() for each in differences(value, ours[name], f"{at}/{name}", exact=exact)]
    if isinstance(recorded, list):
        if not isinstance(ours, list) or bool(recorded) != bool(ours) or (exact and len(recorded) != len(ours)):
            return [f"{at}: {recorded} recorded, {ours} answered"]
        firsts = {one.get("type", at) if isinstance(one, dict) else at: one for one in reversed(recorded)}
        same = [(one, firsts[one.get("type", at) if isinstance(one, dict) else at]) for one in ours]
        return [each for number, (one, like) in enumerate(same) for each in differences(like, one, f"{at}/{number}", exact=exact)]
    if exact:
        return [] if isinstance(ours, str) and fits(recorded, ours) else [f"{at}: {recorded!r} recorded, {ours!r} answered"]
    return [] if recorded is None or ours is None or type(recorded) is type(ours) else [f"{at}: {recorded!r} recorded, {ours!r} answered"]
