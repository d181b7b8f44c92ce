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
from typing import Protocol

from connectcard.planning_center.documents import Page, Record
from connectcard.planning_center.errors import Unavailable

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

    def page(self, since: str | None, offset: int) -> Page:
        """The page at `offset` of the records whose key is not before `since`."""

    def page_aside(self, since: str | None, offset: int) -> Page:
        """The same, read by another thread than that of whoever iterates."""

    def waiting(self) -> None:
        """Called by whoever iterates before waiting for a page that is read aside."""

    def count(self) -> int | None:
        """How many records the whole list has."""


def every_record(listing: Listing) -> Iterator[Record]:
    """Each record once, a page and a few pages ahead in memory at a time, and the ids of those seen.

    Whatever was there from the beginning to the end is given; what appeared or vanished meanwhile may be. Raises Unavailable when
    the list will not hold still, or holds fewer records than it says.
    """
    seen: set[str] = set()
    with ThreadPoolExecutor(PAGES_AHEAD, thread_name_prefix="pages-ahead") as threads:
        for _ in range(MOST_SWEEPS):
            before, sweep = len(seen), _Sweep(listing, threads)
            for page in sweep.pages():
                yield from _fresh(page.records, seen)
            # A search may list somebody twice; then a second look brings nothing new.
            if len(seen) >= sweep.total() or (before == len(seen) and sweep.reached_the_end):
                return
    raise Unavailable(f"{listing.name}: the list changes too fast to be read, or holds fewer records than it says")


def _fresh(records: Iterable[Record], seen: set[str]) -> Iterator[Record]:
    for record in records:
        if record.id not in seen:
            seen.add(record.id)
            yield record


class _Sweep:
    """One way through the list, from its beginning to its end."""

    def __init__(self, listing: Listing, threads: ThreadPoolExecutor) -> None:
        self._listing = listing
        self._threads = threads
        self._windows = 0
        self._steps_back = 0
        self._said: int | None = None
        self.reached_the_end = False

    def pages(self) -> Iterator[Page]:
        since = yield from self._window(None)
        while since is not None:
            since = yield from self._window(since)

    def total(self) -> int:
        """How many records the list says it has; 0 where it does not say."""
        return (self._said if self._windows == 1 else self._listing.count()) or 0

    def _window(self, since: str | None) -> Generator[Page, None, str | None]:
        """The pages from one moment on; returns the moment at which the next window begins, None at the end of the list."""
        self._windows += 1
        ahead = _PagesAhead(self._listing, since, self._threads)
        offset, previous = 0, frozenset[str]()
        try:
            while True:
                page = ahead.page(offset)
                ids = frozenset(record.id for record in page.records)
                if offset and not ids & previous:
                    offset = self._back(offset, len(previous), ahead)
                    continue
                end = offset + len(page.records)
                if page.next_offset is None:
                    yield page
                    self._arrived(page, end)
                    return None
                moment = page.records[-1][self._listing.key] if self._listing.key and page.records else None
                if end >= WINDOW_RECORDS and moment not in (None, since):
                    yield page
                    return str(moment)
                ahead.ask(end, page)
                yield page
                offset, previous = max(end - 1, offset + 1), ids
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
        self._asked: dict[int, Future[Page]] = {}

    def page(self, offset: int) -> Page:
        asked = self._asked.pop(offset, None)
        if asked is None:
            return self._listing.page(self._since, offset)
        self._listing.waiting()
        return asked.result()

    def ask(self, end: int, page: Page) -> None:
        """Ask for the pages behind one that ends at `end`. They see the context variables of whoever iterates."""
        last = page.total_count or 0
        if self._listing.key is not None:
            last = min(last, WINDOW_RECORDS)
        for offset in range(end - 1, last - 1, max(1, len(page.records) - 1)):
            if len(self._asked) == PAGES_AHEAD:
                return
            if offset not in self._asked:
                self._asked[offset] = self._threads.submit(copy_context().run, self._listing.page_aside, self._since, offset)

    def forget(self) -> None:
        for asked in self._asked.values():
            asked.cancel()
        self._asked.clear()
