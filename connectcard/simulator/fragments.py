"""Rows as they were written before, for as long as nothing in them has changed: pages of hundreds of rows are mostly the same ones.

Nothing has to be told that a row changed: a fragment is good for exactly what was read from the store when it was written.
"""

import json
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from connectcard.simulator.store import Row

MOST_KEPT = 30_000
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Fragment:
    """One row as JSON, with room for what is linked to it: what stands before its relationships, those, and what stands after them."""

    read: tuple[Any, ...]
    before: str
    relationships: str
    after: str
    address: str

    def with_links(self, linkages: Iterable[tuple[str, str]]) -> str:
        """The whole row; `linkages` are the names of includes and what they point at, as JSON."""
        parts = [self.relationships] if self.relationships else []
        parts += [f'"{name}":{{"links":{{"related":"{self.address}/{name}"}},"data":{data}}}' for name, data in linkages]
        related = f',"relationships":{{{",".join(parts)}}}' if parts else ""
        return f"{self.before}{related}{self.after}"


def fragment_of(read: tuple[Any, ...], written: dict[str, Any]) -> Fragment:
    """A row as a list shows it (type, id, attributes, relationships, links), taken apart."""
    head = encode({name: written[name] for name in ("type", "id", "attributes")})
    return Fragment(
        read,
        head[:-1],
        encode(written.get("relationships", {}))[1:-1],
        f',"links":{encode(written["links"])}}}',
        encode(written["links"].get("self", ""))[1:-1],
    )


class Fragments:
    """What was written, of any church. `shape` is everything besides the row that decides how it is written."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Hashable, int], Fragment] = {}

    def of(self, shape: Hashable, row: Row, write: Callable[[Row], dict[str, Any]]) -> Fragment:
        kept = self._kept.get((shape, row.id))
        if kept is None or kept.read != row.read:
            kept = fragment_of(row.read, write(row))
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[shape, row.id] = kept
        return kept
