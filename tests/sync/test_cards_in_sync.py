"""Where each card stands, and finding it."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.sync import cards_in_sync, set_aside
from connectcard.sync.cards_in_sync import Wish
from connectcard.sync.models import CLAIMED, FAILED, FINISHED, IGNORED, PENDING, REVIEW, RUNNING, STOPPED, SYNCED, WAITING, SyncItem
from tests.conftest import MovedClock
from tests.making import a_card, a_run, an_item, standing_of


@pytest.mark.parametrize(
    ("state", "run_state", "standing"),
    [
        (PENDING, RUNNING, "sending"),
        (CLAIMED, RUNNING, "sending"),
        (WAITING, RUNNING, "waiting"),
        (PENDING, STOPPED, "ready"),
        (WAITING, STOPPED, "ready"),
        (REVIEW, FINISHED, "review"),
        (FAILED, FINISHED, "failed"),
        (SYNCED, FINISHED, "synced"),
        (IGNORED, FINISHED, "ignored"),
    ],
)
def test_where_a_card_stands(grace: UUID, state: str, run_state: str, standing: str, any_database: str) -> None:
    ana = a_card(grace)
    assert standing_of(grace, ana) == "new"
    an_item(grace, ana, state, a_run(grace, run_state))
    assert standing_of(grace, ana) == standing


def test_a_suspected_card_is_neither_new_nor_ready(grace: UUID) -> None:
    spam = a_card(grace, suspicion="Sent by a robot")
    assert standing_of(grace, spam) == "suspected"
    with church_scope(grace):
        counts = cards_in_sync.counts()
        assert (counts["suspected"], counts["ready"], counts["needs_you"], counts["all"]) == (1, 0, 0, 1)


def found(church_id: UUID, **wish: object) -> list[str]:
    with church_scope(church_id):
        listed = cards_in_sync.inbox(Wish(**wish), "America/Chicago")  # type: ignore[arg-type]
        return [card.submission.first_name for card in listed.cards]


def test_the_newest_card_comes_first_and_tabs_hold_their_own(grace: UUID, any_database: str) -> None:
    for minutes, (name, state) in enumerate((("Ana", None), ("Ben", REVIEW), ("Cleo", FAILED), ("Dan", SYNCED))):
        card = a_card(grace, first_name=name, minutes_ago=minutes)
        if state:
            an_item(grace, card, state)
    assert found(grace) == ["Ana", "Ben", "Cleo", "Dan"]
    assert found(grace, tab="needs_you") == ["Ben", "Cleo"]
    assert found(grace, tab="ready") == ["Ana"]
    assert found(grace, standing="failed") == ["Cleo"]
    with church_scope(grace):
        counts = cards_in_sync.counts()
    assert [counts[key] for key in ("needs_you", "ready", "synced", "all", "failed")] == [2, 1, 1, 4, 1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("jose", ["José"]),
        ("ALVAREZ jos", ["José"]),
        ("0177", ["Ana"]),
        ("512.555.0177", ["Ana"]),
        ("ana.lopez@gmail", ["Ana"]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
def test_search_by_name_email_and_digits(grace: UUID, any_database: str, text: str, names: list[str]) -> None:
    a_card(grace)
    a_card(grace, first_name="José", last_name="Álvarez", email="jose@outlook.com", phone="")
    assert found(grace, text=text) == names


def test_a_day_is_the_churchs_own_day(grace: UUID, moved_clock: MovedClock) -> None:
    moved_clock.moment = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    a_card(grace, first_name="Late on Sunday")
    moved_clock.move(hours=2)
    a_card(grace, first_name="Monday")
    assert found(grace, day=date(2026, 11, 22)) == ["Late on Sunday"]
    assert found(grace, day=date(2026, 11, 23)) == ["Monday"]


def test_fifty_a_page_and_a_page_too_far_is_the_last(grace: UUID) -> None:
    for minutes in range(53):
        a_card(grace, minutes_ago=minutes)
    with church_scope(grace):
        first, last = (cards_in_sync.inbox(Wish(page=page), "UTC") for page in (1, 9))
    assert (len(first.cards), first.total, first.pages) == (50, 53, 2)
    assert (len(last.cards), last.page) == (3, 2)


def test_an_export_reads_every_card_once(grace: UUID, any_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards_in_sync, "BATCH_ROWS", 2)
    wanted = [a_card(grace, minutes_ago=minutes // 2) for minutes in range(5)]
    read, after = [], None
    with church_scope(grace):
        while batch := cards_in_sync.in_batches(Wish(), "UTC", after):
            read += [card.submission.id for card in batch]
            after = (batch[-1].submission.received_at, batch[-1].submission.id)
    assert sorted(read) == sorted(wanted)


def aside(church_id: UUID, submission_id: UUID) -> None:
    with church_scope(church_id), transaction():
        set_aside.set_aside(cards_in_sync.get_card(submission_id))


def back(church_id: UUID, submission_id: UUID) -> None:
    with church_scope(church_id), transaction():
        set_aside.bring_back(cards_in_sync.get_card(submission_id))


def test_a_card_is_set_aside_and_taken_up_again(grace: UUID) -> None:
    ana, ben = a_card(grace), a_card(grace, first_name="Ben")
    an_item(grace, ben, REVIEW)
    for card, afterwards in ((ana, "new"), (ben, "ready")):
        aside(grace, card)
        assert standing_of(grace, card) == "ignored"
        back(grace, card)
        assert standing_of(grace, card) == afterwards


def test_a_suspected_card_is_let_through(grace: UUID) -> None:
    spam = a_card(grace, suspicion="Sent by a robot")
    back(grace, spam)
    assert standing_of(grace, spam) == "new"


@pytest.mark.parametrize("state", [PENDING, CLAIMED, WAITING, SYNCED])
def test_a_card_that_travels_or_arrived_is_not_set_aside(grace: UUID, state: str) -> None:
    ana = a_card(grace)
    an_item(grace, ana, state, a_run(grace, RUNNING))
    before = standing_of(grace, ana)
    with pytest.raises(ChangeRefused):
        aside(grace, ana)
    assert standing_of(grace, ana) == before


def test_a_card_that_a_worker_took_meanwhile_is_not_set_aside(grace: UUID) -> None:
    ana = a_card(grace)
    an_item(grace, ana, FAILED)
    with church_scope(grace):
        as_staff_saw_it = cards_in_sync.get_card(ana)
    with church_scope(grace), transaction():
        cards_in_sync.get_card(ana).item.state = CLAIMED  # type: ignore[union-attr]
    with church_scope(grace), pytest.raises(ChangeRefused), transaction():
        as_staff_saw_it.item.state = FAILED  # type: ignore[union-attr]
        set_aside.set_aside(as_staff_saw_it)


def test_a_new_card_that_somebody_sent_at_that_moment_is_neither_set_aside_nor_corrected(grace: UUID) -> None:
    ana, run = a_card(grace), a_run(grace, RUNNING)
    with church_scope(grace), transaction() as session:
        as_staff_saw_it = cards_in_sync.get_card(ana)
        session.add(SyncItem(submission_id=ana, run_id=run, state=PENDING, reference="CC-7F3K2M9Q"))
        with pytest.raises(ChangeRefused):
            set_aside.set_aside(as_staff_saw_it)
        with pytest.raises(ChangeRefused):
            set_aside.card_to_change(ana)
    assert standing_of(grace, ana) == "sending"


def test_the_neighbour_is_not_listed_counted_or_opened(grace: UUID, neighbour: UUID) -> None:
    ana, theirs = a_card(grace), a_card(neighbour)
    an_item(neighbour, theirs, REVIEW)
    assert found(grace) == ["Ana"]
    with church_scope(grace):
        assert (cards_in_sync.counts()["all"], cards_in_sync.counts()["needs_you"]) == (1, 0)
        with pytest.raises(NotFound):
            cards_in_sync.get_card(theirs)
    aside(grace, ana)
    assert standing_of(neighbour, theirs) == "review"
