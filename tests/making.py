"""Cards that came in and how far they have come, made without the long way through a visitor and a worker."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select

from connectcard.cards.models import Card, Submission
from connectcard.cards.operations import ensure_default_card, submit_card
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.sync.models import DONE, RUNNING, SYNCED, SyncItem, SyncOutcome, SyncRun, SyncStep

ANA = {"first_name": "Ana", "last_name": "Lopez", "email": "ana.lopez@gmail.com", "phone": "(512) 555-0177", "visit": "first_time"}


def a_card(church_id: UUID, came_from: str = "tablet", minutes_ago: float = 0, suspicion: str | None = None, **answers: Any) -> UUID:
    """A card that a visitor sent; gives the id of the submission."""
    with church_scope(church_id), transaction() as session:
        church = session.scalars(select(Church).where(Church.id == church_id)).one()
        card: Card = ensure_default_card(church)
        form = {**ANA, "submission_key": str(uuid4()), **answers}
        submission_id = submit_card(card, form, language="en", came_from=came_from, suspicion=suspicion).submission_id
        session.get_one(Submission, submission_id).received_at = now() - timedelta(minutes=minutes_ago)
        return submission_id


def a_run(church_id: UUID, state: str = RUNNING, **values: Any) -> UUID:
    """A press of Sync; gives the id of the run."""
    with church_scope(church_id), transaction() as session:
        number = (session.scalar(select(func.max(SyncRun.number))) or 0) + 1
        run = SyncRun(**{"number": number, "started_by": "Sam Hill", "state": state} | values)
        session.add(run)
        return run.id


def an_item(
    church_id: UUID, submission_id: UUID, state: str, run_id: UUID | None = None, outcome: str | None = None, **values: Any
) -> UUID:
    """How far a card has come; gives the id of the item."""
    run_id = run_id or a_run(church_id, "finished", finished_at=now())
    with church_scope(church_id), transaction() as session:
        item = SyncItem(submission_id=submission_id, run_id=run_id, state=state, reference=f"CC-{uuid4().hex[:8]}", **values)
        session.add(item)
        session.flush()
        if state == SYNCED:
            item.synced_at = item.synced_at or now()
        if outcome:
            session.add(SyncOutcome(run_id=run_id, item_id=item.id, outcome=outcome, reason=values.get("reason")))
        return item.id


def a_step(church_id: UUID, item_id: UUID, label: str, state: str = DONE, **values: Any) -> None:
    with church_scope(church_id), transaction() as session:
        position = session.scalar(select(func.count(SyncStep.id)).where(SyncStep.item_id == item_id)) or 0
        session.add(
            SyncStep(
                item_id=item_id, position=position, kind="set_field", natural_key=label, label=label, state=state, done_at=now(), **values
            )
        )


def standing_of(church_id: UUID, submission_id: UUID) -> str:
    from connectcard.sync import cards_in_sync

    with church_scope(church_id):
        return cards_in_sync.get_card(submission_id).standing


def candidate(remote_id: str, name: str, *agreeing: str, email: str = "ana.lopez@gmail.com") -> dict[str, Any]:
    """Somebody whom a card could be, as matching stores it; `agreeing` are points such as "email"."""
    points = {"first name": "Ana", "last name": "Lopez", "email": email, "mobile number": "+15125550177"}
    return {
        "remote_id": remote_id,
        "name": name,
        "emails": [email],
        "phones": [],
        "inactive": False,
        "reasons": [
            {"agrees": "yes", "words": f"Same {point}: {theirs}"}
            if point in agreeing
            else {"agrees": "no", "words": f"{point.capitalize()} differs: theirs is other"}
            for point, theirs in points.items()
        ],
    }


def unclear(*candidates: dict[str, Any], words: str = "It may be somebody of the same household.") -> dict[str, Any]:
    """A decision that waits for a person."""
    return {"kind": "unclear", "words": words, "person": None, "candidates": list(candidates)}


def reload(submission_id: UUID) -> Submission:
    """The submission as it stands now, in the open scope."""
    return db.session.scalars(select(Submission).where(Submission.id == submission_id)).one()
