"""What an undo takes back and what it keeps, and why: pure, so that the preview is the plan, printed.

Restored is only what still holds what we wrote, removed only what nobody touched since. A person whom we made is made inactive,
never deleted, and only where nothing is left on them that is not ours.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.plans import PlannedStep

REMOVE_EMAIL, REMOVE_PHONE, REMOVE_ADDRESS, REMOVE_FIELD = "remove_email", "remove_phone", "remove_address", "remove_field"
REMOVE_NOTE, REMOVE_WORKFLOW_CARD = "remove_note", "remove_workflow_card"
RESTORE, REMOVE_MEMBER, REMOVE_HOUSEHOLD, MAKE_INACTIVE = "restore", "remove_member", "remove_household", "make_inactive"
REMOVES = {
    plans.ADD_NOTE: REMOVE_NOTE,
    plans.ADD_WORKFLOW_CARD: REMOVE_WORKFLOW_CARD,
    plans.SET_FIELD: REMOVE_FIELD,
    plans.ADD_EMAIL: REMOVE_EMAIL,
    plans.ADD_PHONE: REMOVE_PHONE,
    plans.ADD_ADDRESS: REMOVE_ADDRESS,
}
MAKES_PEOPLE = (plans.CREATE_PERSON, plans.REACTIVATE)

# Planning Center finishes a record after it answered, and clocks differ.
TOLERANCE = timedelta(minutes=2)
# What it changes by itself, or what says only when.
NOT_COMPARED = ("created_at", "updated_at", "primary", "remote_id")

MERGED = "This person was merged with another one in Planning Center since."
PERSON_GONE = "This person is no longer in Planning Center."
GONE = "It is no longer there."
WAS_THERE = "It was there before."
CHANGED = "Somebody changed it in Planning Center since."
UNKNOWN = "What was written is not known here any more."
ALSO_SAID = "Another card says the same."
OTHER_CARD = "Another card belongs to this person."
ADDED_TO = "Somebody added something to this person in Planning Center since."
PERSON_CHANGED = "Somebody changed this person in Planning Center since."
SOMETHING_KEPT = "Something on this person is kept, so they stay active."
ALREADY_INACTIVE = "This person is inactive already."
HOUSEHOLD_GREW = "Other people belong to this household now."
HOUSEHOLD_KEPT = "The household is kept."
CANNOT_BE = "Planning Center does not let this be taken back."


@dataclass(frozen=True)
class Written:
    """What one step of the run wrote. `person` is on whom, `after` what Planning Center answered."""

    id: UUID
    kind: str
    member: int
    label: str
    key: str
    remote_id: str
    sent_at: datetime
    done_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    found: bool = False
    person: str | None = None


@dataclass(frozen=True)
class Standing:
    """How a person stands now. `parts` are contacts, field data, notes and open workflow cards by the kind of step that makes one
    and their id; `households` the ids of theirs."""

    attributes: Mapping[str, Any]
    parts: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    households: frozenset[str] = frozenset()


@dataclass(frozen=True)
class HouseholdThen:
    """A household as it stands now; `members` are the ids of memberships, and whose they are with which role."""

    name: str
    primary_contact: str
    members: Mapping[str, tuple[str, str | None]]


@dataclass(frozen=True)
class Look:
    """Everything that was looked at. A person who is None is gone; `merged` are those who were merged. `also_said` are kinds and keys
    of what other cards of the same person say, `with_other_cards` the people whom another card reached."""

    people: Mapping[str, Standing | None]
    households: Mapping[str, HouseholdThen | None] = field(default_factory=dict)
    merged: Collection[str] = ()
    also_said: Collection[tuple[str, str]] = ()
    with_other_cards: Collection[str] = ()


def take_back(written: Sequence[Written], look: Look) -> tuple[PlannedStep, ...]:
    """The steps that take a card of a run back, in their order; what is kept is a step that is left out, with its reason."""
    steps = [*_parts(written, look), *_attributes(written, look), *_households(written, look)]
    return (*steps, *_made_people(written, steps, look))


def _parts(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for kind, removes in REMOVES.items():
        for one in written:
            if one.kind == kind:
                yield _step(removes, one, "Removed", _why_part_is_kept(one, look))
    known = (*REMOVES, *MAKES_PEOPLE, plans.UPDATE_PERSON, plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER, plans.KNOWN_MEMBER)
    for one in written:
        if one.kind not in known:
            yield _step(one.kind, one, "", CANNOT_BE)


def _why_part_is_kept(one: Written, look: Look) -> str:
    standing = look.people.get(one.person or "")
    if kept := _why_person_is_out_of_reach(one, look):
        return kept
    now = standing.parts.get((one.kind, one.remote_id)) if standing else None
    if now is None:
        return GONE
    if (one.kind, one.key) in look.also_said:
        return ALSO_SAID
    if one.found and _moment(now.get("created_at"), one.sent_at) < one.sent_at - TOLERANCE:
        return WAS_THERE
    return why_changed(one.after, now)


def _why_person_is_out_of_reach(one: Written, look: Look) -> str:
    if one.person in look.merged:
        return MERGED
    return "" if look.people.get(one.person or "") else PERSON_GONE


def why_changed(after: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """Why a record is no longer what we wrote; "" where it is."""
    if after is None:
        return UNKNOWN
    differs = any(now.get(name) != value for name, value in after.items() if name not in NOT_COMPARED)
    written_at = _moment(after.get("updated_at"), None)
    touched = written_at is not None and _moment(now.get("updated_at"), written_at) > written_at + TOLERANCE
    return CHANGED if differs or touched else ""


def _moment(text: Any, otherwise: Any) -> Any:
    return datetime.fromisoformat(text) if isinstance(text, str) else otherwise


def _attributes(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for one in written:
        if one.kind == plans.UPDATE_PERSON:
            back = ", ".join(str(value) for value in (one.before or {}).values() if value) or "Empty again"
            yield _step(RESTORE, one, back, _why_attribute_is_kept(one, look), attributes=dict(one.before or {}))


def _why_attribute_is_kept(one: Written, look: Look) -> str:
    standing = look.people.get(one.person or "")
    if standing is None or one.person in look.merged:
        return _why_person_is_out_of_reach(one, look)
    if (one.kind, one.key) in look.also_said:
        return ALSO_SAID
    if one.before is None or one.after is None:
        return UNKNOWN
    return CHANGED if any(standing.attributes.get(name) != one.after.get(name) for name in one.before) else ""


def _households(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    made = next((one for one in written if one.kind == plans.CREATE_HOUSEHOLD), None)
    joined = [one for one in written if one.kind == plans.ADD_MEMBER]
    if made:
        why = _why_household_is_kept(made, [*joined, made], look)
        members = sorted({one.person for one in (made, *joined) if one.person})
        yield _step(REMOVE_HOUSEHOLD, made, "Removed", why, undoes=[one.id for one in (made, *joined)], members=members)
    for one in joined:
        if made is None:
            yield _step(
                REMOVE_MEMBER, one, "Removed from the household", _why_member_is_kept(one, look), household=one.body.get("household")
            )
        elif look.households.get(made.remote_id) and why:
            yield _step(REMOVE_MEMBER, one, "", HOUSEHOLD_KEPT)


def _why_household_is_kept(made: Written, ours: Sequence[Written], look: Look) -> str:
    now = look.households.get(made.remote_id)
    if now is None:
        return GONE
    if {person for person, _ in now.members.values()} - {one.person for one in ours}:
        return HOUSEHOLD_GREW
    changed = (made.after or {}).get("name") != now.name or now.primary_contact != made.person
    return CHANGED if changed else ""


def _why_member_is_kept(one: Written, look: Look) -> str:
    household = look.households.get(str(one.body.get("household")))
    if household is None or one.remote_id not in household.members:
        return GONE
    person, role = household.members[one.remote_id]
    wrote = (one.after or {}).get("household_role")
    return CHANGED if person != one.person or (wrote and wrote != role) else ""


def _made_people(written: Sequence[Written], steps: Sequence[PlannedStep], look: Look) -> Iterable[PlannedStep]:
    """The family before the visitor."""
    made = [one for one in written if one.kind in MAKES_PEOPLE]
    last_write = max((one.done_at for one in written), default=None)
    for one in sorted(made, key=lambda one: -one.member):
        yield _step(MAKE_INACTIVE, one, "Made inactive", _why_person_is_kept(one, written, steps, look, last_write))


def _why_person_is_kept(one: Written, written: Sequence[Written], steps: Sequence[PlannedStep], look: Look, last_write: Any) -> str:
    standing = look.people.get(one.person or "")
    if standing is None or one.person in look.merged:
        return _why_person_is_out_of_reach(one, look)
    if standing.attributes.get("status") == plans.INACTIVE:
        return ALREADY_INACTIVE
    if one.person in look.with_other_cards:
        return OTHER_CARD
    if _renamed(one, standing) or _moment(standing.attributes.get("updated_at"), last_write) > last_write + TOLERANCE:
        return PERSON_CHANGED
    goes = _taken(steps)
    left = {remote_id for _, remote_id in standing.parts} | standing.households
    ours = {row.remote_id for row in written} | {str(row.body.get("household")) for row in written}
    if left - ours:
        return ADDED_TO
    return SOMETHING_KEPT if left - goes else ""


def _renamed(one: Written, standing: Standing) -> bool:
    after = {name: value for name, value in (one.after or {}).items() if name not in ("status", *NOT_COMPARED)}
    return any(standing.attributes.get(name) != value for name, value in after.items())


def _taken(steps: Sequence[PlannedStep]) -> set[str]:
    """The ids of the records that go, and of the households that somebody is taken out of."""
    going = [step for step in steps if not step.problem]
    return {step.body["record"] for step in going} | {step.body["household"] for step in going if step.body.get("household")}


def _step(kind: str, one: Written, result: str, why_kept: str, **more: Any) -> PlannedStep:
    undoes = [str(step_id) for step_id in more.pop("undoes", [one.id])]
    body: dict[str, Any] = {"record": one.remote_id, "person": one.person, "after": dict(one.after or {}), "result": result, "of": one.kind}
    body |= {"undoes": undoes, **more}
    key = f"{one.remote_id} {one.key}"[:300]
    member = one.member if one.kind in (*MAKES_PEOPLE, plans.ADD_MEMBER) else VISITOR
    return PlannedStep(kind, key, one.label, body, result, member=member, problem=why_kept or None)
