"""What a sync would do: a page asks, a worker answers (rehearsals), the page shows it, and somebody approves it (approvals)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.models import CARD, PLANNED, SyncPreview
from connectcard.sync.plans import Kept, PlannedStep

LOOKING, READY, FAILED = "looking", "ready", "failed"


@dataclass(frozen=True)
class PreviewRow:
    """One line of the plan; `after` is empty where Planning Center's value is kept. `member` is whom of the family it is about.

    `mark` names the write, for leaving it out; one that is `required` can only be left out with the whole card or record.
    """

    label: str
    now: str
    after: str
    member: int = VISITOR
    mark: str = ""
    required: bool = False


@dataclass(frozen=True)
class Preview:
    """`state` is looking, ready or failed. `decision` is as on an item; `requests` counts the writes.

    With a `question` staff have to say something before anything is written; with a `refusal` nothing can be sent as it is. `kind` is
    that of the item.
    """

    state: str
    decision: dict[str, Any] | None = None
    rows: tuple[PreviewRow, ...] = ()
    requests: int = 0
    problems: tuple[str, ...] = ()
    fingerprint: str = ""
    question: str = ""
    refusal: str = ""
    kind: str = CARD

    @property
    def can_be_sent(self) -> bool:
        """Whether there is a plan that somebody can approve."""
        return self.state == READY and bool(self.fingerprint) and not self.refusal

    @property
    def optional(self) -> frozenset[str]:
        """The writes that can be left out."""
        return frozenset(row.mark for row in self.rows if row.mark and not row.required)


def want_preview(about: UUID, kind: str = CARD) -> None:
    """Ask for a fresh preview of a card, or of a record of another kind of item. Inside `transaction()`; the caller rings the bell."""
    want_previews([(kind, about)])


def want_previews(subjects: Iterable[tuple[str, UUID]]) -> None:
    """The same for several, given with their kinds; they are looked at in this order."""
    for place, (kind, about) in enumerate(subjects):
        row = _row(kind, about)
        row.wanted_at, row.made_at, row.problem = now() + timedelta(microseconds=place), None, None
        db.session.add(row)
        db.session.flush()


def find_preview(about: UUID) -> Preview | None:
    """The preview of a card (by its submission) or of a record, or None where nobody asked for one."""
    return find_previews([about]).get(about)


def find_previews(about: Sequence[UUID]) -> dict[UUID, Preview]:
    """The previews of several, by what they are about."""
    return {row.about: _shown(row) for row in db.session.scalars(select(SyncPreview).where(_is_about(about)))}


def _is_about(about: Sequence[UUID]) -> ColumnElement[bool]:
    return or_(SyncPreview.submission_id.in_(about), SyncPreview.subject_id.in_(about))


def _shown(row: SyncPreview) -> Preview:
    if row.made_at is None:
        return Preview(LOOKING, kind=row.kind)
    contents = row.contents
    if row.problem or contents is None:
        return Preview(FAILED, problems=(row.problem or "",), kind=row.kind)
    rows = tuple(PreviewRow(**line) for line in contents["rows"])
    told = (
        contents["requests"],
        tuple(contents["problems"]),
        contents["fingerprint"],
        contents.get("question", ""),
        contents.get("refusal", ""),
    )
    return Preview(READY, contents["decision"], rows, *told, kind=row.kind)


class Proposed(Protocol):
    """What a preview keeps of a proposal (`proposals.Proposal`)."""

    @property
    def steps(self) -> tuple[PlannedStep, ...]: ...
    @property
    def decision(self) -> dict[str, Any] | None: ...
    @property
    def question(self) -> str: ...
    @property
    def refusal(self) -> str: ...
    @property
    def kept(self) -> tuple[Kept, ...]: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


def contents_of(proposed: Proposed, fingerprint: str) -> dict[str, Any]:
    """A proposal as a preview keeps it."""
    return {
        "decision": proposed.decision,
        "question": proposed.question,
        "refusal": proposed.refusal,
        "rows": [*map(_line, proposed.steps), *({"label": row.label, "now": row.now, "after": ""} for row in proposed.kept)],
        "requests": sum(step.state == PLANNED for step in proposed.steps),
        "problems": list(proposed.problems),
        "fingerprint": fingerprint,
    }


def _line(step: PlannedStep) -> dict[str, Any]:
    line = {"label": step.label, "now": step.now, "after": step.after, "member": step.member}
    if step.state != PLANNED:
        return line
    return {**line, "mark": step.mark, "required": step.required or plans.makes_the_visitor(step.kind, step.member)}


def keep_preview(kind: str, about: UUID, contents: dict[str, Any] | None, problem: str | None = None) -> None:
    """Store what a worker found. Inside `transaction()`."""
    row = _row(kind, about)
    row.contents, row.problem, row.made_at = contents, problem, now()
    db.session.add(row)
    db.session.flush()


def forget_previews(about: Sequence[UUID]) -> None:
    """What was shown of these says nothing any more. Inside `transaction()`."""
    db.session.execute(delete(SyncPreview).where(_is_about(about)), execution_options={"synchronize_session": False})


def _row(kind: str, about: UUID) -> SyncPreview:
    """The preview of this, a new one where there is none."""
    found = db.session.scalars(select(SyncPreview).where(SyncPreview.kind == kind, _is_about([about]))).first()
    of = {"submission_id": about} if kind == CARD else {"subject_id": about}
    return found or SyncPreview(kind=kind, **of)
