"""The lanes of a worker: several churches are served at once, each by one thread, since it waits for the network nearly all the time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from time import monotonic
from uuid import UUID

import structlog

log = structlog.get_logger()

LANES = 16
REST_SECONDS = 15


class Lanes:
    """Churches that are being served now. `serve(church_id)` works for a while and says whether there is more to do.

    Where there is, or where the church was woken meanwhile, it is served once more, after all the others that wait by then. A church
    whose serving failed on our side rests for a while.
    """

    def __init__(self, serve: Callable[[UUID], bool], lanes: int = LANES) -> None:
        self._serve, self._lanes = serve, lanes
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

    @property
    def crowded(self) -> bool:
        """Whether a church waits for its turn."""
        return len(self._awake) > self._lanes

    def close(self, seconds: float) -> bool:
        """Wake nobody any more and wait for those at work; says whether all of them have finished."""
        with self._changed:
            self._closed = True
            self._pool.shutdown(wait=False)
            return self._changed.wait_for(lambda: not self._awake, seconds)

    def _run(self, church_id: UUID) -> None:
        with self._changed:
            self._called.discard(church_id)
            closed = self._closed
        more = not closed and self._is_more_after_serving(church_id)
        with self._changed:
            resting = monotonic() < self._resting.get(church_id, 0)
            if (more or church_id in self._called) and not resting and not self._closed:
                self._pool.submit(self._run, church_id)
                return
            self._awake.discard(church_id)
            self._changed.notify_all()

    def _is_more_after_serving(self, church_id: UUID) -> bool:
        try:
            return self._serve(church_id)
        except Exception:
            log.exception("serving a church failed", church_id=church_id)
            self._resting[church_id] = monotonic() + REST_SECONDS
            return False


class BothWays:
    """Two lanes a church: cards go out in one, what Planning Center tells comes in by the other; neither waits for the other."""

    def __init__(self, outward: Lanes, inward: Lanes) -> None:
        self._both = (outward, inward)

    def wake(self, church_id: UUID) -> None:
        for lanes in self._both:
            lanes.wake(church_id)

    def close(self, seconds: float) -> bool:
        """As `Lanes.close`, in so many seconds for both."""
        latest = monotonic() + seconds
        closed = [lanes.close(max(0.0, latest - monotonic())) for lanes in self._both]
        return all(closed)
