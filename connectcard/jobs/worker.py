"""`connectcard worker`: serves the churches that have work, woken by bells and by its own look into the database."""

import os
from collections.abc import Callable
from threading import Event
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import or_, select
from sqlalchemy.exc import SQLAlchemyError

from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.connections import checks
from connectcard.connections import operations as connections
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading
from connectcard.errors import ConnectionMissing
from connectcard.jobs import restores
from connectcard.jobs.lanes import BothWays, Lanes
from connectcard.jobs.listener import listen
from connectcard.jobs.signals import say_ready, stop_on_signals
from connectcard.planning_center import Client
from connectcard.sync import inbox, mirrors, pull, readings
from connectcard.sync import lanes as sync_lanes
from connectcard.sync.forms import chosen_form_id
from connectcard.sync.runs import note_on_runs

log = structlog.get_logger()

# How soon the database is looked into again where something is due; where nothing is, the configuration says how seldom.
SOON_SECONDS = 2
# What a call to Planning Center that is in flight may still take after SIGTERM.
LEAVE_SECONDS = 20


def run(app: Flask) -> None:
    """Work until SIGTERM: then no new step is taken, calls in flight get 20 seconds, and what is left stays due in the database."""
    stop = stop_on_signals()
    outward = Lanes(lambda church_id: serve(app, church_id, stop, lambda: outward.crowded))
    lanes = BothWays(outward, Lanes(lambda church_id: hear(app, church_id, stop)))
    app.extensions["lanes"] = lanes
    with app.app_context():
        _notice_a_restore()
    listen(app, stop)
    say_ready()
    watch(app, lanes, stop)
    if not lanes.close(LEAVE_SECONDS):
        log.warning("left with calls in flight; their outcome is looked up before anything is sent again")
        os._exit(0)


def _notice_a_restore() -> None:
    try:
        restores.notice()
    except SQLAlchemyError:
        log.exception("the database cannot be looked into")


def serve(app: Flask, church_id: UUID, stop: Event, others_wait: Callable[[], bool]) -> bool:
    """Do what is due for a church's cards, for a while where others wait; says whether there is more to do."""
    with app.app_context():
        with church_scope(church_id):
            if not _by_its_own_token(stop):
                return False
            _read_choices(stop)
        return sync_lanes.advance(church_id, stop, others_wait)


def hear(app: Flask, church_id: UUID, stop: Event) -> bool:
    """Do everything that is due the other way, from Planning Center to here; in a lane of its own, so that it waits for no long run."""
    with app.app_context():
        with church_scope(church_id):
            if not _by_its_own_token(stop):
                return False
        client = _client(church_id, stop)
        if client is not None:
            inbox.work_inbox(church_id, client, stop)
        with church_scope(church_id):
            _read_views(church_id, stop)
        return pull.advance_pulls(church_id, stop, lambda: inbox.is_due() or bool(readings.wanted_now()))


def _by_its_own_token(stop: Event) -> bool:
    """Whether this church may be worked for with the sign-in that we have; where it may not, what waits says why."""
    connection = find_connection()
    try:
        why_not = connections.why_not_served(connection, stop) if connection is not None else None
    except ConnectionMissing as error:
        log.warning("church_cannot_be_served", exc_info=error)
        why_not = str(error)
    if why_not is not None:
        end_reading()
        note_on_runs(why_not[:300])
    return why_not is None


def _client(church_id: UUID, stop: Event) -> Client | None:
    """In the background: a burst of deliveries leaves half of each window to the cards."""
    with church_scope(church_id):
        connection = find_connection()
        if connection is None or connection.state != CONNECTED:
            return None
        try:
            return client_for(connection, background=True, stopping=stop)
        except ConnectionMissing as error:
            log.warning("what Planning Center tells cannot be worked", church_id=church_id, exc_info=error)
            return None


def _read_choices(stop: Event) -> None:
    connection = find_connection()
    if connection is None or not _wants_choices(connection):
        return
    try:
        connections.read_choices(connection, stop, form=chosen_form_id())
        checks.look_at_products(connection, stop)
    except ConnectionMissing as error:
        log.warning("choices cannot be read", connection_id=connection.id, exc_info=error)


def _read_views(church_id: UUID, stop: Event) -> None:
    """What staff want to look at."""
    connection = find_connection()
    if connection is None or connection.state != CONNECTED or not readings.wanted_now():
        return
    try:
        mirrors.read_views(church_id, client_for(connection, background=True, stopping=stop), stop)
    except ConnectionMissing as error:
        log.warning("views cannot be read", church_id=church_id, exc_info=error)


def _wants_choices(connection: Connection) -> bool:
    wanted, read = connection.choices_wanted_at, connection.choices_read_at
    return connection.state == CONNECTED and wanted is not None and (read is None or read < wanted)


def watch(app: Flask, lanes: BothWays, stop: Event) -> None:
    """Wake every church that has something due, with or without Redis, until `stop` is set."""
    while not stop.is_set():
        stop.wait(_look(app, lanes))


def _look(app: Flask, lanes: BothWays) -> float:
    """Wake the churches with due work; returns in how many seconds to look again."""
    seldom: float = app.config["CONNECTCARD"].waits.look.total_seconds()
    try:
        with app.app_context():
            for church_id in churches_with_work():
                lanes.wake(church_id)
            return _seconds_until_next(seldom)
    except SQLAlchemyError:
        log.exception("the database cannot be looked into")
        return seldom


def _seconds_until_next(seldom: float) -> float:
    due_at = sync_lanes.next_due_at()
    if due_at is None:
        return seldom
    return min(max((due_at - now()).total_seconds(), SOON_SECONDS), seldom)


def churches_with_work() -> set[UUID]:
    """The connected churches with anything due, in whichever direction."""
    cards = {*sync_lanes.churches_with_due_work(), *churches_wanting_choices()}
    return {*cards, *inbox.churches_with_due_work(), *readings.churches_wanting_readings(), *pull.churches_wanting_pulls()}


def churches_wanting_choices() -> list[UUID]:
    """The connected churches whose choices in Planning Center are to be read again."""
    unread = or_(Connection.choices_read_at.is_(None), Connection.choices_read_at < Connection.choices_wanted_at)
    free = or_(Connection.blocked_until.is_(None), Connection.blocked_until <= now())
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, Connection.choices_wanted_at.is_not(None), unread, free)
    with every_church():
        return list(db.session.scalars(wanted))
