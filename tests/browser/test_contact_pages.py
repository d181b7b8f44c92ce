"""A person's contacts in a real browser: readable on every screen whatever waits or is in dispute, and removed only after a question."""

import re
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people import contact_changes
from connectcard.people.contacts import email_content
from connectcard.people.models import EMAIL, PHONE, Identity, Person
from connectcard.people.operations import edit_person
from connectcard.people.pulled import PulledAddress, PulledContact, PulledPerson
from connectcard.people.taking_in import take_in_people
from tests import browsing
from tests.browser.test_preview_pages import enter, key, sign_in  # noqa: F401
from tests.web.test_mapping import with_account

LONG = "maria.guadalupe.featherstonehaugh-lopez@departmentofcommunications.springfieldchurch.org"
HOME = PulledAddress("1200 Old Springfield Turnpike", "Apt 12", "Springfield", "TX", "78701", "US", "Home", primary=True, remote_id="31")


def email(value: str, remote_id: str, *, primary: bool = False) -> PulledContact:
    return PulledContact(EMAIL, value, value, "Home", primary, remote_id)


def pulled(church_id: UUID, *emails: PulledContact) -> Person:
    number = PulledContact(PHONE, "+15125550177", "(512) 555-0177", "Mobile", True, "21")
    identity = Identity("Maria Guadalupe", "Featherstonehaugh-Lopez", birthdate=date(1990, 3, 7))
    with church_scope(church_id), transaction() as session:
        take_in_people([PulledPerson("7", identity, membership="Member", contacts=(*emails, number), addresses=(HOME,))], now())
        return session.scalars(db.select(Person)).one()


@pytest.fixture
def maria(grace: UUID) -> UUID:
    """Somebody of whom one address waits, one was removed, one is in dispute and one was added."""
    with_account(grace)
    first, second, third = email("maria@gmail.com", "11", primary=True), email("old@outlook.com", "12"), email("work@gmail.com", "13")
    pulled(grace, first, second, third)
    with church_scope(grace), transaction() as session:
        person = session.scalars(db.select(Person)).one()
        edit_person(person, {"nickname": "Lupe"}, "Eddie Editor")
        contact_changes.change_contact(person, EMAIL, "11", email_content(LONG, "Home"), "Eddie Editor")
        contact_changes.remove_contact(person, EMAIL, "12", "Mona Manager")
        contact_changes.change_contact(person, EMAIL, "13", email_content("lupe@work.org", "Work"), "Eddie Editor")
        contact_changes.add_contact(person, EMAIL, email_content("lupe@home.org", "Home"), "Mona Manager")
    return pulled(grace, first, second, email("maria@work.org", "13")).id


def test_the_pages_are_readable_for_everybody(
    app: Flask,
    context: BrowserContext,
    served: str,
    maria: UUID,
    key: str,  # noqa: F811
) -> None:
    page = enter(context, app, key, served)
    page.goto(f"/people/{maria}")
    for words in ("Waits to be sent", "Waits to be removed there", "Changed on both sides", "Removed here by Mona Manager"):
        expect(page.get_by_text(words).first).to_be_visible()
    assert browsing.faults_everywhere(page, "contacts") == []
    page.get_by_role("link", name=re.compile(f"^Change.*{LONG}")).click()
    expect(page.get_by_role("heading", name="Change the email address")).to_be_visible()
    page.get_by_label("Email address", exact=True).fill("nobody at all")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter an email address in the correct format")
    assert browsing.faults_everywhere(page, "contact-form") == []


def test_removing_is_asked_first(
    app: Flask,
    context: BrowserContext,
    served: str,
    maria: UUID,
    key: str,  # noqa: F811
) -> None:
    page = enter(context, app, key, served)
    page.goto(f"/people/{maria}/contacts/phone:21")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Removed. It waits here until somebody presses Send.")).to_be_visible()
    expect(page.locator("s", has_text="(512) 555-0177")).to_be_visible()
