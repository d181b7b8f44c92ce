"""The bell: it tells a worker at once that a church has work. The work itself is rows in the database, so a lost bell costs a wait."""

from time import monotonic
from uuid import UUID

import redis
import structlog
from flask import current_app
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from connectcard.extensions import bell

log = structlog.get_logger()

# One queue: with several, RQ takes jobs in a way that loses one when a worker dies between two commands.
QUEUE = "bells"
SERVE = "connectcard.jobs.tasks.serve_church"
# A bell that was taken by a worker that then died would keep the next one from ringing; it fades.
BELL_SECONDS = 60
QUIET_SECONDS = 10


def bells(connection: "redis.Redis") -> Queue:
    """The one queue; JSON, since a pickle in Redis is a program that runs in our worker."""
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer)


def ring(church_id: UUID) -> None:
    """Wake a worker for a church, to be called after the commit. Never raises; without Redis the workers find the rows by themselves.

    Bells of one church that nobody has heard yet are one bell. After a failure Redis is left alone for a few seconds, so that
    no page waits for it again and again.
    """
    if monotonic() < current_app.extensions.get("bell_quiet_until", 0):
        return
    try:
        bells(bell.redis).enqueue(SERVE, str(church_id), job_id=f"serve-{church_id}", unique=True, ttl=BELL_SECONDS, result_ttl=0)
    except DuplicateJobError:
        return
    except redis.RedisError as error:
        _stay_quiet(error)
    else:
        current_app.extensions.pop("bell_is_away", None)


def _stay_quiet(error: redis.RedisError) -> None:
    current_app.extensions["bell_quiet_until"] = monotonic() + QUIET_SECONDS
    if not current_app.extensions.get("bell_is_away"):
        current_app.extensions["bell_is_away"] = True
        log.warning("redis is away, workers look into the database instead", error=type(error).__name__)
