"""Who a card's visitor is and what is to be written for them: look, decide, plan.

Nothing here writes to Planning Center or to our own rows, so that a preview is the same thing, shown instead of carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from connectcard.cards.models import Submission
from connectcard.cards.queries import effective_answers, get_submission
from connectcard.churches.queries import get_church
from connectcard.database import db, end_reading
from connectcard.people.identity import name_key
from connectcard.people.marks import name_mark
from connectcard.people.matching import NEW, SAME, UNCLEAR, Candidate, Comparison, Decision, Visitor, compare, decide, merged
from connectcard.people.queries import find_called, find_candidates
from connectcard.planning_center import Client
from connectcard.sync import destinations, forms, plans
from connectcard.sync.card_writes import CardTarget
from connectcard.sync.decisions import HOUSEHOLD
from connectcard.sync.families import FIRST_CHILD, VISITOR, FamilyNow, Lead, WantedMember, place
from connectcard.sync.group_wishes import WantedGroup
from connectcard.sync.households import households_of, households_with
from connectcard.sync.joining import group_now, wanted_group
from connectcard.sync.looking import MADE_BEFORE, Namesakes, candidates_in_planning_center, find_made_before, find_person_now
from connectcard.sync.made_people import Unconfirmed, unconfirmed_of, unless_asked, unless_merged
from connectcard.sync.models import DONE, INTENT, PLANNED, SyncItem
from connectcard.sync.moves import lost_its_person
from connectcard.sync.plans import PersonNow, Plan, PlannedStep, Wanted, plan, plan_for_group
from connectcard.sync.remembered import answered
from connectcard.sync.restored import looks_first
from connectcard.sync.steps import AskSomebody, PersonGone
from connectcard.sync.to_dos import agreed_to_group
from connectcard.sync.tokens import reference_code, remote_id_token
from connectcard.sync.wanted import CardAnswers, ChurchWishes, visitor_from

WAS_DELETED = "The person this card belongs to was deleted in Planning Center. Choose “Someone new” to add them again, or ignore the card."


@dataclass(frozen=True)
class CardAtHand:
    """Everything about one card that its sync needs, read once, so that no row is touched while we talk to Planning Center.

    `made` are the numbers of those of the family, the visitor among them, whom an earlier plan made; `unconfirmed` are those whom
    a step perhaps made, as long as staff have not said who it is.
    """

    submission_id: UUID
    wanted: Wanted
    decision: dict[str, Any] | None
    planned: bool
    person_remote_id: str | None
    reference: str
    remote_id_token: int
    name_mark_key: str = field(repr=False)
    country_code: str
    made: frozenset[int] = frozenset()
    unconfirmed: Mapping[int, Unconfirmed] = field(default_factory=dict)
    approval: dict[str, Any] | None = None
    person_deleted: bool = False
    looks_first: bool = False
    family_decided: Mapping[int, str | None] = field(default_factory=dict)

    @property
    def household_of(self) -> str | None:
        """The person to whose household the visitor belongs, where staff said so."""
        return self.decision.get("household_of") if self.decision else None

    @property
    def group_alone(self) -> bool:
        """Whether the card has arrived, and staff said to put its visitor into the group after all."""
        return self.wanted.group is not None and self.wanted.group.agreed

    @property
    def target(self) -> CardTarget:
        """What its steps are written to, as long as none of them was."""
        visitor = self.wanted.visitor
        named = visitor.first_name, visitor.last_name
        return CardTarget(self.person_remote_id, self.reference, self.country_code, *named, suspects_loss=self.looks_first)


# Look and decide.

_ITEM = select(SyncItem).where(SyncItem.id == bindparam("item"))


def card_at_hand(item_id: UUID) -> CardAtHand:
    """Read one item and its card as values."""
    item = db.session.scalars(_ITEM, {"item": item_id}).one()
    card = _card_of(
        item.of_submission, item.person_remote_id, item.decision, item.planned_at is not None, item.reference, item.remote_id_token
    )
    made = (step for step in item.steps if step.written_to is None and step.kind == plans.CREATE_PERSON and step.state == DONE)
    card = replace(card, made=frozenset(step.member for step in made), approval=item.approval, person_deleted=lost_its_person(item))
    card = replace(card, family_decided=family_decided(item), unconfirmed=unconfirmed_of(item))
    card = replace(card, planned=card.planned and not _plan_is_from_a_backup(item, card))
    group = _group_agreed(item, card.wanted.group)
    taken_back, arrived = _visitor_was_taken_back(item), item.synced_at is not None
    card = replace(card, wanted=replace(card.wanted, taken_back=taken_back, arrived=arrived, group=group))
    end_reading()
    return card


def _plan_is_from_a_backup(item: SyncItem, card: CardAtHand) -> bool:
    """Whether a plan was put back with the database; it is made anew, unless a write of it is unclear, which is looked for as it is."""
    restored_at = get_church().restored_at
    before = card.looks_first and restored_at is not None and item.planned_at is not None and item.planned_at <= restored_at
    return before and not any(step.state == INTENT for step in item.steps)


def family_decided(item: SyncItem) -> dict[int, str | None]:
    """What staff said of the family, by the numbers of its members: who it is, or None for somebody new."""
    return {int(number): said["person"] for number, said in (item.family_decisions or {}).items()}


def _group_agreed(item: SyncItem, group: WantedGroup | None) -> WantedGroup | None:
    """The group, with what staff said of it."""
    return replace(group, agreed=agreed_to_group(item)) if group else None


def _visitor_was_taken_back(item: SyncItem) -> bool:
    made = (step for step in item.steps if step.kind == plans.CREATE_PERSON and step.member == VISITOR)
    return any(step.undone_at is not None for step in made)


def card_before_sync(submission: Submission) -> CardAtHand:
    """The same for a card that was never sent, for the preview."""
    card = _card_of(submission.id, None, None, False, None, None)
    end_reading()
    return card


def _card_of(
    submission_id: UUID, linked: str | None, decision: dict[str, Any] | None, planned: bool, reference: str | None, token: int | None
) -> CardAtHand:
    church = get_church()
    submission = get_submission(submission_id)
    key = church.remote_id_key or ""
    said = effective_answers(submission)
    answers = CardAnswers(
        answers=said,
        group=wanted_group(said.get("group"), church),
        prayer=submission.prayer,
        family=submission.family,
        received_at=submission.received_at,
        linked=linked,
        mark_of=lambda member: remote_id_token(key, submission_id, family_member=member),
    )
    landing = forms.find_landing()
    form = (landing.form_remote_id, landing.form_name) if landing else (None, "")
    choices = destinations.offered_with(form[0])
    where = destinations.current(choices), choices, destinations.labels()
    wishes = ChurchWishes(*where, church.country_code or "US", church.time_zone or "UTC", *form)
    return CardAtHand(
        submission_id=submission_id,
        wanted=visitor_from(answers, wishes),
        decision=decision,
        planned=planned,
        person_remote_id=linked,
        reference=reference or reference_code(key, submission_id),
        remote_id_token=token or remote_id_token(key, submission_id),
        name_mark_key=key,
        country_code=wishes.country_code,
        looks_first=looks_first(submission.received_at, church.restored_at),
    )


def decide_who(card: CardAtHand, client: Client, moves: dict[str, str | None] | None = None) -> tuple[Decision, PersonNow | None]:
    """Say who the visitor is, and how that person stands in Planning Center now; what staff decided by hand goes first.

    Writes nothing; merges and deletions that it meets are put down in `moves`.
    """
    moves = {} if moves is None else moves
    by_hand = card.decision if card.decision and card.decision.get("by") else None
    made_before = _made_before(card, client)
    if made_before is not None and made_before.person is not None:
        person = person_or_gone(made_before.person.remote_id, card, client, moves)
        return replace(made_before, person=person.candidate), person
    if by_hand and by_hand["kind"] in (NEW, HOUSEHOLD):
        return Decision(NEW, by_hand["words"]), None
    chosen = by_hand["person"] if by_hand else card.person_remote_id
    if chosen:
        person = person_or_gone(chosen, card, client, moves)
        return Decision(SAME, _why_chosen(by_hand), person.candidate), person
    decision = made_before or decide(card.wanted.visitor, candidates_of(card.wanted.visitor, card.country_code, client, moves))
    if decision.kind == NEW:
        decision = unless_merged(decision, card.wanted.visitor, _ours_called(card.wanted.visitor, card), card.country_code, client)
    if decision.kind == UNCLEAR:
        decision = answered(decision, card.wanted.visitor, card.name_mark_key)
    decision = unless_asked(decision, card.wanted.visitor, card.country_code, client, card.submission_id)
    if decision.kind == NEW and card.person_deleted:
        return Decision(UNCLEAR, WAS_DELETED), None
    if decision.kind != SAME or decision.person is None:
        return decision, None
    person = person_or_gone(decision.person.remote_id, card, client, moves)
    return replace(decision, person=person.candidate), person


def _made_before(card: CardAtHand, client: Client) -> Decision | None:
    """Whom this card made before the database was put back; what staff said of an existing person goes first."""
    if not card.looks_first or card.person_remote_id:
        return None
    end_reading()
    if card.wanted.form:
        return _made_from_a_form(card, client)
    return find_made_before(card.wanted.visitor, card.remote_id_token, card.country_code, client)


def _made_from_a_form(card: CardAtHand, client: Client) -> Decision | None:
    """Whom Planning Center made from a submission of this card; they carry no mark, the submission says whose it is."""
    planned = plan(_as_the_form_stands(card.wanted, client), None, card.remote_id_token, card.reference)
    body = next((step.body for step in planned.steps if step.kind == plans.SUBMIT_FORM_NEW), None)
    submission = forms.find_submission(body, forms.known_submissions(), client) if body else None
    remote_id = forms.person_of(submission) if submission else None
    person = find_person_now(remote_id, card.country_code, client) if remote_id else None
    return Decision(SAME, MADE_BEFORE, person.candidate, (compare(card.wanted.visitor, person.candidate),)) if person else None


def _why_chosen(by_hand: dict[str, Any] | None) -> str:
    return str(by_hand["words"]) if by_hand else "This card reached this person before."


def person_or_gone(remote_id: str, card: CardAtHand, client: Client, moves: dict[str, str | None]) -> PersonNow:
    end_reading()
    person = find_person_now(remote_id, card.country_code, client)
    if person is None:
        raise PersonGone(None)
    if person.candidate.remote_id != remote_id:
        moves[remote_id] = person.candidate.remote_id
    return person


def candidates_of(visitor: Visitor, country_code: str, client: Client, moves: dict[str, str | None]) -> list[Candidate]:
    """People we know ourselves and people Planning Center finds; ours come first, since search there lags."""
    ours = {candidate.remote_id: candidate for candidate in find_candidates(visitor)}
    end_reading()
    theirs = {candidate.remote_id: candidate for candidate in candidates_in_planning_center(visitor, country_code, client)}
    known_only = [_still_there(candidate, country_code, client, moves) for remote_id, candidate in ours.items() if remote_id not in theirs]
    both = [merged(ours.get(remote_id), candidate) if remote_id in ours else candidate for remote_id, candidate in theirs.items()]
    return both + [candidate for candidate in known_only if candidate is not None]


def _still_there(candidate: Candidate, country_code: str, client: Client, moves: dict[str, str | None]) -> Candidate | None:
    person = find_person_now(candidate.remote_id, country_code, client)
    if person is None or person.candidate.remote_id != candidate.remote_id:
        moves[candidate.remote_id] = person.candidate.remote_id if person else None
    return person.candidate if person else None


# Plan.


def plan_for(card: CardAtHand, person: PersonNow | None, client: Client) -> Plan:
    """The plan of a card; a form and a family as they stand in Planning Center now."""
    end_reading()
    group = group_now(card.wanted.group, person.candidate.remote_id if person else None, client)
    if card.wanted.group and card.group_alone:
        return plan_for_group(card.wanted.group, group)
    family = _family_now(card, person, client) if card.wanted.family or card.household_of else FamilyNow()
    wanted = card.wanted if card.wanted.arrived else _as_the_form_stands(card.wanted, client)
    planned = plan(wanted, person, card.remote_id_token, card.reference, family, group)
    return replace(planned, steps=tuple(_left_to_staff(step, card, client) for step in planned.steps))


def _left_to_staff(step: PlannedStep, card: CardAtHand, client: Client) -> PlannedStep:
    """Somebody of the family who may have been made already is not made again before staff have said who it is."""
    if step.kind != plans.CREATE_PERSON or step.member == VISITOR or step.member in card.family_decided:
        return step
    # Whom they may have become goes before whoever else has their name.
    asked = card.unconfirmed.get(step.member) or (_asked_of_another(step, card, client) if step.state == PLANNED else None)
    return replace(step, body=dict(asked.body), after="", now=asked.why, problem=asked.why) if asked else step


def _asked_of_another(step: PlannedStep, card: CardAtHand, client: Client) -> Unconfirmed | None:
    """The card of the other parent may have made them, and staff are asked about it there."""
    named = step.body["attributes"]
    visitor = Visitor(named["first_name"], named["last_name"], child=step.member >= FIRST_CHILD)
    decision = unless_asked(Decision(NEW, ""), visitor, card.country_code, client, card.submission_id)
    perhaps = {"namesakes": [plans.shown(row) for row in decision.compared]}
    return Unconfirmed(decision.words, {**step.body, **perhaps}) if decision.kind == UNCLEAR else None


def _as_the_form_stands(wanted: Wanted, client: Client) -> Wanted:
    return replace(wanted, form=forms.as_it_stands(wanted.form, client)) if wanted.form else wanted


def _family_now(card: CardAtHand, person: PersonNow | None, client: Client) -> FamilyNow:
    visitor = person.candidate.remote_id if person else card.person_remote_id
    lead = _lead(card, client) if card.household_of else None
    households = households_with(lead.remote_id, client) if lead else households_of(visitor, client) if visitor else ()
    now = FamilyNow(households, decided=card.family_decided, lead=lead)
    at_home = {one.remote_id for household in now.households for one in household.members}
    to_make = [one.member for one in place(card.wanted.family, now).members if one.new and one.member.number not in card.made]
    asked = [member for member in to_make if member.number not in card.family_decided]
    namesakes = Namesakes(visitor, at_home, card.country_code, client)
    found = {member.number: _namesakes_of(member, namesakes, card) for member in asked}
    return replace(now, namesakes={number: those for number, those in found.items() if those})


def _lead(card: CardAtHand, client: Client) -> Lead:
    person = find_person_now(str(card.household_of), card.country_code, client, include=())
    if person is None:
        raise AskSomebody("The person to whose household this visitor belongs was deleted in Planning Center. Decide again.")
    return Lead(person.candidate.remote_id, person.candidate.last_name)


def _namesakes_of(member: WantedMember, namesakes: Namesakes, card: CardAtHand) -> tuple[Comparison, ...]:
    return namesakes.of(member, _ours_called(member, card))


def _ours_called(who: WantedMember | Visitor, card: CardAtHand) -> list[str]:
    ours = find_called(who.first_name, who.last_name, name_mark(card.name_mark_key, name_key(who.first_name, who.last_name)))
    end_reading()
    return ours


def candidate_ids(decision: Decision) -> list[str]:
    """Who was looked at."""
    return [row.candidate.remote_id for row in decision.compared]


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored and shown."""
    return {
        "kind": decision.kind,
        "words": decision.words,
        "person": decision.person.remote_id if decision.person else None,
        "candidates": [plans.shown(row) for row in decision.compared],
    }
