"""Connecting a church to Planning Center, testing that, and ending it."""

import csv
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import requests_mock
from flask import Flask
from sqlalchemy import select

from connectcard.churches.models import Church, Member
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.errors import ConfigError
from connectcard.sync import starting
from connectcard.sync.events import EVENTS
from connectcard.sync.models import SyncRun
from connectcard.sync.webhook_models import WebhookAddress, WebhookSubscription
from connectcard.web.sign_in import owner_link
from tests.conftest import ORIGIN, MovedClock, make_config
from tests.making import a_run
from tests.staff import StaffBrowser
from tests.web.consent import PlanningCenter

RATE = {"X-PCO-API-Request-Rate-Limit": "100", "X-PCO-API-Request-Rate-Period": "20", "X-PCO-API-Request-Rate-Count": "5"}
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


def test_a_sign_in_that_was_not_renewed_is_said_softly_until_it_is_tried_once_more(
    grace: UUID, neighbour: UUID, sign_in: SignIn, planning_center: PlanningCenter, moved_clock: MovedClock
) -> None:
    sam, hope = sign_in(grace), sign_in(neighbour)
    connect(planning_center, sam)
    with church_scope(grace), transaction() as database:
        database.scalars(select(Connection)).one().second_try_at = now() + timedelta(minutes=15)
    for path in ("/", "/cards", "/runs"):
        page = sam.get(path).text
        assert "Planning Center did not renew the sign-in." in page, path
        assert "tried again at 3:15" in page.replace("\u202f", " ")
        assert "needs to be connected again" not in page
        assert "Everything is fine" not in page
    page = sam.get("/connection").text
    assert "Sign-in not renewed" in page
    assert 'href="/connection/start"' in page, "an owner may reconnect at any time"
    assert "did not renew" not in hope.get("/").text
    moved_clock.move(minutes=16)
    assert "tried again now" in sam.get("/cards").text
    connect(planning_center, sam)
    assert "did not renew" not in sam.get("/").text


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
    nobody = {"data": [], "meta": {"total_count": 0}, "links": {}}
    for path in ("people/v2/people", "groups/v2/groups", "check-ins/v2/events", "calendar/v2/events", "webhooks/v2/webhook_subscriptions"):
        planning_center.wire.get(f"{ORIGIN}/{path}", json=nobody, headers=RATE)
    of_groups = {"type": "Person", "id": "501", "attributes": {"permissions": "administrator"}}
    planning_center.wire.get(f"{ORIGIN}/groups/v2/me", json={"data": of_groups})
    page = sam.post("/connection/test", headers=headers).text.lstrip()
    assert page.startswith(begins)
    assert "Everything works" in page
    assert all(name in page for name in ("People: write", "Groups", "Check-Ins", "Calendar", "Webhooks", " ms"))


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


# What works, what is going on, what was.


def set_products(church_id: UUID, **products: str) -> None:
    with church_scope(church_id), transaction() as database:
        database.scalars(select(Connection)).one().products = products


