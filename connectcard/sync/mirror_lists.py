"""Lists of what was read of Planning Center: filtered, searched and paged over our own rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.plain_letters import plain_words
from connectcard.sync.mirror_models import RemoteReading, RemoteRecord
from connectcard.sync.mirrors import sealed_values_of
from connectcard.sync.remote_values import mark, name_key_of
from connectcard.sync.remote_views import BY_KEY, PAST, UPCOMING, Narrowing, View

PAGE_ROWS = 50
ANY_TIME = "any"


@dataclass(frozen=True)
class Wish:
    """Which rows somebody wants to see. `chosen` maps a filter to a code; `when` is upcoming, past or any."""

    text: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)
    when: str = ANY_TIME
    page: int = 1


@dataclass(frozen=True)
class Listing:
    """One page of rows, how many there are in all, and how many pages."""

    rows: Sequence[RemoteRecord]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Choice:
    """One filter with what can be chosen in it, as code and words."""

    narrowing: Narrowing
    options: Sequence[tuple[str, str]]


def list_records(view: View, parent_remote_id: str, wish: Wish) -> Listing:
    """The rows of a view that fit a wish; a page beyond the last one is the last one."""
    fitting = [*_of_view(view, parent_remote_id), *_narrowed(view, wish)]
    words = plain_words(wish.text)
    if words and view.sealed:
        return _looked_through(view, fitting, wish)
    fitting += [RemoteRecord.name_key.contains(word, autoescape=True) for word in words]
    total = db.session.scalar(select(func.count(RemoteRecord.id)).where(*fitting)) or 0
    page, pages = _place(wish.page, total)
    rows = db.session.scalars(_ordered(view, wish).where(*fitting).limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS))
    return Listing(list(rows), total, page, pages)


def _looked_through(view: View, fitting: Sequence[ColumnElement[bool]], wish: Wish) -> Listing:
    """Names that are sealed can only be looked through one by one; how many there may be is bounded."""
    rows = [row for row in db.session.scalars(_ordered(view, wish).where(*fitting)) if _is_named(view, row, wish.text)]
    page, pages = _place(wish.page, len(rows))
    return Listing(rows[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], len(rows), page, pages)


def _is_named(view: View, row: RemoteRecord, text: str) -> bool:
    values = sealed_values_of(row)
    name = name_key_of(" ".join(str(values.get(part) or "") for part in view.columns[0].source.split()))
    return all(word in name for word in plain_words(text))


def _place(page: int, total: int) -> tuple[int, int]:
    pages = max(1, ceil(total / PAGE_ROWS))
    return min(max(1, page), pages), pages


def _of_view(view: View, parent_remote_id: str) -> list[ColumnElement[bool]]:
    return [RemoteRecord.view == view.key, RemoteRecord.parent_remote_id == parent_remote_id]


def _narrowed(view: View, wish: Wish) -> list[ColumnElement[bool]]:
    names = {narrowing.name for narrowing in view.narrowings}
    fitting = [
        RemoteRecord.marks.contains(mark(name, code), autoescape=True) for name, code in wish.chosen.items() if code and name in names
    ]
    if view.by_time and wish.when == UPCOMING:
        fitting.append(RemoteRecord.at >= now())
    if view.by_time and wish.when == PAST:
        fitting.append(RemoteRecord.at < now())
    return fitting


def _ordered(view: View, wish: Wish) -> Select[RemoteRecord]:
    newest_first = view.newest_first or (view.by_time and wish.when == PAST)
    at = RemoteRecord.at.desc() if newest_first else RemoteRecord.at.asc()
    return select(RemoteRecord).order_by(*([at] if view.at else []), RemoteRecord.name_key, RemoteRecord.remote_id)


def choices(view: View, reading: RemoteReading | None) -> list[Choice]:
    """The filters of a view in which there is something to choose."""
    found = [Choice(narrowing, _options(narrowing, reading.choices if reading else {})) for narrowing in view.narrowings]
    return [choice for choice in found if choice.options]


def _options(narrowing: Narrowing, read: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    options = read.get(narrowing.name, {})
    if narrowing.of_view:
        names = _names_in(narrowing.of_view)
        options = {code: names.get(code, f"#{code}") for code in options}
    return sorted(options.items(), key=lambda option: option[1].casefold())


def _names_in(key: str) -> dict[str, str]:
    """The names of the rows of another view by their ids."""
    view = BY_KEY[key]
    rows = db.session.scalars(select(RemoteRecord).where(RemoteRecord.view == key, RemoteRecord.parent_remote_id == ""))
    return {row.remote_id: str(row.attributes.get(view.columns[0].source) or row.remote_id) for row in rows}


def values_of(row: RemoteRecord) -> dict[str, Any]:
    """Everything that is kept of a record, the sealed values opened."""
    return {**row.attributes, **sealed_values_of(row)}
