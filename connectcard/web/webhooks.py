"""The door for Planning Center's deliveries, and the page about them."""

from functools import partial
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from connectcard.churches.models import OWNER, STAFF, VIEWER
from connectcard.config import is_loopback
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import find_connection
from connectcard.database import after_commit, transaction
from connectcard.jobs.queue import ring
from connectcard.planning_center.webhooks import AUTHENTICITY
from connectcard.sync import inbox, subscriptions, webhook_figures
from connectcard.sync.inbox import NotGenuine, NotOurs
from connectcard.sync.webhook_figures import EventRow
from connectcard.web.access import staff_page, told_church
from connectcard.web.admission import settings

blueprint = Blueprint("webhooks", __name__)

MOST_BYTES = 1024 * 1024
EVENT_NAME = "X-PCO-Webhooks-Name"

THINGS = {
    "person": "Person", "person_merger": "Merger of two people", "email": "E-mail address", "phone_number": "Phone number",
    "address": "Address", "household": "Family", "household_membership": "Family member", "group": "Group", "membership": "Group member",
}  # fmt: skip
HAPPENED = {"created": "added", "updated": "changed", "destroyed": "removed"}


def in_words(name: str) -> str:
    """people.v2.events.phone_number.created: Phone number added"""
    thing, action = parts(name)
    return f"{THINGS[thing]} {HAPPENED[action]}" if thing in THINGS and action in HAPPENED else name


def parts(name: str) -> tuple[str, str]:
    """people.v2.events.phone_number.created: phone_number and created"""
    *_, thing, action = name.split(".")
    return thing, action


def by_thing(rows: list[EventRow]) -> dict[str, dict[str, EventRow]]:
    """For each kind of thing what happens to it."""
    table: dict[str, dict[str, EventRow]] = {}
    for row in rows:
        thing, action = parts(row.name)
        table.setdefault(THINGS[thing], {})[action] = row
    return table


def reasons(rows: list[EventRow]) -> dict[str, list[str]]:
    """Why some are not subscribed to, each reason once with all that it is about."""
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.subscription and row.subscription.problem:
            found.setdefault(row.subscription.problem, []).append(in_words(row.name))
    return found


@blueprint.post("/webhooks/planning-center/<key>")
def receive(key: str) -> tuple[str, int]:
    """Take a delivery and answer at once; a worker looks at it later. Its signature is its only permission.

    Never 410, which would end the subscription, and never a redirect. An answer that is not of the 200s is tried again for days.
    """
    request.max_content_length = MOST_BYTES
    body = request.get_data(cache=False)
    with told_church(key) as church_id:
        try:
            deliveries = inbox.opened(body, request.headers.get(AUTHENTICITY), request.headers.get(EVENT_NAME))
        except (NotGenuine, NotOurs) as refused:
            with transaction():
                inbox.note_refusal(refused)
            return str(refused), 401 if isinstance(refused, NotGenuine) else 403
        full = inbox.is_full()
        with transaction():
            if full:
                inbox.want_catch_up()
            else:
                inbox.keep(deliveries)
            after_commit(partial(ring, church_id))
    return "kept", 200


@blueprint.get("/webhooks")
@staff_page()
def page() -> str:
    address = subscriptions.find_address()
    rows = webhook_figures.event_rows()
    secrets = [row.subscription.secret_set_at for row in rows if row.subscription and row.subscription.secret_set_at]
    connection = find_connection()
    return render_template(
        "webhooks/page.html",
        address=address,
        url=subscriptions.url_of(address) if address else "",
        connected=connection is not None and connection.state == CONNECTED,
        on_this_machine=is_loopback(settings().public_url),
        things=by_thing(rows),
        actions=HAPPENED,
        refusals=reasons(rows),
        events=rows,
        subscribed=sum(1 for row in rows if row.subscription and row.subscription.state == "active"),
        secrets_since=min(secrets, default=None),
        rotating=any(row.subscription and row.subscription.rotation_wanted_at for row in rows),
        deliveries=webhook_figures.last_deliveries(address),
        waiting=webhook_figures.waiting(),
        silent_since=webhook_figures.silent_since(),
        may_act=g.member.role != VIEWER,
        in_words=in_words,
    )


@blueprint.post("/webhooks/rotate")
@staff_page(OWNER)
def rotate() -> Response:
    """Have new secrets made; what was signed with those before is still taken."""
    with transaction():
        subscriptions.want_rotation()
        after_commit(partial(ring, g.church.id))
    flash("New secrets are being made. What Planning Center has signed with the ones before is still taken.", "info")
    return redirect(url_for("webhooks.page"), 303)


@blueprint.post("/webhooks/check")
@staff_page(STAFF)
def check() -> Response:
    with transaction():
        subscriptions.want_check()
        after_commit(partial(ring, g.church.id))
    flash("The subscriptions are being checked with Planning Center. Reload this page in a moment.", "info")
    return redirect(url_for("webhooks.page"), 303)


@blueprint.post("/webhooks/deliveries/<uuid:delivery_id>/again")
@staff_page(STAFF)
def process_again(delivery_id: UUID) -> Response:
    with transaction():
        row = inbox.process_again(delivery_id)
        after_commit(partial(ring, g.church.id))
    flash(f"“{in_words(row.name)}” is being looked at once more.", "info")
    return redirect(url_for("webhooks.page") + "#deliveries", 303)
