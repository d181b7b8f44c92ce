"""What is to be written for a card: pure, so that a preview is the plan, printed.

A person we create gets everything the card says. On a person who was there before only what is missing is added: names,
birthdate and the child flag are never touched, a field that holds something is kept, nothing is ever blanked.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from connectcard.people.identity import base_email, normalised_name
from connectcard.people.matching import Candidate, Comparison, Visitor
from connectcard.people.models import MEMBER
from connectcard.planning_center import Record
from connectcard.sync import families
from connectcard.sync.families import FamilyNow, Lead, Placed, PlacedFamily, WantedMember
from connectcard.sync.group_wishes import GroupNow, WantedGroup, why_by_hand
from connectcard.sync.models import DONE, LEFT_OUT, LONGEST_KEY, PLANNED

CREATE_PERSON, UPDATE_PERSON, REACTIVATE = "create_person", "update_person", "reactivate"
ACTIVE, INACTIVE = "active", "inactive"
ADD_EMAIL, ADD_PHONE, ADD_ADDRESS = "add_email", "add_phone", "add_address"
UPDATE_CONTACT, REMOVE_CONTACT = "update_contact", "remove_contact"
SET_FIELD, ADD_NOTE, ADD_WORKFLOW_CARD = "set_field", "add_note", "add_workflow_card"
# What is written to a person only where nothing of the kind stands yet, or not this one.
FILLS = (UPDATE_PERSON, ADD_EMAIL, ADD_PHONE, ADD_ADDRESS, SET_FIELD)
# A submission of the church's form: for somebody who is there, or for somebody whom Planning Center makes from it.
SUBMIT_FORM, SUBMIT_FORM_NEW = "submit_form", "submit_form_new"
# An answer that the form has no field for any more; never sent.
FORM_ANSWER, FIELD_GONE = "form_answer", "The form has no such field any more. Choose another one in Field mapping."
KNOWN_MEMBER, CREATE_HOUSEHOLD, ADD_MEMBER = "known_member", "create_household", "add_member"
OF_FAMILIES = (CREATE_PERSON, KNOWN_MEMBER, CREATE_HOUSEHOLD, ADD_MEMBER)
ADD_TO_GROUP, UPDATE_GROUP = "add_to_group", "update_group"


@dataclass(frozen=True)
class WantedField:
    """One value for a custom field; `multiple` where the field holds one datum per ticked option. A `private` one is never quoted."""

    definition_id: str
    label: str
    value: str
    multiple: bool = False
    private: bool = False


@dataclass(frozen=True)
class WantedNote:
    category_id: str
    label: str
    text: str


@dataclass(frozen=True)
class WantedWorkflowCard:
    workflow_id: str
    label: str


@dataclass(frozen=True)
class WantedAnswer:
    """An answer for a field of the church's form. `value` is what is sent, `shown` what staff read; `field` is the card's."""

    form_field_id: str
    field: str
    label: str
    value: Any
    shown: str


@dataclass(frozen=True)
class WantedForm:
    """A submission of the church's form; `since` is when the card came in, an ISO moment. `gone` have no field there any more.

    `required` are the labels of the fields that have to be answered, by their ids.
    """

    form_id: str
    name: str
    since: str
    answers: tuple[WantedAnswer, ...] = ()
    gone: tuple[WantedAnswer, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The labels of the required fields to which the card has no answer."""
        answered = {answer.form_field_id for answer in self.answers}
        return tuple(label for number, label in self.required.items() if number not in answered)


@dataclass(frozen=True)
class Wanted:
    """What a card wants to be true in Planning Center. `for_new` are attributes that only a person we create gets.

    `taken_back`: an undo made the person of this card inactive, whom an earlier sync had made. `arrived`: all of this came to rest
    before, and what is gone since was removed on purpose; only family and group are looked at again.
    """

    visitor: Visitor
    email: str = ""
    email_location: str = "Home"
    phone: str = ""
    phone_location: str = "Mobile"
    address: Mapping[str, str] | None = None
    address_location: str = "Home"
    attributes: Mapping[str, str] = field(default_factory=dict)
    for_new: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[WantedField, ...] = ()
    notes: tuple[WantedNote, ...] = ()
    workflow_cards: tuple[WantedWorkflowCard, ...] = ()
    family: tuple[WantedMember, ...] = ()
    form: WantedForm | None = None
    group: WantedGroup | None = None
    taken_back: bool = False
    arrived: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldValue:
    definition_id: str
    value: str
    remote_id: str


