"""What our own directory says once a write of a push was taken back: what staff keep here stays, and stands in Planning Center no more.

It is as it was before it was sent, so that a pull finds neither a difference nor a conflict and nothing that staff wrote is lost.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.families import find_family
from connectcard.people.group_values import values_of
from connectcard.people.identity import base_email
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL, IDENTITY, PHONE, Address, Contact, Family, FamilyMember, Group, GroupMembership, Person
from connectcard.people.operations import marking_key
from connectcard.sync import plans, undo_plans
from connectcard.sync.models import CARD, FAMILY, GROUP, MEMBERSHIP, PERSON, SyncItem
from connectcard.sync.push_contact_plans import STREET
from connectcard.sync.push_person_writes import subject_of, wire_address
from connectcard.sync.push_plans import ours_of
from connectcard.sync.steps import Step


def keep_here(step: Step, item: SyncItem, member_name: str) -> None:
    """Inside `transaction()`: a step of an undo is done that took back what a push wrote for this item."""
    keep = KEEP.get((item.kind, step.kind))
    if keep is not None:
        keep(step, item, member_name)
        db.session.flush()


# A person.


def _contact(step: Step, item: SyncItem, _by: str) -> None:
    person, key = subject_of(item), step.body["key"]
    kind = EMAIL if step.kind == undo_plans.REMOVE_EMAIL else PHONE
    row = next((one for one in person.contacts if one.kind == kind and one.value == key), None)
    if row is None:
        # A pull was faster than we and saw that it was gone there.
        row = Contact(church_id=person.church_id, kind=kind, value=key, mailbox=base_email(key) if kind == EMAIL else None)
        row.display = step.body["after"].get("address" if kind == EMAIL else "number") or key
        row.location = step.body["after"].get("location") or ""
        person.contacts.append(row)
    row.remote_id, row.added_here_at = None, now()


def _address(step: Step, item: SyncItem, _by: str) -> None:
    person, key, after = subject_of(item), step.body["key"], step.body["after"]
    row = next((one for one in person.addresses if plans.address_key(wire_address(one)) == key), None)
    if row is None:
        row = Address(church_id=person.church_id, **{ours: after.get(theirs) or "" for ours, theirs in STREET.items()})
        row.location, row.country_code = after.get("location") or "", after.get("country_code") or ""
        person.addresses.append(row)
    row.remote_id, row.added_here_at = None, now()


def _fields(step: Step, item: SyncItem, by: str) -> None:
    person = subject_of(item)
    theirs = dict(ours_of(attribute, value) for attribute, value in step.body["attributes"].items())
    ours = {name: getattr(person.identity if name in IDENTITY else person, name) for name in theirs}
    _edited_here(person, ours, theirs, by)


def _edited_here(subject: Person | Family | Group, ours: Mapping[str, Any], theirs: Mapping[str, Any], by: str) -> None:
    """What differs here is a change of ours that is not sent yet, made over what stands in Planning Center again."""
    edits, key = dict(subject.edits or {}), marking_key()
    for name, value in theirs.items():
        known = edits.pop(name, {"at": now().isoformat(), "by": by})
        if ours[name] != value:
            edits[name] = {**known, "base": value_mark(key, value)}
    subject.edits = edits or None


# A family.


def _household(step: Step, item: SyncItem, _by: str) -> None:
    """The household is gone; the family is ours alone. Where a pull had brought the household in beside it, that row goes."""
    mine, stood = db.session.get_one(Family, item.about), find_family(step.body["record"])
    mine.gone_at = None
    for family in filter(None, (stood, mine)):
        members = db.session.scalars(select(FamilyMember).where(FamilyMember.family_id == family.id, FamilyMember.gone_at.is_(None)))
        for member in members:
            _leaves(member, stays=family is mine)
    if stood is not None:
        stood.remote_id, stood.remote_mark, stood.primary_contact_remote_id, stood.roles_read_at = None, None, None, None
        stood.gone_at = None if stood is mine else now()


def _member(step: Step, item: SyncItem, _by: str) -> None:
    family = find_family(step.body["household"])
    rows = select(FamilyMember).where(FamilyMember.person_remote_id == step.body["person"])
    for member in db.session.scalars(rows.where(FamilyMember.family_id == family.id)) if family else ():
        _leaves(member, stays=member.family_id == item.about)


def _leaves(member: FamilyMember, *, stays: bool) -> None:
    member.person_remote_id, member.remote_id, member.added_here_at = None, None, now()
    member.gone_at = None if stays else now()


def _name(step: Step, item: SyncItem, by: str) -> None:
    family = db.session.get_one(Family, item.about)
    _edited_here(family, {"name": family.name}, step.body["attributes"], by)


# A group.


def _membership(step: Step, item: SyncItem, _by: str) -> None:
    """They are in the group here alone. Where a pull had brought the membership in beside ours, that row goes."""
    mine = db.session.get_one(GroupMembership, item.about)
    stood = db.session.scalars(select(GroupMembership).where(GroupMembership.remote_id == step.body["record"]))
    for row in {mine, *stood}:
        row.remote_id, row.person_remote_id, row.joined_at, row.added_here_at = None, None, None, now()
        row.gone_at = None if row is mine else now()


def _membership_of_card(step: Step, _item: SyncItem, _by: str) -> None:
    for row in db.session.scalars(select(GroupMembership).where(GroupMembership.remote_id == step.body["record"])):
        row.gone_at = now()


def _group(step: Step, item: SyncItem, by: str) -> None:
    group, name = db.session.get_one(Group, item.about), step.body["name"]
    _edited_here(group, {name: values_of(group)[name]}, {name: step.body["was"]}, by)


KEEP: dict[tuple[str, str], Callable[[Step, SyncItem, str], None]] = {
    (PERSON, undo_plans.REMOVE_EMAIL): _contact,
    (PERSON, undo_plans.REMOVE_PHONE): _contact,
    (PERSON, undo_plans.REMOVE_ADDRESS): _address,
    (PERSON, undo_plans.RESTORE): _fields,
    (FAMILY, undo_plans.REMOVE_HOUSEHOLD): _household,
    (FAMILY, undo_plans.REMOVE_MEMBER): _member,
    (FAMILY, undo_plans.RESTORE_HOUSEHOLD): _name,
    (GROUP, undo_plans.RESTORE_GROUP): _group,
    (MEMBERSHIP, undo_plans.REMOVE_FROM_GROUP): _membership,
    (CARD, undo_plans.REMOVE_FROM_GROUP): _membership_of_card,
}
