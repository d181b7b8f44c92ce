"""Somebody of a visitor's family is merged in Planning Center into another name: no later card makes them a second time."""

from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.people.matching import Candidate
from connectcard.people.operations import forget_person, remember_person
from connectcard.sync.decisions import decide_by_hand
from connectcard.sync.families import MERGED_AT_HOME
from connectcard.sync.family_questions import decide_members, members_asked
from connectcard.sync.made_people import WAS_MERGED
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Outside
from tests.sync.test_families import MINA, households, send
from tests.sync.test_merged_and_deleted import delete, item_of, merge

FAMILY = {"spouse": {"first_name": "Tobias"}, "children": [{"first_name": "Leo"}, {"first_name": "Mia"}]}
TOBIAS = ("Tobias", "Quist", "t.quist@outlook.com")
AS_THEY_ARE_CALLED = [("Tobias", "Frederick"), ("Leo", "Ambrose")]


def merged_into(church: GraceChurch, first_name: str, other_name: str, *, child: bool = False) -> tuple[str, str]:
    """Staff merge somebody of the family into somebody of another name; gives who went and who was kept."""
    [gone] = church.practice.named(first_name, "Quist")
    kept = Outside(church.practice).person(other_name, "Nyberg", child=child)
    merge(church, kept, gone["id"])
    return gone["id"], kept


def heard(church: GraceChurch, gone: str, kept: str, *, knows: bool) -> None:
    """A webhook or a pull tells us of the merge, where we know who was kept or never saw them."""
    with church_scope(church.church_id), transaction():
        if knows:
            remember_person(Candidate(kept, "Somebody", "Nyberg"))
        forget_person(gone, kept)


def asked_about(church: GraceChurch, card: UUID) -> tuple[str, list[str]]:
    with church_scope(church.church_id):
        [member] = members_asked(item_of(card))
    return member.why, [one["remote_id"] for one in member.namesakes]


@pytest.mark.usefixtures("any_database")
@pytest.mark.parametrize("told", ["of nothing", "of the merges", "of the merges and of who was kept"])
def test_a_spouse_and_a_child_who_bear_another_name_now_are_known(grace_church: GraceChurch, told: str) -> None:
    send(grace_church, family=FAMILY)
    for name, other in AS_THEY_ARE_CALLED:
        gone, kept = merged_into(grace_church, name, other, child=name == "Leo")
        if told != "of nothing":
            heard(grace_church, gone, kept, knows="kept" in told)
    before = grace_church.practice.people()
    run = send(grace_church, family=FAMILY)
    assert (run.created, run.updated, run.skipped) == (0, 0, 1)
    assert grace_church.practice.people() == before


def test_a_spouse_who_was_merged_on_is_known_though_a_child_was_deleted(grace_church: GraceChurch) -> None:
    send(grace_church, family=FAMILY)
    delete(grace_church, grace_church.practice.named("Leo", "Quist")[0]["id"])
    _, between = merged_into(grace_church, "Tobias", "Frederick")
    merge(grace_church, Outside(grace_church.practice).person("Ambrose", "Nyberg"), between)
    send(grace_church, family=FAMILY)
    assert [sorted(home) for home in households(grace_church)] == [["Leo", "Mia", "Wilhelmina"]]


def test_a_child_who_was_merged_into_an_adult_of_the_household_is_asked_about(grace_church: GraceChurch) -> None:
    send(grace_church, family=FAMILY)
    _, kept = merged_into(grace_church, "Leo", "Ambrose")
    before = grace_church.practice.people()
    card = grace_church.card(*MINA, family=FAMILY)
    grace_church.work_until_done(grace_church.press_sync())
    assert asked_about(grace_church, card) == (MERGED_AT_HOME, [kept])
    with church_scope(grace_church.church_id), transaction():
        number = decide_members(item_of(card), {2: kept}, "Sam Hill").number
    grace_church.work_until_done(number)
    assert grace_church.item(card).reason is None
    assert grace_church.practice.people() == before


def test_a_child_who_was_merged_on_the_way_is_not_made_by_the_next_card(grace_church: GraceChurch) -> None:
    grace_church.practice.fault("POST", "*/v2/households", "html_403")
    grace_church.card(*MINA, family=FAMILY)
    number = grace_church.press_sync()
    grace_church.work()
    merged_into(grace_church, "Leo", "Ambrose", child=True)
    grace_church.work_until_done(number)
    send(grace_church, family=FAMILY)
    assert [sorted(home) for home in households(grace_church)] == [["Mia", "Tobias", "Wilhelmina"]]
    assert [len(one["households"]) for one in grace_church.practice.named("Ambrose", "Nyberg")] == [1]


@pytest.mark.parametrize("told", [False, True])
def test_the_own_card_of_a_spouse_who_was_merged_is_asked_about_once(grace_church: GraceChurch, told: bool) -> None:
    send(grace_church, family=FAMILY)
    gone, kept = merged_into(grace_church, "Tobias", "Frederick")
    if told:
        heard(grace_church, gone, kept, knows=False)
    card = grace_church.card(*TOBIAS)
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.needs_you, grace_church.item(card).reason) == (0, 1, WAS_MERGED)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "same", kept, "Sam Hill").number
    grace_church.work_until_done(number)
    grace_church.card(*TOBIAS)
    again = grace_church.work_until_done(grace_church.press_sync())
    assert (again.created, again.needs_you) == (0, 0)
    assert grace_church.practice.named("Tobias", "Quist") == []
    assert [len(one["emails"]) for one in grace_church.practice.named("Frederick", "Nyberg")] == [1]


def test_whom_the_neighbours_knew_by_the_name_is_nobody_here(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    outside = Outside(grace_church.practice)
    gone, kept = outside.person("Frederick", "Nyberg"), outside.person("Ambrose", "Nyberg")
    merge(grace_church, kept, gone)
    with church_scope(neighbour_church.church_id), transaction():
        remember_person(Candidate(gone, "Tobias", "Quist"))
    heard(neighbour_church, gone, kept, knows=True)
    send(grace_church, family=FAMILY)
    assert [sorted(home) for home in households(grace_church)] == [["Leo", "Mia", "Tobias", "Wilhelmina"]]
