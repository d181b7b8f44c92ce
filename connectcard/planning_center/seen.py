"""Ids that were met before, in little room: a church of 100,000 people takes two megabytes, not twelve.

Planning Center's ids are text, nearly all of it whole numbers. Those stand as such in one array, found by open addressing; the few others
are kept as they are. Nothing is approximate: an id is said to be known only if it was met.
"""

from array import array

_EMPTY = 0
_SPREAD = 0x9E3779B97F4A7C15
_WORD = 2**64 - 1


class SeenIds:
    """A set of ids that only grows."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._numbers = 0
        self._words: set[str] = set()

    def __len__(self) -> int:
        return self._numbers + len(self._words)

    def add(self, remote_id: str) -> bool:
        """Whether it is new."""
        number = _number(remote_id)
        if number is None:
            new = remote_id not in self._words
            self._words.add(remote_id)
            return new
        place = _place(self._slots, number)
        if self._slots[place] != _EMPTY:
            return False
        self._slots[place] = number
        self._numbers += 1
        if self._numbers * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _grow(self) -> None:
        roomier = array("Q", bytes(8 * 2 * len(self._slots)))
        for number in self._slots:
            if number != _EMPTY:
                roomier[_place(roomier, number)] = number
        self._slots = roomier


def _number(remote_id: str) -> int | None:
    """What an id is kept as: the number that it spells, and one more, since 0 is an empty slot. None where another id spells it as well."""
    if not (remote_id.isascii() and remote_id.isdigit()) or len(remote_id) > 18 or (remote_id[0] == "0" and remote_id != "0"):
        return None
    return int(remote_id) + 1


def _place(slots: "array[int]", number: int) -> int:
    """Where a number stands, or the empty slot where it would."""
    last = len(slots) - 1
    place = ((number * _SPREAD & _WORD) >> 32) & last
    while slots[place] not in (_EMPTY, number):
        place = (place + 1) & last
    return place
