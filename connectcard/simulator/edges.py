"""What stands below a thing, and how it is found.

Most edges follow from the catalogue: a resource with an address below another, an include that is a relationship. Those that do not
stand in `catalogue.EDGES`.
"""

from dataclasses import dataclass

from connectcard.planning_center.resources import Resource

BY_COLUMN = {"person": "record.person", "parent": "record.parent", "only": "record.parent"}
MANY = frozenset({"person", "parent", "naming", "members", "holders", "listed", "listing", "fellows", "beside", "tab"})


@dataclass(frozen=True)
class Edge:
    """The kind at the other end, and how it is found.

    Several: `person`, `parent` (rows whose column names this thing), `naming` (rows whose relation `via` names it), `members` and
    `holders` (the people, or the things, at the other side of rows of kind `via`), `listed` (the rows whose ids this thing's
    attribute `via` lists), `listing` (the rows whose attribute `via` lists this thing), `fellows` (the rows below what this thing is
    below) and `beside` (the rows below what a person has a row of kind `via` below).
    One: `organization`, `person of` (whom this row is about), `parent of`, `only` (the one row that is below this thing), `mine` (the
    caller's own row below it), or the name of a relation of this row.
    """

    kind: str
    by: str
    via: str = ""

    @property
    def many(self) -> bool:
        return self.by in MANY

    def source(self) -> tuple[str, str]:
        """For an edge to what rows can be searched for: the SQL of the tables, and of the id of the thing that an other end belongs to."""
        if self.by in BY_COLUMN:
            return "record", BY_COLUMN[self.by]
        if self.by == "naming":
            return "record", f"json_extract(record.relations, '$.{self.via}')"
        if self.by == "members":
            return f"record link join record on record.id = link.person and link.kind = '{self.via}'", "link.parent"
        if self.by == "holders":
            return f"record link join record on record.id = link.parent and link.kind = '{self.via}'", "link.person"
        if self.by == "tab":
            return "record link join record on record.parent = link.id and link.kind = 'FieldDefinition'", "link.parent"
        if self.by == "fellows":
            return "record link join record on record.parent = link.parent", "link.id"
        if self.by == "beside":
            return f"record link join record on record.parent = link.parent and link.kind = '{self.via}'", "link.person"
        if self.by == "listed":
            return f"record owner, json_each(owner.attributes, '$.{self.via}') link join record on record.id = link.value", "owner.id"
        return f"record, json_each(record.attributes, '$.{self.via}') link", "link.value"


def below(child: Resource, child_kind: str, parent_kind: str, parents: dict[str, str], kinds: dict[str, str]) -> Edge:
    """The edge from a thing to a collection with an address below it; `kinds`: of the child's relationships, by name."""
    if parent_kind == "Person" and "person" in child.relationships:
        return Edge(child_kind, "person")
    naming = [name for name, kind in kinds.items() if kind == parent_kind]
    if not naming or parents.get(child_kind) in naming:
        return Edge(child_kind, "parent")
    return Edge(child_kind, "naming", naming[0])


def included(resource: Resource, kind: str, name: str, target: str, parents: dict[str, str]) -> Edge:
    """The edge of an include that has no address below the thing."""
    relationship = resource.relationships.get(name)
    if relationship and relationship.many:
        return Edge(target, "listed", f"{name}_ids")
    if parents.get(kind) == name:
        return Edge(target, "parent of")
    return Edge(target, "person of" if name == "person" else name)


def the_one_below(parent: Resource, kind: str, child: Resource, child_kind: str, parents: dict[str, str]) -> Edge:
    """The edge to the one thing of a kind that has its address below another: over a relationship, else by standing below it."""
    if child_kind in parents and child.path not in parent.relationships:
        return Edge(child_kind, "only")
    return included(parent, kind, child.path, child_kind, parents)
