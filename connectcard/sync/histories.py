"""What happened to a card, in order: came in, corrected, decided, sent, and what each run made of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import aliased

from connectcard.cards.in_words import FIELD_LABELS
from connectcard.cards.models import Submission
from connectcard.cards.queries import corrections_of
from connectcard.database import db
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.models import (
    BEGUN,
    CARD,
    CREATED,
    DONE,
    FAILED,
    NEEDS_YOU,
    REFUSED,
    SKIPPED,
    UNDO,
    UPDATED,
    SyncItem,
    SyncOutcome,
    SyncRun,
)

OUTCOME_WORDS = {
    CREATED: "Added to Planning Center as a new person",
    UPDATED: "Added to a person who was there",
    SKIPPED: "Everything was there already",
    NEEDS_YOU: "Left for you to decide",
    FAILED: "Not accepted by Planning Center",
    BEGUN: "Begun, and stopped before everything was written",
}
# The same of a record of our own directory, whatever it is.
OF_RECORDS = {CREATED: "Added to Planning Center", UPDATED: "Changed in Planning Center"}


def words_of_outcome(kind: str, outcome: str) -> str:
    """How an item of this kind fared, in words."""
    return OUTCOME_WORDS[outcome] if kind == CARD else OF_RECORDS.get(outcome, OUTCOME_WORDS[outcome])


@dataclass(frozen=True)
class Event:
    """One thing that happened; `run` is the number of the sync it happened in."""

    at: datetime
    words: str
    run: int | None = None


def history(card: CardInSync) -> list[Event]:
    """Everything that happened to a card, oldest first."""
    events = [Event(card.submission.received_at, "Came in"), *_corrected(card.submission)]
    return _in_order([*events, *(_events_of(card.item) if card.item else [])])


def history_of_record(item: SyncItem) -> list[Event]:
    """Everything that happened to a record of our directory on its way, oldest first."""
    return _in_order(_events_of(item))


def _events_of(item: SyncItem) -> list[Event]:
    of_item = (_approved, _moved, _written, _came_to_rest, _done_by_hand, _taken_back)
    return [event for told in of_item for event in told(item)]


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.at)


def _corrected(submission: Submission) -> list[Event]:
    return [
        Event(correction.corrected_at, f"{FIELD_LABELS.get(correction.field, correction.field)} corrected by {correction.member_name}")
        for correction in corrections_of(submission)
    ]


def _approved(item: SyncItem) -> list[Event]:
    if not item.approval:
        return []
    left_out = len(item.approval["left_out"])
    less = f", {left_out} change{'' if left_out == 1 else 's'} left out" if left_out else ""
    return [Event(datetime.fromisoformat(item.approval["at"]), f"Approved by {item.approval['by']}{less}")]


def _moved(item: SyncItem) -> list[Event]:
    merged = "This person was merged with another one in Planning Center; the card belongs to the one that was kept"
    return [
        Event(datetime.fromisoformat(move["at"]), merged if move["to"] else "This person was deleted in Planning Center")
        for move in item.moves or []
    ]


def _written(item: SyncItem) -> list[Event]:
    return [
        Event(
            step.done_at,
            f"{step.label}: {'was there already' if step.found else 'written'}" if step.state == DONE else f"{step.label}: not accepted",
        )
        for step in item.steps
        if step.done_at and step.state in (DONE, REFUSED)
    ]


def _done_by_hand(item: SyncItem) -> list[Event]:
    return [Event(item.to_do_done_at, f"Done by hand, says {item.to_do_done_by}")] if item.to_do_done_at else []


def _came_to_rest(item: SyncItem) -> list[Event]:
    rows = db.session.execute(
        select(SyncOutcome, SyncRun.number).join(SyncRun, SyncRun.id == SyncOutcome.run_id).where(SyncOutcome.item_id == item.id)
    )
    return [Event(outcome.at, words_of_outcome(item.kind, outcome.outcome), number) for outcome, number in rows]


def _taken_back(item: SyncItem) -> list[Event]:
    fared, undo = aliased(SyncOutcome), aliased(SyncItem)
    rows = (
        select(SyncOutcome.at, SyncRun.number, SyncRun.started_by)
        .join(undo, undo.id == SyncOutcome.item_id)
        .join(fared, fared.id == undo.subject_id)
        .join(SyncRun, SyncRun.id == SyncOutcome.run_id)
        .where(undo.kind == UNDO, fared.item_id == item.id, SyncOutcome.outcome == UPDATED)
    )
    return [Event(at, f"Taken back by {by}", number) for at, number, by in db.session.execute(rows)]
