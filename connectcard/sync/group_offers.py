"""Which groups of the church a card offers to join: those that are open and listed at this moment, and of them what the church chose."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import select

from connectcard.cards.fields import GroupChoice
from connectcard.cards.models import Card
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.groups import open_groups
from connectcard.people.models import Group

QUESTION = "group"
# What still is a list to choose from on a phone; a church with more of them says which.
MOST_OFFERED = 100


def offered(card: Card) -> list[GroupChoice]:
    """The groups that this card offers now, by area and name; none where it does not ask."""
    return choices(chosen_of(card, open_groups()))[:MOST_OFFERED] if card.questions.get(QUESTION) else []


def chosen_of(card: Card, groups: Iterable[Group]) -> list[Group]:
    """Those of these groups that the church wants to offer."""
    return [group for group in groups if card.group_ids is None or str(group.id) in card.group_ids]


def choices(groups: Iterable[Group]) -> list[GroupChoice]:
    shown = [GroupChoice(str(one.id), one.name, one.schedule, one.area.name, one.takes_people_in) for one in groups]
    return sorted(shown, key=lambda one: (one.area.casefold(), one.name.casefold(), one.id))


def named(group_ids: Collection[str]) -> dict[str, GroupChoice]:
    """Those groups of the open church that have one of these ids, however they stand by now."""
    ids = [found for text in group_ids if (found := _id(text))]
    rows = db.session.scalars(select(Group).where(Group.id.in_(ids))) if ids else ()
    return {one.id: one for one in choices(rows)}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def offer(card: Card, asks: bool, group_ids: Collection[str] | None) -> None:
    """Say whether the card asks, and which groups it offers (None: all that are open and listed). Raises ChangeRefused for none."""
    known = None if group_ids is None else sorted(named(group_ids))
    if asks and known == []:
        raise ChangeRefused("Choose the groups that the card offers, or “All that are open and listed”.")
    card.questions = {**card.questions, QUESTION: asks}
    card.group_ids = known
    db.session.flush()
