"""Envelopes, headers, links, versions and error pages: key for key as they were recorded from Planning Center."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.simulator.conftest import Church

PERSON_ATTRIBUTES = [
    "accounting_administrator", "anniversary", "avatar", "birthdate", "can_create_forms", "can_email_lists", "child", "created_at",
    "demographic_avatar_url", "directory_status", "first_name", "gender", "given_name", "grade", "graduation_year", "inactivated_at",
    "last_name", "login_identifier", "medical_notes", "membership", "middle_name", "name", "nickname", "passed_background_check",
    "people_permissions", "remote_id", "resource_permission_flags", "school_type", "site_administrator", "status", "updated_at",
]  # fmt: skip
ADDRESS_ATTRIBUTES = [
    "city", "country_code", "country_name", "created_at", "location", "primary", "state", "street_line_1", "street_line_2", "updated_at",
    "zip",
]  # fmt: skip
PHONE_ATTRIBUTES = [
    "carrier", "country_code", "created_at", "e164", "international", "location", "national", "number", "primary", "updated_at",
]  # fmt: skip
RECORDED_HEADERS = [
    "Access-Control-Allow-Origin", "Cache-Control", "ETag", "Referrer-Policy", "Strict-Transport-Security", "Vary",
    "X-Content-Type-Options", "X-Download-Options", "X-Frame-Options", "X-PCO-API-Auth-Method", "X-PCO-API-Processed-As-Version",
    "X-PCO-API-Processor",
    "X-PCO-API-Request-Rate-Count", "X-PCO-API-Request-Rate-Limit", "X-PCO-API-Request-Rate-Period", "X-Permitted-Cross-Domain-Policies",
    "X-Request-Id", "X-Runtime", "X-XSS-Protection",
]  # fmt: skip


def test_a_list_has_the_recorded_keys_in_their_order(grace: Church) -> None:
    told = grace.get("people", include="emails,addresses,phone_numbers", per_page=2, offset=5)
    assert list(told) == ["links", "data", "included", "meta"]
    assert list(told["links"]) == ["self", "prev", "next"]
    assert list(told["meta"]) == [
        "total_count", "count", "prev", "next", "can_order_by", "can_query_by", "can_include", "can_filter", "parent",
    ]  # fmt: skip
    assert told["meta"]["parent"] == {"id": grace.id, "type": "Organization"}
    assert (told["meta"]["count"], told["meta"]["prev"], told["meta"]["next"]) == (2, {"offset": 3}, {"offset": 7})
    person = told["data"][0]
    assert list(person) == ["type", "id", "attributes", "relationships", "links"]
    assert list(person["attributes"]) == PERSON_ATTRIBUTES
    assert list(person["links"]) == ["self", "html"]
    assert list(person["relationships"]["emails"]) == ["links", "data"]
    kinds = {one["type"]: list(one["attributes"]) for one in told["included"]}
    assert kinds["Address"] == ADDRESS_ATTRIBUTES
    assert kinds["PhoneNumber"] == PHONE_ATTRIBUTES
    assert kinds["Email"] == ["address", "blocked", "created_at", "location", "primary", "updated_at"]


def test_a_list_that_ends_has_no_next_and_one_that_begins_no_prev(grace: Church) -> None:
    told = grace.get("addresses", per_page=100)
    assert list(told["links"]) == ["self"]
    assert {"next", "prev", "can_include", "can_filter"}.isdisjoint(told["meta"])
    assert told["included"] == []


def test_an_empty_list_is_an_answer(grace: Church) -> None:
    told = grace.get("emails", **{"where[address]": "nobody@gmail.com"})
    assert (told["data"], told["included"], told["meta"]["total_count"], told["meta"]["count"]) == ([], [], 0, 0)


def test_links_carry_what_was_asked_sorted_with_bare_brackets(grace: Church) -> None:
    asked = "/people/v2/people?where[site_administrator]=false&include=emails,households&where[first_name]=Ana Maria"
    links = grace.call("GET", asked).json["links"]
    query = "include=emails%2Chouseholds&where[first_name]=Ana+Maria&where[site_administrator]=false"
    assert links == {"self": f"http://localhost/people/v2/people?{query}"}
    following = grace.get("people", include="emails")["links"]["next"]
    assert following == "http://localhost/people/v2/people?include=emails&offset=25", "no per_page, as it was not sent"


def test_following_next_gives_everybody_once(grace: Church) -> None:
    seen: list[str] = []
    path: str | None = "/people/v2/people?per_page=7"
    while path:
        told = grace.call("GET", path).json
        seen += [row["id"] for row in told["data"]]
        path = told["links"].get("next", "").removeprefix("http://localhost")
    assert len(seen) == len(set(seen)) == 50


def test_a_single_answer_has_no_links_of_its_own_but_all_edges_of_the_thing(grace: Church) -> None:
    told = grace.get(f"people/{grace.person()}")
    assert list(told) == ["data", "included", "meta"]
    assert list(told["meta"]) == ["can_include", "parent"]
    links = told["data"]["links"]
    assert links["emails"] == f"{links['self']}/emails"
    assert links["primary_campus"] is None
    assert list(links)[-2:] == ["self", "html"]


def test_an_empty_to_one_edge_is_null_and_a_set_one_names_its_target(grace: Church) -> None:
    campus = grace.rows("campuses")[0]
    person = grace.person(primary_campus_id=campus["id"])
    links = grace.get(f"people/{person}")["data"]["links"]
    assert links["primary_campus"] == campus["links"]["self"]
    assert grace.get(f"people/{person}/primary_campus")["data"]["id"] == campus["id"]
    assert grace.call("GET", f"people/{person}/name_suffix").status_code == 404


def test_every_edge_that_a_link_names_answers(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"limit": 10_000})
    person = grace.get("people", per_page=1, offset=8)["data"][0]["id"]
    paths = ["people", f"people/{person}", "field_definitions", "workflows", "note_categories", "tabs", "campuses", "households"]
    for path in paths:
        rows = grace.get(path)["data"]
        first = rows[0]["links"]["self"] if isinstance(rows, list) else rows["links"]["self"]
        for name, link in grace.call("GET", first.removeprefix("http://localhost")).json["data"]["links"].items():
            if link and name not in ("run", "mailchimp_sync"):
                assert grace.call("GET", link.removeprefix("http://localhost")).status_code == 200, link


def test_a_row_below_a_person_has_the_person_as_parent(grace: Church) -> None:
    person = grace.person()
    told = grace.post(f"people/{person}/emails", {"address": "n@gmail.com", "location": "Home"}).json
    assert told["meta"] == {"parent": {"id": person, "type": "Person"}}
    assert grace.get(f"people/{person}/emails")["meta"]["parent"] == {"id": person, "type": "Person"}


def test_me_is_the_caller_and_has_no_parent(grace: Church) -> None:
    told = grace.get("me")
    assert "parent" not in told["meta"]
    assert told["data"]["attributes"]["site_administrator"] is True
    assert told["data"] == grace.get(f"people/{told['data']['id']}")["data"]


def test_the_organization_tells_country_time_zone_and_date_format(grace: Church) -> None:
    told = grace.get("/people/v2")["data"]
    assert (told["type"], told["id"]) == ("Organization", grace.id)
    assert told["attributes"].items() >= {"country_code": "US", "time_zone": "America/Chicago", "date_format": "MM/DD/YYYY"}.items()
    assert [one["id"] for one in grace.get(f"people/{grace.person()}", include="organization")["included"]] == [grace.id]


def test_an_organization_is_included_once_for_many_people(grace: Church) -> None:
    assert len(grace.get("people", include="organization")["included"]) == 1


def test_good_answers_carry_the_recorded_headers(grace: Church) -> None:
    response = grace.call("GET", "people")
    assert [name for name in RECORDED_HEADERS if name not in response.headers] == []
    assert response.headers["Content-Type"] == "application/vnd.api+json; charset=utf-8"
    assert response.headers["X-PCO-API-Auth-Method"] == "HTTPBasic"
    assert response.headers["Cache-Control"] == "max-age=0, private, must-revalidate"


def test_errors_are_json_with_rate_headers(grace: Church) -> None:
    response = grace.call("GET", "people/1")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.json == {"errors": [{"status": "404", "title": "Not Found", "detail": "The resource you requested could not be found"}]}
    assert response.headers["X-PCO-API-Request-Rate-Count"] == "1"


@pytest.mark.parametrize("path", ["people/1", "people", "people/1/emails/2", "notes"])
def test_put_is_a_404_page_without_any_header_of_planning_center(grace: Church, path: str) -> None:
    response = grace.call("PUT", path, json={"data": {}})
    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert [name for name, _ in response.headers if name.upper().startswith("X-PCO")] == []


def test_an_address_that_nothing_answers_is_told_by_the_gateway(grace: Church) -> None:
    response = grace.call("GET", "nonsense")
    assert (response.status_code, response.mimetype) == (404, "application/json")
    assert response.headers["X-PCO-API-Request-Rate-Period"] == "20 seconds"
    assert "X-PCO-API-Processed-As-Version" not in response.headers


def test_without_a_user_agent_or_with_a_body_on_get_the_firewall_answers_in_html(grace: Church) -> None:
    for how in ({"headers": {"User-Agent": ""}}, {"json": {"data": {}}}):
        response = grace.call("GET", "people", **how)
        assert (response.status_code, response.mimetype) == (403, "text/html")
        assert "Request blocked" in response.text
        assert "X-PCO-API-Request-Rate-Count" not in response.headers


@pytest.mark.parametrize(
    ("asked", "processed"),
    [
        (None, "2018-08-01"),
        ("2025-11-10", "2025-11-10"),
        ("2026-01-01", "2025-11-10"),
        ("2026-06-04", "2026-06-04"),
        ("LATEST", "2026-06-04"),
    ],
)
def test_the_newest_version_that_is_not_after_the_one_asked_for_answers(grace: Church, asked: str | None, processed: str) -> None:
    headers = grace.headers | ({"X-PCO-API-Version": asked} if asked else {})
    response = grace.client.get("/people/v2/people", headers=headers)
    assert response.headers["X-PCO-API-Processed-As-Version"] == processed


@pytest.mark.parametrize("asked", ["2018-07-31", "yesterday", "2025-11-10T00:00:00Z", "ünsinn"])
def test_a_version_that_never_was_is_refused(grace: Church, asked: str) -> None:
    response = grace.call("GET", "people", headers={"X-PCO-API-Version": asked.encode().decode("latin-1")})
    assert (response.status_code, response.json["errors"][0]["code"]) == (400, "unsupported_version_error")


def test_unknown_names_in_the_query_are_passed_over_in_silence(grace: Church) -> None:
    everybody = grace.get("people")["meta"]["total_count"]
    told = grace.get(
        "people",
        **{"where[emial]": "x", "where[first_name][like]": "x", "include": "emails,horses", "order": "shoe_size", "filter": "nice"},
    )
    assert told["meta"]["total_count"] == everybody
    assert "horses" not in told["data"][0]["relationships"]


@pytest.mark.parametrize(("sent", "count"), [("100", 100), ("500", 100), ("-1", 1), ("0", 1), ("many", 25), ("10x", 10), ("9" * 40, 25)])
def test_a_page_holds_between_one_and_a_hundred(grace: Church, control: Callable[..., Any], sent: str, count: int) -> None:
    control("POST", "reset", {"people": 120})
    assert len(grace.rows("people", per_page=sent)) == count


def test_ordering_and_comparing(grace: Church) -> None:
    people = grace.rows("people", per_page=100, order="-created_at")
    stamps = [row["attributes"]["created_at"] for row in people]
    assert stamps == sorted(stamps, reverse=True)
    assert len(set(stamps)) > 5
    later = grace.rows("people", per_page=100, **{"where[created_at][gt]": stamps[20]})
    assert {row["attributes"]["created_at"] for row in later} == {stamp for stamp in stamps if stamp > stamps[20]}
    names = [row["attributes"]["last_name"].casefold() for row in grace.rows("people", per_page=100, order="last_name")]
    assert names == sorted(names)


def test_booleans_that_nobody_wrote_can_be_asked_for(grace: Church) -> None:
    assert len(grace.rows("people", **{"where[site_administrator]": "true"})) == 1
    assert grace.get("people", **{"where[site_administrator]": "false"})["meta"]["total_count"] == 49


def test_asking_for_fields_leaves_out_the_rest(grace: Church) -> None:
    asked = grace.rows("people", **{"fields[Person]": "first_name,mfa_configured", "per_page": 1})[0]
    assert list(asked["attributes"]) == ["first_name", "mfa_configured"]


def test_another_product_needs_its_scope(grace: Church) -> None:
    response = grace.call("GET", "/services/v2/people")
    detail = "The API credentials do not have access to the application services"
    assert (response.status_code, response.json["errors"][0]["detail"]) == (401, detail)
    assert grace.call("GET", "/api/v2/me").status_code == 404


def test_the_page_of_a_person_is_where_the_html_link_points(grace: Church, client: FlaskClient) -> None:
    person = grace.create("people", {"first_name": "Nathan", "last_name": "<b>Hale</b>"})
    page = client.get(person["links"]["html"].removeprefix("http://localhost"))
    assert page.status_code == 200
    assert "Nathan &lt;b&gt;Hale&lt;/b&gt;" in page.text
    assert json.dumps(person["links"]["html"]).endswith(f'/people/AC{person["id"]}"')


def test_a_list_shows_what_changed_since_it_was_asked_for_last(grace: Church) -> None:
    person = grace.person(gender="Female")

    def listed(**query: Any) -> Any:
        found = grace.get("people", **{"where[id]": person, "include": "emails"} | query)
        return found["data"][0], found["included"]

    before, nothing = listed()
    assert (before["relationships"]["emails"]["data"], nothing) == ([], [])
    email = grace.create(f"people/{person}/emails", {"address": "n@gmail.com", "location": "Home"})["id"]
    grace.patch(f"people/{person}", {"nickname": 'Nat "the Spy" Hälé'})
    after, [included] = listed()
    assert after["attributes"]["nickname"] == 'Nat "the Spy" Hälé'
    assert after["relationships"]["emails"]["data"] == [{"type": "Email", "id": email}]
    grace.patch(f"emails/{email}", {"address": "nathan@gmail.com"})
    assert listed()[1][0] == included | {"attributes": grace.get(f"emails/{email}")["data"]["attributes"]}
    assert list(listed(**{"fields[Person]": "name"})[0]["attributes"]) == ["name"]
    old = grace.call("GET", f"people?where[id]={person}", headers={"X-PCO-API-Version": "2018-08-01"}).json["data"][0]
    assert old["attributes"]["gender"] == "F"
    there = grace.call("GET", f"people?where[id]={person}", base_url="http://practice.gracechurch.org").json["data"][0]
    assert there["links"]["self"] == f"http://practice.gracechurch.org/people/v2/people/{person}"
    campus = grace.rows("campuses")[0]["id"]
    grace.patch(f"people/{person}", {"primary_campus_id": campus})
    with_campus, [included] = listed(include="primary_campus")
    assert with_campus["relationships"]["primary_campus"]["data"] == {"type": "PrimaryCampus", "id": campus}
    assert (included["type"], included["id"]) == ("Campus", campus)
