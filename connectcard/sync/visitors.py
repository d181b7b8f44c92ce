"""The way of a card to Planning Center: claim, want, look, decide, plan, do, record.

Look, decide and plan never write. No transaction is open while we talk to Planning Center. What was planned is stored before
the first send, so that whoever takes over after a crash goes on with the same steps.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, delete, or_, select

from connectcard.cards.models import Submission
from connectcard.cards.queries import effective_answers, get_submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.clock import now
from connectcard.database import db, end_reading, transaction
from connectcard.people.identity import name_key
from connectcard.people.marks import name_mark
from connectcard.people.matching import NEW, SAME, UNCLEAR, Candidate, Decision, Visitor, decide, merged
from connectcard.people.operations import forget_person, remember_person
from connectcard.people.queries import find_candidates, find_unnamed
from connectcard.planning_center import Client
from connectcard.planning_center.errors import (
    Blocked,
    NotSent,
    OutcomeUnknown,
    PlanningCenterError,
    ProductUnavailable,
    RateLimited,
    ReconnectNeeded,
    Refused,
    Unavailable,
)
from connectcard.sync import destinations, plans
from connectcard.sync.approvals import CHANGED, fingerprint_of, left_out_of, still_approved
from connectcard.sync.decisions import HOUSEHOLD
from connectcard.sync.families import VISITOR, FamilyNow, WantedMember, place
from connectcard.sync.holds import Hold, HoldLost, keep_hold
from connectcard.sync.households import Memberships, households_of
from connectcard.sync.looking import Namesakes, candidates_in_planning_center, find_made_before, find_person_now
from connectcard.sync.models import DONE, FAILED, INTENT, LEFT_OUT, PENDING, PLANNED, REFUSED, REVIEW, SYNCED, WAITING, SyncItem, SyncStep
from connectcard.sync.moves import Moves, follow, lost_its_person
from connectcard.sync.outcomes import CREATED, NEEDS_YOU, SKIPPED, UPDATED, settle
from connectcard.sync.plans import PersonNow, Plan, PlannedStep, Wanted, plan
from connectcard.sync.previews import contents_of, keep_preview
from connectcard.sync.remembered import answered
from connectcard.sync.restored import looks_first
from connectcard.sync.steps import AskSomebody, Later, PersonGone, Step, Target, TokenTaken, carry_out, in_words, steps_of
from connectcard.sync.tokens import reference_code, remote_id_token
from connectcard.sync.wanted import CardAnswers, ChurchWishes, visitor_from

log = structlog.get_logger()

WAS_DELETED = "The person this card belongs to was deleted in Planning Center. Choose “Someone new” to add them again, or ignore the card."

BACKOFF = (5, 15, 45, 120, 300)
BLOCKED_PAUSE = timedelta(minutes=3)
RECONNECT_PAUSE = timedelta(minutes=1)
MOST_TAKEN_TOKENS = 20
LONGEST_REASON = 500


@dataclass(frozen=True)
class CardAtHand:
    """Everything about one card that its sync needs, read once, so that no row is touched while we talk to Planning Center.

    `made` are the numbers of those of the family, the visitor among them, whom an earlier plan made.
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
    approval: dict[str, Any] | None = None
    person_deleted: bool = False
    looks_first: bool = False

    @property
    def target(self) -> Target:
        visitor = self.wanted.visitor
        named = visitor.first_name, visitor.last_name
        return Target(self.person_remote_id, self.reference, self.country_code, *named, looks_first=self.looks_first)


def sync_item(hold: Hold, client: Client, stopping: Callable[[], bool] = lambda: False) -> None:
    """Bring a claimed card to rest, or make it wait; every way out leaves the item in a state that says what comes next."""
    try:
        _rest_or_wait(hold, client, stopping)
    except HoldLost:
        log.info("hold_lost", item_id=str(hold.item_id))


def _rest_or_wait(hold: Hold, client: Client, stopping: Callable[[], bool]) -> None:
    try:
        _bring_to_rest(hold, client, stopping)
    except Later as later:
        _wait(hold, later)
    except AskSomebody as question:
        _settle(hold, REVIEW, NEEDS_YOU, str(question))
    except PersonGone as gone:
        _person_gone(hold, gone)
    except PlanningCenterError as error:
        _after_trouble(hold, error)


