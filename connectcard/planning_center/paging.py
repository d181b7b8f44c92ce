"""Every record of a list that changes while it is read.

Planning Center pages by offsets. A record that vanishes moves all later ones forward, over the edge of a page and out of sight; one
that appears moves them back. So each page begins with the last record of the page before: where the two share a record, everything
that stood between their ends was seen; where they do not, we step back until they do. Where a list can be ordered and asked for by a
moment that does not change (`created_at`), a new window begins at that moment every 10,000 records, since deep offsets are slow and
counted dearer; its first page needs no link. At the end the records seen are compared with Planning Center's own count.
"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from connectcard.planning_center.documents import Page, Record
from connectcard.planning_center.errors import Unavailable
from connectcard.planning_center.seen import SeenIds

WINDOW_RECORDS = 10_000
PAGES_AHEAD = 8
MOST_SWEEPS = 4
MOST_STEPS_BACK = 200


class Listing(Protocol):
    """One list, and how its pages are read."""

    @property
    def name(self) -> str:
        """Which list, for errors."""

    @property
    def key(self) -> str | None:
        """The attribute that it is ordered by and can be asked for from a moment on; None where there is none."""

    @property
    def steady(self) -> bool:
        """Whether no record changes its place but by others that vanish: a list by `updated_at` has each changed one at its end."""

    def page(self, since: str | None, offset: int) -> Page:
        """The page at `offset` of the records whose key is not before `since`."""

    def page_aside(self, since: str | None, offset: int) -> Page:
        """The same, read by another thread than that of whoever iterates."""

    def waiting(self) -> None:
        """Called by whoever iterates before waiting for a page that is read aside."""

    def count(self) -> int | None:
        """How many records the whole list has."""


@dataclass(frozen=True)
class Position:
    """Where a sweep stands: the window's first moment, the offset of the next page, the ids of the page before it."""

    since: str | None = None
    offset: int = 0
    previous: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"since": self.since, "offset": self.offset, "previous": list(self.previous)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Position":
        return cls(kept["since"], kept["offset"], tuple(kept["previous"]))


@dataclass(frozen=True)
class Step:
    """One page of a sweep: what stands on it, how many records the list has, and where the sweep goes on; None at its end.

    `asked` is when it was asked for, by the monotonic clock: a page that was read ahead may be old when its turn comes.
    """

    records: tuple[Record, ...]
    total_count: int | None
    next: Position | None
    asked: float

    @property
    def left(self) -> int:
        """How many records of the window stand behind this page, where the list says how many it has."""
        return max(0, (self.total_count or 0) - self.next.offset) if self.next else 0


def steps_from(listing: Listing, position: Position) -> Generator[Step, None, None]:
    """The pages of one sweep from where it stands; an earlier one that was broken off goes on so. Records may come twice."""
    with ThreadPoolExecutor(PAGES_AHEAD, thread_name_prefix="pages-ahead") as threads:
        yield from _Sweep(listing, threads).steps(position)


def every_record(listing: Listing) -> Iterator[Record]:
    """Each record once, a page and a few pages ahead in memory at a time, and the ids of those seen.

    Whatever was there from the beginning to the end is given; what appeared or vanished meanwhile may be. Raises Unavailable when
    the list will not hold still, or holds fewer records than it says.
    """
    seen = SeenIds()
    with ThreadPoolExecutor(PAGES_AHEAD, thread_name_prefix="pages-ahead") as threads:
        for _ in range(MOST_SWEEPS):
            before, sweep = len(seen), _Sweep(listing, threads)
            for step in sweep.steps(Position()):
                yield from _fresh(step.records, seen)
            # A search may list somebody twice; then a second look brings nothing new.
            if len(seen) >= sweep.total() or (before == len(seen) and sweep.reached_the_end):
                return
    raise Unavailable(f"{listing.name}: the list changes too fast to be read, or holds fewer records than it says")


def _fresh(records: Iterable[Record], seen: SeenIds) -> Iterator[Record]:
    return (record for record in records if seen.add(record.id))


class _Sweep:
    """One way through the list, from its beginning to its end."""

    def __init__(self, listing: Listing, threads: ThreadPoolExecutor) -> None:
        self._listing = listing
        self._threads = threads
        self._windows = 0
        self._steps_back = 0
        self._said: int | None = None
        self.reached_the_end = False

    def steps(self, position: Position | None) -> Iterator[Step]:
        while position is not None:
            position = yield from self._window(position)

    def total(self) -> int:
        """How many records the list says it has; 0 where it does not say."""
        return (self._said if self._windows == 1 else self._listing.count()) or 0

    def _window(self, position: Position) -> Generator[Step, None, Position | None]:
        """The pages of one window; returns where the next window begins, None at the end of the list."""
        self._windows += 1
        ahead = _PagesAhead(self._listing, position.since, self._threads)
        offset, previous = position.offset, frozenset(position.previous)
        try:
            while True:
                asked, page = ahead.page(offset)
                ids = frozenset(record.id for record in page.records)
                if offset and not ids & previous:
                    offset = self._back(offset, len(previous), ahead)
                    continue
                end = offset + len(page.records)
                if page.next_offset is None:
                    self._arrived(page, end)
                    yield Step(page.records, page.total_count, None, asked)
                    return None
                moment = page.records[-1][self._listing.key] if self._listing.key and page.records else None
                if end >= WINDOW_RECORDS and moment not in (None, position.since):
                    following = Position(str(moment))
                    yield Step(page.records, page.total_count, following, asked)
                    return following
                ahead.ask(end, page)
                offset, previous = max(end - 1, offset + 1), ids
                yield Step(page.records, page.total_count, Position(position.since, offset, tuple(ids)), asked)
        finally:
            ahead.forget()

    def _back(self, offset: int, records: int, ahead: "_PagesAhead") -> int:
        ahead.forget()
        self._steps_back += 1
        if self._steps_back > MOST_STEPS_BACK:
            raise Unavailable(f"{self._listing.name}: the list changes too fast to be read")
        return max(0, offset - max(1, records - 1))

    def _arrived(self, page: Page, end: int) -> None:
        self._said = page.total_count
        self.reached_the_end = page.total_count is None or end >= page.total_count


class _PagesAhead:
    """Pages of one window that are read in other threads before they are needed."""

    def __init__(self, listing: Listing, since: str | None, threads: ThreadPoolExecutor) -> None:
        self._listing = listing
        self._since = since
        self._threads = threads
        self._asked: dict[int, Future[tuple[float, Page]]] = {}

    def page(self, offset: int) -> tuple[float, Page]:
        """The page that begins at an offset, and when it was asked for."""
        asked = self._asked.pop(offset, None)
        if asked is None:
            return monotonic(), self._listing.page(self._since, offset)
        self._listing.waiting()
        return asked.result()

    def ask(self, end: int, page: Page) -> None:
        """Ask for the pages behind one that ends at `end`. They see the context variables of whoever iterates.

        Not where records move: one may leave a page that is read later for one that was read before.
        """
        if not self._listing.steady:
            return
        last = page.total_count or 0
        if self._listing.key is not None:
            last = min(last, WINDOW_RECORDS)
        for offset in range(end - 1, last - 1, max(1, len(page.records) - 1)):
            if len(self._asked) == PAGES_AHEAD:
                return
            if offset not in self._asked:
                self._asked[offset] = self._threads.submit(copy_context().run, self._aside, offset)

    def _aside(self, offset: int) -> tuple[float, Page]:
        return monotonic(), self._listing.page_aside(self._since, offset)

    def forget(self) -> None:
        for asked in self._asked.values():
            asked.cancel()
        self._asked.clear()
