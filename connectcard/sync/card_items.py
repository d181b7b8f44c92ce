"""A card as an item: what was decided is stored, its steps are carried out, and the person is read back and ticked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, true

from connectcard.cards.queries import get_submission
from connectcard.clock import now
from connectcard.database import db, end_reading
from connectcard.people.matching import UNCLEAR, Decision, Visitor
from connectcard.people.operations import forget_person, remember_person
from connectcard.planning_center import Client
from connectcard.sync import plans
from connectcard.sync.approvals import as_sent, left_out_with
from connectcard.sync.card_finds import OF_FORMS
from connectcard.sync.card_marks import marks_of_cards
from connectcard.sync.card_targets import CardAndGroup
from connectcard.sync.card_writes import HouseholdGone, row_of
from connectcard.sync.families import VISITOR
from connectcard.sync.fresh_look import FreshLook
from connectcard.sync.group_writes import ARRIVES_AFTER, MOST_WAITS, MembershipTarget
from connectcard.sync.holds import Hold, held
from connectcard.sync.households import Memberships, households_of
from connectcard.sync.items import go_on_soon
from connectcard.sync.made_people import leave_unmade, whether_made
from connectcard.sync.models import DONE, FAILED, LEFT_OUT, NEEDS_YOU, PLANNED, REFUSED, REVIEW, SYNCED, SyncItem, SyncStep
from connectcard.sync.moves import follow
from connectcard.sync.outcomes import CREATED, SKIPPED, UPDATED, settle
from connectcard.sync.plans import PersonNow, Plan, PlannedStep
from connectcard.sync.proposals import Proposal, ProposedAtWork
from connectcard.sync.steps import FORGOTTEN, MOST_ROUNDS, PERHAPS_MADE, PerhapsMade, PersonGone, Step, Target, of_item, open_steps
from connectcard.sync.to_dos import leave_to_staff
from connectcard.sync.visitors import (
    WAS_DELETED,
    CardAtHand,
    candidate_ids,
    card_at_hand,
    card_before_sync,
    decide_who,
    decision_row,
    person_or_gone,
    plan_for,
)

PEOPLE = (plans.CREATE_PERSON, plans.KNOWN_MEMBER)
MAKES_SOMEBODY = (*PEOPLE, plans.SUBMIT_FORM_NEW, plans.CREATE_HOUSEHOLD)


@dataclass(frozen=True)
class CardProposal(Proposal):
    """The proposal for a card; `found` is who its visitor is."""

    found: Decision = field(kw_only=True)


class CardAtWork(ProposedAtWork[CardProposal]):
    """A card in a worker's hands."""

    def __init__(self, hold: Hold, client: Client) -> None:
        super().__init__(hold, client)
        self._card, self._memberships, self._fresh_look = card_at_hand(hold.item_id), Memberships(), FreshLook()

    @property
    def planned(self) -> bool:
        return self._card.planned

    def propose(self) -> CardProposal:
        return _proposal(self._card, self.client)

    def store(self, item: SyncItem, proposal: CardProposal) -> None:
        if proposal.refusal:
            settle(item, FAILED, FAILED, proposal.refusal)
        else:
            _store_plan(item, proposal, _planned_anew(self._card))

    @staticmethod
    def rehearse(about: UUID, client: Client) -> CardProposal:
        item_id = db.session.scalar(select(SyncItem.id).where(SyncItem.submission_id == about))
        return _proposal(card_at_hand(item_id) if item_id else card_before_sync(get_submission(about)), client)

    def target(self) -> Target:
        made, made_at = _made_so_far(self.hold)
        self._fresh_look.before(open_steps(self.hold.item_id), made["person_remote_id"], self.client)
        card = replace(self._card.target, **made, memberships=self._memberships, fresh_look=self._fresh_look)
        arriving = made_at is not None and now() - made_at < ARRIVES_AFTER * MOST_WAITS
        return CardAndGroup(card, MembershipTarget(card.person_remote_id, arriving=arriving))

    def goes_on_after(self, step: Step) -> bool:
        return not _makes_the_visitor(step) or _person_of(self.hold) is not None

    def finish(self) -> None:
        _finish(self.hold, replace(self._card, person_remote_id=_person_of(self.hold)), self.client)

    def person_gone(self, gone: PersonGone) -> None:
        """Merged: follow. Deleted: staff decide; the person is never silently made again."""
        if isinstance(gone, HouseholdGone):
            _household_gone(self.hold)
        elif gone.member == VISITOR:
            _visitor_gone(self.hold, gone)
        else:
            _member_gone(self.hold, gone)

    def perhaps_made(self, lost: PerhapsMade) -> None:
        """A visitor is asked about before the card goes on; the others of a family are asked about once it has arrived."""
        who = next((one for one in self._card.wanted.family if one.number == lost.member), None)
        visitor = Visitor(who.first_name, who.last_name, child=who.child) if who else self._card.wanted.visitor
        asked = whether_made(visitor, lost, self._card.country_code, self.client)
        with held(self.hold) as item:
            leave_unmade(lost, asked)
            if who:
                go_on_soon(item, "Somebody of the family may be in Planning Center already; the card goes on.")
            else:
                item.decision, item.planned_at = decision_row(asked), None
                settle(item, REVIEW, NEEDS_YOU, str(lost))

    @staticmethod
    def marks_of(item_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
        return marks_of_cards(item_ids)


def _proposal(card: CardAtHand, client: Client) -> CardProposal:
    """Say who the visitor is and what is to be written for them; an unclear one is asked about first."""
    if asked := card.unconfirmed.get(VISITOR):
        return CardProposal(decision=card.decision, question=asked.why, found=Decision(UNCLEAR, asked.why))
    moves: dict[str, str | None] = {}
    decision, person = decide_who(card, client, moves)
    unclear = decision.kind == UNCLEAR
    planned = Plan(()) if unclear else plan_for(card, person, client)
    return CardProposal(
        steps=planned.steps,
        decision=decision_row(decision),
        question=decision.words if unclear else "",
        kept=planned.kept,
        problems=card.wanted.problems,
        refusal=planned.refusal,
        who=(decision.kind, _named(decision)),
        moves=moves,
        found=decision,
    )


def _named(decision: Decision) -> list[str]:
    """Who it is, or who it could be."""
    return [decision.person.remote_id, decision.person.name] if decision.person else sorted(candidate_ids(decision))


def _makes_the_visitor(step: Step | SyncStep | PlannedStep) -> bool:
    return plans.makes_the_visitor(step.kind, step.member)


def _planned_anew(card: CardAtHand) -> ColumnElement[bool]:
    """Which steps a plan replaces: of a card that has arrived only those of its family and group."""
    if card.group_alone:
        return SyncStep.kind == plans.ADD_TO_GROUP
    return SyncStep.kind.in_((*plans.OF_FAMILIES, plans.ADD_TO_GROUP)) if card.wanted.arrived else true()


def _store_plan(item: SyncItem, proposal: CardProposal, anew: ColumnElement[bool]) -> None:
    """Write down who it is and what will be sent, before anything is sent; steps that were begun stay as they are."""
    person = proposal.found.person
    item.decision = decision_row(proposal.found) | _said_by_hand(item.decision)
    item.person_remote_id = person.remote_id if person else item.person_remote_id
    item.planned_at, item.remote_id_token = now(), _token_in(proposal) or item.remote_id_token
    _replace_unsent_steps(item, proposal.steps, anew)
    if person:
        remember_person(person)


def _said_by_hand(decision: dict[str, Any] | None) -> dict[str, Any]:
    """What staff decided stays with the card, and so do the people whom they decided between."""
    kept = ("kind", "by", "words", "household_of", "asked", "candidates")
    return {name: decision[name] for name in kept if name in decision} if decision and decision.get("by") else {}


def _token_in(proposal: Proposal) -> int | None:
    return next((int(step.natural_key) for step in proposal.steps if step.kind == plans.CREATE_PERSON and step.member == VISITOR), None)


def _replace_unsent_steps(item: SyncItem, planned: Sequence[PlannedStep], anew: ColumnElement[bool]) -> None:
    unclear = {_what_it_does(row) for row in db.session.scalars(select(SyncStep).where(of_item(item.id))) if _may_be_there(row)}
    db.session.execute(delete(SyncStep).where(of_item(item.id), anew, _is_void(planned)))
    begun = {_what_it_does(row) for row in db.session.scalars(select(SyncStep).where(of_item(item.id)))}
    position, left_out = 100 if begun else 0, left_out_with(planned, item.approval)
    for step in as_sent(planned, item.approval):
        if _what_it_does(step) not in begun:
            position += 1
            looked_for = plans.looked_for(step) if _what_it_does(step) in unclear else step
            db.session.add(_row(looked_for, item, position, step.mark in left_out))


def _may_be_there(row: SyncStep) -> bool:
    """Whether a step of an earlier plan was sent perhaps, so that it is looked for before it is sent again."""
    return row.problem in (FORGOTTEN, *PERHAPS_MADE) or bool(json.loads(row.body or "{}").get("look"))


def _is_void(planned: Sequence[PlannedStep]) -> ColumnElement[bool]:
    """The steps of an earlier plan that say nothing any more: what was not sent, what was taken back, and a household that is gone,
    since one is planned."""
    of_household = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER)
    gone = of_household if any(step.kind == plans.CREATE_HOUSEHOLD for step in planned) else ()
    unsent = or_(SyncStep.state.in_((PLANNED, REFUSED, LEFT_OUT)), SyncStep.kind == plans.KNOWN_MEMBER)
    # That the visitor was made and taken back is how they are known to be ours, and made active again.
    taken_back = and_(SyncStep.undone_at.is_not(None), or_(SyncStep.kind != plans.CREATE_PERSON, SyncStep.member != VISITOR))
    return or_(unsent, taken_back, and_(SyncStep.state == DONE, SyncStep.kind.in_(gone)))


