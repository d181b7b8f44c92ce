"""A church's link to Planning Center: its tokens, its rate limit, its lane, and what its account offers to choose from."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime

CONNECTED, RECONNECT, DISCONNECTED = "connected", "reconnect", "disconnected"
OAUTH, PERSONAL_ACCESS_TOKEN = "oauth", "personal_access_token"
OK, NO_SCOPE, NO_ACCESS, HIDDEN_ROWS = "ok", "no_scope", "no_access", "hidden_rows"
# Of People: whoever connected may look there but no longer write.
READ_ONLY = "read_only"


class Connection(ChurchOwned, Base):
    """One per church. Tokens are sealed; `version` grows with each new pair, so that a late refresh sees it lost.

    `refresh_claimed_until` is the single-flight claim. `second_try_at` is when a refresh token that Planning Center called dead is tried
    once more, before the church is asked to connect again. `blocked_until` and the `rate_*` columns are what Planning Center's
    answers said last. `lane_*` is the lease of the worker that sends for this church; `lane_fence` grows with each holder.
    `products` maps a product to ok, no_scope, no_access, hidden_rows or read_only.
    """

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("church_id"), one_church(), Index("ix_connection_lane", "state", "lane_until"))

    kind: Mapped[str] = mapped_column(String(24), default=OAUTH)
    state: Mapped[str] = mapped_column(String(12), default=CONNECTED)
    state_reason: Mapped[str | None] = mapped_column(String(300))
    origin: Mapped[str] = mapped_column(String(200))
    organization_id: Mapped[str] = mapped_column(String(40))
    authorised_by: Mapped[str] = mapped_column(String(200), default="")
    authorised_remote_id: Mapped[str | None] = mapped_column(String(40))
    scope: Mapped[str] = mapped_column(String(200), default="")
    access_token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    refresh_token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    refresh_claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    second_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    connected_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    products: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)

    blocked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rate_limit: Mapped[int | None]
    rate_period: Mapped[int | None]
    rate_count: Mapped[int | None]
    rate_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    lane_holder: Mapped[str | None] = mapped_column(String(80))
    lane_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lane_fence: Mapped[int] = mapped_column(default=0)

    choices_wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    choices_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    choices_problem: Mapped[str | None] = mapped_column(String(300))

    access_token = Sealed()
    refresh_token = Sealed()

    @property
    def not_renewed(self) -> bool:
        """Whether Planning Center called the sign-in dead once, and is asked once more at `tried_again_at`."""
        return self.state == CONNECTED and self.second_try_at is not None

    @property
    def tried_again_at(self) -> datetime | None:
        """When a sign-in that was not renewed is tried again: as soon as its claim is over, the second try at the latest."""
        return min(self.refresh_claimed_until or self.second_try_at, self.second_try_at) if self.second_try_at else None


class DeadGrantSeen(Base):
    """A connection whose sign-in Planning Center called dead, and when it last did; to tell an incident from one end."""

    __tablename__ = "dead_grant_seen"

    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class RemoteChoice(ChurchOwned, Base):
    """Something in the church's Planning Center that a card field can be sent to, as a worker last read it.

    `kind` is campus, membership_type, field_definition, field_option, note_category, workflow, form, form_field or form_field_option;
    fields are known of the form only that the church chose. An option's `parent_remote_id` is its field, a form field's its form.
    `detail` keeps what only one kind has: {"data_type": "checkboxes", "tab": "Visit"}, {"can_manage": true},
    {"data_type": null, "why_not": "A heading takes no answer.", "required": false}.
    """

    __tablename__ = "remote_choice"
    __table_args__ = (UniqueConstraint("church_id", "kind", "remote_id"), one_church())

    kind: Mapped[str] = mapped_column(String(24))
    remote_id: Mapped[str] = mapped_column(String(40))
    parent_remote_id: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(300))
    position: Mapped[int] = mapped_column(default=0)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
