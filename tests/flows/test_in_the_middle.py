"""Whatever stops in the middle of a run: the run ends by itself, nobody is missing and nobody is there twice."""

import time
from random import Random

import pytest
import redis

from tests import browsing
from tests.at_church import Member, copies, exactly_once, post_new_people
from tests.installation import Installation, eventually

CARDS = 4


def ready_cards(installation: Installation, ada: Member) -> list[str]:
    """Cards that wait for the press; the limit is wide, so that a worker without Redis is not slowed by its small share of it."""
    installation.planning_center.settings(limit=1000)
    ada.wait_for_choices()
    return post_new_people(installation, ada.card_address(), CARDS)


def writes_since(installation: Installation, number: int) -> int:
    return sum(entry["method"] == "POST" and entry["path"].startswith("/people/") for entry in installation.planning_center.log(number))


def press_and_wait_for_writes(installation: Installation, ada: Member, writes: int) -> None:
    """Press Sync and wait until so many writes have reached Planning Center."""
    installation.planning_center.settings(latency_ms=120)
    before = installation.planning_center.last_number()
    ada.press_sync()
    eventually(lambda: writes_since(installation, before) >= writes, f"{writes} writes to Planning Center", 40)


def everybody_is_there_once(installation: Installation, ada: Member, names: list[str]) -> None:
    installation.planning_center.settings(latency_ms=0)
    counters = ada.wait_for_the_end(100)
    assert copies(installation, names) == exactly_once(names)
    assert counters == {"Created": CARDS, "Updated": 0, "Skipped": 0, "Needs you": 0, "Failed": 0}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_worker_is_killed_and_started_again(installation: Installation, ada: Member, seed: int) -> None:
    moment = Random(seed)
    names = ready_cards(installation, ada)
    press_and_wait_for_writes(installation, ada, moment.randrange(1, CARDS * 3 - 3))
    time.sleep(moment.random() * 0.12)  # somewhere within a request
    installation.worker.kill()
    installation.worker.start()
    everybody_is_there_once(installation, ada, names)


@pytest.mark.parametrize("kind", ["drop_after", "truncated"])
def test_an_answer_is_lost_and_the_worker_is_killed_as_well(any_database: str, installation: Installation, ada: Member, kind: str) -> None:
    names = ready_cards(installation, ada)
    for path, after in (("/people/v2/people", 1), ("/people/v2/people/*/emails", 1), ("/people/v2/people/*/phone_numbers", 2)):
        installation.planning_center.fault(kind, path=path, after=after)
    press_and_wait_for_writes(installation, ada, 4)
    installation.worker.kill()
    installation.worker.start()
    everybody_is_there_once(installation, ada, names)


def test_the_worker_is_killed_again_and_again(installation: Installation, ada: Member) -> None:
    names = ready_cards(installation, ada)
    press_and_wait_for_writes(installation, ada, 1)
    for _ in range(3):
        before = installation.planning_center.last_number()
        installation.worker.kill()
        installation.worker.start()
        browsing.until(
            ada.page,
            lambda _, before=before: writes_since(installation, before) or sum(ada.tiles().values()) == CARDS,
            "the next write",
            40,
        )
    everybody_is_there_once(installation, ada, names)


@pytest.mark.parametrize("how", ["flushed", "stopped", "restarted"])
def test_redis_goes_away(installation: Installation, ada: Member, how: str) -> None:
    names = ready_cards(installation, ada)
    press_and_wait_for_writes(installation, ada, 3)
    if how == "flushed":
        with redis.Redis.from_url(installation.redis_url) as bell:
            bell.flushall()
    else:
        installation.redis.kill()
        if how == "restarted":
            installation.redis.start()
    everybody_is_there_once(installation, ada, names)


def test_a_run_starts_while_redis_is_away(installation: Installation, ada: Member) -> None:
    names = ready_cards(installation, ada)
    installation.redis.kill()
    ada.press_sync()
    everybody_is_there_once(installation, ada, names)


def test_planning_center_goes_away_and_comes_back(installation: Installation, ada: Member) -> None:
    names = ready_cards(installation, ada)
    press_and_wait_for_writes(installation, ada, 3)
    installation.simulator.stop()
    browsing.until(ada.page, lambda page: page.locator("#run .band-warn").count(), "the page to say what it waits for", 40)
    installation.simulator.start()
    everybody_is_there_once(installation, ada, names)


def test_the_church_takes_its_permission_back(installation: Installation, ada: Member) -> None:
    """The staff are told on every page; cards keep arriving; after *Reconnect* the run goes on where it stood."""
    names = ready_cards(installation, ada)
    installation.planning_center.fault("revoked_token", method="*", path="*", after=8)
    ada.press_sync()
    told = ada.page.get_by_role("link", name="Reconnect")

    def is_told() -> bool:
        ada.page.goto("/cards")
        return told.count() > 0

    eventually(is_told, "the page to say that the church must be connected again", 40)
    run = "/runs/1"
    late = post_new_people(installation, ada.card_address(), CARDS)
    assert late == names
    ada.connect()
    ada.page.goto(run)
    installation.planning_center.settings(latency_ms=0)
    ada.wait_for_the_end(100)
    assert copies(installation, names) == exactly_once(names)
