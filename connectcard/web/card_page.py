"""The page of one card: what they wrote, who it is, what was or will be written, for those who may see it."""

from dataclasses import dataclass
from typing import Any

from flask import g, render_template

from connectcard.cards import queries
from connectcard.cards.in_words import FIELD_LABELS, Labels, in_words, opened_family
from connectcard.cards.models import Correction, Submission
from connectcard.churches.models import VIEWER
from connectcard.sync import to_dos
from connectcard.sync.approvals import stopped_as_changed
from connectcard.sync.card_approvals import may_be_approved
from connectcard.sync.cards_in_sync import ARRIVED, SENDING, CardInSync
from connectcard.sync.families import names_for_staff
from connectcard.sync.family_questions import members_asked
from connectcard.sync.histories import history
from connectcard.sync.models import WAITING
from connectcard.sync.previews import find_preview


def card_page(card: CardInSync) -> str:
    """Everything about one card, for those who may see it."""
    submission = card.submission
    return render_template(
        "cards/card.html",
        card=card,
        submission=submission,
        answers=written(submission),
        may_change=may_change(),
        private=private_words(submission) if may_change() else None,
        family_names=family_names(submission),
        history=history(card),
        preview=find_preview(submission.id),
        candidates=candidates_of(card),
        members_asked=members_asked(card.item) if may_change() else [],
        travelling=card.standing in (SENDING, WAITING),
        arrived=card.standing in ARRIVED,
        may_put_in=to_dos.may_be_put_in(card.item),
        changed=stopped_as_changed(card.item),
        may_approve=may_be_approved(card),
    )


def may_change() -> bool:
    return bool(g.member.role != VIEWER)


@dataclass(frozen=True)
class Written:
    """One answer as the visitor wrote it, and what staff made of it."""

    field: str
    label: str
    words: str
    corrected: str | None = None
    by: str = ""


def written(submission: Submission) -> list[Written]:
    """What they wrote, in the order of the card; a corrected answer keeps the visitor's own words beside it."""
    labels = queries.labels_of(submission)
    corrected = {correction.field: correction for correction in queries.corrections_of(submission)}
    answers = [
        Written(field, label, in_words(field, submission.answers.get(field), labels), *_corrected(corrected.get(field), labels))
        for field, label in FIELD_LABELS.items()
    ]
    extra = [Written(name, name, text) for name, text in submission.answers.get("extra", {}).items()]
    return [answer for answer in answers + extra if answer.words or answer.corrected]


def _corrected(correction: Correction | None, labels: Labels) -> tuple[str | None, str]:
    return (in_words(correction.field, correction.value, labels), correction.member_name) if correction else (None, "")


def private_words(submission: Submission) -> dict[str, str]:
    """The sealed parts of a card, opened for staff."""
    return {"prayer": submission.prayer or "", "family": in_words("family", opened_family(submission.family), {})}


def family_names(submission: Submission) -> dict[int, str]:
    """What the members of the family are called, opened for staff."""
    return names_for_staff(opened_family(submission.family)) if may_change() else {}


def candidates_of(card: CardInSync) -> list[dict[str, Any]]:
    """The people whom this card could be, as matching saw them."""
    return (card.item.decision or {}).get("candidates", []) if card.item else []
