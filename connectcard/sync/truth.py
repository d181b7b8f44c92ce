"""The truth check: whole sets of ids compared with Planning Center's, once they were read (truth_reading); what differs is kept and listed.

It asks in the background, leaving half of each window to cards. *Fix* has the records that differ read again.
"""

from collections.abc import Mapping as Values
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, delete, func, null, select
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned
from connectcard.clock import now
from connectcard.database import Base, UtcDateTime, db, end_reading, transaction
from connectcard.people.models import FAMILY, GROUP, PERSON
from connectcard.sync import cursors, record_readings
from connectcard.sync.cursors import cursor_of, reading
from connectcard.sync.mappings import Mapping
from connectcard.sync.models import FINISHED, TRUTH_CHECK, SyncRun
from connectcard.sync.pull_shift import Pull
from connectcard.sync.truth_reading import COMPARED, LISTS, Beginning, There, forget_pages, there

MISSING_HERE, MISSING_THERE, CHANGED_THERE = "missing_here", "missing_there", "changed_there"
WORDS = {
    MISSING_HERE: "In Planning Center and not here",
    MISSING_THERE: "Here and no longer in Planning Center",
    CHANGED_THERE: "Changed in Planning Center and not read since",
}
MOST_LISTED = 500
# The last stage of a check.
COMPARISON = "check"


class Difference(ChurchOwned, Base):
    """One record that the last truth check found to differ; `what` is missing_here, missing_there or changed_there."""

    __tablename__ = "difference"
    __table_args__ = (UniqueConstraint("church_id", "kind", "remote_id"), Index("ix_difference_found", "church_id", "found_at"))

    kind: Mapped[str] = mapped_column(String(12))
    remote_id: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(16))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


@dataclass(frozen=True)
class Checked:
    """The last truth check in one sentence, when it was made, whether everything could be compared, and what differs."""

    words: str
    at: datetime | None
    whole: bool
    differences: tuple[Difference, ...]


def compare(pull: Pull) -> str | None:
    """Compare what was read with what is here; keeps what differs, and writes the sentence on the run.

    A kind that could not be read is left out, and what was found of it before stays.
    """
    cursors_read = {kind: reading(stage) for stage, kind in LISTS.items()}
    began = {kind: Beginning(cursor.began_at, cursor.latest) for kind, cursor in cursors_read.items() if not cursor.problem}
    theirs = {kind: there(pull.run_id, kind) for kind in began}
    found = [
        Difference(kind=kind, remote_id=remote_id, what=what)
        for kind, beginning in began.items()
        for remote_id, what in differences(theirs[kind], _ours(COMPARED[kind]), beginning).items()
    ]
    with transaction() as session:
        pull.stay()
        session.execute(delete(Difference).where(Difference.kind.in_(began)))
        session.add_all(found[:MOST_LISTED])
        _say(pull.run(), {kind: len(records) for kind, records in theirs.items()}, len(found))
        forget_pages()
        # With them gone it must not be compared again.
        cursors.finish(cursor_of(COMPARISON))
    return None


def _say(run: SyncRun, counts: dict[str, int], differing: int) -> None:
    run.note = sentence(counts, differing) if counts else None
    run.needs_you, run.total, run.version = differing, sum(counts.values()), run.version + 1


@dataclass(frozen=True)
class Here:
    """A record of ours: when it changed last in Planning Center as we read it, when it was shown there last, when it was found gone."""

    changed_at: datetime | None = None
    seen_at: datetime | None = None
    gone_at: datetime | None = None


def _ours(mapping: Mapping) -> dict[str, Here]:
    changed_at = mapping.model.remote_updated_at if mapping.changed_by else null()
    columns = mapping.model.remote_id, changed_at.label("changed_at"), mapping.model.seen_at, mapping.model.gone_at
    rows = db.session.execute(select(*columns).where(mapping.model.remote_id.is_not(None))).all()
    end_reading()
    return {row.remote_id: Here(row.changed_at, row.seen_at, row.gone_at) for row in rows}


def differences(theirs: Values[str, There], ours: Values[str, Here], began: Beginning) -> dict[str, str]:
    """What differs, by id; pure. What came, changed or went on either side since the reading began is on its way, and no difference."""
    found = {remote_id: MISSING_HERE for remote_id, one in theirs.items() if _is_missing_here(one, ours.get(remote_id), began)}
    found |= {remote_id: MISSING_THERE for remote_id in ours.keys() - theirs.keys() if _is_missing_there(ours[remote_id], began)}
    changed = (remote_id for remote_id in theirs.keys() & ours.keys() if _is_changed(theirs[remote_id], ours[remote_id], began))
    return found | dict.fromkeys(changed, CHANGED_THERE)


def _is_missing_here(one: There, here: Here | None, began: Beginning) -> bool:
    gone_before = here is not None and here.gone_at is not None and here.gone_at < began.here
    return (here is None or gone_before) and _was_before(one.made_at, began.there)


def _is_missing_there(here: Here, began: Beginning) -> bool:
    return here.gone_at is None and (here.seen_at is None or here.seen_at < began.here)


def _is_changed(one: There, here: Here, began: Beginning) -> bool:
    unread = one.changed_at is not None and (here.changed_at is None or one.changed_at > here.changed_at)
    return here.gone_at is None and unread and _was_before(one.changed_at, began.there)


def _was_before(moment: datetime | None, latest: datetime | None) -> bool:
    return latest is not None and (moment is None or moment <= latest)


def sentence(counts: dict[str, int], differing: int) -> str:
    """5,012 people, 1,460 families, 92 groups compared; 3 differ."""
    nouns: tuple[tuple[str, str, str], ...] = ((PERSON, "person", "people"), (FAMILY, "family", "families"), (GROUP, "group", "groups"))
    compared = ", ".join(f"{counts[kind]:,} {one if counts[kind] == 1 else many}" for kind, one, many in nouns if kind in counts)
    return f"{compared} compared; {f'{differing:,}' if differing else 'none'} {'differs' if differing == 1 else 'differ'}."


def last_check() -> Checked | None:
    """What the last finished truth check found; None where none was made."""
    wanted = select(SyncRun).where(SyncRun.kind == TRUTH_CHECK, SyncRun.state == FINISHED).order_by(SyncRun.number.desc()).limit(1)
    run = db.session.scalars(wanted).first()
    if run is None:
        return None
    rows = db.session.scalars(select(Difference).order_by(Difference.kind, Difference.what, Difference.remote_id)).all()
    return Checked(run.note or "", run.finished_at, not run.failed, tuple(rows))


@dataclass(frozen=True)
class Named:
    """A difference with the name of the record, where we know it."""

    kind: str
    remote_id: str
    what: str
    subject_id: UUID | None
    name: str


def named(one: Difference) -> Named:
    model = COMPARED[one.kind].model
    row = db.session.scalars(select(model).where(model.remote_id == one.remote_id)).first()
    return Named(one.kind, one.remote_id, one.what, row.id if row else None, row.name if row else "")


def fix() -> int:
    """Have everything that differs read again; says how much. Inside `transaction()`; the caller rings."""
    rows: list[Any] = list(db.session.scalars(select(Difference)))
    for row in rows:
        record_readings.want(row.kind, row.remote_id)
        db.session.delete(row)
    db.session.flush()
    return len(rows)


def differing() -> int:
    return db.session.scalar(select(func.count(Difference.id))) or 0
