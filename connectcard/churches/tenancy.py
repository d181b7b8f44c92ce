"""The church boundary: no query on a church's rows without a scope, and none beyond it.

Only the doors (`web.access`, the worker) open `church_scope`. Inside it every statement on a church-owned table is narrowed,
new rows are stamped and foreign rows refuse to flush. PostgreSQL's row-level security holds the same line once more.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, ForeignKey, ForeignKeyConstraint, Index, Table, UniqueConstraint, Uuid, bindparam, event, text
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, SessionTransaction, mapped_column, with_loader_criteria
from sqlalchemy.sql import visitors

from connectcard.database import Base, ChurchSession, db
from connectcard.errors import ScopeError

_scope: ContextVar[UUID | None] = ContextVar("church_scope", default=None)
# How SQLAlchemy names the value of this column, alone or as one of several rows; what a condition compares with is church_id_1.
_STORED_CHURCH = re.compile(r"church_id(_m\d+)?")
_every_church: ContextVar[bool] = ContextVar("every_church", default=False)


class ChurchOwned:
    """A row that belongs to one church; it has its id and its church from the moment it is made."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    church_id: Mapped[UUID] = mapped_column(ForeignKey("church.id", ondelete="CASCADE"), index=True)

    def __init__(self, **values: Any) -> None:
        for name, value in {"id": uuid4(), "church_id": _scope.get(), **values}.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name}")
            setattr(self, name, value)


def belongs_to(parent: str, column: str, *, ondelete: str = "CASCADE") -> ForeignKeyConstraint:
    """A foreign key that carries the church, so that a row can never point into another one."""
    return ForeignKeyConstraint(["church_id", column], [f"{parent}.church_id", f"{parent}.id"], ondelete=ondelete)


def one_church() -> UniqueConstraint:
    """What `belongs_to` points at."""
    return UniqueConstraint("church_id", "id")


def found_by_id() -> Index:
    """For a table of thousands of rows that as many others belong to: PostgreSQL finds the one that a new row points at by its id.

    Until a table has statistics, each of its indexes that begins with the church is as good to the planner as `one_church`, and it
    walks through the whole church for each row that is checked. A hash is estimated below any tree (PostgreSQL's selfuncs.c).
    """
    return Index(None, "id", postgresql_using="hash")


@contextmanager
def church_scope(church_id: UUID) -> Iterator[None]:
    """Everything inside works for this church. Scopes of two churches never overlap, nor does a session serve two."""
    if _scope.get() not in (None, church_id):
        raise ScopeError("a scope of another church is open")
    if _scope.get() == church_id:
        yield
        return
    db.session.remove()
    token = _scope.set(church_id)
    try:
        yield
    finally:
        db.session.remove()
        _scope.reset(token)


@contextmanager
def every_church() -> Iterator[None]:
    """The one named exception, for doors, sweeps and the command line; a test lists its places."""
    if _scope.get() is not None:
        raise ScopeError("every_church() inside a church's scope")
    db.session.remove()
    token = _every_church.set(True)
    try:
        yield
    finally:
        db.session.remove()
        _every_church.reset(token)


def current_church_id() -> UUID:
    """The church of the open scope; raises ScopeError outside of one."""
    church_id = _scope.get()
    if church_id is None:
        raise ScopeError("no church's scope is open")
    return church_id


@cache
def church_owned_tables() -> frozenset[Any]:
    """Every table whose rows belong to a church."""
    return frozenset(mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, ChurchOwned))


def _touches_church_rows(statement: Any) -> bool:
    return any(isinstance(part, Table) and part in church_owned_tables() for part in visitors.iterate(statement))


# One condition for all churches; whose rows it lets through is asked of the open scope when a statement runs.
_THIS_CHURCH = bindparam("this_church", callable_=current_church_id, type_=Uuid())
_ITS_OWN_ROWS = with_loader_criteria(ChurchOwned, lambda owned: owned.church_id == _THIS_CHURCH, include_aliases=True)
# SQLAlchemy keeps what it works out about a statement with the statement, so one that is built once is narrowed once.
_narrowed: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def _to_its_own_rows(statement: Any) -> Any:
    narrowed = _narrowed.get(statement)
    if narrowed is None:
        narrowed = _narrowed[statement] = statement.options(_ITS_OWN_ROWS)
    return narrowed


@event.listens_for(ChurchSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    if _every_church.get():
        return
    church_id = _scope.get()
    if state.is_update and isinstance(state.parameters, list):
        raise ScopeError("an update of many rows by their ids is not narrowed; change the loaded rows")
    if state.is_orm_statement and church_id is not None:
        state.statement = _to_its_own_rows(state.statement)
    elif _touches_church_rows(state.statement):
        raise ScopeError(
            "no church's scope is open"
            if church_id is None
            else "a church's table was reached without its model; select the model, so that the guard can narrow it"
        )


@event.listens_for(ChurchSession, "before_flush")
def _refuse_foreign_rows(session: Session, _context: Any, _instances: Any) -> None:
    if _every_church.get():
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, ChurchOwned) and row.church_id != current_church_id():
            raise ScopeError(f"a row of {type(row).__name__} belongs to another church")


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_foreign_values(_connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Bulk and Core writes pass by the flush, so what any INSERT or UPDATE stores is looked at on its way out."""
    church_id, compiled = _scope.get(), getattr(context, "compiled", None)
    if church_id is None or compiled is None or not (compiled.isinsert or compiled.isupdate):
        return
    if compiled.statement.table not in church_owned_tables():
        return
    if getattr(compiled.statement, "select", None) is not None:
        raise ScopeError("rows made from a query are not checked; make them one by one")
    rows = context.compiled_parameters
    # One statement names the values of each of its rows alike.
    names = [name for name in rows[0] if _STORED_CHURCH.fullmatch(name)]
    if any(row[name] != church_id for row in rows for name in names):
        raise ScopeError(f"a row of {compiled.statement.table.name} would belong to another church")


@event.listens_for(ChurchSession, "after_begin")
def _tell_postgresql(_session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        return
    connection.execute(
        text("select set_config('app.church_id', :church, true), set_config('app.every_church', :every, true)"),
        {"church": str(_scope.get() or ""), "every": "on" if _every_church.get() else ""},
    )
