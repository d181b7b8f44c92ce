"""Forms that are filled in over the API: since People's version 2026-06-04 a whole card in one call.

Planning Center finds the person or makes one, keeps the answers, and lets the form do its work: custom fields, workflow cards, mails.
What would change somebody who is already there waits until that person has confirmed it (`confirm`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectcard.simulator import moments, people_rules, rules
from connectcard.simulator.answers import cannot_be_assigned, forbidden, invalid, invalid_payload, no_such_resource, not_found
from connectcard.simulator.callers import Caller, may_manage
from connectcard.simulator.catalogue import FACTS
from connectcard.simulator.mails import post_mail
from connectcard.simulator.questions import whole_number
from connectcard.simulator.rules import Body, Desk
from connectcard.simulator.store import Row, fold
from connectcard.simulator.versions import FORMS_CAN_BE_FILLED_IN

WITH_OPTIONS = ("checkboxes", "dropdown", "select", "workflow_checkboxes", "workflow_dropdown")
WITHOUT_ANSWER = ("file", "header", "heading", "household")
BY_PARTS, DATES, BOOLEANS = ("address", "phone_number"), ("anniversary", "birthday", "date"), ("boolean", "workflow_checkbox")
CHANGING_THE_PERSON = (
    "address", "anniversary", "birthday", "custom_field", "gender", "grade", "marital_status", "medical", "phone_number", "primary_campus",
)  # fmt: skip
CONTACTS = {"emails_attributes": "Email", "phone_numbers_attributes": "PhoneNumber", "addresses_attributes": "Address"}
STREET_NAMES = {"street": "street_line_1"}


@dataclass(frozen=True)
class Answer:
    """What was answered to one field; `option` where the field has options."""

    field: Row
    value: Any
    option: Row | None = None

    @property
    def kind(self) -> str:
        return str(self.field["field_type"])

    def display_value(self) -> str:
        if self.option:
            return str(self.option["label"])
        if isinstance(self.value, dict):
            return ", ".join(str(part) for part in self.value.values() if part)
        return rules.written(self.value)


def fill_in(desk: Desk, form: Row, document: Any) -> Row:
    """A new submission of a form, with everything that follows from it; raises a refusal that leaves nothing behind."""
    must_be_possible(desk, form)
    body = Body.read(document)
    if refused := sorted(set(body.attributes) - {"person_id", "person_attributes"}) + sorted(body.relationships):
        raise cannot_be_assigned(refused)
    answers = read_answers(desk, form, document.get("included"))
    person, is_new = whose(desk, body.attributes)
    submission = rules.kept(desk, Row("FormSubmission", desk.organization, person=person.id, parent=form.id))
    for answer in answers:
        keep_answer(desk, submission, answer)
    waiting = [] if is_new else [answer for answer in answers if answer.kind in CHANGING_THE_PERSON]
    submission.attributes |= {"verified": not waiting, "requires_verification": bool(waiting)}
    desk.save(submission)
    for answer in answers:
        if answer not in waiting:
            carry_out(desk, person, answer)
    tell_by_mail(desk, form, person, waiting=bool(waiting))
    return submission


def must_be_possible(desk: Desk, form: Row) -> None:
    if desk.version < FORMS_CAN_BE_FILLED_IN:
        raise not_found()
    if not may_manage(desk.caller, form):
        raise forbidden(f"User with id {desk.caller.person.id} cannot create a FormSubmission.")
    if form["archived_at"] or not form["active"]:
        raise invalid("FormSubmission", "form", "is not accepting submissions")


# What was sent


def read_answers(desk: Desk, form: Row, included: Any) -> list[Answer]:
    if included is not None and not (isinstance(included, list) and all(isinstance(one, dict) for one in included)):
        raise invalid_payload("included")
    fields = {field.id: field for field in desk.store.below("FormField", form.id)}
    answers = [read_answer(desk, fields, one) for one in included or []]
    answered = {answer.field.id for answer in answers}
    for field in fields.values():
        if field["required"] and field.id not in answered:
            raise invalid("FormSubmissionValue", "value")
    return answers


def read_answer(desk: Desk, fields: Mapping[int, Row], sent: dict[str, Any]) -> Answer:
    attributes = sent.get("attributes")
    if not isinstance(attributes, dict):
        raise invalid_payload("included")
    if refused := sorted(set(attributes) - {"form_field_id", "value"}):
        raise cannot_be_assigned(refused)
    field = fields.get(whole_number(attributes.get("form_field_id")) or 0)
    if field is None:
        raise no_such_resource("form_field_id")
    kind, value = kind_of(desk, field), attributes.get("value")
    must_be_a_value(kind, value)
    return Answer(field, value, option_of(desk, field, value) if kind in WITH_OPTIONS else None)


def kind_of(desk: Desk, field: Row) -> str:
    """What a field takes: its own type, or that of the custom field for which it stands."""
    if field["field_type"] != "custom_field":
        return str(field["field_type"])
    definition = desk.find("FieldDefinition", field.relations.get("fieldable"))
    return str(definition["data_type"]) if definition and not definition["deleted_at"] else "heading"


def must_be_a_value(kind: str, value: Any) -> None:
    """One value of the field's own shape: a date as `2026-11-20`, a phone number or an address by its parts, all else as text."""
    if value is None or value == "" or isinstance(value, list) or kind in WITHOUT_ANSWER:
        raise invalid("FormSubmissionValue", "value")
    if isinstance(value, dict) != (kind in BY_PARTS) or (kind in DATES and moments.read_date(str(value)) != value):
        raise invalid("FormSubmissionValue", "value", "is invalid")
    if kind in BOOLEANS and not isinstance(value, bool):
        raise invalid("FormSubmissionValue", "value", "is invalid")


