"""The cards and records that came to rest in a run, as its page lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connectcard.database import db
from connectcard.sync import cards_in_sync, families, push_board
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.histories import words_of_outcome
from connectcard.sync.models import CARD, DONE, FAILED, REVIEW, UNDO, SyncItem, SyncOutcome, SyncRun

ROWS_SHOWN = 100


@dataclass(frozen=True)
class RunRow:
    """A card or record that came to rest in a run. `address` is its own page; `mend` where staff see to it, with the words for that.

    `written` are the labels of what this run wrote.
    """

    outcome: SyncOutcome
    item: SyncItem
    name: str
    address: str
    words: str
    written: Sequence[str]
    mend: tuple[str, str] | None


def rows_of(run: SyncRun, outcomes: Sequence[str]) -> list[RunRow]:
    """What came to rest so in a run, the last one first; the rows of an undo are shown in a manner of their own."""
    wanted = select(SyncOutcome, SyncItem).join(SyncItem, SyncItem.id == SyncOutcome.item_id).options(selectinload(SyncItem.steps))
    here = wanted.where(SyncOutcome.run_id == run.id, SyncOutcome.outcome.in_(outcomes), SyncItem.kind != UNDO)
    found = db.session.execute(here.order_by(SyncOutcome.at.desc(), SyncOutcome.id).limit(ROWS_SHOWN)).all()
    cards = cards_in_sync.cards_of_items([item.id for _, item in found if item.kind == CARD])
    rows = (_row(outcome, item, run, cards) for outcome, item in found)
    return [row for row in rows if row is not None]


def _row(outcome: SyncOutcome, item: SyncItem, run: SyncRun, cards: Mapping[UUID, CardInSync]) -> RunRow | None:
    if item.kind == CARD:
        card = cards.get(item.id)
        named = (f"{card.submission.first_name} {card.submission.last_name}", _card_page(card), _mend_card(card)) if card else None
    else:
        page = url_for("push_records.record", item_id=item.id)
        words = {FAILED: "Look and retry", REVIEW: "Decide"}.get(item.state)
        named = (push_board.about(item.kind, item.about) or "Somebody", page, (page, words) if words else None)
    if named is None:
        return None
    names = push_board.names_written(item)
    steps = [step for step in item.steps if step.state == DONE and step.run_id == run.id and not step.found]
    written = [families.named(step.label, step.member, names) for step in steps]
    name, address, mend = named
    return RunRow(outcome, item, name, address, words_of_outcome(item.kind, outcome.outcome), written, mend)


def _card_page(card: CardInSync) -> str:
    return url_for("inbox.card", submission_id=card.submission.id)


def _mend_card(card: CardInSync) -> tuple[str, str] | None:
    if card.standing == FAILED:
        return url_for("inbox.correct", submission_id=card.submission.id), "Fix and retry"
    return (_card_page(card), "Decide") if card.standing == REVIEW else None
