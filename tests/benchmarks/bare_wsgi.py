"""The floor under the card's POST: the same insert by the database's own driver, without any framework."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import psycopg

URL = os.environ["DATABASE_URL"]
COLUMNS = "id, submission_key, first_name, last_name, email, phone, answers, received_at"
TABLE = f"create table if not exists bare ({COLUMNS.replace(',', ' text,')} text, primary key (id), unique (submission_key))"
mine = threading.local()


def connect() -> Any:
    if not URL.startswith("sqlite:///"):
        return psycopg.connect(URL.replace("+psycopg", ""), autocommit=True)
    connection = sqlite3.connect(URL.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def keep(row: list[str]) -> None:
    if not hasattr(mine, "connection"):
        mine.connection = connect()
    mark = "?" if URL.startswith("sqlite") else "%s"
    mine.connection.execute(f"insert into bare ({COLUMNS}) values ({', '.join([mark] * 8)})", row)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode())
    answers = {name: form.get(name, [""])[0] for name in ("first_name", "last_name", "email", "phone")}
    keep([uuid4().hex, form["submission_key"][0], *answers.values(), json.dumps(answers), datetime.now(UTC).isoformat()])
    start_response("303 See Other", [("Location", "/thanks"), ("Content-Length", "0")])
    return [b""]


def create() -> Callable[..., Iterable[bytes]]:
    connection = connect()
    connection.execute(TABLE)
    connection.close()
    return app
