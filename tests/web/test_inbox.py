"""Staff work through the cards that came in: find one, see everything about it, decide, correct, leave alone."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from connectcard.cards import queries
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.sync import cards_in_sync
from connectcard.sync.models import CLAIMED, FAILED, REVIEW, RUNNING, SYNCED, WAITING, SyncItem, SyncPreview
from connectcard.web.spreadsheets import defused
from tests.conftest import MovedClock
from tests.making import ANA, a_card, a_run, a_step, an_item, candidate, reload, standing_of, unclear
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
FITTING = ("first name", "last name", "email")


@pytest.fixture
def sam(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    """A member of staff of Grace Church."""
    return sign_in(grace, "staff")


@pytest.fixture
def viewer(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    """Somebody of Grace Church who may look."""
    return sign_in(grace, "viewer", "Vic Wu")


def waiting_for_a_decision(church_id: UUID) -> UUID:
    ana = a_card(church_id)
    people = unclear(candidate("48213", "Ana Lopez", *FITTING), candidate("50922", "Ana Lopez Garcia", *FITTING))
    an_item(church_id, ana, REVIEW, decision=people, reason="2 people in Planning Center fit this card.")
    return ana


# The list.


def test_a_card_is_listed_with_its_state_in_words(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace, interests=["kids", "small_groups"])
    page = sam.get("/cards").text
    for words in ("Ana Lopez", "ana.lopez@gmail.com", "First time", "Small groups, Kids", "New", "Tablet", "Sync 1 ready card<"):
        assert words in page


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        (REVIEW, {"decision": unclear(candidate("1", "A L", *FITTING), candidate("2", "A L", *FITTING))}, "Two possible matches"),
        (REVIEW, {"decision": unclear(candidate("1", "R W", "last name", "email"))}, "Same email, different name"),
        (REVIEW, {"decision": unclear(candidate("1", "R W", "mobile number"))}, "Same mobile number, different name"),
        (REVIEW, {"decision": unclear(candidate("1", "A L", "first name", "last name"))}, "Same name, other contacts"),
        (REVIEW, {"reason": "The person was deleted in Planning Center."}, "Needs a decision"),
        (FAILED, {"reason": "Planning Center did not accept the email."}, "Planning Center did not accept the email."),
        (SYNCED, {"decision": {"kind": "same", "person": "1", "candidates": [candidate("1", "Anna Lopez")]}}, "Matched to Anna Lopez"),
        (SYNCED, {"decision": {"kind": "new", "person": None, "candidates": []}}, "New person"),
    ],
)
def test_every_state_has_words(grace: UUID, sam: StaffBrowser, state: str, values: dict[str, Any], words: str) -> None:
    an_item(grace, a_card(grace), state, **values)
    assert words in sam.get("/cards?tab=all").text


def test_what_waits_says_until_when(grace: UUID, sam: StaffBrowser, moved_clock: MovedClock) -> None:
    moved_clock.moment = datetime(2026, 11, 22, 15, 51, tzinfo=UTC)
    sam = sam_again(grace, sam)
    an_item(grace, a_card(grace), SYNCED)
    an_item(grace, a_card(grace), WAITING, a_run(grace, RUNNING), due_at=now(), reason="Planning Center asked us to slow down.")
    page = sam.get("/cards?tab=all").text
    assert "Synced 3:51 PM" in page
    assert "Waiting until 3:51 PM" in page


def sam_again(grace: UUID, sam: StaffBrowser) -> StaffBrowser:
    """The session follows the moved clock."""
    from connectcard.churches.models import StaffSession

    with church_scope(grace), transaction() as session:
        for row in session.scalars(select(StaffSession)):
            row.created_at = row.last_seen_at = now()
    return sam


def test_tabs_open_on_what_has_work(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace, first_name="Ready")
    assert 'aria-current="true"' in sam.get("/cards").text.split("Ready <")[0].rsplit("<a", 1)[1] + ">"
    waiting_for_a_decision(grace)
    assert "Ready Lopez" not in sam.get("/cards").text
    assert "Ready Lopez" in sam.get("/cards?tab=ready").text


def test_odd_addresses_of_the_list_still_show_a_list(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace)
    for odd in (
        "tab=nonsense",
        "state=nonsense",
        "day=yesterday",
        "page=0",
        "page=999999",
        "page=x",
        "search=%E2%80%AE",
        "search=%25%5F",
        "day=0001-01-01",
        "day=9999-12-31",
    ):
        assert sam.get(f"/cards?{odd}").status_code == 200, odd


def test_a_prayer_is_a_tag_in_the_list_and_never_its_text(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace, prayer="For my mother in hospital", child_1_first_name="Leonardo")
    page = sam.get("/cards").text
    assert '<span class="tag">prayer</span>' in page
    assert "hospital" not in page
    assert "Leonardo" not in page


def test_empty_lists_say_what_to_do(grace: UUID, sam: StaffBrowser) -> None:
    assert "Open your card" in sam.get("/cards").text
    a_card(grace)
    assert "Nothing to review" in sam.get("/cards?tab=needs_you").text
    assert "Nothing synced yet" in sam.get("/cards?tab=synced").text
    assert "No card fits" in sam.get("/cards?search=nobody").text


def test_a_second_page_keeps_the_search(grace: UUID, sam: StaffBrowser) -> None:
    for minutes in range(51):
        a_card(grace, minutes_ago=minutes)
    first = sam.get("/cards?search=lopez&tab=all").text
    assert "/cards?tab=all&amp;search=lopez&amp;page=2" in first
    assert sam.get("/cards?search=lopez&tab=all&page=2").text.count('class="row-link"') == 1


# The export.


def exported(browser: StaffBrowser, query: str = "tab=all") -> list[dict[str, str]]:
    answer = browser.get(f"/cards/export.csv?{query}")
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_the_export_has_every_card_of_the_list(grace: UUID, sam: StaffBrowser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards_in_sync, "BATCH_ROWS", 2)
    for minutes in range(5):
        a_card(grace, minutes_ago=minutes, first_name=f"Ana{minutes}", interests=["kids"], text_me="on")
    an_item(grace, a_card(grace, first_name="Zoë", minutes_ago=9), SYNCED, person_remote_id="48213")
    rows = exported(sam)
    assert [row["First name"] for row in rows] == ["Ana0", "Ana1", "Ana2", "Ana3", "Ana4", "Zoë"]
    assert (rows[0]["Visit"], rows[0]["Asked for"], rows[0]["Text me"], rows[0]["Planning Center"]) == ("First time", "Kids", "Yes", "New")
    assert rows[5]["Person"] == "48213"
    assert [row["First name"] for row in exported(sam, "search=ana3")] == ["Ana3"]


def test_the_export_holds_neither_prayer_nor_family(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace, prayer="For my mother in hospital", child_1_first_name="Leonardo", child_1_age="6")
    text = sam.get("/cards/export.csv?tab=all").text
    assert "hospital" not in text
    assert "Leonardo" not in text


@pytest.mark.parametrize("cell", ["=1+1", "+1 512 555 0177", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_cell_that_could_be_a_formula_is_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"
    assert defused(f"a{cell}") == f"a{cell}"


def test_a_formula_for_a_name_is_harmless_in_the_file(grace: UUID, sam: StaffBrowser) -> None:
    a_card(grace, first_name='=HYPERLINK("http://evil.org","Ana")')
    assert exported(sam)[0]["First name"].startswith("'=HYPERLINK")


# One card.


def test_a_card_shows_what_they_wrote_and_what_was_corrected(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace, email="ana.lopez@gmial.com", heard="friend", occupation="Baker")
    assert sam.post(f"/cards/{ana}/correct", {**ANA}).status_code == 303
    page = sam.get(f"/cards/{ana}").text
    for words in (
        "ana.lopez@gmail.com",
        '<del dir="auto">ana.lopez@gmial.com</del>',
        "corrected by Sam Hill",
        "Friend or family",
        "Baker",
    ):
        assert words in page
    assert "Agreed to wording, version 1" in page
    assert "Email corrected by Sam Hill" in page


def test_prayer_and_family_are_for_staff_and_owners(grace: UUID, sam: StaffBrowser, viewer: StaffBrowser) -> None:
    ana = a_card(grace, prayer="For my mother in hospital", child_1_first_name="Leonardo", child_1_age="6")
    seen = sam.get(f"/cards/{ana}").text
    assert "hospital" in seen
    assert "Leonardo, 6" in seen
    kept = viewer.get(f"/cards/{ana}").text
    assert "hospital" not in kept
    assert "Leonardo" not in kept
    assert "only staff and owners can read it" in kept


def test_who_of_the_family_is_in_is_named_for_staff_and_numbered_for_others(grace: UUID, sam: StaffBrowser, viewer: StaffBrowser) -> None:
    names = {f"child_{row}_first_name": name for row, name in enumerate(("Leonardo", "Mia"), start=1)}
    ana = a_card(grace, spouse_first_name="Sam", **names)
    item = an_item(grace, ana, SYNCED)
    a_step(grace, item, "Spouse", member=1, found=True)
    a_step(grace, item, "Child 1 in the household", member=2)
    a_step(grace, item, "Child 2", member=3, state="skipped", problem="Somebody of this name is in Planning Center already.")
    seen = sam.get(f"/cards/{ana}").text
    for words in ("Sam (spouse)", "Leonardo (child) in the household", "Mia (child)", "Left out", "Somebody of this name"):
        assert words in seen
    kept = viewer.get(f"/cards/{ana}").text
    assert "Child 1 in the household" in kept
    assert "Leonardo" not in kept


def test_what_was_written_is_shown_step_by_step(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    run_id = a_run(grace, "finished")
    nobody = {"kind": "new", "words": "Nobody has this name.", "person": None, "candidates": []}
    reason = "Planning Center did not accept Email: has a disallowed domain name"
    item = an_item(grace, ana, FAILED, run_id, outcome="failed", person_remote_id="48400", reason=reason, decision=nobody)
    a_step(grace, item, "New person")
    a_step(grace, item, "Mobile number", found=True)
    a_step(grace, item, "Email", state="refused", problem="has a disallowed domain name")
    page = sam.get(f"/cards/{ana}").text
    for words in (
        "2 of 3 done",
        "Found",
        "Not accepted",
        "has a disallowed domain name. Mend the card",
        "/people/AC48400",
        "Fix and retry",
        "sync 1",
    ):
        assert words in page


def test_a_scripted_name_is_text(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace, first_name="<script>alert(1)</script>", last_name='"><img src=x>')
    for path in ("/cards", f"/cards/{ana}", f"/cards/{ana}/correct"):
        page = sam.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


# Deciding.


def test_staff_say_who_it_is_and_the_card_goes_on(grace: UUID, sam: StaffBrowser) -> None:
    ana = waiting_for_a_decision(grace)
    page = sam.get(f"/cards/{ana}").text
    for words in ("Ana Lopez Garcia", "Same email: ana.lopez@gmail.com", "Someone new", "/people/AC50922"):
        assert words in page
    sam.post(f"/cards/{ana}/decide", {"person": "same:50922"})
    assert standing_of(grace, ana) == "sending"
    with church_scope(grace):
        decision = cards_in_sync.get_card(ana).item.decision  # type: ignore[union-attr]
        assert (decision["kind"], decision["person"], decision["by"]) == ("same", "50922", "Sam Hill")


def test_someone_new_is_a_decision_too(grace: UUID, sam: StaffBrowser) -> None:
    ana = waiting_for_a_decision(grace)
    sam.post(f"/cards/{ana}/decide", {"person": "new"})
    with church_scope(grace):
        decision = cards_in_sync.get_card(ana).item.decision  # type: ignore[union-attr]
        assert (decision["kind"], decision["person"]) == ("new", None)


def test_someone_new_of_the_same_household_is_one_too(grace: UUID, sam: StaffBrowser) -> None:
    ana = waiting_for_a_decision(grace)
    assert "Someone new in the household of" in sam.get(f"/cards/{ana}").text
    sam.post(f"/cards/{ana}/decide", {"person": "household:50922"})
    with church_scope(grace):
        decision = cards_in_sync.get_card(ana).item.decision  # type: ignore[union-attr]
        assert (decision["kind"], decision["person"], decision["household_of"]) == ("household", None, "50922")


@pytest.mark.parametrize("person", ["", "99999", "same:99999", "household:99999", "household:", "nonsense"])
def test_nobody_but_those_shown_can_be_chosen(grace: UUID, sam: StaffBrowser, person: str) -> None:
    ana = waiting_for_a_decision(grace)
    answer = sam.post(f"/cards/{ana}/decide", {"person": person}, follow_redirects=True)
    assert "Choose one of the people" in answer.text
    assert standing_of(grace, ana) == "review"


def test_a_card_that_moved_on_is_not_decided_again(grace: UUID, sam: StaffBrowser) -> None:
    ana = waiting_for_a_decision(grace)
    sam.post(f"/cards/{ana}/decide", {"person": "same:48213"})
    answer = sam.post(f"/cards/{ana}/decide", {"person": "same:50922"}, follow_redirects=True)
    assert "not waiting for a decision any more" in answer.text
    with church_scope(grace):
        assert cards_in_sync.get_card(ana).item.decision["person"] == "48213"  # type: ignore[union-attr,index]


# Correcting and retrying.


def rejected(church_id: UUID) -> UUID:
    ana = a_card(church_id, email="ana@example.com")
    item = an_item(church_id, ana, FAILED, reason="Planning Center did not accept the email.")
    a_step(church_id, item, "Email", state="refused", problem="has a disallowed domain name")
    return ana


def test_fix_and_retry(grace: UUID, sam: StaffBrowser) -> None:
    ana = rejected(grace)
    assert "ana@example.com" in sam.get(f"/cards/{ana}/correct").text
    sam.post(f"/cards/{ana}/correct", {**ANA, "retry": "yes"})
    assert standing_of(grace, ana) == "sending"
    with church_scope(grace):
        assert queries.effective_answers(reload(ana))["email"] == "ana.lopez@gmail.com"


def test_saving_only_does_not_send(grace: UUID, sam: StaffBrowser) -> None:
    ana = rejected(grace)
    sam.post(f"/cards/{ana}/correct", ANA)
    assert standing_of(grace, ana) == "failed"


def test_retry_as_it_is(grace: UUID, sam: StaffBrowser) -> None:
    ana, fresh = rejected(grace), a_card(grace)
    sam.post(f"/cards/{ana}/retry")
    assert standing_of(grace, ana) == "sending"
    assert "was not sent yet" in sam.post(f"/cards/{fresh}/retry", follow_redirects=True).text


def test_a_wrong_correction_keeps_what_was_typed_and_says_what_is_wrong(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    answer = sam.post(f"/cards/{ana}/correct", {**ANA, "first_name": "Hanna", "email": "hanna@"})
    assert answer.status_code == 422
    for words in ("Error: ", "There is a problem", 'value="Hanna"', 'value="hanna@"', 'href="#email"', 'aria-invalid="true"'):
        assert words in answer.text
    with church_scope(grace):
        assert reload(ana).first_name == "Ana"


def test_of_two_who_correct_a_card_at_once_nobody_undoes_the_other_unseen(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    sam.get(f"/cards/{ana}/correct")
    sam.post(f"/cards/{ana}/correct", {**ANA, "email": "ana@work.org", "corrections": "0"})
    stale = {**ANA, "phone": "(512) 555-0100", "corrections": "0"}
    answer = sam.post(f"/cards/{ana}/correct", stale)
    assert answer.status_code == 422
    assert "ana@work.org stands here by now" in answer.text
    assert "(512) 555-0100" in answer.text, "what was typed is kept"
    with church_scope(grace):
        answers = queries.effective_answers(reload(ana))
    assert (answers["email"], answers["phone"]) == ("ana@work.org", ANA["phone"])
    assert sam.post(f"/cards/{ana}/correct", {**stale, "email": "ana@work.org", "corrections": "1"}).status_code == 303
    with church_scope(grace):
        answers = queries.effective_answers(reload(ana))
    assert (answers["email"], answers["phone"]) == ("ana@work.org", "(512) 555-0100")


def test_an_address_that_somebody_took_out_meanwhile_is_not_put_back_unseen(grace: UUID, sam: StaffBrowser) -> None:
    at_home = {**ANA, "address_street": "12 Oak Street"}
    ana = a_card(grace, **at_home)
    sam.post(f"/cards/{ana}/correct", {**ANA, "corrections": "0"})
    answer = sam.post(f"/cards/{ana}/correct", {**at_home, "phone": "(512) 555-0100", "corrections": "0"})
    assert answer.status_code == 422
    assert "Nothing stands here by now" in answer.text
    assert "(512) 555-0177 stands here by now" not in answer.text, "nobody else touched the number"
    with church_scope(grace):
        assert "address" not in queries.effective_answers(reload(ana))


def test_who_changed_nothing_of_what_another_one_corrected_is_told_of_nothing(grace: UUID, sam: StaffBrowser) -> None:
    at_home = {**ANA, "address_street": "12 Oak Street"}
    ana = a_card(grace, **at_home)
    mended = {**at_home, "address_street": "21 Oak Street", "corrections": "0"}
    assert [sam.post(f"/cards/{ana}/correct", mended).status_code for _ in range(2)] == [303, 303]


@pytest.mark.parametrize("state", [CLAIMED, SYNCED])
def test_a_card_on_its_way_is_not_corrected(grace: UUID, sam: StaffBrowser, state: str) -> None:
    ana = a_card(grace)
    an_item(grace, ana, state, a_run(grace, RUNNING))
    assert sam.get(f"/cards/{ana}/correct").status_code == 303
    sam.post(f"/cards/{ana}/correct", {**ANA, "first_name": "Hanna"})
    with church_scope(grace):
        assert reload(ana).first_name == "Ana"


# Leaving alone.


def test_ignore_and_restore(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    sam.post(f"/cards/{ana}/ignore")
    assert standing_of(grace, ana) == "ignored"
    assert "Restore" in sam.get(f"/cards/{ana}").text
    sam.post(f"/cards/{ana}/restore")
    assert standing_of(grace, ana) == "new"


def test_a_suspected_card_waits_for_a_word(grace: UUID, sam: StaffBrowser) -> None:
    spam = a_card(grace, suspicion="Filled in within one second")
    assert "1 suspected card" in sam.get("/cards").text
    page = sam.get(f"/cards/{spam}").text
    assert "Filled in within one second" in page
    sam.post(f"/cards/{spam}/restore")
    assert standing_of(grace, spam) == "new"


# The preview.


def test_without_javascript_what_is_ticked_stays_while_a_worker_looks(grace: UUID, sam: StaffBrowser) -> None:
    asked, ready = a_card(grace), a_card(grace)
    an_item(grace, asked, REVIEW, decision=unclear(candidate("48213", "Ana Lopez", "last name")), reason="One person fits.")
    for card in (asked, ready):
        sam.post(f"/cards/{card}/preview")
    assert '<noscript><meta http-equiv="refresh"' in sam.get(f"/cards/{ready}").text
    assert '<noscript><meta http-equiv="refresh"' not in sam.get(f"/cards/{asked}").text


def test_a_preview_is_asked_for_waited_for_and_shown(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    sam.post(f"/cards/{ana}/preview")
    page = sam.get(f"/cards/{ana}").text
    assert "Looking in Planning Center" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert sam.get(f"/cards/{ana}/preview").status_code == 204
    answered(grace, contents=PLAN)
    fragment = sam.get(f"/cards/{ana}/preview").text
    for words in ("Nobody has this name.", "First visit date", "2026-11-22", "no change", "1 change<", "so it is not sent"):
        assert words in fragment
    assert "hx-get" not in fragment


def test_a_preview_that_could_not_be_made_says_why(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    sam.post(f"/cards/{ana}/preview")
    answered(grace, problem="Planning Center cannot be reached right now.")
    assert "cannot be reached right now" in sam.get(f"/cards/{ana}").text


PLAN = {
    "decision": {"kind": "new", "words": "Nobody has this name.", "person": None, "candidates": []},
    "rows": [
        {"label": "First visit date", "now": "", "after": "2026-11-22", "mark": "f1"},
        {"label": "Name", "now": "Ana Lopez", "after": ""},
    ],
    "requests": 1,
    "fingerprint": "as seen",
    "problems": ["“Baptism” has no matching choice, so it is not sent."],
}


def answered(church_id: UUID, **values: Any) -> None:
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(SyncPreview)).one()
        row.made_at = now()
        for name, value in values.items():
            setattr(row, name, value)


def test_the_page_of_a_travelling_card_follows_it(grace: UUID, sam: StaffBrowser) -> None:
    ana = a_card(grace)
    an_item(grace, ana, CLAIMED, a_run(grace, RUNNING))
    assert f"/cards/{ana}/standing?seen=sending" in sam.get(f"/cards/{ana}").text
    assert sam.get(f"/cards/{ana}/standing?seen=sending").status_code == 204
    with church_scope(grace), transaction() as session:
        session.scalars(select(SyncItem)).one().state = SYNCED
    assert sam.get(f"/cards/{ana}/standing?seen=sending").headers["HX-Redirect"] == f"/cards/{ana}"


# Who may.

CHANGES = ("decide", "correct", "retry", "ignore", "restore", "preview", "approve")


def test_a_viewer_looks_and_changes_nothing(grace: UUID, viewer: StaffBrowser) -> None:
    ana = waiting_for_a_decision(grace)
    assert viewer.get("/cards").status_code == 200
    page = viewer.get(f"/cards/{ana}").text
    assert "<button" not in page.split("<main")[1].split("</main>")[0]
    assert viewer.get(f"/cards/{ana}/correct").status_code == 403
    for change in CHANGES:
        assert viewer.post(f"/cards/{ana}/{change}", {**ANA, "person": "48213"}).status_code == 403, change
    assert standing_of(grace, ana) == "review"


def told(answer: TestResponse) -> str:
    """What an answer says, without the id that was asked for and the form token, which holds the second it was made in."""
    said = answer.text.replace(answer.request.path.split("/")[2], "")
    return re.sub(r'(?<=")[\w.-]{40,}(?=")', "", said)


def test_the_neighbours_card_is_as_unknown_as_none(grace: UUID, neighbour: UUID, sam: StaffBrowser) -> None:
    theirs = waiting_for_a_decision(neighbour)
    assert "Ana Lopez" not in sam.get("/cards?tab=all").text
    assert exported(sam) == []
    for tail in ("", "/correct", "/standing", "/preview"):
        answers = [sam.get(f"/cards/{unknown}{tail}") for unknown in (theirs, uuid4())]
        assert {answer.status_code for answer in answers} == {404}, tail
        assert len({told(answer) for answer in answers}) == 1, tail
    for change in CHANGES:
        assert sam.post(f"/cards/{theirs}/{change}", {**ANA, "person": "48213", "first_name": "Changed"}).status_code == 404, change
    with church_scope(neighbour):
        assert reload(theirs).first_name == "Ana"
        assert db.session.scalars(select(SyncPreview)).all() == []
    assert standing_of(neighbour, theirs) == "review"
