"""Who is this? Decided by staff: remembered, taken back until it is sent, and counted at the end of the month."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import questions
from connectcard.sync.decisions import decide_by_hand, undo
from connectcard.sync.models import RememberedDecision, SyncItem
from connectcard.sync.questions import Fared
from tests.sync.conftest import GraceChurch

pytestmark = pytest.mark.usefixtures("any_database")

A_MOMENT = timedelta(seconds=20)


def mina_is_there(church: GraceChurch) -> str:
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    church.work_until_done(church.press_sync())
    return str(church.practice.named("Wilhelmina", "Quist")[0]["id"])


def a_question(church: GraceChurch, **others: str) -> UUID:
    """Ben Quist writes his wife's e-mail address on his card."""
    ben = church.card("Ben", "Quist", "mina.quist@gmail.com", **others)
    church.work_until_done(church.press_sync())
    assert church.item(ben).state == "review"
    return ben


def decided(church: GraceChurch, card: UUID, kind: str, person: str | None = None, undo_for: timedelta = timedelta(0)) -> int:
    with church_scope(church.church_id), transaction():
        return decide_by_hand(item_of(card), kind, person, "Sam Hill", undo_for).number


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def decision(church: GraceChurch, card: UUID) -> dict[str, Any]:
    return church.item(card).decision or {}


def test_a_question_is_asked_until_it_is_decided(grace_church: GraceChurch) -> None:
    mina_is_there(grace_church)
    ben = a_question(grace_church)
    with church_scope(grace_church.church_id):
        assert (questions.open_questions(), questions.count()) == ([ben], 1)
    decided(grace_church, ben, "new")
    with church_scope(grace_church.church_id):
        assert (questions.open_questions(), questions.count()) == ([], 0)


def test_someone_new_of_the_same_household_is_made_and_put_into_it(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    ben = a_question(grace_church)
    run = grace_church.work_until_done(decided(grace_church, ben, "household", mina))
    assert run.created == 1
    assert len(grace_church.practice.named("Ben", "Quist")) == 1
    kept = decision(grace_church, ben)
    assert (kept["kind"], kept["household_of"], kept["candidates"][0]["remote_id"]) == ("household", mina, mina)
    [wife], [husband] = grace_church.practice.named("Wilhelmina", "Quist"), grace_church.practice.named("Ben", "Quist")
    assert [one["household_id"] for one in wife["households"]] == [one["household_id"] for one in husband["households"]] != []


def test_the_same_name_with_the_same_contact_is_not_asked_twice(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    grace_church.work_until_done(decided(grace_church, a_question(grace_church), "same", mina))
    again = grace_church.card("Ben", "Quist", "Mina.Quist@gmail.com", "(217) 555-0177")
    assert grace_church.work_until_done(grace_church.press_sync()).updated == 1
    assert decision(grace_church, again)["words"] == "Sam Hill said before that this is Wilhelmina Quist."
    other = grace_church.card("Carl", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert grace_church.item(other).state == "review", "another name is another question"


def test_a_decision_is_taken_back_before_it_is_sent(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    before = grace_church.practice.people()
    ben = a_question(grace_church)
    asked = decision(grace_church, ben)
    number = decided(grace_church, ben, "same", mina, A_MOMENT)
    grace_church.work()
    with church_scope(grace_church.church_id), transaction():
        undo(item_of(ben))
    run = grace_church.work_until_done(number)
    assert (run.total, run.needs_you, grace_church.item(ben).state) == (1, 1, "review")
    assert decision(grace_church, ben) == asked
    assert grace_church.practice.people() == before
    with church_scope(grace_church.church_id):
        assert db.session.scalars(db.select(RememberedDecision)).all() == []
        assert questions.open_questions() == [ben]


def test_what_was_sent_is_not_taken_back(grace_church: GraceChurch) -> None:
    mina_is_there(grace_church)
    ben = a_question(grace_church)
    grace_church.work_until_done(decided(grace_church, ben, "new", undo_for=A_MOMENT))
    assert grace_church.item(ben).state == "synced"
    with church_scope(grace_church.church_id), pytest.raises(ChangeRefused), transaction():
        undo(item_of(ben))


def moved_on_meanwhile(card: UUID) -> SyncItem:
    """The card as one of staff still sees it, while another one's word has sent it on its way."""
    seen = item_of(card)
    moved = db.update(SyncItem).where(SyncItem.id == seen.id).values(state="pending")
    db.session.execute(moved, execution_options={"synchronize_session": False})
    assert seen.state == "review"
    return seen


def test_of_two_who_decide_at_the_same_moment_the_second_is_told(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    ben = a_question(grace_church)
    asked = decision(grace_church, ben)
    with church_scope(grace_church.church_id), transaction():
        with pytest.raises(ChangeRefused):
            decide_by_hand(moved_on_meanwhile(ben), "same", mina, "Mona Reyes")
        assert item_of(ben).decision == asked


def test_the_month_says_who_was_linked_by_itself_and_who_was_asked_about(grace_church: GraceChurch) -> None:
    mina_is_there(grace_church)
    grace_church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    grace_church.work_until_done(grace_church.press_sync())
    grace_church.work_until_done(decided(grace_church, a_question(grace_church), "new"))
    with church_scope(grace_church.church_id):
        assert questions.fared(grace_church.clock.moment - timedelta(days=1)) == Fared(linked=1, corrected=0, decided=1)
        assert questions.fared(grace_church.clock.moment + timedelta(days=1)) == Fared(0, 0, 0)


def test_the_neighbours_decisions_answer_nothing_here(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    decided(grace_church, a_question(grace_church), "same", mina)
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(db.select(RememberedDecision)).all() == []
        assert (questions.open_questions(), questions.count()) == ([], 0)
        assert questions.fared(grace_church.clock.moment - timedelta(days=1)) == Fared(0, 0, 0)
