"""What Planning Center shows of the directory, as values in our words. None in the place of a list: it was not told, so it stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectcard.people.models import ACTIVE, Identity


@dataclass(frozen=True)
class PulledContact:
    """`value` is normalised, `display` as it stands there."""

    kind: str
    value: str
    display: str
    location: str = ""
    primary: bool = False
    remote_id: str | None = None
    # When it changed there last says nothing about what is shown: it is in no mark.
    updated_at: datetime | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class PulledAddress:
    street: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country_code: str = ""
    location: str = ""
    primary: bool = False
    remote_id: str | None = None
    updated_at: datetime | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class PulledPerson:
    """`untold` are the fields that the answer left out, in the order of their names: a sign-in that may see little sees fewer of them."""

    remote_id: str
    identity: Identity
    child: bool = False
    gender: str = ""
    status: str = ACTIVE
    membership: str = ""
    campus_remote_id: str | None = None
    updated_at: datetime | None = None
    contacts: Sequence[PulledContact] | None = None
    addresses: Sequence[PulledAddress] | None = None
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class PulledMember:
    """`role` and `remote_id` of a household membership are told by the household's own page only; `primary` by the household."""

    person_remote_id: str
    role: str | None = None
    remote_id: str | None = None


@dataclass(frozen=True)
class PulledFamily:
    """`whole` says whether `members` are all that there are: of a list that is shorter than Planning Center's own count nobody left."""

    remote_id: str
    name: str
    primary_contact_remote_id: str | None = None
    updated_at: datetime | None = None
    members: Sequence[PulledMember] | None = None
    whole: bool = True


@dataclass(frozen=True)
class PulledArea:
    """A group type."""

    remote_id: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class PulledGroup:
    remote_id: str
    name: str
    area: PulledArea
    schedule: str = ""
    description: str = ""
    contact_email: str = ""
    listed: bool = False
    enrollment: str = ""
    enrollment_strategy: str = ""
    members_are_confidential: bool = False
    church_center_url: str | None = None
    memberships_count: int | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True)
class PulledMembership:
    remote_id: str
    person_remote_id: str
    role: str
    joined_at: datetime | None = None


@dataclass
class Tally:
    """How pulled records fared: new here, changed here, as they were; and how many new conflicts were found."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    conflicts: int = 0
    remote_ids: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.created + self.updated + self.skipped
