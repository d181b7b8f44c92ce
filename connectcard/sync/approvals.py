"""Approving a preview: what somebody saw is exactly what is sent, less what they left out; where it changed, they are asked again.

The same for cards (card_approvals) and for records of our own directory (push_approvals).
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync.models import INTENT, REVIEW, SyncItem, SyncRun
from connectcard.sync.plans import ADD_MEMBER, CREATE_HOUSEHOLD, PlannedStep
from connectcard.sync.previews import Preview, find_previews
from connectcard.sync.runs import one_press_at_a_time

CHANGED = "What would be written is no longer what was approved. Look at the new difference and approve it again."


@dataclass(frozen=True)
class Approval:
    """What somebody approved of one card or record: the plan they saw, by its fingerprint, and the marks of the writes left ticked.

    `about` is the submission of a card, the subject of another item.
    """

    about: UUID
    fingerprint: str
    ticked: frozenset[str]


@dataclass(frozen=True)
class Sendable:
    """What can be approved: `still_waiting` says which of these wait for a press, `send` sends them for a member."""

    still_waiting: Callable[[Sequence[UUID]], Collection[UUID]]
    send: Callable[[Sequence[UUID], str], SyncRun]


def approve(approvals: Sequence[Approval], sendable: Sendable, member_name: str) -> tuple[SyncRun, int]:
    """Send what was approved; gives the run and how many are in it. Inside `transaction()`; the caller rings the bell.

    What moved on, or whose preview is no longer the one that was seen, is not sent. Raises ChangeRefused where nothing is left.
    """
    one_press_at_a_time()
    about = [approval.about for approval in approvals]
    waiting, previews = sendable.still_waiting(about), find_previews(about)
    good = [approval for approval in approvals if approval.about in waiting and _was_seen(approval, previews.get(approval.about))]
    if not good:
        raise ChangeRefused("Nothing was sent: what would be written has changed since this page was made. Look again.")
    run = sendable.send([approval.about for approval in good], member_name)
    for approval in good:
        _keep(approval, previews[approval.about], member_name)
    return run, len(good)


def _was_seen(approval: Approval, preview: Preview | None) -> bool:
    return preview is not None and preview.can_be_sent and preview.fingerprint == approval.fingerprint


def _keep(approval: Approval, preview: Preview, member_name: str) -> None:
    of = or_(SyncItem.submission_id == approval.about, SyncItem.subject_id == approval.about)
    item = db.session.scalars(select(SyncItem).where(of)).one()
    left_out = sorted(preview.optional - approval.ticked)
    item.approval = {"fingerprint": approval.fingerprint, "left_out": left_out, "by": member_name, "at": now().isoformat()}
    item.planned_at = None
    db.session.flush()


def is_unclear(item: SyncItem | None) -> bool:
    """Whether a write of it may or may not have arrived: then its old plan goes on, whatever is approved."""
    return item is not None and any(step.state == INTENT for step in item.steps)


def stopped_as_changed(item: SyncItem | None) -> bool:
    """Whether a card or record is in review because the plan was no longer the approved one."""
    return item is not None and item.state == REVIEW and bool((item.approval or {}).get("changed"))


def without_fingerprint(approval: dict[str, Any] | None) -> dict[str, Any] | None:
    """An approval whose plan no longer holds; what was left out stays left out."""
    return {**approval, "fingerprint": None, "changed": False} if approval else None


# What the worker asks when its turn has come.


def fingerprint_of(who: Sequence[Any], steps: Iterable[PlannedStep]) -> str:
    """A mark of everything that a plan depends on: who it is, what is there now and what would be sent. In a church's scope.

    It is keyed, since a plan may hold a prayer and a plain digest of few words can be guessed.
    """
    plain = json.dumps([who, [step.approved for step in steps]], sort_keys=True)
    return hmac.new((get_church().remote_id_key or "").encode(), plain.encode(), hashlib.sha256).hexdigest()


def still_approved(approval: Mapping[str, Any] | None, fingerprint: str) -> bool:
    """Whether a plan may be sent: the approved one, or any where nobody asked for a preview first."""
    approved = (approval or {}).get("fingerprint")
    return approved is None or approved == fingerprint


def left_out_of(approval: Mapping[str, Any] | None) -> Collection[str]:
    """The marks of the steps that are never sent."""
    return frozenset((approval or {}).get("left_out", ()))


def left_out_with(planned: Collection[PlannedStep], approval: Mapping[str, Any] | None) -> Collection[str]:
    """The same of a plan: with a new household goes every place in it."""
    left_out = left_out_of(approval)
    household = any(step.kind == CREATE_HOUSEHOLD and step.mark in left_out for step in planned)
    return frozenset({*left_out, *(step.mark for step in planned if household and step.kind == ADD_MEMBER)})


def as_sent(steps: Iterable[PlannedStep], approval: Mapping[str, Any] | None) -> list[PlannedStep]:
    """A plan as it is sent: a household is made without those whose place in it is left out."""
    planned, left_out = list(steps), left_out_of(approval)
    places = [step for step in planned if step.kind == ADD_MEMBER and step.mark in left_out]
    return [_made_without(step, places) if step.kind == CREATE_HOUSEHOLD else step for step in planned]


def _made_without(household: PlannedStep, places: Sequence[PlannedStep]) -> PlannedStep:
    """`members` are numbers of a card's family, `people` are people of Planning Center."""
    without: dict[str, set[Any]] = {"members": {place.member for place in places}, "people": {place.body.get("person") for place in places}}
    fewer = {name: [one for one in household.body[name] if one not in gone] for name, gone in without.items() if name in household.body}
    return replace(household, body={**household.body, **fewer})
