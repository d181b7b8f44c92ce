"""The first page: is everything fine, what is left to set up, and where the card is."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from connectcard.cards.models import Card, Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches import queries
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.sync.cards_in_sync import STANDINGS, TABS
from connectcard.sync.models import Destination, SyncItem, SyncRun
from connectcard.sync.overview import Overview
from connectcard.web.home import greeting, sentence
from tests.conftest import ORIGIN, MovedClock
from tests.staff import StaffBrowser

SignIn = Callable[..., StaffBrowser]


def open_card(church_id: UUID) -> UUID:
    with church_scope(church_id), transaction():
        return ensure_default_card(queries.get_church()).id


def connect(church_id: UUID, state: str = "connected") -> None:
    with church_scope(church_id), transaction() as database:
        database.add(Connection(origin=ORIGIN, organization_id="1001", state=state, authorised_by="Sam Hill"))


def card_in(church_id: UUID, name: str, item_state: str = "") -> None:
    """A card that came in, and as far as `item_state` says on its way in the run that has ended."""
    with church_scope(church_id), transaction() as database:
        card = database.scalars(select(Card)).one()
        submission = Submission(
            card_id=card.id, submission_key=uuid4(), answers_hash="0" * 64, first_name=name, answers={"first_name": name}
        )
        database.add(submission)
        database.flush()
        if item_state:
            run = database.scalar(select(SyncRun))
            database.add(SyncItem(submission_id=submission.id, run_id=run.id, state=item_state, reference=f"CC-{name[:4]}"))


def run_that_ended(church_id: UUID, **counted: int) -> None:
    with church_scope(church_id), transaction() as database:
        database.add(SyncRun(number=1, state="finished", started_by="Sam Hill", finished_at=now(), total=sum(counted.values()), **counted))


def test_a_new_church_is_led_from_step_to_step_by_what_is_really_there(grace: UUID, sign_in: SignIn) -> None:
    open_card(grace)
    sam = sign_in(grace)
    assert "1 of 5 done" in sam.get("/").text
    connect(grace)
    assert "2 of 5 done" in sam.get("/").text
    with church_scope(grace), transaction() as database:
        database.add(Destination(card_field="heard", kind="nothing", choices={}))
    assert "3 of 5 done" in sam.get("/").text
    card_in(grace, "Maria")
    assert "4 of 5 done" in sam.get("/").text
    run_that_ended(grace, created=1)
    assert "Set up Grace Church" not in sam.get("/").text


def test_the_cards_addresses_stand_on_the_page_for_phones_and_for_a_tablet(grace: UUID, sign_in: SignIn) -> None:
    open_card(grace)
    page = sign_in(grace).get("/").text
    with church_scope(grace):
        slug = db.session.scalars(select(Card)).one().slug
    assert f'data-copy="http://127.0.0.1:5000/c/grace/{slug}"' in page
    assert f'data-copy="http://127.0.0.1:5000/c/grace/{slug}?at=tablet"' in page


def test_the_sheet_to_print_leads_to_the_card(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    open_card(grace)
    sam, kim = sign_in(grace), sign_in(neighbour)
    with church_scope(grace):
        slug = db.session.scalars(select(Card)).one().slug
    page = sam.get(f"/poster/{slug}").text
    assert f"127.0.0.1:5000/c/grace/{slug}" in page
    assert sam.get(f"/c/grace/{slug}/code.svg").mimetype == "image/svg+xml"
    assert kim.get(f"/poster/{slug}").status_code == 404


def test_the_numbers_are_those_of_the_inbox_and_the_neighbours_are_not_among_them(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    for church_id in (grace, neighbour):
        open_card(church_id)
        run_that_ended(church_id, created=1, needs_you=1)
    card_in(grace, "Maria", "review")
    card_in(grace, "James")
    card_in(grace, "Priya", "synced")
    page = sign_in(grace).get("/").text
    assert numbers(page) == [1, 1, 1]
    assert "1 card needs you." in page
    assert numbers(sign_in(neighbour).get("/").text) == [0, 0, 0]


def numbers(page: str) -> list[int]:
    return [int(part.split("<")[0]) for part in page.split('class="tile-number">')[1:]]


def test_somebody_unknown_is_led_to_the_sign_in(app: Flask) -> None:
    assert app.test_client().get("/").location == "/sign-in"


@pytest.mark.parametrize(("hour_in_utc", "words"), [(16, "Good morning"), (22, "Good afternoon"), (2, "Good evening")])
def test_the_greeting_goes_by_the_churchs_own_clock(
    grace: UUID, sign_in: SignIn, moved_clock: MovedClock, hour_in_utc: int, words: str
) -> None:
    with transaction() as database:
        queries.find_church_by_slug("grace").time_zone = "America/Chicago"  # type: ignore[union-attr]
        database.flush()
    moved_clock.moment = moved_clock.moment.replace(hour=hour_in_utc)
    assert f"{words}, Sam" in sign_in(grace).get("/").text


def seen(*, came_in: bool = True, sent_once: bool = False, run: str = "", **counts: int) -> Overview:
    every = dict.fromkeys((*STANDINGS, *TABS), 0) | counts
    last_run: Any = SyncRun(id=uuid4(), church_id=uuid4(), number=7, state=run, started_by="Sam Hill") if run else None
    return Overview(every, fields_matched=True, card_came_in=came_in, sent_once=sent_once, last_run=last_run)


@pytest.mark.parametrize(
    ("overview", "state", "tone", "words"),
    [
        (seen(came_in=False), "disconnected", "info", "No cards yet"),
        (seen(sent_once=True), "disconnected", "info", "No card is waiting."),
        (seen(), "connected", "info", "No card is waiting."),
        (seen(needs_you=2), "connected", "warn", "2 cards need you."),
        (seen(needs_you=1, ready=8), "connected", "warn", "1 card needs you."),
        (seen(ready=8), "connected", "info", "8 cards ready for Planning Center."),
        (seen(sending=3, needs_you=2, run="running"), "connected", "info", "3 cards on the way"),
        (seen(sent_once=True, run="finished"), "connected", "ok", "Everything is fine"),
    ],
)
def test_one_line_says_the_first_thing_that_matters(overview: Overview, state: str, tone: str, words: str) -> None:
    said = sentence(overview, state)
    assert said is not None
    assert said.tone == tone
    assert said.words.startswith(words)


def test_the_line_is_silent_where_the_band_above_it_speaks() -> None:
    assert sentence(seen(ready=3), "reconnect") is None


def test_a_day_has_three_greetings() -> None:
    assert [greeting(hour) for hour in (0, 11, 12, 17, 18, 23)] == ["Good morning"] * 2 + ["Good afternoon"] * 2 + ["Good evening"] * 2
