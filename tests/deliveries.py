"""Deliveries as Planning Center sends them, and a church that is told of everything."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.planning_center.webhooks import signature
from connectcard.sync.events import EVENTS
from connectcard.sync.webhook_models import ACTIVE, WebhookAddress, WebhookDelivery, WebhookSubscription

PERSON_UPDATED = "people.v2.events.person.updated"


@dataclass
class Told:
    """A church whose subscriptions stand, and Planning Center's post for it."""

    app: Flask
    church_id: UUID
    organization_id: str
    key: str
    secrets: dict[str, str]
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/webhooks/planning-center/{self.key}"

    def post(self, body: bytes, signed: str | None = None, *, name: str | None = None, path: str = "", **more: Any) -> TestResponse:
        headers = {"X-PCO-Webhooks-Name": name} if name else {}
        headers |= {"X-PCO-Webhooks-Authenticity": signed} if signed is not None else {}
        return self.app.test_client().post(path or self.path, data=body, headers=headers, content_type="application/json", **more)

    def deliver(self, name: str = PERSON_UPDATED, *, secret: str = "", **about: Any) -> TestResponse:
        body = self.body(name, **about)
        return self.post(body, signature(body, secret or self.secrets[name]), name=name)

    def body(self, name: str, *, event_id: str = "", organization_id: str = "", record: dict[str, Any] | None = None) -> bytes:
        record = record or {"type": "Person", "id": "12", "attributes": {"first_name": "Ana", "updated_at": "2026-11-22T15:00:00Z"}}
        payload = json.dumps({"data": record, "included": [], "meta": {}})
        organization = {"data": {"type": "Organization", "id": organization_id or self.organization_id}}
        told = {"name": name, "attempt": 1, "payload": payload}
        event = {
            "id": event_id or str(uuid4()),
            "type": "EventDelivery",
            "attributes": told,
            "relationships": {"organization": organization},
        }
        return json.dumps({"data": [event]}).encode()

    def kept(self) -> list[WebhookDelivery]:
        with church_scope(self.church_id):
            return list(db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.received_at)))

    def address(self) -> WebhookAddress:
        with church_scope(self.church_id):
            return db.session.scalars(select(WebhookAddress)).one()


def told_of_everything(app: Flask, church_id: UUID, organization_id: str) -> Told:
    """Every subscription stands, each with a secret of its own."""
    key, secrets = uuid4().hex, {name: uuid4().hex for name in EVENTS}
    with church_scope(church_id), transaction() as session:
        address = WebhookAddress(key=key)
        session.add(address)
        session.flush()
        for number, (name, secret) in enumerate(secrets.items()):
            row = WebhookSubscription(address_id=address.id, name=name, remote_id=str(number), state=ACTIVE, secret_set_at=now())
            row.secret = secret
            session.add(row)
    return Told(app, church_id, organization_id, key, secrets)
