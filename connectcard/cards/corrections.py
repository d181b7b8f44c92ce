"""What staff change about a card that came in: mend a typo, set it aside, bring it back. The visitor's own words stay."""

from collections.abc import Mapping
from typing import Any

from connectcard.cards.fields import FIELDS, Posted
from connectcard.cards.models import IGNORED, RECEIVED, Card, Correction, Submission
from connectcard.cards.queries import card_of, effective_answers, search_text
from connectcard.database import db
from connectcard.errors import AnswersRefused

CORRECTABLE = ("first_name", "last_name", "email", "phone", "address")


def correct(submission: Submission, form: Mapping[str, Any], member_name: str) -> list[str]:
    """Put the answers of a posted form in place of the visitor's from now on; returns the fields that changed.

    The form has the inputs of the card itself. Raises AnswersRefused, and changes nothing, where a changed answer cannot be right
    or the card would be left without a name or a way to reach the person.
    """
    before, card = effective_answers(submission), card_of(submission)
    posted = {field: FIELDS[field].read(Posted(form), card) for field in CORRECTABLE}
    changed = [field for field, answer in posted.items() if (answer or None) != (before.get(field) or None)]
    after = before | posted
    _refuse(changed, after, card)
    db.session.add_all(
        Correction(submission_id=submission.id, field=field, value=posted[field], member_name=member_name) for field in changed
    )
    _repeat_for_lists(submission, after)
    db.session.flush()
    return changed


def _refuse(changed: list[str], answers: Mapping[str, Any], card: Card) -> None:
    """Only what was changed is judged: a card that came in stays mendable one answer at a time."""
    problems: dict[str, str] = {}
    for field in changed:
        problems |= FIELDS[field].check(dict(answers), card)
    if not answers["first_name"]:
        problems["first_name"] = "Enter a first name"
    if not answers["email"] and not answers["phone"]:
        problems["email"] = "Enter an email address or a mobile number"
    if problems:
        raise AnswersRefused(problems)


def _repeat_for_lists(submission: Submission, answers: Mapping[str, Any]) -> None:
    submission.first_name, submission.last_name = answers["first_name"], answers["last_name"]
    submission.email, submission.phone = answers["email"], answers["phone"]
    submission.search_text = search_text(answers)


def ignore(submission: Submission) -> None:
    """Leave this card alone: it is kept, and not sent."""
    submission.state = IGNORED
    db.session.flush()


def restore(submission: Submission) -> None:
    """Treat an ignored or suspected card as a real one again."""
    submission.state, submission.state_reason = RECEIVED, None
    db.session.flush()
