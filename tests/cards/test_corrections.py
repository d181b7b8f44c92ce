"""Staff mend what was mistyped; what the visitor wrote never changes."""

from uuid import UUID

import pytest

from connectcard.cards import corrections, queries
from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import AnswersRefused
from tests.making import a_card, reload

FORM = {"first_name": "Ana", "last_name": "Lopez", "email": "ana.lopez@gmail.com", "phone": "(512) 555-0177"}


def correct(submission_id: UUID, **form: str) -> list[str]:
    with transaction():
        return corrections.correct(reload(submission_id), {**FORM, **form}, "Sam Hill")


def test_a_typo_is_mended_and_the_original_stays(grace: UUID) -> None:
    ana = a_card(grace, email="ana.lopez@gmial.com")
    with church_scope(grace):
        assert correct(ana) == ["email"]
        submission = reload(ana)
        assert submission.answers["email"] == "ana.lopez@gmial.com"
        assert queries.effective_answers(submission)["email"] == "ana.lopez@gmail.com"
        assert submission.email == "ana.lopez@gmail.com"
        correction = queries.corrections_of(submission)[0]
        assert (correction.field, correction.member_name) == ("email", "Sam Hill")


def test_the_last_of_several_corrections_counts(grace: UUID) -> None:
    ana = a_card(grace)
    with church_scope(grace):
        correct(ana, first_name="Anna")
        correct(ana, first_name="Hanna")
        assert queries.effective_answers(reload(ana))["first_name"] == "Hanna"


def test_saving_without_a_change_leaves_no_trace(grace: UUID) -> None:
    ana = a_card(grace)
    with church_scope(grace):
        assert correct(ana) == []
        assert queries.corrections_of(reload(ana)) == []


def test_an_address_is_corrected_as_a_whole_and_an_answer_can_be_emptied(grace: UUID) -> None:
    ana = a_card(grace, address_street="12 Oak Stret", address_city="Austin")
    with church_scope(grace):
        assert correct(ana, phone="", address_street="12 Oak Street", address_city="Austin") == ["phone", "address"]
        answers = queries.effective_answers(reload(ana))
        assert answers["address"]["street"] == "12 Oak Street"
        assert "phone" not in answers


@pytest.mark.parametrize(
    ("form", "where"),
    [
        ({"first_name": ""}, "first_name"),
        ({"email": "", "phone": ""}, "email"),
        ({"email": "not an address"}, "email"),
        ({"phone": "12"}, "phone"),
    ],
)
def test_what_cannot_be_right_is_refused_and_changes_nothing(grace: UUID, form: dict[str, str], where: str) -> None:
    ana = a_card(grace)
    with church_scope(grace):
        with pytest.raises(AnswersRefused) as refused:
            correct(ana, last_name="Changed", **form)
        assert list(refused.value.problems) == [where]
        assert reload(ana).last_name == "Lopez"
        assert queries.corrections_of(reload(ana)) == []


def test_a_corrected_card_is_found_by_its_new_name(grace: UUID) -> None:
    ana = a_card(grace, first_name="Anq")
    with church_scope(grace):
        correct(ana, first_name="José")
        assert "jose" in reload(ana).search_text
        assert "anq" not in reload(ana).search_text


def test_the_neighbours_card_of_the_same_name_stays_as_it_is(grace: UUID, neighbour: UUID) -> None:
    ana, theirs = a_card(grace), a_card(neighbour)
    with church_scope(grace):
        correct(ana, first_name="Hanna")
    with church_scope(neighbour):
        assert reload(theirs).first_name == "Ana"
        assert queries.corrections_of(reload(theirs)) == []
