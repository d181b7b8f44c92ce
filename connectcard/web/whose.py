"""Whose card is it after all? Somebody looked for by staff, a card that reached the wrong person, and namesakes in a family."""

import re
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import cards_in_sync, decisions
from connectcard.sync.family_questions import decide_members
from connectcard.sync.searches import want_search
from connectcard.web.access import poll, staff_page
from connectcard.web.inbox import go_to
from connectcard.web.ringing import ring_afterwards

blueprint = Blueprint("whose", __name__)

MEMBER = re.compile(r"member-([0-9]{1,3})")


@blueprint.post("/cards/<uuid:submission_id>/family")
@staff_page(STAFF)
def decide_family(submission_id: UUID) -> AnyResponse:
    """Say who those of the family are who were left out: `member-2` is "new", the remote id of a person, or nothing."""
    chosen = {int(found[1]): said for name, said in request.form.items() if (found := MEMBER.fullmatch(name))}
    try:
        with transaction():
            item = cards_in_sync.get_card(submission_id).item
            if item is None:
                raise ChangeRefused("This card was not sent yet. It goes with the next sync.")
            said = {number: None if answer == "new" else answer for number, answer in chosen.items() if answer}
            decide_members(item, said, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "bad")
    else:
        flash("Saved. The family is on its way to Planning Center.", "ok")
    return go_to(submission_id)


@blueprint.post("/cards/<uuid:submission_id>/somebody-else")
@staff_page(STAFF)
def somebody_else(submission_id: UUID) -> AnyResponse:
    """A card that has arrived is somebody else's: `person` is "new", or "same" or "household" with a remote id: "same:48213"."""
    kind, _, person = request.form.get("person", "").partition(":")
    try:
        with transaction():
            card = cards_in_sync.get_card(submission_id)
            if card.item is None:
                raise ChangeRefused("This card was not sent yet. It goes with the next sync.")
            decisions.correct_link(card.item, kind, person or None, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "bad")
    else:
        flash("Saved. The card goes to that person; what the first one got stays until you undo it.", "ok")
    return go_to(submission_id)


@blueprint.post("/cards/<uuid:submission_id>/search")
@staff_page(STAFF)
def search(submission_id: UUID) -> AnyResponse:
    """Have a worker look for somebody in Planning Center; the people found join the candidates. `back` is "review" or "card"."""
    try:
        with transaction():
            want_search(cards_in_sync.get_card(submission_id).item, request.form.get("text", ""))
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    return redirect(address_back(submission_id, request.form.get("back", "")), 303)


@blueprint.get("/cards/<uuid:submission_id>/search")
@staff_page()
@poll
def searched(submission_id: UUID) -> AnyResponse:
    """Asked by the page until the worker has looked: then the page is shown anew, with whom it found."""
    card = cards_in_sync.get_card(submission_id)
    if card.item and card.item.search_wanted:
        return Response(status=204)
    return Response(headers={"HX-Redirect": address_back(submission_id, request.args.get("back", ""))})


def address_back(submission_id: UUID, back: str) -> str:
    """The page on which somebody was looked for: the review, or the card."""
    if back == "review":
        return url_for("review.review", card=submission_id, _anchor="search")
    return url_for("inbox.card", submission_id=submission_id, _anchor="search")
