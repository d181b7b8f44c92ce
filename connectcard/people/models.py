"""The church's directory as we know it: so far the people whom our own cards reached."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connectcard.churches.tenancy import ChurchOwned, belongs_to, one_church
from connectcard.clock import now
from connectcard.database import Base, UtcDateTime

# A mailbox is an e-mail address without what its provider does not see; only look-ups use it.
EMAIL, PHONE, MAILBOX = "email", "phone", "mailbox"


class Person(ChurchOwned, Base):
    """A person in the church's Planning Center, as last seen by us. `name_key` is the normalised first and last name;
    of a child whom we made only a mark of it (sync.tokens) and nothing else is kept."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("church_id", "remote_id"), one_church(), Index("ix_person_name_key", "church_id", "name_key"))

    remote_id: Mapped[str] = mapped_column(String(40))
    first_name: Mapped[str] = mapped_column(String(200), default="")
    given_name: Mapped[str] = mapped_column(String(200), default="")
    nickname: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    name_key: Mapped[str] = mapped_column(String(400), default="")
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    contacts: Mapped[list["Contact"]] = relationship(
        back_populates="person", cascade="all, delete-orphan", lazy="selectin", passive_deletes=True, overlaps="church"
    )


class Contact(ChurchOwned, Base):
    """One normalised e-mail address or E.164 phone number of a person; several people may share it."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("church_id", "person_id", "kind", "value"),
        belongs_to("person", "person_id"),
        Index("ix_contact_value", "church_id", "kind", "value"),
    )

    person_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(254))

    person: Mapped[Person] = relationship(back_populates="contacts", overlaps="church")
