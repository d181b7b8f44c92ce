"""Planning Center's side of a sign-in, as it stands on the wire: consent, tokens, a signed id_token, who and which church."""

from dataclasses import dataclass, field
from time import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests_mock
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.test import TestResponse

from tests.conftest import ORIGIN

KEY = RSAKey.generate_key(2048, {"kid": "today", "use": "sig", "alg": "RS256"})
STRANGERS_KEY = RSAKey.generate_key(2048, {"kid": "today", "use": "sig", "alg": "RS256"})


@dataclass
class PlanningCenter:
    """One person of one organization; what the tests change is a field."""

    wire: requests_mock.Mocker
    person_id: str = "501"
    name: str = "Sam Hill"
    people_permissions: str | None = "Manager"
    site_administrator: bool = False
    organization_id: str = "1001"
    organization_name: str = "Grace Church"
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)

    def __post_init__(self) -> None:
        self.wire.get(f"{ORIGIN}/oauth/discovery/keys", json=KeySet([KEY]).as_dict(private=False))
        self.wire.get(f"{ORIGIN}/people/v2/me", json=lambda *_: self.me())
        self.wire.get(f"{ORIGIN}/people/v2", json=lambda *_: self.organization())
        self.wire.post(f"{ORIGIN}/oauth/revoke", json={})

    def begin(self, client: FlaskClient, path: str = "/sign-in/start") -> dict[str, str]:
        """Press the button; gives the questions that the consent page is asked."""
        answer = client.get(path)
        assert answer.status_code == 302, answer.text
        asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}
        self.wire.post(f"{ORIGIN}/oauth/token", json=self.tokens(asked))
        return asked

    def allow(self, client: FlaskClient, asked: dict[str, str], **changed: str) -> TestResponse:
        """Press *Allow*: the browser comes back with a code."""
        return client.get("/oauth/callback", query_string={"code": "a-code", "state": asked["state"]} | changed)

    def sign_in(self, client: FlaskClient, path: str = "/sign-in/start") -> TestResponse:
        return self.allow(client, self.begin(client, path))

    def tokens(self, asked: dict[str, str]) -> dict[str, Any]:
        return {
            "access_token": f"access-of-{self.person_id}",
            "refresh_token": f"refresh-of-{self.person_id}",
            "token_type": "Bearer",
            "expires_in": 7200,
            "scope": "people openid",
            "created_at": int(time()),
            "id_token": self.id_token(asked),
        }

    def id_token(self, asked: dict[str, str]) -> str:
        claims = {
            "iss": ORIGIN,
            "aud": "client-id",
            "sub": self.person_id,
            "exp": int(time()) + 3600,
            "iat": int(time()),
            "nonce": asked["nonce"],
            "name": self.name,
            "organization_id": self.organization_id,
            "organization_name": self.organization_name,
        }
        return jwt.encode({"alg": "RS256", "kid": "today"}, claims | self.claims, self.key)

    def me(self) -> dict[str, Any]:
        rights = {"people_permissions": self.people_permissions, "site_administrator": self.site_administrator}
        return self._document("Person", self.person_id, {"name": self.name, "first_name": self.name.split()[0]} | rights)

    def organization(self) -> dict[str, Any]:
        settings = {"country_code": "US", "date_format": "%m/%d/%Y", "time_zone": "America/Chicago"}
        return self._document("Organization", self.organization_id, {"name": self.organization_name} | settings)

    def _document(self, kind: str, remote_id: str, attributes: dict[str, Any]) -> dict[str, Any]:
        parent = {"id": self.organization_id, "type": "Organization"}
        data = {"type": kind, "id": remote_id, "attributes": attributes, "links": {"self": f"{ORIGIN}/people/v2/{remote_id}"}}
        return {"data": data, "included": [], "meta": {"parent": parent}}

    def paths_called(self) -> list[str]:
        return [urlsplit(request.url).path for request in self.wire.request_history]
