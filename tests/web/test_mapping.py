"""An owner says where each answer goes, and reads what would go wrong before it does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.sync import destinations
from connectcard.sync.models import Destination
from tests.conftest import ORIGIN
from tests.making import a_card
from tests.sync.test_destinations import a_church_account
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
HTMX = {"HX-Request": "true"}


def with_account(church_id: UUID) -> None:
    """A connected church whose fields were read, with its default card."""
    a_card(church_id)
    with church_scope(church_id), transaction() as session:
        read = {"choices_wanted_at": now() - timedelta(minutes=4), "choices_read_at": now() - timedelta(minutes=3)}
        session.add(Connection(origin=ORIGIN, organization_id="1001", authorised_by="Sam Hill", **read))
        session.add_all(a_church_account())


@pytest.fixture
def owner(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    with_account(grace)
    return sign_in(grace, "owner")


def current(church_id: UUID, card_field: str) -> Destination:
    with church_scope(church_id):
        return destinations.current()[card_field]


def test_the_page_shows_where_everything_goes_and_how_old_the_list_is(owner: StaffBrowser) -> None:
    page = owner.get("/mapping").text
    for words in (
        "Visit › First visit date",
        "Visit › Interests",
        "Membership",
        "Visitor",
        "Not sent",
        "Read from Planning Center",
        "3 min ago",
    ):
        assert words in page, words


def test_choices_without_a_match_are_named(owner: StaffBrowser) -> None:
    assert (
        "Youth, Serving, Baptism, Talking with a pastor have no matching choice in “Interests” and are not sent."
        in owner.get("/mapping").text
    )


def test_a_row_becomes_a_form_and_comes_back(owner: StaffBrowser) -> None:
    form = owner.get("/mapping/interests/edit", headers=HTMX).text
    for words in ("<form", "Interests (checkboxes)", "Each choice on the card becomes", "Talking with a pastor", "A card in a workflow"):
        assert words in form, words
    assert "<html" not in form
    row = owner.get("/mapping/interests", headers=HTMX).text
    assert "Change" in row
    assert "<form" not in row


def test_only_fields_that_fit_can_be_chosen(owner: StaffBrowser) -> None:
    form = owner.get("/mapping/interests/edit", headers=HTMX).text
    assert "Shirt size" not in form
    assert "First visit date" not in form
    assert "Don’t send" in form


def test_choosing_another_place_shows_its_choices_before_anything_is_saved(grace: UUID, owner: StaffBrowser) -> None:
    form = owner.get("/mapping/interests/edit?place=workflow_card:each", headers=HTMX).text
    assert "Kids check-in" in form
    assert "SMALL-GROUPS" not in form
    assert current(grace, "interests").kind == "custom_field"


def test_saving_a_row_matches_choice_by_choice(grace: UUID, owner: StaffBrowser) -> None:
    form = {"place": "custom_field:12", "choice-baptism": "Kids", "choice-kids": "", "choice-small_groups": "SMALL-GROUPS"}
    row = owner.post("/mapping/interests", form, headers=HTMX).text
    assert "Saved" in row
    assert "Changed by Sam Hill" in row
    assert current(grace, "interests").choices == {"baptism": "Kids", "kids": "", "small_groups": "SMALL-GROUPS"}


def test_it_all_works_without_javascript(grace: UUID, owner: StaffBrowser) -> None:
    page = owner.get("/mapping/prayer/edit").text
    assert "<html" in page
    assert "sent only if you choose a place" in page
    answer = owner.post("/mapping/prayer", {"place": "note:20"})
    assert answer.location == "/mapping#prayer"
    assert "Note › Prayer requests" in owner.get("/mapping").text
    owner.post("/mapping/prayer", {"place": "nothing"})
    assert current(grace, "prayer").kind == "nothing"


def test_membership_and_campus_of_new_people(grace: UUID, owner: StaffBrowser) -> None:
    owner.post("/mapping/membership", {"constant": "Member"}, headers=HTMX)
    assert "North" in owner.post("/mapping/campus", {"constant": "7"}, headers=HTMX).text
    assert (current(grace, "membership").constant, current(grace, "campus").constant) == ("Member", "7")
    owner.post("/mapping/membership", {"constant": ""}, headers=HTMX)
    assert current(grace, "membership").kind == "nothing"


@pytest.mark.parametrize("place", ["custom_field:99", "custom_field:14", "custom_field:", "note:10", "email", "nonsense", ":::", ""])
def test_a_place_that_is_not_there_is_refused_with_the_reason(grace: UUID, owner: StaffBrowser, place: str) -> None:
    for headers in (HTMX, {}):
        answer = owner.post("/mapping/heard", {"place": place}, headers=headers)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    with church_scope(grace):
        assert db.session.scalars(select(Destination)).all() == []


@pytest.mark.parametrize("place", ["custom_field:99", "nonsense", ":::"])
def test_looking_at_a_place_that_is_not_there_shows_the_form(owner: StaffBrowser, place: str) -> None:
    assert owner.get(f"/mapping/heard/edit?place={place}", headers=HTMX).status_code == 200


def test_refresh_asks_a_worker_and_the_page_waits_for_it(grace: UUID, owner: StaffBrowser) -> None:
    assert "data-poll" not in owner.get("/mapping").text
    owner.post("/mapping/refresh")
    page = owner.get("/mapping").text
    assert "Reading the fields of your Planning Center" in page
    assert "/mapping/freshness" in page
    assert "<noscript><meta" not in page, "without JavaScript a half-filled form stays while somebody fills it in"
    assert '<noscript> <a href="/mapping">' in page
    assert owner.get("/mapping/freshness").status_code == 204
    with church_scope(grace), transaction() as session:
        session.scalars(select(Connection)).one().choices_read_at = now()
    line = owner.get("/mapping/freshness").text
    assert "Show what is new" in line
    assert "hx-get" not in line


def test_a_church_that_is_not_connected_is_told_how(grace: UUID, sign_in: SignIn) -> None:
    page = sign_in(grace, "owner").get("/mapping").text
    assert "not connected to Planning Center" in page
    assert 'href="/connection"' in page


@pytest.mark.parametrize("role", ["staff", "viewer"])
def test_mapping_is_for_owners(grace: UUID, sign_in: SignIn, role: str) -> None:
    with_account(grace)
    somebody = sign_in(grace, role)
    for path in ("/mapping", "/mapping/heard", "/mapping/heard/edit", "/mapping/freshness"):
        assert somebody.get(path).status_code == 403, path
    for path in ("/mapping/heard", "/mapping/refresh"):
        assert somebody.post(path, {"place": "nothing"}).status_code == 403, path
    assert current(grace, "heard").kind == "custom_field"


@pytest.mark.parametrize("card_field", ["first_name", "last_name", "nonsense"])
def test_what_is_always_sent_or_unknown_has_no_form(owner: StaffBrowser, card_field: str) -> None:
    assert owner.get(f"/mapping/{card_field}/edit").status_code == 404
    assert owner.post(f"/mapping/{card_field}", {"place": "nothing"}).status_code == 404


# SQLite lets one write at a time, so that nobody is quicker there.
@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_of_two_owners_who_first_save_a_row_at_the_same_moment_the_second_one_is_heard(
    owner: StaffBrowser, grace: UUID, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    quicker: list[str] = []

    def save() -> None:
        with app.app_context(), church_scope(grace), transaction():
            destinations.save("prayer", "nothing", None, {}, None, "Mona Reyes")

    def looked_up() -> datetime:
        if not quicker:
            quicker.append("Mona Reyes")
            thread = Thread(target=save)
            thread.start()
            thread.join()
        return now()

    monkeypatch.setattr(destinations, "now", looked_up)
    assert owner.post("/mapping/prayer", {"place": "note:20"}).status_code == 303
    row = current(grace, "prayer")
    assert (quicker, row.kind, row.changed_by) == (["Mona Reyes"], "note", "Sam Hill")


def test_the_neighbours_fields_cannot_be_chosen(grace: UUID, neighbour: UUID, owner: StaffBrowser, sign_in: SignIn) -> None:
    hope = sign_in(neighbour, "owner", "Hope Owner")
    assert "Interests" not in hope.get("/mapping").text
    assert hope.post("/mapping/heard", {"place": "custom_field:10"}).status_code == 422
    assert hope.post("/mapping/email", {"place": "nothing"}, headers=HTMX).status_code == 200
    assert (current(neighbour, "email").kind, current(grace, "email").kind) == ("nothing", "email")
