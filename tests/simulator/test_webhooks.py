"""Webhooks out: who is told of what, signed how, and what happens when nobody listens."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

from connectcard.simulator import webhooks
from tests.installation import eventually
from tests.simulator.conftest import Church, SignIn, refused

SUBSCRIPTIONS = "/webhooks/v2/webhook_subscriptions"
CREATED = "people.v2.events.person.created"
HEADERS = {
    "Content-Type", "X-Pco-Webhooks-Authenticity", "X-Pco-Webhooks-Event", "X-Pco-Webhooks-Event-Id", "X-Pco-Webhooks-Event-Time",
    "X-Pco-Webhooks-Name",
}  # fmt: skip


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def delivery(self) -> Any:
        return json.loads(self.body)["data"][0]

    @property
    def payload(self) -> Any:
        return json.loads(self.delivery["attributes"]["payload"])

    @property
    def name(self) -> str:
        return str(self.delivery["attributes"]["name"])


@dataclass
class Receiver:
    """A program that listens; it answers with `statuses` in turn, then with the last of them for ever."""

    url: str
    statuses: list[int] = field(default_factory=lambda: [200])
    letters: "Queue[Received]" = field(default_factory=Queue)

    def next(self) -> Received:
        return self.letters.get(timeout=30)

    def nothing_more(self) -> bool:
        try:
            self.letters.get(timeout=0.3)
        except Empty:
            return True
        return False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = told.statuses.pop(0) if len(told.statuses) > 1 else told.statuses[0]
            told.letters.put(Received({name.title(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listening)
    told = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hooks")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def call(church: Church, method: str, path: str = "", **how: Any) -> Any:
    headers = {"X-PCO-API-Version": "2022-10-20"} | how.pop("headers", {})
    return church.call(method, SUBSCRIPTIONS + path, headers=headers, **how)


def subscribe(church: Church, url: str, name: str = CREATED, **more: Any) -> Any:
    body = {"data": {"type": "WebhookSubscription", "attributes": {"name": name, "url": url, "active": True} | more}}
    return call(church, "POST", json=body)


def subscribed(church: Church, url: str, name: str = CREATED) -> Any:
    response = subscribe(church, url, name)
    assert response.status_code == 201, response.text
    return response.json["data"]


def events_of(church: Church, subscription: str) -> list[Any]:
    return list(call(church, "GET", f"/{subscription}/events").json["data"])


def wait_for_status(church: Church, subscription: str, wanted: str) -> Any:
    """The first event, as soon as it stands so: the receiver's answer is noted a moment after it was given."""

    def look() -> Any:
        event = events_of(church, subscription)[0]
        return event if event["attributes"]["status"] == wanted else None

    return eventually(look, f"the event to be {wanted}", 30)


def test_a_new_person_is_told_to_whoever_asked_signed_with_the_secret_of_that_subscription(grace: Church, receiver: Receiver) -> None:
    subscription = subscribed(grace, receiver.url)
    person = grace.person("Ann", "Lee")
    got = receiver.next()
    assert set(got.headers) >= HEADERS
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["X-Pco-Webhooks-Name"] == CREATED
    secret = subscription["attributes"]["authenticity_secret"].encode()
    assert got.headers["X-Pco-Webhooks-Authenticity"] == hmac.new(secret, got.body, hashlib.sha256).hexdigest()
    envelope = json.loads(got.body)
    assert list(envelope) == ["data"]
    assert list(got.delivery) == ["id", "type", "attributes", "relationships"]
    assert (got.delivery["id"], got.delivery["type"]) == (got.headers["X-Pco-Webhooks-Event"], "EventDelivery")
    assert list(got.delivery["attributes"]) == ["name", "attempt", "payload"]
    assert got.delivery["attributes"]["attempt"] == 1
    assert got.delivery["relationships"] == {"organization": {"data": {"type": "Organization", "id": grace.id}}}
    assert list(got.payload) == ["data", "included", "meta"]
    assert (got.payload["data"]["id"], got.payload["data"]["attributes"]["first_name"]) == (person, "Ann")
    assert got.payload["meta"]["parent"] == {"type": "Organization", "id": grace.id}


