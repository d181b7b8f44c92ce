"""Reading what an undo has to know: what a run wrote for an item, and how all that stands now. Never writes."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people.group_values import TAGS
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Forbidden, Gone, Merged, ProductUnavailable, ScopeMissing
from connectcard.planning_center.resources import groups, people
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.looking import EVERYTHING, person_attributes
from connectcard.sync.models import (
    CARD,
    DONE,
    FAMILY,
    MEMBERSHIP,
    OPEN_STATES,
    REVIEW,
    SYNCED,
    UNDO,
    SyncItem,
    SyncOutcome,
    SyncRun,
    SyncStep,
)
from connectcard.sync.push_family_plans import RENAME_HOUSEHOLD
from connectcard.sync.push_groups import values_there
from connectcard.sync.steps import of_item
from connectcard.sync.undo_beside import written_beside
from connectcard.sync.undo_plans import MAKES_PEOPLE, OF_HOUSEHOLDS
from connectcard.sync.undo_values import Elsewhere, HouseholdThen, Look, Mark, Standing, Written
from connectcard.sync.visitors import card_at_hand

INCLUDED = {
    plans.ADD_EMAIL: "Email",
    plans.ADD_PHONE: "PhoneNumber",
    plans.ADD_ADDRESS: "Address",
    plans.SET_FIELD: "FieldDatum",
}
OVER = ("completed", "removed")
# Groups are not there for everybody who connects.
NOT_FOR_US = (Forbidden, ProductUnavailable, ScopeMissing)


@dataclass(frozen=True)
class Wrote:
    """What a run wrote for one item that is not taken back yet; `later` says that a later run wrote for it too."""

    item_id: UUID
    run_id: UUID
    written: tuple[Written, ...]
    later: bool


def written_in(outcome_id: UUID) -> tuple[SyncItem, Wrote]:
    """The item that came to rest so, and what that run wrote for it."""
    outcome = db.session.scalars(select(SyncOutcome).where(SyncOutcome.id == outcome_id)).one()
    item = db.session.scalars(select(SyncItem).where(SyncItem.id == outcome.item_id)).one()
    stand = [step for step in item.steps if was_written_by_us(step)]
    wrote = [step for step in stand if step.run_id == outcome.run_id]
    of_them = [step for step in stand if step.written_to in {one.written_to for one in wrote}]
    return item, Wrote(item.id, outcome.run_id, tuple(_written(step, item) for step in wrote), _wrote_later(of_them, outcome.run_id))


def _wrote_later(stand: Sequence[SyncStep], run_id: UUID) -> bool:
    this = select(SyncRun.number).where(SyncRun.id == run_id).scalar_subquery()
    later = select(SyncRun.id).where(SyncRun.id.in_([step.run_id for step in stand]), SyncRun.number > this)
    return db.session.scalar(later.limit(1)) is not None


def was_written_by_us(step: SyncStep) -> bool:
    """Whether a step was sent and is still there as far as we know; what was found before anything was sent is not ours."""
    return step.state == DONE and step.intent_at is not None and step.undone_at is None


def _done_at(step: SyncStep) -> datetime:
    return step.done_at or now()


def _written(step: SyncStep, item: SyncItem) -> Written:
    body, before, after = (json.loads(text) if text else None for text in (step.body, step.before, step.after))
    body, said = body or {}, step.natural_key
    if item.kind != CARD:
        said = next(iter(body["attributes"]), "") if step.kind == plans.UPDATE_PERSON else body.get("key", "")
    return Written(
        step.id, step.kind, step.member, step.label, step.natural_key, step.remote_id or "", step.intent_at or now(), _done_at(step),
        body, before, after, step.found, _whose(step, item, body), said,
    )  # fmt: skip


def _whose(step: SyncStep, item: SyncItem, body: Mapping[str, Any]) -> str | None:
    """The person on whom a step wrote."""
    if item.kind == CARD:
        return _whose_of_card(step, item)
    if item.kind == FAMILY:
        return body.get("person") or next(iter(body.get("people", ())), None)
    return body["attributes"]["person_id"] if item.kind == MEMBERSHIP else item.person_remote_id


def _whose_of_card(step: SyncStep, card: SyncItem) -> str | None:
    """Of a card that is somebody else's since, the person of that time."""
    of_that_time = [other for other in card.steps if other.written_to == step.written_to]
    made = {other.member: other.remote_id for other in of_that_time if other.kind == plans.CREATE_PERSON and other.state == DONE}
    made[VISITOR] = step.written_to or card.person_remote_id
    return made[VISITOR if step.kind == plans.CREATE_HOUSEHOLD else step.member]


