"""A visitor's family on its way into Planning Center: people, a household, and nobody twice."""

from typing import Any

import pytest

from tests.sync.conftest import GraceChurch

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
