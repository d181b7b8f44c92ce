"""A group of our directory as an item: what staff changed of it is changed in Planning Center, each value once and none unseen.

Planning Center takes a group's name, its type, when it meets and its tags (reference: Groups 2.1), from who may administer the group;
what it refuses becomes a to-do for staff.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people import ownership
from connectcard.people.group_values import NAME, NO_TYPE, SCHEDULE, TAGS, TYPE, value_in_words, values_of
from connectcard.people.marks import value_mark
from connectcard.people.models import GROUP as SUBJECT
from connectcard.people.models import HERE, Group
from connectcard.people.ownership import BY_KEY
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Forbidden, Gone, ProductUnavailable, Refused, ScopeMissing
from connectcard.planning_center.resources import groups
from connectcard.sync.group_tags import read_tags, refresh_tags
from connectcard.sync.group_writes import said
from connectcard.sync.holds import Hold, held
from connectcard.sync.models import DONE, GROUP, LEFT_OUT, NEEDS_YOU, REFUSED, REVIEW, SyncItem, SyncStep
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import UPDATE_GROUP, PlannedStep
from connectcard.sync.proposals import Proposal, ProposedAtWork
from connectcard.sync.push_contact_plans import BOTH_SIDES
from connectcard.sync.push_items import item_about, rest_as_it_went, store_plan, subject_id_of
from connectcard.sync.refreshing import refresh_group
from connectcard.sync.steps import Made, NoLonger, PersonGone, Step, in_words

# What each value is called where it is written.
WRITTEN = {NAME: "name", SCHEDULE: "schedule", TYPE: "group_type_id", TAGS: "tag_ids"}
GROUP_GONE = "This group is no longer in Planning Center, or whoever connected the church may not see it."
TO_DO = "Change this in Planning Center by hand. Planning Center said: {}"
CHANGED = "Somebody changed it in Planning Center since it was looked at."

Values = Mapping[str, Any]


@dataclass(frozen=True)
class GroupAtHand:
    """A group and its item as values: `ours` are the values here, by their names."""

    remote_id: str
    ours: Values
    edits: Values
    owned: Mapping[str, str]
    key: str
    planned: bool


def group_at_hand(subject_id: UUID) -> GroupAtHand:
    item, row = item_about(GROUP, subject_id), _group(subject_id)
    planned = item is not None and item.planned_at is not None
    key = get_church().remote_id_key or ""
    at_hand = GroupAtHand(row.remote_id or "", values_of(row), row.edits or {}, ownership.owners(), key, planned)
    end_reading()
    return at_hand


def _group(subject_id: UUID) -> Group:
    return db.session.scalars(select(Group).where(Group.id == subject_id).options(joinedload(Group.area))).one()


class GroupAtWork(ProposedAtWork[Proposal]):
    """A group of our directory in a worker's hands."""

    def __init__(self, hold: Hold, client: Client) -> None:
        super().__init__(hold, client)
        self._one = group_at_hand(subject_id_of(hold.item_id))

    @property
    def planned(self) -> bool:
        return self._one.planned

    def propose(self) -> Proposal:
        return _proposal(self._one, self.client)

    def store(self, item: SyncItem, proposal: Proposal) -> None:
        store_plan(item, proposal.steps)

    @staticmethod
    def rehearse(about: UUID, client: Client) -> Proposal:
        return _proposal(group_at_hand(about), client)

    def target(self) -> "GroupTarget":
        return GroupTarget(self._one.remote_id)

    def finish(self) -> None:
        wrote = _wrote(self.hold)
        if wrote:
            refresh_group(self._one.remote_id, self.client)
        if TAGS in wrote:
            refresh_tags(self._one.remote_id, self.client)
        with held(self.hold) as item:
            _rest(item, values_of(_group(item.about)))

    def person_gone(self, gone: PersonGone) -> None:
        raise gone

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        return {item_id: frozenset() for item_id in item_ids}


def _wrote(hold: Hold) -> set[str]:
    """The names of the values that this item wrote or found."""
    rows = db.session.scalars(select(SyncStep).where(SyncStep.item_id == hold.item_id, SyncStep.state == DONE)).all()
    names = {json.loads(row.body or "{}")["name"] for row in rows}
    end_reading()
    return names


