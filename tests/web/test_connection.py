"""Connecting a church to Planning Center, testing that, and ending it."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
import requests_mock
from flask import Flask
from sqlalchemy import select

from connectcard.churches.models import Church, Member
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.config import Config
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.errors import ConfigError
from connectcard.web.sign_in import owner_link
from tests.conftest import ORIGIN, MovedClock, make_config
from tests.staff import StaffBrowser
from tests.web.consent import PlanningCenter

SignIn = Callable[..., StaffBrowser]


@pytest.fixture
def planning_center() -> Iterator[PlanningCenter]:
    with requests_mock.Mocker() as wire:
        yield PlanningCenter(wire)


def connection_of(church_id: UUID) -> Connection | None:
    with church_scope(church_id):
        return db.session.scalar(select(Connection))


def connect(planning_center: PlanningCenter, who: StaffBrowser) -> None:
    assert planning_center.sign_in(who.client, "/connection/start").location == "/connection"


def set_state(church_id: UUID, state: str) -> None:
    with church_scope(church_id), transaction() as database:
        database.scalars(select(Connection)).one().state = state


def revoked(planning_center: PlanningCenter) -> list[str]:
    return [request.text for request in planning_center.wire.request_history if request.path == "/oauth/revoke"]


def test_an_owner_connects_the_church_and_its_tokens_are_kept_sealed(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    assert "Connect to Planning Center" in sam.get("/connection").text
    connect(planning_center, sam)
    with church_scope(grace):
        kept = db.session.scalars(select(Connection)).one()
        assert (kept.state, kept.access_token, kept.refresh_token) == ("connected", "access-of-501", "refresh-of-501")
        assert b"access-of" not in (kept.access_token_sealed or b"")
        assert (kept.authorised_by, kept.organization_id) == ("Sam Hill", "1001")
        assert kept.choices_wanted_at is not None
    assert revoked(planning_center) == []
    page = sam.get("/connection").text
    assert "Connected to" in page
    assert "access-of" not in page


def test_connecting_asks_for_groups_check_ins_and_the_calendar_too(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    asked = planning_center.begin(sign_in(grace).client, "/connection/start")
    assert asked["scope"] == "openid people groups check_ins calendar"


def test_signing_in_is_not_connecting(app: Flask, planning_center: PlanningCenter) -> None:
    browser = app.test_client()
    planning_center.sign_in(browser)
    assert "Not connected" in browser.get("/connection").text
    with every_church():
        assert db.session.scalars(select(Connection)).all() == []


def test_the_consent_of_another_organization_connects_nothing_and_is_given_back(
    grace: UUID, neighbour: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    planning_center.organization_id, planning_center.organization_name = "1002", "Hope Church"
    answer = planning_center.sign_in(sign_in(grace).client, "/connection/start")
    assert answer.status_code == 409
    assert "Hope Church" in answer.text
    assert "Choose again" in answer.text
    assert len(revoked(planning_center)) == 2
    assert connection_of(grace) is None
    assert connection_of(neighbour) is None


def test_who_cannot_write_in_people_cannot_connect(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    planning_center.people_permissions = "Viewer"
    answer = planning_center.sign_in(sign_in(grace).client, "/connection/start")
    assert answer.status_code == 403
    assert "cannot write in People" in answer.text
    assert len(revoked(planning_center)) == 2
    assert connection_of(grace) is None


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_only_an_owner_connects_and_others_read_whom_to_ask(grace: UUID, sign_in: SignIn, role: str) -> None:
    eve = sign_in(grace, role=role, name="Eve Stone")
    assert eve.get("/connection/start").status_code == 403
    page = eve.get("/connection").text
    assert "Connecting is for an owner" in page
    assert "/connection/start" not in page


def test_who_is_no_owner_any_more_when_they_come_back_connects_nothing(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam = sign_in(grace)
    asked = planning_center.begin(sam.client, "/connection/start")
    with church_scope(grace), transaction() as database:
        database.scalars(select(Member)).one().role = "viewer"
    assert planning_center.allow(sam.client, asked).status_code == 403
    assert len(revoked(planning_center)) == 2
    assert connection_of(grace) is None


def test_a_consent_begun_as_a_sign_in_cannot_end_as_a_connection(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    asked = planning_center.begin(sam.client, "/sign-in/start")
    planning_center.allow(sam.client, asked, purpose="connect")
    assert connection_of(grace) is None


def test_when_planning_center_is_down_nothing_is_connected_and_the_page_leads_back(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam = sign_in(grace)
    asked = planning_center.begin(sam.client, "/connection/start")
    planning_center.wire.get(f"{ORIGIN}/people/v2/me", status_code=503, json={})
    answer = planning_center.allow(sam.client, asked)
    assert answer.status_code == 503
    assert 'href="/connection/start"' in answer.text
    assert connection_of(grace) is None


def test_a_dead_grant_puts_a_band_on_every_page_and_reconnecting_takes_it_away(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam, ada = sign_in(grace), sign_in(grace, role="staff", name="Ada Moss")
    connect(planning_center, sam)
    set_state(grace, "reconnect")
    for path in ("/", "/cards", "/runs", "/mapping"):
        page = sam.get(path).text
        assert "Planning Center needs to be connected again" in page, path
        assert 'href="/connection/start"' in page
        assert "Ask an owner of Grace Church to reconnect" in ada.get(path).text
    connect(planning_center, sam)
    assert "needs to be connected again" not in sam.get("/").text


def test_disconnecting_gives_the_tokens_back_and_forgets_them(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    answer = sam.post("/connection/disconnect", follow_redirects=True)
    assert "Planning Center is disconnected" in answer.text
    kept = connection_of(grace)
    assert kept is not None
    assert (kept.state, kept.access_token_sealed, kept.refresh_token_sealed) == ("disconnected", None, None)
    assert len(revoked(planning_center)) == 2
    assert "Connect to Planning Center" in sam.get("/connection").text


def test_a_disconnection_that_planning_center_did_not_hear_of_says_what_to_do_there(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    planning_center.wire.post(f"{ORIGIN}/oauth/revoke", status_code=503, text="")
    assert "an administrator can end it there" in sam.post("/connection/disconnect", follow_redirects=True).text
    kept = connection_of(grace)
    assert kept is not None
    assert kept.state == "disconnected"


@pytest.mark.parametrize(("headers", "begins"), [({}, "<!doctype html>"), ({"HX-Request": "true"}, '<section id="checks"')])
def test_testing_the_connection_lists_what_was_tried(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter, headers: dict[str, str], begins: str
) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    planning_center.wire.get(f"{ORIGIN}/people/v2/people", json={"data": [], "meta": {"total_count": 0}, "links": {}})
    page = sam.post("/connection/test", headers=headers).text.lstrip()
    assert page.startswith(begins)
    assert "Everything works" in page
    assert "People: write" in page


def test_testing_a_connection_that_is_gone_says_so(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    assert sam.post("/connection/test").status_code == 409
    connect(planning_center, sam)
    planning_center.wire.get(f"{ORIGIN}/people/v2/me", status_code=503, json={})
    assert "Something needs a look" in sam.post("/connection/test").text


def test_a_church_recorded_elsewhere_is_not_connected_here(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    with transaction() as database:
        database.get(Church, grace).origin = "https://api.planningcenteronline.com"  # type: ignore[union-attr]
    assert sam.get("/connection/start").status_code == 409
    assert "speaks to another Planning Center address" in sam.get("/connection").text


def test_the_neighbours_connection_is_neither_shown_nor_ended(
    grace: UUID, neighbour: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam, kim = sign_in(grace), sign_in(neighbour, name="Kim Reyes")
    connect(planning_center, sam)
    assert "Not connected" in kim.get("/connection").text
    assert kim.post("/connection/disconnect").status_code == 409
    kept = connection_of(grace)
    assert kept is not None
    assert kept.state == "connected"


class TestPersonalAccessToken:
    """The one church of an installation that hosts itself."""

    @pytest.fixture
    def config(self, database_url: str) -> Config:
        return make_config(database_url, pco_client_id="", pco_client_secret="", personal_access_token=("app-id", "secret"))

    def test_the_link_signs_the_owner_in_once_opens_the_church_and_connects_it(self, app: Flask, planning_center: PlanningCenter) -> None:
        address = owner_link(app)
        assert address.startswith("http://127.0.0.1:5000/sign-in/link/")
        path = address.removeprefix("http://127.0.0.1:5000")
        browser = app.test_client()
        assert browser.get(path).status_code == 200
        assert browser.get(path).status_code == 200
        assert browser.post(path).location == "/"
        assert "Grace Church" in browser.get("/").text
        assert "Connected to" in browser.get("/connection").text
        assert all(
            request.headers["Authorization"].startswith("Basic ")
            for request in planning_center.wire.request_history
            if request.path.startswith("/people")
        )
        for again in (app.test_client().get(path), app.test_client().post(path)):
            assert again.status_code == 410
            assert "has been used" in again.text

    def test_the_link_is_too_old_after_a_quarter_of_an_hour(
        self, app: Flask, planning_center: PlanningCenter, moved_clock: MovedClock
    ) -> None:
        path = owner_link(app).removeprefix("http://127.0.0.1:5000")
        moved_clock.move(minutes=15)
        assert app.test_client().post(path).status_code == 410

    def test_the_key_of_a_link_is_no_session_and_the_key_of_a_session_no_link(self, app: Flask, grace: UUID, sign_in: SignIn) -> None:
        browser = app.test_client()
        browser.set_cookie("connectcard", owner_link(app).rsplit("/", 1)[1], domain="127.0.0.1")
        assert browser.get("/connection").status_code == 302
        assert app.test_client().post(f"/sign-in/link/{sign_in(grace).key}").status_code == 410

    def test_when_planning_center_is_down_the_link_stays_good(self, app: Flask, planning_center: PlanningCenter) -> None:
        path = owner_link(app).removeprefix("http://127.0.0.1:5000")
        working = planning_center.wire.get(f"{ORIGIN}/people/v2/me", status_code=503, json={})
        browser = app.test_client()
        assert browser.post(path).status_code == 503
        assert working.called
        PlanningCenter(planning_center.wire)
        assert browser.post(path).status_code == 302

    def test_the_sign_in_page_says_how_and_offers_no_button_that_cannot_work(self, app: Flask) -> None:
        page = app.test_client().get("/sign-in").text
        assert "connectcard sign-in-link" in page
        assert "/sign-in/start" not in page
        assert app.test_client().get("/sign-in/start").status_code == 404

    def test_an_owner_connects_again_without_consent(self, app: Flask, planning_center: PlanningCenter) -> None:
        browser = app.test_client()
        browser.post(owner_link(app).removeprefix("http://127.0.0.1:5000"))
        page = browser.get("/connection").text
        token = page.split('name="csrf-token" content="')[1].split('"')[0]
        browser.post("/connection/disconnect", data={"csrf_token": token})
        answer = browser.post("/connection/personal-access-token", data={"csrf_token": token}, follow_redirects=True)
        assert "Connected to" in answer.text


def test_an_installation_without_a_personal_access_token_makes_no_link(app: Flask) -> None:
    with pytest.raises(ConfigError, match="PCO_APP_ID"):
        owner_link(app)
