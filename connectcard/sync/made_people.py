"""Whether somebody new was made already: by the mark that was sent with them, and by who was renamed or merged there since."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people.identity import same_first_name, same_last_name
from connectcard.people.matching import NEW, UNCLEAR, Decision, Visitor, compare
from connectcard.planning_center import Client, Record
from connectcard.planning_center.resources import people
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.holds import waits
from connectcard.sync.looking import CLOCKS_DIFFER, find_person_now
from connectcard.sync.mappings._core import moment
from connectcard.sync.models import IGNORED, INTENT, LEFT_OUT, SyncItem, SyncStep
from connectcard.sync.steps import PERHAPS_MADE, PERHAPS_MERGED, PERHAPS_RENAMED, AskSomebody, PerhapsMade, Step, TokenTaken

WAS_MERGED = "Somebody of this name was merged with this person in Planning Center. It may be them."
ASKED_OF_ANOTHER = "Somebody of this name may have been made already and waits for you to say who it is. This may be the same person."


def find_made_person(step: Step, client: Client, besides: Iterable[str | None] = ()) -> Record | None:
    """Whoever carries the mark of this step and the name that was sent.

    Nobody carried the mark when it was sent the first time. So who carries it with another name since was renamed; and where nobody
    does they may have been merged: what staff keep has another mark and perhaps another name. `besides` are people who were there
    before. Raises PerhapsMade, TokenTaken, AskSomebody.
    """
    records = client.list(people.PERSON, where={"remote_id": step.natural_key}).records
    # The filter is checked again here: Planning Center ignores what it does not know.
    ours = [record for record in records if str(record["remote_id"]) == step.natural_key]
    named = [record for record in ours if same_person_name(record, step.body["attributes"])]
    if len(named) > 1:
        raise AskSomebody("Two people in Planning Center carry the mark of this person. Merge them there, then try again.")
    if named:
        return named[0]
    if step.state == INTENT:
        _ask_if_made(step, ours, client, besides)
    elif ours:
        raise TokenTaken("this remote_id belongs to another person")
    return None


def _ask_if_made(step: Step, renamed: Sequence[Record], client: Client, besides: Iterable[str | None]) -> None:
    if renamed:
        raise PerhapsMade(PERHAPS_RENAMED, step, [record.id for record in renamed])
    kept = _kept_since(step, client).difference(besides)
    if kept:
        raise PerhapsMade(PERHAPS_MERGED, step, sorted(kept))


def _kept_since(step: Step, client: Client) -> set[str]:
    """Into whom people were merged since this step was sent; the person who went says nothing any more of who they were."""
    mergers = client.iterate(people.PERSON_MERGER, where={"created_at": {"gte": sent_since(step)}})
    return {str(merger["person_to_keep_id"]) for merger in mergers}


def sent_since(step: Step) -> datetime:
    """When a step whose outcome is unknown was sent, at the earliest by Planning Center's clock."""
    return (step.deadline_at or now()) - waits().send - CLOCKS_DIFFER


def made_since_sent(record: Record, step: Step) -> bool:
    """Whether a record may be what a step made whose outcome is unknown, whatever staff changed on it since."""
    made_at = moment(record["created_at"])
    return step.state == INTENT and made_at is not None and made_at >= sent_since(step)


