"""The church's subscriptions in Planning Center: made, looked after once a day, given new secrets, and ended.

Planning Center switches a subscription off that fails for days and tells nobody, so each is looked at daily and switched on again; what
was missed meanwhile is pulled. Subscriptions belong to the person who connected.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import cast
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import delete, select, update

from connectcard.clock import now
from connectcard.config import Config, is_loopback
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import (
    Conflict,
    FieldRefused,
    Forbidden,
    Gone,
    PlanningCenterError,
    ProductUnavailable,
    ScopeMissing,
)
from connectcard.planning_center.resources import webhooks
from connectcard.sync.events import EVENTS
from connectcard.sync.webhook_models import ACTIVE, REFUSED, WAITING, WebhookAddress, WebhookDelivery, WebhookSubscription

log = structlog.get_logger()

PATH = "/webhooks/planning-center/"
CHECK_EVERY = timedelta(days=1)
AGAIN_AFTER_FAILURE = timedelta(minutes=10)
END_SECONDS = 12.0
OUT_OF_REACH = (
    "This installation’s address is on this machine only, so Planning Center cannot reach it. "
    "Set PUBLIC_URL to its https address; until then changes arrive with each pull."
)
MAY_NOT = "The person who connected may not manage webhooks in Planning Center. An owner can connect as somebody who may."
NOT_ALLOWED = (Forbidden, ProductUnavailable, ScopeMissing)
PRODUCT_NAMES = {"people": "People", "groups": "Groups"}


# What is wanted. Inside the caller's `transaction()`.


def want_check() -> WebhookAddress:
    """Ask a worker to bring the subscriptions in order; the address is made when the church has none yet."""
    address = find_address()
    if address is None:
        address = WebhookAddress(key=secrets.token_hex(16))
        db.session.add(address)
    address.check_due_at = now()
    db.session.flush()
    return address


def want_rotation(name: str | None = None) -> None:
    """Ask a worker for a new secret of one event's subscription, or of all of them."""
    wanted = update(WebhookSubscription).where(WebhookSubscription.state == ACTIVE).values(rotation_wanted_at=now())
    db.session.execute(wanted if name is None else wanted.where(WebhookSubscription.name == name))
    want_check()


def find_address() -> WebhookAddress | None:
    """The address of the open church, if it has one."""
    return db.session.scalars(select(WebhookAddress)).one_or_none()


def url_of(address: WebhookAddress) -> str:
    """Where Planning Center delivers to."""
    return f"{_config().public_url}{PATH}{address.key}"


def reachable() -> bool:
    """Whether Planning Center can reach this installation: over https, or from the same machine in practice."""
    config = _config()
    return not is_loopback(config.public_url) or is_loopback(config.pco_base_url)


def _config() -> Config:
    return cast("Config", current_app.config["CONNECTCARD"])


# What is to be done about each; pure.


@dataclass(frozen=True)
class Task:
    """One thing to do: create, keep, revive, rotate, refuse (with `words`) or remove."""

    what: str
    name: str
    remote: Record | None = None
    words: str = ""


def plan(url: str, remote: Sequence[Record], offered: Iterable[str], rotating: Iterable[str]) -> list[Task]:
    """What to do so that every event is told to `url` once, and nothing to an address that was ours before.

    `remote` are all subscriptions that Planning Center shows, `offered` the events it has, `rotating` those to be given a new secret.
    """
    ours = {str(one["name"]): one for one in remote if one["url"] == url}
    key = url.rpartition("/")[2]
    stale = [one for one in remote if _is_for(key, one) and (one["url"] != url or one["name"] not in EVENTS)]
    offered, rotating = set(offered), set(rotating)
    wanted = [_task(name, ours.get(name), offered, rotating) for name in EVENTS]
    return [*(Task("remove", str(one["name"]), one) for one in stale), *wanted]


def _task(name: str, remote: Record | None, offered: set[str], rotating: set[str]) -> Task:
    if remote is None:
        known = name in offered
        return Task("create", name) if known else Task("refuse", name, words="Planning Center does not offer this event to this church.")
    if not remote["active"]:
        return Task("revive", name, remote)
    return Task("rotate" if name in rotating else "keep", name, remote)


def _is_for(key: str, one: Record) -> bool:
    return urlsplit(str(one["url"])).path == f"{PATH}{key}"


# Doing it. For the worker, outside of any transaction.


def keep_in_order(client: Client) -> bool:
    """Bring the church's subscriptions in order; says whether one was found switched off or gone, so that a pull has to catch up.

    A failure is kept in words and tried again after a while; every step stands by itself.
    """
    address = find_address()
    if address is None or address.check_due_at > now():
        return False
    address_id, url, rotating = address.id, url_of(address), _rotating()
    end_reading()
    if not reachable():
        _note(address_id, OUT_OF_REACH, CHECK_EVERY)
        return False
    try:
        missed = _carry_out(client, url, address_id, rotating)
    except PlanningCenterError as error:
        log.warning("subscriptions cannot be looked after", exc_info=error)
        _note(address_id, _why_not(error), CHECK_EVERY if isinstance(error, NOT_ALLOWED) else AGAIN_AFTER_FAILURE)
        return False
    _note(address_id, None, CHECK_EVERY)
    return missed


