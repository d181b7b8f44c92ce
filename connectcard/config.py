"""Settings, read once from the environment; every missing or odd one is named and the start stops."""

import base64
import binascii
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from connectcard.errors import ConfigError

PLANNING_CENTER_URL = "https://api.planningcenteronline.com"


@dataclass(frozen=True)
class Waits:
    """How long we wait before we believe that a request will not be applied any more, how seldom an idle worker that hears no bell looks
    into the database, and how long before a sign-in that Planning Center called dead is tried once more."""

    lease: timedelta = timedelta(seconds=90)
    send: timedelta = timedelta(seconds=60)
    settle: timedelta = timedelta(seconds=120)
    look: timedelta = timedelta(seconds=15)
    second_try: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Config:
    """Every setting, checked.

    `encryption_keys` are 32 bytes each: the first encrypts, all decrypt. `personal_access_token` is (application id, secret)
    for the one church of a self-hosted instance. URLs carry no trailing slash.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    encryption_keys: tuple[bytes, ...] = field(repr=False)
    public_url: str
    pco_base_url: str = PLANNING_CENTER_URL
    pco_client_id: str = ""
    pco_client_secret: str = field(default="", repr=False)
    personal_access_token: tuple[str, str] | None = field(default=None, repr=False)
    trusted_proxies: int = 0
    waits: Waits = field(default_factory=Waits)
    testing: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Read every setting; raises ConfigError with one line for each that is missing or odd."""
        return _Reader(os.environ if environ is None else environ).config()

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    def need_personal_access_token(self) -> tuple[str, str]:
        """The token that a self-hosted church uses; raises ConfigError without one."""
        if self.personal_access_token is None:
            raise ConfigError("This needs PCO_APP_ID and PCO_SECRET: the personal access token of the one church that hosts itself")
        return self.personal_access_token

    def flask(self) -> dict[str, Any]:
        """The same settings under the names that Flask and its extensions read."""
        return {
            "CONNECTCARD": self,
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "REDIS_URL": self.redis_url,
            "TESTING": self.testing,
            "MAX_CONTENT_LENGTH": 64 * 1024,
            "MAX_FORM_MEMORY_SIZE": 64 * 1024,
            "MAX_FORM_PARTS": 1000,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": False,
            "RATELIMIT_ENABLED": not self.testing,
            "RATELIMIT_STORAGE_URI": "memory://",
            "BABEL_DEFAULT_LOCALE": "en",
        }


def is_loopback(url: str) -> bool:
    """Whether a URL points at this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def can_be_read(value: str, read: Callable[[str], object]) -> bool:
    """Whether whoever uses this setting can make something of it: a port may be no number, or beyond all ports."""
    try:
        read(value)
    except (ValueError, ArgumentError):
        return False
    return True


class _Reader:
    """Collects the problems of all settings before it complains once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def config(self) -> Config:
        base_url = self.private_url("PCO_BASE_URL", PLANNING_CENTER_URL)
        token = self.pair("PCO_APP_ID", "PCO_SECRET")
        client = self.pair("PCO_CLIENT_ID", "PCO_CLIENT_SECRET")
        if not token and not client and not self.problems:
            self.problem("PCO_CLIENT_ID", "with PCO_CLIENT_SECRET: the OAuth application's id and secret (or PCO_APP_ID with PCO_SECRET)")
        config = Config(
            database_url=self.database_url(),
            redis_url=self.text("REDIS_URL", "a URL such as redis://127.0.0.1:6379/0", lambda url: can_be_read(url, parse_url)),
            secret_key=self.text("SECRET_KEY", "at least 32 random characters", lambda key: len(key) >= 32),
            encryption_keys=self.encryption_keys(),
            public_url=self.private_url("PUBLIC_URL"),
            pco_base_url=base_url,
            pco_client_id=client[0] if client else "",
            pco_client_secret=client[1] if client else "",
            personal_access_token=token,
            trusted_proxies=self.whole_number("TRUSTED_PROXIES", 0, 10),
            waits=self.waits(base_url),
        )
        if self.problems:
            raise ConfigError("These settings need mending before connectcard can start:\n" + "\n".join(self.problems))
        return config

    def problem(self, name: str, should_be: str) -> None:
        state = "is missing" if not self.environ.get(name) else "is odd"
        self.problems.append(f"  {name} {state}; it should be {should_be}")

    def text(self, name: str, should_be: str, fits: Callable[[str], bool]) -> str:
        value = self.environ.get(name, "").strip()
        if not value or not fits(value):
            self.problem(name, should_be)
        return value

    def url(self, name: str, default: str = "") -> str:
        value = (self.environ.get(name, "").strip() or default).rstrip("/")
        readable = can_be_read(value, lambda url: urlsplit(url).port)
        parts = urlsplit(value if readable else "")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
            self.problem(name, "an address such as https://cards.example.org, without a path")
        return value if readable else ""

    def private_url(self, name: str, default: str = "") -> str:
        """An address that private answers or tokens travel to."""
        value = self.url(name, default)
        if value.startswith("http://") and not is_loopback(value):
            self.problem(name, "an https:// address (plain http is for 127.0.0.1 only: private answers travel there)")
        return value

    def database_url(self) -> str:
        kinds = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
        value = self.environ.get("DATABASE_URL", "").strip().replace("postgres://", "postgresql://", 1)
        if not value.startswith(kinds) or not can_be_read(value, make_url):
            self.problem("DATABASE_URL", "postgresql://user:password@host/name or sqlite:////full/path/to/file.sqlite")
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    def pair(self, first: str, second: str) -> tuple[str, str] | None:
        values = self.environ.get(first, "").strip(), self.environ.get(second, "").strip()
        if all(values):
            return values
        if any(values):
            missing, present = (first, second) if values[1] else (second, first)
            self.problem(missing, f"set together with {present}")
        return None

    def encryption_keys(self) -> tuple[bytes, ...]:
        should_be = "one or more keys of 32 bytes in base64, separated by commas (make one with: openssl rand -base64 32)"
        try:
            written = self.environ.get("ENCRYPTION_KEYS", "").replace(" ", "").split(",")
            keys = tuple(base64.b64decode(key, validate=True) for key in written if key)
        except binascii.Error:
            keys = ()
        if not keys or any(len(key) != 32 for key in keys):
            self.problem("ENCRYPTION_KEYS", should_be)
        return keys

    def whole_number(self, name: str, default: int, most: int) -> int:
        value = self.environ.get(name, "").strip() or str(default)
        if not value.isdecimal() or int(value) > most:
            self.problem(name, f"a whole number from 0 to {most}")
            return default
        return int(value)

    def waits(self, base_url: str) -> Waits:
        """SYNC_WAITS="lease,send,settle,look,second_try" in seconds; anything but the defaults would be unsafe against the real service."""
        value = self.environ.get("SYNC_WAITS", "").strip()
        if not value:
            return Waits()
        try:
            waits = Waits(*(timedelta(seconds=float(part)) for part in value.split(",")))
        except (ValueError, OverflowError, TypeError):
            waits = Waits(lease=timedelta())
        if not timedelta() < waits.send < waits.lease or min(waits.settle, waits.look, waits.second_try) <= timedelta():
            self.problem("SYNC_WAITS", "up to five numbers of seconds, such as 9,6,12,15,60, the first one the longer of the first two")
            return Waits()
        if not is_loopback(base_url):
            self.problem("SYNC_WAITS", "left out unless PCO_BASE_URL is on this machine: shorter waits make duplicates")
        return waits
