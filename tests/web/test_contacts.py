"""Staff change, remove and add the contacts of a person; each page says what waits, what stands there and what both sides changed."""

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people import conflicts
from connectcard.people.contact_edits import edits_of
from connectcard.people.models import EMAIL, PERSON, PHONE, Address, Contact, Identity, Person
from connectcard.people.operations import marking_key, set_identity
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson
from connectcard.people.taking_in import take_in_people
from connectcard.sync.models import CLAIMED, RUNNING, SyncItem, SyncRun
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
OLD, SECOND, NEW = "ana.lopez@gmail.com", "lopez.ana@outlook.com", "ana@lopezfamily.org"
EMAILS = (
    PulledContact(EMAIL, OLD, OLD, "Home", True, "11"),
    PulledContact(EMAIL, SECOND, SECOND, "Work", False, "12"),
)
NUMBER = PulledContact(PHONE, "+15125550177", "(512) 555-0177", "Mobile", True, "21")
HOME = PulledAddress("12 Elm Street", "", "Austin", "TX", "78701", "US", "Home", primary=True, remote_id="31")


def pulled(church_id: UUID, *emails: PulledContact) -> UUID:
    """Ana as Planning Center shows her."""
    with church_scope(church_id), transaction() as session:
        take_in_people([PulledPerson("7", Identity("Ana", "Lopez"), contacts=(*emails, NUMBER), addresses=(HOME,))], now())
        return session.scalars(db.select(Person.id).where(Person.remote_id == "7")).one()


@pytest.fixture
def ana(grace: UUID) -> UUID:
    return pulled(grace, *EMAILS)


def as_of(page: str) -> str:
    return re.findall(r'name="as_of" value="([^"]*)"', page)[0]


def change(browser: StaffBrowser, person: UUID, contact: str, **typed: str) -> Any:
    """Open the form of a contact, type and press Save."""
    path = f"/people/{person}/contacts/{contact}"
    return browser.post(path, {"location": "Home", "as_of": as_of(browser.get(path).text), **typed})


def remove(browser: StaffBrowser, person: UUID, contact: str) -> Any:
    path = f"/people/{person}/contacts/{contact}"
    return browser.post(f"{path}/remove", {"as_of": as_of(browser.get(path).text)})


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def emails(church_id: UUID, person: UUID) -> dict[str | None, tuple[str, bool]]:
    with church_scope(church_id):
        rows = db.session.scalars(db.select(Contact).where(Contact.person_id == person, Contact.kind == EMAIL))
        return {row.remote_id: (row.value, row.primary) for row in rows}


def waiting(church_id: UUID, person: UUID) -> list[str]:
    with church_scope(church_id):
        return [f"{edit.kind}:{edit.remote_id}" for edit in edits_of(db.session.get_one(Person, person))]


# Changing.


@pytest.mark.usefixtures("any_database")
def test_an_email_address_is_changed_here_and_the_page_says_that_it_waits(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace, role="staff", name="Eddie Editor")
    answer = change(browser, ana, "email:11", value=f" {NEW} ")
    assert (answer.status_code, answer.location) == (303, f"/people/{ana}")
    assert emails(grace, ana)["11"] == (NEW, True)
    page = words_of(browser.get(f"/people/{ana}").text)
    for words in (
        "Saved. It waits here until somebody presses Send.",
        f"{NEW} (home) Changed here by Eddie Editor",
        f"In Planning Center: {OLD} (home) Waits to be sent",
        "1 change of this person waits to be sent to Planning Center.",
        "Contacts belong to Planning Center.",
        "Email changed by Eddie Editor",
    ):
        assert words in page, words


def test_numbers_and_addresses_are_changed_alike(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace)
    assert change(browser, ana, "phone:21", value="512 555 0188", location="Work").status_code == 303
    street = {"street": "1 Oak Avenue", "city": "Austin", "state": "TX", "zip": "78701", "country_code": "US"}
    assert change(browser, ana, "address:31", **street).status_code == 303
    page = words_of(browser.get(f"/people/{ana}").text)
    assert "512 555 0188 (work) Changed here" in page
    assert "1 Oak Avenue, Austin TX 78701, US (home) Changed here" in page
    assert waiting(grace, ana) == ["phone:21", "address:31"]
    with church_scope(grace):
        number = db.session.scalars(db.select(Contact).where(Contact.kind == PHONE)).one()
        assert (number.value, number.display) == ("+15125550188", "512 555 0188")


