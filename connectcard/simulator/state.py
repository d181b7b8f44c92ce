"""Everything one simulator holds: its churches, clock, settings, faults and log."""

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from threading import Event
from time import time

from flask import Flask, current_app

from connectcard.simulator import practice, webhooks
from connectcard.simulator.faults import Faults
from connectcard.simulator.later import Later
from connectcard.simulator.limits import DEEP_OFFSET, Windows
from connectcard.simulator.log import Log
from connectcard.simulator.moments import Moments
from connectcard.simulator.store import Store

PRACTICE_CLIENT_ID = practice.hexadecimal("the practice client")
PRACTICE_CLIENT_SECRET = practice.hexadecimal("the secret of the practice client")


@dataclass(frozen=True)
class Settings:
    """How Planning Center behaves at the moment.

    `latency_ms` is waited before each answer; `limit` requests are allowed in `period` seconds; the searches find what is at least
    `search_lag_s` old, and Groups knows people who are at least `groups_lag_s` old. Each webhook is delivered `webhook_copies` times,
    after a wait of up to `webhook_disorder_s`, so that the order is lost. With `refresh_ends_old_access` an access token dies when its
    grant is refreshed, else it lives its two hours. Offsets beyond `deep_offset` have
    `deep_limit`, 0 for three quarters of the limit. A request that asks for no version is answered in `default_version`, as the
    application's owner chose it; empty for the oldest.
    """

    latency_ms: int = 0
    limit: int = 100
    period: int = 20
    search_lag_s: int = 0
    refresh_ends_old_access: bool = False
    groups_lag_s: int = 0
    webhook_copies: int = 1
    webhook_disorder_s: int = 0
    deep_limit: int = 0
    deep_offset: int = DEEP_OFFSET
    default_version: str = ""

    def changed(self, values: dict[str, object]) -> "Settings":
        return replace(self, **{one.name: values[one.name] for one in fields(self) if one.name in values})  # type: ignore[arg-type]


class Simulator:
    """`stopping` ends every wait: a fault that holds a connection open does not hold up the end of the process."""

    def __init__(self, state_file: Path | None, seed: int, people: int) -> None:
        self.store = Store(state_file)
        self.stopping = Event()
        self.windows, self.faults, self.log = Windows(), Faults(), Log()
        with self.store.transaction():
            self.moments = Moments(self.store.kept("ahead", 0))
            self.later, self.post = Later(self.moments), Later(self.moments)
            self.settings = Settings().changed(self.store.kept("settings", {}))
            if not self.store.organizations():
                self._fill(seed, people)
            webhooks.resume(self)

    def reset(self, seed: int, people: int, groups: int | None = None) -> None:
        """A fresh practice pair; the clock is real time again, settings are as at first, faults, tokens and log are gone."""
        with self.store.transaction():
            self._fill(seed, people, groups)
            self.settings = Settings()
            self.store.keep("settings", asdict(self.settings))
            self.moments.ahead = self.store.keep("ahead", 0)
        self.later.forget()
        self.post.forget()
        self.windows.clear()
        self.faults.clear()
        self.log.clear()

    def _fill(self, seed: int, people: int, groups: int | None = None) -> None:
        practice.reset(self.store, seed, people, time(), groups)
        self.store.keep("seed", seed)
        self.register_client(PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET, [])

    def register_client(self, client_id: str, secret: str, redirect_uris: list[str]) -> None:
        """An application that may ask for tokens; any address of this machine is a good redirect_uri, and those listed."""
        self.store.execute("insert or replace into client values (?, ?, ?)", (client_id, secret, json.dumps(redirect_uris)))

    def change_settings(self, values: dict[str, object]) -> None:
        with self.store.transaction():
            self.settings = self.settings.changed(values)
            self.store.keep("settings", asdict(self.settings))

    def advance(self, seconds: float) -> None:
        with self.store.transaction():
            self.moments.ahead = self.store.keep("ahead", self.moments.ahead + seconds)
        self.later.look_again()
        self.post.look_again()

    def close(self) -> None:
        self.stopping.set()
        self.later.stop()
        self.post.stop()

    def wait(self, seconds: float) -> None:
        self.stopping.wait(seconds)


def the(app: Flask | None = None) -> Simulator:
    """The simulator that answers this request."""
    simulator: Simulator = (app or current_app).extensions["simulator"]
    return simulator
