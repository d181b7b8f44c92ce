"""A real Chromium for the tests: what it refused under the page's own policy, and what axe finds, fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.servers import wait_until

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that does other work beside the tests is slow; whoever waits for what comes loses nothing by patience.
PATIENCE_MILLISECONDS = 45_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)
PHONE, TABLET, DESKTOP = (390, 844), (1024, 768), (1280, 900)


def chromium() -> str | None:
    """Where Chromium is, by CHROMIUM or on the path."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def headless_shell() -> str | None:
    """Chromium without its desktop, which opens a browser of one's own with a third of the work; where it is missing, the whole one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or chromium()


@contextmanager
def launched(program: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """What went wrong in a browser context without anybody looking: policy violations and script errors."""

    faults: list[str] = field(default_factory=list)

    def console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.faults.append(message.text)

    def error(self, error: Any) -> None:
        self.faults.append(str(error.error))


@contextmanager
def visitor(
    browser: Browser, base_url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False, **how: Any
) -> Iterator[BrowserContext]:
    """A person with a browser of their own; at the end nothing may have been refused by the policy nor failed in a script."""
    context = browser.new_context(
        base_url=base_url,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        **how,
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    watched = Watched()
    context.on("console", watched.console)
    context.on("weberror", watched.error)
    try:
        yield context
    finally:
        context.close()
    assert watched.faults == [], "the browser refused or failed something"


# What axe found in order is long, and takes longer to bring out of the browser than to find; where it is we are told by its HTML.
AXE_RUN = "axe.run({ resultTypes: ['violations'], selectors: false }).then(found => found.violations)"


def axe_findings(page: Page) -> list[str]:
    """What axe finds wrong on the page, one line each; light or dark as the page is shown now."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(AXE_RUN)
    return [
        f"{found['id']}: {found['help']}: {node['html'][:160]} {node['failureSummary']}" for found in violations for node in found["nodes"]
    ]


STICK_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const everything = [...document.body.querySelectorAll("*")];
  return everything.filter(one => one.getBoundingClientRect().right > width + 1).map(one => one.outerHTML.slice(0, 160));
}"""


def sticks_out(page: Page) -> list[str]:
    """What makes the page wider than the screen, so that it must be scrolled sideways; nothing where it fits."""
    return [f"sticks out: {html}" for html in page.evaluate(STICK_OUT)][:4]


# How a page is looked at: width and height, and whether it is dark. Axe looks twice, so that it sees both colours and both layouts.
LOOKS = (((320, 640), False), (PHONE, False), ((820, 1180), True), (DESKTOP, True))
AXE_LOOKS = (PHONE, DESKTOP)


def faults_everywhere(page: Page, name: str = "") -> list[str]:
    """What is wrong with the page as it stands, on every width, in the light and in the dark; one with a name is photographed."""
    found = []
    for size, dark in LOOKS:
        show(page, size, dark)
        seen = sticks_out(page) + (axe_findings(page) if size in AXE_LOOKS else [])
        found += [f"{size[0]}-{'dark' if dark else 'light'}: {fault}" for fault in seen]
    photograph(page, name)
    return found


def stop_the_clock(page: Page) -> None:
    """From now on the page's time moves by `page.clock.run_for` only, however slow the machine is; before the page is opened."""
    moment = datetime.now(UTC)
    page.clock.install(time=moment)
    page.clock.pause_at(moment + timedelta(seconds=1))


def show(page: Page, size: tuple[int, int], dark: bool) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme="dark" if dark else "light")


def photograph(page: Page, name: str) -> None:
    """With PICTURES=<directory> a page that has a name is kept as six pictures, to be looked at."""
    directory = os.environ.get("PICTURES")
    if not directory or not name:
        return
    for size, dark in product((PHONE, (820, 1180), DESKTOP), (False, True)):
        show(page, size, dark)
        page.screenshot(path=Path(directory) / f"{name}-{size[0]}-{'dark' if dark else 'light'}.png", full_page=True)


def until(page: Page, happened: Callable[[Page], object], what: str, seconds: float = 30) -> None:
    """Wait for something on a page. Playwright's own wait_for_function needs unsafe-eval, which our policy refuses."""

    def looked() -> object:
        page.wait_for_timeout(20)
        return happened(page)

    wait_until(looked, what, seconds)
