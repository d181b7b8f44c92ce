"""A run that was stopped had begun a card or a record: what it wrote for it is taken back too, wherever the rest went since."""

from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import push, runs, undo, undo_plans
from connectcard.sync.cards_in_sync import get_card
from connectcard.sync.models import DONE, IGNORED, PUSH_PEOPLE, REVIEW, STOPPED, SYNCED, SyncOutcome, SyncStep
from connectcard.sync.set_aside import set_aside
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory
from tests.sync.test_undo import FAMILY, kept, nothing_on, preview, quist, take_back
from tests.sync.test_undo_meanwhile import MINA, begin, stop, sync

HOUSEHOLDS = "/people/v2/households"
QUISTS = ("Wilhelmina", "Tobias", "Leo")


def stopped_half_way(church: GraceChurch) -> tuple[UUID, int]:
    """Three people are made; then Planning Center's firewall turns us away for some minutes, and somebody presses Stop."""
    card = church.card(*MINA, family=FAMILY)
    church.practice.fault("POST", HOUSEHOLDS, "html_403")
    number = church.press_sync()
    church.work()
    stop(church, church.run(number))
    assert whole(church) == [("active", 0)] * 3
    assert len(quist(church)["emails"]) == 1
    church.move(minutes=5)
    return card, number


def whole(church: GraceChurch) -> list[tuple[str, int]]:
    """How the three stand, and in how many households."""
    return [(quist(church, name)["status"], len(quist(church, name)["households"])) for name in QUISTS]


def all_is_gone(church: GraceChurch) -> bool:
    return whole(church) == [("inactive", 0)] * 3 and all(nothing_on(quist(church, name)) for name in QUISTS)


def may_be_undone(church: GraceChurch, number: int) -> bool:
    with church_scope(church.church_id):
        return undo.may_be_undone(runs.get_run(number))


@pytest.mark.usefixtures("any_database")
def test_what_a_stopped_run_wrote_is_taken_back_and_its_card_waits_for_somebody(grace_church: GraceChurch) -> None:
    card, number = stopped_half_way(grace_church)
    before = grace_church.run(number)
    undone = take_back(grace_church, number)
    assert (undone.total, undone.updated, kept(grace_church, undone)) == (1, 1, {})
    assert (all_is_gone(grace_church), grace_church.item(card).state, may_be_undone(grace_church, number)) == (True, REVIEW, False)
    after = grace_church.run(number)
    assert (after.total, after.settled, after.state) == (before.total, before.settled, STOPPED), "its figures are those of then"


@pytest.mark.usefixtures("any_database")
def test_what_each_of_two_runs_wrote_for_a_card_is_taken_back(grace_church: GraceChurch) -> None:
    card, number = stopped_half_way(grace_church)
    second = sync(grace_church)
    assert (grace_church.item(card).state, whole(grace_church)) == (SYNCED, [("active", 1)] * 3)
    assert kept(grace_church, take_back(grace_church, second)) == {}
    assert whole(grace_church) == [("active", 0)] * 3
    assert kept(grace_church, take_back(grace_church, number)) == {}
    assert all_is_gone(grace_church)


def test_the_stopped_run_first_says_that_a_later_one_wrote_too(grace_church: GraceChurch) -> None:
    _, number = stopped_half_way(grace_church)
    sync(grace_church)
    assert set(kept(grace_church, preview(grace_church, number)).values()) == {undo_plans.LATER}


@pytest.mark.usefixtures("any_database")
def test_a_press_of_sync_sends_nothing_that_is_being_taken_back(grace_church: GraceChurch) -> None:
    card, number = stopped_half_way(grace_church)
    shown = preview(grace_church, number)
    begin(grace_church, shown)
    other = grace_church.card("Aurora", "Pohl", "aurora.pohl@gmail.com")
    pressed = grace_church.press_sync()
    assert grace_church.run(pressed).total == 1
    grace_church.work_until_done(shown.number)
    grace_church.work_until_done(pressed)
    assert (grace_church.item(other).state, grace_church.item(card).state, all_is_gone(grace_church)) == (SYNCED, REVIEW, True)


@pytest.mark.usefixtures("any_database")
def test_a_card_whose_undo_was_stopped_half_way_arrives_whole_after_the_next_press(grace_church: GraceChurch) -> None:
    card, number = stopped_half_way(grace_church)
    shown = preview(grace_church, number)
    grace_church.practice.fault("PATCH", "/people/v2/people/*", "html_403")
    begin(grace_church, shown)
    grace_church.work()
    stop(grace_church, shown)
    assert (quist(grace_church)["status"], quist(grace_church)["emails"]) == ("active", [])
    grace_church.move(minutes=5)
    sync(grace_church)
    assert (grace_church.item(card).state, whole(grace_church)) == (SYNCED, [("active", 1)] * 3)
    assert (len(quist(grace_church)["emails"]), len(quist(grace_church)["phone_numbers"])) == (1, 1)


def test_a_card_that_was_set_aside_after_the_stop_stays_set_aside(grace_church: GraceChurch) -> None:
    card, number = stopped_half_way(grace_church)
    with church_scope(grace_church.church_id), transaction():
        set_aside(get_card(card))
    take_back(grace_church, number)
    assert (all_is_gone(grace_church), grace_church.item(card).state) == (True, IGNORED)


def test_a_record_that_a_stopped_push_had_begun_is_taken_back(grace_church: GraceChurch) -> None:
    Directory(grace_church).person("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.practice.fault("POST", "/people/v2/people/*/emails", "html_403")
    with church_scope(grace_church.church_id), transaction():
        number = push.start(PUSH_PEOPLE, "Sam Hill").number
    grace_church.work()
    stop(grace_church, grace_church.run(number))
    assert quist(grace_church)["status"] == "active"
    grace_church.move(minutes=5)
    assert kept(grace_church, take_back(grace_church, number)) == {}
    assert (quist(grace_church)["status"], nothing_on(quist(grace_church))) == ("inactive", True)


def test_a_run_that_was_stopped_before_it_wrote_anything_has_nothing_to_take_back(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA)
    number = grace_church.press_sync()
    stop(grace_church, grace_church.run(number))
    assert not may_be_undone(grace_church, number)
    with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused, match="left to take back"):
        undo.begin(runs.get_run(number), "Sam Hill")


def test_the_neighbours_stopped_run_stays_theirs(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    _, number = stopped_half_way(grace_church)
    neighbour_church.card(*MINA)
    next_door = neighbour_church.press_sync()
    [theirs] = neighbour_church.items()
    with church_scope(neighbour_church.church_id), transaction() as session:
        made = {"kind": "create_person", "natural_key": "1", "state": DONE, "remote_id": quist(grace_church)["id"]}
        session.add(SyncStep(item_id=theirs.id, run_id=theirs.run_id, position=1, intent_at=theirs.due_at, done_at=theirs.due_at, **made))
    stop(neighbour_church, neighbour_church.run(next_door))
    undone = take_back(grace_church, number)
    assert (undone.total, all_is_gone(grace_church), may_be_undone(neighbour_church, next_door)) == (1, True, True)
    with church_scope(neighbour_church.church_id):
        assert (db.session.scalars(db.select(SyncOutcome)).all(), runs.ready_count()) == ([], 1)
