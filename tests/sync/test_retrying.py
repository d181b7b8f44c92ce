"""Retry failed: exactly what failed in a run is sent once more, whatever it was; what waits for a decision goes on waiting."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.people.models import Contact
from connectcard.sync import retrying, runs, undo
from connectcard.sync.models import FAILED, FINISHED, PUSH_PEOPLE, REVIEW, SYNCED, UNDO
from tests.staff import signed_in
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory, Outside
from tests.sync.test_undo_pages import visible


def retry(church: GraceChurch, number: int) -> tuple[int, int]:
    with church_scope(church.church_id), transaction():
        run, sent = retrying.retry_failed(runs.get_run(number), "Sam Hill")
        return run.number, sent


def test_the_cards_that_failed_are_sent_again_and_the_others_left_alone(grace_church: GraceChurch) -> None:
    failed = grace_church.card("Wilhelmina", "Quist", "mina@example.com", "(217) 555-0123")
    Outside(grace_church.practice).person("Ruth", "Miller", "millers@gmail.com")
    asked = grace_church.card("Bob", "Miller", "millers@gmail.com")
    grace_church.card("Ana", "Lopez", "ana.lopez@gmail.com")
    first = grace_church.work_until_done(grace_church.press_sync())
    assert (first.created, first.failed, first.needs_you) == (1, 1, 1)
    number, sent = retry(grace_church, first.number)
    again = grace_church.work_until_done(number)
    assert (number, sent, again.total, again.failed) == (2, 1, 1, 1)
    assert (grace_church.item(failed).run_id, grace_church.item(asked).state) == (again.id, REVIEW)
    assert len(grace_church.practice.named("Wilhelmina", "Quist")) == 1
    with pytest.raises(ChangeRefused):
        retry(grace_church, first.number)


def test_the_records_of_a_push_that_failed_arrive_once_they_were_mended(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    ana, ben = directory.person("Ana", "Lopez", "ana@example.com"), directory.person("Ben", "Okafor", "ben.okafor@gmail.com")
    first = directory.push(PUSH_PEOPLE)
    assert (directory.item(ana).state, directory.item(ben).state) == (FAILED, SYNCED)
    with church_scope(grace_church.church_id), transaction() as session:
        written = session.query(Contact).filter(Contact.person_id == ana).one()
        written.value = written.display = written.mailbox = "ana.lopez@gmail.com"
    staff = signed_in(grace_church.app, grace_church.church_id)
    page = visible(staff.get(f"/runs/{first.number}").text)
    assert "1 person failed. Retrying sends just this one again" in page
    assert "Retry 1 failed" in visible(staff.get("/runs").text)
    assert staff.post(f"/runs/{first.number}/retry").location == "/runs/2"
    again = directory.work_until_done(2)
    assert (again.kind, again.state, again.total, again.failed) == (PUSH_PEOPLE, FINISHED, 1, 0)
    (there,) = grace_church.practice.named("Ana", "Lopez")
    assert [one["address"] for one in there["emails"]] == ["ana.lopez@gmail.com"]
    assert "Retry 1 failed" not in staff.get(f"/runs/{first.number}").text


def test_an_undo_that_failed_is_tried_again(grace_church: GraceChurch) -> None:
    card = grace_church.card("Ana", "Lopez", "ana.lopez@gmail.com")
    sent = grace_church.work_until_done(grace_church.press_sync())
    with church_scope(grace_church.church_id), transaction():
        number = undo.begin(runs.get_run(sent.number), "Sam Hill").number
    grace_church.work()
    with church_scope(grace_church.church_id), transaction():
        undo.confirm(runs.get_run(number))
    item = next(item for item in grace_church.items() if item.kind == UNDO)
    with church_scope(grace_church.church_id), transaction() as session:
        # As after a refusal of Planning Center's.
        run, failed = session.merge(grace_church.run(number)), session.merge(item)
        failed.state, run.state, run.failed, run.finished_at = FAILED, FINISHED, 1, run.started_at
    again, sent_again = retry(grace_church, number)
    over = grace_church.work_until_done(again)
    assert (over.kind, over.undoes_run_id, sent_again, over.updated) == (UNDO, sent.id, 1, 1)
    assert grace_church.practice.named("Ana", "Lopez")[0]["status"] == "inactive"
    assert grace_church.item(card).state == REVIEW


def test_nobody_retries_for_the_church_next_door(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina@example.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert signed_in(grace_church.app, neighbour_church.church_id).post("/runs/1/retry").status_code == 404
    viewer = signed_in(grace_church.app, grace_church.church_id, "viewer")
    assert viewer.post("/runs/1/retry").status_code == 403
    assert "Retry 1 failed" not in viewer.get("/runs/1").text
    assert grace_church.item(card).state == FAILED