def look_at(wrote: Wrote, client: Client) -> Look:
    """How everything stands that these writes were about."""
    written = wrote.written
    persons = sorted({one.person for one in written if one.person and one.kind not in (*OF_HOUSEHOLDS, plans.ADD_TO_GROUP)})
    made = {one.person for one in written if one.person and one.kind in MAKES_PEOPLE}
    households = _households(written, client)
    at_home = {person for household in households.values() if household for person, _ in household.members.values()}
    elsewhere = elsewhere_of(wrote, at_home)
    beside, later = written_beside(made, wrote.run_id)
    end_reading()
    standings: dict[str, Standing | None] = {}
    merged: set[str] = set()
    for person in persons:
        try:
            standings[person] = _standing(person, client, with_groups=person in made)
        except Merged:
            standings[person] = None
            merged.add(person)
        except Gone:
            standings[person] = None
    return Look(
        standings, households, merged, elsewhere, _memberships(written, client), beside, later, _groups(written, client),
    )  # fmt: skip


def elsewhere_of(wrote: Wrote, at_home: Iterable[str] = ()) -> Elsewhere:
    """What our own books say besides of the people of these writes, and of those `at_home` with them. Whom a card names that is taken
    back together with this one is named by none."""
    persons = {*at_home, *(one.person for one in wrote.written if one.person)}
    others = _other_cards(wrote.item_id, persons)
    said = {(others[item_id], *said) for item_id in others for said in _said_by(item_id)}
    families = {item_id: family for item_id in others.keys() - _taken_back_with(wrote) if (family := _family_of(item_id))}
    named = {person for family in families.values() for person in family}
    return Elsewhere(said, named.union(others.values()), named.union(others[item_id] for item_id in families), wrote.later)


def _other_cards(item_id: UUID, persons: Collection[str]) -> dict[UUID, str]:
    """The other cards that reached one of these people, or are on their way to one, and whom."""
    arrived = or_(SyncItem.state == SYNCED, and_(SyncItem.state.in_(OPEN_STATES), SyncItem.planned_at.is_not(None)))
    of_them = (SyncItem.kind == CARD, arrived, SyncItem.person_remote_id.in_(persons), SyncItem.id != item_id)
    rows = db.session.execute(select(SyncItem.id, SyncItem.person_remote_id).where(*of_them))
    return {other: person for other, person in rows if person}


def _taken_back_with(wrote: Wrote) -> set[UUID]:
    """The items that the same run wrote for and that an undo has in hand."""
    in_hand = select(SyncItem.subject_id).where(SyncItem.kind == UNDO, SyncItem.state.in_((*OPEN_STATES, REVIEW)))
    return set(db.session.scalars(select(SyncOutcome.item_id).where(SyncOutcome.run_id == wrote.run_id, SyncOutcome.id.in_(in_hand))))


def _said_by(item_id: UUID) -> set[tuple[str, str]]:
    """What a card says, by kinds and keys of steps, whatever was there before, and though it has arrived."""
    card = card_at_hand(item_id)
    planned = plans.plan(replace(card.wanted, arrived=False), None, card.remote_id_token, card.reference)
    return {(step.kind, step.natural_key) for step in planned.steps} | {(plans.UPDATE_PERSON, name) for name in card.wanted.attributes}


def _family_of(item_id: UUID) -> set[str]:
    """Whom a card names besides its visitor, made by it or there already."""
    stands = SyncStep.member != VISITOR, SyncStep.state == DONE, SyncStep.undone_at.is_(None)
    people_of_it = select(SyncStep.remote_id).where(of_item(item_id), SyncStep.kind.in_((plans.CREATE_PERSON, plans.KNOWN_MEMBER)), *stands)
    return set(filter(None, db.session.scalars(people_of_it)))


