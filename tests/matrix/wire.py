"""The practice Planning Center behind the client's own connections, in this process: only the socket and the clock are replaced.

urllib3, http.client and the client above them run as shipped. Each request is a call with a number, and each number can be met by
a fault: what the network, Planning Center or a dying worker may do to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from flask import Flask
from urllib3.exceptions import NewConnectionError

from connectcard.planning_center import wire
from tests.conftest import MovedClock

SECONDS_A_CALL = 0.2
SEND_SECONDS = 60


class Crash(BaseException):
    """The worker's process is gone: nothing of it runs any more, and what it held stays held."""


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    environ: dict[str, Any] = field(repr=False)

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def is_token_call(self) -> bool:
        return self.path.startswith("/oauth")


NO_REQUEST = Request("", "refused", {})


class Wire:
    """All calls to the practice Planning Center. `faults` says which of the calls to come meets what, by number from 1 on."""

    def __init__(self, simulator: Flask, clock: MovedClock) -> None:
        self.simulator, self.clock = simulator, clock
        self.faults: dict[int, str] = {}
        self.calls: list[Request] = []
        self.met: list[tuple[int, str]] = []
        self.actors: dict[str, Callable[[Request], None]] = {}
        self._late: list[tuple[float, Request]] = []

    def begin(self, faults: dict[int, str]) -> None:
        self.faults, self.calls, self.met = dict(faults), [], []

    @property
    def next_fault(self) -> str | None:
        return self.faults.get(len(self.calls) + 1)

    def take(self, kind: str) -> None:
        """The next call's fault has happened."""
        number = len(self.calls) + 1
        self.met.append((number, self.faults.pop(number)))
        assert self.met[-1][1] == kind

    def move(self, seconds: float) -> None:
        """Time passes; what was to be applied late meanwhile is applied at its own moment."""
        until = self.clock().timestamp() + seconds
        for at, request in sorted((late for late in self._late if late[0] <= until), key=lambda late: late[0]):
            self.clock.move(seconds=max(0.0, at - self.clock().timestamp()))
            self._late = [late for late in self._late if late[1] is not request]
            self.apply(request)
        self.clock.move(seconds=max(0.0, until - self.clock().timestamp()))

    def apply(self, request: Request) -> bytes:
        """Planning Center carries a request out, and answers."""
        said: list[Any] = []
        request.environ["wsgi.input"].seek(0)
        parts = self.simulator.wsgi_app(request.environ, lambda status, headers, _info=None: said.extend((status, headers)))
        return answer(said[0], b"".join(parts), said[1])

    def apply_late(self, request: Request, seconds: float) -> None:
        self._late.append((self.clock().timestamp() + seconds, request))

    def give_way(self) -> None:
        """What else the worker has on its way goes on meanwhile."""
        if "give way" in self.actors:
            self.actors["give way"](NO_REQUEST)

    def connect(self) -> "Socket":
        self.give_way()
        if self.next_fault == "refused":
            self.take("refused")
            self.calls.append(NO_REQUEST)
            raise NewConnectionError(None, "refused")  # type: ignore[arg-type]
        return Socket(self)

    def exchange(self, request: Request) -> bytes:
        """The bytes that come back for a request. Raises what a socket raises, or Crash."""
        fault = self.next_fault
        if fault is not None:
            self.take(fault)
        self.calls.append(request)
        self.move(SECONDS_A_CALL)
        said = self.apply(request) if fault is None else FAULTS[fault](self, request)
        self.give_way()
        return said