def _what_it_does(step: PlannedStep | SyncStep) -> tuple[str, str]:
    """By what a step is known in a second plan; somebody whom we made is one of the household by then."""
    if step.kind in (plans.CREATE_PERSON, plans.KNOWN_MEMBER):
        return plans.CREATE_PERSON, str(step.member)
    return plans.SUBMIT_FORM if step.kind == plans.SUBMIT_FORM_NEW else step.kind, step.natural_key


def _row(step: PlannedStep, item: SyncItem, position: int, left_out: bool) -> SyncStep:
    row = row_of(step, item, position)
    row.state = LEFT_OUT if left_out else row.state
    return row


_PERSON = select(SyncItem.person_remote_id).where(SyncItem.id == bindparam("item"))
_IS_MADE = and_(of_item(SyncItem.id), SyncStep.church_id == SyncItem.church_id, SyncStep.state == DONE, SyncStep.kind.in_(MAKES_SOMEBODY))
_STEP_MADE = SyncStep.kind, SyncStep.member, SyncStep.remote_id, SyncStep.done_at
_MADE = select(SyncItem.person_remote_id, *_STEP_MADE).outerjoin(SyncStep, _IS_MADE).where(SyncItem.id == bindparam("item"))


def _person_of(hold: Hold) -> str | None:
    remote_id = db.session.scalar(_PERSON, {"item": hold.item_id})
    end_reading()
    return remote_id


