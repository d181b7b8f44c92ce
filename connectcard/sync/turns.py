"""Whose turn it is: the due cards of a church in their order, and the marks by which two of them may be one person. Never writes."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, or_, select

from connectcard.cards.in_words import opened_family
from connectcard.cards.models import Submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, current_church_id
from connectcard.clock import now
from connectcard.crypto import CannotOpen
from connectcard.database import db
from connectcard.people.identity import base_email, name_key, name_keys
from connectcard.sync.families import members_of
from connectcard.sync.holds import due
from connectcard.sync.models import CLAIMED, INTENT, OPEN_STATES, PLANNED, RUNNING, SyncItem, SyncRun, SyncStep
from connectcard.sync.plans import CREATE_PERSON

# Cards looked at in one go: enough to find some that share no mark with those in hand.
CARDS_IN_VIEW = 100
NAMES_AND_CONTACTS = ("first_name", "last_name", "email", "phone")


def free_cards(church_id: UUID) -> list[tuple[UUID, frozenset[str]]]:
    """The due cards, visitors of today first and then the oldest, each with the marks by which it may be the same person as another card.

    A card whose marks another one has that is in hand, whose write is still unclear, or that is about to make people, waits for that
    one: only then can it find them there. Such a card itself always goes on.
    """
    with church_scope(church_id):
        on = select(SyncRun.id).where(SyncRun.state == RUNNING)
        of_item = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id)
        about_to_make = and_(SyncItem.run_id.in_(on), of_item.where(SyncStep.kind == CREATE_PERSON, SyncStep.state == PLANNED))
        unclear = or_(of_item.where(SyncStep.state == INTENT), about_to_make)
        in_hand = and_(SyncItem.state == CLAIMED, SyncItem.lease_until >= now())
        busy = dict(_marked(select(*_MARKED).where(or_(in_hand, and_(SyncItem.state.in_(OPEN_STATES), unclear)))))
        earlier = Submission.received_at < _this_morning()
        wanted = select(*_MARKED).where(due(now()), SyncItem.run_id.in_(on)).order_by(earlier, SyncItem.due_at, Submission.received_at)
        cards = _marked(wanted.limit(CARDS_IN_VIEW))
    return [
        (item_id, marks)
        for item_id, marks in cards
        if item_id in busy or not any(marks & theirs for other_id, theirs in busy.items() if other_id != item_id)
    ]


def _this_morning() -> datetime:
    """When the church's day began."""
    church = db.session.scalars(select(Church).where(Church.id == current_church_id())).one()
    return now().astimezone(ZoneInfo(church.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)


_MARKED = (SyncItem.id, Submission.id.label("submission_id"), *(getattr(Submission, name) for name in NAMES_AND_CONTACTS))


def _marked(wanted: Any) -> list[tuple[UUID, frozenset[str]]]:
    rows = db.session.execute(wanted.join(Submission, Submission.id == SyncItem.submission_id)).all()
    families = _family_marks([row.submission_id for row in rows])
    return [
        (row.id, shared_marks(row.first_name, row.last_name, row.email, row.phone) | families.get(row.submission_id, frozenset()))
        for row in rows
    ]


def _family_marks(submission_ids: list[UUID]) -> dict[UUID, frozenset[str]]:
    """The names of the visitors' families: the other parent's card may be on its way too."""
    given = select(Submission).where(Submission.id.in_(submission_ids), Submission.family_sealed.is_not(None))
    return {submission.id: _names_in_family(submission) for submission in db.session.scalars(given)}


def _names_in_family(submission: Submission) -> frozenset[str]:
    try:
        family = opened_family(submission.family)
    except CannotOpen:
        # The card itself says so when it is its turn; the others go on.
        return frozenset()
    return frozenset(name_key(one.first_name, one.last_name) for one in members_of(family, submission.last_name, int))


def shared_marks(first_name: str, last_name: str, email: str, phone: str) -> frozenset[str]:
    """By what two cards may be one person: mailbox, the end of the phone number, name in all its forms."""
    digits = "".join(filter(str.isdigit, phone))[-7:]
    return frozenset(filter(None, (base_email(email), digits, *name_keys(first_name, last_name))))
