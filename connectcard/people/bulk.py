"""Many rows in one statement, on both databases: what a pull brings is not written row by row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

from connectcard.database import Base, db, plan_anew

T = TypeVar("T")
ROWS_A_STATEMENT = 500
# As many as make PostgreSQL look at a table again by itself (autovacuum_analyze_threshold), which it does a minute later.
MANY = 50


def chunks(values: Sequence[T], size: int = ROWS_A_STATEMENT) -> Iterator[Sequence[T]]:
    """The values in parts that a statement takes: SQLite takes 32,766 parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def upsert(model: type[Base], key: tuple[str, ...] | None, renewed: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows; those whose `key` is there already get the `renewed` columns. Each row names all columns that it stores."""
    if not rows:
        return
    make = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement: Any = make(model)
    if key is not None:
        statement = statement.on_conflict_do_update(index_elements=list(key), set_={name: statement.excluded[name] for name in renewed})
    db.session.flush()
    # Past the session's bookkeeping of each row; the guard looks at every value that is stored on its way out all the same.
    db.session.connection().execute(statement, list(rows))
    if len(rows) >= MANY:
        plan_anew()
