"""How a church stands as a whole, for the first page: is everything fine, and what is left to set up."""

from dataclasses import dataclass

from sqlalchemy import select

from connectcard.cards.models import Submission
from connectcard.database import db
from connectcard.sync import cards_in_sync
from connectcard.sync.models import CARDS, Destination, SyncRun


@dataclass(frozen=True)
class Overview:
    """`counts` as `cards_in_sync.counts()` gives them. `sent_once` says whether a card ever reached Planning Center.

    `last_run` is the last one of cards.
    """

    counts: dict[str, int]
    fields_matched: bool
    card_came_in: bool
    sent_once: bool
    last_run: SyncRun | None


def overview() -> Overview:
    """Five short queries."""
    of_cards = SyncRun.kind == CARDS
    return Overview(
        counts=cards_in_sync.counts(),
        fields_matched=db.session.scalar(select(Destination.id).limit(1)) is not None,
        card_came_in=db.session.scalar(select(Submission.id).limit(1)) is not None,
        sent_once=db.session.scalar(select(SyncRun.id).where(of_cards, SyncRun.created + SyncRun.updated > 0).limit(1)) is not None,
        last_run=db.session.scalar(select(SyncRun).where(of_cards).order_by(SyncRun.number.desc()).limit(1)),
    )
