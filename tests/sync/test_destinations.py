"""Every answer goes where the church wants it, and no answer ever makes a new option in Planning Center."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from connectcard.cards.models import Card
from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import RemoteChoice
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import card_fields, destinations, resolving
from connectcard.sync.card_fields import CUSTOM_FIELD, NOTE, NOTHING, PERSON_ATTRIBUTE, WORKFLOW_CARD
from connectcard.sync.models import Destination
from connectcard.sync.resolving import resolve

WORDS = {
    "visit": {"first_time": "First time", "few_times": "A few times", "home": "Home church"},
    "interests": {"kids": "Kids", "small_groups": "Small groups", "baptism": "Baptism"},
    "heard": {"friend": "Friend or family", "drove_by": "Drove by"},
}


def field(remote_id: str, name: str, data_type: str) -> RemoteChoice:
    return RemoteChoice(kind="field_definition", remote_id=remote_id, name=name, detail={"data_type": data_type, "tab": "Visit"})


def option(remote_id: str, of: str, name: str) -> RemoteChoice:
    return RemoteChoice(kind="field_option", remote_id=remote_id, parent_remote_id=of, name=name)


def a_church_account() -> list[RemoteChoice]:
    return [
        field("10", "How did you hear about us?", "select"),
        option("101", "10", "Friend or  Family"),
        option("102", "10", "Website"),
        field("11", "First visit date", "date"),
        field("12", "Interests", "checkboxes"),
        option("121", "12", "Kids"),
        option("122", "12", "SMALL-GROUPS"),
        field("13", "Text me", "boolean"),
        field("14", "Shirt size", "number"),
        RemoteChoice(kind="membership_type", remote_id="1", name="Member"),
        RemoteChoice(kind="membership_type", remote_id="2", name="Visitor"),
        RemoteChoice(kind="campus", remote_id="7", name="North"),
        RemoteChoice(kind="note_category", remote_id="20", name="Prayer requests"),
        RemoteChoice(kind="workflow", remote_id="30", name="First-time guest"),
        RemoteChoice(kind="workflow", remote_id="31", name="Kids check-in"),
    ]


def defaults(choices: list[RemoteChoice]) -> dict[str, Destination]:
    return {row.card_field: row for row in destinations.default_destinations(choices)}


def test_fields_find_their_place_by_name() -> None:
    found = {key: (row.kind, row.target, row.constant) for key, row in defaults(a_church_account()).items()}
    assert found["heard"] == (CUSTOM_FIELD, "10", None)
    assert found["first_visit_date"] == (CUSTOM_FIELD, "11", None)
    assert found["interests"] == (CUSTOM_FIELD, "12", None)
    assert found["text_me"] == (CUSTOM_FIELD, "13", None)
    assert found["membership"] == (PERSON_ATTRIBUTE, "membership", "Visitor")
    assert found["email"] == ("email", None, None)


def test_a_prayer_goes_nowhere_until_it_is_switched_on() -> None:
    assert defaults(a_church_account())["prayer"].kind == NOTHING


def test_a_field_of_the_wrong_type_is_no_default() -> None:
    choices = [field("10", "How did you hear about us?", "number"), field("12", "Interests", "select")]
    assert {defaults(choices)[key].kind for key in ("heard", "interests")} == {NOTHING}


def test_a_church_without_any_of_it_still_sends_name_and_contacts() -> None:
    kinds = {key: row.kind for key, row in defaults([]).items() if row.kind != NOTHING}
    assert kinds == {
        "first_name": "person_attribute",
        "last_name": "person_attribute",
        "email": "email",
        "phone": "phone",
        "address": "address",
        "family": "household",
        "group": "group",
    }


def custom(card_field: str, target: str, choices: dict[str, str] | None = None) -> Destination:
    return Destination(card_field=card_field, kind=CUSTOM_FIELD, target=target, choices=choices or {})


@pytest.mark.parametrize(
    ("destination", "answer", "values"),
    [
        (custom("heard", "10"), "friend", ("Friend or  Family",)),
        (custom("interests", "12"), ["kids", "small_groups"], ("Kids", "SMALL-GROUPS")),
        (custom("interests", "12", {"small_groups": "Kids"}), ["kids", "small_groups"], ("Kids",)),
        (custom("interests", "12", {"baptism": ""}), ["baptism"], ()),
        (custom("text_me", "13"), True, ("true",)),
        (custom("text_me", "13"), False, ()),
        (custom("first_visit_date", "11"), datetime(2026, 11, 22, tzinfo=UTC).date(), ("2026-11-22",)),
        (custom("first_visit_date", "11"), None, ()),
        (Destination(card_field="visit", kind=PERSON_ATTRIBUTE, target="membership", choices={"home": "Member"}), "home", ("Member",)),
        (
            Destination(card_field="membership", kind=PERSON_ATTRIBUTE, target="membership", choices={}, constant="visitor"),
            None,
            ("Visitor",),
        ),
        (Destination(card_field="campus", kind=PERSON_ATTRIBUTE, target="primary_campus_id", choices={}, constant="7"), None, ("7",)),
        (Destination(card_field="prayer", kind=NOTE, target="20", choices={}), "For my mother", ("For my mother",)),
        (Destination(card_field="interests", kind=WORKFLOW_CARD, target=None, choices={"kids": "31"}), ["kids"], ("31",)),
        (Destination(card_field="text_me", kind=WORKFLOW_CARD, target="30", choices={}), True, ("30",)),
        (Destination(card_field="prayer", kind=NOTHING, choices={}), "For my mother", ()),
    ],
)
def test_an_answer_becomes_what_is_sent(destination: Destination, answer: Any, values: tuple[str, ...]) -> None:
    assert resolve(destination, answer, a_church_account(), WORDS) == resolving.Resolved(values)


def test_a_choice_without_an_option_is_not_sent_and_says_so() -> None:
    resolved = resolve(custom("interests", "12"), ["kids", "baptism"], a_church_account(), WORDS)
    assert resolved.values == ("Kids",)
    assert resolved.problems == ("“Baptism” has no matching choice in “Interests”, so it is not sent.",)


def test_an_article_in_front_makes_no_other_choice() -> None:
    words = {"heard": {"friend": "Friend or family"}}
    assert resolve(custom("heard", "10"), "friend", a_church_account(), words).values == ("Friend or  Family",)


def test_a_choice_that_no_card_knows_any_more_is_not_sent() -> None:
    assert resolve(custom("heard", "10"), "carrier pigeon", a_church_account(), WORDS).values == ()


def test_an_option_renamed_in_planning_center_is_not_sent_under_its_old_name() -> None:
    assert resolve(custom("heard", "10", {"friend": "A friend"}), "friend", a_church_account(), WORDS).values == ()


@pytest.mark.parametrize("options", [("Under 18 (<18)", "Under 18 (>18)"), ("18", "18+"), ("👎", "👍")])
def test_of_two_options_that_differ_in_a_sign_the_chosen_one_is_sent(options: tuple[str, str]) -> None:
    account = [*a_church_account(), *(option(f"19{number}", "10", name) for number, name in enumerate(options))]
    for name in options:
        assert resolve(custom("heard", "10", {"friend": name}), "friend", account, WORDS).values == (name,)


def test_a_choice_of_signs_only_is_no_other_one_of_signs() -> None:
    account = [*a_church_account(), option("190", "10", "👎")]
    assert resolve(custom("heard", "10"), "friend", account, {"heard": {"friend": "👍"}}).values == ()


def test_a_deleted_field_is_a_problem_in_words() -> None:
    resolved = resolve(custom("heard", "99"), "friend", a_church_account(), WORDS)
    assert resolved.values == ()
    assert "no longer in Planning Center" in resolved.problems[0]


def test_a_field_that_changed_its_type_is_a_problem_in_words() -> None:
    resolved = resolve(custom("heard", "14"), "friend", a_church_account(), WORDS)
    assert resolved.problems == ("How did you hear about us? does not fit “Shirt size”, which is now a number field.",)


def test_the_page_is_warned_of_every_choice_that_would_be_lost() -> None:
    account = a_church_account()
    assert resolving.warnings(custom("heard", "10"), account, WORDS) == (
        "Drove by has no matching choice in “How did you hear about us?” and is not sent.",
    )
    words = {"interests": {"kids": "Kids", "baptism": "Baptism", "youth": "Youth"}}
    assert resolving.warnings(custom("interests", "12"), account, words) == (
        "Baptism, Youth have no matching choice in “Interests” and are not sent.",
    )
    assert resolving.warnings(custom("heard", "10", {"drove_by": ""}), account, WORDS) == ()
    assert "no longer in Planning Center" in resolving.warnings(custom("heard", "99"), account, WORDS)[0]


def test_a_first_visit_has_the_churchs_own_date() -> None:
    late_sunday_in_austin = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert str(card_fields.first_visit_date({"visit": "first_time"}, late_sunday_in_austin, "America/Chicago")) == "2026-11-22"
    assert card_fields.first_visit_date({"visit": "home"}, late_sunday_in_austin, "America/Chicago") is None


@pytest.fixture
def grace_account(grace: UUID) -> UUID:
    add_account(grace)
    return grace


def add_account(church_id: UUID) -> None:
    with church_scope(church_id), transaction() as session:
        session.add_all(a_church_account())
        session.add(
            Card(
                slug="welcome",
                title="Welcome",
                interests=[{"key": key, "label": label} for key, label in WORDS["interests"].items()],
                sources=[{"key": key, "label": label} for key, label in WORDS["heard"].items()],
            )
        )


def save(card_field: str, kind: str, target: str | None = None, choices: dict[str, str] | None = None, constant: str | None = None) -> None:
    with transaction():
        destinations.save(card_field, kind, target, choices or {}, constant, "Sam Hill")


def test_a_choice_of_the_church_stands_over_the_default(grace_account: UUID) -> None:
    with church_scope(grace_account):
        save("heard", NOTHING)
        save("prayer", NOTE, "20")
        save("interests", CUSTOM_FIELD, "12", {"baptism": "Kids"})
        now = destinations.current()
        assert list(now) == list(card_fields.FIELDS)
        assert (now["heard"].kind, now["heard"].changed_by) == (NOTHING, "Sam Hill")
        assert (now["prayer"].kind, now["prayer"].target) == (NOTE, "20")
        assert now["interests"].choices == {"baptism": "Kids"}
        assert (now["text_me"].kind, now["text_me"].changed_by) == (CUSTOM_FIELD, "")


def test_saving_twice_changes_the_one_row(grace_account: UUID) -> None:
    with church_scope(grace_account):
        save("heard", NOTHING)
        save("heard", CUSTOM_FIELD, "10")
        assert [row.kind for row in db.session.query(Destination).all()] == [CUSTOM_FIELD]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("heard", CUSTOM_FIELD, "99"), "no longer in Planning Center"),
        (("heard", CUSTOM_FIELD, ""), "no custom field is chosen"),
        (("heard", CUSTOM_FIELD, "14"), "is a number field"),
        (("interests", CUSTOM_FIELD, "10"), "is a select field"),
        (("heard", CUSTOM_FIELD, "10", {"friend": "Carrier pigeon"}), "“Carrier pigeon” is not a choice"),
        (("membership", PERSON_ATTRIBUTE, None, {}, "Elder"), "“Elder” is not a choice"),
        (("membership", PERSON_ATTRIBUTE), "choose a value"),
        (("first_name", NOTHING), "cannot be sent there"),
        (("email", NOTE, "20"), "cannot be sent there"),
        (("nonsense", NOTHING), "cannot be sent there"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(grace_account: UUID, change: tuple[Any, ...], why: str) -> None:
    with church_scope(grace_account):
        with pytest.raises(ChangeRefused, match=why):
            save(*change)
        assert db.session.query(Destination).count() == 0


def test_the_neighbours_fields_cannot_be_chosen_and_its_choices_do_not_change(grace_account: UUID, neighbour: UUID) -> None:
    with church_scope(neighbour), pytest.raises(ChangeRefused):
        save("heard", CUSTOM_FIELD, "10")
    with church_scope(grace_account):
        save("email", NOTHING)
    with church_scope(neighbour):
        assert destinations.current()["email"].kind == "email"
        assert destinations.current()["heard"].kind == NOTHING
