"""How many requests Planning Center still takes, as its answers say it.

`X-PCO-API-Request-Rate-Limit`, `-Period` and `-Count` stand on every answer; the period is `20` or `20 seconds`, the count is
what was used so far. The limit changes without notice (documentation, "Rate limiting").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_PREFIX = "X-PCO-API-Request-Rate-"


@dataclass(frozen=True)
class Rate:
    """`count` requests of `limit` were used in the current window of `period` seconds."""

    limit: int
    period: int
    count: int


class Budget(Protocol):
    """Paces the requests of one connection."""

    def wait(self, seconds_left: float) -> None:
        """Return when a request may go. Raises RateLimited when that would take too long, NotSent when we are told to stop."""

    def learn(self, rate: Rate) -> None:
        """Take in what an answer said."""

    def block(self, retry_after: float | None) -> None:
        """Hold the whole connection back for so many seconds, or for a window when Planning Center did not say."""


def read_rate(headers: Mapping[str, str]) -> Rate | None:
    """What an answer says about the rate; None where it says nothing that can be read."""
    limit, period, count = (_leading_number(headers.get(_PREFIX + name)) for name in ("Limit", "Period", "Count"))
    if not limit or not period or count is None:
        return None
    return Rate(limit, period, count)


def _leading_number(text: str | None) -> int | None:
    found = re.match(r"\s*([0-9]{1,6})", text or "")
    return int(found[1]) if found else None