def _rest(item: SyncItem, there: Values) -> None:
    """Inside `held`: tick what shows, and rest; a refusal and a value that was changed on both sides are for staff."""
    steps = list(db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id)))
    for step in steps:
        body = json.loads(step.body or "{}")
        shows = step.state == DONE and there[body["name"]] == body["value"]
        step.confirmed_at = step.confirmed_at or (now() if shows else None)
    refused = next((step for step in steps if step.state == REFUSED), None)
    if refused is not None:
        settle(item, REVIEW, NEEDS_YOU, f"{refused.label}: {TO_DO.format(f'“{refused.problem}”')}")
        return
    open_ones = any(step.state == LEFT_OUT and step.problem for step in steps)
    rest_as_it_went(item, "", needs_you="Not everything was sent." if open_ones else "")


# What is to be written.


def _proposal(one: GroupAtHand, client: Client) -> Proposal:
    end_reading()
    try:
        theirs = values_there(one.remote_id, client, tags=TAGS in one.edits)
    except Gone:
        return Proposal(question=GROUP_GONE)
    except (Forbidden, ProductUnavailable, ScopeMissing) as error:
        return Proposal(question=TO_DO.format(f"“{said(error)}”"))
    steps = tuple(plan_group(one, theirs))
    end_reading()
    return Proposal(steps, who=(one.remote_id,))


def values_there(remote_id: str, client: Client, *, tags: bool) -> dict[str, Any]:
    """The values as they stand in Planning Center now; tags only where somebody changed them here."""
    record = client.get(groups.GROUP, remote_id)
    values = {NAME: record["name"] or "", SCHEDULE: record["schedule"] or "", TYPE: _type_of(record)}
    return {**values, TAGS: read_tags(remote_id, client)} if tags else values


def _type_of(record: Record) -> str:
    return next((ref.id for ref in record.related("group_type")), NO_TYPE)


def plan_group(one: GroupAtHand, theirs: Values) -> list[PlannedStep]:
    """A write for each value that was changed here and is another one there; what changed there as well is left to staff."""
    return [_change(one, name, now) for name, now in theirs.items() if _is_to_be_sent(one, name, now)]


def _is_to_be_sent(one: GroupAtHand, name: str, now: Any) -> bool:
    return one.ours[name] != now and (name in one.edits or one.owned[f"{SUBJECT}.{name}"] == HERE)


def _change(one: GroupAtHand, name: str, now: Any) -> PlannedStep:
    value, edit = one.ours[name], one.edits.get(name)
    unseen = edit is not None and edit["base"] != value_mark(one.key, now) and one.owned[f"{SUBJECT}.{name}"] != HERE
    body = {"attributes": wire(name, value), "group": one.remote_id, "name": name, "value": value, "was": now}
    label, before = BY_KEY[f"{SUBJECT}.{name}"].words, wire(name, now)
    after = value_in_words(name, value) or "Nothing"
    problem, words = BOTH_SIDES if unseen else None, value_in_words(name, now)
    return PlannedStep(UPDATE_GROUP, name, label, body, after, words, problem=problem, before=before)


def wire(name: str, value: Any) -> dict[str, Any]:
    """A value as it is sent."""
    if name == TAGS:
        return {WRITTEN[name]: list(value or ())}
    return {WRITTEN[name]: None if name == TYPE and value == NO_TYPE else value}


@dataclass(frozen=True)
class GroupTarget:
    """What the steps of a group are written to. Each looks first: what somebody changed there meanwhile is left alone."""

    remote_id: str

    def missing(self, step: Step) -> str:
        return ""

    def looks_first(self, step: Step) -> bool:
        return True

    def send(self, step: Step, client: Client) -> Made:
        try:
            return Made.of(client.update(groups.GROUP, self.remote_id, step.body["attributes"]))
        except (ProductUnavailable, ScopeMissing) as error:
            raise Forbidden(str(error), status=error.status, detail=said(error)) from error

    def probe(self, step: Step, client: Client) -> Made | None:
        try:
            there = values_there(self.remote_id, client, tags=step.body["name"] == TAGS)[step.body["name"]]
        except Gone as error:
            raise NoLonger(GROUP_GONE) from error
        if there == step.body["value"]:
            return Made(self.remote_id)
        if there != step.body["was"]:
            raise NoLonger(CHANGED)
        return None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return False

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        return GROUP_GONE if isinstance(error, Gone) else in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        """The pull of the group that follows settles the edit."""
