"""SIGKILLs of real workers at random moments of a run, Redis flushed and restarted among them: everybody is there once, and every
family in a household of its own.

`make kills` does the same with 300 cards and 100 kills; KILLS, KILLS_CARDS and KILLS_SEED say otherwise.
"""

import os
import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import redis

from tests.at_church import Member, post_card
from tests.installation import Installation, eventually

KILLS = int(os.environ.get("KILLS", "10"))
CARDS = int(os.environ.get("KILLS_CARDS", "24"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
# Longer than the other stories' waits: on a busy machine a worker may need seconds from its intent to its request.
WAITS = "4,3,4,1"
# Who comes with the visitor of a card: nobody, a spouse, a spouse and two children, one child; and so on.
FAMILIES: tuple[tuple[str, ...], ...] = ((), ("spouse",), ("spouse", "child_1", "child_2"), ("child_1",))
FIRST_NAMES = {"visitor": "Ottilie", "spouse": "Tobias", "child_1": "Leocadia", "child_2": "Miro"}
# Requests that a worker may still send before it is killed: few enough that every kill falls into the run.
MOST_REQUESTS = max(2, CARDS * 10 // KILLS)


@dataclass(frozen=True)
class Church:
    """Who there is by these cards, as (name, e-mails, phones), and each household, as (name, members with their roles)."""

    people: Counter[tuple[str, str, str]]
    households: Counter[tuple[str, tuple[str, ...]]]


def last_name(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"{letters[number % 26]}{letters[number // 26 % 26]}xquist".capitalize()


def first_name(who: str, last: str) -> str:
    return f"{FIRST_NAMES[who]}{last[:2].lower()}"


def role(who: str, family: tuple[str, ...]) -> str:
    """As Planning Center calls it: a parent is an adult with a child."""
    if who.startswith("child"):
        return "child_or_dependent"
    return "parent_guardian" if "child_1" in family else "adult"


def post_cards(installation: Installation, address: str) -> Church:
    """Cards of people who are unlike each other, most of them with a family; gives what Planning Center is to hold."""
    wanted = Church(Counter(), Counter())
    for number in range(CARDS):
        name, phone, family = last_name(number), f"+1312{5550000 + number}", FAMILIES[number % len(FAMILIES)]
        email = f"{name.lower()}@gmail.com"
        named = {f"{who}_first_name": first_name(who, name) for who in family}
        visitor = {"first_name": first_name("visitor", name), "last_name": name, "email": email, "phone": phone}
        post_card(installation, address, place=f"127.0.0.{1 + number // 50}", **visitor, **named)
        wanted.people[f"{first_name('visitor', name)} {name}", email, phone] += 1
        wanted.people.update((f"{first_name(who, name)} {name}", "", "") for who in family)
        if family:
            members = sorted(f"{first_name(who, name)} {name}, {role(who, family)}" for who in ("visitor", *family))
            wanted.households[f"{name} Household", tuple(members)] += 1
    return wanted


def arrived(installation: Installation) -> Church:
    """The same as it stands in Planning Center; twice where something is there twice."""
    found = [person for person in installation.planning_center.people() if person["last_name"].endswith("xquist")]
    at_home: dict[tuple[str, str], list[str]] = {}
    for person in found:
        for one in person["households"]:
            at_home.setdefault((one["household_id"], one["name"]), []).append(f"{_name(person)}, {one['household_role']}")
    people = (
        (_name(person), " ".join(one["address"] for one in person["emails"]), " ".join(one["e164"] for one in person["phone_numbers"]))
        for person in found
    )
    return Church(Counter(people), Counter((name, tuple(sorted(members))) for (_, name), members in at_home.items()))


def _name(person: dict[str, Any]) -> str:
    return f"{person['first_name']} {person['last_name']}"


def live_a_little(installation: Installation, moment: Random, wanted: Church) -> None:
    """Let the worker send some requests, and be somewhere within one."""
    before, requests = installation.planning_center.last_number(), moment.randrange(1, MOST_REQUESTS)
    eventually(lambda: len(installation.planning_center.log(before)) >= requests or arrived(installation) == wanted, "requests", 60)
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
    wanted = post_cards(installation, ada.card_address())
    installation.planning_center.settings(latency_ms=20, limit=2000, period=20)
    ada.press_sync()
    in_the_middle = 0
    for kill in range(KILLS):
        live_a_little(installation, moment, wanted)
        in_the_middle += arrived(installation) != wanted
        installation.worker.kill()
        disturb_redis(installation, kill)
        installation.worker.start()
    counters = ada.wait_for_the_end(120 + 2 * CARDS)
    there = arrived(installation)
    assert there.people == wanted.people
    assert there.households == wanted.households
    assert counters == {"Created": CARDS, "Updated": 0, "Skipped": 0, "Needs you": 0, "Failed": 0}
    assert in_the_middle >= KILLS * 3 // 4, "most of the kills came after the run"
    told = f"{CARDS} cards, {wanted.people.total()} people, {wanted.households.total()} households"
    print(f"\n{told}, {KILLS} kills, {in_the_middle} before all was there (seed {SEED}): duplicates 0, losses 0")
