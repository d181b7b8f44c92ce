"""What has to be taken back before somebody is made inactive: steps of the same undo, of this item and of others."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from connectcard.database import db
from connectcard.sync.models import DONE, INTENT, OPEN_STATES, PLANNED, SyncItem, SyncStep
from connectcard.sync.undo_plans import SOMETHING_KEPT
from connectcard.sync.undo_values import Mark


@dataclass(frozen=True)
class Needed:
    """A step that has to be done first; `open`: a worker has its item, or will have it."""

    state: str
    open: bool


def needed(needs: Collection[Mark], undo_run_id: UUID) -> dict[Mark, Needed]:
    """How these steps stand; one that is left out or was refused is not among them."""
    columns = SyncStep.kind, SyncStep.remote_id, SyncStep.state, SyncItem.state
    of_run = select(*columns).join(SyncItem, SyncItem.id == SyncStep.item_id).where(SyncItem.run_id == undo_run_id)
    there = SyncStep.state.in_((PLANNED, INTENT, DONE)), SyncStep.remote_id.in_({record for _, record in needs})
    found = {(kind, record): Needed(state, item in OPEN_STATES) for kind, record, state, item in db.session.execute(of_run.where(*there))}
    return {mark: found[mark] for mark in needs if mark in found}


def why_still_active(needs: Collection[Mark], undo_run_id: UUID) -> str:
    """Why somebody stays active, as far as it is known before anything is sent; "" where they do not."""
    return "" if needed(needs, undo_run_id).keys() >= set(needs) else SOMETHING_KEPT


def is_done(needs: Collection[Mark], undo_run_id: UUID) -> bool | None:
    """Whether all of it is taken back; None where some of it is still to come."""
    found = needed(needs, undo_run_id)
    missing = [mark for mark in needs if mark not in found or (found[mark].state != DONE and not found[mark].open)]
    return False if missing else None if any(one.state != DONE for one in found.values()) else True
