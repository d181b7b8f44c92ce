"""Preview as the plan: what every ready card would write, before anything is written; what is ticked is sent, and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards.queries import get_submission
from connectcard.churches.models import STAFF, VIEWER
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused
from connectcard.jobs.queue import ring
from connectcard.sync import approvals, cards_in_sync, runs
from connectcard.sync.approvals import Approval
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.previews import LOOKING, Preview, find_previews, want_preview
from connectcard.web.access import poll, staff_page
from connectcard.web.inbox import family_names
from connectcard.web.paging import asked_page

blueprint = Blueprint("approvals", __name__)


@dataclass(frozen=True)
class Previewed:
    """A card with its preview, where one was asked for."""

    card: CardInSync
    preview: Preview | None
    family_names: Mapping[int, str]

    @property
    def looking(self) -> bool:
        return self.preview is not None and self.preview.state == LOOKING

    @property
    def may_be_sent(self) -> bool:
        return self.preview is not None and bool(self.preview.fingerprint) and approvals.may_be_approved(self.card)


@blueprint.post("/sync/preview")
@staff_page(STAFF)
def look() -> AnyResponse:
    """Have a worker find out what the ready cards of one page would write."""
    page = asked_page()
    with transaction():
        for submission_id in runs.ready_cards(page):
            want_preview(get_submission(submission_id))
        ring_afterwards()
    return redirect(url_for("approvals.preview", page=page), 303)


@blueprint.get("/sync/preview")
@staff_page()
def preview() -> str:
    page, ready = asked_page(), runs.ready_count()
    rows = previewed(runs.ready_cards(page))
    return render_template(
        "runs/preview.html",
        rows=rows,
        ready=ready,
        page=page,
        pages=-(-ready // runs.PREVIEWS_A_PAGE),
        may_sync=may_sync(),
        **figures(rows),
    )


@blueprint.get("/sync/preview/found")
@staff_page()
@poll
def found() -> str | AnyResponse:
    """What a worker found since the page asked last; the rest of the page, with what was ticked in it, stays as it is."""
    waiting = asked_ids("waiting")
    rows = previewed(waiting)
    new = [row for row in rows if not row.looking]
    if not new and len(rows) == len(waiting):
        return Response(status=204)
    return render_template("runs/_found.html", new=new, waiting=[row for row in rows if row.looking], may_sync=may_sync())


@blueprint.post("/sync/approved")
@staff_page(STAFF)
def send() -> AnyResponse:
    """Send the cards that are ticked, each with the writes that are ticked."""
    approved = [Approval(card, *said_about(card)) for card in asked_ids("card")]
    try:
        if not approved:
            raise ChangeRefused("No card was ticked, so nothing was sent.")
        with transaction():
            run, sent = approvals.approve(approved, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return redirect(url_for("approvals.preview"), 303)
    if sent < len(approved):
        flash(f"{len(approved) - sent} of them changed meanwhile and stayed here. Preview them again.", "warn")
    return redirect(url_for("runs.run", number=run.number), 303)


@blueprint.post("/cards/<uuid:submission_id>/approve")
@staff_page(STAFF)
def send_one(submission_id: UUID) -> AnyResponse:
    """The same for one card, from its own page."""
    try:
        with transaction():
            cards_in_sync.get_card(submission_id)
            approvals.approve([Approval(submission_id, *said_about(submission_id))], g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    else:
        flash("Approved. The card is on its way to Planning Center.", "ok")
    return redirect(url_for("inbox.card", submission_id=submission_id), 303)


def said_about(submission_id: UUID) -> tuple[str, frozenset[str]]:
    """What the form says about a card: the plan that was shown, and the writes that are ticked."""
    return request.form.get(f"seen-{submission_id}", ""), frozenset(request.form.getlist(f"row-{submission_id}"))


def previewed(submission_ids: Sequence[UUID]) -> list[Previewed]:
    """These cards in this order; one that was erased meanwhile is left out."""
    cards, previews = cards_in_sync.cards_of(submission_ids), find_previews(submission_ids)
    return [Previewed(cards[one], previews.get(one), family_names(cards[one].submission)) for one in submission_ids if one in cards]


def figures(rows: Sequence[Previewed]) -> dict[str, object]:
    looked_at = [row.preview for row in rows if row.preview and not row.looking]
    return {
        "waiting": [row for row in rows if row.looking],
        "unseen": sum(row.preview is None for row in rows),
        "looked_at": len(looked_at),
        "requests": sum(preview.requests for preview in looked_at),
    }


def asked_ids(name: str) -> list[UUID]:
    """The ids that the request names, at most a page of them; what is none is left out."""
    named = request.values.getlist(name)[: runs.PREVIEWS_A_PAGE]
    return list(dict.fromkeys(filter(None, map(_id, named))))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def may_sync() -> bool:
    return bool(g.member.role != VIEWER)


def ring_afterwards() -> None:
    church_id = g.church.id
    after_commit(lambda: ring(church_id))
