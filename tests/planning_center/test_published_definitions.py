"""The catalogue says the same as Planning Center's published definitions, where a copy of those is at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from connectcard.planning_center.resources import Resource, people
from connectcard.planning_center.resources._core import BOOLEAN, DATE, INTEGER, LIST, MOMENT, NUMBER, OBJECT, STRING

DEFINITIONS = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "definitions"
PUBLISHED = DEFINITIONS / f"People-{people.VERSION}.json"
if not PUBLISHED.exists():
    pytest.skip(f"not compared with the published definitions: no {PUBLISHED.name} beside the project", allow_module_level=True)

KIND_OF = {
    "string": STRING,
    "int": INTEGER,
    "decimal": NUMBER,
    "bool": BOOLEAN,
    "System.DateOnly": DATE,
    "System.DateTime": MOMENT,
    "System.Text.Json.Nodes.JsonObject": OBJECT,
    "System.Text.Json.Nodes.JsonArray": LIST,
    "Crews.PlanningCenter.Api.People.File": OBJECT,
}
MAIN = [one for one in people.RESOURCES if one.type not in people.EXCEPTIONS]
DOCUMENTED = pytest.mark.parametrize("resource", MAIN, ids=lambda one: f"{one.parent.type if one.parent else ''}-{one.type}-{one.path}")


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    return {entry["AttributesClrType"]: entry for entry in json.loads(PUBLISHED.read_text())["Resources"]}


@DOCUMENTED
def test_attributes_are_the_published_ones(resource: Resource, published: dict[str, Any]) -> None:
    theirs = {each["JsonName"]: KIND_OF[each["ClrType"]] for each in published[resource.type]["Attributes"]}
    ours = {name: attribute.kind for name, attribute in resource.attributes.items() if f"{resource.type}.{name}" not in people.EXCEPTIONS}
    assert ours == theirs


@DOCUMENTED
def test_what_comes_only_on_request_is_marked(resource: Resource, published: dict[str, Any]) -> None:
    theirs = {each["JsonName"] for each in published[resource.type]["Attributes"] if "`?fields` param" in each["Description"]}
    assert {name for name, attribute in resource.attributes.items() if attribute.on_request} == theirs


@DOCUMENTED
def test_relationships_are_published_or_can_be_assigned(resource: Resource, published: dict[str, Any]) -> None:
    entry = published[resource.type]
    theirs = {each["JsonName"]: (each["AttributesClrType"], each["IsCollection"]) for each in entry["Relationships"]}
    assignable = {each["Value"] for each in entry["CanInclude"] if each["CanAssignOnCreate"]}
    read = {name: (one.type, one.many) for name, one in resource.relationships.items() if not one.write_only}
    if resource.type == "FieldDatum":  # the definitions name the interface, the wire the type
        theirs["customizable"] = ("Person", False)
    assert read == theirs
    assert {name for name, one in resource.relationships.items() if one.write_only} <= assignable


@DOCUMENTED
def test_includes_bring_the_published_types(resource: Resource, published: dict[str, Any]) -> None:
    entry = published[resource.type]
    children = {child["JsonName"]: child["AttributesClrType"] for child in entry["Children"]}
    theirs = {each["Value"]: children.get(each["Value"]) for each in entry["CanInclude"]}
    assert resource.includes.items() <= theirs.items()


@DOCUMENTED
def test_query_names_and_orders_are_the_published_ones(resource: Resource, published: dict[str, Any]) -> None:
    if resource is people.ME:
        return
    entry = published[resource.type]
    assert {f"where[{name}]" for name in resource.wheres} == {each["Parameter"] for each in entry["CanQueryBy"]}
    assert set(resource.orders) == {each["Value"] for each in entry["CanOrderBy"]}


@DOCUMENTED
def test_addresses_and_filters_are_the_published_ones(resource: Resource, published: dict[str, Any]) -> None:
    if resource is people.ORGANIZATION:
        return
    above = published[resource.parent.type if resource.parent else "Organization"]
    children = {child["Slug"]: child for child in above["Children"]}
    top = {child["Slug"]: child for child in published["Organization"]["Children"]}
    assert children[resource.path]["AttributesClrType"] == resource.type
    # Where a resource has both addresses, the one at the top has the filters.
    where = children if resource.nested_only else top
    assert set(resource.filters) == {each["Value"] for each in where[resource.path]["Filters"]} or resource is people.ME


@DOCUMENTED
def test_verbs_and_actions_are_published(resource: Resource, published: dict[str, Any]) -> None:
    entry = published[resource.type]
    allowed = {"create": "Postable", "update": "Patchable", "delete": "Deletable"}
    assert all(entry[allowed[verb]] for verb in resource.verbs if verb in allowed)
    assert set(resource.actions) <= {action["Path"] for action in entry["Actions"]}


def test_each_exception_is_still_needed(published: dict[str, Any]) -> None:
    for name in people.EXCEPTIONS:
        kind, _, attribute = name.partition(".")
        assert kind not in published or attribute not in {each["JsonName"] for each in published[kind]["Attributes"]}
