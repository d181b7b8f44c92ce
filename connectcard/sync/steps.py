"""Carry out one write exactly once, although Planning Center knows no idempotency keys.

An intent is committed before the send and a result after it. Where the outcome is unknown the intent stands; after the time in
which a late request may still be applied a probe looks for what the step would have made, and only then is it sent again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.clock import now
from connectcard.connections.clients import sending_before
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ConnectCardError
from connectcard.people.identity import base_email, e164, name_key, same_first_name, same_last_name
from connectcard.people.marks import name_mark
from connectcard.people.matching import Candidate
from connectcard.people.operations import remember_person, remember_unnamed
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, Gone, Merged, OutcomeUnknown, PlanningCenterError, Refused
from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import Resource
from connectcard.sync import families, households, plans
from connectcard.sync.holds import Hold, keep_hold, waits
from connectcard.sync.households import Memberships
from connectcard.sync.models import DONE, INTENT, LEFT_OUT, PLANNED, REFUSED, SyncItem, SyncStep

MOST_ROUNDS = 3
# A person must never be made twice, and a workflow card may be there from an earlier visit: these look before the first send too.
ALWAYS_PROBED = (plans.CREATE_PERSON, plans.ADD_WORKFLOW_CARD, plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
OF_HOUSEHOLDS = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
# Their refusal may mean that somebody whom they name is gone.
NAMING_PEOPLE = (*OF_HOUSEHOLDS, plans.ADD_WORKFLOW_CARD)


class Later(ConnectCardError):
    """The card waits until `until`; the text says what for, in words for staff."""

    def __init__(self, until: datetime, words: str) -> None:
        super().__init__(words)
        self.until = until


class AskSomebody(ConnectCardError):
    """A person has to look at this card; the text says why."""


class TokenTaken(ConnectCardError):
    """The number that was to mark a new person belongs to somebody else; take the next one."""


class PersonGone(ConnectCardError):
    """A person of the card is no longer there; `kept` is where they were merged into, if they were. `member` says who it is."""

    def __init__(self, kept: str | None, member: int = families.VISITOR) -> None:
        super().__init__("the person was merged or deleted in Planning Center")
        self.kept, self.member = kept, member


@dataclass(frozen=True)
class Step:
    """A step as a value, so that no row is touched while Planning Center is spoken to."""

    id: UUID
    kind: str
    natural_key: str
    body: dict[str, Any]
    state: str
    deadline_at: datetime | None
    rounds: int
    member: int = families.VISITOR


@dataclass(frozen=True)
class Target:
    """What the steps of one card are written to. `family` are those of the family who were made, by their numbers; `household` is
    the one that was made for them. `looks_first`: the rows of earlier writes may be lost, so each is looked for (sync.restored)."""

    person_remote_id: str | None
    reference: str
    country_code: str
    first_name: str
    last_name: str
    family: Mapping[int, str] = field(default_factory=dict)
    household: str | None = None
    memberships: Memberships = field(default_factory=Memberships, compare=False)
    looks_first: bool = False

    @property
    def person(self) -> str:
        if self.person_remote_id is None:
            raise AskSomebody("The person was not made yet, so nothing can be added to them. Try this card again.")
        return self.person_remote_id

    def member(self, number: int) -> str | None:
        """The person of this number in the family, if they were made."""
        return self.person_remote_id if number == families.VISITOR else self.family.get(number)


def carry_out(step: Step, target: Target, hold: Hold, client: Client) -> None:
    """Bring one step to rest: done, found or refused. Raises Later, AskSomebody, TokenTaken or PersonGone where it cannot be."""
    if step.state in (DONE, REFUSED, LEFT_OUT):
        return
    missing = _missing(step, target)
    if missing:
        _record(step, hold, LEFT_OUT, None, problem=missing)
        return
    if step.state == INTENT:
        _wait_until_settled(step)
    if step.state == INTENT or step.kind in ALWAYS_PROBED or target.looks_first:
        found = _look(step, target, client)
        if found is not None:
            _record(step, hold, DONE, found, was_there=True)
            return
    if step.rounds >= MOST_ROUNDS:
        raise AskSomebody("Planning Center never confirmed this change, and it does not show there. Look at the person, then try again.")
    deadline = _intend(step, hold)
    _send_once(step, target, hold, client, deadline)


def _missing(step: Step, target: Target) -> str:
    """Why a step of a household has nobody to be about, in words; "" where it has."""
    if step.kind == plans.CREATE_HOUSEHOLD and not _new_members(step, target):
        return "Nobody of the family could be added, so there is no household."
    if step.kind == plans.ADD_MEMBER and target.member(step.member) is None:
        return "This person was not added."
    return "The household could not be made." if step.kind == plans.ADD_MEMBER and _household(step, target) is None else ""


def _new_members(step: Step, target: Target) -> list[str]:
    return [target.family[number] for number in step.body["members"] if number in target.family]


def _household(step: Step, target: Target) -> str | None:
    return step.body["household"] or target.household


def _wait_until_settled(step: Step) -> None:
    settled_at = (step.deadline_at or now()) + waits().settle
    if now() < settled_at:
        raise Later(settled_at, "Planning Center did not confirm a change. We look again before anything is sent twice.")


def _intend(step: Step, hold: Hold) -> datetime:
    """Write down that it is sent now; returns until when it may be, since the settle time begins then."""
    deadline = now() + waits().send
    with transaction():
        keep_hold(hold)
        row = _row(step)
        row.state, row.intent_at, row.deadline_at = INTENT, now(), deadline
        row.fence, row.rounds = hold.fence, row.rounds + 1
    return deadline


def _send_once(step: Step, target: Target, hold: Hold, client: Client, deadline: datetime) -> None:
    try:
        with sending_before(deadline):
            record = _send(step, target, client)
    except OutcomeUnknown as error:
        raise Later(deadline + waits().settle, "Planning Center did not confirm a change. We look again first.") from error
    except Refused as error:
        _withdraw(step, hold)
        _refuse_unless_there(step, target, hold, client, error)
    except PlanningCenterError:
        # Surely not applied: not sent, limited, blocked or not signed in. The step is planned again.
        _withdraw(step, hold)
        raise
    else:
        _record(step, hold, DONE, record)


def _refuse_unless_there(step: Step, target: Target, hold: Hold, client: Client, error: Refused) -> None:
    """A refusal may only mean that it is there already: Planning Center says so with 409, for field data with 422."""
    may_be_there = isinstance(error, Conflict) or step.kind in (plans.SET_FIELD, plans.ADD_MEMBER)
    target.memberships.forget()
    found = _look(step, target, client) if may_be_there else None
    if found is not None:
        _record(step, hold, DONE, found, was_there=True)
        return
    if isinstance(error, Gone) or step.kind in NAMING_PEOPLE:
        _follow_if_gone(step, target, client, error)
    _record(step, hold, REFUSED, None, problem=_place_gone(step) if isinstance(error, Gone) else in_words(error))


def _place_gone(step: Step) -> str:
    if step.kind in OF_HOUSEHOLDS:
        return "the household is no longer there; try this card again"
    return "the place this goes to is no longer there; choose another one in Field mapping"


def _look(step: Step, target: Target, client: Client) -> Record | None:
    try:
        return probe(step, target, client)
    except Gone as error:
        _follow_if_gone(step, target, client, error)
        if step.kind != plans.ADD_MEMBER:
            raise
        # Nobody is in a household that is gone.
        return None


def _follow_if_gone(step: Step, target: Target, client: Client, error: Refused) -> None:
    """Raise PersonGone where somebody whom the step is about was merged or deleted."""
    numbers = {families.VISITOR, step.member, *step.body.get("members", ())}
    end_reading()
    for number in sorted(numbers):
        person = target.member(number)
        if person is not None and (gone := _where_gone(person, client)):
            raise PersonGone(gone.kept_id if isinstance(gone, Merged) else None, number) from error


def _where_gone(person_remote_id: str, client: Client) -> Gone | None:
    try:
        client.get(people.PERSON, person_remote_id)
    except Gone as gone:
        return gone
    return None


def _withdraw(step: Step, hold: Hold) -> None:
    with transaction():
        keep_hold(hold)
        row = _row(step)
        row.state, row.intent_at, row.deadline_at, row.rounds = PLANNED, None, None, row.rounds - 1


def _record(step: Step, hold: Hold, state: str, record: Record | None, *, was_there: bool = False, problem: str | None = None) -> None:
    with transaction() as session:
        keep_hold(hold)
        row = _row(step)
        row.state, row.found, row.problem = state, was_there, problem
        row.done_at, row.remote_id = now(), record.id if record else None
        if step.kind == plans.CREATE_PERSON and record is not None:
            _remember(step, record, session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one())


def _remember(step: Step, record: Record, item: SyncItem) -> None:
    """Find somebody we made again, though Planning Center's search lags; a child by a mark, since its name is not kept open."""
    if step.member == families.VISITOR:
        item.person_remote_id = record.id
    if step.member >= families.FIRST_CHILD:
        church = db.session.scalars(select(Church).where(Church.id == item.church_id)).one()
        remember_unnamed(record.id, name_mark(church.remote_id_key or "", name_key(record["first_name"], record["last_name"])))
    else:
        remember_person(Candidate(record.id, record["first_name"] or "", record["last_name"] or ""))