def test_each_subscription_is_for_one_event_with_a_secret_of_its_own(grace: Church, receiver: Receiver) -> None:
    made, changed, gone = (
        subscribed(grace, receiver.url, f"people.v2.events.email.{action}") for action in ("created", "updated", "destroyed")
    )
    assert len({one["attributes"]["authenticity_secret"] for one in (made, changed, gone)}) == 3
    person = grace.person()
    email = grace.create(f"people/{person}/emails", {"address": "ann.lee@gmail.com", "location": "Home"})["id"]
    assert receiver.next().name == "people.v2.events.email.created"
    grace.patch(f"emails/{email}", {"location": "Work"})
    assert receiver.next().name == "people.v2.events.email.updated"
    grace.call("DELETE", f"emails/{email}")
    last = receiver.next()
    assert (last.name, last.payload["data"]["id"], last.payload["data"]["attributes"]) == ("people.v2.events.email.destroyed", email, {})
    assert receiver.nothing_more(), "what a program writes comes back to it once, unmarked"


def test_a_change_of_an_email_is_no_change_of_the_person(grace: Church, receiver: Receiver) -> None:
    subscribed(grace, receiver.url, "people.v2.events.person.updated")
    person = grace.person()
    grace.create(f"people/{person}/emails", {"address": "ann.lee@gmail.com", "location": "Home"})
    assert receiver.nothing_more()
    grace.patch(f"people/{person}", {"nickname": "Nat"})
    assert receiver.next().payload["data"]["attributes"]["nickname"] == "Nat"


def test_nothing_is_told_that_did_not_happen_and_nothing_to_the_neighbour(grace: Church, hope: Church, receiver: Receiver) -> None:
    subscribed(hope, receiver.url)
    grace.person()
    assert hope.post("people", {"first_name": "Ann", "last_name": "Lee", "shoe_size": 9}).status_code == 422
    assert receiver.nothing_more()
    assert hope.person() == receiver.next().payload["data"]["id"]


def test_a_merge_by_hand_is_told_as_a_merger_and_as_a_person_who_is_gone(
    grace: Church, control: Callable[..., Any], receiver: Receiver
) -> None:
    for name in ("people.v2.events.person_merger.created", "people.v2.events.person.destroyed"):
        subscribed(grace, receiver.url, name)
    keep, remove = grace.person(), grace.person()
    control("POST", "merge", {"keep": keep, "remove": remove})
    told = {one.name: one.payload["data"] for one in (receiver.next(), receiver.next())}
    assert told["people.v2.events.person.destroyed"]["id"] == remove
    attributes = told["people.v2.events.person_merger.created"]["attributes"]
    assert (attributes["person_to_keep_id"], attributes["person_to_remove_id"]) == (int(keep), int(remove))


# Subscriptions


def test_the_events_there_are_can_be_read(grace: Church) -> None:
    rows = grace.call("GET", "/webhooks/v2/available_events", query_string={"per_page": 100}).json["data"]
    first = next(row for row in rows if row["attributes"]["name"] == CREATED)
    assert list(first["attributes"]) == ["action", "app", "name", "resource", "type", "version"]
    assert (len(first["id"]), first["links"]) == (32, {})
    names = {row["attributes"]["name"] for row in rows}
    assert {"groups.v2.events.membership.created", "people.v2.events.person_merger.created"} <= names


def test_a_subscription_has_the_recorded_attributes(grace: Church, receiver: Receiver) -> None:
    made = subscribed(grace, receiver.url)
    assert made["type"] == "WebhookSubscription"
    assert list(made["attributes"]) == ["active", "application_id", "authenticity_secret", "created_at", "name", "updated_at", "url"]


def test_the_same_name_and_address_twice_is_a_duplicate(grace: Church, receiver: Receiver) -> None:
    subscribed(grace, receiver.url)
    response = subscribe(grace, receiver.url)
    assert response.status_code == 409
    detail = "The record you are trying to create/update already exists"
    assert response.json == {"errors": [{"status": "409", "title": "Duplicate Record", "detail": detail}]}
    assert subscribe(grace, receiver.url + "/2").status_code == 201


def test_an_event_outside_the_scopes_is_not_available(sign_in: SignIn, staff: dict[str, str], receiver: Receiver) -> None:
    ada = sign_in.church_of(staff["Ada Admin"], scope="openid people")
    name = "groups.v2.events.membership.created"
    detail = f'Event "{name}" is not available for subscription within current OAuth2 scope (openid people)'
    assert refused(subscribe(ada, receiver.url, name)) == (422, "base", detail)
    assert refused(subscribe(ada, receiver.url, "people.v2.events.person.dreamt"))[:2] == (422, "base")
    assert refused(subscribe(ada, "nowhere"))[:2] == (422, "url")


