"""“Join a group” on the page Field mapping: whether the card asks, which groups it offers, and what to know about that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import g

from connectcard.cards import queries
from connectcard.cards.fields import GroupChoice
from connectcard.cards.models import Card
from connectcard.people.groups import open_groups
from connectcard.sync import card_fields, destinations, group_offers
from connectcard.sync.group_offers import MOST_OFFERED

FIELD = "group"
NOT_ASKED, ALL, CHOSEN = "no", "all", "chosen"
NO_GROUPS = "No group is open and listed right now, so the card does not show this question. Pull groups, or open one in Planning Center."
NOT_SENT = (
    "Your church does not send group memberships, so that each answer becomes a to-do for you. An owner can change that on the page Send."
)


@dataclass(frozen=True)
class GroupQuestion:
    """How the question stands. `open` are the groups that can be offered, by area and name; `chosen` the ids of those that are."""

    way: str
    open: Sequence[GroupChoice]
    chosen: frozenset[str]
    warnings: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the card does, in a few words."""
        if self.way == NOT_ASKED:
            return "Not asked on the card"
        offered = [one for one in self.open if self.way == ALL or one.id in self.chosen]
        return f"The card offers {min(len(offered), MOST_OFFERED)} group{'' if len(offered) == 1 else 's'}"

    @property
    def by_area(self) -> dict[str, list[GroupChoice]]:
        areas: dict[str, list[GroupChoice]] = {}
        for one in self.open:
            areas.setdefault(one.area, []).append(one)
        return areas


def standing() -> GroupQuestion:
    """How the question stands in the open church."""
    card = next(iter(queries.cards()), None)
    known = group_offers.choices(open_groups())
    way = _way(card)
    chosen = frozenset(card.group_ids or ()) if card else frozenset()
    offered = [one for one in known if way == ALL or one.id in chosen]
    return GroupQuestion(way, known, chosen, tuple(_warnings(offered)) if way != NOT_ASKED else ())


def _way(card: Card | None) -> str:
    if card is None or not card.questions.get(group_offers.QUESTION):
        return NOT_ASKED
    return ALL if card.group_ids is None else CHOSEN


def _warnings(offered: Sequence[GroupChoice]) -> list[str]:
    too_many = f"{len(offered)} groups are open and listed; the card shows the first {MOST_OFFERED}. Choose which ones it offers."
    sends = destinations.current()[FIELD].kind != card_fields.GROUP or g.church.sends_memberships
    said = {NO_GROUPS: not offered, too_many: len(offered) > MOST_OFFERED, NOT_SENT: not sends}
    return [words for words, holds in said.items() if holds]


def ask(form: Any) -> None:
    """Store what a form says, for every card of the church. Raises ChangeRefused. Inside `transaction()`."""
    way = form.get("ask", NOT_ASKED)
    for card in queries.cards():
        group_offers.offer(card, way in (ALL, CHOSEN), form.getlist("group") if way == CHOSEN else None)
