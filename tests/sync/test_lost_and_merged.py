"""Planning Center made somebody, its answer was lost, and staff there merged or renamed them before we looked: nobody is made twice."""

from datetime import timedelta
from unittest.mock import Mock
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.people.matching import NEW, Decision, Visitor
from connectcard.sync import push, push_decisions
from connectcard.sync.decisions import decide_by_hand, retry, undo
from connectcard.sync.family_questions import decide_members, members_asked
from connectcard.sync.made_people import ASKED_OF_ANOTHER, unless_asked
from connectcard.sync.models import PUSH_PEOPLE, REVIEW, SYNCED
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory, Outside
from tests.sync.test_merged_and_deleted import item_of, merge, somebody

LEO = {"spouse": {}, "children": [{"first_name": "Leo"}]}
RENAMED = "Planning Center did not confirm that they were made. They may have been, and renamed since. Say whether it is them."
LEO_AND_MIA = {"spouse": {}, "children": [{"first_name": "Leo"}, {"first_name": "Mia"}]}
ASKED = "Planning Center did not confirm that they were made, and somebody was merged there since. Say whether it was them."


def lost(church: GraceChurch, after: int = 0) -> None:
    """The answer to a new person does not arrive; those before it do. The star leaves out what lies below a person."""
    church.practice.fault("POST", "*/v2/people", "drop_after", after=after)


def merged_while_the_card_waits(church: GraceChurch, first_name: str, number: int) -> str:
    """The card waits until it is sure what became of the request; meanwhile somebody cleans up in Planning Center."""
    church.work()
    [made] = church.practice.named(first_name, "Quist")
    kept = somebody(church)
    merge(church, kept, made["id"])
    church.work_until_done(number)
    return kept


def renamed_while_the_card_waits(church: GraceChurch, first_name: str, number: int) -> str:
    """Meanwhile somebody in Planning Center mends the name, so that it is another one."""
    church.work()
    [made] = church.practice.named(first_name, "Quist")
    church.practice.rename(made["id"], "Theodora", "Quist")
    church.work_until_done(number)
    return str(made["id"])


def a_lost_visitor(church: GraceChurch) -> tuple[UUID, str]:
    """Mina's card, and into whom she was merged."""
    lost(church)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    return card, merged_while_the_card_waits(church, "Wilhelmina", church.press_sync())


def said_new(church: GraceChurch, card: UUID, place: int) -> int:
    """Staff say of one of those they are asked about that they are new; gives the number of the run."""
    with church_scope(church.church_id), transaction():
        return decide_members(item_of(card), {members_asked(item_of(card))[place].number: None}, "Sam Hill").number


def quists(church: GraceChurch) -> list[str]:
    return sorted(person["first_name"] for person in church.practice.people() if person["last_name"] == "Quist")


def test_a_visitor_is_asked_about_with_whom_they_may_have_become(grace_church: GraceChurch) -> None:
    card, kept = a_lost_visitor(grace_church)
    item = grace_church.item(card)
    assert (item.state, item.reason) == (REVIEW, ASKED)
    assert [one["remote_id"] for one in (item.decision or {})["candidates"]] == [kept]
    assert quists(grace_church) == []


def test_staff_say_it_was_them(grace_church: GraceChurch) -> None:
    card, kept = a_lost_visitor(grace_church)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "same", kept, "Sam Hill").number
    grace_church.work_until_done(number)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == (SYNCED, kept)
    [person] = [one for one in grace_church.practice.people() if one["id"] == kept]
    assert "mina.quist@gmail.com" in [email["address"] for email in person["emails"]]
    assert quists(grace_church) == []


def test_a_decision_that_was_taken_back_is_asked_for_again(grace_church: GraceChurch) -> None:
    card, kept = a_lost_visitor(grace_church)
    with church_scope(grace_church.church_id), transaction():
        decide_by_hand(item_of(card), "same", kept, "Sam Hill", undo_for=timedelta(seconds=30))
    with church_scope(grace_church.church_id), transaction():
        undo(item_of(card))
    second = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.ignored_for(card)
    grace_church.work_until_done(grace_church.press_sync())
    assert (grace_church.item(card).state, grace_church.item(card).reason, quists(grace_church)) == (REVIEW, ASKED, [])
    assert grace_church.item(second).reason == ASKED_OF_ANOTHER


