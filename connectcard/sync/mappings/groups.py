"""Planning Center's Group is our group, its GroupType our area. Neither says when it changed, so every pass is whole; archived ones too."""

from connectcard.people.groups import take_in_groups
from connectcard.people.models import Group
from connectcard.people.pulled import PulledArea, PulledGroup
from connectcard.planning_center import Record
from connectcard.planning_center.resources import groups
from connectcard.sync.mappings._core import Mapping, fitting, moment

# Planning Center's own bucket for groups that are of no type.
UNIQUE = PulledArea("unique", "Unique groups")


def read(record: Record, _country_code: str = "") -> PulledGroup:
    counted = record["memberships_count"]
    enrollment = next(iter(record.included_of("Enrollment")), None)
    return PulledGroup(
        remote_id=record.id,
        name=fitting(record["name"], 300),
        area=_area(record),
        schedule=fitting(record["schedule"], 300),
        description=fitting(record["description_as_plain_text"], 4000),
        contact_email=fitting(record["contact_email"], 254),
        listed=record["listed"] is True,
        enrollment=fitting(enrollment["status"], 20) if enrollment else "",
        enrollment_strategy=fitting(enrollment["strategy"], 20) if enrollment else "",
        members_are_confidential=record["members_are_confidential"] is True,
        church_center_url=fitting(record["public_church_center_web_url"], 500) or None,
        memberships_count=counted if isinstance(counted, int) and abs(counted) < 2**31 else None,
        archived_at=moment(record["archived_at"]),
    )


def _area(record: Record) -> PulledArea:
    type_ = next(iter(record.included_of("GroupType")), None)
    if type_ is not None:
        return PulledArea(type_.id, fitting(type_["name"], 200), fitting(type_["description"], 2000))
    named = next((ref.id for ref in record.related("group_type")), UNIQUE.remote_id)
    return UNIQUE if named == UNIQUE.remote_id else PulledArea(named, f"Group type {named}")


MAPPING = Mapping(
    name="groups",
    words="Groups",
    resource=groups.GROUP,
    model=Group,
    read=read,
    take_in=take_in_groups,
    include=("enrollment", "group_type"),
    where={"archive_status": "include"},
    product="Groups",
)
