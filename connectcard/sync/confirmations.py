"""Submissions of a form that wait until the visitor has confirmed them by e-mail: looked at again, less and less often."""

import json
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, func, select

from connectcard.clock import now
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Gone, PlanningCenterError
from connectcard.planning_center.resources import people
from connectcard.sync import forms
from connectcard.sync.models import DONE, SyncRun, SyncStep

log = structlog.get_logger()

FIRST_LOOK, LATER_LOOKS, LAST_LOOK = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
AT_A_TIME = 20


def awaited() -> ColumnElement[bool]:
    """The steps that wait for a visitor."""
    return (SyncStep.state == DONE) & (SyncStep.problem == forms.AWAITS)


def count(run: SyncRun) -> int:
    """How many cards of a run wait for their visitor's confirmation."""
    return db.session.scalar(select(func.count(SyncStep.id)).where(SyncStep.run_id == run.id, awaited())) or 0


_DUE = select(SyncStep).where(SyncStep.look_again_at <= bindparam("moment"), awaited()).limit(AT_A_TIME)


def look_again(client: Client) -> int:
    """Ask for those that are due whether they were confirmed, and say how many were asked for. For the worker; reads only."""
    due = db.session.scalars(_DUE, {"moment": now()})
    waiting = [(step.id, str(step.remote_id), json.loads(step.body or "{}").get("parent")) for step in due]
    end_reading()
    for step_id, submission, form in waiting:
        _look(step_id, submission, form, client)
    return len(waiting)


def _look(step_id: UUID, submission: str, form: str | None, client: Client) -> None:
    """Of a submission that is gone there, or of a card that was erased here, nothing is waited for any more."""
    try:
        confirmed = form is None or client.get(people.FORM_SUBMISSION, submission, parent_id=form)["verified"] is not False
    except Gone:
        confirmed = True
    except PlanningCenterError as error:
        log.info("confirmation_unknown", step_id=str(step_id), error=type(error).__name__)
        confirmed = False
    with transaction() as session:
        step = session.scalars(select(SyncStep).where(SyncStep.id == step_id)).one()
        if confirmed:
            step.problem, step.look_again_at, step.confirmed_at = None, None, now()
            step.item.reason = (step.item.reason or "").replace(forms.AWAITS, "").strip() or None
        else:
            step.look_again_at = now() + LATER_LOOKS if step.done_at and now() < step.done_at + LAST_LOOK else None
