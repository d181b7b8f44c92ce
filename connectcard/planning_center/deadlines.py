"""One thread that ends whatever is still on at its deadline; a thread for each request would cost more than the request."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from math import inf
from threading import Condition, Thread
from time import monotonic


class _Watched:
    def __init__(self, cut: Callable[[], None]) -> None:
        self.cut, self.is_over = cut, False


class Watch:
    """Cuts what it watches, once its time is up and unless it was over before. Shared by all threads of a process."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._soonest_first: list[tuple[float, int, _Watched]] = []
        self._numbers = count()
        self._thread: Thread | None = None
        self._looks_at = inf

    @contextmanager
    def over(self, seconds: float, cut: Callable[[], None]) -> Iterator[None]:
        """Calls `cut`, which must not raise, from another thread if the block lasts longer than so many seconds."""
        watched = _Watched(cut)
        self._begin(monotonic() + seconds, watched)
        try:
            yield
        finally:
            with self._changed:
                watched.is_over = True
                self._forget_what_is_over()

    def _begin(self, due_at: float, watched: _Watched) -> None:
        with self._changed:
            heappush(self._soonest_first, (due_at, next(self._numbers), watched))
            if due_at < self._looks_at:
                self._changed.notify()
            if self._thread is None:
                self._thread = Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()

    def _forget_what_is_over(self) -> None:
        while self._soonest_first and self._soonest_first[0][2].is_over:
            heappop(self._soonest_first)

    def _watch(self) -> None:
        while True:
            self._next_due().cut()

    def _next_due(self) -> _Watched:
        """Waits for it. This thread is not woken for each request: of what is over it takes notice when that would have been due."""
        with self._changed:
            while True:
                self._forget_what_is_over()
                self._looks_at = self._soonest_first[0][0] if self._soonest_first else inf
                left = self._looks_at - monotonic()
                if left <= 0:
                    return heappop(self._soonest_first)[2]
                self._changed.wait(None if left == inf else left)


watch = Watch()
# A forked process has no other thread than the one that forked.
os.register_at_fork(after_in_child=watch.__init__)  # type: ignore[misc]
