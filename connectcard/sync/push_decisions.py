"""What staff do about a record of a push: say who somebody is, send it again, or see to it themselves.

Inside `transaction()`; the caller rings the bell.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from connectcard.clock import now
from connectcard.database import db
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people.matching import NEW, SAME
from connectcard.sync.approvals import without_fingerprint
from connectcard.sync.models import (
    FAILED,
    FAMILY,
    GROUP,
    IGNORED,
    MEMBERSHIP,
    PENDING,
    PERSON,
    PUSH_FAMILIES,
    PUSH_GROUPS,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    REVIEW,
    SyncItem,
    SyncRun,
)
from connectcard.sync.push import ORDER, begin_anew
from connectcard.sync.runs import new_run, one_press_at_a_time, running
from connectcard.sync.taken_back import leave, refuse_while_taken_back, was_taken_back

RUN_OF = {PERSON: PUSH_PEOPLE, FAMILY: PUSH_FAMILIES, GROUP: PUSH_GROUPS, MEMBERSHIP: PUSH_MEMBERSHIPS}


def get_item(item_id: UUID) -> SyncItem:
    """An item of a push of this church. Raises NotFound."""
    item = db.session.scalars(select(SyncItem).where(SyncItem.id == item_id, SyncItem.kind.in_(ORDER))).first()
    if item is None:
        raise NotFound("There is no such item.")
    return item


def decide(item_id: UUID, kind: str, person_remote_id: str | None, member_name: str) -> SyncRun:
    """Say who somebody is ("same", of those who were shown) or that they are new ("new"), and send them."""
    item = _item_as_it_is(item_id)
    shown = {candidate["remote_id"]: candidate for candidate in (item.decision or {}).get("candidates", [])}
    if (
        item.kind != PERSON
        or item.state not in (REVIEW, FAILED)
        or (kind == SAME and person_remote_id not in shown)
        or kind not in (SAME, NEW)
    ):
        raise ChangeRefused("This is not waiting for a decision any more. Look at it again.")
    before = item.decision or {}
    named = shown.get(person_remote_id, {}).get("name", "") or "somebody in Planning Center"
    words = f"{member_name} said this is {f'the same person as {named}' if kind == SAME else 'someone new'}."
    asked = {name: before.get(name) for name in ("kind", "person", "words", "by")}
    item.decision = {
        **before,
        "kind": kind,
        "person": person_remote_id if kind == SAME else None,
        "by": member_name,
        "words": words,
        "asked": asked,
    }
    return _send_again(item, PUSH_PEOPLE, member_name)


def send_anyway(item_id: UUID, member_name: str) -> SyncRun:
    """Put somebody into a group that takes requests: the leader was asked."""
    item = _item_as_it_is(item_id)
    if item.kind != MEMBERSHIP or item.state not in (REVIEW, FAILED):
        raise ChangeRefused("This is not waiting for a decision any more. Look at it again.")
    item.decision = {"kind": "asked", "by": member_name}
    return _send_again(item, PUSH_MEMBERSHIPS, member_name)


def try_again(item_id: UUID, member_name: str) -> SyncRun:
    """Look at it again and send what is to be sent."""
    item = _item_as_it_is(item_id)
    if item.state not in (REVIEW, FAILED):
        raise ChangeRefused("This is on its way or was sent already. Look at it again.")
    return _send_again(item, RUN_OF[item.kind], member_name)


def send_again(items: Iterable[SyncItem], kind: str, member_name: str) -> SyncRun:
    """Send these once more in a run of this kind, people before families and these before groups."""
    return [_send_again(item, kind, member_name) for item in sorted(items, key=lambda item: ORDER.index(item.kind))][-1]


def leave_here(item_id: UUID) -> None:
    """Keep here what was taken back, and do not send it before somebody changes it again."""
    item = _item_as_it_is(item_id)
    if not was_taken_back(item):
        raise ChangeRefused("This is not waiting for anybody any more. Look at it again.")
    leave(item)


def done_by_hand(item_id: UUID) -> None:
    """Staff did it in Planning Center themselves; the next pull shows it."""
    item = _item_as_it_is(item_id)
    if item.state not in (REVIEW, FAILED):
        raise ChangeRefused("This is not waiting for anybody any more. Look at it again.")
    item.state, item.reason = IGNORED, None
    db.session.flush()


def _item_as_it_is(item_id: UUID) -> SyncItem:
    """The item as whoever decided a moment ago left it."""
    one_press_at_a_time()
    return get_item(item_id)


def _send_again(item: SyncItem, kind: str, member_name: str) -> SyncRun:
    one_press_at_a_time()
    refuse_while_taken_back(item)
    item.approval = without_fingerprint(item.approval)
    run = db.session.get(SyncRun, item.run_id)
    if run is None or run.finished_at is not None:
        run = running(kind) or new_run(kind, member_name)
        run.total += 1
    due_at = now() + timedelta(microseconds=ORDER.index(item.kind))
    item.run_id, item.state, item.due_at, item.attempts, item.reason, run.version = run.id, PENDING, due_at, 0, None, run.version + 1
    begin_anew(item)
    db.session.flush()
    return run
