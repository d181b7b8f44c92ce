"""Rows as Planning Center writes them: attributes, relationships, links, and the documents around them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from connectcard.planning_center.resources import Attribute, Relationship, Resource
from connectcard.simulator import questions
from connectcard.simulator.catalogue import (
    BELOW,
    COMPUTED,
    EDGES,
    FACTS,
    GENDER_IN_WORDS,
    NO_GENDER_RELATIONSHIP,
    OTHERWISE,
    PARENTS,
    STREET_IN_LINES,
    TOP,
    Edge,
    is_pointer,
)
from connectcard.simulator.store import Row, Store

Document = dict[str, Any]
NUMBERS_ON_THE_WIRE = ("person_to_keep_id", "person_to_remove_id")


@dataclass
class Writer:
    """Writes the documents of one answer. `origin` is the address that the caller used, without a slash."""

    store: Store
    origin: str
    version: str
    organization: int
    arguments: MultiDict[str, str] = field(default_factory=MultiDict)

    def __post_init__(self) -> None:
        self._fields = questions.fields(self.arguments)

    # Documents

    def single(self, resource: Resource, row: Row, *, parent: Document | None = None, links: bool = True) -> Document:
        names = questions.includes(resource, self.arguments)
        written = self.resource(row, resource, names)
        written["links"] = self._all_links(row) if links else self._few_links(row)
        meta: Document = {"can_include": list(resource.includes)} if resource.includes else {}
        if parent:
            meta["parent"] = parent
        return {"data": written, "included": self._included([row], names), "meta": meta}

    def listing(self, resource: Resource, path: str, rows: list[Row], total: int, parent: Document) -> Document:
        names = questions.includes(resource, self.arguments)
        page = questions.paging(self.arguments)
        return {
            "links": self._page_links(path, page, total),
            "data": [self.resource(row, resource, names) | {"links": self._few_links(row)} for row in rows],
            "included": self._included(rows, names),
            "meta": self._meta(resource, page, len(rows), total) | {"parent": parent},
        }

    def _page_links(self, path: str, page: questions.Paging, total: int) -> Document:
        links = {"self": f"{self.origin}{path}{questions.link_query(self.arguments)}"}
        if page.offset:
            links["prev"] = f"{self.origin}{path}{questions.link_query(self.arguments, max(0, page.offset - page.per_page))}"
        if page.offset + page.per_page < total:
            links["next"] = f"{self.origin}{path}{questions.link_query(self.arguments, page.offset + page.per_page)}"
        return links

    def _meta(self, resource: Resource, page: questions.Paging, count: int, total: int) -> Document:
        meta: Document = {"total_count": total, "count": count}
        if page.offset:
            meta["prev"] = {"offset": max(0, page.offset - page.per_page)}
        if page.offset + page.per_page < total:
            meta["next"] = {"offset": page.offset + page.per_page}
        can = {
            "can_order_by": resource.orders,
            "can_query_by": resource.wheres,
            "can_include": resource.includes,
            "can_filter": resource.filters,
        }
        return meta | {name: list(names) for name, names in can.items() if names}

    # One resource

    def resource(self, row: Row, resource: Resource, includes: Iterable[str] = ()) -> Document:
        relationships = {name: {"data": self._reference(row, name, one)} for name, one in self._relationships(row, resource)}
        for name in includes:
            linkage = relationships[name]["data"] if name in relationships else self._linkage(row, name)
            relationships[name] = {"links": {"related": f"{self.address(row)}/{name}"}, "data": linkage}
        return {"type": row.kind, "id": str(row.id), "attributes": self.attributes(row, resource), "relationships": relationships}

    def attributes(self, row: Row, resource: Resource) -> Document:
        asked = self._fields.get(row.kind)
        computed = self.store.computed(row, COMPUTED.get(row.kind, {}))
        values = {
            name: computed[name] if name in computed else self._value(row, name)
            for name, attribute in sorted(resource.attributes.items())
            if is_shown(name, attribute, asked)
        }
        return self._as_of_version(row, values)

    def _value(self, row: Row, name: str) -> Any:
        if name in ("created_at", "updated_at"):
            return getattr(row, name)
        if name in ("avatar", "demographic_avatar_url") and row.kind == "Person":
            return row[name] or initials(row)
        if row.kind == "PhoneNumber" and name == "formatted_number":
            return row["national"] or row["number"]
        if is_pointer(row.kind, name):
            number = self._pointer(row, name.removesuffix("_id"))
            return number if number is None or name in NUMBERS_ON_THE_WIRE else str(number)
        return row.attributes.get(name, OTHERWISE.get((row.kind, name)))

    def _pointer(self, row: Row, name: str) -> int | None:
        if name == "organization":
            return row.organization
        if name in ("person", "customizable"):
            return row.person
        return row.parent if PARENTS.get(row.kind) == name else row.relations.get(name)

    def _as_of_version(self, row: Row, values: Document) -> Document:
        if row.kind == "Person" and self.version < GENDER_IN_WORDS and values.get("gender") in ("Male", "Female"):
            values["gender"] = values["gender"][0]
        if row.kind == "Address" and self.version < STREET_IN_LINES:
            lines = [values.pop(name, None) for name in ("street_line_1", "street_line_2")]
            older = {name: value for name, value in values.items() if name not in ("country_code", "country_name")}
            return dict(sorted((older | {"street": "\n".join(filter(None, lines)) or None}).items()))
        return values

    def _relationships(self, row: Row, resource: Resource) -> list[tuple[str, Relationship]]:
        shown = [(name, one) for name, one in resource.relationships.items() if not one.write_only and not one.many]
        if row.kind == "Person" and GENDER_IN_WORDS <= self.version < NO_GENDER_RELATIONSHIP:
            shown.append(("gender", Relationship("Gender")))
        return shown

    def _reference(self, row: Row, name: str, relationship: Relationship) -> Document | None:
        number = self._pointer(row, name)
        return None if number is None else {"type": relationship.type, "id": str(number)}

    # What stands below a thing

    def edge(self, row: Row, name: str) -> list[Row]:
        """The rows at the other end of an edge, as `include` brings them."""
        edge = EDGES[row.kind][name]
        if edge.by == "person":
            return self.store.of_person(edge.kind, row.id)
        if edge.by == "parent":
            return self.store.below(edge.kind, row.id)
        if edge.by == "members":
            return [self._found("Person", membership.person) for membership in self.store.below("HouseholdMembership", row.id)]
        if edge.by == "households":
            return [self._found("Household", membership.parent) for membership in self.store.of_person("HouseholdMembership", row.id)]
        if edge.by == "tab":
            return [
                option
                for definition in self.store.below("FieldDefinition", row.id)
                for option in self.store.below("FieldOption", definition.id)
            ]
        return self._to_one(row, edge)

    def _to_one(self, row: Row, edge: Edge) -> list[Row]:
        number = self._target(row, edge)
        found = None if number is None else self.store.get(edge.kind, row.organization, number)
        return [found] if found else []

    def _target(self, row: Row, edge: Edge) -> int | None:
        if edge.by == "organization":
            return row.organization
        if edge.by == "person of":
            return row.person
        if edge.by == "tab of":
            definition = self.store.get("FieldDefinition", row.organization, row.parent or 0)
            return definition.parent if definition else None
        if edge.by == "field_option":
            options = self.store.below("FieldOption", row.parent or 0)
            return next((option.id for option in options if option["value"] == row["value"]), None)
        return row.parent if edge.by == "parent of" else row.relations.get(edge.by)

    def _found(self, kind: str, number: int | None) -> Row:
        row = self.store.get(kind, self.organization, number or 0)
        if row is None:
            raise LookupError(f"a membership names a {kind} that is not there: {number}")
        return row

    def _linkage(self, row: Row, name: str) -> Any:
        found = [{"type": one.kind, "id": str(one.id)} for one in self.edge(row, name)]
        return found if EDGES[row.kind][name].many else (found[0] if found else None)

    def _included(self, rows: list[Row], names: list[str]) -> list[Document]:
        found = {(one.kind, one.id): one for row in rows for name in names for one in self.edge(row, name)}
        return [self.resource(one, FACTS[one.kind]) | {"links": self._few_links(one)} for one in found.values()]

    # Links

    def address(self, row: Row) -> str:
        return f"{self.origin}{self.path(row)}"

    def path(self, row: Row) -> str:
        """The address of a row without the host: at the top where the kind has one, else below its parent."""
        resource = FACTS[row.kind]
        if row.kind == "Organization":
            return "/people/v2"
        if resource.path in TOP and TOP[resource.path].type == row.kind:
            return f"/people/v2/{resource.path}/{row.id}"
        above = {"WorkflowCard": f"/people/v2/people/{row.person}/workflow_cards"}
        return f"{above.get(row.kind) or self._below_parent(resource, row)}/{row.id}"

    def _below_parent(self, resource: Resource, row: Row) -> str:
        parent = resource.parent.path if resource.parent else ""
        return f"/people/v2/{parent}/{row.parent}/{resource.path}"

    def _few_links(self, row: Row) -> Document:
        links = {"self": self.address(row)}
        return links | {"html": f"{self.origin}/people/AC{row.id}"} if row.kind == "Person" else links

    def _all_links(self, row: Row) -> Document:
        edges = EDGES.get(row.kind, {})
        return {name: self._edge_link(row, name, edge) for name, edge in sorted(edges.items())} | self._few_links(row)

    def _edge_link(self, row: Row, name: str, edge: Edge) -> str | None:
        if edge.many or edge.by == "organization":
            return f"{self.address(row)}/{name}"
        found = self._to_one(row, edge)
        return self.address(found[0]) if found else None


def is_shown(name: str, attribute: Attribute, asked: set[str] | None) -> bool:
    if attribute.write_only:
        return False
    return name in asked if asked is not None else not attribute.on_request


def initials(row: Row) -> str:
    letters = "".join(str(row[name] or "")[:1] for name in ("first_name", "last_name")).upper()
    return f"https://avatars.planningcenteronline.com/uploads/initials/{letters or 'NA'}.png"


def parent_of(row: Row) -> Document:
    return {"id": str(row.id), "type": row.kind}


def is_below(kind: str, name: str) -> Resource | None:
    """The resource listed at `<kind>/<id>/<name>`: as the catalogue has it there, else as it is elsewhere; None for an unknown edge."""
    edge = EDGES.get(kind, {}).get(name)
    return BELOW.get((kind, name)) or (FACTS.get(edge.kind) if edge else None)
