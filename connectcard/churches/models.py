"""Whose data it is: churches, their members and the staff's sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime

OWNER, STAFF, VIEWER = "owner", "staff", "viewer"


class Church(Base):
    """One church: a Planning Center organization at one origin.

    `remote_id_key` derives the `remote_id` of the people we create. It is the church's own and never changes. `restored_at` is when
    the database was last put back from a backup (sync.restored). `sends_memberships`: the church chose to send group memberships,
    of each of which a leader may be told.
    """

    __tablename__ = "church"
    __table_args__ = (UniqueConstraint("origin", "organization_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    origin: Mapped[str] = mapped_column(String(200))
    organization_id: Mapped[str] = mapped_column(String(40))
    country_code: Mapped[str] = mapped_column(String(2), default="US")
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    date_format: Mapped[str] = mapped_column(String(20), default="%m/%d/%Y")
    keep_cards_days: Mapped[int] = mapped_column(default=90)
    keep_prayers_days: Mapped[int] = mapped_column(default=30)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    restored_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sends_memberships: Mapped[bool] = mapped_column(default=False)
    remote_id_key_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    remote_id_key = Sealed()

    @property
    def church_id(self) -> UUID:
        return self.id


class Member(ChurchOwned, Base):
    """A person who signs in for a church; (issuer, subject) is who they are, an e-mail never is."""

    __tablename__ = "member"
    __table_args__ = (UniqueConstraint("church_id", "issuer", "subject"), one_church())

    issuer: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(10))
    remote_id: Mapped[str | None] = mapped_column(String(40))
    last_signed_in_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class StaffSession(Base):
    """A browser's session; the cookie holds a random key, this row its SHA-256. Not church-owned: it is a door."""

    __tablename__ = "staff_session"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    church_id: Mapped[UUID | None] = mapped_column(ForeignKey("church.id", ondelete="CASCADE"), index=True)
    member_id: Mapped[UUID | None] = mapped_column(index=True)
    contents: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
