"""What Planning Center delivers: checked, kept once, and worked later by reading again what it is about.

A delivery changes nothing by itself. It may come late, twice, in any order, and for our own writes as well; whatever it says, the
record is read again and applied as a pull applies it.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any, cast
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope, current_church_id, every_church
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, Connection
from connectcard.connections.words import in_words
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectCardError, NotFound
from connectcard.planning_center import Client
from connectcard.planning_center.documents import Malformed
from connectcard.planning_center.errors import PlanningCenterError, Refused
from connectcard.planning_center.webhooks import Delivery, is_genuine, read_deliveries
from connectcard.sync import cursors, subscriptions
from connectcard.sync.cursors import SyncCursor
from connectcard.sync.events import Subject, outline, subjects_of
from connectcard.sync.holds import changed
from connectcard.sync.mappings import FAMILIES
from connectcard.sync.models import PULL_FAMILIES, PULL_FULL
from connectcard.sync.pull import PULLS, running_pull, want_pull
from connectcard.sync.rereading import READ_AGAIN
from connectcard.sync.webhook_models import DONE, FAILED, WAITING, WebhookAddress, WebhookDelivery, WebhookSubscription

log = structlog.get_logger()

# More than this waits for nobody: then everything is pulled, which reads the same and more.
MOST_WAITING = 10_000
REFUSALS_KEPT = 20
LONGEST_ID = 40
# Settled deliveries are for looking at: the last so many, for so long.
MOST_KEPT, KEPT_FOR = 5_000, timedelta(days=14)
# A worker that went away held what it had in hand for so long.
LEASE = timedelta(seconds=90)
SUBJECTS_AT_ONCE = 20
STARTED_BY = "Webhooks"
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600, 4 * 3600))


class NotTaken(ConnectCardError):
    """A delivery that is turned away: its body is not kept, only that it came. The text is for staff."""


class NotGenuine(NotTaken):
    """None of our secrets signed it."""


class NotOurs(NotTaken):
    """It is signed, but speaks of another organization or another event than it should, or cannot be read."""


# The door: nothing of a body is believed before its signature.


def opened(body: bytes, authenticity: str | None, event_name: str | None = None) -> list[Delivery]:
    """The events in a body that one of the church's secrets signed; raises NotGenuine or NotOurs. In the church's scope; only reads.

    `event_name` is what an unsigned header says; it narrows which secrets are tried.
    """
    signer = _signer(body, authenticity, event_name)
    try:
        deliveries = read_deliveries(body)
    except Malformed as error:
        raise NotOurs("Signed by Planning Center, but it could not be read.") from error
    organization_id = get_church().organization_id
    for delivery in deliveries:
        _check(delivery, signer, organization_id)
    return deliveries


def _signer(body: bytes, authenticity: str | None, event_name: str | None) -> WebhookSubscription:
    asked = select(WebhookSubscription)
    for subscription in db.session.scalars(asked.where(WebhookSubscription.name == event_name) if event_name else asked):
        if is_genuine(body, authenticity, subscription.secrets()):
            return subscription
    raise NotGenuine("The signature is not Planning Center’s." if authenticity else "It is not signed.")


def _check(delivery: Delivery, signer: WebhookSubscription, organization_id: str) -> None:
    if delivery.organization_id != organization_id:
        raise NotOurs("It speaks of another organization than this church.")
    if delivery.name != signer.name:
        raise NotOurs("It was signed with the secret of another event.")
    if max(len(delivery.id), len(delivery.record.id)) > LONGEST_ID:
        raise NotOurs("Signed by Planning Center, but its ids are longer than any we know.")


def is_full() -> bool:
    """Whether more than we keep waiting waits already; then everything is pulled instead."""
    most = select(WebhookDelivery.id).where(WebhookDelivery.state == WAITING).offset(MOST_WAITING - 1).limit(1)
    return db.session.scalar(most) is not None


def keep(deliveries: Sequence[Delivery]) -> int:
    """Keep each event once; returns how many were new. Inside `transaction()`, which the caller ends with a bell."""
    # Sealed before the first statement, from which on others wait for their turn to write.
    rows = [_row_of(delivery) for delivery in deliveries]
    new = sum(map(_is_new, rows))
    for name in {delivery.name for delivery in deliveries}:
        _note_receipt(name)
    return new


def _is_new(row: dict[str, Any]) -> bool:
    """Store one event unless it is there; one row a statement, since a statement of many rows is put together anew each time."""
    insert: Any = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    once = insert(WebhookDelivery).values(row).on_conflict_do_nothing(index_elements=["church_id", "event_id"])
    return db.session.execute(once.returning(WebhookDelivery.id)).first() is not None


def _row_of(delivery: Delivery) -> dict[str, Any]:
    subject, *also = subjects_of(delivery)
    row = WebhookDelivery(event_id=delivery.id, name=delivery.name, subject=str(subject), also=str(also[0]) if also else None)
    row.payload = json.dumps(outline(delivery.record))
    given = ("id", "church_id", "event_id", "name", "subject", "also", "payload_sealed")
    return {name: getattr(row, name) for name in given}


def _note_receipt(name: str) -> None:
    """When an event came last, to the minute: in a burst each process writes it once."""
    noted: dict[tuple[UUID, str], datetime] = current_app.extensions.setdefault("receipts_noted", {})
    mark = (current_church_id(), name)
    if mark not in noted or now() - noted[mark] >= timedelta(minutes=1):
        changed(update(WebhookSubscription).where(WebhookSubscription.name == name).values(last_received_at=now()))
        noted[mark] = now()


def note_refusal(refused: NotTaken) -> None:
    """Count a delivery that was turned away, and keep when and why of the last few. Inside `transaction()`."""
    address = _address(locked=True)
    address.refused += 1
    line = {"at": now().isoformat(), "genuine": isinstance(refused, NotOurs), "words": str(refused)}
    address.refusals = [line, *address.refusals][:REFUSALS_KEPT]


def _address(*, locked: bool = False) -> WebhookAddress:
    asked = select(WebhookAddress)
    return db.session.scalars(asked.with_for_update() if locked else asked).one()


# The worker: what deliveries are about is read again, each thing once however many deliveries speak of it.


def churches_with_due_work() -> list[UUID]:
    """The connected churches with a delivery to work on or subscriptions to look after now."""
    moment = now()
    delivery = select(WebhookDelivery.church_id).where(WebhookDelivery.state == WAITING, WebhookDelivery.due_at <= moment)
    check = select(WebhookAddress.church_id).where(or_(WebhookAddress.check_due_at <= moment, WebhookAddress.catch_up_since.is_not(None)))
    families = select(SyncCursor.church_id).where(SyncCursor.whole_wanted_at.is_not(None))
    free = or_(Connection.blocked_until.is_(None), Connection.blocked_until <= moment)
    wanted = select(Connection.church_id).where(Connection.state == CONNECTED, free)
    due = (Connection.church_id.in_(churches) for churches in (delivery, check, families))
    with every_church():
        return list(db.session.scalars(wanted.where(or_(*due))))


def is_due() -> bool:
    """Whether the open church has a delivery to be worked now."""
    return bool(_due_subjects())


def work_inbox(church_id: UUID, client: Client, stop: Event) -> None:
    """Look after the church's subscriptions and work its due deliveries, until nothing is due or `stop` is set."""
    with church_scope(church_id):
        if subscriptions.keep_in_order(client):
            with transaction():
                want_catch_up()
        _catch_up()
        while not stop.is_set() and (due := _due_subjects()):
            for subject in due:
                if stop.is_set() or not _work(subject, client):
                    return
            _catch_up()
        erase_old()


