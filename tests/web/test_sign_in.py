"""Signing in with Planning Center: every way in, and every way in which it is refused."""

from collections.abc import Iterator
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
import requests
import requests_mock
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from connectcard.cards.models import Card
from connectcard.churches import operations
from connectcard.churches.models import Church, Member, StaffSession
from connectcard.churches.tenancy import every_church
from connectcard.database import db, transaction
from tests.conftest import ORIGIN, MovedClock
from tests.web.consent import STRANGERS_KEY, PlanningCenter


@pytest.fixture
def planning_center() -> Iterator[PlanningCenter]:
    with requests_mock.Mocker() as wire:
        yield PlanningCenter(wire)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def members() -> list[tuple[str, str, str]]:
    with every_church():
        return [(member.name, member.role, member.subject) for member in db.session.scalars(select(Member))]


def churches() -> list[tuple[str, str]]:
    with every_church():
        return [(church.slug, church.organization_id) for church in db.session.scalars(select(Church).order_by(Church.slug))]


@pytest.mark.usefixtures("any_database")
def test_the_first_manager_opens_the_church_and_is_its_owner(client: FlaskClient, planning_center: PlanningCenter) -> None:
    answer = planning_center.sign_in(client)
    assert (answer.status_code, answer.location) == (302, "/")
    assert churches() == [("grace-church", "1001")]
    assert members() == [("Sam Hill", "owner", "501")]
    with every_church():
        assert len(db.session.scalars(select(Card)).all()) == 1
        church = db.session.scalars(select(Church)).one()
        assert (church.time_zone, church.country_code, len(church.remote_id_key or "")) == ("America/Chicago", "US", 64)
    assert "Sam" in client.get("/").text


