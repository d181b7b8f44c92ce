"""By what two cards may be one person: such two never run side by side, since only then can the second find what the first made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select

from connectcard.cards.in_words import opened_family
from connectcard.cards.models import Submission
from connectcard.crypto import CannotOpen
from connectcard.database import db
from connectcard.people.identity import base_email, name_key, name_keys
from connectcard.sync.families import members_of
from connectcard.sync.models import SyncItem

NAMES_AND_CONTACTS = ("first_name", "last_name", "email", "phone")


_CARDS = (
    select(SyncItem.id, Submission.id.label("submission_id"), *(getattr(Submission, name) for name in NAMES_AND_CONTACTS))
    .join(Submission, Submission.id == SyncItem.submission_id)
    .where(SyncItem.id.in_(bindparam("items", expanding=True)))
)
_WITH_FAMILY = select(Submission).where(Submission.id.in_(bindparam("cards", expanding=True)), Submission.family_sealed.is_not(None))


def marks_of_cards(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    """The marks of these items, which are cards."""
    rows = db.session.execute(_CARDS, {"items": item_ids}).all()
    families = _family_marks([row.submission_id for row in rows])
    return {
        row.id: shared_marks(row.first_name, row.last_name, row.email, row.phone) | families.get(row.submission_id, frozenset())
        for row in rows
    }


def _family_marks(submission_ids: list[UUID]) -> dict[UUID, frozenset[str]]:
    """The names of the visitors' families: the other parent's card may be on its way too."""
    given = db.session.scalars(_WITH_FAMILY, {"cards": submission_ids})
    return {submission.id: _names_in_family(submission) for submission in given}


def _names_in_family(submission: Submission) -> frozenset[str]:
    try:
        family = opened_family(submission.family)
    except CannotOpen:
        # The card itself says so when it is its turn; the others go on.
        return frozenset()
    return frozenset(name_key(one.first_name, one.last_name) for one in members_of(family, submission.last_name, int))


def shared_marks(first_name: str, last_name: str, email: str, phone: str) -> frozenset[str]:
    """By what two cards may be one person: mailbox, the end of the phone number, name in all its forms."""
    digits = "".join(filter(str.isdigit, phone))[-7:]
    return frozenset(filter(None, (base_email(email), digits, *name_keys(first_name, last_name))))
