"""What happened to somebody of the directory: cards that reached them, syncs, merges, changes made here, and what both sides changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from connectcard.cards.models import Submission
from connectcard.database import db
from connectcard.people.contact_changes import HISTORY_WORDS, history_of
from connectcard.people.contacts import field_words
from connectcard.people.models import Conflict, Person
from connectcard.people.own_details import WORDS, edits_of
from connectcard.sync.histories import OUTCOME_WORDS
from connectcard.sync.models import SyncItem, SyncOutcome, SyncRun


@dataclass(frozen=True)
class Happened:
    """One thing that happened; `card` is the submission it is about, `run` the number of the sync it happened in."""

    at: datetime
    words: str
    card: UUID | None = None
    run: int | None = None


def history(person: Person) -> list[Happened]:
    """Everything, the newest first."""
    happened = [*_known(person), *_cards(person), *_edits(person), *_conflicts(person.id)]
    return sorted(happened, key=lambda one: one.at, reverse=True)


def _known(person: Person) -> list[Happened]:
    found = [Happened(person.created_at, "Came into your directory")]
    if person.gone_at and person.merged_into:
        found.append(Happened(person.gone_at, "Was merged into another person in Planning Center"))
    elif person.gone_at:
        found.append(Happened(person.gone_at, "Was no longer in Planning Center"))
    return found


def _cards(person: Person) -> list[Happened]:
    """Their cards, whether Planning Center has them under this person now or had once."""
    if person.remote_id is None:
        return []
    items = list(db.session.scalars(select(SyncItem).where(SyncItem.person_remote_id == person.remote_id)))
    sent = _outcomes(items)
    cards = {item.id: item.submission_id for item in items}
    received = select(Submission).where(Submission.id.in_([card for card in cards.values() if card]))
    came_in = [Happened(card.received_at, "Filled in a card", card.id) for card in db.session.scalars(received)]
    return came_in + sent + [moved for item in items for moved in _moves(item)]


def _outcomes(items: Sequence[SyncItem]) -> list[Happened]:
    cards = {item.id: item.submission_id for item in items}
    rows = db.session.execute(
        select(SyncOutcome, SyncRun.number).join(SyncRun, SyncRun.id == SyncOutcome.run_id).where(SyncOutcome.item_id.in_(cards))
    )
    return [Happened(row.at, OUTCOME_WORDS.get(row.outcome, row.outcome), cards[row.item_id], number) for row, number in rows]


def _moves(item: SyncItem) -> list[Happened]:
    words = "A card came here from a person who was merged into this one"
    return [Happened(datetime.fromisoformat(move["at"]), words, item.submission_id) for move in item.moves or [] if move["to"]]


def _edits(person: Person) -> list[Happened]:
    changed = [Happened(edit.changed_at, f"{WORDS.get(edit.field, edit.field)} changed by {edit.changed_by}") for edit in edits_of(person)]
    here = [
        Happened(datetime.fromisoformat(edit["at"]), f"{field.replace('_', ' ').capitalize()} changed here by {edit['by']}")
        for field, edit in (person.edits or {}).items()
    ]
    contacts = [Happened(edit.changed_at, f"{HISTORY_WORDS[edit.field]} by {edit.changed_by}") for edit in history_of(person)]
    return changed + here + contacts


def _conflicts(subject_id: UUID) -> list[Happened]:
    found: list[Happened] = []
    for conflict in db.session.scalars(select(Conflict).where(Conflict.subject_id == subject_id)):
        field = field_words(conflict.field).replace("_", " ").lower()
        found.append(Happened(conflict.found_at, f"Changed on both sides: {field}"))
        if conflict.decided_at:
            kept = "ours was kept" if conflict.decision == "ours" else "Planning Center’s was taken"
            found.append(Happened(conflict.decided_at, f"{field.capitalize()} decided by {conflict.decided_by}: {kept}"))
    return found
