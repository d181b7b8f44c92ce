"""What the steps of an undo are written to. Each looks again before it is sent: what somebody touched meanwhile is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.connections.words import in_words as trouble_in_words
from connectcard.database import db, end_reading
from connectcard.people.group_values import TAGS
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Forbidden, Gone, Merged, ProductUnavailable, Refused
from connectcard.planning_center.resources import groups, people
from connectcard.planning_center.resources._core import Resource
from connectcard.sync import plans, undo_contacts, undo_plans
from connectcard.sync.looking import EVERYTHING, person_attributes
from connectcard.sync.models import IGNORED, INTENT, OPEN_STATES, PLANNED, SyncItem, SyncOutcome, SyncRun, SyncStep
from connectcard.sync.push_groups import values_there
from connectcard.sync.steps import AskSomebody, Later, Made, NoLonger, Step, in_words
from connectcard.sync.undo_directory import keep_here
from connectcard.sync.undo_looking import OVER, household_now, membership_now, standing_of
from connectcard.sync.undo_needs import all_done, still_to_come
from connectcard.sync.undo_values import Elsewhere

# Reached by their own id, so that they are found on whomever they are now.
RECORDS: dict[str, Resource] = {
    undo_plans.REMOVE_EMAIL: people.EMAIL,
    undo_plans.REMOVE_PHONE: people.PHONE_NUMBER,
    undo_plans.REMOVE_ADDRESS: people.ADDRESS,
    undo_plans.REMOVE_FIELD: people.FIELD_DATUM,
    undo_plans.REMOVE_NOTE: people.NOTE,
}
PAUSE = timedelta(seconds=10)
WAITS = "Waits until everything else of this undo is taken back."
BY_HAND = "Only somebody who administers Groups may take people out of a group. Take them out there by hand. Planning Center said: “{}”"


@dataclass(frozen=True)
class UndoTarget:
    """The target of an undo: every step knows its own record. `run_id` is the undo's own run."""

    run_id: UUID
    elsewhere: Elsewhere

    def missing(self, step: Step) -> str:
        """What other cards say by now is kept. Nobody is made inactive on whom something of ours is kept; what else is to be taken back
        of them goes first."""
        if step.state == PLANNED and (kept := _why_kept_elsewhere(step.body, self.elsewhere)):
            return kept
        needs = [(kind, record) for kind, record in step.body.get("needs", ())]
        due, done = still_to_come(needs, self.run_id), all_done(needs, self.run_id)
        end_reading()
        if due and not done:
            raise Later(max(now(), *due) + PAUSE, WAITS)
        return "" if done else undo_plans.SOMETHING_KEPT

    def looks_first(self, step: Step) -> bool:
        return True

    def send(self, step: Step, client: Client) -> Made:
        if step.kind in undo_contacts.KINDS:
            return undo_contacts.send(step, client)
        _send(step, client)
        return Made(step.body["record"])

    def probe(self, step: Step, client: Client) -> Made | None:
        if step.kind in undo_contacts.KINDS:
            return undo_contacts.find(step, client)
        try:
            taken_back = _is_taken_back(step, client)
        except Merged as error:
            raise NoLonger(undo_plans.MERGED) from error
        except Gone:
            taken_back = True
        return Made(step.body["record"]) if taken_back else None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return isinstance(error, Gone) and step.kind not in undo_contacts.KINDS

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        by_hand = step.kind == undo_plans.REMOVE_FROM_GROUP and isinstance(error, Forbidden)
        return BY_HAND.format(in_words(error)) if by_hand else in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        """The steps that wrote it are taken back, and our own directory says so."""
        ids = [UUID(step_id) for step_id in step.body["undoes"]]
        for undone in db.session.scalars(select(SyncStep).where(SyncStep.id.in_(ids))):
            undone.undone_at = now()
        of = undone_item(item)
        if of.state in (*OPEN_STATES, IGNORED):
            # A stopped run had begun it: whatever becomes of this undo, it goes on by a plan of what is there then.
            of.planned_at = None
        if step.kind in undo_contacts.KINDS:
            undo_contacts.keep_here(step, made, of, started_by(item))
        else:
            keep_here(step, of, started_by(item))


def _why_kept_elsewhere(body: Mapping[str, Any], elsewhere: Elsewhere) -> str:
    return undo_plans.why_kept_elsewhere(body["of"], body.get("said", ""), body["person"], body.get("members", ()), elsewhere)


def undone_item(undo: SyncItem) -> SyncItem:
    """The item of which an undo takes back what one run wrote."""
    of = select(SyncOutcome.item_id).where(SyncOutcome.id == undo.subject_id).scalar_subquery()
    return db.session.scalars(select(SyncItem).where(SyncItem.id == of)).one()


def started_by(undo: SyncItem) -> str:
    return db.session.scalars(select(SyncRun.started_by).where(SyncRun.id == undo.run_id)).one()


