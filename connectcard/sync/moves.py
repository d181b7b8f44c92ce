"""People who were merged or deleted in Planning Center: the cards that reached them follow, and their history says so."""

from collections.abc import Mapping

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.operations import forget_person
from connectcard.sync.models import CLAIMED, SyncItem

# The person that was gone, and into whom they were merged; None for a deleted one.
Moves = Mapping[str, str | None]


def follow(moves: Moves, own: SyncItem | None = None) -> None:
    """Inside an open transaction: move every link of these people, those of `own` and of all cards that nobody has in hand.

    A deleted person's cards keep their link, so that staff see whom it was; only the directory forgets them.
    """
    for gone, kept in moves.items():
        forget_person(gone, kept)
        for item in _cards_of(gone, own):
            note_move(item, gone, kept)
            item.person_remote_id = kept or item.person_remote_id
    db.session.flush()


def _cards_of(remote_id: str, own: SyncItem | None) -> list[SyncItem]:
    cards = db.session.scalars(select(SyncItem).where(SyncItem.person_remote_id == remote_id)).all()
    # Another worker's card finds out by itself: what is written under its hands would be lost.
    return [card for card in cards if (own and card.id == own.id) or card.state != CLAIMED]


def note_move(item: SyncItem, gone: str, kept: str | None) -> None:
    """Write a merge or a deletion into the history of a card, once."""
    moves = list(item.moves or [])
    if not moves or (moves[-1]["from"], moves[-1]["to"]) != (gone, kept):
        item.moves = [*moves, {"at": now().isoformat(), "from": gone, "to": kept}]


def lost_its_person(item: SyncItem) -> bool:
    """Whether the last that is known of this card's person is that they were deleted."""
    moves = item.moves or []
    return bool(moves) and moves[-1]["to"] is None
