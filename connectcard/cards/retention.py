"""What is taken off a card when its time is over; the row itself stays, so that counts and the church's history stay right."""

from sqlalchemy import delete

from connectcard.cards.models import ERASED, Correction, Submission
from connectcard.database import db


def forget_prayer(submission: Submission) -> None:
    """Remove the text of a prayer request. In the church's scope, inside `transaction()`."""
    submission.prayer = None


def erase_card(submission: Submission) -> None:
    """Remove everything the visitor wrote. In the church's scope, inside `transaction()`.

    The submission key stays: a browser that posts the same form again after months must not make a new card.
    """
    forget_prayer(submission)
    submission.family = None
    submission.answers, submission.answers_hash, submission.search_text = {}, "", ""
    submission.first_name = submission.last_name = submission.email = submission.phone = ""
    submission.state, submission.state_reason = ERASED, None
    db.session.execute(delete(Correction).where(Correction.submission_id == submission.id))
