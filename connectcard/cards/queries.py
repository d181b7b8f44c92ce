"""Reading the church's cards: what came in, and what staff corrected on it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from anyascii import anyascii
from sqlalchemy import bindparam, select

from connectcard.cards.in_words import choice_labels
from connectcard.cards.models import ERASED, Card, Correction, Submission
from connectcard.database import db
from connectcard.errors import NotFound

NO_ANSWER: tuple[Any, ...] = (None, "", [], {})


_SUBMISSION = select(Submission).where(Submission.id == bindparam("submission"), Submission.state != ERASED)


def get_submission(submission_id: UUID) -> Submission:
    """A card of this church; raises NotFound for none, for an erased one and for another church's alike."""
    submission = db.session.scalar(_SUBMISSION, {"submission": submission_id})
    if submission is None:
        raise NotFound("There is no such card. It may have been erased.")
    return submission


def card_for(slug: str) -> Card:
    """The form at /c/<church>/<slug>; raises NotFound."""
    card = db.session.scalar(select(Card).where(Card.slug == slug))
    if card is None:
        raise NotFound("There is no card at this address.")
    return card


def card_of(submission: Submission) -> Card:
    """The form that this card was filled in on."""
    return db.session.scalars(select(Card).where(Card.id == submission.card_id)).one()


def labels_of(submission: Submission) -> dict[str, dict[str, str]]:
    """The words of the choices on that form."""
    return choice_labels([card_of(submission)])


def corrections_of(submission: Submission) -> list[Correction]:
    """What staff corrected, oldest first."""
    wanted = select(Correction).where(Correction.submission_id == submission.id)
    return list(db.session.scalars(wanted.order_by(Correction.corrected_at, Correction.id)))


def effective_answers(submission: Submission) -> dict[str, Any]:
    """The answers with the corrections applied; an answer corrected to nothing is gone. The sealed parts are not among them."""
    return effective_answers_of([submission])[submission.id]


_OF_CARDS = Correction.submission_id.in_(bindparam("cards", expanding=True))
_CORRECTIONS = select(Correction).where(_OF_CARDS).order_by(Correction.corrected_at, Correction.id)


def effective_answers_of(submissions: Sequence[Submission]) -> dict[UUID, dict[str, Any]]:
    """The same for several cards at once, by their ids."""
    answers = {submission.id: dict(submission.answers) for submission in submissions}
    for correction in db.session.scalars(_CORRECTIONS, {"cards": list(answers)}):
        answers[correction.submission_id][correction.field] = correction.value
    return {card: {field: answer for field, answer in given.items() if answer not in NO_ANSWER} for card, given in answers.items()}


def search_text(answers: Mapping[str, Any]) -> str:
    """What a card is found by: name and e-mail in plain small letters, the digits of the number."""
    words = " ".join(answers.get(field) or "" for field in ("first_name", "last_name", "email"))
    return f"{_plain(words)} {_digits(answers.get('phone') or '')}".strip()


def search_words(text: str) -> list[str]:
    """What each found card must contain; a number may be typed in any shape."""
    is_number = re.fullmatch(r"[\d\s()+./-]{3,}", text)
    return [_digits(text)] if is_number and _digits(text) else _plain(text).split()


def _plain(text: str) -> str:
    return " ".join(anyascii(text).casefold().split())


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def cards() -> list[Card]:
    """The church's forms, the oldest first."""
    return list(db.session.scalars(select(Card).order_by(Card.created_at, Card.slug)))
