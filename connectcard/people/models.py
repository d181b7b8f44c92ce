"""The church's directory: people, families and groups, as they stand in Planning Center and as we keep them ourselves.

A row with a `remote_id` stands in Planning Center too; one without is ours alone. `seen_at` is when Planning Center showed it last,
`gone_at` when it was found missing there; nothing is deleted for that. What a child is called and when they were born is sealed.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Date, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connectcard.churches.tenancy import ChurchOwned, belongs_to, found_by_id, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime
from connectcard.people.identity import LONGEST_NAME_KEY
from connectcard.people.plain_letters import plain_words

EMAIL, PHONE = "email", "phone"
ACTIVE, INACTIVE = "active", "inactive"
LEADER, MEMBER = "leader", "member"
PERSON, FAMILY, GROUP = "person", "family", "group"
HERE, PLANNING_CENTER = "here", "planning_center"
OURS, THEIRS = "ours", "theirs"


@dataclass(frozen=True)
class Identity:
    """What a person is called and when they were born; "" and None where that is not known."""

    first_name: str = ""
    last_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    nickname: str = ""
    birthdate: date | None = None

    @property
    def words(self) -> frozenset[str]:
        """What somebody may be looked for by: the words of first name, nickname and last name, in plain letters."""
        return frozenset(plain_words(f"{self.first_name} {self.nickname} {self.last_name}"))

    @property
    def name(self) -> str:
        """As people say it: the nickname where there is one."""
        return " ".join(part for part in (self.nickname or self.first_name, self.last_name) if part)


IDENTITY = tuple(Identity.__dataclass_fields__)


class Person(ChurchOwned, Base):
    """A person of the church. Read names and birthdate from `identity`: a child's columns are empty, theirs are in `child_details`.

    `name_key` is the normalised first and last name, of a child a keyed mark of it (marks.name_mark); `name_marks` are a child's short
    keyed marks of each word of the name (marks.word_marks), by which it is looked for. `remote_mark` is a keyed mark of
    all that Planning Center last showed. `edits` are the fields changed here since: {"last_name": {"at": ISO time, "by": member name,
    "base": mark of Planning Center's value then}}. Allergies, pick-up notes, photo and `verified` are ours alone.
    """

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("church_id", "remote_id"),
        one_church(),
        found_by_id(),
        Index("ix_person_name_key", "church_id", "name_key"),
        Index("ix_person_last_name", "church_id", "last_name", "first_name"),
        Index("ix_person_seen_at", "church_id", "seen_at"),
    )

    remote_id: Mapped[str | None] = mapped_column(String(40))
    child: Mapped[bool] = mapped_column(default=False)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    given_name: Mapped[str] = mapped_column(String(200), default="")
    middle_name: Mapped[str] = mapped_column(String(200), default="")
    nickname: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    birthdate: Mapped[date | None] = mapped_column(Date)
    child_details_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    name_key: Mapped[str] = mapped_column(String(LONGEST_NAME_KEY), default="")
    name_marks: Mapped[str] = mapped_column(String(1300), default="")
    gender: Mapped[str] = mapped_column(String(60), default="")
    status: Mapped[str] = mapped_column(String(20), default=ACTIVE)
    membership: Mapped[str] = mapped_column(String(120), default="")
    campus_remote_id: Mapped[str | None] = mapped_column(String(40))
    remote_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remote_mark: Mapped[str | None] = mapped_column(String(32))
    edits: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=now)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    merged_into: Mapped[str | None] = mapped_column(String(40))

    verified: Mapped[bool] = mapped_column(default=False)
    allergies_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    pickup_notes_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    photo_url_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)

    contacts: Mapped[list["Contact"]] = relationship(
        back_populates="person", cascade="all, delete-orphan", lazy="selectin", passive_deletes=True, overlaps="church"
    )
    addresses: Mapped[list["Address"]] = relationship(
        back_populates="person", cascade="all, delete-orphan", passive_deletes=True, overlaps="church"
    )

    child_details = Sealed()
    allergies = Sealed()
    pickup_notes = Sealed()
    photo_url = Sealed()

    @property
    def identity(self) -> Identity:
        """Names and birthdate, opened where they are sealed."""
        if self.child_details_sealed is None:
            names = {name: getattr(self, name) or "" for name in IDENTITY if name != "birthdate"}
            return Identity(**names, birthdate=self.birthdate)
        return opened_identity(self.child_details or "{}")

    @property
    def name(self) -> str:
        return self.identity.name


def sealed_identity(identity: Identity) -> str:
    """The text that is sealed in the place of a child's columns."""
    known = {name: value for name, value in asdict(identity).items() if value}
    return json.dumps(known, default=date.isoformat)


def opened_identity(text: str) -> Identity:
    """What `sealed_identity` wrote."""
    kept = json.loads(text)
    born = kept.pop("birthdate", None)
    return Identity(**kept, birthdate=date.fromisoformat(born) if born else None)


class Contact(ChurchOwned, Base):
    """One e-mail address or phone number of a person; several people may share it.

    `value` is normalised (identity): look-ups go by it. `display` is as it was written. `mailbox` is an e-mail address without what
    its provider does not see; only look-ups use it. One without `remote_id` was added here or is not read back yet.
    """

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("church_id", "person_id", "kind", "value"),
        belongs_to("person", "person_id"),
        Index("ix_contact_value", "church_id", "kind", "value"),
        Index("ix_contact_mailbox", "church_id", "mailbox"),
    )

    person_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(254))
    display: Mapped[str] = mapped_column(String(254), default="")
    mailbox: Mapped[str | None] = mapped_column(String(254))
    location: Mapped[str] = mapped_column(String(40), default="")
    primary: Mapped[bool] = mapped_column(default=False)
    remote_id: Mapped[str | None] = mapped_column(String(40))
    added_here_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship(back_populates="contacts", overlaps="church")


