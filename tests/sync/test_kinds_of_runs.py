"""Runs that are not of cards: they stand beside the cards' run and are counted apart from it."""

from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.sync import cards_in_sync, runs
from connectcard.sync.models import CARDS, FINISHED, PULL_PEOPLE, PUSH_PEOPLE, RUNNING, STOPPING, SyncItem, SyncRun
from connectcard.sync.overview import overview
from tests.sync.conftest import GraceChurch


def a_run(church: GraceChurch, kind: str) -> SyncRun:
    with church_scope(church.church_id), transaction():
        runs.one_press_at_a_time()
        return runs.new_run(kind, "Sam Hill")


def test_a_pull_goes_on_while_cards_are_sent_and_ends_itself(grace_church: GraceChurch) -> None:
    pull = a_run(grace_church, PULL_PEOPLE)
    grace_church.card("Ana", "Lopez", "ana.lopez@gmail.com")
    cards = grace_church.work_until_done(grace_church.press_sync())
    assert (cards.number, cards.kind, cards.state, cards.created) == (pull.number + 1, CARDS, FINISHED, 1)
    assert grace_church.run(pull.number).state == RUNNING


def test_a_pull_that_is_stopped_is_left_to_end_itself(grace_church: GraceChurch) -> None:
    pull = a_run(grace_church, PULL_PEOPLE)
    with church_scope(grace_church.church_id), transaction():
        runs.stop(runs.get_run(pull.number))
    grace_church.work()
    assert grace_church.run(pull.number).state == STOPPING


def test_a_push_counts_for_no_card(grace_church: GraceChurch) -> None:
    push = a_run(grace_church, PUSH_PEOPLE)
    with church_scope(grace_church.church_id):
        with transaction() as session:
            session.add(SyncItem(kind="person", subject_id=uuid4(), run_id=push.id, state="review"))
            session.get_one(SyncRun, push.id).created = 3
        assert set(cards_in_sync.counts().values()) == {0}
        assert (overview().sent_once, overview().last_run) == (False, None)


def test_one_item_for_each_subject(grace_church: GraceChurch) -> None:
    push, subject = a_run(grace_church, PUSH_PEOPLE), uuid4()
    with church_scope(grace_church.church_id):
        with transaction() as session:
            session.add(SyncItem(kind="person", subject_id=subject, run_id=push.id))
        with pytest.raises(IntegrityError), transaction() as session:
            session.add(SyncItem(kind="person", subject_id=subject, run_id=push.id))
        assert len(db.session.scalars(db.select(SyncItem)).all()) == 1


def test_the_neighbour_sees_none_of_it(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    a_run(grace_church, PULL_PEOPLE)
    with church_scope(neighbour_church.church_id):
        assert runs.running(PULL_PEOPLE) is None
