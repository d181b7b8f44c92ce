"""`connectcard clock`: recurring work. A duty that is due is claimed by one UPDATE, so two clocks do it once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from connectcard.churches.models import Church, StaffSession
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, OAUTH, Connection
from connectcard.connections.operations import want_choices
from connectcard.connections.queries import find_connection
from connectcard.connections.tokens import keep_alive
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectCardError
from connectcard.jobs import restores, retention
from connectcard.jobs.models import Schedule
from connectcard.jobs.queue import ring
from connectcard.jobs.signals import say_ready, stop_on_signals
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync import inbox, mirrors, pull
from connectcard.sync import lanes as sync_lanes
from connectcard.sync.models import PULL_FULL, TRUTH_CHECK

log = structlog.get_logger()

LOOK_SECONDS = 15
AGAIN_AFTER_FAILURE = timedelta(minutes=5)
# Planning Center forgets a refresh token that is not used for 90 days; a church that syncs once a year must stay connected.
TOKEN_UNUSED = timedelta(days=7)
# Longer than any session lives, whatever its limits.
SESSION_UNSEEN = timedelta(days=1)


@dataclass(frozen=True)
class Duty:
    """Something to do again and again; it may be done twice without harm."""

    name: str
    every: timedelta
    do: Callable[[], None]


def run(app: Flask) -> None:
    """Do what is due until SIGTERM."""
    stop = stop_on_signals()
    say_ready()
    while not stop.is_set():
        with app.app_context():
            do_what_is_due()
        stop.wait(LOOK_SECONDS)


def do_what_is_due() -> None:
    try:
        for duty in DUTIES:
            if claim(duty):
                carry_out(duty)
    except SQLAlchemyError:
        log.exception("the schedule cannot be read")


def claim(duty: Duty) -> bool:
    """Whether the duty is due and ours: the row moves on to its next time, and only one clock sees it move."""
    _enter_into_schedule(duty)
    this = update(Schedule).where(Schedule.name == duty.name, Schedule.due_at <= now()).values(due_at=now() + duty.every)
    with transaction() as session:
        moved = session.execute(this)
        return isinstance(moved, CursorResult) and moved.rowcount == 1


def _enter_into_schedule(duty: Duty) -> None:
    if db.session.get(Schedule, duty.name) is not None:
        return
    try:
        with transaction() as session:
            session.add(Schedule(name=duty.name, due_at=now()))
    except IntegrityError:
        log.info("another clock entered it first", name=duty.name)


def carry_out(duty: Duty) -> None:
    try:
        duty.do()
    except Exception:
        log.exception("a duty failed and is tried again", name=duty.name)
        _note(duty, due_at=now() + min(duty.every, AGAIN_AFTER_FAILURE))
    else:
        _note(duty, last_done_at=now())


def _note(duty: Duty, **values: object) -> None:
    with transaction() as session:
        session.execute(update(Schedule).where(Schedule.name == duty.name).values(**values))


def _each_church() -> Iterator[UUID]:
    """Every church, one after the other, each in its own scope."""
    with every_church():
        church_ids = list(db.session.scalars(select(Church.id).order_by(Church.id)))
    for church_id in church_ids:
        with church_scope(church_id):
            yield church_id


def erase_expired() -> None:
    for church_id in _each_church():
        prayers, cards = retention.erase_expired(get_church())
        if prayers or cards:
            log.info("erased what was old", church_id=church_id, count=cards + prayers)


def keep_tokens_alive() -> None:
    """Refresh the tokens that nobody used for a week."""
    _renew_each(_is_unused)


def try_sign_ins_once_more() -> None:
    """Whoever was called dead a while ago is asked about again, though no card may wait for it."""
    _renew_each(_second_try_is_due)


def _renew_each(wanted: Callable[[Connection], bool]) -> None:
    """One church's trouble is noted and does not keep the others waiting."""
    for church_id in _each_church():
        connection = find_connection()
        if connection is None or not wanted(connection):
            continue
        end_reading()
        try:
            keep_alive(connection)
        except (ConnectCardError, PlanningCenterError) as error:
            log.warning("a token could not be refreshed", church_id=church_id, exc_info=error)


def _second_try_is_due(connection: Connection) -> bool:
    return connection.not_renewed and connection.tried_again_at is not None and connection.tried_again_at <= now()


def _is_unused(connection: Connection) -> bool:
    renewable = connection.state == CONNECTED and connection.kind == OAUTH
    return renewable and (connection.expires_at is None or connection.expires_at <= now() - TOKEN_UNUSED)


def forget_old_sessions() -> None:
    with transaction() as session:
        session.execute(delete(StaffSession).where(StaffSession.last_seen_at <= now() - SESSION_UNSEEN))


def forget_aged_views() -> None:
    """Erase what was read of Planning Center for looking at and is old by now."""
    for church_id in _each_church():
        erased = mirrors.forget_aged()
        if erased:
            log.info("erased what was read long ago", church_id=church_id, count=erased)


def erase_old_deliveries() -> None:
    for church_id in _each_church():
        if erased := inbox.erase_old():
            log.info("erased old deliveries", church_id=church_id, count=erased)


def pull_changes() -> None:
    """Every few hours what changed in Planning Center; once a week each list is read whole by itself."""
    _want_of_each_connected(PULL_FULL)


def check_the_truth() -> None:
    """Every night the ids of both sides are compared."""
    _want_of_each_connected(TRUTH_CHECK)


def look_at_what_is_offered() -> None:
    """Every day the fields and lists are read anew, and whether each product is still open to whoever connected."""
    for church_id, connection in _each_connected_church():
        with transaction():
            want_choices(connection)
        ring(church_id)


def _want_of_each_connected(kind: str) -> None:
    for church_id, _ in _each_connected_church():
        with transaction():
            pull.want_pull(kind, pull.SCHEDULE)
        ring(church_id)


def _each_connected_church() -> Iterator[tuple[UUID, Connection]]:
    for church_id in _each_church():
        connection = find_connection()
        if connection is not None and connection.state == CONNECTED:
            yield church_id, connection


def ring_for_due_work() -> None:
    """For a worker that heard nothing; bells of work that is being done already do nothing."""
    for church_id in {*sync_lanes.churches_with_due_work(), *inbox.churches_with_due_work()}:
        ring(church_id)


DUTIES = (
    Duty(restores.DUTY, timedelta(minutes=1), restores.notice_and_remember),
    Duty("erase expired cards", timedelta(hours=1), erase_expired),
    Duty("erase old deliveries", timedelta(hours=1), erase_old_deliveries),
    Duty("keep tokens alive", timedelta(days=1), keep_tokens_alive),
    Duty("try sign-ins once more", timedelta(minutes=1), try_sign_ins_once_more),
    Duty("forget old sessions", timedelta(hours=1), forget_old_sessions),
    Duty("forget aged views", timedelta(hours=6), forget_aged_views),
    Duty("look at what is offered", timedelta(days=1), look_at_what_is_offered),
    Duty("pull changes", timedelta(hours=4), pull_changes),
    Duty("check the truth", timedelta(days=1), check_the_truth),
    Duty("ring for due work", timedelta(minutes=1), ring_for_due_work),
)
