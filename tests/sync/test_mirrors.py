"""Staff look at Planning Center's check-ins, calendar and groups: what a worker read, whole, and never more than was shown."""

from datetime import datetime
from threading import Event
from typing import Any

import pytest
import requests

from connectcard.churches.tenancy import church_scope
from connectcard.connections.queries import find_connection
from connectcard.errors import NotFound
from connectcard.sync import mirrors, readings
from connectcard.sync.remote_views import BY_KEY, VIEWS
from tests.sync.conftest import GraceChurch
from tests.sync.practice_views import kept, listing, reading, refresh, values, want, work

BY_THEMSELVES = [view.key for view in VIEWS if not view.below]


@pytest.fixture(autouse=True)
def on_the_day_of_the_practice_church(grace_church: GraceChurch) -> None:
    """The Sundays and meetings of a practice church lie round the day it is made; our clock shows that day."""
    settings = requests.get(f"{grace_church.practice.url}/_simulator/settings", timeout=30).json()
    grace_church.clock.moment = datetime.fromisoformat(settings["now"])


def group_events(church: GraceChurch, **wish: Any) -> list[dict[str, Any]]:
    return values(church.church_id, "groups/events", **wish)


@pytest.mark.usefixtures("any_database")
def test_every_view_is_read_and_shows_what_planning_center_has(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    for key in BY_THEMSELVES:
        want(church_id, key)
    work(church_id)
    problems = {key: reading(church_id, key).problem for key in BY_THEMSELVES}
    assert problems == dict.fromkeys(BY_THEMSELVES)
    counts = {key: listing(church_id, key).total for key in BY_THEMSELVES}
    assert all(counts.values()), counts
    assert counts["check-ins/locations"] == 4, "the rooms of the one event that is not archived, and their folder"
    assert {one["name"] for one in values(church_id, "check-ins/events")} == {"Sunday kids", "Summer camp"}
    assert counts["groups/campuses"] == 2


def test_children_are_named_in_the_list_and_nowhere_open_in_the_database(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "check-ins")
    shown = values(church_id, "check-ins")
    children = {(one["first_name"], one["last_name"]) for one in shown}
    assert children, "six Sundays of check-ins"
    for row in kept(church_id):
        open_text = f"{row.attributes} {row.marks} {row.name_key} {row.page} {row.sealed_values_sealed!r}"
        assert not any(last in open_text for _, last in children)
        assert set(row.attributes) == {"kind", "event.name", "locations.name", "created_at", "checked_out_at"}


def test_medical_notes_emergency_contacts_and_pick_up_codes_are_not_kept(grace_church: GraceChurch) -> None:
    refresh(grace_church.church_id, "check-ins")
    held = set().union(*(one for one in values(grace_church.church_id, "check-ins")))
    assert not held & {"medical_notes", "emergency_contact_name", "emergency_contact_phone_number", "security_code"}


def test_somebody_is_found_by_name_although_names_are_sealed(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "check-ins")
    someone = values(church_id, "check-ins")[0]
    name = f"{someone['last_name']} {someone['first_name']}".upper()
    found = values(church_id, "check-ins", text=name)
    assert found
    assert {(one["first_name"], one["last_name"]) for one in found} == {(someone["first_name"], someone["last_name"])}
    assert listing(church_id, "check-ins", text="nobody at all").total == 0


def test_rows_are_filtered_by_what_they_belong_to(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    rooms = refresh(church_id, "check-ins").choices["location"]
    for code, name in rooms.items():
        assert {one["locations.name"] for one in values(church_id, "check-ins", chosen={"location": code})} == {name}
    together = sum(listing(church_id, "check-ins", chosen={"location": code}).total for code in rooms)
    assert together == listing(church_id, "check-ins").total


def test_group_events_are_shown_upcoming_past_canceled_and_of_one_group(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    choices = refresh(church_id, "groups/events").choices
    everything = listing(church_id, "groups/events").total
    upcoming, past = (listing(church_id, "groups/events", when=when).total for when in ("upcoming", "past"))
    assert min(upcoming, past) > 0
    assert upcoming + past == everything
    assert {one["canceled"] for one in group_events(grace_church, chosen={"canceled": "true"})} == {True}
    (code, name), *_ = choices["group"].items()
    assert {one["group.name"] for one in group_events(grace_church, chosen={"group": code})} == {name}
    by_type = [listing(church_id, "groups/events", chosen={"type": code}).total for code in choices["type"]]
    assert sum(by_type) == everything


def test_who_came_is_read_for_one_meeting_when_somebody_asks(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "groups/events")
    meeting = listing(church_id, "groups/events", when="past").rows[0]
    assert refresh(church_id, "groups/events/attendances", meeting.remote_id).problem is None
    came = values(church_id, "groups/events/attendances", meeting.remote_id)
    assert {one["role"] for one in came} == {"leader", "member"}
    with church_scope(church_id), pytest.raises(NotFound):
        mirrors.want_view(BY_KEY["groups/events/attendances"], "999999999")


def test_what_is_gone_there_goes_here_with_the_next_whole_reading(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "check-ins")
    before = listing(church_id, "check-ins").total
    grace_church.move(days=21)
    refresh(church_id, "check-ins")
    assert 0 < listing(church_id, "check-ins").total < before, "three of the six weeks are older than what is shown"


def test_a_refused_product_is_said_in_words_and_takes_nothing_away(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "calendar")
    before = listing(church_id, "calendar").total
    set_permission(grace_church, "calendar", "none")
    refused = refresh(church_id, "calendar")
    assert refused.standing == "no_access"
    assert refused.problem == (
        "The person who connected has no access to Planning Center Calendar. Give it to them there, or connect as somebody else."
    )
    assert listing(church_id, "calendar").total == before > 0
    with church_scope(church_id):
        connection = find_connection()
        assert connection is not None
        assert connection.products["calendar"] == "no_access"


def test_groups_that_planning_center_hides_are_not_taken_for_gone(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    assert refresh(church_id, "groups").standing == "ok"
    before = listing(church_id, "groups").total
    set_permission(grace_church, "groups", "none")
    hidden = refresh(church_id, "groups")
    assert (hidden.standing, hidden.problem) == ("hidden_rows", None)
    assert listing(church_id, "groups").total == before > 0


def set_permission(church: GraceChurch, product: str, permission: str) -> None:
    ada = next(person for person in church.practice.people() if person["first_name"] == "Ada")
    # A site administrator sees every product.
    church.practice.post("permission", {"person": ada["id"], "permission": "Manager"})
    church.practice.post("permission", {"person": ada["id"], "product": product, "permission": permission})


def test_while_planning_center_is_away_what_was_read_stays_and_it_is_tried_again(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "groups/types")
    before = listing(church_id, "groups/types").total
    grace_church.practice.fault("GET", "/groups/v2/group_types", "status_500", times=1)
    failed = refresh(church_id, "groups/types")
    assert failed.problem is not None
    assert failed.wanted_at is not None
    assert listing(church_id, "groups/types").total == before
    grace_church.move(minutes=2)
    work(church_id)
    assert reading(church_id, "groups/types").problem is None


def test_it_is_given_up_after_three_tries_and_says_why(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    grace_church.practice.fault("GET", "/groups/v2/group_types", "status_500", times=3)
    want(church_id, "groups/types")
    for _ in range(3):
        work(church_id)
        grace_church.move(minutes=2)
    given_up = reading(church_id, "groups/types")
    assert given_up.wanted_at is None
    assert "Planning Center did not answer properly" in (given_up.problem or "")


def test_a_reading_that_is_broken_off_keeps_all_and_stays_wanted(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "groups")
    before = listing(church_id, "groups").total
    grace_church.practice.fault("GET", "/groups/v2/groups", "truncated", times=1)
    after = refresh(church_id, "groups")
    assert after.wanted_at is not None
    assert listing(church_id, "groups").total == before


def test_waiting_for_room_in_the_rate_limit_is_no_failure_however_long_it_lasts(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    grace_church.practice.fault("GET", "/groups/v2/group_types", "rate_limited", times=5)
    want(church_id, "groups/types")
    for _ in range(5):
        work(church_id)
        assert reading(church_id, "groups/types").wanted_at is not None
        grace_church.move(minutes=2)
    work(church_id)
    assert reading(church_id, "groups/types").problem is None
    assert listing(church_id, "groups/types").total == 4


def test_a_worker_that_is_to_leave_reads_nothing_more(grace_church: GraceChurch) -> None:
    stop = Event()
    stop.set()
    want(grace_church.church_id, "groups")
    work(grace_church.church_id, stop)
    assert reading(grace_church.church_id, "groups").wanted_at is not None


def test_reading_twice_changes_nothing(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "check-ins")
    before = [(row.id, row.attributes, row.sealed_values_sealed) for row in kept(church_id)]
    refresh(church_id, "check-ins")
    assert [(row.id, row.attributes, row.sealed_values_sealed) for row in kept(church_id)] == before


def test_what_is_asked_for_while_it_is_read_is_read_once_more(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    want(church_id, "groups/types")
    with church_scope(church_id):
        assert readings.wanted_now()
    work(church_id)
    with church_scope(church_id):
        assert not readings.wanted_now()


def test_what_nobody_looks_at_any_more_is_forgotten(grace_church: GraceChurch) -> None:
    church_id = grace_church.church_id
    refresh(church_id, "check-ins")
    refresh(church_id, "groups")
    grace_church.clock.move(days=15)
    with church_scope(church_id):
        assert mirrors.forget_aged() > 0
    assert listing(church_id, "check-ins").total == 0
    with church_scope(church_id):
        assert readings.find_reading("check-ins") is None
    assert listing(church_id, "groups").total > 0, "groups name nobody and may stay for longer"


def test_the_neighbour_sees_nothing_of_it(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    refresh(grace_church.church_id, "check-ins")
    refresh(grace_church.church_id, "groups")
    assert kept(neighbour_church.church_id) == []
    assert listing(neighbour_church.church_id, "groups").total == 0
    with church_scope(neighbour_church.church_id):
        assert readings.find_reading("groups") is None


def test_only_connected_churches_with_something_due_are_served(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    want(grace_church.church_id, "groups")
    want(neighbour_church.church_id, "groups")
    assert readings.churches_wanting_readings() == [grace_church.church_id]
