"""Carry out one write exactly once, although Planning Center knows no idempotency keys.

An intent is committed before the send and a result after it. Where the outcome is unknown the intent stands; after the time in
which a late request may still be applied a probe looks for what the step would have made, and only then is it sent again.
What a step is and how it is found again says the target of its item.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from connectcard.clock import now
from connectcard.connections.clients import sending_before
from connectcard.database import db, end_reading
from connectcard.errors import ConnectCardError
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import OutcomeUnknown, PlanningCenterError, Refused
from connectcard.sync.families import VISITOR
from connectcard.sync.holds import Hold, HoldLost, changed, holding, waits
from connectcard.sync.looking import person_attributes
from connectcard.sync.models import DONE, INTENT, LEFT_OUT, LONGEST_REASON, PLANNED, REFUSED, SyncItem, SyncStep

MOST_ROUNDS = 3
PERHAPS_MERGED = "Planning Center did not confirm that they were made, and somebody was merged there since. Say whether it was them."
PERHAPS_RENAMED = "Planning Center did not confirm that they were made. They may have been, and renamed since. Say whether it is them."
# Why somebody new is not made again before staff have said who it is.
PERHAPS_MADE = (PERHAPS_MERGED, PERHAPS_RENAMED)
FORGOTTEN = "It was forgotten here together with the prayer, before it was known to have arrived."
# Of a workflow card, and of anything that Planning Center dates.
NOT_SENT = ("stage", "created_at", "updated_at")
# Numbers and streets it writes in its own way; these it shows as they were sent, but for the day in a field.
SHOWN_AS_SENT = ("name", "note", "value", "first_name", "last_name", "birthdate", "address")
_DAY, _NUMBER = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d+")


class Later(ConnectCardError):
    """The item waits until `until`; the text says what for, in words for staff."""

    def __init__(self, until: datetime, words: str) -> None:
        super().__init__(words)
        self.until = until


class AskSomebody(ConnectCardError):
    """A person has to look at this item; the text says why."""


class TokenTaken(ConnectCardError):
    """The number that was to mark a new person belongs to somebody else; take the next one."""


class NoLonger(ConnectCardError):
    """What the step is about is not as it was when it was planned: it must not be sent, and the text says why."""


class PersonGone(ConnectCardError):
    """A person of the item is no longer there; `kept` is where they were merged into, if they were. `member` says who it is."""

    def __init__(self, kept: str | None, member: int = VISITOR) -> None:
        super().__init__("the person was merged or deleted in Planning Center")
        self.kept, self.member = kept, member


class PerhapsMade(ConnectCardError):
    """Somebody new may have been made and be one of `people` by now, merged or renamed: staff say whether it is them."""

    def __init__(self, words: str, step: "Step", people: Sequence[str]) -> None:
        super().__init__(words)
        self.step_id, self.member, self.people = step.id, step.member, people


@dataclass(frozen=True)
class Step:
    """A step as a value, so that no row is touched while Planning Center is spoken to."""

    id: UUID
    kind: str
    natural_key: str
    body: dict[str, Any]
    state: str
    deadline_at: datetime | None
    rounds: int
    member: int = VISITOR


@dataclass(frozen=True)
class Made:
    """What a step wrote, or what was found in its place; `record` where Planning Center answered one."""

    remote_id: str
    record: Record | None = None

    @classmethod
    def of(cls, record: Record) -> "Made":
        return cls(record.id, record)


class Target(Protocol):
    """What the steps of one item are written to. It sends them, and finds again what they made. Nothing here opens a transaction."""

    def missing(self, step: Step) -> str:
        """Why a step has nothing to be about any more, in words; "" where it has. Such a step is left out."""

    def looks_first(self, step: Step) -> bool:
        """Whether it is looked for before the first send too: what must never be made twice, or may be there already."""

    def send(self, step: Step, client: Client) -> Made:
        """Write it, with one request that changes something."""

    def probe(self, step: Step, client: Client) -> Made | None:
        """What the step would make, by its natural key, if it is there already.

        Raises PersonGone where somebody of it is gone, NoLonger where it must not be sent any more.
        """

    def may_be_there(self, step: Step, error: Refused) -> bool:
        """Whether a refusal may only mean that it is there already."""

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        """A refusal in words for staff. Raises PersonGone where it means that somebody is gone."""

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        """What else is written down with the result, inside its transaction."""


def carry_out(step: Step, target: Target, hold: Hold, client: Client) -> None:
    """Bring one open step to rest: done, found, left out or refused.

    Raises Later, AskSomebody, TokenTaken, NoLonger, PerhapsMade or PersonGone where it cannot be.
    """
    missing = target.missing(step)
    if missing:
        leave_out(step, hold, missing)
        return
    if step.state == INTENT:
        _wait_until_settled(step)
    if step.state == INTENT or target.looks_first(step):
        found = _probe(step, target, client)
        if found is not None:
            _record(step, target, hold, found, was_there=True)
            return
    if step.rounds >= MOST_ROUNDS:
        raise AskSomebody("Planning Center never confirmed this change, and it does not show there. Look at the person, then try again.")
    _send_once(step, target, hold, client, _intend(step, hold))


def leave_out(step: Step, hold: Hold, reason: str) -> None:
    """The step is not sent; `reason` says why, in words."""
    _rest(step, hold, LEFT_OUT, reason)


def _probe(step: Step, target: Target, client: Client) -> Made | None:
    end_reading()
    return target.probe(step, client)


def _wait_until_settled(step: Step) -> None:
    settled_at = (step.deadline_at or now()) + waits().settle
    if now() < settled_at:
        raise Later(settled_at, "Planning Center did not confirm a change. We look again before anything is sent twice.")


_THIS = SyncStep.id == bindparam("step")
_IN_RUN = func.coalesce(SyncStep.run_id, bindparam("its_run", type_=SyncStep.run_id.type))
_INTENT = {"state": INTENT, "intent_at": bindparam("moment"), "deadline_at": bindparam("deadline"), "fence": bindparam("its_fence")}
_CHANGE = update(SyncStep).where(_THIS)
_INTEND = _CHANGE.values(rounds=SyncStep.rounds + 1, run_id=_IN_RUN, **_INTENT)
_WITHDRAW = _CHANGE.values(state=PLANNED, intent_at=None, deadline_at=None, run_id=None, rounds=SyncStep.rounds - 1)
_SENT = select(SyncStep).where(_THIS).options(joinedload(SyncStep.item))


def _intend(step: Step, hold: Hold) -> datetime:
    """Write down that it is sent now; returns until when it may be, since the settle time begins then."""
    deadline = now() + waits().send
    with holding(hold):
        if not changed(_INTEND, step=step.id, moment=now(), deadline=deadline, its_run=hold.run_id, its_fence=hold.fence):
            raise HoldLost("this write is no longer planned, so it is not sent")
    return deadline


def _send_once(step: Step, target: Target, hold: Hold, client: Client, deadline: datetime) -> None:
    try:
        with sending_before(deadline):
            made = target.send(step, client)
    except OutcomeUnknown as error:
        raise Later(deadline + waits().settle, "Planning Center did not confirm a change. We look again first.") from error
    except Refused as error:
        _withdraw(step, hold)
        _refuse_unless_there(step, target, hold, client, error)
    except PlanningCenterError:
        # Surely not applied: not sent, limited, blocked or not signed in. The step is planned again.
        _withdraw(step, hold)
        raise
    else:
        _record(step, target, hold, made)


def _refuse_unless_there(step: Step, target: Target, hold: Hold, client: Client, error: Refused) -> None:
    found = _probe(step, target, client) if target.may_be_there(step, error) else None
    if found is not None:
        _record(step, target, hold, found, was_there=True)
        return
    end_reading()
    _rest(step, hold, REFUSED, target.why_refused(step, client, error))


def _withdraw(step: Step, hold: Hold) -> None:
    with holding(hold):
        changed(_WITHDRAW, step=step.id)


def _record(step: Step, target: Target, hold: Hold, made: Made, *, was_there: bool = False) -> None:
    with holding(hold) as session:
        row = session.scalars(_SENT, {"step": step.id}).one()
        row.state, row.found, row.problem, row.remote_id = DONE, was_there, None, made.remote_id
        row.done_at, row.run_id = now(), row.run_id or hold.run_id
        row.after = json.dumps(_answered(step, made.record, was_there=was_there)) if made.record else None
        target.is_done(step, made, row.item)


def _answered(step: Step, record: Record, *, was_there: bool) -> dict[str, Any]:
    """What Planning Center shows of what was sent, by which an undo sees whether somebody changed it since; before it was found, too."""
    sent = step.body.get("attributes", {})
    shown = {name: value for name, value in person_attributes(record).items() if name in sent}
    as_sent = {name: sent[name] for name in SHOWN_AS_SENT if was_there and name in shown and not _shows(sent[name], shown[name])}
    return {**shown, **as_sent, **{name: record[name] for name in NOT_SENT if name in record.attributes}}


def _shows(sent: Any, shown: Any) -> bool:
    """Whether nothing was sent and nothing is shown, the same in other letters, or a day in a church's order of year, month and day."""
    if str(sent or "").casefold() == str(shown or "").casefold():
        return True
    numbers = [sorted(int(number) for number in _NUMBER.findall(str(day))) for day in (sent, shown)]
    return bool(_DAY.fullmatch(str(sent))) and numbers[0] == numbers[1]


