"""The database: base class, column types, and `transaction()`, the only place that commits.

Outside `transaction()` a session only reads. On SQLite a reading transaction begins plainly and a writing one with
BEGIN IMMEDIATE: with the stock settings of the driver two processes lose each other's updates without an error.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import DateTime, Engine, MetaData, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")

# How often a unit of work begins anew because somebody else stored the same row at the same moment.
MOST_ATTEMPTS = 20

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class ChurchSession(FlaskSession):
    """A session of one church; `churches.tenancy` hangs its guard on this class."""


db = SQLAlchemy(model_class=Base, session_options={"class_": ChurchSession, "expire_on_commit": False})

_writing: ContextVar[bool] = ContextVar("writing", default=False)
_bells: ContextVar[list[Callable[[], None]] | None] = ContextVar("bells", default=None)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC; SQLite keeps it naive and we put the zone back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: commits at the end, rolls back on any error, then rings the bells collected meanwhile.

    It does not nest. What was read before it is read again, so that nothing is decided on an old value.
    """
    if _writing.get():
        raise RuntimeError("transaction() does not nest: a room flushes, the caller commits")
    session = db.session()
    session.rollback()
    session.expire_all()
    writing, bells = _writing.set(True), _bells.set([])
    try:
        yield session
        session.commit()
        collected = _bells.get() or []
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(writing)
        _bells.reset(bells)
    for ring in collected:
        ring()


def after_commit(ring: Callable[[], None]) -> None:
    """Ring a bell once the open transaction is committed; a bell must not raise when Redis is away."""
    bells = _bells.get()
    if bells is None:
        raise RuntimeError("after_commit() belongs inside transaction()")
    bells.append(ring)


def end_reading() -> None:
    """Give the connection back before a slow call: nothing may be open while we talk to Planning Center."""
    if _writing.get():
        raise RuntimeError("a transaction is open; Planning Center is spoken to outside of it")
    db.session.rollback()


def begins_anew(work: Callable[P, T]) -> Callable[P, T]:
    """Have a unit of work, its transaction and all, begin anew where somebody else stored the same row at that moment."""

    @wraps(work)
    def until_nobody_is_quicker(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MOST_ATTEMPTS):
            try:
                return work(*args, **kwargs)
            except IntegrityError:
                log.info("somebody_was_quicker", name=work.__name__)
        return work(*args, **kwargs)

    return until_nobody_is_quicker


def plan_anew() -> None:
    """After many rows, inside `transaction()`: have PostgreSQL forget what it planned while their table was small.

    It keeps the plan of a foreign key for as long as a session lasts, and of a small table that is to read all of it for each row.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("DISCARD PLANS"))


def _sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    connection.execute("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def prepare(engine: Engine) -> Engine:
    """Give a SQLite engine the settings under which no update is lost; others are left as they are."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        # As the dialect's own, so that a database that is locked is told as SQLAlchemy tells it; its event costs ten times as much.
        engine.dialect.do_begin = _sqlite_begin  # type: ignore[method-assign, assignment]
    return engine


def init_app(app: Flask) -> None:
    # A connection to a server may have broken meanwhile; one to a file does not.
    over_a_network = not app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {"hide_parameters": True, "pool_pre_ping": over_a_network})
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
