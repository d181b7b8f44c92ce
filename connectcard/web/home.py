"""The first page: is everything fine, what is left to set up, and the card's own addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from connectcard.cards.models import Card
from connectcard.cards.queries import card_for, cards
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, DISCONNECTED, RECONNECT
from connectcard.connections.queries import find_connection
from connectcard.sync.cards_in_sync import NEEDS_YOU, READY, SENDING
from connectcard.sync.models import RUNNING, STOPPING
from connectcard.sync.overview import Overview, overview
from connectcard.web.access import staff_page
from connectcard.web.sessions import browser_session

blueprint = Blueprint("home", __name__)


@dataclass(frozen=True)
class Step:
    """One thing to set up; `done` is read from what is really there, nobody ticks it."""

    words: str
    done: bool
    path: str = ""
    action: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Link:
    """An address of a card, for one kind of use."""

    words: str
    address: str
    hint: str


@dataclass(frozen=True)
class Sentence:
    """The one line that says how things stand: its tone (ok, info, warn, bad) and where to go, if anywhere."""

    tone: str
    words: str
    path: str = ""
    action: str = ""


@blueprint.get("/")
def front() -> Response | str:
    """The first page for members, the sign-in for everybody else."""
    return page() if browser_session().signed_in else redirect(url_for("sign_in.page"))


@staff_page()
def page() -> str:
    seen, connection = overview(), find_connection()
    state = connection.state if connection else DISCONNECTED
    steps = steps_left(seen, state, _card_path())
    return render_template(
        "home/page.html",
        greeting=greeting(now().astimezone(ZoneInfo(g.church.time_zone)).hour),
        # The band above says that the sign-in is in trouble.
        sentence=sentence(seen, RECONNECT if connection and connection.not_renewed else state),
        overview=seen,
        steps=[] if all(step.done for step in steps) else steps,
        links=card_links(),
    )


def greeting(hour: int) -> str:
    return "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening"


def sentence(seen: Overview, state: str) -> Sentence | None:
    """Is everything fine? The first thing that is not, else what there is to be glad of; None where the band above says it. Pure."""
    waiting, unclear = seen.counts[READY], seen.counts[NEEDS_YOU]
    if state == RECONNECT:
        return None
    if seen.last_run and seen.last_run.state in (RUNNING, STOPPING):
        return Sentence("info", f"{counted(seen.counts[SENDING])} on the way to Planning Center.", f"/runs/{seen.last_run.number}", "Watch")
    if unclear:
        return Sentence("warn", f"{counted(unclear)} {needs(unclear)} you.", "/cards?tab=needs_you", "Look at them")
    if waiting:
        return Sentence("info", f"{counted(waiting)} ready for Planning Center.", "/cards?tab=ready", "Look at them")
    if seen.sent_once and state == CONNECTED:
        return Sentence("ok", "Everything is fine: no card is waiting.")
    if seen.card_came_in:
        return Sentence("info", "No card is waiting.")
    return Sentence("info", "No cards yet. Once a guest fills one in, it shows up here.")


def counted(number: int) -> str:
    return f"{number} card" if number == 1 else f"{number} cards"


def needs(number: int) -> str:
    return "needs" if number == 1 else "need"


def steps_left(seen: Overview, state: str, card_path: str) -> Sequence[Step]:
    """The way from the first sign-in to the first synced card, in its order."""
    matched = seen.fields_matched or seen.sent_once
    return [
        Step("Sign in with Planning Center", True),
        Step(f"Connect {g.church.name} to Planning Center", state == CONNECTED, "/connection", "Connect"),
        Step("Match card fields to Planning Center", matched, "/mapping", "Match", "The usual ones are filled in already."),
        Step("Check your card and send yourself a first one", seen.card_came_in, card_path, "Open the card"),
        Step("Sync it to Planning Center", seen.sent_once, "/cards", "Go to cards", "Look at what will change before anything is written."),
    ]


def _card_path() -> str:
    first = next(iter(cards()), None)
    return f"/c/{g.church.slug}/{first.slug}" if first else ""


@blueprint.get("/poster/<card_slug>")
@staff_page()
def poster(card_slug: str) -> str:
    """A sheet to print: the code that leads a guest's phone to the card, and its address in words."""
    card = card_for(card_slug)
    return render_template("home/poster.html", card=card, address=_address_of(card))


def card_links() -> Sequence[tuple[Card, list[Link]]]:
    """Each of the church's cards with its addresses."""
    return [(card, _links_of(_address_of(card))) for card in cards()]


def _address_of(card: Card) -> str:
    return f"{current_app.config['CONNECTCARD'].public_url}/c/{g.church.slug}/{card.slug}"


def _links_of(address: str) -> list[Link]:
    return [
        Link("For guests’ phones", address, "Put it in your bulletin or on the screen."),
        Link("For a tablet in the lobby", f"{address}?at=tablet", "Large type, and it clears itself for the next guest."),
    ]
