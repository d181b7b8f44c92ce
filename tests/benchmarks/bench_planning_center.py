"""What one new visitor costs in requests to Planning Center, and what one look of the page at a run costs.

It prints figures and asserts only that the visitor arrived whole.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import browsing
from tests.at_church import Member, post_card
from tests.benchmarks.load import get_page
from tests.installation import Installation, installed

pytestmark = pytest.mark.benchmark

SECONDS = 5


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    with installed(tmp_path, database_url) as installation:
        yield installation


@pytest.fixture
def ada(browser: Browser, installation: Installation) -> Iterator[Member]:
    with browsing.visitor(browser, installation.url) as context:
        ada = Member(context.new_page(), installation)
        ada.sign_in()
        ada.connect()
        ada.wait_for_choices()
        yield ada


def send_a_whole_visitor(installation: Installation, ada: Member) -> int:
    """E-mail, phone, address and two custom fields: how they heard about the church, and the date of the first visit."""
    address = {"address_street": "12 Oak Street", "address_city": "Springfield", "address_state": "IL", "address_zip": "62701"}
    contacts = {"email": "xiomara.zuniga@gmail.com", "phone": "(312) 555-0177"}
    post_card(installation, ada.card_address(), first_name="Xiomara", last_name="Zuniga", heard="drove_by", **contacts, **address)
    return installation.planning_center.last_number()


def test_requests_for_a_new_visitor(installation: Installation, ada: Member, capsys: pytest.CaptureFixture[str]) -> None:
    before = send_a_whole_visitor(installation, ada)
    ada.press_sync()
    assert ada.wait_for_the_end()["Created"] == 1
    sent = [entry for entry in installation.planning_center.log(before) if entry["path"].startswith("/people/")]
    created = next(place for place, entry in enumerate(sent) if entry["method"] == "POST")
    writes = [entry for entry in sent if entry["method"] != "GET"]
    back = [entry for entry in sent[created:] if entry["method"] == "GET"]
    with capsys.disabled():
        print("\nA new visitor with e-mail, phone, address and two custom fields:")
        print(f"  {created} reads, {len(writes)} writes, {len(back)} read back")
        for (method, path), times in Counter((entry["method"], entry["path"]) for entry in sent).items():
            print(f"  {times} x {method} {path}")
    [made] = installation.planning_center.named("Xiomara", "Zuniga")
    assert [len(made[part]) for part in ("emails", "phone_numbers", "addresses", "field_data")] == [1, 1, 1, 2]


def test_cost_of_one_poll(any_database: str, installation: Installation, ada: Member, capsys: pytest.CaptureFixture[str]) -> None:
    send_a_whole_visitor(installation, ada)
    installation.planning_center.settings(latency_ms=60_000)
    ada.press_sync()
    poll = ada.page.locator("#run").get_attribute("hx-get")
    cookie = "; ".join(f"{kept['name']}={kept['value']}" for kept in ada.page.context.cookies())
    figures = get_page(f"{installation.url}{poll}", SECONDS, cookie)
    with capsys.disabled():
        print(f"\nPolls of a run that stands still (204), {any_database}: {figures}")
    assert figures.failed == 0
