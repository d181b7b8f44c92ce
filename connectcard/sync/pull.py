"""Planning Center -> here: one generic loop over the mappings, a page at a time.

A pull is a run of its own. Each page is taken in and the cursor moved in one transaction that also keeps the lane, so that a worker
killed anywhere, or one that was overtaken, leaves a pull that goes on at the next page. Cards that become due go first: the pull stops
and is taken up again after them. Nothing is deleted: who is missing in a list that was read to its end is looked up.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import exists, or_, select

from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.queries import find_connection
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectionMissing
from connectcard.planning_center.errors import (
    AnotherVersion,
    Blocked,
    NotSent,
    PlanningCenterError,
    RateLimited,
    ReconnectNeeded,
    ScopeMissing,
    Unavailable,
)
from connectcard.sync import cursors, pull_members, truth, truth_reading
from connectcard.sync.cursors import SyncCursor, cursor_of
from connectcard.sync.holds import HoldLost
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE, Mapping
from connectcard.sync.models import (
    FINISHED,
    PULL_FAMILIES,
    PULL_FULL,
    PULL_GROUPS,
    PULL_PEOPLE,
    RUNNING,
    STOPPED,
    STOPPING,
    TRUTH_CHECK,
    SyncRun,
)
from connectcard.sync.pull_lists import Lists
from connectcard.sync.pull_shift import BrokenOff, Pull, PullLane, leave_lane, take_lane
from connectcard.sync.refreshing import refresh_family, refresh_group, refresh_memberships, refresh_person
from connectcard.sync.runs import new_run, one_press_at_a_time

__all__ = ["advance_pulls", "refresh_family", "refresh_group", "refresh_memberships", "refresh_person", "want_pull"]

log = structlog.get_logger()

MEMBERS = "memberships"
STAGES: dict[str, tuple[str, ...]] = {
    PULL_PEOPLE: (PEOPLE.name,),
    PULL_FAMILIES: (FAMILIES.name,),
    PULL_GROUPS: (GROUPS.name, MEMBERS),
    PULL_FULL: (PEOPLE.name, FAMILIES.name, GROUPS.name, MEMBERS),
    TRUTH_CHECK: (*truth_reading.LISTS, truth.COMPARISON),
}
PULLS = tuple(kind for kind in STAGES if kind != TRUTH_CHECK)
MAPPINGS: dict[str, Mapping] = {mapping.name: mapping for mapping in (PEOPLE, FAMILIES, GROUPS)}
SCHEDULE = "Schedule"

AGAIN_AFTER = timedelta(minutes=1)
SLOWED_DOWN = "Planning Center asks us to slow down. It goes on by itself."
MOST_TRIES = 8


# Wanting.


def want_pull(kind: str, member_name: str, *, whole: bool = False) -> SyncRun:
    """Have a worker pull people, families, groups or everything; the pull that is on, if one is. Inside `transaction()`; the caller rings.

    `whole` reads everything, also where only changes would be asked for. Raises ConnectionMissing.
    """
    if not is_connected():
        raise ConnectionMissing("This church is not connected to Planning Center. An owner can connect it.")
    one_press_at_a_time()
    alike = (TRUTH_CHECK,) if kind == TRUTH_CHECK else PULLS
    run = running_pull(alike) or new_run(kind, member_name)
    if run.progress is None:
        run.progress = {"stage": "Waiting to begin", "done": 0, "of": None, "whole": whole}
    db.session.flush()
    return run


def want_truth_check(member_name: str) -> SyncRun:
    """Have a worker compare all ids with Planning Center's. Inside `transaction()`; the caller rings."""
    return want_pull(TRUTH_CHECK, member_name)


def is_connected() -> bool:
    connection = find_connection()
    return connection is not None and connection.state == CONNECTED


def running_pull(kinds: Collection[str] = tuple(STAGES)) -> SyncRun | None:
    """The pull or truth check that is on; of two the one that was wanted first."""
    on = SyncRun.kind.in_(kinds), SyncRun.state.in_((RUNNING, STOPPING))
    return db.session.scalars(select(SyncRun).where(*on).order_by(SyncRun.number)).first()


# The worker's side.


def churches_wanting_pulls() -> list[UUID]:
    """The connected churches whose pull can go on now."""
    moment = now()
    put_off = exists().where(SyncCursor.church_id == SyncRun.church_id, SyncCursor.run_id == SyncRun.id, SyncCursor.due_at > moment)
    on = exists().where(
        SyncRun.church_id == Connection.church_id, SyncRun.kind.in_(STAGES), SyncRun.state.in_((RUNNING, STOPPING)), ~put_off
    )
    taken = exists().where(PullLane.church_id == Connection.church_id, PullLane.until >= moment)
    unblocked = or_(Connection.blocked_until.is_(None), Connection.blocked_until <= moment)
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, ~taken, unblocked, on)
    with every_church():
        return list(db.session.scalars(wanted))


def _nobody_waits() -> bool:
    return False


def advance_pulls(church_id: UUID, stop: Event, others_wait: Callable[[], bool] = _nobody_waits) -> bool:
    """Go on with a church's pull until it is over, cards are due, others wait or `stop` is set.

    Says whether it should be called again soon. Returns at once where another worker pulls for the church.
    """
    with church_scope(church_id):
        fence = take_lane() if _is_pulling() else None
        if fence is None:
            return False
        try:
            _serve(church_id, fence, stop, others_wait)
            return False
        except BrokenOff as reason:
            return reason.soon
        except HoldLost as lost:
            log.info("pull_overtaken", church_id=church_id, error=type(lost).__name__)
            return False
        finally:
            end_reading()
            leave_lane(fence)


