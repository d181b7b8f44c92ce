"""What waits because a stopped run left a write unclear of what may be the same person: it says so, and what to press."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from connectcard.clock import now
from connectcard.database import db, end_reading, transaction
from connectcard.sync.holds import changed, due
from connectcard.sync.models import CARDS, WAITING, SyncItem, SyncRun
from connectcard.sync.turns import waiting_in_vain

PAUSE = timedelta(seconds=30)
HELD_UP, PRESS_SYNC = "Waits for a press:", "Press Sync"
WHY = f"{HELD_UP} {{}} {{}} was stopped before Planning Center confirmed a change to perhaps the same person. {{}}, and this goes on too."


def is_held_up(item: SyncItem | None) -> bool:
    """Whether an item waits until somebody presses a button for another one."""
    return item is not None and item.state == WAITING and (item.reason or "").startswith(HELD_UP)


def asks_for_sync(words: str | None) -> bool:
    """Whether these words on an item or a run ask for a press of Sync; while a run is on no other page has that button."""
    return (words or "").startswith(HELD_UP) and PRESS_SYNC in (words or "")


def say_what_waits() -> None:
    """Put off what a stopped run holds up, with the words for it. In a church's scope."""
    for item_id, other_id in waiting_in_vain().items():
        words = _why(other_id)
        with transaction():
            _put_off(item_id, words)
    end_reading()


def _why(other_id: UUID) -> str:
    run = db.session.scalars(select(SyncRun).join(SyncItem, SyncItem.run_id == SyncRun.id).where(SyncItem.id == other_id)).one()
    name, press = ("sync", PRESS_SYNC) if run.kind == CARDS else ("run", "Press Send for it on the page Send to Planning Center")
    return WHY.format(name, run.number, press)


def _put_off(item_id: UUID, words: str) -> None:
    it = SyncItem.id == item_id, due(now())
    unsaid = db.session.scalar(select(SyncItem.run_id).where(*it, SyncItem.reason.is_distinct_from(words)))
    later = {"state": WAITING, "due_at": now() + PAUSE, "reason": words, "lease_until": None, "fence": SyncItem.fence + 1}
    if changed(update(SyncItem).where(*it).values(**later)) and unsaid:
        changed(update(SyncRun).where(SyncRun.id == unsaid).values(version=SyncRun.version + 1))
