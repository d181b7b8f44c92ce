"""What staff see and press: the receipt of a card, Sync again, Undo this run, its preview, and Send again."""

import re

from connectcard.sync.models import PUSH_FAMILIES
from tests.staff import signed_in
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory
from tests.sync.test_undo_meanwhile import sync
from tests.sync.test_undo_stopped import stopped_half_way

ANA = ("Ana", "Lopez", "ana.lopez@gmail.com", "(512) 555-0177")
RELOADS = '<noscript><meta http-equiv="refresh"'


def visible(text: str) -> str:
    return " ".join(text.split())


def test_the_receipt_of_a_card_names_each_record_with_its_link(grace_church: GraceChurch) -> None:
    card = grace_church.card(*ANA)
    grace_church.work_until_done(grace_church.press_sync())
    page = visible(signed_in(grace_church.app, grace_church.church_id).get(f"/cards/{card}").text)
    for step in grace_church.steps(card):
        assert f"#{step.remote_id}<" in page
    assert page.count("✓ read back") == len(grace_church.steps(card)) == page.count(">Created<")
    assert f'href="{grace_church.practice.url}/people/AC{grace_church.item(card).person_remote_id}"' in page


def test_pressing_sync_again_creates_and_changes_nothing(grace_church: GraceChurch) -> None:
    grace_church.card(*ANA)
    staff = signed_in(grace_church.app, grace_church.church_id)
    grace_church.work_until_done(grace_church.press_sync())
    people = grace_church.practice.people()
    assert "0 created, 0 changed" in staff.post("/sync", follow_redirects=True).text
    grace_church.card(*ANA)
    staff.post("/sync")
    run = grace_church.work_until_done(2)
    assert (run.created, run.updated, run.skipped) == (0, 0, 1)
    assert "1 card: 1 skipped." in visible(staff.get("/runs/2").text)
    assert grace_church.practice.people() == people


def test_a_run_is_undone_from_its_page(grace_church: GraceChurch) -> None:
    card = grace_church.card(*ANA)
    grace_church.work_until_done(grace_church.press_sync())
    staff = signed_in(grace_church.app, grace_church.church_id)
    assert "Undo this run" in staff.get("/runs/1").text
    assert staff.post("/runs/1/undo").headers["Location"].endswith("/runs/2")
    assert "0 of 1 card" in visible(staff.get("/runs/2").text)
    assert RELOADS in staff.get("/runs/2").text
    staff.post("/runs/2/undo/confirm")
    assert grace_church.run(2).state == "preview", "nobody saw yet what would be taken back"
    grace_church.work()
    assert RELOADS not in staff.get("/runs/2").text, "without JavaScript the ticks stay while somebody reads"
    page = visible(staff.get("/runs/2").text)
    assert all(words in page for words in ("Nothing was taken back yet", "ana.lopez@gmail.com"))
    assert all(words in page for words in ("Will be made inactive", "Take back 1 card"))
    staff.post("/runs/2/undo/confirm")
    grace_church.work_until_done(2)
    page = visible(staff.get("/runs/2").text)
    assert "1 card: 1 taken back." in page
    assert "Undo this run" not in page
    page = visible(staff.get("/runs/1").text)
    assert "Taken back by undo 2" in page
    assert "Undo this run" not in page
    page = visible(staff.get(f"/cards/{card}").text)
    assert all(
        words in page for words in ("Taken back by Sam Hill. Send it again, or ignore it.", "Send again", "Taken back by Sam Hill in")
    )
    staff.post("/runs/2/undo/send-again")
    run = grace_church.work_until_done(3)
    assert (run.created, run.updated) == (0, 1)
    [ana] = grace_church.practice.named("Ana", "Lopez")
    assert (ana["status"], len(ana["emails"]), len(ana["phone_numbers"])) == ("active", 1, 1)


def test_a_viewer_is_not_offered_an_undo_and_may_not_press_it(grace_church: GraceChurch) -> None:
    grace_church.card(*ANA)
    grace_church.work_until_done(grace_church.press_sync())
    viewer = signed_in(grace_church.app, grace_church.church_id, role="viewer", name="Vera Stone")
    assert "Undo this run" not in viewer.get("/runs/1").text
    assert viewer.post("/runs/1/undo").status_code == 403


def test_the_neighbour_finds_no_run_to_undo(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    grace_church.card(*ANA)
    grace_church.work_until_done(grace_church.press_sync())
    neighbour = signed_in(grace_church.app, neighbour_church.church_id, name="Nora Reed")
    for path in ("undo", "undo/confirm", "undo/discard", "undo/send-again"):
        assert neighbour.post(f"/runs/1/{path}").status_code == 404
    assert grace_church.practice.named("Ana", "Lopez")[0]["status"] == "active"


def test_a_push_is_taken_back_from_its_page_and_single_rows_can_stay(grace_church: GraceChurch) -> None:
    directory, staff = Directory(grace_church), signed_in(grace_church.app, grace_church.church_id)
    directory.family(
        "Miller Household", directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Leo", "Miller", child=True)
    )
    number = directory.push(PUSH_FAMILIES).number
    assert "Undo this run" in staff.get(f"/runs/{number}").text
    staff.post(f"/runs/{number}/undo")
    grace_church.work()
    page = staff.get(f"/runs/{number + 1}").text
    assert all(
        words in visible(page) for words in ("Ruth Miller", "Leo Miller", "Miller Household", "Take back 3 records", "Will be removed")
    )
    rows = re.findall(r'name="shown" value="([^"]+)"', page)
    household = re.search(r'value="([^"]+)" checked><span class="stack-tight"><span dir="auto">Household', page)
    assert household is not None
    kept = [row for row in rows if row != household[1]]
    saved = staff.post(f"/runs/{number + 1}/undo/rows", {"shown": rows, "take": kept}, headers={"HX-Request": "true"})
    assert visible(saved.text).count("Something on this person is kept, so they stay active.") == 2
    staff.post(f"/runs/{number + 1}/undo/confirm", {"shown": rows, "take": kept})
    grace_church.work_until_done(number + 1)
    [ruth] = grace_church.practice.named("Ruth", "Miller")
    assert (ruth["status"], ruth["emails"], len(ruth["households"])) == ("active", [], 1)
    page = visible(staff.get("/send").text)
    assert all(words in page for words in ("Taken back by Sam Hill. Send it again, or leave it.", "Send again", "Leave it"))


def test_the_pages_say_what_a_stopped_sync_had_begun_and_what_each_of_its_two_syncs_wrote(grace_church: GraceChurch) -> None:
    card, first = stopped_half_way(grace_church)
    staff = signed_in(grace_church.app, grace_church.church_id)
    assert "Begun in a sync that was stopped. The rest goes to Planning Center with the next sync." in staff.get(f"/cards/{card}").text
    assert "Undo this run" in staff.get(f"/runs/{first}").text
    second = sync(grace_church)
    staff.post(f"/runs/{second}/undo")
    grace_church.work()
    page = visible(staff.get("/runs/3").text)
    assert f">Sync {first}</a> wrote for some of these before. That stays, until it is taken back there." in page
    staff.post("/runs/3/undo/confirm")
    grace_church.work_until_done(3)
    staff.post(f"/runs/{first}/undo")
    grace_church.work()
    page = visible(staff.get("/runs/4").text)
    assert "wrote for some of these before" not in page
    assert all(words in page for words in ("Wilhelmina Quist", "Take back 1 card", "New person", "Will be made inactive"))
    assert "Begun, and stopped before everything was written" in staff.get(f"/cards/{card}").text
