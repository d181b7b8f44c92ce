"""PostgreSQL's row-level security as a step of a migration: `op.keep_rows_by_church("submission")`.

The session guard of `tenancy` narrows every query; this makes the database itself hold the same line. It binds the owner of
the table too (FORCE), but no superuser and no role with BYPASSRLS. `tenancy` says in each transaction which church it serves.
"""

from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import CreateTableOp, MigrationScript

from connectcard.churches.tenancy import church_owned_tables

VISIBLE = "church_id = nullif(current_setting('app.church_id', true), '')::uuid OR current_setting('app.every_church', true) = 'on'"


@Operations.register_operation("keep_rows_by_church")
class KeepRowsByChurch(MigrateOperation):
    """A church sees and writes its own rows of a table only; SQLite has no such thing, and nothing happens there."""

    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def keep_rows_by_church(cls, operations: Operations, table: str) -> None:
        operations.invoke(cls(table))


@Operations.implementation_for(KeepRowsByChurch)
def _keep(operations: Operations, keep: KeepRowsByChurch) -> None:
    if operations.get_context().dialect.name != "postgresql":
        return
    operations.execute(f'ALTER TABLE "{keep.table}" ENABLE ROW LEVEL SECURITY')
    operations.execute(f'ALTER TABLE "{keep.table}" FORCE ROW LEVEL SECURITY')
    operations.execute(f'CREATE POLICY church_rows ON "{keep.table}" USING ({VISIBLE}) WITH CHECK ({VISIBLE})')


@renderers.dispatch_for(KeepRowsByChurch)
def _render(_context: Any, keep: KeepRowsByChurch) -> str:
    return f"op.keep_rows_by_church({keep.table!r})"


def keep_new_tables(script: MigrationScript) -> None:
    """Add the step for every church-owned table that a generated migration creates."""
    owned = {table.name for table in church_owned_tables()}
    for upgrade in script.upgrade_ops_list:
        made = [step.table_name for step in upgrade.ops if isinstance(step, CreateTableOp)]
        upgrade.ops.extend(KeepRowsByChurch(name) for name in made if name in owned)
