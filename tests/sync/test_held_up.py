"""A run that was stopped with a lost answer holds up what may be the same person: staff read what that waits for and what to press."""

from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.sync import push, runs
from connectcard.sync.models import INTENT, PREVIEW, PUSH_PEOPLE, SYNCED, WAITING, SyncStep
from tests.staff import signed_in
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory
from tests.sync.test_undo import preview
from tests.sync.test_undo_meanwhile import MINA, MINA_AGAIN, stop

OTHER = ("Aurora", "Pohl", "aurora.pohl@gmail.com")
WHY = "Waits for a press: {} was stopped before Planning Center confirmed a change to perhaps the same person. {}, and this goes on too."
SYNC = WHY.format("sync 1", "Press Sync")
PUSH = WHY.format("run 1", "Press Send for it on the page Send to Planning Center")


def stopped_with_a_lost_answer(church: GraceChurch) -> UUID:
    """Mina is made, and whether her e-mail arrived nobody knows when somebody presses Stop."""
    card = church.card(*MINA)
    church.practice.fault("POST", "/people/v2/people/*/emails", "drop_after")
    number = church.press_sync()
    church.work()
    stop(church, church.run(number))
    church.move(minutes=5)
    return card


def send_alone(church: GraceChurch, *cards: UUID) -> int:
    """As where somebody approves just these."""
    with church_scope(church.church_id), transaction():
        number = runs.start_push("Sam Hill", only=cards).number
    church.work()
    return number


@pytest.mark.usefixtures("any_database")
def test_a_card_says_which_stopped_sync_it_waits_for_and_what_to_press(grace_church: GraceChurch) -> None:
    first = stopped_with_a_lost_answer(grace_church)
    second, other = grace_church.card(*MINA_AGAIN), grace_church.card(*OTHER)
    number = send_alone(grace_church, second, other)
    assert (grace_church.item(second).state, grace_church.item(second).reason) == (WAITING, SYNC)
    assert grace_church.item(other).state == SYNCED, "who shares nothing with it does not wait"
    with church_scope(grace_church.church_id):
        assert runs.counters(runs.get_run(number)).waiting_for == SYNC
    grace_church.press_sync()
    grace_church.work_until_done(number)
    assert [grace_church.item(card).state for card in (first, second)] == [SYNCED, SYNCED]
    [mina] = grace_church.practice.named(*MINA[:2])
    assert (len(mina["emails"]), len(mina["phone_numbers"])) == (1, 2)


def test_it_is_said_once_however_often_a_worker_looks(grace_church: GraceChurch) -> None:
    stopped_with_a_lost_answer(grace_church)
    number = send_alone(grace_church, grace_church.card(*MINA_AGAIN))
    said = grace_church.run(number).version
    grace_church.move(minutes=1)
    grace_church.work()
    assert grace_church.run(number).version == said


def test_the_pages_of_the_card_and_of_its_run_say_so(grace_church: GraceChurch) -> None:
    stopped_with_a_lost_answer(grace_church)
    second, staff = grace_church.card(*MINA_AGAIN), signed_in(grace_church.app, grace_church.church_id)
    number = send_alone(grace_church, second)
    page = staff.get(f"/cards/{second}").text
    assert (SYNC in page, "Waits for a press<" in page, "nobody needs to do anything" in page) == (True, True, False)
    assert all('id="sync-now"' in shown for shown in (page, staff.get(f"/runs/{number}").text))
    assert SYNC in staff.get(f"/runs/{number}").text
    assert "Waits for a press" in staff.get("/cards?tab=all").text
    assert (
        'id="sync-now"'
        not in signed_in(grace_church.app, grace_church.church_id, role="viewer", name="Vera Stone").get(f"/cards/{second}").text
    )
    staff.post("/sync")
    assert grace_church.work_until_done(number).settled == 2
    assert 'id="sync-now"' not in staff.get(f"/runs/{number}").text


def test_the_undo_of_a_stopped_sync_says_what_it_waits_for(grace_church: GraceChurch) -> None:
    stopped_with_a_lost_answer(grace_church)
    shown = preview(grace_church, 1)
    page = signed_in(grace_church.app, grace_church.church_id).get(f"/runs/{shown.number}").text
    assert (grace_church.run(shown.number).state, SYNC in page) == (PREVIEW, True)


def test_a_record_that_waits_for_a_stopped_push_says_so(grace_church: GraceChurch) -> None:
    Directory(grace_church).person(*MINA[:3])
    grace_church.practice.fault("POST", "/people/v2/people", "drop_after")
    with church_scope(grace_church.church_id), transaction():
        number = push.start(PUSH_PEOPLE, "Sam Hill").number
    grace_church.work()
    stop(grace_church, grace_church.run(number))
    card = grace_church.card(*MINA)
    send_alone(grace_church, card)
    assert (grace_church.item(card).state, grace_church.item(card).reason) == (WAITING, PUSH)
    with church_scope(grace_church.church_id), transaction():
        push.start(PUSH_PEOPLE, "Sam Hill")
    grace_church.move(minutes=5)
    grace_church.work()
    grace_church.move(minutes=1)
    grace_church.work()
    assert (grace_church.item(card).state, len(grace_church.practice.named(*MINA[:2]))) == (SYNCED, 1)


def test_the_neighbours_stopped_sync_holds_up_nobody_here(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    neighbour_church.card(*MINA)
    number = neighbour_church.press_sync()
    with church_scope(neighbour_church.church_id), transaction() as session:
        [theirs] = neighbour_church.items()
        session.add(SyncStep(item_id=theirs.id, run_id=theirs.run_id, position=1, kind="create_person", natural_key="1", state=INTENT))
        runs.stop(runs.get_run(number))
    card = grace_church.card(*MINA_AGAIN)
    send_alone(grace_church, card)
    assert grace_church.item(card).state == SYNCED
