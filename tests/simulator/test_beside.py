"""What connectcard does not use but other programs do: choices, sites, labels, who came how often."""

from typing import Any

import pytest

from connectcard.simulator.catalogue import PRODUCTS
from tests.simulator.conftest import Church, SignIn


def test_a_suffix_is_chosen_from_the_church_s_own_and_stands_in_the_name(grace: Church) -> None:
    junior = grace.named("name_suffixes", "Jr.")["id"]
    person = grace.person("Paul", "Revere")
    chosen = {"name_suffix": {"data": {"type": "NameSuffix", "id": junior}}}
    changed = grace.patch(f"people/{person}", {}, chosen).json["data"]
    assert changed["attributes"]["name"] == "Paul Revere Jr."
    assert changed["links"]["name_suffix"].endswith(f"/people/v2/name_suffixes/{junior}")
    assert [one["id"] for one in grace.get(f"people/{person}", include="name_suffix")["included"]] == [junior]
    grace.patch(f"people/{person}", {}, {"name_suffix": {"data": None}})
    assert grace.get(f"people/{person}")["data"]["attributes"]["name"] == "Paul Revere"


@pytest.mark.parametrize("path", ["name_prefixes", "inactive_reasons", "school_options", "membership_types"])
def test_choices_are_made_changed_and_taken_away(grace: Church, path: str) -> None:
    made = grace.create(path, {"value": "Something else"})
    assert grace.patch(f"{path}/{made['id']}", {"value": "Otherwise"}).json["data"]["attributes"]["value"] == "Otherwise"
    assert grace.call("DELETE", f"{path}/{made['id']}").status_code == 204
    assert grace.call("GET", f"{path}/{made['id']}").status_code == 404
    assert grace.post(path, {"value": ""}).status_code == 422


def test_a_site_is_the_administrators_business_and_has_service_times(grace: Church, sign_in: SignIn, staff: dict[str, str]) -> None:
    place = {"name": "South", "street": "123 Easy Street", "city": "Oklahoma City", "state": "OK", "zip": "73013", "latitude": 35.61839}
    campus = grace.create("campuses", place | {"country": "United States"})
    assert campus["attributes"]["latitude"] == "35.61839", "a text, as recorded"
    time = grace.create(f"campuses/{campus['id']}/service_times", {"day": "sunday", "start_time": 34_200})
    assert [one["id"] for one in grace.rows(f"campuses/{campus['id']}/service_times")] == [time["id"]]
    assert sign_in.church_of(staff["Mona Manager"]).post("campuses", place).status_code == 403
    assert grace.call("DELETE", f"campuses/{campus['id']}").status_code == 204


def test_a_social_profile_belongs_to_its_person(grace: Church) -> None:
    person = grace.person()
    profile = grace.create(f"people/{person}/social_profiles", {"site": "Instagram", "url": "https://instagram.com/nathan"})
    assert [one["id"] for one in grace.rows(f"people/{person}/social_profiles")] == [profile["id"]]
    assert grace.get(f"social_profiles/{profile['id']}", include="person")["included"][0]["id"] == person


def test_who_came_how_often_is_counted(grace: Church) -> None:
    headers = {"X-PCO-API-Version": "2025-05-28"}

    def rows(path: str) -> list[Any]:
        return list(grace.call("GET", f"/check-ins/v2/{path}", headers=headers).json["data"])

    event = rows("events")[0]["id"]
    [visit, *_] = rows(f"events/{event}/person_events?include=person,last_check_in&per_page=100")
    person = visit["relationships"]["person"]["data"]["id"]
    times = [one for one in rows("check_ins?per_page=100") if one["relationships"]["person"]["data"]["id"] == person]
    assert visit["attributes"]["check_in_count"] == len(times) >= 1
    period = rows(f"events/{event}/event_periods")[0]["id"]
    places = rows(f"events/{event}/event_periods/{period}/location_event_periods?include=location")
    came = rows(f"events/{event}/event_periods/{period}/check_ins?per_page=100")
    assert sum(place["attributes"]["regular_count"] for place in places) == len(came)


def test_labels_and_passes_are_there(grace: Church) -> None:
    headers = {"X-PCO-API-Version": "2025-05-28"}
    label = grace.call("GET", "/check-ins/v2/labels", headers=headers).json["data"][0]["id"]
    printed = grace.call("GET", f"/check-ins/v2/labels/{label}/event_labels?include=event", headers=headers).json
    assert [one["type"] for one in printed["included"]] == ["Event"]
    code = grace.call("GET", "/check-ins/v2/passes", headers=headers).json["data"][0]["attributes"]["code"]
    assert len(grace.call("GET", f"/check-ins/v2/passes?where[code]={code}", headers=headers).json["data"]) == 1


def test_every_list_there_is_answers(grace: Church) -> None:
    grace.client.post("/_simulator/settings", json={"limit": 10_000})
    for slug, product in PRODUCTS.items():
        for path, resource in product.top.items():
            response = grace.call("GET", f"/{slug}/v2/{path}", headers={"X-PCO-API-Version": product.versions[-1]})
            assert response.status_code == 200, path
            assert {row["type"] for row in response.json["data"]} <= {resource.type}
