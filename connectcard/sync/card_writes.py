"""What the steps of a card are written to: where each kind is sent, and how what it made is found again by its natural key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people.identity import base_email, e164, name_key, normalised_email, same_first_name, same_last_name
from connectcard.people.marks import name_mark
from connectcard.people.matching import Candidate
from connectcard.people.operations import marking_key, remember_person, remember_unnamed
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, Forbidden, Gone, Merged, Refused
from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import Resource
from connectcard.sync import families, forms, households, plans
from connectcard.sync.confirmations import FIRST_LOOK
from connectcard.sync.households import Memberships
from connectcard.sync.looking import person_attributes
from connectcard.sync.models import DONE, INTENT, LONGEST_REASON, SyncItem, SyncStep
from connectcard.sync.steps import AskSomebody, Made, PersonGone, Step, TokenTaken, in_words

# A person must never be made twice, and a workflow card may be there from an earlier visit: these look before the first send too.
ALWAYS_PROBED = (plans.CREATE_PERSON, plans.ADD_WORKFLOW_CARD, plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
# The place of a step that another one adds.
LAST = 1000
OF_HOUSEHOLDS = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
# Their refusal may mean that somebody whom they name is gone.
NAMING_PEOPLE = (*OF_HOUSEHOLDS, plans.ADD_WORKFLOW_CARD, plans.SUBMIT_FORM)
OF_FORMS = (plans.SUBMIT_FORM, plans.SUBMIT_FORM_NEW)


class HouseholdGone(PersonGone):
    """The household that somebody was to join is no longer there; the family is planned anew."""

    def __init__(self) -> None:
        super().__init__(None)


@dataclass(frozen=True)
class CardTarget:
    """The target of a card. `family` are those of the family who were made, by their numbers; `household` is the one that was made
    for them. `suspects_loss`: the rows of earlier writes may be lost, so each is looked for (sync.restored)."""

    person_remote_id: str | None
    reference: str
    country_code: str
    first_name: str
    last_name: str
    family: Mapping[int, str] = field(default_factory=dict)
    household: str | None = None
    memberships: Memberships = field(default_factory=Memberships, compare=False)
    suspects_loss: bool = False

    @property
    def person(self) -> str:
        if self.person_remote_id is None:
            raise AskSomebody("The person was not made yet, so nothing can be added to them. Try this card again.")
        return self.person_remote_id

    def member(self, number: int) -> str | None:
        """The person of this number in the family, if they were made."""
        return self.person_remote_id if number == families.VISITOR else self.family.get(number)

    def missing(self, step: Step) -> str:
        if step.kind == plans.CREATE_HOUSEHOLD and not new_members(step, self):
            return "Nobody of the family could be added, so there is no household."
        if step.kind == plans.ADD_MEMBER and self.member(step.member) is None:
            return "This person was not added."
        return "The household could not be made." if step.kind == plans.ADD_MEMBER and household_of(step, self) is None else ""

    def looks_first(self, step: Step) -> bool:
        return step.kind in ALWAYS_PROBED or self.suspects_loss or bool(step.body.get("look"))

    def send(self, step: Step, client: Client) -> Made:
        return Made.of(_send(step, self, client))

    def probe(self, step: Step, client: Client) -> Made | None:
        try:
            found = _find(step, self, client)
        except Gone as error:
            _follow_if_gone(step, self, client, error)
            if step.kind != plans.ADD_MEMBER:
                raise
            # Nobody is in a household that is gone.
            return None
        return Made.of(found) if found else None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        """Planning Center says so with 409, for field data with 422."""
        self.memberships.forget()
        return isinstance(error, Conflict) or step.kind in (plans.SET_FIELD, plans.ADD_MEMBER)

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        if isinstance(error, Gone) or step.kind in NAMING_PEOPLE:
            _follow_if_gone(step, self, client, error)
        if isinstance(error, Gone) and step.kind in OF_HOUSEHOLDS:
            raise HouseholdGone from error
        if isinstance(error, Forbidden) and step.kind in OF_FORMS:
            return forms.NOT_ALLOWED
        return _place_gone(step) if isinstance(error, Gone) else in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        if step.kind == plans.CREATE_PERSON and made.record is not None:
            _remember(step, made.record, item)
            if made.record["status"] == plans.INACTIVE:
                db.session.add(row_of(plans.reactivation(step.member), item, LAST))
        if step.kind in OF_FORMS and made.record is not None:
            _remember_submission(step, made.record, item)


def new_members(step: Step, target: CardTarget) -> list[str]:
    return [person for number in step.body["members"] if (person := target.member(number))]


def household_of(step: Step, target: CardTarget) -> str | None:
    return step.body["household"] or target.household


def _place_gone(step: Step) -> str:
    if step.kind in OF_FORMS:
        return "the form is closed or no longer there; choose another one in Field mapping"
    return "the place this goes to is no longer there; choose another one in Field mapping"


def _follow_if_gone(step: Step, target: CardTarget, client: Client, error: Refused) -> None:
    """Raise PersonGone where somebody whom the step is about was merged or deleted."""
    numbers = {families.VISITOR, step.member, *step.body.get("members", ())}
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


def row_of(step: plans.PlannedStep, item: SyncItem, position: int) -> SyncStep:
    """A planned step as the row of an item."""
    row = SyncStep(item_id=item.id, position=position, kind=step.kind, natural_key=step.natural_key, label=step.label, member=step.member)
    row.remote_id, row.body, row.state = step.remote_id, json.dumps(step.body), step.state
    row.problem = step.problem[:LONGEST_REASON] if step.problem else None
    row.before = None if step.before is None else json.dumps(step.before)
    row.found, row.done_at = step.state == DONE, now() if step.state == DONE else None
    return row


def _remember(step: Step, record: Record, item: SyncItem) -> None:
    """Find somebody we made again, though Planning Center's search lags; a child by a mark, since its name is not kept open."""
    if step.member == families.VISITOR:
        item.person_remote_id = record.id
    if step.member >= families.FIRST_CHILD:
        remember_unnamed(record.id, name_mark(marking_key(), name_key(record["first_name"], record["last_name"])))
    else:
        remember_person(Candidate(record.id, record["first_name"] or "", record["last_name"] or ""))


