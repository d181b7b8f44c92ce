"""Families whom staff keep here become households in Planning Center: once, with roles, and nobody is moved out of another one."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.people.models import Family
from connectcard.people.operations import note_edits
from connectcard.sync import push
from connectcard.sync.models import FINISHED, PUSH_FAMILIES, REVIEW, SYNCED
from connectcard.sync.push_families import FamilyTarget
from connectcard.sync.steps import Step
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    return Directory(grace_church)


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


def household_of(outside: Outside, person: str) -> dict[str, str]:
    """The names of the people in somebody's households, with their roles."""
    (household,) = outside.get(f"/people/v2/people/{person}/households")
    rows = outside.get(f"/people/v2/households/{household['id']}/household_memberships?include=person")
    return {row["attributes"]["person_name"]: row["attributes"]["household_role"] for row in rows}


def test_a_family_is_sent_with_its_people(directory: Directory, outside: Outside) -> None:
    ruth = directory.person("Ruth", "Miller", "ruth.miller@gmail.com")
    tom = directory.person("Tom", "Miller", "tom.miller@gmail.com")
    leo = directory.person("Leo", "Miller", child=True)
    family = directory.family("Miller Household", ruth, tom, leo)
    run = directory.push(PUSH_FAMILIES)
    assert (run.state, run.total, run.created) == (FINISHED, 4, 4)
    kept = directory.get_family(family)
    assert household_of(outside, directory.get(ruth).remote_id or "") == {
        "Ruth Miller": "parent_guardian",
        "Tom Miller": "parent_guardian",
        "Leo Miller": "child_or_dependent",
    }
    assert (kept.name, kept.primary_contact_remote_id) == ("Miller Household", directory.get(ruth).remote_id)
    assert all(step.confirmed_at for step in directory.steps(family))
    assert not any("Leo" in f"{step.label} {step.natural_key}" for step in directory.steps(family))


def test_a_household_whose_answer_was_lost_is_found_though_staff_renamed_it(directory: Directory, outside: Outside) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    directory.family("Miller Household", ruth, tom)
    directory.church.practice.fault("POST", "/people/v2/households", "drop_after")
    with church_scope(directory.church.church_id), transaction():
        number = push.start(PUSH_FAMILIES, "Sam Hill").number
    while directory.church.practice.open_faults():
        directory.church.work()
        directory.church.move(seconds=10)
    [made] = outside.get(f"/people/v2/people/{directory.get(ruth).remote_id}/households")
    outside.patch(f"/people/v2/households/{made['id']}", "Household", made["id"], name="Ruth and Tom")
    directory.work_until_done(number)
    assert [one["id"] for one in outside.get(f"/people/v2/people/{directory.get(ruth).remote_id}/households")] == [made["id"]]


def test_nobody_is_mailed(directory: Directory, practice: Practice) -> None:
    import requests

    directory.family("Miller", directory.person("Ruth", "Miller", "r@gmail.com"), directory.person("Tom", "Miller", "t@gmail.com"))
    directory.push(PUSH_FAMILIES)
    assert requests.get(f"{practice.url}/_simulator/mails", timeout=10).json() == []


def test_somebody_in_another_household_is_said_and_not_moved(directory: Directory, outside: Outside) -> None:
    mother, grown = outside.person("Ruth", "Miller", "ruth.miller@gmail.com"), outside.person("Tom", "Miller", "tom.miller@gmail.com")
    refs = [{"type": "Person", "id": one} for one in (mother, grown)]
    outside.post("/people/v2/households", "Household", {"name": "The parents"}, primary_contact=refs[0], people=refs)
    tom = directory.person("Tom", "Miller", "tom.miller@gmail.com")
    eva, kim = directory.person("Eva", "Miller", "eva.miller@gmail.com"), directory.person("Kim", "Miller", child=True)
    family = directory.family("Miller Household", tom, eva, kim)
    directory.push(PUSH_FAMILIES)
    assert directory.get(tom).remote_id == grown
    assert set(household_of(outside, mother)) == {"Ruth Miller", "Tom Miller"}
    assert set(household_of(outside, directory.get(eva).remote_id or "")) == {"Eva Miller", "Kim Miller"}
    assert "In another household in Planning Center (“The parents”)" in (directory.item(family).reason or "")


def test_a_household_of_the_same_people_is_found_and_completed(directory: Directory, outside: Outside) -> None:
    mother, father = outside.person("Ruth", "Miller", "ruth.miller@gmail.com"), outside.person("Tom", "Miller", "tom.miller@gmail.com")
    refs = [{"type": "Person", "id": one} for one in (mother, father)]
    made = outside.post("/people/v2/households", "Household", {"name": "Millers"}, primary_contact=refs[0], people=refs)
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    family = directory.family("Miller Household", ruth, tom, directory.person("Leo", "Miller", child=True))
    directory.push(PUSH_FAMILIES)
    assert directory.get_family(family).remote_id == made
    assert set(household_of(outside, mother)) == {"Ruth Miller", "Tom Miller", "Leo Miller"}


def test_a_household_that_somebody_renames_between_plan_and_write_keeps_that_name(
    directory: Directory, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    family = directory.family("Miller Household", ruth, tom)
    directory.push(PUSH_FAMILIES)
    household, as_it_is = directory.get_family(family).remote_id or "", FamilyTarget.looks_first

    def somebody_is_quicker(self: FamilyTarget, step: Step) -> bool:
        outside.patch(f"/people/v2/households/{household}", "Household", household, name="The Millers")
        return as_it_is(self, step)

    monkeypatch.setattr(FamilyTarget, "looks_first", somebody_is_quicker)
    with church_scope(directory.church.church_id), transaction() as session:
        row = session.get_one(Family, family)
        note_edits(row, {"name": row.name}, "Sam Hill")
        row.name = "Miller-Ruiz Household"
    directory.push(PUSH_FAMILIES)
    assert outside.get(f"/people/v2/households/{household}")["attributes"]["name"] == "The Millers"
    assert "was changed here and in Planning Center" in (directory.item(family).reason or "")
    assert directory.get_family(family).name == "Miller-Ruiz Household"


def test_a_member_who_is_not_clear_is_said_and_the_rest_go_on(directory: Directory, outside: Outside) -> None:
    outside.person("Other", "Miller", "shared@gmail.com")
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    unclear = directory.person("Ann", "Miller", "shared@gmail.com")
    family = directory.family("Miller Household", ruth, tom, unclear)
    run = directory.push(PUSH_FAMILIES)
    assert (run.created, run.needs_you, directory.item(unclear).state, directory.item(family).state) == (3, 1, REVIEW, SYNCED)
    assert "Not in Planning Center yet" in (directory.item(family).reason or "")


def test_a_second_push_adds_whom_staff_put_in_since(directory: Directory, outside: Outside) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    family = directory.family("Miller Household", ruth, tom)
    directory.push(PUSH_FAMILIES)
    directory.put_in(family, directory.person("Leo", "Miller", child=True))
    run = directory.push(PUSH_FAMILIES)
    assert (run.created, run.updated) == (1, 1)
    assert len(household_of(outside, directory.get(ruth).remote_id or "")) == 3


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch) -> None:
    next_door = Directory(neighbour_church)
    theirs = next_door.family("Miller Household", next_door.person("Ruth", "Miller", "ruth.miller@gmail.com"))
    before = directory.church.practice.people(1)
    directory.family("Miller Household", directory.person("Ruth", "Miller", "r@gmail.com"), directory.person("Tom", "Miller"))
    directory.push(PUSH_FAMILIES)
    assert directory.church.practice.people(1) == before
    assert next_door.get_family(theirs).remote_id is None
