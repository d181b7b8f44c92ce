"""Whatever answers, the client raises from its own family or returns a value."""

import json
from collections.abc import Callable
from typing import Any

import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from connectcard.planning_center import BearerAuth, Client, Page, Record
from connectcard.planning_center.errors import OutcomeUnknown, PlanningCenterError
from connectcard.planning_center.oauth import OAuthClient, Tokens
from connectcard.planning_center.resources import people

BASE = "https://api.planningcenteronline.com"
NAMES = ["data", "type", "id", "attributes", "relationships", "included", "meta", "links", "next", "offset", "errors", "detail", "title"]
NAMES += ["source", "parameter", "code", "status", "total_count", "emails", "access_token", "refresh_token", "expires_in", "error"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["Person", "7", "bad_scope"])
TREES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
)
DOCUMENTS = st.fixed_dictionaries(
    {}, optional={"data": TREES, "included": TREES, "meta": TREES, "links": TREES, "errors": st.lists(TREES, max_size=3) | TREES}
)
BODIES = st.binary(max_size=200) | (TREES | DOCUMENTS).map(lambda tree: json.dumps(tree).encode())
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/html", "application/vnd.api+json; charset=utf-8", "", ";;;"]),
        "Retry-After": st.sampled_from(["0", "7", "x", "99999999999", "Fri, 32 Nov 2026 10:00:30 GMT", "-1"]),
        "WWW-Authenticate": st.just('Basic realm="Application"'),
        "X-PCO-API-Request-Rate-Limit": st.text("0123456789 x", max_size=9),
        "X-PCO-API-Request-Rate-Period": st.text("0123456789 s", max_size=9),
        "X-PCO-API-Request-Rate-Count": st.text("0123456789 -", max_size=9),
        "X-Request-Id": st.text("abc-019", max_size=90),
    },
)
STATUSES = st.sampled_from([200, 201, 202, 204, 206, 301, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503, 504, 599])


def client() -> Client:
    return Client(BearerAuth(lambda refused=None: "token"), base_url=BASE, user_agent="connectcard/0.1")


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives back, or the error of our family that it raises; any other error fails the test."""
    try:
        return call()
    except PlanningCenterError as error:
        return error


@settings(max_examples=200, deadline=None)
@given(STATUSES, HEADERS, BODIES)
def test_reads(status: int, headers: dict[str, str], body: bytes) -> None:
    with requests_mock.Mocker() as wire:
        wire.get(requests_mock.ANY, status_code=status, headers=headers, content=body)
        listed, got = outcome(lambda: client().list(people.EMAIL)), outcome(lambda: client().get(people.ME))
        everything = outcome(lambda: list(client().iterate(people.EMAIL)))
    assert isinstance(listed, Page | PlanningCenterError)
    assert isinstance(got, Record | PlanningCenterError)
    assert isinstance(everything, list | PlanningCenterError)
    assert not isinstance(listed, OutcomeUnknown)
    assert not isinstance(got, OutcomeUnknown)


@settings(max_examples=200, deadline=None)
@given(STATUSES, HEADERS, BODIES)
def test_writes(status: int, headers: dict[str, str], body: bytes) -> None:
    with requests_mock.Mocker() as wire:
        wire.post(requests_mock.ANY, status_code=status, headers=headers, content=body)
        made = outcome(lambda: client().create(people.PERSON, {"first_name": "Ana"}))
    if status < 400 or (status >= 500 and status != 503):
        # A success that cannot be read and a server's own failure may both have been applied.
        assert isinstance(made, Record | OutcomeUnknown)
    elif status != 503:
        assert isinstance(made, PlanningCenterError)
        assert not isinstance(made, OutcomeUnknown)


@settings(max_examples=200, deadline=None)
@given(STATUSES, HEADERS, BODIES)
def test_the_token_endpoint(status: int, headers: dict[str, str], body: bytes) -> None:
    with requests_mock.Mocker() as wire:
        wire.post(requests_mock.ANY, status_code=status, headers=headers, content=body)
        tokens = outcome(lambda: OAuthClient(BASE, "id", "secret", "connectcard/0.1").refresh("old"))
    assert isinstance(tokens, PlanningCenterError) or (isinstance(tokens, Tokens) and tokens.refresh_token)
