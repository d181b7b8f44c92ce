"""People, their contact details and their households: what is written is there, with Planning Center's side effects."""

from collections.abc import Callable
from typing import Any

import pytest

from connectcard.simulator.answers import server_error
from connectcard.simulator.rules import Desk
from tests.simulator.conftest import Church, refused

ANA = {"address": "ana.lopez@gmail.com", "location": "Home"}


def test_a_new_person_is_active_and_has_the_names_that_were_sent(grace: Church) -> None:
    made = grace.create("people", {"first_name": "Nathan", "last_name": "Hale"})
    assert made["attributes"]["name"] == "Nathan Hale"
    assert (made["attributes"]["status"], made["attributes"]["child"], made["attributes"]["membership"]) == ("active", False, None)
    assert made["attributes"]["created_at"] == made["attributes"]["updated_at"]
    assert grace.get(f"people/{made['id']}")["data"] == made


def test_nothing_keeps_the_same_person_from_being_made_twice(grace: Church) -> None:
    assert grace.person() != grace.person()
    assert len(grace.rows("people", **{"where[last_name]": "hale", "where[first_name]": "NATHAN"})) == 2


def test_only_what_was_sent_changes(grace: Church) -> None:
    person = grace.person(nickname="Nate", membership="Visitor")
    changed = grace.patch(f"people/{person}", {"membership": "Member"}).json["data"]["attributes"]
    assert (changed["membership"], changed["nickname"], changed["first_name"]) == ("Member", "Nate", "Nathan")


def test_a_campus_is_set_by_id_or_by_relationship(grace: Church, hope: Church) -> None:
    campus = grace.rows("campuses")[1]["id"]
    person = grace.person(primary_campus_id=campus)
    reference = grace.get(f"people/{person}", include="primary_campus")
    assert reference["data"]["relationships"]["primary_campus"]["data"] == {"type": "PrimaryCampus", "id": campus}
    assert [(one["type"], one["id"]) for one in reference["included"]] == [("Campus", campus)]
    assert grace.rows("people", **{"where[primary_campus_id]": campus})
    grace.patch(f"people/{person}", {}, {"primary_campus": {"data": None}})
    assert grace.get(f"people/{person}")["data"]["relationships"]["primary_campus"]["data"] is None
    elsewhere = grace.post("people", {"first_name": "A", "primary_campus_id": hope.rows("campuses")[0]["id"]})
    assert refused(elsewhere)[2] == "Error setting primary_campus_id. The underlying resource couldn't be found."


@pytest.mark.parametrize(("status", "then"), [("inactive", "inactive"), ("active", "active"), ("nonsense", "active")])
def test_status_is_inactive_or_active_whatever_is_sent(grace: Church, status: str, then: str) -> None:
    person = grace.person()
    answer = grace.patch(f"people/{person}", {"status": status}).json["data"]["attributes"]
    assert answer["status"] == then
    assert bool(answer["inactivated_at"]) == (then == "inactive")


def test_inactive_people_stay_in_the_list_and_can_be_left_out(grace: Church) -> None:
    person = grace.person(last_name="Quiet")
    grace.patch(f"people/{person}", {"inactivated_at": "2026-01-01T00:00:00Z"})
    assert grace.rows("people", **{"where[last_name]": "Quiet"})[0]["attributes"]["status"] == "inactive"
    assert grace.rows("people", **{"where[last_name]": "Quiet", "where[status]": "active"}) == []


@pytest.mark.parametrize(("sent", "kept"), [(4711, 4711), ("4711abc", 4711), ("abc", None), (2**31 - 1, 2**31 - 1), (None, None)])
def test_remote_id_is_a_whole_number_and_text_is_cut_to_its_digits(grace: Church, sent: object, kept: int | None) -> None:
    person = grace.create("people", {"first_name": "A", "remote_id": sent})
    assert person["attributes"]["remote_id"] == kept
    if kept:
        assert [row["id"] for row in grace.rows("people", **{"where[remote_id]": kept})] == [person["id"]]


def test_a_remote_id_beyond_four_bytes_is_out_of_range(grace: Church) -> None:
    response = grace.post("people", {"first_name": "A", "remote_id": 2**31})
    assert (response.status_code, response.json["errors"][0]["code"]) == (400, "integer_out_of_range")


