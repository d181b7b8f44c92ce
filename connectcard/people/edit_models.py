"""What staff changed of a person here, who and when: what is ours alone, and contacts that wait to be sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, belongs_to
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime


class PersonEdit(ChurchOwned, Base):
    """One change of one field that is ours alone, such as allergies, or of a contact ("email_removed"); no values stand here."""

    __tablename__ = "person_edit"
    __table_args__ = (belongs_to("person", "person_id"), Index("ix_person_edit_person", "church_id", "person_id", "changed_at"))

    person_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(40))
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class ContactEdit(ChurchOwned, Base):
    """What staff did here to a contact or address that stands in Planning Center, until both sides have the same again.

    `kind` is email, phone or address and `remote_id` the record's id there, or `contacts.PRIMARY` for which one of the kind is primary.
    `ours` and `theirs` are JSON of what is wanted here, and of what stood there when it was changed (`contacts.Content`; of the primary
    one with its `remote_id`). No `ours`: somebody removed it here. `base` is the mark of `theirs`.
    """

    __tablename__ = "contact_edit"
    __table_args__ = (UniqueConstraint("church_id", "person_id", "kind", "remote_id"), belongs_to("person", "person_id"))

    person_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(8))
    remote_id: Mapped[str] = mapped_column(String(40))
    base: Mapped[str] = mapped_column(String(32))
    ours_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    theirs_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    ours = Sealed()
    theirs = Sealed()