def test_only_active_changes_and_an_inactive_one_is_told_nothing(grace: Church, receiver: Receiver) -> None:
    made = subscribed(grace, receiver.url)
    for name in ("url", "name"):
        sent = {"data": {"attributes": {name: "https://hooks.gmail.com"}}}
        assert refused(call(grace, "PATCH", f"/{made['id']}", json=sent)) == (422, "", f"{name} cannot be assigned")
    off = call(grace, "PATCH", f"/{made['id']}", json={"data": {"attributes": {"active": False}}})
    assert off.json["data"]["attributes"]["active"] is False
    grace.person()
    assert receiver.nothing_more()
    assert call(grace, "DELETE", f"/{made['id']}").status_code == 204
    assert call(grace, "GET", f"/{made['id']}").status_code == 404


def test_a_rotated_secret_signs_from_then_on(grace: Church, receiver: Receiver) -> None:
    made = subscribed(grace, receiver.url)
    rotated = call(grace, "POST", f"/{made['id']}/rotate_secret").json["data"]["attributes"]["authenticity_secret"]
    assert rotated != made["attributes"]["authenticity_secret"]
    grace.person()
    got = receiver.next()
    assert got.headers["X-Pco-Webhooks-Authenticity"] == hmac.new(rotated.encode(), got.body, hashlib.sha256).hexdigest()


def test_a_subscription_belongs_to_the_person_who_made_it(
    grace: Church, sign_in: SignIn, staff: dict[str, str], receiver: Receiver
) -> None:
    made = subscribed(grace, receiver.url)
    mona = sign_in.church_of(staff["Mona Manager"])
    assert call(mona, "GET").json["data"] == []
    assert call(mona, "DELETE", f"/{made['id']}").status_code == 404


def test_each_version_has_its_own_address_for_subscriptions(grace: Church, receiver: Receiver) -> None:
    old = {"X-PCO-API-Version": "2018-08-01"}
    subscribed(grace, receiver.url)
    assert call(grace, "GET", headers=old).status_code == 404
    assert grace.call("GET", "/webhooks/v2/subscriptions", headers={"X-PCO-API-Version": "2022-10-20"}).status_code == 404
    (row,) = grace.call("GET", "/webhooks/v2/subscriptions", headers=old).json["data"]
    assert row["type"] == "Subscription"
    path = row["links"]["self"].removeprefix("http://localhost")
    assert path.startswith("/webhooks/v2/subscriptions/")
    assert grace.call("GET", path, headers=old).status_code == 200


# When nobody listens


def test_what_fails_is_tried_again_when_its_time_has_come(grace: Church, control: Callable[..., Any], receiver: Receiver) -> None:
    receiver.statuses = [500, 302, 204]
    made = subscribed(grace, receiver.url)
    grace.person()
    letters = [receiver.next()]
    for seconds in (30, 60):
        wait_for_tries(grace, made["id"], len(letters))
        assert receiver.nothing_more()
        control("POST", "settings", {"advance_s": seconds})
        letters.append(receiver.next())
    assert [one.delivery["attributes"]["attempt"] for one in letters] == [1, 2, 3]
    assert len({one.headers["X-Pco-Webhooks-Event"] for one in letters}) == 1
    wait_for_status(grace, made["id"], "delivered")
    assert [row["attributes"]["status"] for row in deliveries(grace, made["id"])] == [500, 302, 204]


def deliveries(church: Church, subscription: str) -> list[Any]:
    event = events_of(church, subscription)[0]
    return list(call(church, "GET", f"/{subscription}/events/{event['id']}/deliveries").json["data"])


def wait_for_tries(church: Church, subscription: str, number: int) -> None:
    eventually(lambda: len(deliveries(church, subscription)) == number, "the try to be noted", 30)


def test_gone_switches_the_subscription_off(grace: Church, receiver: Receiver) -> None:
    receiver.statuses = [410]
    made = subscribed(grace, receiver.url)
    grace.person()
    receiver.next()
    wait_for_status(grace, made["id"], "failed")
    assert call(grace, "GET", f"/{made['id']}").json["data"]["attributes"]["active"] is False
    grace.person()
    assert receiver.nothing_more()


