"""Families: taking households in, and what pages ask about them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from connectcard.churches.tenancy import current_church_id
from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import NotFound
from connectcard.people import conflicts, ownership
from connectcard.people.bulk import chunks, upsert
from connectcard.people.contacts import STREET
from connectcard.people.family_addresses import best_address
from connectcard.people.marks import value_mark
from connectcard.people.models import FAMILY, HERE, Address, Family, FamilyMember, Person
from connectcard.people.operations import marking_key
from connectcard.people.pulled import PulledFamily, PulledMember, Tally

RENEWED = ("name", *STREET, "primary_contact_remote_id", "remote_updated_at", "remote_mark", "edits", "seen_at", "gone_at")


def get_family(family_id: UUID) -> Family:
    """A family with its members. Raises NotFound."""
    wanted = select(Family).where(Family.id == family_id).options(selectinload(Family.members).selectinload(FamilyMember.person))
    family = db.session.scalars(wanted).first()
    if family is None:
        raise NotFound("There is no such family.")
    return family


def find_family(remote_id: str) -> Family | None:
    """The family with this id in Planning Center."""
    return db.session.scalars(select(Family).where(Family.remote_id == remote_id)).first()


def link_family(family: Family, remote_id: str) -> Family:
    """Say which household a family of ours is; gives the row that stands for it from now on. Inside `transaction()`.

    Where we know that household already, whom we put into ours goes over to it.
    """
    other = find_family(remote_id)
    if other is None or other.id == family.id:
        family.remote_id, family.seen_at, family.gone_at = remote_id, now(), None
        db.session.flush()
        return family
    known = {member.person_id for member in other.members}
    for member in [one for one in family.members if one.person_id not in known and one.gone_at is None]:
        other.members.append(FamilyMember(church_id=other.church_id, person_id=member.person_id, role=member.role, added_here_at=now()))
    family.gone_at = now()
    db.session.flush()
    return other


def take_in_families(pulled: Sequence[PulledFamily], at: datetime) -> Tally:
    """Store households as Planning Center showed them at a moment, unless they went since. Inside `transaction()`."""
    tally, key, owned = Tally(), marking_key(), ownership.owners()
    latest = {one.remote_id: one for one in pulled}
    known = _known(latest)
    lives_at = _addresses_of({one.primary_contact_remote_id for one in latest.values() if one.primary_contact_remote_id})
    marks = {one.remote_id: _mark(key, one) for one in latest.values()}
    changed = [one for one in latest.values() if not _is_as_it_was(known.get(one.remote_id), one, marks[one.remote_id], at)]
    ids = {one.remote_id: known[one.remote_id].id if one.remote_id in known else uuid4() for one in changed}
    rows = []
    for one in changed:
        address = lives_at.get(one.primary_contact_remote_id or "")
        values, edits = _values(one, known.get(one.remote_id), address, owned, key, tally)
        row = {"id": ids[one.remote_id], "church_id": current_church_id(), "remote_id": one.remote_id, "created_at": at, "seen_at": at}
        standing = {"remote_updated_at": one.updated_at, "remote_mark": marks[one.remote_id], "edits": edits, "gone_at": None}
        rows.append(row | standing | {"primary_contact_remote_id": one.primary_contact_remote_id} | values)
    upsert(Family, ("church_id", "remote_id"), RENEWED, rows)
    renew_members({ids[one.remote_id]: one for one in changed if one.members is not None})
    _mark_seen([row for remote_id, row in known.items() if remote_id not in ids], latest, at)
    tally.created = sum(remote_id not in known for remote_id in ids)
    tally.updated, tally.skipped = len(ids) - tally.created, len(latest) - len(ids)
    return tally


def _mark(key: str, one: PulledFamily) -> str:
    """Of what the list of households tells; what only the household's own page tells is left out."""
    members = None if one.members is None else sorted(member.person_remote_id for member in one.members)
    told = (one.name, one.primary_contact_remote_id, members)
    return value_mark(key, told if one.whole else (*told, "in part"))


def _is_as_it_was(row: Family | None, one: PulledFamily, mark: str, at: datetime) -> bool:
    if row is not None and row.gone_at is not None:
        return row.gone_at > at and not _is_later(one, row.gone_at)
    told_more = any(member.role is not None for member in one.members or ())
    same = row is not None and row.remote_mark == mark and not told_more
    return row is not None and (same or _is_older(one, row) or _was_read_since(one, row, at))


def _is_later(one: PulledFamily, moment: datetime | None) -> bool:
    """Whether it changed after a moment."""
    return one.updated_at is not None and (moment is None or one.updated_at > moment)


def _was_read_since(one: PulledFamily, row: Family, at: datetime) -> bool:
    """Whether it was read after that moment, with nothing newer shown now."""
    return row.remote_mark is not None and row.seen_at is not None and row.seen_at > at and not _is_later(one, row.remote_updated_at)