def _bring_to_rest(hold: Hold, client: Client, stopping: Callable[[], bool]) -> None:
    card = card_at_hand(hold.item_id)
    if not card.planned:
        moves: dict[str, str | None] = {}
        decision, person = decide_who(card, client, moves)
        _follow(hold, moves)
        if decision.kind == UNCLEAR:
            _ask_who(hold, decision)
            return
        planned = plan_for(card, person, client)
        if not still_approved(card.approval, fingerprint_of(decision, planned, card.name_mark_key)):
            _ask_again(hold, card, decision, planned)
            return
        store_plan(hold, decision, planned)
    memberships = Memberships()
    for step in steps_of(hold.item_id):
        if stopping():
            raise Later(now(), "Stopped for a moment; goes on by itself.")
        target = replace(card.target, **_made_so_far(hold), memberships=memberships)
        _carry_out(step, target, hold, client)
        if _makes_the_visitor(step) and _person_of(hold) is None:
            break
    _finish(hold, client)


def _follow(hold: Hold, moves: Moves) -> None:
    if not moves:
        return
    with transaction() as session:
        keep_hold(hold)
        follow(moves, session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one())


def _makes_the_visitor(step: Step | SyncStep | PlannedStep) -> bool:
    return step.kind == plans.CREATE_PERSON and step.member == VISITOR


# Look and decide.


def card_at_hand(item_id: UUID) -> CardAtHand:
    """Read one item and its card as values."""
    item = db.session.scalars(select(SyncItem).where(SyncItem.id == item_id)).one()
    card = _card_of(
        item.of_submission, item.person_remote_id, item.decision, item.planned_at is not None, item.reference, item.remote_id_token
    )
    made = select(SyncStep.member).where(SyncStep.item_id == item_id, SyncStep.kind == plans.CREATE_PERSON, SyncStep.state == DONE)
    card = replace(card, made=frozenset(db.session.scalars(made)), approval=item.approval, person_deleted=lost_its_person(item))
    card = replace(card, planned=card.planned and not _plan_is_from_a_backup(item, card))
    end_reading()
    return card


def _plan_is_from_a_backup(item: SyncItem, card: CardAtHand) -> bool:
    """Whether a plan was put back with the database; it is made anew, unless a write of it is unclear, which is looked for as it is."""
    restored_at = db.session.scalar(select(Church.restored_at).where(Church.id == item.church_id))
    before = card.looks_first and restored_at is not None and item.planned_at is not None and item.planned_at <= restored_at
    return before and not any(step.state == INTENT for step in item.steps)


def card_before_sync(submission: Submission) -> CardAtHand:
    """The same for a card that was never sent, for the preview."""
    card = _card_of(submission.id, None, None, False, None, None)
    end_reading()
    return card


def _card_of(
    submission_id: UUID, linked: str | None, decision: dict[str, Any] | None, planned: bool, reference: str | None, token: int | None
) -> CardAtHand:
    church = db.session.scalars(select(Church).where(Church.id == current_church_id())).one()
    submission = get_submission(submission_id)
    key = church.remote_id_key or ""
    answers = CardAnswers(
        answers=effective_answers(submission),
        prayer=submission.prayer,
        family=submission.family,
        received_at=submission.received_at,
        linked=linked,
        mark_of=lambda member: remote_id_token(key, submission_id, family_member=member),
    )
    wishes = ChurchWishes(
        destinations.current(), destinations.offered(), destinations.labels(), church.country_code or "US", church.time_zone or "UTC"
    )
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
        person = _person_or_ask(made_before.person.remote_id, card, client, moves)
        return replace(made_before, person=person.candidate), person
    if by_hand and by_hand["kind"] in (NEW, HOUSEHOLD):
        return Decision(NEW, by_hand["words"]), None
    chosen = by_hand["person"] if by_hand else card.person_remote_id
    if chosen:
        person = _person_or_ask(chosen, card, client, moves)
        return Decision(SAME, _why_chosen(by_hand), person.candidate), person
    decision = made_before or decide(card.wanted.visitor, _candidates(card, client, moves))
    if decision.kind == UNCLEAR:
        decision = answered(decision, card.wanted.visitor, card.name_mark_key)
    if decision.kind == NEW and card.person_deleted:
        return Decision(UNCLEAR, WAS_DELETED), None
    if decision.kind != SAME or decision.person is None:
        return decision, None
    person = _person_or_ask(decision.person.remote_id, card, client, moves)
    return replace(decision, person=person.candidate), person


