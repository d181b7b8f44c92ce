"""Planning Center's Household is our family. Who is in it comes with the list; their roles are told by its own memberships only."""

from collections.abc import Sequence
from dataclasses import replace

from connectcard.people.families import take_in_families
from connectcard.people.models import Family
from connectcard.people.pulled import PulledFamily, PulledMember
from connectcard.planning_center import Record
from connectcard.planning_center.resources import people
from connectcard.sync.mappings._core import Mapping, fitting, moment


def read(record: Record, _country_code: str = "") -> PulledFamily:
    """A record as our value. Members are None where the answer names none and does not count none either: empty is not none."""
    named, counted = tuple(PulledMember(ref.id) for ref in record.related("people")), record["member_count"]
    told = "people" in record.relationships and (named or counted == 0)
    contact = next((ref.id for ref in record.related("primary_contact")), None) or record["primary_contact_id"]
    return PulledFamily(
        remote_id=record.id,
        name=fitting(record["name"], 200),
        primary_contact_remote_id=str(contact) if contact else None,
        updated_at=moment(record["updated_at"]),
        members=named if told else None,
        whole=not isinstance(counted, int) or len(named) >= counted,
    )


def with_roles(family: PulledFamily, memberships: Sequence[Record]) -> PulledFamily:
    """The same family with the roles that its memberships tell; who is in it is all told where as many are named as in its list."""
    members = [PulledMember(ref.id, fitting(row["household_role"], 24), row.id) for row in memberships for ref in row.related("person")[:1]]
    return replace(family, members=tuple(members), whole=family.whole and len(members) >= len(family.members or ()))


MAPPING = Mapping(
    name="families",
    words="Families",
    resource=people.HOUSEHOLD,
    model=Family,
    read=read,
    take_in=take_in_families,
    include=("people",),
    changed_by="updated_at",
)