def _is_older(one: PulledFamily, row: Family) -> bool:
    """Whether a later state was stored already: pages and deliveries overtake one another."""
    return one.updated_at is not None and row.remote_updated_at is not None and one.updated_at < row.remote_updated_at


def _known(remote_ids: Collection[str]) -> dict[str, Family]:
    found = (
        row
        for some in chunks(list(remote_ids))
        for row in db.session.scalars(select(Family).where(Family.remote_id.in_(some)).with_for_update())
    )
    return {row.remote_id or "": row for row in found}


def _addresses_of(remote_ids: Collection[str]) -> dict[str, Address | None]:
    """Where each of these people lives."""
    of_person: dict[str, list[Address]] = {}
    for some in chunks(list(remote_ids)):
        wanted = select(Person.remote_id, Address).join(Address, Address.person_id == Person.id).where(Person.remote_id.in_(some))
        for remote_id, address in db.session.execute(wanted):
            of_person.setdefault(remote_id or "", []).append(address)
    return {remote_id: best_address(addresses) for remote_id, addresses in of_person.items()}


def _values(
    one: PulledFamily, row: Family | None, address: Address | None, owned: dict[str, str], key: str, tally: Tally
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    lives_at = {name: getattr(address, name) if address else "" for name in STREET}
    if row is None:
        return {"name": one.name} | lives_at, None
    found = ownership.reconcile(FAMILY, {"name": row.name}, {"name": one.name}, row.edits, owned, key)
    conflicts.settle_agreed(row.id, found.agreed)
    tally.conflicts += conflicts.note(FAMILY, row.id, found.conflicts, one.updated_at)
    edits = found.edits | {name: edit for name, edit in (row.edits or {}).items() if name == "address"}
    if "address" in edits or owned["family.address"] == HERE:
        lives_at = {name: getattr(row, name) for name in STREET}
    return found.values | lives_at, edits or None


def _mark_seen(rows: Sequence[Family], latest: Mapping[str, PulledFamily], at: datetime) -> None:
    for row in rows:
        one = latest[row.remote_id or ""]
        row.seen_at = max(at, row.seen_at or at)
        row.remote_updated_at = row.remote_updated_at if _is_older(one, row) else one.updated_at
    db.session.flush()


def renew_members(told: dict[UUID, PulledFamily]) -> None:
    """Who is in these families: who is new, and who left; somebody whom we put in ourselves stays."""
    rows = _members_of(told)
    people = people_of(member.person_remote_id for one in told.values() for member in one.members or ())
    new: list[dict[str, Any]] = []
    for family_id, one in told.items():
        there = {row.person_remote_id: row for row in rows if row.family_id == family_id and row.person_remote_id}
        ours = {row.person_id: row for row in rows if row.family_id == family_id and row.person_remote_id is None}
        for member in {each.person_remote_id: each for each in one.members or ()}.values():
            person_id = people.get(member.person_remote_id)
            row = there.pop(member.person_remote_id, None) or ours.get(person_id)
            primary = member.person_remote_id == one.primary_contact_remote_id
            if row is None:
                new.append(_member_row(family_id, member, person_id, primary))
            else:
                _renew_member(row, member, person_id, primary)
        for left in there.values() if one.whole else ():
            left.gone_at = left.gone_at or now()
    db.session.flush()
    upsert(FamilyMember, None, (), new)


def _members_of(family_ids: Iterable[UUID]) -> list[FamilyMember]:
    return [
        row for some in chunks(list(family_ids)) for row in db.session.scalars(select(FamilyMember).where(FamilyMember.family_id.in_(some)))
    ]


def people_of(remote_ids: Iterable[str]) -> dict[str, UUID]:
    """The ids of the people whom we know, by their id in Planning Center."""
    wanted = list(dict.fromkeys(remote_ids))
    found = (
        row for some in chunks(wanted) for row in db.session.execute(select(Person.remote_id, Person.id).where(Person.remote_id.in_(some)))
    )
    return {remote_id: person_id for remote_id, person_id in found if remote_id}


def _member_row(family_id: UUID, member: PulledMember, person_id: UUID | None, primary: bool) -> dict[str, Any]:
    told = {"person_remote_id": member.person_remote_id, "role": member.role or "", "remote_id": member.remote_id, "primary": primary}
    return {"id": uuid4(), "church_id": current_church_id(), "family_id": family_id, "person_id": person_id} | told


def _renew_member(row: FamilyMember, member: PulledMember, person_id: UUID | None, primary: bool) -> None:
    row.person_remote_id, row.person_id, row.primary = member.person_remote_id, person_id or row.person_id, primary
    row.role = row.role if member.role is None else member.role
    row.remote_id, row.gone_at, row.added_here_at = member.remote_id or row.remote_id, None, None