def want_catch_up() -> None:
    """Have everything pulled, since deliveries were missed. Inside `transaction()`."""
    _address().catch_up_since = now()


def _catch_up() -> None:
    """A pull of everything, or of all families where no more is wanted; while another one is on it waits for that."""
    address = subscriptions.find_address()
    everything = address is not None and address.catch_up_since is not None
    if not (everything or cursors.is_whole_wanted(FAMILIES.name)) or running_pull(PULLS) is not None:
        return
    with transaction():
        want_pull(PULL_FULL if everything else PULL_FAMILIES, STARTED_BY, whole=everything)
        if everything:
            _address().catch_up_since = None


def _due_subjects() -> list[str]:
    """What the oldest due deliveries are about."""
    due = select(WebhookDelivery.subject).where(WebhookDelivery.state == WAITING, WebhookDelivery.due_at <= now())
    oldest_first = due.group_by(WebhookDelivery.subject).order_by(func.min(WebhookDelivery.received_at), WebhookDelivery.subject)
    return list(db.session.scalars(oldest_first.limit(SUBJECTS_AT_ONCE)))


def _work(subject: str, client: Client) -> bool:
    """Read one thing again for all its due deliveries; False where Planning Center lets nothing through just now."""
    held_until = _take(subject)
    if held_until is None:
        return True
    held = _held(subject, held_until)
    try:
        outcome = _read_again([subject, *_also(held)], client)
    except (Refused, ConnectCardError) as error:
        _try_later(held, in_words(error) if isinstance(error, Refused) else str(error))
        return True
    except PlanningCenterError as error:
        _put_back(held, in_words(error))
        return False
    except Exception as error:
        log.exception("a delivery could not be worked")
        _try_later(held, f"Something went wrong on our side ({type(error).__name__}).")
        return True
    _settle(held, DONE, outcome)
    return True