class Address(ChurchOwned, Base):
    """A postal address of a person; Planning Center has addresses on people only."""

    __tablename__ = "address"
    __table_args__ = (belongs_to("person", "person_id"), Index("ix_address_person", "church_id", "person_id"))

    person_id: Mapped[UUID]
    street: Mapped[str] = mapped_column(String(300), default="")
    street2: Mapped[str] = mapped_column(String(300), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str] = mapped_column(String(120), default="")
    zip: Mapped[str] = mapped_column(String(20), default="")
    country_code: Mapped[str] = mapped_column(String(2), default="")
    location: Mapped[str] = mapped_column(String(40), default="")
    primary: Mapped[bool] = mapped_column(default=False)
    remote_id: Mapped[str | None] = mapped_column(String(40))
    added_here_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship(back_populates="addresses", overlaps="church")


class Family(ChurchOwned, Base):
    """People who live together: a household in Planning Center. Its address is that of its primary contact, unless changed here.

    `roles_read_at` is when the roles of its members were read; the list of households does not tell them.
    """

    __tablename__ = "family"
    __table_args__ = (
        UniqueConstraint("church_id", "remote_id"),
        one_church(),
        found_by_id(),
        Index("ix_family_name", "church_id", "name"),
    )

    remote_id: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    street: Mapped[str] = mapped_column(String(300), default="")
    street2: Mapped[str] = mapped_column(String(300), default="")
    city: Mapped[str] = mapped_column(String(120), default="")
    state: Mapped[str] = mapped_column(String(120), default="")
    zip: Mapped[str] = mapped_column(String(20), default="")
    country_code: Mapped[str] = mapped_column(String(2), default="")
    primary_contact_remote_id: Mapped[str | None] = mapped_column(String(40))
    remote_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remote_mark: Mapped[str | None] = mapped_column(String(32))
    edits: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    roles_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    members: Mapped[list["FamilyMember"]] = relationship(
        back_populates="family", cascade="all, delete-orphan", passive_deletes=True, overlaps="church"
    )


class FamilyMember(ChurchOwned, Base):
    """Somebody in a family. `person_id` is None while we do not know the person of `person_remote_id` yet.

    `role` is adult, parent_guardian, other_adult or child_or_dependent, "" where it was not read; `remote_id` is the household membership.
    """

    __tablename__ = "family_member"
    __table_args__ = (
        UniqueConstraint("church_id", "family_id", "person_id"),
        UniqueConstraint("church_id", "family_id", "person_remote_id"),
        belongs_to("family", "family_id"),
        belongs_to("person", "person_id"),
        Index("ix_family_member_person", "church_id", "person_id"),
        Index("ix_family_member_person_remote_id", "church_id", "person_remote_id"),
    )

    family_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    person_remote_id: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(24), default="")
    primary: Mapped[bool] = mapped_column(default=False)
    remote_id: Mapped[str | None] = mapped_column(String(40))
    added_here_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    family: Mapped[Family] = relationship(back_populates="members", overlaps="church")
    person: Mapped[Person | None] = relationship(overlaps="church,family,members")


class Department(ChurchOwned, Base):
    """The highest level of our groups. `from_planning_center` marks the one that pulled groups come under."""

    __tablename__ = "department"
    __table_args__ = (UniqueConstraint("church_id", "name"), one_church())

    name: Mapped[str] = mapped_column(String(200))
    from_planning_center: Mapped[bool] = mapped_column(default=False)

    areas: Mapped[list["Area"]] = relationship(back_populates="department", passive_deletes=True, overlaps="church")


