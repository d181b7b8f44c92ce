"""*Test connection*: everything that is needed of Planning Center is tried, one after the other, and timed. Also once a day by itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from time import perf_counter
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.connections.aside import reading_aside, writing_aside
from connectcard.connections.budget import budget_of
from connectcard.connections.clients import client_for
from connectcard.connections.models import HIDDEN_ROWS, OK, PERSONAL_ACCESS_TOKEN, READ_ONLY, Connection
from connectcard.connections.operations import note_visit, standing_after
from connectcard.connections.tokens import fresh_access_token
from connectcard.connections.words import in_words
from connectcard.database import end_reading
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Forbidden, PlanningCenterError, ProductUnavailable, ReconnectNeeded, ScopeMissing
from connectcard.planning_center.resources import Resource, calendar, check_ins, groups, people, webhooks

Answer = TypeVar("Answer")

MAY_WRITE = ("Editor", "Manager")
SEES_ALL_GROUPS = "administrator"
SOME_GROUPS = (
    "The person who connected is no administrator of Groups, so Planning Center shows only their own groups. "
    "Make them an administrator there, or connect as somebody who is one."
)


@dataclass(frozen=True)
class Check:
    """One thing that was tried, whether it worked, what it means in words for staff, and how long Planning Center took."""

    name: str
    ok: bool
    words: str
    seconds: float | None = None


@dataclass(frozen=True)
class Product:
    """A product of Planning Center that we use: how it is asked whether it is open, what works with it and what does not without."""

    key: str
    name: str
    probe: Resource
    gives: str
    without: str


PRODUCTS = (
    Product(
        people.PRODUCT, "People", people.PERSON, "Cards are sent; people and families are kept the same here and there.",
        "No card can be sent, and no person or family is pulled.",
    ),
    Product(
        groups.PRODUCT, "Groups", groups.GROUP, "Groups are shown and kept the same; visitors can be added to one.",
        "Groups are not shown or pulled, and nobody can be added to one.",
    ),
    Product(check_ins.PRODUCT, "Check-Ins", check_ins.EVENT, "Check-ins can be looked at here.", "Check-ins are not shown here."),
    Product(calendar.PRODUCT, "Calendar", calendar.EVENT, "The calendar can be looked at here.", "The calendar is not shown here."),
)  # fmt: skip


def test_connection(connection: Connection) -> list[Check]:
    """Try everything, and say how it went. Where the sign-in or People fails the rest is not tried. Outside of any transaction."""
    client, by_token = client_for(connection, interactive=True), connection.kind == PERSONAL_ACCESS_TOKEN
    budget, connection_id = budget_of(connection), connection.id
    end_reading()
    began = perf_counter()
    try:
        if not by_token:
            fresh_access_token(connection_id)
        me, me_seconds = _timed(lambda: client.get(people.ME))
        _, list_seconds = _timed(lambda: client.list(people.PERSON, per_page=1))
    except PlanningCenterError as error:
        note_visit(connection_id, error)
        name = "Sign-in" if isinstance(error, ReconnectNeeded) else "People: read"
        return [Check(name, False, in_words(error), perf_counter() - began)]
    note_visit(connection_id, None)
    checks = [
        Check("Sign-in", True, _valid_until(connection_id), me_seconds),
        Check("People: read", True, "People can be looked up.", list_seconds),
        _people_written(connection_id, me),
        *_other_products(client, connection_id),
        _webhooks(client),
    ]
    rate = budget.rate
    left = max(0, rate.limit - rate.count)
    return [*checks, Check("Rate limit", left > 0, f"{left} of {rate.limit} requests are left in this window of {rate.period} seconds.")]


def look_at_products(connection: Connection, stopping: Event | None = None) -> None:
    """Keep how each product stands, for the pages: permissions change without notice. For the worker, outside of any transaction."""
    client, connection_id = client_for(connection, background=True, stopping=stopping), connection.id
    end_reading()
    try:
        me = client.get(people.ME)
    except PlanningCenterError as error:
        note_visit(connection_id, error)
        return
    _people_written(connection_id, me)
    for _ in _other_products(client, connection_id):
        continue


def _timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    began = perf_counter()
    return ask(), perf_counter() - began


def _other_products(client: Client, connection_id: UUID) -> Iterator[Check]:
    for product in PRODUCTS[1:]:
        began = perf_counter()
        try:
            client.list(product.probe, per_page=1)
            standing = _how_much(product, client)
        except PlanningCenterError as error:
            _keep_standing(connection_id, product.key, standing_after(error))
            yield Check(product.name, False, f"{in_words(error, product.name)} {product.without}", perf_counter() - began)
        else:
            _keep_standing(connection_id, product.key, standing)
            hidden = standing == HIDDEN_ROWS
            yield Check(product.name, not hidden, SOME_GROUPS if hidden else product.gives, perf_counter() - began)


def _how_much(product: Product, client: Client) -> str:
    """Groups says nothing of what it leaves out, only what the connecting person is there."""
    if product.key != groups.PRODUCT:
        return OK
    return OK if sees_all_groups(client) else HIDDEN_ROWS


def sees_all_groups(client: Client) -> bool:
    """Whether Planning Center shows every group to the connecting person; from anybody else it hides groups without saying so."""
    return bool(client.get(groups.ME)["permissions"] == SEES_ALL_GROUPS)


def _keep_standing(connection_id: UUID, product: str, standing: str | None) -> None:
    if standing is None:
        return
    with writing_aside() as session:
        row = session.scalars(select(Connection).where(Connection.id == connection_id)).one()
        row.products = {**row.products, product: standing}


def _webhooks(client: Client) -> Check:
    began = perf_counter()
    try:
        client.list(webhooks.SUBSCRIPTION, per_page=1)
    except (Forbidden, ProductUnavailable, ScopeMissing):
        words = "The person who connected may not manage webhooks. Changes arrive with each pull instead."
        return Check("Webhooks", False, words, perf_counter() - began)
    except PlanningCenterError as error:
        return Check("Webhooks", False, in_words(error), perf_counter() - began)
    return Check("Webhooks", True, "Planning Center can be asked to tell us of changes.", perf_counter() - began)


def _people_written(connection_id: UUID, me: Record) -> Check:
    check = _may_write(me)
    _keep_standing(connection_id, people.PRODUCT, OK if check.ok else READ_ONLY)
    return check


def _may_write(me: Record) -> Check:
    rights, name = me["people_permissions"], me["name"] or "the connecting person"
    if me["site_administrator"] or rights in MAY_WRITE:
        return Check("People: write", True, "People can be added and changed.")
    has = f"is a {rights}" if rights else "has no permission"
    words = f"{name} {has} in Planning Center People. Make them an Editor there, or connect as somebody who is one."
    return Check("People: write", False, words)


def _valid_until(connection_id: UUID) -> str:
    with reading_aside() as session:
        row = session.scalars(select(Connection).where(Connection.id == connection_id)).one()
        if row.kind == PERSONAL_ACCESS_TOKEN:
            return "Planning Center takes the personal access token, which does not expire."
        minutes = round((row.expires_at - now()).total_seconds() / 60) if row.expires_at else 0
        return f"Valid for {minutes} more minutes, and renewed by itself before that."
