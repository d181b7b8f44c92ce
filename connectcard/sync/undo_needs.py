"""What has to be taken back before somebody is made inactive: steps of the same undo, of this item and of others."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from connectcard.database import db
from connectcard.sync.models import DONE, INTENT, OPEN_STATES, PLANNED, SyncItem, SyncStep
from connectcard.sync.undo_plans import SOMETHING_KEPT
from connectcard.sync.undo_values import Mark


@dataclass(frozen=True)
class Needed:
    """A step that has to be done first. `due_at` is when its item goes on, None for one that rests."""

    state: str
    due_at: datetime | None


def needed(needs: Collection[Mark], undo_run_id: UUID) -> dict[Mark, Needed]:
    """How these steps stand; one that is left out or was refused is not among them."""
    columns = SyncStep.kind, SyncStep.remote_id, SyncStep.state, SyncItem.state, SyncItem.due_at
    of_run = select(*columns).join(SyncItem, SyncItem.id == SyncStep.item_id).where(SyncItem.run_id == undo_run_id)
    there = SyncStep.state.in_((PLANNED, INTENT, DONE)), SyncStep.remote_id.in_({record for _, record in needs})
    rows = db.session.execute(of_run.where(*there))
    found = {(kind, record): Needed(state, due_at if item in OPEN_STATES else None) for kind, record, state, item, due_at in rows}
    return {mark: found[mark] for mark in needs if mark in found}


def why_still_active(needs: Collection[Mark], undo_run_id: UUID) -> str:
    """Why somebody stays active, as far as it is known before anything is sent; "" where they do not."""
    return "" if needed(needs, undo_run_id).keys() >= set(needs) else SOMETHING_KEPT


def still_to_come(needs: Collection[Mark], undo_run_id: UUID) -> list[datetime]:
    """When those go on that are not done yet and will be; none where everything is done, or never will be."""
    found = needed(needs, undo_run_id)
    return [one.due_at for one in found.values() if one.state != DONE and one.due_at is not None]


def all_done(needs: Collection[Mark], undo_run_id: UUID) -> bool:
    found = needed(needs, undo_run_id)
    return found.keys() >= set(needs) and all(one.state == DONE for one in found.values())
