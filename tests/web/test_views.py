"""Staff look at what Planning Center has: filtered, paged, with its age and links, and in words where nothing can be shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, OAUTH, Connection
from connectcard.database import transaction
from connectcard.planning_center import Record, Ref
from connectcard.planning_center.errors import ProductUnavailable
from connectcard.sync import mirrors, readings
from connectcard.sync.remote_views import BY_KEY, VIEWS
from tests.conftest import ORIGIN
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]


@pytest.fixture(autouse=True)
def connected(grace: UUID) -> None:
    with church_scope(grace), transaction() as session:
        session.add(Connection(kind=OAUTH, state=CONNECTED, origin=ORIGIN, organization_id="1001"))


def was_read(church_id: UUID, key: str, *records: Record, parent: str = "", standing: str = "ok") -> None:
    """A worker has read this view."""
    with church_scope(church_id), transaction():
        mirrors.want_view(BY_KEY[key], parent)
        mirrors._keep(BY_KEY[key], parent, records, standing, now())


def check_in(remote_id: str, first_name: str, last_name: str = "Lopez", **attributes: Any) -> Record:
    told = {"first_name": first_name, "last_name": last_name, "kind": "Regular", "created_at": now().isoformat(), "medical_notes": "nuts"}
    event, room = Record("Event", "31", {"name": "Sunday kids"}), Record("Location", "41", {"name": "Nursery"})
    points = {"event": (Ref("Event", "31"),), "locations": (Ref("Location", "41"),), "event_period": (Ref("EventPeriod", "51"),)}
    return Record("CheckIn", remote_id, told | attributes, points, (event, room))


def meeting(remote_id: str, days: float, group: str = "Choir", *, canceled: bool = False) -> Record:
    begins = now() + timedelta(days=days)
    told = {"name": f"{group} night", "starts_at": begins.isoformat(), "ends_at": begins.isoformat(), "canceled": canceled}
    group_row = Record("Group", f"g-{group}", {"name": group}, {"group_type": (Ref("GroupType", "61"),)})
    return Record("Event", remote_id, told, {"group": (Ref("Group", f"g-{group}"),)}, (group_row,))


def many_groups(how_many: int) -> list[Record]:
    return [Record("Group", str(number), {"name": f"Group {number:03}", "listed": True}) for number in range(how_many)]


def test_a_list_says_how_old_it_is_and_that_it_cannot_be_changed_here(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "Ana"))
    page = sign_in(grace).get("/views/check-ins").text
    assert "Ana Lopez" in page
    assert "Read from Planning Center" in page
    assert "just now" in page
    assert "does not allow changes here from other apps" in page
    assert f"{ORIGIN}/open/check-ins/event_periods/51/check_ins/7" in page


def test_nobody_reads_medical_notes_here(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "Ana"))
    assert "nuts" not in sign_in(grace).get("/views/check-ins").text


@pytest.mark.parametrize("key", [view.key for view in VIEWS if not view.below])
def test_every_view_opens_before_anything_was_read_and_asks_for_it_by_itself(grace: UUID, sign_in: SignIn, key: str) -> None:
    page = sign_in(grace).get(f"/views/{key}").text
    assert "Nothing was read yet" in page
    assert 'hx-trigger="submit, load"' in page


@pytest.mark.parametrize("key", [view.key for view in VIEWS if not view.below])
def test_an_answer_that_nobody_expected_breaks_no_page(grace: UUID, sign_in: SignIn, key: str) -> None:
    odd = {name: {"quite": ["odd"]} for name in BY_KEY[key].resource.attributes} | {"brand_new": 1}
    numbers = dict.fromkeys(BY_KEY[key].resource.attributes, 7)
    words = dict.fromkeys(BY_KEY[key].resource.attributes, "<b>words</b>")
    was_read(grace, key, Record("X", "1", odd), Record("X", "2", numbers), Record("X", "3", words), Record("X", "4"))
    answer = sign_in(grace).get(f"/views/{key}?when=any")
    assert answer.status_code == 200
    assert "<b>words" not in answer.text


def test_refresh_asks_a_worker_and_the_page_polls_until_it_has_read(grace: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace)
    part = browser.post("/views/groups", headers={"HX-Request": "true"}).text
    assert "Reading every group" in part
    assert "data-poll" in part
    address = part.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert browser.get(address).status_code == 204
    was_read(grace, "groups", Record("Group", "1", {"name": "Choir"}))
    there = browser.get(address)
    assert there.status_code == 200
    assert "Choir" in there.text


def test_whoever_looks_at_a_later_page_stays_on_it_while_a_worker_reads(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "groups", *many_groups(60))
    browser = sign_in(grace)
    browser.post("/views/groups")
    address = browser.get("/views/groups?page=2").text.split("data-poll hx-get=")[1].split('"')[1].replace("&amp;", "&")
    was_read(grace, "groups", *many_groups(60))
    assert "51 to 60 of 60" in browser.get(address).text


def test_what_was_looked_for_by_a_sealed_name_stays_while_a_worker_reads(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "Ana"), check_in("8", "Ben"))
    browser = sign_in(grace)
    browser.post("/views/check-ins")
    found = browser.post("/search-views/check-ins", {"search": "ana"}).text
    assert ("Ana Lopez" in found, "Ben Lopez" in found) == (True, False)
    assert "Search again in a moment" in found
    assert "data-poll" not in found


def test_without_scripts_refresh_comes_back_to_the_same_list(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "groups", *many_groups(1))
    answer = sign_in(grace).post("/views/groups?listed=true")
    assert (answer.status_code, answer.location) == (303, "/views/groups?listed=true")


@pytest.mark.usefixtures("any_database")
def test_lists_are_paged_and_filtered(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "groups", *many_groups(120), Record("Group", "x", {"name": "Hidden one", "listed": False}))
    browser = sign_in(grace)
    first, last = browser.get("/views/groups").text, browser.get("/views/groups?page=99").text
    assert "Group 000" in first
    assert "Group 049" in first
    assert "Group 050" not in first
    assert "1 to 50 of 121" in first
    assert "Hidden one" in last
    hidden = browser.get("/views/groups?listed=false").text
    assert "Hidden one" in hidden
    assert "Group 000" not in hidden
    assert "Group 077" in browser.get("/views/groups?search=077").text


@pytest.mark.usefixtures("any_database")
def test_group_events_open_on_what_is_coming_and_show_who_came(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "groups/types", Record("GroupType", "61", {"name": "Teams"}))
    was_read(grace, "groups/events", meeting("1", 2), meeting("2", -2, "Seniors"), meeting("3", 3, canceled=True))
    browser = sign_in(grace)
    coming = browser.get("/views/groups/events").text
    assert "Choir night" in coming
    assert "Seniors night" not in coming
    assert "Teams" in coming
    assert "Seniors night" in browser.get("/views/groups/events?when=past").text
    assert browser.get("/views/groups/events?canceled=true").text.count("Choir night</a>") == 1
    ann = Record("Person", "9", {"first_name": "Ann", "last_name": "Lee"})
    came = Record("Attendance", "71", {"attended": True, "role": "leader"}, {"person": (Ref("Person", "9"),)}, (ann,))
    was_read(grace, "groups/events/attendances", came, parent="2")
    page = browser.get("/views/groups/events/2").text
    assert "Seniors night" in page
    assert "Ann Lee" in page
    assert "/people/AC9" in page


def test_a_child_is_found_by_name_and_the_name_stands_in_no_address(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "José"), check_in("8", "Mia"))
    browser = sign_in(grace)
    found = browser.post("/search-views/check-ins", {"search": "jose"}).text
    assert "José Lopez" in found
    assert "Mia Lopez" not in found
    assert "search=" not in found
    assert "José Lopez" in browser.get("/views/check-ins?search=mia").text, "such an address is not looked at"


def test_who_may_only_look_does_not_see_which_children_were_there(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "Ana"))
    viewer = sign_in(grace, role="viewer")
    refused = viewer.get("/views/check-ins")
    assert refused.status_code == 403
    assert "Ana" not in refused.text
    page = viewer.get("/views/check-ins/events").text
    assert 'href="/views/check-ins"' not in page
    assert 'href="/views/check-ins/locations"' in page


def test_no_access_and_hidden_rows_are_said_in_words(grace: UUID, sign_in: SignIn) -> None:
    was_read(grace, "groups", *many_groups(2), standing="hidden_rows")
    was_read(grace, "calendar/events", Record("Event", "1", {"name": "Picnic"}))
    with church_scope(grace):
        with transaction():
            mirrors.want_view(BY_KEY["calendar/events"])
        readings.give_up("calendar/events", "", "calendar", ProductUnavailable("no"))
    browser = sign_in(grace)
    assert "Some groups may be missing." in browser.get("/views/groups").text
    page = browser.get("/views/calendar/events").text
    assert "has no access to Planning Center Calendar" in page
    assert "Picnic" in page
    assert "is shown as it was then" in page


def test_a_church_that_is_not_connected_is_told_so(neighbour: UUID, sign_in: SignIn) -> None:
    page = sign_in(neighbour, role="staff").get("/views/groups").text
    assert "is not connected to Planning Center" in page
    assert "An owner can connect it." in page
    assert ">Refresh<" not in page


@pytest.mark.parametrize("path", ["/views/no-such", "/views/groups/events/999", "/views/groups/events/attendances", "/views/groups/1"])
def test_what_is_not_there_is_said(grace: UUID, sign_in: SignIn, path: str) -> None:
    assert sign_in(grace).get(path).status_code == 404


@pytest.mark.parametrize("odd", ["page=x", "page=-3", "when=never", "type=%7C%25", "address=1", "_external=1", "search=" + "a" * 900])
def test_odd_addresses_show_the_list(grace: UUID, sign_in: SignIn, odd: str) -> None:
    was_read(grace, "groups/events", meeting("1", 2))
    assert sign_in(grace).get(f"/views/groups/events?{odd}").status_code == 200


def test_the_neighbour_sees_nothing_of_it(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    was_read(grace, "check-ins", check_in("7", "Ana"))
    was_read(grace, "groups/events", meeting("1", -2))
    theirs = sign_in(neighbour)
    assert "Ana" not in theirs.get("/views/check-ins").text
    assert "Choir" not in theirs.get("/views/groups/events?when=any").text
    assert theirs.get("/views/groups/events/1").status_code == 404
