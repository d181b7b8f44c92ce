"""What goes on while a run is taken back: other cards of the same people, staff in Planning Center, presses, and a stop half-way."""

from datetime import timedelta
from uuid import UUID

import pytest

from connectcard.cards.corrections import correct
from connectcard.cards.queries import get_submission
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.planning_center.errors import Unavailable
from connectcard.planning_center.resources import people
from connectcard.sync import decisions, runs, undo, undo_plans
from connectcard.sync.models import FAILED, REVIEW, STOPPED, SYNCED, SyncItem, SyncRun
from connectcard.sync.undo_items import UndoAtWork
from tests.sync.conftest import GraceChurch
from tests.sync.test_undo import FAMILY, confirm, kept, nothing_on, planning_center, preview, quist, take_back

MINA = ("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
MINA_AGAIN = (*MINA[:3], "(217) 555-0199")


def sync(church: GraceChurch) -> int:
    return church.work_until_done(church.press_sync()).number


def begin(church: GraceChurch, shown: SyncRun) -> None:
    """Somebody says yes to an undo; no worker has seen it yet."""
    with church_scope(church.church_id), transaction():
        undo.confirm(runs.get_run(shown.number))


def stop(church: GraceChurch, shown: SyncRun) -> None:
    with church_scope(church.church_id), transaction():
        runs.stop(runs.get_run(shown.number))
    church.work()
    assert church.run(shown.number).state == STOPPED


def try_again(church: GraceChurch, card: UUID) -> int:
    with church_scope(church.church_id), transaction() as session:
        return decisions.retry(session.get_one(SyncItem, church.item(card).id), "Sam Hill").number


def put_off(church: GraceChurch, card: UUID) -> None:
    """A card waits longer, as where Planning Center asked us to slow down."""
    with church_scope(church.church_id), transaction() as session:
        session.get_one(SyncItem, church.item(card).id).due_at += timedelta(minutes=20)


def mina_as_she_was(church: GraceChurch) -> bool:
    mina = quist(church)
    return (mina["status"], [email["address"] for email in mina["emails"]]) == ("active", ["mina.quist@gmail.com"])


@pytest.mark.usefixtures("any_database")
def test_what_a_card_says_that_came_after_the_preview_is_kept(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    shown, second = preview(grace_church, sync(grace_church)), grace_church.card(*MINA_AGAIN)
    sync(grace_church)
    undone = confirm(grace_church, shown)
    assert kept(grace_church, undone) == {"Email": undo_plans.ALSO_SAID, "New person": undo_plans.OTHER_CARD}
    assert (mina_as_she_was(grace_church), len(quist(grace_church)["phone_numbers"])) == (True, 1)
    assert grace_church.item(second).state == SYNCED


def test_what_a_card_on_its_way_counts_on_is_kept(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    first, second = sync(grace_church), grace_church.card(*MINA_AGAIN)
    grace_church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "rate_limited")
    number = grace_church.press_sync()
    grace_church.work()
    put_off(grace_church, second)
    grace_church.move(minutes=5)
    take_back(grace_church, first)
    grace_church.work_until_done(number)
    assert (mina_as_she_was(grace_church), grace_church.item(second).state) == (True, SYNCED)


def test_somebody_on_whom_staff_wrote_after_the_preview_stays_active(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    shown, category = preview(grace_church, sync(grace_church)), grace_church.choices("note_category")[0].remote_id
    note = {"note": "Called her.", "note_category_id": category}
    planning_center(grace_church).create(people.NOTE, note, parent_id=quist(grace_church)["id"])
    undone = confirm(grace_church, shown)
    assert kept(grace_church, undone) == {"New person": undo_plans.ADDED_TO}
    assert (quist(grace_church)["status"], quist(grace_church)["emails"]) == ("active", [])


@pytest.mark.usefixtures("any_database")
def test_the_family_that_the_other_parents_card_names_stays_together(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA, family=FAMILY)
    number = sync(grace_church)
    named = {"spouse": {"first_name": "Wilhelmina", "last_name": ""}, "children": FAMILY["children"]}
    tobias = grace_church.card("Tobias", "Quist", "tobias.quist@gmail.com", family=named)
    sync(grace_church)
    with church_scope(grace_church.church_id), transaction() as session:
        item = session.get_one(SyncItem, grace_church.item(tobias).id)
        decided = decisions.decide_by_hand(item, "same", quist(grace_church, "Tobias")["id"], "Sam Hill").number
    grace_church.work_until_done(decided)
    undone = kept(grace_church, take_back(grace_church, number))
    assert (undone["Household"], undone["Child 1"]) == (undo_plans.ALSO_SAID, undo_plans.OTHER_CARD)
    for name in ("Wilhelmina", "Tobias", "Leo"):
        assert (quist(grace_church, name)["status"], len(quist(grace_church, name)["households"])) == ("active", 1)
    assert quist(grace_church)["emails"] == [], "what her own card alone said is gone"


@pytest.mark.usefixtures("any_database")
def test_a_family_goes_with_the_cards_that_name_it(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA, family=FAMILY)
    grace_church.card(*MINA_AGAIN, family=FAMILY)
    undone = take_back(grace_church, sync(grace_church))
    assert kept(grace_church, undone) == {"Email": undo_plans.ALSO_SAID, "New person": undo_plans.OTHER_CARD}
    for name in ("Tobias", "Leo"):
        assert (quist(grace_church, name)["status"], nothing_on(quist(grace_church, name))) == ("inactive", True)


def mend_and_try_again(church: GraceChurch, card: UUID) -> int:
    with church_scope(church.church_id), transaction():
        correct(get_submission(card), dict(zip(("first_name", "last_name", "email", "phone"), MINA, strict=True)), "Sam Hill")
    return try_again(church, card)


@pytest.mark.parametrize("sent_first", [True, False])
def test_a_card_that_was_mended_after_the_preview_comes_to_rest_first(grace_church: GraceChurch, sent_first: bool) -> None:
    card = grace_church.card(*MINA[:2], "mina.quist@example.com", MINA[3])
    number = sync(grace_church)
    assert grace_church.item(card).state == FAILED
    shown, again = preview(grace_church, number), mend_and_try_again(grace_church, card)
    if sent_first:
        grace_church.work_until_done(again)
    else:
        put_off(grace_church, card)
    undone = confirm(grace_church, shown)
    run = grace_church.work_until_done(again)
    assert (run.total, run.settled) == (1, 1)
    assert kept(grace_church, undone) == {"New person": undo_plans.LATER}
    assert (mina_as_she_was(grace_church), quist(grace_church)["phone_numbers"]) == (True, [])


def test_nobody_sends_a_card_again_while_it_is_taken_back(grace_church: GraceChurch) -> None:
    card = grace_church.card(*MINA[:2], "mina.quist@example.com", MINA[3])
    shown = preview(grace_church, sync(grace_church))
    begin(grace_church, shown)
    with pytest.raises(ChangeRefused, match="being taken back"):
        try_again(grace_church, card)
    grace_church.work_until_done(shown.number)
    assert try_again(grace_church, card) != shown.number


def test_an_undo_that_was_stopped_with_a_lost_answer_keeps_no_other_card_waiting(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    shown = preview(grace_church, sync(grace_church))
    begin(grace_church, shown)
    grace_church.practice.fault("DELETE", "/people/v2/emails/*", "drop_after")
    grace_church.work()
    stop(grace_church, shown)
    second = grace_church.card(*MINA_AGAIN)
    sync(grace_church)
    assert (grace_church.item(second).state, len(grace_church.practice.named(*MINA[:2]))) == (SYNCED, 1)


def test_an_undo_that_was_stopped_before_it_said_so_is_ended_by_a_second_press(
    grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = grace_church.card(*MINA)
    number = sync(grace_church)
    shown = preview(grace_church, number)
    begin(grace_church, shown)

    def away(_work: UndoAtWork) -> None:
        raise Unavailable("away", status=503)

    with monkeypatch.context() as reading_back:
        reading_back.setattr(UndoAtWork, "finish", away)
        grace_church.work()
    stop(grace_church, shown)
    assert (nothing_on(quist(grace_church)), grace_church.item(card).state) == (True, SYNCED)
    take_back(grace_church, number)
    assert grace_church.item(card).state == REVIEW, "a card of which nothing is there any more does not read as sent"


def test_an_undo_whose_write_was_never_confirmed_goes_on_after_another_press(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    number = sync(grace_church)
    grace_church.practice.fault("DELETE", "/people/v2/emails/*", "timeout_before", times=3, seconds=0.1)
    assert take_back(grace_church, number).needs_you == 1
    assert take_back(grace_church, number).updated == 1
    assert (quist(grace_church)["status"], nothing_on(quist(grace_church))) == ("inactive", True)


def test_the_neighbours_card_of_the_same_name_keeps_nothing_here(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    number, next_door = sync(grace_church), neighbour_church.card(*MINA)
    with church_scope(neighbour_church.church_id), transaction():
        run = runs.start_push("Mona Reyes")
        item = db.session.scalars(db.select(SyncItem).where(SyncItem.run_id == run.id)).one()
        item.state, item.person_remote_id, item.synced_at = SYNCED, quist(grace_church)["id"], item.due_at
    assert kept(grace_church, take_back(grace_church, number)) == {}
    assert (quist(grace_church)["status"], neighbour_church.item(next_door).state) == ("inactive", SYNCED)
