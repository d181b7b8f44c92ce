"""A worker serves several churches at once, and one church never twice at the same time."""

from threading import Event
from uuid import UUID, uuid4

import pytest
import structlog

from connectcard.jobs import lanes as lanes_module
from connectcard.jobs.lanes import Lanes
from tests.servers import wait_until

GRACE, HOPE, UNITY = uuid4(), uuid4(), uuid4()


def test_two_churches_are_served_side_by_side() -> None:
    served: list[UUID] = []
    both = Event()

    def serve(church_id: UUID) -> bool:
        served.append(church_id)
        if len(served) == 2:
            both.set()
        assert both.wait(20), "the second church was kept waiting by the first"
        return False

    lanes = Lanes(serve)
    lanes.wake(GRACE)
    lanes.wake(HOPE)
    assert both.wait(20)
    assert lanes.close(20)
    assert sorted(served) == sorted([GRACE, HOPE])


def test_a_church_woken_while_it_is_served_is_served_once_more_and_not_beside_itself() -> None:
    begun, go_on = Event(), Event()
    at_work = most_at_work = times = 0

    def serve(church_id: UUID) -> bool:
        nonlocal at_work, most_at_work, times
        at_work, times = at_work + 1, times + 1
        most_at_work = max(most_at_work, at_work)
        begun.set()
        assert go_on.wait(20)
        at_work -= 1
        return False

    lanes = Lanes(serve)
    lanes.wake(GRACE)
    assert begun.wait(20)
    for _ in range(5):
        lanes.wake(GRACE)
    go_on.set()
    wait_until(lambda: times == 2 and at_work == 0, "the second serving")
    assert lanes.close(20)
    assert (times, most_at_work) == (2, 1)


def test_a_church_with_much_to_do_goes_behind_those_that_wait() -> None:
    left = {GRACE: 3, HOPE: 1, UNITY: 1}
    served: list[UUID] = []
    all_are_there = Event()

    def serve(church_id: UUID) -> bool:
        assert all_are_there.wait(20)
        served.append(church_id)
        left[church_id] -= 1
        return left[church_id] > 0

    lanes = Lanes(serve, lanes=1)
    for church_id in left:
        lanes.wake(church_id)
    assert lanes.crowded
    all_are_there.set()
    wait_until(lambda: not any(left.values()), "everybody to be served")
    assert lanes.close(20)
    assert served == [GRACE, HOPE, UNITY, GRACE, GRACE]
    assert not lanes.crowded


def test_trouble_with_one_church_is_logged_and_stops_nobody() -> None:
    served = Event()

    def serve(church_id: UUID) -> bool:
        if church_id == GRACE:
            raise RuntimeError("a mistake of ours")
        served.set()
        return False

    lanes = Lanes(serve, lanes=1)
    with structlog.testing.capture_logs() as logged:
        lanes.wake(GRACE)
        lanes.wake(HOPE)
        assert served.wait(20)
    assert [(line["event"], line["church_id"]) for line in logged] == [("serving a church failed", GRACE)]
    assert lanes.close(20)


def test_a_church_in_trouble_rests_before_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    hour = [0.0]
    monkeypatch.setattr(lanes_module, "monotonic", lambda: hour[0])
    tried: list[UUID] = []

    def serve(church_id: UUID) -> bool:
        tried.append(church_id)
        raise RuntimeError("a mistake of ours")

    lanes = Lanes(serve)
    lanes.wake(GRACE)
    wait_until(lambda: GRACE in lanes._resting, "the first failure")
    lanes.wake(GRACE)
    hour[0] += lanes_module.REST_SECONDS
    lanes.wake(GRACE)
    wait_until(lambda: len(tried) == 2, "the second try")
    assert lanes.close(20)
    assert len(tried) == 2


def test_a_worker_that_leaves_waits_for_those_at_work_and_begins_nothing() -> None:
    begun, go_on = Event(), Event()
    served: list[UUID] = []

    def serve(church_id: UUID) -> bool:
        begun.set()
        go_on.wait(20)
        served.append(church_id)
        return False

    lanes = Lanes(serve, lanes=1)
    lanes.wake(GRACE)
    assert begun.wait(20)
    lanes.wake(HOPE)
    assert not lanes.close(0), "it does not claim to have finished"
    go_on.set()
    assert lanes.close(20)
    lanes.wake(HOPE)
    assert served == [GRACE]
