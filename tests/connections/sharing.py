"""One of several processes that share a connection's budget."""

from threading import Event
from uuid import UUID

import redis
from flask import Flask

from connectcard.connections import budget
from connectcard.connections.budget import RateBudget
from connectcard.planning_center.budget import Rate

GRANTED = "granted"
# The script as it is, which also writes down when it let a request go.
TAKE = budget.TAKE.replace("  redis.call('ZADD',", f"  redis.call('RPUSH', '{GRANTED}', now)\n  redis.call('ZADD',")


def share(redis_url: str, connection_id: UUID, rate: Rate, urgent: bool, requests: int) -> None:
    """Take so many requests in all, together with the others."""
    app = Flask("one of several")
    app.extensions["redis"] = redis.Redis.from_url(redis_url)
    budget.TAKE = TAKE
    with app.app_context():
        mine = RateBudget(connection_id, rate)
        while app.extensions["redis"].llen(GRANTED) < requests:
            Event().wait(min(mine.take(urgent=urgent), 0.5))
        app.extensions["redis"].close()
