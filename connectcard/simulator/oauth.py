"""Sign-in and tokens: OAuth 2.0 with PKCE and OpenID Connect, as Planning Center does it (its words are Doorkeeper's)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import RSAKey

from connectcard.simulator.answers import Refusal, plain_json
from connectcard.simulator.callers import Credential, by_access_token, end_family, find_credential
from connectcard.simulator.state import Simulator, the
from connectcard.simulator.store import Condition, Row, Store

KNOWN_SCOPES = frozenset({
    "openid", "people", "services", "check_ins", "giving", "groups", "calendar", "registrations", "publishing", "resources", "api", "home",
})  # fmt: skip
CODE_LIFE = 600
ACCESS_LIFE = 7200
REFRESH_LIFE = 90 * 86_400
ID_TOKEN_LIFE = 3600
LOOPBACK = ("localhost", "127.0.0.1", "::1")
REMEMBERED = "practice_person"

BAD_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization "
    "request, or was issued to another client."
)
BAD_CLIENT = "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."

pages = Blueprint("oauth", __name__)


class GrantRefused(Exception):
    """The token endpoint says no: plain OAuth, not JSON:API."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status

    def response(self) -> Response:
        response = plain_json({"error": self.error, "error_description": self.description}, self.status)
        if self.status == 401:
            response.headers["WWW-Authenticate"] = f'Bearer realm="Planning Center", error="{self.error}"'
        return response


# Asking a person


