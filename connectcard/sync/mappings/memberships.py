"""Who is in a group and as what. A membership has no time of change and leaves no trace: each group's list is read whole."""

from connectcard.people.models import LEADER, MEMBER
from connectcard.people.pulled import PulledMembership
from connectcard.planning_center import Record
from connectcard.sync.mappings._core import moment


def read(record: Record) -> PulledMembership | None:
    """A record as our value; None for one of a person whom Planning Center does not name (stale rows of Groups have no id)."""
    people = record.related("person")
    if not people:
        return None
    return PulledMembership(record.id, people[0].id, LEADER if record["role"] == LEADER else MEMBER, moment(record["joined_at"]))