# SQLite lets one write at a time, so that nobody is quicker there.
@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_of_two_who_open_the_church_at_the_same_moment_the_second_comes_in_to_what_the_first_opened(
    app: Flask, client: FlaskClient, planning_center: PlanningCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_slug = operations.free_slug

    def opens_it_too() -> None:
        with app.app_context(), every_church(), transaction():
            operations.open_church(ORIGIN, "1001", "Grace Church")

    def meanwhile(name: str) -> str:
        monkeypatch.setattr(operations, "free_slug", free_slug)
        thread = Thread(target=opens_it_too)
        thread.start()
        thread.join()
        return "grace"

    monkeypatch.setattr(operations, "free_slug", meanwhile)
    assert planning_center.sign_in(client).status_code == 302
    assert (churches(), members()) == ([("grace-church", "1001")], [("Sam Hill", "owner", "501")])


def test_the_consent_page_is_asked_for_exactly_what_we_need(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    assert planning_center.paths_called() == []
    assert asked["scope"] == "openid people"
    assert asked["redirect_uri"] == "http://127.0.0.1:5000/oauth/callback"
    assert (asked["code_challenge_method"], asked["prompt"], asked["response_type"]) == ("S256", "select_account", "code")
    assert all(len(asked[name]) >= 20 for name in ("state", "nonce", "code_challenge"))


def test_the_tokens_of_a_sign_in_are_given_back_and_kept_nowhere(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.sign_in(client)
    revoked = [request.text for request in planning_center.wire.request_history if request.path == "/oauth/revoke"]
    assert any("access-of-501" in body for body in revoked)
    assert any("refresh-of-501" in body for body in revoked)
    connection = db.engine.raw_connection()
    try:
        written = "\n".join(connection.driver_connection.iterdump())
    finally:
        connection.close()
    assert "access-of" not in written
    assert "refresh-of" not in written


@pytest.mark.parametrize(
    ("permissions", "administrator", "role"), [(None, True, "owner"), ("Manager", False, "owner"), ("Editor", False, "staff")]
)
def test_the_role_follows_the_rights_in_people(
    client: FlaskClient, planning_center: PlanningCenter, permissions: str | None, administrator: bool, role: str
) -> None:
    planning_center.people_permissions, planning_center.site_administrator = permissions, administrator
    planning_center.sign_in(client)
    assert members() == [("Sam Hill", role, "501")]


def test_a_viewer_may_look_once_the_church_is_open_and_is_told_whom_to_ask_before(
    app: Flask, client: FlaskClient, planning_center: PlanningCenter
) -> None:
    planning_center.people_permissions = "Viewer"
    early = planning_center.sign_in(client)
    assert early.status_code == 403
    assert "Ask an editor or a manager of People at Grace Church" in early.text
    assert churches() == []
    PlanningCenter(planning_center.wire, person_id="502", name="Ada Moss").sign_in(app.test_client())
    PlanningCenter(planning_center.wire, people_permissions="Viewer").sign_in(client)
    assert ("Sam Hill", "viewer", "501") in members()


def test_somebody_without_people_is_told_whom_to_ask_and_nothing_is_opened(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.people_permissions = None
    answer = planning_center.sign_in(client)
    assert answer.status_code == 403
    assert "Ask an organization administrator" in answer.text
    assert churches() == []
    assert "/oauth/revoke" in planning_center.paths_called()


def test_a_role_that_fell_is_the_smaller_one_from_the_next_sign_in(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.sign_in(client)
    planning_center.people_permissions = "Viewer"
    planning_center.sign_in(client)
    assert members() == [("Sam Hill", "viewer", "501")]


def test_the_e_mail_is_no_key_and_two_people_of_one_name_are_two_members(
    app: Flask, client: FlaskClient, planning_center: PlanningCenter
) -> None:
    planning_center.claims = {"email": "family.hill@gmail.com"}
    planning_center.sign_in(client)
    PlanningCenter(planning_center.wire, person_id="502", claims={"email": "family.hill@gmail.com"}).sign_in(app.test_client())
    assert sorted(subject for _, _, subject in members()) == ["501", "502"]


def test_who_said_no_on_the_consent_page_reads_so_and_never_the_words_of_the_address(
    client: FlaskClient, planning_center: PlanningCenter
) -> None:
    asked = planning_center.begin(client)
    answer = client.get(
        "/oauth/callback", query_string={"error": "access_denied", "error_description": "Call 555-0100 now", "state": asked["state"]}
    )
    assert answer.status_code == 403
    assert "You did not allow it" in answer.text
    assert "555-0100" not in answer.text


def test_a_state_works_once(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    assert planning_center.allow(client, asked).status_code == 302
    client.post("/sign-out")
    assert planning_center.allow(client, asked).status_code == 400
    assert planning_center.paths_called().count("/oauth/token") == 1


def test_a_state_is_worth_nothing_in_another_browser(app: Flask, client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    victim = app.test_client()
    answer = planning_center.allow(victim, asked)
    assert answer.status_code == 400
    assert "no longer open" in answer.text
    assert planning_center.paths_called() == []
    assert victim.get("/").status_code == 302


def test_a_made_up_state_and_none_at_all_are_refused(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.begin(client)
    for query in ({"code": "c", "state": "made-up"}, {"code": "c"}, {}):
        assert client.get("/oauth/callback", query_string=query).status_code == 400
    assert planning_center.paths_called() == []


def test_a_state_is_too_old_after_ten_minutes(client: FlaskClient, planning_center: PlanningCenter, moved_clock: MovedClock) -> None:
    asked = planning_center.begin(client)
    moved_clock.move(minutes=10, seconds=1)
    assert planning_center.allow(client, asked).status_code == 400


def test_two_tabs_may_sign_in_at_the_same_time(client: FlaskClient, planning_center: PlanningCenter) -> None:
    first, second = planning_center.begin(client), planning_center.begin(client)
    assert planning_center.allow(client, second).status_code == 302
    assert client.get("/").status_code == 200
    assert first["state"] != second["state"]


def test_a_code_that_is_missing_is_refused(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    assert client.get("/oauth/callback", query_string={"state": asked["state"]}).status_code == 400
    assert planning_center.paths_called() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"iss": "https://elsewhere.org"},
        {"aud": "another-application"},
        {"exp": 1_700_000_000},
        {"sub": ""},
        {"organization_id": "9999"},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_id_token_that_is_not_for_this_sign_in_lets_nobody_in(
    client: FlaskClient, planning_center: PlanningCenter, claims: dict[str, Any]
) -> None:
    planning_center.claims = claims
    answer = planning_center.sign_in(client)
    assert answer.status_code == 400
    assert "did not confirm" in answer.text
    assert members() == []


def test_an_id_token_signed_by_a_stranger_lets_nobody_in(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.key = STRANGERS_KEY
    assert planning_center.sign_in(client).status_code == 400
    assert members() == []


def test_an_answer_without_an_id_token_lets_nobody_in(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    tokens = planning_center.tokens(asked)
    del tokens["id_token"]
    planning_center.wire.post(f"{ORIGIN}/oauth/token", json=tokens)
    assert planning_center.allow(client, asked).status_code == 400
    assert members() == []


DOWN = {
    "503": {"status_code": 503, "json": {}},
    "a firewall's page": {"status_code": 403, "text": "<html>Request blocked</html>", "headers": {"Content-Type": "text/html"}},
    "timeout": {"exc": requests.ReadTimeout},
    "refused": {"exc": requests.ConnectionError},
}


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/discovery/keys", "/people/v2/me", "/people/v2"])
@pytest.mark.parametrize("how", DOWN)
def test_when_planning_center_is_down_the_page_says_so_and_that_cards_are_safe(
    client: FlaskClient, planning_center: PlanningCenter, path: str, how: str
) -> None:
    asked = planning_center.begin(client)
    planning_center.wire.register_uri(requests_mock.ANY, ORIGIN + path, **DOWN[how])
    answer = planning_center.allow(client, asked)
    assert answer.status_code == 503, answer.text
    assert "Your cards are safe" in answer.text
    assert members() == []


def test_a_code_that_planning_center_refuses_is_answered_with_a_page(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    planning_center.wire.post(
        f"{ORIGIN}/oauth/token", status_code=400, json={"error": "invalid_grant", "error_description": "secret words"}
    )
    answer = planning_center.allow(client, asked)
    assert answer.status_code == 400
    assert "secret words" not in answer.text


def test_a_person_who_may_not_even_see_themselves_reads_whom_to_ask(client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    refusal = {"errors": [{"status": "403", "title": "Forbidden", "detail": "You do not have access to this resource"}]}
    planning_center.wire.get(f"{ORIGIN}/people/v2/me", status_code=403, json=refusal, headers={"Content-Type": "application/vnd.api+json"})
    answer = planning_center.allow(client, asked)
    assert answer.status_code == 403
    assert "Ask an organization administrator" in answer.text


def test_a_church_recorded_at_another_planning_center_is_not_opened_under_this_one(
    client: FlaskClient, planning_center: PlanningCenter, grace: UUID
) -> None:
    with transaction() as database:
        database.get(Church, grace).origin = "https://api.planningcenteronline.com"  # type: ignore[union-attr]
    answer = planning_center.sign_in(client)
    assert answer.status_code == 409
    assert "another Planning Center address" in answer.text
    assert members() == []


def test_a_second_church_in_the_same_browser_comes_in_only_by_choice(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.sign_in(client)
    planning_center.organization_id, planning_center.organization_name = "1002", "Hope Church"
    planning_center.person_id, planning_center.name = "601", "Kim Reyes"
    asked = planning_center.sign_in(client)
    assert asked.status_code == 409
    assert "Kim Reyes of Hope Church" in asked.text
    assert "Grace Church" in client.get("/").text
    assert churches() == [("grace-church", "1001")]
    switched = client.post("/sign-in/switch", data={"csrf_token": form_token(asked.text)})
    assert switched.status_code == 302
    assert "Hope Church" in client.get("/").text
    assert "Grace Church" not in client.get("/").text


def test_the_choice_of_a_second_church_is_made_once_and_from_our_page(client: FlaskClient, planning_center: PlanningCenter) -> None:
    planning_center.sign_in(client)
    planning_center.organization_id, planning_center.organization_name = "1002", "Hope Church"
    token = form_token(planning_center.sign_in(client).text)
    assert client.post("/sign-in/switch").status_code == 400
    elsewhere = client.post("/sign-in/switch", data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 400
    assert "Grace Church" in client.get("/").text


def form_token(page: str) -> str:
    return page.split('name="csrf_token" value="')[1].split('"')[0]


@pytest.mark.parametrize(
    ("wanted", "gets"),
    [
        ("/connection", "/connection"),
        ("https://evil.org/", "/"),
        ("//evil.org/connection", "/"),
        ("/\\evil.org", "/"),
        ("/nothing-here", "/"),
        ("/sign-in/switch", "/"),
        ("/connection/test", "/"),
        ("/c/grace-church/welcome", "/"),
    ],
)
def test_after_the_sign_in_nobody_is_sent_anywhere_but_to_our_own_pages(
    client: FlaskClient, planning_center: PlanningCenter, wanted: str, gets: str
) -> None:
    planning_center.begin(client)
    from urllib.parse import urlencode

    answer = planning_center.sign_in(client, "/sign-in/start?" + urlencode({"next": wanted}))
    assert answer.location == gets


def test_the_key_of_the_session_changes_with_the_sign_in(app: Flask, client: FlaskClient, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(client)
    planted = client.get_cookie("connectcard", domain="127.0.0.1")
    planning_center.allow(client, asked)
    after = client.get_cookie("connectcard", domain="127.0.0.1")
    assert planted is not None
    assert after is not None
    assert planted.value != after.value
    attacker = app.test_client()
    attacker.set_cookie("connectcard", planted.value, domain="127.0.0.1")
    assert attacker.get("/").status_code == 302
    assert len(db.session.scalars(select(StaffSession)).all()) == 1


def test_the_neighbour_is_untouched_by_a_sign_in_next_door(client: FlaskClient, planning_center: PlanningCenter, neighbour: UUID) -> None:
    planning_center.sign_in(client)
    with every_church():
        assert db.session.scalars(select(Member).where(Member.church_id == neighbour)).all() == []
        assert db.session.get(Church, neighbour).name == "Hope Church"  # type: ignore[union-attr]
    assert "Hope" not in client.get("/").text