def _made_before(card: CardAtHand, client: Client) -> Decision | None:
    """Whom this card made before the database was put back; what staff said of an existing person goes first."""
    if not card.looks_first or card.person_remote_id:
        return None
    end_reading()
    return find_made_before(card.wanted.visitor, card.remote_id_token, card.country_code, client)


def _why_chosen(by_hand: dict[str, Any] | None) -> str:
    return str(by_hand["words"]) if by_hand else "This card reached this person before."


def _person_or_ask(remote_id: str, card: CardAtHand, client: Client, moves: dict[str, str | None]) -> PersonNow:
    end_reading()
    person = find_person_now(remote_id, card.country_code, client)
    if person is None:
        raise PersonGone(None)
    if person.candidate.remote_id != remote_id:
        moves[remote_id] = person.candidate.remote_id
    return person


def _candidates(card: CardAtHand, client: Client, moves: dict[str, str | None]) -> list[Candidate]:
    """People we know ourselves and people Planning Center finds; ours come first, since search there lags."""
    visitor = card.wanted.visitor
    ours = {candidate.remote_id: candidate for candidate in find_candidates(visitor)}
    end_reading()
    theirs = {candidate.remote_id: candidate for candidate in candidates_in_planning_center(visitor, card.country_code, client)}
    known_only = [_still_there(candidate, card, client, moves) for remote_id, candidate in ours.items() if remote_id not in theirs]
    both = [merged(ours.get(remote_id), candidate) if remote_id in ours else candidate for remote_id, candidate in theirs.items()]
    return both + [candidate for candidate in known_only if candidate is not None]


def _still_there(candidate: Candidate, card: CardAtHand, client: Client, moves: dict[str, str | None]) -> Candidate | None:
    person = find_person_now(candidate.remote_id, card.country_code, client)
    if person is None or person.candidate.remote_id != candidate.remote_id:
        moves[candidate.remote_id] = person.candidate.remote_id if person else None
    return person.candidate if person else None


# Plan, do, record.


def plan_for(card: CardAtHand, person: PersonNow | None, client: Client) -> Plan:
    """The plan of a card; where it brings a family, with that family as it stands in Planning Center now."""
    family = _family_now(card, person, client) if card.wanted.family else FamilyNow()
    return plan(card.wanted, person, card.remote_id_token, card.reference, family)


def _family_now(card: CardAtHand, person: PersonNow | None, client: Client) -> FamilyNow:
    end_reading()
    visitor = person.candidate.remote_id if person else None
    now = FamilyNow(households_of(visitor, client) if visitor else ())
    besides = {one.remote_id for household in now.households for one in household.members} | {visitor or ""}
    to_make = [member for member in place(card.wanted.family, now).to_make if member.number not in card.made]
    namesakes = Namesakes(besides, client)
    return replace(now, namesakes=frozenset(member.number for member in to_make if _has_namesake(member, namesakes, card)))


def _has_namesake(member: WantedMember, namesakes: Namesakes, card: CardAtHand) -> bool:
    mark = name_mark(card.name_mark_key, name_key(member.first_name, member.last_name))
    adults = [candidate.remote_id for candidate in find_candidates(Visitor(member.first_name, member.last_name))]
    ours = {*adults, *find_unnamed(mark)}
    end_reading()
    return namesakes.has(member, ours)


def store_plan(hold: Hold, decision: Decision, planned: Plan) -> None:
    """Write down who it is and what will be sent, before anything is sent; steps that were begun stay as they are."""
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        item.decision = decision_row(decision) | _said_by_hand(item.decision)
        item.person_remote_id = decision.person.remote_id if decision.person else item.person_remote_id
        item.planned_at, item.remote_id_token = now(), _token_in(planned) or item.remote_id_token
        _replace_unsent_steps(item, planned)
        if decision.person:
            remember_person(decision.person)


def _said_by_hand(decision: dict[str, Any] | None) -> dict[str, Any]:
    """What staff decided stays with the card, and so do the people whom they decided between."""
    kept = ("kind", "by", "words", "household_of", "asked", "candidates")
    return {name: decision[name] for name in kept if name in decision} if decision and decision.get("by") else {}


def _token_in(planned: Plan) -> int | None:
    return next((int(step.natural_key) for step in planned.steps if _makes_the_visitor(step)), None)


