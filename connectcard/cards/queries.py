"""Reading the church's cards: what came in, and what staff corrected on it."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.cards.in_words import choice_labels
from connectcard.cards.models import ERASED, Card, Correction, Submission
from connectcard.database import db
from connectcard.errors import NotFound


def get_submission(submission_id: UUID) -> Submission:
    """A card of this church; raises NotFound for none, for an erased one and for another church's alike."""
    submission = db.session.scalar(select(Submission).where(Submission.id == submission_id, Submission.state != ERASED))
    if submission is None:
        raise NotFound("There is no such card. It may have been erased.")
    return submission


def card_for(slug: str) -> Card:
    """The form at /c/<church>/<slug>; raises NotFound."""
    card = db.session.scalar(select(Card).where(Card.slug == slug))
    if card is None:
        raise NotFound("There is no card at this address.")
    return card


def labels_of(submission: Submission) -> dict[str, dict[str, str]]:
    """The words of the choices on the form that this card was filled in on."""
    return choice_labels(list(db.session.scalars(select(Card).where(Card.id == submission.card_id))))


def corrections_of(submission: Submission) -> list[Correction]:
    """What staff corrected, oldest first."""
    wanted = select(Correction).where(Correction.submission_id == submission.id)
    return list(db.session.scalars(wanted.order_by(Correction.corrected_at, Correction.id)))


def effective_answers(submission: Submission) -> dict[str, Any]:
    """The answers with the corrections applied; an answer corrected to nothing is gone. The sealed parts are not among them."""
    corrected = {correction.field: correction.value for correction in corrections_of(submission)}
    return {field: answer for field, answer in {**submission.answers, **corrected}.items() if answer not in (None, "", [], {})}
