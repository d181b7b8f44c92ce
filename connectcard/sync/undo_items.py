"""The undo of one item of a run as an item itself: looked at and shown first, carried out once somebody says so, read back."""

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.sync.approvals import is_unclear
from connectcard.sync.card_items import CardAtWork
from connectcard.sync.card_writes import row_of
from connectcard.sync.holds import Hold, held
from connectcard.sync.items import ItemAtWork, rest
from connectcard.sync.models import (
    CARD,
    DONE,
    FAILED,
    FAMILY,
    GROUP,
    INTENT,
    LEFT_OUT,
    MEMBERSHIP,
    NEEDS_YOU,
    OPEN_STATES,
    PERSON,
    PLANNED,
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
from connectcard.sync.push_families import FamilyAtWork
from connectcard.sync.push_groups import GroupAtWork
from connectcard.sync.push_memberships import MembershipAtWork
from connectcard.sync.push_people import PersonAtWork
from connectcard.sync.refreshing import refresh_family, refresh_person
from connectcard.sync.steps import Later, NoLonger, PersonGone, Step
from connectcard.sync.taken_back import give_back
from connectcard.sync.undo_looking import elsewhere_of, look_at, written_in
from connectcard.sync.undo_plans import MERGED, REMOVE_MEMBER, RESTORE_HOUSEHOLD, take_back
from connectcard.sync.undo_writes import UndoTarget, started_by, undone_item

SHOWN = "Waits for your yes."
ON_ITS_WAY = "This is being sent again. Its undo waits until it has come to rest."
UNDONE: dict[str, type[ItemAtWork]] = {
    CARD: CardAtWork,
    PERSON: PersonAtWork,
    FAMILY: FamilyAtWork,
    GROUP: GroupAtWork,
    MEMBERSHIP: MembershipAtWork,
}


class UndoAtWork(ItemAtWork):
    """The undo of an item in a worker's hands."""

    def plan(self) -> bool:
        item, run = self._item_and_run()
        if not is_unclear(item):
            _wait_while_on_its_way(item.about)
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
        _, wrote = written_in(item.about)
        look = look_at(wrote, self.client)
        _store(self.hold, take_back(wrote.written, look))

    def _show(self) -> None:
        with held(self.hold) as item:
            item.state, item.reason, item.lease_until = REVIEW, SHOWN, None
            run = db.session.scalars(select(SyncRun).where(SyncRun.id == item.run_id)).one()
            run.version += 1

    def target(self) -> UndoTarget:
        item, run = self._item_and_run()
        _, wrote = written_in(item.about)
        elsewhere = elsewhere_of(wrote)
        end_reading()
        return UndoTarget(run.id, elsewhere)

    def person_gone(self, _gone: PersonGone) -> None:
        rest(self.hold, REVIEW, NEEDS_YOU, MERGED)

    def finish(self) -> None:
        """Read back what was taken back, tick it, and say what was kept and why; it is there to be sent again or left."""
        done = _done_steps(self.hold.item_id)
        target = self.target()
        back = [step.id for step in done if self._shows(step, target)]
        self._read_back(done)
        with held(self.hold) as item:
            for row in item.steps:
                row.confirmed_at = now() if row.id in back else row.confirmed_at
            state, outcome, reason = _how_it_went(item.steps)
            item.synced_at = now() if state == SYNCED else None
            settle(item, state, outcome, reason)
            if any(row.state == DONE for row in item.steps):
                _give_back(item)

    def _read_back(self, done: Sequence[Step]) -> None:
        """Our directory shows the people and families as they stand now."""
        for person in sorted({str(step.body["person"]) for step in done if step.body["person"]}):
            refresh_person(person, self.client)
        for family in sorted({str(step.body["household"]) for step in done if step.kind in (REMOVE_MEMBER, RESTORE_HOUSEHOLD)}):
            refresh_family(family, self.client)

    def _shows(self, step: Step, target: UndoTarget) -> bool:
        """Whether it reads as taken back; what somebody changed a moment later is not ticked."""
        try:
            return target.probe(step, self.client) is not None
        except NoLonger:
            return False

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        """Those of the items that they take back."""
        wanted = select(SyncItem.id, SyncOutcome.item_id).join(SyncOutcome, SyncOutcome.id == SyncItem.subject_id)
        undone = {undo: item_id for undo, item_id in db.session.execute(wanted.where(SyncItem.id.in_(item_ids)))}  # noqa: C416 - rows
        items: dict[str, list[UUID]] = {}
        for kind, item_id in db.session.execute(select(SyncItem.kind, SyncItem.id).where(SyncItem.id.in_(undone.values()))):
            items.setdefault(kind, []).append(item_id)
        marks = {item_id: found for kind, ids in items.items() for item_id, found in UNDONE[kind].marks_of(ids).items()}
        return {undo: marks.get(item_id, frozenset()) for undo, item_id in undone.items()}


def _wait_while_on_its_way(outcome_id: UUID) -> None:
    """What is being sent at this moment comes to rest first, since then it is known what there is to take back."""
    of_outcome = select(SyncOutcome.item_id).where(SyncOutcome.id == outcome_id).scalar_subquery()
    on = select(SyncRun.id).where(SyncRun.state.in_((RUNNING, STOPPING)))
    sent = select(SyncItem.id).where(SyncItem.id == of_outcome, SyncItem.state.in_(OPEN_STATES), SyncItem.run_id.in_(on))
    if db.session.scalar(sent) is not None:
        raise Later(now() + timedelta(seconds=30), ON_ITS_WAY)


def _store(hold: Hold, steps: Sequence[PlannedStep]) -> None:
    with held(hold) as item:
        begun = SyncStep.state.in_((INTENT, DONE))
        db.session.execute(delete(SyncStep).where(SyncStep.item_id == item.id, ~begun))
        there = {(row.kind, row.natural_key) for row in db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id))}
        for position, step in enumerate(steps, start=1):
            if (step.kind, step.natural_key) not in there:
                row = row_of(step, item, position)
                row.remote_id = step.body["record"] if row.state == PLANNED else None
                db.session.add(row)
        item.planned_at = now()


def _done_steps(item_id: UUID) -> list[Step]:
    rows = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item_id, SyncStep.state == DONE)).all()
    steps = [Step(row.id, row.kind, row.natural_key, json.loads(row.body or "{}"), row.state, None, 0) for row in rows]
    end_reading()
    return steps


def _how_it_went(steps: Sequence[SyncStep]) -> tuple[str, str, str | None]:
    refused = [f"Planning Center did not let us take back {step.label}: {step.problem}" for step in steps if step.state == REFUSED]
    if refused:
        return FAILED, FAILED, " ".join(refused)
    kept = [f"{step.label} is kept. {step.problem}" for step in steps if step.state == LEFT_OUT]
    taken = any(step.state == DONE for step in steps)
    return SYNCED, UPDATED if taken else SKIPPED, " ".join(kept) or None


def _give_back(undo: SyncItem) -> None:
    """What was taken back needs somebody, unless it is a card that is somebody else's since, and stays with them."""
    outcome, item = db.session.get_one(SyncOutcome, undo.subject_id), undone_item(undo)
    if any(step.run_id == outcome.run_id and step.written_to is None for step in item.steps):
        give_back(item, started_by(undo))
