"""What somebody sets in Planning Center after a card was planned and before it is written is never overwritten by the card."""

from typing import Any

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import Record
from connectcard.planning_center.resources import people
from connectcard.sync.approvals import CHANGED
from connectcard.sync.card_fields import NOTHING, PERSON_ATTRIBUTE
from connectcard.sync.card_finds import FILLED
from connectcard.sync.models import DONE, LEFT_OUT, Destination
from tests.sync.conftest import GraceChurch
from tests.sync.test_approvals import changes, in_planning_center, mina_is_there, previewed, send, shown, ticked

pytestmark = pytest.mark.usefixtures("any_database")

OAK_STREET = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
HEARD = "/people/v2/people/*/field_data"


@pytest.fixture
def visits_are_a_membership(grace_church: GraceChurch) -> GraceChurch:
    """How often somebody has come says what membership they get, where they have none."""
    with church_scope(grace_church.church_id), transaction() as session:
        session.add(Destination(card_field="visit", kind=PERSON_ATTRIBUTE, target="membership", choices={"first_time": "Visitor"}))
        session.add(Destination(card_field="first_visit_date", kind=NOTHING))
    return grace_church


def set_by_staff(church: GraceChurch, mina: Record, **values: str) -> None:
    """Somebody at the church sets this on her in Planning Center itself."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        end_reading()
        client.update(people.PERSON, mina.id, values)


def mina_now(church: GraceChurch) -> dict[str, Any]:
    [mina] = church.practice.named("Wilhelmina", "Quist")
    return mina


def steps(church: GraceChurch, card: Any) -> dict[str, tuple[str, str | None]]:
    return {step.kind: (step.state, step.problem) for step in church.steps(card)}


@pytest.mark.parametrize("fault", ["html_403", "status_500", "timeout_before"])
def test_a_membership_that_staff_set_meanwhile_stays(visits_are_a_membership: GraceChurch, fault: str) -> None:
    church, mina = visits_are_a_membership, mina_is_there(visits_are_a_membership)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", visit="first_time")
    church.practice.fault("PATCH", "/people/v2/people/*", fault, seconds=0.3)
    number = church.press_sync()
    church.work()
    assert steps(church, card)["update_person"][0] in ("planned", "intent"), "the write is still to come"
    set_by_staff(church, mina, membership="Member")
    church.work_until_done(number)
    assert mina_now(church)["membership"] == "Member"
    assert steps(church, card) == {"update_person": (LEFT_OUT, FILLED), "add_phone": (DONE, None)}
    assert (church.item(card).state, church.item(card).reason) == ("synced", f"Membership: {FILLED}")


def test_the_same_membership_that_staff_set_meanwhile_is_found_and_not_sent(visits_are_a_membership: GraceChurch) -> None:
    church, mina = visits_are_a_membership, mina_is_there(visits_are_a_membership)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", visit="first_time")
    church.practice.fault("PATCH", "/people/v2/people/*", "html_403")
    number = church.press_sync()
    church.work()
    set_by_staff(church, mina, membership="Visitor")
    church.work_until_done(number)
    [step] = church.steps(card)
    assert (step.state, step.found) == (DONE, True)


def test_an_answer_that_staff_wrote_down_meanwhile_stays_the_only_one(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", heard="drove_by")
    grace_church.practice.fault("POST", HEARD, "html_403")
    number = grace_church.press_sync()
    grace_church.work()
    [step] = grace_church.steps(card)
    in_planning_center(grace_church, people.FIELD_DATUM, {"field_definition_id": step.natural_key, "value": "Friend or family"}, mina.id)
    grace_church.work_until_done(number)
    assert [datum["value"] for datum in mina_now(grace_church)["field_data"]] == ["Friend or family"]
    assert steps(grace_church, card) == {"set_field": (LEFT_OUT, FILLED)}


def test_a_number_that_staff_wrote_down_meanwhile_stays_the_primary_one(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    grace_church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "html_403")
    number = grace_church.press_sync()
    grace_church.work()
    in_planning_center(grace_church, people.PHONE_NUMBER, {"number": "(217) 555-0199", "location": "Home", "primary": True}, mina.id)
    grace_church.work_until_done(number)
    numbers = {phone["e164"]: phone["primary"] for phone in mina_now(grace_church)["phone_numbers"]}
    assert numbers == {"+12175550199": True, "+12175550123": False}


def test_a_number_that_staff_wrote_down_meanwhile_is_not_added_twice(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    grace_church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "html_403")
    number = grace_church.press_sync()
    grace_church.work()
    in_planning_center(grace_church, people.PHONE_NUMBER, {"number": "(217) 555-0123", "location": "Home"}, mina.id)
    grace_church.work_until_done(number)
    assert len(mina_now(grace_church)["phone_numbers"]) == 1


def test_an_approved_card_stops_there_and_shows_the_new_difference(visits_are_a_membership: GraceChurch) -> None:
    church, mina = visits_are_a_membership, mina_is_there(visits_are_a_membership)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", visit="first_time")
    seen = previewed(church, card)
    assert changes(seen) == [("Membership", "Visitor"), ("Mobile number", "(217) 555-0123")]
    church.practice.fault("PATCH", "/people/v2/people/*", "html_403")
    church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "html_403")
    number = send(church, ticked(card, seen))
    church.work()
    set_by_staff(church, mina, membership="Member")
    assert church.work_until_done(number).needs_you == 1
    assert (church.item(card).state, church.item(card).reason) == ("review", CHANGED)
    new = shown(church, card)
    assert ("Membership", "Member", "") in [(row.label, row.now, row.after) for row in new.rows]
    assert church.work_until_done(send(church, ticked(card, new))).finished_at
    assert church.item(card).state == "synced"
    assert (mina_now(church)["membership"], len(mina_now(church)["phone_numbers"])) == ("Member", 1)


def test_an_approved_card_with_an_unclear_write_goes_on_without_what_was_set(visits_are_a_membership: GraceChurch) -> None:
    """What may have arrived is looked for by the plan that it belongs to; nothing is planned beside it."""
    church, mina = visits_are_a_membership, mina_is_there(visits_are_a_membership)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", visit="first_time")
    church.practice.fault("PATCH", "/people/v2/people/*", "html_403")
    church.practice.fault("POST", "/people/v2/people/*/phone_numbers", "late_apply", seconds=5)
    number = send(church, ticked(card, previewed(church, card)))
    church.work()
    set_by_staff(church, mina, membership="Member")
    church.work_until_done(number)
    assert church.item(card).state in ("synced", "review")
    assert (mina_now(church)["membership"], len(mina_now(church)["phone_numbers"])) == ("Member", 1)


def reads_of(church: GraceChurch, **answers: Any) -> int:
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **answers)
    number, since = church.press_sync(), len(church.practice.requests_since(0))
    church.work_until_done(number)
    asked = church.practice.requests_since(0)[since:]
    return sum(entry["method"] == "GET" and entry["path"].startswith("/people/v2") for entry in asked)


def test_somebody_who_is_there_costs_one_read_more_and_only_where_something_is_filled_in(visits_are_a_membership: GraceChurch) -> None:
    church = visits_are_a_membership
    mina_is_there(church)
    with_nothing_to_fill = reads_of(church)
    assert reads_of(church, visit="first_time", heard="drove_by", address=OAK_STREET) == with_nothing_to_fill + 1
    assert reads_of(church, visit="first_time", heard="drove_by", address=OAK_STREET) == with_nothing_to_fill


def test_the_neighbours_namesake_keeps_what_she_has(visits_are_a_membership: GraceChurch, neighbour_church: GraceChurch) -> None:
    before = neighbour_church.practice.people(place=1)
    mina_is_there(visits_are_a_membership)
    visits_are_a_membership.card("Wilhelmina", "Quist", "mina.quist@gmail.com", visit="first_time")
    visits_are_a_membership.work_until_done(visits_are_a_membership.press_sync())
    assert mina_now(visits_are_a_membership)["membership"] == "Visitor"
    assert neighbour_church.practice.people(place=1) == before
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(db.select(Destination)).all() == []
