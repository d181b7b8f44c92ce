"""Custom fields, notes and workflows: where what a visitor tells ends up."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import Church, refused


def write_field(church: Church, person: str, field: str, value: object) -> Any:
    definition = church.named("field_definitions", field)["id"]
    return church.post(f"people/{person}/field_data", {"field_definition_id": definition, "value": value})


def values(church: Church, person: str) -> list[str]:
    return [row["attributes"]["value"] for row in church.rows(f"people/{person}/field_data")]


def options(church: Church, field: str) -> list[str]:
    definition = church.named("field_definitions", field)["id"]
    return [row["attributes"]["value"] for row in church.rows(f"field_definitions/{definition}/field_options")]


def test_the_fields_of_a_church_come_with_their_options_and_tab(grace: Church) -> None:
    told = grace.get("field_definitions", include="field_options,tab")
    kinds = {row["attributes"]["name"]: row["attributes"]["data_type"] for row in told["data"]}
    assert kinds.items() >= {
        "How did you hear about us?": "select", "First visit date": "date", "Interests": "checkboxes", "Text message consent": "boolean",
    }.items()  # fmt: skip
    assert options(grace, "How did you hear about us?") == ["Friend or family", "Website", "Social media", "Drove by", "Event"]
    included = {(one["type"], one["attributes"].get("value") or one["attributes"].get("name")) for one in told["included"]}
    assert {("FieldOption", "Baptism"), ("Tab", "Connect card")} <= included


def test_every_ticked_box_is_a_datum_of_its_own_and_unticking_deletes_it(grace: Church) -> None:
    person = grace.person()
    for interest in ("Kids", "Prayer"):
        assert write_field(grace, person, "Interests", interest).status_code == 201
    assert values(grace, person) == ["Kids", "Prayer"]
    datum = grace.rows(f"people/{person}/field_data")[0]["id"]
    assert grace.call("DELETE", f"field_data/{datum}").status_code == 204
    assert values(grace, person) == ["Prayer"]


@pytest.mark.parametrize("field", ["Interests", "How did you hear about us?"])
def test_a_value_that_is_no_option_becomes_one_to_the_letter(grace: Church, field: str) -> None:
    before = options(grace, field)
    assert write_field(grace, grace.person(), field, before[0].lower() + " ").status_code == 201
    assert options(grace, field) == [*before, before[0].lower() + " "]


def test_the_same_value_twice_is_refused_but_another_makes_a_second_datum(grace: Church) -> None:
    person = grace.person()
    write_field(grace, person, "How did you hear about us?", "Website")
    again = write_field(grace, person, "How did you hear about us?", "Website")
    detail = "An existing field datum already exists for this record and field definition."
    assert refused(again) == (422, "field_definition", detail)
    assert write_field(grace, person, "How did you hear about us?", "Event").status_code == 201
    assert values(grace, person) == ["Website", "Event"]


def test_a_date_reads_back_month_first(grace: Church) -> None:
    person = grace.person()
    assert write_field(grace, person, "First visit date", "2026-11-20").json["data"]["attributes"]["value"] == "11/20/2026"
    assert refused(write_field(grace, grace.person(), "First visit date", "soon"))[:2] == (422, "value")
    datum = grace.rows(f"people/{person}/field_data")[0]["id"]
    assert grace.patch(f"field_data/{datum}", {"value": "2026-12-01"}).json["data"]["attributes"]["value"] == "12/01/2026"


@pytest.mark.parametrize(("sent", "kept"), [(True, "true"), ("true", "true"), (1, "true"), (False, "false"), ("0", "false")])
def test_a_boolean_reads_back_as_a_word(grace: Church, sent: object, kept: str) -> None:
    assert write_field(grace, grace.person(), "Text message consent", sent).json["data"]["attributes"]["value"] == kept


def test_a_datum_without_a_definition_is_refused_and_one_of_another_church_too(grace: Church, hope: Church) -> None:
    path = f"people/{grace.person()}/field_data"
    response = grace.post(path, {"value": "x"})
    assert refused(response) == (422, "field_definition", "can't be blank")
    assert response.json["errors"][0]["meta"] == {"resource": "FieldDatum", "associated_resources": []}
    foreign = hope.named("field_definitions", "Interests")["id"]
    detail = "Error setting field_definition_id. The underlying resource couldn't be found."
    assert refused(grace.post(path, {"field_definition_id": foreign, "value": "x"}))[2] == detail


def test_the_definition_may_be_a_relationship(grace: Church) -> None:
    definition = grace.named("field_definitions", "Allergies")["id"]
    person = grace.person()
    relation = {"field_definition": {"data": {"type": "FieldDefinition", "id": definition}}}
    made = grace.create(f"people/{person}/field_data", {"value": "Peanuts"}, relation)
    assert made["relationships"] == {
        "field_definition": {"data": {"type": "FieldDefinition", "id": definition}},
        "customizable": {"data": {"type": "Person", "id": person}},
    }
    assert list(made["attributes"]) == ["file", "file_content_type", "file_name", "file_size", "value"]


def test_people_can_be_found_by_a_field(grace: Church) -> None:
    person = grace.person()
    write_field(grace, person, "Allergies", "Strawberries")
    definition = grace.named("field_definitions", "Allergies")["id"]
    found = grace.rows("field_data", **{"where[field_definition_id]": definition, "where[value]": "strawberries"})
    assert [row["relationships"]["customizable"]["data"]["id"] for row in found] == [person]


def test_a_deleted_field_is_left_out_unless_it_is_asked_for(grace: Church) -> None:
    definition = grace.named("field_definitions", "Allergies")["id"]
    assert grace.call("DELETE", f"field_definitions/{definition}").status_code == 204
    assert definition not in [row["id"] for row in grace.rows("field_definitions")]
    assert definition in [row["id"] for row in grace.rows("field_definitions", filter="include_deleted")]


# Notes


def test_a_note_needs_a_category_and_says_404_without(grace: Church) -> None:
    person, category = grace.person(), grace.named("note_categories", "Connect card")["id"]
    path = f"people/{person}/notes"
    for without in ({"note": "Hello"}, {"note": "Hello", "note_category_id": "999"}):
        assert refused(grace.post(path, without)) == (404, "", "The resource you requested could not be found")
    made = grace.create(path, {"note": "Hello", "note_category_id": category})
    assert (made["attributes"]["note"], made["attributes"]["note_category_id"]) == ("Hello", category)
    assert made["attributes"]["person_id"] == person
    told = grace.get(path, include="category")
    assert [row["id"] for row in told["data"]] == [made["id"]]
    assert told["included"][0]["attributes"]["name"] == "Connect card"


def test_deleting_a_category_deletes_its_notes(grace: Church) -> None:
    person, category = grace.person(), grace.named("note_categories", "General")["id"]
    grace.create(f"people/{person}/notes", {"note": "Hello", "note_category_id": category})
    assert grace.call("DELETE", f"note_categories/{category}").status_code == 204
    assert grace.rows(f"people/{person}/notes") == []


# Workflows


def test_a_card_stands_at_the_first_step_and_below_its_person(grace: Church) -> None:
    person, workflow = grace.person(), grace.named("workflows", "New visitor follow-up")["id"]
    steps = grace.rows(f"workflows/{workflow}/steps", order="sequence")
    made = grace.create(f"workflows/{workflow}/cards", {"person_id": person})
    assert made["attributes"]["stage"] == "ready"
    assert made["relationships"]["current_step"]["data"]["id"] == steps[0]["id"]
    cards = grace.get(f"people/{person}/workflow_cards", include="workflow")
    assert [row["id"] for row in cards["data"]] == [made["id"]]
    assert cards["included"][0]["attributes"]["name"] == "New visitor follow-up"
    counts = grace.get(f"workflows/{workflow}")["data"]["attributes"]
    assert (counts["total_cards_count"], counts["total_ready_card_count"], counts["total_steps_count"]) == (1, 1, 3)


def test_a_person_may_have_the_same_card_twice(grace: Church) -> None:
    workflow = grace.named("workflows", "Prayer team")["id"]
    relation = {"person": {"data": {"type": "Person", "id": grace.person()}}}
    cards = {grace.create(f"workflows/{workflow}/cards", {}, relation)["id"] for _ in range(2)}
    assert len(cards) == 2


def test_a_card_needs_a_person_and_a_workflow_with_steps(grace: Church) -> None:
    workflow, empty = (grace.named("workflows", name)["id"] for name in ("Prayer team", "Ideas for later"))
    response = grace.post(f"workflows/{workflow}/cards", {})
    assert refused(response) == (422, "person", "can't be blank")
    assert response.json["errors"][0]["meta"]["resource"] == "WorkflowCard"
    detail = "Error setting person_id. The underlying resource couldn't be found."
    assert refused(grace.post(f"workflows/{workflow}/cards", {"person_id": "999"})) == (422, "", detail)
    assert refused(grace.post(f"workflows/{empty}/cards", {"person_id": grace.person()}))[:2] == (422, "workflow")


def test_a_card_moves_on_back_and_away(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"limit": 1000})
    person, workflow = grace.person(), grace.named("workflows", "Prayer team")["id"]
    card = grace.create(f"workflows/{workflow}/cards", {"person_id": person})["id"]

    def after(action: str, body: Any = None) -> tuple[str, str]:
        assert grace.call("POST", f"people/{person}/workflow_cards/{card}/{action}", json=body).status_code == 204
        told = grace.get(f"people/{person}/workflow_cards/{card}", include="current_step")
        return told["data"]["attributes"]["stage"], told["included"][0]["attributes"]["name"]

    assert after("promote") == ("ready", "Write back")
    assert after("go_back") == ("ready", "Pray")
    assert after("snooze", {"data": {"attributes": {"duration": 3}}}) == ("snoozed", "Pray")
    assert after("unsnooze") == ("ready", "Pray")
    assert after("remove") == ("removed", "Pray")
    assert after("restore") == ("ready", "Pray")
    assert after("skip_step") == ("ready", "Write back")
    assert after("promote") == ("completed", "Write back")


def new_card(church: Church) -> tuple[str, str]:
    """A person and the address of a card of that person."""
    person, workflow = church.person(), church.named("workflows", "Prayer team")["id"]
    return person, f"people/{person}/workflow_cards/{church.create(f'workflows/{workflow}/cards', {'person_id': person})['id']}"


def test_a_completed_card_can_be_taken_back(grace: Church) -> None:
    _, card = new_card(grace)
    for action, stage in (("promote", "ready"), ("promote", "completed"), ("promote", "completed"), ("go_back", "ready")):
        assert grace.call("POST", f"{card}/{action}").status_code == 204
        assert grace.get(card)["data"]["attributes"]["stage"] == stage
    assert grace.get(card)["data"]["attributes"]["completed_at"] is None


def test_a_snoozed_card_wakes_by_itself(grace: Church, control: Callable[..., Any]) -> None:
    person, card = new_card(grace)
    grace.call("POST", f"{card}/snooze", json={"data": {"attributes": {"duration": 2}}})
    control("POST", "settings", {"advance_s": 86_400})
    assert grace.rows(f"people/{person}/workflow_cards")[0]["attributes"]["stage"] == "snoozed"
    control("POST", "settings", {"advance_s": 86_400})
    assert grace.rows(f"people/{person}/workflow_cards", **{"where[stage]": "ready"})[0]["attributes"]["snooze_until"] is None


def test_a_note_of_a_card_may_stand_on_the_profile_as_well(grace: Church) -> None:
    person, card = new_card(grace)
    assert refused(grace.post(f"{card}/notes", {}))[:2] == (422, "note")
    grace.create(f"{card}/notes", {"note": "Called, no answer"})
    assert grace.rows(f"people/{person}/notes") == []
    category = grace.named("note_categories", "General")["id"]
    note = grace.create(f"{card}/notes", {"note": "Called, will come", "note_category_id": category})
    assert list(note["attributes"]) == ["created_at", "note"]
    assert [row["attributes"]["note"] for row in grace.rows(f"{card}/notes")] == ["Called, no answer", "Called, will come"]
    assert [row["attributes"]["note"] for row in grace.rows(f"people/{person}/notes")] == ["Called, will come"]
    assert grace.call("DELETE", f"{card}/notes/{note['id']}").status_code == 404


def test_a_card_can_write_to_its_person(grace: Church, control: Callable[..., Any]) -> None:
    person, card = new_card(grace)
    grace.create(f"people/{person}/emails", {"address": "nathan.hale@gmail.com", "location": "Home"})
    told = {"data": {"attributes": {"subject": "Welcome", "note": "Good to meet you"}}}
    assert grace.call("POST", f"{card}/send_email", json=told).status_code == 204
    mail = control("GET", "mails")[0]
    assert (mail["to"], mail["subject"], mail["person"]) == ("nathan.hale@gmail.com", "Welcome", person)
    assert refused(grace.call("POST", f"{card}/send_email"))[:2] == (422, "subject")


# Lists


def test_a_list_shows_whom_its_rule_found_when_it_was_run_last(grace: Church, hope: Church) -> None:
    visitors = grace.named("lists", "Visitors")
    assert (visitors["attributes"]["total_people"], visitors["attributes"]["refreshed_at"]) == (0, None)
    assert grace.call("POST", f"lists/{visitors['id']}/run").status_code == 204
    told = grace.get(f"lists/{visitors['id']}", include="people")
    found = {one["id"] for one in told["included"]}
    assert found == {row["id"] for row in grace.rows("people", per_page=100, **{"where[membership]": "Visitor"})}
    assert told["data"]["attributes"]["total_people"] == len(found) > 0
    newcomer = grace.person(membership="Visitor")
    grace.patch(f"people/{min(found)}", {"membership": "Member"})
    people = {row["id"] for row in grace.rows(f"lists/{visitors['id']}/people", per_page=100)}
    assert people == found, "a list changes only when it is run"
    grace.call("POST", f"lists/{visitors['id']}/run")
    people = {row["id"] for row in grace.rows(f"lists/{visitors['id']}/people", per_page=100)}
    assert people == found - {min(found)} | {newcomer}
    assert hope.named("lists", "Visitors")["attributes"]["total_people"] == 0
