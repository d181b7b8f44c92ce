"""The rate limit is shared by all processes through a real Redis, obeyed at once, and survives a Redis that is flushed or away."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from flask import Flask, current_app

from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections import budget
from connectcard.connections.budget import Pace, RateBudget, budget_of
from connectcard.connections.queries import find_connection
from connectcard.extensions import bell
from connectcard.planning_center.budget import Rate, read_rate
from connectcard.planning_center.errors import NotSent, RateLimited
from tests.conftest import MovedClock, make_config
from tests.connections import sharing
from tests.connections.conftest import connected, connection_of
from tests.forked import PROCESSES
from tests.servers import wait_until


@pytest.fixture
def config(database_url: str, origin: str, redis_url: str) -> Config:
    return make_config(database_url, pco_base_url=origin, redis_url=redis_url)


@pytest.fixture
def origin() -> str:
    return "http://127.0.0.1:7777"


@pytest.fixture
def connection_id(grace: UUID) -> Iterator[UUID]:
    """Grace's connection, in Grace's scope."""
    connection_id = connected(grace)
    with church_scope(grace):
        yield connection_id


def taken(one: RateBudget, *, urgent: bool = False, most: int = 200) -> int:
    """How many requests may go before one has to wait."""
    return next((number for number in range(most) if one.take(urgent=urgent) > 0), most)


def test_bulk_work_leaves_five_of_a_window_to_people(connection_id: UUID) -> None:
    one = RateBudget(connection_id, Rate(100, 20, 0))
    assert taken(one) == 95
    assert taken(one, urgent=True) == 5
    assert 19 < one.take() <= 21


def test_what_runs_in_the_background_leaves_half_of_a_window_to_cards(connection_id: UUID) -> None:
    one = RateBudget(connection_id, Rate(100, 20, 0))
    assert next(number for number in range(200) if one.take(background=True) > 0) == 50
    assert taken(one) == 45


def test_what_may_arrive_late_counts_in_the_next_window_too(connection_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "LATENESS_SECONDS", 60)
    one = RateBudget(connection_id, Rate(100, 1, 0))
    assert taken(one) == 95
    over = time.monotonic() + 1
    wait_until(lambda: time.monotonic() > over and one.take() == 0, "the first window to be over, for the last request of it too")
    # Planning Center may still count some of it into the second one.
    assert taken(one) == 4
    assert 58 < one.take() <= 61


def test_two_processes_share_one_budget(connection_id: UUID) -> None:
    one, other = RateBudget(connection_id, Rate(100, 20, 0)), RateBudget(connection_id, Rate(100, 20, 0))
    assert [one.take() for _ in range(40)] == [0.0] * 40
    assert taken(other) == 55


def test_before_the_first_answer_we_are_careful(connection_id: UUID) -> None:
    assert taken(RateBudget(connection_id)) == 5


def test_a_lower_limit_holds_at_once_in_every_process(connection_id: UUID) -> None:
    one, other = RateBudget(connection_id, Rate(100, 20, 0)), RateBudget(connection_id, Rate(100, 20, 0))
    assert [one.take() for _ in range(4)] == [0.0] * 4
    one.learn(Rate(10, 20, 4))
    assert taken(other) == 1
    assert taken(other, urgent=True) == 5


def test_a_higher_limit_is_used_at_once(connection_id: UUID) -> None:
    one = RateBudget(connection_id)
    taken(one)
    one.learn(Rate(100, 20, 5))
    assert taken(one) == 90


def test_what_others_sent_with_the_same_sign_in_is_taken_off(connection_id: UUID) -> None:
    one = RateBudget(connection_id, Rate(100, 20, 0))
    one.take()
    one.learn(Rate(100, 20, 81))
    assert taken(one) == 14
    one.learn(Rate(100, 20, 15))
    assert taken(one) == 80


def test_a_block_holds_every_process_and_stands_in_the_row(connection_id: UUID, grace: UUID, moved_clock: MovedClock) -> None:
    one, other = RateBudget(connection_id, Rate(100, 20, 0)), RateBudget(connection_id, Rate(100, 20, 0))
    one.block(13)
    assert 13 <= one.take(urgent=True) <= 15
    assert 12 < other.take(urgent=True) <= 15
    blocked_until = connection_of(grace).blocked_until
    assert blocked_until is not None
    assert timedelta(seconds=13) <= blocked_until - moved_clock.moment <= timedelta(seconds=15)


def test_a_shorter_block_does_not_end_a_longer_one(connection_id: UUID, grace: UUID) -> None:
    one = RateBudget(connection_id)
    one.block(600)
    one.block(1)
    assert one.take() > 500
    RateBudget(connection_id).block(1)
    assert RateBudget(connection_id).take() > 500


def test_an_unsaid_wait_is_a_whole_window(connection_id: UUID) -> None:
    one = RateBudget(connection_id, Rate(100, 20, 100))
    one.block(None)
    assert 20 <= one.take() <= 22


def test_a_flushed_redis_costs_at_most_one_burst(app: Flask, connection_id: UUID) -> None:
    one = RateBudget(connection_id, Rate(100, 20, 0))
    assert taken(one) == 95
    bell.redis.flushdb()
    assert one.take() == 0.0
    # The first answer after the flush tells how much is really left.
    one.learn(Rate(100, 20, 96))
    assert one.take() > 0


def test_a_flushed_redis_does_not_end_a_block(app: Flask, connection_id: UUID) -> None:
    one = RateBudget(connection_id)
    one.block(60)
    bell.redis.flushdb()
    assert one.take() > 50
    # A process that starts now knows it from the row.
    current_app.extensions.pop("rate_budgets", None)
    row = find_connection()
    assert row is not None
    assert budget_of(row).take() > 50
    assert budget_of(row) is budget_of(row)


def test_no_window_ever_holds_more_than_its_share(app: Flask, connection_id: UUID) -> None:
    processes = [RateBudget(connection_id, Rate(25, 1, 0)) for _ in range(3)]
    granted: list[float] = []

    def work(one: RateBudget) -> None:
        with app.app_context():
            while len(granted) < 60:
                wait = one.take()
                if wait == 0:
                    granted.append(time.monotonic())
                else:
                    Event().wait(min(wait, 0.2))

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, one) for one in processes * 2]:
            done.result()
    moments = sorted(granted)
    assert all(later - earlier > 0.9 for earlier, later in zip(moments, moments[20:], strict=False))


def test_eight_processes_never_let_more_than_the_limit_through(redis_url: str, connection_id: UUID) -> None:
    assert sharing.TAKE != budget.TAKE
    bell.redis.delete(sharing.GRANTED)
    rate = Rate(limit=20, period=1, count=0)
    # Half of them work for people who wait at a screen.
    eight = [PROCESSES.Process(target=sharing.share, args=(redis_url, connection_id, rate, bool(number % 2), 90)) for number in range(8)]
    for one in eight:
        one.start()
    for one in eight:
        one.join(90)
        assert one.exitcode == 0
    moments = [int(moment) for moment in bell.redis.lrange(sharing.GRANTED, 0, -1)]
    assert len(moments) >= 90
    # The one that is a whole limit later went when the first had left the window, however late it may have arrived.
    assert all(later - earlier >= 2000 for earlier, later in zip(moments, moments[rate.limit :], strict=False))


def away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.extensions, "redis", redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=1))


def test_without_redis_each_process_takes_a_small_share(connection_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    away(monkeypatch)
    one = RateBudget(connection_id, Rate(100, 20, 0))
    assert taken(one) == 23
    assert taken(one, urgent=True) == 2
    assert 0 < one.take() <= 21


def test_without_redis_planning_centers_own_count_is_heeded(connection_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    away(monkeypatch)
    one = RateBudget(connection_id, Rate(100, 20, 0))
    assert one.take() == 0
    one.learn(Rate(100, 20, 97))
    assert one.take() > 0
    assert one.take(urgent=True) == 0
    one.learn(Rate(100, 20, 3))
    assert one.take() == 0


def test_redis_that_comes_back_is_used_again(connection_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    real = bell.redis
    away(monkeypatch)
    one = RateBudget(connection_id, Rate(100, 20, 0))
    one.take()
    monkeypatch.setitem(current_app.extensions, "redis", real)
    monkeypatch.setattr(one, "_redis_rests_until", 0.0)
    assert taken(one) == 95


def test_the_neighbours_budget_is_its_own(connection_id: UUID) -> None:
    taken(RateBudget(connection_id, Rate(100, 20, 0)))
    RateBudget(connection_id).block(60)
    assert taken(RateBudget(uuid4(), Rate(100, 20, 0))) == 95


def test_the_pages_live_line_is_kept_about_once_a_second(connection_id: UUID, grace: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    one = RateBudget(connection_id)
    for count in range(1, 30):
        one.learn(Rate(100, 20, count))
    row = connection_of(grace)
    assert (row.rate_limit, row.rate_period, row.rate_count) == (100, 20, 1)
    monkeypatch.setattr(budget, "NOTE_EVERY_SECONDS", 0)
    one.learn(Rate(90, 20, 30))
    row = connection_of(grace)
    assert (row.rate_limit, row.rate_count) == (90, 30)
    assert row.rate_seen_at is not None


class Scripted:
    """A budget that makes wait as it is told."""

    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.urgent: list[bool] = []

    def take(self, *, urgent: bool = False, background: bool = False) -> float:
        self.urgent.append(urgent)
        return self.waits.pop(0)


def pace(scripted: Scripted, patience: float, **how: Any) -> Pace:
    return Pace(scripted, patience, **how)  # type: ignore[arg-type]


def test_a_page_does_not_wait_for_long() -> None:
    scripted = Scripted(2.5)
    with pytest.raises(RateLimited) as limited:
        pace(scripted, 2.0, urgent=True).wait(15)
    assert limited.value.retry_after == 2.5
    assert scripted.urgent == [True]


def test_a_worker_waits_until_there_is_room() -> None:
    scripted = Scripted(0.01, 0.01, 0)
    pace(scripted, 30).wait(60)
    assert scripted.waits == []


def test_a_worker_does_not_wait_for_ever_on_a_clock_that_stands() -> None:
    scripted = Scripted(*[0.02] * 100)
    with pytest.raises(RateLimited):
        pace(scripted, 0.1).wait(60)
    assert len(scripted.waits) >= 90


def test_waiting_leaves_half_of_the_time_to_the_request() -> None:
    with pytest.raises(RateLimited):
        pace(Scripted(4), 30).wait(6)


def test_a_worker_that_is_told_to_stop_sends_nothing() -> None:
    stopping = Event()
    stopping.set()
    with pytest.raises(NotSent):
        pace(Scripted(25), 30, stopping=stopping).wait(60)


@pytest.mark.parametrize(
    ("limit", "period", "count", "read"),
    [
        ("100", "20", "1", Rate(100, 20, 1)),
        ("100", "20 seconds", "118", Rate(100, 20, 118)),
        ("10", "20 seconds", "0", Rate(10, 20, 0)),
        ("", "20", "1", None),
        ("0", "20", "1", None),
        ("many", "20", "1", None),
        ("100", "20", "-1", None),
    ],
)
def test_the_headers_are_read(limit: str, period: str, count: str, read: Rate | None) -> None:
    prefix = "X-PCO-API-Request-Rate-"
    assert read_rate({prefix + "Limit": limit, prefix + "Period": period, prefix + "Count": count}) == read
    assert read_rate({}) is None
