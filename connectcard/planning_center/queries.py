"""What may be asked of a resource, checked against the catalogue before anything is sent.

Planning Center ignores a `where` or `include` that it does not know and answers with the whole church: a typing mistake must not
look like an answer.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from connectcard.planning_center.errors import NotDeclared
from connectcard.planning_center.resources._core import COMPARISONS, DATE, MOMENT, Resource

MOST_PER_PAGE = 100
# Attributes by which a long list can be read window by window, the steadier one first.
KEYS = ("created_at", "updated_at")

Where = Mapping[str, Any]
# "published", ("canceled", "upcoming"), or with the values a filter takes: {"group_type": ("1", "2")}
Filter = str | Sequence[str] | Mapping[str, Any]


def query(
    resource: Resource,
    *,
    where: Where | None = None,
    order: str | None = None,
    include: Sequence[str] = (),
    filter_: Filter | None = None,
    fields: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """The query of a read. Raises NotDeclared, naming what was probably meant."""
    pairs = [pair for name, value in (where or {}).items() for pair in _wheres(resource, name, value)]
    if order is not None:
        _declared(resource, "order", order.removeprefix("-"), resource.orders)
        pairs.append(("order", order))
    pairs += _names(resource, "include", include, resource.includes)
    pairs += _filters(resource, filter_) if filter_ is not None else []
    return pairs + _names(resource, "attribute", fields, resource.attributes, f"fields[{resource.type}]")


def key_of(resource: Resource, where: Where | None, order: str | None) -> str | None:
    """The attribute by which a list can be read window by window in the wanted order; None where it cannot."""
    able = [name for name in KEYS if name in resource.wheres and name in resource.orders and resource.where_kind(name) == MOMENT]
    wanted = [name for name in able if order in (None, name)]
    key = wanted[0] if wanted else None
    return key if key is None or isinstance((where or {}).get(key, {}), Mapping) else None


def steady_order(resource: Resource) -> str | None:
    """The order in which records change their places least."""
    return "created_at" if "created_at" in resource.orders else None


def since(where: Where | None, key: str, moment: str) -> Where:
    """The same question, from a moment on."""
    asked = where or {}
    return {**asked, key: {**asked.get(key, {}), "gte": moment}}


def paging(per_page: int, offset: int) -> list[tuple[str, str]]:
    """`per_page` from 1 to 100; an offset of 0 is left out."""
    if not 1 <= per_page <= MOST_PER_PAGE or offset < 0:
        raise NotDeclared(f"per_page={per_page}, offset={offset}: a page holds 1 to {MOST_PER_PAGE} records and begins at 0 or later")
    return [("per_page", str(per_page))] + ([("offset", str(offset))] if offset else [])


def check_linked(per_page: int) -> None:
    """Pages that are linked with one another share a record."""
    if not 2 <= per_page <= MOST_PER_PAGE:
        raise NotDeclared(f"per_page={per_page}: a page of a list that is read to its end holds 2 to {MOST_PER_PAGE} records")


def check_verb(resource: Resource, verb: str) -> None:
    _declared(resource, "verb", verb, resource.verbs)


def check_action(resource: Resource, action: str, attributes: Mapping[str, Any]) -> None:
    _declared(resource, "action", action, resource.actions)
    for name in attributes:
        _declared(resource, f"attribute of {action}", name, resource.actions[action])


def check_body(resource: Resource, attributes: Mapping[str, Any], relationships: Mapping[str, Any], *, new: bool) -> None:
    """Whether everything in a body can be written. Raises NotDeclared."""
    assignable = [name for name, one in resource.attributes.items() if one.assignable and (new or not one.create_only)]
    for name in attributes:
        _declared(resource, "assignable attribute", name, assignable)
    related = [name for name, relationship in resource.relationships.items() if relationship.assignable]
    for name in relationships:
        _declared(resource, "assignable relationship", name, related)


def check_included(whole: Resource, part: Resource, attributes: Mapping[str, Any]) -> None:
    """Whether such a part is made together with the whole: it stands below it and cannot be made alone."""
    if part.parent is not whole or "create" in part.verbs:
        raise NotDeclared(f"{whole.type} at /{whole.path} is not made together with {part.type}")
    check_body(part, attributes, {}, new=True)


def _names(
    resource: Resource, what: str, names: Sequence[str], known: Collection[str], parameter: str | None = None
) -> list[tuple[str, str]]:
    for name in names:
        _declared(resource, what, name, known)
    return [(parameter or what, ",".join(names))] if names else []


def _filters(resource: Resource, asked: Filter) -> list[tuple[str, str]]:
    named = asked if isinstance(asked, Mapping) else dict.fromkeys([asked] if isinstance(asked, str) else asked)
    pairs = _names(resource, "filter", list(named), resource.filters)
    for name, values in named.items():
        parameter = resource.filter_values.get(name)
        several = [values] if isinstance(values, str | date) else list(values or ())
        if bool(parameter) != bool(several):
            raise NotDeclared(f"{resource.type}: the filter {name!r} takes {'values' if parameter else 'no values'}")
        if parameter:
            pairs.append((parameter, ",".join(map(_written, several))))
    return pairs


def _wheres(resource: Resource, name: str, value: Any) -> list[tuple[str, str]]:
    """One condition; one on what the thing belongs to is a mapping of its names: `{"event": {"visible_in_church_center": True}}`."""
    above = resource.wheres_above.get(name)
    if above is None or not isinstance(value, Mapping):
        return _where(resource, name, value)
    for inner in value:
        _declared(above, "where", inner, above.wheres)
    return [(f"where[{name}][{inner}]", _written(wanted)) for inner, wanted in value.items()]


def _where(resource: Resource, name: str, value: Any) -> list[tuple[str, str]]:
    _declared(resource, "where", name, resource.wheres)
    if not isinstance(value, Mapping):
        return [(f"where[{name}]", _written(value))]
    if resource.where_kind(name) not in (DATE, MOMENT):
        raise NotDeclared(f"{resource.type}: where[{name}] is compared for equality only")
    for comparison in value:
        _declared(resource, "comparison", comparison, COMPARISONS)
    return [(f"where[{name}][{comparison}]", _written(bound)) for comparison, bound in value.items()]


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int):
        return str(value)
    raise NotDeclared(f"a {type(value).__name__} cannot be asked for")


def _declared(resource: Resource, what: str, name: str, known: Collection[str]) -> None:
    if name in known:
        return
    near = get_close_matches(name, list(known), n=1)
    meant = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known) or 'none'}"
    raise NotDeclared(f"{resource.type} at /{resource.path} has no {what} {name!r}{meant}")
