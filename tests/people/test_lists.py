"""Looking for people by name: adults by a part of it, children, whose names are sealed, by whole words of it, however many there are."""

from itertools import count
from uuid import UUID

import pytest

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.crypto import new_secret
from connectcard.database import db, transaction
from connectcard.people import lists
from connectcard.people.identity import name_key
from connectcard.people.marks import name_mark, word_marks
from connectcard.people.models import Identity, Person
from connectcard.people.operations import edit_person, marking_key, remember_unnamed
from connectcard.people.pulled import PulledPerson
from connectcard.people.taking_in import take_in_people


def pulled(church_id: UUID, *names: str, child: bool = True, first_id: int = 1) -> None:
    """People as Planning Center shows them: "Leo Lopez", or "Leonardo (Leo) Lopez" with a nickname."""
    people = [PulledPerson(str(number), identity_of(name), child=child) for number, name in enumerate(names, first_id)]
    with church_scope(church_id), transaction():
        take_in_people(people, now())


def identity_of(name: str) -> Identity:
    first, _, last = name.partition(" ")
    nickname, _, family = last.rpartition(") ")
    return Identity(first, family, nickname=nickname.removeprefix("("))


def found(church_id: UUID, text: str, who: str = lists.EVERYBODY, page: int = 1) -> list[str]:
    with church_scope(church_id):
        return [person.name for person in lists.list_people(text, who, page).rows]


@pytest.mark.usefixtures("any_database")
def test_a_child_is_found_by_whole_words_of_the_name(grace: UUID) -> None:
    pulled(grace, "Zoë Garcia-Quist", "Leonardo (Leo) Lopez", "Ana Lopez")
    for text, names in {
        "zoe": ["Zoë Garcia-Quist"],
        "QUIST": ["Zoë Garcia-Quist"],
        "garcia zoë": ["Zoë Garcia-Quist"],
        "leo": ["Leo Lopez"],
        "leonardo lopez": ["Leo Lopez"],
        "lopez": ["Ana Lopez", "Leo Lopez"],
        "leon": [],
        "ana quist": [],
    }.items():
        assert found(grace, text) == names, text


def test_a_name_that_has_the_same_mark_by_chance_is_not_shown(grace: UUID) -> None:
    pulled(grace, "Leo Lopez")
    with church_scope(grace):
        key = marking_key()
        alike = next(word for word in map("x{}".format, count()) if word_marks(key, [word]) == word_marks(key, ["leo"]))
    assert found(grace, alike) == []


@pytest.mark.usefixtures("any_database")
def test_every_one_of_very_many_is_found_and_paged_by_name_behind_the_adults(grace: UUID) -> None:
    pulled(grace, *(f"Kid{number:04} Miller" for number in reversed(range(1200))))
    pulled(grace, *(f"Adult{number:02} Miller" for number in range(60)), child=False, first_id=5000)
    with church_scope(grace):
        first, second = lists.list_people("miller", lists.EVERYBODY, 1), lists.list_people("miller", lists.EVERYBODY, 2)
        last = lists.list_people("miller", lists.EVERYBODY, 99)
        assert (first.total, first.pages, last.page) == (1260, 26, 26)
        assert [person.first_name for person in first.rows[:2]] == ["Adult00", "Adult01"]
        assert [person.name for person in second.rows][9:12] == ["Adult59 Miller", "Kid0000 Miller", "Kid0001 Miller"]
        assert [person.name for person in last.rows][-1] == "Kid1199 Miller"
    assert found(grace, "kid1199") == ["Kid1199 Miller"]


def test_who_is_asked_for_holds_for_children_too(grace: UUID) -> None:
    pulled(grace, "Leo Lopez", "Mia Lopez")
    pulled(grace, "Ana Lopez", child=False, first_id=9)
    with church_scope(grace), transaction() as session:
        session.scalars(db.select(Person).where(Person.remote_id == "2")).one().gone_at = now()
    assert found(grace, "lopez") == ["Ana Lopez", "Leo Lopez"]
    assert found(grace, "lopez", lists.CHILDREN) == ["Leo Lopez"]
    assert found(grace, "lopez", lists.ADULTS) == ["Ana Lopez"]
    assert found(grace, "lopez", lists.INACTIVE_OR_GONE) == ["Mia Lopez"]


def test_a_child_of_whom_only_a_mark_is_known_is_found_by_the_whole_name(grace: UUID) -> None:
    with church_scope(grace), transaction():
        remember_unnamed("5", name_mark(marking_key(), name_key("Leo", "van Dyk")))
    assert found(grace, "leo van dyk") == [""]
    assert found(grace, "leo") == []


def test_a_child_that_was_renamed_or_grew_up_is_found_as_it_is_called_now(grace: UUID) -> None:
    pulled(grace, "Leo Lopez")
    with church_scope(grace), transaction() as session:
        edit_person(session.scalars(db.select(Person)).one(), {"last_name": "Quist"}, "Sam Hill")
    assert (found(grace, "lopez"), found(grace, "quist")) == ([], ["Leo Quist"])
    pulled(grace, "Leo Lopez", child=False)
    with church_scope(grace):
        assert db.session.scalars(db.select(Person)).one().name_marks == ""


def test_the_marks_tell_nothing_without_the_key_and_nothing_of_the_church_next_door(grace: UUID, neighbour: UUID) -> None:
    for church_id in (grace, neighbour):
        with church_scope(church_id), transaction() as session:
            session.get_one(Church, church_id).remote_id_key = new_secret()
        pulled(church_id, "Leopold Featherstone")
    stored = []
    for church_id in (grace, neighbour):
        with church_scope(church_id):
            stored.append(db.session.scalars(db.select(Person.name_marks)).one())
    assert stored[0] != stored[1]
    assert all("leo" not in marks and len(marks) == len("|0f3|a21|") for marks in stored)
    pulled(neighbour, "Mia Featherstone", first_id=2)
    assert found(grace, "featherstone") == ["Leopold Featherstone"]
