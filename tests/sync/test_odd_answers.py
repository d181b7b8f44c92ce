"""Whatever Planning Center answers, a pull takes in what can be kept; what an answer leaves out is not therefore gone."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections import operations
from connectcard.connections.models import Connection, RemoteChoice
from connectcard.database import db, end_reading, transaction
from connectcard.people.groups import take_in_memberships
from connectcard.people.models import MEMBER, Family, FamilyMember, Group, GroupMembership, Person
from connectcard.people.operations import edit_person
from connectcard.people.pulled import PulledMembership, Tally
from connectcard.planning_center import Client, Record
from connectcard.planning_center.documents import read_page, read_record
from connectcard.planning_center.errors import Gone
from connectcard.planning_center.resources import Resource
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE, Mapping
from connectcard.sync.refreshing import refresh_family, refresh_group, refresh_memberships
from tests.connections.conftest import connected

PARTS = {"Email": "emails", "PhoneNumber": "phone_numbers", "Address": "addresses"}
ANA = {"first_name": "Ana", "last_name": "Lopez", "birthdate": "1990-05-01", "child": False, "status": "active", "gender": "F"}
ODD = "We\0st\ud83d"
EARLIER, LATER = "2026-11-20T12:00:00Z", "2026-11-21T12:00:00Z"

Document = dict[str, Any]


def take_in(church_id: UUID, mapping: Mapping, record: Document, *included: Document) -> Tally:
    """A page of one record as Planning Center sends it, read and stored as a pull does it."""
    page = read_page(json.dumps({"data": [record], "included": included, "meta": {}}).encode())
    values = [mapping.read(each, "US") for each in page.records]
    with church_scope(church_id), transaction():
        return mapping.take_in(values, now())


def person(*parts: Document, updated_at: Any = EARLIER, **attributes: Any) -> Document:
    """Ana, with the contacts that her record names."""
    named = {key: [{"type": type_, "id": part["id"]} for part in parts if part["type"] == type_] for type_, key in PARTS.items()}
    relationships = {key: {"data": refs} for key, refs in named.items()}
    told = {**ANA, "updated_at": updated_at, **attributes}
    return {"type": "Person", "id": "7", "attributes": told, "relationships": relationships}


def part(type_: str, **attributes: Any) -> Document:
    return {"type": type_, "id": "1", "attributes": attributes}


def ana(church_id: UUID) -> Person:
    with church_scope(church_id):
        return db.session.scalars(select(Person).options(selectinload(Person.addresses))).one()


@pytest.mark.parametrize("child", [False, True], ids=["adult", "child"])
@pytest.mark.parametrize(
    ("told", "name", "born"),
    [
        ({"birthdate": "20202-01-01"}, "Ana Lopez", None),
        ({"birthdate": "0000-00-00"}, "Ana Lopez", None),
        ({"birthdate": 5}, "Ana Lopez", None),
        ({"birthdate": "1990-05-01T00:00:00Z"}, "Ana Lopez", "1990-05-01"),
        ({"updated_at": "yesterday"}, "Ana Lopez", "1990-05-01"),
        ({"updated_at": "2026-11-20T12:00:00"}, "Ana Lopez", "1990-05-01"),
        ({"updated_at": "9999-12-31T23:59:59-05:00"}, "Ana Lopez", "1990-05-01"),
        ({"first_name": "A\0na", "membership": "Mem\0ber"}, "Ana Lopez", "1990-05-01"),
        ({"first_name": "Ana\ud83d"}, "Ana Lopez", "1990-05-01"),
        ({"first_name": None, "last_name": None}, "", "1990-05-01"),
        ({"first_name": 5, "last_name": "😀" * 5000, "gender": {"value": "F"}, "status": "new"}, f"5 {'😀' * 200}", "1990-05-01"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.usefixtures("any_database")
def test_a_person_of_odd_values_does_not_stop_the_pull(grace: UUID, told: Document, name: str, born: str | None, child: bool) -> None:
    take_in(grace, PEOPLE, person(**{**told, "child": child}))
    found = ana(grace).identity
    assert (found.name, found.birthdate and found.birthdate.isoformat()) == (name, born)


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        (part("Email", address=None), []),
        (part("Email", address=5), ["5"]),
        (part("Email", address="a\0na@gmail.com"), ["ana@gmail.com"]),
        (part("Email", address="ß" * 300), ["s" * 254]),
        (part("PhoneNumber", number="5" * 400, e164="5" * 400), ["5" * 254]),
        (part("PhoneNumber", number=2175550123, e164=None, country_code=1), ["2175550123"]),
        (part("Address", street_line_1="Oak\0 Ave" * 900, country_code="USA", zip=78701), [("Oak Ave" * 900)[:300]]),
    ],
    ids=lambda one: str(one)[:50],
)  # fmt: skip
@pytest.mark.usefixtures("any_database")
def test_contacts_of_odd_values_do_not_stop_the_pull(grace: UUID, odd: Document, kept: list[str]) -> None:
    take_in(grace, PEOPLE, person(odd), odd)
    found = ana(grace)
    assert [one.value for one in found.contacts] + [one.street for one in found.addresses] == kept


@pytest.mark.parametrize(
    "told",
    [{"name": "Lo\0pez"}, {"name": None}, {"name": "x" * 900}, {"updated_at": "x"}, {"member_count": "3"}, {"primary_contact_id": 5}],
    ids=lambda told: str(told)[:30],
)
@pytest.mark.usefixtures("any_database")
def test_a_family_of_odd_values_does_not_stop_the_pull(grace: UUID, told: Document) -> None:
    take_in(grace, FAMILIES, {"type": "Household", "id": "4", "attributes": {"name": "Lopez", "updated_at": EARLIER, **told}})
    with church_scope(grace):
        assert db.session.scalars(select(Family.name)).one() == str(told.get("name", "Lopez") or "")[:200].replace("\0", "")


@pytest.mark.parametrize(
    "told",
    [
        {"name": "Al\0pha"},
        {"name": None},
        {"archived_at": "x"},
        {"description_as_plain_text": "x" * 9000},
        {"contact_email": "x" * 900},
        {"memberships_count": "x"},
    ],
    ids=lambda told: str(told)[:30],
)
@pytest.mark.usefixtures("any_database")
def test_a_group_of_odd_values_does_not_stop_the_pull(grace: UUID, told: Document) -> None:
    type_ = {"type": "GroupType", "id": "3", "attributes": {"name": "Small\0", "description": "y" * 9000}}
    related = {"group_type": {"data": {"type": "GroupType", "id": "3"}}}
    take_in(grace, GROUPS, {"type": "Group", "id": "4", "attributes": {"name": "Alpha", **told}, "relationships": related}, type_)
    with church_scope(grace):
        group = db.session.scalars(select(Group)).one()
        assert (group.name, group.area.name) == (str(told.get("name", "Alpha") or "").replace("\0", ""), "Small")


class OddlyNamed:
    """Planning Center with one odd name in each list of what a card can be sent to."""

    def iterate(self, resource: Resource, **_: Any) -> Iterator[Record]:
        odd = dict.fromkeys(("name", "value", "label"), ODD) | {"active": True, "sequence": 10**12, "data_type": "te\0xt"}
        tab = {"type": "Tab", "id": "2", "attributes": {"name": "Vi\0sit"}}
        record = {"type": resource.type, "id": "1", "attributes": odd, "relationships": {"tab": {"data": {"type": "Tab", "id": "2"}}}}
        yield from read_page(json.dumps({"data": [record], "included": [tab]}).encode()).records


@pytest.mark.usefixtures("any_database")
def test_an_odd_name_stops_no_reading_of_what_a_card_can_be_sent_to(grace: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    connection_id = connected(grace)
    monkeypatch.setattr(operations, "client_for", lambda *_, **__: OddlyNamed())
    with church_scope(grace):
        operations.read_choices(db.session.get_one(Connection, connection_id), form="1")
        end_reading()
        found = {row.kind: row for row in db.session.scalars(select(RemoteChoice))}
        kinds = {"campus", "membership_type", "field_definition", "note_category", "workflow", "form", "form_field"}
        assert {kind: row.name for kind, row in found.items()} == dict.fromkeys(kinds, "West")
        assert found["field_definition"].detail == {"data_type": "text", "tab": "Visit"}


def test_contacts_that_are_named_and_not_sent_stay(grace: UUID) -> None:
    contacts = part("Email", address="ana@gmail.com"), part("PhoneNumber", number="(217) 555-0123"), part("Address", city="Austin")
    take_in(grace, PEOPLE, person(*contacts), *contacts)
    for sent in ((), contacts[:1], contacts[1:2]):
        take_in(grace, PEOPLE, person(*contacts, first_name=f"Ana{len(sent)}", updated_at=LATER), *sent)
        assert len(ana(grace).contacts) == 2
        assert [one.city for one in ana(grace).addresses] == ["Austin"]
    take_in(grace, PEOPLE, person(updated_at=LATER))
    assert (ana(grace).contacts, ana(grace).addresses) == ([], [])


@pytest.mark.parametrize("child", [False, True], ids=["adult", "child"])
def test_what_an_answer_leaves_out_of_somebody_stays_and_what_it_empties_goes(grace: UUID, child: bool) -> None:
    take_in(grace, PEOPLE, person(nickname="Annie", membership="Member", child=child))
    with church_scope(grace), transaction() as session:
        edit_person(session.scalars(select(Person)).one(), {"membership": "Visitor"}, "Sam Hill")
    little = person(updated_at=LATER, nickname="Anita")
    little["attributes"] = {name: little["attributes"][name] for name in ("first_name", "last_name", "nickname", "status", "updated_at")}
    take_in(grace, PEOPLE, little)
    found = ana(grace)
    assert (found.name, found.identity.birthdate, found.child, found.gender) == ("Anita Lopez", date(1990, 5, 1), child, "F")
    assert (found.membership, list(found.edits or {})) == ("Visitor", ["membership"])
    take_in(grace, PEOPLE, person(updated_at=LATER, nickname=None, birthdate=None, gender=None, membership="Member", child=child))
    found = ana(grace)
    assert (found.name, found.identity.birthdate, found.gender, found.membership) == ("Ana Lopez", None, "", "Visitor")


def test_who_may_be_a_child_is_kept_sealed_until_an_answer_says_otherwise(grace: UUID) -> None:
    """Of a sign-in that may see little the reference names first name, last name and status as all that is shown."""
    little = person()
    little["attributes"] = {name: little["attributes"][name] for name in ("first_name", "last_name", "status")}
    take_in(grace, PEOPLE, little)
    assert (ana(grace).name, ana(grace).first_name, ana(grace).child_details_sealed is None) == ("Ana Lopez", "", False)
    take_in(grace, PEOPLE, person(updated_at=LATER))
    assert (ana(grace).first_name, ana(grace).child, ana(grace).child_details_sealed) == ("Ana", False, None)


def household(*people: str, updated_at: str = EARLIER, **attributes: Any) -> Document:
    """The Lopez household as its page or the list of households tells it."""
    named = {"people": {"data": [{"type": "Person", "id": one} for one in people]}}
    told = {"name": "Lopez", "member_count": len(people), "updated_at": updated_at, **attributes}
    return {"type": "Household", "id": "4", "attributes": told, "relationships": named}


def in_the_family(church_id: UUID) -> set[str | None]:
    with church_scope(church_id):
        return set(db.session.scalars(select(FamilyMember.person_remote_id).where(FamilyMember.gone_at.is_(None))))


@pytest.mark.parametrize(("named", "counted"), [((), 3), ((), None), (("7",), 3), (("7", "8", "10"), 4)])
def test_whom_an_answer_does_not_name_though_it_counts_them_stays_in_the_family(grace: UUID, named: Any, counted: int | None) -> None:
    take_in(grace, FAMILIES, household("7", "8", "9"))
    take_in(grace, FAMILIES, household(*named, member_count=counted, updated_at=LATER))
    assert in_the_family(grace) == {"7", "8", "9", *named}
    take_in(grace, FAMILIES, household(*named, updated_at=LATER))
    assert in_the_family(grace) == set(named)


def test_an_older_answer_about_a_family_that_comes_late_changes_nothing(grace: UUID) -> None:
    take_in(grace, FAMILIES, household("7", "8", name="Lopez-Garcia", updated_at=LATER))
    take_in(grace, FAMILIES, household("7"))
    take_in(grace, FAMILIES, household("7"))
    assert in_the_family(grace) == {"7", "8"}
    with church_scope(grace):
        assert db.session.scalars(select(Family.name)).one() == "Lopez-Garcia"


class Nameless:
    """Planning Center showing rows of who is in something without saying whom they are about."""

    def __init__(self, **records: Document) -> None:
        self._records = records

    def get(self, resource: Resource, *_: Any, **__: Any) -> Record:
        return read_record(json.dumps({"data": self._records[resource.type]}))

    def iterate(self, resource: Resource, **_: Any) -> Iterator[Record]:
        yield Record(resource.type, "m1", {"role": "member"})


def test_rows_that_name_nobody_put_nobody_out_of_a_family_or_group(grace: UUID) -> None:
    group = {"type": "Group", "id": "5", "attributes": {"name": "Alpha", "memberships_count": 1}}
    client = cast("Client", Nameless(Household=household("7", "8"), Group=group))
    take_in(grace, FAMILIES, household("7", "8"))
    take_in(grace, GROUPS, group)
    with church_scope(grace):
        with transaction():
            take_in_memberships(db.session.scalars(select(Group)).one(), [PulledMembership("m7", "7", MEMBER)], now())
        refresh_family("4", client)
        refresh_memberships("5", client)
        in_the_group = db.session.scalars(select(GroupMembership.person_remote_id).where(GroupMembership.gone_at.is_(None))).all()
    assert (in_the_family(grace), in_the_group) == ({"7", "8"}, ["7"])


class WithoutTheGroup:
    """Planning Center after a group was deleted, to one who is `permissions` in Groups."""

    def __init__(self, permissions: str) -> None:
        self._permissions = permissions

    def get(self, resource: Resource, *_: Any, **__: Any) -> Record:
        if resource.type == "Group":
            raise Gone("GET /groups/v2/groups/5: gone")
        return Record("Person", "1", {"permissions": self._permissions})


@pytest.mark.parametrize(("permissions", "left"), [("administrator", []), ("leader", ["7"])])
def test_a_group_that_was_archived_keeps_who_was_in_it_and_one_that_was_deleted_does_not(
    grace: UUID, permissions: str, left: list[str]
) -> None:
    take_in(grace, GROUPS, {"type": "Group", "id": "5", "attributes": {"name": "Alpha", "listed": True, "memberships_count": 1}})
    with church_scope(grace):
        with transaction():
            take_in_memberships(db.session.scalars(select(Group)).one(), [PulledMembership("m7", "7", MEMBER)], now())
        members = select(GroupMembership.person_remote_id).where(GroupMembership.gone_at.is_(None))
        take_in(grace, GROUPS, {"type": "Group", "id": "5", "attributes": {"name": "Alpha", "archived_at": LATER}})
        assert (db.session.scalars(select(Group)).one().archived_at is not None, db.session.scalars(members).all()) == (True, ["7"])
        refresh_group("5", cast("Client", WithoutTheGroup(permissions)))
        assert db.session.scalars(members).all() == left


def test_the_church_next_door_is_not_touched(grace: UUID, neighbour: UUID) -> None:
    mail = part("Email", address="ana@gmail.com")
    take_in(neighbour, PEOPLE, person(mail), mail)
    take_in(grace, PEOPLE, person(first_name="Bea", updated_at=LATER))
    assert (ana(neighbour).name, [one.value for one in ana(neighbour).contacts]) == ("Ana Lopez", ["ana@gmail.com"])
