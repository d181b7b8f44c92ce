"""Who owns which field of the directory, and what becomes of a value that was changed on either side.

A field is Planning Center's: what changes there changes here. Or it is ours: what changes there is left alone. A value of Planning
Center's that was changed here stays until it is pushed; when it was changed there as well, staff decide. Nothing is overwritten unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.marks import value_mark
from connectcard.people.models import FAMILY, GROUP, HERE, PERSON, PLANNING_CENTER, FieldOwner


@dataclass(frozen=True)
class Field:
    """One field: whose it is at first, in words for staff, and whether a church may choose otherwise."""

    subject: str
    name: str
    words: str
    owner: str = PLANNING_CENTER
    changeable: bool = False
    why: str = ""

    @property
    def key(self) -> str:
        return f"{self.subject}.{self.name}"


_NOT_THERE = "Planning Center has no such field."
_CONTACTS = (
    "Others write to people from there. What you add, change or remove here waits to be sent; "
    "where both sides changed one, you are asked which stands."
)

FIELDS = (
    Field(PERSON, "first_name", "First name"),
    Field(PERSON, "last_name", "Last name"),
    Field(PERSON, "given_name", "Given name", changeable=True),
    Field(PERSON, "middle_name", "Middle name", changeable=True),
    Field(PERSON, "nickname", "Nickname", changeable=True),
    Field(PERSON, "birthdate", "Birthdate", changeable=True),
    Field(PERSON, "gender", "Gender", changeable=True),
    Field(PERSON, "child", "Adult or child", why="Check-in there goes by it."),
    Field(PERSON, "status", "Active or inactive", changeable=True),
    Field(PERSON, "membership", "Membership", changeable=True),
    Field(PERSON, "campus_remote_id", "Campus", changeable=True),
    Field(PERSON, "contacts", "E-mail addresses and phone numbers", why=_CONTACTS),
    Field(PERSON, "addresses", "Postal addresses", why=_CONTACTS),
    Field(PERSON, "allergies", "Allergies", HERE, why="Kept sealed here and never sent."),
    Field(PERSON, "pickup_notes", "Pick-up notes", HERE, why=_NOT_THERE),
    Field(PERSON, "photo_url", "Photo", HERE, why="Photos stay where they were taken."),
    Field(PERSON, "verified", "Verified", HERE, why=_NOT_THERE),
    Field(FAMILY, "name", "Family name", changeable=True),
    Field(FAMILY, "members", "Who is in the family"),
    Field(FAMILY, "address", "Family address", changeable=True, why="That of the primary contact; there only people have addresses."),
    Field(GROUP, "name", "Group name", changeable=True),
    Field(GROUP, "schedule", "When a group meets", changeable=True),
    Field(GROUP, "group_type", "Type of a group", changeable=True),
    Field(GROUP, "tags", "Tags of a group", why="Read when a group is opened. What you change here is sent."),
    Field(GROUP, "members", "Who is in a group, and who leads it", why="Leaders keep it there. Whom you add here stays until it is sent."),
    Field(GROUP, "enrollment", "Whether a group takes people in"),
)  # fmt: skip
BY_KEY = {one.key: one for one in FIELDS}


def owners() -> dict[str, str]:
    """Whose each field is in the open church, by `Field.key`."""
    chosen = {key: row.owner for key, row in choices().items()}
    return {one.key: chosen.get(one.key, one.owner) if one.changeable else one.owner for one in FIELDS}


def choices() -> dict[str, FieldOwner]:
    """What the open church chose, by whom and when, by `Field.key`."""
    return {row.field: row for row in db.session.scalars(select(FieldOwner))}


def choose_owner(key: str, owner: str, member_name: str) -> None:
    """Say whose a field is from now on. Raises ChangeRefused for one that is not to be chosen."""
    known = BY_KEY.get(key)
    if known is None or not known.changeable or owner not in (HERE, PLANNING_CENTER):
        raise ChangeRefused("This field's owner cannot be changed.")
    row = db.session.scalars(select(FieldOwner).where(FieldOwner.field == key)).first() or FieldOwner(field=key)
    row.owner, row.changed_by, row.changed_at = owner, member_name, now()
    db.session.add(row)
    db.session.flush()


@dataclass(frozen=True)
class TwoSided:
    """A field that was changed on both sides."""

    field: str
    ours: Any
    theirs: Any
    ours_at: str
    ours_by: str


@dataclass
class Reconciled:
    """What to store: the values, the edits that still stand, the two-sided ones, and the fields on which both sides agree again."""

    values: dict[str, Any]
    edits: dict[str, Any] = field(default_factory=dict)
    conflicts: list[TwoSided] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)


def reconcile(
    subject: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], edits: Mapping[str, Any] | None, owned: Mapping[str, str], key: str
) -> Reconciled:
    """Put what Planning Center shows beside what stands here, field by field; pure.

    An edit's `base` marks Planning Center's value when it was made: while that value stands there, our change is the only one.
    """
    found = Reconciled(dict(theirs))
    for name, value in theirs.items():
        edit = (edits or {}).get(name)
        ours_own = owned.get(f"{subject}.{name}") == HERE
        if ours[name] == value:
            found.agreed += [name] if edit else []
        elif edit is None and not ours_own:
            continue
        else:
            found.values[name] = ours[name]
            _weigh(found, name, ours[name], value, edit, ours_own, key)
    return found


def _weigh(found: Reconciled, name: str, ours: Any, theirs: Any, edit: Mapping[str, Any] | None, ours_own: bool, key: str) -> None:
    if edit is None:
        return
    mark = value_mark(key, theirs)
    two_sided = edit["base"] != mark and not ours_own
    found.edits[name] = {**edit, "base": edit["base"] if two_sided else mark}
    if two_sided:
        found.conflicts.append(TwoSided(name, ours, theirs, edit["at"], edit["by"]))
