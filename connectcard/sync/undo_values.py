"""What an undo has to know, as values: what a run wrote, and how everything that it was about stands now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from connectcard.sync import plans

# What is on a person besides contacts, field data, notes and workflow cards.
HOUSEHOLD, GROUP = "household", "group"
# A record on a person by its kind and id; and a step of an undo by its kind and the record that it takes back.
Mark = tuple[str, str]


@dataclass(frozen=True)
class Written:
    """What one step of the run wrote. `person` is on whom, `after` what Planning Center answered; `said` is the key that a card which
    says the same has."""

    id: UUID
    kind: str
    member: int
    label: str
    key: str
    remote_id: str
    sent_at: datetime
    done_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    found: bool = False
    person: str | None = None
    said: str = ""

    @property
    def mark(self) -> Mark:
        """What it made, as it stands on a person."""
        if self.kind == plans.ADD_MEMBER:
            return HOUSEHOLD, str(self.body.get("household"))
        kind = {plans.CREATE_HOUSEHOLD: HOUSEHOLD, plans.ADD_TO_GROUP: GROUP}.get(self.kind, self.kind)
        return kind, self.remote_id


@dataclass(frozen=True)
class Standing:
    """How a person stands now. `parts` are contacts, field data, notes and open workflow cards by the kind of step that makes one
    and their id; `households` the ids of theirs, `groups` those of their memberships."""

    attributes: Mapping[str, Any]
    parts: Mapping[Mark, Mapping[str, Any]] = field(default_factory=dict)
    households: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def marks(self) -> set[Mark]:
        """Everything on them."""
        return {*self.parts, *((HOUSEHOLD, one) for one in self.households), *((GROUP, one) for one in self.groups)}


@dataclass(frozen=True)
class HouseholdThen:
    """A household as it stands now; `members` are the ids of memberships, and whose they are with which role."""

    name: str
    primary_contact: str
    members: Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True)
class Beside:
    """What another item of the same run wrote on a person, when, and the step of its own undo that takes it back."""

    done_at: datetime
    taken_by: Mark


@dataclass(frozen=True)
class Elsewhere:
    """What stands in our own books besides. `said` are kinds and keys of what other cards say, each with its person; `reached` the people
    of these cards, `at_home` those of one household by them; `later` says that the same item was written in a later run too."""

    said: Collection[tuple[str | None, str, str]] = ()
    reached: Collection[str | None] = ()
    at_home: Collection[str | None] = ()
    later: bool = False


@dataclass(frozen=True)
class Look:
    """Everything that was looked at. A person who is None is gone; `merged` are those who were merged. `memberships` are those of
    groups by their ids: None is gone, {} is not shown. `beside` is by person what other items of the run wrote on them, `later` what
    later runs did. `groups` are the values of groups by their ids, None where one is gone."""

    people: Mapping[str, Standing | None]
    households: Mapping[str, HouseholdThen | None] = field(default_factory=dict)
    merged: Collection[str] = ()
    elsewhere: Elsewhere = Elsewhere()
    memberships: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    beside: Mapping[str, Mapping[Mark, Beside]] = field(default_factory=dict)
    later: Collection[Mark] = ()
    groups: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
