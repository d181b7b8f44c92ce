"""Every address of the application, read off its own map, so that a page of tomorrow is tried without anybody thinking of it: with
what belongs to the neighbour, and with values that no page of ours would send."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import configure_mappers
from werkzeug.test import TestResponse

from connectcard.application import ROOT
from connectcard.churches.tenancy import church_owned_tables, church_scope
from connectcard.database import Base, UtcDateTime, transaction
from tests.making import a_card, a_run, an_item
from tests.staff import StaffBrowser
from tests.web.test_security import address, behind_the_door, is_for_visitors, plain, rules

SignIn = Callable[..., StaffBrowser]

MARK = "Zebulon"
# They ask Planning Center, which is not there in these tests.
ASKS_PLANNING_CENTER = {"connection.test", "connection.start", "connection.connect_with_personal_access_token"}
ENDS_THE_SESSION = {"sign_in.sign_out", "sign_in.sign_out_everywhere"}


# A row in every table of a church.


def a_row_of_everything(church_id: UUID) -> dict[str, list[object]]:
    """One row in each table that belongs to a church, every text in it marked; gives what an address can name."""
    configure_mappers()
    made: dict[str, dict[str, Any]] = {}
    with church_scope(church_id), transaction() as session:
        for table in Base.metadata.sorted_tables:
            if table in church_owned_tables():
                made[table.name] = row = filled_in(table, church_id, made)
                session.connection().execute(sa.insert(table).values(row))
    return {"uuid": [row["id"] for row in made.values()], "int": [row["number"] for row in made.values() if "number" in row], "": [MARK]}


def filled_in(table: sa.Table, church_id: UUID, made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    row = {column.name: value_for(column) for column in table.columns}
    for key in table.foreign_keys:
        parent = key.column.table.name
        row[key.parent.name] = church_id if parent == "church" or key.parent.name == "church_id" else parent_of(made, parent, key, row)
    return row


def parent_of(made: dict[str, dict[str, Any]], parent: str, key: sa.ForeignKey, row: dict[str, Any]) -> object:
    return made[parent][key.column.name] if parent in made else None if key.parent.nullable else row[key.parent.name]


def value_for(column: "sa.Column[Any]") -> object:
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {"name": MARK}
    if isinstance(kind, sa.String):
        return MARK[: kind.length or 99]
    if isinstance(kind, UtcDateTime):
        return datetime(2026, 11, 22, tzinfo=UTC)
    return {UUID: uuid4(), int: 731, bool: True, float: 1.0, bytes: MARK.encode(), date: date(2026, 11, 22)}[kind.python_type]


def everything_of(church_id: UUID) -> list[str]:
    """Every row of every table of the church, as text."""
    with church_scope(church_id), transaction() as session:
        tables = [table for table in Base.metadata.sorted_tables if table in church_owned_tables()]
        rows = [session.connection().execute(sa.select(table).where(table.c.church_id == church_id)).all() for table in tables]
        return [str(row) for several in rows for row in several]


def test_there_is_something_of_the_church_in_every_table(app: Flask, grace: UUID) -> None:
    a_row_of_everything(grace)
    assert len(everything_of(grace)) >= len(church_owned_tables()) > 20


# The neighbour.


def test_what_the_neighbour_has_is_answered_exactly_like_what_nobody_has(app: Flask, grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    sam, theirs, looked_at = sign_in(grace), a_row_of_everything(neighbour), 0
    theirs["uuid"] += [a_card(neighbour, first_name=MARK), a_run(neighbour)]
    before = everything_of(neighbour)
    for rule, method in behind_the_door(app):
        things = [thing for kind, things in theirs.items() for thing in things if takes(rule, kind)]
        nobodys = answer_to(sam, rule, method, None) if things else None
        for thing in things:
            answer = answer_to(sam, rule, method, thing)
            assert nobodys is not None
            assert answer.status_code == nobodys.status_code, (rule, method, thing)
            assert answer.status_code == 404 or not is_an_id(rule), (rule, method)
            assert MARK not in plain(answer.text).replace(f"/{MARK}", ""), (rule, method)
            looked_at += 1
    assert looked_at >= 200
    assert everything_of(neighbour) == before


def answer_to(browser: StaffBrowser, rule: Any, method: str, value: object) -> TestResponse:
    return browser.client.open(address(rule, value), method=method, headers={"X-CSRFToken": browser.token})


def takes(rule: Any, kind: str) -> bool:
    """Whether an address has a part of this kind; a key is no name of a thing, whoever has it may come in."""
    return bool(re.search(rf"<{kind}:" if kind else r"<(?!key)[a-z_]+>", rule.rule))


def is_an_id(rule: Any) -> bool:
    return takes(rule, "uuid") or takes(rule, "int")


def test_no_page_without_an_id_in_its_address_shows_anything_of_the_neighbour(
    app: Flask, grace: UUID, neighbour: UUID, sign_in: SignIn
) -> None:
    sam = sign_in(grace)
    a_row_of_everything(neighbour)
    a_card(grace)
    for rule, method in behind_the_door(app):
        if method == "GET" and not rule.arguments:
            assert MARK not in sam.get(rule.rule, query_string={"search": MARK[:4]}).text, rule


# Odd values.

ODD = (
    "",
    "-1",
    "0",
    "99999999999999999999999",
    "abc",
    "\x00",
    "%00",
    "é\u202e\ud7ff",
    "' or 1=1 --",
    "../../etc/passwd",
    "x" * 5000,
    "0001-01-01",
    "9999-12-31",
)
# What SQLite takes and PostgreSQL does not.
ODD_THERE = ("a\x00b", "99999999999999999999999")


def names_that_are_read() -> list[str]:
    """Every name that a view reads from an address or a form."""
    sources = "".join(path.read_text() for path in (ROOT / "connectcard" / "web").glob("*.py"))
    return sorted(set(re.findall(r"(?:args|form|values)\.get(?:list)?\(\s*\"(\w+)\"", sources)))


ON_SQLITE = [("sqlite", odd) for odd in ODD]
ON_POSTGRESQL = [pytest.param("postgresql", odd, marks=pytest.mark.postgresql) for odd in ODD_THERE]


@pytest.mark.parametrize(("any_database", "odd"), [*ON_SQLITE, *ON_POSTGRESQL], ids=lambda odd: repr(odd[:12]))
def test_no_odd_value_breaks_a_page(app: Flask, grace: UUID, sign_in: SignIn, any_database: str, odd: str) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    sam, names = sign_in(grace), [*names_that_are_read(), "member-1", "member-²", f"member-{'9' * 5000}"]
    assert len(names) > 12
    card = a_card(grace)
    an_item(grace, card, "review", a_run(grace))
    for rule, method, path in places(app, card):
        values = dict.fromkeys(names, odd)
        how: dict[str, Any] = {"query_string": values} if method == "GET" else {"data": values}
        answer = sam.client.open(path, method=method, headers={"X-CSRFToken": sam.token}, buffered=True, **how)
        assert answer.status_code < 500, (rule, method, odd)


def places(app: Flask, card: UUID) -> Iterator[tuple[Any, str, str]]:
    """Every address and method with a card, a run and a name that are there, and with odd ones in their place."""
    for rule, method in rules(app):
        if rule.endpoint in ASKS_PLANNING_CENTER | ENDS_THE_SESSION or rule.endpoint.startswith("sign_in.") or is_for_visitors(rule):
            continue
        yield rule, method, address(rule, card if takes(rule, "uuid") else 1 if takes(rule, "int") else None)


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("odd", ["a%00b", "2147483648", "99999999999999999999999"])
def test_no_odd_address_breaks_a_page(app: Flask, grace: UUID, sign_in: SignIn, odd: str) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    sam = sign_in(grace)
    for rule, method in rules(app):
        if rule.arguments and rule.endpoint not in ASKS_PLANNING_CENTER | ENDS_THE_SESSION:
            path = re.sub(r"<[^>]+>", odd, rule.rule)
            answer = sam.client.open(path, method=method, headers={"X-CSRFToken": sam.token}, buffered=True)
            assert answer.status_code < 500, (rule, method)
