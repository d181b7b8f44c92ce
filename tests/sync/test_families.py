"""A visitor's family on its way into Planning Center: people, a household, and nobody twice."""

from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import Base, db, transaction
from connectcard.planning_center.resources import people
from connectcard.sync import card_fields, destinations
from connectcard.sync.decisions import decide_by_hand, retry
from connectcard.sync.families import ADULT_OF_THIS_NAME, NAMESAKE, SEVERAL_HOUSEHOLDS
from connectcard.sync.models import SyncItem
from connectcard.sync.previews import want_preview
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Outside

pytestmark = pytest.mark.usefixtures("any_database")

QUISTS = {
    "spouse": {"first_name": "Tobias", "last_name": ""},
    "children": [{"first_name": "Leo", "age": "6"}, {"first_name": "Mia", "age": "3"}],
}


def quists(church: GraceChurch) -> dict[str, dict[str, Any]]:
    """The Quists by their first names; fails where one is there twice."""
    found = [person for person in church.practice.people() if person["last_name"] == "Quist"]
    assert len({person["first_name"] for person in found}) == len(found), [person["first_name"] for person in found]
    return {person["first_name"]: person for person in found}


def households(church: GraceChurch) -> list[dict[str, str]]:
    """The households of the Quists: first name -> role, one dictionary each."""
    found: dict[str, dict[str, str]] = {}
    for first_name, person in quists(church).items():
        for membership in person["households"]:
            assert first_name not in found.setdefault(membership["household_id"], {})
            found[membership["household_id"]][first_name] = membership["household_role"]
    return list(found.values())


AT_HOME = {"Wilhelmina": "parent_guardian", "Tobias": "parent_guardian", "Leo": "child_or_dependent", "Mia": "child_or_dependent"}


def test_a_new_family_becomes_people_in_one_household(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", family=QUISTS)
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated, run.needs_you, run.failed) == (1, 0, 0, 0)
    assert households(grace_church) == [AT_HOME]
    family = quists(grace_church)
    assert [family[name]["child"] for name in AT_HOME] == [False, False, True, True]
    assert [len(family[name]["emails"]) + len(family[name]["phone_numbers"]) for name in AT_HOME] == [2, 0, 0, 0]
    assert all(step.state == "done" and step.confirmed_at for step in grace_church.steps(card))


def test_without_children_they_are_two_adults(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family={"spouse": QUISTS["spouse"], "children": []})
    grace_church.work_until_done(grace_church.press_sync())
    assert households(grace_church) == [{"Wilhelmina": "adult", "Tobias": "adult"}]


def test_a_spouse_keeps_a_last_name_of_their_own(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family={"spouse": {"first_name": "Tobias", "last_name": "Adeyemi"}})
    grace_church.work_until_done(grace_church.press_sync())
    [tobias] = grace_church.practice.named("Tobias", "Adeyemi")
    assert len(tobias["households"]) == 1


def test_a_known_mothers_family_joins_her_household(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family={"spouse": {}, "children": QUISTS["children"][:1]})
    grace_church.work_until_done(grace_church.press_sync())
    card = grace_church.card("Mina", "Quist", "mina.quist@gmail.com", family=QUISTS)
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated, run.failed) == (0, 1, 0)
    assert households(grace_church) == [AT_HOME]
    assert [(step.label, step.found) for step in grace_church.steps(card) if step.member == 2] == [("Child 1", True)]


def test_a_known_mother_without_a_household_gets_one(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=QUISTS)
    assert grace_church.work_until_done(grace_church.press_sync()).updated == 1
    assert households(grace_church) == [AT_HOME]


def test_children_who_are_there_already_are_recognised_by_a_nickname_too(grace_church: GraceChurch) -> None:
    send(grace_church, family=QUISTS)
    before = grace_church.practice.people()
    send(grace_church, family={"spouse": {"first_name": "Toby"}, "children": [{"first_name": "Leonard", "age": "7"}]})
    assert grace_church.practice.people() == before


