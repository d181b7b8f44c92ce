"""Programs and workers of connectcard, each a process of its own, forked from one that has loaded what all of them load.

Loading takes a second of processor, and the tests start some two hundred processes. What a process does from its command line on, its
settings, its signals and its end are the same as if it had been started from nothing; `test_up.py` and `test_cli.py` start it so.
"""

import ctypes
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "connectcard.application",
        "connectcard.jobs.schedule",
        "connectcard.jobs.worker",
        "connectcard.simulator",
        "flask_migrate.cli",
        "gunicorn.app.wsgiapp",
        "gunicorn.workers.gthread",
        "tests.forked",
        "tests.connections.renewing",
        "tests.connections.sharing",
    ]
)


def die_with_parent() -> None:
    """Linux: the kernel ends this process when the one that started it is gone, however that happened."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Forked:
    """`python -m module ...` that is running; to be waited for and signalled like a subprocess.Popen."""

    def __init__(self, module: list[str], log: Path, cwd: Path, env: Mapping[str, str]) -> None:
        begun, begins = PROCESSES.Pipe(duplex=False)
        self.command = ["python", "-m", *module]
        self._process = PROCESSES.Process(target=run, args=(module, log, cwd, dict(env), begins))
        self._process.start()
        begins.close()
        with begun:
            begun.recv()
        self.pid: int = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(module: list[str], log: Path, cwd: Path, env: dict[str, str], begins: Connection) -> None:
    """In the new process: leave everything of the tests behind and be this program."""
    die_with_parent()
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    _write_to(log)
    begins.send(True)
    begins.close()
    sys.argv = module
    runpy.run_module(module[0], run_name="__main__", alter_sys=True)


def _write_to(log: Path) -> None:
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