def test_a_birthdate_that_is_none_becomes_null(grace: Church) -> None:
    assert grace.create("people", {"first_name": "A", "birthdate": "1990-02-03"})["attributes"]["birthdate"] == "1990-02-03"
    assert grace.create("people", {"first_name": "A", "birthdate": "soon"})["attributes"]["birthdate"] is None


def test_gender_is_set_by_text_or_id_and_read_as_a_letter_in_old_versions(grace: Church) -> None:
    female = grace.named("genders", "Female")["id"]
    person = grace.person(gender_id=female)
    assert grace.get(f"people/{person}")["data"]["attributes"]["gender"] == "Female"
    old = grace.call("GET", f"people/{person}", headers={"X-PCO-API-Version": "2020-04-06"}).json
    assert old["data"]["attributes"]["gender"] == "F"


def test_contact_details_cannot_come_with_the_person(grace: Church) -> None:
    response = grace.post("people", {"first_name": "A"}, {"emails": {"data": [{"type": "Email", "attributes": ANA}]}})
    assert refused(response) == (422, "", "emails_ids cannot be assigned")


@pytest.mark.parametrize("name", ["bogus", "id", "name", "created_at", "relationships", "demographic_avatar_url"])
def test_what_cannot_be_assigned_is_said_by_name(grace: Church, name: str) -> None:
    assert refused(grace.post("people", {"first_name": "A", name: "x"})) == (422, "", f"{name} cannot be assigned")


def test_a_refused_person_is_not_there(grace: Church) -> None:
    before = grace.get("people")["meta"]["total_count"]
    grace.post("people", {"first_name": "A", "bogus": 1})
    assert grace.get("people")["meta"]["total_count"] == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ('{"data": {"attributes": {"grade": NaN}}}', "invalid_json"),
        ('{"data": {"attributes": {"first_name": "\\ud800"}}}', "invalid_json"),
        ("[]", "invalid_resource_payload"),
        ('{"attributes": {}}', "invalid_resource_payload"),
        ('{"data": 5}', "invalid_data"),
    ],
)
def test_a_body_without_data_is_a_bad_request(grace: Church, body: str, code: str) -> None:
    response = grace.call("POST", "people", data=body)
    assert (response.status_code, response.json["errors"][0]["code"]) == (400, code)


def test_deleting_a_person_takes_everything_along_for_good(grace: Church) -> None:
    person = grace.person()
    email = grace.create(f"people/{person}/emails", ANA)["id"]
    assert grace.call("DELETE", f"people/{person}").status_code == 204
    for path in (f"people/{person}", f"people/{person}/emails", f"emails/{email}"):
        response = grace.call("GET", path)
        assert (response.status_code, response.mimetype) == (404, "application/json")
        assert refused(response)[2] == "The resource you requested could not be found"
    assert grace.rows("emails", **{"where[address]": ANA["address"]}) == []
    assert grace.rows("people", **{"where[search_name]": "Nathan Hale"}) == []
    assert grace.rows("person_mergers", **{"where[person_to_remove_id]": person}) == []


def test_merging_moves_what_is_missing_and_leaves_a_merger_behind(grace: Church, control: Callable[..., Any]) -> None:
    kept, removed = grace.person(), grace.person("Nathaniel")
    for person, address in ((kept, "nathan@gmail.com"), (removed, "NATHAN@gmail.com"), (removed, "hale@outlook.com")):
        grace.create(f"people/{person}/emails", ANA | {"address": address})
    control("POST", "merge", {"keep": kept, "remove": removed}, expect=201)
    assert grace.call("GET", f"people/{removed}").status_code == 404
    assert grace.post(f"people/{removed}/emails", ANA).status_code == 404
    emails = [row["attributes"] for row in grace.rows(f"people/{kept}/emails")]
    assert [(one["address"], one["primary"]) for one in emails] == [("nathan@gmail.com", True), ("hale@outlook.com", False)]
    merger = grace.rows("person_mergers", **{"where[person_to_remove_id]": removed})[0]
    assert merger["attributes"]["person_to_keep_id"] == int(kept), "whole numbers in attributes"
    assert merger["relationships"]["person_to_keep"]["data"] == {"type": "Person", "id": kept}
    assert [row["id"] for row in grace.rows("people", **{"where[search_name_or_email]": "hale@outlook.com"})] == [kept]


