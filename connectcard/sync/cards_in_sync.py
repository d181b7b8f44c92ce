"""The church's cards and how far each has come: what the inbox lists, counts, searches and exports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, tuple_

from connectcard.cards.models import ERASED, QUARANTINED, Submission
from connectcard.cards.models import IGNORED as CARD_IGNORED
from connectcard.cards.queries import search_words
from connectcard.database import db
from connectcard.errors import NotFound
from connectcard.sync import to_dos
from connectcard.sync.models import CLAIMED, FAILED, IGNORED, PENDING, REVIEW, RUNNING, STOPPING, SYNCED, WAITING, SyncItem, SyncRun

NEW, READY, SENDING, SUSPECTED = "new", "ready", "sending", "suspected"
# It has arrived, and something is left for staff to do in Planning Center themselves.
TO_DO = "to_do"
STANDINGS = (NEW, READY, SENDING, WAITING, REVIEW, FAILED, TO_DO, SYNCED, SUSPECTED, IGNORED)
ARRIVED = (SYNCED, TO_DO)
NEEDS_YOU, ALL = "needs_you", "all"
TABS = {NEEDS_YOU: (REVIEW, FAILED, TO_DO), READY: (NEW, READY), SYNCED: ARRIVED, ALL: STANDINGS}
PAGE_ROWS = 50
BATCH_ROWS = 500

# The one place that says how far a card has come; rows, filters and counts all use it.
_in_a_run = SyncRun.state.in_((RUNNING, STOPPING))
STANDING = case(
    (Submission.state == QUARANTINED, SUSPECTED),
    (or_(Submission.state == CARD_IGNORED, SyncItem.state == IGNORED), IGNORED),
    (SyncItem.id.is_(None), NEW),
    (or_(SyncItem.state == CLAIMED, and_(SyncItem.state == PENDING, _in_a_run)), SENDING),
    (and_(SyncItem.state.in_((PENDING, WAITING)), ~_in_a_run), READY),
    (and_(SyncItem.state == SYNCED, to_dos.OPEN), TO_DO),
    else_=SyncItem.state,
)


@dataclass(frozen=True)
class CardInSync:
    """A card with its item, where one exists, and its standing: one of STANDINGS."""

    submission: Submission
    item: SyncItem | None
    standing: str


@dataclass(frozen=True)
class Wish:
    """Which cards somebody wants to see. `day` is a day of the church; `text` is a name, an e-mail or digits of a number."""

    tab: str = ALL
    standing: str = ""
    day: date | None = None
    text: str = ""
    page: int = 1

    @property
    def standings(self) -> tuple[str, ...]:
        return (self.standing,) if self.standing else TABS[self.tab]

    @property
    def narrowed(self) -> bool:
        return bool(self.standing or self.day or self.text)


@dataclass(frozen=True)
class Inbox:
    """One page of cards, newest first."""

    cards: Sequence[CardInSync]
    total: int
    page: int
    pages: int


def inbox(wish: Wish, time_zone: str) -> Inbox:
    """The cards somebody wants to see, PAGE_ROWS at a time."""
    wanted = _matching(wish, time_zone)
    total = db.session.scalar(wanted.with_only_columns(func.count(Submission.id))) or 0
    pages = max(1, ceil(total / PAGE_ROWS))
    page = min(max(1, wish.page), pages)
    rows = db.session.execute(_newest_first(wanted).limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS))
    return Inbox([_card(row) for row in rows], total, page, pages)


def counts() -> dict[str, int]:
    """How many cards stand where, for each of STANDINGS and each of TABS."""
    grouped = _cards().with_only_columns(STANDING.label("standing"), func.count(Submission.id)).group_by("standing")
    standing = dict.fromkeys(STANDINGS, 0) | {row[0]: int(row[1]) for row in db.session.execute(grouped)}
    return standing | {tab: sum(standing[key] for key in keys) for tab, keys in TABS.items()}


def in_batches(wish: Wish, time_zone: str, after: tuple[datetime, UUID] | None = None) -> list[CardInSync]:
    """The next BATCH_ROWS cards for an export; `after` is the (received_at, id) of the last one before."""
    wanted = _newest_first(_matching(wish, time_zone)).limit(BATCH_ROWS)
    if after:
        wanted = wanted.where(tuple_(Submission.received_at, Submission.id) < after)
    return [_card(row) for row in db.session.execute(wanted)]


def get_card(submission_id: UUID) -> CardInSync:
    """One card of this church; raises NotFound for none, an erased one and another church's alike."""
    row = db.session.execute(_cards().where(Submission.id == submission_id)).first()
    if row is None:
        raise NotFound("There is no such card. It may have been erased.")
    return _card(row)


def cards_of(submission_ids: Sequence[UUID]) -> dict[UUID, CardInSync]:
    """These cards, by the ids of their submissions."""
    return {row[0].id: _card(row) for row in db.session.execute(_cards().where(Submission.id.in_(submission_ids)))}


def cards_of_items(item_ids: Sequence[UUID]) -> dict[UUID, CardInSync]:
    """The cards of these items, by the items' ids."""
    return {row[1].id: _card(row) for row in db.session.execute(_cards().where(SyncItem.id.in_(item_ids)))}


def _cards() -> Select[Any]:
    return (
        select(Submission, SyncItem, STANDING.label("standing"))
        .outerjoin(SyncItem, SyncItem.submission_id == Submission.id)
        .outerjoin(SyncRun, SyncRun.id == SyncItem.run_id)
        .where(Submission.state != ERASED)
    )


def _card(row: Any) -> CardInSync:
    submission, item, standing = row
    return CardInSync(submission, item, standing)


def _newest_first(wanted: Select[Any]) -> Select[Any]:
    return wanted.order_by(Submission.received_at.desc(), Submission.id.desc())


def _matching(wish: Wish, time_zone: str) -> Select[Any]:
    wanted = _cards()
    if wish.standings != STANDINGS:
        wanted = wanted.where(STANDING.in_(wish.standings))
    if wish.day:
        begin, end = day_of(wish.day, time_zone)
        wanted = wanted.where(Submission.received_at >= begin, Submission.received_at < end)
    return wanted.where(*_containing(wish.text))


def _containing(text: str) -> Iterator[ColumnElement[bool]]:
    return (Submission.search_text.contains(word, autoescape=True) for word in search_words(text))


def day_of(day: date, time_zone: str) -> tuple[datetime, datetime]:
    """The two moments between which it is this day in the church."""
    zone = ZoneInfo(time_zone)
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)