def same_person_name(record: Record | Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether a person carries the name that was sent; a last name that the card lacks is not asked for. A dash is one too."""
    first, last = sent["first_name"], sent["last_name"]
    same_first = (record["first_name"] or "") == first or same_first_name(record["first_name"], first)
    return same_first and (not last or record["last_name"] == last or same_last_name(record["last_name"], last))


def whether_made(visitor: Visitor, lost: PerhapsMade, country_code: str, client: Client) -> Decision:
    """Whether the visitor is one of those whom they may have become; reads them, as they stand now."""
    return _whether_one_of(lost.people, visitor, str(lost), country_code, client)


def _whether_one_of(remote_ids: Sequence[str], visitor: Visitor, words: str, country_code: str, client: Client) -> Decision:
    end_reading()
    found = [person for remote_id in remote_ids if (person := find_person_now(remote_id, country_code, client))]
    # Who was merged on is the same person as who was kept then.
    people = {person.candidate.remote_id: person.candidate for person in found}
    return Decision(UNCLEAR, words, None, tuple(compare(visitor, candidate) for candidate in people.values()))


_ASKED = (
    select(SyncItem.submission_id, SyncStep)
    .join(SyncItem, SyncItem.id == SyncStep.item_id)
    .where(SyncItem.state != IGNORED, SyncStep.state == LEFT_OUT, SyncStep.problem.in_(PERHAPS_MADE))
)


def unless_asked(decision: Decision, visitor: Visitor, country_code: str, client: Client, besides: UUID | None = None) -> Decision:
    """That somebody is new is unclear until it is settled who somebody else of this name has become: it may be the same one.

    The family of a card may be asked about too, and any of theirs may be this one. `besides` is a submission whose questions do not
    count: its own.
    """
    if decision.kind != NEW:
        return decision
    rows = db.session.execute(_ASKED).all()
    asked = [json.loads(step.body or "{}") for submission_id, step in rows if besides is None or submission_id != besides]
    end_reading()
    alike = [body for body in asked if _is_of_this_name(visitor, body.get("attributes", {}))]
    perhaps = sorted({one["remote_id"] for body in alike for one in body.get("namesakes", ())})
    return _whether_one_of(perhaps, visitor, ASKED_OF_ANOTHER, country_code, client) if alike else decision


def unless_merged(decision: Decision, visitor: Visitor, ours: Iterable[str], country_code: str, client: Client) -> Decision:
    """That somebody is new is unclear where one of `ours`, whom we knew by this name, was merged: they bear another name now."""
    now_are = {remote_id: find_person_now(remote_id, country_code, client) for remote_id in ours}
    kept = {one.candidate.remote_id: one.candidate for remote_id, one in now_are.items() if one and one.candidate.remote_id != remote_id}
    compared = tuple(compare(visitor, candidate) for candidate in kept.values())
    return Decision(UNCLEAR, WAS_MERGED, None, compared) if kept else decision


def _is_of_this_name(visitor: Visitor, sent: Mapping[str, Any]) -> bool:
    """What a card with a prayer sent is forgotten together with the prayer, and says nothing any more."""
    named = sent.get("person_attributes", sent)
    return "first_name" in named and same_person_name(vars(visitor), named)


@dataclass(frozen=True)
class Unconfirmed:
    """Why somebody was not made again, and what staff are shown of whom they may have become, as in the body of a step."""

    why: str
    body: Mapping[str, Any]


def unconfirmed_of(item: SyncItem) -> dict[int, Unconfirmed]:
    """Those who may have been made, by their numbers in the family, as long as staff have not said who it is."""
    said = {int(number) for number in item.family_decisions or {}}
    said |= {VISITOR} if (item.decision or {}).get("by") else set()
    left_out = (step for step in item.steps if step.state == LEFT_OUT and step.problem in PERHAPS_MADE)
    return {step.member: Unconfirmed(step.problem or "", json.loads(step.body or "{}")) for step in left_out if step.member not in said}


def leave_unmade(lost: PerhapsMade, asked: Decision) -> None:
    """Inside `held`: the step is not sent again before staff have said who it is; it keeps whom it may have become.

    That somebody of a family is new was said before they were made, and answers this no more.
    """
    step = db.session.get_one(SyncStep, lost.step_id)
    said = step.item.family_decisions or {}
    step.item.family_decisions = {number: word for number, word in said.items() if number != str(lost.member)} or None
    body = json.loads(step.body or "{}") | {"namesakes": [plans.shown(row) for row in asked.compared]}
    step.state, step.problem, step.body, step.done_at = LEFT_OUT, str(lost), json.dumps(body), now()
