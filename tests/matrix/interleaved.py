"""What a worker runs side by side, in the matrix: real threads, of which one at a time has the turn.

A call gives its turn away before it sends and after it was answered, to whichever the seed says. So intents stand side by side, answers
come in any order, and a process dies or sleeps with several requests on their way; and yet each run can be had again by its number.
"""

from collections.abc import Callable, Sequence
from random import Random
from threading import Condition, Thread, local

from connectcard.sync.side_by_side import trouble_of
from tests.matrix.wire import Crash

_mine = local()


class Interleaved:
    """Takes the place of `side_by_side.in_threads`."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def __call__(self, calls: Sequence[Callable[[], None]]) -> list[Exception | None]:
        turns = _Turns(calls, self.random)
        threads = [Thread(target=turns.take_part, args=(number,)) for number in range(len(calls))]
        for thread in threads:
            thread.start()
        turns.pass_on()
        for thread in threads:
            thread.join()
        if turns.crash is not None:
            raise turns.crash
        return turns.troubles


class _Turns:
    def __init__(self, calls: Sequence[Callable[[], None]], random: Random) -> None:
        self.calls, self.random = calls, random
        self.troubles: list[Exception | None] = [None] * len(calls)
        self.crash: Crash | None = None
        self._on = set(range(len(calls)))
        self._turn: int | None = None
        self._changed = Condition()

    def take_part(self, number: int) -> None:
        _mine.turns, _mine.number = self, number
        self.wait_for(number)
        try:
            self.troubles[number] = trouble_of(self.calls[number])
        except Crash as crash:
            self.crash = crash
        finally:
            self._on.discard(number)
            self.pass_on()

    def wait_for(self, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._turn == number)

    def pass_on(self) -> None:
        with self._changed:
            self._turn = self.random.choice(sorted(self._on)) if self._on else None
            self._changed.notify_all()


def give_way() -> None:
    """Let whoever runs beside this call go on, if anybody does."""
    turns = getattr(_mine, "turns", None)
    if turns is not None:
        turns.pass_on()
        turns.wait_for(_mine.number)
