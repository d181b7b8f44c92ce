"""HTTP connections that know whether the first byte of a request has left, and that end at a deadline.

`requests` alone can tell neither: its read timeout begins anew with every byte, and a broken connection looks the same before
and after the request was written. Both decide whether a write may have been applied.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from requests import Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from connectcard.planning_center.deadlines import watch

# Shorter than the keep-alive of any server in front of Planning Center, so that no write goes into a connection that just closed.
LONGEST_IDLE_SECONDS = 10
# As many as the requests that a church may have on their way at once.
CONNECTIONS_KEPT = 24


class Sending:
    """One request on its way: `watched` when one of our connections carries it, `started` when its first byte may have left."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.watched = False
        self.started = False
        self._connection: HTTPConnection | None = None

    @property
    def surely_not_sent(self) -> bool:
        return self.watched and not self.started

    def starting(self, connection: HTTPConnection) -> None:
        if not self.started and monotonic() >= self.deadline:
            raise ConnectTimeoutError(connection, "the deadline passed before anything was sent")
        self.started, self._connection = True, connection

    def cut(self) -> None:
        """End the connection from another thread; whoever reads from it then finds it closed."""
        sock = self._connection.sock if self._connection else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                # Closed already: there is nothing left to end.
                pass


_sending: ContextVar[Sending | None] = ContextVar("sending", default=None)


@contextmanager
def sending_until(deadline: float) -> Iterator[Sending]:
    """Everything sent inside ends at `deadline`, a moment of the monotonic clock."""
    sending = Sending(deadline)
    token = _sending.set(sending)
    try:
        with watch.over(deadline - monotonic(), sending.cut):
            yield sending
    finally:
        _sending.reset(token)


class _Watched(HTTPConnection):
    last_used = 0.0

    @property
    def is_connected(self) -> bool:
        return super().is_connected and monotonic() - self.last_used < LONGEST_IDLE_SECONDS

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        sending = _sending.get()
        if sending is not None:
            sending.starting(self)
        self.last_used = monotonic()
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class WatchedAdapter(HTTPAdapter):
    """The adapter of a session whose connections are watched; it never retries."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_maxsize=CONNECTIONS_KEPT)

    def send(self, *args: Any, **kwargs: Any) -> Response:
        sending = _sending.get()
        if sending is not None:
            sending.watched = True
        return super().send(*args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
