"""When two names, addresses or numbers are the same person's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectcard.people.identity import (
    base_email,
    e164,
    in_writing,
    name_key,
    normalised_email,
    normalised_name,
    same_first_name,
    same_last_name,
)


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("(512) 555-0177", "US", "+15125550177"),
        ("512.555.0177", "US", "+15125550177"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("555-0177", "US", ""),
        ("no phone", "US", ""),
        ("", "US", ""),
        (None, "US", ""),
    ],
)
def test_phone_numbers_are_read_with_the_country_of_the_church(number: str | None, country: str, expected: str) -> None:
    assert e164(number, country) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ana", "ana", True),
        ("José", "Jose", True),
        ("Bill", "William", True),
        ("Peggy", "Margaret", True),
        ("Mary Ann", "Maryann", True),
        ("Mary Ann", "Mary", True),
        ("Мария", "Mariya", True),
        ("Ana", "Maria", False),
        ("Daniel", "Danielle", False),
        ("J", "John", False),
        ("", "John", False),
        (None, None, False),
    ],
)
def test_first_names(one: str | None, other: str | None, same: bool) -> None:
    assert same_first_name(one, other) is same
    assert same_first_name(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("O'Brien", "OBrien", True),
        ("O’Brien", "o'brien", True),
        ("Núñez", "Nunez", True),
        ("Smith", "Smith Jr.", True),
        ("Lopez", "Lopez-Garcia", True),
        ("van der Berg", "Vanderberg", True),
        ("Smith", "Smythe", False),
        ("Li", "Li Wang", False),
        ("", "Smith", False),
    ],
)
def test_last_names(one: str, other: str, same: bool) -> None:
    assert same_last_name(one, other) is same
    assert same_last_name(other, one) is same


def test_plus_addressing_reaches_the_same_mailbox() -> None:
    assert base_email(" Ana+Church@Gmail.com ") == "ana@gmail.com"
    assert normalised_email(" Ana@Gmail.com ") == "ana@gmail.com"


@pytest.mark.parametrize(
    ("kept", "shown"), [("+15125550177", "+1 512-555-0177"), ("+525512345678", "+52 55 1234 5678"), ("555-0177", "555-0177"), ("", "")]
)
def test_a_number_is_shown_as_people_write_it(kept: str, shown: str) -> None:
    assert in_writing(kept) == shown


def test_a_name_key_does_not_depend_on_case_accents_or_suffix() -> None:
    assert name_key("José", "Núñez Jr.") == name_key("JOSE", "nunez")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised_name(normalised_name(text)) == normalised_name(text)
    assert normalised_email(normalised_email(text)) == normalised_email(text)
    assert e164(text, "US") == e164(e164(text, "US") or text, "US")
