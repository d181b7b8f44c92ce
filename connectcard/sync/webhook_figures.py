"""What the page about webhooks shows: each event with how often it came, and the last deliveries, good and bad."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import undefer

from connectcard.clock import now
from connectcard.database import db
from connectcard.sync.events import EVENTS
from connectcard.sync.models import PULL_FAMILIES, PULL_FULL, PULL_GROUPS, PULL_PEOPLE, SyncRun
from connectcard.sync.webhook_models import FAILED, WAITING, WebhookAddress, WebhookDelivery, WebhookSubscription

DELIVERIES_SHOWN = 50
SILENT_FOR = timedelta(hours=48)
PULLS = (PULL_PEOPLE, PULL_FAMILIES, PULL_GROUPS, PULL_FULL)


@dataclass(frozen=True)
class EventRow:
    """One event: its subscription, if there is one yet, when it came last, how often within a day, and how many went wrong."""

    name: str
    subscription: WebhookSubscription | None
    today: int
    failed: int

    @property
    def last_received_at(self) -> datetime | None:
        return self.subscription.last_received_at if self.subscription else None


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery, or one that was turned away: that one has no row of its own, only a time and a reason."""

    at: datetime
    genuine: bool
    state: str
    words: str
    name: str = ""
    id: UUID | None = None
    outline: str = ""


def event_rows() -> list[EventRow]:
    """Every event that the church can be told of, in the order of `events.EVENTS`."""
    subscriptions = {row.name: row for row in db.session.scalars(select(WebhookSubscription))}
    today = _counted(WebhookDelivery.received_at > now() - timedelta(days=1))
    failed = _counted(WebhookDelivery.state == FAILED)
    return [EventRow(name, subscriptions.get(name), today.get(name, 0), failed.get(name, 0)) for name in EVENTS]


def _counted(condition: Any) -> Mapping[str, int]:
    rows = db.session.execute(select(WebhookDelivery.name, func.count().label("times")).where(condition).group_by(WebhookDelivery.name))
    return {row.name: row.times for row in rows}


def last_deliveries(address: WebhookAddress | None) -> list[DeliveryRow]:
    """The last ones that came in at the address, genuine or not, the newest first."""
    newest = select(WebhookDelivery).options(undefer(WebhookDelivery.payload_sealed)).order_by(WebhookDelivery.received_at.desc())
    kept = [_of_delivery(row) for row in db.session.scalars(newest.limit(DELIVERIES_SHOWN))]
    refused = [_of_refusal(refusal) for refusal in (address.refusals if address else [])]
    return sorted([*kept, *refused], key=lambda row: row.at, reverse=True)[:DELIVERIES_SHOWN]


def _of_delivery(row: WebhookDelivery) -> DeliveryRow:
    outline = json.dumps(json.loads(row.payload), indent=2, ensure_ascii=False) if row.payload else ""
    return DeliveryRow(row.received_at, True, row.state, row.outcome or "", row.name, row.id, outline)


def _of_refusal(refusal: Mapping[str, Any]) -> DeliveryRow:
    return DeliveryRow(datetime.fromisoformat(refusal["at"]), refusal["genuine"], "refused", refusal["words"])


def waiting() -> int:
    """How many deliveries a worker has still to look at."""
    return db.session.scalar(select(func.count(WebhookDelivery.id)).where(WebhookDelivery.state == WAITING)) or 0


def silent_since() -> datetime | None:
    """Since when nothing came although pulls found changes: then Planning Center may no longer reach us. None when all is well."""
    since = now() - SILENT_FOR
    last = db.session.scalar(select(func.max(func.coalesce(WebhookSubscription.last_received_at, WebhookSubscription.secret_set_at))))
    if last is None or last > since:
        return None
    changes = or_(SyncRun.created > 0, SyncRun.updated > 0)
    pulled = select(SyncRun.id).where(SyncRun.kind.in_(PULLS), SyncRun.started_at > since, changes).limit(1)
    return last if db.session.scalar(pulled) else None