def _row(step: Step) -> SyncStep:
    return db.session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()


def steps_of(item_id: UUID) -> list[Step]:
    """The steps of a card in their order, as values."""
    rows = db.session.scalars(select(SyncStep).where(SyncStep.item_id == item_id).order_by(SyncStep.position)).all()
    steps = [
        Step(row.id, row.kind, row.natural_key, json.loads(row.body or "{}"), row.state, row.deadline_at, row.rounds, row.member)
        for row in rows
    ]
    end_reading()
    return steps


def in_words(error: PlanningCenterError) -> str:
    """What Planning Center said about a refused change: which value, and why."""
    return " ".join(part for part in (error.parameter, error.detail or error.title) if part) or "no reason given"


# Sending: where each kind of step is written.

_PERSON_PARTS: dict[str, Resource] = {
    plans.ADD_EMAIL: people.EMAIL,
    plans.ADD_PHONE: people.PHONE_NUMBER,
    plans.ADD_ADDRESS: people.ADDRESS,
    plans.SET_FIELD: people.FIELD_DATUM,
    plans.ADD_NOTE: people.NOTE,
}


def _send(step: Step, target: Target, client: Client) -> Record:
    end_reading()
    attributes = step.body["attributes"]
    if step.kind == plans.CREATE_HOUSEHOLD:
        return households.create_household(attributes["name"], [target.person, *_new_members(step, target)], client)
    if step.kind == plans.ADD_MEMBER:
        household, person = str(_household(step, target)), str(target.member(step.member))
        return households.take_in(household, person, attributes, target.memberships.find(household, person, client), client)
    if step.kind == plans.CREATE_PERSON:
        return client.create(people.PERSON, attributes)
    if step.kind == plans.UPDATE_PERSON:
        return client.update(people.PERSON, target.person, attributes)
    if step.kind == plans.ADD_WORKFLOW_CARD:
        return client.create(people.WORKFLOW_CARD, {**attributes, "person_id": target.person}, parent_id=step.body["parent"])
    return client.create(_PERSON_PARTS[step.kind], attributes, parent_id=target.person)


