"""Two cards of one person, two workers at once, and searches that lag: one person."""

from random import Random
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db
from connectcard.sync.models import REVIEW, SYNCED, SyncItem
from tests.matrix.pairs import LAGS
from tests.matrix.practice import MOST_PASSES, Grace, Visitor, parts_of

INTERLEAVINGS = 4
SHARED = {"same e-mail": {"phone": ""}, "same phone": {"email": ""}, "nothing": {}}


def two_cards(grace: Grace, shared: str) -> list[UUID]:
    """Two cards of the same name; what else they share is as said."""
    grace.number, grace.visitor, grace.survivors = grace.number + 2, Visitor(grace.number + 1), {}
    other = Visitor(grace.number)
    first = grace.leave_card(grace.visitor, **SHARED[shared])
    if shared == "nothing":
        return [first, grace.leave_card(grace.visitor, email=other.email, phone=other.phone)]
    return [first, grace.leave_card(grace.visitor, **SHARED[shared])]


def work_side_by_side(grace: Grace, random: Random) -> None:
    """Two workers begin in either order; now and then one of them dies in the middle."""
    grace.wire.begin({random.randrange(1, 25): random.choice(["crash_after_applied", "crash_after_intent", "reset_after", "truncated"])})
    for _ in range(MOST_PASSES):
        beside = Thread(target=grace.work_beside)
        beside.start()
        grace.work()
        beside.join()
        grace.dead = False
        moment = grace.next_moment()
        if moment is None:
            return
        grace.wire.move(max(0.0, (moment - grace.clock()).total_seconds()) + 0.001)
    raise AssertionError("the cards did not come to rest")


def states(grace: Grace, cards: list[UUID]) -> list[tuple[str, str | None]]:
    with church_scope(grace.church_id):
        rows = db.session.scalars(select(SyncItem).where(SyncItem.submission_id.in_(cards)))
        return [(row.state, row.reason) for row in rows]


@pytest.mark.parametrize("shared", SHARED)
@pytest.mark.parametrize("lag", LAGS)
def test_two_cards_of_one_person_become_one_person(grace: Grace, lag: int, shared: str) -> None:
    grace.lag(lag)
    for seed in range(INTERLEAVINGS):
        grace.wire.move(400)
        grace.reconnect()
        cards = two_cards(grace, shared)
        grace.press_sync()
        work_side_by_side(grace, Random(f"{lag} {shared} {seed}"))
        people = grace.people()
        fared = states(grace, cards)
        assert len(people) == 1, f"seed {seed}: {fared}"
        parts = parts_of(grace.simulator, people[0])
        assert {part: count for part, count in parts.items() if count > 1 and part[0] != "Note"} == {}, f"seed {seed}: {fared}"
        # By the name alone nobody is linked: the second card asks, and says why.
        expected = [REVIEW, SYNCED] if shared == "nothing" else [SYNCED, SYNCED]
        assert sorted(state for state, _ in fared) == expected, f"seed {seed}: {fared}"
