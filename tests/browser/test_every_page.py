"""Every page that the application has, in Chromium: nothing for axe to find, in the light and in the dark, on a phone and on a desk.

The pages are read off the application's own addresses, so that a new page is looked at without anybody thinking of it. With
SCREENSHOTS=1 the pictures of the README are made as well.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState
from werkzeug.routing import Rule

from connectcard import create_app
from connectcard.application import ROOT
from tests import browsing
from tests.at_church import HOPE, Member, post_card, post_new_people
from tests.conftest import make_config
from tests.installation import Installation, installed

PICTURES = ROOT / "docs" / "screenshots"
# Addresses that are no page of ours: files, and the ways to Planning Center and back.
NO_PAGES = {"static", "inbox.export", "run_history.export", "sign_in.start", "sign_in.callback", "connection.start"}
# Parts of a page, which the page itself asks for.
PARTS = {
    "approvals.found",
    "connection.board",
    "inbox.standing",
    "inbox.found_preview",
    "mapping.row",
    "push_previews.found",
    "push_records.found",
    "push_records.moved_on",
    "mapping.read_yet",
    "runs.progress",
    "views.read_yet",
    "directory.read_yet",
    "whose.searched",
}
# A one-time link exists where a church uses a personal access token; its page is looked at by the tests of the sign-in, those of what is
# sent from our directory by the tests of pushes.
ELSEWHERE = {"sign_in.link", "push_previews.preview", "push_records.record"}

# Read-only views of Planning Center that differ in what they show.
READ_ONLY = ["/views/check-ins", "/views/check-ins/locations", "/views/calendar", "/views/groups/events"]

PROBLEM_EMAIL = "nobody at all"


@dataclass(frozen=True)
class Story:
    """A church on a Monday morning, one that was opened a minute ago, and the browsers of those who work there."""

    installation: Installation
    browsers: dict[str, StorageState | None]
    card: str
    cards: list[str]
    views: list[str]
    directory: dict[str, str]
    contacts: list[str]


@dataclass(frozen=True)
class View:
    """Something to look at: whose browser, a name, how to get there, and which address of the application it is."""

    who: str
    name: str
    go: Callable[[Page], object]
    endpoint: str = ""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("every-page")
    (directory / "connectcard.sqlite").write_bytes(sqlite_template.read_bytes())
    with installed(directory, f"sqlite:///{directory / 'connectcard.sqlite'}") as installation:
        yield installation


@pytest.fixture(scope="module")
def story(browser: Browser, installation: Installation) -> Story:
    with ExitStack() as people:

        def somebody(name: str = "", church: int = 0) -> Member:
            context = people.enter_context(browsing.visitor(browser, installation.url))
            return Member(context.new_page(), installation, church, name)

        ada, hugh, vera = somebody(), somebody(church=HOPE), somebody("Vera Viewer")
        ada.sign_in()
        ada.connect()
        ada.wait_for_choices()
        views = [*READ_ONLY, ada.first_row_of("/views/groups/events?when=past")]
        for view in views:
            ada.look_at(view)
        directory = ada.bring_the_directory_over()
        contacts = ada.change_a_contact(directory["person"])
        card = ada.card_address()
        a_mondays_cards(installation, card)
        ada.press_sync()
        ada.wait_for_the_end()
        cards_of_today(installation, card)
        set_one_aside(ada)
        ada.page.goto("/cards?tab=all")
        cards = [str(link.get_attribute("href")) for link in ada.page.locator("a.row-link").all()]
        hugh.sign_in()
        vera.sign_in()
        states = {"ada": ada, "hugh": hugh, "vera": vera}
        browsers = {name: member.page.context.storage_state() for name, member in states.items()}
        return Story(installation, {"visitor": None, **browsers}, card, cards, views, directory, contacts)


def a_mondays_cards(installation: Installation, card: str) -> None:
    """New people, somebody known, somebody's spouse, and an e-mail address that Planning Center refuses."""
    known = installation.planning_center.someone()
    email = known["emails"][0]["address"]
    post_new_people(installation, card, 3)
    post_card(installation, card, first_name=known["first_name"], last_name=known["last_name"], email=email, phone="312-555-0142")
    post_card(installation, card, first_name="Quentin", last_name=known["last_name"], email=email, interests=["kids", "serving"])
    post_card(installation, card, first_name="Pat", last_name="Refused", email="pat@example.com", phone="312-555-0155")


def cards_of_today(installation: Installation, card: str) -> None:
    """Ready ones, one with a prayer and a family, and one that a program filled in."""
    family = {"spouse_first_name": "Ben", "child_1_first_name": "Leo", "child_1_age": "6"}
    post_card(installation, card, first_name="Maria", last_name="Lopez", email="maria.lopez@gmail.com", heard="friend", **family)
    post_card(installation, card, first_name="José Ángel", last_name="Núñez-Ortiz", phone="(512) 555-0177", prayer="For my mother, please.")
    post_card(installation, card, first_name="Buy", last_name="Cheap", email="shop@outlook.com", website="https://shop.example.org")
    post_card(installation, card, first_name="Set", last_name="Aside", email="set.aside@gmail.com")


def set_one_aside(ada: Member) -> None:
    ada.page.goto("/cards?tab=all&search=aside")
    ada.page.locator("a.row-link").first.click()
    ada.page.get_by_role("button", name="Ignore").first.click()


# What there is to look at.


def views(story: Story) -> list[View]:
    return [*every_address(story), *states_of_the_card(story), *a_church_that_just_opened(), *refusals()]


