"""`make run` as a newcomer sees it: one line with the address, Ctrl-C leaves nothing behind, the next day it is all there."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from connectcard import up
from connectcard.application import ROOT
from connectcard.errors import ConfigError
from tests.servers import free_port, valkey, wait_until


class Everything:
    """`connectcard up`, running in a folder of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port, self.practice_port = free_port(), free_port()
        plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        where = {"PORT": str(self.port), "SIMULATOR_PORT": str(self.practice_port), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "connectcard.cli", "up"]
        self.process = subprocess.Popen(
            command, cwd=home, env=plain | where | settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.rest, self.said = self.process.communicate(timeout=60)
        return self.process.returncode

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self, name: str) -> str:
        return (self.home / "var" / "log" / f"{name}.log").read_text()

    def processes(self) -> set[int]:
        """Everything that was started for this folder, whoever its parent is by now: each holds the folder's lock open."""
        lock = self.home / "var" / "lock"
        found = set()
        for folder in Path("/proc").glob("[0-9]*/fd"):
            try:
                if any(os.path.samefile(descriptor, lock) for descriptor in folder.iterdir() if descriptor.exists()):
                    found.add(int(folder.parent.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it ended while we looked
        return found


@contextmanager
def everything(home: Path, **settings: str) -> Iterator[Everything]:
    running = Everything(home, **settings)
    try:
        yield running
    finally:
        running.stop()
        wait_until(lambda: not running.processes(), "every process to be gone")


def practice_people(running: Everything) -> Any:
    return requests.get(f"http://127.0.0.1:{running.practice_port}/_simulator/organizations", timeout=20).json()


def test_a_newcomers_first_day_and_the_next_one(tmp_path: Path) -> None:
    with everything(tmp_path) as first_day:
        assert first_day.line().startswith(f"connectcard is ready at {first_day.url} ")
        assert requests.get(first_day.url, timeout=20).status_code == 200
        people = practice_people(first_day)
        what_is_secret_can_be_read_by_its_owner_only(tmp_path)
        a_second_one_does_not_share_the_folder(tmp_path)
        assert first_day.stop(signal.SIGINT) == 0
        assert (first_day.rest, first_day.said) == ("", "")
        assert first_day.processes() == set()
        assert "Traceback" not in "".join(first_day.log(name) for name in ("web", "worker", "clock", "simulator"))
    secrets = (tmp_path / "var" / "secrets.env").read_text()
    with closing(sqlite3.connect(tmp_path / "var" / "connectcard.sqlite")) as database:
        database.execute("insert into schedule (name, due_at) values ('a mark of the first day', '2030-01-01')")
        database.commit()
    with everything(tmp_path) as next_day:
        assert next_day.line().startswith("connectcard is ready")
        assert practice_people(next_day) == people
        assert next_day.stop() == 0
    assert (tmp_path / "var" / "secrets.env").read_text() == secrets
    with closing(sqlite3.connect(tmp_path / "var" / "connectcard.sqlite")) as database:
        assert database.execute("select count(*) from schedule where name = 'a mark of the first day'").fetchone() == (1,)


def what_is_secret_can_be_read_by_its_owner_only(folder: Path) -> None:
    for name in ("secrets.env", "settings.env", "redis.conf"):
        assert (folder / "var" / name).stat().st_mode & 0o077 == 0, name
    assert (folder / "var").stat().st_mode & 0o077 == 0


def a_second_one_does_not_share_the_folder(folder: Path) -> None:
    second = Everything(folder)
    assert second.process.wait(30) == 2
    second.stop()
    assert "already runs" in second.said


def test_redis_stops_last_and_web_before_the_practice_planning_center(tmp_path: Path) -> None:
    redis, simulator, web, worker, clock = (part.name for part in _parts(tmp_path) if part.name != "migrations")
    assert [redis, simulator, web, worker, clock] == ["redis", "simulator", "web", "worker", "clock"]


def _parts(folder: Path, **given: str) -> list[Any]:
    return [part for stage in up.Machine(folder, given).stages() for part in stage]


@pytest.mark.parametrize(("setting", "not_started"), [("REDIS_URL", "redis"), ("PCO_BASE_URL", "simulator")])
def test_a_part_that_is_elsewhere_is_not_started_here(tmp_path: Path, setting: str, not_started: str) -> None:
    everything_here = {part.name for part in _parts(tmp_path)}
    elsewhere = {part.name for part in _parts(tmp_path, **{setting: "https://redis.or.planning.center"})}
    assert everything_here - elsewhere == {not_started}


def test_a_database_and_a_redis_that_are_given_are_used(tmp_path: Path, redis_url: str) -> None:
    mine = f"sqlite:///{tmp_path / 'mine.sqlite'}"
    with everything(tmp_path, REDIS_URL=redis_url, DATABASE_URL=mine) as running:
        assert running.line().startswith("connectcard is ready")
        running.stop()
    assert (tmp_path / "mine.sqlite").exists()
    assert not (tmp_path / "var" / "connectcard.sqlite").exists()
    assert not (tmp_path / "var" / "log" / "redis.log").exists()


def test_a_taken_port_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with valkey(tmp_path) as somebody_else:
        port = somebody_else.rsplit(":", 1)[1].split("/")[0]
        with everything(tmp_path, PORT=port) as running:
            assert running.process.wait(30) == 2
            running.stop()
            assert f"Port {port} is taken by another program" in running.said
            assert "Traceback" not in running.said
    assert not (tmp_path / "var" / "log" / "migrations.log").exists()


def test_an_odd_setting_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    with everything(tmp_path, ENCRYPTION_KEYS="c2hvcnQ=") as running:
        assert running.process.wait(30) == 2
        running.stop()
        assert "ENCRYPTION_KEYS is odd" in running.said
    assert not (tmp_path / "var" / "log" / "migrations.log").exists()


def test_a_machine_without_any_redis_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_here() -> Path:
        raise up.ValkeyBinaryNotFoundError("not for this machine")

    monkeypatch.setattr(up, "get_binary_path", none_here)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="install valkey or redis, or set REDIS_URL"):
        up.redis_program()


def test_a_worker_that_dies_takes_everything_down_with_a_word(tmp_path: Path) -> None:
    with everything(tmp_path) as running:
        running.line()
        (worker,) = [pid for pid in running.processes() if b"\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(worker, signal.SIGKILL)
        assert running.process.wait(60) == 1
        running.stop()
        assert "The worker ended by itself (exit code -9), so everything was stopped." in running.said


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with everything(tmp_path) as running:
        running.line()
        running.process.kill()
        wait_until(lambda: not running.processes(), "every process to be gone")
