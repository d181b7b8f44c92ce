"""How something is written: what a body may say, what is kept, and what follows. The rules of each kind are elsewhere.

Each rule's sureness and source stand in the project's notes on Planning Center; where those are silent the stricter answer was taken.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectcard.planning_center.resources import Resource
from connectcard.simulator import search
from connectcard.simulator.answers import (
    Refusal,
    bad_request,
    cannot_be_assigned,
    invalid,
    invalid_payload,
    no_such_resource,
    not_found,
)
from connectcard.simulator.callers import Caller
from connectcard.simulator.catalogue import PARENTS, POINTERS, kept_as
from connectcard.simulator.moments import read_date, read_moment, stamp
from connectcard.simulator.questions import whole_number
from connectcard.simulator.store import Row, Store

BIGGEST_INTEGER = 2**31 - 1
FALSE_WORDS = ("", "0", "f", "false", "off", "no")


@dataclass(frozen=True)
class Happening:
    """Something that webhooks tell of: `created`, `updated` or `destroyed`."""

    action: str
    row: Row


@dataclass
class Desk:
    """Where one write is dealt with: the organization, who asks, when, and what has happened so far."""

    store: Store
    caller: Caller
    seconds: float
    version: str
    happened: list["Happening"] = field(default_factory=list)
    replication_lag: float = 0

    @property
    def organization(self) -> int:
        return self.caller.organization

    @property
    def now(self) -> str:
        return stamp(self.seconds)

    def find(self, kind: str, number: int | None) -> Row | None:
        return None if number is None else self.store.get(kind, self.organization, number)

    def save(self, row: Row) -> None:
        """Keep a new or changed row and let the searches know of it."""
        row.updated_at = self.now
        self.happened.append(Happening("updated" if row.id else "created", row))
        if row.id:
            self.store.change(row)
        else:
            row.created_at = row.created_at or self.now
            self.store.add(row)
        search.remember(self.store, row, self.seconds)

    def touch(self, person: int | None) -> None:
        row = self.find("Person", person)
        if row:
            row.updated_at = self.now
            self.store.change(row)

    def siblings(self, row: Row) -> list[Row]:
        """The other rows of this kind about the same person."""
        return [other for other in self.store.of_person(row.kind, row.person or 0) if other.id != row.id]


# What a body may say


@dataclass(frozen=True)
class Body:
    attributes: Mapping[str, Any]
    relationships: Mapping[str, Any]

    @classmethod
    def read(cls, document: Any) -> "Body":
        if not isinstance(document, dict) or "data" not in document:
            raise bad_request("invalid_resource_payload", "The payload given does not contain a 'data' key.")
        if not isinstance(document["data"], dict):
            raise bad_request("invalid_data")
        attributes, relationships = (document["data"].get(name) or {} for name in ("attributes", "relationships"))
        if not isinstance(attributes, dict) or not isinstance(relationships, dict):
            raise invalid_payload("attributes" if not isinstance(attributes, dict) else "relationships")
        return cls(attributes, relationships)


def assign(desk: Desk, resource: Resource, row: Row, body: Body) -> None:
    """Write a body into a row; raises a refusal for what cannot be assigned."""
    known = assignable_attributes(resource, desk.caller, new=not row.id)
    refused = [name for name in body.attributes if name not in known]
    refused += [relationship_word(name, value) for name, value in body.relationships.items() if not can_relate(resource, name)]
    if refused:
        raise cannot_be_assigned(refused)
    for name, value in body.attributes.items():
        assign_attribute(desk, resource, row, name, value)
    for name, value in body.relationships.items():
        if not resource.relationships[name].many:
            point(desk, resource, row, name, related_id(name, value))


def assignable_attributes(resource: Resource, caller: Caller, *, new: bool) -> set[str]:
    """What decides who may do what is for administrators of the organization."""
    known = {name for name, attribute in resource.attributes.items() if attribute.assignable and (new or not attribute.create_only)}
    administrator = bool(caller.person["site_administrator"])
    return known | {name for name, attribute in resource.attributes.items() if attribute.withheld and administrator}


def can_relate(resource: Resource, name: str) -> bool:
    return name in resource.relationships and resource.relationships[name].assignable


def relationship_word(name: str, value: Any) -> str:
    return f"{name}_ids" if isinstance(value, dict) and isinstance(value.get("data"), list) else name


def assign_attribute(desk: Desk, resource: Resource, row: Row, name: str, value: Any) -> None:
    pointer = name.removesuffix("_id")
    if name.endswith("_id") and (pointer in POINTERS or pointer in resource.relationships):
        return point(desk, resource, row, pointer, value)
    if name == "street":
        first, _, rest = str(value or "").partition("\n")
        row.attributes |= {"street_line_1": first or None, "street_line_2": rest or None}
        return None
    if name == "tag_ids":
        row.attributes[name] = ids_of(desk, "groups.Tag", name, value)
        return None
    if name == "created_at":
        row.created_at = read_moment(str(value)) or row.created_at
        return None
    row.attributes[name] = cast(resource.attributes[name].kind, name, value)
    return None


def ids_of(desk: Desk, kind: str, name: str, sent: Any) -> list[int]:
    """A list of ids (or a text with commas) of things that are there."""
    words = sent.split(",") if isinstance(sent, str) else sent
    if not isinstance(words, list):
        raise invalid_payload(name)
    numbers = [whole_number(word) for word in words]
    if not all(desk.find(kind, number) for number in numbers):
        raise no_such_resource(name)
    return [number for number in dict.fromkeys(numbers) if number is not None]


def related_id(name: str, value: Any) -> Any:
    """The id inside `{"data": {"type": ..., "id": ...}}`, None for `{"data": null}`."""
    if not isinstance(value, dict) or "data" not in value:
        raise invalid_payload(name)
    if value["data"] is None:
        return None
    if not isinstance(value["data"], dict):
        raise invalid_payload(name)
    return value["data"].get("id")


def target_kind(resource: Resource, name: str) -> str:
    return POINTERS.get(name) or kept_as(resource.product, resource.relationships[name].type)


def point(desk: Desk, resource: Resource, row: Row, name: str, value: Any) -> None:
    """Let a row name another row; an id that is nobody's is refused."""
    target = None if value in (None, "") else desk.find(target_kind(resource, name), whole_number(value))
    if target is None and value not in (None, ""):
        raise not_found() if name == "note_category" else no_such_resource(f"{name}_id")
    number = target.id if target else None
    if name == "gender":
        row.attributes["gender"] = target["value"] if target else None
    elif name == "person":
        row.person = number
    elif PARENTS.get(row.kind) == name:
        row.parent = number
    elif number is None:
        row.relations.pop(name, None)
    else:
        row.relations[name] = number


