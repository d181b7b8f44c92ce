"""The only door out to Planning Center: nobody else makes clients, and nothing else opens tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from threading import Event
from typing import cast

from flask import current_app

from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections.budget import Pace, budget_of
from connectcard.connections.models import CONNECTED, PERSONAL_ACCESS_TOKEN, Connection
from connectcard.connections.tokens import fresh_access_token, user_agent
from connectcard.database import end_reading
from connectcard.errors import ConnectionMissing
from connectcard.planning_center import BasicAuth, BearerAuth, Client, Timeouts
from connectcard.planning_center.auth import Auth
from connectcard.planning_center.errors import NotSent

# How long a client lets the rate limit hold it back: a page hardly, a worker until the card is better put aside.
PAGE_PATIENCE_SECONDS = 2.0
WORKER_PATIENCE_SECONDS = 30.0
PAGE_SECONDS = 8.0


def client_for(connection: Connection, *, interactive: bool = False, background: bool = False, stopping: Event | None = None) -> Client:
    """A client of this church's Planning Center, to be used in the church's scope by the thread that works for it.

    It renews the sign-in by itself and keeps to the rate limit: a worker waits, until `stopping` is set; with `interactive` somebody
    waits at a screen, who goes first and gets RateLimited rather than a slow page; with `background` half of each window is left to
    cards. No transaction may be open when it is used.
    Raises ConnectionMissing where the church is not connected, or was connected at another Planning Center than this one.
    """
    config = cast("Config", current_app.config["CONNECTCARD"])
    refuse_another_origin(connection.origin)
    if connection.state != CONNECTED:
        raise ConnectionMissing(connection.state_reason or "This church is not connected to Planning Center. An owner can connect it.")
    patience = PAGE_PATIENCE_SECONDS if interactive else WORKER_PATIENCE_SECONDS
    send_seconds = config.waits.send.total_seconds()
    return Client(
        _auth(connection, config),
        base_url=config.pco_base_url,
        user_agent=user_agent(),
        budget=Pace(budget_of(connection), patience, urgent=interactive, stopping=stopping, background=background),
        before_send=_ready_to_send,
        timeouts=Timeouts(total=min(PAGE_SECONDS, send_seconds) if interactive else send_seconds),
    )


_latest: ContextVar[datetime | None] = ContextVar("latest", default=None)


@contextmanager
def sending_before(latest: datetime) -> Iterator[None]:
    """Nothing is sent inside after `latest`: a worker that slept meanwhile gets NotSent, whatever it was about to send."""
    token = _latest.set(latest)
    try:
        yield
    finally:
        _latest.reset(token)


def _ready_to_send() -> None:
    end_reading()
    latest = _latest.get()
    if latest is not None and now() >= latest:
        raise NotSent("the time in which this was to be sent is over")


def refuse_another_origin(origin: str) -> None:
    """A church's tokens and ids belong to the Planning Center where it was connected, and are shown to no other."""
    configured = cast("Config", current_app.config["CONNECTCARD"]).pco_base_url
    if origin != configured:
        raise ConnectionMissing(
            f"This church was connected at {origin}, but connectcard is set to {configured}. "
            "Set PCO_BASE_URL back to the first address; nothing is sent until then."
        )


def _auth(connection: Connection, config: Config) -> Auth:
    if connection.kind != PERSONAL_ACCESS_TOKEN:
        return BearerAuth(partial(fresh_access_token, connection.id))
    if config.personal_access_token is None:
        raise ConnectionMissing("This church is connected by a personal access token, but PCO_APP_ID and PCO_SECRET are not set.")
    return BasicAuth(*config.personal_access_token)
