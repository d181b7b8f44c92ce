"""Whose card is it after all? Searched for by staff, corrected after it arrived, namesakes of a family, and fathers and sons."""

from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.planning_center.documents import Ref
from connectcard.planning_center.resources import people
from connectcard.sync import questions, runs, undo
from connectcard.sync.decisions import correct_link, decide_by_hand
from connectcard.sync.family_questions import decide_members, members_asked
from connectcard.sync.models import SyncItem
from connectcard.sync.searches import want_search
from tests.sync.conftest import GraceChurch

ADDRESS = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
LEO = {"spouse": {}, "children": [{"first_name": "Leo", "age": "6"}]}


def sync(church: GraceChurch) -> Any:
    return church.work_until_done(church.press_sync())


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def make(church: GraceChurch, first_name: str, last_name: str, **more: Any) -> str:
    """Somebody adds a person in Planning Center itself."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        emails, phones = more.pop("emails", ()), more.pop("phones", ())
        person = client.create(people.PERSON, {"first_name": first_name, "last_name": last_name, **more})
        for address in emails:
            client.create(people.EMAIL, {"address": address, "location": "Home"}, parent_id=person.id)
        for number in phones:
            client.create(people.PHONE_NUMBER, {"number": number, "location": "Mobile"}, parent_id=person.id)
        return person.id


def search(church: GraceChurch, card: UUID, text: str) -> list[dict[str, Any]]:
    with church_scope(church.church_id), transaction():
        want_search(item_of(card), text)
    church.work()
    item = church.item(card)
    assert item.search_wanted is None
    return (item.decision or {})["candidates"]  # type: ignore[no-any-return]


# Search.


def test_somebody_whom_matching_did_not_find_is_looked_for_and_chosen(grace_church: GraceChurch) -> None:
    mina = make(grace_church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    married = make(grace_church, "Esmeralda", "Adeyemi")
    card = grace_church.card("Esme", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    found = search(grace_church, card, "Esmeralda Adeyemi")
    assert (found[0]["remote_id"], found[0]["searched"], mina in {one["remote_id"] for one in found}) == (married, True, True)
    assert any("Last name" in reason["words"] for reason in found[0]["reasons"])
    assert "found for “Esmeralda Adeyemi”" in (grace_church.item(card).search_answer or "")
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "same", married, "Sam Hill").number
    grace_church.work_until_done(number)
    [person] = grace_church.practice.named("Esmeralda", "Adeyemi")
    assert [email["address"] for email in person["emails"]] == ["mina.quist@gmail.com"]


def test_nobody_found_is_said_and_a_short_word_is_not_looked_for(grace_church: GraceChurch) -> None:
    make(grace_church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    card = grace_church.card("Ben", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    search(grace_church, card, "Zebulon Xylander")
    assert grace_church.item(card).search_answer == "Nobody was found for “Zebulon Xylander”."
    with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused):
        want_search(item_of(card), "  a ")


def test_a_search_while_planning_center_is_away_says_so(grace_church: GraceChurch) -> None:
    make(grace_church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    card = grace_church.card("Ben", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    grace_church.practice.fault("GET", "/people/v2/people", "status_500")
    search(grace_church, card, "Esmeralda")
    assert "Search again in a minute" in (grace_church.item(card).search_answer or "")


# This is somebody else.


def linked_to_mina(church: GraceChurch) -> tuple[UUID, str]:
    """A card that was linked by itself, with a number that Mina did not have."""
    mina = make(church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    card = church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    sync(church)
    assert church.item(card).person_remote_id == mina
    return card, mina


def corrected(church: GraceChurch, card: UUID, kind: str, person: str | None) -> None:
    with church_scope(church.church_id), transaction():
        number = correct_link(item_of(card), kind, person, "Sam Hill").number
    church.work_until_done(number)


def test_a_card_that_reached_the_wrong_person_goes_to_the_right_one_and_is_counted(grace_church: GraceChurch) -> None:
    card, mina = linked_to_mina(grace_church)
    corrected(grace_church, card, "new", None)
    [second] = grace_church.practice.named("Mina", "Quist")
    assert [phone["e164"] for phone in second["phone_numbers"]] == ["+12175550123"]
    assert grace_church.item(card).person_remote_id == second["id"]
    with church_scope(grace_church.church_id):
        month = questions.fared(grace_church.clock.moment.replace(day=1))
    assert (month.linked, month.corrected) == (1, 1)
    [kept] = [step for step in grace_church.steps(card) if step.written_to == mina]
    assert (kept.kind, kept.state, kept.remote_id is not None) == ("add_phone", "done", True), "from here it can be undone"


def undo_of_the_first_run(church: GraceChurch) -> None:
    with church_scope(church.church_id), transaction():
        undone = undo.begin(runs.get_run(1), "Sam Hill").number
    church.work()
    with church_scope(church.church_id):
        rows = [row for one in undo.undone_in(runs.get_run(undone)) for row in one.rows]
    assert {row.kept for row in rows} == {""}
    with church_scope(church.church_id), transaction():
        undo.confirm(runs.get_run(undone))
    church.work_until_done(undone)


def test_what_the_first_person_got_is_undone_and_the_second_keeps_theirs(grace_church: GraceChurch) -> None:
    card, mina = linked_to_mina(grace_church)
    corrected(grace_church, card, "new", None)
    undo_of_the_first_run(grace_church)
    [first] = [one for one in grace_church.practice.people() if one["id"] == mina]
    [second] = grace_church.practice.named("Mina", "Quist")
    assert (first["phone_numbers"], [phone["e164"] for phone in second["phone_numbers"]]) == ([], ["+12175550123"])
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == ("synced", second["id"])


def test_what_a_card_wrote_before_it_failed_can_be_undone_after_it_was_somebody_else_s(grace_church: GraceChurch) -> None:
    mina = make(grace_church, "Mina", "Quist", phones=["(217) 555-0123"])
    card = grace_church.card("Mina", "Quist", "refused@example.com", "(217) 555-0123", address=ADDRESS)
    sync(grace_church)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == ("failed", mina)
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    grace_church.work_until_done(number)
    undo_of_the_first_run(grace_church)
    first, second = sorted(grace_church.practice.named("Mina", "Quist"), key=lambda person: str(person["id"]) != mina)
    assert (first["addresses"], len(second["addresses"]), len(second["phone_numbers"])) == ([], 1, 1)


def test_whom_a_card_made_that_was_somebody_else_s_is_made_inactive(grace_church: GraceChurch) -> None:
    minnie = make(grace_church, "Minnie", "Quist", emails=["minnie@outlook.com"])
    card = grace_church.card("Mina", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    search(grace_church, card, "Minnie Quist")
    corrected(grace_church, card, "same", minnie)
    undo_of_the_first_run(grace_church)
    [made] = grace_church.practice.named("Mina", "Quist")
    assert (made["status"], made["emails"]) == ("inactive", [])
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == ("synced", minnie)


def test_a_corrected_card_is_remembered_for_the_next_one(grace_church: GraceChurch) -> None:
    card, mina = linked_to_mina(grace_church)
    other = make(grace_church, "Minnie", "Quist", emails=["minnie@outlook.com"])
    search(grace_church, card, "Minnie Quist")
    corrected(grace_church, card, "same", other)
    [person] = grace_church.practice.named("Minnie", "Quist")
    assert sorted(email["address"] for email in person["emails"]) == ["mina.quist@gmail.com", "minnie@outlook.com"]
    [first] = [one for one in grace_church.practice.people() if one["id"] == mina]
    assert first["first_name"] == "Wilhelmina", "nothing of the first person is overwritten"


def test_only_an_arrived_card_is_corrected_and_only_to_somebody_shown(grace_church: GraceChurch) -> None:
    card, mina = linked_to_mina(grace_church)
    for kind, person in (("same", "999"), ("same", mina)):
        with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused):
            correct_link(item_of(card), kind, person, "Sam Hill")
    waiting = grace_church.card("Ben", "Quist")
    grace_church.press_sync()
    with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused):
        correct_link(item_of(waiting), "new", None, "Sam Hill")


# Namesakes in a family.


def leo_elsewhere(church: GraceChurch) -> tuple[UUID, str]:
    """Another Leo Quist is in Planning Center when Mina's card with her Leo comes in."""
    other = make(church, "Leo", "Quist", child=True)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=LEO)
    sync(church)
    return card, other


