"""The staff's pages as a person sees them: signing in, connecting, the frame of every page, and the little script behind it."""

import re
from uuid import UUID

import pytest
from flask import Flask, render_template
from jinja2 import ChoiceLoader, DictLoader
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from connectcard.cards.operations import ensure_default_card
from connectcard.churches.models import Church, StaffSession
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections.models import Connection
from connectcard.database import transaction
from connectcard.simulator.state import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET
from connectcard.sync.mirrors import want_view
from connectcard.sync.remote_views import BY_KEY
from connectcard.web.access import poll, staff_page
from connectcard.web.sessions import cookie_name
from tests import browsing, servers
from tests.browsing import PHONE
from tests.conftest import make_config
from tests.staff import StaffBrowser, signed_in
from tests.web.test_views import many_groups, was_read


@pytest.fixture
def config(database_url: str, simulator: str) -> Config:
    client = {"pco_client_id": PRACTICE_CLIENT_ID, "pco_client_secret": PRACTICE_CLIENT_SECRET}
    return make_config(database_url, public_url=f"http://127.0.0.1:{servers.free_port()}", pco_base_url=simulator, **client)


@pytest.fixture
def counted() -> dict[str, int]:
    return {"asked": 0}


SECTION = '<section id="live" data-poll hx-get="/polling/fragment" hx-trigger="every 200ms" hx-swap="outerHTML">Running</section>'
POLLING_PAGE = """{% extends "layout/staff.html" %}{% block title %}Run{% endblock %}{% block content %}SECTION{% endblock %}"""


@pytest.fixture
def polling(app: Flask, counted: dict[str, int]) -> None:
    """A page that polls, as the page of a run does."""

    def fragment() -> str:
        counted["asked"] += 1
        return SECTION

    pages = {"polling.html": POLLING_PAGE.replace("SECTION", SECTION)}
    app.jinja_loader = ChoiceLoader([DictLoader(pages), app.jinja_loader])  # type: ignore[assignment,list-item]
    app.add_url_rule("/polling/fragment", "polling_fragment", staff_page()(poll(fragment)))
    app.add_url_rule("/polling", "polling_page", staff_page()(lambda: render_template("polling.html")))


def enter(context: BrowserContext, app: Flask, who: StaffBrowser, address: str) -> Page:
    context.add_cookies([{"name": cookie_name(app), "value": who.key, "url": address}])
    return context.new_page()


def allow_as(page: Page, name: str) -> None:
    page.get_by_label(name).check()
    page.get_by_role("button", name="Allow").click()


def sign_in_as(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign in with Planning Center").click()
    allow_as(page, name)


def test_an_owner_signs_in_connects_the_church_tests_the_connection_and_ends_it(page: Page) -> None:
    sign_in_as(page, "Ada Admin")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("Good .*, Ada"))
    page.get_by_role("link", name="Connect", exact=True).click()
    page.get_by_role("link", name="Connect to Planning Center").click()
    allow_as(page, "Ada Admin")
    expect(page.locator(".sentence")).to_contain_text("Connected to Grace Community Church as Ada Admin")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#checks")).to_contain_text("Sign-in")
    expect(page.locator("#checks")).to_contain_text("People: write")
    assert browsing.axe_findings(page) == []
    page.get_by_role("button", name="Disconnect…").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Disconnect Grace Community Church from Planning Center?")
    assert browsing.axe_findings(page) == []
    question.get_by_role("button", name="Cancel").click()
    expect(page.locator(".sentence")).to_be_visible()
    page.get_by_role("button", name="Disconnect…").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("Planning Center is disconnected")).to_be_visible()


def test_who_presses_deny_or_has_no_rights_reads_the_next_step(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_role("link", name="Sign in with Planning Center").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You did not allow it")
    page.get_by_role("link", name="Try again").click()
    allow_as(page, "Noah Noaccess")
    expect(page.get_by_role("main")).to_contain_text("Ask an organization administrator")
    page.get_by_role("link", name="Sign in again").click()
    allow_as(page, "Vera Viewer")
    expect(page.get_by_role("main")).to_contain_text("Grace Community Church is not on connectcard yet")
    assert browsing.axe_findings(page) == []


def test_a_second_church_in_one_browser_is_asked_for_and_the_first_one_can_stay(page: Page) -> None:
    sign_in_as(page, "Ada Admin")
    for stays in (True, False):
        page.goto("/sign-in/start")
        allow_as(page, "Hugh Admin")
        expect(page.get_by_role("heading", level=1)).to_have_text("You are signed in for another church")
        assert browsing.axe_findings(page) == []
        if stays:
            page.get_by_role("link", name="Stay where I was").click()
            expect(page.get_by_role("banner")).to_contain_text("Grace Community Church")
        else:
            page.get_by_role("button", name="Go on as Hugh Admin").click()
            expect(page.get_by_role("banner")).to_contain_text("Hope Chapel")


ELSEWHERE = ("/sign-in/start", "/oauth/", "/connection/start", "/cards/export", "/runs/history.csv")


def pages_of(app: Flask) -> list[str]:
    """Every page that needs nothing in its address; fragments and the ways out of the house are none."""
    rules = [rule for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())]
    pages = [rule.rule for rule in rules if not getattr(app.view_functions[rule.endpoint], "is_poll", False)]
    return sorted(path for path in pages if not path.startswith(ELSEWHERE))