def every_address(story: Story) -> list[View]:
    """Each address of the application that is a page, with everything that can stand in it."""
    fills = {
        "church_slug": [story.card.split("/")[2]],
        "card_slug": [story.card.split("/")[3]],
        "submission_id": [card.rsplit("/", 1)[1] for card in story.cards],
        "number": ["1"],
        "card_field": ["visit", "interests", "membership", "group", "prayer"],
        **{f"{kind}_id": [address.rsplit("/", 1)[1]] for kind, address in story.directory.items()},
        "kind": ["email", "phone", "address"],
        "contact": story.contacts,
        "address": [view.removeprefix("/views/") for view in story.views],
    }
    return [
        View(who(rule), f"{rule.endpoint} {path}", at(path), rule.endpoint)
        for rule in pages_of_the_application()
        for path in filled(rule, fills)
    ]


def pages_of_the_application() -> list[Rule]:
    rules = create_app(make_config("sqlite://")).url_map.iter_rules()
    return [rule for rule in rules if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES | PARTS | ELSEWHERE]


def filled(rule: Rule, fills: dict[str, list[str]]) -> list[str]:
    paths = [rule.rule]
    for argument in sorted(rule.arguments):
        converters = [f"<{kind}{argument}>" for kind in ("", "uuid:", "int:", "path:")]
        paths = [swap(path, converters, value) for path in paths for value in fills[argument]]
    return paths


def swap(path: str, placeholders: list[str], value: str) -> str:
    for placeholder in placeholders:
        path = path.replace(placeholder, value)
    return path


def who(rule: Rule) -> str:
    return "visitor" if rule.endpoint.startswith(("capture.", "sign_in.")) else "ada"


def at(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


def states_of_the_card(story: Story) -> list[View]:
    def sent_with_mistakes(page: Page) -> None:
        page.goto(story.card)
        page.locator('input[name="email"]').fill(PROBLEM_EMAIL)
        page.get_by_role("button", name="Send my card").click()
        page.get_by_text("There is a problem").wait_for()

    def sent(page: Page) -> None:
        page.goto(story.card)
        page.locator('input[name="first_name"]').fill("Ana")
        page.locator('input[name="email"]').fill("ana@gmail.com")
        page.get_by_role("button", name="Send my card").click()
        page.wait_for_url("**/thanks*")

    in_spanish, at_the_tablet, nowhere = f"{story.card}?lang=es", f"{story.card}?at=tablet", "/c/no-such-church/welcome"
    addresses = {"the card in Spanish": in_spanish, "the card at the tablet": at_the_tablet, "no such card": nowhere}
    shown = [View("visitor", name, at(path)) for name, path in addresses.items()]
    return [*shown, View("visitor", "the card with mistakes", sent_with_mistakes), View("visitor", "the thank-you", sent)]


def a_church_that_just_opened() -> list[View]:
    paths = ("/", "/connection", "/webhooks", "/mapping", "/cards", "/cards?tab=all", "/runs")
    filters = (
        "/cards?tab=needs_you",
        "/cards?tab=synced",
        "/cards?state=suspected",
        "/cards?tab=all&search=nobody",
        "/cards?tab=all&page=9",
    )
    return [View("hugh", f"just opened {path}", at(path)) for path in paths] + [View("ada", path, at(path)) for path in filters]


def refusals() -> list[View]:
    paths = {
        "ada": ("/no-such-page", "/runs/999"),
        "vera": ("/mapping", "/", "/cards?tab=all", "/connection"),
        "visitor": ("/no-such-page",),
    }
    return [View(who, f"{who} at {path}", at(path)) for who, several in paths.items() for path in several]


# The pictures of the README.


@pytest.mark.skipif(not os.environ.get("SCREENSHOTS"), reason="pictures are made with SCREENSHOTS=1")
def test_make_the_pictures(browser: Browser, story: Story) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    pictures = {
        "card-phone": ("visitor", browsing.PHONE, story.card),
        "card-tablet": ("visitor", browsing.TABLET, f"{story.card}?at=tablet"),
        "sign-in": ("visitor", browsing.DESKTOP, "/sign-in"),
        "cards": ("ada", browsing.DESKTOP, "/cards?tab=all"),
        "card-detail": ("ada", browsing.DESKTOP, card_of(browser, story, "Quentin")),
        "sync-run": ("ada", browsing.DESKTOP, "/runs/1"),
        "mapping": ("ada", browsing.DESKTOP, "/mapping"),
    }
    for name, (who, size, path) in pictures.items():
        with browsing.visitor(browser, story.installation.url, size=size, storage_state=story.browsers[who]) as context:
            page = context.new_page()
            page.goto(path)
            page.screenshot(path=PICTURES / f"{name}.png", full_page=size == browsing.PHONE)
            assert (PICTURES / f"{name}.png").stat().st_size > 5000


def card_of(browser: Browser, story: Story, first_name: str) -> str:
    with browsing.visitor(browser, story.installation.url, storage_state=story.browsers["ada"]) as context:
        page = context.new_page()
        page.goto(f"/cards?tab=all&search={first_name}")
        return str(page.locator("a.row-link").first.get_attribute("href"))


# Looking at it.


@pytest.mark.timeout(400)
@pytest.mark.parametrize("quarter", range(4))
def test_nothing_is_wrong_with_any_page(browser: Browser, story: Story, quarter: int) -> None:
    found: dict[str, list[str]] = {}
    with ExitStack() as people:
        pages = {name: look(people, browser, story, state) for name, state in story.browsers.items()}
        for view in views(story)[quarter::4]:
            view.go(pages[view.who])
            if faults := browsing.faults_everywhere(pages[view.who]):
                found[view.name] = faults
    assert not found, "\n".join(f"{name}\n  " + "\n  ".join(faults) for name, faults in found.items())


def look(people: ExitStack, browser: Browser, story: Story, state: StorageState | None) -> Page:
    return people.enter_context(browsing.visitor(browser, story.installation.url, storage_state=state)).new_page()
