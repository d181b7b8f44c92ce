"""A list as Planning Center pages it, whose rows appear, move and vanish between one request and the next."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock, current_thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
FEWEST_ROWS = 1


@dataclass
class Row:
    id: str
    second: int
    changed: int

    def moment(self, name: str) -> str:
        return written(self.second if name == "created_at" else self.changed)


def written(second: int) -> str:
    return (BEGINNING + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class ChangingList:
    """Answers requests for one list; before each answer the next of `changes` happens.

    `where` and `order` are the names it heeds, as the real one does: others are ignored. Without an order it lists by id.
    """

    where: tuple[str, ...] = ("created_at", "updated_at")
    order: tuple[str, ...] = ("created_at", "updated_at")
    changes: deque[Callable[["ChangingList"], None]] = field(default_factory=deque)
    rows: dict[str, Row] = field(default_factory=dict)
    second: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    ever: set[str] = field(default_factory=set)
    at_the_first_end: frozenset[str] | None = None
    counts_too_many: int = 0
    lock: Lock = field(default_factory=Lock)
    read_by: set[str] = field(default_factory=set)

    def add(self, rows: int = 1, *, seconds: int = 1) -> None:
        """New rows, all of one second."""
        self.second += seconds
        for _ in range(rows):
            row = Row(str(1000 + len(self.ever)), self.second, self.second)
            self.rows[row.id] = row
            self.ever.add(row.id)

    def remove(self, place: int) -> None:
        if len(self.rows) > FEWEST_ROWS:
            del self.rows[sorted(self.rows)[place % len(self.rows)]]

    def touch(self, place: int) -> None:
        if self.rows:
            self.second += 1
            self.rows[sorted(self.rows)[place % len(self.rows)]].changed = self.second

    def answer(self, request: Any, context: Any) -> dict[str, Any]:
        with self.lock:
            if self.changes:
                self.changes.popleft()(self)
            query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
            self.asked.append(query)
            self.read_by.add(current_thread().name)
            context.headers["X-PCO-API-Processed-As-Version"] = request.headers["X-PCO-API-Version"]
            return self._page(query)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        offset, per_page = int(query.get("offset", 0)), int(query.get("per_page", 25))
        matching = self._matching(query)
        end = offset + per_page
        meta: dict[str, Any] = {"total_count": len(matching) + self.counts_too_many}
        if end < len(matching):
            meta["next"] = {"offset": end}
        elif per_page > 1 and self.at_the_first_end is None:
            self.at_the_first_end = frozenset(self.rows)
        return {"links": {}, "data": [_document(row) for row in matching[offset:end]], "included": [], "meta": meta}

    def _matching(self, query: dict[str, str]) -> list[Row]:
        rows: Iterable[Row] = self.rows.values()
        for name in self.where:
            since = query.get(f"where[{name}][gte]", "")
            rows = [row for row in rows if row.moment(name) >= since]
        by = query.get("order")
        return sorted(rows, key=lambda row: (row.moment(by) if by in self.order and by else "", row.id))


def _document(row: Row) -> dict[str, Any]:
    attributes = {"created_at": row.moment("created_at"), "updated_at": row.moment("updated_at")}
    return {"type": "Whatever", "id": row.id, "attributes": attributes, "relationships": {}}