def _send(step: Step, client: Client) -> None:
    body = step.body
    if step.kind in RECORDS:
        client.delete(RECORDS[step.kind], body["record"])
    elif step.kind == undo_plans.REMOVE_WORKFLOW_CARD:
        # Taken out of its workflow rather than deleted: staff can put it back there.
        client.act(people.PERSON_WORKFLOW_CARD, body["record"], "remove", parent_id=body["person"])
    elif step.kind == undo_plans.REMOVE_MEMBER:
        client.delete(people.HOUSEHOLD_MEMBERSHIP, body["record"], parent_id=body["household"])
    elif step.kind == undo_plans.REMOVE_HOUSEHOLD:
        client.delete(people.HOUSEHOLD, body["record"])
    elif step.kind == undo_plans.RESTORE_HOUSEHOLD:
        client.update(people.HOUSEHOLD, body["household"], body["attributes"])
    elif step.kind == undo_plans.RESTORE_GROUP:
        client.update(groups.GROUP, body["group"], body["attributes"])
    elif step.kind == undo_plans.REMOVE_FROM_GROUP:
        _take_out(body, client)
    else:
        client.update(people.PERSON, body["person"], _wanted(step))


def _take_out(body: Mapping[str, Any], client: Client) -> None:
    try:
        client.delete(groups.MEMBERSHIP, body["record"], parent_id=body["group"])
    except ProductUnavailable as error:
        # For one write no access is a refusal: staff do it by hand, and the rest of the undo goes on.
        raise Forbidden(str(error), status=error.status, detail=trouble_in_words(error, "Groups")) from error


def _wanted(step: Step) -> Mapping[str, Any]:
    """What a person's attributes are to be again."""
    return {"status": plans.INACTIVE} if step.kind == undo_plans.MAKE_INACTIVE else step.body["attributes"]


def _is_taken_back(step: Step, client: Client) -> bool:
    """Whether it is as it was before; raises NoLonger where it is neither that nor what we wrote, and Gone where it is not there."""
    body = step.body
    if step.kind in RECORDS:
        record = client.get(RECORDS[step.kind], body["record"])
        return _kept_unless_unchanged(body["after"], record, body["person"])
    if step.kind == undo_plans.REMOVE_WORKFLOW_CARD:
        record = client.get(people.PERSON_WORKFLOW_CARD, body["record"], parent_id=body["person"])
        return record["stage"] in OVER or _kept_unless_unchanged(body["after"], record, body["person"])
    if step.kind == undo_plans.REMOVE_FROM_GROUP:
        return _is_out_of_the_group(step, client)
    if step.kind == undo_plans.RESTORE_GROUP:
        return _group_is_back(step, client)
    if step.kind in (undo_plans.REMOVE_MEMBER, undo_plans.REMOVE_HOUSEHOLD, undo_plans.RESTORE_HOUSEHOLD):
        return _household_is_left(step, client)
    return _person_is_back(step, client)


def _kept_unless_unchanged(after: Mapping[str, Any], record: Record, person: str) -> bool:
    owners = {ref.id for name in ("person", "customizable") for ref in record.related(name)}
    changed = undo_plans.why_changed(after, record.attributes) or (undo_plans.MERGED if owners and person not in owners else "")
    if changed:
        raise NoLonger(changed)
    return False


def _is_out_of_the_group(step: Step, client: Client) -> bool:
    membership = membership_now(step.body["group"], step.body["record"], client)
    if membership is None:
        return True
    if not membership:
        if step.state == INTENT:
            raise AskSomebody(undo_plans.NOT_SHOWN)
        return False
    if changed := undo_plans.why_changed(step.body["after"], membership):
        raise NoLonger(changed)
    return False


def _group_is_back(step: Step, client: Client) -> bool:
    name = step.body["name"]
    now_is = values_there(step.body["group"], client, tags=name == TAGS)[name]
    if now_is not in (step.body["was"], step.body["value"]):
        raise NoLonger(undo_plans.CHANGED)
    return bool(now_is == step.body["was"])


def _household_is_left(step: Step, client: Client) -> bool:
    household = household_now(step.body.get("household") or step.body["record"], client)
    if household is None:
        return True
    if step.kind == undo_plans.RESTORE_HOUSEHOLD:
        return _is_named(step, household.name)
    if step.kind == undo_plans.REMOVE_MEMBER:
        return step.body["record"] not in household.members
    if {person for person, _ in household.members.values()} - set(step.body["members"]):
        raise NoLonger(undo_plans.HOUSEHOLD_GREW)
    return False


def _is_named(step: Step, name: str) -> bool:
    if name != step.body["attributes"]["name"] and name != step.body["after"].get("name"):
        raise NoLonger(undo_plans.CHANGED)
    return bool(name == step.body["attributes"]["name"])


def _person_is_back(step: Step, client: Client) -> bool:
    record = client.get(people.PERSON, step.body["person"], include=EVERYTHING)
    shown, wanted, after = person_attributes(record), _wanted(step), step.body["after"]
    if all((shown.get(name) or None) == (value or None) for name, value in wanted.items()):
        return True
    ours = {name: after[name] for name in (wanted if step.kind == undo_plans.RESTORE else ("first_name", "last_name")) if name in after}
    if any(shown.get(name) != value for name, value in ours.items()):
        raise NoLonger(undo_plans.CHANGED)
    if step.kind == undo_plans.MAKE_INACTIVE and standing_of(record, client, with_groups=True).marks:
        # All that was on them when it was looked at is taken back by now.
        raise NoLonger(undo_plans.ADDED_TO)
    return False
