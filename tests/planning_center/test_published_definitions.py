"""The catalogue says the same as Planning Center's published definitions, where a copy of those is at hand."""

import json
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from connectcard.planning_center.resources import PRODUCTS, Resource, calendar, check_ins, groups, people, webhooks
from connectcard.planning_center.resources._core import BOOLEAN, DATE, INTEGER, LIST, MOMENT, NUMBER, OBJECT, STRING

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"
PUBLISHED = {
    product: REFERENCE / "definitions" / f"{name}-{product.VERSION}.json"
    for product, name in ((people, "People"), (groups, "Groups"), (check_ins, "CheckIns"), (calendar, "Calendar"), (webhooks, "Webhooks"))
}
OPENAPI = {product: REFERENCE / "openapi" / f"{product.PRODUCT}-{product.VERSION}.json" for product in (groups, webhooks)}
missing = [path.name for path in [*PUBLISHED.values(), *OPENAPI.values()] if not path.exists()]
if missing:
    pytest.skip(f"not compared with the published definitions: no {', '.join(missing)} beside the project", allow_module_level=True)

KIND_OF = {
    "string": STRING,
    "int": INTEGER,
    "decimal": NUMBER,
    "bool": BOOLEAN,
    "System.DateOnly": DATE,
    "System.DateTime": MOMENT,
    "System.Text.Json.Nodes.JsonObject": OBJECT,
    "System.Text.Json.Nodes.JsonArray": LIST,
    "System.Text.Json.JsonElement": OBJECT,
    "Crews.PlanningCenter.Api.People.File": OBJECT,
    "Crews.PlanningCenter.Api.People.ImportAttributes": OBJECT,
    "Crews.PlanningCenter.Api.Common.Image": OBJECT,
    "Crews.PlanningCenter.Api.Calendar.ContactData": OBJECT,
    "Crews.PlanningCenter.Api.Groups.GroupSettings": OBJECT,
}
# The definitions write one type in another case than the wire.
SPELT_OTHERWISE = {"RSVP": "Rsvp"}

EVERY = [(product, one) for product in PRODUCTS for one in product.RESOURCES]


def named(one: Any) -> str:
    if isinstance(one, ModuleType):
        return str(one.PRODUCT)
    return f"{one.parent.type if one.parent else ''}-{one.type}-{one.path}"


EACH = pytest.mark.parametrize(("product", "resource"), [each for each in EVERY if each[1].type not in each[0].EXCEPTIONS], ids=named)


@cache
def published(product: ModuleType) -> dict[str, Any]:
    return {entry["AttributesClrType"]: entry for entry in json.loads(PUBLISHED[product].read_text())["Resources"]}


def entry_of(product: ModuleType, type_: str) -> dict[str, Any]:
    entry: dict[str, Any] = published(product)[SPELT_OTHERWISE.get(type_, type_)]
    return entry


@EACH
def test_attributes_are_the_published_ones(product: ModuleType, resource: Resource) -> None:
    theirs = {each["JsonName"]: KIND_OF[each["ClrType"]] for each in entry_of(product, resource.type)["Attributes"]}
    ours = {name: attribute.kind for name, attribute in resource.attributes.items() if f"{resource.type}.{name}" not in product.EXCEPTIONS}
    assert ours == theirs


@EACH
def test_what_comes_only_on_request_is_marked(product: ModuleType, resource: Resource) -> None:
    theirs = {each["JsonName"] for each in entry_of(product, resource.type)["Attributes"] if "`?fields` param" in each["Description"]}
    assert {name for name, attribute in resource.attributes.items() if attribute.on_request} == theirs


@EACH
def test_relationships_are_published_or_can_be_assigned(product: ModuleType, resource: Resource) -> None:
    entry = entry_of(product, resource.type)
    theirs = {each["JsonName"]: (each["AttributesClrType"], each["IsCollection"]) for each in entry["Relationships"]}
    assignable = {each["Value"] for each in entry["CanInclude"] if each["CanAssignOnCreate"]}
    read = {name: (one.type, one.many) for name, one in resource.relationships.items() if not one.write_only}
    # The definitions name a role here, the wire the type that plays it.
    if resource.type == "FieldDatum":
        theirs["customizable"] = ("Person", False)
    if product is check_ins and resource.type == "Location":
        theirs["parent"] = ("Location", False)
    assert read == theirs
    assert {name for name, one in resource.relationships.items() if one.write_only} <= assignable


@EACH
def test_includes_bring_the_published_types(product: ModuleType, resource: Resource) -> None:
    entry = entry_of(product, resource.type)
    children = {child["JsonName"]: child["AttributesClrType"] for child in entry["Children"]}
    theirs = {each["Value"]: children.get(each["Value"]) for each in entry["CanInclude"]}
    assert resource.includes.items() <= theirs.items()


@EACH
def test_query_names_and_orders_are_the_published_ones(product: ModuleType, resource: Resource) -> None:
    if resource.singleton:
        assert not resource.wheres
        assert not resource.orders
        return
    entry = entry_of(product, resource.type)
    assert {f"where[{name}]" for name in resource.wheres} == {each["Parameter"] for each in entry["CanQueryBy"]}
    assert set(resource.orders) == {each["Value"] for each in entry["CanOrderBy"]}