def _made_so_far(hold: Hold) -> tuple[dict[str, Any], datetime | None]:
    """Who and what of the card is in Planning Center by now, as its steps wrote it down: the parts of a Target; and when its visitor was
    made, if they were."""
    rows = db.session.execute(_MADE, {"item": hold.item_id}).all()
    end_reading()
    household = next((row.remote_id for row in rows if row.kind == plans.CREATE_HOUSEHOLD), None)
    family = {row.member: row.remote_id for row in rows if row.kind in PEOPLE and row.member != VISITOR and row.remote_id}
    made_at = next((row.done_at for row in rows if plans.makes_the_visitor(row.kind, row.member)), None)
    return {"person_remote_id": next((row.person_remote_id for row in rows), None), "family": family, "household": household}, made_at


# Read back, and rest.


def _finish(hold: Hold, card: CardAtHand, client: Client) -> None:
    """Read the person back, tick what is there, and settle."""
    moves: dict[str, str | None] = {}
    person = person_or_gone(card.person_remote_id, card, client, moves) if card.person_remote_id else None
    at_home = _people_at_home(card, person, client)
    with held(hold) as item:
        steps = db.session.scalars(select(SyncStep).where(of_item(hold.item_id)).order_by(SyncStep.position)).all()
        follow(moves, item)
        if person is not None:
            item.person_remote_id = person.candidate.remote_id
            remember_person(person.candidate)
            for step in steps:
                step.confirmed_at = now() if step.state == DONE and shows(person, step, at_home) else step.confirmed_at
        # What a card that had arrived before did then was counted in that run.
        counted = [step for step in steps if item.synced_at is None or step.run_id == item.run_id]
        told = [step for step in steps if step.kind != plans.ADD_TO_GROUP]
        state, outcome, reason = _how_it_went(told, counted, card.wanted.problems)
        item.synced_at = now() if state == SYNCED else item.synced_at
        leave_to_staff(item, list(steps))
        settle(item, state, outcome, reason)


