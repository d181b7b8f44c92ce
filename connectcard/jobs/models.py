"""What is due when; the rows that `connectcard clock` claims."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.database import Base, UtcDateTime


class Schedule(Base):
    """A piece of recurring work: two clocks are harmless, since a due row is claimed by one UPDATE."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