class Area(ChurchOwned, Base):
    """A part of a department; a group type in Planning Center (`remote_id`, which may be the word "unique")."""

    __tablename__ = "area"
    __table_args__ = (
        UniqueConstraint("church_id", "remote_id"),
        one_church(),
        belongs_to("department", "department_id"),
        Index("ix_area_department", "church_id", "department_id"),
    )

    department_id: Mapped[UUID]
    remote_id: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    department: Mapped[Department] = relationship(back_populates="areas", overlaps="church")
    groups: Mapped[list["Group"]] = relationship(back_populates="area", passive_deletes=True, overlaps="church")


class Group(ChurchOwned, Base):
    """A group of people. Only one that is `listed`, not archived and whose `enrollment` is open takes people in from a card.

    `enrollment` is open, closed, full or private; `enrollment_strategy` request_to_join, open_signup or closed; "" where not told.
    `tag_ids` are the sorted ids of its tags in Planning Center, None where they were not read. `edits` are as a person's.
    """

    __tablename__ = "church_group"
    __table_args__ = (
        UniqueConstraint("church_id", "remote_id"),
        one_church(),
        found_by_id(),
        belongs_to("area", "area_id"),
        Index("ix_church_group_area", "church_id", "area_id"),
        Index("ix_church_group_name", "church_id", "name"),
    )

    area_id: Mapped[UUID]
    remote_id: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(300), default="")
    schedule: Mapped[str] = mapped_column(String(300), default="")
    description: Mapped[str] = mapped_column(String(4000), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    listed: Mapped[bool] = mapped_column(default=False)
    enrollment: Mapped[str] = mapped_column(String(20), default="")
    enrollment_strategy: Mapped[str] = mapped_column(String(20), default="")
    members_are_confidential: Mapped[bool] = mapped_column(default=False)
    church_center_url: Mapped[str | None] = mapped_column(String(500))
    memberships_count: Mapped[int | None]
    tag_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remote_mark: Mapped[str | None] = mapped_column(String(32))
    edits: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    members_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    area: Mapped[Area] = relationship(back_populates="groups", overlaps="church")
    memberships: Mapped[list["GroupMembership"]] = relationship(
        back_populates="group", cascade="all, delete-orphan", passive_deletes=True, overlaps="church"
    )

    @property
    def takes_people_in(self) -> bool:
        """Whether a card may offer it: open, listed, and neither archived nor gone."""
        return self.listed and self.enrollment == "open" and self.archived_at is None and self.gone_at is None


class GroupTag(ChurchOwned, Base):
    """A tag that groups can have in Planning Center; `tag_group` is the name of the heading that it stands under there."""

    __tablename__ = "group_tag"
    __table_args__ = (UniqueConstraint("church_id", "remote_id"), one_church())

    remote_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    tag_group: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)


class GroupMembership(ChurchOwned, Base):
    """Somebody in a group as `leader` or `member`. `person_id` is None while we do not know the person of `person_remote_id` yet."""

    __tablename__ = "group_membership"
    __table_args__ = (
        UniqueConstraint("church_id", "group_id", "person_id"),
        UniqueConstraint("church_id", "group_id", "person_remote_id"),
        belongs_to("church_group", "group_id"),
        belongs_to("person", "person_id"),
        Index("ix_group_membership_person", "church_id", "person_id"),
        Index("ix_group_membership_person_remote_id", "church_id", "person_remote_id"),
    )

    group_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    person_remote_id: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(20), default=MEMBER)
    joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remote_id: Mapped[str | None] = mapped_column(String(40))
    added_here_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    group: Mapped[Group] = relationship(back_populates="memberships", overlaps="church")
    person: Mapped[Person | None] = relationship(overlaps="church,group,memberships")


class FieldOwner(ChurchOwned, Base):
    """Who owns a field of the directory where the church chose otherwise than `ownership.FIELDS` says."""

    __tablename__ = "field_owner"
    __table_args__ = (UniqueConstraint("church_id", "field"),)

    field: Mapped[str] = mapped_column(String(60))
    owner: Mapped[str] = mapped_column(String(20))
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Conflict(ChurchOwned, Base):
    """A value that was changed here and in Planning Center since both agreed; staff decide. Both values are sealed.

    `subject_kind` is person, family or group and `subject_id` its id. `decision` is ours or theirs.
    """

    __tablename__ = "conflict"
    __table_args__ = (
        one_church(),
        Index("ix_conflict_subject", "church_id", "subject_id", "field"),
        Index("ix_conflict_open", "church_id", "decided_at", "found_at"),
    )

    subject_kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[UUID]
    field: Mapped[str] = mapped_column(String(60))
    ours_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    theirs_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    ours_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ours_by: Mapped[str] = mapped_column(String(200), default="")
    theirs_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decision: Mapped[str | None] = mapped_column(String(8))

    ours = Sealed()
    theirs = Sealed()
