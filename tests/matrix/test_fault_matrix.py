"""Whatever happens to a request, and whatever happens to the worker meanwhile, a full card arrives exactly once.

`make matrix` runs many more pairs: MATRIX_PAIRS says how many, MATRIX_SEED from where.
"""

from random import Random

import pytest

from tests.matrix.pairs import LAGS, random_pair, run_pair
from tests.matrix.practice import Grace
from tests.matrix.wire import FAULTS

# What a full card of somebody new with a child asks of Planning Center when nothing goes wrong.
CALLS = 23
PAIRS, PAIRS_A_TEST = 300, 30


def everything_went_well(grace: Grace, wrong: list[str]) -> None:
    assert wrong == []
    assert grace.records() == grace.baseline, "something stands where no card belongs"


def test_a_card_that_meets_no_fault(grace: Grace) -> None:
    fared = grace.run({})
    assert (fared.state, fared.passes, fared.calls, fared.wrong) == ("synced", 1, CALLS, [])
    everything_went_well(grace, [])


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_at_each_call(grace: Grace, kind: str) -> None:
    wrong = []
    for call in range(1, CALLS + 1):
        grace.lag(LAGS[(call + len(kind)) % len(LAGS)])
        fared = grace.run({call: kind})
        wrong += fared.wrong if fared.met else [f"{kind} at call {call} was not met"]
    everything_went_well(grace, wrong)


@pytest.mark.parametrize("part", range(PAIRS // PAIRS_A_TEST))
def test_pairs_of_faults(grace: Grace, part: int) -> None:
    random, wrong = Random(part), []
    for _ in range(PAIRS_A_TEST):
        wrong += run_pair(grace, random_pair(random)).wrong
    everything_went_well(grace, wrong)
