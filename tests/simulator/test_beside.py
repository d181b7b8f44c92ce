"""What connectcard does not use but other programs do: choices, sites, labels, who came how often."""

from io import BytesIO
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


def test_an_administrator_may_say_who_may_do_what_and_nobody_else(grace: Church, sign_in: SignIn, staff: dict[str, str]) -> None:
    """A client that sends every attribute of a person, empty ones too, as the one for Terraform does."""
    everything = {
        "accounting_administrator": False, "anniversary": None, "avatar": "", "birthdate": "1990-01-01", "child": False,
        "first_name": "UnitTest", "gender": "male", "given_name": None, "grade": None, "graduation_year": None, "inactivated_at": None,
        "last_name": "Doe", "medical_notes": None, "membership": "member", "middle_name": None, "nickname": None,
        "people_permissions": "", "remote_id": None, "site_administrator": False, "status": "active",
    }  # fmt: skip
    sent = {"links": None, "data": {"type": "person", "id": "", "attributes": everything}}
    made = grace.call("POST", "people/", json=sent)
    assert made.status_code == 201, made.text
    told = made.json["data"]["attributes"]
    assert (told["first_name"], told["birthdate"], told["people_permissions"]) == ("UnitTest", "1990-01-01", None)
    assert grace.patch(f"people/{made.json['data']['id']}", {"people_permissions": "Viewer"}).status_code == 200
    eddie = staff["Eddie Editor"]
    answer = sign_in.church_of(eddie).patch(f"people/{eddie}", {"people_permissions": "Manager"})
    assert "people_permissions cannot be assigned" in answer.text


def test_a_card_is_changed_and_taken_away_below_its_workflow_as_well(grace: Church) -> None:
    workflow, person = grace.named("workflows", "Prayer team")["id"], grace.person()
    who = {"person": {"data": {"type": "Person", "id": person}}}
    card = grace.create(f"workflows/{workflow}/cards", {"sticky_assignment": False}, who)["id"]
    path = f"workflows/{workflow}/cards/{card}"
    assert grace.patch(path, {"sticky_assignment": True}).json["data"]["attributes"]["sticky_assignment"] is True
    assert grace.call("DELETE", path).status_code == 204
    assert grace.rows(f"people/{person}/workflow_cards") == []


def test_things_are_shared_with_people(grace: Church) -> None:
    person = grace.person()
    who = {"person": {"data": {"type": "Person", "id": person}}}
    for above, permission in (
        (f"workflows/{grace.named('workflows', 'Prayer team')['id']}", "view"),
        (f"note_categories/{grace.named('note_categories', 'General')['id']}", "manage"),
        (f"lists/{grace.named('lists', 'Visitors')['id']}", "view"),
    ):
        share = grace.create(f"{above}/shares", {"permission": permission}, who)["id"]
        assert grace.patch(f"{above}/shares/{share}", {"permission": "manage_cards"}).status_code == 200
        assert grace.get(f"{above}/shares/{share}", include="person")["included"][0]["id"] == person
        assert grace.call("DELETE", f"{above}/shares/{share}").status_code == 204
        assert grace.post(f"{above}/shares", {"permission": permission}).status_code == 422


def test_a_background_check_and_a_school_are_kept(grace: Church) -> None:
    person = grace.person()
    check = grace.create(f"people/{person}/background_checks", {"note": "Asked for"})["id"]
    grace.patch(f"background_checks/{check}", {"note": "Came back"})
    assert grace.get(f"background_checks/{check}")["data"]["attributes"]["note"] == "Came back"
    school = {"value": "North", "beginning_grade": "3", "ending_grade": "6", "school_types": ["elementary"]}
    assert grace.create("school_options", school)["attributes"].items() >= school.items()


def test_a_file_is_uploaded_first_and_then_named(grace: Church, hope: Church) -> None:
    def upload(church: Church) -> Any:
        sent = {"file": (BytesIO(b"a picture"), "ana.png", "image/png")}
        return church.client.post("/v2/files", data=sent, headers=church.headers | {"User-Agent": "x"})

    response = upload(grace)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "X-PCO-API-Request-Rate-Count" not in response.headers
    [file] = response.json["data"]
    assert list(file) == ["type", "id", "attributes"]
    assert file["attributes"].items() >= {"name": "ana.png", "content_type": "image/png", "file_size": 9}.items()
    person = grace.person()
    shown = grace.patch(f"people/{person}", {"avatar": file["id"]}).json["data"]["attributes"]["avatar"]
    assert shown.startswith("https://avatars.planningcenteronline.com/uploads/person/")
    assert "/initials/" in grace.patch(f"people/{grace.person()}", {"avatar": "us3-nobody"}).json["data"]["attributes"]["avatar"]
    tab = grace.rows("tabs")[0]["id"]
    field = grace.create(f"tabs/{tab}/field_definitions", {"name": "Consent form", "data_type": "file"})["id"]
    kept = grace.create(f"people/{person}/field_data", {"field_definition_id": field, "value": file["id"]})["attributes"]
    assert (kept["value"], kept["file_name"], kept["file_content_type"], kept["file_size"]) == (None, "ana.png", "image/png", 9)
    assert kept["file"]["url"].endswith("ana.png")
    theirs = upload(hope).json["data"][0]["id"]
    assert grace.post(f"people/{person}/field_data", {"field_definition_id": field, "value": theirs}).status_code == 422
    assert grace.client.post("/v2/files", data={}, headers={"User-Agent": "x"}).status_code == 401
