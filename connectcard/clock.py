"""The one clock. Rows are compared with `now()`, so tests move it and hosts agree on it."""

from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """The present moment, aware and in UTC; `source` is replaced by tests that move time."""

    def __init__(self) -> None:
        self.source: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> datetime:
        return self.source()


clock = Clock()
now = clock.now
