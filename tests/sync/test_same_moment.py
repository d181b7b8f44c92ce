"""A pull, a webhook and a card may write the same person down here at the same moment: the card goes on by itself."""

from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.people import taking_in
from connectcard.people.matching import Candidate
from connectcard.people.models import Person
from connectcard.people.operations import remember_person
from connectcard.people.pulled import PulledPerson
from connectcard.sync import card_items, inbox, pull, runs
from connectcard.sync.models import PULL_PEOPLE, REVIEW, SYNCED
from connectcard.sync.webhook_models import DONE
from tests.deliveries import told_of_everything
from tests.sync.conftest import GraceChurch


def send(church: GraceChurch) -> Any:
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    church.work_until_done(church.press_sync())
    return church.item(card)


def in_another_process(church: GraceChurch, seen: Candidate) -> None:
    """What a webhook makes of the same person, in a transaction of its own."""

    def write() -> None:
        with church.app.app_context(), church_scope(church.church_id), transaction():
            remember_person(seen)

    thread = Thread(target=write)
    thread.start()
    thread.join()


# SQLite lets one write at a time, so that nobody is quicker there.
@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_a_webhook_that_stores_the_same_person_at_that_moment(grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> None:
    quicker: list[str] = []

    def beside(seen: Candidate) -> Person:
        if quicker:
            return remember_person(seen)
        quicker.append(seen.remote_id)
        in_another_process(grace_church, seen)
        db.session.add(Person(remote_id=seen.remote_id))
        db.session.flush()
        raise AssertionError("the same person was stored twice")

    monkeypatch.setattr(card_items, "remember_person", beside)
    item = send(grace_church)
    [mina] = grace_church.practice.named("Wilhelmina", "Quist")
    assert (quicker, item.state, item.person_remote_id) == ([mina["id"]], SYNCED, mina["id"])


@pytest.fixture
def somebody_quicker(grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Once somebody looked whom of a page we know, the same page is stored by another process; whose it was."""
    quicker: list[str] = []
    known = taking_in._known

    def store(people: list[PulledPerson]) -> None:
        with grace_church.app.app_context(), church_scope(grace_church.church_id), transaction():
            taking_in.take_in_people(people, now())

    def looked_up(people: dict[str, PulledPerson]) -> Any:
        found = known(people)
        if not quicker and people:
            quicker.extend(people)
            thread = Thread(target=store, args=(list(people.values()),))
            thread.start()
            thread.join()
        return found

    monkeypatch.setattr(taking_in, "_known", looked_up)
    return quicker


def stored_once(church: GraceChurch) -> set[str]:
    """Who is in the directory, each with the contacts of Planning Center and none twice."""
    there = {one["id"]: len(one["emails"]) + len(one["phone_numbers"]) for one in church.practice.people()}
    with church_scope(church.church_id):
        people = db.session.scalars(db.select(Person)).all()
        assert [len(person.contacts) for person in people] == [there[person.remote_id or ""] for person in people]
        return {person.remote_id or "" for person in people}


@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_a_pull_that_stores_new_people_at_the_same_moment_as_a_webhook(grace_church: GraceChurch, somebody_quicker: list[str]) -> None:
    with church_scope(grace_church.church_id), transaction():
        number = pull.want_pull(PULL_PEOPLE, "Sam Hill").number
    pull.advance_pulls(grace_church.church_id, Event())
    run = grace_church.run(number)
    assert (run.state, run.note, run.skipped) == ("finished", None, len(somebody_quicker))
    assert stored_once(grace_church) == {one["id"] for one in grace_church.practice.people()}


@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_a_delivery_that_stores_somebody_new_at_the_same_moment_as_a_pull(
    grace_church: GraceChurch, somebody_quicker: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox.subscriptions, "keep_in_order", lambda client: False)
    organization = grace_church.practice.organization(0)["id"]
    told, person = told_of_everything(grace_church.app, grace_church.church_id, organization), grace_church.practice.people()[-1]["id"]
    told.deliver(record={"type": "Person", "id": person, "attributes": {}})
    with church_scope(grace_church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        end_reading()
    inbox.work_inbox(grace_church.church_id, client, Event())
    assert [(row.state, row.outcome) for row in told.kept()] == [(DONE, "Read again: it was so here already.")]
    assert stored_once(grace_church) == {person} == set(somebody_quicker)


@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_a_visitors_card_is_kept_while_the_press_of_a_member_of_staff_goes_on(grace_church: GraceChurch) -> None:
    kept: list[UUID] = []

    def send_card() -> None:
        with grace_church.app.app_context():
            kept.append(grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com"))

    with church_scope(grace_church.church_id), transaction():
        runs.one_press_at_a_time()
        thread = Thread(target=send_card)
        thread.start()
        thread.join(timeout=5)
        assert len(kept) == 1


def test_what_goes_wrong_every_time_is_said_in_the_end(grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(seen: Candidate) -> Person:
        raise IntegrityError("insert", {}, ValueError(seen.remote_id))

    monkeypatch.setattr(card_items, "remember_person", never)
    item = send(grace_church)
    assert (item.state, "Nothing was lost" in item.reason) == (REVIEW, True)
    assert len(grace_church.practice.named("Wilhelmina", "Quist")) == 1


def test_the_neighbour_is_not_touched(grace_church: GraceChurch, neighbour_church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> None:
    test_what_goes_wrong_every_time_is_said_in_the_end(grace_church, monkeypatch)
    with church_scope(neighbour_church.church_id):
        assert (neighbour_church.items(), list(db.session.scalars(db.select(Person)))) == ([], [])