def test_the_same_card_again_creates_and_changes_nothing(grace_church: GraceChurch) -> None:
    send(grace_church, family=QUISTS)
    before = grace_church.practice.people()
    run = send(grace_church, family=QUISTS)
    assert (run.created, run.updated, run.skipped) == (0, 0, 1)
    assert grace_church.practice.people() == before


def test_a_spouse_who_shares_the_email_is_not_made_again(grace_church: GraceChurch) -> None:
    grace_church.card("Tobias", "Quist", "quist.family@gmail.com", "(217) 555-0123")
    grace_church.work_until_done(grace_church.press_sync())
    [tobias] = grace_church.practice.named("Tobias", "Quist")
    card = grace_church.card("Wilhelmina", "Quist", "quist.family@gmail.com", family=QUISTS)
    assert grace_church.work_until_done(grace_church.press_sync()).needs_you == 1
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    assert grace_church.work_until_done(number).created == 1
    assert grace_church.practice.named("Tobias", "Quist") == [tobias]
    assert households(grace_church) == [{name: role for name, role in AT_HOME.items() if name != "Tobias"}]
    assert grace_church.item(card).reason == f"Spouse: {NAMESAKE}"


@pytest.mark.parametrize("lag", [0, 120])
def test_the_cards_of_both_parents_in_one_run_make_one_family(grace_church: GraceChurch, lag: int) -> None:
    grace_church.practice.post("settings", {"search_lag_s": lag})
    children = QUISTS["children"]
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=QUISTS)
    grace_church.clock.move(seconds=1)
    fathers = grace_church.card("Tobias", "Quist", "t.quist@outlook.com", family={"spouse": {"first_name": "Mina"}, "children": children})
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.needs_you) == (1, 1)
    assert households(grace_church) == [AT_HOME]
    [candidate] = grace_church.item(fathers).decision["candidates"]  # type: ignore[index]
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(fathers), "same", candidate["remote_id"], "Sam Hill").number
    assert grace_church.work_until_done(number).updated == 1
    assert households(grace_church) == [AT_HOME]
    assert [email["address"] for email in quists(grace_church)["Tobias"]["emails"]] == ["t.quist@outlook.com"]


def test_children_of_another_household_are_left_to_staff(grace_church: GraceChurch) -> None:
    """The father was on no card before: his children are found while Planning Center's search lags, and not made again."""
    grace_church.practice.post("settings", {"search_lag_s": 120})
    send(grace_church, family={"spouse": {}, "children": QUISTS["children"]})
    card = grace_church.card("Tobias", "Quist", "t.quist@outlook.com", family={"children": QUISTS["children"]})
    assert grace_church.work_until_done(grace_church.press_sync()).created == 1
    assert quists(grace_church)["Tobias"]["households"] == []
    assert grace_church.item(card).reason == f"Child 1: {NAMESAKE} Child 2: {NAMESAKE}"
    assert [step.state for step in grace_church.steps(card) if step.member] == ["skipped", "skipped"]


def test_a_child_who_has_its_fathers_name_is_left_to_staff(grace_church: GraceChurch) -> None:
    send(grace_church, family={"spouse": QUISTS["spouse"], "children": []})
    before = grace_church.practice.people()
    card = grace_church.card(*MINA, family={"children": [{"first_name": "Tobias", "age": "2"}]})
    assert grace_church.work_until_done(grace_church.press_sync()).skipped == 1
    assert grace_church.practice.people() == before
    assert grace_church.item(card).reason == f"Child 1: {ADULT_OF_THIS_NAME}"


