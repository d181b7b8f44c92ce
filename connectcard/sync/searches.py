"""Staff look for somebody whom matching did not find: a page asks, a worker looks, and the people found join the candidates."""

from uuid import UUID

import structlog
from sqlalchemy import select

from connectcard.churches.queries import get_church
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused
from connectcard.people.matching import Comparison, compare
from connectcard.planning_center import Client
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync.looking import people_called
from connectcard.sync.models import FAILED, REVIEW, SYNCED, SyncItem
from connectcard.sync.plans import shown
from connectcard.sync.visitors import card_at_hand

log = structlog.get_logger()

SHORTEST, LONGEST = 3, 100
MOST_FOUND = 10


def want_search(item: SyncItem | None, text: str) -> None:
    """Ask a worker to look for this name, e-mail address or number. Inside `transaction()`; the caller rings the bell."""
    words = " ".join(text.split())[:LONGEST]
    if len(words) < SHORTEST:
        raise ChangeRefused("Write a name, an email or a number to look for.")
    if item is None or item.state not in (REVIEW, FAILED, SYNCED):
        raise ChangeRefused("This card is on its way to Planning Center. Look again when it has come to rest.")
    item.search_wanted, item.search_answer = words, None
    db.session.flush()


_WANTED = select(SyncItem.id, SyncItem.search_wanted).where(SyncItem.search_wanted.is_not(None))


def answer_searches(client: Client) -> int:
    """Look for whom staff asked for, and say how many searches there were. For the worker; reads from Planning Center only."""
    wanted = db.session.execute(_WANTED).all()
    end_reading()
    for item_id, text in wanted:
        _answer(item_id, str(text), client)
    return len(wanted)


def _answer(item_id: UUID, text: str, client: Client) -> None:
    found: list[Comparison] = []
    try:
        found = _look(item_id, text, client)
        words = f"{len(found)} found for “{text}”." if found else f"Nobody was found for “{text}”."
    except PlanningCenterError as error:
        log.info("search_failed", item_id=str(item_id), error=type(error).__name__)
        words = "Planning Center cannot be reached right now. Search again in a minute."
    end_reading()
    with transaction() as session:
        item = session.scalars(select(SyncItem).where(SyncItem.id == item_id).with_for_update()).one()
        if item.search_wanted == text:
            item.search_wanted, item.search_answer = None, words
            item.decision = {**(item.decision or {}), "candidates": _joined(item, found)}


def _look(item_id: UUID, text: str, client: Client) -> list[Comparison]:
    card, country = card_at_hand(item_id), get_church().country_code or "US"
    end_reading()
    return [compare(card.wanted.visitor, candidate) for candidate in people_called(text, country, client)[:MOST_FOUND]]


def _joined(item: SyncItem, found: list[Comparison]) -> list[dict[str, object]]:
    """The candidates with those who were found in front; who was there already keeps the place of a candidate."""
    known = list((item.decision or {}).get("candidates", []))
    new = {row.candidate.remote_id: {**shown(row), "searched": True} for row in found}
    return [*new.values(), *(candidate for candidate in known if candidate["remote_id"] not in new)]
