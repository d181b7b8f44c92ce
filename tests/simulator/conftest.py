"""People who practise: the two made-up churches, each called through Flask's test client."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET, create_simulator
from connectcard.simulator.state import the

REDIRECT = "http://127.0.0.1:5000/signed-in"
CLIENT = {"client_id": PRACTICE_CLIENT_ID, "client_secret": PRACTICE_CLIENT_SECRET}
VERSION = "2025-11-10"


@dataclass
class Church:
    """A practice church as a program sees it that has its token."""

    client: FlaskClient
    id: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **how: Any) -> TestResponse:
        path = path if path.startswith("/") else f"/people/v2/{path}"
        headers = {"X-PCO-API-Version": VERSION} | self.headers | how.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **how)

    def get(self, path: str, **query: Any) -> Any:
        response = self.call("GET", path, query_string=query or None)
        assert response.status_code == 200, response.text
        return response.json

    def rows(self, path: str, **query: Any) -> list[Any]:
        return self.get(path, **query)["data"]

    def post(self, path: str, attributes: dict[str, Any], relationships: dict[str, Any] | None = None, **how: Any) -> TestResponse:
        data = {"type": "Whatever", "attributes": attributes} | ({"relationships": relationships} if relationships else {})
        return self.call("POST", path, json={"data": data}, **how)

    def create(self, path: str, attributes: dict[str, Any], relationships: dict[str, Any] | None = None, **how: Any) -> Any:
        response = self.post(path, attributes, relationships, **how)
        assert response.status_code == 201, response.text
        return response.json["data"]

    def patch(self, path: str, attributes: dict[str, Any], relationships: dict[str, Any] | None = None) -> TestResponse:
        data = {"attributes": attributes, "relationships": relationships or {}}
        return self.call("PATCH", path, json={"data": data})

    def person(self, first_name: str = "Nathan", last_name: str = "Hale", **attributes: Any) -> str:
        return str(self.create("people", {"first_name": first_name, "last_name": last_name} | attributes)["id"])

    def named(self, path: str, name: str) -> Any:
        """The one of a list that is called so."""
        return next(row for row in self.rows(path, per_page=100) if name in (row["attributes"].get("name"), row["attributes"].get("value")))


def refused(response: TestResponse) -> tuple[int, str, str]:
    """Status, parameter and detail of the first error."""
    error = response.json["errors"][0]
    return response.status_code, error.get("source", {}).get("parameter", ""), error["detail"]


@pytest.fixture
def simulator_app() -> Iterator[Flask]:
    app = create_simulator()
    yield app
    the(app).close()


@pytest.fixture
def client(simulator_app: Flask) -> FlaskClient:
    return simulator_app.test_client()


@pytest.fixture
def control(client: FlaskClient) -> Callable[..., Any]:
    """Ask the simulator's own control paths."""

    def ask(method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        response = client.open(f"/_simulator/{path}", method=method, json=body)
        assert response.status_code == expect if expect else response.status_code < 300, response.text
        return response.json

    return ask


def church_number(client: FlaskClient, place: int) -> Church:
    told = client.get("/_simulator/organizations?people=0").json[place]
    pair = f"{told['personal_access_token']['app_id']}:{told['personal_access_token']['secret']}"
    return Church(client, told["id"], {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})


@pytest.fixture
def grace(client: FlaskClient) -> Church:
    """Grace Community Church through the personal access token of its administrator."""
    return church_number(client, 0)


@pytest.fixture
def hope(client: FlaskClient) -> Church:
    """Hope Chapel, the neighbour: whatever Grace does, nothing of it may show or change here."""
    return church_number(client, 1)


@dataclass
class SignIn:
    """An application that sends a person to Planning Center and comes back with tokens."""

    client: FlaskClient
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def ask(self, **changed: str) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        usual = {
            "client_id": PRACTICE_CLIENT_ID,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid people",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "select_account",
        }
        return {name: value for name, value in (usual | changed).items() if value}

    def page(self, **changed: str) -> TestResponse:
        return self.client.get("/oauth/authorize?" + urlencode(self.ask(**changed)))

    def press(self, decision: str, person: str = "", **changed: str) -> dict[str, str]:
        """What comes back to the application in the address."""
        response = self.client.post("/oauth/authorize", data=self.ask(**changed) | {"decision": decision, "person": person})
        assert response.status_code == 302, response.text
        assert response.headers["Location"].startswith(REDIRECT)
        return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}

    def code(self, person: str, **changed: str) -> str:
        return self.press("allow", person, **changed)["code"]

    def exchange(self, code: str, **changed: str) -> TestResponse:
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier} | CLIENT
        return self.client.post("/oauth/token", data=sent | changed)

    def refresh(self, token: str) -> TestResponse:
        return self.client.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token} | CLIENT)

    def tokens(self, person: str, **changed: str) -> Any:
        response = self.exchange(self.code(person, **changed))
        assert response.status_code == 200, response.text
        return response.json

    def church_of(self, person: str, **changed: str) -> Church:
        return Church(self.client, "", bearer(self.tokens(person, **changed)["access_token"]))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def sign_in(client: FlaskClient) -> SignIn:
    return SignIn(client)


@pytest.fixture
def staff(control: Callable[..., Any]) -> dict[str, str]:
    """The ids of those who can sign in, by full name."""
    people = [person for church in control("GET", "organizations") for person in church["people"] if person["can_sign_in"]]
    return {f"{person['first_name']} {person['last_name']}": person["id"] for person in people}