def _replace_unsent_steps(item: SyncItem, planned: Plan) -> None:
    db.session.execute(delete(SyncStep).where(SyncStep.item_id == item.id, _is_void(planned)))
    begun = {_what_it_does(row) for row in db.session.scalars(select(SyncStep).where(SyncStep.item_id == item.id))}
    position, left_out = 100 if begun else 0, left_out_of(item.approval)
    for step in planned.steps:
        if _what_it_does(step) not in begun:
            position += 1
            db.session.add(_row_of(step, item, position, step.mark in left_out))


def _is_void(planned: Plan) -> ColumnElement[bool]:
    """The steps of an earlier plan that say nothing any more: what was not sent, and a household that is gone, since one is planned."""
    of_household = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
    gone = of_household if any(step.kind == plans.CREATE_HOUSEHOLD for step in planned.steps) else ()
    unsent = or_(SyncStep.state.in_((PLANNED, REFUSED, LEFT_OUT)), SyncStep.kind == plans.KNOWN_MEMBER)
    return or_(unsent, and_(SyncStep.state == DONE, SyncStep.kind.in_(gone)))


def _what_it_does(step: PlannedStep | SyncStep) -> tuple[str, str]:
    """By what a step is known in a second plan; somebody whom we made is one of the household by then."""
    if step.kind in (plans.CREATE_PERSON, plans.KNOWN_MEMBER):
        return plans.CREATE_PERSON, str(step.member)
    return step.kind, step.natural_key


def _row_of(step: PlannedStep, item: SyncItem, position: int, left_out: bool) -> SyncStep:
    row = SyncStep(item_id=item.id, position=position, kind=step.kind, natural_key=step.natural_key, label=step.label, member=step.member)
    row.remote_id, row.problem, row.body = step.remote_id, step.problem, json.dumps(step.body)
    row.state = LEFT_OUT if left_out else step.state
    row.found, row.done_at = step.state == DONE, now() if step.state == DONE else None
    return row


def decision_row(decision: Decision) -> dict[str, Any]:
    """A decision as it is stored and shown."""
    return {
        "kind": decision.kind,
        "words": decision.words,
        "person": decision.person.remote_id if decision.person else None,
        "candidates": [
            {
                "remote_id": row.candidate.remote_id,
                "name": row.candidate.name,
                "first_name": row.candidate.first_name,
                "last_name": row.candidate.last_name,
                "emails": sorted(row.candidate.emails),
                "phones": sorted(row.candidate.phones),
                "inactive": row.candidate.inactive,
                "reasons": [asdict(reason) for reason in row.reasons],
            }
            for row in decision.compared
        ],
    }


def _person_of(hold: Hold) -> str | None:
    remote_id = db.session.scalar(select(SyncItem.person_remote_id).where(SyncItem.id == hold.item_id))
    end_reading()
    return remote_id


def _made_so_far(hold: Hold) -> dict[str, Any]:
    """Who and what of the card is in Planning Center by now, as its steps wrote it down: the parts of a Target."""
    made = select(SyncStep).where(
        SyncStep.item_id == hold.item_id, SyncStep.state == DONE, SyncStep.kind.in_((plans.CREATE_PERSON, plans.CREATE_HOUSEHOLD))
    )
    rows = [(row.kind, row.member, row.remote_id) for row in db.session.scalars(made)]
    household = next((remote_id for kind, _, remote_id in rows if kind == plans.CREATE_HOUSEHOLD), None)
    family = {member: remote_id for kind, member, remote_id in rows if kind == plans.CREATE_PERSON and member != VISITOR and remote_id}
    return {"person_remote_id": _person_of(hold), "family": family, "household": household}


def _carry_out(step: Step, target: Target, hold: Hold, client: Client) -> None:
    """One step; where the mark of a new person is taken by somebody else the next mark is tried."""
    for attempt in range(1, MOST_TAKEN_TOKENS):
        try:
            carry_out(step, target, hold, client)
            return
        except TokenTaken:
            step = _with_next_token(step, hold, attempt)
    raise AskSomebody("No free mark was found for a new person. Add this person in Planning Center by hand, then try again.")


