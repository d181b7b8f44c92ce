"""Saying whose card it is after all, in a real browser: readable on every screen, and no key decides while somebody types."""

import json
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import RemoteChoice
from connectcard.database import db, transaction
from connectcard.sync import forms
from connectcard.sync.models import REVIEW, SYNCED, SyncItem, SyncStep
from tests import browsing
from tests.browser.test_preview_pages import SignIn, enter, key, sign_in  # noqa: F401
from tests.making import a_card, an_item, candidate, standing_of, unclear
from tests.web.test_mapping import with_account

FITTING = ("first name", "last name", "email")


@pytest.fixture
def arrived(grace: UUID) -> UUID:
    """A card that was linked by itself, whose Leo is also the name of somebody else."""
    with_account(grace)
    card = a_card(grace)
    people = unclear(candidate("48213", "Ana Lopez", *FITTING), candidate("50922", "Anabel Lopez-Featherstonehaugh", "last name"))
    an_item(grace, card, SYNCED, decision={**people, "kind": "same", "person": "48213", "words": "Same name and email."})
    with church_scope(grace), transaction() as session:
        row = session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one()
        row.person_remote_id, row.search_answer = "48213", "1 found for “Anabel”."
        step = SyncStep(item_id=row.id, position=9, member=2, kind="create_person", natural_key="99", label="Child 1", state="skipped")
        step.problem = "Somebody of this name is in Planning Center already, outside this household. Say on the card whether it is them."
        session.add(step)
        session.flush()
        step.body = json.dumps({"attributes": {}, "namesakes": [candidate("333", "Leo Lopez", "first name", "last name")]})
        session.add(RemoteChoice(kind="form", remote_id="70", name="Connect card", detail={"can_manage": True}))
        session.add(
            RemoteChoice(kind="form_field", remote_id="701", parent_remote_id="70", name="Interests", detail={"data_type": "checkboxes"})
        )
        session.flush()
        forms.choose("70", "Ada Admin")
    return card


def test_the_pages_are_readable_for_everybody(
    app: Flask,
    context: BrowserContext,
    served: str,
    arrived: UUID,
    key: str,  # noqa: F811
) -> None:
    page = enter(context, app, key, served)
    page.goto(f"/cards/{arrived}")
    expect(page.get_by_role("heading", name="Not the right person?")).to_be_visible()
    assert browsing.faults_everywhere(page, "whose-card") == []


def test_how_cards_land_is_readable_for_everybody(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    arrived: UUID,
    sign_in: SignIn,  # noqa: F811
) -> None:
    page = enter(context, app, sign_in(grace, "owner").key, served)
    page.goto("/mapping")
    page.get_by_text("Change how cards land").click()
    expect(page.get_by_label("Form", exact=True)).to_be_visible()
    assert browsing.faults_everywhere(page, "landing") == []


def test_no_key_decides_while_somebody_types(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    key: str,  # noqa: F811
) -> None:
    card = a_card(grace)
    an_item(grace, card, REVIEW, decision=unclear(candidate("48213", "Ana Lopez", *FITTING)))
    page = enter(context, app, key, served)
    page.goto("/cards/review")
    page.get_by_placeholder("Name, email or number").press_sequentially("nlh1u")
    page.get_by_role("button", name="Search Planning Center").click()
    expect(page.get_by_text("Looking for “nlh1u” in Planning Center…")).to_be_visible()
    assert standing_of(grace, card) == "review"
    with church_scope(grace):
        assert db.session.scalars(select(SyncItem.search_wanted)).one() == "nlh1u"
