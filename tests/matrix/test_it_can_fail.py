"""The matrix must be able to fail: without any one of the three parts of exactly-once it finds duplicates.

The switches exist here only; nothing in connectcard can turn them.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from connectcard.clock import now
from connectcard.sync import holds, items, steps
from connectcard.sync.card_writes import CardTarget
from connectcard.sync.steps import Later
from tests.matrix.practice import Grace

# The numbers of the calls that write: the visitor, what is theirs, the child and the household.
WRITES = (6, 7, 8, 9, 10, 11, 12, 14, 16, 18)


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def duplicates(grace: Grace, *kinds: str) -> list[str]:
    """What the matrix finds for these faults at every write, until it finds something."""
    for kind in kinds:
        for call in Random(1).sample(WRITES, len(WRITES)):
            found = grace.run({call: kind}).duplicates
            if found:
                return found
    return []


def soon(wait: Callable[..., None]) -> Callable[..., None]:
    """As the shipped waiting, but for a second only."""
    return lambda hold, later, *state: wait(hold, Later(now() + timedelta(seconds=1), str(later)), *state)


def test_without_probes_a_lost_answer_makes_a_duplicate(grace: Grace, switch: pytest.MonkeyPatch) -> None:
    switch.setattr(CardTarget, "probe", lambda *_: None)
    assert duplicates(grace, "reset_after", "truncated") != []


def test_without_settling_a_late_write_makes_a_duplicate(grace: Grace, switch: pytest.MonkeyPatch) -> None:
    switch.setattr(steps, "_wait_until_settled", lambda _step: None)
    switch.setattr(items, "wait", soon(items.wait))
    assert duplicates(grace, "late_45", "late_100") != []


def test_without_fences_a_worker_that_slept_makes_a_duplicate(grace: Grace, switch: pytest.MonkeyPatch) -> None:
    switch.setattr(holds, "keep_hold", lambda _hold: None)
    assert duplicates(grace, "asleep_before_commit", "asleep_after_commit", "asleep_after_intent") != []


def test_with_all_three_the_same_faults_make_none(grace: Grace) -> None:
    assert duplicates(grace, "late_100", "asleep_after_commit") == []
