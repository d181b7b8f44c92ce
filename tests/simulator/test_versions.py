"""What a request sees that asks for an older version, or for none."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import Church


def first(church: Church, path: str, version: str | None, **query: str) -> Any:
    headers = {"X-PCO-API-Version": version} if version else {"X-PCO-API-Version": ""}
    response = church.call("GET", path, headers=headers, query_string=query)
    assert response.status_code == 200, response.text
    return response.json["data"][0], response.json["meta"], response.headers


def test_without_a_version_the_oldest_is_spoken(grace: Church) -> None:
    person, _, headers = first(grace, "/people/v2/people", None)
    assert headers["X-PCO-API-Processed-As-Version"] == "2018-08-01"
    assert person["type"] == "Person"


def test_the_owner_of_an_application_chooses_what_is_spoken_without_a_version(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"default_version": "2022-07-14"})
    _, _, headers = first(grace, "/people/v2/people", None)
    assert headers["X-PCO-API-Processed-As-Version"] == "2022-07-14"
    _, _, headers = first(grace, "/people/v2/people", "2025-11-10")
    assert headers["X-PCO-API-Processed-As-Version"] == "2025-11-10"
    control("POST", "settings", {"default_version": "yesterday"}, expect=422)


def test_a_street_was_one_text_of_lines(grace: Church) -> None:
    person = grace.person()
    grace.create(
        f"people/{person}/addresses", {"street_line_1": "1 Main St", "street_line_2": "Apt 5", "location": "Home", "city": "Springfield"}
    )
    old, meta, _ = first(grace, f"/people/v2/people/{person}/addresses", "2022-07-14")
    assert list(old["attributes"]) == ["city", "created_at", "location", "primary", "state", "street", "updated_at", "zip"]
    assert old["attributes"]["street"] == "1 Main St\nApt 5"
    assert "street" in meta["can_query_by"]
    assert "street_line_1" not in meta["can_query_by"]
    sent = {"data": {"attributes": {"street": "2 Oak St\nRear", "location": "Work"}}}
    headers = {"X-PCO-API-Version": "2022-07-14"}
    made = grace.call("POST", f"people/{person}/addresses", json=sent, headers=headers).json["data"]
    assert made["attributes"]["street"] == "2 Oak St\nRear"
    found = grace.call("GET", "addresses", query_string={"where[street]": "2 oak st\nrear"}, headers=headers).json["data"]
    assert [one["id"] for one in found] == [made["id"]]
    now = grace.get(f"addresses/{made['id']}")["data"]["attributes"]
    assert (now["street_line_1"], now["street_line_2"]) == ("2 Oak St", "Rear")
    assert "street cannot be assigned" in grace.post(f"people/{person}/addresses", {"street": "3", "location": "Home"}).text


@pytest.mark.parametrize(("version", "words"), [("2022-01-28", "F"), ("2022-07-14", "Female"), ("2025-11-10", "Female")])
def test_gender_was_a_letter_and_later_a_relationship_for_a_while(grace: Church, version: str, words: str) -> None:
    person = grace.person(gender="Female")
    told = grace.call("GET", f"people/{person}", headers={"X-PCO-API-Version": version}).json["data"]
    assert told["attributes"]["gender"] == words
    assert ("gender" in told["relationships"]) is (version == "2022-07-14")


def test_a_group_told_its_enrollment_and_a_membership_its_person(grace: Church) -> None:
    old, _, _ = first(grace, "/groups/v2/groups", "2018-08-01")
    new, _, _ = first(grace, "/groups/v2/groups", "2023-07-10")
    assert set(old["attributes"]) - set(new["attributes"]) == {"enrollment_open", "enrollment_strategy"}
    assert old["attributes"]["enrollment_open"] is True
    enrollment = grace.call("GET", f"/groups/v2/groups/{old['id']}/enrollment", headers={"X-PCO-API-Version": "2023-07-10"}).json["data"]
    assert old["attributes"]["enrollment_strategy"] == enrollment["attributes"]["strategy"]
    path = f"/groups/v2/groups/{old['id']}/memberships"
    old, _, _ = first(grace, path, "2018-08-01", include="person")
    new, _, _ = first(grace, path, "2023-07-10")
    assert list(new["attributes"]) == ["joined_at", "role"]
    assert list(old["attributes"]) == [
        "account_center_identifier", "avatar_url", "color_identifier", "email_address", "first_name", "joined_at", "last_name",
        "phone_number", "role",
    ]  # fmt: skip
    assert old["attributes"]["account_center_identifier"] == int(old["relationships"]["person"]["data"]["id"])
    person = grace.get(f"people/{old['relationships']['person']['data']['id']}")["data"]["attributes"]
    assert old["attributes"]["first_name"] == person["first_name"]


EVENT = ["approval_status", "archived_at", "created_at", "details", "image_url", "name", "percent_approved", "percent_rejected"]
LATER = ["updated_at", "visible_in_church_center"]


@pytest.mark.parametrize(
    ("version", "attributes"),
    [
        ("2018-08-01", [*EVENT, *LATER]),
        ("2020-04-08", [*EVENT, "registration_url", *LATER]),
        ("2021-07-20", ["approval_status", "created_at", "description", *EVENT[4:], "registration_url", "summary", *LATER]),
    ],
)
def test_an_event_of_the_calendar_had_details_before_it_had_a_summary(grace: Church, version: str, attributes: list[str]) -> None:
    old, meta, _ = first(grace, "/calendar/v2/events", version)
    new, _, _ = first(grace, "/calendar/v2/events", "2022-07-07")
    assert list(old["attributes"]) == attributes
    assert "featured" not in meta["can_query_by"]
    assert new["attributes"]["featured"] is False
    assert (old["attributes"].get("details") or old["attributes"]["summary"]) == new["attributes"]["summary"]


def test_an_instance_had_no_short_words_for_its_recurrence(grace: Church) -> None:
    old, meta, _ = first(grace, "/calendar/v2/event_instances", "2021-07-20")
    assert "compact_recurrence_description" not in old["attributes"]
    assert "kind" not in meta["can_query_by"]


def test_a_check_in_was_at_one_location(grace: Church) -> None:
    old, meta, _ = first(grace, "/check-ins/v2/check_ins", "2018-08-01", include="location,locations")
    assert old["relationships"]["location"]["data"]["type"] == "Location"
    assert "locations" not in old["relationships"]
    assert "location" in meta["can_include"]
    new, meta, _ = first(grace, "/check-ins/v2/check_ins", "2025-05-28", include="location,locations")
    assert [one["id"] for one in new["relationships"]["locations"]["data"]] == [old["relationships"]["location"]["data"]["id"]]
    assert "location" not in new["relationships"]


def test_a_note_of_a_card_named_its_category(grace: Church) -> None:
    workflow, category = grace.named("workflows", "Prayer team")["id"], grace.named("note_categories", "General")["id"]
    person = grace.person()
    card = grace.create(f"workflows/{workflow}/cards", {"person_id": person})["id"]
    path = f"people/{person}/workflow_cards/{card}/notes"
    grace.create(path, {"note": "Called", "note_category_id": category})
    old, _, _ = first(grace, f"/people/v2/{path}", "2025-03-20")
    assert old["relationships"]["note_category"]["data"] == {"type": "NoteCategory", "id": category}
    new, _, _ = first(grace, f"/people/v2/{path}", "2025-11-10")
    assert "relationships" not in new
