"""Sending once more what failed in a run, and nothing else: what waits for somebody to decide goes on waiting."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.sync import decisions, push_decisions
from connectcard.sync.models import CARD, FAILED, PENDING, UNDO, SyncItem, SyncRun
from connectcard.sync.push import begin_anew
from connectcard.sync.runs import new_run, one_press_at_a_time

NOTHING = "Nothing that failed in this run is left: it was sent again, mended or set aside since."


def failed_in(runs: Sequence[SyncRun]) -> dict[UUID, int]:
    """How many failed in each of these runs and were not sent again since; those that are still on are left alone."""
    over = [run.id for run in runs if run.finished_at]
    counted = select(SyncItem.run_id, func.count(SyncItem.id)).where(SyncItem.run_id.in_(over), SyncItem.state == FAILED)
    return {run_id: number for run_id, number in db.session.execute(counted.group_by(SyncItem.run_id))}  # noqa: C416 - rows


def retry_failed(run: SyncRun, member_name: str) -> tuple[SyncRun, int]:
    """Send exactly those again; gives the run that they are in now, and how many. Inside `transaction()`; the caller rings the bell.

    Raises ChangeRefused where none is left.
    """
    one_press_at_a_time()
    failed = select(SyncItem).where(SyncItem.run_id == run.id, SyncItem.state == FAILED).order_by(SyncItem.due_at, SyncItem.id)
    items = list(db.session.scalars(failed)) if run.finished_at else []
    if not items:
        raise ChangeRefused(NOTHING)
    if run.kind == UNDO:
        return _take_back_again(items, run, member_name), len(items)
    cards = [item for item in items if item.kind == CARD]
    records = [item for item in items if item.kind != CARD]
    runs = [decisions.retry(card, member_name) for card in cards]
    runs += [push_decisions.send_again(records, run.kind, member_name)] if records else []
    return runs[-1], len(items)


def _take_back_again(items: Sequence[SyncItem], run: SyncRun, member_name: str) -> SyncRun:
    """The same undo once more: what somebody changed since is kept, as in the first one."""
    again = new_run(UNDO, member_name, undoes=run.undoes_run_id)
    again.total = len(items)
    for item in items:
        item.run_id, item.state, item.due_at, item.attempts, item.reason = again.id, PENDING, now(), 0, None
        begin_anew(item)
    db.session.flush()
    return again
