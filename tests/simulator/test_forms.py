"""Forms that a program fills in for somebody: who is found or made, what follows, and what waits for the person's own word."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.simulator.conftest import Church, SignIn, refused

NEWEST = {"X-PCO-API-Version": "2026-06-04"}
ANN = {"first_name": "Ann", "last_name": "Lee", "emails_attributes": [{"location": "Home", "address": "ann.lee@gmail.com"}]}


def card(church: Church, name: str = "Connect card") -> str:
    return str(church.named("forms", name)["id"])


def field(church: Church, label: str) -> Any:
    rows = church.rows(f"forms/{card(church)}/fields", per_page=100)
    return next(row for row in rows if row["attributes"]["label"] == label)


def fill_in(church: Church, who: dict[str, Any], answers: dict[str, Any] | None = None, **how: Any) -> TestResponse:
    """Fill in the connect card: an answer for each label, several in a list."""
    included = [
        {"type": "FormSubmissionValue", "attributes": {"form_field_id": field(church, label)["id"], "value": value}}
        for label, values in (answers or {}).items()
        for value in (values if isinstance(values, list) else [values])
    ]
    body = {"data": {"type": "FormSubmission", "attributes": who}, "included": included}
    headers = how.pop("headers", NEWEST)
    return church.call("POST", f"forms/{how.pop('form', card(church))}/form_submissions", json=body, headers=headers)


def person_of(response: TestResponse) -> str:
    assert response.status_code == 201, response.text
    return str(response.json["data"]["relationships"]["person"]["data"]["id"])


def option(church: Church, label: str, chosen: str) -> str:
    rows = church.rows(f"forms/{card(church)}/fields/{field(church, label)['id']}/options")
    return str(next(row["id"] for row in rows if row["attributes"]["label"] == chosen))


def test_a_form_tells_its_fields_and_their_options(grace: Church) -> None:
    told = grace.get(f"forms/{card(grace)}/fields", include="options")
    kinds = [row["attributes"]["field_type"] for row in told["data"]]
    assert {"phone_number", "address", "checkboxes", "custom_field", "workflow_checkbox"} <= set(kinds)
    assert {one["attributes"]["label"] for one in told["included"]} == {
        *("Small groups", "Kids", "Serving", "9:00", "11:00"),
        *("Friend or family", "Website", "Social media", "Drove by", "Event", "Baptism", "Prayer"),
    }


def test_a_new_visitor_becomes_a_person_with_everything_that_was_answered(grace: Church, control: Callable[..., Any]) -> None:
    answers = {
        "Mobile phone": {"number": "217-555-0142", "location": "Mobile"},
        "Address": {"street": "1 Elm St", "city": "Springfield", "state": "IL", "zip": "62701", "location": "Home"},
        "Birthday": "1990-05-04",
        "Allergies": "Peanuts",
        "Prayer request": "For my mother",
        "Please contact me": True,
        "I am interested in": [option(grace, "I am interested in", "Kids"), option(grace, "I am interested in", "Serving")],
    }
    response = fill_in(grace, {"person_attributes": ANN}, answers)
    person = person_of(response)
    assert response.json["data"]["attributes"]["verified"] is True
    told = grace.get(f"people/{person}", include="emails,phone_numbers,addresses,field_data")
    assert told["data"]["attributes"]["birthdate"] == "1990-05-04"
    values = {one["type"]: one["attributes"] for one in told["included"]}
    assert values["Email"]["address"] == "ann.lee@gmail.com"
    assert values["PhoneNumber"]["e164"] == "+12175550142"
    assert values["Address"]["street_line_1"] == "1 Elm St"
    assert values["FieldDatum"]["value"] == "Peanuts"
    assert [row["attributes"]["note"] for row in grace.rows(f"people/{person}/notes")] == ["For my mother"]
    assert [row["attributes"]["stage"] for row in grace.rows(f"people/{person}/workflow_cards")] == ["ready"]
    assert control("GET", "mails")[0]["to"] == "ann.lee@gmail.com"
    path = f"forms/{card(grace)}/form_submissions"
    kept = grace.get(f"{path}/{response.json['data']['id']}", include="form_submission_values,person,form_fields")
    shown = [one["attributes"]["display_value"] for one in kept["included"] if one["type"] == "FormSubmissionValue"]
    assert {"Kids", "Serving", "1990-05-04"} <= set(shown)
    assert grace.get(f"forms/{card(grace)}")["data"]["attributes"]["submission_count"] == 1


@pytest.mark.parametrize("known_as", ["first_name", "nickname", "given_name"])
def test_the_same_name_and_email_are_the_same_person(grace: Church, known_as: str) -> None:
    person = grace.person(**({"first_name": "Annabel", "last_name": "Lee"} | {known_as: "ANN"}))
    grace.create(f"people/{person}/emails", {"address": "Ann.Lee@gmail.com", "location": "Work"})
    assert person_of(fill_in(grace, {"person_attributes": ANN})) == person


def test_a_spouse_with_the_same_email_is_somebody_else(grace: Church) -> None:
    first = person_of(fill_in(grace, {"person_attributes": ANN}))
    assert person_of(fill_in(grace, {"person_attributes": ANN | {"first_name": "Bob"}})) != first


def test_what_would_change_somebody_waits_until_that_person_confirms_it(grace: Church, control: Callable[..., Any]) -> None:
    person = grace.person("Ann", "Lee")
    grace.create(f"people/{person}/emails", {"address": "ann.lee@gmail.com", "location": "Home"})
    answers = {"Mobile phone": {"number": "217-555-0142", "location": "Mobile"}, "Please contact me": True}
    submission = fill_in(grace, {"person_id": person}, answers).json["data"]
    assert submission["attributes"]["verified"] is False
    assert grace.rows(f"people/{person}/phone_numbers") == []
    assert len(grace.rows(f"people/{person}/workflow_cards")) == 1, "a card changes nobody"
    assert control("GET", "mails")[0]["subject"].startswith("Please confirm")
    told = grace.get(f"forms/{card(grace)}/form_submissions", **{"fields[FormSubmission]": "requires_verification"})
    assert told["data"][0]["attributes"] == {"requires_verification": True}
    control("POST", "confirm", {"form_submission": submission["id"]})
    assert [row["attributes"]["number"] for row in grace.rows(f"people/{person}/phone_numbers")] == ["217-555-0142"]
    assert grace.rows(f"forms/{card(grace)}/form_submissions")[0]["attributes"]["verified"] is True


def test_the_same_card_twice_is_two_submissions(grace: Church) -> None:
    first, second = (fill_in(grace, {"person_attributes": ANN}) for _ in range(2))
    assert person_of(first) == person_of(second)
    assert len(grace.rows(f"forms/{card(grace)}/form_submissions", order="-created_at")) == 2


def test_before_its_version_there_is_no_filling_in(grace: Church) -> None:
    assert fill_in(grace, {"person_attributes": ANN}, headers={}).status_code == 404
    assert grace.rows(f"forms/{card(grace)}/form_submissions") == []


@pytest.mark.parametrize(
    ("who", "status", "parameter"),
    [({}, 422, "person"), ({"person_id": "1"}, 422, ""), ({"person_attributes": "Ann"}, 422, "person_attributes"),
     ({"person_attributes": ANN | {"shoe_size": 9}}, 422, ""), ({"answers": []}, 422, ""),
     ({"person_attributes": ANN | {"emails_attributes": [{"address": "ann@example.com"}]}}, 422, "address")],
)  # fmt: skip
def test_a_submission_that_is_refused_leaves_nothing_behind(grace: Church, who: dict[str, Any], status: int, parameter: str) -> None:
    people = grace.get("people")["meta"]["total_count"]
    assert refused(fill_in(grace, who))[:2] == (status, parameter)
    assert grace.get("people")["meta"]["total_count"] == people
    assert grace.rows(f"forms/{card(grace)}/form_submissions") == []


def test_options_go_by_their_ids_and_fields_by_the_form_they_belong_to(grace: Church, hope: Church) -> None:
    assert refused(fill_in(grace, {"person_attributes": ANN}, {"I am interested in": "Kids"}))[:2] == (422, "value")
    value = {"type": "FormSubmissionValue", "attributes": {"form_field_id": field(hope, "Birthday")["id"], "value": "1990-01-01"}}
    body = {"data": {"attributes": {"person_attributes": ANN}}, "included": [value]}
    response = grace.call("POST", f"forms/{card(grace)}/form_submissions", json=body, headers=NEWEST)
    assert response.json["errors"][0]["code"] == "attribute_resource_not_found"


def test_a_custom_field_with_options_takes_those_of_the_form_and_keeps_the_words_of_its_own(grace: Church) -> None:
    answers = {
        "How did you hear about us?": option(grace, "How did you hear about us?", "Friend or family"),
        "Areas of interest": [option(grace, "Areas of interest", chosen) for chosen in ("Kids", "Prayer")],
    }
    person = person_of(fill_in(grace, {"person_attributes": ANN}, answers))
    assert sorted(row["attributes"]["value"] for row in grace.rows(f"people/{person}/field_data")) == ["Friend or family", "Kids", "Prayer"]


def test_a_custom_field_refuses_words_and_the_ids_that_its_options_have_elsewhere(grace: Church) -> None:
    definition = grace.named("field_definitions", "How did you hear about us?")["id"]
    elsewhere = grace.rows(f"field_definitions/{definition}/field_options")[0]["id"]
    for value in ("Friend or family", elsewhere, {"id": elsewhere}):
        assert refused(fill_in(grace, {"person_attributes": ANN}, {"How did you hear about us?": value}))[:2] == (422, "value")


@pytest.mark.parametrize(
    ("label", "value"),
    [("Birthday", "May 4th"), ("Please contact me", "yes"), ("Mobile phone", "217-555-0142"), ("Thank you!", "You too")],
)
def test_each_kind_of_field_takes_values_of_its_own_shape_only(grace: Church, label: str, value: str) -> None:
    assert refused(fill_in(grace, {"person_attributes": ANN}, {label: value}))[:2] == (422, "value")


def test_required_fields_and_closed_forms(grace: Church) -> None:
    assert refused(fill_in(grace, {"person_attributes": ANN}, form=card(grace, "Volunteer application")))[:2] == (422, "value")
    assert refused(fill_in(grace, {"person_attributes": ANN}, form=card(grace, "Old card")))[:2] == (422, "form")


def test_only_who_manages_the_form_fills_it_in(sign_in: SignIn, staff: dict[str, str], grace: Church) -> None:
    eddie, vera = sign_in.church_of(staff["Eddie Editor"]), sign_in.church_of(staff["Vera Viewer"])
    assert fill_in(eddie, {"person_attributes": ANN}).status_code == 201
    application = card(grace, "Volunteer application")
    assert fill_in(eddie, {"person_attributes": ANN}, form=application).status_code == 403
    assert fill_in(vera, {"person_attributes": ANN}).status_code == 403
    assert [row["attributes"]["can_manage"] for row in eddie.rows("forms", order="name")] == [True, True, False]
    response = vera.call("GET", f"forms/{card(grace)}/form_submissions")
    assert "FormSubmissionVertex collection" in response.json["errors"][0]["meta"]["description"]