def _with_next_token(step: Step, hold: Hold, attempt: int) -> Step:
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        church = session.scalars(select(Church).where(Church.id == item.church_id)).one()
        row = session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()
        token = remote_id_token(church.remote_id_key or "", item.of_submission, attempt, step.member)
        body = {**step.body, "attributes": {**step.body["attributes"], "remote_id": token}}
        row.natural_key, row.body = str(token), json.dumps(body)
        if step.member == VISITOR:
            item.remote_id_token = token
    return replace(step, natural_key=str(token), body=body)


def _finish(hold: Hold, client: Client) -> None:
    """Read the person back, tick what is there, and settle."""
    card = card_at_hand(hold.item_id)
    moves: dict[str, str | None] = {}
    person = _person_or_ask(card.person_remote_id, card, client, moves) if card.person_remote_id else None
    at_home = _people_at_home(hold, card, client)
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        steps = session.scalars(select(SyncStep).where(SyncStep.item_id == hold.item_id).order_by(SyncStep.position)).all()
        follow(moves, item)
        if person is not None:
            item.person_remote_id = person.candidate.remote_id
            remember_person(person.candidate)
            for step in steps:
                step.confirmed_at = now() if step.state == DONE and shows(person, step, at_home) else step.confirmed_at
        state, outcome, reason = _how_it_went(list(steps), (*card.wanted.problems, *_left_to_staff(card.decision)))
        item.synced_at = now() if state == SYNCED else item.synced_at
        settle(item, state, outcome, reason)


def _people_at_home(hold: Hold, card: CardAtHand, client: Client) -> frozenset[str]:
    """Read back who is in the visitor's households, where the card brought a family."""
    if not card.wanted.family or not card.person_remote_id:
        return frozenset()
    end_reading()
    return frozenset(one.remote_id for household in households_of(card.person_remote_id, client) for one in household.members)


def _left_to_staff(decision: dict[str, Any] | None) -> tuple[str, ...]:
    """The visitor's own place in somebody else's household is not written yet."""
    of = decision.get("household_of") if decision else None
    names = {candidate["remote_id"]: candidate["name"] for candidate in (decision or {}).get("candidates", [])}
    return (f"Add this person to the household of {names.get(of, f'#{of}')} in Planning Center.",) if of else ()


def _how_it_went(steps: list[SyncStep], problems: tuple[str, ...]) -> tuple[str, str, str | None]:
    refused = [f"Planning Center did not accept {step.label}: {step.problem}" for step in steps if step.state == REFUSED]
    if refused:
        return FAILED, FAILED, " ".join(refused)
    left_out = [f"{step.label}: {step.problem}" for step in steps if step.state == LEFT_OUT and step.problem]
    note = " ".join([*problems, *left_out])[:LONGEST_REASON] or None
    if any(_makes_the_visitor(step) for step in steps):
        return SYNCED, CREATED, note
    return SYNCED, UPDATED if any(step.state == DONE and not step.found for step in steps) else SKIPPED, note


def shows(person: PersonNow, step: SyncStep, at_home: frozenset[str] = frozenset()) -> bool:
    """Whether the read-back shows what a step wrote; notes and workflow cards are confirmed by their own answer."""
    if step.kind in (plans.CREATE_PERSON, plans.KNOWN_MEMBER) and step.member != VISITOR:
        return step.remote_id in at_home
    if step.kind == plans.CREATE_HOUSEHOLD:
        return bool(at_home)
    if step.kind == plans.CREATE_PERSON:
        return True
    if step.kind == plans.ADD_EMAIL:
        return step.natural_key in person.candidate.emails
    if step.kind == plans.ADD_PHONE:
        return step.natural_key in person.candidate.phones
    if step.kind == plans.ADD_ADDRESS:
        return step.natural_key in {plans.address_key(address) for address in person.addresses}
    if step.kind == plans.SET_FIELD:
        return step.natural_key.partition("=")[0] in {value.definition_id for value in person.fields}
    return step.remote_id is not None


# The ways out that are not the end.


def _ask_who(hold: Hold, decision: Decision) -> None:
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        item.decision = decision_row(decision)
        settle(item, REVIEW, NEEDS_YOU, decision.words)


def _ask_again(hold: Hold, card: CardAtHand, decision: Decision, planned: Plan) -> None:
    """The plan is no longer the one that was approved: nothing is sent, and the new difference is there to be looked at."""
    contents = contents_of(decision_row(decision), planned, card.wanted.problems, fingerprint_of(decision, planned, card.name_mark_key))
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        item.approval = {**(item.approval or {}), "changed": True}
        keep_preview(item.of_submission, contents)
        settle(item, REVIEW, NEEDS_YOU, CHANGED)