@dataclass(frozen=True)
class PersonNow:
    """A person as Planning Center shows them at this moment; `contacts` are their Email, PhoneNumber and Address records."""

    candidate: Candidate
    attributes: Mapping[str, Any] = field(default_factory=dict)
    addresses: tuple[Mapping[str, str], ...] = ()
    fields: tuple[FieldValue, ...] = ()
    contacts: tuple[Record, ...] = ()


@dataclass(frozen=True)
class PlannedStep:
    """One write. `body` is {"attributes": {...}} and, where the parent is no person, {"parent": id}.

    `member` is whom of the family it is about, 0 the visitor. Of somebody who is there already (`remote_id`) or is left out
    (`problem`) the row only says so, and nothing is sent. `before` are the attributes that it changes, as they are.
    A `required` one can only be left out with everything else. `compared` stands for `body` where an approval is compared with a plan
    made later: the body holds ids that exist only once other records were sent.
    """

    kind: str
    natural_key: str
    label: str
    body: dict[str, Any]
    after: str
    now: str = ""
    member: int = 0
    remote_id: str | None = None
    problem: str | None = None
    before: Mapping[str, Any] | None = None
    required: bool = False
    compared: Mapping[str, Any] | None = None

    @property
    def state(self) -> str:
        return DONE if self.remote_id else LEFT_OUT if self.problem else PLANNED

    @property
    def approved(self) -> list[Any]:
        """Everything of it that an approval holds to."""
        return [self.kind, self.natural_key, self.state, self.now, self.compared or self.body]

    @property
    def mark(self) -> str:
        """A short name of this write for a form, which shows nothing of what it holds."""
        return hashlib.sha256(f"{self.kind}|{self.natural_key}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Kept:
    """Something the card says that stays as Planning Center has it."""

    label: str
    now: str


@dataclass(frozen=True)
class Plan:
    """What is to be done for a card; where `refusal` says, in words, that Planning Center would not take it, nothing is."""

    steps: tuple[PlannedStep, ...]
    kept: tuple[Kept, ...] = ()
    refusal: str = ""

    @property
    def writes(self) -> int:
        """How many changes it makes in Planning Center."""
        return sum(step.state == PLANNED for step in self.steps)


def plan(
    wanted: Wanted,
    person: PersonNow | None,
    remote_id_token: int,
    reference: str,
    family: FamilyNow = FamilyNow(),  # noqa: B008 - frozen
    group: GroupNow = GroupNow(),  # noqa: B008 - frozen
) -> Plan:
    """The writes for a card, in their order; `person` is None where one is to be created."""
    if wanted.form and wanted.form.unanswered and not wanted.arrived:
        return Plan((), refusal=_unanswered(wanted.form))
    steps: list[PlannedStep] = []
    kept: list[Kept] = []
    for part in () if wanted.arrived else (_person, _form, _email, _phone, _address, _fields, _notes, _workflow_cards):
        for row in part(wanted, person, remote_id_token, reference):
            (steps if isinstance(row, PlannedStep) else kept).append(row)  # type: ignore[arg-type]
    steps = [looked_for(step) if _meets_somebody(step, wanted, person) else step for step in steps]
    steps += _family(wanted, families.place(wanted.family, family))
    for row in _group(wanted.group, group):
        (steps if isinstance(row, PlannedStep) else kept).append(row)  # type: ignore[arg-type]
    return Plan(tuple(steps), tuple(kept))


def plan_for_group(wanted: WantedGroup, group: GroupNow) -> Plan:
    """The writes for a card that has arrived and whose visitor staff put into the group after all: that, and nothing else."""
    rows = list(_group(wanted, group))
    steps = tuple(row for row in rows if isinstance(row, PlannedStep))
    return Plan(steps, tuple(row for row in rows if isinstance(row, Kept)))


def _unanswered(form: WantedForm) -> str:
    needs = " and ".join(f"“{label}”" for label in form.unanswered)
    return f"The form “{form.name}” requires {needs}, which this card does not answer. Correct the card, or make that optional in the form."


def makes_the_visitor(kind: str, member: int) -> bool:
    """Whether a step of this kind makes the person whom all others are about."""
    return kind == SUBMIT_FORM_NEW or (kind == CREATE_PERSON and member == families.VISITOR)


def _meets_somebody(step: PlannedStep, wanted: Wanted, person: PersonNow | None) -> bool:
    """Whether a write may meet what others wrote meanwhile: whatever it fills on a person who was there; and anything on a person of a
    form, for whom Planning Center may find somebody whom we did not."""
    if person is None:
        return wanted.form is not None and step.kind != SUBMIT_FORM_NEW
    return step.kind in FILLS


def looked_for(step: PlannedStep) -> PlannedStep:
    """The same step, looked for on the person before it is sent the first time: it may be there by then."""
    return replace(step, body={**step.body, "look": True})


Rows = Iterable[PlannedStep | Kept]


def _person(wanted: Wanted, person: PersonNow | None, token: int, _reference: str) -> Rows:
    visitor = wanted.visitor
    if person is None and wanted.form:
        return
    if person is None:
        named = {"first_name": visitor.first_name, "last_name": visitor.last_name}
        attributes = {**wanted.for_new, **wanted.attributes, **named, "remote_id": token}
        name = f"{visitor.first_name} {visitor.last_name}".strip()
        yield PlannedStep(CREATE_PERSON, str(token), "New person", {"attributes": attributes}, name)
        return
    yield Kept("Name", person.candidate.name)
    if wanted.taken_back and person.candidate.inactive:
        yield reactivation(families.VISITOR)
    for name, value in wanted.attributes.items():
        present = str(person.attributes.get(name) or "")
        label = name.replace("_", " ").capitalize()
        if present:
            yield Kept(label, present)
        else:
            before = {name: person.attributes.get(name)}
            yield PlannedStep(UPDATE_PERSON, name, label, {"attributes": {name: value}}, value, before=before)


def reactivation(number: int) -> PlannedStep:
    """A person whom we made is active again, since their card is sent once more."""
    body, before = {"attributes": {"status": ACTIVE}}, {"status": INACTIVE}
    label = "Active again" if number == families.VISITOR else f"{families.label_of(number)} active again"
    return PlannedStep(REACTIVATE, str(number), label, body, "Active", "Inactive", number, before=before)


def _form(wanted: Wanted, person: PersonNow | None, _token: int, _reference: str) -> Rows:
    """The church's form, filled in; what the person has already is sent only where it must, since they would have to confirm it."""
    form = wanted.form
    if form is None:
        return
    answers = [answer for answer in form.answers if answer.form_field_id in form.required or not (person and _has(person, answer, wanted))]
    yield from (Kept(answer.label, answer.shown) for answer in form.answers if answer not in answers)
    yield from (_without_field(answer) for answer in {answer.form_field_id: answer for answer in form.gone}.values())
    values = [{"form_field_id": answer.form_field_id, "value": answer.value} for answer in answers]
    told = {"person_id": person.candidate.remote_id} if person else {"person_attributes": _told_of_the_person(wanted)}
    body = {"attributes": told, "parent": form.form_id, "answers": values, "since": form.since}
    after = "; ".join(f"{answer.label}: {answer.shown}" for answer in answers) or "Filled in"
    kind = SUBMIT_FORM if person else SUBMIT_FORM_NEW
    yield PlannedStep(kind, form.form_id, f"Form “{form.name}”", body, after, "" if person else "New person")


def _without_field(answer: WantedAnswer) -> PlannedStep:
    return PlannedStep(FORM_ANSWER, answer.form_field_id, answer.label, {}, "", FIELD_GONE, problem=FIELD_GONE)


def _has(person: PersonNow, answer: WantedAnswer, wanted: Wanted) -> bool:
    if answer.field == "phone":
        return wanted.visitor.phone in person.candidate.phones
    if answer.field == "address":
        return address_key(_address_of(answer.value)) in {address_key(address) for address in person.addresses}
    return False


def _address_of(value: Mapping[str, str]) -> dict[str, str]:
    return {**value, "street_line_1": value["street"]}


def _told_of_the_person(wanted: Wanted) -> dict[str, Any]:
    visitor = wanted.visitor
    emails = [{"address": wanted.email, "location": wanted.email_location}] if wanted.email else []
    named = {"first_name": visitor.first_name, "last_name": visitor.last_name}
    return {**named, "emails_attributes": emails} if emails else named


def _email(wanted: Wanted, person: PersonNow | None, _token: int, _reference: str) -> Rows:
    if not wanted.email or (wanted.form and person is None):
        return
    present = person.candidate.emails if person else frozenset()
    if base_email(wanted.email) in {base_email(address) for address in present}:
        yield Kept("Email", wanted.email)
        return
    attributes = {"address": wanted.email, "location": wanted.email_location, "primary": not present}
    yield PlannedStep(ADD_EMAIL, wanted.visitor.email, "Email", {"attributes": attributes}, wanted.email, ", ".join(sorted(present)))


def _phone(wanted: Wanted, person: PersonNow | None, _token: int, _reference: str) -> Rows:
    if not wanted.phone:
        return
    present = person.candidate.phones if person else frozenset()
    key = wanted.visitor.phone or wanted.phone
    if key in present:
        yield Kept("Mobile number", wanted.phone)
        return
    attributes = {"number": wanted.phone, "location": wanted.phone_location, "primary": not present}
    yield PlannedStep(ADD_PHONE, key, "Mobile number", {"attributes": attributes}, wanted.phone, ", ".join(sorted(present)))


def _address(wanted: Wanted, person: PersonNow | None, _token: int, _reference: str) -> Rows:
    if not wanted.address:
        return
    present = person.addresses if person else ()
    words = ", ".join(part for part in wanted.address.values() if part)
    if address_key(wanted.address) in {address_key(address) for address in present}:
        yield Kept("Address", words)
        return
    attributes = {**wanted.address, "location": wanted.address_location, "primary": not present}
    yield PlannedStep(ADD_ADDRESS, address_key(wanted.address), "Address", {"attributes": attributes}, words)


def _fields(wanted: Wanted, person: PersonNow | None, _token: int, _reference: str) -> Rows:
    for want in wanted.fields:
        present = [value.value for value in person.fields if value.definition_id == want.definition_id] if person else []
        there = ", ".join(present) if not want.private else "What is there" if present else ""
        if want.value in present if want.multiple else present:
            yield Kept(want.label, there)
            continue
        body = {"attributes": {"field_definition_id": want.definition_id, "value": want.value}, "multiple": want.multiple}
        key = f"{want.definition_id}={want.value}" if want.multiple else want.definition_id
        yield PlannedStep(SET_FIELD, key, want.label, body, "What they wrote" if want.private else want.value, there)


def _notes(wanted: Wanted, _person: PersonNow | None, _token: int, reference: str) -> Rows:
    for want in wanted.notes:
        attributes = {"note": f"{want.text}\n\n{reference}", "note_category_id": want.category_id}
        yield PlannedStep(
            ADD_NOTE, f"{want.category_id} {reference}", want.label, {"attributes": attributes}, "A note with what they wrote"
        )


def _workflow_cards(wanted: Wanted, _person: PersonNow | None, _token: int, _reference: str) -> Rows:
    for want in wanted.workflow_cards:
        yield PlannedStep(
            ADD_WORKFLOW_CARD, want.workflow_id, want.label, {"attributes": {}, "parent": want.workflow_id}, "A card in this workflow"
        )


def _group(wanted: WantedGroup | None, group: GroupNow) -> Rows:
    """Their place in the group they chose, last of all: Groups may have to wait for the person. What staff have to do is left out."""
    if wanted is None:
        return
    if group.role:
        yield Kept("Group", f"{group.role.capitalize()} of “{wanted.name}”")
        return
    why = why_by_hand(wanted, group)
    body = {"attributes": {"role": MEMBER}, "group": wanted.remote_id}
    yield PlannedStep(ADD_TO_GROUP, wanted.key, "Group", body, "" if why else f"Member of “{wanted.name}”", why, problem=why or None)


def _family(wanted: Wanted, family: PlacedFamily) -> Iterable[PlannedStep]:
    """Everybody of the family, then the household, then the place of each in it. No name stands outside of a body."""
    for placed in family.members:
        yield _member(wanted, placed)
    joining = [member.number for member in family.to_join]
    if family.lead and not family.lead_unclear:
        joining = [families.VISITOR, *joining]
    if family.household is None and joining and not family.lead_unclear:
        yield _household(wanted, family, joining)
    if family.lead_unclear:
        yield replace(_place_in_household(families.VISITOR, families.ADULT, None), problem=families.LEAD_IN_SEVERAL)
    if family.household is None and joining and not family.lead:
        joining = [families.VISITOR, *joining]
    for number in joining:
        role = families.DEPENDENT if number >= families.FIRST_CHILD else families.adult_role(family)
        place = _place_in_household(number, role, family.household.remote_id if family.household else None)
        # A new household stands by its primary contact.
        yield replace(place, required=number == families.VISITOR and not (family.household or family.lead))


def _household(wanted: Wanted, family: PlacedFamily, joining: list[int]) -> PlannedStep:
    """A new household; its primary contact is the visitor, or the one whose household it is."""
    name = household_name(wanted.visitor, family.lead)
    body = {"attributes": {"name": name}, "members": joining, "lead": family.lead.remote_id if family.lead else None}
    return PlannedStep(CREATE_HOUSEHOLD, "household", "Household", body, name)


def _member(wanted: Wanted, placed: Placed) -> PlannedStep:
    member = placed.member
    if placed.known:
        now = "Recognised by staff" if placed.joins else "In the household already"
        return PlannedStep(KNOWN_MEMBER, str(member.number), member.label, {}, "", now, member.number, remote_id=placed.known)
    named = {"first_name": member.first_name, "last_name": member.last_name}
    attributes = {**wanted.for_new, **named, **({"child": True} if member.child else {}), "remote_id": member.remote_id_token}
    body: dict[str, Any] = {"attributes": attributes}
    if placed.namesakes:
        body["namesakes"] = [shown(one) for one in placed.namesakes]
    key, after = str(member.remote_id_token), "" if placed.left_out else "A new person"
    return PlannedStep(CREATE_PERSON, key, member.label, body, after, placed.left_out, member.number, problem=placed.left_out or None)


def shown(row: Comparison) -> dict[str, Any]:
    """Somebody who was looked at, as a page shows them."""
    candidate = row.candidate
    return {
        "remote_id": candidate.remote_id,
        "name": candidate.name,
        "first_name": candidate.first_name,
        "last_name": candidate.last_name,
        "emails": sorted(candidate.emails),
        "phones": sorted(candidate.phones),
        "inactive": candidate.inactive,
        "reasons": [asdict(reason) for reason in row.reasons],
    }


def _place_in_household(number: int, role: str, household: str | None) -> PlannedStep:
    # Whoever is not marked as no longer pending gets an e-mail (reference: recorded responses, #371).
    body = {"attributes": {"household_role": role, "pending": False}, "household": household}
    return PlannedStep(ADD_MEMBER, str(number), f"{families.label_of(number)} in the household", body, "In the household", member=number)


def household_name(visitor: Visitor, lead: Lead | None = None) -> str:
    """What a new household is called, as Planning Center calls it."""
    return f"{(lead and lead.last_name) or visitor.last_name or visitor.first_name} Household"


def address_key(address: Mapping[str, str]) -> str:
    """An address as it is compared: street, city and zip in plain letters, as far as a key goes."""
    return "|".join(normalised_name(address.get(part)) for part in ("street_line_1", "street_line_2", "city", "zip"))[:LONGEST_KEY]
