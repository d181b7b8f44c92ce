"""Addresses and kinds of the catalogue."""

import pytest

from connectcard.planning_center.resources import Resource, people
from connectcard.planning_center.resources._core import KINDS


@pytest.mark.parametrize("resource", people.RESOURCES, ids=lambda one: f"{one.type}-{one.path}")
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


@pytest.mark.parametrize(
    ("resource", "remote_id", "parent_id"), [(people.PERSON, "", None), (people.PERSON, "1", "2"), (people.WORKFLOW_STEP, "1", None)]
)
def test_an_address_that_does_not_exist_is_refused(resource: Resource, remote_id: str, parent_id: str | None) -> None:
    with pytest.raises(ValueError):
        resource.member_path(remote_id, parent_id)


def test_an_id_cannot_climb_out_of_its_collection() -> None:
    assert people.PERSON.member_path("../me?x=1") == "/people/v2/people/%2E%2E%2Fme%3Fx%3D1"
