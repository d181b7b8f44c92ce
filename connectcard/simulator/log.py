"""What was asked of the simulator, in order."""

from collections import deque
from dataclasses import asdict, dataclass
from threading import Lock

KEPT = 200_000


@dataclass
class Entry:
    """One request. `status` is None when nothing was answered; `applied`: it changed something that later reads show."""

    at: str
    method: str
    path: str
    query: str
    status: int | None
    organization: str | None
    applied: bool
    fault: str | None
    number: int = 0


class Log:
    """Numbers go on growing after `clear`, so that `since` stays good."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._number = 0

    def note(self, entry: Entry) -> None:
        with self._lock:
            self._number += 1
            entry.number = self._number
            self._entries.append(entry)

    def since(self, number: int) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(entry) for entry in self._entries if entry.number > number]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
