"""Logs: one JSON line an event, with the listed keys only, so that no token, prayer or e-mail address can slip in.

An event is a fixed text with ids and counts beside it: `structlog.get_logger().info("run finished", church_id=..., created=3)`.
Of an exception the class and the places are kept; its words only when they are ours, since those are written to be logged.
What other libraries log keeps its wording without the values that they would fill in.
"""

import logging
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict

from connectcard.errors import ConnectCardError

# An allow-list and not a block-list: a key that nobody thought of stays out.
ALLOWED = frozenset({
    "timestamp", "level", "event", "logger", "error", "words", "where", "left_out",
    "church_id", "connection_id", "submission_id", "subject_id", "run_id", "run_number", "item_id", "step_id", "member_id",
    "kind", "state", "outcome", "status", "request_id", "method", "resource", "attempt", "rounds", "fence",
    "count", "created", "updated", "skipped", "needs_you", "failed", "seconds", "due_at", "name", "port", "key_id",
})  # fmt: skip

# Loggers whose filled-in texts hold nothing private: Flask's own for this application names a path, gunicorn a process.
PLAIN_SPOKEN = ("connectcard", "gunicorn", "alembic")

SHOWN_FRAMES = 6


def keep_allowed(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop every key that is not listed, and say which: a reader sees that something is missing, not what it was."""
    left_out = sorted(key for key in event if key not in ALLOWED)
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    return kept | {"left_out": left_out} if left_out else kept


def describe_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    error = _exception_of(event.pop("exc_info", None))
    if error is not None:
        event["error"] = type(error).__qualname__
        event["where"] = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in _last_frames(error))
        if isinstance(error, ConnectCardError):
            event["words"] = str(error)
    return event


def _exception_of(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    found: BaseException | None = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    return found if given else None


def _last_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(reversed(traceback.extract_tb(error.__traceback__)))[:SHOWN_FRAMES]


_finish = (
    describe_exception,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    keep_allowed,
    structlog.processors.JSONRenderer(default=str),
)


class _OtherLibraries(logging.Formatter):
    """The same line for what arrives through the standard library's logging."""

    def format(self, record: logging.LogRecord) -> str:
        plain = record.name.split(".")[0] in PLAIN_SPOKEN
        event: Any = {
            "event": record.getMessage() if plain else str(record.msg),
            "level": record.levelname.lower(),
            "logger": record.name,
            "exc_info": record.exc_info,
        }
        for step in _finish:
            event = step(None, "", event)
        return str(event)


def configure(stream: TextIO | None = None) -> None:
    """Set up logging for a whole process; libraries are heard from WARNING on."""
    stream = stream or sys.stderr
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *_finish],
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    listener = logging.StreamHandler(stream)
    listener.setFormatter(_OtherLibraries())
    logging.basicConfig(handlers=[listener], level=logging.WARNING, force=True)
