"""Sending our directory to Planning Center: what waits, what needs staff, and how the last push fared."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from connectcard.churches.models import OWNER, STAFF, VIEWER
from connectcard.churches.queries import get_church
from connectcard.database import after_commit, transaction
from connectcard.jobs.queue import ring
from connectcard.sync import push, push_board, push_decisions
from connectcard.sync.models import OUTCOMES, PUSH_MEMBERSHIPS
from connectcard.web.access import staff_page
from connectcard.web.push_words import KIND_WORDS, WORDS
from connectcard.web.run_rows import rows_of

blueprint = Blueprint("pushes", __name__)


@blueprint.get("/send")
@staff_page()
def page() -> str:
    run = push_board.last_push()
    return render_template(
        "pushes/page.html",
        waiting=[(kind, words, push.waiting(kind)) for kind, words in WORDS.items()],
        needing=push_board.needing_you(),
        needing_count=push_board.count(),
        run=run,
        rows=rows_of(run, OUTCOMES) if run else [],
        kind_words=KIND_WORDS,
        sends_memberships=get_church().sends_memberships,
        memberships=PUSH_MEMBERSHIPS,
        may_send=g.member.role != VIEWER,
        is_owner=g.member.role == OWNER,
    )


@blueprint.post("/send/memberships")
@staff_page(OWNER)
def choose_memberships() -> Response:
    chosen = request.form.get("send") == "yes"
    with transaction():
        push_board.choose_to_send_memberships(chosen)
    flash("Group memberships are sent from now on." if chosen else "Group memberships are not sent any more.")
    return _back()


@blueprint.post("/send/<uuid:item_id>/person")
@staff_page(STAFF)
def decide(item_id: UUID) -> Response:
    kind, person = request.form.get("kind", ""), request.form.get("person") or None
    return _act(lambda: push_decisions.decide(item_id, kind, person, g.member.name), "Decided. It is being sent.")


@blueprint.post("/send/<uuid:item_id>/anyway")
@staff_page(STAFF)
def send_anyway(item_id: UUID) -> Response:
    return _act(lambda: push_decisions.send_anyway(item_id, g.member.name), "They are being put into the group.")


@blueprint.post("/send/<uuid:item_id>/again")
@staff_page(STAFF)
def try_again(item_id: UUID) -> Response:
    return _act(lambda: push_decisions.try_again(item_id, g.member.name), "Tried again.")


@blueprint.post("/send/<uuid:item_id>/done")
@staff_page(STAFF)
def done_by_hand(item_id: UUID) -> Response:
    return _act(lambda: push_decisions.done_by_hand(item_id), "Taken off the list. The next pull shows what stands in Planning Center.")


@blueprint.post("/send/<uuid:item_id>/leave")
@staff_page(STAFF)
def leave(item_id: UUID) -> Response:
    return _act(lambda: push_decisions.leave_here(item_id), "It stays here, and is sent once somebody changes it again.")


def _act(act: Callable[[], object], words: str) -> Response:
    with transaction():
        act()
        after_commit(partial(ring, g.church.id))
    flash(words)
    return _back()


def _back() -> Response:
    return redirect(url_for("pushes.page"), 303)
