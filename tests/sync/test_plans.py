"""What would be written: pure tables, no database, no wire."""

from connectcard.people.matching import Candidate, Visitor
from connectcard.sync import plans
from connectcard.sync.plans import FieldValue, PersonNow, Wanted, WantedField, WantedNote, WantedWorkflowCard, plan

VISITOR = Visitor("Ana", "Lopez", "ana@gmail.com", "+15125550177")
EVERYTHING = Wanted(
    visitor=VISITOR,
    email="ana@gmail.com",
    phone="(512) 555-0177",
    address={"street_line_1": "12 Oak St.", "city": "Austin", "state": "TX", "zip": "78701", "country_code": "US"},
    for_new={"membership": "Visitor", "primary_campus_id": "7"},
    fields=(WantedField("11", "How did you hear", "Website"), WantedField("12", "Interests", "Kids", multiple=True)),
    notes=(WantedNote("5", "Note: Prayer request", "Please pray"),),
    workflow_cards=(WantedWorkflowCard("3", "Workflow card: Visit"),),
)


def kinds(planned: plans.Plan) -> list[str]:
    return [step.kind for step in planned.steps]


def test_somebody_new_gets_everything_the_card_says() -> None:
    planned = plan(EVERYTHING, None, 1234567890, "CC-ABC")
    assert kinds(planned) == [
        plans.CREATE_PERSON, plans.ADD_EMAIL, plans.ADD_PHONE, plans.ADD_ADDRESS, plans.SET_FIELD, plans.SET_FIELD, plans.ADD_NOTE,
        plans.ADD_WORKFLOW_CARD,
    ]  # fmt: skip
    person = planned.steps[0]
    assert person.body["attributes"] == {
        "membership": "Visitor", "primary_campus_id": "7", "first_name": "Ana", "last_name": "Lopez", "remote_id": 1234567890,
    }  # fmt: skip
    assert planned.steps[6].body["attributes"]["note"].endswith("CC-ABC")


def test_on_a_person_who_was_there_only_what_is_missing_is_added() -> None:
    there = PersonNow(
        Candidate("1", "Ana", "Lopez", emails=frozenset({"ana@gmail.com"})),
        attributes={"membership": "Member"},
        addresses=({"street_line_1": "12 oak st", "city": "Austin", "zip": "78701"},),
        fields=(FieldValue("11", "Friend or family", "90"), FieldValue("12", "Serving", "91")),
    )
    planned = plan(EVERYTHING, there, 1, "CC-ABC")
    assert kinds(planned) == [plans.ADD_PHONE, plans.SET_FIELD, plans.ADD_NOTE, plans.ADD_WORKFLOW_CARD]
    assert planned.steps[1].body["attributes"]["value"] == "Kids"
    assert ("How did you hear", "Friend or family") in [(row.label, row.now) for row in planned.kept]


def test_names_membership_and_remote_id_of_a_person_who_was_there_are_never_touched() -> None:
    planned = plan(EVERYTHING, PersonNow(Candidate("1", "Anna", "Lopes")), 1, "CC-ABC")
    sent = {name for step in planned.steps for name in step.body["attributes"]}
    assert not sent & {"first_name", "last_name", "remote_id", "membership", "birthdate", "child"}


def test_an_attribute_from_the_card_fills_only_an_empty_one() -> None:
    wanted = Wanted(VISITOR, attributes={"membership": "Visitor"})
    assert kinds(plan(wanted, PersonNow(Candidate("1", "Ana"), attributes={"membership": None}), 1, "")) == [plans.UPDATE_PERSON]
    assert kinds(plan(wanted, PersonNow(Candidate("1", "Ana"), attributes={"membership": "Member"}), 1, "")) == []


def test_an_empty_answer_blanks_nothing() -> None:
    assert plan(Wanted(Visitor("Ana")), PersonNow(Candidate("1", "Ana")), 1, "").steps == ()


def test_a_second_email_does_not_become_the_main_one() -> None:
    there = PersonNow(Candidate("1", "Ana", "Lopez", emails=frozenset({"old@gmail.com"})))
    email = plan(Wanted(VISITOR, email="ana@gmail.com"), there, 1, "").steps[0]
    assert email.body["attributes"] == {"address": "ana@gmail.com", "location": "Home", "primary": False}
