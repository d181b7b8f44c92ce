"""Connecting, testing and ending, against the practice Planning Center."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections import checks, operations, queries
from connectcard.connections.identity import read_identity_of_token_pair
from connectcard.connections.models import CONNECTED, DISCONNECTED, PERSONAL_ACCESS_TOKEN, RECONNECT, Connection, RemoteChoice
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused, ConnectionMissing
from connectcard.planning_center import Record
from connectcard.planning_center.errors import ReconnectNeeded
from tests.conftest import MovedClock, make_config
from tests.connections.conftest import TokenEndpoint, connected, connection_of, open_church

ANSWER = {"access_token": "access-0", "refresh_token": "refresh-0", "token_type": "Bearer", "expires_in": 7200, "scope": "openid people"}


@pytest.fixture
def config(database_url: str, origin: str, redis_url: str) -> Config:
    return make_config(database_url, pco_base_url=origin, redis_url=redis_url)


def connect(church_id: UUID, answer: dict[str, Any] = ANSWER, organization_id: str = "1001") -> UUID:
    with church_scope(church_id), transaction() as session:
        church = session.get_one(Church, church_id)
        return operations.connect(church, answer, organization_id=organization_id, authorised_by="Sam Hill", authorised_remote_id="7").id


def test_a_church_is_connected(grace: UUID, moved_clock: MovedClock) -> None:
    connect(grace)
    row = connection_of(grace)
    assert (row.state, row.access_token, row.refresh_token, row.authorised_by) == (CONNECTED, "access-0", "refresh-0", "Sam Hill")
    assert row.expires_at is not None
    assert (row.expires_at - moved_clock.moment).total_seconds() == 7200


def test_connecting_again_keeps_everything_but_the_tokens(grace: UUID) -> None:
    connection_id = connect(grace)
    with church_scope(grace), transaction() as session:
        session.add(RemoteChoice(kind="campus", remote_id="1", name="West"))
        row = session.get_one(Connection, connection_id)
        operations.mark_reconnect(row, "spent")
    assert connection_of(grace).state == RECONNECT
    assert connect(grace, ANSWER | {"access_token": "access-9", "refresh_token": "refresh-9"}) == connection_id
    row = connection_of(grace)
    assert (row.state, row.state_reason, row.refresh_token, row.version) == (CONNECTED, None, "refresh-9", 2)
    with church_scope(grace):
        assert [choice.name for choice in queries.choices("campus")] == ["West"]


def test_another_organization_is_refused_and_nothing_changes(grace: UUID) -> None:
    connect(grace)
    with pytest.raises(ChangeRefused, match="Grace Church"):
        connect(grace, ANSWER | {"access_token": "foreign"}, organization_id="1002")
    assert connection_of(grace).access_token == "access-0"


def test_another_planning_center_is_refused(app: Flask) -> None:
    elsewhere = open_church("elsewhere", "1001", "https://api.planningcenteronline.com")
    with pytest.raises(ConnectionMissing, match="PCO_BASE_URL"):
        connect(elsewhere)


def test_an_answer_without_tokens_is_not_kept(grace: UUID) -> None:
    with pytest.raises(ValueError, match="no tokens"):
        connect(grace, {"error": "invalid_grant"})
    with church_scope(grace):
        assert queries.find_connection() is None


def test_a_disconnected_church_holds_no_tokens(grace: UUID, neighbour: UUID, endpoint: TokenEndpoint) -> None:
    connect(grace)
    connected(neighbour, tokens="50")
    with church_scope(grace):
        row = queries.find_connection()
        assert row is not None
        assert operations.disconnect(row) is True
    row = connection_of(grace)
    assert (row.state, row.access_token_sealed, row.refresh_token_sealed, row.expires_at) == (DISCONNECTED, None, None, None)
    assert sorted(endpoint.revoked) == ["access-0", "refresh-0"]
    assert connection_of(neighbour).state == CONNECTED


def test_tokens_are_forgotten_even_when_planning_center_cannot_be_told(grace: UUID, endpoint: TokenEndpoint) -> None:
    connect(grace)
    endpoint.plays = [endpoint.blocked] * 2
    with church_scope(grace):
        row = queries.find_connection()
        assert row is not None
        assert operations.disconnect(row) is False
    assert connection_of(grace).refresh_token_sealed is None


def test_a_connection_that_was_ended_is_not_marked_for_reconnecting(grace: UUID) -> None:
    connection_id = connected(grace, state=DISCONNECTED)
    with church_scope(grace), transaction() as session:
        operations.mark_reconnect(session.get_one(Connection, connection_id), "spent")
    assert connection_of(grace).state == DISCONNECTED


# With the practice Planning Center.


class Practice:
    """Grace Church at the practice Planning Center, connected by its personal access token."""

    def __init__(self, url: str, place: int = 0) -> None:
        self.url = url
        told = requests.get(f"{url}/_simulator/organizations?people=3", timeout=10).json()
        self.organization = (told["organizations"] if isinstance(told, dict) else told)[place]
        token = self.organization["personal_access_token"]
        self.token = (token["app_id"], token["secret"])

    def control(self, what: str, **values: Any) -> None:
        requests.post(f"{self.url}/_simulator/{what}", json=values, timeout=10).raise_for_status()

    def fail(self, kind: str, **order: Any) -> None:
        self.control("faults", kind=kind, **order)


@pytest.fixture
def practice(simulator: str) -> Practice:
    return Practice(simulator)


def connect_for_practice(app: Flask, practice: Practice, slug: str) -> UUID:
    church_id = open_church(slug, practice.organization["id"], practice.url)
    app.config["CONNECTCARD"] = make_config("sqlite://", pco_base_url=practice.url, personal_access_token=practice.token)
    with church_scope(church_id), transaction() as session:
        church = session.get_one(Church, church_id)
        operations.connect_with_personal_access_token(church, organization_id=church.organization_id, authorised_by="Sam Hill")
    return church_id


@pytest.fixture
def practised(app: Flask, practice: Practice) -> Iterator[Connection]:
    """The connection, in the church's scope."""
    with church_scope(connect_for_practice(app, practice, "grace")):
        row = queries.find_connection()
        assert row is not None
        yield row