# Probing: how what a step would make is found again by its natural key.


def probe(step: Step, target: Target, client: Client) -> Record | None:
    """The record that this step would make, if it is there already."""
    end_reading()
    if step.kind == plans.CREATE_PERSON:
        return _find_created_person(step, client)
    if step.kind == plans.CREATE_HOUSEHOLD:
        return households.find_household(step.body["attributes"]["name"], target.person, client)
    if step.kind == plans.ADD_MEMBER:
        return _find_member(step, target, client)
    if step.kind == plans.UPDATE_PERSON:
        record = client.get(people.PERSON, target.person)
        return record if all(record.attributes.get(name) == value for name, value in step.body["attributes"].items()) else None
    resource = people.PERSON_WORKFLOW_CARD if step.kind == plans.ADD_WORKFLOW_CARD else _PERSON_PARTS[step.kind]
    fits = _FITS[step.kind]
    return next((record for record in client.iterate(resource, parent_id=target.person) if fits(record, step, target)), None)


def _find_member(step: Step, target: Target, client: Client) -> Record | None:
    household, person = str(_household(step, target)), str(target.member(step.member))
    membership = target.memberships.find(household, person, client, again=step.state == INTENT)
    return None if membership is None or households.needs_role(membership) else membership


def _find_created_person(step: Step, client: Client) -> Record | None:
    records = client.list(people.PERSON, where={"remote_id": step.natural_key}).records
    # The filter is checked again here: Planning Center ignores what it does not know.
    ours = [record for record in records if str(record["remote_id"]) == step.natural_key]
    named = [record for record in ours if same_person_name(record, step.body["attributes"])]
    if len(named) > 1:
        raise AskSomebody("Two people in Planning Center carry the mark of this card. Merge them there, then try again.")
    if ours and not named:
        raise TokenTaken("this remote_id belongs to another person")
    return named[0] if named else None


def same_person_name(record: Record, sent: Mapping[str, Any]) -> bool:
    """Whether a person carries the name that was sent; a last name that the card lacks is not asked for."""
    last = same_last_name(record["last_name"], sent["last_name"]) if sent["last_name"] else True
    return same_first_name(record["first_name"], sent["first_name"]) and last


def _same_email(record: Record, step: Step, _target: Target) -> bool:
    return base_email(record["address"]) == base_email(step.body["attributes"]["address"])


def _same_phone(record: Record, step: Step, target: Target) -> bool:
    theirs = record["e164"] or e164(record["number"], record["country_code"] or target.country_code) or record["number"]
    return bool(theirs == step.natural_key)


def _same_address(record: Record, step: Step, _target: Target) -> bool:
    return plans.address_key({name: value or "" for name, value in record.attributes.items() if isinstance(value, str)}) == step.natural_key


def _same_field(record: Record, step: Step, _target: Target) -> bool:
    wanted = step.body["attributes"]
    definition = {ref.id for ref in record.related("field_definition")}
    return wanted["field_definition_id"] in definition and (not step.body.get("multiple") or record["value"] == wanted["value"])


def _same_note(record: Record, _step: Step, target: Target) -> bool:
    category = _step.body["attributes"]["note_category_id"]
    return target.reference in (record["note"] or "") and str(record["note_category_id"] or category) == category


def _same_workflow_card(record: Record, step: Step, _target: Target) -> bool:
    workflow = {ref.id for ref in record.related("workflow")}
    return step.body["parent"] in workflow and record["stage"] not in ("completed", "removed")


_FITS: dict[str, Callable[[Record, Step, Target], bool]] = {
    plans.ADD_EMAIL: _same_email,
    plans.ADD_PHONE: _same_phone,
    plans.ADD_ADDRESS: _same_address,
    plans.SET_FIELD: _same_field,
    plans.ADD_NOTE: _same_note,
    plans.ADD_WORKFLOW_CARD: _same_workflow_card,
}
