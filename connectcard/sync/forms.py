"""Landing cards as submissions of a form of the church's own: which form, filling it in, and finding a submission again.

A submission mails people and starts workflows at once, and nothing takes that back; made twice, it stands there twice. Hence it is
looked for before it is ever sent again (reference: Planning Center People, 3.8).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from connectcard.clock import now
from connectcard.connections.models import RemoteChoice
from connectcard.database import db, end_reading
from connectcard.errors import ChangeRefused
from connectcard.people.identity import normalised_name
from connectcard.planning_center import Client, Record
from connectcard.planning_center.resources import people
from connectcard.sync.looking import CLOCKS_DIFFER
from connectcard.sync.models import Destination, Landing, SyncStep
from connectcard.sync.plans import SUBMIT_FORM, SUBMIT_FORM_NEW, WantedForm

FORM, FORM_FIELD, FORM_FIELD_OPTION = "form", "form_field", "form_field_option"
AWAITS = "The visitor has to confirm some of it by e-mail before Planning Center changes their profile."
NOT_ALLOWED = "whoever connected the church must be an Editor in Planning Center People and a manager of this form"


# Which form.


_LANDING = select(Landing)


def find_landing() -> Landing | None:
    """What the church chose; None, or no form in it, for direct records."""
    return db.session.scalars(_LANDING).one_or_none()


def chosen_form_id() -> str | None:
    landing = find_landing()
    return landing.form_remote_id if landing else None


def forms_offered() -> list[RemoteChoice]:
    """The church's forms that can be filled in, as a worker last read them."""
    return list(db.session.scalars(select(RemoteChoice).where(RemoteChoice.kind == FORM).order_by(RemoteChoice.position)))


def choose(form_remote_id: str | None, member_name: str) -> Landing:
    """Let cards land as submissions of this form from now on, or as direct records. Inside `transaction()`.

    Answers that went into fields of another form go to their usual places again. Raises ChangeRefused for a form that cannot be used.
    """
    form = next((one for one in forms_offered() if one.remote_id == form_remote_id), None)
    if form_remote_id and form is None:
        raise ChangeRefused("That form is not in Planning Center any more, or it is closed. Refresh the list and choose again.")
    if form is not None and not form.detail.get("can_manage"):
        raise ChangeRefused(f"“{form.name}” cannot be filled in: {NOT_ALLOWED}. Mend that in Planning Center, then refresh the list.")
    landing = find_landing() or Landing()
    if landing.form_remote_id != form_remote_id:
        db.session.execute(delete(Destination).where(Destination.kind == FORM_FIELD))
    landing.form_remote_id, landing.form_name = form_remote_id or None, form.name if form else ""
    landing.changed_by, landing.changed_at = member_name, now()
    db.session.add(landing)
    db.session.flush()
    return landing


def of_the_form(choices: Sequence[RemoteChoice], form_remote_id: str | None) -> list[RemoteChoice]:
    """The choices without the fields of any other form than this one."""
    fields = {one.remote_id for one in choices if one.kind == FORM_FIELD and one.parent_remote_id == form_remote_id and form_remote_id}
    return [
        one
        for one in choices
        if not (one.kind == FORM_FIELD and one.remote_id not in fields)
        and not (one.kind == FORM_FIELD_OPTION and one.parent_remote_id not in fields)
    ]


def unanswered(choices: Sequence[RemoteChoice], answered: Collection[str]) -> list[str]:
    """The labels of the fields that the form requires and that no answer of the card goes to."""
    return [one.name for one in choices if one.kind == FORM_FIELD and one.detail.get("required") and one.remote_id not in answered]


# Over the wire.


def as_it_stands(form: WantedForm, client: Client) -> WantedForm:
    """The form with its fields of this moment: editing it in Planning Center may take some away, or make others required."""
    fields = list(client.iterate(people.FORM_FIELD, parent_id=form.form_id))
    there = {field.id for field in fields}
    kept = tuple(answer for answer in form.answers if answer.form_field_id in there)
    gone = tuple(answer for answer in form.answers if answer.form_field_id not in there)
    required = {field.id: str(field["label"]) for field in fields if field["required"]}
    return replace(form, answers=kept, gone=gone, required=required)


def fill_in(body: Mapping[str, Any], client: Client) -> Record:
    """Make a submission; `body` is as in a step."""
    values = [(people.FORM_SUBMISSION_VALUE, answer) for answer in body["answers"]]
    return client.create(people.FORM_SUBMISSION, body["attributes"], parent_id=body["parent"], included=values)


def find_submission(body: Mapping[str, Any], ours: Collection[str], client: Client) -> Record | None:
    """The submission that this body would make, made since the card came in; `ours` are those of other cards, which do not count."""
    alike = _with_these_answers(body, ours, client)
    return next((one for one in alike if _same_person(one, body["attributes"])), None)


def people_who_answered(body: Mapping[str, Any], ours: Collection[str], client: Client) -> list[str]:
    """Whose the submissions with just these answers are, whatever they are called, by remote ids."""
    return sorted({person for one in _with_these_answers(body, ours, client) if (person := person_of(one))})


def _with_these_answers(body: Mapping[str, Any], ours: Collection[str], client: Client) -> Iterator[Record]:
    since = datetime.fromisoformat(body["since"]) - CLOCKS_DIFFER
    found = client.iterate(
        people.FORM_SUBMISSION,
        parent_id=body["parent"],
        where={"created_at": {"gte": since}},
        include=("person", "form_submission_values"),
    )
    return (one for one in found if one.id not in ours and _same_answers(one, body))


def known_submissions() -> set[str]:
    """The submissions that our cards made or found, by their remote ids."""
    kept = select(SyncStep.remote_id).where(SyncStep.kind.in_((SUBMIT_FORM, SUBMIT_FORM_NEW)), SyncStep.remote_id.is_not(None))
    found = {remote_id for remote_id in db.session.scalars(kept) if remote_id}
    end_reading()
    return found


def person_of(submission: Record) -> str | None:
    """The remote id of the person whose submission it is."""
    return next((ref.id for ref in submission.related("person")), None)


def _same_person(submission: Record, sent: Mapping[str, Any]) -> bool:
    if "person_id" in sent:
        return person_of(submission) == str(sent["person_id"])
    told = _name(sent["person_attributes"])
    return any(_name(person.attributes) == told for person in submission.included_of("Person") if person.id == person_of(submission))


def _name(attributes: Mapping[str, Any]) -> tuple[str, str]:
    return normalised_name(attributes.get("first_name")), normalised_name(attributes.get("last_name"))


def _same_answers(submission: Record, body: Mapping[str, Any]) -> bool:
    """The same answers to the same fields, one by one; how Planning Center writes out a number or an address is its own affair.

    Of one that is looked for before it is sent the prayer may have been forgotten here meanwhile.
    """
    given = submission.included_of("FormSubmissionValue")
    for answer in body["answers"]:
        found = next((value for value in given if _is_answer(value, answer)), None)
        if found is None:
            return False
        given.remove(found)
    return not given or bool(body.get("look"))


def _is_answer(value: Record, answer: Mapping[str, Any]) -> bool:
    if str(answer["form_field_id"]) not in {ref.id for ref in value.related("form_field")}:
        return False
    sent = answer["value"]
    chosen = {ref.id for ref in value.related("form_field_option")}
    return not isinstance(sent, str) or sent in chosen or " ".join(sent.split()) == " ".join(str(value["display_value"] or "").split())