@pytest.mark.parametrize("said", ["same", "new"])
def test_a_decision_that_is_on_its_way_already_stands(grace_church: GraceChurch, said: str) -> None:
    """The card was planned anew and waits for Planning Center: to ask again would need what the plan forgot."""
    card, kept = a_lost_visitor(grace_church)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), said, kept if said == "same" else None, "Sam Hill").number
    grace_church.practice.fault("POST", "*", "rate_limited")
    grace_church.work()
    assert grace_church.item(card).state == "waiting"
    with church_scope(grace_church.church_id), pytest.raises(ChangeRefused), transaction():
        undo(item_of(card))
    grace_church.work_until_done(number)
    assert (grace_church.item(card).state, quists(grace_church)) == (SYNCED, [] if said == "same" else ["Wilhelmina"])


def test_another_card_of_theirs_meanwhile_makes_nobody_either(grace_church: GraceChurch) -> None:
    first, kept = a_lost_visitor(grace_church)
    second = grace_church.card("Mina", "Quist", "mina.quist@gmail.com")
    other = grace_church.card("Tobias", "Quist", "tobias.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    item = grace_church.item(second)
    assert (item.state, item.reason) == (REVIEW, ASKED_OF_ANOTHER)
    assert [one["remote_id"] for one in (item.decision or {})["candidates"]] == [kept]
    assert (grace_church.item(other).state, quists(grace_church)) == (SYNCED, ["Tobias"])
    for card in (first, second):
        with church_scope(grace_church.church_id), transaction():
            number = decide_by_hand(item_of(card), "same", kept, "Sam Hill").number
        grace_church.work_until_done(number)
        assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == (SYNCED, kept)
    assert quists(grace_church) == ["Tobias"]


def test_a_second_card_makes_nobody_while_the_answer_about_the_first_can_be_taken_back(grace_church: GraceChurch) -> None:
    first, kept = a_lost_visitor(grace_church)
    with church_scope(grace_church.church_id), transaction():
        decide_by_hand(item_of(first), "same", kept, "Sam Hill", undo_for=timedelta(seconds=30))
    second = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert (grace_church.item(second).state, grace_church.item(second).reason, quists(grace_church)) == (REVIEW, ASKED_OF_ANOTHER, [])


def a_lost_child(church: GraceChurch) -> tuple[UUID, str]:
    """Mina's card, which staff are asked about Leo of, and who Leo is called by now."""
    lost(church, after=1)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO)
    return card, renamed_while_the_card_waits(church, "Leo", church.press_sync())


def test_the_card_of_the_other_parent_makes_no_child_who_is_asked_about(grace_church: GraceChurch) -> None:
    _, renamed = a_lost_child(grace_church)
    card = grace_church.card("Tobias", "Quist", "tobias.quist@gmail.com", family=LEO_AND_MIA)
    grace_church.work_until_done(grace_church.press_sync())
    assert quists(grace_church) == ["Mia", "Theodora", "Tobias", "Wilhelmina"]
    with church_scope(grace_church.church_id), transaction():
        [leo] = members_asked(item_of(card))
        assert (leo.why, [one["remote_id"] for one in leo.namesakes]) == (ASKED_OF_ANOTHER, [renamed])
        number = decide_members(item_of(card), {leo.number: renamed}, "Sam Hill").number
    grace_church.work_until_done(number)
    assert quists(grace_church) == ["Mia", "Theodora", "Tobias", "Wilhelmina"]
    at_home = {one["first_name"]: {place["household_id"] for place in one["households"]} for one in grace_church.practice.people()}
    assert at_home["Theodora"] & at_home["Tobias"] & at_home["Mia"]


def test_a_child_of_the_directory_whom_a_card_is_asked_about_is_not_made_either(grace_church: GraceChurch) -> None:
    a_lost_child(grace_church)
    directory = Directory(grace_church)
    leo = directory.person("Leo", "Quist", child=True)
    directory.push(PUSH_PEOPLE)
    assert (directory.item(leo).reason, quists(grace_church)) == (ASKED_OF_ANOTHER, ["Theodora", "Wilhelmina"])