def _is_pulling() -> bool:
    found = running_pull() is not None
    end_reading()
    return found


def _serve(church_id: UUID, fence: int, stop: Event, others_wait: Callable[[], bool]) -> None:
    connection, run = find_connection(), running_pull()
    if connection is None or run is None:
        return
    try:
        client = client_for(connection, stopping=stop, background=run.started_by == SCHEDULE)
    except ConnectionMissing as error:
        log.warning("church_cannot_be_pulled", church_id=church_id, exc_info=error)
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    pull = Pull(app, church_id, run.id, fence, client, get_church().country_code, stop, others_wait)
    end_reading()
    _advance(pull)


def _advance(pull: Pull) -> None:
    """Stage after stage; one that Planning Center refuses is noted and does not keep the others waiting."""
    with closing(Lists(pull)) as lists:
        stages = STAGES[_run(pull).kind]
        for stage, following in zip(stages, (*stages[1:], None), strict=True):
            if not _is_over(pull, lists, stage, MAPPINGS.get(following or "")):
                return
    _finish(pull)


def _is_over(pull: Pull, lists: Lists, stage: str, following: Mapping | None) -> bool:
    """Carry out a stage unless it is done; False where the pull is to go on with it later."""
    cursor = pull.begin(stage, by_change=stage in MAPPINGS and MAPPINGS[stage].changed_by is not None)
    if cursor.done or cursor.due_at > now():
        return cursor.done
    try:
        _end_stage(pull, stage, _stage(pull, lists, stage, following))
    except ScopeMissing as error:
        _end_stage(pull, stage, in_words(error, _product(stage)))
    except (ReconnectNeeded, RateLimited, Unavailable, Blocked, NotSent) as error:
        return not _put_off(pull, stage, error)
    except PlanningCenterError as error:
        _end_stage(pull, stage, in_words(error, _product(stage)))
    return True


def _stage(pull: Pull, lists: Lists, stage: str, following: Mapping | None) -> str | None:
    """Carry out one stage; says what it could not see."""
    if stage == truth.COMPARISON:
        return truth.compare(pull)
    if stage in truth_reading.LISTS:
        return truth_reading.read(pull, stage)
    return pull_members.read_all(pull) if stage == MEMBERS else lists.read(MAPPINGS[stage], following)


def _product(stage: str) -> str:
    compared = truth_reading.COMPARED.get(truth_reading.LISTS.get(stage, ""))
    mapping = MAPPINGS.get(stage, compared)
    return mapping.product if mapping else "Groups" if stage == MEMBERS else "People"


def _run(pull: Pull) -> SyncRun:
    run = db.session.scalars(select(SyncRun).where(SyncRun.id == pull.run_id)).one()
    if run.state == STOPPING:
        _stopped(pull)
        raise BrokenOff
    return run


def _stopped(pull: Pull) -> None:
    end_reading()
    with transaction():
        run = db.session.scalars(select(SyncRun).where(SyncRun.id == pull.run_id)).one()
        run.state, run.finished_at, run.version = STOPPED, now(), run.version + 1


# The end of a stage, and of the run.


def _end_stage(pull: Pull, stage: str, problem: str | None) -> None:
    end_reading()
    with transaction():
        pull.stay()
        cursors.finish(cursor_of(stage), problem)


def _put_off(pull: Pull, stage: str, error: PlanningCenterError) -> bool:
    """The pull goes on later; after too many failures without a page between them the stage is given up. Says whether it was put off.

    Waiting for room in the rate limit, or for somebody to reconnect, is no failure however long it lasts.
    """
    end_reading()
    failed = not isinstance(error, NotSent | ReconnectNeeded | RateLimited)
    with transaction():
        cursor = cursor_of(stage)
        if failed and cursor.tries >= MOST_TRIES:
            cursors.finish(cursor, in_words(error, _product(stage)))
            return False
        run = db.session.scalars(select(SyncRun).where(SyncRun.id == pull.run_id)).one()
        run.note, run.version = SLOWED_DOWN if isinstance(error, RateLimited) else in_words(error, _product(stage)), run.version + 1
        cursors.put_off(cursor, run.note, _due_again(error), failed=failed)
        return True


def _due_again(error: PlanningCenterError) -> datetime:
    if isinstance(error, NotSent):
        return now()
    asked = error.retry_after if isinstance(error, RateLimited | Unavailable) and not isinstance(error, AnotherVersion) else None
    return now() + (timedelta(seconds=asked) if asked is not None else AGAIN_AFTER)


def _finish(pull: Pull) -> None:
    end_reading()
    with transaction():
        pull.stay()
        run = db.session.scalars(select(SyncRun).where(SyncRun.id == pull.run_id)).one()
        problems = [cursor.problem for cursor in map(cursor_of, STAGES[run.kind]) if cursor.problem]
        if run.state in (RUNNING, STOPPING):
            run.state, run.finished_at = FINISHED, now()
        run.failed = len(problems)
        found = [run.note] if run.kind == TRUTH_CHECK and run.note else []
        run.note = " ".join(dict.fromkeys([*found, *problems]))[:300] or None
        run.version += 1