def _take(subject: str) -> datetime | None:
    """Hold the due deliveries about a thing: they are due again if we do not come back. None where another worker was faster.

    The moment until which they are held tells them from those that arrive meanwhile, which make us read once more.
    """
    held_until = now() + LEASE
    due = (WebhookDelivery.subject == subject, WebhookDelivery.state == WAITING, WebhookDelivery.due_at <= now())
    with transaction():
        taken = changed(update(WebhookDelivery).where(*due).values(due_at=held_until, attempts=WebhookDelivery.attempts + 1))
    return held_until if taken else None


def _held(subject: str, held_until: datetime) -> tuple[Any, ...]:
    return (WebhookDelivery.subject == subject, WebhookDelivery.state == WAITING, WebhookDelivery.due_at == held_until)


def _also(held: tuple[Any, ...]) -> list[str]:
    others = select(WebhookDelivery.also).where(*held, WebhookDelivery.also.is_not(None)).distinct()
    return [str(other) for other in db.session.scalars(others)]


def _read_again(subjects: Sequence[str], client: Client) -> str:
    """The first subject's outcome in words."""
    end_reading()
    outcomes = []
    for subject in map(Subject.read, subjects):
        reader = READ_AGAIN.get(subject.kind)
        outcomes.append(reader(subject.remote_id, client) if reader else "Nothing here is kept of this.")
    return outcomes[0]


def _settle(held: tuple[Any, ...], state: str, outcome: str) -> None:
    with transaction():
        changed(update(WebhookDelivery).where(*held).values(state=state, outcome=outcome[:300], settled_at=now()))


def _try_later(held: tuple[Any, ...], words: str) -> None:
    """Pause longer with each try in vain; in the end it is shown as failed."""
    with transaction() as session:
        tries = session.scalar(select(func.max(WebhookDelivery.attempts)).where(*held)) or 1
        if tries <= len(PAUSES):
            changed(update(WebhookDelivery).where(*held).values(due_at=now() + PAUSES[tries - 1], outcome=words[:300]))
        else:
            changed(update(WebhookDelivery).where(*held).values(state=FAILED, outcome=words[:300], settled_at=now()))


def _put_back(held: tuple[Any, ...], words: str) -> None:
    """It was not this delivery's fault: it is tried again soon, as often as it takes."""
    again = {"due_at": now() + PAUSES[0], "attempts": WebhookDelivery.attempts - 1, "outcome": words[:300]}
    with transaction():
        changed(update(WebhookDelivery).where(*held).values(**again))


# What staff and the clock do.


def process_again(delivery_id: UUID) -> WebhookDelivery:
    """Have a worker look once more at what a delivery was about. Inside `transaction()`; raises NotFound."""
    row = db.session.scalars(select(WebhookDelivery).where(WebhookDelivery.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such delivery; the oldest are erased after some days.")
    row.state, row.due_at, row.attempts, row.settled_at, row.outcome = WAITING, now(), 0, None, None
    db.session.flush()
    return row


def erase_old() -> int:
    """Erase settled deliveries beyond the last `MOST_KEPT` and the last days; returns how many. In the church's scope."""
    settled = select(WebhookDelivery.received_at).where(WebhookDelivery.state != WAITING).order_by(WebhookDelivery.received_at.desc())
    too_many = db.session.scalar(settled.offset(MOST_KEPT).limit(1))
    before = now() - KEPT_FOR if too_many is None else max(too_many, now() - KEPT_FOR)
    old = delete(WebhookDelivery).where(WebhookDelivery.state != WAITING, WebhookDelivery.received_at <= before)
    with transaction() as session:
        result = cast("CursorResult[Any]", session.execute(old, execution_options={"synchronize_session": False}))
        return result.rowcount
