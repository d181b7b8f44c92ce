"""SIGKILLs of real workers at random moments of a run, Redis flushed and restarted among them: everybody is there once.

`make kills` does the same with 300 cards and 100 kills; KILLS, KILLS_CARDS and KILLS_SEED say otherwise.
"""

import os
import time
from collections import Counter
from random import Random

import pytest
import redis

from tests.at_church import Member, post_card
from tests.installation import Installation, eventually

KILLS = int(os.environ.get("KILLS", "10"))
CARDS = int(os.environ.get("KILLS_CARDS", "24"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
# Longer than the other stories' waits: on a busy machine a worker may need seconds from its intent to its request.
WAITS = "6,4,4"
# Requests that a worker may still send before it is killed: few enough that every kill falls into the run.
MOST_REQUESTS = max(2, CARDS * 6 // KILLS)


def last_name(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"{letters[number % 26]}{letters[number // 26 % 26]}xquist".capitalize()


def post_cards(installation: Installation, address: str) -> Counter[tuple[str, str, str]]:
    """Cards of people who are unlike each other; gives each as (last name, e-mail, phone)."""
    sent: Counter[tuple[str, str, str]] = Counter()
    for number in range(CARDS):
        name, phone = last_name(number), f"+1312{5550000 + number}"
        email = f"{name.lower()}@gmail.com"
        post_card(installation, address, first_name=f"Ottilie{name[:2]}", last_name=name, email=email, phone=phone)
        sent[name, email, phone] += 1
    return sent


def arrived(installation: Installation) -> Counter[tuple[str, str, str]]:
    """The same of everybody in Planning Center who came by these cards; twice where something is there twice."""
    found = [person for person in installation.planning_center.people() if person["last_name"].endswith("xquist")]
    return Counter(
        (
            person["last_name"],
            " ".join(one["address"] for one in person["emails"]),
            " ".join(one["e164"] for one in person["phone_numbers"]),
        )
        for person in found
    )


def live_a_little(installation: Installation, moment: Random) -> None:
    """Let the worker send some requests, and be somewhere within one."""
    before, wanted = installation.planning_center.last_number(), moment.randrange(1, MOST_REQUESTS)
    eventually(lambda: len(installation.planning_center.log(before)) >= wanted or arrived(installation).total() >= CARDS, "requests", 60)
    time.sleep(moment.random() * 0.05)


def disturb_redis(installation: Installation, kill: int) -> None:
    if kill % 4 == 1:
        with redis.Redis.from_url(installation.redis_url) as bell:
            bell.flushall()
    if kill % 4 == 3:
        installation.redis.kill()
        installation.redis.start()


@pytest.mark.timeout(1800 if KILLS > 10 else 180)
def test_workers_are_killed_at_random_moments(installation: Installation, ada: Member) -> None:
    moment = Random(SEED)
    installation.settings["SYNC_WAITS"] = WAITS
    ada.wait_for_choices()
    cards = post_cards(installation, ada.card_address())
    installation.planning_center.settings(latency_ms=20, limit=2000, period=20)
    ada.press_sync()
    in_the_middle = 0
    for kill in range(KILLS):
        live_a_little(installation, moment)
        in_the_middle += arrived(installation).total() < CARDS
        installation.worker.kill()
        disturb_redis(installation, kill)
        installation.worker.start()
    eventually(lambda: arrived(installation).total() >= CARDS, "everybody to arrive", 60 + 2 * CARDS)
    counters = ada.wait_for_the_end(120)
    assert arrived(installation) == cards
    assert counters == {"Created": CARDS, "Updated": 0, "Skipped": 0, "Needs you": 0, "Failed": 0}
    assert in_the_middle >= KILLS * 3 // 4, "most of the kills came after the run"
    print(f"\n{CARDS} cards, {KILLS} kills, {in_the_middle} before everybody was there (seed {SEED}): duplicates 0, losses 0")
