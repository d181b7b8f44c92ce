"""A card is found by what people remember of it, and only by its own church."""

from uuid import UUID, uuid4

import pytest

from connectcard.cards import queries
from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import NotFound
from tests.making import a_card, reload


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Ana  López", ["ana", "lopez"]),
        ("(512) 555-01", ["51255501"]),
        ("ana@gmail.com", ["ana@gmail.com"]),
        ("  ", []),
        ("12 oak", ["12", "oak"]),
    ],
)
def test_what_is_searched_for(typed: str, words: list[str]) -> None:
    assert queries.search_words(typed) == words


def test_an_erased_card_and_a_neighbours_card_are_as_unknown_as_none(grace: UUID, neighbour: UUID) -> None:
    erased, theirs = a_card(grace), a_card(neighbour)
    with church_scope(grace), transaction():
        reload(erased).state = "erased"
    words = set()
    for unknown in (erased, theirs, uuid4()):
        with church_scope(grace), pytest.raises(NotFound) as refusal:
            queries.get_submission(unknown)
        words.add(str(refusal.value))
    assert len(words) == 1
