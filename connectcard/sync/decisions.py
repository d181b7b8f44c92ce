"""What staff decide by hand: who a card is, and that it is to be tried again. Inside `transaction()`; the caller rings the bell."""

from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.matching import NEW, SAME
from connectcard.sync.approvals import without_fingerprint
from connectcard.sync.holds import changed
from connectcard.sync.models import DONE, FAILED, INTENT, LEFT_OUT, NEEDS_YOU, PENDING, REVIEW, SYNCED, WAITING, SyncItem, SyncRun, SyncStep
from connectcard.sync.outcomes import settle
from connectcard.sync.remembered import forget, remember
from connectcard.sync.runs import one_press_at_a_time, start_push
from connectcard.sync.steps import PERHAPS_MADE
from connectcard.sync.taken_back import refuse_while_taken_back

HOUSEHOLD = "household"


def decide_by_hand(
    item: SyncItem, kind: str, person_remote_id: str | None, member_name: str, undo_for: timedelta = timedelta(0)
) -> SyncRun:
    """Remember that a card is this person ("same"), somebody new ("new") or somebody new of this person's household ("household").

    The card is sent once `undo_for` is over. Raises ChangeRefused where the card is not open for a decision or the person is none
    of those that were shown.
    """
    one_press_at_a_time()
    if item.state not in (REVIEW, FAILED):
        raise ChangeRefused("This card is not waiting for a decision any more. Look at it again.")
    shown = _refuse_strangers(item, kind, person_remote_id)
    if _person_said(kind, person_remote_id) != item.person_remote_id:
        # What was begun for somebody else says nothing about this person; what was written stays in the books of its run.
        for step in item.steps:
            _set_aside(step, item.person_remote_id or "")
    return _decide(item, kind, person_remote_id, member_name, shown, undo_for)


def correct_link(item: SyncItem, kind: str, person_remote_id: str | None, member_name: str) -> SyncRun:
    """Staff say that a card which has arrived is somebody else's: it goes to that person too, and nothing of the first is overwritten.

    What was written to the first person stays in the books of its run, from where it can be undone. Raises ChangeRefused.
    """
    one_press_at_a_time()
    if item.state != SYNCED:
        raise ChangeRefused("This card has not arrived in Planning Center yet. Look at it again.")
    shown = _refuse_strangers(item, kind, person_remote_id)
    if _person_said(kind, person_remote_id) == item.person_remote_id or person_remote_id == item.person_remote_id:
        raise ChangeRefused("This card belongs to that person already. Choose somebody else.")
    for step in item.steps:
        _set_aside(step, item.person_remote_id or "")
    item.family_decisions = None
    return _decide(item, kind, person_remote_id, member_name, shown)


def _set_aside(step: SyncStep, person_remote_id: str) -> None:
    """A write of before is no step of the card any more; a new one may do the same for another person.

    What staff are asked is asked still until the card is planned anew, since a decision may be taken back.
    """
    if step.state == LEFT_OUT and step.problem in PERHAPS_MADE:
        return
    if step.state != DONE:
        db.session.delete(step)
    elif step.written_to is None:
        step.written_to, step.natural_key = person_remote_id, f"{person_remote_id} {step.id} {step.natural_key}"[:300]


def _refuse_strangers(item: SyncItem, kind: str, person_remote_id: str | None) -> dict[str, Any]:
    """The people who were shown, by their ids; raises ChangeRefused for anybody else."""
    shown = {candidate["remote_id"]: candidate for candidate in (item.decision or {}).get("candidates", [])}
    if kind not in (SAME, NEW, HOUSEHOLD) or (kind != NEW and person_remote_id not in shown):
        raise ChangeRefused("Choose one of the people shown, or “Someone new”.")
    return shown


def _person_said(kind: str, person_remote_id: str | None) -> str | None:
    return person_remote_id if kind == SAME else None


def _decide(
    item: SyncItem, kind: str, person_remote_id: str | None, member_name: str, shown: dict[str, Any], undo_for: timedelta = timedelta(0)
) -> SyncRun:
    before, person = item.decision or {}, _person_said(kind, person_remote_id)
    item.decision = {
        **before,
        "kind": kind,
        "person": person,
        "household_of": person_remote_id if kind == HOUSEHOLD else None,
        "by": member_name,
        "words": words_of(kind, member_name, shown.get(person_remote_id or "", {}).get("name", "")),
        "asked": {name: before.get(name) for name in ("kind", "person", "words", "by")},
    }
    item.person_remote_id, item.planned_at, item.approval = person, None, without_fingerprint(item.approval)
    item.search_answer, item.into_group_by, item.synced_at = None, None, None
    remember(item, person, member_name)
    run = send_again(item, member_name)
    item.due_at = now() + undo_for
    return run


def words_of(kind: str, member_name: str, name: str) -> str:
    """A decision by hand in words; `name` is of the person it is about, where it is about one."""
    who = {SAME: f"the same person as {name}", NEW: "someone new", HOUSEHOLD: f"someone new, of the household of {name}"}
    return f"{member_name} said this is {who[kind]}."


def undo(item: SyncItem) -> None:
    """Take a decision by hand back, as long as nothing of the card was sent. Raises ChangeRefused where it is too late."""
    decision = item.decision or {}
    asked = decision.get("asked")
    of_item = SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id, SyncStep.written_to.is_(None)
    sent = exists().where(*of_item, SyncStep.state.in_((INTENT, DONE)))
    waits = update(SyncItem).where(SyncItem.id == item.id, SyncItem.state.in_((PENDING, WAITING)), ~sent)
    if asked and asked["words"] in PERHAPS_MADE:
        # A plan forgets what was asked, and only that keeps them from being made again.
        waits = waits.where(SyncItem.planned_at.is_(None))
    if not asked or not changed(waits.values(planned_at=None, person_remote_id=None)):
        raise ChangeRefused("This card is on its way or was sent already, so the decision stands.")
    db.session.refresh(item)
    item.decision = {name: kept for name, kept in decision.items() if name not in ("asked", "by", "household_of")} | _set(asked)
    forget(item)
    settle(item, REVIEW, NEEDS_YOU, item.decision["words"])


def _set(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: kept for name, kept in asked.items() if name != "by" or kept}


def retry(item: SyncItem, member_name: str) -> SyncRun:
    """Try a card again, with its corrections. Where a change is still unclear the old plan goes on, so that nothing is sent twice."""
    one_press_at_a_time()
    if item.state not in (REVIEW, FAILED, WAITING):
        raise ChangeRefused("This card is being sent or was sent already. Look at it again.")
    unclear = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id, SyncStep.state == INTENT)).all()
    for step in unclear:
        step.rounds = 0
    if not unclear:
        item.planned_at = None
    item.approval = without_fingerprint(item.approval)
    return send_again(item, member_name)


def send_again(item: SyncItem, member_name: str) -> SyncRun:
    """Give a card that came to rest back to the worker, in the run that it belongs to or in a new one. Raises ChangeRefused."""
    refuse_while_taken_back(item)
    already_on = db.session.get(SyncRun, item.run_id)
    item.state, item.due_at, item.reason, item.attempts = PENDING, now(), None, 0
    db.session.flush()
    if already_on is not None and already_on.finished_at is None:
        already_on.version += 1
        return already_on
    return start_push(member_name, only=[item.of_submission])
