"""The next person at the tablet presses Back and sees nothing of the last one.

At the tablet that holds without JavaScript too. On a phone, which is the visitor's own, the browser may fill in for its owner; there
JavaScript clears, and without it only a browser that restores what its owner typed keeps it.

Playwright starts Chromium without its back/forward cache, and then this leak cannot be seen: here a Chromium keeps it, driven by
Selenium.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from sqlalchemy import func, select

from connectcard.cards.models import Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from tests.browsing import FLAGS, chromium
from tests.servers import wait_until

pytestmark = pytest.mark.browser

PHONE = "/c/grace/welcome"
TABLET = f"{PHONE}?at=tablet"
SECRETS = ("Anastasia", "anastasia@gmail.com", "the surgery on Friday", "Leonidas")


@pytest.fixture(autouse=True)
def _card(grace: UUID) -> None:
    with church_scope(grace), transaction():
        card = ensure_default_card(get_church())
        card.questions = card.questions | {"prayer": True}


@contextmanager
def started(*, javascript: bool) -> Iterator[Chrome]:
    program, driver = chromium(), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("chromium and chromedriver are not both here (apt-get install chromium-driver): the Back button was not tested")
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, "--headless=new", "--window-size=1180,820"):
        options.add_argument(flag)
    options.page_load_strategy = "eager"
    if not javascript:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    with Chrome(options=options, service=Service(driver)) as chrome:
        chrome.scripted = javascript
        yield chrome


@pytest.fixture
def with_javascript() -> Iterator[Chrome]:
    """A Chromium with its back/forward cache, as people have it."""
    with started(javascript=True) as chrome:
        yield chrome


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def driver(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    """The same, once with and once without JavaScript."""
    with started(javascript=request.param) as chrome:
        yield chrome


def write(driver: Chrome, name: str, text: str) -> WebElement:
    field = driver.find_element(By.NAME, name)
    field.send_keys(text)
    return field


def fill_in(driver: Chrome, url: str) -> None:
    driver.get(url)
    at_tablet_steps = driver.scripted and "tablet" in url
    if at_tablet_steps:
        driver.find_element(By.CSS_SELECTOR, "[data-visit=first_time]").click()
    write(driver, "first_name", "Anastasia")
    write(driver, "email", "anastasia@gmail.com")
    if at_tablet_steps:
        driver.find_element(By.CSS_SELECTOR, ".button[data-go=visit]").click()
    write(driver, "prayer", "the surgery on Friday")
    driver.find_element(By.CSS_SELECTOR, ".family summary").click()
    write(driver, "child_1_first_name", "Leonidas")


def send(driver: Chrome) -> None:
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    wait_until(lambda: driver.find_elements(By.ID, "thanks"), "the thank-you")


def shown(driver: Chrome) -> str:
    """Everything that could be read off the page: its text and what stands in its inputs."""
    fields = driver.find_elements(By.CSS_SELECTOR, "input, textarea")
    return " ".join(
        [
            driver.title,
            driver.current_url,
            driver.find_element(By.TAG_NAME, "body").text,
            *(str(field.get_property("value")) for field in fields),
        ]
    )


def ticked(driver: Chrome) -> list[str]:
    return [str(field.get_property("value")) for field in driver.find_elements(By.CSS_SELECTOR, "input:checked")]


def nothing_is_left(driver: Chrome) -> None:
    assert [secret for secret in SECRETS if secret in shown(driver)] == []
    assert ticked(driver) in ([], ["pastors"])


def test_back_after_sending_at_the_tablet_shows_nothing_of_the_last_visitor(driver: Chrome, served: str, grace: UUID) -> None:
    nothing_comes_back(driver, served, TABLET)
    with church_scope(grace):
        assert db.session.scalar(select(func.count(Submission.id))) == 1


def test_back_after_sending_on_a_phone_shows_nothing_either(with_javascript: Chrome, served: str) -> None:
    nothing_comes_back(with_javascript, served, PHONE)


def nothing_comes_back(driver: Chrome, served: str, path: str) -> None:
    driver.get(f"{served}/c/nobody/welcome")
    fill_in(driver, served + path)
    send(driver)
    assert "Anastasia" in shown(driver)
    for _ in range(2):
        driver.back()
        nothing_is_left(driver)
    for _ in range(2):
        driver.forward()
        nothing_is_left(driver)


def test_back_after_done_shows_nothing_of_the_last_visitor(driver: Chrome, served: str) -> None:
    fill_in(driver, served + TABLET)
    send(driver)
    driver.find_element(By.ID, "done").click()
    wait_until(lambda: driver.find_elements(By.ID, "card"), "a fresh card")
    nothing_is_left(driver)
    for _ in range(2):
        driver.back()
        nothing_is_left(driver)


def test_a_card_that_was_left_before_it_was_sent_does_not_come_back(driver: Chrome, served: str) -> None:
    fill_in(driver, served + TABLET)
    driver.get(f"{served}{TABLET}&lang=es")
    driver.back()
    nothing_is_left(driver)
