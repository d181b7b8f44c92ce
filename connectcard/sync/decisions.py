"""What staff decide by hand: who a card is, and that it is to be tried again. Inside `transaction()`; the caller rings the bell."""

from typing import Any

from sqlalchemy import delete, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.matching import NEW, SAME
from connectcard.sync.models import FAILED, INTENT, PENDING, REVIEW, WAITING, SyncItem, SyncRun, SyncStep
from connectcard.sync.runs import start_push


def decide_by_hand(item: SyncItem, kind: str, person_remote_id: str | None, member_name: str) -> SyncRun:
    """Remember that a card is this person ("same") or somebody new ("new"), and send it.

    Raises ChangeRefused where the card is not open for a decision or the person is none of those that were shown.
    """
    if item.state not in (REVIEW, FAILED):
        raise ChangeRefused("This card is not waiting for a decision any more. Look at it again.")
    shown = {candidate["remote_id"]: candidate for candidate in (item.decision or {}).get("candidates", [])}
    if kind not in (SAME, NEW) or (kind == SAME and person_remote_id not in shown):
        raise ChangeRefused("Choose one of the people shown, or “Someone new”.")
    person = person_remote_id if kind == SAME else None
    if person != item.person_remote_id:
        # What was begun for somebody else says nothing about this person.
        db.session.execute(delete(SyncStep).where(SyncStep.item_id == item.id))
    item.decision = {**(item.decision or {}), "kind": kind, "person": person, "by": member_name, "words": _words(kind, member_name)}
    item.person_remote_id, item.planned_at, item.approval = person, None, without_fingerprint(item.approval)
    return send_again(item, member_name)


def _words(kind: str, member_name: str) -> str:
    return f"{member_name} said this is {'the same person' if kind == SAME else 'someone new'}."


def retry(item: SyncItem, member_name: str) -> SyncRun:
    """Try a card again, with its corrections. Where a change is still unclear the old plan goes on, so that nothing is sent twice."""
    if item.state not in (REVIEW, FAILED, WAITING):
        raise ChangeRefused("This card is being sent or was sent already. Look at it again.")
    unclear = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id, SyncStep.state == INTENT)).all()
    for step in unclear:
        step.rounds = 0
    if not unclear:
        item.planned_at = None
    item.approval = without_fingerprint(item.approval)
    return send_again(item, member_name)


def without_fingerprint(approval: dict[str, Any] | None) -> dict[str, Any] | None:
    """An approval whose plan no longer holds; what was left out stays left out."""
    return {**approval, "fingerprint": None, "changed": False} if approval else None


def send_again(item: SyncItem, member_name: str) -> SyncRun:
    """Give a card that came to rest back to the worker, in the run that it belongs to or in a new one."""
    already_on = db.session.get(SyncRun, item.run_id)
    item.state, item.due_at, item.reason, item.attempts = PENDING, now(), None, 0
    db.session.flush()
    if already_on is not None and already_on.finished_at is None:
        already_on.version += 1
        return already_on
    return start_push(member_name, only=[item.submission_id])
