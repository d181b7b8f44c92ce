"""Staff change what is known of a person: it is kept here at once, says so, and waits to be sent; nobody's change is lost unseen."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people.models import Identity, Person
from connectcard.people.pulled import PulledPerson
from connectcard.people.taking_in import take_in_people
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
ANA = PulledPerson("7", Identity("Ana", "Lopez", birthdate=date(1990, 3, 7)), gender="Female", membership="Member")


def pulled(church_id: UUID, one: PulledPerson = ANA) -> UUID:
    with church_scope(church_id), transaction() as session:
        take_in_people([one], now())
        return session.scalars(db.select(Person.id).where(Person.remote_id == one.remote_id)).one()


def typed(page: str, **changed: str) -> dict[str, str]:
    """The form as the page shows it, with what somebody typed over it."""
    inputs = dict(re.findall(r'name="([a-z_]+)" type="[a-z]+" value="([^"]*)"', page))
    chosen = dict(re.findall(r'name="([a-z_]+)"[^>]*>(?:(?!</select>).)*?<option value="([^"]*)" selected', page, re.S))
    as_of = re.findall(r'name="as_of" value="([^"]*)"', page)[0]
    return {**inputs, **chosen, "as_of": as_of, **changed}


def change(browser: StaffBrowser, person: UUID, **changed: str) -> Any:
    return browser.post(f"/people/{person}/about", typed(browser.get(f"/people/{person}/about").text, **changed))


def person(church_id: UUID, person_id: UUID) -> Person:
    with church_scope(church_id):
        return db.session.get_one(Person, person_id)


@pytest.mark.usefixtures("any_database")
def test_what_is_changed_is_kept_and_waits(grace: UUID, sign_in: SignIn) -> None:
    ana, browser = pulled(grace), sign_in(grace, role="staff", name="Eddie Editor")
    answer = change(browser, ana, last_name="Garcia", birthdate="1990-03-08", gender="")
    assert (answer.status_code, answer.location) == (303, f"/people/{ana}")
    kept = person(grace, ana)
    assert (kept.identity.last_name, kept.birthdate, kept.gender, kept.membership) == ("Garcia", date(1990, 3, 8), "", "Member")
    assert set(kept.edits or {}) == {"last_name", "birthdate", "gender"}
    page = browser.get(f"/people/{ana}").text
    assert "Changed here by Eddie Editor" in page
    assert "3 changes of this person wait to be sent" in page
    assert "Nothing was changed" in browser.get(change(browser, ana).location).text


def test_a_child_stays_sealed(grace: UUID, sign_in: SignIn) -> None:
    leo = pulled(grace, PulledPerson("9", Identity("Leo", "Lopez"), child=True))
    assert change(sign_in(grace), leo, nickname="Leopold").status_code == 303
    kept = person(grace, leo)
    assert (kept.nickname, kept.identity.nickname, kept.child) == ("", "Leopold", True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"first_name": "", "last_name": " "}, "Enter a first name or a last name"),
        ({"birthdate": "2190-01-01"}, "Enter the day as year, month and day, not in the future"),
        ({"birthdate": "yesterday"}, "Enter the day as year, month and day, not in the future"),
        ({"membership": "Pope"}, "Choose one of these"),
        ({"status": ""}, "Choose one of these"),
        ({"nickname": "A" * 201}, "Nickname: shorten this to 200 letters or fewer"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_reason(grace: UUID, sign_in: SignIn, changed: dict[str, str], words: str) -> None:
    ana = pulled(grace)
    answer = change(sign_in(grace), ana, middle_name="Maria", **changed)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Maria"' in answer.text
    assert person(grace, ana).edits is None


def test_a_pull_meanwhile_is_not_overwritten_unseen_and_what_is_in_dispute_is_decided_first(grace: UUID, sign_in: SignIn) -> None:
    ana, browser = pulled(grace), sign_in(grace)
    opened = typed(browser.get(f"/people/{ana}/about").text, last_name="Garcia")
    pulled(grace, PulledPerson("7", Identity("Ana", "Quist"), gender="Female"))
    late = browser.post(f"/people/{ana}/about", opened)
    assert (late.status_code, "This was changed while you were typing." in late.text) == (422, True)
    assert change(browser, ana, last_name="Garcia").status_code == 303
    pulled(grace, PulledPerson("7", Identity("Ana", "Miller"), gender="Female"))
    refused = change(browser, ana, last_name="Young")
    assert (refused.status_code, "Decide first which of both stands" in refused.text) == (422, True)
    assert change(browser, ana, nickname="Annie").status_code == 303


def test_who_may_only_look_and_the_church_next_door_change_nothing(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    ana, theirs = pulled(grace), pulled(neighbour)
    opened = typed(sign_in(grace).get(f"/people/{ana}/about").text, last_name="Garcia")
    vera, holly = sign_in(grace, role="viewer", name="Vera"), sign_in(neighbour, name="Holly")
    assert "/about" not in vera.get(f"/people/{ana}").text
    assert (vera.get(f"/people/{ana}/about").status_code, vera.post(f"/people/{ana}/about", opened).status_code) == (403, 403)
    assert (holly.get(f"/people/{ana}/about").status_code, holly.post(f"/people/{ana}/about", opened).status_code) == (404, 404)
    assert change(sign_in(grace, name="Ada"), ana, last_name="Garcia").status_code == 303
    assert person(neighbour, theirs).last_name == "Lopez"
