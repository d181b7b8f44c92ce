"""Whatever is sent, the simulator answers below 500, and in the words of Planning Center."""

import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_of

from connectcard.simulator import create_simulator
from connectcard.simulator.catalogue import PRODUCTS
from connectcard.simulator.faults import KINDS
from connectcard.simulator.state import the
from tests.simulator.conftest import Church, church_number

RESOURCES = [resource for product in PRODUCTS.values() for resource in product.resources]
ATTRIBUTES = sorted({name for resource in RESOURCES for name in [*resource.attributes, *resource.relationships]})
WHERES = sorted({name for resource in RESOURCES for name in resource.wheres})
NAMES = sorted({name for resource in RESOURCES for name in [*resource.includes, *resource.orders, *resource.filters]})

json_values = any_of.recursive(
    any_of.none() | any_of.booleans() | any_of.integers() | any_of.floats() | any_of.text(),
    lambda inner: any_of.lists(inner, max_size=3) | any_of.dictionaries(any_of.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
attributes = any_of.dictionaries(any_of.sampled_from(ATTRIBUTES) | any_of.text(max_size=5), json_values, max_size=4)
references = any_of.fixed_dictionaries({"data": json_values | any_of.fixed_dictionaries({"id": json_values, "type": json_values})})
relationships = any_of.dictionaries(any_of.sampled_from(ATTRIBUTES), references | json_values, max_size=3)
documents = any_of.fixed_dictionaries(
    {"data": any_of.fixed_dictionaries({}, optional={"attributes": attributes, "relationships": relationships})},
    optional={"included": any_of.lists(any_of.fixed_dictionaries({"attributes": attributes}), max_size=2) | json_values},
)
queries = any_of.dictionaries(
    any_of.sampled_from(["include", "order", "filter", "per_page", "offset", "fields[Person]", "time", "where"])
    | any_of.builds("where[{}]".format, any_of.sampled_from(WHERES))
    | any_of.builds("where[{}][{}]".format, any_of.sampled_from(WHERES), any_of.sampled_from(["gt", "lte", "x"]))
    | any_of.text(max_size=6),
    any_of.text(max_size=12) | any_of.sampled_from(NAMES) | any_of.integers().map(str) | any_of.datetimes().map(str),
    max_size=4,
)
header_text = any_of.text(string.printable.strip() + " ", max_size=30)
many = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def church() -> Iterator[Church]:
    app = create_simulator(people=12)
    grace = church_number(app.test_client(), 0)
    grace.client.post("/_simulator/settings", json={"limit": 1_000_000})
    yield grace
    the(app).close()


@pytest.fixture(scope="module")
def paths(church: Church) -> list[str]:
    """Addresses of things that are there, of collections below them, and some that are not."""
    tops = [f"/{slug}/v2/{name}" for slug, product in PRODUCTS.items() for name in product.top]
    roots = [f"/{slug}/v2{below}" for slug in PRODUCTS for below in ("", "/me", "/me/emails", "/me/nothing/1")]
    others = [
        "/people/v2",
        "/people/v2/me",
        "/groups/v2/me",
        "/people/v2/people/1/emails",
        "/people/v2/x//y",
        "/groups/v2/group_types/unique",
    ]
    rows = [row for path in tops for row in church.rows(path)[:2]]
    firsts = [path_of(row["links"]["self"]) for row in rows if row["links"]]
    links = [link for path in firsts for link in church.call("GET", path).json["data"]["links"].values() if link]
    return tops + roots + others + sorted({path_of(link) for link in links if "/v2" in link})


def path_of(link: str) -> str:
    return link.removeprefix("http://localhost")


def is_good(response: Any) -> bool:
    if response.status_code == 204:
        return response.data == b""
    if response.mimetype == "text/html":
        return response.status_code in (401, 403, 404)
    told = response.json
    return bool(told["data"] is not None if response.status_code < 300 else told["errors"]) and response.status_code < 500


@many
@given(data=any_of.data())
def test_any_question(church: Church, paths: list[str], data: any_of.DataObject) -> None:
    response = church.call("GET", data.draw(any_of.sampled_from(paths)), query_string=data.draw(queries))
    assert is_good(response), response.text


@many
@given(data=any_of.data())
def test_any_document(church: Church, paths: list[str], data: any_of.DataObject) -> None:
    method, body = data.draw(any_of.sampled_from(["POST", "PATCH"])), data.draw(documents | json_values)
    response = church.call(method, data.draw(any_of.sampled_from(paths)), json=body, headers={"X-PCO-API-Version": data.draw(any_version)})
    assert is_good(response), response.text


any_version = any_of.sampled_from(["2018-08-01", "2022-07-14", "2025-11-10", "2026-06-04"])


@many
@given(method=any_of.sampled_from(["POST", "PATCH", "DELETE", "PUT", "OPTIONS"]), body=any_of.binary(), rest=any_of.text(max_size=20))
def test_any_bytes_at_any_address(church: Church, method: str, body: bytes, rest: str) -> None:
    # Two slashes at the beginning would make the rest a host for the test's own client.
    for path in (f"/people/v2/{rest}", "/people/v2/people", "/oauth/token", "/oauth/authorize", f"/{rest.lstrip('/')}"):
        assert church.call(method, path, data=body, content_type="application/json").status_code < 500


@many
@given(authorization=header_text, version=header_text, kind=header_text)
def test_any_headers(church: Church, authorization: str, version: str, kind: str) -> None:
    headers = {"Authorization": authorization, "X-PCO-API-Version": version, "Content-Type": kind, "Accept": kind, "Host": "localhost"}
    for path in ("/people/v2/people", "/oauth/userinfo"):
        assert church.client.get(path, headers=headers).status_code < 500
    assert church.client.post("/people/v2/people", headers=headers, data=b"{}").status_code < 500
    assert church.client.post("/oauth/token", headers=headers, data=b"{}").status_code < 500


OAUTH_WORDS = [
    "client_id", "client_secret", "code", "code_challenge", "code_challenge_method", "decision", "grant_type", "nonce", "person", "prompt",
    "redirect_uri", "refresh_token", "response_type", "scope", "state", "token",
]  # fmt: skip
CONTROL_WORDS = [
    "advance_s", "after", "client_id", "client_secret", "form_submission", "keep", "limit", "method", "path", "people", "period",
    "permission", "person", "product", "redirect_uris", "remove", "search_lag_s", "seconds", "seed", "times",
]  # fmt: skip


@many
@given(sent=any_of.dictionaries(any_of.sampled_from(OAUTH_WORDS), any_of.text(max_size=12), max_size=8))
def test_any_words_to_the_sign_in(church: Church, sent: dict[str, str]) -> None:
    assert church.client.get("/oauth/authorize", query_string=sent).status_code < 500
    for path in ("/oauth/authorize", "/oauth/token", "/oauth/revoke"):
        assert church.client.post(path, data=sent).status_code < 500
        assert church.client.post(path, json=sent).status_code < 500


control_bodies = any_of.dictionaries(any_of.sampled_from(CONTROL_WORDS) | any_of.text(max_size=4), json_values, max_size=4)


@many
@given(body=json_values | control_bodies, kind=any_of.sampled_from(KINDS))
def test_any_control(church: Church, body: object, kind: str) -> None:
    for path in ("settings", "merge", "permission", "clients", "faults", "confirm", "people/1"):
        assert church.client.post(f"/_simulator/{path}", json=body).status_code < 500
    if isinstance(body, dict):
        assert church.client.post("/_simulator/faults", json={"kind": kind} | body).status_code < 500
    church.client.delete("/_simulator/faults")
    church.client.post("/_simulator/settings", json={"limit": 1_000_000, "latency_ms": 0})
