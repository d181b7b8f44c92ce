"""The rate limit of one connection, shared by every process through Redis.

Planning Center counts per authenticated user, says on every answer how it stands, and changes the limit without notice. Every
request is written into a sliding log before it goes, so that all processes together never send more than the limit in any window.
What Planning Center counted beyond our log was sent by others (the church's other programs, or us before a Redis was flushed), and
is taken off. A block after 429 also stands in the connection's row. Without Redis each process paces itself with a small share.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from random import uniform
from threading import Event, Lock
from time import monotonic
from typing import Any, cast
from uuid import UUID, uuid4

import redis
import structlog
from flask import current_app
from sqlalchemy import Update, bindparam, or_, update
from sqlalchemy.exc import DBAPIError

from connectcard.clock import now
from connectcard.connections.aside import writing_aside
from connectcard.connections.models import Connection
from connectcard.extensions import bell
from connectcard.planning_center.budget import Rate
from connectcard.planning_center.errors import NotSent, RateLimited

log = structlog.get_logger()

# Bulk work leaves so many requests of a window to people who wait at a screen.
RESERVE = 5
# Before the first answer nobody knows the limit; it was once seen to fall to 10 in 20 seconds.
UNKNOWN = Rate(limit=10, period=20, count=0)
# Without Redis: several processes may be at work, and none knows of the others but by Planning Center's count.
SHARE_WITHOUT_REDIS = 4
REDIS_REST_SECONDS = 5.0
JITTER_SECONDS = 2.0
NOTE_EVERY_SECONDS = 1.0
# So much later than another one a request may arrive that was sent with it: as if into the next window of Planning Center's.
LATENESS_SECONDS = 1

TAKE = (files(__package__) / "take.lua").read_text()
LEARN = (files(__package__) / "learn.lua").read_text()
BLOCK = (files(__package__) / "block.lua").read_text()

_ROW = update(Connection).where(Connection.id == bindparam("connection"))
_STANDING = _ROW.values(
    rate_limit=bindparam("limit"), rate_period=bindparam("period"), rate_count=bindparam("count"), rate_seen_at=bindparam("moment")
)
_EARLIER = or_(Connection.blocked_until.is_(None), Connection.blocked_until < bindparam("until"))
_BLOCKED = _ROW.where(_EARLIER).values(blocked_until=bindparam("until"))


class RateBudget:
    """One connection's budget in this process; threads share it."""

    def __init__(self, connection_id: UUID, rate: Rate | None = None) -> None:
        self.connection_id = connection_id
        self.rate = rate or UNKNOWN
        self._blocked_until: datetime | None = None
        self._lock = Lock()
        self._sent: deque[float] = deque()
        self._foreign_until = 0.0
        self._redis_rests_until = 0.0
        self._noted_at: float | None = None
        self._keys = (f"budget:{connection_id}:log", f"budget:{connection_id}:standing")

    def take(self, *, urgent: bool = False, background: bool = False) -> float:
        """Seconds to wait; 0 means go, and the request is counted. What runs in the background leaves half of a window to cards."""
        blocked = self._seconds_blocked()
        if blocked > 0:
            return blocked
        reserve = 0 if urgent else self.rate.limit // 2 if background else RESERVE
        shared = self._in_redis(TAKE, reserve, self.rate.limit, self.rate.period * 1000, LATENESS_SECONDS * 1000, uuid4().hex)
        return self._take_alone(reserve) if shared is None else self._took(shared)

    def learn(self, rate: Rate) -> None:
        """Take in what an answer said; a lower limit holds from the next request on."""
        with self._lock:
            self.rate = rate
            self._foreign_until = monotonic() + rate.period
        self._in_redis(LEARN, rate.limit, rate.period * 1000, rate.count, LATENESS_SECONDS * 1000)
        if self._may_note():
            self._note(_STANDING, {"limit": rate.limit, "period": rate.period, "count": rate.count, "moment": now()})

    def block(self, retry_after: float | None) -> None:
        """Hold the connection back in every process; stored in its row, so that a flushed Redis does not forget it."""
        seconds = (self.rate.period if retry_after is None else retry_after) + uniform(0, JITTER_SECONDS)  # noqa: S311 - only spreads load
        until = now() + timedelta(seconds=seconds)
        self.heed(until)
        self._in_redis(BLOCK, int(seconds * 1000))
        self._note(_BLOCKED, {"until": until})

    def heed(self, blocked_until: datetime | None) -> None:
        """Take over a block that stands in the row."""
        with self._lock:
            if blocked_until is not None and (self._blocked_until is None or blocked_until > self._blocked_until):
                self._blocked_until = blocked_until

    def _seconds_blocked(self) -> float:
        with self._lock:
            return (self._blocked_until - now()).total_seconds() if self._blocked_until else 0.0

    def _in_redis(self, script: str, *arguments: Any) -> int | None:
        """Run a script; None while Redis is away. After a failure it is left alone for a moment: no request waits for it twice."""
        if monotonic() < self._redis_rests_until:
            return None
        try:
            return cast(int, bell.redis.eval(script, len(self._keys), *self._keys, *arguments))
        except redis.RedisError as error:
            self._redis_rests_until = monotonic() + REDIS_REST_SECONDS
            log.warning("budget_without_redis", error=type(error).__name__)
            return None

    def _took(self, milliseconds: int) -> float:
        if milliseconds == 0:
            with self._lock:
                self._sent.append(monotonic())
        return milliseconds / 1000

    def _take_alone(self, reserve: int) -> float:
        moment = monotonic()
        with self._lock:
            while self._sent and self._sent[0] <= moment - self.rate.period - LATENESS_SECONDS:
                self._sent.popleft()
            allowed = max(1, (self.rate.limit - reserve) // SHARE_WITHOUT_REDIS)
            used_up = self.rate.count >= self.rate.limit - reserve and moment < self._foreign_until
            if not used_up and len(self._sent) < allowed:
                self._sent.append(moment)
                return 0.0
            leaves_at = self._sent[0] + self.rate.period + LATENESS_SECONDS if self._sent else self._foreign_until
            return max(0.05, (self._foreign_until if used_up else leaves_at) - moment)

    def _may_note(self) -> bool:
        """For the page's live line about once a second is often enough."""
        with self._lock:
            if self._noted_at is not None and monotonic() - self._noted_at < NOTE_EVERY_SECONDS:
                return False
            self._noted_at = monotonic()
            return True

    def _note(self, statement: Update, values: dict[str, Any]) -> None:
        """Write into the row. A database that is away must not turn an answer that came into one that did not: it is logged."""
        try:
            with writing_aside() as session:
                session.execute(statement, {"connection": self.connection_id, **values})
        except DBAPIError as error:
            log.warning("budget_not_noted", connection_id=str(self.connection_id), error=type(error).__name__)


@dataclass
class Pace:
    """How long one client lets itself be held back: a worker for `patience` seconds, a page hardly at all."""

    budget: RateBudget
    patience: float
    urgent: bool = False
    stopping: Event | None = None
    background: bool = False

    def wait(self, seconds_left: float) -> None:
        """Return when a request may go; raises RateLimited beyond the patience, NotSent when told to stop."""
        # Half of the time stays for the request itself. What was waited is added up: a clock that stands or is set back must not
        # make it wait for ever.
        left = min(self.patience, seconds_left / 2)
        stopping = self.stopping or Event()
        while (seconds := self.budget.take(urgent=self.urgent, background=self.background)) > 0:
            if seconds > left:
                raise RateLimited("Planning Center's rate limit is used up for now", retry_after=seconds)
            if stopping.wait(seconds):
                raise NotSent("stopped while waiting for the rate limit")
            left -= seconds

    def learn(self, rate: Rate) -> None:
        self.budget.learn(rate)

    def block(self, retry_after: float | None) -> None:
        self.budget.block(retry_after)


_making = Lock()


def budget_of(connection: Connection) -> RateBudget:
    """This process's budget of a connection, with what the row knows."""
    budgets: dict[UUID, RateBudget] = current_app.extensions.setdefault("rate_budgets", {})
    with _making:
        budget = budgets.get(connection.id)
        if budget is None:
            budget = budgets[connection.id] = RateBudget(connection.id, _rate_in(connection))
    budget.heed(connection.blocked_until)
    return budget


def _rate_in(connection: Connection) -> Rate | None:
    if not connection.rate_limit or not connection.rate_period:
        return None
    return Rate(connection.rate_limit, connection.rate_period, 0)
