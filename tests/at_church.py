"""What people do at a church, through the pages: a visitor with a card, and a member of staff at a desk."""

import re
from typing import Any
from uuid import uuid4

import requests
from playwright.sync_api import Page
from requests.adapters import HTTPAdapter

from tests import browsing
from tests.installation import Installation, eventually

GRACE, HOPE = 0, 1
ADMINISTRATORS = ("Ada Admin", "Hugh Admin")
ENDED = ("Finished", "Stopped")


class Member:
    """A member of staff with a browser, of the first practice church or of the second."""

    def __init__(self, page: Page, installation: Installation, church: int = GRACE, name: str = "") -> None:
        self.page, self.installation, self.church = page, installation, church
        self.name = name or ADMINISTRATORS[church]

    def consent(self) -> None:
        """Choose oneself on Planning Center's page and allow what is asked."""
        self.page.get_by_label(self.name).check()
        self.page.get_by_role("button", name="Allow").click()

    def sign_in(self) -> None:
        self.page.goto("/sign-in")
        self.page.get_by_role("link", name="Sign in with Planning Center").click()
        self.consent()
        self.page.wait_for_url(f"{self.installation.url}/")

    def connect(self) -> None:
        self.page.goto("/connection")
        self.page.get_by_role("link", name=re.compile("^(Connect to Planning Center|Reconnect)$")).first.click()
        self.consent()
        self.page.get_by_text("Connected to").first.wait_for()

    def wait_for_choices(self) -> None:
        """Until a worker has read the church's fields."""

        def read() -> bool:
            self.page.goto("/mapping")
            return self.page.get_by_text("Read from Planning Center").count() > 0

        eventually(read, "the church's fields to be read")

    def map_field(self, field: str, place: str) -> None:
        """Send one answer of the card to a place in Planning Center, named as the page names it."""
        self.page.goto("/mapping")
        self.page.get_by_role("link", name=f"Change {field}", exact=True).click()
        self.page.get_by_label(f"{field} goes to").select_option(label=place)
        self.page.get_by_role("button", name="Save").click()
        self.page.get_by_text("Saved").wait_for()

    def press_sync(self) -> int:
        """Press *Sync* in the inbox; gives the number of the run whose page opens."""
        self.page.goto("/cards?tab=ready")
        self.page.get_by_role("button", name=re.compile("^Sync")).click()
        self.page.wait_for_url(re.compile(r"/runs/\d+$"))
        return int(self.page.url.rsplit("/", 1)[1])

    def tiles(self) -> dict[str, int]:
        """The counters as they stand on the page now, without a reload."""
        read = "tiles => tiles.map(tile => [tile.querySelector('.tile-label').innerText, tile.querySelector('.tile-number').innerText])"
        return {label.capitalize(): int(number) for label, number in self.page.locator("#run .tile").evaluate_all(read)}

    def wait_for_the_end(self, seconds: float = 60) -> dict[str, int]:
        """Watch the page of a run until it says that the run has ended; the page is not reloaded. Gives the counters."""
        ended = self.page.locator("#run .status", has_text=re.compile("|".join(ENDED)))
        browsing.until(self.page, lambda _: ended.count(), "the run to end", seconds)
        return self.tiles()

    def look_at(self, view: str) -> None:
        """Open a read-only view of Planning Center, and wait until a worker has read it; the page asks for that by itself."""
        self.page.goto(view)
        self.page.get_by_text(re.compile(r"^\s*Read from Planning Center")).wait_for(timeout=45_000)

    def first_row_of(self, view: str) -> str:
        """The address of the first row's own page."""
        self.look_at(view)
        return str(self.page.locator("a.row-link").first.get_attribute("href"))

    def bring_the_directory_over(self) -> dict[str, str]:
        """Pull everything from Planning Center; gives the address of one person, one family and one group."""
        self.page.goto("/connection")
        self.page.locator("#start-pull_full").click()

        def pulled() -> bool:
            self.page.goto("/groups")
            return self.page.get_by_role("row").filter(has_text=re.compile(r"[1-9]")).count() > 0

        eventually(pulled, "people, families and groups to be pulled")
        return {kind: self._first_row(path) for kind, path in {"person": "/people", "family": "/families", "group": "/groups"}.items()}

    def change_a_contact(self, person: str) -> list[str]:
        """Change somebody's contact here, so that it waits; gives what the addresses of their contacts are made of."""
        self.page.goto(person)
        first = self.page.locator(".contact a", has_text="Change").first
        address = str(first.get_attribute("href"))
        first.click()
        self.page.get_by_label("Where it belongs").select_option("Other")
        self.page.get_by_role("button", name="Save").click()
        return [address.rsplit("/", 1)[1]]

    def _first_row(self, path: str) -> str:
        self.page.goto(path)
        return str(self.page.locator("a.row-link").first.get_attribute("href"))

    def card_address(self) -> str:
        """The public address of the church's card, as the home page shows it."""
        self.page.goto("/")
        shown = re.search(r"/c/[a-z0-9-]+/[a-z0-9-]+", self.page.content())
        assert shown, "the home page does not show the card's address"
        return shown[0]


def send_card(page: Page, address: str, *, visit: str = "first_time", **answers: str) -> None:
    """Fill in a card on a phone and send it."""
    page.goto(address)
    for name, answer in answers.items():
        page.locator(f'input[name="{name}"]').fill(answer)
    page.locator("label", has=page.locator(f'input[value="{visit}"]')).click()
    page.get_by_role("button", name="Send my card").click()
    page.wait_for_url(re.compile("/thanks"))


class FromPlace(HTTPAdapter):
    """A phone in a network of its own: too many cards from one place within a minute are doubted."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **how: Any) -> None:
        super().init_poolmanager(*sizes, source_address=(self.place, 0), **how)


def post_card(installation: Installation, address: str, *, place: str = "127.0.0.1", **answers: Any) -> None:
    """Send a card as a browser without JavaScript would."""
    form = {"submission_key": str(uuid4()), "visit": "first_time", **answers}
    with requests.Session() as phone:
        phone.mount(installation.url, FromPlace(place))
        origin = {"Origin": installation.url}
        answer = phone.post(f"{installation.url}{address}", form, headers=origin, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text


NAMES = (
    "Xiomara Zuniga",
    "Quillan Vandermeer",
    "Thandiwe Xaba",
    "Ulrike Zwicker",
    "Bogdan Yurchenko",
    "Iolanthe Quist",
    "Wren Zapata",
    "Ozias Ueda",
)


def post_new_people(installation: Installation, address: str, how_many: int) -> list[str]:
    """Cards of people whom the church does not know, each with an e-mail address and a phone number; gives their names."""
    for number, name in enumerate(NAMES[:how_many]):
        first, last = name.split()
        email, phone = f"{first}.{last}@gmail.com".lower(), f"312-555-01{number + 10}"
        post_card(installation, address, first_name=first, last_name=last, email=email, phone=phone)
    return list(NAMES[:how_many])


def copies(installation: Installation, names: list[str], church: int = GRACE) -> dict[str, list[tuple[int, int]]]:
    """For each name the people of that name in Planning Center, each as (how many e-mail addresses, how many phone numbers)."""
    people = installation.planning_center.people(church)
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in names}
    for person in people:
        name = f"{person['first_name']} {person['last_name']}"
        if name in found:
            found[name].append((len(person["emails"]), len(person["phone_numbers"])))
    return found


def exactly_once(names: list[str]) -> dict[str, list[tuple[int, int]]]:
    """What `copies` gives when nothing was lost and nothing was written twice."""
    return {name: [(1, 1)] for name in names}
