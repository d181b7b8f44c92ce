"""Preview as the plan: what somebody approved is exactly what is sent, and where it changed meanwhile they are asked again."""

from typing import Any
from uuid import UUID

import pytest

from connectcard.cards.queries import get_submission
from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused
from connectcard.planning_center import Record
from connectcard.planning_center.resources import people
from connectcard.sync import runs
from connectcard.sync.approvals import CHANGED, Approval, approve
from connectcard.sync.card_approvals import CARDS
from connectcard.sync.decisions import decide_by_hand, retry
from connectcard.sync.models import LEFT_OUT, REFUSED, SyncItem, SyncPreview
from connectcard.sync.previews import Preview, find_preview, want_preview
from tests.sync.conftest import GraceChurch

pytestmark = pytest.mark.usefixtures("any_database")

FAMILY = {"spouse": {"first_name": "Otto"}, "children": [{"first_name": "Leopold", "age": "6"}]}


def previewed(church: GraceChurch, card: UUID) -> Preview:
    """Ask for the preview of a card, and let the worker look."""
    church.preview(card)
    return shown(church, card)


def shown(church: GraceChurch, card: UUID) -> Preview:
    with church_scope(church.church_id):
        preview = find_preview(card)
    assert preview is not None
    assert preview.state == "ready", preview.problems
    return preview


def ticked(card: UUID, preview: Preview, *but: str) -> Approval:
    """What the form sends when everything is ticked but these rows."""
    return Approval(card, preview.fingerprint, frozenset(row.mark for row in preview.rows if row.mark and row.label not in but))


def send(church: GraceChurch, *approvals: Approval) -> int:
    with church_scope(church.church_id):
        with transaction():
            run, _ = approve(approvals, CARDS, "Sam Hill")
        return run.number


