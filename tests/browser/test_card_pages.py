"""What staff see in a real browser: cards, syncs and field mapping, at each size, in the light and in the dark."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import Connection
from connectcard.database import transaction
from connectcard.sync.models import CLAIMED, FAILED, FINISHED, PENDING, REVIEW, RUNNING, SYNCED, SyncPreview, SyncRun
from connectcard.web.sessions import cookie_name
from tests import browsing
from tests.conftest import ORIGIN
from tests.making import a_card, a_run, a_step, an_item, candidate, unclear
from tests.sync.test_destinations import a_church_account
from tests.web.conftest import StaffBrowser, sign_in  # noqa: F401

SignIn = Callable[..., StaffBrowser]
LONG = "Bartholomew-Alexander Featherstonehaugh-Montgomery"
POLL_MILLISECONDS = 3100
PLAN = {
    "decision": {"kind": "new", "words": "Nobody in Planning Center has this name.", "person": None, "candidates": []},
    "rows": [
        {"label": "First visit date", "now": "", "after": "2026-11-22", "mark": "f1"},
        {"label": "Name", "now": "Ana Lopez", "after": ""},
    ],
    "requests": 1,
    "fingerprint": "as seen",
    "problems": ["“Baptism” has no matching choice in “Interests”, so it is not sent."],
}


@dataclass
class Sunday:
    """A church on a Sunday with a card in each state and a sync that is on."""

    church_id: UUID
    fresh: UUID
    unclear: UUID
    rejected: UUID
    synced: UUID
    suspected: UUID
    run_id: UUID

    @property
    def paths(self) -> dict[str, str]:
        return {
            "the inbox": "/cards?tab=all",
            "nothing found": "/cards?search=nobody",
            "a new card with its preview": f"/cards/{self.fresh}",
            "a decision": f"/cards/{self.unclear}",
            "a rejected card": f"/cards/{self.rejected}",
            "its correction": f"/cards/{self.rejected}/correct",
            "a synced card": f"/cards/{self.synced}",
            "a suspected card": f"/cards/{self.suspected}",
            "a sync": "/runs/2",
            "the syncs": "/runs",
            "field mapping": "/mapping",
        }


@pytest.fixture
def sunday(grace: UUID) -> Sunday:
    first, last = LONG.split()
    fresh = a_card(grace, first_name=first, last_name=last, interests=["kids", "small_groups"], prayer="For my mother", minutes_ago=3)
    people = unclear(candidate("48213", "Ana Lopez", "first name", "last name", "email"), candidate("50922", "Robert Lopez", "email"))
    unclear_card, rejected, synced = (a_card(grace, first_name=name, minutes_ago=9) for name in ("Ana", "Tom", "Priya"))
    a_run(grace, FINISHED, total=2, created=1, failed=1, finished_at=now())
    run = a_run(grace, RUNNING, total=8, created=1, needs_you=1, failed=1, started_at=now() - timedelta(seconds=12))
    an_item(grace, unclear_card, REVIEW, run, outcome="needs_you", decision=people, reason="Two people fit this card.")
    reason = "Planning Center did not accept Email: has a disallowed domain name."
    failed = an_item(grace, rejected, FAILED, run, outcome="failed", person_remote_id="48400", reason=reason)
    a_step(grace, failed, "New person")
    a_step(grace, failed, "Email", state="refused", problem="has a disallowed domain name")
    done = an_item(grace, synced, SYNCED, run, outcome="created", person_remote_id="48213", decision=PLAN["decision"])
    a_step(grace, done, "New person")
    an_item(grace, a_card(grace, first_name="Ben"), CLAIMED, run)
    an_item(grace, a_card(grace, first_name="Cleo"), PENDING, run)
    with church_scope(grace), transaction() as session:
        rate = {"rate_limit": 100, "rate_period": 20, "rate_count": 62, "rate_seen_at": now()}
        session.add(Connection(origin=ORIGIN, organization_id="1001", authorised_by="Sam Hill", choices_read_at=now(), **rate))
        session.add_all(a_church_account())
        session.add(SyncPreview(submission_id=fresh, made_at=now(), contents=PLAN))
    suspected = a_card(grace, first_name="Buy", last_name="Now", suspicion="Filled in within one second")
    return Sunday(grace, fresh, unclear_card, rejected, synced, suspected, run)


@pytest.fixture
def key(app: Flask, sunday: Sunday, sign_in: SignIn) -> str:  # noqa: F811
    """What opens the session of an owner of Grace Church."""
    return sign_in(sunday.church_id, "owner").key


def enter(context: BrowserContext, app: Flask, key: str, served: str) -> Page:
    context.add_cookies([{"name": cookie_name(app), "value": key, "url": served}])
    return context.new_page()


@pytest.fixture
def desk(app: Flask, context: BrowserContext, served: str, key: str) -> Page:
    """A signed-in owner at a desktop browser."""
    return enter(context, app, key, served)


def test_every_page_is_readable_for_everybody(desk: Page, sunday: Sunday) -> None:
    faults = {}
    for name, path in sunday.paths.items():
        desk.goto(path)
        faults[name] = browsing.faults_everywhere(desk)
    assert {name: found for name, found in faults.items() if found} == {}


def test_a_phone_shows_a_list_with_the_state_first(app: Flask, browser: Browser, served: str, sunday: Sunday, key: str) -> None:
    with browsing.visitor(browser, served, size=browsing.PHONE) as context:
        page = enter(context, app, key, served)
        page.goto("/cards?tab=needs_you")
        row = page.locator("tbody tr").first
        state, name = row.locator(".status").bounding_box(), row.locator(".row-link").bounding_box()
        assert state is not None
        assert name is not None
        assert state["y"] + state["height"] <= name["y"]
        row.click()
        page.wait_for_url("**/cards/*-*")


def change_run(sunday: Sunday, **values: object) -> None:
    with church_scope(sunday.church_id), transaction() as session:
        run = session.get_one(SyncRun, sunday.run_id)
        for name, value in values.items():
            setattr(run, name, value)
        run.version += 1


def test_the_counters_move_without_a_reload_and_the_polls_end_with_the_run(desk: Page, sunday: Sunday) -> None:
    polls: list[str] = []
    desk.on("request", lambda request: polls.append(request.url) if "/progress" in request.url else None)
    desk.clock.install()
    desk.goto("/runs/2")
    desk.evaluate("window.same_page = true")
    expect(desk.get_by_text("3 of 8 cards", exact=True)).to_be_visible()
    change_run(sunday, created=4)
    desk.clock.run_for(POLL_MILLISECONDS)
    expect(desk.get_by_text("6 of 8 cards", exact=True)).to_be_visible()
    assert desk.locator("#milestone").inner_text() == "6 of 8 cards are through. Some were not accepted."
    change_run(sunday, created=6, state=FINISHED, finished_at=now())
    desk.clock.run_for(POLL_MILLISECONDS)
    expect(desk.locator("#run .status", has_text="Finished")).to_be_visible()
    assert desk.locator("#milestone").inner_text() == "8 cards: 6 created, 1 needs you, 1 failed."
    assert desk.evaluate("window.same_page") is True
    assert desk.locator("[hx-get]").count() == 0
    until_now = len(polls)
    desk.clock.run_for(4 * POLL_MILLISECONDS)
    assert len(polls) == until_now


def test_the_keyboard_stays_where_it_is_while_the_counters_move(desk: Page, sunday: Sunday) -> None:
    desk.clock.install()
    desk.goto("/runs/2")
    desk.get_by_role("link", name="Fix and retry").focus()
    change_run(sunday, created=2)
    desk.clock.run_for(POLL_MILLISECONDS)
    expect(desk.get_by_text("4 of 8 cards", exact=True)).to_be_visible()
    assert desk.evaluate("document.activeElement.textContent") == "Fix and retry: Tom Lopez"


def test_a_row_of_the_mapping_is_changed_in_place(desk: Page, sunday: Sunday) -> None:
    desk.goto("/mapping")
    desk.evaluate("window.same_page = true")
    row = desk.locator("#interests")
    row.get_by_role("link", name="Change I'd like to know more about").click()
    place = row.get_by_label("I'd like to know more about goes to")
    expect(place).to_be_focused()
    row.get_by_label("Baptism").select_option("Kids")
    row.get_by_role("button", name="Save").click()
    expect(row.get_by_text("Saved")).to_be_visible()
    expect(row.get_by_role("link", name="Change I'd like to know more about")).to_be_focused()
    assert desk.evaluate("window.same_page") is True


def test_another_place_brings_its_own_choices_and_cancel_brings_the_row_back(desk: Page, sunday: Sunday) -> None:
    desk.goto("/mapping")
    row = desk.locator("#interests")
    row.get_by_role("link", name="Change").click()
    row.get_by_label("goes to").select_option("workflow_card:each")
    expect(row.get_by_label("Kids").locator("option", has_text="Kids check-in")).to_have_count(1)
    row.get_by_role("link", name="Cancel").click()
    expect(row.get_by_text("Visit › Interests")).to_be_visible()


def test_escape_leaves_a_row_as_it_was(desk: Page, sunday: Sunday) -> None:
    desk.goto("/mapping")
    row = desk.locator("#heard")
    row.get_by_role("link", name="Change").click()
    row.get_by_label("goes to").press("Escape")
    expect(row.get_by_role("link", name="Change")).to_be_focused()


def test_the_mapping_works_without_javascript(app: Flask, browser: Browser, served: str, sunday: Sunday, key: str) -> None:
    with browsing.visitor(browser, served, java_script_enabled=False) as context:
        page = enter(context, app, key, served)
        page.goto("/mapping")
        page.locator("#interests").get_by_role("link", name="Change").click()
        page.get_by_label("goes to").select_option("workflow_card:each")
        page.get_by_role("button", name="Show the choices of this place").click()
        page.get_by_label("Kids").select_option("31")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#interests")).to_contain_text("A workflow for each choice")


def test_staff_decide_who_it_is_with_the_keyboard(desk: Page, sunday: Sunday) -> None:
    desk.goto(f"/cards/{sunday.unclear}")
    desk.locator("input[name=person][value=new]").press(" ")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The card is on its way to Planning Center.")).to_be_visible()
    expect(desk.locator(".page-title .status")).to_have_text("Sending")


def test_rows_are_walked_with_j_and_k(desk: Page, sunday: Sunday) -> None:
    desk.goto("/cards?tab=all")
    names = desk.locator(".row-link").all_inner_texts()
    for pressed, expected in (("j", 0), ("j", 1), ("k", 0)):
        desk.keyboard.press(pressed)
        assert desk.evaluate("document.activeElement.innerText") == names[expected]
    desk.get_by_label("Name, email or mobile number").focus()
    desk.keyboard.type("jk")
    assert desk.get_by_label("Name, email or mobile number").input_value() == "jk"


def test_the_neighbour_sees_none_of_it(
    app: Flask,
    browser: Browser,
    served: str,
    sunday: Sunday,
    neighbour: UUID,
    sign_in: SignIn,  # noqa: F811
) -> None:
    hope = sign_in(neighbour, "owner", "Hope Owner").key
    with browsing.visitor(browser, served) as context:
        page = enter(context, app, hope, served)
        for name, path in sunday.paths.items():
            page.goto(path)
            shown = page.content()
            assert [word for word in ("Priya", "48213", "Featherstonehaugh", "Interests") if word in shown] == [], name