def said(church: GraceChurch, card: UUID, person: str | None) -> None:
    with church_scope(church.church_id), transaction():
        item = item_of(card)
        [member] = members_asked(item)
        number = decide_members(item, {member.number: person}, "Sam Hill").number
    church.work_until_done(number)


def at_home_with(church: GraceChurch, first_name: str) -> list[str]:
    [person] = church.practice.named(first_name, "Quist")
    homes = {one["household_id"] for one in person["households"]}
    others = [one for one in church.practice.people() if homes & {home["household_id"] for home in one["households"]}]
    return sorted(one["id"] for one in others if one["id"] != person["id"])


def test_staff_see_the_namesake_with_reasons(grace_church: GraceChurch) -> None:
    card, other = leo_elsewhere(grace_church)
    with church_scope(grace_church.church_id):
        [member] = members_asked(item_of(card))
    assert ([one["remote_id"] for one in member.namesakes], "Say on the card" in member.why) == ([other], True)
    assert grace_church.practice.named("Wilhelmina", "Quist")[0]["households"] == []


def test_staff_make_the_child_anyway(grace_church: GraceChurch) -> None:
    card, other = leo_elsewhere(grace_church)
    said(grace_church, card, None)
    leos = [one["id"] for one in grace_church.practice.named("Leo", "Quist")]
    assert len(leos) == 2
    assert at_home_with(grace_church, "Wilhelmina") == [one for one in leos if one != other]
    assert grace_church.item(card).reason is None