def option_of(desk: Desk, field: Row, value: Any) -> Row:
    """The option of the form's field that the value names by its id; neither its words nor the custom field's own option will do."""
    options = desk.store.below("FormFieldOption", field.id)
    found = next((option for option in options if option.id == whole_number(value)), None)
    if found is None:
        raise invalid("FormSubmissionValue", "value", "is not included in the list")
    return found


# Whose submission it is


def whose(desk: Desk, attributes: Mapping[str, Any]) -> tuple[Row, bool]:
    """The person, and whether it was made for this submission."""
    if attributes.get("person_id") is not None:
        person = desk.find("Person", whole_number(attributes["person_id"]))
        if person is None:
            raise no_such_resource("person_id")
        return person, False
    told = attributes.get("person_attributes")
    if told is None:
        raise invalid("FormSubmission", "person")
    if not isinstance(told, dict):
        raise invalid_payload("person_attributes")
    contacts = {name: read_contacts(name, told.get(name) or []) for name in CONTACTS}
    themselves = {name: value for name, value in told.items() if name not in CONTACTS}
    known = same_person(desk, themselves, contacts["emails_attributes"])
    return (known, False) if known else (make_person(desk, themselves, contacts), True)


def read_contacts(name: str, sent: Any) -> list[dict[str, Any]]:
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise invalid_payload(name)
    return sent


def same_person(desk: Desk, told: Mapping[str, Any], emails: list[dict[str, Any]]) -> Row | None:
    """Planning Center's own rule: the same e-mail, last name, and first name, given name or nickname. It is no more careful than that."""
    first, last = fold(told.get("first_name")), fold(told.get("last_name"))
    for email in emails:
        for person in people_with(desk, str(email.get("address") or "").strip()):
            if fold(person["last_name"]) == last and first in [fold(person[name]) for name in ("first_name", "given_name", "nickname")]:
                return person
    return None


def people_with(desk: Desk, address: str) -> list[Row]:
    found = desk.store.execute(
        "select person from record where organization = ? and kind = 'Email' and fold(json_extract(attributes, '$.address')) = ?"
        " order by person",
        (desk.organization, fold(address)),
    )
    return [person for (number,) in found if (person := desk.find("Person", number))]


def make_person(desk: Desk, told: Mapping[str, Any], contacts: Mapping[str, list[dict[str, Any]]]) -> Row:
    person = Row("Person", desk.organization)
    rules.assign(desk, FACTS["Person"], person, Body(told, {}))
    rules.keep(desk, person)
    for name, kind in CONTACTS.items():
        for one in contacts[name]:
            make_contact(desk, person, kind, one)
    return person


def make_contact(desk: Desk, person: Row, kind: str, told: Mapping[str, Any]) -> None:
    row = Row(kind, desk.organization, person=person.id)
    rules.assign(desk, FACTS[kind], row, Body({"location": "Home"} | dict(told), {}))
    rules.keep(desk, row)


# What follows


def keep_answer(desk: Desk, submission: Row, answer: Answer) -> None:
    relations = {"form_field": answer.field.id} | ({"form_field_option": answer.option.id} if answer.option else {})
    attributes = {"display_value": answer.display_value(), "attachments": [], "sent": answer.value}
    rules.keep(desk, Row("FormSubmissionValue", desk.organization, attributes, relations, parent=submission.id))


def confirm(desk: Desk, submission: Row) -> None:
    """The person has followed the link in the mail: what waited is carried out."""
    person = desk.find("Person", submission.person)
    if person is None or submission["verified"]:
        return
    for answer in waiting_answers(desk, submission):
        carry_out(desk, person, answer)
    submission.attributes |= {"verified": True, "requires_verification": False}
    desk.save(submission)


