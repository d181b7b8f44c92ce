"""What Planning Center delivers: checked, kept once, and worked later by reading again what it is about.

A delivery changes nothing by itself. It may come late, twice, in any order, and for our own writes as well; whatever it says, the
record is read again and applied as a pull applies it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ConnectCardError
from connectcard.planning_center.documents import Malformed
from connectcard.planning_center.webhooks import Delivery, is_genuine, read_deliveries
from connectcard.sync.events import outline, subjects_of
from connectcard.sync.webhook_models import WAITING, WebhookAddress, WebhookDelivery, WebhookSubscription

log = structlog.get_logger()

# More than this waits for nobody: then everything is pulled, which reads the same and more.
MOST_WAITING = 10_000
REFUSALS_KEPT = 20
LONGEST_ID = 40


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


def keep(deliveries: Sequence[Delivery]) -> int:
    """Keep each event once; returns how many were new. Inside `transaction()`, which the caller ends with a bell."""
    if _waiting() + len(deliveries) > MOST_WAITING:
        _address().overflowed_at = now()
        return 0
    return sum(_kept_once(delivery) for delivery in deliveries)


def _waiting() -> int:
    counted = select(WebhookDelivery.id).where(WebhookDelivery.state == WAITING).limit(MOST_WAITING + 1).subquery()
    return db.session.scalar(select(func.count()).select_from(counted)) or 0


def _kept_once(delivery: Delivery) -> bool:
    subject, *also = subjects_of(delivery)
    row = WebhookDelivery(event_id=delivery.id, name=delivery.name, subject=str(subject), also=str(also[0]) if also else None)
    row.payload = json.dumps(outline(delivery.record))
    insert: Any = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    once = insert(WebhookDelivery).values(_values(row)).on_conflict_do_nothing(index_elements=["church_id", "event_id"])
    return db.session.execute(once.returning(WebhookDelivery.id)).first() is not None


def _values(row: WebhookDelivery) -> Mapping[str, Any]:
    given = ("id", "church_id", "event_id", "name", "subject", "also", "payload_sealed")
    return {name: getattr(row, name) for name in given}


def note_refusal(refused: NotTaken) -> None:
    """Count a delivery that was turned away, and keep when and why of the last few. Inside `transaction()`."""
    address = _address(locked=True)
    address.refused += 1
    address.refusals = [{"at": now().isoformat(), "words": str(refused)}, *address.refusals][:REFUSALS_KEPT]


def _address(*, locked: bool = False) -> WebhookAddress:
    asked = select(WebhookAddress)
    return db.session.scalars(asked.with_for_update() if locked else asked).one()