def _remember_submission(step: Step, submission: Record, item: SyncItem) -> None:
    """Whose submission it became, and whether they have to confirm it first."""
    item.person_remote_id = forms.person_of(submission) or item.person_remote_id
    told = step.body["attributes"].get("person_attributes")
    if told and item.person_remote_id:
        emails = frozenset(normalised_email(one["address"]) for one in told.get("emails_attributes", ()))
        remember_person(Candidate(item.person_remote_id, told["first_name"], told["last_name"], emails=emails))
    if submission["verified"] is False:
        row = db.session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()
        row.problem, row.look_again_at = forms.AWAITS, now() + FIRST_LOOK


# Sending: where each kind of step is written.

_PERSON_PARTS: dict[str, Resource] = {
    plans.ADD_EMAIL: people.EMAIL,
    plans.ADD_PHONE: people.PHONE_NUMBER,
    plans.ADD_ADDRESS: people.ADDRESS,
    plans.SET_FIELD: people.FIELD_DATUM,
    plans.ADD_NOTE: people.NOTE,
}


def _send(step: Step, target: CardTarget, client: Client) -> Record:
    attributes = step.body["attributes"]
    if step.kind == plans.CREATE_HOUSEHOLD:
        people_of_it = [step.body.get("lead") or target.person, *new_members(step, target)]
        return households.create_household(attributes["name"], people_of_it, client)
    if step.kind in OF_FORMS:
        return forms.fill_in(step.body, client)
    if step.kind == plans.ADD_MEMBER:
        household, person = str(household_of(step, target)), str(target.member(step.member))
        return households.take_in(household, person, attributes, target.memberships.find(household, person, client), client)
    if step.kind == plans.CREATE_PERSON:
        return client.create(people.PERSON, attributes)
    if step.kind in (plans.UPDATE_PERSON, plans.REACTIVATE):
        return client.update(people.PERSON, str(target.member(step.member)), attributes)
    if step.kind == plans.ADD_WORKFLOW_CARD:
        return client.create(people.WORKFLOW_CARD, {**attributes, "person_id": target.person}, parent_id=step.body["parent"])
    return client.create(_PERSON_PARTS[step.kind], attributes, parent_id=target.person)


