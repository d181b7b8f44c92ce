"""Erases what a church no longer needs: cards some time after they were synced or ignored, prayers sooner, old previews.

A card that still waits for a sync or for a person is never erased: nothing of it would be left anywhere.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, delete, exists, or_, select, update

from connectcard.cards.models import ERASED, IGNORED, Submission
from connectcard.cards.retention import erase_card, forget_prayer
from connectcard.churches.models import Church
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.sync import plans, to_dos
from connectcard.sync.models import DONE, INTENT, LEFT_OUT, PLANNED, SYNCED, SyncItem, SyncOutcome, SyncPreview, SyncStep
from connectcard.sync.models import IGNORED as SET_ASIDE
from connectcard.sync.steps import FORGOTTEN, PERHAPS_RENAMED

CARDS_AT_ONCE = 200
KEPT_PREVIEWS = timedelta(days=7)
WITHOUT_PRAYER = (
    *(plans.CREATE_PERSON, plans.REACTIVATE, plans.UPDATE_PERSON, plans.ADD_EMAIL, plans.ADD_PHONE, plans.ADD_ADDRESS),
    *(plans.ADD_WORKFLOW_CARD, plans.ADD_TO_GROUP, plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER),
)


def erase_expired(church: Church) -> tuple[int, int]:
    """Erase what is older than the church's own settings; returns how many prayers and how many cards. In the church's scope."""
    prayers = and_(Submission.prayer_sealed.is_not(None), _at_rest_for(church.keep_prayers_days))
    over = or_(SyncItem.id.is_(None), ~to_dos.OPEN)
    cards = and_(Submission.state != ERASED, over, _at_rest_for(church.keep_cards_days))
    _erase_old_previews()
    return _in_batches(prayers, _forget_prayers), _in_batches(cards, _erase_cards)


def _erase_old_previews() -> None:
    """Nobody approves any more what was looked up so long ago; those of cards go with their cards."""
    with transaction() as session:
        of_records = SyncPreview.submission_id.is_(None), SyncPreview.made_at <= now() - KEPT_PREVIEWS
        session.execute(delete(SyncPreview).where(*of_records), execution_options={"synchronize_session": False})


def _at_rest_for(days: int) -> ColumnElement[bool]:
    """A card that was synced, or that came in and was ignored, so many days ago."""
    until = now() - timedelta(days=days)
    synced = and_(SyncItem.state == SYNCED, SyncItem.synced_at <= until)
    return or_(synced, and_(Submission.state == IGNORED, Submission.received_at <= until))


def _in_batches(expired: ColumnElement[bool], erase: Callable[[Sequence[Submission]], None]) -> int:
    erased = 0
    rows = select(Submission).outerjoin(SyncItem, SyncItem.submission_id == Submission.id).where(expired).limit(CARDS_AT_ONCE)
    while True:
        with transaction() as session:
            found = session.scalars(rows).all()
            erase(found)
        erased += len(found)
        if len(found) < CARDS_AT_ONCE:
            return erased


def _forget_prayers(submissions: Sequence[Submission]) -> None:
    """What was sent holds the prayer as well. What is still to be sent of an ignored card, and holds none, stays with the card."""
    for submission in submissions:
        forget_prayer(submission)
    items, unseen = _items_of(submissions), {"synchronize_session": False}
    nothing = {"body_sealed": None, "before_sealed": None, "after_sealed": None}
    forgotten = SyncStep.item_id.in_(items), or_(SyncStep.state == DONE, SyncStep.kind.not_in(WITHOUT_PRAYER))
    db.session.execute(update(SyncStep).where(*forgotten).values(nothing), execution_options=unseen)
    why = case((and_(SyncStep.kind == plans.SUBMIT_FORM_NEW, SyncStep.state == INTENT), PERHAPS_RENAMED), else_=FORGOTTEN)
    still_open = update(SyncStep).where(*forgotten, SyncStep.state.in_((PLANNED, INTENT)))
    db.session.execute(still_open.values(state=LEFT_OUT, problem=why, done_at=now()), execution_options=unseen)
    _plan_anew(items)


def _plan_anew(items: Sequence[object]) -> None:
    """Of a card that is brought back all is planned again, unless a write is unclear: then the rest of its plan goes on."""
    unclear = exists().where(SyncStep.church_id == SyncItem.church_id, SyncStep.item_id == SyncItem.id, SyncStep.state == INTENT)
    ignored = update(SyncItem).where(SyncItem.id.in_(items), SyncItem.state == SET_ASIDE, ~unclear)
    db.session.execute(ignored.values(planned_at=None), execution_options={"synchronize_session": False})


def _erase_cards(submissions: Sequence[Submission]) -> None:
    """The item stays, with the person it reached; what names the visitor goes."""
    for submission in submissions:
        erase_card(submission)
    items = _items_of(submissions)
    unseen = {"synchronize_session": False}
    db.session.execute(delete(SyncStep).where(SyncStep.item_id.in_(items)), execution_options=unseen)
    db.session.execute(update(SyncOutcome).where(SyncOutcome.item_id.in_(items)).values(reason=None), execution_options=unseen)
    db.session.execute(
        update(SyncItem).where(SyncItem.id.in_(items)).values(decision=None, approval=None, reason=None), execution_options=unseen
    )
    previews = delete(SyncPreview).where(SyncPreview.submission_id.in_([submission.id for submission in submissions]))
    db.session.execute(previews, execution_options=unseen)


def _items_of(submissions: Sequence[Submission]) -> list[object]:
    """The items of these cards, and those that took them back."""
    of = SyncItem.submission_id.in_([submission.id for submission in submissions])
    cards = select(SyncItem.id).where(of)
    undone = select(SyncOutcome.id).where(SyncOutcome.item_id.in_(cards))
    return list(db.session.scalars(select(SyncItem.id).where(or_(of, SyncItem.subject_id.in_(undone)))))
