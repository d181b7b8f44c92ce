"""The rate limit: so many requests in a window of some seconds, counted for each person who calls."""

import math
from dataclasses import dataclass
from threading import Lock

from connectcard.simulator.answers import Refusal, rate_limited

DEEP_OFFSET = 30_000
DEEP_SHARE = 0.75


@dataclass(frozen=True)
class Counted:
    """How a request stands: the count includes it, and goes on while the limit is exceeded."""

    count: int
    limit: int
    period: int
    seconds_left: float

    def headers(self) -> dict[str, str]:
        return {
            "X-PCO-API-Request-Rate-Limit": str(self.limit),
            "X-PCO-API-Request-Rate-Period": str(self.period),
            "X-PCO-API-Request-Rate-Count": str(self.count),
        }

    def refusal(self) -> Refusal | None:
        return self.exceeded() if self.count > self.limit else None

    def exceeded(self) -> Refusal:
        return rate_limited(self.count, self.limit, self.period, max(1, math.ceil(self.seconds_left)))


class Windows:
    """A fixed window for each person, opened by the first request after the last one closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._windows: dict[str, tuple[float, int]] = {}

    def count(self, who: str, now: float, limit: int, period: int) -> Counted:
        with self._lock:
            opened, used = self._windows.get(who, (now, 0))
            if not opened <= now < opened + period:
                opened, used = now, 0
            self._windows[who] = (opened, used + 1)
        return Counted(used + 1, limit, period, opened + period - now)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()


def limit_for(offset: int, limit: int, deep_limit: int = 0, deep_offset: int = DEEP_OFFSET) -> int:
    """Deep offsets are counted dearer: three quarters by the documentation, ten as two integrators met it in March 2026."""
    if offset <= deep_offset:
        return limit
    return min(limit, deep_limit) if deep_limit else max(1, int(limit * DEEP_SHARE))