def _settle(hold: Hold, state: str, outcome: str, reason: str | None) -> None:
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        settle(item, state, outcome, reason)


def _wait(hold: Hold, later: Later, state: str = WAITING) -> None:
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        item.state, item.due_at, item.reason, item.lease_until = state, later.until, str(later), None
        item.attempts += 1


def _person_gone(hold: Hold, gone: PersonGone) -> None:
    """Merged: follow. Deleted: staff decide; the person is never silently made again."""
    if gone.member == VISITOR:
        _visitor_gone(hold, gone)
    else:
        _member_gone(hold, gone)


def _member_gone(hold: Hold, gone: PersonGone) -> None:
    made = select(SyncStep).where(
        SyncStep.item_id == hold.item_id, SyncStep.kind == plans.CREATE_PERSON, SyncStep.member == gone.member, SyncStep.state == DONE
    )
    with transaction() as session:
        keep_hold(hold)
        step = session.scalars(made).one()
        forget_person(step.remote_id or "")
        step.remote_id = gone.kept
        if gone.kept is None:
            step.state, step.problem = REFUSED, "was made, and then deleted in Planning Center"
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        item.state, item.due_at, item.lease_until = PENDING, now(), None
        item.reason = "Somebody of the family was merged or deleted in Planning Center; the card goes on."


def _visitor_gone(hold: Hold, gone: PersonGone) -> None:
    with transaction() as session:
        keep_hold(hold)
        item = session.scalars(select(SyncItem).where(SyncItem.id == hold.item_id)).one()
        if item.person_remote_id:
            follow({item.person_remote_id: gone.kept}, item)
        item.planned_at, item.person_remote_id = None, gone.kept
        if gone.kept:
            item.state, item.due_at, item.reason = PENDING, now(), "The person was merged in Planning Center; the card follows."
            item.lease_until = None
        else:
            # What was decided and written for somebody who is gone says nothing about who comes next; the family is still there.
            of_family = and_(SyncStep.kind == plans.CREATE_PERSON, SyncStep.member != VISITOR)
            session.execute(delete(SyncStep).where(SyncStep.item_id == item.id, ~of_family))
            item.decision = None
            settle(item, REVIEW, NEEDS_YOU, WAS_DELETED)


def _after_trouble(hold: Hold, error: PlanningCenterError) -> None:
    if isinstance(error, ReconnectNeeded | ProductUnavailable):
        _wait(hold, Later(now() + RECONNECT_PAUSE, "The church needs to be connected to Planning Center again."), PENDING)
    elif isinstance(error, Refused):
        # A write whose outcome nobody knows needs eyes, not only another try.
        state, outcome = (REVIEW, NEEDS_YOU) if _is_unclear(hold) else (FAILED, FAILED)
        _settle(hold, state, outcome, f"Planning Center did not answer a look-up: {in_words(error)}")
    else:
        _wait(hold, _pause_after(error, _attempts(hold)))


def _pause_after(error: PlanningCenterError, attempts: int) -> Later:
    log.info("card_waits", error=type(error).__name__, status=error.status, request_id=error.request_id)
    backoff = now() + timedelta(seconds=BACKOFF[min(attempts, len(BACKOFF) - 1)])
    if isinstance(error, RateLimited | Unavailable):
        seconds = error.retry_after
        return Later(
            now() + timedelta(seconds=seconds) if seconds else backoff, "Planning Center asked us to slow down. Goes on by itself."
        )
    if isinstance(error, Blocked):
        return Later(now() + BLOCKED_PAUSE, "Planning Center's firewall turned us away for a moment. Goes on by itself.")
    if isinstance(error, NotSent | OutcomeUnknown):
        return Later(backoff, "Planning Center cannot be reached right now. Goes on by itself.")
    return Later(backoff, "Planning Center gave an unexpected answer. Tried again by itself.")


def _is_unclear(hold: Hold) -> bool:
    unclear = db.session.scalar(select(SyncStep.id).where(SyncStep.item_id == hold.item_id, SyncStep.state == INTENT).limit(1))
    end_reading()
    return unclear is not None


def _attempts(hold: Hold) -> int:
    attempts = db.session.scalar(select(SyncItem.attempts).where(SyncItem.id == hold.item_id)) or 0
    end_reading()
    return attempts
