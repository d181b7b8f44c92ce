"""Churches that are connected, and a token endpoint whose refresh tokens are used once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, Response, jsonify, request

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections.models import Connection
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from tests import servers
from tests.conftest import make_config


class TokenEndpoint:
    """`/oauth/token` and `/oauth/revoke` on a real socket. `plays` are played before the honest answers, one for each call."""

    def __init__(self) -> None:
        self.url = ""
        self.live = {"refresh-0"}
        self.refreshed: list[str] = []
        self.revoked: list[str] = []
        self.plays: list[Callable[[], Response]] = []
        self.before_answering: Callable[[], None] = lambda: None
        self._lock = Lock()

    def app(self) -> Flask:
        app = Flask("token_endpoint")
        app.add_url_rule("/oauth/token", view_func=self.token, methods=["POST"])
        app.add_url_rule("/oauth/revoke", view_func=self.revoke, methods=["POST"])
        return app

    def token(self) -> Response:
        given = request.form["refresh_token"]
        with self._lock:
            self.refreshed.append(given)
            play = self.plays.pop(0) if self.plays else None
        self.before_answering()
        return play() if play else self.honest(given)

    def honest(self, given: str) -> Response:
        with self._lock:
            if given not in self.live:
                return self.dead_grant()
            self.live.remove(given)
            number = int(given.rpartition("-")[2]) + 1
            self.live.add(f"refresh-{number}")
        return jsonify(
            access_token=f"access-{number}", refresh_token=f"refresh-{number}", token_type="Bearer", expires_in=7200, scope="openid people"
        )

    def dead_grant(self) -> Response:
        answer = jsonify(error="invalid_grant", error_description="The provided authorization grant is invalid, expired, revoked")
        answer.status_code = 400
        return answer

    def applied_and_lost(self) -> Response:
        """Spends the refresh token, and the answer never arrives whole."""
        self.honest(request.form["refresh_token"])
        return Response("<h1>502</h1>", 502, content_type="text/html")

    def lost(self) -> Response:
        return Response("<h1>502</h1>", 502, content_type="text/html")

    def blocked(self) -> Response:
        return Response("<html>Request blocked. Request ID: x==</html>", 403, content_type="text/html")

    def unknown_client(self) -> Response:
        return Response('{"error": "invalid_client"}', 401, content_type="application/json")

    def revoke(self) -> Response:
        self.revoked.append(request.form["token"])
        return self.plays.pop(0)() if self.plays else jsonify({})


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    endpoint = TokenEndpoint()
    with servers.serving(endpoint.app()) as endpoint.url:
        yield endpoint


@pytest.fixture
def origin(endpoint: TokenEndpoint) -> str:
    """The Planning Center of these tests; other modules say another one."""
    return endpoint.url


@pytest.fixture
def config(database_url: str, origin: str) -> Config:
    return make_config(database_url, pco_base_url=origin)


def open_church(slug: str, organization_id: str, origin: str) -> UUID:
    with every_church(), transaction() as session:
        church = Church(slug=slug, name=f"{slug.title()} Church", origin=origin, organization_id=organization_id)
        session.add(church)
        session.flush()
        return church.id


@pytest.fixture
def grace(app: Flask, origin: str) -> UUID:
    return open_church("grace", "1001", origin)


@pytest.fixture
def neighbour(app: Flask, origin: str) -> UUID:
    return open_church("hope", "1002", origin)


def connected(church_id: UUID, *, left: timedelta = timedelta(hours=2), tokens: str = "0", **others: Any) -> UUID:
    """The id of the church's connection, whose access token lives for `left`."""
    with church_scope(church_id), transaction() as session:
        church = session.get_one(Church, church_id)
        row = Connection(origin=church.origin, organization_id=church.organization_id, expires_at=now() + left, authorised_by="Sam Hill")
        session.add(row)
        row.access_token, row.refresh_token = f"access-{tokens}", f"refresh-{tokens}"
        for name, value in others.items():
            setattr(row, name, value)
        return row.id


def connection_of(church_id: UUID) -> Connection:
    """The church's row as it is now."""
    with church_scope(church_id):
        end_reading()
        row = find_connection()
        assert row is not None
        _ = row.access_token
        db.session.expunge(row)
        return row


def all_at_once(app: Flask, church_id: UUID, times: int, call: Callable[[], Any]) -> list[Any]:
    """What so many threads of a church's worker get, all beginning at the same moment."""
    begin = Barrier(times)

    def one() -> Any:
        with app.app_context(), church_scope(church_id):
            begin.wait()
            return call()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(one) for _ in range(times)]]
