"""What a query string asks for. Names that are not known are passed over in silence, as Planning Center does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote_plus

from werkzeug.datastructures import MultiDict

from connectcard.planning_center.resources import Resource
from connectcard.simulator.catalogue import OTHERWISE, column, is_pointer, kind_of
from connectcard.simulator.moments import read_date, read_moment
from connectcard.simulator.store import Condition, fold

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
MOST_ROWS = 100
USUAL_ROWS = 25
NOTHING = Condition("0")
Arguments = MultiDict[str, str]


@dataclass(frozen=True)
class Paging:
    per_page: int
    offset: int


def paging(arguments: Arguments) -> Paging:
    """Nonsense is tolerated: `per_page` stays between 1 and 100, `offset` is not negative."""
    per_page = whole_number(arguments.get("per_page", ""))
    offset = whole_number(arguments.get("offset", "")) or 0
    return Paging(min(MOST_ROWS, max(1, USUAL_ROWS if per_page is None else per_page)), max(0, offset))


def whole_number(text: object) -> int | None:
    """The leading digits of a text as a number (`12ab` is 12), None where there are none; at most 18 digits."""
    found = re.match(r"\s*(-?[0-9]{1,18})(?![0-9])", str(text))
    return int(found[1]) if found else None


def includes(resource: Resource, arguments: Arguments) -> list[str]:
    wanted = ",".join(arguments.getlist("include")).split(",")
    return list(dict.fromkeys(name for name in wanted if name in resource.includes))


def fields(arguments: Arguments) -> dict[str, set[str]]:
    """The attributes asked for, by type: `fields[Person]=first_name,last_name`."""
    asked = ((re.fullmatch(r"fields\[(\w+)\]", key), values) for key, values in arguments.lists())
    return {found[1]: set(",".join(values).split(",")) for found, values in asked if found}


def searches(resource: Resource, arguments: Arguments) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in wheres(resource, arguments) if name.startswith("search_")]


def wheres(resource: Resource, arguments: Arguments) -> Iterator[tuple[str, str, str]]:
    """(name, comparison or "", value) of every `where` that the resource knows."""
    for key, value in arguments.items(multi=True):
        found = re.fullmatch(r"where\[(\w+)\](?:\[(\w+)\])?", key)
        if found and found[1] in resource.wheres and (found[2] or "gt") in COMPARISONS:
            yield found[1], found[2] or "", value


def conditions(resource: Resource, arguments: Arguments) -> list[Condition]:
    known = [one for one in wheres(resource, arguments) if not one[0].startswith("search_") and one[0] != "archive_status"]
    return [condition(resource, *one) for one in known] + list(nested_conditions(resource, arguments))


def nested_conditions(resource: Resource, arguments: Arguments) -> Iterator[Condition]:
    """`where[event][visible_in_church_center]=true`: what the thing above must be."""
    for key, value in arguments.items(multi=True):
        found = re.fullmatch(r"where\[(\w+)\]\[(\w+)\]", key)
        above = resource.wheres_above.get(found[1]) if found else None
        if above and found and found[2] in above.wheres and not found[2].startswith("search_"):
            inner = condition(above, found[2], "", value)
            key_of_above = column(kind_of(resource), f"{found[1]}_id")
            yield Condition(f"{key_of_above} in (select record.id from record where {inner.sql})", inner.values)  # noqa: S608


def condition(resource: Resource, name: str, comparison: str, value: str) -> Condition:
    kind, kept = resource.where_kind(name), kind_of(resource)
    where = column(kept, name)
    operator = COMPARISONS.get(comparison, "=")
    if kind == "boolean":
        otherwise = int(bool(OTHERWISE.get((kept, name))))
        return Condition(f"coalesce({where}, {otherwise}) = ?", (int(value.strip().lower() in ("true", "1", "t")),))
    if name == "id" or is_pointer(kept, name) or kind in ("integer", "number"):
        number = whole_number(value)
        return NOTHING if number is None else Condition(f"{where} {operator} ?", (number,))
    if kind in ("date", "moment"):
        text = read_date(value) if kind == "date" else read_moment(value)
        return NOTHING if text is None else Condition(f"{where} {operator} ?", (text,))
    return Condition(f"fold({where}) {operator} ?", (fold(value),))


def order(resource: Resource, arguments: Arguments, otherwise: str = "record.id") -> str:
    """The SQL order: known names in the order asked for, then by id."""
    parts = [ordering(resource, name.strip()) for name in arguments.get("order", "").split(",")]
    known = [part for part in parts if part]
    return ", ".join([*known, "record.id"]) if known else otherwise


def ordering(resource: Resource, name: str) -> str | None:
    direction: Literal["desc", "asc"] = "desc" if name.startswith("-") else "asc"
    name = name.removeprefix("-")
    if name not in resource.orders or resource.where_kind(name) in ("object", "list"):
        return None
    where = column(kind_of(resource), name)
    text = resource.where_kind(name) == "string" and name != "id"
    return f"{'fold(' + where + ')' if text else where} {direction}"


def link_query(arguments: Arguments, offset: int | None = None) -> str:
    """Parameters as Planning Center writes them in links: sorted, brackets bare, comma and space encoded."""
    pairs = [pair for pair in arguments.items(multi=True) if offset is None or pair[0] != "offset"]
    pairs += [] if offset is None else [("offset", str(offset))]
    written = sorted(f"{quote_plus(key, safe='[]')}={quote_plus(value)}" for key, value in pairs)
    return "?" + "&".join(written) if written else ""
