"""Groups: taking them in below their department and area, who is in them, and what pages and cards ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import NotFound
from connectcard.people import conflicts, ownership
from connectcard.people.families import people_of
from connectcard.people.group_values import NAME, SCHEDULE, TAGS, TYPE
from connectcard.people.marks import value_mark
from connectcard.people.models import GROUP, Area, Department, Group, GroupMembership, GroupTag
from connectcard.people.operations import marking_key
from connectcard.people.pulled import PulledArea, PulledGroup, PulledMembership, Tally

DEPARTMENT = "PCO Groups"
TWO_SIDED = (NAME, SCHEDULE)
AS_TOLD = (
    "description", "contact_email", "listed", "enrollment", "enrollment_strategy", "members_are_confidential", "church_center_url",
    "memberships_count", "archived_at",
)  # fmt: skip


def open_groups() -> list[Group]:
    """The groups that a card may offer to join, by name, with their areas."""
    wanted = select(Group).where(Group.listed, Group.enrollment == "open", Group.archived_at.is_(None), Group.gone_at.is_(None))
    return list(db.session.scalars(wanted.options(joinedload(Group.area)).order_by(Group.name, Group.id)))


def membership_in(group_remote_id: str, person_remote_id: str) -> GroupMembership | None:
    """Somebody's place in a group, a new one where they have none yet; None where we do not know the group. Inside `transaction()`."""
    group = find_group(group_remote_id)
    if group is None:
        return None
    of_them = GroupMembership.group_id == group.id, GroupMembership.person_remote_id == person_remote_id
    row = db.session.scalars(select(GroupMembership).where(*of_them)).first()
    if row is None:
        person_id = people_of([person_remote_id]).get(person_remote_id)
        row = _ours(group.id, person_id) or GroupMembership(group_id=group.id, person_id=person_id)
        db.session.add(row)
    return row


def _ours(group_id: UUID, person_id: UUID | None) -> GroupMembership | None:
    """Whom we put in here and who was not sent yet."""
    of_them = GroupMembership.group_id == group_id, GroupMembership.person_id == person_id
    return db.session.scalars(select(GroupMembership).where(*of_them)).first() if person_id else None


def get_group(group_id: UUID) -> Group:
    """A group of this church. Raises NotFound."""
    group = db.session.scalars(select(Group).where(Group.id == group_id)).first()
    if group is None:
        raise NotFound("There is no such group.")
    return group


def find_group(remote_id: str) -> Group | None:
    """The group with this id in Planning Center."""
    return db.session.scalars(select(Group).where(Group.remote_id == remote_id)).first()


def take_in_groups(pulled: Sequence[PulledGroup], at: datetime) -> Tally:
    """Store groups as Planning Center showed them at a moment, unless they were read or went since. Inside `transaction()`."""
    tally, key, owned = Tally(), marking_key(), ownership.owners()
    areas = take_in_areas([one.area for one in pulled], at)
    known = {row.remote_id: row for row in db.session.scalars(select(Group).where(Group.remote_id.in_([one.remote_id for one in pulled])))}
    for one in pulled:
        row, mark = known.get(one.remote_id), value_mark(key, one)
        if row is not None and _is_known_since(row, at):
            row.seen_at, tally.skipped = max(at, row.seen_at or at), tally.skipped + 1
            continue
        stands = row is not None and (row.area_id == areas[one.area.remote_id].id or TYPE in (row.edits or {}))
        if row is not None and row.remote_mark == mark and row.gone_at is None and stands:
            tally.skipped += 1
        else:
            tally.created, tally.updated = tally.created + (row is None), tally.updated + (row is not None)
            row = known[one.remote_id] = _renewed(row or Group(remote_id=one.remote_id), one, areas, owned, key, tally)
            row.remote_mark = mark
        row.seen_at, row.gone_at = at, None
        db.session.add(row)
    db.session.flush()
    return tally


def _is_known_since(row: Group, at: datetime) -> bool:
    """Whether it was read after that moment, or went: no group says when it changed."""
    return any(since is not None and since > at for since in (row.seen_at, row.gone_at))


def _renewed(row: Group, one: PulledGroup, areas: Mapping[str, Area], owned: Mapping[str, str], key: str, tally: Tally) -> Group:
    for name in AS_TOLD:
        setattr(row, name, getattr(one, name))
    theirs = {**{name: getattr(one, name) for name in TWO_SIDED}, TYPE: one.area.remote_id}
    if row.seen_at is None:
        _put(row, theirs, areas)
        return row
    type_of = {area.id: remote_id for remote_id, area in areas.items()}
    ours = {**{name: getattr(row, name) for name in TWO_SIDED}, TYPE: type_of.get(row.area_id, "")}
    values, found = _reconciled(row, ours, theirs, owned, key)
    _put(row, values, areas)
    tally.conflicts += found
    return row


