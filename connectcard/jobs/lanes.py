"""The lanes of a worker: several churches are served at once, each by one thread, since it waits for the network nearly all the time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from time import monotonic
from uuid import UUID

import structlog

log = structlog.get_logger()

LANES = 8
REST_SECONDS = 15


class Lanes:
    """Churches that are being served now. `serve(church_id)` works until nothing of that church is due.

    A church that is woken while it is served is served once more, so that work which came in at the very end is not overlooked.
    A church whose serving failed on our side rests for a while.
    """

    def __init__(self, serve: Callable[[UUID], None], lanes: int = LANES) -> None:
        self._serve = serve
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
        self._changed = Condition()
        self._awake: set[UUID] = set()
        self._called: set[UUID] = set()
        self._resting: dict[UUID, float] = {}
        self._closed = False

    def wake(self, church_id: UUID) -> None:
        with self._changed:
            if self._closed or monotonic() < self._resting.get(church_id, 0):
                return
            self._called.add(church_id)
            if church_id not in self._awake:
                self._awake.add(church_id)
                self._pool.submit(self._run, church_id)

    def close(self, seconds: float) -> bool:
        """Wake nobody any more and wait for those at work; says whether all of them have finished."""
        with self._changed:
            self._closed = True
            self._pool.shutdown(wait=False)
            return self._changed.wait_for(lambda: not self._awake, seconds)

    def _run(self, church_id: UUID) -> None:
        while self._is_to_go_on(church_id):
            try:
                self._serve(church_id)
            except Exception:
                log.exception("serving a church failed", church_id=church_id)
                self._resting[church_id] = monotonic() + REST_SECONDS

    def _is_to_go_on(self, church_id: UUID) -> bool:
        """Whether the church was woken since it was last looked at; if not, it sleeps from here on."""
        with self._changed:
            if church_id in self._called and not self._closed and monotonic() >= self._resting.get(church_id, 0):
                self._called.discard(church_id)
                return True
            self._awake.discard(church_id)
            self._changed.notify_all()
            return False
