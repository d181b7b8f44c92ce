"""One record read again from Planning Center and taken in exactly as a pull takes it in.

Somebody who is not there any more was merged (then what we have of them goes over to whom they were merged into) or deleted; what was
deleted is marked gone. Each call is its own short transaction; none is open while Planning Center is spoken to.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select, update

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.connections.checks import sees_all_groups
from connectcard.database import begins_anew, db, end_reading, transaction
from connectcard.people.families import find_family
from connectcard.people.groups import find_group, take_in_memberships
from connectcard.people.models import FAMILY, GROUP, PERSON, Family, FamilyMember, Group, GroupMembership
from connectcard.people.pulled import Tally
from connectcard.people.queries import find_person
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Gone, Merged
from connectcard.planning_center.resources import groups, people
from connectcard.sync import moves
from connectcard.sync.group_tags import refresh_tags
from connectcard.sync.mappings import FAMILIES, GROUPS, PEOPLE
from connectcard.sync.mappings.families import with_roles
from connectcard.sync.mappings.memberships import read as read_membership

CREATED, UPDATED, AS_IT_WAS, MERGED, GONE, UNKNOWN = "created", "updated", "as it was", "merged", "gone", "unknown"
HIDDEN = "hidden"


@dataclass(frozen=True)
class Refreshed:
    """What came of it: created, updated, as it was, merged (into `kept`), gone, unknown: not there and never was here; or hidden, a group
    that is not shown to whoever connected, whether it is there or not."""

    outcome: str
    kept: str | None = None
    conflicts: int = 0


def _outcome(tally: Tally) -> Refreshed:
    outcome = CREATED if tally.created else UPDATED if tally.updated else AS_IT_WAS
    return Refreshed(outcome, conflicts=tally.conflicts)


@begins_anew
def refresh_person(remote_id: str, client: Client) -> Refreshed:
    """Read a person again with contacts and addresses."""
    country, at = get_church().country_code, now()
    end_reading()
    try:
        record = client.get(people.PERSON, remote_id, include=PEOPLE.include)
    except Merged as moved:
        with transaction():
            moves.follow({remote_id: moved.kept_id})
        refresh_person(moved.kept_id, client)
        return Refreshed(MERGED, moved.kept_id)
    except Gone:
        with transaction():
            known = find_person(remote_id) is not None
            moves.follow({remote_id: None})
        return Refreshed(GONE if known else UNKNOWN)
    with transaction():
        return _outcome(PEOPLE.take_in([PEOPLE.read(record, country)], at))


@begins_anew
def refresh_family(remote_id: str, client: Client) -> Refreshed:
    """Read a family again with the roles of its members, which the list of households does not tell."""
    at = now()
    end_reading()
    try:
        record = client.get(people.HOUSEHOLD, remote_id, include=FAMILIES.include)
        memberships = list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=remote_id))
    except Gone:
        with transaction():
            return _marked_gone(find_family(remote_id))
    with transaction():
        family = FAMILIES.read(record, "")
        told = bool(memberships) or record["member_count"] == 0
        tally = FAMILIES.take_in([with_roles(family, memberships) if told else family], at)
        db.session.execute(update(Family).where(Family.remote_id == remote_id).values(roles_read_at=at))
        return _outcome(tally)


def refresh_families_of(person_remote_id: str, client: Client) -> Refreshed:
    """Read again the families that somebody is in, there or here."""
    here = select(Family.remote_id).join(FamilyMember, FamilyMember.family_id == Family.id)
    known = here.where(FamilyMember.person_remote_id == person_remote_id, FamilyMember.gone_at.is_(None), Family.gone_at.is_(None))
    ids = [remote_id for remote_id in db.session.scalars(known) if remote_id]
    end_reading()
    try:
        ids += [record.id for record in client.iterate(people.PERSON_HOUSEHOLD, parent_id=person_remote_id)]
    except Gone:
        return refresh_person(person_remote_id, client)
    found = [refresh_family(remote_id, client) for remote_id in dict.fromkeys(ids)]
    return next((one for one in found if one.outcome != AS_IT_WAS), found[0] if found else Refreshed(AS_IT_WAS))


@begins_anew
def refresh_group(remote_id: str, client: Client) -> Refreshed:
    """Read a group again; who is in it is read by `refresh_memberships`."""
    at = now()
    end_reading()
    try:
        record = client.get(groups.GROUP, remote_id, include=GROUPS.include)
    except Gone:
        if not sees_all_groups(client):
            return Refreshed(HIDDEN)
        with transaction():
            return _marked_gone(find_group(remote_id))
    with transaction():
        return _outcome(GROUPS.take_in([GROUPS.read(record, "")], at))


@begins_anew
def refresh_memberships(group_remote_id: str, client: Client) -> Refreshed:
    """Read again who is in a group. A list that is empty although the group counts members changes nothing."""
    if find_group(group_remote_id) is None:
        refresh_group(group_remote_id, client)
    at = now()
    end_reading()
    try:
        records = list(client.iterate(groups.MEMBERSHIP, parent_id=group_remote_id))
        counted = 1 if records else client.get(groups.GROUP, group_remote_id)["memberships_count"]
    except Gone:
        return refresh_group(group_remote_id, client)
    with transaction():
        group = find_group(group_remote_id)
        members = [one for one in map(read_membership, records) if one is not None]
        if group is None or (counted and not members):
            return Refreshed(UNKNOWN)
        return _outcome(take_in_memberships(group, members, at))


def _marked_gone(row: Family | Group | None) -> Refreshed:
    """A family or group that is not there any more: nobody is in it there, and it is kept here as gone."""
    if row is None:
        return Refreshed(UNKNOWN)
    row.gone_at = row.gone_at or now()
    members = (
        select(FamilyMember).where(FamilyMember.family_id == row.id)
        if isinstance(row, Family)
        else select(GroupMembership).where(GroupMembership.group_id == row.id)
    )
    for member in db.session.scalars(members):
        member.gone_at = member.gone_at or (now() if member.person_remote_id else None)
    db.session.flush()
    return Refreshed(GONE)


def _refresh_all_of_a_group(remote_id: str, client: Client) -> Refreshed:
    found = refresh_group(remote_id, client)
    if found.outcome in (GONE, UNKNOWN, HIDDEN):
        return found
    refresh_tags(remote_id, client)
    return refresh_memberships(remote_id, client)


REFRESH: dict[str, Callable[[str, Client], Refreshed]] = {
    PERSON: refresh_person,
    FAMILY: refresh_family,
    GROUP: _refresh_all_of_a_group,
}
