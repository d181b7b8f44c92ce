"""Rows as Planning Center writes them: attributes, relationships, links, and the documents around them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from werkzeug.datastructures import MultiDict

from connectcard.planning_center.resources import Attribute, Relationship, Resource
from connectcard.simulator import questions
from connectcard.simulator.callers import Caller, may_manage
from connectcard.simulator.catalogue import (
    OTHERWISE,
    PARENTS,
    READ_AS_JSON,
    Product,
    computed_values,
    is_pointer,
    kind_of,
    type_of,
)
from connectcard.simulator.edges import Edge
from connectcard.simulator.fragments import Fragments, encode
from connectcard.simulator.store import Row, Store
from connectcard.simulator.versions import GENDER_IN_WORDS, NO_GENDER_RELATIONSHIP

Document = dict[str, Any]
Linked = Mapping[str, Mapping[int, list[Row]]]
WRITTEN_BEFORE = Fragments()
NAMED_BY_WORDS = frozenset({"groups.GroupType", "webhooks.AvailableEvent"})
NUMBERS_ON_THE_WIRE = ("person_to_keep_id", "person_to_remove_id")


@dataclass
class Writer:
    """Writes the documents of one answer. `origin` is the address that the caller used, without a slash."""

    store: Store
    origin: str
    product: Product
    version: str
    caller: Caller
    arguments: MultiDict[str, str] = field(default_factory=MultiDict)

    def __post_init__(self) -> None:
        self._fields = questions.fields(self.arguments)

    # Documents

    def single(self, resource: Resource, row: Row, *, parent: Document | None = None, links: bool = True) -> Document:
        names = questions.includes(resource, self.arguments)
        linked = self._linked([row], names)
        (written,) = self._resources([row], resource, linked)
        written["links"] = self._all_links(row) if links else self._few_links(row)
        meta: Document = {"can_include": list(resource.includes)} if resource.includes else {}
        if parent:
            meta["parent"] = parent
        return {"data": written, "included": self._included(linked), "meta": meta}

    def listing(self, resource: Resource, path: str, rows: list[Row], total: int, parent: Document) -> str:
        """A page as JSON: its rows come from the fragments that were written before, where they can."""
        page = questions.paging(self.arguments)
        linked = self._linked(rows, questions.includes(resource, self.arguments))
        links, meta = self._page_links(path, page, total), self._meta(resource, page, len(rows), total) | {"parent": parent}
        data, included = self._texts(rows, resource, linked), self._included_texts(linked)
        return f'{{"links":{encode(links)},"data":[{",".join(data)}],"included":[{",".join(included)}],"meta":{encode(meta)}}}'

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

    # Resources

    def _resources(self, rows: Sequence[Row], resource: Resource, linked: Linked) -> list[Document]:
        """Rows of one kind as they stand in a list: with `self` for a link, and `html` for people."""
        shape = shape_of(resource, self.version, self._fields.get(resource.type))
        computed = self.store.computed([row.id for row in rows], shape.computed)
        return [self._resource(row, shape, computed.get(row.id, {}), linked) for row in rows]

    def _resource(self, row: Row, shape: "Shape", computed: Document, linked: Linked) -> Document:
        relationships: Document = {name: {"data": reference(row, name, one)} for name, one in shape.relationships}
        links = self._few_links(row)
        for name, found in linked.items():
            linkage = relationships[name]["data"] if name in relationships else self._linkage(row, name, found.get(row.id, []))
            relationships[name] = {"links": {"related": f"{links['self']}/{name}"}, "data": linkage}
        attributes = shape.attributes(row, computed)
        if shape.word == "Form" and "can_manage" in attributes:
            attributes["can_manage"] = may_manage(self.caller, row)
        written = {"type": shape.word, "id": identity(row), "attributes": attributes}
        # As recorded: what has no relationships does not say so.
        return written | ({"relationships": relationships} if relationships else {}) | {"links": links}

    def _texts(self, rows: Sequence[Row], resource: Resource, linked: Linked) -> Iterable[str]:
        """The same as JSON. What depends on other rows, or on who asks, is written anew each time."""
        shape = shape_of(resource, self.version, self._fields.get(resource.type))
        if shape.computed or shape.word == "Form" or not rows or rows[0].kind not in self.product.top_paths or shape.names & linked.keys():
            return map(encode, self._resources(rows, resource, linked))
        written = [WRITTEN_BEFORE.of((shape, self.origin), row, lambda row: self._resource(row, shape, {}, {})) for row in rows]
        pointing = [(name, self._edge(rows[0], name).many, found) for name, found in linked.items()]
        return (
            one.with_links((name, linkage_text(found.get(row.id, []), many)) for name, many, found in pointing)
            for row, one in zip(rows, written, strict=True)
        )

    def _linkage(self, row: Row, name: str, rows: list[Row]) -> Any:
        found = [{"type": type_of(one.kind), "id": identity(one)} for one in rows]
        return found if self._edge(row, name).many else (found[0] if found else None)

    def _included(self, linked: Linked) -> list[Document]:
        return [written for kind, rows in by_kind(linked) for written in self._resources(rows, self.product.facts[kind], {})]

    def _included_texts(self, linked: Linked) -> Iterable[str]:
        return (text for kind, rows in by_kind(linked) for text in self._texts(rows, self.product.facts[kind], {}))

    # What stands below a thing

    def edge(self, row: Row, name: str) -> list[Row]:
        """The rows at the other end of an edge, as `include` brings them."""
        return self._at_the_end(self._edge(row, name), [row]).get(row.id, [])

    def _edge(self, row: Row, name: str) -> Edge:
        return self.product.edges(row.kind)[name]

    def _linked(self, rows: list[Row], names: Iterable[str]) -> Linked:
        """For each include, what stands at its other end, by the id of the row that it belongs to."""
        return {name: self._at_the_end(self._edge(rows[0], name), rows) for name in names} if rows else {}

    def _at_the_end(self, edge: Edge, rows: Sequence[Row]) -> Mapping[int, list[Row]]:
        if edge.many or edge.by == "only":
            return self.store.linked(edge.kind, edge.source(), [row.id for row in rows])
        targets = {row.id: self._target(row, edge) for row in rows}
        found = self.store.several(edge.kind, self.caller.organization, {target for target in targets.values() if target is not None})
        return {number: [found[target]] for number, target in targets.items() if target in found}

    def _target(self, row: Row, edge: Edge) -> int | None:
        if edge.by == "organization":
            return row.organization
        if edge.by == "person of":
            return row.person
        if edge.by == "mine":
            return next((own.id for own in self.store.of_person(edge.kind, self.caller.person.id) if own.parent == row.id), None)
        if edge.by == "tab of":
            definition = self.store.get("FieldDefinition", row.organization, row.parent or 0)
            return definition.parent if definition else None
        if edge.by == "field_option":
            options = self.store.below("FieldOption", row.parent or 0)
            return next((option.id for option in options if option["value"] == row["value"]), None)
        return row.parent if edge.by == "parent of" else row.relations.get(edge.by)

    # Links

    def address(self, row: Row) -> str:
        return f"{self.origin}{self.path(row)}"

    def path(self, row: Row) -> str:
        """The address of a row without the host: at the top where the kind has one, else below its parent."""
        if top := self.product.top_paths.get(row.kind):
            return f"{top}{identity(row)}"
        if row.kind == "Organization":
            return f"/{self.product.slug}/v2"
        if row.kind == "WorkflowCard":
            return f"/people/v2/people/{row.person}/workflow_cards/{row.id}"
        resource = self.product.facts[row.kind]
        above = f"{self._above(resource, row)}/{resource.path}"
        return above if resource.singleton else f"{above}/{row.id}"

    def _above(self, resource: Resource, row: Row) -> str:
        """The address of what a row without an address of its own stands below."""
        above = resource.parent
        if above is None:
            return f"/{self.product.slug}/v2"
        number = row.person if above.type == "Person" else row.parent
        if not above.nested_only:
            return f"/{self.product.slug}/v2/{above.path}/{number}"
        parent = self.store.get(kind_of(above), row.organization, number or 0)
        return self.path(parent) if parent else f"/{self.product.slug}/v2"

    def _few_links(self, row: Row) -> Document:
        if row.kind == "webhooks.AvailableEvent":
            return {}
        links = {"self": self.address(row)}
        if row.kind == "Person" and self.product.slug == "people":
            links["html"] = f"{self.origin}/people/AC{row.id}"
        return links

    def _all_links(self, row: Row) -> Document:
        """Everything below a row, what can be done with it included."""
        found: Document = {name: self._edge_link(row, name, edge) for name, edge in self.product.edges(row.kind).items()}
        found |= {name: f"{self.address(row)}/{name}" for name in self.product.actions.get(row.kind, ())}
        page = {"html_url": row["public_church_center_web_url"]} if row.kind == "groups.Group" else {}
        return dict(sorted(found.items())) | self._few_links(row) | page

    def _edge_link(self, row: Row, name: str, edge: Edge) -> str | None:
        if edge.many or edge.by == "organization":
            return f"{self.address(row)}/{name}"
        found = self._at_the_end(edge, [row]).get(row.id)
        return self.address(found[0]) if found and edge.kind in self.product.facts else None


def linkage_text(rows: list[Row], many: bool) -> str:
    """What an include points at, as JSON; types and ids need no escaping."""
    found = [f'{{"type":"{type_of(row.kind)}","id":"{identity(row)}"}}' for row in rows]
    return f"[{','.join(found)}]" if many else (found[0] if found else "null")


def by_kind(linked: Linked) -> Iterable[tuple[str, list[Row]]]:
    """Everything that was included, each row once, in the order of the includes."""
    kinds: dict[str, dict[int, Row]] = {}
    for found in linked.values():
        for rows in found.values():
            for row in rows:
                kinds.setdefault(row.kind, {}).setdefault(row.id, row)
    return ((kind, list(rows.values())) for kind, rows in kinds.items())


# One kind of thing as it is written in one version

Reading = Callable[[Row], Any]


@dataclass(frozen=True, eq=False)
class Shape:
    """How rows of a kind are written: prepared once, as pages of hundreds of rows are written by it.

    `plain` are the attributes in their order with what stands in those that nobody has written; `readings` those among them that
    are not simply kept under their own name; `computed` those that come from other rows, by their SQL.
    """

    word: str
    plain: tuple[tuple[str, Any], ...]
    readings: tuple[tuple[str, Reading], ...]
    computed: Mapping[str, str]
    relationships: tuple[tuple[str, Relationship], ...]
    last: Callable[[Document], Document] | None

    @cached_property
    def names(self) -> frozenset[str]:
        """Of the relationships that are always there."""
        return frozenset(name for name, _ in self.relationships)

    def attributes(self, row: Row, computed: Document) -> Document:
        kept = row.attributes
        values = {name: kept.get(name, otherwise) for name, otherwise in self.plain}
        for name, reading in self.readings:
            values[name] = reading(row)
        values.update((name, json.loads(value) if name in READ_AS_JSON else value) for name, value in computed.items())
        return self.last(values) if self.last else values


def shape_of(resource: Resource, version: str, asked: set[str] | None) -> Shape:
    return prepared_shape(resource, version, frozenset(asked) if asked is not None else None)


@lru_cache(maxsize=1024)
def prepared_shape(resource: Resource, version: str, asked: frozenset[str] | None) -> Shape:
    kind = kind_of(resource)
    names = sorted(name for name, attribute in resource.attributes.items() if is_shown(name, attribute, asked))
    readings = ((name, reading(kind, name)) for name in names)
    return Shape(
        resource.type,
        tuple((name, OTHERWISE.get((kind, name))) for name in names),
        tuple((name, one) for name, one in readings if one),
        {name: sql for name, sql in computed_values(resource.product, kind).items() if name in names},
        tuple(relationships(resource, kind, version)),
        of_version(kind, version),
    )


def reading(kind: str, name: str) -> Reading | None:
    """How an attribute is read that is not kept under its own name; None for all others."""
    if name in ("created_at", "updated_at"):
        return lambda row: getattr(row, name)
    if name in ("avatar", "avatar_url", "demographic_avatar_url") and kind == "Person":
        return lambda row: row[name] or initials(row)
    if kind == "PhoneNumber" and name == "formatted_number":
        return lambda row: row["national"] or row["number"]
    if (kind, name) == ("Person", "permission"):
        return lambda row: row["check_ins_permission"]
    if (kind, name) == ("Person", "has_access"):
        return lambda row: bool(row["site_administrator"] or row["calendar_permission"])
    if not is_pointer(kind, name):
        return None
    if name in NUMBERS_ON_THE_WIRE:
        return lambda row: pointer(row, name.removesuffix("_id"))
    return lambda row: text_or_none(pointer(row, name.removesuffix("_id")))


def text_or_none(number: int | None) -> str | None:
    return None if number is None else str(number)


def of_version(kind: str, version: str) -> Callable[[Document], Document] | None:
    return with_gender_as_letter if kind == "Person" and version < GENDER_IN_WORDS else None


def with_gender_as_letter(values: Document) -> Document:
    if values.get("gender") in ("Male", "Female"):
        values["gender"] = values["gender"][0]
    return values


def relationships(resource: Resource, kind: str, version: str) -> Iterable[tuple[str, Relationship]]:
    yield from ((name, one) for name, one in resource.relationships.items() if not one.write_only and not one.many)
    if kind == "Person" and GENDER_IN_WORDS <= version < NO_GENDER_RELATIONSHIP:
        yield "gender", Relationship("Gender")


def reference(row: Row, name: str, relationship: Relationship) -> Document | None:
    number = pointer(row, name)
    return None if number is None else {"type": relationship.type, "id": str(number)}


def pointer(row: Row, name: str) -> int | None:
    if name == "organization":
        return row.organization
    if name in ("person", "customizable"):
        return row.person
    return row.parent if PARENTS.get(row.kind) == name else row.relations.get(name)


def is_shown(name: str, attribute: Attribute, asked: frozenset[str] | None) -> bool:
    if attribute.write_only:
        return False
    return name in asked if asked is not None else not attribute.on_request


def initials(row: Row) -> str:
    letters = "".join(str(row[name] or "")[:1] for name in ("first_name", "last_name")).upper()
    return f"https://avatars.planningcenteronline.com/uploads/initials/{letters or 'NA'}.png"


def identity(row: Row) -> str:
    """Nearly always a number; a few things have words for ids (Groups' type `unique`)."""
    return str((row["id"] if row.kind in NAMED_BY_WORDS else None) or row.id)


def parent_of(row: Row) -> Document:
    return {"id": identity(row), "type": type_of(row.kind)}