def test_chains_of_mergers_can_be_followed(grace: Church, control: Callable[..., Any]) -> None:
    first, second, third = grace.person("A"), grace.person("B"), grace.person("C")
    control("POST", "merge", {"keep": second, "remove": first})
    control("POST", "merge", {"keep": third, "remove": second})
    assert grace.rows("person_mergers", **{"where[person_to_remove_id]": first})[0]["attributes"]["person_to_keep_id"] == int(second)
    assert grace.rows("person_mergers", **{"where[person_to_remove_id]": second})[0]["attributes"]["person_to_keep_id"] == int(third)


# E-mail addresses


def test_an_email_is_there_at_once_below_the_person_and_by_its_address_in_any_case(grace: Church) -> None:
    person = grace.person()
    email = grace.create(f"people/{person}/emails", ANA)
    assert email["attributes"] | {"created_at": "", "updated_at": ""} == {
        "address": "ana.lopez@gmail.com", "blocked": False, "created_at": "", "location": "Home", "primary": True, "updated_at": "",
    }  # fmt: skip
    assert [row["id"] for row in grace.rows(f"people/{person}/emails")] == [email["id"]]
    found = grace.rows("emails", **{"where[address]": "Ana.Lopez@GMail.com"})
    assert [row["relationships"]["person"]["data"] for row in found] == [{"type": "Person", "id": person}]


def test_an_address_may_belong_to_several_people_or_twice_to_one(grace: Church) -> None:
    for person in (grace.person("Ana"), grace.person("Luis"), grace.person("Ana")):
        grace.create(f"people/{person}/emails", ANA)
        grace.create(f"people/{person}/emails", ANA)
    assert len(grace.rows("emails", **{"where[address]": ANA["address"]})) == 6


@pytest.mark.parametrize(
    ("attributes", "parameter", "detail"),
    [
        ({"address": "ana@gmail.com"}, "location", "can't be blank"),
        ({"location": "Home"}, "address", "can't be blank"),
        ({"address": "  ", "location": "Home"}, "address", "can't be blank"),
        ({"address": "ana@@gmail.com", "location": "Home"}, "address", "is not a valid email address"),
        ({"address": "ana", "location": "Home"}, "address", "is not a valid email address"),
        ({"address": "ana@gmail", "location": "Home"}, "address", "is not a valid email address"),
        ({"address": "a" * 250 + "@gmail.com", "location": "Home"}, "address", "is not a valid email address"),
        ({"address": "ana@example.com", "location": "Home"}, "address", "has a disallowed domain name"),
        ({"address": "ana@mail.test", "location": "Home"}, "address", "has a disallowed domain name"),
    ],
)
def test_an_email_that_cannot_be_kept_says_why(grace: Church, attributes: dict[str, str], parameter: str, detail: str) -> None:
    person = grace.person()
    response = grace.post(f"people/{person}/emails", attributes)
    assert refused(response) == (422, parameter, detail)
    assert response.json["errors"][0]["meta"] == {"resource": "Email", "associated_resources": []}
    assert grace.rows(f"people/{person}/emails") == []


def primaries(grace: Church, person: str) -> list[bool]:
    return [row["attributes"]["primary"] for row in grace.rows(f"people/{person}/emails")]


def test_a_new_primary_email_makes_the_older_one_secondary(grace: Church) -> None:
    person = grace.person()
    for address in ("one@gmail.com", "two@gmail.com"):
        grace.create(f"people/{person}/emails", {"address": address, "location": "Home", "primary": True})
    assert primaries(grace, person) == [False, True]


def test_an_only_email_is_primary_and_one_added_later_is_not(grace: Church) -> None:
    person = grace.person()
    first = grace.create(f"people/{person}/emails", ANA | {"primary": False})
    second = grace.create(f"people/{person}/emails", ANA | {"address": "two@gmail.com"})
    assert primaries(grace, person) == [True, False]
    assert grace.patch(f"emails/{second['id']}", {"primary": True}).status_code == 200
    assert primaries(grace, person) == [False, True]
    grace.call("DELETE", f"people/{person}/emails/{second['id']}")
    assert primaries(grace, person) == [True]
    assert first["attributes"]["primary"] is True
    assert grace.patch(f"emails/{first['id']}", {"primary": False}).json["data"]["attributes"]["primary"] is False


