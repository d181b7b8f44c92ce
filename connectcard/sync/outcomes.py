"""Bringing a card to rest: its state, the run's counters and the row of its history, all in one transaction."""

from sqlalchemy import bindparam, select, update

from connectcard.clock import now
from connectcard.database import db
from connectcard.sync.models import CREATED, FAILED, LONGEST_REASON, NEEDS_YOU, SKIPPED, UPDATED, SyncItem, SyncOutcome, SyncRun

__all__ = ["CREATED", "FAILED", "NEEDS_YOU", "SKIPPED", "UPDATED", "settle"]


_OUTCOME = select(SyncOutcome).where(SyncOutcome.run_id == bindparam("run"), SyncOutcome.item_id == bindparam("item"))


def settle(item: SyncItem, state: str, outcome: str, reason: str | None) -> None:
    """Inside an open transaction: the card rests. A card that is tried again in the same run counts once, as it ended."""
    reason = reason[:LONGEST_REASON] if reason else None
    item.state, item.reason, item.lease_until = state, reason, None
    row = db.session.scalars(_OUTCOME, {"run": item.run_id, "item": item.id}).first()
    if row is not None:
        _count(item, row.outcome, -1)
    row = row or SyncOutcome(run_id=item.run_id, item_id=item.id)
    row.outcome, row.reason, row.at = outcome, reason, now()
    db.session.add(row)
    _count(item, outcome, +1)
    db.session.flush()


def _count(item: SyncItem, outcome: str, by: int) -> None:
    counter = getattr(SyncRun, outcome)
    db.session.execute(
        update(SyncRun)
        .where(SyncRun.id == item.run_id)
        .values({counter: counter + by, SyncRun.version: SyncRun.version + 1})
        .execution_options(synchronize_session=False)
    )
