"""Writes of one person go together once the person is there; what fights, or names another one, waits for it."""

from collections.abc import Callable, Sequence
from threading import Barrier, Event
from uuid import uuid4

import pytest

from connectcard.planning_center.errors import RateLimited
from connectcard.sync import lanes
from connectcard.sync.holds import HoldLost
from connectcard.sync.models import DONE, INTENT, PLANNED
from connectcard.sync.side_by_side import MOST_AT_ONCE, gravest, in_threads, waves
from connectcard.sync.steps import AskSomebody, Later, PersonGone, Step
from tests.conftest import MovedClock
from tests.sync.conftest import GraceChurch

ADDRESS = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}


def step(word: str) -> Step:
    """A step by its kind and, after a colon, the field, the place or the number in the family."""
    kind, _, of = word.partition(":")
    body = {"attributes": {"field_definition_id": of}} if kind == "set_field" else {"attributes": {}}
    member = int(of or 0) if kind in ("create_person", "add_member") else 0
    return Step(uuid4(), kind, of or kind, body, PLANNED, None, 0, member)


@pytest.mark.parametrize(
    ("planned", "together"),
    [
        ("create_person add_email add_phone", "create_person | add_email add_phone"),
        ("submit_form_new add_note", "submit_form_new | add_note"),
        ("submit_form add_email", "submit_form | add_email"),
        ("add_email add_phone add_address add_note", "add_email add_phone add_address | add_note"),
        ("add_email add_email:2 add_phone", "add_email | add_email:2 add_phone"),
        ("update_person:gender update_person:membership", "update_person:gender | update_person:membership"),
        ("update_person add_email", "update_person add_email"),
        ("set_field:7 set_field:8", "set_field:7 set_field:8"),
        ("set_field:7 set_field:7", "set_field:7 | set_field:7"),
        ("add_note add_note:2", "add_note | add_note:2"),
        ("add_workflow_card create_person:1 create_person:2", "add_workflow_card create_person:1 create_person:2"),
        ("create_person:2 create_household add_member:2", "create_person:2 | create_household | add_member:2"),
        ("add_member:1 add_member:2", "add_member:1 | add_member:2"),
        ("update_contact add_email remove_contact add_phone", "update_contact | add_email | remove_contact | add_phone"),
        ("reactivate add_email", "reactivate | add_email"),
        ("remove_email remove_phone", "remove_email | remove_phone"),
    ],
)
def test_which_writes_go_together(planned: str, together: str) -> None:
    parted = waves([step(word) for word in planned.split()])
    assert [[one.kind for one in wave] for wave in parted] == [
        [word.partition(":")[0] for word in wave.split()] for wave in together.split("|")
    ]


@pytest.mark.parametrize(
    ("troubles", "decides"),
    [
        ([Later(MovedClock()(), "unclear"), AskSomebody("who")], AskSomebody),
        ([AskSomebody("who"), PersonGone(None)], PersonGone),
        ([PersonGone("7"), HoldLost("overtaken")], HoldLost),
        ([Later(MovedClock()(), "unclear"), RateLimited("too many")], RateLimited),
        ([HoldLost("overtaken"), ZeroDivisionError()], ZeroDivisionError),
    ],
)
def test_the_gravest_decides_whatever_came_first(troubles: list[Exception], decides: type[Exception]) -> None:
    assert type(gravest(troubles)) is type(gravest(troubles[::-1])) is decides


def test_each_call_comes_to_its_end_though_another_one_fails() -> None:
    met, ended = Barrier(2, timeout=10), []

    def fails() -> None:
        met.wait()
        raise AskSomebody("who")

    def ends() -> None:
        met.wait()
        ended.append("ended")

    troubles = in_threads([fails, ends])
    assert ([type(trouble) for trouble in troubles], ended) == ([AskSomebody, type(None)], ["ended"])


def send_a_full_card(church: GraceChurch) -> list[int]:
    """How many writes went together, each time several did; all of them were in flight at once."""
    together: list[int] = []

    def counted(calls: Sequence[Callable[[], None]]) -> list[Exception | None]:
        together.append(len(calls))
        return in_threads(calls)

    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", address=ADDRESS, visit="first_time", heard="friend")
    church.press_sync()
    lanes.advance(church.church_id, Event(), side_by_side=counted)
    return together


def test_a_full_card_is_sent_in_few_rounds_and_arrives_whole(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    theirs = neighbour_church.practice.organization(1)
    assert send_a_full_card(grace_church) == [MOST_AT_ONCE, 2]
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert [len(person[part]) for part in ("emails", "phone_numbers", "addresses", "field_data")] == [1, 1, 1, 2]
    assert neighbour_church.practice.organization(1) == theirs


def test_a_lost_answer_leaves_its_own_intent_and_those_beside_it_are_written_down(grace_church: GraceChurch) -> None:
    grace_church.practice.fault("POST", "/people/v2/people/*/emails", "drop_after")
    send_a_full_card(grace_church)
    [item] = grace_church.items()
    states = {step.kind: step.state for step in grace_church.steps(item.of_submission)}
    assert (states["add_email"], states["add_phone"], states["add_address"]) == (INTENT, DONE, DONE)
    run = grace_church.work_until_done(1)
    assert (run.created, run.needs_you, run.failed) == (1, 0, 0)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert len(person["emails"]) == 1
