"""The cards that could be somebody who is already there, one after the other, and how matching fared this month."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from connectcard.cards.models import RECEIVED, Submission
from connectcard.database import db
from connectcard.people.matching import SAME, UNCLEAR
from connectcard.sync.models import CARD, PENDING, REVIEW, SYNCED, WAITING, SyncItem

MOST_ASKED = 500


def open_questions() -> list[UUID]:
    """The submissions that wait for somebody to say who it is, the oldest first, MOST_ASKED at most."""
    wanted = _asked(select(Submission.id)).order_by(Submission.received_at, Submission.id).limit(MOST_ASKED)
    return list(db.session.scalars(wanted))


def count() -> int:
    """How many cards wait so."""
    return db.session.scalar(_asked(select(func.count(Submission.id)))) or 0


def _asked(wanted: Any) -> Any:
    joined = wanted.select_from(Submission).join(SyncItem, SyncItem.submission_id == Submission.id)
    return joined.where(Submission.state == RECEIVED, SyncItem.state == REVIEW, _said("kind") == UNCLEAR)


def _said(*path: str) -> ColumnElement[str]:
    return cast("ColumnElement[str]", SyncItem.decision[path].as_string())


@dataclass(frozen=True)
class Fared:
    """How the cards since some day found their people: linked without a question, corrected by staff since, decided by staff."""

    linked: int
    corrected: int
    decided: int


def fared(since: datetime) -> Fared:
    """The report of a month. A link that was corrected is one that staff decided otherwise afterwards."""
    rows = select(func.count(SyncItem.id)).where(SyncItem.kind == CARD, SyncItem.synced_at >= since)
    by_hand = _said("by").is_not(None)
    corrected = db.session.scalar(rows.where(by_hand, _said("asked", "kind") == SAME, _said("asked", "by").is_(None))) or 0
    linked = db.session.scalar(rows.where(SyncItem.state == SYNCED, ~by_hand, _said("kind") == SAME)) or 0
    return Fared(linked + corrected, corrected, db.session.scalar(rows.where(by_hand)) or 0)


def may_be_undone(item: SyncItem | None) -> bool:
    """Whether a decision by hand can still be taken back, as far as a page can tell."""
    return item is not None and item.state in (PENDING, WAITING) and bool((item.decision or {}).get("asked"))
