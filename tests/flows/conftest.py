"""Stories through real processes, and people with real browsers at them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import browsing
from tests.at_church import HOPE, Member
from tests.installation import Installation, installed


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    """Web, worker, Redis and Planning Center, each a process of its own, on a database of the test's own."""
    with installed(tmp_path, database_url) as installation:
        yield installation


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    with browsing.visitor(browser, installation.url) as context:
        yield context.new_page()


@pytest.fixture
def visitors_page(browser: Browser, installation: Installation) -> Iterator[Page]:
    """A visitor's own phone."""
    with browsing.visitor(browser, installation.url, size=browsing.PHONE) as context:
        yield context.new_page()


@pytest.fixture
def neighbours_page(browser: Browser, installation: Installation) -> Iterator[Page]:
    with browsing.visitor(browser, installation.url) as context:
        yield context.new_page()


@pytest.fixture
def ada(page: Page, installation: Installation) -> Member:
    """The owner of Grace Community Church, signed in, with the church connected."""
    ada = Member(page, installation)
    ada.sign_in()
    ada.connect()
    return ada


@pytest.fixture
def hugh(neighbours_page: Page, installation: Installation) -> Member:
    """The owner of Hope Chapel, the neighbour, signed in and connected in another browser."""
    hugh = Member(neighbours_page, installation, HOPE)
    hugh.sign_in()
    hugh.connect()
    return hugh
