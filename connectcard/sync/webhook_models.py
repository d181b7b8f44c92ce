"""What Planning Center tells us by itself: the church's address for it, what was subscribed to, and what was delivered.

subscription: wanted (not made yet) · active · refused (Planning Center would not, with the reason)
delivery: waiting (for its turn, or to be tried again) · done · failed (shown; can be processed again)
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, belongs_to, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime

WANTED, ACTIVE, REFUSED = "wanted", "active", "refused"
WAITING, DONE, FAILED = "waiting", "done", "failed"


class WebhookAddress(ChurchOwned, Base):
    """Where a church's deliveries arrive; one a church. `key` is the unguessable part of the address, 128 bits in hex.

    When `check_due_at` has come a worker brings the subscriptions in order; `problem` says in words what keeps it from that.
    `refused` counts deliveries that were turned away; `refusals` are the last few, never their bodies: {"at": ISO time,
    "genuine": whether it was signed, "words"}.
    `catch_up_since`: deliveries were missed, or were more than we keep waiting, so that everything is pulled instead.
    """

    __tablename__ = "webhook_address"
    __table_args__ = (UniqueConstraint("church_id"), one_church(), Index("ix_webhook_address_key", "key"))

    key: Mapped[str] = mapped_column(String(32))
    check_due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(300))
    refused: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    catch_up_since: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookSubscription(ChurchOwned, Base):
    """One event name that the church is told of. Planning Center gives each a secret of its own.

    `revived_at` is when it was found switched off and was switched on again. The secret before a rotation stays good: what was signed
    with it is still on its way, and is tried again for days.
    """

    __tablename__ = "webhook_subscription"
    __table_args__ = (UniqueConstraint("church_id", "name"), belongs_to("webhook_address", "address_id"))

    address_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(80))
    remote_id: Mapped[str | None] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(8), default=WANTED)
    problem: Mapped[str | None] = mapped_column(String(300))
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_set_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rotation_wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    secret = Sealed()
    previous_secret = Sealed()

    def secrets(self) -> list[str]:
        """Those that a genuine delivery may be signed with."""
        return [secret for secret in (self.secret, self.previous_secret) if secret]


class WebhookDelivery(ChurchOwned, Base):
    """One event, kept once however often it is delivered. It is a reason to look, not a truth: what it is about is read again.

    `subject` is what is read again, such as "person 12"; a merger is also about the person that was kept (`also`).
    While a worker has it in hand `due_at` stands in the future. `outcome` says in words what came of it.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("church_id", "event_id"),
        one_church(),
        Index("ix_webhook_delivery_due", "church_id", "state", "due_at"),
        Index("ix_webhook_delivery_subject", "church_id", "subject", "state"),
        Index("ix_webhook_delivery_received", "church_id", "received_at"),
    )

    event_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(60))
    also: Mapped[str | None] = mapped_column(String(60))
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    state: Mapped[str] = mapped_column(String(8), default=WAITING)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(300))

    payload = Sealed()
