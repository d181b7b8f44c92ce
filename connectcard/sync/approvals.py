"""Approving a preview: what somebody saw is exactly what is sent, less what they left out; where it changed, they are asked again."""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.matching import Decision
from connectcard.sync.cards_in_sync import NEW, READY, CardInSync, cards_of
from connectcard.sync.decisions import send_again
from connectcard.sync.models import INTENT, REVIEW, SyncItem, SyncRun
from connectcard.sync.plans import Plan
from connectcard.sync.previews import Preview, find_previews
from connectcard.sync.runs import one_press_at_a_time, start_push

CHANGED = "What would be written is no longer what was approved. Look at the new difference and approve it again."


@dataclass(frozen=True)
class Approval:
    """What somebody approved of one card: the plan they saw, by its fingerprint, and the marks of the writes they left ticked."""

    submission_id: UUID
    fingerprint: str
    ticked: frozenset[str]


def approve(approvals: Sequence[Approval], member_name: str) -> tuple[SyncRun, int]:
    """Send what was approved; gives the run and how many cards are in it. Inside `transaction()`; the caller rings the bell.

    A card that moved on, or whose preview is no longer the one that was seen, is not sent. Raises ChangeRefused where none is left.
    """
    one_press_at_a_time()
    ids = [approval.submission_id for approval in approvals]
    cards, previews = cards_of(ids), find_previews(ids)
    good = [approval for approval in approvals if _holds(approval, cards.get(approval.submission_id), previews)]
    if not good:
        raise ChangeRefused("Nothing was sent: what these cards would write has changed since this page was made. Look again.")
    run = _send([cards[approval.submission_id] for approval in good], member_name)
    for approval in good:
        _keep(approval, previews[approval.submission_id], member_name)
    return run, len(good)


def _holds(approval: Approval, card: CardInSync | None, previews: Mapping[UUID, Preview]) -> bool:
    preview = previews.get(approval.submission_id)
    seen = preview is not None and bool(preview.fingerprint) and preview.fingerprint == approval.fingerprint
    return seen and card is not None and may_be_approved(card)


def may_be_approved(card: CardInSync) -> bool:
    """Whether a card waits for a press: a ready one, or one that stopped because its plan had changed. Never with a write unclear."""
    waits = card.standing in (NEW, READY) or stopped_as_changed(card.item)
    return waits and not (card.item and any(step.state == INTENT for step in card.item.steps))


def stopped_as_changed(item: SyncItem | None) -> bool:
    """Whether a card is in review because the plan was no longer the approved one."""
    return item is not None and item.state == REVIEW and bool((item.approval or {}).get("changed"))


def _send(cards: Sequence[CardInSync], member_name: str) -> SyncRun:
    stopped = [card.item for card in cards if card.item and card.standing == REVIEW]
    ready = [card.submission.id for card in cards if card.standing != REVIEW]
    runs = [send_again(item, member_name) for item in stopped]
    return start_push(member_name, only=ready) if ready else runs[-1]


def _keep(approval: Approval, preview: Preview, member_name: str) -> None:
    item = db.session.scalars(select(SyncItem).where(SyncItem.submission_id == approval.submission_id)).one()
    left_out = sorted(preview.optional - approval.ticked)
    item.approval = {"fingerprint": approval.fingerprint, "left_out": left_out, "by": member_name, "at": now().isoformat()}
    item.planned_at = None
    db.session.flush()


# What the worker asks when the card's turn has come.


def fingerprint_of(decision: Decision, planned: Plan, secret: str) -> str:
    """A mark of everything that a plan depends on: who it is, what is there now and what would be sent.

    It is keyed, since a plan may hold a prayer and a plain digest of few words can be guessed.
    """
    person = [decision.person.remote_id, decision.person.name] if decision.person else sorted(_looked_at(decision))
    steps = [[step.kind, step.natural_key, step.state, step.now, step.body] for step in planned.steps]
    plain = json.dumps([decision.kind, person, steps], sort_keys=True)
    return hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()


def _looked_at(decision: Decision) -> list[str]:
    return [row.candidate.remote_id for row in decision.compared]


def still_approved(approval: Mapping[str, Any] | None, fingerprint: str) -> bool:
    """Whether a plan may be sent: the approved one, or any where nobody asked for a preview first."""
    approved = (approval or {}).get("fingerprint")
    return approved is None or approved == fingerprint


def left_out_of(approval: Mapping[str, Any] | None) -> Collection[str]:
    """The marks of the steps that are never sent."""
    return frozenset((approval or {}).get("left_out", ()))
