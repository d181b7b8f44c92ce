"""What staff change about a card that came in: mend a typo, set it aside, bring it back. The visitor's own words stay."""

from collections.abc import Mapping
from typing import Any

from connectcard.cards.models import IGNORED, RECEIVED, Correction, Submission
from connectcard.cards.queries import effective_answers
from connectcard.database import db
from connectcard.errors import AnswersRefused

CORRECTABLE = ("first_name", "last_name", "email", "phone", "address")


def correct(submission: Submission, answers: Mapping[str, Any], member_name: str) -> list[str]:
    """Put these answers in place of the visitor's from now on; returns the fields that changed.

    Raises AnswersRefused, and changes nothing, where the card would be left without a name or a way to reach the person.
    """
    before = effective_answers(submission)
    after = before | {field: answers[field] for field in CORRECTABLE if field in answers}
    _refuse_gaps(after)
    changed = [field for field in CORRECTABLE if (after.get(field) or None) != (before.get(field) or None)]
    db.session.add_all(
        Correction(submission_id=submission.id, field=field, value=after.get(field), member_name=member_name) for field in changed
    )
    _repeat_for_lists(submission, after)
    db.session.flush()
    return changed


def _refuse_gaps(answers: Mapping[str, Any]) -> None:
    problems = {}
    if not answers.get("first_name"):
        problems["first_name"] = "Enter a first name"
    if not answers.get("email") and not answers.get("phone"):
        problems["email"] = "Enter an email address or a mobile number"
    if problems:
        raise AnswersRefused(problems)


def _repeat_for_lists(submission: Submission, answers: Mapping[str, Any]) -> None:
    submission.first_name, submission.last_name = answers["first_name"], answers.get("last_name") or ""
    submission.email, submission.phone = answers.get("email") or "", answers.get("phone") or ""


def ignore(submission: Submission) -> None:
    """Leave this card alone: it is kept, and not sent."""
    submission.state = IGNORED
    db.session.flush()


def restore(submission: Submission) -> None:
    """Treat an ignored or suspected card as a real one again."""
    submission.state, submission.state_reason = RECEIVED, None
    db.session.flush()
