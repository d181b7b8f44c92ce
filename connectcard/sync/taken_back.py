"""What was taken back rests until somebody says: cards are sent again or ignored, records of the directory sent again or left.

What is left stays here as it is. A push takes it once somebody changed it here again; what is being taken back, none does.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused
from connectcard.people.contact_edits import edits_of
from connectcard.people.models import Family, FamilyMember, Group, GroupMembership, Person
from connectcard.sync.models import (
    CARD,
    FAMILY,
    GROUP,
    IGNORED,
    MEMBERSHIP,
    OPEN_STATES,
    PERSON,
    REVIEW,
    RUNNING,
    STOPPING,
    UNDO,
    SyncItem,
    SyncOutcome,
    SyncRun,
)

TAKEN_BACK = "Taken back by"
LEFT = "Left here; sent once somebody changes it again."
OF_DIRECTORY = (PERSON, FAMILY, GROUP, MEMBERSHIP)


def give_back(item: SyncItem, member_name: str) -> None:
    """It needs somebody: nothing of it is sent by itself. Inside `transaction()`."""
    item.planned_at, item.synced_at, item.approval, item.into_group_by = None, None, None, None
    if item.state != IGNORED:
        leave_it = "ignore it" if item.kind == CARD else "leave it"
        item.state, item.reason = REVIEW, f"{TAKEN_BACK} {member_name}. Send it again, or {leave_it}."


def was_taken_back(item: SyncItem | None) -> bool:
    """Whether a card or a record waits for somebody because it was taken back."""
    return item is not None and item.state == REVIEW and (item.reason or "").startswith(TAKEN_BACK)


def leave(item: SyncItem) -> None:
    """Keep it here and do not send it. Inside `transaction()`."""
    item.state, item.reason, item.due_at = IGNORED, LEFT, now()
    db.session.flush()


def resting() -> set[UUID]:
    """The records of the directory that no push takes: those being taken back, and those that were left and not changed since."""
    left = select(SyncItem).where(SyncItem.kind.in_(OF_DIRECTORY), SyncItem.state == IGNORED, SyncItem.reason == LEFT)
    unchanged = {item.about for item in db.session.scalars(left) if max(_changes(item), default=item.due_at) <= item.due_at}
    return unchanged | being_taken_back()


def being_taken_back() -> set[UUID]:
    """The records that an undo has in hand."""
    subjects = select(SyncItem.subject_id).where(SyncItem.id.in_(in_hand_of_undos()))
    return {subject for subject in db.session.scalars(subjects) if subject}


def refuse_while_taken_back(item: SyncItem) -> None:
    """Raises ChangeRefused for a card or a record that an undo has in hand."""
    if item.id in set(db.session.scalars(in_hand_of_undos().where(SyncOutcome.item_id == item.id))):
        raise ChangeRefused("This is being taken back. Wait until that is over.")


def in_hand_of_undos() -> Select[UUID]:
    """The items, by their ids, that undos are taking back at this moment."""
    on = select(SyncRun.id).where(SyncRun.kind == UNDO, SyncRun.state.in_((RUNNING, STOPPING)))
    undone = select(SyncItem.subject_id).where(SyncItem.kind == UNDO, SyncItem.state.in_(OPEN_STATES), SyncItem.run_id.in_(on))
    return select(SyncOutcome.item_id).where(SyncOutcome.id.in_(undone))


def _changes(item: SyncItem) -> Iterator[datetime]:
    """When staff changed here what an item is about."""
    if item.kind == PERSON:
        person = db.session.get_one(Person, item.about)
        yield from _edited(person)
        yield from (one.added_here_at for one in person.contacts if one.added_here_at)
        yield from (one.added_here_at for one in person.addresses if one.added_here_at)
        yield from (one.changed_at for one in edits_of(person))
    elif item.kind == FAMILY:
        yield from _edited(db.session.get_one(Family, item.about))
        put_in = select(FamilyMember.added_here_at).where(FamilyMember.family_id == item.about, FamilyMember.gone_at.is_(None))
        yield from filter(None, db.session.scalars(put_in))
    elif item.kind == GROUP:
        yield from _edited(db.session.get_one(Group, item.about))
    else:
        yield from filter(None, [db.session.get_one(GroupMembership, item.about).added_here_at])


def _edited(subject: Person | Family | Group) -> Iterator[datetime]:
    yield from (datetime.fromisoformat(edit["at"]) for edit in (subject.edits or {}).values())