def test_contact_details_bump_the_person_but_medical_notes_do_not(grace: Church, control: Callable[..., Any]) -> None:
    person = grace.person()
    made = grace.get(f"people/{person}")["data"]["attributes"]["updated_at"]
    control("POST", "settings", {"advance_s": 60})
    grace.patch(f"people/{person}", {"medical_notes": "peanuts"})
    assert grace.get(f"people/{person}")["data"]["attributes"]["updated_at"] == made
    grace.create(f"people/{person}/emails", ANA)
    assert grace.get(f"people/{person}")["data"]["attributes"]["updated_at"] > made


def test_an_email_of_somebody_else_is_not_below_this_person(grace: Church) -> None:
    email = grace.create(f"people/{grace.person()}/emails", ANA)["id"]
    assert grace.call("GET", f"people/{grace.person()}/emails/{email}").status_code == 404
    assert grace.call("POST", "emails", json={"data": {"attributes": ANA}}).status_code == 404


# Telephone numbers and addresses


@pytest.mark.parametrize(
    ("number", "e164", "national"),
    [
        ("2175550123", "+12175550123", "(217) 555-0123"),
        ("(217) 555-0123", "+12175550123", "(217) 555-0123"),
        ("+44 20 7946 0018", "+442079460018", "020 7946 0018"),
        ("555-1234", None, None),
        ("call my wife", None, None),
    ],
)
def test_a_number_is_kept_as_typed_and_its_e164_is_worked_out_or_null(grace: Church, number: str, e164: str, national: str) -> None:
    made = grace.create(f"people/{grace.person()}/phone_numbers", {"number": number, "location": "Mobile"})["attributes"]
    assert (made["number"], made["e164"], made["national"], made["primary"]) == (number, e164, national, True)


def test_a_number_needs_a_location(grace: Church) -> None:
    assert refused(grace.post(f"people/{grace.person()}/phone_numbers", {"number": "2175550123"}))[1] == "location"


def test_a_formatted_number_is_there_only_when_asked_for(grace: Church) -> None:
    path = f"people/{grace.person()}/phone_numbers"
    grace.create(path, {"number": "2175550123", "location": "Mobile"})
    assert "formatted_number" not in grace.rows(path)[0]["attributes"]
    asked = grace.rows(path, **{"fields[PhoneNumber]": "number,formatted_number"})[0]["attributes"]
    assert asked == {"number": "2175550123", "formatted_number": "(217) 555-0123"}


ADDRESS = {"street_line_1": "1 Main St", "street_line_2": "5", "city": "Springfield", "state": "Il", "zip": "62701", "location": "Home"}


def test_an_address_is_kept_as_typed_with_the_country_of_the_church(grace: Church) -> None:
    made = grace.create(f"people/{grace.person()}/addresses", ADDRESS)["attributes"]
    assert made.items() >= (ADDRESS | {"country_code": "US", "country_name": "United States", "primary": True}).items()


def test_street_belongs_to_versions_before_march_2023(grace: Church) -> None:
    path = f"people/{grace.person()}/addresses"
    old = {"X-PCO-API-Version": "2022-07-14"}
    assert refused(grace.post(path, {"street": "1 Main St", "location": "Home"}))[2] == "street cannot be assigned"
    assert refused(grace.post(path, ADDRESS, headers=old))[2] == "street_line_1 cannot be assigned"
    made = grace.create(path, {"street": "1 Main St\nApt 5", "location": "Home"}, headers=old)["attributes"]
    assert made["street"] == "1 Main St\nApt 5"
    assert "street_line_1" not in made
    assert grace.rows(path)[0]["attributes"]["street_line_2"] == "Apt 5"


# Households


def household(grace: Church, *people: str) -> Any:
    relationships = {
        "primary_contact": {"data": {"type": "Person", "id": people[0]}},
        "people": {"data": [{"type": "Person", "id": person} for person in people]},
    }
    return grace.create("households", {"name": "Hale Household"}, relationships)


