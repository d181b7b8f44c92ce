"""Which cards can be approved, and how they are sent."""

from collections.abc import Collection, Sequence
from uuid import UUID

from connectcard.sync.approvals import Sendable, is_unclear, stopped_as_changed
from connectcard.sync.cards_in_sync import NEW, READY, CardInSync, cards_of
from connectcard.sync.decisions import send_again
from connectcard.sync.models import REVIEW, SyncRun
from connectcard.sync.runs import start_push


def may_be_approved(card: CardInSync) -> bool:
    """Whether a card waits for a press: a ready one, or one that stopped because its plan had changed. Never with a write unclear."""
    return (card.standing in (NEW, READY) or stopped_as_changed(card.item)) and not is_unclear(card.item)


def _still_waiting(submission_ids: Sequence[UUID]) -> Collection[UUID]:
    return {submission_id for submission_id, card in cards_of(submission_ids).items() if may_be_approved(card)}


def _send(submission_ids: Sequence[UUID], member_name: str) -> SyncRun:
    cards = cards_of(submission_ids).values()
    stopped = [card.item for card in cards if card.item and card.standing == REVIEW]
    ready = [card.submission.id for card in cards if card.standing != REVIEW]
    runs = [send_again(item, member_name) for item in stopped]
    return start_push(member_name, only=ready) if ready else runs[-1]


CARDS = Sendable(_still_waiting, _send)
