"""Duplicate review in a real browser: by key, by tap and without JavaScript, at each size, in the light and in the dark."""

from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect

from connectcard.sync.models import REVIEW
from tests import browsing
from tests.browser.test_preview_pages import enter, key, sign_in  # noqa: F401
from tests.making import a_card, an_item, candidate, standing_of, unclear

Cards = dict[str, UUID]
FITTING = ("first name", "last name", "email")


@pytest.fixture
def cards(grace: UUID) -> Cards:
    """A card that fits two people, and one that has somebody's e-mail address."""
    two = unclear(candidate("48213", "Ana Lopez", *FITTING), candidate("50922", "Ana Lopez-Garcia", "first name", "last name"))
    one = unclear(
        candidate("50771", "Robert Featherstonehaugh", "email"), words="Same email as Robert Featherstonehaugh, but another name."
    )
    cards = {"ana": a_card(grace, minutes_ago=9), "ben": a_card(grace, first_name="Ben", minutes_ago=5)}
    for card, question in zip(cards.values(), (two, one), strict=True):
        an_item(grace, card, REVIEW, decision=question)
    return cards


def test_the_comparison_is_readable_for_everybody(
    app: Flask,
    context: BrowserContext,
    served: str,
    cards: Cards,
    key: str,  # noqa: F811
) -> None:
    page = enter(context, app, key, served)
    for name, path in {"two": "/cards/review", "one": f"/cards/review?card={cards['ben']}"}.items():
        page.goto(path)
        assert browsing.faults_everywhere(page, f"review-{name}") == []


def test_the_keys_decide_take_back_and_go_on(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    cards: Cards,
    key: str,  # noqa: F811
) -> None:
    page = enter(context, app, key, served)
    page.goto("/cards/review")
    page.keyboard.press("s")
    expect(page.get_by_text("2 of 2")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_text("1 of 2")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("the same person as Ana Lopez-Garcia")).to_be_visible()
    expect(page.get_by_role("heading", name="Who is Ben Lopez?")).to_be_visible()
    assert standing_of(grace, cards["ana"]) == "sending"
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="Who is Ana Lopez?")).to_be_visible()
    assert standing_of(grace, cards["ana"]) == "review"
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Same household as Ana Lopez, but somebody new")).to_be_focused()
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Same household as Ana Lopez-Garcia, but somebody new")).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Who is Ben Lopez?")).to_be_visible()
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Nothing to review")).to_be_visible()
    assert standing_of(grace, cards["ben"]) == "sending"


def test_without_javascript_each_answer_is_a_button(
    app: Flask,
    browser: Browser,
    served: str,
    grace: UUID,
    cards: Cards,
    key: str,  # noqa: F811
) -> None:
    with browsing.visitor(browser, served, java_script_enabled=False) as context:
        page = enter(context, app, key, served)
        page.goto("/cards/review")
        page.get_by_role("button", name="Same person: update Ana Lopez (#48213)").click()
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Someone new").click()
        expect(page.get_by_text("Sam Hill said this is someone new.")).to_be_visible()
    assert standing_of(grace, cards["ana"]) == "sending"
