"""The application on a real socket and a real browser in front of it."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page

from connectcard.config import Config
from tests import browsing, servers
from tests.conftest import make_config


@pytest.fixture
def config(database_url: str, request: pytest.FixtureRequest) -> Config:
    """As everywhere, but reached at an address of its own; with Planning Center where the test asked for the simulator."""
    others = {"pco_base_url": request.getfixturevalue("simulator")} if "simulator" in request.fixturenames else {}
    return make_config(database_url, public_url=f"http://127.0.0.1:{servers.free_port()}", **others)


@pytest.fixture
def served(app: Flask, config: Config) -> Iterator[str]:
    """The application on a real socket, in threads of this process; gives its address."""
    with servers.serving(app, int(config.public_url.rsplit(":", 1)[1])) as url:
        yield url


@pytest.fixture
def context(browser: Browser, served: str) -> Iterator[BrowserContext]:
    """A person with a desktop browser in light colours."""
    with browsing.visitor(browser, served) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A desktop browser at the application; `page.goto("/c/...")`. For other sizes and for the dark: `browsing.visitor`."""
    return context.new_page()
