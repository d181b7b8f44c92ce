"""What the church keeps of a person itself and Planning Center has no place for: allergies, pick-up notes, a photo, `verified`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.people.edit_models import PersonEdit
from connectcard.people.models import Person

ALLERGIES, PICKUP_NOTES, PHOTO_URL, VERIFIED = "allergies", "pickup_notes", "photo_url", "verified"
WORDS = {ALLERGIES: "Allergies", PICKUP_NOTES: "Pick-up notes", PHOTO_URL: "Photo", VERIFIED: "Verified"}
LONGEST = {ALLERGIES: 500, PICKUP_NOTES: 1000, PHOTO_URL: 500}


@dataclass(frozen=True)
class OwnDetails:
    """What is kept here; "" where nothing is."""

    allergies: str = ""
    pickup_notes: str = ""
    photo_url: str = ""
    verified: bool = False


def details_of(person: Person) -> OwnDetails:
    return OwnDetails(person.allergies or "", person.pickup_notes or "", person.photo_url or "", person.verified)


def details_from(form: Mapping[str, str]) -> OwnDetails:
    """What a form says. Raises AnswersRefused with words for each field that cannot be kept as it is."""
    given = OwnDetails(
        allergies=form.get(ALLERGIES, "").strip(),
        pickup_notes=form.get(PICKUP_NOTES, "").strip(),
        photo_url=form.get(PHOTO_URL, "").strip(),
        verified=form.get(VERIFIED) == "yes",
    )
    problems = {name: _too_long(name) for name, most in LONGEST.items() if len(getattr(given, name)) > most}
    if given.photo_url and PHOTO_URL not in problems and not _is_web_address(given.photo_url):
        problems[PHOTO_URL] = "Enter the whole address of the photo, such as https://photos.grace.org/ana.jpg"
    if problems:
        raise AnswersRefused(problems)
    return given


def _too_long(name: str) -> str:
    return f"{WORDS[name]}: shorten this to {LONGEST[name]} letters or fewer"


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in parts.netloc


def keep_details(person: Person, given: OwnDetails, member_name: str, as_of: str) -> list[str]:
    """Keep what was given, and who gave it when; returns the fields that changed. Inside `transaction()`.

    `as_of` is `mark_of(person)` when the form was opened. Raises ChangeRefused where somebody else changed it since.
    """
    latest = latest_edit(person)
    if as_of != _mark(latest):
        by = latest.changed_by if latest else "Somebody"
        raise ChangeRefused(
            f"{by} changed this while you were typing. What is kept now stands beside each field; save again to replace it."
        )
    changed = [name for name in WORDS if getattr(details_of(person), name) != getattr(given, name)]
    for name in changed:
        setattr(person, name, getattr(given, name))
        db.session.add(PersonEdit(person_id=person.id, field=name, changed_by=member_name, changed_at=now()))
    db.session.flush()
    return changed


def edits_of(person: Person) -> Sequence[PersonEdit]:
    """Every change of these, the newest first."""
    wanted = (
        select(PersonEdit)
        .where(PersonEdit.person_id == person.id, PersonEdit.field.in_(WORDS))
        .order_by(PersonEdit.changed_at.desc(), PersonEdit.id)
    )
    return db.session.scalars(wanted).all()


def latest_edit(person: Person) -> PersonEdit | None:
    return next(iter(edits_of(person)), None)


def mark_of(person: Person) -> str:
    """Changes with every edit."""
    return _mark(latest_edit(person))


def _mark(edit: PersonEdit | None) -> str:
    return f"{edit.id}" if edit else ""


def last_edits(person: Person) -> dict[str, tuple[str, datetime]]:
    """For each field that was ever changed here: by whom last, and when."""
    return {edit.field: (edit.changed_by, edit.changed_at) for edit in reversed(edits_of(person))}