def in_planning_center(church: GraceChurch, resource: Any, attributes: dict[str, Any], parent_id: str | None = None) -> Record:
    """Somebody at the church writes this in Planning Center itself."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        end_reading()
        return client.create(resource, attributes, parent_id=parent_id)


def mina_is_there(church: GraceChurch) -> Record:
    mina = in_planning_center(church, people.PERSON, {"first_name": "Wilhelmina", "last_name": "Quist"})
    in_planning_center(church, people.EMAIL, {"address": "mina.quist@gmail.com", "location": "Home"}, mina.id)
    return mina


def changes(preview: Preview) -> list[tuple[str, str]]:
    return [(row.label, row.after) for row in preview.rows if row.after]


@pytest.mark.parametrize(("fault", "words"), [("rate_limited", "asks us to slow down"), ("status_500", "did not answer properly")])
def test_a_preview_that_cannot_be_made_says_what_kept_it(grace_church: GraceChurch, fault: str, words: str) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.practice.fault("GET", "/people/v2/emails", fault)
    preview = grace_church.preview(card)
    assert preview.state == "failed"
    assert words in preview.problems[0]


def test_what_was_approved_is_what_is_written_and_what_was_left_out_never_is(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    preview = previewed(grace_church, card)
    run = grace_church.work_until_done(send(grace_church, ticked(card, preview, "Mobile number")))
    assert run.created == 1
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert (len(person["emails"]), len(person["phone_numbers"])) == (1, 0)
    assert {step.label: step.state for step in grace_church.steps(card)}["Mobile number"] == LEFT_OUT


def test_a_card_that_is_left_out_stays_ready(grace_church: GraceChurch) -> None:
    mina = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.card("Bartholomew", "Adeyemi", "bart.adeyemi@gmail.com")
    run = grace_church.work_until_done(send(grace_church, ticked(mina, previewed(grace_church, mina))))
    assert run.total == 1
    assert grace_church.practice.named("Bartholomew", "Adeyemi") == []
    with church_scope(grace_church.church_id):
        assert runs.ready_count() == 1


def test_the_new_person_itself_can_only_be_left_out_with_the_card(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    preview = previewed(grace_church, card)
    grace_church.work_until_done(send(grace_church, ticked(card, preview, "New person", "Email")))
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert person["emails"] == []


def test_a_child_can_be_left_out_and_the_rest_of_the_family_goes_on(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=FAMILY)
    preview = previewed(grace_church, card)
    assert "Leopold" not in str(preview), "the name of a child stands in the card only"
    grace_church.work_until_done(send(grace_church, ticked(card, preview, "Child 1", "Child 1 in the household")))
    assert grace_church.item(card).state == "synced"
    assert len(grace_church.practice.named("Otto", "Quist")) == 1
    assert grace_church.practice.named("Leopold", "Quist") == []


@pytest.mark.parametrize(
    ("but", "at_home"),
    [
        (("Child 1 in the household",), {"Wilhelmina", "Otto"}),
        (("Child 1",), {"Wilhelmina", "Otto"}),
        (("Spouse in the household",), {"Wilhelmina", "Leopold"}),
        (("Spouse", "Child 1 in the household"), set()),
        (("Household",), set()),
    ],
)
def test_whose_place_in_the_household_is_left_out_is_not_put_into_it(
    grace_church: GraceChurch, but: tuple[str, ...], at_home: set[str]
) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=FAMILY)
    preview = previewed(grace_church, card)
    assert "Visitor in the household" in [row.label for row in preview.rows if row.required], "a household stands by its primary contact"
    grace_church.work_until_done(send(grace_church, ticked(card, preview, *but)))
    family = [person for person in grace_church.practice.people() if person["last_name"] == "Quist"]
    assert {person["first_name"] for person in family if person["households"]} == at_home
    assert grace_church.item(card).state == "synced"


def test_a_household_that_staff_left_out_is_no_fault_of_those_in_it(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=FAMILY)
    grace_church.work_until_done(send(grace_church, ticked(card, previewed(grace_church, card), "Household")))
    of_household = {step.label: (step.state, step.problem) for step in grace_church.steps(card) if "ousehold" in step.label}
    assert len(of_household) == 4
    assert set(of_household.values()) == {(LEFT_OUT, None)}
    assert grace_church.item(card).reason is None


def test_a_person_who_changed_in_between_stops_the_card_and_shows_the_new_difference(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    seen = previewed(grace_church, card)
    assert changes(seen) == [("Mobile number", "(217) 555-0123")]
    in_planning_center(grace_church, people.PHONE_NUMBER, {"number": "(217) 555-0199", "location": "Mobile"}, mina.id)
    run = grace_church.work_until_done(send(grace_church, ticked(card, seen)))
    assert (run.updated, run.needs_you) == (0, 1)
    assert (grace_church.item(card).state, grace_church.item(card).reason) == ("review", CHANGED)
    assert len(grace_church.practice.named("Wilhelmina", "Quist")[0]["phone_numbers"]) == 1
    new = shown(grace_church, card)
    [row] = [row for row in new.rows if row.after]
    assert row.now == "+12175550199"
    assert grace_church.work_until_done(send(grace_church, ticked(card, new))).updated == 1
    assert len(grace_church.practice.named("Wilhelmina", "Quist")[0]["phone_numbers"]) == 2


def test_somebody_who_appeared_in_between_stops_the_card_too(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    seen = previewed(grace_church, card)
    assert changes(seen)[0][0] == "New person"
    mina_is_there(grace_church)
    grace_church.work_until_done(send(grace_church, ticked(card, seen)))
    assert grace_church.item(card).reason == CHANGED
    assert len(grace_church.practice.named("Wilhelmina", "Quist")) == 1
    assert changes(shown(grace_church, card)) == [("Mobile number", "(217) 555-0123")]


def test_a_corrected_card_is_another_plan(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    seen = previewed(grace_church, card)
    number = send(grace_church, ticked(card, seen))
    with church_scope(grace_church.church_id), transaction():
        get_submission(card).answers = {"first_name": "Wilhelmina", "last_name": "Quist", "email": "mina@outlook.com"}
    grace_church.work_until_done(number)
    assert grace_church.item(card).reason == CHANGED
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_an_approval_of_an_older_preview_is_refused(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    seen = previewed(grace_church, card)
    in_planning_center(grace_church, people.PHONE_NUMBER, {"number": "(217) 555-0199", "location": "Mobile"}, mina.id)
    previewed(grace_church, card)
    with pytest.raises(ChangeRefused):
        send(grace_church, ticked(card, seen))


def test_a_card_cannot_be_approved_twice(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    approval = ticked(card, previewed(grace_church, card))
    send(grace_church, approval)
    with pytest.raises(ChangeRefused):
        send(grace_church, approval)


def test_of_two_who_approve_a_stopped_card_at_the_same_moment_the_second_is_told(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    seen = previewed(grace_church, card)
    mina_is_there(grace_church)
    grace_church.work_until_done(send(grace_church, ticked(card, seen)))
    assert grace_church.item(card).reason == CHANGED
    new = ticked(card, shown(grace_church, card))
    with church_scope(grace_church.church_id), transaction():
        stale = item_of(card)
        approved = db.update(SyncItem).where(SyncItem.id == stale.id).values(state="claimed")
        db.session.execute(approved, execution_options={"synchronize_session": False})
        with pytest.raises(ChangeRefused):
            approve([new], CARDS, "Mona Reyes")


def test_an_empty_answer_blanks_nothing(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    in_planning_center(grace_church, people.PHONE_NUMBER, {"number": "(217) 555-0199", "location": "Mobile"}, mina.id)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    preview = previewed(grace_church, card)
    assert changes(preview) == []
    before = grace_church.practice.named("Wilhelmina", "Quist")
    assert grace_church.work_until_done(send(grace_church, ticked(card, preview))).skipped == 1
    assert grace_church.practice.named("Wilhelmina", "Quist") == before


def test_what_was_left_out_stays_out_when_the_card_is_tried_again(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina@example.com", "(217) 555-0123")
    grace_church.work_until_done(send(grace_church, ticked(card, previewed(grace_church, card), "Mobile number")))
    assert grace_church.item(card).state == "failed"
    with church_scope(grace_church.church_id), transaction():
        number = retry(item_of(card), "Sam Hill").number
    grace_church.work_until_done(number)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert person["phone_numbers"] == []
    assert {step.label: step.state for step in grace_church.steps(card)} == {
        "New person": "done",
        "Email": REFUSED,
        "Mobile number": LEFT_OUT,
    }


def test_a_card_that_could_be_two_people_asks_as_it_does_without_a_preview(grace_church: GraceChurch) -> None:
    mina_is_there(grace_church)
    card = grace_church.card("Bartholomew", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    preview = previewed(grace_church, card)
    assert (preview.decision or {})["kind"] == "unclear"
    grace_church.work_until_done(send(grace_church, ticked(card, preview)))
    assert (grace_church.item(card).decision or {})["kind"] == "unclear"
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    assert grace_church.work_until_done(number).created == 1


def test_one_odd_card_does_not_keep_the_others_from_being_looked_at(grace_church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = grace_church.card("Odd", "Card", "odd.card@gmail.com")
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    with church_scope(grace_church.church_id), transaction() as session:
        want_preview(odd)
        want_preview(card)
        session.scalars(db.select(SyncPreview).where(SyncPreview.submission_id == odd)).one().wanted_at = grace_church.clock.moment.replace(
            year=2020
        )
        get_submission(odd).answers = {"first_name": ["not", "a", "name"]}
    grace_church.work()
    assert changes(shown(grace_church, card))[0] == ("New person", "Wilhelmina Quist")
    with church_scope(grace_church.church_id):
        failed = find_preview(odd)
    assert failed is not None
    assert failed.state == "failed"


def test_the_neighbours_cards_cannot_be_approved(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    card = neighbour_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    own = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    preview = previewed(grace_church, own)
    with pytest.raises(ChangeRefused):
        send(grace_church, ticked(card, preview))
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(db.select(SyncItem)).all() == []
        assert db.session.scalars(db.select(SyncPreview)).all() == []


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()
