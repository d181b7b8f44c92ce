"""Those of a card's family who were left to staff, and what staff say of them: make them anyway, or this is somebody who is there.

Inside `transaction()`; the caller rings the bell.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectcard.errors import ChangeRefused
from connectcard.sync.approvals import without_fingerprint
from connectcard.sync.decisions import send_again
from connectcard.sync.families import NO_FIRST_NAME, SEVERAL_HOUSEHOLDS, VISITOR
from connectcard.sync.models import FAILED, LEFT_OUT, REVIEW, SYNCED, SyncItem, SyncRun
from connectcard.sync.plans import CREATE_PERSON
from connectcard.sync.runs import one_press_at_a_time

# What a word of staff does not mend: the card, or the households in Planning Center, have to be changed first.
NOT_FOR_STAFF_TO_SAY = (NO_FIRST_NAME, SEVERAL_HOUSEHOLDS)


@dataclass(frozen=True)
class MemberAsked:
    """Somebody of a family who was left out, why, and who in Planning Center has the same name (as candidates of a decision)."""

    number: int
    label: str
    why: str
    namesakes: tuple[dict[str, Any], ...]


def members_asked(item: SyncItem | None) -> list[MemberAsked]:
    """Of whom staff can say who they are, once the card has come to rest."""
    if item is None or item.state not in (SYNCED, FAILED, REVIEW):
        return []
    left_out = [step for step in item.steps if step.kind == CREATE_PERSON and step.member != VISITOR and step.state == LEFT_OUT]
    return [
        MemberAsked(step.member, step.label, step.problem, tuple(json.loads(step.body or "{}").get("namesakes", ())))
        for step in left_out
        if step.problem and step.problem not in NOT_FOR_STAFF_TO_SAY
    ]


def decide_members(item: SyncItem, said: Mapping[int, str | None], member_name: str) -> SyncRun:
    """Send the card again with what staff said: by the number of a member the remote id of who it is, or None for somebody new.

    Where the card has arrived only its family is looked at again. Raises ChangeRefused for somebody who was not asked about, or who is
    none of those that were shown.
    """
    one_press_at_a_time()
    asked = {member.number: {one["remote_id"] for one in member.namesakes} for member in members_asked(item)}
    if not said:
        raise ChangeRefused("Say of somebody who it is, then save.")
    for number, person in said.items():
        if number not in asked or (person is not None and person not in asked[number]):
            raise ChangeRefused("This has changed meanwhile. Look at the card again.")
    decided = {str(number): {"person": person, "by": member_name} for number, person in said.items()}
    item.family_decisions = {**(item.family_decisions or {}), **decided}
    item.planned_at, item.approval, item.into_group_by = None, without_fingerprint(item.approval), None
    return send_again(item, member_name)
