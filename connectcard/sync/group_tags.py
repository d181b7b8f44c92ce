"""The tags of a group, and all tags that the church has, read when somebody opens a group: a pull of all groups does not tell them."""

from connectcard.database import end_reading, transaction
from connectcard.people.groups import find_group, keep_tags, take_in_tags
from connectcard.people.models import GroupTag
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Forbidden
from connectcard.planning_center.resources import groups
from connectcard.sync.mappings._core import fitting


def refresh_tags(remote_id: str, client: Client) -> None:
    """Read them again. Whoever connected may see groups and no tags: then they stay unknown."""
    end_reading()
    try:
        own, known = read_tags(remote_id, client), _all_tags(client)
    except Forbidden:
        return
    with transaction():
        row = find_group(remote_id)
        keep_tags(known)
        if row is not None:
            take_in_tags(row, own)


def read_tags(remote_id: str, client: Client) -> list[str]:
    """The ids of a group's tags, sorted."""
    return sorted(record.id for record in client.iterate(groups.GROUP_TAG, parent_id=remote_id))


def _all_tags(client: Client) -> list[GroupTag]:
    found = []
    for above in list(client.iterate(groups.TAG_GROUP)):
        for tag in client.iterate(groups.TAG, parent_id=above.id):
            found.append(
                GroupTag(
                    remote_id=tag.id,
                    name=fitting(tag["name"], 200),
                    tag_group=fitting(above["name"], 200),
                    position=int(tag["position"] or 0),
                )
            )
    return found
