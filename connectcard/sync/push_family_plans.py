"""What is to be written for a family of our directory. Pure.

Nobody is moved: whoever is in another household there stays in it, and staff are told. A family of ours is a household there where
that household holds nobody else. Members who are not in Planning Center yet are said, not made here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from connectcard.people.marks import value_mark
from connectcard.people.models import HERE
from connectcard.sync.families import ADULT, DEPENDENT, PARENT, member_label
from connectcard.sync.plans import ADD_MEMBER, CREATE_HOUSEHOLD, PlannedStep

RENAME_HOUSEHOLD = "rename_household"
FEWEST = 2

NOT_THERE = "Not in Planning Center yet: say who this is, or send them first."
ELSEWHERE = "In another household in Planning Center (“{}”). Nobody is moved; move them there if that is right."
TOO_FEW = "A household needs two people who can be put into it."
BOTH_SIDES = "The name was changed here and in Planning Center. Decide which of both stands, then send again."


@dataclass(frozen=True)
class OurMember:
    """Somebody of the family. `number` stands for them where no name is kept; who `comes` is on the way to Planning Center."""

    number: int
    person_id: UUID | None
    remote_id: str | None
    role: str
    child: bool
    primary: bool
    comes: bool = False

    @property
    def known(self) -> str:
        """Who it is, before and after they are there."""
        return str(self.person_id or self.remote_id)

    @property
    def label(self) -> str:
        return member_label(self.number)


@dataclass(frozen=True)
class OurFamily:
    """A family as a value; `members` are those who are in it now, `new` those of them who were put into it here."""

    remote_id: str | None
    name: str
    edit: Mapping[str, Any] | None
    members: tuple[OurMember, ...]
    new: frozenset[int]
    owner: str
    key: str


@dataclass(frozen=True)
class Household:
    """A household there and everybody in it."""

    remote_id: str
    name: str
    people: frozenset[str]


@dataclass(frozen=True)
class FamilyPlan:
    """`household` is the one that the family is there already, None where one is to be made."""

    steps: tuple[PlannedStep, ...]
    household: str | None


def plan_family(family: OurFamily, households: Sequence[Household]) -> FamilyPlan:
    """`households` are all those in which anybody of the family is, and the family's own one, if it is linked."""
    own = _own(family, households)
    placed = [(member, _problem(member, own, households)) for member in family.members if _wanted(family, member, own)]
    joining = [member for member, problem in placed if not problem]
    left_out = [_left_out(family, member, problem) for member, problem in placed if problem]
    if own is not None:
        return FamilyPlan((*_renamed(family, own), *left_out, *(_joins(family, one, own.remote_id) for one in joining)), own.remote_id)
    if len(joining) < FEWEST:
        left_out += [_left_out(family, member, TOO_FEW) for member in joining]
        return FamilyPlan(tuple(left_out), None)
    everybody = _first_first(joining)
    first, *others = [_joins(family, one, None) for one in everybody]
    # A new household stands by its primary contact.
    return FamilyPlan((*left_out, _made(family, everybody), replace(first, required=True), *others), None)


def _own(family: OurFamily, households: Sequence[Household]) -> Household | None:
    if family.remote_id:
        return next((one for one in households if one.remote_id == family.remote_id), None)
    ours = {member.remote_id for member in family.members}
    inside = [one for one in households if one.people and one.people <= ours]
    return inside[0] if len(inside) == 1 else None


def _wanted(family: OurFamily, member: OurMember, own: Household | None) -> bool:
    """Whether somebody is to be put into it: of a household that we pulled, only whom we added."""
    if own is not None and member.remote_id in own.people:
        return False
    return not family.remote_id or member.number in family.new


def _problem(member: OurMember, own: Household | None, households: Sequence[Household]) -> str:
    if member.remote_id is None:
        return "" if member.comes else NOT_THERE
    other = next((one for one in households if one is not own and member.remote_id in one.people), None)
    return ELSEWHERE.format(other.name) if other else ""


def _left_out(family: OurFamily, member: OurMember, problem: str) -> PlannedStep:
    body = _body(family, member, None)
    return PlannedStep(
        ADD_MEMBER, member.known, member.label, body, "", problem, member.number, problem=problem, compared=_compared(body, member)
    )


def _body(family: OurFamily, member: OurMember, household: str | None) -> dict[str, Any]:
    # Whoever is not marked as no longer pending gets an e-mail (reference: recorded responses, #371).
    attributes = {"household_role": member.role or _role(family, member), "pending": False}
    return {"attributes": attributes, "household": household, "person": member.remote_id, "subject": str(member.person_id or "")}


def _role(family: OurFamily, member: OurMember) -> str:
    if member.child:
        return DEPENDENT
    return PARENT if any(one.child for one in family.members) else ADULT


def _joins(family: OurFamily, member: OurMember, household: str | None) -> PlannedStep:
    body, label = _body(family, member, household), f"{member.label} in the household"
    compared = _compared(body, member)
    return PlannedStep(ADD_MEMBER, member.known, label, body, "In the household", member=member.number, compared=compared)


def _compared(body: Mapping[str, Any], member: OurMember) -> dict[str, Any]:
    return {**body, "person": member.known}


def _first_first(joining: Sequence[OurMember]) -> list[OurMember]:
    """With the one in front who is the primary contact of a new household."""
    first = next((one for one in joining if one.primary), None) or next((one for one in joining if not one.child), joining[0])
    return [first, *(one for one in joining if one is not first)]


def _made(family: OurFamily, everybody: Sequence[OurMember]) -> PlannedStep:
    body = {"attributes": {"name": family.name}, "people": [one.remote_id for one in everybody]}
    compared = {**body, "people": [one.known for one in everybody]}
    return PlannedStep(CREATE_HOUSEHOLD, "household", "Household", body, family.name, required=True, compared=compared)


def _renamed(family: OurFamily, own: Household) -> Iterable[PlannedStep]:
    if own.name == family.name or not (family.edit or family.owner == HERE) or not family.remote_id:
        return
    unseen = family.edit is not None and family.edit["base"] != value_mark(family.key, own.name) and family.owner != HERE
    body, before = {"attributes": {"name": family.name}, "was": own.name}, {"name": own.name}
    problem = BOTH_SIDES if unseen else None
    yield PlannedStep(RENAME_HOUSEHOLD, "name", "Family name", body, family.name, own.name, problem=problem, before=before)
