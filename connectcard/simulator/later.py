"""What is to happen some seconds from now by the practice clock, which may be moved forward meanwhile."""

from collections.abc import Callable
from operator import itemgetter
from threading import Condition, Thread

from connectcard.simulator.moments import Moments

Action = Callable[[], None]
# Real seconds that whoever moves the clock waits at most for what became due.
LONGEST = 30


class Later:
    """One thread, started when it is first needed, carries out what is due."""

    def __init__(self, moments: Moments) -> None:
        self._moments = moments
        self._changed = Condition()
        self._waiting: list[tuple[float, Action]] = []
        self._thread: Thread | None = None
        self._stopped = self._at_it = False

    def order(self, seconds: float, action: Action) -> None:
        with self._changed:
            self._waiting.append((self._moments.seconds() + seconds, action))
            if self._thread is None:
                self._thread = Thread(target=self._work, name="simulator-later", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def look_again(self) -> None:
        """The clock was moved: returns once what is due by now was done, so that whoever moved it finds it done."""
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopped or not (self._at_it or self._is_due()), LONGEST)

    def _is_due(self) -> bool:
        now = self._moments.seconds()
        return any(at <= now for at, _ in self._waiting)

    def forget(self) -> None:
        with self._changed:
            self._waiting.clear()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _work(self) -> None:
        while not self._stopped:
            for action in self._take_due():
                action()
            with self._changed:
                self._at_it = False
                self._changed.notify_all()

    def _take_due(self) -> list[Action]:
        with self._changed:
            now = self._moments.seconds()
            due = [action for at, action in sorted(self._waiting, key=itemgetter(0)) if at <= now]
            self._waiting = [(at, action) for at, action in self._waiting if at > now]
            self._at_it = bool(due)
            if not due and not self._stopped:
                self._changed.wait(min((at for at, _ in self._waiting), default=now + 3600) - now)
            return due
