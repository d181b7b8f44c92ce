"""What comes out the same each time is made once in a test run: compiled templates, addresses and statements, and the practice churches.

An application lives for weeks, so that the product need not care; a test run makes thousands of them, one for each test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from connectcard import database
from connectcard.simulator import practice
from connectcard.simulator.store import TABLES, Store

STATEMENTS_KEPT = 10_000

Builder = Callable[..., tuple[str, str]]


class CompiledTemplates(BytecodeCache):
    """Code by template; Jinja's own checksum of the source tells a template that was changed meanwhile."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


class Address(Rule):
    """Werkzeug takes each address of each application apart and compiles two functions for it; both depend on what stands in it only."""

    parted: ClassVar[dict[tuple[object, ...], dict[str, Any]]] = {}
    builders: ClassVar[dict[tuple[object, ...], Builder]] = {}

    def compile(self) -> None:
        key = (self.rule, self.subdomain, self.merge_slashes, repr(self.defaults))
        if key not in self.parted:
            super().compile()
            self.parted[key] = {name: getattr(self, name) for name in ("_parts", "_trace", "_converters", "arguments")}
            return
        self.__dict__.update(self.parted[key])
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self.builders:
            self.builders[key] = super()._compile_builder(append_unknown)
        return self.builders[key]


class CompiledStatements(LRUCache[Any, Any]):
    """SQL by statement; SQLAlchemy keeps it for each engine, and depends on the kind of database only."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), compiled)


@dataclass(frozen=True)
class Written:
    """What stands in a practice Planning Center that was just made."""

    rows: dict[str, list[tuple[Any, ...]]]
    last_id: int


class PracticeChurches:
    """The practice pair of a seed, made once in ten minutes, so that its dates are still round the present."""

    def __init__(self) -> None:
        self.written: dict[tuple[int, int, int | None, int], Written] = {}
        self.found = practice.reset

    def reset(self, store: Store, seed: int, people: int, now: float, groups: int | None = None) -> None:
        key = seed, people, groups, int(now // 600)
        if key in self.written:
            self._write(store, self.written[key])
        else:
            self.found(store, seed, people, now, groups)
            self.written[key] = Written({table: store.execute(f"select * from {table}") for table in TABLES}, store.kept("last_id"))

    def _write(self, store: Store, written: Written) -> None:
        store.empty()
        for table, rows in written.rows.items():
            if rows:
                store.execute_many(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)
        store.keep("last_id", written.last_id)
        store.filled()


def _with(statements: CompiledStatements, prepare: Callable[[Engine], Engine]) -> Callable[[Engine], Engine]:
    def prepared(engine: Engine) -> Engine:
        engine.update_execution_options(compiled_cache=statements)
        return prepare(engine)

    return prepared


def for_every_application() -> None:
    database.prepare = _with(CompiledStatements(STATEMENTS_KEPT), database.prepare)
    practice.reset = PracticeChurches().reset
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
    Flask.url_rule_class = Address
