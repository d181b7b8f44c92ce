"""What a church no longer needs goes by itself; what still waits for somebody never does."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import inspect, select

from connectcard.cards.models import ERASED, IGNORED, RECEIVED, Correction, Submission
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_owned_tables, church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.jobs.retention import erase_expired
from connectcard.sync import to_dos
from connectcard.sync.models import PERSON, REVIEW, SYNCED, SyncItem, SyncOutcome, SyncPreview, SyncStep
from tests.making import a_card, a_step, an_item

PRAYER = "please pray for my mother"
PRIVATE = ("lopez", "gmail", "5550177", "555-0177", PRAYER)


def synced_card(church_id: UUID, days_ago: float) -> UUID:
    """A card with a prayer, a correction, steps, a decision and a preview; gives the id of the submission."""
    submission_id = a_card(church_id, minutes_ago=days_ago * 24 * 60)
    decision = {"kind": "new", "person": "77", "reasons": ["nobody is called Ana Lopez"], "candidates": []}
    synced_at = now() - timedelta(days=days_ago)
    item_id = an_item(
        church_id,
        submission_id,
        SYNCED,
        outcome="created",
        synced_at=synced_at,
        decision=decision,
        reason="made Ana Lopez",
        person_remote_id="77",
    )
    a_step(church_id, item_id, "ana.lopez@gmail.com", remote_id="9")
    with church_scope(church_id), transaction() as session:
        submission = session.get_one(Submission, submission_id)
        submission.prayer, submission.family = PRAYER, json.dumps({"spouse": {"first_name": "Leo", "last_name": "Lopez"}})
        step = session.scalars(select(SyncStep).where(SyncStep.item_id == item_id)).one()
        step.body = json.dumps({"note": PRAYER})
        session.add(Correction(submission_id=submission_id, field="last_name", value="Lopez", member_name="Sam Hill"))
        session.add(SyncPreview(submission_id=submission_id, made_at=now(), contents={"person": "Ana Lopez"}))
    return submission_id


def sweep(church_id: UUID) -> tuple[int, int]:
    with church_scope(church_id):
        return erase_expired(get_church())


def card(church_id: UUID, submission_id: UUID) -> Submission:
    with church_scope(church_id):
        return db.session.get_one(Submission, submission_id)


def everything_kept(church_id: UUID) -> str:
    """All that the database holds of a church, sealed values opened, as one text."""
    found = []
    with church_scope(church_id):
        for model in sorted(
            {mapper.class_ for mapper in Submission.registry.mappers if mapper.local_table in church_owned_tables()}, key=str
        ):
            for row in db.session.scalars(select(model)):
                found.append(str({column.key: getattr(row, column.key) for column in inspect(model).columns}))
                found += [str(getattr(row, name)) for name in ("prayer", "family", "body", "plan") if hasattr(row, name)]
    return "\n".join(found).lower()


def test_a_prayer_goes_after_thirty_days_and_the_card_stays(app: Flask, grace: UUID) -> None:
    submission_id = synced_card(grace, days_ago=31)
    assert sweep(grace) == (1, 0)
    assert PRAYER not in everything_kept(grace)
    assert (card(grace, submission_id).first_name, card(grace, submission_id).state) == ("Ana", RECEIVED)


def test_a_card_is_erased_ninety_days_after_its_sync_and_nothing_of_the_visitor_is_left(app: Flask, grace: UUID) -> None:
    submission_id = synced_card(grace, days_ago=91)
    assert all(word in everything_kept(grace) for word in ("lopez", "gmail", PRAYER)), "the search below would find it"
    assert sweep(grace) == (1, 1)
    assert card(grace, submission_id).state == ERASED
    left = everything_kept(grace)
    assert [word for word in PRIVATE if word in left] == []


def test_the_history_keeps_its_counts_and_the_person_that_was_reached(app: Flask, grace: UUID) -> None:
    synced_card(grace, days_ago=91)
    sweep(grace)
    with church_scope(grace):
        assert db.session.scalars(select(SyncOutcome)).one().outcome == "created"
        item = db.session.scalars(select(SyncItem)).one()
        assert (item.state, item.person_remote_id) == (SYNCED, "77")


def test_younger_cards_stay_whole(app: Flask, grace: UUID) -> None:
    submission_id = synced_card(grace, days_ago=29)
    before = everything_kept(grace)
    assert sweep(grace) == (0, 0)
    assert everything_kept(grace) == before
    assert card(grace, submission_id).prayer_sealed is not None


@pytest.mark.parametrize("state", [REVIEW, "failed", "waiting", "pending"])
def test_a_card_that_still_waits_for_somebody_is_never_erased(app: Flask, grace: UUID, state: str) -> None:
    submission_id = a_card(grace, minutes_ago=400 * 24 * 60)
    an_item(grace, submission_id, state)
    never_synced = a_card(grace, minutes_ago=400 * 24 * 60)
    assert sweep(grace) == (0, 0)
    assert {card(grace, each).first_name for each in (submission_id, never_synced)} == {"Ana"}


def test_a_card_that_left_something_to_do_is_kept_until_somebody_did_it(app: Flask, grace: UUID) -> None:
    submission_id = synced_card(grace, days_ago=91)
    with church_scope(grace), transaction() as session:
        item = session.scalars(select(SyncItem)).one()
        item.to_do = "“Alpha” takes requests: its leader decides who joins. Ask the leader, then put them in."
    assert (sweep(grace)[1], card(grace, submission_id).state) == (0, RECEIVED)
    with church_scope(grace), transaction() as session:
        to_dos.done(session.scalars(select(SyncItem)).one(), "Sam Hill")
    assert (sweep(grace)[1], card(grace, submission_id).state) == (1, ERASED)


def test_a_card_that_is_sent_once_more_is_not_erased_meanwhile(app: Flask, grace: UUID) -> None:
    synced_card(grace, days_ago=91)
    with church_scope(grace), transaction() as session:
        session.scalars(select(SyncItem)).one().state = "pending"
    assert sweep(grace) == (0, 0)


def test_an_ignored_card_goes_ninety_days_after_it_came(app: Flask, grace: UUID) -> None:
    submission_id = a_card(grace, minutes_ago=91 * 24 * 60)
    with church_scope(grace), transaction() as session:
        session.get_one(Submission, submission_id).state = IGNORED
    assert sweep(grace) == (0, 1)
    assert card(grace, submission_id).state == ERASED


def test_a_church_chooses_its_own_times(app: Flask, grace: UUID) -> None:
    synced_card(grace, days_ago=8)
    with church_scope(grace), transaction():
        get_church().keep_prayers_days, get_church().keep_cards_days = 3, 7
    assert sweep(grace) == (1, 1)


def test_more_cards_than_fit_into_one_transaction(app: Flask, grace: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectcard.jobs.retention.CARDS_AT_ONCE", 2)
    for _ in range(5):
        synced_card(grace, days_ago=91)
    assert sweep(grace) == (5, 5)
    assert sweep(grace) == (0, 0)


def test_the_neighbour_keeps_its_cards(app: Flask, grace: UUID, neighbour: UUID) -> None:
    synced_card(grace, days_ago=91)
    theirs = synced_card(neighbour, days_ago=91)
    before = everything_kept(neighbour)
    sweep(grace)
    assert everything_kept(neighbour) == before
    assert card(neighbour, theirs).state == RECEIVED


def test_a_preview_of_somebody_in_the_directory_goes_after_a_week(app: Flask, grace: UUID, neighbour: UUID) -> None:
    for church, days_ago in ((grace, 8), (grace, 6), (neighbour, 8)):
        with church_scope(church), transaction() as session:
            made = now() - timedelta(days=days_ago)
            session.add(SyncPreview(kind=PERSON, subject_id=uuid4(), made_at=made, contents={"rows": f"Leo, {days_ago} days ago"}))
    sweep(grace)
    assert "leo, 8 days ago" not in everything_kept(grace)
    assert "leo, 6 days ago" in everything_kept(grace)
    assert "leo, 8 days ago" in everything_kept(neighbour)