def test_a_household_has_its_members_at_once_and_their_number_at_the_next_read(grace: Church) -> None:
    nathan, ann = grace.person(), grace.person("Ann")
    made = household(grace, nathan, ann)
    assert made["attributes"]["member_count"] is None
    told = grace.get(f"households/{made['id']}", include="people")
    assert told["data"]["attributes"] | {"created_at": "", "updated_at": ""} == {
        "avatar": None, "created_at": "", "member_count": 2, "name": "Hale Household", "primary_contact_id": nathan,
        "primary_contact_name": "Nathan Hale", "updated_at": "",
    }  # fmt: skip
    assert [one["id"] for one in told["included"]] == [nathan, ann]
    assert [row["id"] for row in grace.rows(f"people/{ann}/households")] == [made["id"]]
    assert [row["id"] for row in grace.rows(f"households/{made['id']}/people")] == [nathan, ann]


def test_a_member_is_added_by_a_membership(grace: Church) -> None:
    made = household(grace, grace.person())
    path = f"households/{made['id']}/household_memberships"
    ann = {"person": {"data": {"type": "Person", "id": grace.person("Ann")}}}
    assert grace.create(path, {"pending": False}, ann)["attributes"]["person_name"] == "Ann Hale"
    assert refused(grace.post(path, {"pending": False}, ann)) == (422, "person", "has already been taken")
    assert refused(grace.post(path, {"pending": False})) == (422, "person", "can't be blank")
    people = {"people": {"data": [{"type": "Person", "id": grace.person()}]}}
    assert refused(grace.post(path, {}, people))[2] == "people_ids cannot be assigned"
    assert grace.post(path, {"household_role": "cousin"}, {"person": {"data": {"id": grace.person()}}}).status_code == 422
    membership = grace.rows(path)[1]["id"]
    assert grace.call("DELETE", f"{path}/{membership}").status_code == 204
    assert grace.get(f"households/{made['id']}")["data"]["attributes"]["member_count"] == 1


def test_relationships_inside_attributes_are_refused(grace: Church) -> None:
    response = grace.post("households", {"name": "Hale", "relationships": {"people": {"data": []}}})
    assert refused(response)[2] == "relationships cannot be assigned"


def test_when_the_primary_contact_goes_another_takes_the_place(grace: Church) -> None:
    nathan, ann = grace.person(), grace.person("Ann")
    made = household(grace, nathan, ann)
    grace.call("DELETE", f"people/{nathan}")
    assert grace.get(f"households/{made['id']}")["data"]["attributes"]["primary_contact_name"] == "Ann Hale"


def test_a_write_that_fails_half_way_leaves_nothing_behind(grace: Church, monkeypatch: pytest.MonkeyPatch) -> None:
    person = grace.person()

    def fail(desk: Desk, number: int) -> None:
        raise server_error()

    monkeypatch.setattr(Desk, "touch", fail)
    assert grace.post(f"people/{person}/emails", ANA | {"address": "zebulon.quarterman@gmail.com"}).status_code == 500
    assert grace.rows(f"people/{person}/emails") == []
    assert grace.rows("people", **{"where[search_name_or_email]": "zebulon.quarterman@gmail.com"}) == []


def test_members_of_one_household_who_are_merged_are_one_member(grace: Church, control: Callable[..., Any]) -> None:
    first, second, third = grace.person("Nate"), grace.person("Nathan"), grace.person("Nathaniel")
    made = household(grace, first, second)
    elsewhere = household(grace, third)
    control("POST", "merge", {"keep": second, "remove": first})
    told = grace.get(f"households/{made['id']}", include="people")
    assert [one["id"] for one in told["included"]] == [second]
    assert told["data"]["attributes"]["member_count"] == 1
    assert told["data"]["attributes"]["primary_contact_id"] == second, "the primary contact was merged away"
    # And on: whoever was kept is merged into somebody of another household.
    control("POST", "merge", {"keep": third, "remove": second})
    assert {one["id"] for one in grace.rows(f"people/{third}/households")} == {made["id"], elsewhere["id"]}
    memberships = grace.rows(f"people/{third}/household_memberships")
    assert len(memberships) == 2
    for gone in (first, second):
        assert grace.call("GET", f"people/{gone}/household_memberships").status_code == 404
    kept_by = {one["attributes"]["person_to_remove_id"]: one["attributes"]["person_to_keep_id"] for one in grace.rows("person_mergers")}
    assert kept_by == {int(first): int(second), int(second): int(third)}
