"""Signing in with Planning Center or with a one-time link, and out. The tokens of a sign-in are given back at once."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request
from sqlalchemy import delete, select
from sqlalchemy.engine import CursorResult
from werkzeug.wrappers import Response

from connectcard.churches.models import OWNER, StaffSession
from connectcard.churches.operations import role_from
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.identity import Identity, read_identity, read_identity_of_token_pair
from connectcard.connections.tokens import revoke
from connectcard.database import db, end_reading, transaction
from connectcard.extensions import csrf, limiter
from connectcard.planning_center.errors import PlanningCenterError, ProductUnavailable, Refused
from connectcard.web import authorization, connection, security, sessions
from connectcard.web.access import local_path, staff_page
from connectcard.web.admission import Arrival, church_of, let_in, settings
from connectcard.web.authorization import CONNECT, SIGN_IN, Grant
from connectcard.web.refusals import Refusal
from connectcard.web.sessions import browser_session

blueprint = Blueprint("sign_in", __name__)

ARRIVAL = "arrival"
LINK = {"purpose": "owner's sign-in link"}
LINK_PATIENCE = timedelta(minutes=15)


@blueprint.get("/sign-in")
def page() -> str | Response:
    if browser_session().signed_in:
        return redirect("/")
    return render_template("sign_in/page.html", next=local_path(request.args.get("next")), oauth=bool(settings().pco_client_id))


@blueprint.get("/sign-in/start")
@limiter.limit("60/minute")
def start() -> Response:
    if not settings().pco_client_id:
        raise Refusal("no_oauth")
    with transaction():
        sessions.forget_old_sessions()
    return authorization.leave(SIGN_IN, local_path(request.args.get("next")))


@blueprint.get("/oauth/callback")
def callback() -> Any:
    grant = authorization.come_back()
    return connection.finish(grant) if grant.purpose == CONNECT else arrive(grant)


def arrive(grant: Grant) -> Response:
    """The way back of a sign-in."""
    arrival = _arrival(grant)
    church_id = church_of(arrival)
    signed_in = browser_session().signed_in
    if signed_in and signed_in.church_id != church_id:
        _ask_which_church(arrival)
    let_in(arrival)
    return redirect(arrival.next_path or "/")


def _arrival(grant: Grant) -> Arrival:
    try:
        identity = read_identity(settings().pco_base_url, str(grant.tokens["access_token"]))
    except (ProductUnavailable, Refused) as problem:
        raise Refusal("no_permission") from problem
    except PlanningCenterError as problem:
        raise Refusal("unavailable", purpose=SIGN_IN) from problem
    finally:
        revoke(grant.tokens)
    if grant.organization_id not in (None, identity.organization_id):
        raise Refusal("not_confirmed", purpose=SIGN_IN)
    role = role_from(identity.people_permissions, identity.site_administrator)
    return Arrival(grant.issuer, grant.subject, role, identity, grant.next_path)


# A second church in the same browser: its session takes the first one's place only when the person says so.


def _ask_which_church(arrival: Arrival) -> None:
    browser_session()[ARRIVAL] = {**asdict(arrival), "at": now().isoformat()}
    raise Refusal("second_church", name=arrival.identity.name, church=arrival.identity.organization_name)


@blueprint.post("/sign-in/switch")
def switch() -> Response:
    security.check_origin()
    csrf.protect()
    kept = browser_session().take(ARRIVAL)
    if kept is None or now() - datetime.fromisoformat(kept.pop("at")) > authorization.PATIENCE:
        raise Refusal("state")
    let_in(Arrival(**{**kept, "identity": Identity(**kept["identity"])}))
    return redirect("/")


# The one-time link of a church that hosts itself on a personal access token.


def owner_link(app: Flask) -> str:
    """An address that signs the owner in once within fifteen minutes; raises ConfigError without PCO_APP_ID and PCO_SECRET."""
    with app.app_context():
        settings().need_personal_access_token()
        key = sessions.new_key()
        with transaction() as database:
            database.add(StaffSession(key_hash=_link_hash(key), contents=LINK))
        return f"{settings().public_url}/sign-in/link/{key}"


@blueprint.get("/sign-in/link/<key>")
def link(key: str) -> str:
    """Only a press of the button uses the link up: programs that look ahead at addresses do not."""
    if not _link_stands(key):
        raise Refusal("used_link")
    return render_template("sign_in/link.html", key=key)


@blueprint.post("/sign-in/link/<key>")
def follow_link(key: str) -> Response:
    security.check_origin()
    if not _link_stands(key):
        raise Refusal("used_link")
    arrival = _owner_by_settings()
    if not _use_up(key):
        raise Refusal("used_link")
    signed_in = let_in(arrival)
    with church_scope(signed_in.church_id):
        connection.connect_by_settings(arrival.identity)
    return redirect("/")


def _owner_by_settings() -> Arrival:
    """Whoever may start programs on the server is the owner, whatever the token's maker may do in Planning Center."""
    config = settings()
    end_reading()
    try:
        identity = read_identity_of_token_pair(config.pco_base_url, *config.need_personal_access_token())
    except PlanningCenterError as problem:
        raise Refusal("unavailable", purpose=SIGN_IN) from problem
    return Arrival(config.pco_base_url, f"sign-in-link:{identity.person_remote_id}", OWNER, identity)


def _link_hash(key: str) -> str:
    """Apart from the sessions' own hashes, so that a link in a cookie is no session."""
    return sessions.hash_of(f"sign-in-link:{key}")


def _link_stands(key: str) -> bool:
    wanted = select(StaffSession.key_hash).where(StaffSession.key_hash == _link_hash(key), StaffSession.created_at > now() - LINK_PATIENCE)
    return db.session.scalar(wanted) is not None


def _use_up(key: str) -> bool:
    """Whether it was us who used it: of two at the same moment one finds no row."""
    with transaction() as database:
        used: CursorResult[Any] = database.execute(delete(StaffSession).where(StaffSession.key_hash == _link_hash(key)))  # type: ignore[assignment]
        return used.rowcount == 1


# Out.


@blueprint.post("/sign-out")
@staff_page()
def sign_out() -> Response:
    browser_session().end()
    return redirect("/sign-in")


@blueprint.post("/sign-out/everywhere")
@staff_page()
def sign_out_everywhere() -> Response:
    with transaction():
        sessions.end_every_session_of(g.member.id)
    browser_session().end()
    return redirect("/sign-in")
