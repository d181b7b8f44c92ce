"""A card's family: who of them is in the visitor's household already, who is to be made, and who is left to staff. Pure.

Somebody is recognised only inside the visitor's own households. Of a name that stands elsewhere in Planning Center nobody is made,
since that would be the same person twice, and nobody is linked, since a name alone proves nothing: staff are told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectcard.people.identity import same_first_name
from connectcard.people.matching import Comparison

VISITOR, SPOUSE, FIRST_CHILD = 0, 1, 2
ADULT, PARENT, DEPENDENT = "adult", "parent_guardian", "child_or_dependent"

NO_FIRST_NAME = "There is no first name on the card."
SEVERAL_HOUSEHOLDS = "The visitor is in several households. Add this person to the right one in Planning Center."
ADULT_OF_THIS_NAME = "An adult of the household has this first name. Say on the card whether the child is somebody else."
MERGED_AT_HOME = "Somebody of this name was merged with somebody of the household. Say on the card whether it is them."
NAMESAKE = "Somebody of this name is in Planning Center already, outside this household. Say on the card whether it is them."
LEAD_IN_SEVERAL = "That person is in several households. Add the visitor to the right one in Planning Center."


@dataclass(frozen=True)
class WantedMember:
    """Somebody of the visitor's family. `number` is 1 for the spouse and 2 and more for the children, in the card's order."""

    number: int
    first_name: str
    last_name: str
    remote_id_token: int

    @property
    def child(self) -> bool:
        return self.number >= FIRST_CHILD

    @property
    def label(self) -> str:
        return label_of(self.number)


@dataclass(frozen=True)
class MemberNow:
    """Somebody in a household, as Planning Center shows them."""

    remote_id: str
    names: tuple[str, ...]
    child: bool


@dataclass(frozen=True)
class HouseholdNow:
    remote_id: str
    name: str
    members: tuple[MemberNow, ...]


@dataclass(frozen=True)
class Lead:
    """Somebody whose household a new visitor belongs to, since staff said so."""

    remote_id: str
    last_name: str = ""


@dataclass(frozen=True)
class FamilyNow:
    """The households, by the number of a member those outside of them who have the same name and those anywhere into whom somebody of
    the name was merged, and what staff said of a member: the remote id of who it is, or None for somebody new. With a `lead` the
    households are theirs, else the visitor's."""

    households: tuple[HouseholdNow, ...] = ()
    namesakes: Mapping[int, tuple[Comparison, ...]] = field(default_factory=dict)
    decided: Mapping[int, str | None] = field(default_factory=dict)
    lead: Lead | None = None


@dataclass(frozen=True)
class Placed:
    """One of the family: known already (their remote id), left out (why), or neither and so to be made. `joins`: somebody known who
    is not in the household yet. `namesakes` are those because of whom they are left out."""

    member: WantedMember
    known: str | None = None
    left_out: str = ""
    joins: bool = False
    namesakes: tuple[Comparison, ...] = ()

    @property
    def new(self) -> bool:
        return self.known is None and not self.left_out


@dataclass(frozen=True)
class PlacedFamily:
    """`household` is the one they join, None where one is to be made; `lead_unclear` where the lead is in several."""

    household: HouseholdNow | None
    members: tuple[Placed, ...]
    lead: Lead | None = None
    lead_unclear: bool = False

    @property
    def to_join(self) -> tuple[WantedMember, ...]:
        """Who is put into the household: those who are made, and those whom staff recognised outside of it."""
        return tuple(placed.member for placed in self.members if placed.new or placed.joins)


def members_of(family: Mapping[str, Any], visitor_last_name: str, token_of: Callable[[int], int]) -> tuple[WantedMember, ...]:
    """The family of a card, as it was sealed; who has no last name there has the visitor's. `token_of` gives each their mark."""
    spouse, children = family.get("spouse") or {}, family.get("children") or []
    named = [(SPOUSE, spouse)] * any(spouse.values()) + list(enumerate(children, start=FIRST_CHILD))
    return tuple(
        WantedMember(number, one.get("first_name", ""), one.get("last_name") or visitor_last_name, token_of(number))
        for number, one in named
    )


