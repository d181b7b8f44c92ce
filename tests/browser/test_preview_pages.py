"""The preview of a sync in a real browser: found card by card, ticked and unticked, sent; also without JavaScript."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.sync.models import SyncItem, SyncPreview
from connectcard.web.sessions import cookie_name
from tests import browsing
from tests.making import a_card
from tests.web.conftest import StaffBrowser, sign_in  # noqa: F401

SignIn = Callable[..., StaffBrowser]
REFUSED = "The form “Welcome” requires “Age”, which this card does not answer. Correct the card, or make that optional in the form."
LONG = {"first_name": "Bartholomew-Alexander", "last_name": "Featherstonehaugh-Montgomery"}


def new_person(name: str, email: str) -> dict[str, Any]:
    rows = [
        {"label": "New person", "now": "", "after": name, "mark": "m-person", "required": True},
        {"label": "Email", "now": "", "after": email, "mark": "m-email"},
        {"label": "Mobile number", "now": "", "after": "(512) 555-0177", "mark": "m-phone"},
        {"label": "How did you hear about us", "now": "", "after": "Friend or family", "mark": "m-heard"},
        {"label": "Note: Prayer request", "now": "", "after": "A note with what they wrote", "mark": "m-note"},
    ]
    words = "Nobody in Planning Center has this name, email or mobile number."
    return {"decision": decision("new", words), "rows": rows, "requests": 5, "problems": [], "fingerprint": "as seen"}


def known_person() -> dict[str, Any]:
    rows = [
        {"label": "Mobile number", "now": "+15125550100", "after": "(512) 555-0177", "mark": "m-phone"},
        {"label": "Name", "now": "Maria Lopez", "after": ""},
        {"label": "Email", "now": "maria.lopez@gmail.com", "after": ""},
    ]
    problems = ["“Baptism” has no matching choice in “Interests”, so it is not sent."]
    same = decision("same", "Same name and same email as Maria Lopez.", "48213")
    return {"decision": same, "rows": rows, "requests": 1, "problems": problems, "fingerprint": "as seen"}


def asked_about() -> dict[str, Any]:
    words = "Same email as Maria Lopez, but another name. It may be somebody of the same household."
    return {"decision": decision("unclear", words), "rows": [], "requests": 0, "problems": [], "fingerprint": "as seen"}


def decision(kind: str, words: str, person: str | None = None) -> dict[str, Any]:
    return {"kind": kind, "words": words, "person": person, "candidates": []}


@pytest.fixture
def cards(grace: UUID) -> dict[str, UUID]:
    """Four ready cards: a new person, one who is there, one to ask about, and one at which the worker still looks."""
    answers = {"long": LONG, "maria": {"first_name": "Maria"}, "carlos": {"first_name": "Carlos"}, "later": {"first_name": "Priya"}}
    cards = {name: a_card(grace, minutes_ago=60 - place, **said) for place, (name, said) in enumerate(answers.items())}
    found = {"long": new_person(" ".join(LONG.values()), "ana.lopez@gmail.com"), "maria": known_person(), "carlos": asked_about()}
    with church_scope(grace), transaction() as session:
        for name, contents in found.items():
            session.add(SyncPreview(submission_id=cards[name], made_at=now(), contents=contents))
        session.add(SyncPreview(submission_id=cards["later"]))
    return cards


def found_by_the_worker(church_id: UUID, card: UUID) -> None:
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(SyncPreview).where(SyncPreview.submission_id == card)).one()
        row.made_at, row.contents = now(), new_person("Priya Lopez", "priya@gmail.com")


@pytest.fixture
def key(grace: UUID, sign_in: SignIn) -> str:  # noqa: F811
    return sign_in(grace, "staff").key


def enter(context: BrowserContext, app: Flask, key: str, served: str) -> Page:
    context.add_cookies([{"name": cookie_name(app), "value": key, "url": served}])
    return context.new_page()


def nothing_can_be_sent(church_id: UUID, cards: dict[str, UUID]) -> None:
    """The form asks what one card does not answer, and the worker could not look at the others."""
    with church_scope(church_id), transaction() as session:
        for row in session.scalars(select(SyncPreview)):
            row.made_at, row.contents, row.problem = now(), None, "Planning Center could not be reached. Nothing is lost."
            if row.submission_id == cards["long"]:
                row.contents, row.problem = new_person("Ana", "ana@gmail.com") | {"rows": [], "requests": 0, "refusal": REFUSED}, None


def test_the_preview_is_readable_for_everybody(
    app: Flask, context: BrowserContext, served: str, grace: UUID, cards: dict[str, UUID], key: str
) -> None:
    page = enter(context, app, key, served)
    for name, path in {"preview": "/sync/preview", "card": f"/cards/{cards['long']}"}.items():
        page.goto(path)
        assert browsing.faults_everywhere(page, name) == []
    nothing_can_be_sent(grace, cards)
    for name, path in {"none": "/sync/preview", "refused": f"/cards/{cards['long']}", "failed": f"/cards/{cards['maria']}"}.items():
        page.goto(path)
        assert browsing.faults_everywhere(page, name) == []


def test_cards_are_filled_in_as_they_are_found_and_ticks_stay(
    app: Flask, context: BrowserContext, served: str, grace: UUID, cards: dict[str, UUID], key: str
) -> None:
    page = enter(context, app, key, served)
    page.goto("/sync/preview")
    long = page.locator(f"#previewed-{cards['long']}")
    long.get_by_label("Mobile number").uncheck()
    expect(long.get_by_text("left out").locator("visible=true")).to_have_count(1)
    page.get_by_label("Send the card of Carlos Lopez").uncheck()
    expect(page.get_by_text("Left out of this sync. It stays ready.").locator("visible=true")).to_have_count(1)
    found_by_the_worker(grace, cards["later"])
    expect(page.get_by_text("priya@gmail.com")).to_be_visible()
    expect(page.locator("#looking")).to_contain_text("Nothing was written yet.")
    expect(long.get_by_label("Mobile number")).not_to_be_checked()
    page.get_by_role("button", name="Send what is approved").click()
    page.wait_for_url("**/runs/1")
    assert approvals(grace) == {cards["long"]: ["m-phone"], cards["maria"]: [], cards["later"]: []}


def test_without_javascript_it_is_a_form_like_any_other(
    app: Flask, browser: Browser, served: str, grace: UUID, cards: dict[str, UUID], key: str
) -> None:
    with browsing.visitor(browser, served, java_script_enabled=False) as context:
        page = enter(context, app, key, served)
        page.goto("/sync/preview")
        page.locator(f"#previewed-{cards['long']}").get_by_label("Email").uncheck()
        page.get_by_label("Send the card of Carlos Lopez").uncheck()
        page.get_by_role("button", name="Send what is approved").click()
        page.wait_for_url("**/runs/1")
    assert approvals(grace) == {cards["long"]: ["m-email"], cards["maria"]: []}


def approvals(church_id: UUID) -> dict[UUID, list[str]]:
    with church_scope(church_id):
        return {item.submission_id: (item.approval or {})["left_out"] for item in db.session.scalars(select(SyncItem))}
