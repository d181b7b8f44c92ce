"""Looking for a child among very many whose names are sealed, beside opening every name.

Run it with `make bench`. It prints figures; how fast is for a person to judge.
"""

import os
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.crypto import new_secret
from connectcard.database import db, transaction
from connectcard.people import lists
from connectcard.people.models import Identity, Person
from connectcard.people.pulled import PulledPerson
from connectcard.people.sealing import open_child
from connectcard.people.taking_in import take_in_people

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

CHILDREN = int(os.environ.get("BENCH_CHILDREN", "100000"))
FIRST, LAST = 2_000, 500


def named(number: int) -> str:
    """A name for a number, in letters, since digits are looked for as phone numbers."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def fill(church_id: UUID) -> None:
    with church_scope(church_id), transaction() as session:
        session.get_one(Church, church_id).remote_id_key = new_secret()
    for start in range(0, CHILDREN, 1000):
        page = [
            PulledPerson(str(number), Identity(f"First{named(number % FIRST)}", f"Last{named(number % LAST)}"), child=True)
            for number in range(start, min(start + 1000, CHILDREN))
        ]
        with church_scope(church_id), transaction():
            take_in_people(page, now())


def timed(asked: Callable[[], int]) -> tuple[int, float]:
    began = time.perf_counter()
    found = asked()
    return found, (time.perf_counter() - began) * 1000


def open_everyone() -> int:
    rows = db.session.execute(select(Person.id, Person.child_details_sealed).where(Person.child.is_(True))).all()
    return sum("firstb" in open_child(child_id, envelope or b"").words for child_id, envelope in rows)


def test_looking_for_a_child(any_database: str, grace: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    """The page of a search by first name, by last name and by both, beside opening every name as was done before."""
    fill(grace)
    asked: dict[str, Callable[[], int]] = {
        text: lambda text=text: lists.list_people(text, lists.EVERYBODY, 1).total  # type: ignore[misc]
        for text in ("firstb", "lastb", "firstb lastb", "nobody")
    }
    with church_scope(grace):
        figures = {words: timed(ask) for words, ask in {**asked, "opening every name": open_everyone}.items()}
    with capsys.disabled():
        print(f"\nLooking among {CHILDREN} children, on {any_database}")
        for words, (found, took) in figures.items():
            print(f"  {words:20} {found:6} found {took:8.0f} ms")
    assert figures["firstb"][0] == CHILDREN // FIRST