@EACH
def test_addresses_and_filters_are_the_published_ones(product: ModuleType, resource: Resource) -> None:
    if not resource.path or product is webhooks:
        return  # the root of a product; the addresses of webhooks are compared with the OpenAPI file below
    top = {child["Slug"]: child for child in published(product)["Organization"]["Children"]}
    children = {child["Slug"]: child for child in entry_of(product, resource.parent.type)["Children"]} if resource.parent else top
    child = children[resource.path]
    assert child["AttributesClrType"] == SPELT_OTHERWISE.get(resource.type, resource.type)
    # The definitions have a list for the campus of a person, who has one.
    assert child["IsCollection"] is not resource.singleton or resource is people.PERSON_PRIMARY_CAMPUS
    # Where a resource has both addresses, the one at the top has the filters.
    theirs = {each["Value"]: each["Description"] for each in (children if resource.nested_only else top)[resource.path]["Filters"]}
    if not resource.singleton:
        assert set(resource.filters) == set(theirs)
        asked_for = {name: re.search(r"provide an additional `?(\w+)`? param", text) for name, text in theirs.items()}
        assert {name: found[1] for name, found in asked_for.items() if found}.items() <= resource.filter_values.items()


@EACH
def test_verbs_and_actions_are_published(product: ModuleType, resource: Resource) -> None:
    entry = entry_of(product, resource.type)
    allowed = {"create": "Postable", "update": "Patchable", "delete": "Deletable"}
    written = [verb for verb in resource.verbs if verb in allowed and f"{resource.type}.{verb}" not in product.EXCEPTIONS]
    assert all(entry[allowed[verb]] for verb in written)
    assert set(resource.actions) <= {action["Path"] for action in entry["Actions"]}


@pytest.mark.parametrize("product", PRODUCTS, ids=named)
def test_each_exception_is_still_needed(product: ModuleType) -> None:
    allowed = {"create": "Postable", "update": "Patchable", "delete": "Deletable"}
    for name in product.EXCEPTIONS:
        kind, _, detail = name.partition(".")
        entry = published(product).get(kind)
        if entry is None or not detail:
            assert entry is None
        elif detail in allowed:
            assert not entry[allowed[detail]]
        else:
            assert detail not in {each["JsonName"] for each in entry["Attributes"]}


@cache
def openapi(product: ModuleType) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(OPENAPI[product].read_text())
    return document


WRITTEN_DOWN = pytest.mark.parametrize(("product", "resource"), [each for each in EVERY if each[0] in OPENAPI and each[1].path], ids=named)
METHODS = {"list": "get", "get": "get", "create": "post", "update": "patch", "delete": "delete"}


def levels(resource: Resource) -> int:
    """How many ids stand before a thing's own."""
    return 1 + levels(resource.parent) if resource.nested_only and resource.parent else 0


def address(resource: Resource, verb: str) -> str:
    """Where a verb goes, below the product's root, ids written as `{}`."""
    above = ["ID"] * levels(resource)
    path = resource.collection_path(above) if verb in ("list", "create") else resource.member_path("ID", above)
    return path.removeprefix(f"/{resource.product}/v2").replace("ID", "{}")


def operations(product: ModuleType) -> set[tuple[str, str]]:
    return {(re.sub(r"{\w+}", "{}", path), method) for path, methods in openapi(product)["paths"].items() for method in methods}


@WRITTEN_DOWN
def test_every_verb_has_an_operation_in_the_openapi_file(product: ModuleType, resource: Resource) -> None:
    for verb in resource.verbs:
        assert (address(resource, verb), METHODS[verb]) in operations(product), verb
    for action in resource.actions:
        assert (f"{address(resource, 'get')}/{action}", "post") in operations(product), action


@pytest.mark.parametrize("product", OPENAPI, ids=named)
def test_every_verb_of_a_main_address_is_declared(product: ModuleType) -> None:
    """What the OpenAPI file offers where a thing is at home is not forgotten here."""
    for resource in product.RESOURCES:
        declared = {(address(resource, verb), METHODS[verb]) for verb in resource.verbs}
        declared |= {(f"{address(resource, 'get')}/{action}", "post") for action in resource.actions}
        at_home = {address(resource, "list"), address(resource, "get")} if resource.actions or "create" in resource.verbs else set()
        assert {each for each in operations(product) if each[0] in at_home and each[1] in METHODS.values()} <= declared


@WRITTEN_DOWN
def test_what_can_be_written_is_what_the_openapi_file_says(product: ModuleType, resource: Resource) -> None:
    def theirs(what: str, when: str) -> set[str]:
        schema = openapi(product)["components"]["schemas"].get(f"{resource.type.lower()}_{what}_assignable_on_{when}", {})
        return set(schema.get("properties", {}))

    ours = {name for name, one in resource.attributes.items() if one.assignable}
    lasting = {name for name, one in resource.attributes.items() if one.assignable and not one.create_only}
    # Old settings of a group, which no vertex page knows any more.
    gone = {"public_enrollment", "publicly_display_meeting_schedule", "publicly_visible"}
    if "create" in resource.verbs:
        assert ours == theirs("attributes", "create")
        assert {name for name, one in resource.relationships.items() if one.assignable} == theirs("relationships", "create")
    if "update" in resource.verbs:
        assert lasting == theirs("attributes", "update") - gone
