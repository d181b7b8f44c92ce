"""Webhooks out: what happened is told to every subscription that asked for it, signed, late, twice or in another order if so set.

An answer of the 200s is a delivery. Anything else is tried again after the waits of `RETRIES`, counted by the practice clock; 410, the last
try in vain, or nothing but failures for a day switch the subscription off.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests

from connectcard.simulator.answers import Refusal, duplicate_record, invalid
from connectcard.simulator.callers import Caller
from connectcard.simulator.catalogue import PRODUCTS, Product, type_of
from connectcard.simulator.documents import Writer
from connectcard.simulator.moments import stamp
from connectcard.simulator.rules import Desk, Happening
from connectcard.simulator.store import Condition, Row

if TYPE_CHECKING:
    from connectcard.simulator.state import Simulator

WRITTEN = ("created", "updated", "destroyed")
TOLD: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "people": {
        "address": WRITTEN, "email": WRITTEN, "field_datum": WRITTEN, "form_submission": ("created",), "household": WRITTEN,
        "household_membership": WRITTEN, "list_result": ("created", "destroyed"), "note": ("created", "destroyed"), "person": WRITTEN,
        "person_merger": ("created",), "phone_number": WRITTEN, "workflow": WRITTEN, "workflow_card": WRITTEN, "workflow_step": WRITTEN,
    },
    "groups": {"group": WRITTEN, "membership": WRITTEN},
    "check_ins": {"check_in": WRITTEN},
}  # fmt: skip
MINUTE, DAY = 60.0, 86_400.0
RETRIES = (*(0.5 * MINUTE * 2**number for number in range(12)), *(DAY,) * 4)
ALL_DAY_IN_VAIN = 50
PATIENCE = 10.0


def available_events() -> Iterator[dict[str, str]]:
    for app, kinds in TOLD.items():
        for resource, actions in kinds.items():
            for action in actions:
                name = f"{app}.v2.events.{resource}.{action}"
                told = {"action": action, "app": app, "name": name, "resource": resource, "type": "events", "version": "v2"}
                yield {"id": hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()} | told


NAMES = frozenset(event["name"] for event in available_events())


def name_of(happening: Happening) -> str:
    """`people.v2.events.phone_number.created`"""
    scope = happening.row.kind.rpartition(".")[0] or "people"
    word = re.sub(r"(?<!^)(?=[A-Z])", "_", type_of(happening.row.kind)).lower()
    return f"{scope}.v2.events.{word}.{happening.action}"


# Subscriptions


def check_subscription(desk: Desk, row: Row) -> None:
    if row.id:
        return
    name, url = str(row["name"] or ""), str(row["url"] or "")
    if name not in NAMES or name.partition(".")[0] not in desk.caller.scopes:
        raise unavailable(name, desk.caller)
    if urlsplit_or_none(url) not in ("http", "https"):
        raise invalid("WebhookSubscription", "url", "is invalid")
    same = Condition("json_extract(record.attributes, '$.name') = ? and json_extract(record.attributes, '$.url') = ?", (name, url))
    mine = Condition(
        "record.kind = ? and record.organization = ? and record.person = ?", (row.kind, desk.organization, desk.caller.person.id)
    )
    if desk.store.count([mine, same]):
        raise duplicate_record()
    row.attributes = {"active": bool(row["active"]), "name": name, "url": url, "authenticity_secret": secrets.token_hex(32)}
    row.person = desk.caller.person.id
    row.relations["application"] = 1 if desk.caller.method == "OAuth2" else 2


def urlsplit_or_none(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme if parts.hostname else None


def unavailable(name: str, caller: Caller) -> Refusal:
    scopes = " ".join(sorted(caller.scopes))
    detail = f'Event "{name}" is not available for subscription within current OAuth2 scope ({scopes})'
    return invalid("WebhookSubscription", "base", detail)


def rotate_secret(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    row.attributes["authenticity_secret"] = secrets.token_hex(32)
    desk.save(row)
    return row


def subscription_removed(desk: Desk, row: Row) -> None:
    """Deliveries stand two below: they go with the events that went with the subscription."""
    desk.store.execute(
        "delete from record where kind = 'webhooks.Delivery' and organization = ? and parent not in"
        " (select id from record where kind = 'webhooks.Event')",
        (row.organization,),
    )


# What happened


def publish(simulator: "Simulator", desk: Desk, origin: str) -> None:
    """Keep an event for each subscription that asked for what happened at this desk, and have it delivered."""
    happened = [one for one in once_each(desk.happened) if name_of(one) in NAMES]
    if not happened:
        return
    for subscription in active_subscriptions(desk):
        for happening in happened:
            if subscription["name"] == name_of(happening):
                deliver_later(simulator, keep_event(desk, subscription, happening, origin))


def once_each(happened: list[Happening]) -> Iterator[Happening]:
    """A row that was made and then changed in the same request was made; one that went was only destroyed."""
    last: dict[int, Happening] = {}
    for one in happened:
        made = one.row.id in last and last[one.row.id].action == "created"
        last[one.row.id] = last[one.row.id] if made and one.action == "updated" else one
    yield from last.values()


def active_subscriptions(desk: Desk) -> list[Row]:
    found = desk.store.all("webhooks.WebhookSubscription", desk.organization)
    return [subscription for subscription in found if subscription["active"]]


def keep_event(desk: Desk, subscription: Row, happening: Happening, origin: str) -> Row:
    payload = json.dumps(payload_of(desk, happening, origin), ensure_ascii=False)
    attributes = {
        "payload": payload, "status": "pending", "uuid": str(uuid4()), "attempt": 0, "due": desk.seconds,
        "object_url": f"{origin}/{name_of(happening).partition('.')[0]}/v2",
    }  # fmt: skip
    event = Row("webhooks.Event", desk.organization, attributes, parent=subscription.id, created_at=desk.now, updated_at=desk.now)
    return desk.store.add(event)


def payload_of(desk: Desk, happening: Happening, origin: str) -> dict[str, Any]:
    """The document of the thing; of a destroyed one little more than what it was."""
    row = happening.row
    product = product_of(row)
    resource = product.facts[row.kind]
    writer = Writer(desk.store, origin, product, resource.version, desk.caller)
    parent = {"id": str(desk.organization), "type": "Organization"}
    if happening.action == "destroyed":
        data = {"type": resource.type, "id": str(row.id), "attributes": {}, "relationships": {}, "links": {}}
        return {"data": data, "included": [], "meta": {"parent": parent}}
    return writer.single(resource, row, parent=parent)


def product_of(row: Row) -> Product:
    scope = row.kind.rpartition(".")[0] or "people"
    return next(product for product in PRODUCTS.values() if product.scope == scope)


# Deliveries


def deliver_later(simulator: "Simulator", event: Row) -> None:
    """As often, and as much out of order, as the settings say."""
    settings = simulator.settings
    wait = Random(event.id).uniform(0, settings.webhook_disorder_s)  # noqa: S311
    for copy in range(settings.webhook_copies):
        simulator.post.order(wait + copy, lambda: deliver(simulator, event.id))


def resume(simulator: "Simulator") -> None:
    """Order again what was waiting when the simulator ended."""
    now = simulator.moments.seconds()
    for event in simulator.store.find([Condition("record.kind = 'webhooks.Event'")]):
        if event["status"] == "pending":
            order_try(simulator, event, max(0.0, event["due"] - now))


def order_try(simulator: "Simulator", event: Row, seconds: float) -> None:
    simulator.post.order(seconds, lambda: deliver(simulator, event.id))


@dataclass(frozen=True)
class Letter:
    """One try to deliver an event."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """What came back; `status` None when nothing did."""

    status: int | None
    headers: dict[str, str]
    body: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def deliver(simulator: "Simulator", number: int) -> None:
    """Try once. No transaction is open while the receiver is spoken to."""
    with simulator.store.transaction():
        letter = next_letter(simulator, number)
    if letter is None or simulator.stopping.is_set():
        return
    reply = send(letter)
    with simulator.store.transaction():
        note_reply(simulator, number, letter, reply)


def next_letter(simulator: "Simulator", number: int) -> Letter | None:
    event = simulator.store.anywhere("webhooks.Event", number)
    subscription = event and simulator.store.anywhere("webhooks.WebhookSubscription", event.parent or 0)
    if event is None or subscription is None or str(event["status"]).startswith("ignored"):
        return None
    if not subscription["active"]:
        change(simulator, event, status="skipped")
        return None
    change(simulator, event, attempt=event["attempt"] + 1)
    return letter_of(simulator, event, subscription)


def letter_of(simulator: "Simulator", event: Row, subscription: Row) -> Letter:
    organization = {"data": {"type": "Organization", "id": str(event.organization)}}
    told = {"name": subscription["name"], "attempt": event["attempt"], "payload": event["payload"]}
    delivery = {"id": event["uuid"], "type": "EventDelivery", "attributes": told, "relationships": {"organization": organization}}
    body = json.dumps({"data": [delivery]}, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Planning Center Webhooks (practice)",
        "X-PCO-Webhooks-Authenticity": hmac.new(subscription["authenticity_secret"].encode(), body, hashlib.sha256).hexdigest(),
        "X-PCO-Webhooks-Event": event["uuid"],
        "X-PCO-Webhooks-Event-ID": str(event.id),
        "X-PCO-Webhooks-Event-Time": event.created_at,
        "X-PCO-Webhooks-Name": subscription["name"],
    }
    return Letter(subscription["url"], body, headers)


def send(letter: Letter) -> Reply:
    started = time.perf_counter()
    try:
        answer = requests.post(letter.url, data=letter.body, headers=letter.headers, timeout=PATIENCE, allow_redirects=False)
    except (requests.RequestException, ValueError) as reason:
        return Reply(None, {}, type(reason).__name__, time.perf_counter() - started)
    return Reply(answer.status_code, dict(answer.headers), answer.text[:10_000], time.perf_counter() - started)


def note_reply(simulator: "Simulator", number: int, letter: Letter, reply: Reply) -> None:
    event = simulator.store.anywhere("webhooks.Event", number)
    if event is None:
        return
    keep_delivery(simulator, event, letter, reply)
    if reply.good:
        change(simulator, event, status="delivered")
    elif reply.status == 410 or event["attempt"] > len(RETRIES) or all_day_in_vain(simulator, event):
        change(simulator, event, status="failed")
        switch_off(simulator, event.parent or 0)
    elif event["status"] != "delivered":
        wait = RETRIES[event["attempt"] - 1]
        change(simulator, event, due=simulator.moments.seconds() + wait)
        order_try(simulator, event, wait)


def keep_delivery(simulator: "Simulator", event: Row, letter: Letter, reply: Reply) -> None:
    attributes = {
        "object_url": event["object_url"], "request_body": letter.body.decode(), "request_headers": json.dumps(letter.headers),
        "response_body": reply.body, "response_headers": json.dumps(reply.headers), "status": reply.status,
        "timing": round(reply.seconds, 6),
    }  # fmt: skip
    now = simulator.moments.stamp()
    row = Row("webhooks.Delivery", event.organization, attributes, parent=event.id, created_at=now, updated_at=now)
    simulator.store.add(row)


def all_day_in_vain(simulator: "Simulator", event: Row) -> bool:
    """Many tries for a subscription in a day and none of them good. How many are too many nobody has said."""
    since = stamp(simulator.moments.seconds() - DAY)
    tries = simulator.store.execute(
        "select count(*), coalesce(sum(json_extract(d.attributes, '$.status') between 200 and 299), 0) from record d"
        " join record e on e.id = d.parent where d.kind = 'webhooks.Delivery' and e.parent = ? and d.created_at >= ?",
        (event.parent, since),
    )[0]
    return bool(tries[0] >= ALL_DAY_IN_VAIN and not tries[1])


def switch_off(simulator: "Simulator", number: int) -> None:
    subscription = simulator.store.anywhere("webhooks.WebhookSubscription", number)
    if subscription:
        change(simulator, subscription, active=False)


def change(simulator: "Simulator", row: Row, **attributes: Any) -> None:
    row.attributes |= attributes
    row.updated_at = simulator.moments.stamp()
    simulator.store.change(row)


def redeliver(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    """As if it had not been tried yet; the post looks for such events."""
    row.attributes |= {"status": "pending", "attempt": 0, "due": desk.seconds}
    desk.save(row)
    return row


def ignore(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    words = {"failed": "ignored_failed", "skipped": "ignored_skipped", "duplicated": "ignored_duplicated"}
    row.attributes["status"] = words.get(row["status"], row["status"])
    desk.save(row)
    return row
