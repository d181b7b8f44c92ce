"""Where the practice churches are kept: one SQLite database, in memory or in a file.

One transaction a request: whatever goes wrong half-way leaves nothing behind, and a killed process loses nothing that was answered.
Every row of Planning Center's is a `Row`; its kind-specific attributes are JSON, so that a new kind needs no new table.
"""

# ruff: noqa: S608 (the SQL is put together from this package's own names; what callers send is always bound)

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import finalize

SCHEMA = """
create table if not exists record (
  id integer primary key, kind text not null, organization integer not null, person integer, parent integer,
  created_at text not null, updated_at text not null, attributes text not null, relations text not null
);
create table if not exists term (
  organization integer not null, person integer not null, record integer not null, kind text not null, text text not null,
  added_at real not null
);
create table if not exists credential (
  secret text primary key, kind text not null, family integer not null, organization integer not null, person integer not null,
  scope text not null, issued_at real not null, expires_at real, ended_at real, facts text not null
);
create table if not exists client (id text primary key, secret text not null, redirect_uris text not null);
create table if not exists kept (name text primary key, value text not null);
"""
INDEXES = {
    "record_by_kind": "record (organization, kind, id)",
    "record_by_created": "record (organization, kind, created_at, id)",
    "record_by_updated": "record (organization, kind, updated_at, id)",
    "record_of_person": "record (person, kind) where person is not null",
    "record_below": "record (parent, kind) where parent is not null",
    "email_by_address": "record (organization, fold(json_extract(attributes, '$.address'))) where kind = 'Email'",
    "phone_by_number": "record (organization, fold(json_extract(attributes, '$.number'))) where kind = 'PhoneNumber'",
    "person_by_last_name": "record (organization, fold(json_extract(attributes, '$.last_name'))) where kind = 'Person'",
    "person_by_remote_id": "record (organization, json_extract(attributes, '$.remote_id')) where kind = 'Person'",
    "person_with_account": "record (organization) where kind = 'Person' and json_extract(relations, '$.account') is not null",
    "term_by_text": "term (organization, kind, text)",
    "term_of_record": "term (record)",
    "term_of_person": "term (person)",
    "credential_by_family": "credential (family)",
}
TABLES = ("record", "term", "credential", "client")
COLUMNS = (
    "record.id, record.kind, record.organization, record.person, record.parent, record.created_at, record.updated_at, "
    "record.attributes, record.relations"
)