def cast(kind: str, name: str, value: Any) -> Any:
    """A value as its column holds it; what cannot be read becomes null, as in Planning Center, but lists and objects are refused."""
    if kind == "list" and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    if isinstance(value, list | dict):
        raise invalid_payload(name)
    if value is None:
        return None
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).strip().lower() not in FALSE_WORDS
    if kind == "integer":
        return cast_integer(value)
    text = written(value)
    if "\0" in text:
        raise bad_request("invalid_data")
    return {"date": read_date, "moment": read_moment}.get(kind, str)(text)


def written(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def cast_integer(value: Any) -> int | None:
    """Text is cut to its leading digits; what a column of four bytes cannot hold is refused."""
    if isinstance(value, float) and not math.isfinite(value):
        raise bad_request("integer_out_of_range")
    found = re.match(r"\s*[-+]?\d+", str(value if not isinstance(value, bool | float) else int(value)), re.ASCII)
    if found and (len(found[0].strip()) > 11 or abs(int(found[0])) > BIGGEST_INTEGER):
        raise bad_request("integer_out_of_range")
    return int(found[0]) if found else None


# Kind by kind: what is checked before a row is kept, and what happens then


def require(row: Row, *names: str) -> None:
    missing = [name for name in names if not str(row[name] or "").strip()]
    if missing:
        refusal = invalid(row.kind, missing[0])
        raise Refusal(422, [error for name in missing for error in invalid(row.kind, name).errors], refusal.headers)


Rule = Callable[[Desk, Row], None]


def nothing_more(desk: Desk, row: Row) -> None:
    """Most kinds have no rule of their own."""


# By kind; `behaviour.py` fills them in.
CHECKS: dict[str, Rule] = {}
SETTLED_NEW: dict[str, Rule] = {}
SETTLED: dict[str, Rule] = {}
REMOVED: dict[str, Rule] = {}


def kept(desk: Desk, row: Row) -> Row:
    keep(desk, row)
    return row


def keep(desk: Desk, row: Row) -> None:
    """Check a new or changed row, keep it, and let its side effects happen."""
    settled = SETTLED if row.id else SETTLED_NEW
    CHECKS.get(row.kind, nothing_more)(desk, row)
    desk.save(row)
    settled.get(row.kind, nothing_more)(desk, row)


def remove(desk: Desk, row: Row) -> None:
    """Take a row away. A custom field only gets its `deleted_at`; a person leaves the households first."""
    if row.kind == "FieldDefinition":
        row.attributes["deleted_at"] = desk.now
        desk.save(row)
        return
    if row.kind == "Tab" and any(not field["deleted_at"] for field in desk.store.below("FieldDefinition", row.id)):
        raise bad_request("delete_restriction")
    if row.kind == "Person":
        for membership in desk.store.of_person("HouseholdMembership", row.id):
            remove(desk, membership)
    desk.store.remove(row)
    desk.happened.append(Happening("destroyed", row))
    REMOVED.get(row.kind, nothing_more)(desk, row)
