"""A pull, a webhook and a card may write the same person down here at the same moment: the card goes on by itself."""

from threading import Thread
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.matching import Candidate
from connectcard.people.models import Person
from connectcard.people.operations import remember_person
from connectcard.sync import card_items
from connectcard.sync.models import REVIEW, SYNCED
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