def _standing(person: str, client: Client, *, with_groups: bool) -> Standing:
    return standing_of(client.get(people.PERSON, person, include=EVERYTHING), client, with_groups=with_groups)


def standing_of(record: Record, client: Client, *, with_groups: bool) -> Standing:
    """Somebody who was read with EVERYTHING, and what else is on them."""
    person = record.id
    included = ((kind, row) for kind, type_ in INCLUDED.items() for row in record.included_of(type_))
    parts: dict[Mark, Mapping[str, Any]] = {(kind, row.id): row.attributes for kind, row in included}
    parts |= {(plans.ADD_NOTE, note.id): note.attributes for note in client.iterate(people.NOTE, parent_id=person)}
    cards = client.iterate(people.PERSON_WORKFLOW_CARD, parent_id=person)
    parts |= {(plans.ADD_WORKFLOW_CARD, card.id): card.attributes for card in cards if card["stage"] not in OVER}
    households = frozenset(row.id for row in client.iterate(people.PERSON_HOUSEHOLD, parent_id=person))
    return Standing(person_attributes(record), parts, households, _groups_of(person, client) if with_groups else frozenset())


def _groups_of(person: str, client: Client) -> frozenset[str]:
    """In which groups somebody is, by their memberships, as far as they are shown."""
    try:
        return frozenset(row.id for row in client.iterate(groups.PERSON_MEMBERSHIP, parent_id=person))
    except (Gone, *NOT_FOR_US):
        # Whoever has not arrived in Groups is in no group.
        return frozenset()


def _memberships(written: Iterable[Written], client: Client) -> dict[str, Mapping[str, Any] | None]:
    """The memberships of groups as they stand: None is gone, {} is not shown."""
    joined = [one for one in written if one.kind == plans.ADD_TO_GROUP and one.body]
    return {one.remote_id: membership_now(one.body["group"], one.remote_id, client) for one in joined}


def _groups(written: Iterable[Written], client: Client) -> dict[str, Mapping[str, Any] | None]:
    """How the groups stand that were changed; None is gone, or not shown."""
    changed = {one.remote_id for one in written if one.kind == plans.UPDATE_GROUP}
    with_tags = any(one.body.get("name") == TAGS for one in written)
    return {group: group_now(group, client, tags=with_tags) for group in sorted(changed)}


def group_now(group: str, client: Client, *, tags: bool) -> Mapping[str, Any] | None:
    """The values of a group; None where it is gone, or not shown."""
    try:
        return values_there(group, client, tags=tags)
    except (Gone, *NOT_FOR_US):
        return None


def membership_now(group: str, membership: str, client: Client) -> Mapping[str, Any] | None:
    """A membership of a group with whose it is; None where it is gone, {} where it is not shown."""
    try:
        record = client.get(groups.MEMBERSHIP, membership, parent_id=group)
    except Gone:
        return None
    except NOT_FOR_US:
        return {}
    return {**record.attributes, "person": _whose_membership(record)}


def _households(written: Sequence[Written], client: Client) -> dict[str, HouseholdThen | None]:
    ids = {one.remote_id for one in written if one.kind in (plans.CREATE_HOUSEHOLD, RENAME_HOUSEHOLD)}
    ids |= {str(one.body["household"]) for one in written if one.kind == plans.ADD_MEMBER and one.body.get("household")}
    return {household: household_now(household, client) for household in sorted(ids)}


def household_now(household: str, client: Client) -> HouseholdThen | None:
    """A household with everybody in it; None where it is gone."""
    try:
        record = client.get(people.HOUSEHOLD, household)
        members = list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=household))
    except Gone:
        return None
    of = {row.id: (_whose_membership(row), row["household_role"]) for row in members}
    return HouseholdThen(record["name"] or "", _primary(record), of)


def _primary(household: Record) -> str:
    return next((ref.id for ref in household.related("primary_contact")), str(household["primary_contact_id"] or ""))


def _whose_membership(membership: Record) -> str:
    return next((ref.id for ref in membership.related("person")), "")
