"""How Planning Center's resources are described: values only, nothing that is evaluated.

A description is said once and used by the client (paths, version, what may be asked), by the simulator (routes, shapes) and by
the contract tests. What has a decision in it is a function with a name somewhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

STRING, INTEGER, NUMBER, BOOLEAN, DATE, MOMENT, OBJECT, LIST = "string", "integer", "number", "boolean", "date", "moment", "object", "list"
KINDS = frozenset({STRING, INTEGER, NUMBER, BOOLEAN, DATE, MOMENT, OBJECT, LIST})
COMPARISONS = ("gt", "gte", "lt", "lte")

READ = ("list", "get")
WRITE = ("list", "get", "create", "update", "delete")


ParentId = str | Sequence[str] | None


@dataclass(frozen=True)
class Attribute:
    """One attribute: its kind, whether it can be written, and where it is not simply there.

    `write_only`: accepted in a body, never in an answer. `create_only`: accepted when the thing is made, never afterwards.
    `on_request`: answered only when asked for with `fields[...]`. `withheld`: Planning Center takes it from administrators, and we
    never send it, since it decides who may do what.
    """

    kind: str
    assignable: bool = False
    write_only: bool = False
    create_only: bool = False
    on_request: bool = False
    withheld: bool = False


@dataclass(frozen=True)
class Relationship:
    """One relationship: the type at its other end, whether it holds several, whether it can be written and is answered."""

    type: str
    many: bool = False
    assignable: bool = False
    write_only: bool = False


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind of thing in a Planning Center product.

    `path` is the last part of its address: below `/<product>/v2`, or below one `parent`. Most resources have both addresses;
    `nested_only` ones have only the one below their parent. A `singleton` has no id in its address. `includes` maps the name to
    the type that comes back. `actions` maps each action to the attributes it takes. `orders` and `filters` are the names that
    `order=` and `filter=` take, `wheres` those of `where[]`; `filter_values` maps a filter that needs values to their parameter.
    `wheres_above` are the names of `where[<what it belongs to>][]`: what that must be.
    """

    type: str
    product: str
    version: str
    path: str
    parent: "Resource | None" = None
    nested_only: bool = False
    singleton: bool = False
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)
    verbs: tuple[str, ...] = READ
    actions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wheres: tuple[str, ...] = ()
    wheres_above: Mapping[str, "Resource"] = field(default_factory=dict)
    orders: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    filter_values: Mapping[str, str] = field(default_factory=dict)

    def where_kind(self, name: str) -> str:
        """The kind of a `where[]` name; the searches and ids that are no attributes are compared as text."""
        attribute = self.attributes.get(name)
        return attribute.kind if attribute else STRING

    def collection_path(self, parent_id: ParentId = None) -> str:
        """`/people/v2/emails`, or `/people/v2/people/7/emails` when the parent's id is given.

        Where the parent stands below another parent, `parent_id` holds both ids, the outer one first.
        """
        ids = (parent_id,) if isinstance(parent_id, str) else tuple(parent_id or ())
        if ids and self.parent is None:
            raise ValueError(f"{self.type} has no parent to look under")
        if not ids and self.nested_only:
            raise ValueError(f"{self.type} is reached below one {self.parent.type if self.parent else 'parent'} only: give parent_id")
        above = self.parent.address_of(ids[-1], ids[:-1]) if self.parent and ids else f"/{self.product}/v2"
        return f"{above}/{self.path}" if self.path else above

    def member_path(self, remote_id: str | None = None, parent_id: ParentId = None) -> str:
        """`/people/v2/emails/3`; a singleton's own address."""
        return self.collection_path(parent_id) if self.singleton else self.address_of(remote_id, parent_id)

    def address_of(self, remote_id: str | None, parent_id: ParentId = None) -> str:
        """The address of the one with this id, as things below it have it, those below a singleton too."""
        if not remote_id:
            raise ValueError(f"{self.type} is asked for without an id")
        # Dots as well: "." and ".." would climb out of the collection.
        return f"{self.collection_path(parent_id)}/{quote(remote_id, safe='').replace('.', '%2E')}"


def below(parent: Resource, resource: Resource, path: str | None = None, **changes: Any) -> Resource:
    """The same kind of thing in a list below one parent, which has verbs, actions and filters of its own."""
    listed = {"verbs": ("list",), "actions": {}, "filters": (), "filter_values": {}} | changes
    return replace(resource, parent=parent, path=path or resource.path, nested_only=True, **listed)


def the_one_below(parent: Resource, resource: Resource, path: str) -> Resource:
    """The one thing of this kind that belongs to a parent: `/groups/{id}/location`."""
    return below(parent, resource, path, singleton=True, verbs=("get",), wheres=(), orders=())


def readable(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are only read."""
    return {name: Attribute(kind) for name in names}


def assignable(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are read and written."""
    return {name: Attribute(kind, assignable=True) for name in names}


def write_only(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are written and never answered."""
    return {name: Attribute(kind, assignable=True, write_only=True) for name in names}


def create_only(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are read, and written only when the thing is made."""
    return {name: Attribute(kind, assignable=True, create_only=True) for name in names}


def write_only_on_create(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are written only when the thing is made, and never answered."""
    return {name: Attribute(kind, assignable=True, write_only=True, create_only=True) for name in names}


def withheld(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are read, and that only others write."""
    return {name: Attribute(kind, withheld=True) for name in names}


def on_request(kind: str, *names: str) -> dict[str, Attribute]:
    """Attributes that are answered only when asked for by name."""
    return {name: Attribute(kind, on_request=True) for name in names}
