"""What a sync would do, worked out without writing: a page asks, a worker answers, the page shows it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from connectcard.cards.models import Submission
from connectcard.cards.queries import get_submission
from connectcard.clock import now
from connectcard.database import db, end_reading, transaction
from connectcard.people.matching import UNCLEAR
from connectcard.planning_center import Client
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync.models import SyncItem, SyncPreview
from connectcard.sync.plans import Plan
from connectcard.sync.steps import PersonGone
from connectcard.sync.visitors import CardAtHand, card_at_hand, card_before_sync, decide_who, decision_row, plan_for

AT_A_TIME = 20


@dataclass(frozen=True)
class PreviewRow:
    """One line of the plan; `after` is empty where Planning Center's value is kept. `member` is whom of the family it is about."""

    label: str
    now: str
    after: str
    member: int = 0


@dataclass(frozen=True)
class Preview:
    """`state` is looking, ready or failed. `decision` is as on an item; `requests` counts the writes."""

    state: str
    decision: dict[str, Any] | None = None
    rows: tuple[PreviewRow, ...] = ()
    requests: int = 0
    problems: tuple[str, ...] = ()


def want_preview(submission: Submission) -> None:
    """Ask for a fresh preview of a card. Inside `transaction()`; the caller rings the bell."""
    row = _row(submission) or SyncPreview(submission_id=submission.id)
    row.wanted_at, row.made_at, row.problem = now(), None, None
    db.session.add(row)
    db.session.flush()


def find_preview(submission: Submission) -> Preview | None:
    """The preview of a card, or None where nobody asked for one."""
    row = _row(submission)
    if row is None:
        return None
    if row.made_at is None:
        return Preview("looking")
    if row.problem or row.contents is None:
        return Preview("failed", problems=(row.problem or "",))
    contents = row.contents
    rows = tuple(PreviewRow(**line) for line in contents["rows"])
    return Preview("ready", contents["decision"], rows, contents["requests"], tuple(contents["problems"]))


def _row(submission: Submission) -> SyncPreview | None:
    return db.session.scalars(select(SyncPreview).where(SyncPreview.submission_id == submission.id)).first()


def make_previews(client: Client) -> int:
    """Work out the previews that were asked for, and say how many. Reads from Planning Center only."""
    wanted = select(SyncPreview.submission_id).where(SyncPreview.made_at.is_(None)).order_by(SyncPreview.wanted_at).limit(AT_A_TIME)
    submission_ids = list(db.session.scalars(wanted))
    for submission_id in submission_ids:
        submission = get_submission(submission_id)
        _store(submission, *_preview_of(submission, client))
    end_reading()
    return len(submission_ids)


def _preview_of(submission: Submission, client: Client) -> tuple[dict[str, Any] | None, str | None]:
    item_id = db.session.scalar(select(SyncItem.id).where(SyncItem.submission_id == submission.id))
    card = card_at_hand(item_id) if item_id else card_before_sync(submission)
    try:
        decision, person = decide_who(card, client)
    except PersonGone:
        return None, "The person this card belongs to was deleted in Planning Center."
    except PlanningCenterError:
        return None, "Planning Center cannot be reached right now. Try again in a minute."
    planned = Plan(()) if decision.kind == UNCLEAR else plan_for(card, person, client)
    return _contents(card, decision_row(decision), planned), None


def _contents(card: CardAtHand, decision: dict[str, Any], planned: Plan) -> dict[str, Any]:
    kept = [{"label": row.label, "now": row.now, "after": ""} for row in planned.kept]
    written = [{"label": step.label, "now": step.now, "after": step.after, "member": step.member} for step in planned.steps]
    return {"decision": decision, "rows": written + kept, "requests": planned.writes, "problems": list(card.wanted.problems)}


def _store(submission: Submission, contents: dict[str, Any] | None, problem: str | None) -> None:
    with transaction() as session:
        row = session.scalars(select(SyncPreview).where(SyncPreview.submission_id == submission.id)).one()
        row.contents, row.problem, row.made_at = contents, problem, now()
