"""What a worker read of Planning Center for looking at: the records of each view, and how each reading went."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from connectcard.churches.tenancy import ChurchOwned, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime


class RemoteRecord(ChurchOwned, Base):
    """One record as a worker last read it, cut down to what its view shows.

    `attributes` maps a column's source to its value: text, a number, true or false, or a list of them. What names a child or a member
    stands in `sealed_values` instead, JSON of the same form. `marks` is "|event=12|kind=Regular|", by which lists are filtered;
    `name_key` the name in plain letters, by which they are ordered and searched, empty where the name is sealed. `page` is where it
    stands in Planning Center, without the host.
    """

    __tablename__ = "remote_record"
    __table_args__ = (
        UniqueConstraint("church_id", "view", "parent_remote_id", "remote_id"),
        one_church(),
        Index("ix_remote_record_at", "church_id", "view", "parent_remote_id", "at"),
        Index("ix_remote_record_fetched_at", "church_id", "fetched_at"),
    )

    view: Mapped[str] = mapped_column(String(40))
    product: Mapped[str] = mapped_column(String(20))
    type: Mapped[str] = mapped_column(String(40))
    parent_remote_id: Mapped[str] = mapped_column(String(40), default="")
    remote_id: Mapped[str] = mapped_column(String(40))
    attributes: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    sealed_values_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    name_key: Mapped[str] = mapped_column(String(300), default="")
    marks: Mapped[str] = mapped_column(Text, default="")
    page: Mapped[str] = mapped_column(String(200), default="")
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    sealed_values = Sealed()


class RemoteReading(ChurchOwned, Base):
    """How the reading of one view stands. `parent_remote_id` is the record it stands below, "" for most views.

    It is wanted while `wanted_at` is set, and tried from `due_at` on. `standing` is that of its product when it was read last: ok,
    no_scope, no_access or hidden_rows. `choices` maps a filter to what can be chosen: {"event": {"12": "Sunday kids"}}. `cut` says
    that Planning Center has more than is kept here.
    """

    __tablename__ = "remote_reading"
    __table_args__ = (
        UniqueConstraint("church_id", "view", "parent_remote_id"),
        one_church(),
        Index("ix_remote_reading_wanted_at", "wanted_at"),
    )

    view: Mapped[str] = mapped_column(String(40))
    parent_remote_id: Mapped[str] = mapped_column(String(40), default="")
    wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problem: Mapped[str | None] = mapped_column(String(300))
    standing: Mapped[str] = mapped_column(String(12), default="ok")
    choices: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON, default=dict)
    cut: Mapped[bool] = mapped_column(default=False)
