"""Addresses and kinds of the catalogue."""

import pytest

from connectcard.planning_center.resources import PRODUCTS, Resource, calendar, groups, people, webhooks
from connectcard.planning_center.resources._core import KINDS

EVERY = [resource for product in PRODUCTS for resource in product.RESOURCES]


@pytest.mark.parametrize("resource", EVERY, ids=lambda one: f"{one.product}-{one.type}-{one.path}")
def test_every_kind_is_known_and_every_write_is_possible(resource: Resource) -> None:
    assert {attribute.kind for attribute in resource.attributes.values()} <= KINDS
    if "create" in resource.verbs:
        assert any(attribute.assignable for attribute in resource.attributes.values())


def test_addresses_are_built_below_the_parent() -> None:
    assert people.ORGANIZATION.member_path() == "/people/v2"
    assert people.ME.member_path() == "/people/v2/me"
    assert people.EMAIL.collection_path() == "/people/v2/emails"
    assert people.EMAIL.collection_path("7") == "/people/v2/people/7/emails"
    assert people.WORKFLOW_CARD.collection_path("9") == "/people/v2/workflows/9/cards"
    assert people.PERSON_WORKFLOW_CARD.member_path("3", "7") == "/people/v2/people/7/workflow_cards/3"


def test_an_address_below_two_others_takes_both_ids_the_outer_one_first() -> None:
    assert people.WORKFLOW_CARD_NOTE.collection_path(("7", "3")) == "/people/v2/people/7/workflow_cards/3/notes"
    assert people.FORM_FIELD_OPTION.member_path("5", ("2", "4")) == "/people/v2/forms/2/fields/4/options/5"
    assert webhooks.DELIVERY.collection_path(["1", "2"]) == "/webhooks/v2/webhook_subscriptions/1/events/2/deliveries"
    assert calendar.EVENT_TIME_EVENT.member_path(None, ("8", "9")) == "/calendar/v2/event_instances/8/event_times/9/event"


def test_what_belongs_to_one_thing_only_has_no_id_of_its_own() -> None:
    assert groups.ENROLLMENT.member_path(None, "4") == "/groups/v2/groups/4/enrollment"
    assert groups.EVENT_LOCATION.member_path(None, "6") == "/groups/v2/events/6/location"
    assert groups.LOCATION_GROUP.member_path(None, ("6", "2")) == "/groups/v2/events/6/location/2/group"


@pytest.mark.parametrize("resource", [one for one in EVERY if one.product in ("check-ins", "calendar")], ids=lambda one: one.type)
def test_check_ins_and_calendars_are_only_read(resource: Resource) -> None:
    assert set(resource.verbs) <= {"list", "get"}
    assert not resource.actions


def test_each_product_is_asked_for_in_its_pinned_version() -> None:
    assert {(one.product, one.version) for one in EVERY} == {
        ("people", "2025-11-10"),
        ("people", "2026-06-04"),
        ("groups", "2023-07-10"),
        ("check-ins", "2025-05-28"),
        ("calendar", "2022-07-07"),
        ("webhooks", "2022-10-20"),
    }
    assert {one.type for one in EVERY if one.version == "2026-06-04"} == {"FormSubmission", "FormSubmissionValue"}


@pytest.mark.parametrize(
    ("resource", "remote_id", "parent_id"), [(people.PERSON, "", None), (people.PERSON, "1", "2"), (people.WORKFLOW_STEP, "1", None)]
)
def test_an_address_that_does_not_exist_is_refused(resource: Resource, remote_id: str, parent_id: str | None) -> None:
    with pytest.raises(ValueError):
        resource.member_path(remote_id, parent_id)


def test_an_id_cannot_climb_out_of_its_collection() -> None:
    assert people.PERSON.member_path("../me?x=1") == "/people/v2/people/%2E%2E%2Fme%3Fx%3D1"
