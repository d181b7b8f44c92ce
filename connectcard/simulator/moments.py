"""The simulator's own clock: real time, moved forward by whoever practises with it."""

import re
import time
from datetime import UTC, date, datetime


class Moments:
    """`ahead` is how many seconds the practice clock has been moved forward."""

    def __init__(self, ahead: float = 0) -> None:
        self.ahead = ahead

    def seconds(self) -> float:
        """Seconds since 1970 by the practice clock."""
        return time.time() + self.ahead

    def stamp(self) -> str:
        return stamp(self.seconds())


def stamp(seconds: float) -> str:
    """`2026-11-20T08:39:00Z`, as Planning Center writes a moment."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: str) -> str | None:
    """A moment or a bare date as it is stored, or None for text that is neither."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def read_date(text: str) -> str | None:
    """`2026-11-20` from ISO text (a moment as well) or from `11/20/2026`; None for anything else."""
    american = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip(), re.ASCII)
    try:
        if american:
            return date(int(american[3]), int(american[1]), int(american[2])).isoformat()
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None
