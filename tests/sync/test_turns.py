"""Whose turn it is: visitors of today first, and a church with thousands of cards gives way to the others."""

from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import UUID

import pytest

from connectcard.cards.models import Submission
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.sync import lanes, runs
from connectcard.sync.models import PENDING, SYNCED, SyncItem
from connectcard.sync.turns import free_items
from tests.sync.conftest import GraceChurch

SUNDAY_MORNING = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def received(church: GraceChurch, submission_id: UUID, at: datetime) -> UUID:
    with church_scope(church.church_id), transaction() as session:
        session.get_one(Submission, submission_id).received_at = at
    return submission_id


def turns(church: GraceChurch) -> list[UUID]:
    """The submissions in the order in which they would be sent."""
    order = [item_id for item_id, _ in free_items(church.church_id)]
    with church_scope(church.church_id):
        of_item = {item.id: item.submission_id for item in db.session.scalars(db.select(SyncItem))}
    return [of_item[item_id] for item_id in order]


def test_visitors_of_today_come_first_by_the_churchs_own_day(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    grace_church.clock.moment = SUNDAY_MORNING
    last_week = received(grace_church, grace_church.card("Ann", "Old"), SUNDAY_MORNING - timedelta(days=7))
    # One in the morning in London is Saturday evening in Chicago.
    saturday = received(grace_church, grace_church.card("Bob", "Evening"), datetime(2026, 11, 22, 1, 0, tzinfo=UTC))
    late_today = received(grace_church, grace_church.card("Cid", "Late"), SUNDAY_MORNING - timedelta(minutes=1))
    early_today = received(grace_church, grace_church.card("Dee", "Early"), SUNDAY_MORNING - timedelta(minutes=50))
    neighbour_church.card("Dee", "Early")
    grace_church.press_sync()
    assert turns(grace_church) == [early_today, late_today, last_week, saturday]
    assert turns(neighbour_church) == []


def test_a_church_gives_its_lane_back_after_a_slice_only_while_others_wait(
    grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Kemi Yoder", "Lars Quist", "Mina Zorn", "Nils Uzun", "Olga Xaba", "Pete Vask")
    for name in names:
        grace_church.card(*name.split())
    number = grace_church.press_sync()
    monkeypatch.setattr(lanes, "CARDS_IN_FLIGHT", 2)
    monkeypatch.setattr(lanes, "SLICE_SECONDS", 0.0)
    asked = iter([False, False, True])
    assert lanes.advance(grace_church.church_id, Event(), lambda: next(asked, True)), "it does not say that there is more to do"
    states = [item.state for item in grace_church.items()]
    assert set(states) == {SYNCED, PENDING}, "the cards in hand are finished, the others wait for the next slice"
    assert not lanes.advance(grace_church.church_id, Event(), lambda: False)
    with church_scope(grace_church.church_id):
        assert runs.get_run(number).created == len(names)