def test_every_page_is_clean_and_fits_the_screen(app: Flask, served: str, browser: Browser, grace: UUID) -> None:
    assert "/" in pages_of(app)
    with browsing.visitor(browser, served) as context:
        page = enter(context, app, signed_in(app, grace), served)
        for path in pages_of(app):
            page.goto(path)
            assert browsing.faults_everywhere(page) == [], path
        context.clear_cookies()
        for path in ("/sign-in", "/nothing", "/oauth/callback"):
            page.goto(path)
            assert browsing.faults_everywhere(page) == [], path


def test_on_a_phone_everything_is_reached_from_the_bar_below(app: Flask, served: str, browser: Browser, grace: UUID) -> None:
    with browsing.visitor(browser, served, size=PHONE, has_touch=True) as context:
        page = enter(context, app, signed_in(app, grace), served)
        page.goto("/")
        bar = page.get_by_role("navigation")
        expect(bar).to_have_count(1)
        bar.get_by_text("More", exact=True).tap()
        expect(bar.get_by_role("link", name="Field mapping")).to_be_visible()
        assert browsing.axe_findings(page) == []
        page.keyboard.press("Escape")
        expect(bar.get_by_role("link", name="Field mapping")).to_be_hidden()
        bar.get_by_text("More", exact=True).tap()
        bar.get_by_role("link", name="Connection").tap()
        expect(page.get_by_role("heading", level=1)).to_have_text("Planning Center")
        bar.get_by_text("More", exact=True).tap()
        bar.get_by_role("button", name="Sign out everywhere").tap()
        page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").tap()
        expect(page.get_by_role("link", name="Sign in with Planning Center")).to_be_visible()


def test_the_keyboard_reaches_the_page_past_the_navigation(app: Flask, served: str, context: BrowserContext, grace: UUID) -> None:
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_the_cards_address_is_copied(app: Flask, served: str, context: BrowserContext, grace: UUID) -> None:
    with church_scope(grace), transaction():
        ensure_default_card(get_church())
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/")
    button = page.get_by_role("button", name=re.compile("phones"))
    button.click()
    expect(button).to_contain_text("Copied")
    assert str(page.evaluate("navigator.clipboard.readText()")).startswith(f"{served}/c/grace/")


def test_a_poll_rests_in_a_hidden_tab(
    app: Flask,
    served: str,
    context: BrowserContext,
    grace: UUID,
    polling: None,
    counted: dict[str, int],
) -> None:
    page = enter(context, app, signed_in(app, grace), served)
    page.clock.install()
    page.goto("/polling")
    page.clock.run_for(1000)
    browsing.until(page, lambda _: counted["asked"] >= 1, "the page to poll")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.run_for(1000)
    resting = counted["asked"]
    page.clock.run_for(60_000)
    assert counted["asked"] == resting
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    page.clock.run_for(1000)
    browsing.until(page, lambda _: counted["asked"] > resting, "the page to poll again")


def test_a_lost_connection_is_said_once_and_takes_itself_back(
    app: Flask,
    served: str,
    context: BrowserContext,
    grace: UUID,
    polling: None,
) -> None:
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/polling")
    said = page.locator("#said")
    expect(said).to_be_hidden()
    context.set_offline(True)
    expect(said).to_be_visible()
    expect(page.locator("#live")).to_have_text("Running")
    context.set_offline(False)
    expect(said).to_be_hidden()


@pytest.mark.usefixtures("polling")
def test_a_page_whose_browser_went_over_to_another_church_becomes_that_churchs(
    app: Flask, served: str, context: BrowserContext, grace: UUID, neighbour: UUID
) -> None:
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/polling")
    expect(page.locator(".brand-name").last).to_have_text("Grace Church")
    context.add_cookies([{"name": cookie_name(app), "value": signed_in(app, neighbour).key, "url": served}])
    expect(page.locator(".brand-name").last).not_to_have_text("Grace Church")


def test_what_somebody_types_into_the_search_of_a_view_stays_when_a_worker_has_read(
    app: Flask, served: str, context: BrowserContext, grace: UUID
) -> None:
    connect(grace, app)
    was_read(grace, "groups", *many_groups(2))
    with church_scope(grace), transaction():
        want_view(BY_KEY["groups"])
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/views/groups")
    expect(page.get_by_role("status").first).to_contain_text("Reading")
    page.get_by_label("Group", exact=True).fill("Group 0")
    was_read(grace, "groups", *many_groups(3))
    expect(page.get_by_role("row")).to_have_count(4)
    expect(page.get_by_label("Group", exact=True)).to_have_value("Group 0")
    expect(page.get_by_label("Group", exact=True)).to_be_focused()


def test_a_part_of_a_page_that_is_refused_says_why(app: Flask, served: str, context: BrowserContext, grace: UUID) -> None:
    connect(grace, app)
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/connection")
    with church_scope(grace), transaction() as database:
        database.delete(database.scalars(select(Connection)).one())
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#said")).to_have_text("There is no working connection to test. Connect the church first.")
    assert browsing.axe_findings(page) == []


def connect(church_id: UUID, app: Flask) -> None:
    origin = app.config["CONNECTCARD"].pco_base_url
    with church_scope(church_id), transaction() as database:
        database.scalars(select(Church)).one().origin = origin
        database.add(Connection(origin=origin, organization_id="1001", authorised_by="Sam Hill"))


def test_a_session_that_ends_under_a_polling_page_leads_to_the_sign_in(
    app: Flask,
    served: str,
    context: BrowserContext,
    grace: UUID,
    polling: None,
) -> None:
    page = enter(context, app, signed_in(app, grace), served)
    page.goto("/polling")
    with transaction() as database:
        for row in database.scalars(select(StaffSession)):
            database.delete(row)
    page.wait_for_url(re.compile(r"/sign-in\?next=/polling$"))
    expect(page.get_by_role("link", name="Sign in with Planning Center")).to_be_visible()
