"""A sync without its writes: a worker looks, decides and plans, and keeps the plan as a preview. Reads from Planning Center only."""

from uuid import UUID

import structlog
from sqlalchemy import select

from connectcard.cards.queries import get_submission
from connectcard.database import db, end_reading, transaction
from connectcard.people.matching import UNCLEAR
from connectcard.planning_center import Client
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync.approvals import fingerprint_of
from connectcard.sync.models import SyncItem, SyncPreview
from connectcard.sync.plans import Plan
from connectcard.sync.previews import contents_of, keep_preview
from connectcard.sync.steps import PersonGone
from connectcard.sync.visitors import card_at_hand, card_before_sync, decide_who, decision_row, plan_for

log = structlog.get_logger()

AT_A_TIME = 20


def make_previews(client: Client) -> int:
    """Work out the previews that were asked for, and say how many."""
    wanted = select(SyncPreview.submission_id).where(SyncPreview.made_at.is_(None)).order_by(SyncPreview.wanted_at).limit(AT_A_TIME)
    submission_ids = list(db.session.scalars(wanted))
    for submission_id in submission_ids:
        _rehearse(submission_id, client)
    end_reading()
    return len(submission_ids)


def _rehearse(submission_id: UUID, client: Client) -> None:
    try:
        contents, problem = _found_for(submission_id, client), None
    except PersonGone:
        contents, problem = None, "The person this card belongs to was deleted in Planning Center."
    except PlanningCenterError:
        contents, problem = None, "Planning Center cannot be reached right now. Try again in a minute."
    except Exception:
        # One odd card must not keep the others from being looked at.
        log.exception("preview_failed", submission_id=str(submission_id))
        contents, problem = None, "Something went wrong on our side. Nothing was written; look again."
    end_reading()
    with transaction():
        keep_preview(submission_id, contents, problem)


def _found_for(submission_id: UUID, client: Client) -> dict[str, object]:
    item_id = db.session.scalar(select(SyncItem.id).where(SyncItem.submission_id == submission_id))
    card = card_at_hand(item_id) if item_id else card_before_sync(get_submission(submission_id))
    decision, person = decide_who(card, client)
    planned = Plan(()) if decision.kind == UNCLEAR else plan_for(card, person, client)
    return contents_of(decision_row(decision), planned, card.wanted.problems, fingerprint_of(decision, planned, card.name_mark_key))