class Socket:
    """One connection for one request: what is written is collected, and answered when it is read."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.sent = wire, bytearray()

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def makefile(self, *_mode: Any, **_more: Any) -> BytesIO:
        return BytesIO(self.wire.exchange(read_request(bytes(self.sent))))

    def settimeout(self, _seconds: float | None) -> None:
        return

    def setsockopt(self, *_options: Any) -> None:
        return

    def shutdown(self, _how: int) -> None:
        return

    def close(self) -> None:
        return


def read_request(sent: bytes) -> Request:
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO(), "CONTENT_LENGTH": str(len(body)) if body else "",
    }  # fmt: skip
    for line in lines:
        name, _, value = line.partition(": ")
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return Request(method, path, environ)


def answer(status: str, body: bytes, headers: list[tuple[str, str]] | None = None) -> bytes:
    kept = [(name, value) for name, value in headers or [] if name.lower() not in ("content-length", "connection")]
    lines = [f"{name}: {value}" for name, value in [*kept, ("Content-Length", str(len(body))), ("Connection", "close")]]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1") + body


# The faults.


def said_in_json(status: str, error: str, *headers: tuple[str, str]) -> Callable[[Wire, Request], bytes]:
    body = f'{{"errors": [{{"status": "{status[:3]}", {error}}}]}}'.encode()
    return lambda _wire, _request: answer(status, body, [("Content-Type", "application/json"), *headers])


def page(status: str, *headers: tuple[str, str]) -> bytes:
    return answer(status, b"<html><h1>Something in front of Planning Center</h1></html>", [("Content-Type", "text/html"), *headers])


def reset_before(_wire: Wire, _request: Request) -> bytes:
    raise ConnectionResetError("reset, and nothing was done")


def reset_after(wire: Wire, request: Request) -> bytes:
    wire.apply(request)
    raise ConnectionResetError("done, and reset")


def timeout_before(wire: Wire, _request: Request) -> bytes:
    wire.move(SEND_SECONDS)
    raise TimeoutError("timed out, and nothing was done")


def timeout_after(wire: Wire, request: Request) -> bytes:
    wire.apply(request)
    wire.move(SEND_SECONDS)
    raise TimeoutError("done, and timed out")


def applied_late(seconds: float) -> Callable[[Wire, Request], bytes]:
    """We gave up at the deadline; Planning Center carries the request out so many seconds after that."""

    def fault(wire: Wire, request: Request) -> bytes:
        wire.move(SEND_SECONDS)
        wire.apply_late(request, seconds)
        raise TimeoutError("timed out, and done later")

    return fault


def bad_gateway_after(wire: Wire, request: Request) -> bytes:
    wire.apply(request)
    return page("502 Bad Gateway")


def truncated(wire: Wire, request: Request) -> bytes:
    head, _, body = wire.apply(request).partition(b"\r\n\r\n")
    return head + b"\r\n\r\n" + body[: len(body) // 2]


def crash_before(wire: Wire, request: Request) -> bytes:
    wire.actors["die"](request)
    raise Crash("before the request was applied")


def crash_after(wire: Wire, request: Request) -> bytes:
    wire.apply(request)
    wire.actors["die"](request)
    raise Crash("after the request was applied")


def acting(name: str) -> Callable[[Wire, Request], bytes]:
    """Something else happens just before the request arrives; Planning Center's own answer tells."""

    def fault(wire: Wire, request: Request) -> bytes:
        wire.actors[name](request)
        return wire.apply(request)

    return fault


def afterwards(name: str) -> Callable[[Wire, Request], bytes]:
    """The answer comes back whole; something happens to the worker at a commit of its own after it."""

    def fault(wire: Wire, request: Request) -> bytes:
        said = wire.apply(request)
        wire.actors[name](request)
        return said

    return fault


FAULTS: dict[str, Callable[[Wire, Request], bytes]] = {
    "refused": reset_before,
    "reset_before": reset_before,
    "reset_after": reset_after,
    "timeout_before": timeout_before,
    "timeout_after": timeout_after,
    "late_5": applied_late(5),
    "late_45": applied_late(45),
    "late_100": applied_late(100),
    "status_500": said_in_json("500 Internal Server Error", '"title": "Internal Server Error"'),
    "status_502_after": bad_gateway_after,
    "status_503": lambda _wire, _request: page("503 Service Unavailable", ("Retry-After", "20")),
    "rate_limited": said_in_json("429 Too Many Requests", '"title": "Too Many Requests"', ("Retry-After", "10")),
    "rate_limited_silent": said_in_json("429 Too Many Requests", '"title": "Too Many Requests"'),
    "expired_token": acting("token expires"),
    "forbidden": said_in_json("403 Forbidden", '"title": "Forbidden", "detail": "You do not have access to this resource"'),
    "blocked": lambda _wire, _request: page("403 Forbidden"),
    "merged": acting("staff merge the person"),
    "deleted": acting("staff delete the person"),
    "invalid": said_in_json("422 Unprocessable Content", '"title": "Validation Error", "detail": "is not a valid value"'),
    "truncated": truncated,
    "crash_after_intent": crash_before,
    "crash_after_applied": crash_after,
    "crash_after_commit": afterwards("crash with the next commit"),
    "asleep_before_commit": afterwards("sleep before the next commit"),
    "asleep_after_commit": afterwards("sleep after the next commit"),
    "asleep_after_intent": afterwards("sleep after the commit after the next"),
}
# What Planning Center or its staff say no with: a card that meets one may end where a person has to look.
REFUSALS = frozenset({"forbidden", "invalid", "merged", "deleted"})


def sent_over(practice: Wire) -> Callable[[Any], Any]:
    """What takes the place of urllib3's `_new_conn`."""
    return lambda _connection: practice.connect()


CONNECTION = wire._Watched
