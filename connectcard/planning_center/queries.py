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
Where = Mapping[str, Any]


def query(
    resource: Resource,
    *,
    where: Where | None = None,
    order: str | None = None,
    include: Sequence[str] = (),
    filter_: str | None = None,
) -> list[tuple[str, str]]:
    """The query of a read. Raises NotDeclared, naming what was probably meant."""
    pairs = [pair for name, value in (where or {}).items() for pair in _where(resource, name, value)]
    if order is not None:
        _declared(resource, "order", order.removeprefix("-"), resource.orders)
        pairs.append(("order", order))
    for name in include:
        _declared(resource, "include", name, resource.includes)
    if include:
        pairs.append(("include", ",".join(include)))
    if filter_ is not None:
        _declared(resource, "filter", filter_, resource.filters)
        pairs.append(("filter", filter_))
    return pairs


def paging(per_page: int, offset: int) -> list[tuple[str, str]]:
    """`per_page` from 1 to 100; an offset of 0 is left out."""
    if not 1 <= per_page <= MOST_PER_PAGE or offset < 0:
        raise NotDeclared(f"per_page={per_page}, offset={offset}: a page holds 1 to {MOST_PER_PAGE} records and begins at 0 or later")
    return [("per_page", str(per_page))] + ([("offset", str(offset))] if offset else [])


def check_verb(resource: Resource, verb: str) -> None:
    _declared(resource, "verb", verb, resource.verbs)


def check_action(resource: Resource, action: str) -> None:
    _declared(resource, "action", action, resource.actions)


def check_body(resource: Resource, attributes: Mapping[str, Any], relationships: Mapping[str, Any]) -> None:
    """Whether everything in a body can be written. Raises NotDeclared."""
    assignable = [name for name, attribute in resource.attributes.items() if attribute.assignable]
    for name in attributes:
        _declared(resource, "assignable attribute", name, assignable)
    related = [name for name, relationship in resource.relationships.items() if relationship.assignable]
    for name in relationships:
        _declared(resource, "assignable relationship", name, related)


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
