"""Staff look people, families and groups up in their own directory, see where each value came from, and keep what is theirs."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, OAUTH, Connection
from connectcard.database import db, transaction
from connectcard.people import conflicts
from connectcard.people.identity import base_email
from connectcard.people.models import (
    EMAIL,
    LEADER,
    PERSON,
    PHONE,
    Area,
    Contact,
    Department,
    Family,
    FamilyMember,
    Group,
    GroupMembership,
    Identity,
    Person,
)
from connectcard.people.operations import edit_person, marking_key, set_identity
from connectcard.people.ownership import TwoSided
from connectcard.planning_center.errors import Forbidden
from connectcard.sync import readings, record_readings
from connectcard.sync.models import SYNCED, UPDATED
from connectcard.sync.refreshing import REFRESH, Refreshed
from tests.conftest import ORIGIN
from tests.making import a_card, an_item
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]


@pytest.fixture(autouse=True)
def connected(grace: UUID) -> None:
    with church_scope(grace), transaction() as session:
        session.add(Connection(kind=OAUTH, state=CONNECTED, origin=ORIGIN, organization_id="1001"))


def somebody(church_id: UUID, name: str, *contacts: str, child: bool = False, born: date | None = None, **values: Any) -> UUID:
    """Somebody in the directory; contacts are e-mail addresses and numbers."""
    first_name, _, last_name = name.partition(" ")
    with church_scope(church_id), transaction() as session:
        person = Person(**{"remote_id": str(abs(hash(name)))[:8], **values})
        set_identity(person, Identity(first_name, last_name, birthdate=born), child=child, key=marking_key())
        session.add(person)
        session.flush()
        for value in contacts:
            kind = EMAIL if "@" in value else PHONE
            session.add(Contact(person_id=person.id, kind=kind, value=value, display=value, mailbox=base_email(value), remote_id="1"))
        return person.id


def a_family(church_id: UUID, name: str, *people: UUID, **values: Any) -> UUID:
    with church_scope(church_id), transaction() as session:
        family = Family(**{"name": name, "remote_id": "900", "seen_at": now(), **values})
        session.add(family)
        session.flush()
        session.add_all([FamilyMember(family_id=family.id, person_id=person, role="adult", remote_id="1") for person in people])
        return family.id


def a_group(church_id: UUID, name: str, *people: UUID, **values: Any) -> UUID:
    """A group whose first member leads it."""
    with church_scope(church_id), transaction() as session:
        department = db.session.scalars(db.select(Department)).first() or Department(name="PCO Groups", from_planning_center=True)
        session.add(department)
        session.flush()
        area = Area(department_id=department.id, name=f"Area of {name}", remote_id=f"area-{name}")
        session.add(area)
        session.flush()
        group = Group(
            **{"area_id": area.id, "name": name, "remote_id": f"group-{name}", "seen_at": now(), "members_read_at": now(), **values}
        )
        session.add(group)
        session.flush()
        for place, person in enumerate(people):
            session.add(GroupMembership(group_id=group.id, person_id=person, role="member" if place else LEADER, joined_at=now()))
        return group.id


def found(browser: StaffBrowser, path: str, text: str, **more: str) -> list[str]:
    """The names that a search gives, as the page shows them."""
    page = browser.post(path, {"search": text, **more}).text
    return [name.strip() for name in re.findall(r'class="row-link"[^>]*>([^<]+)<', page)]


# Finding.


@pytest.mark.usefixtures("any_database")
def test_people_are_found_by_name_without_accents_by_email_and_by_phone(grace: UUID, sign_in: SignIn) -> None:
    somebody(grace, "José Núñez", "jose.nunez@gmail.com", "+15125550177")
    somebody(grace, "Ana Lopez", "ana.lopez@outlook.com")
    browser = sign_in(grace)
    for text in ("jose", "JOSÉ NUÑEZ", "nunez jos", "jose.nunez@", "512 555-0177", "5550177"):
        assert found(browser, "/people", text) == ["José Núñez"], text
    assert found(browser, "/people", "nobody") == []
    assert found(browser, "/people", "%") == []


def test_a_child_is_found_although_the_name_is_sealed(grace: UUID, sign_in: SignIn) -> None:
    somebody(grace, "Zoë Quist", child=True)
    somebody(grace, "Leo Lopez", child=True)
    with church_scope(grace):
        stored = [vars(person) for person in db.session.scalars(db.select(Person))]
    assert "Quist" not in str(stored)
    assert found(sign_in(grace), "/people", "zoe") == ["Zoë Quist"]
    assert found(sign_in(grace, name="Eve"), "/people", "zoe quist") == ["Zoë Quist"]


def test_what_is_looked_for_stands_in_no_address(grace: UUID, sign_in: SignIn) -> None:
    somebody(grace, "Zoë Quist", child=True)
    browser = sign_in(grace)
    assert 'method="post"' in browser.get("/people").text
    assert "Zoë" in browser.get("/people?search=nobody").text, "such an address is not looked at"


def test_people_are_paged_by_name(grace: UUID, sign_in: SignIn) -> None:
    for number in range(60):
        somebody(grace, f"Ana Person{number:03}", remote_id=str(number))
    browser = sign_in(grace)
    assert len(found(browser, "/people", "")) == 50
    assert found(browser, "/people", "", page="2")[0] == "Ana Person050"
    assert len(found(browser, "/people", "ana", page="2")) == 10
    assert "51 to 60 of 60" in browser.get("/people?page=77").text


@pytest.mark.usefixtures("any_database")
def test_who_is_inactive_or_gone_is_shown_only_when_asked_for(grace: UUID, sign_in: SignIn) -> None:
    somebody(grace, "Ana Lopez")
    somebody(grace, "Ben Gone", gone_at=now())
    somebody(grace, "Cara Quiet", status="inactive")
    somebody(grace, "Dan Ours", remote_id=None)
    browser = sign_in(grace)
    assert found(browser, "/people", "") == ["Ana Lopez", "Dan Ours"]
    assert found(browser, "/people", "", who="inactive") == ["Ben Gone", "Cara Quiet"]
    assert found(browser, "/people", "", who="only_here") == ["Dan Ours"]


def test_families_and_groups_are_found_by_a_part_of_their_name(grace: UUID, sign_in: SignIn) -> None:
    a_family(grace, "Lopez Household", city="Springfield")
    a_family(grace, "Quist Household", remote_id="901")
    a_group(grace, "Choir")
    a_group(grace, "Young families")
    browser = sign_in(grace)
    assert found(browser, "/families", "lop") == ["Lopez Household"]
    assert found(browser, "/families", "springfield") == ["Lopez Household"]
    assert found(browser, "/groups", "choir") == ["Choir"]
    page = browser.get("/groups").text
    assert page.index("PCO Groups") < page.index("Area of Choir") < page.index(">Choir<") < page.index("Young families")


@pytest.mark.parametrize("path", ["/people", "/families", "/groups"])
def test_an_empty_directory_says_where_it_comes_from(grace: UUID, sign_in: SignIn, path: str) -> None:
    page = sign_in(grace).get(path).text
    assert "yet" in page
    assert "They come from Planning Center with a pull" in page


# One person.


def test_each_value_says_where_it_came_from_and_when(grace: UUID, sign_in: SignIn) -> None:
    ana = somebody(grace, "Ana Lopez", "ana@gmail.com", remote_id="77", membership="Member", born=date(1990, 3, 7))
    with church_scope(grace), transaction():
        edit_person(db.session.get_one(Person, ana), {"nickname": "Annie"}, "Eddie Editor")
        db.session.add(Contact(person_id=ana, kind=PHONE, value="+15125550100", added_here_at=now()))
    page = sign_in(grace).get(f"/people/{ana}").text
    assert "Mar 7, 1990" in page
    assert "Changed here by Eddie Editor" in page
    assert "not in Planning Center yet" in page
    assert "Added here" in page
    assert "Planning Center, " in page
    assert f"{ORIGIN}/people/AC77" in page


def test_a_person_shows_family_groups_cards_and_history(grace: UUID, sign_in: SignIn) -> None:
    ana, ben = somebody(grace, "Ana Lopez", remote_id="77"), somebody(grace, "Ben Lopez")
    a_family(grace, "Lopez Household", ana, ben)
    a_group(grace, "Choir", ana)
    card = a_card(grace)
    an_item(grace, card, SYNCED, outcome=UPDATED, person_remote_id="77")
    browser = sign_in(grace)
    page = browser.get(f"/people/{ana}").text
    for words in ("Lopez Household", "Choir", "Leader", "Filled in a card", f"/cards/{card}", "Added to a person who was there", "in <a"):
        assert words in page, words
    assert "Filled in a card" not in browser.get(f"/people/{ben}").text


def test_somebody_who_was_merged_leads_to_whom_they_became(grace: UUID, sign_in: SignIn) -> None:
    kept = somebody(grace, "Ana Lopez", remote_id="77")
    gone = somebody(grace, "Anna Lopez", remote_id="78", gone_at=now(), merged_into="77")
    page = sign_in(grace).get(f"/people/{gone}").text
    assert "merged into" in page
    assert f"/people/{kept}" in page


def test_a_person_of_whom_only_a_mark_is_known_breaks_nothing(grace: UUID, sign_in: SignIn) -> None:
    with church_scope(grace), transaction() as session:
        person = Person(remote_id="5", name_key="mark", child=True)
        session.add(person)
    browser = sign_in(grace)
    assert "No name" in browser.get("/people").text
    assert browser.get(f"/people/{person.id}").status_code == 200


# What is ours.


def kept_of(church_id: UUID, person_id: UUID) -> tuple[str | None, str | None, bool]:
    with church_scope(church_id):
        person = db.session.get_one(Person, person_id)
        return person.allergies, person.pickup_notes, person.verified


def test_staff_keep_allergies_sealed_with_who_and_when(grace: UUID, sign_in: SignIn) -> None:
    leo = somebody(grace, "Leo Lopez", child=True)
    browser = sign_in(grace, role="staff", name="Eddie Editor")
    answer = browser.post(f"/people/{leo}/edit", {"allergies": "Peanuts", "pickup_notes": "Only Ana or Ben", "verified": "yes"})
    assert answer.status_code == 303
    assert kept_of(grace, leo) == ("Peanuts", "Only Ana or Ben", True)
    with church_scope(grace):
        assert b"Peanuts" not in (db.session.get_one(Person, leo).allergies_sealed or b"")
    page = browser.get(f"/people/{leo}").text
    assert "Peanuts" in page
    assert "Allergies changed by Eddie Editor" in page
    assert "Photo changed" not in page


def test_a_mistake_loses_nothing_of_what_was_typed(grace: UUID, sign_in: SignIn) -> None:
    leo = somebody(grace, "Leo Lopez", child=True)
    answer = sign_in(grace).post(f"/people/{leo}/edit", {"allergies": "Peanuts " * 100, "photo_url": "photo.jpg", "pickup_notes": "Ana"})
    assert answer.status_code == 422
    assert "Allergies: shorten this to 500 letters or fewer" in answer.text
    assert "Enter the whole address of the photo" in answer.text
    assert "photo.jpg" in answer.text
    assert ">Ana</textarea>" in answer.text
    assert "<title>Error: " in answer.text
    assert kept_of(grace, leo) == (None, None, False)


def test_two_who_type_at_once_see_each_others_words(grace: UUID, sign_in: SignIn) -> None:
    leo = somebody(grace, "Leo Lopez", child=True)
    eddie, mona = sign_in(grace, role="staff", name="Eddie"), sign_in(grace, role="staff", name="Mona")
    opened = as_of(mona.get(f"/people/{leo}/edit").text)
    eddie.post(f"/people/{leo}/edit", {"allergies": "Peanuts", "as_of": opened})
    late = mona.post(f"/people/{leo}/edit", {"allergies": "Milk", "as_of": opened})
    assert late.status_code == 422
    assert "Eddie changed this while you were typing." in late.text
    assert "Peanuts" in late.text
    assert ">Milk</textarea>" in late.text
    assert kept_of(grace, leo)[0] == "Peanuts"
    assert mona.post(f"/people/{leo}/edit", {"allergies": "Peanuts, milk", "as_of": as_of(late.text)}).status_code == 303
    assert kept_of(grace, leo)[0] == "Peanuts, milk"


def as_of(page: str) -> str:
    return re.findall(r'name="as_of" value="([^"]*)"', page)[0]


def test_who_may_only_look_changes_nothing(grace: UUID, sign_in: SignIn) -> None:
    leo = somebody(grace, "Leo Lopez", child=True)
    vera = sign_in(grace, role="viewer")
    assert "/edit" not in vera.get(f"/people/{leo}").text
    assert vera.get(f"/people/{leo}/edit").status_code == 403
    assert vera.post(f"/people/{leo}/edit", {"allergies": "None"}).status_code == 403
    assert kept_of(grace, leo)[0] is None


# Families and groups.


def test_a_familys_roles_are_read_when_it_is_opened(grace: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = somebody(grace, "Ana Lopez")
    family = a_family(grace, "Lopez Household", ana)
    browser = sign_in(grace)
    assert 'hx-trigger="submit, load"' in browser.get(f"/families/{family}").text
    part = browser.post(f"/directory/family/{family}/refresh", headers={"HX-Request": "true"}).text
    address = part.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(address).status_code == 204
    a_worker_reads(grace, monkeypatch)
    there = browser.get(address)
    assert there.status_code == 200
    assert "data-poll" not in there.text
    with church_scope(grace), transaction():
        db.session.get_one(Family, family).roles_read_at = now()
    assert 'hx-trigger="submit"' in browser.get(f"/families/{family}").text


def a_worker_reads(church_id: UUID, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> list[tuple[str, str]]:
    """A worker reads every record that is wanted; how it is taken in is tested where it is done."""
    asked: list[tuple[str, str]] = []

    def one(kind: str) -> Callable[[str, Any], Refreshed]:
        def read(remote_id: str, client: Any) -> Refreshed:
            asked.append((kind, remote_id))
            if error:
                raise error
            return Refreshed("updated")

        return read

    for kind in REFRESH:
        monkeypatch.setitem(REFRESH, kind, one(kind))
    with church_scope(church_id):
        for key, remote_id in readings.wanted_now():
            record_readings.read(key, remote_id, None)  # type: ignore[arg-type]
    return asked


def test_refresh_reads_one_person_again_and_says_what_planning_center_said(
    grace: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = somebody(grace, "Ana Lopez", remote_id="77")
    browser = sign_in(grace, role="viewer")
    assert browser.post(f"/directory/person/{ana}/refresh").location == f"/people/{ana}"
    assert a_worker_reads(grace, monkeypatch, Forbidden("no")) == [("person", "77")]
    page = browser.get(f"/people/{ana}").text
    assert "lacks a permission in Planning Center" in page
    assert "What we knew before is shown." in page
    assert "Ana Lopez" in page


def test_nothing_is_asked_of_planning_center_for_somebody_who_is_only_here(grace: UUID, sign_in: SignIn) -> None:
    dan = somebody(grace, "Dan Ours", remote_id=None)
    browser = sign_in(grace)
    page = browser.get(f"/people/{dan}").text
    assert "This stands in your directory only." in page
    assert ">Refresh<" not in page
    browser.post(f"/directory/person/{dan}/refresh")
    with church_scope(grace):
        assert readings.wanted_now() == []


def test_a_group_shows_its_leaders_first_and_where_it_stands(grace: UUID, sign_in: SignIn) -> None:
    ana, ben = somebody(grace, "Ana Zuniga"), somebody(grace, "Ben Abel")
    group = a_group(grace, "Choir", ana, ben, listed=True, enrollment="open", schedule="Sundays at 7")
    page = sign_in(grace).get(f"/groups/{group}").text
    assert page.index("Ana Zuniga") < page.index("Ben Abel")
    for words in ("PCO Groups", "Area of Choir", "Sundays at 7", "Yes: it is open and listed", "/views/groups/events?group=group-Choir"):
        assert words in page, words


def test_confidential_members_are_not_shown_to_who_may_only_look(grace: UUID, sign_in: SignIn) -> None:
    ana = somebody(grace, "Ana Lopez")
    group = a_group(grace, "Grief care", ana, members_are_confidential=True)
    vera, eddie = sign_in(grace, role="viewer"), sign_in(grace, role="staff", name="Eddie")
    assert "Ana Lopez" not in vera.get(f"/groups/{group}").text
    assert "are confidential" in vera.get(f"/groups/{group}").text
    assert "Ana Lopez" in eddie.get(f"/groups/{group}").text
    assert "Grief care" not in vera.get(f"/people/{ana}").text
    assert "Grief care" in eddie.get(f"/people/{ana}").text


def test_somebody_who_was_not_pulled_yet_is_shown_as_such(grace: UUID, sign_in: SignIn) -> None:
    group = a_group(grace, "Choir")
    with church_scope(grace), transaction() as session:
        session.add(GroupMembership(group_id=group, person_remote_id="4711"))
    assert "Somebody who was not pulled yet (#4711)" in sign_in(grace).get(f"/groups/{group}").text


def test_the_neighbour_sees_and_changes_nothing(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    ana = somebody(grace, "Ana Lopez", "ana@gmail.com")
    theirs_ana = somebody(neighbour, "Ana Lopez", "ana@gmail.com")
    family, group = a_family(grace, "Lopez Household", ana), a_group(grace, "Choir", ana)
    theirs = sign_in(neighbour)
    assert found(theirs, "/people", "ana") == ["Ana Lopez"]
    assert str(ana) not in theirs.get("/people").text
    assert str(theirs_ana) in theirs.get("/people").text
    assert found(theirs, "/families", "") == found(theirs, "/groups", "") == []
    for path in (f"/people/{ana}", f"/people/{ana}/edit", f"/families/{family}", f"/groups/{group}"):
        assert theirs.get(path).status_code == 404
    assert theirs.post(f"/people/{ana}/edit", {"allergies": "None"}).status_code == 404
    assert theirs.post(f"/directory/person/{ana}/refresh").status_code == 404
    assert kept_of(grace, ana) == (None, None, False)


def test_what_was_changed_on_both_sides_is_said_on_the_page_of_whom_it_is_about(grace: UUID, sign_in: SignIn) -> None:
    ana = somebody(grace, "Ana Lopez")
    with church_scope(grace), transaction():
        conflicts.note(PERSON, ana, [TwoSided("nickname", "Annie", "Anni", now().isoformat(), "Eddie Editor")], now())
    page = sign_in(grace).get(f"/people/{ana}").text
    assert "Nickname was changed on both sides" in page
    assert "/ownership/conflicts" in page
    assert "Changed on both sides: nickname" in page