def _rest(step: Step, hold: Hold, state: str, problem: str) -> None:
    rests_in = func.coalesce(SyncStep.run_id, hold.run_id)
    rested = {"state": state, "found": False, "problem": problem[:LONGEST_REASON], "remote_id": None, "done_at": now(), "run_id": rests_in}
    with holding(hold):
        changed(_CHANGE.values(**rested), step=step.id)


def of_item(item_id: UUID | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """The steps of an item, without those that were written to somebody whose card it is not, as staff said since."""
    return and_(SyncStep.item_id == item_id, SyncStep.written_to.is_(None))


_NOT_AT_REST = SyncStep.item_id == bindparam("item"), SyncStep.state.in_((PLANNED, INTENT))
_OPEN_STEPS = select(SyncStep).where(*_NOT_AT_REST).order_by(SyncStep.position)


def open_steps(item_id: UUID) -> list[Step]:
    """The steps of an item that have not come to rest, in their order, as values."""
    steps = [
        Step(row.id, row.kind, row.natural_key, json.loads(row.body or "{}"), row.state, row.deadline_at, row.rounds, row.member)
        for row in db.session.scalars(_OPEN_STEPS, {"item": item_id})
    ]
    end_reading()
    return steps


def in_words(error: PlanningCenterError) -> str:
    """What Planning Center said about a refused change: which value, and why."""
    return " ".join(part for part in (error.parameter, error.detail or error.title) if part) or "no reason given"
