"""The watch cuts each request at its own deadline, whatever was over before, though its thread is not woken for each of them."""

from threading import Event
from time import monotonic

import pytest

from connectcard.planning_center.deadlines import Watch

SOON, LATE, PATIENCE = 0.2, 60.0, 10.0


@pytest.fixture
def watch() -> Watch:
    return Watch()


def seconds_until_cut(watch: Watch, seconds: float) -> float:
    cut, begun = Event(), monotonic()
    with watch.over(seconds, cut.set):
        assert cut.wait(PATIENCE), "it was never cut"
    return monotonic() - begun


@pytest.mark.parametrize("before", [SOON / 2, LATE])
def test_a_deadline_holds_after_an_earlier_request_that_is_over(watch: Watch, before: float) -> None:
    with watch.over(before, lambda: pytest.fail("it was over in time")):
        pass
    assert SOON <= seconds_until_cut(watch, SOON) < PATIENCE
    assert SOON <= seconds_until_cut(watch, SOON) < PATIENCE


def test_the_shorter_deadline_holds_beside_a_longer_one(watch: Watch) -> None:
    with watch.over(LATE, lambda: pytest.fail("it was over in time")):
        assert SOON <= seconds_until_cut(watch, SOON) < PATIENCE


def test_what_was_over_in_time_is_not_cut(watch: Watch) -> None:
    cut = Event()
    with watch.over(SOON, cut.set):
        pass
    seconds_until_cut(watch, 2 * SOON)
    assert not cut.is_set()
