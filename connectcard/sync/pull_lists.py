"""Lists of Planning Center read page by page: each page stored with its cursor, and at the end who was missing looked up.

A whole pass reads the oldest first, an order in which nobody who changes moves; from when on the next pass asks for changes is noted
before it begins. A pass of changes reads in the order of the changes.
"""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from sqlalchemy import func, or_, select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.checks import SOME_GROUPS, sees_all_groups
from connectcard.database import begins_anew, db, end_reading, transaction
from connectcard.people.models import FAMILY, GROUP, PERSON
from connectcard.planning_center import Position, Step
from connectcard.sync.cursors import cursor_of, reading
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE, Mapping
from connectcard.sync.mappings._core import moment
from connectcard.sync.pull_shift import Pull
from connectcard.sync.refreshing import REFRESH

KIND_OF = {PEOPLE.name: PERSON, FAMILIES.name: FAMILY, GROUPS.name: GROUP}
# So many may be missing at once without anybody being asked; more looks like an answer that does not show everything.
MISSING_SHARE, MISSING_ALWAYS = 5, 25
MOST_LOOKED_UP = 200
# With so few records of a list left the next list is begun.
NEARLY_OVER = 800


@dataclass(frozen=True)
class _Sweep:
    """A way through a list from where its cursor stood. The first page is read, and further ones are asked for."""

    begins_at: Position | None
    first: Step | None
    others: Generator[Step, None, None]

    def steps(self) -> Generator[Step, None, None]:
        with closing(self.others):
            if self.first is not None:
                yield self.first
            yield from self.others


class Lists:
    """The lists of one pull. The first pages of the next one are read while the last ones of another are stored."""

    def __init__(self, pull: Pull) -> None:
        self._pull = pull
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="next-list")
        self._begun: dict[str, Future[_Sweep | None]] = {}

    def read(self, mapping: Mapping, following: Mapping | None) -> str | None:
        """Read one list to its end; says what could not be seen."""
        while True:
            total = self._sweep(mapping, following)
            if _is_complete(mapping, total):
                return _look_for_missing(self._pull, mapping, total)
            if not self._pull.sweeps_again(mapping.name):
                return f"{mapping.words} changed too fast to be read to the end. The next pull looks again."

    def close(self) -> None:
        """Let go of what was begun and is not wanted any more."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        for begun in self._begun.values():
            if not begun.cancelled() and begun.exception() is None and (sweep := begun.result()):
                sweep.others.close()

    def _sweep(self, mapping: Mapping, following: Mapping | None) -> int | None:
        """Read on from where the cursor stands; gives Planning Center's own count of the list."""
        begun = self._begun.pop(mapping.name, None)
        sweep, total = (begun.result() if begun else None) or _begin_sweep(self._pull, mapping), None
        with closing(sweep.steps()) as steps:
            for step in steps:
                total = step.total_count if sweep.begins_at is None or sweep.begins_at.since is None else total
                if following is not None and step.left < NEARLY_OVER:
                    self._begin(following)
                _take_in(self._pull, mapping, step)
                if step.next is not None:
                    self._pull.pause_for_others()
        return total

    def _begin(self, mapping: Mapping) -> None:
        if mapping.name not in self._begun:
            self._begun[mapping.name] = self._thread.submit(_begin_aside, self._pull, mapping)


def _begin_aside(pull: Pull, mapping: Mapping) -> _Sweep | None:
    """Begin the next list in another thread; None where it is not to be read now."""
    with pull.app.app_context(), church_scope(pull.church_id):
        cursor = pull.begin(mapping.name, by_change=mapping.changed_by is not None)
        return None if cursor.done or cursor.due_at > now() else _begin_sweep(pull, mapping)


def _begin_sweep(pull: Pull, mapping: Mapping) -> _Sweep:
    cursor = reading(mapping.name)
    where, order = dict(mapping.where), None
    if mapping.changed_by and cursor.whole:
        note_the_latest(pull, mapping.name, mapping, mapping.changed_by)
    elif mapping.changed_by:
        where[mapping.changed_by], order = {"gte": cursor.since}, mapping.changed_by
    place = cursor.place
    end_reading()
    steps = pull.client.steps(mapping.resource, place, where=where or None, order=order, include=mapping.include)
    return _Sweep(place, next(steps, None), steps)


def note_the_latest(pull: Pull, stage: str, mapping: Mapping, by: str) -> None:
    """Keep on the cursor of a stage the latest moment of an attribute in its list, by Planning Center's clock: when the reading begins."""
    noted = reading(stage).latest is not None
    end_reading()
    if noted:
        return
    newest = pull.client.list(mapping.resource, where=dict(mapping.where) or None, order=f"-{by}", per_page=1).records
    with transaction():
        pull.stay()
        cursor_of(stage).latest = moment(newest[0][by]) if newest else None


@begins_anew
def _take_in(pull: Pull, mapping: Mapping, step: Step) -> None:
    """One page: its records as they were shown when it was asked for, and the cursor, in one transaction."""
    values = [mapping.read(record, pull.country_code) for record in step.records]
    with transaction():
        pull.stay()
        cursor = cursor_of(mapping.name)
        tally = mapping.take_in(values, max(cursor.began_at, now() - timedelta(seconds=monotonic() - step.asked)))
        cursor.position = step.next.as_json() if step.next else None
        cursor.seen, cursor.tries = cursor.seen + tally.total, 0
        if mapping.changed_by and not cursor.whole:
            seen = [one.updated_at for one in values if one.updated_at is not None]
            cursor.latest = max([*seen, *([cursor.latest] if cursor.latest else [])], default=None)
        pull.count(mapping.words, tally, cursor.seen, step.total_count)


# The end of a list: whether it was whole, and who was not in it.


def _is_complete(mapping: Mapping, total: int | None) -> bool:
    """Whether as many were seen in this pass as Planning Center counts; asked of whole passes only."""
    cursor = reading(mapping.name)
    if not cursor.whole or total is None:
        return True
    seen = db.session.scalar(select(func.count(mapping.model.id)).where(mapping.model.seen_at >= cursor.began_at)) or 0
    end_reading()
    return seen >= total


def _look_for_missing(pull: Pull, mapping: Mapping, total: int | None) -> str | None:
    """Look up each one whom a whole list did not show; says why nothing was looked up where that is so."""
    cursor = reading(mapping.name)
    if not cursor.whole:
        return None
    model, began_at = mapping.model, cursor.began_at
    known = model.remote_id.is_not(None), model.gone_at.is_(None)
    missing = list(db.session.scalars(select(model.remote_id).where(*known, or_(model.seen_at.is_(None), model.seen_at < began_at))))
    of = db.session.scalar(select(func.count(model.id)).where(*known)) or 0
    end_reading()
    if not missing:
        return None
    if mapping is GROUPS and not sees_all_groups(pull.client):
        return SOME_GROUPS
    if not total or len(missing) > max(MISSING_ALWAYS, of // MISSING_SHARE):
        return f"Planning Center did not show {len(missing)} of {of} {mapping.words.lower()}. Nothing was marked as gone here."
    for remote_id in missing[:MOST_LOOKED_UP]:
        pull.pause_for_others()
        REFRESH[KIND_OF[mapping.name]](remote_id, pull.client)
    return None
