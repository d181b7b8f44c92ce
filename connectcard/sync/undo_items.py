"""The undo of one card of a run as an item: looked at and shown first, carried out once somebody says so, read back."""

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.sync.card_marks import marks_of_cards
from connectcard.sync.card_writes import row_of
from connectcard.sync.holds import Hold, held
from connectcard.sync.items import ItemAtWork, rest
from connectcard.sync.models import (
    DONE,
    FAILED,
    IGNORED,
    INTENT,
    LEFT_OUT,
    NEEDS_YOU,
    OPEN_STATES,
    PREVIEW,
    REFUSED,
    REVIEW,
    RUNNING,
    SKIPPED,
    STOPPING,
    SYNCED,
    UPDATED,
    SyncItem,
    SyncOutcome,
    SyncRun,
    SyncStep,
)
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import PlannedStep
from connectcard.sync.steps import Later, NoLonger, PersonGone, Step
from connectcard.sync.undo_looking import look_at, written_in
from connectcard.sync.undo_plans import MERGED, take_back
from connectcard.sync.undo_writes import UndoTarget

SHOWN = "Waits for your yes."
ON_ITS_WAY = "The card is being sent again. Its undo waits until it has come to rest."
TAKEN_BACK = "Taken back by"
LONGEST_REASON = 500


class UndoAtWork(ItemAtWork):
    """The undo of a card in a worker's hands."""

    def plan(self) -> bool:
        item, run = self._item_and_run()
        if item.planned_at is None:
            self._look_and_store(item)
        end_reading()
        if run.state == PREVIEW:
            self._show()
        return bool(run.state != PREVIEW)

    def _item_and_run(self) -> tuple[SyncItem, SyncRun]:
        item = db.session.scalars(select(SyncItem).where(SyncItem.id == self.hold.item_id)).one()
        return item, db.session.scalars(select(SyncRun).where(SyncRun.id == item.run_id)).one()

    def _look_and_store(self, item: SyncItem) -> None:
        card, written = written_in(item.about)
        if card.state in OPEN_STATES and db.session.get_one(SyncRun, card.run_id).state in (RUNNING, STOPPING):
            raise Later(now() + timedelta(seconds=30), ON_ITS_WAY)
        card_id = card.id
        look = look_at(card_id, written, self.client)
        _store(self.hold, take_back(written, look))

    def _show(self) -> None:
        with held(self.hold) as item:
            item.state, item.reason, item.lease_until = REVIEW, SHOWN, None
            run = db.session.scalars(select(SyncRun).where(SyncRun.id == item.run_id)).one()
            run.version += 1

    def target(self) -> UndoTarget:
        return UndoTarget()

    def person_gone(self, _gone: PersonGone) -> None:
        rest(self.hold, REVIEW, NEEDS_YOU, MERGED)

    def finish(self) -> None:
        """Read back what was taken back, tick it, and say what was kept and why; the card is there to be sent again or ignored."""
        back = [step_id for step_id, step in _done_steps(self.hold.item_id) if self._shows(step)]
        with held(self.hold) as item:
            for row in item.steps:
                row.confirmed_at = now() if row.id in back else row.confirmed_at
            state, outcome, reason = _how_it_went(item.steps)
            item.synced_at = now() if state == SYNCED else None
            settle(item, state, outcome, reason)
            if any(row.state == DONE for row in item.steps):
                _give_back(item)

    def _shows(self, step: Step) -> bool:
        """Whether it reads as taken back; what somebody changed a moment later is not ticked."""
        try:
            return self.target().probe(step, self.client) is not None
        except NoLonger:
            return False

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """Those of the cards that they take back."""
        wanted = select(SyncItem.id, SyncOutcome.item_id).join(SyncOutcome, SyncOutcome.id == SyncItem.subject_id)
        cards = {undo: card for undo, card in db.session.execute(wanted.where(SyncItem.id.in_(item_ids))).all()}  # noqa: C416 - rows
        marks = marks_of_cards(list(cards.values()))
        return {undo: marks.get(card, frozenset()) for undo, card in cards.items()}


def _store(hold: Hold, steps: Sequence[PlannedStep]) -> None:
    with held(hold) as item:
        begun = SyncStep.state.in_((INTENT, DONE))
        db.session.execute(delete(SyncStep).where(SyncStep.item_id == item.id, ~begun))
        there = {(row.kind, row.natural_key) for row in db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id))}
        for position, step in enumerate(steps, start=1):
            if (step.kind, step.natural_key) not in there:
                db.session.add(row_of(step, item, position))
        item.planned_at = now()


def _done_steps(item_id: UUID) -> list[tuple[UUID, Step]]:
    rows = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item_id, SyncStep.state == DONE)).all()
    steps = [(row.id, Step(row.id, row.kind, row.natural_key, json.loads(row.body or "{}"), row.state, None, 0)) for row in rows]
    end_reading()
    return steps


def _how_it_went(steps: Sequence[SyncStep]) -> tuple[str, str, str | None]:
    refused = [f"Planning Center did not let us take back {step.label}: {step.problem}" for step in steps if step.state == REFUSED]
    if refused:
        return FAILED, FAILED, " ".join(refused)[:LONGEST_REASON]
    kept = [f"{step.label} is kept. {step.problem}" for step in steps if step.state == LEFT_OUT]
    taken = any(step.state == DONE for step in steps)
    return SYNCED, UPDATED if taken else SKIPPED, " ".join(kept)[:LONGEST_REASON] or None


def _give_back(undo: SyncItem) -> None:
    """The card that was taken back needs somebody: it is sent again on purpose, or ignored."""
    by = db.session.scalars(select(SyncRun.started_by).where(SyncRun.id == undo.run_id)).one()
    outcome = db.session.scalars(select(SyncOutcome).where(SyncOutcome.id == undo.subject_id)).one()
    card = db.session.scalars(select(SyncItem).where(SyncItem.id == outcome.item_id)).one()
    if not any(step.run_id == outcome.run_id and step.written_to is None for step in card.steps):
        # It is somebody else's since, and stays with them.
        return
    card.planned_at, card.synced_at, card.approval = None, None, None
    if card.state != IGNORED:
        card.state, card.reason = REVIEW, f"{TAKEN_BACK} {by}. Send it again, or ignore it."
