"""Starts processes in order, watches them, and stops them in the reverse order; nothing is left over.

honcho was tried and left: it stops everything at once, so that Redis is gone while the worker still finishes a card.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from connectcard.errors import ConnectCardError

START_SECONDS = 60
LOOK_SECONDS = 0.05
TAIL_LINES = 20
# make and timeout pass a signal on that the whole group has got already; only a later one means that somebody is in a hurry.
ECHO_SECONDS = 1
PR_SET_PDEATHSIG = 1
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PartFailed(ConnectCardError):
    """A part did not start or ended by itself; the text holds the end of its log."""


class StopAsked(Exception):
    """Ctrl-C or SIGTERM arrived while the parts were starting."""


@dataclass(frozen=True)
class Part:
    """A process. `answers` says whether it is ready; without it, the process says so itself on the descriptor in READY_FD.

    `ends` marks work that is done before the next part starts, such as the migrations. `patience` is how many seconds it
    may take to stop.
    """

    name: str
    command: Sequence[str]
    answers: Callable[[], bool] | None = None
    ends: bool = False
    patience: float = 10


class Running:
    """A part with its process."""

    def __init__(self, part: Part, log: Path, environ: Mapping[str, str], folder: Path, keep_open: Sequence[int]) -> None:
        self.part, self.log = part, log
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        self._ready, says_ready = os.pipe()
        os.set_blocking(self._ready, False)
        with log.open("wb") as out:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**environ, "READY_FD": str(says_ready)},
                pass_fds=(says_ready, *keep_open),
                start_new_session=True,  # Ctrl-C reaches the supervisor only
                preexec_fn=_end_with_parent(os.getpid()),
            )
        os.close(says_ready)

    def is_ready(self) -> bool:
        if self.part.ends:
            return self.process.poll() == 0
        return self.part.answers() if self.part.answers else self._has_said_so()

    def _has_said_so(self) -> bool:
        try:
            return bool(os.read(self._ready, 1))
        except BlockingIOError:
            return False

    def has_failed(self) -> bool:
        return self.process.poll() is not None and not (self.part.ends and self.process.returncode == 0)

    def failure(self, what: str) -> PartFailed:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
        return PartFailed(f"The {self.part.name} {what}. The end of {self.log}:\n{tail}")

    def end(self, hurried: Callable[[], bool]) -> None:
        """Ask it to stop, wait, and end its whole process group when it takes too long or somebody is in a hurry."""
        deadline = time.monotonic() + self.part.patience
        if self.process.poll() is None:
            self.process.terminate()
        while self.process.poll() is None:
            if hurried() or time.monotonic() > deadline:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            time.sleep(LOOK_SECONDS)
        os.close(self._ready)


class Supervisor:
    """Runs stages of parts: a stage starts together, and the next one when every part of it is ready."""

    def __init__(self, *, environ: Mapping[str, str], folder: Path, logs: Path, keep_open: Sequence[int] = ()) -> None:
        self._environ, self._folder, self._logs, self._keep_open = environ, folder, logs, keep_open
        self._running: list[Running] = []
        self._asked_at: float | None = None
        self._in_a_hurry = False

    def run(self, stages: Sequence[Sequence[Part]], announce: Callable[[], None]) -> None:
        """Start, announce, watch until a stopping signal comes, stop. Raises PartFailed when a part ends by itself."""
        for number in STOPPING_SIGNALS:
            signal.signal(number, self._hear)
        try:
            for stage in stages:
                self._start(stage)
            announce()
            self._wait_for(lambda: False)
        except StopAsked:
            pass
        finally:
            self._stop()

    def _hear(self, _number: int, _frame: object) -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
        elif time.monotonic() - self._asked_at > ECHO_SECONDS:
            self._in_a_hurry = True

    def _start(self, stage: Sequence[Part]) -> None:
        started = [self._start_one(part) for part in stage]
        for running in started:
            self._await(running)

    def _start_one(self, part: Part) -> Running:
        running = Running(part, self._logs / f"{part.name}.log", self._environ, self._folder, self._keep_open)
        self._running.append(running)
        return running

    def _await(self, running: Running) -> None:
        deadline = time.monotonic() + START_SECONDS
        self._wait_for(lambda: running.is_ready() or time.monotonic() > deadline)
        if time.monotonic() > deadline:
            raise running.failure(f"did not answer within {START_SECONDS} seconds")

    def _wait_for(self, happened: Callable[[], bool]) -> None:
        while not happened():
            if self._asked_at is not None:
                raise StopAsked
            for running in self._running:
                if running.has_failed():
                    raise running.failure(f"ended by itself (exit code {running.process.returncode}), so everything was stopped")
            time.sleep(LOOK_SECONDS)

    def _stop(self) -> None:
        for running in reversed(self._running):
            running.end(hurried=lambda: self._in_a_hurry)


def _end_with_parent(parent: int) -> Callable[[], None] | None:
    """Linux asks a part to stop when the supervisor is gone, however that happened."""
    if sys.platform != "linux":
        return None
    prctl: Callable[[int, int], int] = ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return tie
