"""Staff go through the cards that could be somebody who is already there, one a screen."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db
from connectcard.sync.models import REVIEW, RememberedDecision, SyncItem
from tests.making import a_card, an_item, candidate, standing_of, unclear
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
FITTING = ("first name", "last name", "email")


@pytest.fixture
def sam(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    return sign_in(grace, "staff")


def a_question(church_id: UUID, minutes_ago: float = 0, **answers: str) -> UUID:
    card = a_card(church_id, minutes_ago=minutes_ago, **answers)
    people = unclear(candidate("50922", "Robert Lopez", "last name", "email"), candidate("48213", "Ana Lopez", *FITTING))
    an_item(church_id, card, REVIEW, decision=people, reason="Two people fit.")
    return card


def item(church_id: UUID, card: UUID) -> SyncItem:
    with church_scope(church_id):
        return db.session.scalars(select(SyncItem).where(SyncItem.submission_id == card)).one()


def test_one_card_a_screen_beside_the_likeliest_people(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_question(grace, minutes_ago=9), a_question(grace, first_name="Ben")
    page = sam.get("/cards/review").text
    for words in ("1 of 2", "It may be somebody of the same household.", "! differs", "✓ same", "Same person: update Ana Lopez (#48213)"):
        assert words in page
    assert page.index("update Ana Lopez") < page.index("update Robert Lopez"), "who fits best stands first"
    assert f'action="/cards/{ana}/review"' in page
    assert "2 of 2" in sam.get(f"/cards/review?card={ben}").text
    assert "Review them one by one" in sam.get("/cards?tab=needs_you").text


def test_what_else_matching_noticed_is_shown(grace: UUID, sam: StaffBrowser) -> None:
    child = candidate("48213", "Ana Lopez", *FITTING)
    child["reasons"].append({"agrees": "no", "words": "A child in Planning Center"})
    an_item(grace, a_card(grace), REVIEW, decision=unclear(child))
    assert "A child in Planning Center" in sam.get("/cards/review").text


def test_a_decision_leads_to_the_next_card_and_can_be_taken_back(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_question(grace, minutes_ago=9), a_question(grace, first_name="Ben")
    page = sam.post(f"/cards/{ana}/review", {"answer": "same:48213", "next": str(ben)}, follow_redirects=True).text
    assert "Sam Hill said this is the same person as Ana Lopez." in page
    assert "1 of 1" in page
    assert f'action="/cards/{ana}/undo"' in page
    assert item(grace, ana).due_at > now()
    page = sam.post(f"/cards/{ana}/undo", follow_redirects=True).text
    assert "Taken back. Nothing was sent." in page
    assert "1 of 2" in page
    assert standing_of(grace, ana) == "review"


@pytest.mark.parametrize(
    ("answer", "kind", "person", "household_of"),
    [("same:50922", "same", "50922", None), ("new", "new", None, None), ("household:50922", "household", None, "50922")],
)
def test_each_answer_is_kept(grace: UUID, sam: StaffBrowser, answer: str, kind: str, person: str | None, household_of: str | None) -> None:
    ana = a_question(grace)
    sam.post(f"/cards/{ana}/review", {"answer": answer})
    decision = item(grace, ana).decision or {}
    assert (decision["kind"], decision["person"], decision["household_of"], decision["by"]) == (kind, person, household_of, "Sam Hill")


@pytest.mark.parametrize("answer", ["", "same:", "same:999", "household:", "nonsense", "unclear:48213"])
def test_odd_answers_decide_nothing(grace: UUID, sam: StaffBrowser, answer: str) -> None:
    ana = a_question(grace)
    sam.post(f"/cards/{ana}/review", {"answer": answer})
    assert standing_of(grace, ana) == "review"


def test_the_last_card_can_be_left_for_later_too(grace: UUID, sam: StaffBrowser) -> None:
    first = a_question(grace, minutes_ago=9)
    assert '<a class="button" href="/cards" aria-keyshortcuts="s">Ask later</a>' in sam.get("/cards/review").text
    second = a_question(grace, first_name="Ben")
    assert f'href="/cards/review?card={second}" aria-keyshortcuts="s"' in sam.get(f"/cards/review?card={first}").text


def test_nothing_to_review_says_so_with_the_months_line(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace)
    page = sam.get("/cards/review?card=nonsense&decided=nonsense").text
    assert "Nothing to review" in page
    assert "This month: 0 linked by themselves, 0 corrected, 0 decided by you." in page


def test_a_viewer_looks_and_decides_nothing(grace: UUID, sign_in: SignIn) -> None:
    ana = a_question(grace)
    vic = sign_in(grace, "viewer", "Vic Wu")
    assert "<button" not in vic.get("/cards/review").text.split("<main")[1].split("</main>")[0]
    for path in ("review", "undo"):
        assert vic.post(f"/cards/{ana}/{path}", {"answer": "new"}).status_code == 403
    assert standing_of(grace, ana) == "review"


def test_the_neighbours_questions_are_neither_shown_nor_decided(grace: UUID, neighbour: UUID, sam: StaffBrowser) -> None:
    theirs = a_question(neighbour)
    page = sam.get(f"/cards/review?card={theirs}&decided={theirs}").text
    assert "Ana Lopez" not in page
    for path in ("review", "undo"):
        assert sam.post(f"/cards/{theirs}/{path}", {"answer": "new"}).status_code == 404
    assert standing_of(neighbour, theirs) == "review"
    with church_scope(neighbour):
        assert db.session.scalars(select(RememberedDecision)).all() == []
