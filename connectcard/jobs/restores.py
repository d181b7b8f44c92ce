"""Noticing by ourselves that the database was put back from a backup: Redis remembers a later hour than the database does.

Only a help: an emptied Redis remembers nothing. Whoever restores says so with `connectcard restored`.
"""

from contextlib import suppress
from datetime import datetime, timedelta

import redis
import structlog
from flask import current_app

from connectcard.churches.operations import mark_restored
from connectcard.churches.tenancy import every_church
from connectcard.clock import now
from connectcard.config import Config
from connectcard.database import db, end_reading, transaction
from connectcard.extensions import bell
from connectcard.jobs.models import Schedule

log = structlog.get_logger()

DUTY = "notice a restored backup"
# A clock that is killed between its two notes leaves them a minute apart.
TOLERANCE = timedelta(minutes=5)


def went_back() -> bool:
    """Whether the database stands at an earlier hour than Redis remembers; False where Redis remembers nothing or is away."""
    entry = db.session.get(Schedule, DUTY)
    end_reading()
    remembered = _remembered()
    return entry is not None and entry.last_done_at is not None and remembered is not None and remembered > entry.last_done_at + TOLERANCE


def notice() -> None:
    """Mark every church where the database went back."""
    if went_back():
        log.warning("the database was put back from a backup; every card looks before it writes")
        with every_church(), transaction():
            mark_restored()


def notice_and_remember() -> None:
    """The clock's duty: what it notes in the database when it is done, Redis remembers too."""
    notice()
    # Without Redis there is nothing to remember with; that it is away, the worker and the doctor say.
    with suppress(redis.RedisError):
        bell.redis.set(_key(), now().isoformat())


def _remembered() -> datetime | None:
    try:
        hour = bell.redis.get(_key())
    except redis.RedisError:
        return None
    return datetime.fromisoformat(hour.decode()) if isinstance(hour, bytes) else None


def _key() -> str:
    config: Config = current_app.config["CONNECTCARD"]
    return f"connectcard:hour:{config.public_url}"
