"""What a visitor fills in: the church's cards, and what came in on them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connectcard.churches.models import Church
from connectcard.churches.tenancy import ChurchOwned, belongs_to, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime

RECEIVED, QUARANTINED, IGNORED, ERASED = "received", "quarantined", "ignored", "erased"


class Card(ChurchOwned, Base):
    """A form of a church, at /c/<church>/<card>.

    `questions` says which optional questions are asked: {"heard": true, "address": false, "prayer": false, "family": true,
    "text_me": true, "group": false}. `group_ids` are the groups of ours that "Join a group" offers of those that are open and listed;
    None offers all of them. `interests` and `sources` are the church's own choices, in their order: [{"key": "kids", "label": "Kids",
    "label_es": "Niños"}]; a choice without words in a language is shown in its first ones. `consent_wording` is kept by language:
    its first paragraph stands under the button, the others behind "How we use it"; `{church}` stands for the church's name.
    """

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("church_id", "slug"), one_church())

    slug: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(200))
    questions: Mapped[dict[str, bool]] = mapped_column(JSON, default=dict)
    interests: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    sources: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    group_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    consent_wording: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    consent_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    church: Mapped[Church] = relationship(viewonly=True, lazy="joined", innerjoin=True)


class Submission(ChurchOwned, Base):
    """A card that came in. `answers` is what the visitor wrote and never changes; corrections stand beside it.

    The plain columns repeat the current name and contacts for lists and search. Prayer text and everything about the family
    are kept sealed only.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("church_id", "submission_key"),
        one_church(),
        belongs_to("card", "card_id"),
        Index("ix_submission_inbox", "church_id", "state", "received_at"),
    )

    card_id: Mapped[UUID]
    submission_key: Mapped[UUID]
    answers_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default=RECEIVED)
    state_reason: Mapped[str | None] = mapped_column(String(200))
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    search_text: Mapped[str] = mapped_column(Text, default="")
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    prayer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    family_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(10), default="en")
    came_from: Mapped[str] = mapped_column(String(20), default="phone")
    consent_wording: Mapped[str] = mapped_column(Text, default="")
    consent_version: Mapped[int] = mapped_column(default=1)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    prayer = Sealed()
    family = Sealed()


class Correction(ChurchOwned, Base):
    """A typo that staff mended on a card: which field, to what, by whom; the visitor's own words stay in the answers."""

    __tablename__ = "correction"
    __table_args__ = (belongs_to("submission", "submission_id"), Index("ix_correction_submission", "church_id", "submission_id"))

    submission_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(40))
    value: Mapped[Any] = mapped_column(JSON)
    member_name: Mapped[str] = mapped_column(String(200))
    corrected_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
