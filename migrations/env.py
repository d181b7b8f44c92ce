"""Runs the migrations in one transaction on the application's own engine, on SQLite as on PostgreSQL."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from connectcard.churches.row_security import keep_new_tables
from connectcard.database import UtcDateTime, db

RELEASE_LOCK = 20_261_120


def render_item(kind, thing, _autogenerate):
    """Migrations stand for themselves: a moment is written as the plain column that it is."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UtcDateTime) else False


def finish_script(_context, _revision, scripts):
    """A change of nothing makes no migration; a new church-owned table gets its row-level security."""
    keep_new_tables(scripts[0])
    if scripts[0].upgrade_ops.is_empty() and getattr(context.config.cmd_opts, "autogenerate", False):
        scripts.clear()


def set_foreign_keys(connection: Connection, state: str) -> None:
    """SQLite copies tables in batch mode, and dropping the old one would delete what hangs on it.

    The pragma does nothing inside a transaction, so it goes to the driver before one begins.
    """
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.execute(f"PRAGMA foreign_keys={state}")


def reach_every_row(connection: Connection) -> None:
    """On PostgreSQL: one release at a time, and a migration may touch the rows of every church."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": RELEASE_LOCK})
        connection.execute(text("select set_config('app.every_church', 'on', true)"))


def run(connection: Connection) -> None:
    settings = current_app.extensions["migrate"].configure_args | {"process_revision_directives": finish_script}
    context.configure(connection=connection, target_metadata=db.metadata, render_item=render_item, transactional_ddl=True, **settings)
    with context.begin_transaction():
        context.run_migrations()


with db.engine.connect() as connection:
    set_foreign_keys(connection, "OFF")
    with connection.begin():
        reach_every_row(connection)
        run(connection)
    set_foreign_keys(connection, "ON")