def test_after_five_days_in_vain_the_subscription_is_switched_off(grace: Church, control: Callable[..., Any], receiver: Receiver) -> None:
    control("POST", "settings", {"limit": 100_000})
    receiver.statuses = [503]
    made = subscribed(grace, receiver.url)
    grace.person()
    for tries in range(1, 17):
        receiver.next()
        eventually(
            lambda tries=tries: call(grace, "GET", f"/{made['id']}/events").json and len(deliveries(grace, made["id"])) == tries, "it", 30
        )
        assert call(grace, "GET", f"/{made['id']}").json["data"]["attributes"]["active"] is True
        control("POST", "settings", {"advance_s": min(30 * 2 ** (tries - 1), 86_400)})
    receiver.next()
    wait_for_status(grace, made["id"], "failed")
    assert call(grace, "GET", f"/{made['id']}").json["data"]["attributes"]["active"] is False


def test_nothing_but_failures_for_a_day_switch_the_subscription_off(grace: Church, control: Callable[..., Any], receiver: Receiver) -> None:
    control("POST", "settings", {"limit": 100_000})
    receiver.statuses = [500]
    made = subscribed(grace, receiver.url)
    for _ in range(webhooks.ALL_DAY_IN_VAIN):
        grace.person()

    def active() -> bool:
        return bool(call(grace, "GET", f"/{made['id']}").json["data"]["attributes"]["active"])

    eventually(lambda: not active(), "the subscription to be switched off", 30)
    tries = {event["attributes"]["status"] for event in events_of(grace, made["id"])}
    assert "delivered" not in tries
    # Switched on again by hand it is told of what comes.
    receiver.statuses = [200]
    call(grace, "PATCH", f"/{made['id']}", json={"data": {"attributes": {"active": True}}})
    known = {event["id"] for event in call(grace, "GET", f"/{made['id']}/events?per_page=100").json["data"]}
    grace.person()

    def delivered() -> bool:
        told = call(grace, "GET", f"/{made['id']}/events?per_page=100").json["data"]
        return any(event["id"] not in known and event["attributes"]["status"] == "delivered" for event in told)

    eventually(delivered, "the new event to be delivered", 30)


def test_one_success_in_a_day_keeps_the_subscription(grace: Church, control: Callable[..., Any], receiver: Receiver) -> None:
    control("POST", "settings", {"limit": 100_000})
    receiver.statuses = [200] + [500] * webhooks.ALL_DAY_IN_VAIN
    made = subscribed(grace, receiver.url)
    for _ in range(webhooks.ALL_DAY_IN_VAIN + 1):
        grace.person()
    for _ in range(webhooks.ALL_DAY_IN_VAIN + 1):
        receiver.next()
    assert call(grace, "GET", f"/{made['id']}").json["data"]["attributes"]["active"] is True


def test_a_failed_event_can_be_sent_again_or_ignored(grace: Church, receiver: Receiver) -> None:
    receiver.statuses = [410, 200]
    made = subscribed(grace, receiver.url)
    grace.person()
    first = receiver.next()
    event = wait_for_status(grace, made["id"], "failed")
    path = f"/{made['id']}/events/{event['id']}"
    assert call(grace, "POST", f"{path}/ignore").json["data"]["attributes"]["status"] == "ignored_failed"
    call(grace, "PATCH", f"/{made['id']}", json={"data": {"attributes": {"active": True}}})
    assert call(grace, "POST", f"{path}/redeliver").status_code == 201
    assert receiver.next().headers["X-Pco-Webhooks-Event"] == first.headers["X-Pco-Webhooks-Event"]
    wait_for_status(grace, made["id"], "delivered")


def test_deliveries_may_come_twice_and_in_any_order(grace: Church, control: Callable[..., Any], receiver: Receiver) -> None:
    control("POST", "settings", {"webhook_copies": 2, "webhook_disorder_s": 600})
    subscribed(grace, receiver.url)
    people = [grace.person() for _ in range(6)]
    assert receiver.nothing_more()
    control("POST", "settings", {"advance_s": 700})
    told = [receiver.next() for _ in range(12)]
    order = [one.payload["data"]["id"] for one in told]
    assert sorted(order) == sorted(people * 2)
    assert list(dict.fromkeys(order)) != people
    assert len({one.headers["X-Pco-Webhooks-Event"] for one in told}) == 6
