"""Here -> Planning Center: which people, families and group memberships a push takes, and starting one.

A push is a run of items in the one ledger (items, steps): cards go first, and what a push writes it writes exactly once.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, or_, select

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import find_connection
from connectcard.database import db
from connectcard.errors import ChangeRefused, ConnectionMissing, NotFound
from connectcard.people.edit_models import ContactEdit
from connectcard.people.models import Address, Contact, Family, FamilyMember, Group, GroupMembership, Person
from connectcard.sync.models import (
    FAMILY,
    GROUP,
    INTENT,
    MEMBERSHIP,
    OPEN_STATES,
    PENDING,
    PERSON,
    PUSH_FAMILIES,
    PUSH_FULL,
    PUSH_GROUPS,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    REVIEW,
    RUNNING,
    STOPPING,
    SyncItem,
    SyncRun,
    SyncStep,
)
from connectcard.sync.runs import new_run, one_press_at_a_time, running
from connectcard.sync.taken_back import resting

NOTHING = "Everything that we know of them is in Planning Center already."
NOT_CHOSEN = "This church does not send group memberships: group leaders may be told of each. An owner can choose it on the page Send."
# Of one run people come before their families, and these before groups.
ORDER = (PERSON, FAMILY, GROUP, MEMBERSHIP)

Subjects = Sequence[UUID]


def waiting_people() -> Subjects:
    """The people of ours who are not in Planning Center yet, or were changed here since it showed them last."""
    added = or_(
        exists().where(Contact.church_id == Person.church_id, Contact.person_id == Person.id, Contact.added_here_at.is_not(None)),
        exists().where(Address.church_id == Person.church_id, Address.person_id == Person.id, Address.added_here_at.is_not(None)),
    )
    contacts = exists().where(ContactEdit.church_id == Person.church_id, ContactEdit.person_id == Person.id)
    changed = or_(Person.remote_id.is_(None), Person.edits.is_not(None), added, contacts)
    return list(db.session.scalars(select(Person.id).where(Person.gone_at.is_(None), changed).order_by(Person.created_at, Person.id)))


def waiting_families() -> Subjects:
    """The families of ours that are no household yet, were renamed here, or have somebody whom we put in."""
    put_in = exists().where(
        FamilyMember.church_id == Family.church_id,
        FamilyMember.family_id == Family.id,
        FamilyMember.person_remote_id.is_(None),
        FamilyMember.gone_at.is_(None),
    )
    renamed = Family.edits.is_not(None)
    changed = or_(put_in, renamed)
    return list(db.session.scalars(select(Family.id).where(Family.gone_at.is_(None), changed).order_by(Family.created_at, Family.id)))


def people_of_families(families: Subjects) -> Subjects:
    """Who has to be there before these families can be."""
    strangers = select(Person.id).join(FamilyMember, FamilyMember.person_id == Person.id)
    there = Person.remote_id.is_(None), Person.gone_at.is_(None), FamilyMember.gone_at.is_(None)
    return list(db.session.scalars(strangers.where(FamilyMember.family_id.in_(families), *there).distinct()))


def _people_of_waiting_families() -> Subjects:
    return people_of_families(waiting_families())


def waiting_groups() -> Subjects:
    """The groups that stand in Planning Center and were changed here since it showed them last."""
    there = Group.remote_id.is_not(None), Group.gone_at.is_(None), Group.archived_at.is_(None), Group.edits.is_not(None)
    return list(db.session.scalars(select(Group.id).where(*there).order_by(Group.name, Group.id)))


def waiting_memberships() -> Subjects:
    """Those whom we put into a group that stands in Planning Center."""
    rows = select(GroupMembership.id).join(Group, Group.id == GroupMembership.group_id)
    there = Group.remote_id.is_not(None), Group.gone_at.is_(None), Group.archived_at.is_(None)
    ours = GroupMembership.person_remote_id.is_(None), GroupMembership.gone_at.is_(None)
    return list(db.session.scalars(rows.where(*there, *ours).order_by(GroupMembership.added_here_at, GroupMembership.id)))


def people_of_memberships(memberships: Subjects) -> Subjects:
    """Who has to be there before they can be put into their group."""
    strangers = select(Person.id).join(GroupMembership, GroupMembership.person_id == Person.id)
    there = Person.remote_id.is_(None), Person.gone_at.is_(None)
    return list(db.session.scalars(strangers.where(GroupMembership.id.in_(memberships), *there).distinct()))


def _people_of_waiting_memberships() -> Subjects:
    return people_of_memberships(waiting_memberships())


Taken = tuple[str, Callable[[], Subjects]]
PEOPLE: tuple[Taken, ...] = ((PERSON, waiting_people),)
FAMILIES: tuple[Taken, ...] = ((PERSON, _people_of_waiting_families), (FAMILY, waiting_families))
GROUPS: tuple[Taken, ...] = ((GROUP, waiting_groups),)
MEMBERSHIPS: tuple[Taken, ...] = ((PERSON, _people_of_waiting_memberships), (MEMBERSHIP, waiting_memberships))
WAITING: dict[str, tuple[Taken, ...]] = {
    PUSH_PEOPLE: PEOPLE,
    PUSH_FAMILIES: FAMILIES,
    PUSH_GROUPS: GROUPS,
    PUSH_MEMBERSHIPS: MEMBERSHIPS,
    PUSH_FULL: (*PEOPLE, (FAMILY, waiting_families), *GROUPS, (MEMBERSHIP, waiting_memberships)),
}


def taken_by(kind: str) -> tuple[Taken, ...]:
    """What a push of this kind takes in this church: group memberships with everything else only where the church chose to send them."""
    chosen = kind != PUSH_FULL or get_church().sends_memberships
    return tuple(one for one in WAITING[kind] if chosen or one[0] != MEMBERSHIP)


def waiting(kind: str) -> int:
    """How many records a push of this kind would take; those that wait for somebody to decide, or were left, are not among them."""
    return sum(map(len, would_take(kind).values()))


def would_take(kind: str) -> dict[str, list[UUID]]:
    """The same records, in their order, by the kinds of their items."""
    asked = asked_about()
    return {item_kind: [subject for subject in subjects() if subject not in asked] for item_kind, subjects in taken_by(kind)}


def asked_about() -> set[UUID | None]:
    """The records that wait for somebody to decide, are being taken back, or were left here after that."""
    return {*db.session.scalars(select(SyncItem.subject_id).where(SyncItem.kind.in_(ORDER), SyncItem.state == REVIEW)), *resting()}


def start(kind: str, member_name: str, only: Collection[UUID] | None = None) -> SyncRun:
    """Send what waits; the run of this kind that is on, if one is. Inside `transaction()`; the caller rings.

    `only` limits it to these records. Raises ConnectionMissing, NotFound where there is nothing to send, and ChangeRefused where the
    church does not send memberships.
    """
    connection = find_connection()
    if connection is None or connection.state != CONNECTED:
        raise ConnectionMissing("This church is not connected to Planning Center. An owner can connect it.")
    refuse_unless_chosen(kind)
    one_press_at_a_time()
    run = running(kind) or new_run(kind, member_name)
    taken = sum(_take(run, item_kind, _of(subjects(), only)) for item_kind, subjects in taken_by(kind))
    if not taken and run.total == 0:
        raise NotFound(NOTHING)
    run.total, run.version = run.total + taken, run.version + 1
    db.session.flush()
    return run


def refuse_unless_chosen(kind: str) -> None:
    """Raises ChangeRefused for group memberships where the church does not send them."""
    if kind == PUSH_MEMBERSHIPS and not get_church().sends_memberships:
        raise ChangeRefused(NOT_CHOSEN)


def _of(subjects: Subjects, only: Collection[UUID] | None) -> Subjects:
    return subjects if only is None else [subject for subject in subjects if subject in only]


def _take(run: SyncRun, kind: str, subjects: Subjects) -> int:
    known = {item.subject_id: item for item in db.session.scalars(select(SyncItem).where(SyncItem.kind == kind))}
    due_at, rest = now() + timedelta(microseconds=ORDER.index(kind)), resting()
    return sum(_take_one(run, kind, subject, known.get(subject), due_at) for subject in subjects if subject not in rest)


def _take_one(run: SyncRun, kind: str, subject: UUID, item: SyncItem | None, due_at: datetime) -> bool:
    """Give the run this record; one that is on its way, or waits for somebody to decide, stays where it is."""
    if item is None:
        item = SyncItem(kind=kind, subject_id=subject, run_id=run.id)
        db.session.add(item)
    elif item.state == REVIEW or (item.state in OPEN_STATES and is_on(item.run_id)):
        return False
    if item.state not in OPEN_STATES:
        # What was approved or left out of an earlier push says nothing about this one.
        item.approval = None
    item.run_id, item.state, item.due_at, item.attempts, item.reason = run.id, PENDING, due_at, 0, None
    begin_anew(item)
    return True


def begin_anew(item: SyncItem) -> None:
    """Have it looked at again, unless a write of it is unclear: then the old plan goes on, so that nothing is sent twice."""
    unclear = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id, SyncStep.state == INTENT)).all() if item.id else []
    for step in unclear:
        step.rounds = 0
    if not unclear:
        item.planned_at = None


def is_on_its_way(person_id: UUID) -> bool:
    """Whether this person's plan is being carried out: what has no id there yet must not be changed under it."""
    wanted = select(SyncItem).where(SyncItem.kind == PERSON, SyncItem.subject_id == person_id, SyncItem.planned_at.is_not(None))
    item = db.session.scalars(wanted.where(SyncItem.state.in_(OPEN_STATES))).first()
    return item is not None and is_on(item.run_id)


def is_on(run_id: UUID) -> bool:
    """Whether a run is going on."""
    state = db.session.scalar(select(SyncRun.state).where(SyncRun.id == run_id))
    return state in (RUNNING, STOPPING)