def test_in_several_households_nobody_is_guessed_into_one(grace_church: GraceChurch) -> None:
    send(grace_church, family={"children": QUISTS["children"][:1]})
    grace_church.card("Bartholomew", "Adeyemi", "bart.adeyemi@gmail.com", family={"children": [{"first_name": "Ola", "age": "4"}]})
    grace_church.work_until_done(grace_church.press_sync())
    [bart] = grace_church.practice.named("Bartholomew", "Adeyemi")
    grace_church.practice.post("merge", {"keep": quists(grace_church)["Wilhelmina"]["id"], "remove": bart["id"]})
    card = grace_church.card(*MINA, family={"children": QUISTS["children"][1:]})
    grace_church.work_until_done(grace_church.press_sync())
    assert "Mia" not in quists(grace_church)
    assert grace_church.item(card).reason == f"Child 1: {SEVERAL_HOUSEHOLDS}"
    # With a child who is in one of them it is clear which one is meant.
    grace_church.card(*MINA, family=QUISTS)
    grace_church.work_until_done(grace_church.press_sync())
    assert AT_HOME in households(grace_church)


# Interrupted.

PEOPLE, HOUSEHOLDS, MEMBERS = "*/v2/people", "*/v2/households", "/people/v2/households/*/household_memberships"
WRITES = {
    "spouse": ("POST", PEOPLE, 1),
    "first child": ("POST", PEOPLE, 2),
    "second child": ("POST", PEOPLE, 3),
    "household": ("POST", HOUSEHOLDS, 0),
    "the visitor's role": ("PATCH", f"{MEMBERS}/*", 0),
    "a child's role": ("PATCH", f"{MEMBERS}/*", 3),
}
FAULTS = ("drop_after", "timeout_after", "refuse_before", "status_502_after")


# On SQLite the matrix of faults tells these stories.
@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES)
def test_interrupted_anywhere_a_family_arrives_once(grace_church: GraceChurch, write: str, fault: str) -> None:
    method, path, after = WRITES[write]
    grace_church.practice.fault(method, path, fault, after=after, seconds=0.3)
    run = send(grace_church, family=QUISTS)
    assert (run.created, run.failed, run.needs_you) == (1, 0, 0)
    assert households(grace_church) == [AT_HOME]
    assert_met(grace_church)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("after", [0, 1])
def test_interrupted_while_joining_everybody_is_in_once(grace_church: GraceChurch, after: int, fault: str) -> None:
    send(grace_church, family={"spouse": QUISTS["spouse"], "children": QUISTS["children"][:1]})
    grace_church.practice.fault("POST", MEMBERS, fault, after=after, seconds=0.3)
    family = {"children": [*QUISTS["children"], {"first_name": "Ida", "age": "1"}]}
    run = send(grace_church, family=family)
    assert (run.updated, run.failed, run.needs_you) == (1, 0, 0)
    assert households(grace_church) == [AT_HOME | {"Ida": "child_or_dependent"}]
    assert_met(grace_church)


def test_a_child_who_was_merged_on_the_way_is_followed(grace_church: GraceChurch) -> None:
    stop_before_the_household(grace_church)
    grace_church.card("Leonard", "Kept", "leonard.kept@gmail.com")
    number = grace_church.press_sync()
    grace_church.work()
    [kept] = grace_church.practice.named("Leonard", "Kept")
    grace_church.practice.post("merge", {"keep": kept["id"], "remove": quists(grace_church)["Leo"]["id"]})
    run = grace_church.work_until_done(number)
    assert (run.created, run.failed, run.needs_you) == (2, 0, 0)
    assert households(grace_church) == [{name: role for name, role in AT_HOME.items() if name != "Leo"}]
    assert [place["household_role"] for place in grace_church.practice.named("Leonard", "Kept")[0]["households"]] == ["child_or_dependent"]


def test_a_visitor_who_was_merged_on_the_way_is_followed_with_the_family(grace_church: GraceChurch) -> None:
    stop_before_the_household(grace_church)
    grace_church.card("Bartholomew", "Adeyemi", "bart.adeyemi@gmail.com")
    number = grace_church.press_sync()
    grace_church.work()
    [bart] = grace_church.practice.named("Bartholomew", "Adeyemi")
    grace_church.practice.post("merge", {"keep": bart["id"], "remove": quists(grace_church)["Wilhelmina"]["id"]})
    grace_church.work_until_done(number)
    assert households(grace_church) == [{name: role for name, role in AT_HOME.items() if name != "Wilhelmina"}]
    [bart] = grace_church.practice.named("Bartholomew", "Adeyemi")
    assert [place["household_role"] for place in bart["households"]] == ["parent_guardian"]


