"""The token endpoint: renew a pair of tokens, and withdraw one. The first exchange is Authlib's.

Refresh tokens are used once: the answer holds the next one. Nothing but a JSON answer that says so means that a grant is dead;
a page of HTML, a server error or silence never does (a firewall once answered 403 to everybody, and clients that believed it lost
every church at once).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from connectcard.planning_center.errors import (
    Blocked,
    ClientRefused,
    DeadGrant,
    OutcomeUnknown,
    PlanningCenterError,
    RateLimited,
    Unavailable,
)
from connectcard.planning_center.refusals import retry_after
from connectcard.planning_center.transport import Answer, Lost, Request, Timeouts, Transport

# Planning Center's access tokens live two hours; it says so in each answer.
TWO_HOURS = 7200
LONGEST_LIFE = 30 * 24 * 3600
TOKEN_TIMEOUTS = Timeouts(connect=3.0, total=10.0)


@dataclass(frozen=True)
class Tokens:
    """An access token for `expires_in` seconds, and the refresh token that renews it."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int = TWO_HOURS
    scope: str | None = None

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> "Tokens":
        """The token endpoint's answer as a value. Raises ValueError when there is no access token in it."""
        access, refresh = answer.get("access_token"), answer.get("refresh_token")
        if not isinstance(access, str) or not access or not isinstance(refresh, str | None):
            raise ValueError("no tokens in the answer")
        lifetime, scope = answer.get("expires_in"), answer.get("scope")
        seconds = lifetime if isinstance(lifetime, int) and 0 < lifetime <= LONGEST_LIFE else TWO_HOURS
        return cls(access, refresh or None, seconds, scope if isinstance(scope, str) else None)


@dataclass(frozen=True)
class OAuthClient:
    """Our OAuth application at one Planning Center."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    user_agent: str
    timeouts: Timeouts = TOKEN_TIMEOUTS

    def refresh(self, refresh_token: str) -> Tokens:
        """The next pair of tokens; the old refresh token is spent once this was applied.

        Raises DeadGrant, ClientRefused, OutcomeUnknown when it may have been applied, or another of the family when it was not.
        """
        request = self._request("/oauth/token", grant_type="refresh_token", refresh_token=refresh_token)
        answer = self._send(request)
        try:
            tokens = Tokens.from_answer(_json(answer))
        except ValueError:
            raise OutcomeUnknown(f"{request}: the answer holds no tokens", status=answer.status, request_id=answer.request_id) from None
        # An answer without a new refresh token means that the old one stays.
        return Tokens(tokens.access_token, tokens.refresh_token or refresh_token, tokens.expires_in, tokens.scope)

    def revoke(self, token: str) -> None:
        """Withdraw one token. Raises from the family when Planning Center did not confirm it."""
        self._send(self._request("/oauth/revoke", token=token))

    def _request(self, path: str, **form: str) -> Request:
        body = urlencode({**form, "client_id": self.client_id, "client_secret": self.client_secret}).encode()
        return Request("POST", path, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)

    def _send(self, request: Request) -> Answer:
        deadline = monotonic() + self.timeouts.total
        try:
            answer = Transport(self.base_url, self.user_agent, self.timeouts).send(request, deadline)
        except Lost as error:
            raise OutcomeUnknown(f"{request}: no whole answer came back ({error})") from None
        if 200 <= answer.status < 300:
            return answer
        raise _refused(request, answer)


def _refused(request: Request, answer: Answer) -> PlanningCenterError:
    known: dict[str, Any] = {"status": answer.status, "request_id": answer.request_id}
    text = f"{request}: Planning Center answered {answer.status}"
    seconds = retry_after(answer.headers)
    if answer.status == 429:
        return RateLimited(text, retry_after=seconds, **known)
    if not 400 <= answer.status < 500:
        return OutcomeUnknown(text, **known) if seconds is None else Unavailable(text, retry_after=seconds, **known)
    try:
        said = _json(answer)
    except ValueError:
        return Blocked(f"{text} with a page that is not Planning Center's own", **known)
    return _said(said, text, known)


def _said(said: Mapping[str, Any], text: str, known: dict[str, Any]) -> PlanningCenterError:
    error, description = said.get("error"), str(said.get("error_description") or "")
    if error == "invalid_grant" or (error == "invalid_request" and "refresh token" in description.lower()):
        return DeadGrant(f"{text}: the sign-in is no longer valid", **known)
    if error in ("invalid_client", "unauthorized_client"):
        return ClientRefused(f"{text}: PCO_CLIENT_ID and PCO_CLIENT_SECRET are not accepted", **known)
    return Unavailable(text, **known)


def _json(answer: Answer) -> Mapping[str, Any]:
    """The answer's object. Raises ValueError when it is none."""
    try:
        document = json.loads(answer.body) if answer.may_be_json else None
    except RecursionError:
        document = None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document
