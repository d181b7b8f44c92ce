"""How a request shows who it is: an OAuth access token that can be renewed, or a personal access token that cannot."""

from base64 import b64encode
from typing import Protocol

from connectcard.planning_center.errors import ReconnectNeeded


class Auth(Protocol):
    def authorization(self) -> str:
        """The Authorization header to use."""

    def renewed(self, refused: str) -> str:
        """Another one, after this one was refused. Raises ReconnectNeeded where there is none."""


class TokenSource(Protocol):
    def __call__(self, *, refused: str | None = None) -> str:
        """An access token; with `refused`, one that is not that one. Raises from the family in `errors`."""


class BearerAuth:
    """OAuth: the token source is asked for each request, and once more when a token was refused."""

    def __init__(self, token_source: TokenSource) -> None:
        self._token_source = token_source

    def authorization(self) -> str:
        return f"Bearer {self._token_source()}"

    def renewed(self, refused: str) -> str:
        return f"Bearer {self._token_source(refused=refused.removeprefix('Bearer '))}"


class BasicAuth:
    """A personal access token; only its owner's own church may be reached with it."""

    def __init__(self, application_id: str, secret: str) -> None:
        self._header = "Basic " + b64encode(f"{application_id}:{secret}".encode()).decode()

    def authorization(self) -> str:
        return self._header

    def renewed(self, refused: str) -> str:
        raise ReconnectNeeded("Planning Center does not take the personal access token; make a new one and set PCO_APP_ID and PCO_SECRET")
