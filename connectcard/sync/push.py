"""Here -> Planning Center: which people, families and group memberships a push takes, and starting one.

A push is a run of items in the one ledger (items, steps): cards go first, and what a push writes it writes exactly once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, or_, select

from connectcard.clock import now
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import find_connection
from connectcard.database import db
from connectcard.errors import ConnectionMissing, NotFound
from connectcard.people.models import Address, Contact, Person
from connectcard.sync.models import (
    INTENT,
    OPEN_STATES,
    PENDING,
    PERSON,
    PUSH_PEOPLE,
    REVIEW,
    RUNNING,
    STOPPING,
    SyncItem,
    SyncRun,
    SyncStep,
)
from connectcard.sync.runs import new_run, one_press_at_a_time, running

NOTHING = "Everything that we know of them is in Planning Center already."
# Of one run people come before their families, and these before groups.
ORDER = (PERSON,)

Subjects = Sequence[UUID]


def waiting_people() -> Subjects:
    """The people of ours who are not in Planning Center yet, or were changed here since it showed them last."""
    added = or_(
        exists().where(Contact.church_id == Person.church_id, Contact.person_id == Person.id, Contact.added_here_at.is_not(None)),
        exists().where(Address.church_id == Person.church_id, Address.person_id == Person.id, Address.added_here_at.is_not(None)),
    )
    changed = or_(Person.remote_id.is_(None), Person.edits.is_not(None), added)
    return list(db.session.scalars(select(Person.id).where(Person.gone_at.is_(None), changed).order_by(Person.created_at, Person.id)))


WAITING: dict[str, tuple[tuple[str, Callable[[], Subjects]], ...]] = {PUSH_PEOPLE: ((PERSON, waiting_people),)}


def waiting(kind: str) -> int:
    """How many records a push of this kind would take."""
    return sum(len(subjects()) for _, subjects in WAITING[kind])


def start(kind: str, member_name: str) -> SyncRun:
    """Send what waits; the run of this kind that is on, if one is. Inside `transaction()`; the caller rings.

    Raises ConnectionMissing, and NotFound where there is nothing to send.
    """
    connection = find_connection()
    if connection is None or connection.state != CONNECTED:
        raise ConnectionMissing("This church is not connected to Planning Center. An owner can connect it.")
    one_press_at_a_time()
    run = running(kind) or new_run(kind, member_name)
    taken = sum(_take(run, item_kind, subjects()) for item_kind, subjects in WAITING[kind])
    if not taken and run.total == 0:
        raise NotFound(NOTHING)
    run.total, run.version = run.total + taken, run.version + 1
    db.session.flush()
    return run


def _take(run: SyncRun, kind: str, subjects: Subjects) -> int:
    known = {item.subject_id: item for item in db.session.scalars(select(SyncItem).where(SyncItem.kind == kind))}
    due_at = now() + timedelta(microseconds=ORDER.index(kind))
    return sum(_take_one(run, kind, subject, known.get(subject), due_at) for subject in subjects)


def _take_one(run: SyncRun, kind: str, subject: UUID, item: SyncItem | None, due_at: datetime) -> bool:
    """Give the run this record; one that is on its way, or waits for somebody to decide, stays where it is."""
    if item is None:
        item = SyncItem(kind=kind, subject_id=subject, run_id=run.id)
        db.session.add(item)
    elif item.state == REVIEW or (item.state in OPEN_STATES and _is_on(item.run_id)):
        return False
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


def _is_on(run_id: UUID) -> bool:
    state = db.session.scalar(select(SyncRun.state).where(SyncRun.id == run_id))
    return state in (RUNNING, STOPPING)
