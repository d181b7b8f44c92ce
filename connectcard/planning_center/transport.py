"""One requests session: base URL, headers, a total deadline, no retries, no redirects, no cookies.

Nothing of an answer decides where the next request goes: a link in it is used for its query only, by `documents`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from urllib.parse import quote, urlencode

import requests
from requests.exceptions import ConnectTimeout, RequestException
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from connectcard.planning_center.errors import NotSent
from connectcard.planning_center.wire import WatchedAdapter, sending_until

MOST_ANSWER_BYTES = 16 * 1024 * 1024
# With less time left than this a request is not begun.
LEAST_SECONDS_LEFT = 1.0


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, and for the whole call, waiting for the rate limit included."""

    connect: float = 3.0
    total: float = 60.0


@dataclass(frozen=True)
class Request:
    """What is sent. `path` is safe to show; a query and a body may hold what people typed."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        return (self.headers.get("X-Request-Id") or "")[:64] or None

    @property
    def may_be_json(self) -> bool:
        """Whether the content type does not say something else."""
        media_type = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        return media_type in ("", "application/json") or media_type.endswith("+json")


class Lost(Exception):
    """The request left, and no whole answer came back."""


class Transport:
    """Sends requests to one Planning Center. May be shared by threads."""

    def __init__(self, base_url: str, user_agent: str, timeouts: Timeouts) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeouts = timeouts
        self._session = requests.Session()
        # Neither proxies nor a .netrc from the environment: a token goes to the configured address and nowhere else.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter())

    def send(self, request: Request, deadline: float) -> Answer:
        """Send once. Raises NotSent when nothing can have arrived, Lost when it may have."""
        if deadline - monotonic() < LEAST_SECONDS_LEFT:
            raise NotSent(f"{request} was not sent: no time was left for it")
        prepared = self._prepare(request)
        with sending_until(deadline) as sending:
            try:
                return self._exchange(prepared, deadline)
            except (RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
                if sending.surely_not_sent or isinstance(error, ConnectTimeout):
                    raise NotSent(f"{request} did not reach Planning Center ({type(error).__name__})") from None
                raise Lost(type(error).__name__) from None

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        plain = requests.Request(request.method, self._url(request), headers=dict(request.headers), data=request.body)
        try:
            return self._session.prepare_request(plain)
        except (RequestException, ValueError) as error:
            # from None, here and below: what requests says holds the header or the whole address, and so what people typed.
            raise NotSent(f"{request} was not sent: it cannot be written down ({type(error).__name__})") from None

    def _url(self, request: Request) -> str:
        # quote, not quote_plus: a space becomes %20 and a plus %2B, which no server reads in two ways.
        query = urlencode(request.query, quote_via=quote, safe="")
        return f"{self.base_url}{request.path}" + (f"?{query}" if query else "")

    def _exchange(self, prepared: requests.PreparedRequest, deadline: float) -> Answer:
        timeout = (self._timeouts.connect, max(0.1, deadline - monotonic()))
        with self._session.send(prepared, timeout=timeout, allow_redirects=False, stream=True) as response:
            body = bytearray()
            for chunk in response.iter_content(65536):
                body += chunk
                if len(body) > MOST_ANSWER_BYTES:
                    raise Lost("the answer is too large")
            if monotonic() >= deadline:
                raise Lost("the deadline passed")
            return Answer(response.status_code, CaseInsensitiveDict(response.headers), bytes(body))