def _carry_out(client: Client, url: str, address_id: UUID, rotating: list[str]) -> bool:
    remote = list(client.iterate(webhooks.SUBSCRIPTION))
    offered = [str(event["name"]) for event in client.iterate(webhooks.AVAILABLE_EVENT)]
    missed = False
    for task in plan(url, remote, offered, rotating):
        try:
            missed = _do(task, client, url, address_id) or missed
        except (Conflict, FieldRefused, Gone) as error:
            _keep_refusal(address_id, task.name, _refusal_words(task.name, error))
    return missed


def _do(task: Task, client: Client, url: str, address_id: UUID) -> bool:
    """Carry out one task; says whether events may have been missed."""
    if task.what == "refuse":
        _keep_refusal(address_id, task.name, task.words)
        return False
    if task.what == "remove" and task.remote:
        client.delete(webhooks.SUBSCRIPTION, task.remote.id)
        return False
    return _keep(address_id, task.name, _as_it_should_be(task, client, url), revived=task.what == "revive")


def _as_it_should_be(task: Task, client: Client, url: str) -> Record:
    if task.remote is None:
        return client.create(webhooks.SUBSCRIPTION, {"name": task.name, "url": url, "active": True})
    if task.what == "revive":
        return client.update(webhooks.SUBSCRIPTION, task.remote.id, {"active": True})
    if task.what == "rotate":
        client.act(webhooks.SUBSCRIPTION, task.remote.id, "rotate_secret")
        return client.get(webhooks.SUBSCRIPTION, task.remote.id)
    return task.remote


def _keep(address_id: UUID, name: str, record: Record, *, revived: bool) -> bool:
    """Store the subscription as Planning Center has it; says whether events may have been missed.

    A secret that is new to us moves the one that we had to `previous_secret`, whoever rotated it.
    """
    with transaction():
        row = _row(address_id, name)
        missed = revived or row.remote_id not in (None, record.id)
        row.remote_id, row.url, row.state, row.problem = record.id, str(record["url"]), ACTIVE, None
        if record["authenticity_secret"] and record["authenticity_secret"] != row.secret:
            row.previous_secret, row.secret = row.secret, str(record["authenticity_secret"])
            row.secret_set_at, row.rotation_wanted_at = now(), None
        if missed:
            row.revived_at = now()
        return missed


def _keep_refusal(address_id: UUID, name: str, words: str) -> None:
    with transaction():
        row = _row(address_id, name)
        row.state, row.problem, row.rotation_wanted_at = REFUSED, words[:300], None


def _row(address_id: UUID, name: str) -> WebhookSubscription:
    row = db.session.scalars(select(WebhookSubscription).where(WebhookSubscription.name == name)).one_or_none()
    if row is None:
        row = WebhookSubscription(address_id=address_id, name=name)
        db.session.add(row)
    return row


def _note(address_id: UUID, problem: str | None, again_after: timedelta) -> None:
    """When it was looked at, how it went, and when to look again."""
    with transaction() as session:
        address = session.get_one(WebhookAddress, address_id)
        address.problem = problem[:300] if problem else None
        address.check_due_at = now() + again_after
        if problem is None:
            address.checked_at = now()


def _rotating() -> list[str]:
    wanted = select(WebhookSubscription.name).where(WebhookSubscription.rotation_wanted_at.is_not(None))
    return list(db.session.scalars(wanted))


def _why_not(error: PlanningCenterError) -> str:
    words = MAY_NOT if isinstance(error, NOT_ALLOWED) else in_words(error)
    return f"{words} Until then changes arrive with each pull."


def _refusal_words(name: str, error: PlanningCenterError) -> str:
    product = PRODUCT_NAMES[name.partition(".")[0]]
    if isinstance(error, FieldRefused) and "scope" in (error.detail or ""):
        return f"This church’s sign-in does not cover {product}. An owner can connect again and allow it."
    if isinstance(error, Conflict):
        return "Planning Center says that somebody else at this church has subscribed for us already. It is tried again tomorrow."
    return f"Planning Center refused: {error.detail or error.title or 'without a reason'}"


# The end. Outside of any transaction.


def end(client: Client) -> None:
    """Delete the church's subscriptions in Planning Center, as far as it lets us within a few seconds, and forget them here."""
    made = select(WebhookSubscription.remote_id).where(WebhookSubscription.remote_id.is_not(None))
    remote_ids, latest = list(db.session.scalars(made)), monotonic() + END_SECONDS
    end_reading()
    try:
        for remote_id in remote_ids:
            if monotonic() < latest:
                _delete(client, str(remote_id))
    except PlanningCenterError as error:
        log.warning("subscriptions could not be deleted", exc_info=error)
    forget()


def _delete(client: Client, remote_id: str) -> None:
    try:
        client.delete(webhooks.SUBSCRIPTION, remote_id)
    except Gone:
        log.info("a subscription was gone already")


def forget() -> None:
    """Close the address for good: what is still delivered there finds nobody, and Planning Center stops by itself after some days."""
    with transaction() as session:
        session.execute(delete(WebhookDelivery).where(WebhookDelivery.state == WAITING))
        session.execute(delete(WebhookSubscription))
        session.execute(delete(WebhookAddress))
