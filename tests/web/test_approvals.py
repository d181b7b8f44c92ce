"""Staff look at what a sync would write, leave out what they do not want, and send the rest."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, Connection
from connectcard.database import db, transaction
from connectcard.sync.models import REVIEW, SyncItem, SyncPreview
from tests.conftest import ORIGIN
from tests.making import a_card, an_item, standing_of
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]


def plan(fingerprint: str = "as seen", **others: Any) -> dict[str, Any]:
    rows = [
        {"label": "New person", "now": "", "after": "Ana Lopez", "mark": "m-person", "required": True},
        {"label": "Email", "now": "", "after": "ana.lopez@gmail.com", "mark": "m-email"},
        {"label": "Mobile number", "now": "", "after": "(512) 555-0177", "mark": "m-phone"},
    ]
    decision = {"kind": "new", "words": "Nobody has this name.", "person": None, "candidates": []}
    return {"decision": decision, "rows": rows, "requests": 3, "problems": [], "fingerprint": fingerprint, **others}


@pytest.fixture
def sam(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    return sign_in(grace, "staff")


def a_previewed_card(church_id: UUID, contents: dict[str, Any] | None = None, **answers: Any) -> UUID:
    card = a_card(church_id, **answers)
    with church_scope(church_id), transaction() as session:
        session.add(SyncPreview(submission_id=card, made_at=now(), contents=contents or plan()))
    return card


def said(card: UUID, *marks: str, seen: str = "as seen") -> dict[str, Any]:
    return {f"seen-{card}": seen, f"row-{card}": list(marks)}


def items(church_id: UUID) -> list[SyncItem]:
    with church_scope(church_id):
        return list(db.session.scalars(select(SyncItem)))


def test_the_cards_page_leads_to_the_preview_of_all_ready_cards(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_card(grace, first_name="Ana"), a_card(grace, first_name="Ben")
    assert 'action="/sync/preview"' in sam.get("/cards").text
    sam.post("/sync/preview")
    page = sam.get("/sync/preview").text
    assert "Looking in Planning Center for 2 cards" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert sam.get(f"/sync/preview/found?waiting={ana}&waiting={ben}").status_code == 204
    has_found(grace, ana, contents=plan())
    fragment = sam.get(f"/sync/preview/found?waiting={ana}&waiting={ben}").text
    assert f'id="previewed-{ana}"' in fragment
    assert f'id="previewed-{ben}"' not in fragment
    assert "Looking in Planning Center for 1 card" in fragment


def test_a_church_that_is_not_connected_is_told_why_nothing_is_found(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    sam.post("/sync/preview")
    for path in ("/sync/preview", f"/cards/{ana}"):
        assert "Grace Church is not connected to Planning Center. We look once an owner connects it." in sam.get(path).text, path
    with church_scope(grace), transaction() as session:
        session.add(Connection(state=CONNECTED, origin=ORIGIN, organization_id="1001"))
    for path in ("/sync/preview", f"/cards/{ana}"):
        assert "is not connected" not in sam.get(path).text, path


def test_what_is_ticked_is_sent_and_the_rest_is_left_out(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_previewed_card(grace, first_name="Ana"), a_previewed_card(grace, first_name="Ben")
    page = sam.get("/sync/preview").text
    for words in ("New person", "ana.lopez@gmail.com", "3 changes", "2 ready cards, 6 changes", "Send what is approved"):
        assert words in page
    answer = sam.post("/sync/approved", {"approved": [str(ana)], **said(ana, "m-email"), **said(ben, "m-email")})
    assert answer.location == "/runs/1"
    [item] = items(grace)
    assert item.submission_id == ana
    assert item.approval is not None
    assert (item.approval["fingerprint"], item.approval["left_out"], item.approval["by"]) == ("as seen", ["m-phone"], "Sam Hill")
    assert standing_of(grace, ben) == "new"


def test_a_preview_that_was_made_anew_since_is_not_sent(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_previewed_card(grace, plan("another one"))
    page = sam.post("/sync/approved", {"approved": [str(ana)], **said(ana, "m-email")}, follow_redirects=True).text
    assert "Nothing was sent" in page
    assert items(grace) == []


def test_sending_without_a_tick_sends_nothing(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_previewed_card(grace)
    assert "Nothing was ticked" in sam.post("/sync/approved", said(ana, "m-email"), follow_redirects=True).text
    assert items(grace) == []


REFUSED = "The form “Welcome” requires “Age”, which this card does not answer. Correct the card, or make that optional in the form."


def test_what_planning_center_would_not_take_says_so_instead_of_offering_to_send_it(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_previewed_card(grace, plan(refusal=REFUSED, rows=[], requests=0))
    page, own_page = sam.get("/sync/preview").text, sam.get(f"/cards/{ana}").text
    for shown in (page, own_page):
        assert "Cannot be sent</span> " + REFUSED + " Then look again." in shown
        for words in ("Send what is", "0 changes", "is on its way", 'name="approved"'):
            assert words not in shown
    assert "Nothing here can be sent now" in page
    refused = sam.post(f"/cards/{ana}/approve", said(ana), follow_redirects=True).text
    assert "Nothing was sent" in refused
    assert items(grace) == []


def test_a_look_that_failed_offers_another_look_and_nothing_to_send(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    with church_scope(grace), transaction() as session:
        session.add(SyncPreview(submission_id=ana, made_at=now(), problem="Planning Center could not be reached."))
    page, own_page = sam.get("/sync/preview").text, sam.get(f"/cards/{ana}").text
    for shown in (page, own_page):
        assert "could not be reached.</span> Nothing can be approved before we have looked." in shown
        assert "Look again" in shown
        assert "Send what is" not in shown
    assert "Nothing here can be sent now" in page


def test_sending_is_offered_as_soon_as_one_card_can_be_sent(grace: UUID, sam: StaffBrowser) -> None:
    ana, ben = a_card(grace, first_name="Ana"), a_card(grace, first_name="Ben")
    sam.post("/sync/preview")
    page = sam.get("/sync/preview").text
    assert not any(words in page for words in ("Send what is approved", "Nothing here can be sent"))
    has_found(grace, ana, contents=plan())
    fragment = sam.get(f"/sync/preview/found?waiting={ana}&waiting={ben}").text
    assert "Send what is approved" in fragment
    assert "&amp;sendable=1" in fragment, "the page asks on, and keeps what it offers"
    has_found(grace, ben, problem="Planning Center could not be reached.")
    assert "Send what is approved" in sam.get(f"/sync/preview/found?waiting={ben}&sendable=1").text
    assert "Nothing here can be sent now" in sam.get(f"/sync/preview/found?waiting={ben}").text


def has_found(church_id: UUID, card: UUID, **values: Any) -> None:
    """The worker has looked at this card."""
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(SyncPreview).where(SyncPreview.submission_id == card)).one()
        row.made_at = now()
        for name, value in values.items():
            setattr(row, name, value)


def test_odd_forms_and_addresses_are_answered(grace: UUID, sam: StaffBrowser) -> None:
    a_previewed_card(grace)
    for odd in ("page=0", "page=-3", "page=x", "page=99999"):
        assert sam.get(f"/sync/preview?{odd}").status_code == 200, odd
    assert sam.get("/sync/preview/found?waiting=nonsense").status_code in (200, 204)
    assert sam.post("/sync/approved", {"approved": ["nonsense"]}).status_code == 303


def test_one_card_is_approved_from_its_own_page(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_previewed_card(grace)
    assert "Send what is ticked" in sam.get(f"/cards/{ana}").text
    page = sam.post(f"/cards/{ana}/approve", said(ana, "m-email", "m-phone"), follow_redirects=True).text
    assert "Approved. The card is on its way" in page
    assert "Approved by Sam Hill" in page
    assert standing_of(grace, ana) == "sending"


def test_a_card_that_stopped_shows_the_new_difference_with_what_was_left_out(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_previewed_card(grace, plan("new plan"))
    approval = {"fingerprint": "old", "left_out": ["m-phone"], "by": "Sam Hill", "at": now().isoformat(), "changed": True}
    an_item(grace, ana, REVIEW, approval=approval, reason="What would be written is no longer what was approved.")
    assert "Changed since approved" in sam.get("/cards?tab=needs_you").text
    page = sam.get(f"/cards/{ana}").text
    assert "no longer what was approved" in page
    assert f'name="row-{ana}" value="m-email" checked' in page
    assert f'name="row-{ana}" value="m-phone">' in page
    sam.post(f"/cards/{ana}/approve", said(ana, "m-email", seen="new plan"))
    assert standing_of(grace, ana) == "sending"


def test_many_ready_cards_are_previewed_a_page_at_a_time(grace: UUID, sam: StaffBrowser) -> None:
    for number in range(21):
        a_card(grace, first_name=f"Visitor{number}", minutes_ago=100 - number)
    sam.post("/sync/preview", {"page": "2"})
    with church_scope(grace):
        assert len(db.session.scalars(select(SyncPreview)).all()) == 1
    page = sam.get("/sync/preview?page=2").text
    assert "Visitor20" in page
    assert "Visitor19" not in page
    assert "Page 2 of 2" in page


def test_a_viewer_looks_and_sends_nothing(grace: UUID, sign_in: SignIn) -> None:
    ana = a_previewed_card(grace)
    vic = sign_in(grace, "viewer", "Vic Wu")
    page = vic.get("/sync/preview").text.split("<main")[1].split("</main>")[0]
    assert "ana.lopez@gmail.com" in page
    assert "<button" not in page
    assert "checkbox" not in page
    for path in ("/sync/preview", "/sync/approved", f"/cards/{ana}/approve"):
        assert vic.post(path, {"approved": [str(ana)], **said(ana, "m-email")}).status_code == 403, path
    assert items(grace) == []


def test_the_neighbours_cards_are_neither_shown_nor_sent(grace: UUID, neighbour: UUID, sam: StaffBrowser) -> None:
    theirs = a_previewed_card(neighbour)
    assert "Ana Lopez" not in sam.get("/sync/preview").text
    assert str(theirs) not in sam.get(f"/sync/preview/found?waiting={theirs}").text
    sam.post("/sync/approved", {"approved": [str(theirs)], **said(theirs, "m-email")})
    assert sam.post(f"/cards/{theirs}/approve", said(theirs, "m-email")).status_code == 404
    assert items(neighbour) == []
    assert items(grace) == []