def test_each_product_stands_there_in_words_with_what_it_costs_to_miss_it(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    set_products(grace, people="ok", groups="hidden_rows", calendar="no_scope", **{"check-ins": "no_access"})
    page = " ".join(sam.get("/connection").text.split())
    for words in (
        "people and families are kept the same here and there",
        "leaves out what Sam Hill may not see",
        "Sam Hill may not use Check-Ins. Check-ins are not shown here.",
        "The calendar is not shown here. An owner can press “Reconnect” and allow it.",
    ):
        assert words in page


def squeezed(page: str) -> str:
    """On one line, without the form tokens, which tell the second in which they were made."""
    return " ".join(re.sub(r'name="csrf_token" value="[^"]*"', "", page).split())


def test_a_run_that_is_on_is_shown_moving_and_the_fragment_is_the_pages_own(
    grace: UUID, neighbour: UUID, sign_in: SignIn, planning_center: PlanningCenter
) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    a_run(neighbour, kind="pull_full", progress={"stage": "Reading families", "done": 7, "of": 9})
    assert "Going on now" not in sam.get("/connection").text
    a_run(grace, kind="pull_people", progress={"stage": "Reading people", "done": 1200, "of": 5000})
    page = squeezed(sam.get("/connection").text)
    assert "1,200 of 5000 people" in page
    assert 'hx-trigger="every 3s"' in page
    assert "Reading families" not in page
    fragment = sam.get("/connection/board").text
    assert squeezed(fragment) in page
    (seen,) = re.findall(r"seen=([^\"&]*)", fragment)
    assert sam.get(f"/connection/board?seen={seen}").status_code == 204
    with church_scope(grace), transaction() as database:
        database.scalars(select(SyncRun)).one().progress = {"stage": "Reading people", "done": 1300, "of": 5000}
    assert "1,300 of 5000" in sam.get(f"/connection/board?seen={seen}").text


def test_the_history_has_every_kind_of_run_a_filter_and_a_file(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    a_run(grace, "finished", created=3)
    a_run(grace, "finished", kind="pull_people", updated=20, failed=1, started_by="=HYPERLINK(1)", note="Two people could not be read.")
    a_run(neighbour, "finished", kind="pull_groups", failed=4)
    sam = sign_in(grace)
    everything, problems = sam.get("/runs").text, sam.get("/runs?problems=1").text
    assert "People from Planning Center 2" in everything
    assert "Sync 1" in everything
    assert "Two people could not be read." in problems
    assert "Sync 1<" not in problems
    rows = list(csv.reader(sam.get("/runs/history.csv").text.removeprefix("\ufeff").splitlines()))
    assert [row[:3] for row in rows[1:]] == [["2", "People from Planning Center", "'=HYPERLINK(1)"], ["1", "Sync", "Sam Hill"]]
    assert len(list(csv.reader(sam.get("/runs/history.csv?problems=1").text.splitlines()))) == 2


def test_a_kind_of_run_that_is_there_has_a_button_and_others_are_not_offered(
    grace: UUID, sign_in: SignIn, planning_center: PlanningCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    page = sam.get("/connection").text
    assert all(f'id="start-pull_{what}"' in page for what in ("people", "families", "groups", "full"))
    assert 'id="start-push_people"' in page
    assert "in Planning Center already" in sam.post("/connection/runs/push_people", follow_redirects=True).text
    started: list[str] = []

    def pull_people(member_name: str) -> SyncRun:
        started.append(member_name)
        run = SyncRun(number=1, kind="pull_people", started_by=member_name)
        db.session.add(run)
        return run

    monkeypatch.setattr(starting, "PULLS", {"pull_people": pull_people})
    monkeypatch.setattr(starting, "PUSHES", {})
    page = sam.get("/connection").text
    assert 'id="start-pull_people"' in page
    assert "start-push" not in page
    assert "start-pull" not in sign_in(grace, "viewer", "Vera").get("/connection").text
    assert sign_in(grace, "viewer", "Vic").post("/connection/runs/pull_people").status_code == 403
    assert sam.post("/connection/runs/pull_people").status_code == 303
    assert sam.post("/connection/runs/push_people").status_code == 404
    assert started == ["Sam Hill"]
    assert "Going on now" in sam.get("/connection").text


def told_of_everything_more(church_id: UUID) -> str:
    """The address is there since the church connected; now a worker has subscribed. Gives the address's key."""
    with church_scope(church_id), transaction() as database:
        address = database.scalars(select(WebhookAddress)).one()
        for number, name in enumerate(EVENTS):
            database.add(WebhookSubscription(address_id=address.id, name=name, remote_id=str(number), state="active"))
        return address.key


def test_disconnecting_ends_the_subscriptions(grace: UUID, sign_in: SignIn, planning_center: PlanningCenter) -> None:
    sam = sign_in(grace)
    connect(planning_center, sam)
    told = told_of_everything_more(grace)
    gone = planning_center.wire.delete(re.compile(f"{ORIGIN}/webhooks/v2/webhook_subscriptions/"), status_code=204, headers=RATE)
    sam.post("/connection/disconnect")
    assert gone.call_count == len(EVENTS)
    assert sam.client.post(f"/webhooks/planning-center/{told}", data=b"{}").status_code == 404
