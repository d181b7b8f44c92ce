"""The searches: fuzzy, late, and sometimes with the same person twice. What they find has to be looked at again by whoever asks."""

from collections.abc import Callable
from typing import Any

from tests.simulator.conftest import Church

MOBILE = {"number": "(217) 555-0123", "location": "Mobile"}


def found(church: Church, kind: str, asked: str) -> list[str]:
    return [row["id"] for row in church.rows("people", **{f"where[{kind}]": asked})]


def test_the_one_who_fits_comes_first_but_others_who_fit_in_part_follow(grace: Church) -> None:
    fits = grace.person("Zebulon", "Quarterman")
    partly = grace.person("Ann", "Quarterman")
    nobody = grace.person("Ann", "Smith")
    people = found(grace, "search_name", "zebulon quarterman")
    assert people[0] == fits
    assert partly in people
    assert nobody not in people


def test_the_beginning_of_a_name_is_enough(grace: Church) -> None:
    person = grace.person("Zebulon", "Quarterman", nickname="Zippy")
    for asked in ("zebu quar", "Zippy", "Quarterman Zebulon", "ZEBULON"):
        assert person in found(grace, "search_name", asked)


def test_an_email_is_searched_for_without_regard_to_case_and_by_its_beginning(grace: Church) -> None:
    person = grace.person()
    grace.create(f"people/{person}/emails", {"address": "Zebulon.Q@gmail.com", "location": "Home"})
    for asked in ("zebulon.q@GMAIL.com", "zebulon.q", "zebulon.q@gm"):
        assert found(grace, "search_name_or_email", asked) == [person]
        assert found(grace, "search_name_or_email_or_phone_number", asked) == [person]


def test_part_of_a_number_finds_it_and_a_person_who_has_it_twice_comes_twice(grace: Church) -> None:
    once, twice = grace.person("Ann"), grace.person("Bob")
    for person in (once, twice, twice):
        grace.create(f"people/{person}/phone_numbers", MOBILE | {"number": "(217) 636-0123"})
    assert found(grace, "search_phone_number", "636-01") == [once, twice, twice]
    assert found(grace, "search_phone_number_e164", "+12176360123") == [once, twice, twice]
    assert sorted(found(grace, "search_name_or_email_or_phone_number", "2176360123")) == [once, twice]


def test_a_plus_that_was_not_encoded_finds_nobody(grace: Church) -> None:
    grace.create(f"people/{grace.person()}/phone_numbers", MOBILE)
    assert grace.call("GET", "/people/v2/people?where[search_phone_number_e164]=+12175550123").json["data"] == []
    assert len(grace.call("GET", "/people/v2/people?where[search_phone_number_e164]=%2B12175550123").json["data"]) >= 1


def test_a_search_can_be_narrowed_by_other_questions(grace: Church) -> None:
    old, young = grace.person("Zebulon", "Quarterman"), grace.person("Zebulon", "Quarterman", child=True)
    assert found(grace, "search_name", "Zebulon Quarterman") == [old, young]
    told = grace.get("people", **{"where[search_name]": "Zebulon Quarterman", "where[child]": "true"})
    assert [row["id"] for row in told["data"]] == [young]
    assert told["meta"]["total_count"] == 1


def test_searches_lag_while_the_exact_look_ups_are_at_once(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"search_lag_s": 60})
    person = grace.person("Zebulon", "Quarterman")
    email = {"address": "zeb@gmail.com", "location": "Home"}
    grace.create(f"people/{person}/emails", email)
    grace.create(f"people/{person}/phone_numbers", MOBILE | {"number": "217 636 0123"})
    searches = (("search_name", "Zebulon Quarterman"), ("search_name_or_email", "zeb@gmail.com"), ("search_phone_number", "6360123"))
    assert [found(grace, *search) for search in searches] == [[], [], []]
    assert len(grace.rows(f"people/{person}/emails")) == 1
    assert len(grace.rows("emails", **{"where[address]": "zeb@gmail.com"})) == 1
    control("POST", "settings", {"advance_s": 61})
    assert [found(grace, *search) for search in searches] == [[person], [person], [person]]


def test_a_new_name_is_found_and_the_old_one_is_not(grace: Church) -> None:
    person = grace.person("Zebulon", "Quarterman")
    grace.patch(f"people/{person}", {"last_name": "Yarborough"})
    assert person in found(grace, "search_name", "Yarborough")
    assert found(grace, "search_name", "Quarterman") == []
