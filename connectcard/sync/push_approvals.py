"""Previewing what a push would write: which records stand on a page, which of them can be approved, and how they are sent.

A record stands beside the people who have to be there before it: a family with those of its members who are new, so that what is
approved on one page can be sent. So many are looked at as stand on a page, however many wait.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from uuid import UUID

from sqlalchemy import select

from connectcard.database import db
from connectcard.errors import NotFound
from connectcard.sync import push, push_decisions
from connectcard.sync.approvals import Sendable, is_unclear, stopped_as_changed
from connectcard.sync.models import FAMILY, MEMBERSHIP, OPEN_STATES, PERSON, REVIEW, SyncItem, SyncRun
from connectcard.sync.push import Subjects

LEADING_A_PAGE = 10

# Whom a record of this kind brings with it, who have to be there first.
BROUGHT: dict[str, Callable[[Subjects], Subjects]] = {
    FAMILY: push.people_of_families,
    MEMBERSHIP: push.people_of_memberships,
}


@dataclass(frozen=True)
class PreviewPage:
    """One page of what a push of a kind would take: `subjects` with their kinds, in the order in which they are sent."""

    subjects: tuple[tuple[str, UUID], ...]
    page: int
    pages: int
    waiting: int


def page_of(kind: str, page: int) -> PreviewPage:
    """A page of the records that a push of this kind would take. Raises NotFound for a kind that is no push, ChangeRefused for
    memberships that this church does not send.
    """
    if kind not in push.WAITING:
        raise NotFound("There is no such push.")
    push.refuse_unless_chosen(kind)
    leading = _leading(kind)
    pages = max(1, ceil(len(leading) / LEADING_A_PAGE))
    page = min(max(1, page), pages)
    here = leading[(page - 1) * LEADING_A_PAGE : page * LEADING_A_PAGE]
    return PreviewPage(tuple(_with_whom_they_bring(here)), page, pages, push.waiting(kind))


def _leading(kind: str) -> list[tuple[str, UUID]]:
    """The records that lead a page, without those that another one brings."""
    found = push.would_take(kind)
    brought = {person for item_kind, bring in BROUGHT.items() if item_kind in found for person in bring(found[item_kind])}
    return [
        (item_kind, subject)
        for item_kind in (FAMILY, MEMBERSHIP, *(one for one in found if one not in BROUGHT))
        for subject in found.get(item_kind, ())
        if subject not in brought
    ]


def _with_whom_they_bring(leading: Sequence[tuple[str, UUID]]) -> list[tuple[str, UUID]]:
    people = [person for kind, bring in BROUGHT.items() for person in bring([subject for one, subject in leading if one == kind])]
    everything = dict.fromkeys([*((PERSON, person) for person in people), *leading])
    return sorted(everything, key=lambda one: push.ORDER.index(one[0]))


def pushes_of(kind: str) -> Sendable:
    """What a push of this kind would take, as it can be approved."""
    return Sendable(partial(_still_waiting, kind), partial(_send, kind))


def _still_waiting(kind: str, subjects: Sequence[UUID]) -> Collection[UUID]:
    items, taken = items_of(subjects), {subject for found in push.would_take(kind).values() for subject in found}
    stopped = {subject for subject, item in items.items() if stopped_as_changed(item)}
    return {subject for subject in subjects if subject in taken | stopped and may_be_approved(items.get(subject))}


def items_of(subjects: Sequence[UUID]) -> dict[UUID, SyncItem]:
    """The items of these records, of those which were ever sent."""
    wanted = select(SyncItem).where(SyncItem.kind.in_(push.ORDER), SyncItem.subject_id.in_(subjects))
    return {item.about: item for item in db.session.scalars(wanted)}


def may_be_approved(item: SyncItem | None) -> bool:
    """Whether a record waits for a press: not while it is on its way, nor while somebody is asked, nor with a write unclear."""
    if item is None:
        return True
    on_its_way = item.state in OPEN_STATES and push.is_on(item.run_id)
    asked = item.state == REVIEW and not stopped_as_changed(item)
    return not on_its_way and not asked and not is_unclear(item)


def _send(kind: str, subjects: Sequence[UUID], member_name: str) -> SyncRun:
    stopped = [item for item in items_of(subjects).values() if item.state == REVIEW]
    runs = [push_decisions.try_again(item.id, member_name) for item in stopped]
    fresh = set(subjects) - {item.about for item in stopped}
    return push.start(kind, member_name, only=fresh) if fresh else runs[-1]
