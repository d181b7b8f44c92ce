"""The Planning Center page: the connection, made by an owner, tested, made again, ended; what it reaches; pulls, pushes, history."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, url_for
from htmx_flask import request
from werkzeug.wrappers import Response

from connectcard.churches.models import OWNER, STAFF
from connectcard.churches.operations import role_from
from connectcard.churches.queries import get_church
from connectcard.connections import checks, operations, queries
from connectcard.connections.checks import PRODUCTS
from connectcard.connections.clients import client_for
from connectcard.connections.identity import Identity, read_identity, read_identity_of_token_pair
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.tokens import revoke
from connectcard.database import after_commit, end_reading, transaction
from connectcard.errors import ConnectionMissing, NotFound
from connectcard.jobs.queue import ring
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync import runs, starting, subscriptions, webhook_figures
from connectcard.sync.webhook_models import ACTIVE
from connectcard.web import authorization, run_board
from connectcard.web.access import poll, staff_page
from connectcard.web.admission import settings
from connectcard.web.authorization import CONNECT, Grant
from connectcard.web.refusals import Refusal

blueprint = Blueprint("connection", __name__)


@blueprint.get("/connection")
@staff_page()
def page() -> str:
    return render_template("connection/page.html", **_standing())


@blueprint.get("/connection/board")
@staff_page()
@poll
def board() -> str | Response:
    """The part of the page that moves; nothing (204) while the page shows it as it is."""
    shown = run_board.board()
    if shown["seen"] == request.args.get("seen"):
        return Response(status=204)
    return render_template("connection/_board.html", **shown)


@blueprint.post("/connection/runs/<kind>")
@staff_page(STAFF)
def start_run(kind: str) -> Response:
    """Start a pull or a push; the same one that is on where there is one."""
    start_it = starting.starter_of(kind)
    try:
        with transaction():
            start_it(g.member.name)
            _ring_after_commit(g.church.id)
    except NotFound as nothing_to_do:
        flash(str(nothing_to_do), "info")
    return redirect(url_for("connection.page") + "#board", 303)


@blueprint.get("/connection/start")
@staff_page(OWNER)
def start() -> Response:
    """Signing in is not connecting: this is the second, longer-lived permission, and it is the church's."""
    _refuse_another_origin()
    if not settings().pco_client_id:
        raise Refusal("no_oauth")
    return authorization.leave(CONNECT, "/connection")


def finish(grant: Grant) -> Any:
    """The way back from the consent page; tokens that we did not keep are given back, whoever brought them."""
    kept: list[Connection] = []
    try:
        return _keep(grant, kept)
    finally:
        if not kept:
            revoke(grant.tokens)


@staff_page(OWNER)
def _keep(grant: Grant, kept: list[Connection]) -> Response:
    _refuse_another_origin()
    identity = _identity_for_us(grant)
    with transaction():
        connection = operations.connect(
            g.church,
            grant.tokens,
            organization_id=identity.organization_id,
            authorised_by=identity.name,
            authorised_remote_id=identity.person_remote_id,
        )
        operations.want_choices(connection)
        runs.go_on()
        subscriptions.want_check()
        _ring_after_commit(g.church.id)
    kept.append(connection)
    flash(f"{g.church.name} is connected to Planning Center.", "ok")
    return redirect("/connection")


def _identity_for_us(grant: Grant) -> Identity:
    organization_id, church = g.church.organization_id, g.church.name
    end_reading()
    try:
        identity = read_identity(settings().pco_base_url, str(grant.tokens["access_token"]))
    except PlanningCenterError as problem:
        raise Refusal("unavailable", purpose=CONNECT) from problem
    if identity.organization_id != organization_id:
        raise Refusal("another_organization", church=church, chosen=identity.organization_name)
    if role_from(identity.people_permissions, identity.site_administrator) not in (OWNER, STAFF):
        raise Refusal("cannot_write", name=identity.name, church=church)
    return identity


@blueprint.post("/connection/personal-access-token")
@staff_page(OWNER)
def connect_with_personal_access_token() -> Response:
    """For a church that hosts itself: the token stands in the settings, so nobody has to consent again."""
    _refuse_another_origin()
    config, organization_id = settings(), g.church.organization_id
    end_reading()
    try:
        identity = read_identity_of_token_pair(config.pco_base_url, *config.need_personal_access_token())
    except PlanningCenterError as problem:
        raise Refusal("unavailable", purpose=CONNECT) from problem
    if identity.organization_id != organization_id:
        raise Refusal("another_organization", church=g.church.name, chosen=identity.organization_name)
    connect_by_settings(identity)
    flash(f"{g.church.name} is connected to Planning Center.", "ok")
    return redirect("/connection")


def connect_by_settings(identity: Identity) -> None:
    """Connect the church of the open scope with the personal access token of the settings."""
    with transaction():
        church = get_church()
        kept = operations.connect_with_personal_access_token(
            church, organization_id=identity.organization_id, authorised_by=identity.name, authorised_remote_id=identity.person_remote_id
        )
        operations.want_choices(kept)
        runs.go_on()
        subscriptions.want_check()
        _ring_after_commit(church.id)


@blueprint.post("/connection/test")
@staff_page(STAFF)
def test() -> str:
    """The one page beside the sign-in that waits for Planning Center."""
    kept = queries.find_connection()
    if kept is None or kept.state != CONNECTED:
        raise ConnectionMissing("There is no working connection to test. Connect the church first.")
    found = checks.test_connection(kept)
    if request.htmx:
        return render_template("connection/_checks.html", checks=found, **_standing())
    return render_template("connection/page.html", checks=found, **_standing())


@blueprint.post("/connection/disconnect")
@staff_page(OWNER)
def disconnect() -> Response:
    kept = queries.find_connection()
    if kept is None:
        raise ConnectionMissing("There is no connection to end.")
    _end_subscriptions(kept)
    if operations.disconnect(kept):
        flash("Planning Center is disconnected. Cards keep arriving and wait here.", "info")
    else:
        flash(
            "Planning Center is disconnected here and nothing is sent any more. It did not confirm that our permission has ended: "
            "an administrator can end it there, under Connected apps.",
            "warn",
        )
    return redirect("/connection")


def _end_subscriptions(kept: Connection) -> None:
    """While the church's permission still stands; without it they are forgotten here, and Planning Center gives up by itself."""
    if kept.state == CONNECTED and g.church.origin == settings().pco_base_url:
        subscriptions.end(client_for(kept, interactive=True))
    else:
        subscriptions.forget()


def _standing() -> dict[str, Any]:
    config = settings()
    return {
        "connection": queries.find_connection(),
        "same_origin": g.church.origin == config.pco_base_url,
        "oauth": bool(config.pco_client_id),
        "by_settings": bool(config.personal_access_token),
        "products": PRODUCTS,
        "webhooks": _webhook_standing(),
        **run_board.board(),
    }


def _webhook_standing() -> dict[str, Any]:
    """In short what the page about webhooks shows at length."""
    rows, address = webhook_figures.event_rows(), subscriptions.find_address()
    return {
        "problem": address.problem if address else None,
        "told_of": sum(1 for row in rows if row.subscription and row.subscription.state == ACTIVE),
        "of": len(rows),
        "last": max((row.last_received_at for row in rows if row.last_received_at), default=None),
        "silent_since": webhook_figures.silent_since(),
    }


def _refuse_another_origin() -> None:
    if g.church.origin != settings().pco_base_url:
        raise Refusal("another_origin", church=g.church.name)


def _ring_after_commit(church_id: UUID) -> None:
    after_commit(lambda: ring(church_id))
