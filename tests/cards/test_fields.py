"""What a card understands, and the words it says when something needs mending."""

from typing import Any

import pytest
from flask import Flask

from connectcard.cards import fields
from connectcard.cards.models import Card
from connectcard.cards.operations import DEFAULT_INTERESTS, DEFAULT_QUESTIONS, DEFAULT_SOURCES
from connectcard.churches.models import Church

NOBODY: dict[str, str] = {}
ANA = {"first_name": "Ana", "email": "ana@gmail.com"}


@pytest.fixture
def card(app: Flask) -> Card:
    return card_in("US")


def card_in(country_code: str) -> Card:
    card = Card(slug="welcome", questions=DEFAULT_QUESTIONS, interests=DEFAULT_INTERESTS, sources=DEFAULT_SOURCES)
    card.__dict__["church"] = Church(slug="grace", name="Grace Church", country_code=country_code)
    return card


def problems(card: Card, **form: Any) -> dict[str, str]:
    return fields.check(fields.read(form, card), card)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (ANA, NOBODY),
        ({"first_name": "Ana", "phone": "(512) 555-0177"}, NOBODY),
        ({"email": "ana@gmail.com"}, {"first_name": "Enter your first name"}),
        ({"first_name": " \u200d\u202e ", "email": "ana@gmail.com"}, {"first_name": "Enter your first name"}),
        ({"first_name": "Ana"}, {"email": "Enter an email address or a mobile number"}),
        ({}, {"first_name": "Enter your first name", "email": "Enter an email address or a mobile number"}),
        ({**ANA, "first_name": "A" * 101}, {"first_name": "First name must be 100 characters or fewer"}),
        ({**ANA, "last_name": "A" * 101}, {"last_name": "Last name must be 100 characters or fewer"}),
        ({**ANA, "prayer": "A" * 2001}, {"prayer": "Prayer request must be 2000 characters or fewer"}),
        ({**ANA, "address_zip": "7" * 21}, {"address_zip": "ZIP or postal code must be 20 characters or fewer"}),
        ({**ANA, "spouse_last_name": "A" * 101}, {"spouse_last_name": "Last name must be 100 characters or fewer"}),
    ],
)
def test_what_is_needed_and_how_long_it_may_be(card: Card, form: dict[str, str], expected: dict[str, str]) -> None:
    assert problems(card, **form) == expected


@pytest.mark.parametrize("email", ["ana", "ana@", "@gmail.com", "ana@gmail", "ana gmail.com", "ana@gmail..com", "a" * 250 + "@gmail.com"])
def test_an_address_that_mail_cannot_reach_is_sent_back(card: Card, email: str) -> None:
    said = "Enter an email address in the correct format, like name@example.com"
    assert problems(card, first_name="Ana", email=email) == {"email": said}


@pytest.mark.parametrize("email", ["ana@gmail.com", "Ana.Lopez+church@Outlook.com", "o'brien@yahoo.com", "josé@correo.es"])
def test_addresses_of_every_usual_shape_are_taken_as_typed(card: Card, email: str) -> None:
    assert problems(card, first_name="Ana", email=email) == {}
    assert fields.read({"email": email}, card)["email"] == email