def test_nothing_of_a_personal_access_token_is_stored(practised: Connection) -> None:
    assert (practised.kind, practised.state) == (PERSONAL_ACCESS_TOKEN, CONNECTED)
    assert (practised.access_token_sealed, practised.refresh_token_sealed) == (None, None)


def test_a_personal_access_token_needs_its_settings(grace: UUID) -> None:
    with church_scope(grace), pytest.raises(ConnectionMissing, match="PCO_APP_ID"), transaction() as session:
        church = session.get_one(Church, grace)
        operations.connect_with_personal_access_token(church, organization_id="1001", authorised_by="Sam Hill")


def test_who_made_a_personal_access_token_is_read(practice: Practice) -> None:
    identity = read_identity_of_token_pair(practice.url, *practice.token)
    assert identity.organization_id == practice.organization["id"]
    assert identity.organization_name == practice.organization["name"]
    assert identity.site_administrator
    with pytest.raises(ReconnectNeeded):
        read_identity_of_token_pair(practice.url, "wrong", "pair")


def standing(connection_id: UUID) -> Connection:
    end_reading()
    row = db.session.get_one(Connection, connection_id)
    db.session.refresh(row)
    return row


def test_a_working_connection_passes_every_check(practised: Connection) -> None:
    connection_id = practised.id
    found = checks.test_connection(practised)
    names = ["Sign-in", "People: read", "People: write", "Groups", "Check-Ins", "Calendar", "Webhooks", "Rate limit"]
    assert [(check.name, check.ok) for check in found] == [(name, True) for name in names]
    assert all(check.seconds for check in found if check.name not in ("People: write", "Rate limit"))
    assert "requests are left" in found[-1].words
    row = standing(connection_id)
    assert row.products == {"people": "ok", "groups": "ok", "check-ins": "ok", "calendar": "ok"}
    assert row.checked_at is not None


@pytest.mark.parametrize(
    ("kind", "name", "words", "product"),
    [
        ("html_403", "People: read", "in front of Planning Center", None),
        ("no_access", "People: read", "has no access", "no_access"),
        ("status_500", "People: read", "did not answer properly", None),
        ("rate_limited", "People: read", "slow down", None),
    ],
)
def test_a_failing_check_says_what_to_do(
    practised: Connection, practice: Practice, kind: str, name: str, words: str, product: str | None
) -> None:
    connection_id = practised.id
    practice.fail(kind, path="/people/v2/*", times=3)
    [check] = checks.test_connection(practised)
    assert (check.name, check.ok) == (name, False)
    assert words in check.words
    row = standing(connection_id)
    assert row.products.get("people") == product
    assert row.state == CONNECTED


def test_a_refused_personal_access_token_asks_for_another(practised: Connection, practice: Practice, app: Flask) -> None:
    connection_id = practised.id
    app.config["CONNECTCARD"] = make_config("sqlite://", pco_base_url=practice.url, personal_access_token=("wrong", "pair"))
    [check] = checks.test_connection(practised)
    assert (check.name, check.ok) == ("Sign-in", False)
    assert standing(connection_id).state == RECONNECT


