"""Check-Ins and Calendar, which are for reading: the children of the last Sundays, and what is on next."""

from typing import Any

import pytest

from connectcard.simulator.catalogue import PRODUCTS
from tests.simulator.conftest import Church, SignIn

VERSIONS = {slug: product.versions[-1] for slug, product in PRODUCTS.items()}


def told(church: Church, path: str, **query: Any) -> Any:
    product = path.split("/")[1]
    response = church.call("GET", path, query_string=query, headers={"X-PCO-API-Version": VERSIONS.get(product, "2025-05-28")})
    assert response.status_code == 200, response.text
    return response.json


ACTIONS = {action for product in PRODUCTS.values() for resource in product.resources for action in resource.actions}


def rows(church: Church, path: str, **query: Any) -> list[Any]:
    return list(told(church, path, **({"per_page": 100} | query))["data"])


# Check-Ins


def test_check_ins_know_their_child_room_and_time(grace: Church) -> None:
    answer = told(
        grace, "/check-ins/v2/check_ins", include="person,event,locations,event_times,check_in_times,checked_in_at", order="-created_at"
    )
    assert {one["type"] for one in answer["included"]} == {"Person", "Event", "Location", "EventTime", "CheckInTime", "Station"}
    row = answer["data"][0]
    person = row["relationships"]["person"]["data"]["id"]
    assert grace.get(f"people/{person}")["data"]["attributes"]["child"] is True
    assert told(grace, "/check_ins/v2/check_ins")["meta"]["total_count"] == answer["meta"]["total_count"], "the older name answers too"
    mine = rows(grace, "/check-ins/v2/check_ins", **{"where[account_center_person_id]": person})
    assert {one["relationships"]["person"]["data"]["id"] for one in mine} == {person}
    assert len(mine) == len(rows(grace, f"/check-ins/v2/people/{person}/check_ins"))
    assert len(rows(grace, f"/check-ins/v2/people/{person}/check_ins", filter="first_time")) == 1


def test_locations_are_reached_below_their_event_only(grace: Church) -> None:
    assert grace.call("GET", "/check-ins/v2/locations").status_code == 404
    event = rows(grace, "/check-ins/v2/events", filter="not_archived")[0]["id"]
    path = f"/check-ins/v2/events/{event}/locations"
    folder, rooms = rows(grace, path, filter="root"), rows(grace, path, filter="locations")
    assert [row["attributes"]["kind"] for row in folder] == ["Folder"]
    assert {row["relationships"]["parent"]["data"]["id"] for row in rooms} == {folder[0]["id"]}
    room = rooms[0]["id"]
    found = rows(grace, f"{path}/{room}/check_ins")
    assert len(found) == len([row for row in rows(grace, f"/check-ins/v2/events/{event}/check_ins", include="locations")
                              if room in [one["id"] for one in row["relationships"]["locations"]["data"]]])  # fmt: skip