@dataclass
class Row:
    """One thing in Planning Center. `person` is whom it is about, `parent` what it stands below; relations are ids by name.

    `read` is what the store said when it was read; empty for a new one.
    """

    kind: str
    organization: int
    attributes: dict[str, Any] = field(default_factory=dict)
    relations: dict[str, int] = field(default_factory=dict)
    person: int | None = None
    parent: int | None = None
    created_at: str = ""
    updated_at: str = ""
    id: int = 0
    read: tuple[Any, ...] = field(default=(), compare=False, repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.attributes.get(name)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> dict[str, Any]:
            """The JSON of a row that was read is parsed when it is first looked at: most rows of a long page never are."""
            if name not in ("attributes", "relations"):
                raise AttributeError(name)
            text = self.read[-1 if name == "relations" else -2]
            parsed = json.loads(text) if text != "{}" else {}
            setattr(self, name, parsed)
            return parsed


@dataclass
class Condition:
    """A piece of SQL that is true for the rows wanted, and what its question marks stand for."""

    sql: str
    values: tuple[Any, ...] = ()


def fold(text: object) -> str | None:
    return None if text is None else str(text).casefold()


class Store:
    """`lock` is held for a whole transaction: requests change the practice churches one after the other."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = RLock()
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        finalize(self, self._database.close)
        self._database.create_function("fold", 1, fold, deterministic=True)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.executescript(SCHEMA)
        self._make_indexes()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.lock:
            self._database.execute("begin immediate")
            try:
                yield
                self._database.execute("commit")
            except BaseException:
                self._database.execute("rollback")
                raise

    def _make_indexes(self) -> None:
        for name, what in INDEXES.items():
            self._database.execute(f"create index if not exists {name} on {what}")

    # Rows

    def get(self, kind: str, organization: int, number: int) -> Row | None:
        found = self._rows("record.id = ? and kind = ? and organization = ?", (number, kind, organization))
        return found[0] if found else None

    def anywhere(self, kind: str, number: int) -> Row | None:
        """A row of any organization: for the pages and the controls of the simulator itself."""
        found = self._rows("record.id = ? and kind = ?", (number, kind))
        return found[0] if found else None

    def all(self, kind: str, organization: int) -> list[Row]:
        return self._rows("organization = ? and kind = ? order by record.id", (organization, kind))

    def organizations(self) -> list[Row]:
        return self._rows("kind = 'Organization' order by record.id", ())

    def of_person(self, kind: str, person: int) -> list[Row]:
        return self._rows("person = ? and kind = ? order by record.id", (person, kind))

    def below(self, kind: str, parent: int) -> list[Row]:
        return self._rows("parent = ? and kind = ? order by record.id", (parent, kind))

    def find(self, conditions: Sequence[Condition], order: str = "record.id", limit: int = -1, offset: int = 0) -> list[Row]:
        where, values = joined(conditions)
        return self._rows(f"{where} order by {order} limit ? offset ?", (*values, limit, offset))

    def count(self, conditions: Sequence[Condition]) -> int:
        where, values = joined(conditions)
        return int(self._database.execute(f"select count(*) from record where {where}", values).fetchone()[0])

    def ranked(self, numbers: Sequence[int], conditions: Sequence[Condition], order: str, limit: int, offset: int) -> list[Row]:
        """The rows with these ids, in this order, a repeated id repeated."""
        where, values = joined(conditions)
        table = f"json_each(?) as found join record on record.id = found.value where {where}"
        rows = self._database.execute(
            f"select {COLUMNS} from {table} order by {order} limit ? offset ?", (json.dumps(numbers), *values, limit, offset)
        )
        return [read_row(row) for row in rows]

    def count_ranked(self, numbers: Sequence[int], conditions: Sequence[Condition]) -> int:
        where, values = joined(conditions)
        table = f"json_each(?) as found join record on record.id = found.value where {where}"
        return int(self._database.execute(f"select count(*) from {table}", (json.dumps(numbers), *values)).fetchone()[0])

    def computed(self, numbers: Sequence[int], expressions: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """Values of rows, by id, that are worked out from other rows by SQL over `record`."""
        if not expressions:
            return {}
        columns = ", ".join(expressions.values())
        found = self._database.execute(
            f"select record.id, {columns} from json_each(?) as wanted join record on record.id = wanted.value", (json.dumps(numbers),)
        )
        return {number: dict(zip(expressions, values, strict=True)) for number, *values in found}

    def linked(self, kind: str, source: tuple[str, str], numbers: Sequence[int]) -> dict[int, list[Row]]:
        """The rows of a kind at the other end of an edge (`Edge.source`), for each of several things, by id."""
        tables, key = source
        sql = (
            f"select {key}, {COLUMNS} from {tables} where record.kind = ? and {key} in (select value from json_each(?)) order by record.id"
        )
        found: dict[int, list[Row]] = {}
        for number, *columns in self._database.execute(sql, (kind, json.dumps(numbers))):
            found.setdefault(number, []).append(read_row(columns))
        return found

    def several(self, kind: str, organization: int, numbers: Collection[int]) -> dict[int, Row]:
        """Rows by their ids; those that are not there are left out."""
        wanted = "record.id in (select value from json_each(?)) and kind = ? and organization = ?"
        return {row.id: row for row in self._rows(wanted, (json.dumps(list(numbers)), kind, organization))}

    def add(self, row: Row) -> Row:
        row.id = self.next_id() if not row.id else row.id
        self.add_many([row])
        return row

    def add_many(self, rows: Iterable[Row]) -> None:
        self._database.executemany("insert into record values (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(written_row, rows))

    def next_id(self) -> int:
        """Ids are never used again, whatever is deleted: a stale id must not meet another thing."""
        last = self.keep("last_id", self.kept("last_id", 0) + 1)
        return int(last)

    def change(self, row: Row) -> None:
        self._database.execute(
            "update record set person = ?, parent = ?, created_at = ?, updated_at = ?, attributes = ?, relations = ? where id = ?",
            (row.person, row.parent, row.created_at, row.updated_at, json.dumps(row.attributes), json.dumps(row.relations), row.id),
        )

    def remove(self, row: Row) -> None:
        """Take a row away; a person's with everything that is about the person or below it."""
        self._database.execute("delete from term where record = ?1 or person = ?1", (row.id,))
        self._database.execute("delete from record where id = ?1 or person = ?1 or parent = ?1", (row.id,))

    def _rows(self, where: str, values: Sequence[Any]) -> list[Row]:
        return [read_row(row) for row in self._database.execute(f"select {COLUMNS} from record where {where}", values)]

    # Everything else

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._database.execute(sql, values).fetchall()

    def execute_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        self._database.executemany(sql, values)

    def kept(self, name: str, otherwise: Any = None) -> Any:
        found = self._database.execute("select value from kept where name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else otherwise

    def keep(self, name: str, value: Any) -> Any:
        self._database.execute("insert or replace into kept values (?, ?)", (name, json.dumps(value)))
        return value

    def empty(self) -> None:
        """Forget the churches, their people, tokens and clients; settings and the signing key stay."""
        for name in INDEXES:
            self._database.execute(f"drop index if exists {name}")
        for table in TABLES:
            self._database.execute(f"delete from {table}")

    def filled(self) -> None:
        """The indexes are made after the rows: ten times faster for a large church."""
        self._make_indexes()


def joined(conditions: Sequence[Condition]) -> tuple[str, tuple[Any, ...]]:
    where = " and ".join(f"({condition.sql})" for condition in conditions) or "1"
    return where, tuple(value for condition in conditions for value in condition.values)


def read_row(columns: Sequence[Any]) -> Row:
    row = Row.__new__(Row)
    row.id, row.kind, row.organization, row.person, row.parent, row.created_at, row.updated_at, _, _ = columns
    row.read = tuple(columns)
    return row


def written_row(row: Row) -> tuple[Any, ...]:
    attributes, relations = json.dumps(row.attributes), json.dumps(row.relations) if row.relations else "{}"
    return row.id, row.kind, row.organization, row.person, row.parent, row.created_at, row.updated_at, attributes, relations
