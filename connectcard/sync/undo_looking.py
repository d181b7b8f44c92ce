"""Reading what an undo has to know: what a run wrote for a card, and how the people and households of it stand now. Never writes."""

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Gone, Merged
from connectcard.planning_center.resources import people
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.looking import EVERYTHING, person_attributes
from connectcard.sync.models import CARD, DONE, SYNCED, SyncItem, SyncOutcome, SyncStep
from connectcard.sync.undo_plans import HouseholdThen, Look, Standing, Written
from connectcard.sync.visitors import card_at_hand

INCLUDED = {
    plans.ADD_EMAIL: "Email",
    plans.ADD_PHONE: "PhoneNumber",
    plans.ADD_ADDRESS: "Address",
    plans.SET_FIELD: "FieldDatum",
}
OVER = ("completed", "removed")


def written_in(outcome_id: UUID) -> tuple[SyncItem, list[Written]]:
    """The card that came to rest so, and what that run wrote for it and is not taken back yet."""
    outcome = db.session.scalars(select(SyncOutcome).where(SyncOutcome.id == outcome_id)).one()
    card = db.session.scalars(select(SyncItem).where(SyncItem.id == outcome.item_id)).one()
    wrote = [step for step in card.steps if was_written_by_us(step) and step.run_id == outcome.run_id]
    return card, [_written(step, _written_to(step, card)) for step in wrote]


def _written_to(step: SyncStep, card: SyncItem) -> str | None:
    """The person on whom a step wrote; of a card that is somebody else's since, the one of that time."""
    of_that_time = [other for other in card.steps if other.written_to == step.written_to]
    made = {other.member: other.remote_id for other in of_that_time if other.kind == plans.CREATE_PERSON and other.state == DONE}
    made[VISITOR] = step.written_to or card.person_remote_id
    return made[VISITOR if step.kind == plans.CREATE_HOUSEHOLD else step.member]


def was_written_by_us(step: SyncStep) -> bool:
    """Whether a step was sent and is still there as far as we know; what was found before anything was sent is not ours."""
    return step.state == DONE and step.intent_at is not None and step.undone_at is None


def _written(step: SyncStep, person: str | None) -> Written:
    sent_at, done_at = step.intent_at or now(), step.done_at or now()
    body, before, after = (json.loads(text) if text else None for text in (step.body, step.before, step.after))
    return Written(
        step.id, step.kind, step.member, step.label, step.natural_key, step.remote_id or "", sent_at, done_at,
        body or {}, before, after, step.found, person,
    )  # fmt: skip


def look_at(card_id: UUID, written: Sequence[Written], client: Client) -> Look:
    """How everything stands that these writes were about."""
    persons = sorted({one.person for one in written if one.person})
    others = _other_cards(card_id, persons)
    also_said = {said for other in others for said in _said_by(other)}
    with_other_cards = {person for person in (_person_of(other) for other in others) if person}
    end_reading()
    standings: dict[str, Standing | None] = {}
    merged: set[str] = set()
    for person in persons:
        try:
            standings[person] = _standing(person, client)
        except Merged:
            standings[person] = None
            merged.add(person)
        except Gone:
            standings[person] = None
    return Look(standings, _households(written, client), merged, also_said, with_other_cards)


def _other_cards(card_id: UUID, persons: Sequence[str]) -> list[UUID]:
    of_them = (SyncItem.kind == CARD, SyncItem.state == SYNCED, SyncItem.person_remote_id.in_(persons), SyncItem.id != card_id)
    return list(db.session.scalars(select(SyncItem.id).where(*of_them)))


def _person_of(item_id: UUID) -> str | None:
    return db.session.scalar(select(SyncItem.person_remote_id).where(SyncItem.id == item_id))


def _said_by(item_id: UUID) -> set[tuple[str, str]]:
    """What a card says, by kinds and keys of steps, whatever was there before."""
    card = card_at_hand(item_id)
    planned = plans.plan(card.wanted, None, card.remote_id_token, card.reference)
    return {(step.kind, step.natural_key) for step in planned.steps} | {(plans.UPDATE_PERSON, name) for name in card.wanted.attributes}


def _standing(person: str, client: Client) -> Standing:
    record = client.get(people.PERSON, person, include=EVERYTHING)
    parts = {(kind, row.id): row.attributes for kind, type_ in INCLUDED.items() for row in record.included_of(type_)}
    parts |= {(plans.ADD_NOTE, note.id): note.attributes for note in client.iterate(people.NOTE, parent_id=person)}
    cards = client.iterate(people.PERSON_WORKFLOW_CARD, parent_id=person)
    parts |= {(plans.ADD_WORKFLOW_CARD, card.id): card.attributes for card in cards if card["stage"] not in OVER}
    households = frozenset(row.id for row in client.iterate(people.PERSON_HOUSEHOLD, parent_id=person))
    return Standing(person_attributes(record), parts, households)


def _households(written: Sequence[Written], client: Client) -> dict[str, HouseholdThen | None]:
    ids = {one.remote_id for one in written if one.kind == plans.CREATE_HOUSEHOLD}
    ids |= {str(one.body["household"]) for one in written if one.kind == plans.ADD_MEMBER and one.body.get("household")}
    return {household: household_now(household, client) for household in sorted(ids)}


def household_now(household: str, client: Client) -> HouseholdThen | None:
    """A household with everybody in it; None where it is gone."""
    try:
        record = client.get(people.HOUSEHOLD, household)
        members = list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=household))
    except Gone:
        return None
    return HouseholdThen(record["name"] or "", _primary(record), {row.id: (_whose(row), row["household_role"]) for row in members})


def _primary(household: Record) -> str:
    return next((ref.id for ref in household.related("primary_contact")), str(household["primary_contact_id"] or ""))


def _whose(membership: Record) -> str:
    return next((ref.id for ref in membership.related("person")), "")
