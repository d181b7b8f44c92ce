"""Duplicate review: one card a screen beside the people it could be; decided by a key or a tap, and taken back until it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards.queries import effective_answers
from connectcard.churches.models import STAFF, VIEWER
from connectcard.clock import now
from connectcard.database import transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people.identity import in_writing
from connectcard.sync import cards_in_sync, decisions, questions
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.web.access import staff_page
from connectcard.web.card_page import candidates_of
from connectcard.web.card_words import agreeing_points
from connectcard.web.ringing import ring_afterwards

blueprint = Blueprint("review", __name__)

MOST_BESIDE = 3
UNDO_FOR = timedelta(seconds=20)
SAME_AS, DIFFERS, PERHAPS, ABSENT = "same", "differs", "perhaps", "absent"
MARKS = {"yes": SAME_AS, "no": DIFFERS, "unknown": PERHAPS}


@dataclass(frozen=True)
class Cell:
    """What a candidate has for one point: the same as the card, something else, or nothing."""

    words: str
    mark: str


@dataclass(frozen=True)
class Beside:
    """One person beside the card, point by point in the order of POINTS; `also` is what else speaks for or against them."""

    remote_id: str
    name: str
    inactive: bool
    cells: Sequence[Cell]
    also: str


# In the order in which matching gives its reasons; whatever else it noticed stands in a row of its own.
POINTS = ("First name", "Last name", "Email", "Mobile")
ALSO = "Also"


@blueprint.get("/cards/review")
@staff_page()
def review() -> str:
    """The card that is asked about, or the first one that waits."""
    waiting = questions.open_questions()
    asked = chosen(waiting, request.args.get("card", ""))
    card = cards_in_sync.get_card(waiting[asked]) if waiting else None
    return render_template(
        "cards/review.html",
        card=card,
        said=said_on(card) if card else (),
        beside=beside(card) if card else (),
        more=max(0, len(candidates_of(card)) - MOST_BESIDE) if card else 0,
        points=POINTS,
        also=ALSO,
        place=asked + 1,
        total=questions.count() if len(waiting) == questions.MOST_ASKED else len(waiting),
        next_card=waiting[(asked + 1) % len(waiting)] if len(waiting) > 1 else None,
        decided=decided(request.args.get("decided", "")),
        fared=questions.fared(this_month()),
        may_decide=g.member.role != VIEWER,
    )


def chosen(waiting: Sequence[UUID], card: str) -> int:
    """The place of the card that is asked for; the first where it waits no longer."""
    return next((place for place, submission_id in enumerate(waiting) if str(submission_id) == card), 0)


def this_month() -> datetime:
    today = now().astimezone(ZoneInfo(g.church.time_zone))
    return today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def said_on(card: CardInSync) -> list[str]:
    """The four points as they stand on the card, with its corrections."""
    answers = effective_answers(card.submission)
    return [answers.get(field, "") for field in ("first_name", "last_name", "email", "phone")]


def beside(card: CardInSync) -> list[Beside]:
    """The people whom a card could be, the likeliest first, MOST_BESIDE at most."""
    # Whom staff looked for comes first.
    likeliest = sorted(candidates_of(card), key=lambda candidate: (not candidate.get("searched"), -len(agreeing_points(candidate))))
    return [_beside(candidate) for candidate in likeliest[:MOST_BESIDE]]


def _beside(candidate: dict[str, Any]) -> Beside:
    first, _, last = candidate["name"].rpartition(" ")
    first, last = candidate.get("first_name", first), candidate.get("last_name", last)
    theirs = (first, last, ", ".join(candidate["emails"]), ", ".join(map(in_writing, candidate["phones"])))
    reasons = candidate["reasons"]
    cells = [Cell(words, MARKS[reason["agrees"]] if words else ABSENT) for words, reason in zip(theirs, reasons, strict=False)]
    also = ". ".join(reason["words"] for reason in reasons[len(POINTS) :])
    return Beside(candidate["remote_id"], candidate["name"], candidate["inactive"], cells, also)


def decided(submission_id: str) -> CardInSync | None:
    """The card that was decided last, with the words of the decision."""
    try:
        card = cards_in_sync.get_card(UUID(submission_id))
    except (ValueError, NotFound):
        return None
    return card if card.item and (card.item.decision or {}).get("by") else None


@blueprint.post("/cards/<uuid:submission_id>/review")
@staff_page(STAFF)
def decide(submission_id: UUID) -> AnyResponse:
    """`answer` is "new", or "same" or "household" with the remote id of a person: "same:48213"."""
    kind, _, person = request.form.get("answer", "").partition(":")
    following = request.form.get("next", "")
    try:
        with transaction():
            card = cards_in_sync.get_card(submission_id)
            if card.item is None:
                raise ChangeRefused("This card was not sent yet, so there is nothing to decide.")
            decisions.decide_by_hand(card.item, kind, person or None, g.member.name, UNDO_FOR)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return redirect(url_for("review.review", card=submission_id), 303)
    return redirect(url_for("review.review", card=following or None, decided=submission_id), 303)


@blueprint.post("/cards/<uuid:submission_id>/undo")
@staff_page(STAFF)
def undo(submission_id: UUID) -> AnyResponse:
    """Take the decision back, as long as nothing was sent."""
    try:
        with transaction():
            card = cards_in_sync.get_card(submission_id)
            if card.item is None:
                raise ChangeRefused("There is no decision about this card.")
            decisions.undo(card.item)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return redirect(url_for("inbox.card", submission_id=submission_id), 303)
    flash("Taken back. Nothing was sent.", "ok")
    return redirect(url_for("review.review", card=submission_id), 303)