def test_others_arrive_while_staff_are_asked_about_a_card_whose_prayer_was_forgotten(grace_church: GraceChurch) -> None:
    lost(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", prayer="For my mother.")
    merged_while_the_card_waits(grace_church, "Wilhelmina", grace_church.press_sync())
    assert grace_church.ignored_for(card, days=31) == (1, 0)
    other = grace_church.card("Tobias", "Quist", "tobias.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert (grace_church.item(card).state, grace_church.item(card).reason) == (REVIEW, ASKED)
    after = grace_church.card("Leo", "Quist", "leo.quist@gmail.com")
    theirs = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert grace_church.item(theirs).reason == ASKED_OF_ANOTHER
    assert [grace_church.item(one).state for one in (other, after)] == [SYNCED, SYNCED]


def test_somebody_of_the_directory_with_an_asked_visitors_name_is_asked_about_too(grace_church: GraceChurch) -> None:
    a_lost_visitor(grace_church)
    directory = Directory(grace_church)
    mina = directory.person("Wilhelmina", "Quist", "mina.quist@gmail.com")
    directory.push(PUSH_PEOPLE)
    assert (directory.item(mina).reason, quists(grace_church)) == (ASKED_OF_ANOTHER, [])


def test_a_question_about_a_visitor_next_door_holds_nobody_up(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    a_lost_visitor(grace_church)
    with church_scope(neighbour_church.church_id):
        asked = unless_asked(Decision(NEW, ""), Visitor("Wilhelmina", "Quist"), "US", Mock())
    assert asked.kind == NEW


def test_staff_say_it_was_somebody_else(grace_church: GraceChurch) -> None:
    card, _kept = a_lost_visitor(grace_church)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    grace_church.work_until_done(number)
    assert grace_church.item(card).state == SYNCED
    assert quists(grace_church) == ["Wilhelmina"]


def test_a_card_that_was_set_aside_without_an_answer_asks_again(grace_church: GraceChurch) -> None:
    card, kept = a_lost_visitor(grace_church)
    grace_church.ignored_for(card)
    assert grace_church.work_until_done(grace_church.press_sync()).needs_you == 1
    item = grace_church.item(card)
    assert (item.state, item.reason, quists(grace_church)) == (REVIEW, ASKED, [])
    assert [one["remote_id"] for one in (item.decision or {})["candidates"]] == [kept]
    with church_scope(grace_church.church_id), transaction():
        number = retry(item_of(card), "Sam Hill").number
    assert grace_church.work_until_done(number).needs_you == 1
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "same", kept, "Sam Hill").number
    grace_church.work_until_done(number)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id, quists(grace_church)) == (SYNCED, kept, [])


def test_somebody_who_was_merged_on_is_shown_once(grace_church: GraceChurch) -> None:
    lost(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = grace_church.press_sync()
    grace_church.work()
    [made] = grace_church.practice.named("Wilhelmina", "Quist")
    between, kept = somebody(grace_church), somebody(grace_church, 1)
    merge(grace_church, between, made["id"])
    merge(grace_church, kept, between)
    grace_church.work_until_done(number)
    assert [one["remote_id"] for one in (grace_church.item(card).decision or {})["candidates"]] == [kept]


@pytest.mark.parametrize("it_is_them", [True, False])
def test_a_visitor_who_was_renamed_is_asked_about(grace_church: GraceChurch, it_is_them: bool) -> None:
    lost(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    renamed = renamed_while_the_card_waits(grace_church, "Wilhelmina", grace_church.press_sync())
    item = grace_church.item(card)
    assert (item.state, item.reason, quists(grace_church)) == (REVIEW, RENAMED, ["Theodora"])
    assert [one["remote_id"] for one in (item.decision or {})["candidates"]] == [renamed]
    with church_scope(grace_church.church_id), transaction():
        said = ("same", renamed) if it_is_them else ("new", None)
        number = decide_by_hand(item_of(card), *said, "Sam Hill").number
    grace_church.work_until_done(number)
    assert grace_church.item(card).state == SYNCED
    assert quists(grace_church) == (["Theodora"] if it_is_them else ["Theodora", "Wilhelmina"])


@pytest.mark.parametrize("it_is_them", [True, False])
def test_a_child_who_was_renamed_is_asked_about(grace_church: GraceChurch, it_is_them: bool) -> None:
    lost(grace_church, after=1)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO)
    renamed = renamed_while_the_card_waits(grace_church, "Leo", grace_church.press_sync())
    assert quists(grace_church) == ["Theodora", "Wilhelmina"]
    with church_scope(grace_church.church_id), transaction():
        item = item_of(card)
        [leo] = members_asked(item)
        assert (leo.why, [one["remote_id"] for one in leo.namesakes]) == (RENAMED, [renamed])
        number = decide_members(item, {leo.number: renamed if it_is_them else None}, "Sam Hill").number
    grace_church.work_until_done(number)
    assert grace_church.item(card).state == SYNCED
    assert quists(grace_church) == (["Theodora", "Wilhelmina"] if it_is_them else ["Leo", "Theodora", "Wilhelmina"])


def test_a_child_is_left_to_staff_and_the_rest_of_the_family_arrives(grace_church: GraceChurch) -> None:
    lost(grace_church, after=1)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO)
    kept = merged_while_the_card_waits(grace_church, "Leo", grace_church.press_sync())
    assert (grace_church.item(card).state, quists(grace_church)) == (SYNCED, ["Wilhelmina"])
    with church_scope(grace_church.church_id), transaction():
        item = item_of(card)
        [leo] = members_asked(item)
        assert (leo.why, [one["remote_id"] for one in leo.namesakes]) == (ASKED, [kept])
        number = decide_members(item, {leo.number: kept}, "Sam Hill").number
    grace_church.work_until_done(number)
    [mina] = grace_church.practice.named("Wilhelmina", "Quist")
    [leo_now] = [one for one in grace_church.practice.people() if one["id"] == kept]
    at_home = {one["household_id"] for one in mina["households"]}
    assert at_home & {one["household_id"] for one in leo_now["households"]}
    assert quists(grace_church) == ["Wilhelmina"]


def test_what_staff_say_of_one_child_makes_no_other_one_again(grace_church: GraceChurch) -> None:
    """Mia's name stands elsewhere, so that staff are asked about her too, and say so first."""
    Outside(grace_church.practice).person("Mia", "Quist", child=True)
    lost(grace_church, after=1)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO_AND_MIA)
    kept = merged_while_the_card_waits(grace_church, "Leo", grace_church.press_sync())
    with church_scope(grace_church.church_id), transaction():
        item = item_of(card)
        leo, mia = members_asked(item)
        number = decide_members(item, {mia.number: None}, "Sam Hill").number
    grace_church.work_until_done(number)
    assert quists(grace_church) == ["Mia", "Mia", "Wilhelmina"]
    with church_scope(grace_church.church_id), transaction():
        assert members_asked(item_of(card)) == [leo]
        number = decide_members(item_of(card), {leo.number: kept}, "Sam Hill").number
    grace_church.work_until_done(number)
    assert (grace_church.item(card).state, quists(grace_church)) == (SYNCED, ["Mia", "Mia", "Wilhelmina"])
    [mina] = grace_church.practice.named("Wilhelmina", "Quist")
    [leo_now] = [one for one in grace_church.practice.people() if one["id"] == kept]
    assert {one["household_id"] for one in mina["households"]} & {one["household_id"] for one in leo_now["households"]}


