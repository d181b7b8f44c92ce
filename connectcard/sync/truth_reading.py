"""The reading of a truth check: which records Planning Center has, a page at a time, without reading more than ids and times.

Each page is kept and the cursor moved in one transaction, as a pull does it, so that a check that is broken off anywhere goes on at the
next page. What was read is thrown away once it is compared.
"""

from collections.abc import Mapping as Values
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, belongs_to
from connectcard.connections.checks import SOME_GROUPS, sees_all_groups
from connectcard.database import Base, db, end_reading, transaction
from connectcard.people.models import FAMILY, GROUP, PERSON
from connectcard.planning_center import Step
from connectcard.sync.cursors import cursor_of, reading
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE, Mapping
from connectcard.sync.mappings._core import moment
from connectcard.sync.pull_lists import note_the_latest
from connectcard.sync.pull_shift import Pull

COMPARED: dict[str, Mapping] = {PERSON: PEOPLE, FAMILY: FAMILIES, GROUP: GROUPS}
# The stages of a check that read, each with the kind of records that it reads.
LISTS = {f"check_{kind}": kind for kind in COMPARED}
MADE = "created_at"


@dataclass(frozen=True)
class Beginning:
    """When the reading of a list began by our clock, and the latest change there was then by Planning Center's; None of an empty list."""

    here: datetime
    there: datetime | None


@dataclass(frozen=True)
class There:
    """When a record was made in Planning Center and when it changed last, by its clock; None where it does not say."""

    made_at: datetime | None = None
    changed_at: datetime | None = None


class ComparedPage(ChurchOwned, Base):
    """What one page of a list showed to a check that is not over: {remote id: [made at, changed at]}, ISO times or null."""

    __tablename__ = "compared_page"
    __table_args__ = (belongs_to("sync_run", "run_id"), Index("ix_compared_page_run", "church_id", "run_id", "kind"))

    run_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(12))
    records: Mapped[dict[str, Any]] = mapped_column(JSON)


def read(pull: Pull, stage: str) -> str | None:
    """Read one list to its end, from where its cursor stands; says why it was not read whole."""
    mapping = COMPARED[LISTS[stage]]
    if mapping is GROUPS and not sees_all_groups(pull.client):
        return SOME_GROUPS
    note_the_latest(pull, stage, mapping, mapping.changed_by or MADE)
    while True:
        total = _sweep(pull, stage, mapping)
        if len(there(pull.run_id, LISTS[stage])) >= (_count(pull, mapping) if total is None else total):
            return None
        if not pull.sweeps_again(stage):
            return f"{mapping.words} changed too fast to be compared. The next check looks again."


def _sweep(pull: Pull, stage: str, mapping: Mapping) -> int | None:
    """Read on from where the cursor stands; gives how many records the list has, where its last page says so of the whole list."""
    place, total = reading(stage).place, None
    end_reading()
    with closing(pull.client.steps(mapping.resource, place, where=_where(mapping), fields=_fields(mapping))) as steps:
        for step in steps:
            total = step.total_count if place is None or place.since is None else None
            _keep(pull, stage, mapping, step)
            place = step.next
            if place is not None:
                pull.pause_for_others()
    return total


def _count(pull: Pull, mapping: Mapping) -> int:
    return pull.client.list(mapping.resource, where=_where(mapping), fields=_fields(mapping), per_page=1).total_count or 0


def _where(mapping: Mapping) -> dict[str, Any] | None:
    return dict(mapping.where) or None


def _fields(mapping: Mapping) -> tuple[str, ...]:
    return (MADE, mapping.changed_by) if mapping.changed_by else (MADE,)


def _keep(pull: Pull, stage: str, mapping: Mapping, step: Step) -> None:
    """One page: its records and the cursor, in one transaction."""
    told = {record.id: [record[MADE], record[mapping.changed_by] if mapping.changed_by else None] for record in step.records}
    with transaction() as session:
        pull.stay()
        session.add(ComparedPage(run_id=pull.run_id, kind=LISTS[stage], records=told))
        cursor = cursor_of(stage)
        cursor.position = step.next.as_json() if step.next else None
        cursor.seen, cursor.tries = cursor.seen + len(told), 0
        pull.show(f"Comparing {mapping.words.lower()}", cursor.seen, None)


def there(run_id: UUID, kind: str) -> Values[str, There]:
    """Everything that a check was shown of a kind, by id. Outside of any transaction."""
    pages = select(ComparedPage.records).where(ComparedPage.run_id == run_id, ComparedPage.kind == kind)
    told: dict[str, There] = {}
    for records in db.session.scalars(pages):
        told |= {remote_id: There(moment(made_at), moment(changed_at)) for remote_id, (made_at, changed_at) in records.items()}
    end_reading()
    return told


def forget_pages() -> None:
    """Nothing that was read is needed any more, of a check that was stopped neither. Inside `transaction()`."""
    db.session.execute(delete(ComparedPage))
