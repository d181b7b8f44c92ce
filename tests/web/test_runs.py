"""Sync to Planning Center: one press, live figures, and what became of each card."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from connectcard.churches.models import StaffSession
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import RECONNECT, Connection
from connectcard.database import db, transaction
from connectcard.sync.models import (
    CLAIMED,
    FAILED,
    FINISHED,
    PENDING,
    REVIEW,
    RUNNING,
    STOPPING,
    SYNCED,
    UNDO,
    WAITING,
    SyncItem,
    SyncOutcome,
    SyncRun,
)
from tests.conftest import ORIGIN, MovedClock
from tests.making import a_card, a_run, a_step, an_item, standing_of
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]


@pytest.fixture
def sam(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    return sign_in(grace, "staff")


def connect(church_id: UUID, **values: object) -> None:
    with church_scope(church_id), transaction() as session:
        session.add(Connection(origin=ORIGIN, organization_id="1001", authorised_by="Sam Hill", **values))


def change_run(church_id: UUID, run_id: UUID, **values: object) -> None:
    """As the worker does: every change raises the version."""
    with church_scope(church_id), transaction() as session:
        run = session.get_one(SyncRun, run_id)
        for name, value in values.items():
            setattr(run, name, value)
        run.version += 1


def poll_address(page: str) -> str:
    return page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")


def test_one_press_starts_one_run_and_a_second_press_shows_the_same(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_card(grace), a_card(grace, first_name="Ben")
    assert [sam.post("/sync").location for _ in range(2)] == ["/runs/1", "/runs/1"]
    assert [standing_of(grace, card) for card in (ana, ben)] == ["sending", "sending"]
    assert "Watch sync 1" in sam.get("/cards?tab=all").text
    with church_scope(grace):
        assert db.session.scalar(select(func.count()).select_from(SyncItem)) == 2


def test_nothing_ready_says_so(grace: UUID, sam: StaffBrowser) -> None:
    assert "No card is ready to be sent: 0 created, 0 changed." in sam.post("/sync", follow_redirects=True).text
    assert "No sync yet" in sam.get("/runs").text


def test_the_page_says_how_far_it_is(moved_clock: MovedClock, grace: UUID, sam: StaffBrowser) -> None:
    connect(grace, rate_limit=100, rate_period=20, rate_count=62, rate_seen_at=now())
    started = now() - timedelta(seconds=34)
    figures = {"created": 9, "updated": 5, "skipped": 1, "needs_you": 1, "failed": 1}
    run = a_run(grace, RUNNING, total=25, started_at=started, **figures)
    an_item(grace, a_card(grace), CLAIMED, run)
    page = sam.get("/runs/1").text
    for words in (
        "17 of 25 cards",
        "about 16 seconds left",
        "Planning Center allows 100 requests per 20 seconds. Using 62.",
        "You can close this page",
        "Stop after this card",
        'http-equiv="refresh"',
        'hx-trigger="every 3s"',
        '<progress class="progress" max="25" value="17"',
    ):
        assert words in page, words


def test_the_poll_is_silent_until_something_changes_and_ends_with_the_run(grace: UUID, sam: StaffBrowser) -> None:
    connect(grace)
    run = a_run(grace, RUNNING, total=2)
    an_item(grace, a_card(grace), CLAIMED, run)
    address = poll_address(sam.get("/runs/1").text)
    assert sam.get(address).status_code == 204
    change_run(grace, run, created=1)
    moved = sam.get(address)
    assert "1 of 2 cards" in moved.text
    assert poll_address(moved.text) != address
    change_run(grace, run, updated=1, state=FINISHED, finished_at=now())
    ended = sam.get(poll_address(moved.text)).text
    assert "2 cards: 1 created, 1 updated." in ended
    assert "hx-get" not in ended
    assert "Stop after this card" not in ended


def test_whoever_watches_a_run_to_its_end_can_take_it_back_at_once(grace: UUID, sam: StaffBrowser) -> None:
    connect(grace)
    run = a_run(grace, RUNNING, total=1)
    made = an_item(grace, a_card(grace), SYNCED, run, outcome="created", person_remote_id="48213")
    a_step(grace, made, "New person", run_id=run, intent_at=now())
    page = sam.get("/runs/1").text
    assert "Undo this run" not in page
    change_run(grace, run, created=1, state=FINISHED, finished_at=now())
    assert "Undo this run" in sam.get(poll_address(page)).text


def test_only_milestones_are_said_aloud(grace: UUID, sam: StaffBrowser) -> None:
    connect(grace)
    run = a_run(grace, RUNNING, total=10)
    an_item(grace, a_card(grace), CLAIMED, run)
    page = sam.get("/runs/1").text
    assert "Sync started with 10 cards." in page
    said = []
    for settled in range(1, 11):
        change_run(grace, run, created=settled, **({"state": FINISHED} if settled == 10 else {}))
        fragment = sam.get(poll_address(page)).text
        said.append("hx-swap-oob" in fragment)
        page = fragment if "hx-get" in fragment else page
    assert said == [False, False, True, False, True, False, False, True, False, True]


@pytest.mark.parametrize(
    ("connection", "item", "words"),
    [
        ({"state": RECONNECT}, PENDING, "not connected to Planning Center"),
        ({"blocked_until": timedelta(minutes=2)}, PENDING, "asked us to slow down"),
        ({}, WAITING, "Planning Center cannot be reached right now."),
    ],
)
def test_a_run_that_stands_still_says_why(grace: UUID, sam: StaffBrowser, connection: dict[str, object], item: str, words: str) -> None:
    connect(grace, **{name: now() + value if isinstance(value, timedelta) else value for name, value in connection.items()})
    run = a_run(grace, RUNNING, total=1)
    reason = "Planning Center cannot be reached right now." if item == WAITING else None
    an_item(grace, a_card(grace), item, run, reason=reason, due_at=now() + timedelta(minutes=1) if item == WAITING else now())
    assert words in sam.get("/runs/1").text


def test_each_card_says_what_became_of_it(grace: UUID, sam: StaffBrowser) -> None:
    run = a_run(grace, FINISHED, total=3, created=1, needs_you=1, failed=1, finished_at=now())
    made = an_item(grace, a_card(grace), SYNCED, run, outcome="created", person_remote_id="48213")
    a_step(grace, made, "New person", run_id=run)
    a_step(grace, made, "Email", run_id=run)
    an_item(grace, a_card(grace, first_name="Dana"), REVIEW, run, outcome="needs_you", reason="Same email as Robert Whitfield.")
    tom = an_item(grace, a_card(grace, first_name="Tom"), FAILED, run, outcome="failed", person_remote_id="48400", reason="Email refused.")
    a_step(grace, tom, "New person")
    a_step(grace, tom, "Email", state="refused", problem="has a disallowed domain name")
    page = sam.get("/runs/1").text
    for words in (
        "3 cards: 1 created, 1 needs you, 1 failed.",
        "Added to Planning Center as a new person",
        "/people/AC48213",
        "New person, Email",
        "Same email as Robert Whitfield.",
        "1 of 2 steps done",
        "Fix and retry",
        "Decide",
    ):
        assert words in page, words


def test_whoever_watches_a_later_page_of_an_undo_stays_on_it(grace: UUID, sam: StaffBrowser) -> None:
    undone = a_run(grace, FINISHED, finished_at=now(), total=26)
    cards = [a_card(grace, first_name=f"Visitor{number}") for number in range(26)]
    for card in cards:
        an_item(grace, card, SYNCED, undone, "updated")
    undo = a_run(grace, RUNNING, kind=UNDO, undoes_run_id=undone, total=26)
    with church_scope(grace), transaction() as session:
        for outcome in session.scalars(select(SyncOutcome.id)).all():
            session.add(SyncItem(kind=UNDO, subject_id=outcome, run_id=undo, planned_at=now()))
    page = sam.get("/runs/2?page=2").text
    assert page.count("Visitor") == 1
    change_run(grace, undo, updated=1)
    moved = sam.get(poll_address(page)).text
    assert moved.count("Visitor") == 1
    assert "page=2" in poll_address(moved)


def test_stop_ends_after_the_cards_in_hand(grace: UUID, sam: StaffBrowser) -> None:
    connect(grace)
    run = a_run(grace, RUNNING, total=2)
    an_item(grace, a_card(grace), CLAIMED, run)
    rest = a_card(grace, first_name="Ben")
    an_item(grace, rest, PENDING, run)
    assert sam.post("/runs/1/stop").location == "/runs/1"
    page = sam.get("/runs/1").text
    assert "Stops after the cards in hand" in page
    assert "Stop after this card" not in page
    with church_scope(grace):
        assert db.session.get_one(SyncRun, run).state == STOPPING


def test_the_history_lists_twenty_a_page(grace: UUID, sam: StaffBrowser) -> None:
    for _ in range(21):
        a_run(grace, FINISHED, total=3, created=2, needs_you=1, finished_at=now())
    first, second = sam.get("/runs").text, sam.get("/runs?page=2").text
    assert (first.count("row-link"), second.count("row-link")) == (20, 1)
    assert "3 cards: 2 created, 1 needs you." in first
    assert "page=2" in first
    assert sam.get("/runs?page=x").status_code == 200


def test_watching_does_not_keep_a_session_alive(grace: UUID, sam: StaffBrowser) -> None:
    a_run(grace, RUNNING, total=1)
    long_ago = now() - timedelta(minutes=20)
    with church_scope(grace), transaction() as session:
        session.scalars(select(StaffSession)).one().last_seen_at = long_ago
    sam.get("/runs/1/progress?seen=x")
    assert db.session.scalars(select(StaffSession)).one().last_seen_at == long_ago
    sam.get("/runs/1")
    db.session.rollback()
    assert db.session.scalars(select(StaffSession)).one().last_seen_at > long_ago


def test_a_viewer_watches_and_neither_starts_nor_stops(grace: UUID, sign_in: SignIn) -> None:
    viewer = sign_in(grace, "viewer")
    a_card(grace)
    a_run(grace, RUNNING, total=1)
    for path in ("/runs/1", "/runs", "/cards?tab=all"):
        assert "<button" not in viewer.get(path).text.split("<main")[1].split('<form class="filters"')[0].split("</main>")[0], path
    assert viewer.post("/sync").status_code == 403
    assert viewer.post("/runs/1/stop").status_code == 403


def test_the_neighbours_run_is_as_unknown_as_none(grace: UUID, neighbour: UUID, sam: StaffBrowser) -> None:
    theirs = a_run(neighbour, RUNNING, total=1)
    card = a_card(neighbour)
    an_item(neighbour, card, PENDING, theirs)
    for path in ("/runs/1", "/runs/1/progress"):
        assert sam.get(path).status_code == 404
    assert sam.post("/runs/1/stop").status_code == 404
    assert "No sync yet" in sam.get("/runs").text
    a_card(grace)
    assert sam.post("/sync").location == "/runs/1"
    assert "Sync started with 1 card." in sam.get("/runs/1").text
    with church_scope(neighbour):
        assert db.session.get_one(SyncRun, theirs).state == RUNNING
    assert standing_of(neighbour, card) == "sending"
