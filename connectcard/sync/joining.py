"""Looking at the group that a card wants to join: in our directory, and in Planning Center at the moment of the sync. Never writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.database import db
from connectcard.people.models import Group
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Forbidden, Gone, ProductUnavailable, ScopeMissing
from connectcard.planning_center.resources import groups
from connectcard.sync.group_wishes import BY_HAND, NO_GROUP, NOT_CHOSEN, TO_DO, GroupNow, WantedGroup
from connectcard.sync.group_writes import find_membership, said
from connectcard.sync.mappings.groups import read


def wanted_group(answer: Mapping[str, Any] | None, church: Church) -> WantedGroup | None:
    """What a card's answer wants, as our directory knows the group."""
    if not answer:
        return None
    wanted = WantedGroup(str(answer["id"]), str(answer["name"]))
    row = db.session.scalars(select(Group).where(Group.id == UUID(wanted.key))).first()
    if row is None or row.remote_id is None or row.gone_at is not None:
        return replace(wanted, by_hand=NO_GROUP.format(wanted.name))
    if not church.sends_memberships:
        return replace(wanted, by_hand=f"{NOT_CHOSEN} {BY_HAND.format(wanted.name)}")
    return replace(wanted, remote_id=row.remote_id)


def group_now(wanted: WantedGroup | None, person: str | None, client: Client) -> GroupNow:
    """Look at the group, and whether somebody who is there already is in it."""
    if wanted is None or wanted.by_hand:
        return GroupNow()
    try:
        group = read(client.get(groups.GROUP, wanted.remote_id, include=("enrollment",)))
        role = _role_in(wanted.remote_id, person, client) if person else ""
    except Gone:
        return GroupNow(problem=NO_GROUP.format(wanted.name))
    except (Forbidden, ProductUnavailable, ScopeMissing) as error:
        return GroupNow(problem=TO_DO.format(f"“{said(error)}”"))
    return GroupNow(group, role)


def _role_in(group: str, person: str, client: Client) -> str:
    """What they are in the group already; "" for nothing. Whom Groups does not know yet is in none."""
    try:
        membership = find_membership(group, person, client)
    except Gone:
        return ""
    return str(membership["role"] or "member") if membership else ""
