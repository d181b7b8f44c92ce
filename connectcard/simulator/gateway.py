"""The edge of Planning Center: what every request passes before and after the application, faults included."""

import socket
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from connectcard.simulator.answers import Refusal, blocked, html_page, rate_limited, server_error
from connectcard.simulator.faults import HELD_OPEN, LATE, Fault
from connectcard.simulator.log import Entry
from connectcard.simulator.state import Simulator

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
OWN_PATHS = ("/_simulator", "/assets", "/organizations", "/people/AC")
BIGGEST_BODY = 4 * 1024 * 1024


class Passed(Response):
    """An answer handed on as it is: one without a type stays without."""

    default_mimetype = None


class Gateway:
    """A WSGI layer round the simulator's application."""

    def __init__(self, app: Flask, simulator: Simulator) -> None:
        self.app, self.simulator = app, simulator
        self.inside = app.wsgi_app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        send_at_once(environ)
        path = environ.get("PATH_INFO", "")
        if path == "/" or path.startswith(OWN_PATHS):
            return self.inside(environ, start_response)
        return Passage(self, environ, path).answer()(environ, start_response)


class Passage:
    """One request on its way through the gateway."""

    def __init__(self, gateway: Gateway, environ: Environ, path: str) -> None:
        self.gateway, self.environ, self.path = gateway, environ, path
        self.simulator = gateway.simulator
        self.fault: Fault | None = self.simulator.faults.meet(self._method, path)
        environ["simulator.fault"] = self.fault
        environ["simulator.noted"] = {}
        self.entry = Entry(
            self.simulator.moments.stamp(),
            self._method,
            path,
            unquote_plus(environ.get("QUERY_STRING", "")),
            None,
            None,
            False,
            self._kind or None,
        )

    @property
    def _method(self) -> str:
        return str(self.environ.get("REQUEST_METHOD", ""))

    @property
    def _kind(self) -> str:
        return self.fault.kind if self.fault else ""

    def answer(self) -> Response:
        """Raises ConnectionError when the connection is cut instead."""
        try:
            response = self._before() or self._after(self._inside())
            self.entry.status = response.status_code
            return response
        finally:
            self._note()

    def _before(self) -> Response | None:
        """What the gateway answers by itself, without the application having seen the request."""
        self.simulator.wait(self.simulator.settings.latency_ms / 1000)
        if self._kind == "refuse_before":
            self._cut()
        if self._kind == "timeout_before":
            self._hold_and_cut()
        if self._kind == "late_apply":
            self._apply_later()
            self._cut()
        if self._kind == "status_500":
            return self._rendered(server_error())
        if self._kind == "rate_limited" and self.path.startswith("/oauth"):
            return self._rendered(self._too_many())
        if self._kind == "status_503":
            return self._page("unavailable", 503, self._retry_after())
        return self._rendered(blocked()) if self._kind == "html_403" or self._is_suspicious() else None

    def _after(self, response: Response) -> Response:
        if self._kind == "drop_after":
            self._cut()
        if self._kind == "timeout_after":
            self._hold_and_cut()
        if self._kind == "status_502_after":
            return self._page("bad_gateway", 502, {})
        return self._truncated(response) if self._kind == "truncated" else response

    def _inside(self) -> Response:
        response = Passed.from_app(self.gateway.inside, self.environ, buffered=True)
        self._note_what_happened(self.environ)
        return response

    def _is_suspicious(self) -> bool:
        """No User-Agent, or a body with GET: the firewall in front of Planning Center refuses both, in HTML."""
        if self.path.startswith(("/oauth/authorize", "/.well-known")):
            return False
        return not self.environ.get("HTTP_USER_AGENT") or (self._method in ("GET", "HEAD") and has_body(self.environ))

    def _page(self, name: str, status: int, headers: dict[str, str]) -> Response:
        with self.gateway.app.app_context():
            return html_page(name, status, headers)

    def _rendered(self, refusal: Refusal) -> Response:
        with self.gateway.app.app_context():
            return refusal.response()

    def _too_many(self) -> Refusal:
        """Sign-in and tokens have no window of their own here: only an order says that there were too many."""
        settings = self.simulator.settings
        return rate_limited(settings.limit + 1, settings.limit, settings.period, round(self._seconds(settings.period)))

    def _retry_after(self) -> dict[str, str]:
        return {"Retry-After": str(round(self.fault.seconds))} if self.fault and self.fault.seconds is not None else {}

    def _truncated(self, response: Response) -> Response:
        """Half of the body under the length of the whole: the connection ends before the answer does."""
        body = response.get_data()
        half = Passed(cut_short(self.environ, body[: len(body) // 2]), response.status, direct_passthrough=True)
        half.headers.extend(response.headers)
        half.headers["Content-Length"] = str(len(body))
        return half

    def _hold_and_cut(self) -> None:
        self._note()
        self.simulator.wait(self._seconds(HELD_OPEN))
        self._cut()

    def _note(self) -> None:
        if not self.entry.number:
            self.simulator.log.note(self.entry)

    def _seconds(self, otherwise: float) -> float:
        return self.fault.seconds if self.fault and self.fault.seconds is not None else otherwise

    def _cut(self) -> None:
        # Whoever is cut off may look into the log at once.
        self._note()
        cut(self.environ)
        raise ConnectionResetError("the simulator cut the connection, as it was told to")

    def _apply_later(self) -> None:
        """Planning Center may carry out a request long after its sender has given up."""
        again = dict(self.environ)
        again["wsgi.input"] = BytesIO(get_input_stream(self.environ, max_content_length=BIGGEST_BODY).read())
        again["simulator.fault"] = None
        self.simulator.later.order(self._seconds(LATE), lambda: self._apply(again))

    def _apply(self, environ: Environ) -> None:
        Passed.from_app(self.gateway.inside, environ, buffered=True)
        self._note_what_happened(environ)

    def _note_what_happened(self, environ: Environ) -> None:
        noted = environ["simulator.noted"]
        self.entry.organization, self.entry.applied = noted.get("organization"), noted.get("applied", False)


def send_at_once(environ: Environ) -> None:
    """Headers and body are two small writes: without this the second waits 40 ms for the client's acknowledgement."""
    if connection := environ.get("werkzeug.socket"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def has_body(environ: Environ) -> bool:
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def cut(environ: Environ) -> None:
    """Close the connection without another byte, where there is one (Flask's test client has none)."""
    if connection := environ.get("werkzeug.socket"):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the caller was first


def cut_short(environ: Environ, part: bytes) -> Iterator[bytes]:
    yield part
    cut(environ)