@dataclass(frozen=True)
class Ask:
    """What an application asks a person for; `error` is what is wrong with it, for the application to read."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    challenge: str
    prompt: str
    error: tuple[str, str] | None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> "Ask":
        said = {name: values.get(name, "") for name in ("client_id", "redirect_uri", "scope", "state", "nonce", "prompt")}
        return cls(**said, challenge=values.get("code_challenge", ""), error=mistake(values))

    def back(self, **answer: str) -> Response:
        """Send the browser back to the application with the answer and its own state."""
        parts = urlsplit(self.redirect_uri)
        query = [*parse_qsl(parts.query), *answer.items(), *([("state", self.state)] if self.state else [])]
        return redirect(urlunsplit(parts._replace(query=urlencode(query))), 302)  # type: ignore[return-value]


def mistake(values: Mapping[str, str]) -> tuple[str, str] | None:
    if values.get("response_type") != "code":
        return "unsupported_response_type", "The authorization server does not support this response type."
    scopes = values.get("scope", "").split()
    if not scopes or not KNOWN_SCOPES.issuperset(scopes):
        return "invalid_scope", "The requested scope is invalid, unknown, or malformed."
    if values.get("code_challenge") and values.get("code_challenge_method") != "S256":
        return "invalid_code_challenge_method", "The code challenge method must be S256."
    return None


@pages.get("/oauth/authorize")
def authorize() -> Response:
    return answer_ask(request.args, remembered=request.cookies.get(REMEMBERED))


@pages.post("/oauth/authorize")
def decide() -> Response:
    """What the person pressed: Allow or Deny."""
    ask = Ask.read(request.form)
    with the().store.transaction():
        if refused := refused_client(the().store, ask):
            return refused
        if ask.error or request.form.get("decision") != "allow":
            return back_with_error(ask)
        person = signing_person(the().store, request.form.get("person", ""))
        return allow(the(), ask, person) if person else page_to_choose(the(), ask, "Choose whom to sign in as.")


def answer_ask(values: Mapping[str, str], remembered: str | None) -> Response:
    ask, simulator = Ask.read(values), the()
    with simulator.store.transaction():
        if refused := refused_client(simulator.store, ask):
            return refused
        if ask.error:
            return back_with_error(ask)
        person = signing_person(simulator.store, remembered or "")
        if person and not ask.prompt:
            return allow(simulator, ask, person)
        return page_to_choose(simulator, ask)


def back_with_error(ask: Ask) -> Response:
    error, description = ask.error or ("access_denied", "The resource owner or authorization server denied the request.")
    return ask.back(error=error, error_description=description)


def refused_client(store: Store, ask: Ask) -> Response | None:
    """A page and no redirect: an unknown application, or one that asks to be answered somewhere else."""
    found = store.execute("select redirect_uris from client where id = ?", (ask.client_id,))
    if not found:
        return Response(render_template("simulator/oauth_error.html", reason="client"), 401)
    if not good_redirect(ask.redirect_uri, json.loads(found[0][0])):
        return Response(render_template("simulator/oauth_error.html", reason="redirect_uri"), 400)
    return None


def good_redirect(uri: str, registered: list[str]) -> bool:
    try:
        parts = urlsplit(uri)
        loopback = parts.scheme in ("http", "https") and parts.hostname in LOOPBACK and not parts.fragment
    except ValueError:
        return False
    return not any(letter.isspace() or letter < " " for letter in uri) and (loopback or uri in registered)


def signing_person(store: Store, number: str) -> Row | None:
    person = store.anywhere("Person", int(number)) if number.isascii() and number.isdigit() and len(number) < 18 else None
    return person if person and person.relations.get("account") else None


def accounts(store: Store, organization: int) -> list[Row]:
    """The people of a church who can sign in."""
    has_account = Condition("record.kind = 'Person' and json_extract(record.relations, '$.account') is not null")
    return store.find([Condition("record.organization = ?", (organization,)), has_account])


def page_to_choose(simulator: Simulator, ask: Ask, complaint: str = "") -> Response:
    churches = [(one, accounts(simulator.store, one.organization)) for one in simulator.store.organizations()]
    page = render_template("simulator/authorize.html", churches=churches, ask=ask, asked=asked_again(), complaint=complaint)
    return Response(page, 422 if complaint else 200)


def asked_again() -> list[tuple[str, str]]:
    """The parameters of the request, to be sent again with the decision."""
    return [(name, value) for name, value in (request.form or request.args).items(multi=True) if name not in ("person", "decision")]


def allow(simulator: Simulator, ask: Ask, person: Row) -> Response:
    facts = {"client_id": ask.client_id, "redirect_uri": ask.redirect_uri, "challenge": ask.challenge, "nonce": ask.nonce}
    scope = " ".join(dict.fromkeys(ask.scope.split()))
    code = issue(simulator, "code", (simulator.store.next_id(), person.organization, person.id, scope), CODE_LIFE, facts)
    response = ask.back(code=code)
    response.set_cookie(REMEMBERED, str(person.id), httponly=True, samesite="Lax")
    return response


Grant = tuple[int, int, int, str]


def issue(simulator: Simulator, kind: str, grant: Grant, life: float, facts: Mapping[str, str]) -> str:
    """A new secret of a grant (family, organization, person, scope)."""
    secret, now = secrets.token_urlsafe(32), simulator.moments.seconds()
    simulator.store.execute(
        "insert into credential values (?, ?, ?, ?, ?, ?, ?, ?, null, ?)", (secret, kind, *grant, now, now + life, json.dumps(dict(facts)))
    )
    return secret


# Tokens


@pages.post("/oauth/token")
def token() -> Response:
    simulator, sent = the(), body()
    suffer_the_fault(simulator, sent)
    try:
        with simulator.store.transaction():
            client_id = authenticated_client(simulator.store, sent)
            return plain_json(granted(simulator, client_id, sent))
    except GrantRefused as refusal:
        return refusal.response()


def suffer_the_fault(simulator: Simulator, sent: Mapping[str, str]) -> None:
    """A grant that is told to be dead is dead from now on: the church took it back before this request came."""
    fault = request.environ.get("simulator.fault")
    if fault and fault.kind in ("expired_token", "revoked_token"):
        with simulator.store.transaction():
            found = find_credential(simulator.store, sent.get("refresh_token", ""), "refresh")
            if found:
                end_family(simulator.store, found.family, simulator.moments.seconds())


@pages.post("/oauth/revoke")
def revoke() -> Response:
    """Always 200 for a known client, whatever the token was."""
    simulator = the()
    try:
        with simulator.store.transaction():
            sent = body()
            authenticated_client(simulator.store, sent)
            found = find_credential(simulator.store, sent.get("token", ""), "access", "refresh")
            if found:
                end_family(simulator.store, found.family, simulator.moments.seconds())
                request.environ["simulator.noted"]["applied"] = True
            return plain_json({})
    except GrantRefused as refusal:
        return refusal.response()


def body() -> dict[str, str]:
    """Form, multipart or JSON."""
    if request.is_json:
        sent = request.get_json(silent=True)
        return {str(name): str(value) for name, value in sent.items()} if isinstance(sent, dict) else {}
    return request.form.to_dict()


def authenticated_client(store: Store, sent: Mapping[str, str]) -> str:
    basic = request.authorization if request.authorization and request.authorization.type == "basic" else None
    client_id = (basic.username if basic else sent.get("client_id")) or ""
    secret = (basic.password if basic else sent.get("client_secret")) or ""
    found = store.execute("select secret from client where id = ?", (client_id,))
    if not found or not hmac.compare_digest(found[0][0].encode(), secret.encode()):
        raise GrantRefused("invalid_client", BAD_CLIENT, 401)
    return client_id


def granted(simulator: Simulator, client_id: str, sent: Mapping[str, str]) -> dict[str, Any]:
    if sent.get("grant_type") == "authorization_code":
        return exchange_code(simulator, client_id, sent)
    if sent.get("grant_type") == "refresh_token":
        return refresh(simulator, client_id, sent)
    raise GrantRefused("unsupported_grant_type", "The authorization grant type is not supported by the authorization server.")


def live(simulator: Simulator, secret: str, kind: str, client_id: str) -> tuple[Credential, dict[str, str]]:
    """A code or refresh token that can still be spent, and its facts."""
    found = find_credential(simulator.store, secret, kind)
    if found is None or found.ended_at is not None or found.expired(simulator.moments.seconds()):
        raise GrantRefused("invalid_grant", BAD_GRANT)
    facts: dict[str, str] = json.loads(found.facts)
    if facts["client_id"] != client_id:
        raise GrantRefused("invalid_grant", BAD_GRANT)
    return found, facts


def exchange_code(simulator: Simulator, client_id: str, sent: Mapping[str, str]) -> dict[str, Any]:
    code, facts = live(simulator, sent.get("code", ""), "code", client_id)
    if sent.get("redirect_uri") != facts["redirect_uri"] or not verified(facts["challenge"], sent.get("code_verifier", "")):
        raise GrantRefused("invalid_grant", BAD_GRANT)
    return spend(simulator, code, facts, nonce=facts["nonce"])


def verified(challenge: str, verifier: str) -> bool:
    """PKCE: once a challenge was given, its verifier must come with the code."""
    if not challenge:
        return True
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), challenge.encode())


def refresh(simulator: Simulator, client_id: str, sent: Mapping[str, str]) -> dict[str, Any]:
    spent, facts = live(simulator, sent.get("refresh_token", ""), "refresh", client_id)
    if simulator.settings.refresh_ends_old_access:
        end_family(simulator.store, spent.family, simulator.moments.seconds())
    return spend(simulator, spent, facts)


def spend(simulator: Simulator, spent: Credential, facts: Mapping[str, str], nonce: str = "") -> dict[str, Any]:
    """End a code or refresh token and give the next pair: the old one is dead from now on."""
    now = simulator.moments.seconds()
    simulator.store.execute("update credential set ended_at = ? where secret = ?", (now, spent.secret))
    grant = (spent.family, spent.organization, spent.person, spent.scope)
    kept = {"client_id": facts["client_id"]}
    answer = {
        "access_token": issue(simulator, "access", grant, ACCESS_LIFE, kept),
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFE,
        "refresh_token": issue(simulator, "refresh", grant, REFRESH_LIFE, kept),
        "scope": spent.scope,
        "created_at": int(time.time()),
    }
    if "openid" in spent.scope.split():
        answer["id_token"] = id_token(simulator, spent, facts["client_id"], nonce)
    request.environ["simulator.noted"]["organization"] = str(spent.organization)
    request.environ["simulator.noted"]["applied"] = True
    return answer


# OpenID Connect


def issuer() -> str:
    return request.host_url.rstrip("/")


def claims(store: Store, organization: int, person: int) -> dict[str, str]:
    """Who it is: all strings. `sub` is the person's account, not the person's id: nobody promised that they are the same."""
    row, church = store.get("Person", organization, person), store.get("Organization", organization, organization)
    if row is None or church is None:
        raise GrantRefused("invalid_grant", BAD_GRANT)
    emails = sorted(store.of_person("Email", person), key=lambda email: not email["primary"])
    return {
        "sub": str(row.relations["account"]),
        "name": str(row["name"]),
        "email": str(emails[0]["address"]) if emails else "",
        "organization_id": str(organization),
        "organization_name": str(church["name"]),
    }


def id_token(simulator: Simulator, spent: Credential, client_id: str, nonce: str) -> str:
    now = int(time.time())  # real time: who reads this has not moved a clock
    times = {"exp": now + ID_TOKEN_LIFE, "iat": now, "auth_time": now}
    said = {"iss": issuer(), "aud": client_id} | times | claims(simulator.store, spent.organization, spent.person)
    key = signing_key(simulator.store)
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, said | ({"nonce": nonce} if nonce else {}), key)


def signing_key(store: Store) -> RSAKey:
    """Made when it is first needed and kept with the churches."""
    kept = store.kept("signing_key") or store.keep("signing_key", RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True))
    return RSAKey.import_key(kept)


@pages.get("/.well-known/openid-configuration")
def discovery() -> Response:
    here = issuer()
    return plain_json(
        {
            "issuer": here,
            "authorization_endpoint": f"{here}/oauth/authorize",
            "token_endpoint": f"{here}/oauth/token",
            "revocation_endpoint": f"{here}/oauth/revoke",
            "userinfo_endpoint": f"{here}/oauth/userinfo",
            "jwks_uri": f"{here}/oauth/discovery/keys",
            "scopes_supported": sorted(KNOWN_SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "name", "email", "organization_id", "organization_name"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


@pages.get("/oauth/discovery/keys")
def keys() -> Response:
    with the().store.transaction():
        public = signing_key(the().store).as_dict(private=False)
    return plain_json({"keys": [public | {"use": "sig", "alg": "RS256"}]})


@pages.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    simulator, sent = the(), request.authorization
    try:
        with simulator.store.transaction():
            token = (sent.token or "") if sent and sent.type == "bearer" else ""
            who = by_access_token(simulator.store, token, simulator.moments.seconds())
            if "openid" not in who.scopes:
                raise GrantRefused("insufficient_scope", "The access token does not have the openid scope.", 403)
            return plain_json(claims(simulator.store, who.organization, who.person.id))
    except Refusal:
        return GrantRefused("invalid_token", "The access token is invalid, expired or revoked.", 401).response()
    except GrantRefused as refusal:
        return refusal.response()
