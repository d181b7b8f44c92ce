"""A person signs in with Planning Center and gives an application access; the application keeps that access, or loses it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet

from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET
from tests.simulator.conftest import CLIENT, REDIRECT, SignIn, bearer

DEAD_GRANT = {
    "error": "invalid_grant",
    "error_description": "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
    "authorization request, or was issued to another client.",
}


BAD_SCOPE = {
    "status": "401",
    "code": "bad_scope",
    "title": "Request outside authenticated scope",
    "detail": "The API credentials do not have access to the application people",
}


def hint(client: FlaskClient, token: str) -> str:
    """What the API says of an access token: "ok" or the code of its 401."""
    response = client.get("/people/v2/me", headers=bearer(token))
    if response.status_code == 200:
        return "ok"
    assert response.status_code == 401
    assert response.json["errors"][0]["code"] == "unauthorized"
    return response.json["errors"][0]["detail"].split("(")[1].strip(")")


def test_the_page_offers_both_churches_and_everybody_who_can_sign_in_with_their_permission(sign_in: SignIn, staff: dict[str, str]) -> None:
    page = sign_in.page().text
    assert "Grace Community Church" in page
    assert "Hope Chapel" in page
    for name, number in staff.items():
        assert f'id="person_{number}"' in page
        assert name in page
    for permission in ("Site administrator", "Manager", "Editor", "Viewer", "No access to People"):
        assert permission in page
    assert page.count("<button") == 2


def test_allowing_gives_an_access_token_that_works_and_an_id_token_that_says_who_and_which_church(
    client: FlaskClient, sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]
) -> None:
    answer = sign_in.press("allow", staff["Ada Admin"])
    assert answer["state"] == "the state"
    tokens = sign_in.exchange(answer["code"]).json
    assert list(tokens) == ["access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at", "id_token"]
    assert (tokens["expires_in"], tokens["scope"]) == (7200, "openid people")
    assert client.get("/people/v2/me", headers=bearer(tokens["access_token"])).json["data"]["id"] == staff["Ada Admin"]

    keys = KeySet.import_key_set(client.get("/oauth/discovery/keys").json)
    said = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims
    church = control("GET", "organizations?people=0")[0]
    assert (said["iss"], said["aud"], said["nonce"]) == ("http://localhost", PRACTICE_CLIENT_ID, "the nonce")
    assert (said["organization_id"], said["organization_name"]) == (church["id"], church["name"])
    assert (said["name"], said["email"]) == ("Ada Admin", "ada.admin@gracespringfield.org")
    assert said["sub"] != staff["Ada Admin"], "nobody promised that sub is the person's id"
    assert "email_verified" not in said
    userinfo = client.get("/oauth/userinfo", headers=bearer(tokens["access_token"])).json
    assert userinfo == {name: said[name] for name in ("sub", "name", "email", "organization_id", "organization_name")}


def test_the_discovery_document_names_addresses_on_the_host_that_was_asked(client: FlaskClient) -> None:
    said = client.get("/.well-known/openid-configuration", base_url="http://127.0.0.1:8123").json
    assert said["issuer"] == "http://127.0.0.1:8123"
    assert said["jwks_uri"] == "http://127.0.0.1:8123/oauth/discovery/keys"
    assert "S256" in said["code_challenge_methods_supported"]


def test_denying_goes_back_with_access_denied_and_the_state(sign_in: SignIn) -> None:
    answer = sign_in.press("deny")
    assert (answer["error"], answer["state"]) == ("access_denied", "the state")


def test_allowing_without_a_choice_asks_again(client: FlaskClient, sign_in: SignIn) -> None:
    response = client.post("/oauth/authorize", data=sign_in.ask() | {"decision": "allow"})
    assert response.status_code == 422
    assert "Choose whom to sign in as" in response.text
    assert 'value="the state"' in response.text


@pytest.mark.parametrize("changed", [{"client_id": "nobody"}, {"redirect_uri": "https://elsewhere.org/"}, {"redirect_uri": "javascript:x"}])
def test_an_unknown_application_or_address_gets_a_page_and_no_redirect(sign_in: SignIn, changed: dict[str, str]) -> None:
    response = sign_in.page(**changed)
    assert response.status_code in (400, 401)
    assert "Location" not in response.headers


def test_a_registered_application_may_be_answered_at_its_own_address(
    client: FlaskClient, sign_in: SignIn, control: Callable[..., Any]
) -> None:
    uris = ["https://cards.gracespringfield.org/signed-in"]
    control("POST", "clients", {"client_id": "church", "client_secret": "secret", "redirect_uris": uris})
    assert sign_in.page(client_id="church", redirect_uri=uris[0]).status_code == 200
    assert sign_in.page(client_id="church", redirect_uri=uris[0] + "/more").status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scope": "openid profile"}, "invalid_scope"),
        ({"scope": "openid email people"}, "invalid_scope"),
        ({"scope": "people everything"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_code_challenge_method"),
    ],
)
def test_a_mistaken_request_goes_back_with_its_error(sign_in: SignIn, changed: dict[str, str], error: str) -> None:
    response = sign_in.page(**changed)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{REDIRECT}?error={error}&")
    assert response.headers["Location"].endswith("state=the+state")


def test_without_prompt_the_last_person_is_taken_silently(sign_in: SignIn, staff: dict[str, str]) -> None:
    sign_in.press("allow", staff["Hugh Admin"])
    assert sign_in.page(prompt="").status_code == 302
    assert sign_in.page(prompt="select_account").status_code == 200


def test_a_code_is_spent_once_and_only_with_its_verifier_address_and_client(
    sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]
) -> None:
    code = sign_in.code(staff["Ada Admin"])
    control("POST", "clients", {"client_id": "other", "client_secret": "secret"})
    for wrong in (
        {"code_verifier": "x" * 50},
        {"code_verifier": ""},
        {"redirect_uri": "http://127.0.0.1:5000/other"},
        {"client_id": "other", "client_secret": "secret"},
    ):
        response = sign_in.exchange(code, **wrong)
        assert (response.status_code, response.json) == (400, DEAD_GRANT)
    assert sign_in.exchange(code).status_code == 200
    assert sign_in.exchange(code).json == DEAD_GRANT


def test_a_code_is_dead_after_some_minutes(sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]) -> None:
    code = sign_in.code(staff["Ada Admin"])
    control("POST", "settings", {"advance_s": 601})
    assert sign_in.exchange(code).json == DEAD_GRANT


@pytest.mark.parametrize("sent", [{"client_secret": "wrong"}, {"client_id": "nobody"}])
def test_a_wrong_client_is_401_invalid_client(sign_in: SignIn, staff: dict[str, str], sent: dict[str, str]) -> None:
    response = sign_in.exchange(sign_in.code(staff["Ada Admin"]), **sent)
    assert response.status_code == 401
    assert response.json["error"] == "invalid_client"


def test_a_secret_under_the_wrong_name_is_no_secret(client: FlaskClient) -> None:
    response = client.post("/oauth/token", data={"client_id": PRACTICE_CLIENT_ID, "secret": PRACTICE_CLIENT_SECRET})
    assert (response.status_code, response.json["error"]) == (401, "invalid_client")


def test_the_client_may_show_itself_by_http_basic_and_send_json(client: FlaskClient, sign_in: SignIn, staff: dict[str, str]) -> None:
    sent = {"grant_type": "authorization_code", "code": sign_in.code(staff["Ada Admin"]), "redirect_uri": REDIRECT}
    response = client.post(
        "/oauth/token", json=sent | {"code_verifier": sign_in.verifier}, auth=(PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET)
    )
    assert response.status_code == 200


def test_a_refresh_token_is_spent_once(client: FlaskClient, sign_in: SignIn, staff: dict[str, str]) -> None:
    first = sign_in.tokens(staff["Ada Admin"])
    second = sign_in.refresh(first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert hint(client, second["access_token"]) == "ok"
    again = sign_in.refresh(first["refresh_token"])
    assert (again.status_code, again.json) == (400, DEAD_GRANT)
    assert hint(client, second["access_token"]) == "ok"


@pytest.mark.parametrize(("ends", "then"), [(False, "ok"), (True, "CAPUCHIN")])
def test_whether_the_old_access_token_outlives_a_refresh_can_be_chosen(
    client: FlaskClient, sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any], ends: bool, then: str
) -> None:
    control("POST", "settings", {"refresh_ends_old_access": ends})
    first = sign_in.tokens(staff["Ada Admin"])
    assert sign_in.refresh(first["refresh_token"]).status_code == 200
    assert hint(client, first["access_token"]) == then


def test_an_access_token_lives_two_hours_and_a_refresh_token_ninety_days(
    client: FlaskClient, sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]
) -> None:
    tokens = sign_in.tokens(staff["Ada Admin"])
    control("POST", "settings", {"advance_s": 7100})
    assert hint(client, tokens["access_token"]) == "ok"
    control("POST", "settings", {"advance_s": 100})
    assert hint(client, tokens["access_token"]) == "BABOON"
    control("POST", "settings", {"advance_s": 90 * 86_400 - 7300})
    fresh = sign_in.refresh(tokens["refresh_token"]).json
    control("POST", "settings", {"advance_s": 90 * 86_400})
    assert sign_in.refresh(fresh["refresh_token"]).json == DEAD_GRANT


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_both(client: FlaskClient, sign_in: SignIn, staff: dict[str, str], which: str) -> None:
    tokens, others = sign_in.tokens(staff["Ada Admin"]), sign_in.tokens(staff["Ada Admin"])
    assert client.post("/oauth/revoke", data={"token": tokens[which]} | CLIENT).status_code == 200
    assert hint(client, tokens["access_token"]) == "CAPUCHIN"
    assert sign_in.refresh(tokens["refresh_token"]).json == DEAD_GRANT
    assert hint(client, others["access_token"]) == "ok"


def test_revoking_what_nobody_knows_is_no_error_but_needs_a_client(client: FlaskClient) -> None:
    assert client.post("/oauth/revoke", data={"token": "nothing"} | CLIENT).status_code == 200
    assert client.post("/oauth/revoke", data={"token": "nothing"}).status_code == 401


def test_userinfo_wants_a_good_token_with_openid(client: FlaskClient, sign_in: SignIn, staff: dict[str, str]) -> None:
    tokens = sign_in.tokens(staff["Ada Admin"], scope="people")
    assert "id_token" not in tokens
    assert client.get("/oauth/userinfo", headers=bearer(tokens["access_token"])).status_code == 403
    response = client.get("/oauth/userinfo", headers=bearer("nothing"))
    assert (response.status_code, response.json["error"]) == (401, "invalid_token")


def test_a_bad_pair_of_application_id_and_secret_is_refused_in_html(client: FlaskClient) -> None:
    for response in (client.get("/people/v2/people", auth=("wrong", "pair")), client.get("/people/v2/people")):
        assert response.status_code == 401
        assert response.data == b"HTTP Basic: Access denied.\n"
        assert response.headers["WWW-Authenticate"] == 'Basic realm="Application"'
        assert response.mimetype == "text/html"


def test_a_scope_that_was_not_asked_for_is_not_there(client: FlaskClient, sign_in: SignIn, staff: dict[str, str]) -> None:
    tokens = sign_in.tokens(staff["Ada Admin"], scope="openid groups")
    response = client.get("/people/v2/nothing/of/the/kind", headers=bearer(tokens["access_token"]))
    assert (response.status_code, response.json["errors"]) == (401, [BAD_SCOPE])


def test_a_person_who_is_gone_takes_the_tokens_along(
    client: FlaskClient, sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]
) -> None:
    tokens = sign_in.tokens(staff["Eddie Editor"])
    control("PATCH", f"people/{staff['Eddie Editor']}", {"status": "inactive"})
    assert hint(client, tokens["access_token"]) == "FLAMINGO"
