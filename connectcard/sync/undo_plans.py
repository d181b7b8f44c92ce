"""What an undo takes back and what it keeps, and why: pure, so that the preview is the plan, printed.

Restored is only what still holds what we wrote, removed only what nobody touched since. A person whom we made is made inactive,
never deleted, and only where nothing is left on them: of theirs nothing, and of ours nothing that is kept (`needs`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectcard.people.contacts import ADDRESS, PRIMARY
from connectcard.people.models import EMAIL, PHONE
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.plans import PlannedStep
from connectcard.sync.push_contact_plans import INSTEAD
from connectcard.sync.push_family_plans import RENAME_HOUSEHOLD
from connectcard.sync.undo_values import GROUP, HOUSEHOLD, Elsewhere, HouseholdThen, Look, Mark, Standing, Written

REMOVE_EMAIL, REMOVE_PHONE, REMOVE_ADDRESS, REMOVE_FIELD = "remove_email", "remove_phone", "remove_address", "remove_field"
REMOVE_NOTE, REMOVE_WORKFLOW_CARD = "remove_note", "remove_workflow_card"
RESTORE, REMOVE_MEMBER, REMOVE_HOUSEHOLD, MAKE_INACTIVE = "restore", "remove_member", "remove_household", "make_inactive"
REMOVE_FROM_GROUP, RESTORE_GROUP, RESTORE_HOUSEHOLD = "remove_from_group", "restore_group", "restore_household"
RESTORE_CONTACT, PUT_BACK_CONTACT = "restore_contact", "put_back_contact"
REMOVES = {
    plans.ADD_NOTE: REMOVE_NOTE,
    plans.ADD_WORKFLOW_CARD: REMOVE_WORKFLOW_CARD,
    plans.SET_FIELD: REMOVE_FIELD,
    plans.ADD_EMAIL: REMOVE_EMAIL,
    plans.ADD_PHONE: REMOVE_PHONE,
    plans.ADD_ADDRESS: REMOVE_ADDRESS,
}
MAKES_PEOPLE = (plans.CREATE_PERSON, plans.REACTIVATE)
OF_HOUSEHOLDS = (plans.CREATE_HOUSEHOLD, plans.ADD_MEMBER, RENAME_HOUSEHOLD)
OF_CONTACTS = (plans.UPDATE_CONTACT, plans.REMOVE_CONTACT)
ADDS = {EMAIL: plans.ADD_EMAIL, PHONE: plans.ADD_PHONE, ADDRESS: plans.ADD_ADDRESS}
KNOWN = (
    *REMOVES, *OF_CONTACTS, *MAKES_PEOPLE, *OF_HOUSEHOLDS,
    plans.UPDATE_PERSON, plans.KNOWN_MEMBER, plans.ADD_TO_GROUP, plans.UPDATE_GROUP,
)  # fmt: skip

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
IN_A_GROUP = "This person is in a group, so they stay active."
LATER = "A later run wrote to this person too. Take that one back first."
HOUSEHOLD_KEPT = "The household is kept."
LEFT_OUT_BY = "Left out by"
NOT_SHOWN = "Planning Center does not show any more who is in this group."
THERE_AGAIN = "Somebody put it back in Planning Center since."
NOT_PRIMARY = "There again, but not as the primary one: another one was chosen since."
AS_BEFORE = "As it was before"
CANNOT_BE = "Planning Center does not let this be taken back."


def take_back(written: Sequence[Written], look: Look) -> tuple[PlannedStep, ...]:
    """The steps that take an item of a run back, in their order; what is kept is a step that is left out, with its reason."""
    steps = [
        *_parts(written, look),
        *_contacts(written, look),
        *_attributes(written, look),
        *_groups(written, look),
        *_households(written, look),
    ]
    return (*steps, *_made_people(written, steps, look))


def _parts(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for kind, removes in REMOVES.items():
        for one in written:
            if one.kind == kind:
                yield _step(removes, one, "Removed", _why_part_is_kept(one, look))
    for one in written:
        if one.kind not in KNOWN:
            yield _step(one.kind, one, "", CANNOT_BE)


def _why_part_is_kept(one: Written, look: Look) -> str:
    standing = look.people.get(one.person or "")
    if kept := _why_person_is_out_of_reach(one, look):
        return kept
    now = standing.parts.get((one.kind, one.remote_id)) if standing else None
    if now is None:
        return GONE
    if kept := why_kept_elsewhere(one.kind, one.said, one.person, (), look.elsewhere):
        return kept
    if one.found and _moment(now.get("created_at"), one.sent_at) < one.sent_at - TOLERANCE:
        return WAS_THERE
    return why_changed(one.after, now)


def why_kept_elsewhere(kind: str, said: str, person: str | None, members: Collection[str | None], elsewhere: Elsewhere) -> str:
    """Why what a step of this kind wrote is kept for the sake of other cards, or of a later run; "" where it is not."""
    if kind in MAKES_PEOPLE:
        return OTHER_CARD if person in elsewhere.reached else LATER if elsewhere.later else ""
    is_said = bool(set(members) & set(elsewhere.at_home)) if kind in OF_HOUSEHOLDS else (person, kind, said) in elsewhere.said
    return ALSO_SAID if is_said else ""


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


def _contacts(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    """What was changed of a contact is as it was before, what was removed is made again, and the earlier primary one is primary again."""
    for one in written:
        if one.kind in OF_CONTACTS:
            kind = RESTORE_CONTACT if one.kind == plans.UPDATE_CONTACT else PUT_BACK_CONTACT
            told = {name: one.body[name] for name in ("was", "content", "instead_of") if name in one.body}
            why, before = _why_contact_is_kept(one, look), dict(one.before or {})
            result = NOT_PRIMARY if not why and _another_is_primary(one, look) else AS_BEFORE
            yield _step(kind, one, result, why, contact=one.body["of"], attributes=before, **told)


def _why_contact_is_kept(one: Written, look: Look) -> str:
    if kept := _why_person_is_out_of_reach(one, look):
        return kept
    standing, adds = look.people[one.person or ""], ADDS[one.body["of"]]
    parts = standing.parts if standing else {}
    if one.before is None:
        return UNKNOWN
    if one.kind == plans.REMOVE_CONTACT:
        same = [part for (kind, _), part in parts.items() if kind == adds and _shows(part, one.before)]
        return THERE_AGAIN if same else ""
    now = parts.get((adds, one.remote_id))
    if now is None or ("instead_of" in one.body and (adds, str(one.body["instead_of"])) not in parts):
        return GONE
    return "" if _shows(now, {name: (one.after or {}).get(name) for name in one.before}) else CHANGED


def _another_is_primary(one: Written, look: Look) -> bool:
    """Whether staff made another one the primary one since the removal of the one that was."""
    if one.kind != plans.REMOVE_CONTACT or not (one.before or {}).get(PRIMARY):
        return False
    standing, adds = look.people[one.person or ""], ADDS[one.body["of"]]
    parts = standing.parts if standing else {}
    primary = next((number for (kind, number), part in parts.items() if kind == adds and part.get(PRIMARY)), None)
    return primary not in (None, (one.after or {}).get(INSTEAD))


def _shows(part: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    return all((part.get(name) or None) == (value or None) for name, value in attributes.items() if name != "primary" or value)


def _attributes(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for one in written:
        if one.kind == plans.UPDATE_PERSON:
            back = ", ".join(str(value) for value in (one.before or {}).values() if value) or "Empty again"
            yield _step(RESTORE, one, back, _why_attribute_is_kept(one, look), attributes=dict(one.before or {}))


def _why_attribute_is_kept(one: Written, look: Look) -> str:
    standing = look.people.get(one.person or "")
    if standing is None or one.person in look.merged:
        return _why_person_is_out_of_reach(one, look)
    if kept := why_kept_elsewhere(one.kind, one.said, one.person, (), look.elsewhere):
        return kept
    if one.before is None or one.after is None:
        return UNKNOWN
    return CHANGED if any(standing.attributes.get(name) != one.after.get(name) for name in one.before) else ""


def _groups(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for one in written:
        if one.kind == plans.ADD_TO_GROUP:
            why = _why_membership_is_kept(one, look.memberships.get(one.remote_id))
            yield _step(REMOVE_FROM_GROUP, one, "Removed", why, group=one.body.get("group"))
        if one.kind == plans.UPDATE_GROUP:
            kept = {name: one.body[name] for name in ("name", "value", "was")}
            why = _why_group_is_kept(one, look.groups.get(one.remote_id))
            yield _step(RESTORE_GROUP, one, AS_BEFORE, why, group=one.remote_id, attributes=dict(one.before or {}), **kept)


def _why_membership_is_kept(one: Written, now: Mapping[str, Any] | None) -> str:
    if not one.body:
        # What a card with a prayer wrote is forgotten together with the prayer.
        return UNKNOWN
    if now is None:
        return GONE
    if not now:
        return NOT_SHOWN
    if now["person"] != one.person:
        return MERGED
    if one.found and _moment(now.get("joined_at"), one.sent_at) < one.sent_at - TOLERANCE:
        return WAS_THERE
    return why_changed(one.after, now)


def _why_group_is_kept(one: Written, now: Mapping[str, Any] | None) -> str:
    if now is None:
        return GONE
    if one.before is None:
        return UNKNOWN
    return CHANGED if now.get(one.body["name"]) != one.body["value"] else ""


def _households(written: Sequence[Written], look: Look) -> Iterable[PlannedStep]:
    for one in written:
        if one.kind == RENAME_HOUSEHOLD:
            before = dict(one.before or {})
            why = _why_name_is_kept(one, look.households.get(one.remote_id))
            yield _step(RESTORE_HOUSEHOLD, one, str(before.get("name")), why, household=one.remote_id, attributes=before)
    made = next((one for one in written if one.kind == plans.CREATE_HOUSEHOLD), None)
    joined = [one for one in written if one.kind == plans.ADD_MEMBER]
    if made:
        why = _why_household_is_kept(made, [*joined, made], look)
        members = sorted({one.person for one in (made, *joined) if one.person})
        yield _step(REMOVE_HOUSEHOLD, made, "Removed", why, undoes=[one.id for one in (made, *joined)], members=members)
    for one in joined:
        if made is None:
            yield _step(
                REMOVE_MEMBER, one, "Removed from the household", _why_member_is_kept(one, look), household=one.body.get("household"),
                members=[one.person],
            )  # fmt: skip
        elif look.households.get(made.remote_id) and why:
            yield _step(REMOVE_MEMBER, one, "", HOUSEHOLD_KEPT)


def _why_name_is_kept(one: Written, now: HouseholdThen | None) -> str:
    if now is None:
        return GONE
    if one.before is None or one.after is None:
        return UNKNOWN
    return CHANGED if now.name != one.after.get("name") else ""


def _why_household_is_kept(made: Written, ours: Sequence[Written], look: Look) -> str:
    now = look.households.get(made.remote_id)
    if now is None:
        return GONE
    if {person for person, _ in now.members.values()} - {one.person for one in ours}:
        return HOUSEHOLD_GREW
    if kept := why_kept_elsewhere(made.kind, made.said, made.person, [one.person for one in ours], look.elsewhere):
        return kept
    changed = (made.after or {}).get("name") != now.name or now.primary_contact != made.person
    return CHANGED if changed else ""


def _why_member_is_kept(one: Written, look: Look) -> str:
    household = look.households.get(str(one.body.get("household")))
    if household is None or one.remote_id not in household.members:
        return GONE
    person, role = household.members[one.remote_id]
    if kept := why_kept_elsewhere(one.kind, one.said, one.person, [one.person], look.elsewhere):
        return kept
    wrote = (one.after or {}).get("household_role")
    return CHANGED if person != one.person or (wrote and wrote != role) else ""


def _made_people(written: Sequence[Written], steps: Sequence[PlannedStep], look: Look) -> Iterable[PlannedStep]:
    """The family before the visitor."""
    made = [one for one in written if one.kind in MAKES_PEOPLE]
    last_write = max((one.done_at for one in written), default=None)
    taken = {mark: (step.kind, str(step.body["record"])) for step in steps if not step.problem for mark in _takes(step)}
    for one in sorted(made, key=lambda one: -one.member):
        beside = look.beside.get(one.person or "", {})
        last = max([last_write, *(each.done_at for each in beside.values())])  # type: ignore[type-var]
        why = _why_person_is_kept(one, written, taken.keys(), look, last)
        going = taken | {mark: each.taken_by for mark, each in beside.items()}
        yield _step(MAKE_INACTIVE, one, "Made inactive", why, needs=[] if why else _needs(look.people.get(one.person or ""), going))


def _needs(standing: Standing | None, going: Mapping[Mark, Mark]) -> list[Mark]:
    """The steps, of this item and of others, that have to be done first: all that is on the person goes with them."""
    return sorted(going[mark] for mark in standing.marks) if standing else []


def _why_person_is_kept(one: Written, written: Sequence[Written], taken: Collection[Mark], look: Look, last_write: Any) -> str:
    standing = look.people.get(one.person or "")
    if standing is None or one.person in look.merged:
        return _why_person_is_out_of_reach(one, look)
    if standing.attributes.get("status") == plans.INACTIVE:
        return ALREADY_INACTIVE
    if kept := why_kept_elsewhere(one.kind, one.said, one.person, (), look.elsewhere):
        return kept
    if _renamed(one, standing) or _moment(standing.attributes.get("updated_at"), last_write) > last_write + TOLERANCE:
        return PERSON_CHANGED
    beside = look.beside.get(one.person or "", {}).keys()
    if strangers := standing.marks - {row.mark for row in written} - beside:
        return _whose(strangers, look)
    return SOMETHING_KEPT if standing.marks - set(taken) - beside else ""


def _whose(strangers: Collection[Mark], look: Look) -> str:
    """Why somebody stays active on whom there is more than the run wrote."""
    if set(strangers) <= set(look.later):
        return LATER
    return IN_A_GROUP if {kind for kind, _ in strangers} == {GROUP} else ADDED_TO


def _renamed(one: Written, standing: Standing) -> bool:
    after = {name: value for name, value in (one.after or {}).items() if name not in ("status", *NOT_COMPARED)}
    return any(standing.attributes.get(name) != value for name, value in after.items())


# The kind of step that made what a step of an undo removes.
_MADE_BY = {removes: kind for kind, removes in REMOVES.items()}


def _takes(step: PlannedStep) -> Iterable[Mark]:
    """What on a person goes with a step."""
    if step.kind in (REMOVE_HOUSEHOLD, REMOVE_MEMBER):
        yield HOUSEHOLD, str(step.body.get("household") or step.body["record"])
    elif step.kind in (*_MADE_BY, REMOVE_FROM_GROUP):
        yield _MADE_BY.get(step.kind, GROUP), str(step.body["record"])


def _step(kind: str, one: Written, result: str, why_kept: str, **more: Any) -> PlannedStep:
    undoes = [str(step_id) for step_id in more.pop("undoes", [one.id])]
    body: dict[str, Any] = {"record": one.remote_id, "person": one.person, "after": dict(one.after or {}), "result": result, "of": one.kind}
    body |= {"undoes": undoes, "said": one.said, **more, **{name: one.body[name] for name in ("key", "subject") if one.body.get(name)}}
    key = f"{one.remote_id} {one.key}"[:300]
    member = one.member if one.kind in (*MAKES_PEOPLE, plans.ADD_MEMBER) else VISITOR
    return PlannedStep(kind, key, one.label, body, result, member=member, problem=why_kept or None)
