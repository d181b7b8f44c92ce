"""Hears the bells: RQ's worker in a thread of ours, tied again to a Redis that went away."""

from threading import Event, Thread
from typing import Any

import redis
import structlog
from flask import Flask
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty

from connectcard.jobs.queue import bells

log = structlog.get_logger()

AGAIN_SECONDS = 3


class Listener(SimpleWorker):
    """RQ's worker, changed for a thread: signals stay with the main thread, and `stop` ends it within a second."""

    death_penalty_class = TimerDeathPenalty
    max_connection_wait_time = AGAIN_SECONDS
    stop: Event

    @property
    def dequeue_timeout(self) -> int:
        return 1

    def _install_signal_handlers(self) -> None:
        """Python allows them in the main thread only."""

    def heartbeat(self, *arguments: Any, **named: Any) -> None:
        """RQ calls this before each look into the queue."""
        if self.stop.is_set():
            raise StopRequested
        super().heartbeat(*arguments, **named)


def listen(app: Flask, stop: Event) -> Thread:
    """Hear bells in a thread until `stop` is set."""
    thread = Thread(target=_listen, args=(app, stop), name="bells", daemon=True)
    thread.start()
    return thread


def _listen(app: Flask, stop: Event) -> None:
    while not stop.is_set():
        try:
            with app.app_context():
                _hear(app.config["REDIS_URL"], stop)
        except redis.RedisError as error:
            log.warning("redis is away, looking into the database instead", error=type(error).__name__)
        stop.wait(AGAIN_SECONDS)


def _hear(url: str, stop: Event) -> None:
    """Work until RQ gives up: it ends by itself on some losses of Redis, and the caller begins anew."""
    connection = redis.Redis.from_url(url, socket_connect_timeout=2)
    try:
        listener = Listener([bells(connection)], connection=connection, serializer=JSONSerializer)
        listener.stop = stop
        listener.work(logging_level="WARNING")
    finally:
        connection.close()