def _people_at_home(card: CardAtHand, person: PersonNow | None, client: Client) -> frozenset[str]:
    """Read back who is in the visitor's households, where the card brought a family or joined one."""
    if person is None or not (card.wanted.family or card.household_of):
        return frozenset()
    end_reading()
    return frozenset(one.remote_id for household in households_of(person.candidate.remote_id, client) for one in household.members)


def _how_it_went(steps: list[SyncStep], counted: list[SyncStep], problems: tuple[str, ...]) -> tuple[str, str, str | None]:
    refused = [f"Planning Center did not accept {step.label}: {step.problem}" for step in steps if step.state == REFUSED]
    if refused:
        return FAILED, FAILED, " ".join(refused)
    left_out = [f"{step.label}: {step.problem}" for step in steps if step.state == LEFT_OUT and step.problem]
    waiting = [step.problem for step in steps if step.state == DONE and step.problem]
    note = " ".join([*waiting, *problems, *left_out]) or None
    if any(_makes_the_visitor(step) and step.undone_at is None for step in counted):
        return SYNCED, CREATED, note
    return SYNCED, UPDATED if any(step.state == DONE and not step.found for step in counted) else SKIPPED, note


def shows(person: PersonNow, step: SyncStep, at_home: frozenset[str] = frozenset()) -> bool:
    """Whether the read-back shows what a step wrote; notes and workflow cards are confirmed by their own answer."""
    if step.kind in OF_FORMS:
        return step.problem is None
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


def _household_gone(hold: Hold) -> None:
    """Staff dissolved the household meanwhile: the family is planned anew, as it stands now."""
    with held(hold) as item:
        item.attempts += 1
        item.planned_at = None
        if item.attempts > MOST_ROUNDS:
            settle(item, FAILED, FAILED, "The household is no longer there. Look at the family in Planning Center, then try again.")
        else:
            go_on_soon(item, "The household is no longer in Planning Center; the card goes on with what is there.")


def _member_gone(hold: Hold, gone: PersonGone) -> None:
    kinds = (plans.CREATE_PERSON, plans.KNOWN_MEMBER)
    made = select(SyncStep).where(of_item(hold.item_id), SyncStep.kind.in_(kinds), SyncStep.member == gone.member, SyncStep.state == DONE)
    with held(hold) as item:
        step = db.session.scalars(made).one()
        forget_person(step.remote_id or "", gone.kept)
        step.remote_id = gone.kept
        _follow_family_decision(item, gone)
        if gone.kept is None:
            step.state, step.problem = REFUSED, "was made, and then deleted in Planning Center"
            item.planned_at = None if step.kind == plans.KNOWN_MEMBER else item.planned_at
        go_on_soon(item, "Somebody of the family was merged or deleted in Planning Center; the card goes on.")


def _follow_family_decision(item: SyncItem, gone: PersonGone) -> None:
    """What staff said of somebody holds for whom they were merged into; of a deleted one they are asked again."""
    said = dict(item.family_decisions or {})
    decided = said.pop(str(gone.member), None)
    if decided and gone.kept:
        said[str(gone.member)] = {**decided, "person": gone.kept}
    item.family_decisions = said or None


def _visitor_gone(hold: Hold, gone: PersonGone) -> None:
    with held(hold) as item:
        if item.person_remote_id:
            follow({item.person_remote_id: gone.kept}, item)
        item.planned_at, item.person_remote_id = None, gone.kept
        if gone.kept:
            go_on_soon(item, "The person was merged in Planning Center; the card follows.")
        else:
            # What was decided and written for somebody who is gone says nothing about who comes next; the family is still there.
            of_family = and_(SyncStep.kind == plans.CREATE_PERSON, SyncStep.member != VISITOR)
            db.session.execute(delete(SyncStep).where(of_item(item.id), ~of_family))
            item.decision, item.into_group_by, item.synced_at = None, None, None
            settle(item, REVIEW, NEEDS_YOU, WAS_DELETED)
