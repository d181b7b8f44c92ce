"""How what a step of a card would make is found again by its natural key, and what stands in its way by now."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from connectcard.database import db, end_reading
from connectcard.people.identity import base_email, e164
from connectcard.people.names import mistyped
from connectcard.planning_center import Client, Record
from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import Resource
from connectcard.sync import forms, households, plans
from connectcard.sync.fresh_look import read_person
from connectcard.sync.looking import person_attributes
from connectcard.sync.made_people import find_made_person, made_since_sent, sent_since
from connectcard.sync.models import INTENT, PLANNED, SyncStep
from connectcard.sync.steps import PERHAPS_RENAMED, NoLonger, PerhapsMade, Step

if TYPE_CHECKING:
    from connectcard.sync.card_writes import CardTarget

OF_FORMS = (plans.SUBMIT_FORM, plans.SUBMIT_FORM_NEW)
FILLED = "Something stands there in Planning Center by now, and it stays as it is."
PERSON_PARTS: dict[str, Resource] = {
    plans.ADD_EMAIL: people.EMAIL,
    plans.ADD_PHONE: people.PHONE_NUMBER,
    plans.ADD_ADDRESS: people.ADDRESS,
    plans.SET_FIELD: people.FIELD_DATUM,
    plans.ADD_NOTE: people.NOTE,
}


def household_of(step: Step, target: "CardTarget") -> str | None:
    return step.body["household"] or target.household


def find(step: Step, target: "CardTarget", client: Client) -> Record | None:
    """What a step would make, if it is there already. Raises Gone where its person is gone, NoLonger where it must not be sent any
    more, TokenTaken and AskSomebody where its mark stands on somebody else.
    """
    if step.kind == plans.UPDATE_PERSON:
        return _find_set(step, target.fresh_look.at(target.person, client, again=step.state == INTENT))
    if step.kind in plans.FILLS and step.state == PLANNED:
        return _find_filled(step, target, target.fresh_look.at(target.person, client))
    if step.kind == plans.CREATE_PERSON:
        return find_made_person(step, client, besides=(target.person_remote_id, *target.family.values()))
    if step.kind == plans.CREATE_HOUSEHOLD:
        return households.find_household(step, step.body.get("lead") or target.person, client)
    if step.kind in OF_FORMS:
        return _find_submission(step, target, client)
    if step.kind == plans.ADD_MEMBER:
        return _find_member(step, target, client)
    if step.kind == plans.REACTIVATE:
        record = client.get(people.PERSON, str(target.member(step.member)))
        return record if record["status"] == plans.ACTIVE else None
    resource = people.PERSON_WORKFLOW_CARD if step.kind == plans.ADD_WORKFLOW_CARD else PERSON_PARTS[step.kind]
    fits = _FITS[step.kind]
    return next((record for record in client.iterate(resource, parent_id=target.person) if fits(record, step, target)), None)


def _find_set(step: Step, person: Record) -> Record | None:
    """The person where they have it already; raises NoLonger where somebody set something else since nothing stood there."""
    shown, sent = person_attributes(person), step.body["attributes"]
    if all(shown.get(name) == value for name, value in sent.items()):
        return person
    if any(shown.get(name) for name in sent):
        raise NoLonger(FILLED)
    return None


def _find_filled(step: Step, target: "CardTarget", person: Record) -> Record | None:
    """The same for what stands beside others of its kind; of a field that holds one value any value fills it."""
    fits = _FITS[step.kind]
    found = next((row for row in person.included_of(PERSON_PARTS[step.kind].type) if fits(row, step, target)), None)
    if found and step.kind == plans.SET_FIELD and found["value"] != step.body["attributes"]["value"]:
        raise NoLonger(FILLED)
    return found


def submission_of(step: Step, target: "CardTarget") -> Mapping[str, Any]:
    """The submission of a step; who is there may have been merged into somebody else since it was planned."""
    return {**step.body, "attributes": {"person_id": target.person}} if step.kind == plans.SUBMIT_FORM else step.body


def _find_submission(step: Step, target: "CardTarget", client: Client) -> Record | None:
    """Raises PersonGone where its person was merged since it was sent, PerhapsMade where it may have made somebody renamed since."""
    if step.state == INTENT and step.kind == plans.SUBMIT_FORM:
        read_person(target.person, client, ())
    body, others = submission_of(step, target), _of_other_cards(step)
    found = forms.find_submission(body, others, client)
    if found is None and step.state == INTENT and step.kind == plans.SUBMIT_FORM_NEW:
        answered = forms.people_who_answered({**body, "since": sent_since(step).isoformat()}, others, client)
        if answered:
            raise PerhapsMade(PERHAPS_RENAMED, step, answered)
    return found


def _of_other_cards(step: Step) -> set[str]:
    """The submissions that other steps made or found."""
    kept = select(SyncStep.remote_id).where(SyncStep.kind.in_(OF_FORMS), SyncStep.id != step.id, SyncStep.remote_id.is_not(None))
    found = {remote_id for remote_id in db.session.scalars(kept) if remote_id}
    end_reading()
    return found


def _find_member(step: Step, target: "CardTarget", client: Client) -> Record | None:
    household, person = str(household_of(step, target)), str(target.member(step.member))
    membership = target.memberships.find(household, person, client, again=step.state == INTENT)
    return None if membership is None or households.needs_role(membership) else membership


def _same_email(record: Record, step: Step, _target: "CardTarget") -> bool:
    """What came there since the answer was lost, and differs by a letter or two, is the visitor's typo that staff mended."""
    theirs, ours = base_email(record["address"]), base_email(step.body["attributes"]["address"])
    return theirs == ours or (made_since_sent(record, step) and mistyped(theirs, ours))


def _same_phone(record: Record, step: Step, target: "CardTarget") -> bool:
    theirs = record["e164"] or e164(record["number"], record["country_code"] or target.country_code) or record["number"]
    return bool(theirs == step.natural_key)


def _same_address(record: Record, step: Step, _target: "CardTarget") -> bool:
    return plans.address_key({name: value or "" for name, value in record.attributes.items() if isinstance(value, str)}) == step.natural_key


def _same_field(record: Record, step: Step, _target: "CardTarget") -> bool:
    wanted = step.body["attributes"]
    definition = {ref.id for ref in record.related("field_definition")}
    return wanted["field_definition_id"] in definition and (not step.body.get("multiple") or record["value"] == wanted["value"])


def _same_note(record: Record, _step: Step, target: "CardTarget") -> bool:
    category = _step.body["attributes"]["note_category_id"]
    return target.reference in (record["note"] or "") and str(record["note_category_id"] or category) == category


def _same_workflow_card(record: Record, step: Step, _target: "CardTarget") -> bool:
    workflow = {ref.id for ref in record.related("workflow")}
    open_card = record["stage"] not in ("completed", "removed")
    return step.body["parent"] in workflow and (open_card or made_since_sent(record, step))


_FITS: dict[str, Callable[[Record, Step, "CardTarget"], bool]] = {
    plans.ADD_EMAIL: _same_email,
    plans.ADD_PHONE: _same_phone,
    plans.ADD_ADDRESS: _same_address,
    plans.SET_FIELD: _same_field,
    plans.ADD_NOTE: _same_note,
    plans.ADD_WORKFLOW_CARD: _same_workflow_card,
}