def _reconciled(
    row: Group, ours: Mapping[str, Any], theirs: Mapping[str, Any], owned: Mapping[str, str], key: str
) -> tuple[dict[str, Any], int]:
    """The values that stand, and how many new conflicts there are. Edits of what Planning Center does not show here stay."""
    found = ownership.reconcile(GROUP, ours, theirs, row.edits, owned, key)
    beside = {name: edit for name, edit in (row.edits or {}).items() if name not in theirs}
    row.edits = {**beside, **found.edits} or None
    conflicts.settle_agreed(row.id, found.agreed)
    return found.values, conflicts.note(GROUP, row.id, found.conflicts, None)


def _put(row: Group, values: Mapping[str, Any], areas: Mapping[str, Area]) -> None:
    for name in TWO_SIDED:
        setattr(row, name, values[name])
    row.area_id = areas[values[TYPE]].id


def take_in_tags(row: Group, tag_ids: Sequence[str]) -> None:
    """The tags of a group as Planning Center shows them now; what was changed here stays until it was sent. Inside `transaction()`."""
    theirs = sorted(tag_ids)
    if row.tag_ids is None:
        row.tag_ids = theirs
        return
    values, _ = _reconciled(row, {TAGS: row.tag_ids}, {TAGS: theirs}, ownership.owners(), marking_key())
    row.tag_ids = values[TAGS]
    db.session.flush()


def keep_tags(found: Sequence[GroupTag]) -> None:
    """All tags that the church has, as Planning Center shows them now. Inside `transaction()`."""
    known = {row.remote_id: row for row in db.session.scalars(select(GroupTag))}
    for one in found:
        row = known.pop(one.remote_id, None) or GroupTag(remote_id=one.remote_id)
        row.name, row.tag_group, row.position = one.name, one.tag_group, one.position
        db.session.add(row)
    for left in known.values():
        db.session.delete(left)
    db.session.flush()


def take_in_areas(pulled: Sequence[PulledArea], at: datetime) -> dict[str, Area]:
    """The group types as areas of the department that pulled groups come under; ours may be renamed or moved elsewhere."""
    known = {row.remote_id or "": row for row in db.session.scalars(select(Area).where(Area.remote_id.is_not(None)))}
    for one in {each.remote_id: each for each in pulled}.values():
        area = known.get(one.remote_id)
        if area is None:
            area = known[one.remote_id] = Area(remote_id=one.remote_id, department_id=department().id, name=one.name)
            db.session.add(area)
        area.name, area.description = one.name or area.name, one.description or area.description
        area.seen_at, area.gone_at = at, None
    db.session.flush()
    return known


def department() -> Department:
    """Where pulled groups come under; made when first needed, and known by its mark, whatever it is called later."""
    found = db.session.scalars(select(Department).where(Department.from_planning_center)).first()
    if found is None:
        named = db.session.scalars(select(Department).where(Department.name == DEPARTMENT)).first()
        found = named or Department(name=DEPARTMENT)
        found.from_planning_center = True
        db.session.add(found)
        db.session.flush()
    return found


def take_in_memberships(group: Group, pulled: Sequence[PulledMembership], at: datetime) -> Tally:
    """Who is in a group at a moment, all of them, unless they were read since: who is new, whose role changed, and who left.

    Who joined since is not among them. Inside `transaction()`.
    """
    tally = Tally()
    if group.members_read_at is not None and group.members_read_at > at:
        return tally
    rows = list(db.session.scalars(select(GroupMembership).where(GroupMembership.group_id == group.id)))
    people = people_of(one.person_remote_id for one in pulled)
    there = {row.person_remote_id: row for row in rows if row.person_remote_id}
    ours = {row.person_id: row for row in rows if row.person_remote_id is None}
    for one in {each.person_remote_id: each for each in pulled}.values():
        person_id = people.get(one.person_remote_id)
        row = there.pop(one.person_remote_id, None) or ours.get(person_id)
        tally.created += row is None
        row = row or GroupMembership(group_id=group.id)
        _count_change(row, one, tally)
        _take_in(row, one, person_id)
    for left in (row for row in there.values() if row.joined_at is None or row.joined_at <= at):
        tally.updated += left.gone_at is None
        left.gone_at = left.gone_at or now()
    group.members_read_at = at
    db.session.flush()
    return tally


def _count_change(row: GroupMembership, one: PulledMembership, tally: Tally) -> None:
    if row.person_remote_id is not None:
        same = (row.role, row.joined_at, row.remote_id, row.gone_at) == (one.role, one.joined_at, one.remote_id, None)
        tally.skipped, tally.updated = tally.skipped + same, tally.updated + (not same)


def _take_in(row: GroupMembership, one: PulledMembership, person_id: Any) -> None:
    row.person_remote_id, row.person_id = one.person_remote_id, person_id or row.person_id
    row.role, row.joined_at, row.remote_id, row.gone_at, row.added_here_at = one.role, one.joined_at, one.remote_id, None, None
    db.session.add(row)