def test_a_child_who_was_deleted_on_the_way_is_not_silently_made_again(grace_church: GraceChurch) -> None:
    card = stop_before_the_household(grace_church)
    grace_church.practice.delete(quists(grace_church)["Leo"]["id"])
    run = grace_church.work_until_done(1)
    assert run.failed == 1
    assert grace_church.item(card).reason == "Planning Center did not accept Child 1: was made, and then deleted in Planning Center"
    assert households(grace_church) == [{name: role for name, role in AT_HOME.items() if name != "Leo"}]


def test_a_refused_child_does_not_keep_the_others_out(grace_church: GraceChurch) -> None:
    refused = {"first_name": "Le\0o", "age": "6"}
    card = grace_church.card(*MINA, family={**QUISTS, "children": [refused, *QUISTS["children"]]})
    run = grace_church.work_until_done(grace_church.press_sync())
    assert run.failed == 1
    assert households(grace_church) == [AT_HOME]
    states = {step.label: step.state for step in grace_church.steps(card) if step.member == 2}
    assert states == {"Child 1": "refused", "Child 1 in the household": "skipped"}
    with church_scope(grace_church.church_id), transaction():
        number = retry(item_of(card), "Sam Hill").number
    grace_church.work_until_done(number)
    assert households(grace_church) == [AT_HOME]


def test_a_household_that_somebody_dissolved_is_made_again_for_all(grace_church: GraceChurch) -> None:
    refused = {"first_name": "Le\0o", "age": "6"}
    card = grace_church.card(*MINA, family={**QUISTS, "children": [refused, *QUISTS["children"]]})
    grace_church.work_until_done(grace_church.press_sync())
    [household] = {place["household_id"] for place in quists(grace_church)["Leo"]["households"]}
    delete_household(grace_church, household)
    assert households(grace_church) == []
    with church_scope(grace_church.church_id), transaction():
        number = retry(item_of(card), "Sam Hill").number
    grace_church.work_until_done(number)
    assert households(grace_church) == [AT_HOME]


def test_a_household_that_goes_away_on_the_way_is_made_anew(grace_church: GraceChurch) -> None:
    send(grace_church, family={"spouse": QUISTS["spouse"], "children": QUISTS["children"][:1]})
    [household] = {place["household_id"] for place in quists(grace_church)["Leo"]["households"]}
    grace_church.practice.fault("POST", MEMBERS, "html_403")
    card = grace_church.card(*MINA, family={"children": QUISTS["children"][1:]})
    number = grace_church.press_sync()
    grace_church.work()
    delete_household(grace_church, household)
    assert grace_church.work_until_done(number).failed == 0
    assert grace_church.item(card).state == "synced"
    assert households(grace_church) == [{"Wilhelmina": "parent_guardian", "Mia": "child_or_dependent"}]


# What is seen of them.


def test_a_household_whose_answer_was_lost_is_found_though_staff_renamed_it(grace_church: GraceChurch) -> None:
    grace_church.practice.fault("POST", "/people/v2/households", "drop_after")
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=QUISTS)
    number = grace_church.press_sync()
    grace_church.work()
    [made] = {one["household_id"] for person in quists(grace_church).values() for one in person["households"]}
    Outside(grace_church.practice).patch(f"/people/v2/households/{made}", "Household", made, name="Mina and Tobias")
    assert grace_church.work_until_done(number).created == 1
    assert households(grace_church) == [AT_HOME]


def test_a_preview_lists_the_family_without_names_and_writes_nothing(grace_church: GraceChurch) -> None:
    card = grace_church.card(*MINA, family={"spouse": {}, "children": QUISTS["children"][:1]})
    before = grace_church.practice.people()
    preview = grace_church.preview(card)
    assert [(row.label, row.after, row.member) for row in preview.rows[2:]] == [
        ("Child 1", "A new person", 2),
        ("Household", "Quist Household", 0),
        ("Visitor in the household", "In the household", 0),
        ("Child 1 in the household", "In the household", 2),
    ]
    assert preview.requests == 6
    assert grace_church.practice.people() == before