def test_a_closed_product_is_named_with_what_does_not_work_without_it(practised: Connection, practice: Practice) -> None:
    connection_id = practised.id
    practice.fail("no_access", path="/calendar/v2/*")
    practice.fail("no_access", path="/webhooks/v2/*")
    found = {check.name: check for check in checks.test_connection(practised)}
    assert [name for name, check in found.items() if not check.ok] == ["Calendar", "Webhooks"]
    assert found["Calendar"].words.endswith("The calendar is not shown here.")
    assert "arrive with each pull" in found["Webhooks"].words
    assert standing(connection_id).products["calendar"] == "no_access"


def test_whoever_connected_became_a_viewer_and_lost_the_calendar(practised: Connection, practice: Practice) -> None:
    connection_id = practised.id
    checks.look_at_products(practised)
    assert standing(connection_id).products == {"people": "ok", "groups": "ok", "check-ins": "ok", "calendar": "ok"}
    owner = str(next(one["id"] for one in practice.organization["people"] if one["first_name"] == "Ada"))
    practice.control("permission", person=owner, permission="Viewer")
    practice.control("permission", person=owner, product="calendar", permission="none")
    checks.look_at_products(standing(connection_id))
    found = standing(connection_id).products
    assert (found["people"], found["calendar"]) == ("read_only", "no_access")


def test_a_look_that_cannot_be_taken_leaves_what_is_known(practised: Connection, practice: Practice) -> None:
    connection_id = practised.id
    checks.look_at_products(practised)
    known = standing(connection_id).products
    practice.fail("status_500", method="*", path="*", times=9)
    checks.look_at_products(standing(connection_id))
    assert standing(connection_id).products == known


@pytest.mark.parametrize(("rights", "may"), [("Viewer", False), (None, False), ("Editor", True), ("Manager", True)])
def test_writing_needs_an_editor(rights: str | None, may: bool) -> None:
    check = checks._may_write(Record("Person", "7", {"name": "Sam Hill", "people_permissions": rights, "site_administrator": False}))
    assert check.ok is may
    assert may or "Sam Hill" in check.words


# Choices.


def kinds() -> dict[str, int]:
    every = ("campus", "membership_type", "field_definition", "field_option", "note_category", "workflow")
    return {kind: len(queries.choices(kind)) for kind in every}


def test_what_a_card_can_be_sent_to_is_read_into_rows(practised: Connection, moved_clock: MovedClock) -> None:
    connection_id = practised.id
    with transaction() as session:
        operations.want_choices(session.get_one(Connection, connection_id))
        session.add(RemoteChoice(kind="campus", remote_id="gone", name="A campus that was closed"))
    assert queries.wants_choices(standing(connection_id))
    operations.read_choices(standing(connection_id))
    row = standing(connection_id)
    assert (row.choices_problem, row.choices_read_at, row.products) == (None, moved_clock.moment, {"people": "ok"})
    assert not queries.wants_choices(row)
    assert all(kinds().values()), kinds()
    assert "gone" not in {choice.remote_id for choice in queries.choices("campus")}
    definitions = {choice.remote_id: choice for choice in queries.choices("field_definition")}
    options = queries.choices("field_option")
    assert {option.parent_remote_id for option in options} <= set(definitions)
    assert all(definitions[option.parent_remote_id or ""].detail["data_type"] in ("checkboxes", "select") for option in options)
    assert all(choice.name and choice.detail["tab"] for choice in definitions.values())


def test_reading_again_changes_nothing_that_stayed(practised: Connection) -> None:
    connection_id = practised.id
    operations.read_choices(practised)
    before = {choice.remote_id: choice.id for choice in queries.choices("field_option")}
    operations.read_choices(standing(connection_id))
    standing(connection_id)
    assert {choice.remote_id: choice.id for choice in queries.choices("field_option")} == before


def test_a_failure_in_the_middle_keeps_what_was_read_before(practised: Connection, practice: Practice) -> None:
    connection_id = practised.id
    operations.read_choices(practised)
    before = kinds()
    practice.fail("html_403", path="/people/v2/workflows*", times=1)
    with transaction() as session:
        operations.want_choices(session.get_one(Connection, connection_id))
    operations.read_choices(standing(connection_id))
    row = standing(connection_id)
    assert "in front of Planning Center" in (row.choices_problem or "")
    assert not queries.wants_choices(row)
    assert kinds() == before


def test_the_neighbours_choices_are_its_own(app: Flask, simulator: str) -> None:
    read: list[set[str]] = []
    for place, slug in enumerate(("grace", "hope")):
        with church_scope(connect_for_practice(app, Practice(simulator, place), slug)):
            assert not any(kinds().values())
            row = queries.find_connection()
            assert row is not None
            operations.read_choices(row)
            end_reading()
            read.append({choice.remote_id for choice in queries.choices("campus")})
    assert read[0]
    assert read[1]
    assert read[0].isdisjoint(read[1])
