"""Is this card from a person? A guess that never costs a card: a suspected one waits for staff, and the visitor is thanked all the same."""

import re
from collections import Counter
from collections.abc import Hashable
from datetime import datetime, timedelta

from connectcard.cards.fields import MOST_CHILDREN, Form, Posted, child_rows

QUARANTINE_FROM = 2
SHORTEST_DWELL = timedelta(seconds=2)
_LINK = re.compile(r"(?i)\bhttps?://|\bwww\.|\[url")

HIDDEN_BOX = "Looks like spam: a box that people cannot see was filled in"
LINK_IN_NAME = "Looks like spam: there is a web address in the name"
MORE_CHILDREN = "It names more children than the card has room for"
TOO_MANY = "Many cards came from one place within a minute"
IN_A_HURRY = "Looks like spam: sent within two seconds, with web addresses in it"


def suspicion(form: Form, dwell: timedelta | None) -> str | None:
    """Why staff should look at this card before it counts, in words for them; None when nothing is odd.

    `dwell` is the time from the making of the form to its sending, None when its token does not tell. Haste alone says nothing: a phone
    fills a card in within a second.
    """
    posted = Posted(form)
    if posted.line("website"):
        return HIDDEN_BOX
    if any(_LINK.search(posted.line(name)) for name in ("first_name", "last_name")):
        return LINK_IN_NAME
    if len(child_rows(posted)) > MOST_CHILDREN:
        return MORE_CHILDREN
    hasty = dwell is None or dwell < SHORTEST_DWELL
    linked = any(_LINK.search(str(value)) for value in posted.values.values())
    return IN_A_HURRY if hasty + linked >= QUARANTINE_FROM else None


class Crowd:
    """How many cards came from one place within the present minute.

    A full church shares one address, so the bound is far above what one person sends. It is counted in this process alone: a doubt
    need not be exact, and asking Redis takes longer than storing the card.
    """

    def __init__(self, most_a_minute: int = 120) -> None:
        self.most_a_minute = most_a_minute
        self._minute: datetime | None = None
        self._counts: Counter[Hashable] = Counter()

    def is_too_large(self, place: Hashable, at: datetime) -> bool:
        """Count one more card of a place and say whether that is too many."""
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._counts = minute, Counter()
        self._counts[place] += 1
        return self._counts[place] > self.most_a_minute
