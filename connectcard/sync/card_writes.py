"""What the steps of a card are written to: where each kind is sent, and what its answer means; card_finds finds it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.people.identity import name_key, normalised_email
from connectcard.people.marks import name_mark
from connectcard.people.matching import Candidate
from connectcard.people.operations import marking_key, remember_person, remember_unnamed
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import Conflict, Forbidden, Gone, Merged, Refused
from connectcard.planning_center.resources import people
from connectcard.sync import card_finds, families, forms, households, plans
from connectcard.sync.card_finds import OF_FORMS, PERSON_PARTS, household_of, submission_of
from connectcard.sync.confirmations import FIRST_LOOK
from connectcard.sync.fresh_look import FreshLook
from connectcard.sync.households import Memberships
from connectcard.sync.models import DONE, LONGEST_LABEL, LONGEST_REASON, SyncItem, SyncStep
from connectcard.sync.steps import AskSomebody, Made, PersonGone, Step, in_words

# A person must never be made twice, a workflow card may be there from an earlier visit, and what somebody set meanwhile is not
# overwritten: these look before the first send too.
ALWAYS_PROBED = (plans.CREATE_PERSON, plans.ADD_WORKFLOW_CARD, plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER, plans.UPDATE_PERSON)
# The place of a step that another one adds.
LAST = 1000
OF_HOUSEHOLDS = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
# Their refusal may mean that somebody whom they name is gone.
NAMING_PEOPLE = (*OF_HOUSEHOLDS, plans.ADD_WORKFLOW_CARD, plans.SUBMIT_FORM)


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
    fresh_look: FreshLook = field(default_factory=FreshLook, compare=False)
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
            found = card_finds.find(step, self, client)
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
        self.fresh_look.forget()
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
    row = SyncStep(item_id=item.id, position=position, kind=step.kind, natural_key=step.natural_key, member=step.member)
    row.label = step.label[:LONGEST_LABEL]
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


def _send(step: Step, target: CardTarget, client: Client) -> Record:
    attributes = step.body["attributes"]
    if step.kind == plans.CREATE_HOUSEHOLD:
        people_of_it = [step.body.get("lead") or target.person, *new_members(step, target)]
        return households.create_household(attributes["name"], people_of_it, client)
    if step.kind in OF_FORMS:
        return forms.fill_in(submission_of(step, target), client)
    if step.kind == plans.ADD_MEMBER:
        household, person = str(household_of(step, target)), str(target.member(step.member))
        return households.take_in(household, person, attributes, target.memberships.find(household, person, client), client)
    if step.kind == plans.CREATE_PERSON:
        return client.create(people.PERSON, attributes)
    if step.kind in (plans.UPDATE_PERSON, plans.REACTIVATE):
        return client.update(people.PERSON, str(target.member(step.member)), attributes)
    if step.kind == plans.ADD_WORKFLOW_CARD:
        return client.create(people.WORKFLOW_CARD, {**attributes, "person_id": target.person}, parent_id=step.body["parent"])
    return client.create(PERSON_PARTS[step.kind], _beside_what_stands(step, target, client), parent_id=target.person)


def _beside_what_stands(step: Step, target: CardTarget, client: Client) -> Mapping[str, Any]:
    """What is added; the primary one only where there is still none of its kind, so that it takes that from none."""
    attributes: Mapping[str, Any] = step.body["attributes"]
    if not (attributes.get("primary") and step.body.get("look")):
        return attributes
    return {**attributes, "primary": not target.fresh_look.at(target.person, client).included_of(PERSON_PARTS[step.kind].type)}
