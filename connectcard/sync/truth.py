"""The truth check: whole sets of ids compared with Planning Center's, without reading more than ids; what differs is kept and listed.

It asks in the background, leaving half of each window to cards. *Fix* has the records that differ read again.
"""

from collections.abc import Iterator
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
from connectcard.sync import record_readings
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE, Mapping
from connectcard.sync.mappings._core import moment
from connectcard.sync.models import FINISHED, TRUTH_CHECK, SyncRun
from connectcard.sync.pull_shift import Pull

MISSING_HERE, MISSING_THERE, CHANGED_THERE = "missing_here", "missing_there", "changed_there"
WORDS = {
    MISSING_HERE: "In Planning Center and not here",
    MISSING_THERE: "Here and no longer in Planning Center",
    CHANGED_THERE: "Changed in Planning Center and not read since",
}
MOST_LISTED = 500
COMPARED: tuple[tuple[str, Mapping], ...] = ((PERSON, PEOPLE), (FAMILY, FAMILIES), (GROUP, GROUPS))
# What is asked for beside the id: when it changed last, where it says so.
FIELDS = {PERSON: ("updated_at",), FAMILY: ("updated_at",), GROUP: ("name",)}


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
    """The last truth check in one sentence, when it was made, and what differs."""

    words: str
    at: datetime | None
    differences: tuple[Difference, ...]


def check(pull: Pull) -> str | None:
    """Compare people, families and groups; keeps what differs and writes the sentence on the run."""
    counts: dict[str, int] = {}
    found: dict[tuple[str, str], str] = {}
    for kind, mapping in COMPARED:
        theirs = _theirs(pull, kind, mapping)
        counts[kind] = len(theirs)
        found |= {(kind, remote_id): what for remote_id, what in differences(theirs, _ours(mapping)).items()}
    with transaction() as session:
        pull.stay()
        session.execute(delete(Difference))
        session.add_all(
            Difference(kind=kind, remote_id=remote_id, what=what) for (kind, remote_id), what in list(found.items())[:MOST_LISTED]
        )
        run = pull.run()
        run.note, run.needs_you, run.total = sentence(counts, len(found)), len(found), sum(counts.values())
        run.version += 1
    return None


def _theirs(pull: Pull, kind: str, mapping: Mapping) -> dict[str, datetime | None]:
    """The ids there, and when each changed last."""
    theirs: dict[str, datetime | None] = {}
    end_reading()
    for record in pull.client.iterate(mapping.resource, where=dict(mapping.where) or None, fields=FIELDS[kind]):
        theirs[record.id] = moment(record[mapping.changed_by]) if mapping.changed_by else None
        if len(theirs) % 1000 == 0:
            with transaction():
                pull.stay()
                pull.show(f"Comparing {mapping.words.lower()}", len(theirs), None)
            pull.pause_for_others()
    return theirs


def _ours(mapping: Mapping) -> dict[str, datetime | None]:
    """The ids here, and when each changed last in Planning Center as far as we read."""
    changed_at = mapping.model.remote_updated_at if mapping.changed_by else null()
    there = mapping.model.remote_id.is_not(None), mapping.model.gone_at.is_(None)
    rows = db.session.execute(select(mapping.model.remote_id, changed_at.label("changed_at")).where(*there)).all()
    end_reading()
    return {row.remote_id: row.changed_at for row in rows}


def differences(theirs: dict[str, datetime | None], ours: dict[str, datetime | None]) -> dict[str, str]:
    """What differs, by id; pure. Each moment is when a record changed in Planning Center, by its clock: as it says, and as we read it."""
    found = dict.fromkeys(theirs.keys() - ours.keys(), MISSING_HERE) | dict.fromkeys(ours.keys() - theirs.keys(), MISSING_THERE)
    return found | dict.fromkeys(_changed(theirs, ours), CHANGED_THERE)


def _changed(theirs: dict[str, datetime | None], ours: dict[str, datetime | None]) -> Iterator[str]:
    for remote_id in theirs.keys() & ours.keys():
        changed_at, read_as = theirs[remote_id], ours[remote_id]
        if changed_at is not None and (read_as is None or changed_at > read_as):
            yield remote_id


def sentence(counts: dict[str, int], differing: int) -> str:
    """5,012 people, 1,460 families, 92 groups compared; 3 differ."""
    nouns: tuple[tuple[str, str, str], ...] = ((PERSON, "person", "people"), (FAMILY, "family", "families"), (GROUP, "group", "groups"))
    compared = ", ".join(f"{counts.get(kind, 0):,} {one if counts.get(kind) == 1 else many}" for kind, one, many in nouns)
    return f"{compared} compared; {f'{differing:,}' if differing else 'none'} {'differs' if differing == 1 else 'differ'}."


def last_check() -> Checked | None:
    """What the last finished truth check found; None where none was made."""
    wanted = select(SyncRun).where(SyncRun.kind == TRUTH_CHECK, SyncRun.state == FINISHED).order_by(SyncRun.number.desc()).limit(1)
    run = db.session.scalars(wanted).first()
    if run is None:
        return None
    rows = db.session.scalars(select(Difference).order_by(Difference.kind, Difference.what, Difference.remote_id)).all()
    return Checked(run.note or "", run.finished_at, tuple(rows))


@dataclass(frozen=True)
class Named:
    """A difference with the name of the record, where we know it."""

    kind: str
    remote_id: str
    what: str
    subject_id: UUID | None
    name: str


def named(one: Difference) -> Named:
    model: Any = next(mapping.model for kind, mapping in COMPARED if kind == one.kind)
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
