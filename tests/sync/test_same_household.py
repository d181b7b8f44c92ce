"""Someone new of somebody's household, decided by staff: they are put into it by themselves, whatever household there is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.planning_center import Client
from connectcard.planning_center.resources import people
from connectcard.sync.decisions import decide_by_hand
from connectcard.sync.families import LEAD_IN_SEVERAL
from connectcard.sync.households import create_household
from connectcard.sync.models import SyncItem
from tests.sync.conftest import GraceChurch

TOBIAS = {"spouse": {"first_name": "Tobias", "last_name": ""}, "children": []}
LEO = {"spouse": {}, "children": [{"first_name": "Leo", "age": "6"}]}


def sync(church: GraceChurch) -> None:
    church.work_until_done(church.press_sync())


def mina_is_there(church: GraceChurch, family: dict[str, Any] | None = None) -> str:
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **({"family": family} if family else {}))
    sync(church)
    return str(church.practice.named("Wilhelmina", "Quist")[0]["id"])


def ben_of_the_household_of(church: GraceChurch, person: str, **more: Any) -> UUID:
    """Ben Quist writes her e-mail address on his card, and staff say that he is new and lives with her."""
    ben = church.card("Ben", "Quist", "mina.quist@gmail.com", **more)
    sync(church)
    assert church.item(ben).state == "review"
    with church_scope(church.church_id), transaction():
        number = decide_by_hand(item_of(ben), "household", person, "Sam Hill").number
    church.work_until_done(number)
    return ben


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


@contextmanager
def client(church: GraceChurch) -> Iterator[Client]:
    """Somebody at work in Planning Center itself."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        yield client_for(connection)


def households(church: GraceChurch) -> list[dict[str, Any]]:
    """The Quists' households, each by first names: what role they have."""
    found: dict[str, dict[str, Any]] = {}
    for person in church.practice.people():
        for one in person["households"] if person["last_name"] == "Quist" else ():
            assert person["first_name"] not in found.setdefault(one["household_id"], {}), "twice in one household"
            found[one["household_id"]][person["first_name"]] = one["household_role"]
    return list(found.values())


def test_where_there_is_no_household_one_is_made_with_her_as_its_primary_contact(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church)
    ben = ben_of_the_household_of(grace_church, mina)
    assert [set(one) for one in households(grace_church)] == [{"Wilhelmina", "Ben"}]
    [person] = grace_church.practice.named("Ben", "Quist")
    with client(grace_church) as planning_center:
        household = planning_center.get(people.HOUSEHOLD, person["households"][0]["household_id"])
    assert str(household["primary_contact_id"]) == mina
    assert (grace_church.item(ben).state, grace_church.item(ben).reason) == ("synced", None)
    assert all(step.confirmed_at for step in grace_church.steps(ben) if step.state == "done")


def test_he_joins_the_household_that_is_there(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church, TOBIAS)
    ben_of_the_household_of(grace_church, mina)
    assert [set(one) for one in households(grace_church)] == [{"Wilhelmina", "Tobias", "Ben"}]


def test_his_children_come_along(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church, TOBIAS)
    ben_of_the_household_of(grace_church, mina, family=LEO)
    assert [set(one) for one in households(grace_church)] == [{"Wilhelmina", "Tobias", "Ben", "Leo"}]
    assert households(grace_church)[0]["Leo"] == "child_or_dependent"


@pytest.mark.parametrize("path", ["/people/v2/households", "/people/v2/people"])
@pytest.mark.parametrize("kind", ["drop_after", "status_502_after", "truncated"])
def test_a_lost_answer_puts_nobody_there_twice(grace_church: GraceChurch, path: str, kind: str) -> None:
    mina = mina_is_there(grace_church)
    grace_church.practice.fault("POST", path, kind)
    ben_of_the_household_of(grace_church, mina)
    assert grace_church.practice.open_faults() == []
    assert [set(one) for one in households(grace_church)] == [{"Wilhelmina", "Ben"}]
    assert len(grace_church.practice.named("Ben", "Quist")) == 1


def test_where_she_is_in_two_households_staff_are_told(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church, TOBIAS)
    with client(grace_church) as planning_center:
        create_household("Second Quist Household", [mina], planning_center)
    ben = ben_of_the_household_of(grace_church, mina)
    assert LEAD_IN_SEVERAL in (grace_church.item(ben).reason or "")
    assert sorted(map(len, households(grace_church))) == [1, 2]


def test_whoever_was_merged_meanwhile_is_followed(grace_church: GraceChurch) -> None:
    mina = mina_is_there(grace_church, TOBIAS)
    ben = grace_church.card("Ben", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    other = next(str(one["id"]) for one in grace_church.practice.people()[::-1] if one["last_name"] != "Quist")
    grace_church.practice.post("merge", {"keep": other, "remove": mina})
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(ben), "household", mina, "Sam Hill").number
    grace_church.work_until_done(number)
    [person] = grace_church.practice.named("Ben", "Quist")
    [kept] = [one for one in grace_church.practice.people() if one["id"] == other]
    assert {one["household_id"] for one in person["households"]} <= {one["household_id"] for one in kept["households"]}


def test_the_neighbours_households_stay_as_they_are(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    before = neighbour_church.practice.people(1)
    ben_of_the_household_of(grace_church, mina_is_there(grace_church))
    assert neighbour_church.practice.people(1) == before