def label_of(number: int) -> str:
    """What somebody of a family is called where their name must not stand."""
    return {VISITOR: "Visitor", SPOUSE: "Spouse"}.get(number, f"Child {number - FIRST_CHILD + 1}")


def names_for_staff(family: Mapping[str, Any]) -> dict[int, str]:
    """What they are called where staff read: "Leo (child)"."""
    members = members_of(family, "", lambda _number: 0)
    return {member.number: f"{member.first_name} ({'child' if member.child else 'spouse'})" for member in members if member.first_name}


def named(label: str, number: int, names: Mapping[int, str]) -> str:
    """A label with the name in it, for those who may read it: `names` is `names_for_staff`, {} for the others."""
    if number not in names:
        return label
    return label.replace(label_of(number), names[number], 1).replace(member_label(number), names[number], 1)


def member_label(number: int) -> str:
    """What somebody of a family of our directory is called where their name must not stand."""
    return f"Person {number}"


def place(members: tuple[WantedMember, ...], now: FamilyNow) -> PlacedFamily:
    """Say of each whether they are there, are to be made or are left to staff, and which household it is."""
    known = _known(members, now)
    with_known = [household for household in now.households if set(known.values()) & {one.remote_id for one in household.members}]
    joined = _the_only(with_known) or _the_only(now.households)
    several = joined is None and bool(now.households)
    placed = tuple(_place(member, known.get(member.number), now, several) for member in members)
    return PlacedFamily(joined, placed, now.lead, several and now.lead is not None)


def _the_only(households: Any) -> HouseholdNow | None:
    return households[0] if len(households) == 1 else None


def _known(members: tuple[WantedMember, ...], now: FamilyNow) -> dict[int, str]:
    """Whom of the card the households hold, each of them for one only; a father is not his son of the same name."""
    present = {one.remote_id: one for household in now.households for one in household.members}
    known: dict[int, str] = {}
    for member in members:
        found = [one for one in present.values() if one.child == member.child and (_same_name(member, one) or _became(member, one, now))]
        if found:
            known[member.number] = found[0].remote_id
            del present[found[0].remote_id]
    return known


def _became(member: WantedMember, one: MemberNow, now: FamilyNow) -> bool:
    """Whether somebody of the member's name was merged into this one."""
    return one.remote_id in {row.candidate.remote_id for row in now.namesakes.get(member.number, ())}


def _same_name(member: WantedMember, one: MemberNow) -> bool:
    return any(same_first_name(member.first_name, name) for name in one.names)


def _place(member: WantedMember, known: str | None, now: FamilyNow, several: bool) -> Placed:
    adults = [one for household in now.households for one in household.members if not one.child]
    if known:
        return Placed(member, known)
    if not member.first_name:
        return Placed(member, left_out=NO_FIRST_NAME)
    if several:
        return Placed(member, left_out=SEVERAL_HOUSEHOLDS)
    if member.number in now.decided:
        recognised = now.decided[member.number]
        return Placed(member, recognised, joins=recognised is not None)
    if member.child and any(_same_name(member, one) for one in adults):
        return Placed(member, left_out=ADULT_OF_THIS_NAME)
    return Placed(member, left_out=_of_namesakes(member, now), namesakes=now.namesakes.get(member.number, ()))


def _of_namesakes(member: WantedMember, now: FamilyNow) -> str:
    """Why somebody is left to staff because of who has, or had, the same name; "" where nobody does."""
    if any(_became(member, one, now) for household in now.households for one in household.members):
        return MERGED_AT_HOME
    return NAMESAKE if now.namesakes.get(member.number) else ""


def adult_role(family: PlacedFamily) -> str:
    """The household role of the visitor and the spouse."""
    return PARENT if any(placed.member.child for placed in family.members) else ADULT