def test_a_child_who_was_said_to_be_new_and_then_lost_and_renamed_is_asked_about_once_more(grace_church: GraceChurch) -> None:
    """Both names stand elsewhere; the answer to Leo is lost, and the word about Mia makes no second one."""
    for name in ("Leo", "Mia"):
        Outside(grace_church.practice).person(name, "Quist", child=True)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO_AND_MIA)
    grace_church.work_until_done(grace_church.press_sync())
    before = {one["id"] for one in grace_church.practice.named("Leo", "Quist")}
    lost(grace_church)
    number = said_new(grace_church, card, 0)
    grace_church.work()
    [made] = {one["id"] for one in grace_church.practice.named("Leo", "Quist")} - before
    grace_church.practice.rename(made, "Theodora", "Quist")
    grace_church.work_until_done(number)
    grace_church.work_until_done(said_new(grace_church, card, 1))
    assert quists(grace_church) == ["Leo", "Mia", "Mia", "Theodora", "Wilhelmina"]
    with church_scope(grace_church.church_id):
        [leo] = members_asked(item_of(card))
        assert (leo.why, [one["remote_id"] for one in leo.namesakes]) == (RENAMED, [made])


@pytest.mark.parametrize("last_name", ["-", "?", "🙂"])
def test_a_visitor_whose_last_name_has_no_letters_is_found(grace_church: GraceChurch, last_name: str) -> None:
    lost(grace_church)
    card = grace_church.card("Wilhelmina", last_name, "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    [mina] = grace_church.practice.named("Wilhelmina", last_name)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == (SYNCED, mina["id"])


def test_somebody_of_the_directory_without_a_first_name_is_found(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    lost(grace_church)
    quist = directory.person("", "Quist", "mina.quist@gmail.com")
    directory.push(PUSH_PEOPLE)
    assert (directory.item(quist).state, len(quists(grace_church))) == (SYNCED, 1)


def test_a_lost_answer_beside_a_merge_of_long_ago_is_no_question(grace_church: GraceChurch) -> None:
    merge(grace_church, somebody(grace_church), somebody(grace_church, 1))
    grace_church.move(minutes=20)
    grace_church.practice.fault("POST", "/people/v2/people", "refuse_before")
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    assert (grace_church.item(card).state, quists(grace_church)) == (SYNCED, ["Wilhelmina"])


def a_lost_push(directory: Directory) -> tuple[UUID, int]:
    """Somebody of the directory whose making is never answered, and the run that sends them."""
    lost(directory.church)
    mina = directory.person("Wilhelmina", "Quist", "mina.quist@gmail.com")
    with church_scope(directory.church.church_id), transaction():
        return mina, push.start(PUSH_PEOPLE, "Sam Hill").number


def test_somebody_of_the_directory_is_asked_about(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    mina, number = a_lost_push(directory)
    kept = merged_while_the_card_waits(grace_church, "Wilhelmina", number)
    item = directory.item(mina)
    assert (item.state, item.reason, quists(grace_church)) == (REVIEW, ASKED, [])
    with church_scope(grace_church.church_id), transaction():
        number = push_decisions.decide(item.id, "same", kept, "Sam Hill").number
    directory.work_until_done(number)
    assert (directory.item(mina).state, directory.get(mina).remote_id, quists(grace_church)) == (SYNCED, kept, [])


def test_somebody_of_the_directory_who_was_seen_to_by_hand_is_asked_about_again(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    mina, number = a_lost_push(directory)
    merged_while_the_card_waits(grace_church, "Wilhelmina", number)
    with church_scope(grace_church.church_id), transaction():
        push_decisions.done_by_hand(directory.item(mina).id)
    assert directory.push(PUSH_PEOPLE).needs_you == 1
    assert (directory.item(mina).state, directory.item(mina).reason, quists(grace_church)) == (REVIEW, ASKED, [])
    with church_scope(grace_church.church_id), transaction():
        number = push_decisions.decide(directory.item(mina).id, "new", None, "Sam Hill").number
    directory.work_until_done(number)
    assert (directory.item(mina).state, quists(grace_church)) == (SYNCED, ["Wilhelmina"])


def test_somebody_of_the_directory_who_was_renamed_is_asked_about(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    mina, number = a_lost_push(directory)
    renamed = renamed_while_the_card_waits(grace_church, "Wilhelmina", number)
    item = directory.item(mina)
    assert (item.state, item.reason, quists(grace_church)) == (REVIEW, RENAMED, ["Theodora"])
    with church_scope(grace_church.church_id), transaction():
        number = push_decisions.decide(item.id, "same", renamed, "Sam Hill").number
    directory.work_until_done(number)
    assert (directory.get(mina).remote_id, quists(grace_church)) == (renamed, ["Theodora"])


def test_a_merge_next_door_is_no_question(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    people_next_door = neighbour_church.practice.people(1)
    lost(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = grace_church.press_sync()
    grace_church.work()
    merge(grace_church, people_next_door[-1]["id"], people_next_door[-2]["id"])
    grace_church.work_until_done(number)
    assert (grace_church.item(card).state, quists(grace_church)) == (SYNCED, ["Wilhelmina"])