@pytest.mark.parametrize(
    ("contact", "typed", "words"),
    [
        ("email:11", {"value": "ana at home"}, "Enter an email address in the correct format"),
        ("email:11", {"value": ""}, "Enter an email address"),
        ("email:11", {"value": SECOND.upper()}, "This person has it already."),
        ("phone:21", {"value": "555"}, "Enter a phone number with its area code"),
        ("address:31", {"street": "", "country_code": "US"}, "Enter an address"),
        ("address:31", {"street": "1 Oak Avenue", "country_code": "ZZ"}, "Choose a country"),
        ("email:11", {"value": NEW, "location": ""}, "Choose where this belongs"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_reason(
    grace: UUID, ana: UUID, sign_in: SignIn, contact: str, typed: dict[str, str], words: str
) -> None:
    answer = change(sign_in(grace), ana, contact, **typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<title>Error: " in answer.text
    assert all(html.escape(value) in answer.text for value in typed.values() if value not in ("", "ZZ"))
    assert waiting(grace, ana) == []


def test_two_who_type_at_once_and_a_pull_meanwhile_overwrite_nothing_unseen(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    eddie = sign_in(grace, role="staff", name="Eddie")
    opened = as_of(eddie.get(f"/people/{ana}/contacts/email:11").text)
    pulled(grace, PulledContact(EMAIL, "ana@work.org", "ana@work.org", "Work", True, "11"), EMAILS[1])
    for path in ("", "/remove"):
        late = eddie.post(f"/people/{ana}/contacts/email:11{path}", {"value": NEW, "location": "Home", "as_of": opened})
        assert late.status_code == 422
        assert "This was changed while you were typing." in late.text
        assert "ana@work.org (work)" in words_of(late.text)
    assert f'value="{NEW}"' in late.text
    saved = eddie.post(f"/people/{ana}/contacts/email:11", {"value": NEW, "location": "Home", "as_of": as_of(late.text)})
    assert saved.status_code == 303
    assert emails(grace, ana)["11"][0] == NEW


# Removing, adding, choosing, taking back.


def test_a_removed_one_is_shown_until_it_is_removed_there_and_can_be_taken_back(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace, name="Sam Hill")
    assert remove(browser, ana, "email:12").status_code == 303
    assert list(emails(grace, ana)) == ["11"]
    page = browser.get(f"/people/{ana}").text
    assert f"{SECOND} (work) Removed here by Sam Hill" in words_of(page)
    assert "Waits to be removed there" in page
    assert browser.post(f"/people/{ana}/contacts/email:12/take-back", {}).status_code == 303
    assert emails(grace, ana) == {"11": (OLD, True), "12": (SECOND, False)}
    assert "Removed here" not in browser.get(f"/people/{ana}").text


def test_one_is_added_and_made_the_primary_one(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace)
    answer = browser.post(f"/people/{ana}/contacts/new/email", {"value": NEW, "location": "Home", "primary": "yes"})
    assert answer.status_code == 303
    assert emails(grace, ana) == {"11": (OLD, False), "12": (SECOND, False), None: (NEW, True)}
    page = words_of(browser.get(f"/people/{ana}").text)
    assert f"Email primary {NEW} (home) Made primary here by Sam Hill" in page
    assert f"In Planning Center: {OLD} (home) Waits to be sent" in page
    assert change(browser, ana, "email:12", value=SECOND, location="Work", primary="yes").status_code == 303
    assert emails(grace, ana)["12"] == (SECOND, True)
    again = browser.post(f"/people/{ana}/contacts/new/email", {"value": NEW, "location": "Home"})
    assert (again.status_code, "This person has it already." in again.text) == (422, True)


def test_somebody_who_stands_here_only_needs_nothing_sent(grace: UUID, sign_in: SignIn) -> None:
    with church_scope(grace), transaction() as session:
        ben = Person()
        set_identity(ben, Identity("Ben", "Quist"), child=False, key=marking_key())
        session.add(ben)
        session.flush()
        session.add(Address(person_id=ben.id, street="3 Pine Road", city="Austin", location="Home"))
    browser = sign_in(grace)
    browser.post(f"/people/{ben.id}/contacts/new/phone", {"value": "512-555-0100", "location": "Mobile"})
    page = browser.get(f"/people/{ben.id}").text
    assert "512-555-0100" in page
    assert "wait to be sent" not in page
    assert "Contacts belong to Planning Center" not in page
    with church_scope(grace):
        address = db.session.scalars(db.select(Address.id).where(Address.person_id == ben.id)).one()
    assert remove(browser, ben.id, f"address:{address}").status_code == 303
    assert waiting(grace, ben.id) == []
    assert "3 Pine Road" not in browser.get(f"/people/{ben.id}").text


def test_what_is_being_sent_this_minute_is_not_changed_under_it(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace)
    browser.post(f"/people/{ana}/contacts/new/email", {"value": NEW, "location": "Home"})
    with church_scope(grace), transaction() as session:
        run = SyncRun(number=1, kind="push_people", state=RUNNING, started_by="Sam", total=1)
        session.add(run)
        session.flush()
        session.add(SyncItem(kind=PERSON, subject_id=ana, run_id=run.id, state=CLAIMED, planned_at=now()))
        added = session.scalars(db.select(Contact.id).where(Contact.value == NEW)).one()
    for answer in (change(browser, ana, f"email:{added}", value="third@gmail.com"), remove(browser, ana, f"email:{added}")):
        assert answer.status_code == 422
        assert "being sent to Planning Center right now" in answer.text
    assert change(browser, ana, "email:11", value="third@gmail.com").status_code == 303


# Both sides.


def test_both_values_and_their_times_stand_on_the_persons_page_and_staff_decide_there(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace, name="Eddie Editor")
    change(browser, ana, "email:11", value=NEW)
    pulled(grace, PulledContact(EMAIL, "ana@work.org", "ana@work.org", "Home", True, "11"), EMAILS[1])
    page = browser.get(f"/people/{ana}").text
    said = words_of(page)
    for words in (
        "Email was changed on both sides",
        "Here, by Eddie Editor,",
        "In Planning Center",
        "ana@work.org (home)",
        f"{NEW} (home)",
    ):
        assert words in said, words
    assert "/contacts/email:11" not in page, "it is decided first"
    assert "ana@work.org (home)" in words_of(browser.get("/ownership/conflicts").text)
    with church_scope(grace):
        (one,) = conflicts.of_subject(ana)
    answer = browser.post(f"/ownership/conflicts/{one.conflict.id}/theirs", {"back": "record", "seen": one.seen})
    assert answer.location == f"/people/{ana}"
    assert emails(grace, ana)["11"] == ("ana@work.org", True)
    assert "Email decided by Eddie Editor: Planning Center’s was taken" in words_of(browser.get(f"/people/{ana}").text)


def test_whose_contacts_are_is_said_in_plain_words(grace: UUID, sign_in: SignIn) -> None:
    page = words_of(sign_in(grace).get("/ownership").text)
    assert "What you add, change or remove here waits to be sent; where both sides changed one, you are asked which stands." in page


# Who may not.


def test_who_may_only_look_changes_nothing(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    vera = sign_in(grace, role="viewer")
    assert "/contacts/" not in vera.get(f"/people/{ana}").text
    assert vera.get(f"/people/{ana}/contacts/email:11").status_code == 403
    for path in ("email:11", "email:11/remove", "email:11/take-back", "new/email"):
        assert vera.post(f"/people/{ana}/contacts/{path}", {"value": NEW, "location": "Home"}).status_code == 403
    assert emails(grace, ana)["11"] == (OLD, True)


def test_what_is_not_there_is_said_so(grace: UUID, ana: UUID, sign_in: SignIn) -> None:
    browser = sign_in(grace)
    for path in ("email:99", "fax:1", "email", "new/fax"):
        assert browser.get(f"/people/{ana}/contacts/{path}").status_code == 404, path
    assert browser.post(f"/people/{ana}/contacts/email:11/take-back", {}).status_code == 404


def test_the_church_next_door_sees_and_changes_nothing(grace: UUID, neighbour: UUID, ana: UUID, sign_in: SignIn) -> None:
    theirs = pulled(neighbour, *EMAILS)
    opened = as_of(sign_in(grace).get(f"/people/{ana}/contacts/email:11").text)
    next_door = sign_in(neighbour, name="Holly")
    assert next_door.get(f"/people/{ana}/contacts/email:11").status_code == 404
    for path in ("email:11", "email:11/remove", "email:11/take-back", "new/email"):
        posted = {"value": NEW, "location": "Home", "as_of": opened}
        assert next_door.post(f"/people/{ana}/contacts/{path}", posted).status_code == 404
    change(sign_in(grace, name="Ada"), ana, "email:11", value=NEW)
    assert (emails(neighbour, theirs)["11"], waiting(neighbour, theirs)) == ((OLD, True), [])
