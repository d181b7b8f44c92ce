"""What a sync would do: a page asks, a worker answers (rehearsals), the page shows it, and somebody approves it (approvals)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.cards.models import Submission
from connectcard.clock import now
from connectcard.database import db
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.models import PLANNED, SyncPreview
from connectcard.sync.plans import Plan, PlannedStep

LOOKING, READY, FAILED = "looking", "ready", "failed"


@dataclass(frozen=True)
class PreviewRow:
    """One line of the plan; `after` is empty where Planning Center's value is kept. `member` is whom of the family it is about.

    `mark` names the write, for leaving it out; one that is `required` can only be left out with the whole card.
    """

    label: str
    now: str
    after: str
    member: int = VISITOR
    mark: str = ""
    required: bool = False


@dataclass(frozen=True)
class Preview:
    """`state` is looking, ready or failed. `decision` is as on an item; `requests` counts the writes."""

    state: str
    decision: dict[str, Any] | None = None
    rows: tuple[PreviewRow, ...] = ()
    requests: int = 0
    problems: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def optional(self) -> frozenset[str]:
        """The writes that can be left out."""
        return frozenset(row.mark for row in self.rows if row.mark and not row.required)


def want_preview(submission: Submission) -> None:
    """Ask for a fresh preview of a card. Inside `transaction()`; the caller rings the bell."""
    row = _row(submission.id) or SyncPreview(submission_id=submission.id)
    row.wanted_at, row.made_at, row.problem = now(), None, None
    db.session.add(row)
    db.session.flush()


def find_preview(submission: Submission) -> Preview | None:
    """The preview of a card, or None where nobody asked for one."""
    return find_previews([submission.id]).get(submission.id)


def find_previews(submission_ids: Sequence[UUID]) -> dict[UUID, Preview]:
    """The previews of several cards, by the ids of their submissions."""
    rows = db.session.scalars(select(SyncPreview).where(SyncPreview.submission_id.in_(submission_ids)))
    return {row.submission_id: _shown(row) for row in rows}


def _shown(row: SyncPreview) -> Preview:
    if row.made_at is None:
        return Preview(LOOKING)
    if row.problem or row.contents is None:
        return Preview(FAILED, problems=(row.problem or "",))
    contents = row.contents
    rows = tuple(PreviewRow(**line) for line in contents["rows"])
    return Preview(READY, contents["decision"], rows, contents["requests"], tuple(contents["problems"]), contents["fingerprint"])


def contents_of(decision: dict[str, Any], planned: Plan, problems: tuple[str, ...], fingerprint: str) -> dict[str, Any]:
    """A plan as a preview keeps it; `decision` is as on an item."""
    kept = [{"label": row.label, "now": row.now, "after": ""} for row in planned.kept]
    return {
        "decision": decision,
        "rows": [*map(_line, planned.steps), *kept],
        "requests": planned.writes,
        "problems": list(problems),
        "fingerprint": fingerprint,
    }


def _line(step: PlannedStep) -> dict[str, Any]:
    line = {"label": step.label, "now": step.now, "after": step.after, "member": step.member}
    if step.state != PLANNED:
        return line
    return {**line, "mark": step.mark, "required": plans.makes_the_visitor(step.kind, step.member)}


def keep_preview(submission_id: UUID, contents: dict[str, Any] | None, problem: str | None = None) -> None:
    """Store what a worker found. Inside `transaction()`."""
    row = _row(submission_id) or SyncPreview(submission_id=submission_id)
    row.contents, row.problem, row.made_at = contents, problem, now()
    db.session.add(row)
    db.session.flush()


def _row(submission_id: UUID) -> SyncPreview | None:
    return db.session.scalars(select(SyncPreview).where(SyncPreview.submission_id == submission_id)).first()
