"""Groups in a real browser: an owner has the card ask, staff settle what is left to do for a card, and change a group."""

from uuid import UUID

from flask import Flask
from playwright.sync_api import Browser, expect

from connectcard.cards.models import Submission
from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.people.models import GroupTag
from connectcard.sync.models import SYNCED
from connectcard.web.sessions import cookie_name
from tests import browsing
from tests.making import a_card, a_step, an_item
from tests.staff import signed_in
from tests.web.test_directory import a_group
from tests.web.test_mapping import with_account

TO_DO = "“Choir” takes requests: its leader decides who joins. Ask the leader, then put them in."


def a_card_with_something_to_do(church_id: UUID, group: UUID) -> UUID:
    card = a_card(church_id)
    with church_scope(church_id), transaction() as session:
        row = session.get_one(Submission, card)
        row.answers = {**row.answers, "group": {"id": str(group), "name": "Choir", "open": True}}
    decision = {"kind": "new", "words": "Nobody like this was found.", "person": None, "candidates": []}
    item = an_item(church_id, card, SYNCED, to_do=TO_DO, decision=decision)
    a_step(church_id, item, "New person", remote_id="77")
    a_step(church_id, item, "Group", "skipped", problem=TO_DO)
    return card


def test_groups_from_the_question_to_what_is_left_to_do(browser: Browser, app: Flask, served: str, grace: UUID) -> None:
    with_account(grace)
    choir = a_group(grace, "Choir", schedule="Sundays at 7", listed=True, enrollment="open", tag_ids=["1"])
    a_group(grace, "Young families", listed=True, enrollment="open")
    with church_scope(grace), transaction() as session:
        session.add_all(GroupTag(remote_id=str(at), name=name, tag_group="Who") for at, name in ((1, "Adults"), (2, "Families")))
    card = a_card_with_something_to_do(grace, choir)
    with browsing.visitor(browser, served) as context:
        context.add_cookies([{"name": cookie_name(app), "value": signed_in(app, grace).key, "url": served}])
        page = context.new_page()
        # The card asks from now on, for one of both groups.
        page.goto("/mapping")
        page.get_by_role("link", name="Change Join a group").click()
        page.get_by_label("Offer only these, while they are open and listed").check()
        page.get_by_text("2 open and listed groups").click()
        page.get_by_label("Choir Sundays at 7").check()
        assert browsing.faults_everywhere(page) == []
        page.locator("#group").get_by_role("button", name="Save").click()
        expect(page.locator("#group")).to_contain_text("The card offers 1 group")
        # What is left to do about a card is done.
        page.goto("/cards?tab=needs_you")
        expect(page.get_by_text("Synced, one thing to do")).to_be_visible()
        page.goto(f"/cards/{card}")
        expect(page.locator("#to-do + span")).to_be_visible()
        assert browsing.faults_everywhere(page) == []
        page.get_by_role("button", name="Done").click()
        expect(page.get_by_text("Done by hand, says Sam Hill")).to_be_visible()
        # The group is changed here, and waits to be sent.
        page.goto(f"/groups/{choir}")
        page.get_by_role("link", name="Change", exact=True).click()
        page.get_by_label("Meets").fill("Mondays at 6")
        page.get_by_label("Families").check()
        assert browsing.faults_everywhere(page) == []
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Meets, Tags: changed here and not in Planning Center yet.")).to_be_visible()
        assert browsing.faults_everywhere(page) == []