def test_periods_and_times_count_who_came(grace: Church) -> None:
    event = rows(grace, "/check-ins/v2/events", filter="not_archived")[0]["id"]
    periods = told(grace, f"/check-ins/v2/events/{event}/event_periods", order="-starts_at", include="event_times")
    period = periods["data"][0]
    counted = rows(grace, f"/check-ins/v2/events/{event}/event_periods/{period['id']}/check_ins")
    assert period["attributes"]["regular_count"] == len(counted)
    times = {one["id"]: one["attributes"]["total_count"] for one in periods["included"]}
    assert sum(times.values()) == told(grace, "/check-ins/v2/check_ins")["meta"]["total_count"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nobody_is_checked_in_over_the_api(grace: Church, method: str) -> None:
    row = rows(grace, "/check-ins/v2/check_ins")[0]["id"]
    path = "/check-ins/v2/check_ins" if method == "POST" else f"/check-ins/v2/check_ins/{row}"
    response = grace.call(method, path, json={"data": {"attributes": {}}})
    assert (response.status_code, response.mimetype) == (404, "text/html")


# Calendar


def test_an_event_is_a_series_and_its_instances_have_the_times(grace: Church) -> None:
    answer = told(grace, "/calendar/v2/events", order="name", include="tags,owner,attachments,feed")
    assert "can_order_by" not in answer["meta"]
    assert {"Tag", "Person", "Attachment", "Feed"} == {one["type"] for one in answer["included"]}
    assert "starts_at" not in answer["data"][0]["attributes"]
    public = told(grace, "/calendar/v2/event_instances", filter="future", order="starts_at", include="event", per_page=100)
    starts = [row["attributes"]["starts_at"] for row in public["data"]]
    assert starts == sorted(starts)
    assert {row["relationships"]["event"]["data"]["id"] for row in public["data"]} <= {one["id"] for one in public["included"]}


def test_instances_can_be_asked_for_by_what_their_event_is(grace: Church) -> None:
    shown = told(grace, "/calendar/v2/event_instances", **{"where[event][visible_in_church_center]": "false", "include": "event"})
    assert {one["attributes"]["visible_in_church_center"] for one in shown["included"]} == {False}
    approved = told(grace, "/calendar/v2/event_instances", filter="approved", include="event", per_page=100)
    assert {one["attributes"]["approval_status"] for one in approved["included"]} == {"A"}


@pytest.mark.parametrize(("path", "status"), [("event_times", 404), ("event_connections", 404), ("events/1", 404), ("tags", 200)])
def test_addresses_that_are_and_are_not(grace: Church, path: str, status: int) -> None:
    assert grace.call("GET", f"/calendar/v2/{path}", headers={"X-PCO-API-Version": VERSIONS["calendar"]}).status_code == status


# Who may


@pytest.mark.parametrize(
    ("name", "calendar", "check_ins"),
    [
        ("Ada Admin", 200, 200),
        ("Mona Manager", 200, 200),
        ("Eddie Editor", 200, 200),
        ("Vera Viewer", 401, 401),
        ("Noah Noaccess", 401, 401),
    ],
)
def test_who_has_no_calendar_is_told_so_of_every_address(
    sign_in: SignIn, staff: dict[str, str], name: str, calendar: int, check_ins: int
) -> None:
    who = sign_in.church_of(staff[name], scope="openid people calendar check_ins")
    for path, status in (("/calendar/v2/events", calendar), ("/calendar/v2/nothing", calendar), ("/check-ins/v2/check_ins", check_ins)):
        response = who.call("GET", path)
        assert response.status_code == (404 if path.endswith("nothing") and status == 200 else status)
        assert ("TRASH_PANDA" in response.text) == (status == 401)


def test_two_churches_see_nothing_of_each_other_in_any_product(grace: Church, hope: Church) -> None:
    grace.client.post("/_simulator/settings", json={"limit": 10_000})
    for slug, product in PRODUCTS.items():
        for path in set(product.top) - {"available_events"}:
            mine, theirs = ({row["id"] for row in rows(church, f"/{slug}/v2/{path}")} for church in (grace, hope))
            assert not (mine & theirs) - {"unique"}, path
            for foreign in sorted(theirs - {"unique"})[:1]:
                version = {"X-PCO-API-Version": VERSIONS[slug]}
                assert grace.call("GET", f"/{slug}/v2/{path}/{foreign}", headers=version).status_code == 404


@pytest.mark.parametrize("slug", list(PRODUCTS))
def test_every_address_that_a_link_names_answers(grace: Church, slug: str) -> None:
    grace.client.post("/_simulator/settings", json={"limit": 100_000})
    version = {"X-PCO-API-Version": VERSIONS[slug]}
    for path in set(PRODUCTS[slug].top) - {"available_events"}:
        for row in rows(grace, f"/{slug}/v2/{path}", per_page=2):
            links = told(grace, row["links"]["self"].removeprefix("http://localhost"))["data"]["links"]
            for name, link in links.items():
                if link and name not in ("html", "html_url", *ACTIONS):
                    response = grace.call("GET", link.removeprefix("http://localhost"), headers=version)
                    assert response.status_code == 200, link
