"""What of a group stands on both sides, as values that can be compared: its name, when it meets, its type and its tags.

A type is told by the id of Planning Center's group type (our area), tags by their sorted ids; None where they were never read.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from connectcard.database import db
from connectcard.people.models import Area, Group, GroupTag

NAME, SCHEDULE, TYPE, TAGS = "name", "schedule", "group_type", "tags"
LONGEST = {NAME: 300, SCHEDULE: 300}
# Planning Center's own bucket for groups of no type; nobody can choose it.
NO_TYPE = "unique"


def values_of(group: Group) -> dict[str, Any]:
    """The values of a group by their names."""
    return {NAME: group.name, SCHEDULE: group.schedule, TYPE: group.area.remote_id or "", TAGS: group.tag_ids}


def set_values(group: Group, values: Mapping[str, Any]) -> None:
    """Set some of them. A type that is not known here (any more) is left as it is."""
    for name in (NAME, SCHEDULE):
        if name in values:
            setattr(group, name, values[name])
    if TAGS in values:
        group.tag_ids = values[TAGS]
    area = find_type(values[TYPE]) if values.get(TYPE) else None
    if area is not None:
        group.area = area


def find_type(remote_id: str) -> Area | None:
    """The area that stands for a group type."""
    return db.session.scalars(select(Area).where(Area.remote_id == remote_id)).first()


def types() -> list[Area]:
    """The group types that somebody can choose, by name."""
    there = Area.remote_id.is_not(None), Area.remote_id != NO_TYPE, Area.gone_at.is_(None)
    return list(db.session.scalars(select(Area).where(*there).order_by(Area.name, Area.id)))


def tags() -> list[GroupTag]:
    """The tags that the church has, by their groups, as Planning Center last showed them."""
    return list(db.session.scalars(select(GroupTag).order_by(GroupTag.tag_group, GroupTag.position, GroupTag.name)))


def value_in_words(name: str, value: Any) -> str:
    """A value as staff read it; "" for nothing."""
    if name == TYPE:
        area = find_type(str(value or ""))
        return area.name if area else ""
    return ", ".join(tag_names(value or ())) if name == TAGS else str(value or "")


def tag_names(ids: Iterable[str]) -> list[str]:
    """What tags are called, in the order of the church's tags; one that is not known keeps its id."""
    known = {tag.remote_id: tag.name for tag in tags()}
    wanted = set(ids)
    return [name for remote_id, name in known.items() if remote_id in wanted] + [f"#{one}" for one in sorted(wanted - known.keys())]
