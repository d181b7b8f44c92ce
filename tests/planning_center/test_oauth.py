"""Renewing and withdrawing tokens: what is sent, and which answers may end a church's connection."""

import json
from urllib.parse import parse_qs

import pytest
import requests
from requests_mock import Mocker

from connectcard.planning_center import errors
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.planning_center.oauth import OAuthClient, Tokens

BASE = "https://api.planningcenteronline.com"
CLIENT = OAuthClient(BASE, "client-id", "client-secret", "connectcard/0.1")
JSON = {"Content-Type": "application/json; charset=utf-8"}
HTML = {"Content-Type": "text/html"}
INVALID_GRANT = {
    "error": "invalid_grant",
    "error_description": "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
    "authorization request, or was issued to another client.",
}
NO_LONGER_VALID = {"error": "invalid_request", "error_description": "The refresh token is no longer valid"}


def test_a_pair_of_tokens_is_renewed(requests_mock: Mocker) -> None:
    answer = {"access_token": "next", "token_type": "Bearer", "expires_in": 7200, "refresh_token": "spare", "created_at": 1790000000}
    requests_mock.post(f"{BASE}/oauth/token", json=answer, headers=JSON)
    assert CLIENT.refresh("r+/=1") == Tokens("next", "spare", 7200, None)
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(sent.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r+/=1"],
        "client_id": ["client-id"],
        "client_secret": ["client-secret"],
    }


def test_an_answer_without_a_refresh_token_keeps_the_old_one(requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/oauth/token", json={"access_token": "next"}, headers=JSON)
    assert CLIENT.refresh("old") == Tokens("next", "old", 7200, None)


def test_a_token_is_withdrawn(requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/oauth/revoke", json={}, headers=JSON)
    CLIENT.revoke("token")
    assert requests_mock.last_request is not None
    assert parse_qs(requests_mock.last_request.body.decode())["token"] == ["token"]


@pytest.mark.parametrize(
    ("status", "headers", "text", "raised"),
    [
        (400, JSON, json.dumps(INVALID_GRANT), errors.DeadGrant),
        (401, JSON, json.dumps(INVALID_GRANT), errors.DeadGrant),
        (400, JSON, json.dumps(NO_LONGER_VALID), errors.DeadGrant),
        (400, JSON, '{"error": "invalid_request", "error_description": "Missing required parameter: grant_type."}', errors.Unavailable),
        (401, JSON, '{"error": "invalid_client", "error_description": "Client authentication failed"}', errors.ClientRefused),
        (400, JSON, '{"error": "temporarily_unavailable"}', errors.Unavailable),
        (403, HTML, "<html>Request blocked. invalid_grant</html>", errors.Blocked),
        (400, HTML, json.dumps(INVALID_GRANT), errors.Blocked),
        (401, JSON, '"invalid_grant"', errors.Blocked),
        (404, HTML, "<html>", errors.Blocked),
        (429, JSON, "{}", errors.RateLimited),
        (500, JSON, json.dumps(INVALID_GRANT), errors.OutcomeUnknown),
        (502, HTML, "<html>", errors.OutcomeUnknown),
        (503, HTML | {"Retry-After": "5"}, "<html>", errors.Unavailable),
        (200, JSON, json.dumps(INVALID_GRANT), errors.OutcomeUnknown),
        (200, HTML, "<html>", errors.OutcomeUnknown),
        (200, JSON, '{"access_token": 7}', errors.OutcomeUnknown),
        (302, HTML, "", errors.OutcomeUnknown),
    ],
)  # fmt: skip
def test_only_a_clear_word_ends_a_grant(
    requests_mock: Mocker, status: int, headers: dict[str, str], text: str, raised: type[PlanningCenterError]
) -> None:
    requests_mock.post(f"{BASE}/oauth/token", status_code=status, headers=headers, text=text)
    with pytest.raises(PlanningCenterError) as error:
        CLIENT.refresh("old-refresh-token")
    assert type(error.value) is raised
    assert "old-refresh-token" not in str(error.value)


def test_a_lost_answer_may_have_been_applied(requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/oauth/token", exc=requests.exceptions.ReadTimeout)
    with pytest.raises(errors.OutcomeUnknown):
        CLIENT.refresh("old")
    requests_mock.post(f"{BASE}/oauth/token", exc=requests.exceptions.ConnectTimeout)
    with pytest.raises(errors.NotSent):
        CLIENT.refresh("old")


def test_tokens_and_the_secret_do_not_show() -> None:
    assert "hidden" not in repr(Tokens("hidden", "hidden"))
    assert "client-secret" not in repr(CLIENT)