def waiting_answers(desk: Desk, submission: Row) -> list[Answer]:
    fields = {field.id: field for field in desk.store.below("FormField", submission.parent or 0)}
    values = [row for row in desk.store.below("FormSubmissionValue", submission.id) if row.relations["form_field"] in fields]
    answers = [
        Answer(fields[row.relations["form_field"]], row["sent"], desk.find("FormFieldOption", row.relations.get("form_field_option")))
        for row in values
    ]
    return [answer for answer in answers if answer.kind in CHANGING_THE_PERSON]


def carry_out(desk: Desk, person: Row, answer: Answer) -> None:
    if effect := EFFECTS.get(answer.kind):
        effect(desk, person, answer)


def add_phone_number(desk: Desk, person: Row, answer: Answer) -> None:
    told = answer.value if isinstance(answer.value, dict) else {"number": answer.value}
    make_contact(desk, person, "PhoneNumber", {"location": "Mobile"} | told)


def add_address(desk: Desk, person: Row, answer: Answer) -> None:
    """`street` is a form's word for the first line in every version; `street_line_1` alone was seen to be passed over."""
    told = answer.value if isinstance(answer.value, dict) else {"street": answer.value}
    known = ("street", "city", "state", "zip", "country_code", "location")
    make_contact(desk, person, "Address", {STREET_NAMES.get(name, name): told[name] for name in known if told.get(name)})


def change_attribute(name: str) -> Callable[[Desk, Row, Answer], None]:
    def change(desk: Desk, person: Row, answer: Answer) -> None:
        rules.assign(desk, FACTS["Person"], person, Body({name: answer.value}, {}))
        rules.keep(desk, person)

    return change


def change_marital_status(desk: Desk, person: Row, answer: Answer) -> None:
    rules.point(desk, FACTS["Person"], person, "marital_status", answer.value)
    rules.keep(desk, person)


def fill_custom_field(desk: Desk, person: Row, answer: Answer) -> None:
    """Another value replaces the one that is there, except where several can be ticked."""
    definition = desk.find("FieldDefinition", answer.field.relations.get("fieldable"))
    if definition is None:
        return
    known = [row for row in desk.store.of_person("FieldDatum", person.id) if row.parent == definition.id]
    chosen = desk.find("FieldOption", answer.option.relations.get("optionable")) if answer.option else None
    value = str(chosen["value"]) if chosen else people_rules.datum_value(desk, definition, answer.display_value())
    if any(row["value"] == value for row in known):
        return
    replaces = known and definition["data_type"] != "checkboxes"
    row = known[0] if replaces else Row("FieldDatum", desk.organization, person=person.id, parent=definition.id)
    row.attributes["value"] = value
    rules.keep(desk, row)


def write_note(desk: Desk, person: Row, answer: Answer) -> None:
    category = answer.field.relations.get("fieldable")
    rules.keep(desk, Row("Note", desk.organization, {"note": answer.display_value()}, person=person.id, parent=category))


def add_card(desk: Desk, person: Row, answer: Answer) -> None:
    """A ticked box, or an option that stands for a workflow, puts the person into it."""
    workflow = answer.option.relations.get("optionable") if answer.option else answer.field.relations.get("fieldable")
    ticked = answer.option is not None or rules.cast("boolean", "value", answer.value)
    if ticked and workflow:
        rules.keep(desk, Row("WorkflowCard", desk.organization, person=person.id, parent=workflow))


EFFECTS: Mapping[str, Callable[[Desk, Row, Answer], None]] = {
    "address": add_address,
    "anniversary": change_attribute("anniversary"),
    "birthday": change_attribute("birthdate"),
    "custom_field": fill_custom_field,
    "gender": change_attribute("gender_id"),
    "grade": change_attribute("grade"),
    "marital_status": change_marital_status,
    "medical": change_attribute("medical_notes"),
    "note": write_note,
    "phone_number": add_phone_number,
    "primary_campus": change_attribute("primary_campus_id"),
    "workflow": add_card,
    "workflow_checkbox": add_card,
    "workflow_checkboxes": add_card,
    "workflow_dropdown": add_card,
}


def tell_by_mail(desk: Desk, form: Row, person: Row, *, waiting: bool) -> None:
    if waiting:
        post_mail(desk, person, f"Please confirm your information: {form['name']}")
    elif form["send_submission_notification_to_submitter"]:
        post_mail(desk, person, f"Thank you: {form['name']}")


def must_read_submissions(caller: Caller, version: str) -> None:
    if caller.permission not in ("Editor", "Manager"):
        vertex = f"AppGraph::V{version.replace('-', '_')}::Vertices::FormSubmissionVertex"
        raise forbidden(f"User with id {caller.person.id} cannot read {vertex} collection.")
