"""Staff say on the card's page whose it is after all: they search, correct, and name the namesakes of a family."""

import json
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.sync.models import REVIEW, SYNCED, SyncItem, SyncStep
from tests.making import a_card, an_item, candidate, unclear
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
FITTING = ("first name", "last name", "email")


@pytest.fixture
def sam(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    return sign_in(grace, "staff")


def item(church_id: UUID, card: UUID) -> SyncItem:
    with church_scope(church_id):
        return db.session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one()


def a_question(church_id: UUID) -> UUID:
    card = a_card(church_id)
    an_item(church_id, card, REVIEW, decision=unclear(candidate("48213", "Ana Lopez", *FITTING)), reason="Two people fit.")
    return card


def an_arrived_card(church_id: UUID) -> UUID:
    card = a_card(church_id)
    people = unclear(candidate("48213", "Ana Lopez", *FITTING), candidate("50922", "Robert Lopez", "last name"))
    an_item(church_id, card, SYNCED, decision={**people, "kind": "same", "person": "48213", "words": "Same name and email."})
    with church_scope(church_id), transaction():
        db.session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one().person_remote_id = "48213"
    return card


def test_a_search_is_asked_for_and_the_page_follows_by_itself(grace: UUID, sam: StaffBrowser) -> None:
    card = a_question(grace)
    for back, page in (("card", f"/cards/{card}"), ("review", f"/cards/review?card={card}")):
        sent = sam.post(f"/cards/{card}/search", {"text": "Esmeralda Adeyemi", "back": back})
        assert sent.headers["Location"] == f"{page}#search"
        shown = sam.get(page).text
        assert "Looking for “Esmeralda Adeyemi”" in shown
        assert f'hx-get="/cards/{card}/search?back={back}"' in shown
        assert sam.get(f"/cards/{card}/search?back={back}").status_code == 204
    found_by_the_worker(grace, card)
    assert sam.get(f"/cards/{card}/search?back=review").headers["HX-Redirect"] == f"/cards/review?card={card}#search"
    page = sam.get(f"/cards/review?card={card}").text
    assert "1 found for “Esmeralda Adeyemi”." in page
    assert page.index("update Esmeralda Adeyemi") < page.index("update Ana Lopez"), "whom they looked for stands first"


def found_by_the_worker(church_id: UUID, card: UUID) -> None:
    with church_scope(church_id), transaction():
        row = db.session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one()
        assert row.decision is not None
        found = {**candidate("777", "Esmeralda Adeyemi", "email"), "searched": True}
        row.decision = {**row.decision, "candidates": [found, *row.decision["candidates"]]}
        row.search_wanted, row.search_answer = None, "1 found for “Esmeralda Adeyemi”."


def test_an_arrived_card_is_somebody_elses(grace: UUID, sam: StaffBrowser) -> None:
    card = an_arrived_card(grace)
    page = sam.get(f"/cards/{card}").text
    for words in ("Not the right person?", "This is somebody else", "What was added to Ana Lopez stays there", 'value="same:50922"'):
        assert words in page, words
    assert 'value="same:48213"' not in page
    sam.post(f"/cards/{card}/somebody-else", {"person": "same:50922"})
    kept = item(grace, card)
    assert (kept.state, kept.person_remote_id) == ("pending", "50922")
    assert (kept.decision or {})["asked"]["person"] == "48213"


def test_somebody_who_was_not_shown_is_refused(grace: UUID, sam: StaffBrowser) -> None:
    card = an_arrived_card(grace)
    page = sam.post(f"/cards/{card}/somebody-else", {"person": "same:1"}, follow_redirects=True).text
    assert "Choose one of the people shown" in page
    assert item(grace, card).state == "synced"


def a_family_with_a_namesake(church_id: UUID) -> UUID:
    card = an_arrived_card(church_id)
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one()
        step = SyncStep(item_id=row.id, position=9, member=2, kind="create_person", natural_key="99", label="Child 1", state="skipped")
        step.problem = "Somebody of this name is in Planning Center already."
        session.add(step)
        session.flush()
        step.body = json.dumps({"attributes": {}, "namesakes": [candidate("333", "Leo Lopez", "first name")]})
    return card


@pytest.mark.parametrize(("answer", "person"), [("new", None), ("333", "333")])
def test_staff_name_a_child_of_the_family(grace: UUID, sam: StaffBrowser, answer: str, person: str | None) -> None:
    card = a_family_with_a_namesake(grace)
    page = sam.get(f"/cards/{card}").text
    for words in ("Who of the family is this?", "Leo Lopez", "Make them anyway"):
        assert words in page, words
    sam.post(f"/cards/{card}/family", {"member-2": answer, "member-x": "new"})
    kept = item(grace, card)
    assert kept.family_decisions == {"2": {"person": person, "by": "Sam Hill"}}
    assert kept.state == "pending"


def test_nothing_said_of_the_family_sends_nothing(grace: UUID, sam: StaffBrowser) -> None:
    card = a_family_with_a_namesake(grace)
    assert "Say of somebody who it is" in sam.post(f"/cards/{card}/family", {"member-2": ""}, follow_redirects=True).text
    assert item(grace, card).state == "synced"


def test_a_viewer_reads_and_decides_nothing(grace: UUID, sign_in: SignIn) -> None:
    viewer, card = sign_in(grace, "viewer"), a_family_with_a_namesake(grace)
    page = viewer.get(f"/cards/{card}").text
    assert "Not the right person?" not in page
    assert "Leo Lopez" not in page
    for path in ("family", "somebody-else", "search"):
        assert viewer.post(f"/cards/{card}/{path}", {}).status_code == 403


def test_the_neighbours_cards_cannot_be_reached(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    card, theirs = a_family_with_a_namesake(grace), sign_in(neighbour, "owner")
    for path in ("family", "somebody-else", "search"):
        assert theirs.post(f"/cards/{card}/{path}", {"text": "Leo Lopez", "person": "new", "member-2": "new"}).status_code == 404
    assert theirs.get(f"/cards/{card}/search").status_code == 404
    assert item(grace, card).state == "synced"