def test_no_row_holds_a_childs_name_in_clear(grace_church: GraceChurch) -> None:
    card = grace_church.card(*MINA, family={"children": [{"first_name": "Zebulon", "age": "6"}]})
    with church_scope(grace_church.church_id), transaction():
        want_preview(card)
    grace_church.work_until_done(grace_church.press_sync())
    send(grace_church, family={"children": [{"first_name": "Zebulon", "age": "6"}]})
    assert "Zebulon" in quists(grace_church)
    with every_church():
        stored = [str(row) for table in Base.metadata.sorted_tables for row in db.session.execute(table.select())]
    assert any("mina.quist" in row for row in stored)
    assert not [row for row in stored if "zebulon" in row.lower()]


def test_no_address_that_is_asked_for_holds_a_childs_name(grace_church: GraceChurch) -> None:
    send(grace_church, family={"children": [{"first_name": "Zebulon", "age": "6"}]})
    assert "Zebulon" in quists(grace_church)
    assert "Zebulon" not in str([(entry["path"], entry.get("query")) for entry in grace_church.practice.requests_since(0)])


def test_a_family_costs_few_requests(grace_church: GraceChurch) -> None:
    grace_church.card(*MINA, family=QUISTS)
    number = grace_church.press_sync()
    since = len(grace_church.practice.requests_since(0))
    grace_church.work_until_done(number)
    methods = [entry["method"] for entry in grace_church.practice.requests_since(0)[since:] if entry["path"].startswith("/people/v2")]
    # Four people, one e-mail, one household, four roles; a look by name for the spouse and for the children, by mark for each.
    assert (methods.count("POST"), methods.count("PATCH")) == (6, 4)
    assert methods.count("GET") == 3 + 2 + 3 + 1 + 1 + 1 + 1


def test_the_neighbours_family_of_the_same_names_is_not_seen_and_not_touched(
    grace_church: GraceChurch, neighbour_church: GraceChurch
) -> None:
    neighbour_church.card(*MINA, family=QUISTS)
    neighbour_people = grace_church.practice.people(place=1)
    send(grace_church, family=QUISTS)
    assert households(grace_church) == [AT_HOME]
    assert grace_church.practice.people(place=1) == neighbour_people


MINA = ("Wilhelmina", "Quist", "mina.quist@gmail.com")


def send(church: GraceChurch, family: dict[str, Any]) -> Any:
    church.card(*MINA, family=family)
    return church.work_until_done(church.press_sync())


def stop_before_the_household(church: GraceChurch) -> UUID:
    """The people are made; then Planning Center's firewall turns us away for some minutes."""
    church.practice.fault("POST", HOUSEHOLDS, "html_403")
    card = church.card(*MINA, family=QUISTS)
    church.press_sync()
    church.work()
    assert households(church) == []
    assert len(quists(church)) == 4
    return card


def delete_household(church: GraceChurch, household: str) -> None:
    """Somebody dissolves a household in Planning Center."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client_for(connection).delete(people.HOUSEHOLD, household)


def assert_met(church: GraceChurch) -> None:
    """Every fault that was ordered happened."""
    assert church.practice.open_faults() == []


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def test_the_childrens_ages_go_into_the_note_that_the_church_chose(grace_church: GraceChurch) -> None:
    category = grace_church.choices("note_category")[0]
    with church_scope(grace_church.church_id), transaction():
        destinations.save("ages", card_fields.NOTE, category.remote_id, {}, None, "Sam Hill")
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", family=QUISTS)
    grace_church.work_until_done(grace_church.press_sync())
    family = quists(grace_church)
    [note] = family["Wilhelmina"]["notes"]
    assert "Children's ages: Leo: 6, Mia: 3" in note["note"]
    assert {family[name]["birthdate"] for name in ("Leo", "Mia")} == {None}, "an age is no birthdate"