@pytest.mark.parametrize(
    ("country", "phone", "taken"),
    [
        ("US", "(512) 555-0177", True),
        ("US", "512.555.0177", True),
        ("US", "+1 512 555 0177", True),
        ("US", "+44 7400 123456", True),
        ("US", "555-0177", False),
        ("US", "call me", False),
        ("US", "5" * 60, False),
        ("GB", "07400 123456", True),
        ("GB", "123", False),
        ("MX", "55 1234 5678", True),
        ("", "07400 123456", True),
        ("", "12", False),
    ],
)
def test_a_number_has_as_many_digits_as_one_of_the_churchs_country(app: Flask, country: str, phone: str, taken: bool) -> None:
    expected = {} if taken else {"phone": "Enter a mobile number with its area code"}
    assert problems(card_in(country), first_name="Ana", phone=phone) == expected


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Ana  Maria ", "Ana Maria"),
        ("Zoe\u0301", "Zoé"),
        ("Ана", "Ана"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("Ng\u202eana", "Ngana"),
        ("A\x00n\x07a", "Ana"),
        ("李小龍", "李小龍"),
        ("McDONALD o'neil", "McDONALD o'neil"),
        ("\ufeffAna\u00ad", "Ana"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_names_keep_their_script_and_case_and_lose_what_nobody_types(card: Card, typed: str, stored: str) -> None:
    assert fields.read({"first_name": typed}, card)["first_name"] == stored


def test_prayers_keep_their_lines(card: Card) -> None:
    assert fields.read({"prayer": " For my mother\r\n\r\nand Leo\x00 "}, card)["prayer"] == "For my mother\n\nand Leo"


def test_choices_are_the_cards_own_and_in_its_order(card: Card) -> None:
    answers = fields.read({"interests": ["serving", "kids", "gold"], "heard": "friend", "visit": "often"}, card)
    assert (answers["interests"], answers["heard"], answers["visit"]) == (["kids", "serving"], "friend", "")
    assert answers["extra"] == {"visit": "often", "interests": "gold"}


def test_answers_to_unknown_questions_are_kept_within_bounds(card: Card) -> None:
    many = {f"question {number}": "x" * 1000 for number in range(100)}
    extra = fields.read({**ANA, **many, "submission_key": "k", "form_token": "t", "empty": " "}, card)["extra"]
    assert len(extra) == fields.MOST_EXTRAS
    assert {len(text) for text in extra.values()} == {fields.LONGEST_EXTRA}
    assert not {"submission_key", "form_token", "first_name", "empty"} & set(extra)


def test_an_address_belongs_to_the_churchs_country(card: Card) -> None:
    assert fields.read({"address_city": "Austin"}, card)["address"]["country"] == "US"
    assert fields.read({"address_city": " "}, card)["address"] == {}


def test_a_family_is_read_row_by_row(card: Card) -> None:
    form = {"spouse_first_name": "Sam", "child_1_first_name": "Leo", "child_1_age": "6", "child_2_age": "", "child_8_first_name": "Mia"}
    assert fields.read(form, card)["family"] == {
        "spouse": {"first_name": "Sam", "last_name": ""},
        "children": [{"first_name": "Leo", "age": "6"}, {"first_name": "Mia", "age": ""}],
    }
    assert fields.read({"child_1_first_name": "", "child_1_age": " "}, card)["family"] == {}


def test_a_ninth_child_is_one_of_the_family_and_no_answer_to_an_unknown_question(card: Card) -> None:
    form = {f"child_{row}_first_name": f"Leo{row}" for row in range(1, 13)} | {"child_12_age": "4"}
    answers = fields.read(form, card)
    assert [child["first_name"] for child in answers["family"]["children"]] == [f"Leo{row}" for row in range(1, 13)]
    assert (answers["family"]["children"][-1]["age"], answers["extra"]) == ("4", {})


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({"child_3_age": "6"}, {"child_1_first_name": "Enter the child’s first name, or remove the child"}),
        ({"child_1_first_name": "Leo", "child_1_age": "six"}, {"child_1_age": "Enter the child’s age in years, like 6"}),
        ({"child_1_first_name": "L" * 101}, {"child_1_first_name": "First name must be 100 characters or fewer"}),
        ({"child_1_first_name": "Leo"}, {}),
    ],
)
def test_a_child_has_a_name_and_an_age_in_years(card: Card, child: dict[str, str], expected: dict[str, str]) -> None:
    assert problems(card, **ANA, **child) == expected


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ana@gmial.com", "ana@gmail.com"),
        ("ana@gmail.con", "ana@gmail.com"),
        ("ana@gmaill.com", "ana@gmail.com"),
        ("ana@gmail.co", "ana@gmail.com"),
        ("ana@Hotmial.com", "ana@hotmail.com"),
        ("ana@outlok.com", "ana@outlook.com"),
        ("ana@gmail.com", None),
        ("ana@ymail.com", None),
        ("ana@mail.com", None),
        ("ana@grace.church", None),
        ("gmial.com", None),
        ("", None),
    ],
)
def test_a_slip_in_a_common_domain_is_noticed(typed: str, meant: str | None) -> None:
    assert fields.suggested_email(typed) == meant


def test_a_mistyped_domain_never_blocks(card: Card) -> None:
    assert problems(card, first_name="Ana", email="ana@gmial.com") == {}


def test_choices_are_shown_in_the_language_of_the_page_where_they_have_words_in_it() -> None:
    configured = [{"key": "kids", "label": "Kids", "label_es": "Niños"}, {"key": "choir", "label": "Choir"}]
    assert [choice.label for choice in fields.shown_choices(configured, "es")] == ["Niños", "Choir"]
    assert [choice.label for choice in fields.shown_choices(configured, "en")] == ["Kids", "Choir"]


@pytest.mark.parametrize(
    ("sent", "answer", "extra"),
    [
        (["a"], {"id": "a", "name": "Choir", "open": True}, {}),
        (["b"], {"id": "b", "name": "Band", "open": False}, {}),
        ([""], {}, {}),
        (["", "a", "b"], {"id": "a", "name": "Choir", "open": True}, {}),
        (["c"], {}, {"group": "c"}),
        (["c", "a"], {"id": "a", "name": "Choir", "open": True}, {"group": "c"}),
    ],
)
def test_a_group_is_one_that_the_church_has_and_anything_else_is_kept(
    card: Card, sent: list[str], answer: dict[str, Any], extra: dict[str, str]
) -> None:
    groups = {"a": fields.GroupChoice("a", "Choir"), "b": fields.GroupChoice("b", "Band", open=False)}
    read = fields.read({**ANA, "group": sent}, card, groups)
    assert (read["group"], read["extra"], fields.check(read, card)) == (answer, extra, {})