def test_staff_say_that_it_is_the_leo_who_is_there(grace_church: GraceChurch) -> None:
    card, other = leo_elsewhere(grace_church)
    said(grace_church, card, other)
    assert len(grace_church.practice.named("Leo", "Quist")) == 1
    assert at_home_with(grace_church, "Wilhelmina") == [other]
    assert len(grace_church.practice.named("Wilhelmina", "Quist")) == 1


def test_what_staff_removed_since_the_card_arrived_is_not_added_again(grace_church: GraceChurch) -> None:
    make(grace_church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    card, other = leo_elsewhere(grace_church)
    [mina] = grace_church.practice.named("Wilhelmina", "Quist")
    email_removed(grace_church, mina["emails"][0]["id"])
    said(grace_church, card, other)
    assert at_home_with(grace_church, "Wilhelmina") == [other]
    assert grace_church.practice.named("Wilhelmina", "Quist")[0]["emails"] == []


def email_removed(church: GraceChurch, remote_id: str) -> None:
    """Somebody takes this away in Planning Center."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client_for(connection).delete(people.EMAIL, remote_id)


def test_somebody_who_was_not_shown_is_refused(grace_church: GraceChurch) -> None:
    card, _ = leo_elsewhere(grace_church)
    with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused):
        decide_members(item_of(card), {2: "999"}, "Sam Hill")


# Fathers and sons, other letters, and a merge that is found last.


def test_a_son_is_not_his_father_of_the_same_name(grace_church: GraceChurch) -> None:
    with church_scope(grace_church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        junior = next(one for one in client.iterate(people.NAME_SUFFIX) if one["value"] == "Jr.")
        ref = {"name_suffix": Ref("NameSuffix", junior.id)}
        son = client.create(people.PERSON, {"first_name": "Robert", "last_name": "Quist"}, relationships=ref)
        father = client.create(people.PERSON, {"first_name": "Robert", "last_name": "Quist"})
        for person in (son, father):
            client.create(people.EMAIL, {"address": "quists@gmail.com", "location": "Home"}, parent_id=person.id)
    card = grace_church.card("Robert", "Quist Jr.", "quists@gmail.com")
    sync(grace_church)
    assert (grace_church.item(card).state, grace_church.item(card).person_remote_id) == ("synced", son.id)
    unsaid = grace_church.card("Robert", "Quist", "quists@gmail.com", "(217) 555-0123")
    sync(grace_church)
    assert grace_church.item(unsaid).person_remote_id != son.id


def test_a_name_in_other_letters_finds_the_person_who_is_kept_in_plain_ones(grace_church: GraceChurch) -> None:
    yuri = make(grace_church, "Yuri", "Ivanov")
    card = grace_church.card("Юрий", "Иванов")
    sync(grace_church)
    item = grace_church.item(card)
    assert (item.state, [one["remote_id"] for one in (item.decision or {})["candidates"]]) == ("review", [yuri])


def test_a_merge_that_shows_only_at_the_read_back_is_followed(grace_church: GraceChurch) -> None:
    family = {"spouse": {"first_name": "Tobias", "last_name": ""}, "children": []}
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=family)
    number = grace_church.press_sync()
    grace_church.practice.fault("GET", "/people/v2/people/*", "status_503", after=1)
    grace_church.work()
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert all(step.state == "done" for step in grace_church.steps(card)), "only the read-back is left"
    other = next(one["id"] for one in grace_church.practice.people()[::-1] if one["last_name"] != "Quist")
    grace_church.practice.post("merge", {"keep": other, "remove": person["id"]})
    grace_church.work_until_done(number)
    item = grace_church.item(card)
    assert (item.state, item.person_remote_id) == ("synced", other)


def test_the_neighbours_people_are_never_found(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    make(grace_church, "Wilhelmina", "Quist", emails=["mina.quist@gmail.com"])
    card = grace_church.card("Ben", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    theirs = neighbour_church.practice.people(1)[3]
    before = neighbour_church.practice.people(1)
    found = search(grace_church, card, f"{theirs['first_name']} {theirs['last_name']}")
    assert theirs["id"] not in {one["remote_id"] for one in found}
    assert neighbour_church.practice.people(1) == before
