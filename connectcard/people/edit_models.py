"""Who changed what we keep of a person ourselves, and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, belongs_to
from connectcard.clock import now
from connectcard.database import Base, UtcDateTime


class PersonEdit(ChurchOwned, Base):
    """One change of one field that is ours alone, such as allergies; the values themselves stand sealed on the person only."""

    __tablename__ = "person_edit"
    __table_args__ = (belongs_to("person", "person_id"), Index("ix_person_edit_person", "church_id", "person_id", "changed_at"))

    person_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(40))
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
