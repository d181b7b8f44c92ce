"""The labelled pairs: how often a card is linked by itself, how often rightly, and how often somebody has to be asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connectcard.people.matching import NEW, SAME, UNCLEAR, Decision, decide
from tests.people.labelled import ASK, OTHER, Pair, labelled_pairs
from tests.people.labelled import SAME as SAME_PERSON

PAIRS, SHARES = labelled_pairs()


@dataclass(frozen=True)
class Judged:
    """One pair and what matching said to it."""

    pair: Pair
    decision: Decision

    @property
    def linked(self) -> bool:
        return self.decision.kind == SAME

    @property
    def rightly(self) -> bool:
        return self.linked and self.decision.person is not None and self.decision.person.remote_id == self.pair.right

    @property
    def asked(self) -> bool:
        return self.decision.kind == UNCLEAR


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return [Judged(pair, decide(pair.visitor, pair.people)) for pair in PAIRS]


def lines(rows: Iterator[Judged]) -> list[str]:
    return [f"{row.pair.line}   [{row.decision.words}]" for row in rows]


def test_there_are_enough_pairs_of_every_label() -> None:
    labels = Counter(pair.label for pair in PAIRS)
    assert sum(labels.values()) >= 400
    assert min(labels[label] for label in (SAME_PERSON, ASK, OTHER)) >= 100
    assert sum(SHARES.values()) == 1000


def test_a_link_by_itself_is_always_right(judged: list[Judged]) -> None:
    assert lines(row for row in judged if row.linked and not row.rightly) == []


def test_nobody_who_is_there_is_made_a_second_time(judged: list[Judged]) -> None:
    assert lines(row for row in judged if row.decision.kind == NEW and row.pair.label != OTHER) == []


def test_few_of_an_ordinary_sundays_cards_need_a_person(judged: list[Judged]) -> None:
    asked = {kind: sum(row.asked for row in of_kind(judged, kind)) / len(of_kind(judged, kind)) for kind in SHARES}
    share = sum(SHARES[kind] / 1000 * asked[kind] for kind in SHARES)
    print(f"\nOf an ordinary Sunday's cards {share:.1%} need a person (the mix is in labelled_pairs.txt).")
    assert share < 0.15


def test_every_question_and_every_link_says_why(judged: list[Judged]) -> None:
    for row in judged:
        assert row.decision.words.endswith("."), row.pair.line
        assert all(reason.words for compared in row.decision.compared for reason in compared.reasons)


def test_the_table_by_kind(judged: list[Judged]) -> None:
    print(f"\n{'kind':28}{'pairs':>6}{'linked':>8}{'precision':>11}{'recall':>8}{'asked':>7}{'new':>5}")
    for kind in SHARES:
        print(table_row(kind, of_kind(judged, kind)))
    print(table_row("all", judged))
    assert {row.pair.kind for row in judged} == set(SHARES)


def of_kind(judged: list[Judged], kind: str) -> list[Judged]:
    return [row for row in judged if row.pair.kind == kind]


def table_row(kind: str, rows: list[Judged]) -> str:
    linked, right = sum(row.linked for row in rows), sum(row.rightly for row in rows)
    same = sum(row.pair.label == SAME_PERSON for row in rows)
    asked, new = sum(row.asked for row in rows), sum(row.decision.kind == NEW for row in rows)
    precision = f"{right / linked:.3f}" if linked else "-"
    recall = f"{right / same:.2f}" if same else "-"
    return f"{kind:28}{len(rows):6}{linked:8}{precision:>11}{recall:>8}{asked:7}{new:5}"
