"""Preview as the plan: what every ready card would write, before anything is written; what is ticked is sent, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, g, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import approvals, cards_in_sync, runs
from connectcard.sync.approvals import Approval
from connectcard.sync.card_approvals import CARDS, may_be_approved
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.models import CARD
from connectcard.sync.previews import Preview, find_previews, want_previews
from connectcard.web import previewed
from connectcard.web.access import poll, staff_page
from connectcard.web.card_page import family_names
from connectcard.web.paging import asked_page
from connectcard.web.previewed import Page, Previewed, said_about
from connectcard.web.ringing import ring_afterwards

blueprint = Blueprint("approvals", __name__)

EMPTY = "When cards have come in, this page shows what each of them would write, before anything is written."
PLACE = Page("approvals", title="Preview", empty=EMPTY)


@blueprint.post("/sync/preview")
@staff_page(STAFF)
def look() -> AnyResponse:
    """Have a worker find out what the ready cards of one page would write."""
    page = asked_page()
    with transaction():
        want_previews((CARD, submission_id) for submission_id in runs.ready_cards(page))
        ring_afterwards()
    return redirect(url_for("approvals.preview", page=page), 303)


@blueprint.get("/sync/preview")
@staff_page()
def preview() -> str:
    page, ready = asked_page(), runs.ready_count()
    return previewed.shown(_page(ready, page), _rows(runs.ready_cards(page)))


def _page(ready: int, page: int) -> Page:
    pages = -(-ready // runs.PREVIEWS_A_PAGE)
    counted = f"{ready} ready card{'' if ready == 1 else 's'}"
    return replace(PLACE, counted=counted, number=page, pages=pages)


@blueprint.get("/sync/preview/found")
@staff_page()
@poll
def found() -> AnyResponse:
    """What a worker found since the page asked last; the rest of the page, with what was ticked in it, stays as it is."""
    return previewed.found(PLACE, _rows)


@blueprint.post("/sync/approved")
@staff_page(STAFF)
def send() -> AnyResponse:
    """Send the cards that are ticked, each with the writes that are ticked."""
    return previewed.send(CARDS, PLACE)


@blueprint.post("/cards/<uuid:submission_id>/approve")
@staff_page(STAFF)
def send_one(submission_id: UUID) -> AnyResponse:
    """The same for one card, from its own page."""
    try:
        with transaction():
            cards_in_sync.get_card(submission_id)
            approvals.approve([Approval(submission_id, *said_about(submission_id))], CARDS, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    else:
        flash("Approved. The card is on its way to Planning Center.", "ok")
    return redirect(url_for("inbox.card", submission_id=submission_id), 303)


def _rows(submission_ids: Sequence[UUID]) -> list[Previewed]:
    """These cards in this order; one that was erased meanwhile is left out."""
    cards, previews = cards_in_sync.cards_of(submission_ids), find_previews(submission_ids)
    return [_row(cards[one], previews.get(one)) for one in submission_ids if one in cards]


def _row(card: CardInSync, preview: Preview | None) -> Previewed:
    submission = card.submission
    return Previewed(
        about=submission.id,
        name=f"{submission.first_name} {submission.last_name}",
        address=url_for("inbox.card", submission_id=submission.id),
        preview=preview,
        names=family_names(submission),
        waits=may_be_approved(card),
        left_out=(card.item.approval or {}).get("left_out", ()) if card.item else (),
    )
