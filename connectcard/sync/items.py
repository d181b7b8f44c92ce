"""The way of an item through a worker's hands, whatever it is about: plan, carry out its steps, read back, rest; and its ways out.

What a kind of item is, says a class below `ItemAtWork`; `kinds.KINDS` names them.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import select

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.planning_center import Client
from connectcard.planning_center.errors import (
    Blocked,
    NotRenewed,
    NotSent,
    OutcomeUnknown,
    PlanningCenterError,
    ProductUnavailable,
    RateLimited,
    ReconnectNeeded,
    Refused,
    Unavailable,
)
from connectcard.sync.approvals import is_unclear, without_fingerprint
from connectcard.sync.families import VISITOR
from connectcard.sync.holds import Hold, HoldLost, held
from connectcard.sync.models import FAILED, INTENT, NEEDS_YOU, PENDING, REVIEW, WAITING, SyncItem, SyncStep
from connectcard.sync.outcomes import settle
from connectcard.sync.side_by_side import SideBySide, gravest, trouble_of, waves
from connectcard.sync.steps import (
    AskSomebody,
    Later,
    NoLonger,
    PerhapsMade,
    PersonGone,
    Step,
    Target,
    TokenTaken,
    carry_out,
    in_words,
    leave_out,
    open_steps,
)
from connectcard.sync.tokens import remote_id_token

log = structlog.get_logger()

BACKOFF = (5, 15, 45, 120, 300)
BLOCKED_PAUSE = timedelta(minutes=3)
RECONNECT_PAUSE = timedelta(minutes=1)
NOT_RENEWED = "Planning Center did not renew the church's sign-in. It is tried once more; until then nothing is sent."
MOST_TAKEN_TOKENS = 20


class ItemAtWork(ABC):
    """One item in a worker's hands. Each kind of item says in a class of its own how it looks, decides, plans, writes and reads back.

    `plan` and `target` never write to Planning Center and no transaction is open while they read from it. What `plan` stores is what
    is carried out, whoever takes over after a crash.
    """

    def __init__(self, hold: Hold, client: Client) -> None:
        self.hold, self.client = hold, client

    @abstractmethod
    def plan(self) -> bool:
        """Look, decide and store the steps, unless they are stored; False where the item came to rest instead, as with a question."""

    @abstractmethod
    def target(self) -> Target:
        """What the next steps are written to, with everything that the steps before them made."""

    @abstractmethod
    def finish(self) -> None:
        """Read back what was written, tick it, and bring the item to rest (`outcomes.settle`)."""

    @abstractmethod
    def person_gone(self, gone: PersonGone) -> None:
        """Somebody whom the item is about was merged or deleted: follow, or bring it to rest with a question."""

    def perhaps_made(self, lost: PerhapsMade) -> None:
        """Somebody whom the item was to make may be there, merged or renamed since: staff are asked. Only of what makes people."""
        raise lost

    @staticmethod
    @abstractmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """By what each of these items may touch the people of another one (`lanes.shared_marks`): such two never run side by side."""

    def goes_on_after(self, _step: Step) -> bool:
        """Whether the steps behind this one can be carried out."""
        return True


def bring_to_rest(work: ItemAtWork, stopping: Callable[[], bool], side_by_side: SideBySide) -> None:
    """Bring a claimed item to rest, or make it wait; every way out leaves it in a state that says what comes next."""
    try:
        _rest_or_wait(work, stopping, side_by_side)
    except HoldLost:
        log.info("hold_lost", item_id=str(work.hold.item_id))


def _rest_or_wait(work: ItemAtWork, stopping: Callable[[], bool], side_by_side: SideBySide) -> None:
    try:
        _go(work, stopping, side_by_side)
    except Later as later:
        wait(work.hold, later)
    except AskSomebody as question:
        rest(work.hold, REVIEW, NEEDS_YOU, str(question))
    except PersonGone as gone:
        work.person_gone(gone)
    except PerhapsMade as lost:
        work.perhaps_made(lost)
    except NoLonger as reason:
        _look_anew(work.hold, reason)
    except PlanningCenterError as error:
        _after_trouble(work.hold, error)


def _go(work: ItemAtWork, stopping: Callable[[], bool], side_by_side: SideBySide) -> None:
    if not work.plan():
        return
    # A step may add another one: a person who is found inactive is made active.
    while (steps := open_steps(work.hold.item_id)) and _all_carried_out(steps, work, stopping, side_by_side):
        pass
    work.finish()


def _all_carried_out(steps: Sequence[Step], work: ItemAtWork, stopping: Callable[[], bool], side_by_side: SideBySide) -> bool:
    for wave in waves(steps):
        if stopping():
            raise Later(now(), "Stopped for a moment; goes on by itself.")
        _carry_out_together(wave, work, side_by_side)
        if not all(work.goes_on_after(step) for step in wave):
            return False
    return True


def _carry_out_together(wave: Sequence[Step], work: ItemAtWork, side_by_side: SideBySide) -> None:
    """Each step of the wave comes to its own end, and is written down, before anything is made of what went wrong with one."""
    target = work.target()
    calls = [partial(_carry_out, step, target, work) for step in wave]
    troubles = [trouble for trouble in (side_by_side(calls) if len(calls) > 1 else map(trouble_of, calls)) if trouble is not None]
    for trouble in troubles:
        log.info("step_waits", item_id=str(work.hold.item_id), error=type(trouble).__name__)
    if troubles:
        raise gravest(troubles)


def _carry_out(step: Step, target: Target, work: ItemAtWork) -> None:
    """One step; where the mark of a new person is taken by somebody else the next mark is tried."""
    for attempt in range(1, MOST_TAKEN_TOKENS):
        try:
            carry_out(step, target, work.hold, work.client)
            return
        except TokenTaken:
            step = _with_next_token(step, work.hold, attempt)
        except NoLonger as reason:
            if _was_approved(work.hold):
                raise
            leave_out(step, work.hold, str(reason))
            return
    raise AskSomebody("No free mark was found for a new person. Add this person in Planning Center by hand, then try again.")


def _was_approved(hold: Hold) -> bool:
    """Whether somebody approved just these writes, so that they are asked again where one of them cannot be sent any more."""
    approval = db.session.scalar(select(SyncItem.approval).where(SyncItem.id == hold.item_id))
    end_reading()
    return bool((approval or {}).get("fingerprint"))


def _with_next_token(step: Step, hold: Hold, attempt: int) -> Step:
    with held(hold) as item:
        row = db.session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()
        token = remote_id_token(get_church().remote_id_key or "", item.about, attempt, step.member)
        body = {**step.body, "attributes": {**step.body["attributes"], "remote_id": token}}
        row.natural_key, row.body = str(token), json.dumps(body)
        if step.member == VISITOR:
            item.remote_id_token = token
    return replace(step, natural_key=str(token), body=body)


# The ways out that are not the end.


def rest(hold: Hold, state: str, outcome: str, reason: str | None) -> None:
    """The item rests, in a transaction of its own."""
    with held(hold) as item:
        settle(item, state, outcome, reason)


def wait(hold: Hold, later: Later, state: str = WAITING) -> None:
    """The item is due again at a later moment, with the reason that staff read meanwhile."""
    with held(hold) as item:
        item.state, item.due_at, item.reason, item.lease_until = state, later.until, str(later), None
        item.attempts += 1


def go_on_soon(item: SyncItem, reason: str) -> None:
    """Inside `held`: the item begins anew at once."""
    item.state, item.due_at, item.lease_until, item.reason = PENDING, now(), None, reason


def _look_anew(hold: Hold, reason: NoLonger) -> None:
    """What was approved can no longer be sent as it was shown: whoever approved it sees the new difference. Not while a write is
    unclear; then the rest of the plan goes on, and just this one is left out.
    """
    with held(hold) as item:
        if is_unclear(item):
            item.approval = without_fingerprint(item.approval)
        else:
            item.planned_at = None
        go_on_soon(item, str(reason))


def _after_trouble(hold: Hold, error: PlanningCenterError) -> None:
    if isinstance(error, ReconnectNeeded | ProductUnavailable):
        wait(hold, Later(now() + RECONNECT_PAUSE, "The church needs to be connected to Planning Center again."), PENDING)
    elif isinstance(error, NotRenewed):
        wait(hold, Later(now() + timedelta(seconds=error.retry_after or 0), NOT_RENEWED), PENDING)
    elif isinstance(error, Refused):
        # A write whose outcome nobody knows needs eyes, not only another try.
        state, outcome = (REVIEW, NEEDS_YOU) if _is_unclear(hold) else (FAILED, FAILED)
        rest(hold, state, outcome, f"Planning Center did not answer a look-up: {in_words(error)}")
    else:
        wait(hold, _pause_after(error, _attempts(hold)))


def _pause_after(error: PlanningCenterError, attempts: int) -> Later:
    log.info("item_waits", error=type(error).__name__, status=error.status, request_id=error.request_id)
    backoff = now() + timedelta(seconds=BACKOFF[min(attempts, len(BACKOFF) - 1)])
    if isinstance(error, RateLimited | Unavailable):
        seconds = error.retry_after
        return Later(
            now() + timedelta(seconds=seconds) if seconds else backoff, "Planning Center asked us to slow down. Goes on by itself."
        )
    if isinstance(error, Blocked):
        return Later(now() + BLOCKED_PAUSE, "Planning Center's firewall turned us away for a moment. Goes on by itself.")
    if isinstance(error, NotSent | OutcomeUnknown):
        return Later(backoff, "Planning Center cannot be reached right now. Goes on by itself.")
    return Later(backoff, "Planning Center gave an unexpected answer. Tried again by itself.")


def _is_unclear(hold: Hold) -> bool:
    unclear = db.session.scalar(select(SyncStep.id).where(SyncStep.item_id == hold.item_id, SyncStep.state == INTENT).limit(1))
    end_reading()
    return unclear is not None


def _attempts(hold: Hold) -> int:
    attempts = db.session.scalar(select(SyncItem.attempts).where(SyncItem.id == hold.item_id)) or 0
    end_reading()
    return attempts
