"""Whose turn it is: the due items of a church in their order, and the marks by which two of them may touch one person. Never writes."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, case, exists, or_, select

from connectcard.cards.models import Submission
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db
from connectcard.sync.holds import due
from connectcard.sync.kinds import marks_of
from connectcard.sync.models import (
    CLAIMED,
    FAMILY,
    GROUP,
    INTENT,
    MEMBERSHIP,
    OPEN_STATES,
    PERSON,
    PLANNED,
    STOPPED,
    UNDO,
    WORKED_ON,
    SyncItem,
    SyncRun,
    SyncStep,
)
from connectcard.sync.plans import CREATE_PERSON

# Items looked at in one go: enough to find some that share no mark with those in hand.
ITEMS_IN_VIEW = 100
OF_PUSHES = (PERSON, FAMILY, GROUP, MEMBERSHIP)


_ON = select(SyncRun.id).where(SyncRun.state.in_(WORKED_ON))
_ITEM = select(SyncItem.id, SyncItem.kind)
_FIRST = case((Submission.received_at >= bindparam("morning"), 0), (SyncItem.kind.in_(OF_PUSHES), 2), else_=1)
_DUE = (
    _ITEM.outerjoin(Submission, Submission.id == SyncItem.submission_id)
    .where(due(bindparam("moment")), SyncItem.run_id.in_(_ON))
    .order_by(_FIRST, SyncItem.due_at, Submission.received_at, SyncItem.id)
    .limit(ITEMS_IN_VIEW)
)
_OF_ITEM = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id)
_ABOUT_TO_MAKE = and_(SyncItem.run_id.in_(_ON), _OF_ITEM.where(SyncStep.kind == CREATE_PERSON, SyncStep.state == PLANNED))
# An undo that was stopped makes nobody, and waits for a press.
_SENT = and_(_OF_ITEM.where(SyncStep.state == INTENT), or_(SyncItem.kind != UNDO, SyncItem.run_id.in_(_ON)))
_UNCLEAR = or_(_SENT, _ABOUT_TO_MAKE)
_STOPPED = select(SyncRun.id).where(SyncRun.state == STOPPED)
_LEFT_UNCLEAR = _ITEM.where(SyncItem.state.in_(OPEN_STATES), _SENT, SyncItem.kind != UNDO, SyncItem.run_id.in_(_STOPPED))
_IN_HAND = and_(SyncItem.state == CLAIMED, SyncItem.lease_until >= bindparam("moment"))
_BUSY = _ITEM.where(or_(_IN_HAND, and_(SyncItem.state.in_(OPEN_STATES), _UNCLEAR)))


def free_items(church_id: UUID) -> list[tuple[UUID, frozenset[str]]]:
    """The due items, visitors of today first, then the oldest cards, then what is pushed, each with its marks.

    One whose marks another one has that is in hand, whose write is still unclear, or that is about to make people, waits for that
    other: only then can it find them there. Such an item itself always goes on.
    """
    with church_scope(church_id):
        items = _due_now()
        busy = _busy_now() if items else {}
    return [
        (item_id, marks)
        for item_id, marks in items.items()
        if item_id in busy or not any(marks & theirs for other_id, theirs in busy.items() if other_id != item_id)
    ]


def waiting_in_vain() -> dict[UUID, UUID]:
    """The due items that wait for one whose write a stopped run left unclear, each with that one: by itself that one never goes on. In a
    church's scope."""
    left = _marked(_LEFT_UNCLEAR, {})
    items = _due_now() if left else {}
    busy = _busy_now() if items else {}
    return {item_id: other for item_id, marks in items.items() if item_id not in busy for other, theirs in left.items() if marks & theirs}


def _due_now() -> dict[UUID, frozenset[str]]:
    return _marked(_DUE, {"moment": now(), "morning": _this_morning()})


def _busy_now() -> dict[UUID, frozenset[str]]:
    return _marked(_BUSY, {"moment": now()})


def _this_morning() -> datetime:
    """When the church's day began."""
    return now().astimezone(ZoneInfo(get_church().time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)


def _marked(wanted: Any, moments: dict[str, datetime]) -> dict[UUID, frozenset[str]]:
    """The items that `wanted` selects by (id, kind), in its order, with their marks."""
    rows = [(item_id, kind) for item_id, kind in db.session.execute(wanted, moments).all()]
    marks = marks_of(rows)
    return {item_id: marks.get(item_id, frozenset()) for item_id, _ in rows}