# Probing: how what a step would make is found again by its natural key.


def _find(step: Step, target: CardTarget, client: Client) -> Record | None:
    if step.kind == plans.CREATE_PERSON:
        return _find_created_person(step, client)
    if step.kind == plans.CREATE_HOUSEHOLD:
        return households.find_household(step.body["attributes"]["name"], step.body.get("lead") or target.person, client)
    if step.kind in OF_FORMS:
        return forms.find_submission(step.body, _of_other_cards(step), client)
    if step.kind == plans.ADD_MEMBER:
        return _find_member(step, target, client)
    if step.kind in (plans.UPDATE_PERSON, plans.REACTIVATE):
        record = client.get(people.PERSON, str(target.member(step.member)))
        shown = person_attributes(record)
        return record if all(shown.get(name) == value for name, value in step.body["attributes"].items()) else None
    resource = people.PERSON_WORKFLOW_CARD if step.kind == plans.ADD_WORKFLOW_CARD else _PERSON_PARTS[step.kind]
    fits = _FITS[step.kind]
    return next((record for record in client.iterate(resource, parent_id=target.person) if fits(record, step, target)), None)


def _of_other_cards(step: Step) -> set[str]:
    """The submissions that other steps made or found."""
    kept = select(SyncStep.remote_id).where(SyncStep.kind.in_(OF_FORMS), SyncStep.id != step.id, SyncStep.remote_id.is_not(None))
    found = {remote_id for remote_id in db.session.scalars(kept) if remote_id}
    end_reading()
    return found


def _find_member(step: Step, target: CardTarget, client: Client) -> Record | None:
    household, person = str(household_of(step, target)), str(target.member(step.member))
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


def _same_email(record: Record, step: Step, _target: CardTarget) -> bool:
    return base_email(record["address"]) == base_email(step.body["attributes"]["address"])


def _same_phone(record: Record, step: Step, target: CardTarget) -> bool:
    theirs = record["e164"] or e164(record["number"], record["country_code"] or target.country_code) or record["number"]
    return bool(theirs == step.natural_key)


def _same_address(record: Record, step: Step, _target: CardTarget) -> bool:
    return plans.address_key({name: value or "" for name, value in record.attributes.items() if isinstance(value, str)}) == step.natural_key


def _same_field(record: Record, step: Step, _target: CardTarget) -> bool:
    wanted = step.body["attributes"]
    definition = {ref.id for ref in record.related("field_definition")}
    return wanted["field_definition_id"] in definition and (not step.body.get("multiple") or record["value"] == wanted["value"])


def _same_note(record: Record, _step: Step, target: CardTarget) -> bool:
    category = _step.body["attributes"]["note_category_id"]
    return target.reference in (record["note"] or "") and str(record["note_category_id"] or category) == category


def _same_workflow_card(record: Record, step: Step, _target: CardTarget) -> bool:
    workflow = {ref.id for ref in record.related("workflow")}
    return step.body["parent"] in workflow and record["stage"] not in ("completed", "removed")


_FITS: dict[str, Callable[[Record, Step, CardTarget], bool]] = {
    plans.ADD_EMAIL: _same_email,
    plans.ADD_PHONE: _same_phone,
    plans.ADD_ADDRESS: _same_address,
    plans.SET_FIELD: _same_field,
    plans.ADD_NOTE: _same_note,
    plans.ADD_WORKFLOW_CARD: _same_workflow_card,
}
