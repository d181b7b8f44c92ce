"""The way to Planning Center's consent page and back, for signing in and for connecting.

What the way back needs (state, nonce, PKCE verifier, purpose) waits in the server-side session, for ten minutes and one use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app, redirect, request
from joserfc.errors import JoseError
from requests import RequestException
from werkzeug.wrappers import Response

from connectcard.clock import now
from connectcard.config import Config
from connectcard.database import end_reading
from connectcard.web.refusals import Refusal
from connectcard.web.sessions import BrowserSession, browser_session

SIGN_IN, CONNECT = "sign_in", "connect"
# Who signs in shows who they are; who connects lets the church's people, groups, check-ins and calendar be read, and people written.
SCOPES = {SIGN_IN: "openid people", CONNECT: "openid people groups check_ins calendar"}
PATIENCE = timedelta(minutes=10)
TIMEOUT_SECONDS = 10
ERRAND = "errand:"
LONGEST_SUBJECT = 80


@dataclass(frozen=True)
class Grant:
    """What Planning Center gave: for which errand of ours, its tokens, and who says so by its signed id_token."""

    purpose: str
    next_path: str | None
    tokens: Mapping[str, Any]
    issuer: str
    subject: str
    organization_id: str | None


def init_app(app: Flask) -> None:
    config: Config = app.config["CONNECTCARD"]
    at = config.pco_base_url
    # A registry of each application's own: authlib keeps a registered client for the life of its registry.
    app.extensions["planning_center_oauth"] = OAuth(app).register(
        "planning_center",
        client_id=config.pco_client_id,
        client_secret=config.pco_client_secret,
        authorize_url=f"{at}/oauth/authorize",
        access_token_url=f"{at}/oauth/token",
        jwks_uri=f"{at}/oauth/discovery/keys",
        issuer=at,
        id_token_signing_alg_values_supported=["RS256"],
        client_kwargs={
            "scope": SCOPES[CONNECT],
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "client_secret_post",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def redirect_uri() -> str:
    """Where Planning Center sends people back to: from the settings, never from the request's Host."""
    return f"{current_app.config['CONNECTCARD'].public_url}/oauth/callback"


def leave(purpose: str, next_path: str | None = None) -> Response:
    """Send the browser to Planning Center's consent page. Does not touch the network."""
    way = _client().create_authorization_url(redirect_uri(), prompt="select_account", scope=SCOPES[purpose])
    session = browser_session()
    _drop_old_errands(session)
    session[ERRAND + way["state"]] = {
        "purpose": purpose,
        "next": next_path,
        "nonce": way["nonce"],
        "code_verifier": way["code_verifier"],
        "left_at": now().isoformat(),
    }
    return redirect(way["url"])


def come_back() -> Grant:
    """What the browser brings back from Planning Center; raises Refusal, each with its own page."""
    errand = _take_errand(request.args.get("state", ""))
    _refuse_unless_granted(errand)
    end_reading()
    try:
        tokens = _client().fetch_access_token(
            redirect_uri(), code=request.args["code"], code_verifier=errand["code_verifier"], allow_redirects=False
        )
        claims = _client().parse_id_token(tokens, nonce=errand["nonce"], claims_options=_expected_claims()) or {}
    except RequestException as problem:
        raise Refusal("unavailable", purpose=errand["purpose"]) from problem
    except (AuthlibBaseError, JoseError, ValueError) as problem:
        raise Refusal("not_confirmed", purpose=errand["purpose"]) from problem
    return _grant(errand, tokens, claims)


def _grant(errand: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> Grant:
    if not 0 < len(str(claims.get("sub") or "")) <= LONGEST_SUBJECT:
        raise Refusal("not_confirmed", purpose=errand["purpose"])
    organization_id = claims.get("organization_id")
    return Grant(
        purpose=errand["purpose"],
        next_path=errand["next"],
        tokens=tokens,
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        organization_id=None if organization_id is None else str(organization_id),
    )


def _expected_claims() -> dict[str, Any]:
    config: Config = current_app.config["CONNECTCARD"]
    return {"iss": {"essential": True, "value": config.pco_base_url}, "aud": {"essential": True, "value": config.pco_client_id}}


def _take_errand(state: str) -> dict[str, Any]:
    errand: dict[str, Any] | None = browser_session().take(ERRAND + state)
    if errand is None or _is_old(errand):
        raise Refusal("state")
    return errand


def _refuse_unless_granted(errand: Mapping[str, Any]) -> None:
    """The text that stands in the address is anyone's: it is neither shown nor logged."""
    if request.args.get("error"):
        raise Refusal("denied", purpose=errand["purpose"])
    if not request.args.get("code"):
        raise Refusal("not_confirmed", purpose=errand["purpose"])


def _drop_old_errands(session: BrowserSession) -> None:
    for name in [name for name in session if name.startswith(ERRAND) and _is_old(session[name])]:
        del session[name]


def _is_old(errand: Mapping[str, Any]) -> bool:
    return now() - datetime.fromisoformat(errand["left_at"]) > PATIENCE


def _client() -> Any:
    return current_app.extensions["planning_center_oauth"]
