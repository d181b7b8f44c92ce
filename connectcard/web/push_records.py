"""One record of our directory on its way to Planning Center: what it waits for, what was written of it, and what happened to it."""

from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF, VIEWER
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import approvals, push_approvals, push_board, push_decisions
from connectcard.sync.approvals import Approval, stopped_as_changed
from connectcard.sync.histories import history_of_record
from connectcard.sync.models import FAILED, OPEN_STATES, REVIEW, SYNCED, SyncItem
from connectcard.sync.previews import find_preview, want_preview
from connectcard.web.access import poll, staff_page
from connectcard.web.previewed import said_about
from connectcard.web.push_words import KIND_WORDS, address_of, next_step, standing
from connectcard.web.ringing import ring_afterwards

blueprint = Blueprint("push_records", __name__)


@blueprint.get("/send/<uuid:item_id>")
@staff_page()
def record(item_id: UUID) -> str:
    item = push_decisions.get_item(item_id)
    return render_template(
        "pushes/record.html",
        name=push_board.about(item.kind, item.about) or "Somebody",
        address=address_of(item.kind, item.about),
        kind=KIND_WORDS[item.kind],
        kind_words=KIND_WORDS,
        status=standing(item),
        next_step=next_step(item),
        one=push_board.needs(item) if item.state in (REVIEW, FAILED) else None,
        over=item.state in (SYNCED, FAILED),
        travelling=item.state in OPEN_STATES,
        history=history_of_record(item),
        **_difference(item),
    )


def _difference(item: SyncItem) -> dict[str, object]:
    """What the page and its fragment show of a record that stopped since its plan had changed."""
    return {
        "item": item,
        "changed": stopped_as_changed(item),
        "preview": find_preview(item.about),
        "names": push_board.names_in(item.kind, item.about) | push_board.names_written(item),
        "may_send": g.member.role != VIEWER,
    }


@blueprint.get("/send/<uuid:item_id>/standing")
@staff_page()
@poll
def moved_on(item_id: UUID) -> AnyResponse:
    """Asked by the page of a record on its way: once it moved on, the page is shown anew."""
    if push_decisions.get_item(item_id).state == request.args.get("seen"):
        return Response(status=204)
    return Response(headers={"HX-Redirect": url_for("push_records.record", item_id=item_id)})


@blueprint.post("/send/<uuid:item_id>/preview")
@staff_page(STAFF)
def look(item_id: UUID) -> AnyResponse:
    """Have a worker find out what sending it would do, without writing."""
    with transaction():
        item = push_decisions.get_item(item_id)
        want_preview(item.about, item.kind)
        ring_afterwards()
    return redirect(url_for("push_records.record", item_id=item_id), 303)


@blueprint.get("/send/<uuid:item_id>/preview")
@staff_page()
@poll
def found(item_id: UUID) -> str | AnyResponse:
    """The fragment that the page asks for until the worker has looked."""
    item = push_decisions.get_item(item_id)
    shown = find_preview(item.about)
    if shown is not None and shown.state == "looking":
        return Response(status=204)
    return render_template("pushes/_difference.html", **_difference(item))


@blueprint.post("/send/<uuid:item_id>/approve")
@staff_page(STAFF)
def approve(item_id: UUID) -> AnyResponse:
    """Send the new difference, less what is not ticked."""
    try:
        with transaction():
            item = push_decisions.get_item(item_id)
            approval = Approval(item.about, *said_about(item.about))
            approvals.approve([approval], push_approvals.pushes_of(push_decisions.RUN_OF[item.kind]), g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    else:
        flash("Approved. It is on its way to Planning Center.", "ok")
    return redirect(url_for("push_records.record", item_id=item_id), 303)
