"""Leaving a card alone and taking it up again, and when staff may change a card at all."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, update

from connectcard.cards import corrections
from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync.cards_in_sync import ARRIVED, SENDING, CardInSync, get_card
from connectcard.sync.models import IGNORED, PENDING, WAITING, SyncItem
from connectcard.sync.runs import one_press_at_a_time


def card_to_change(submission_id: UUID) -> CardInSync:
    """The card as whoever pressed Sync a moment ago left it; nobody can send it before the transaction ends. Inside `transaction()`.

    Raises NotFound, and ChangeRefused while it travels.
    """
    one_press_at_a_time()
    card = get_card(submission_id)
    refuse_while_it_travels(card)
    return card


def refuse_while_it_travels(card: CardInSync) -> None:
    """Raise ChangeRefused for a card that a worker may be sending, or that has arrived."""
    if card.standing in (SENDING, WAITING):
        raise ChangeRefused("This card is on its way to Planning Center. Change it when it has come to rest.")
    if card.standing in ARRIVED:
        raise ChangeRefused("This card is in Planning Center already. Change the person there.")


def set_aside(card: CardInSync) -> None:
    """Ignore a card: it is kept, and not sent. Raises ChangeRefused while it travels."""
    standing = card_to_change(card.submission.id)
    corrections.ignore(standing.submission)
    _move_item(standing, IGNORED)


def bring_back(card: CardInSync) -> None:
    """Treat an ignored or suspected card as a real one; it goes with the next sync."""
    corrections.restore(card.submission)
    if card.item and card.item.state == IGNORED:
        _move_item(card, PENDING)


def _move_item(card: CardInSync, state: str) -> None:
    """Only from the state that staff saw: a worker may have taken the card a moment ago."""
    if card.item is None:
        return
    seen = update(SyncItem).where(SyncItem.id == card.item.id, SyncItem.state == card.item.state)
    moved = cast(
        "CursorResult[Any]", db.session.execute(seen.values(state=state, due_at=now()), execution_options={"synchronize_session": False})
    )
    if not moved.rowcount:
        raise ChangeRefused("This card has just moved on. Look at it again.")
