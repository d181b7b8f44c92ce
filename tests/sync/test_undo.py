"""A run is taken back: what we wrote goes, what somebody touched stays and says why, nobody is deleted and nothing happens twice."""

import re
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.models import RemoteChoice
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused
from connectcard.planning_center import Client
from connectcard.planning_center.resources import people
from connectcard.sync import runs, undo, undo_plans
from connectcard.sync.models import Destination, SyncItem, SyncRun
from connectcard.sync.undo_items import UndoAtWork
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Outside

ADDRESS = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
FAMILY = {"spouse": {"first_name": "Tobias", "last_name": ""}, "children": [{"first_name": "Leo", "age": "6"}]}


@pytest.fixture
def church(grace_church: GraceChurch) -> GraceChurch:
    """Prayers go into a note, a first visit into a workflow."""
    with church_scope(grace_church.church_id), transaction() as session:
        found = {choice.kind: choice.remote_id for choice in session.scalars(db.select(RemoteChoice))}
        session.add(Destination(card_field="prayer", kind="note", target=found["note_category"]))
        session.add(Destination(card_field="visit", kind="workflow_card", target=found["workflow"]))
    return grace_church


def send_minas_card(church: GraceChurch, **more: Any) -> tuple[UUID, int]:
    card = church.card(
        "Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", address=ADDRESS, visit="first_time", heard="friend",
        prayer="For my mother.", has_prayer=True, prayer_audience="pastors", **more,
    )  # fmt: skip
    run = church.work_until_done(church.press_sync())
    assert (run.failed, run.needs_you) == (0, 0)
    return card, run.number


def preview(church: GraceChurch, number: int) -> SyncRun:
    with church_scope(church.church_id), transaction():
        undone = undo.begin(runs.get_run(number), "Sam Hill").number
    church.work()
    return church.run(undone)


def confirm(church: GraceChurch, undone: SyncRun) -> SyncRun:
    with church_scope(church.church_id), transaction():
        undo.confirm(runs.get_run(undone.number))
    return church.work_until_done(undone.number)


def take_back(church: GraceChurch, number: int) -> SyncRun:
    return confirm(church, preview(church, number))


def kept(church: GraceChurch, undone: SyncRun) -> dict[str, str]:
    with church_scope(church.church_id):
        return {row.label: row.kept for card in undo.undone_in(runs.get_run(undone.number)) for row in card.rows if row.kept}


def planning_center(church: GraceChurch) -> Client:
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        end_reading()
        return client_for(connection)


def quist(church: GraceChurch, first_name: str = "Wilhelmina") -> dict[str, Any]:
    [person] = church.practice.named(first_name, "Quist")
    return person


def nothing_on(person: dict[str, Any]) -> bool:
    parts = ("emails", "phone_numbers", "addresses", "field_data", "notes", "households")
    return not any(person[part] for part in parts)


def test_a_new_person_is_made_inactive_and_everything_on_them_goes(church: GraceChurch) -> None:
    card, number = send_minas_card(church)
    before = len(church.practice.people())
    shown = preview(church, number)
    assert not nothing_on(quist(church))
    assert (shown.state, shown.total, kept(church, shown)) == ("preview", 1, {})
    undone = confirm(church, shown)
    assert (undone.state, undone.updated, undone.failed, undone.needs_you) == ("finished", 1, 0, 0)
    mina = quist(church)
    assert nothing_on(mina)
    assert mina["status"] == "inactive"
    assert {one["stage"] for one in mina["workflow_cards"]} == {"removed"}
    assert len(church.practice.people()) == before
    item = church.item(card)
    assert (item.state, item.reason) == ("review", "Taken back by Sam Hill. Send it again, or ignore it.")


def edit_before_it_is_found(church: GraceChurch, what: str) -> None:
    """Staff work on what Planning Center made, before the card knows that it did."""
    outside, mina = Outside(church.practice), quist(church)
    if what == "field_data":
        [datum] = mina["field_data"]
        outside.patch(f"/people/v2/field_data/{datum['id']}", "FieldDatum", datum["id"], value="Drove by")
    elif what == "notes":
        [note] = outside.get(f"/people/v2/people/{mina['id']}/notes")
        text = f"{note['attributes']['note']} We called her."
        outside.patch(f"/people/v2/notes/{note['id']}", "Note", note["id"], note=text)
    else:
        [household] = outside.get(f"/people/v2/people/{mina['id']}/households")
        outside.patch(f"/people/v2/households/{household['id']}", "Household", household["id"], name="Mina and Tobias")


@pytest.mark.parametrize(
    ("what", "written_at"),
    [
        ("field_data", "/people/v2/people/*/field_data"),
        ("notes", "/people/v2/people/*/notes"),
        ("households", "/people/v2/households"),
    ],
)
@pytest.mark.parametrize("edited", [True, False])
def test_what_staff_changed_before_a_lost_answer_was_found_stays(church: GraceChurch, what: str, written_at: str, edited: bool) -> None:
    church.practice.fault("POST", written_at, "drop_after")
    asked = {"heard": "friend", "prayer": "For my mother.", "has_prayer": True, "prayer_audience": "pastors", "family": FAMILY}
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **asked)
    number = church.press_sync()
    church.work()
    assert church.practice.open_faults() == [], "the fault was not met"
    if edited:
        edit_before_it_is_found(church, what)
    church.work_until_done(number)
    take_back(church, number)
    assert (bool(quist(church)[what]), quist(church)["status"]) == ((True, "active") if edited else (False, "inactive"))


@pytest.mark.parametrize("edited", [True, False])
def test_a_first_visit_that_staff_dated_otherwise_before_a_lost_answer_was_found_stays(church: GraceChurch, edited: bool) -> None:
    """Planning Center writes a day in the church's own way, which is no change."""
    church.practice.fault("POST", "/people/v2/people/*/field_data", "drop_after")
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", visit="first_time")
    number = church.press_sync()
    church.work()
    [datum] = quist(church)["field_data"]
    assert re.fullmatch(r"\d\d/\d\d/\d{4}", datum["value"])
    if edited:
        Outside(church.practice).patch(f"/people/v2/field_data/{datum['id']}", "FieldDatum", datum["id"], value="2026-01-04")
    church.work_until_done(number)
    take_back(church, number)
    assert (bool(quist(church)["field_data"]), quist(church)["status"]) == ((True, "active") if edited else (False, "inactive"))


def test_a_typo_in_an_email_that_staff_mended_before_a_lost_answer_was_found_is_not_added_beside_it(church: GraceChurch) -> None:
    church.practice.fault("POST", "/people/v2/people/*/emails", "drop_after")
    church.card("Wilhelmina", "Quist", "mina.quist@gmial.com")
    number = church.press_sync()
    church.work()
    [email] = quist(church)["emails"]
    Outside(church.practice).patch(f"/people/v2/emails/{email['id']}", "Email", email["id"], address="mina.quist@gmail.com")
    assert church.work_until_done(number).needs_you == 0
    assert [one["address"] for one in quist(church)["emails"]] == ["mina.quist@gmail.com"]
    take_back(church, number)
    assert ([one["address"] for one in quist(church)["emails"]], quist(church)["status"]) == (["mina.quist@gmail.com"], "active")


def test_somebody_without_a_last_name_whose_answer_was_lost_is_made_inactive(church: GraceChurch) -> None:
    church.practice.fault("POST", "*/v2/people", "drop_after")
    church.card("Wilhelmina", "", "mina.quist@gmail.com")
    number = church.press_sync()
    church.work_until_done(number)
    take_back(church, number)
    assert [one["status"] for one in church.practice.people() if one["first_name"] == "Wilhelmina"] == ["inactive"]


@pytest.mark.parametrize("first_name", ["Mina", ""])
def test_somebody_whose_name_staff_mended_before_a_lost_answer_was_found_stays_active(church: GraceChurch, first_name: str) -> None:
    church.practice.fault("POST", "*/v2/people", "drop_after")
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = church.press_sync()
    church.work()
    if first_name:
        church.practice.rename(quist(church)["id"], first_name, "Quist")
    church.work_until_done(number)
    take_back(church, number)
    assert quist(church, first_name or "Wilhelmina")["status"] == ("active" if first_name else "inactive")


def test_a_family_is_taken_back_with_its_household(church: GraceChurch) -> None:
    _, number = send_minas_card(church, family=FAMILY)
    undone = take_back(church, number)
    assert (undone.updated, kept(church, undone)) == (1, {})
    for name in ("Wilhelmina", "Tobias", "Leo"):
        assert (quist(church, name)["status"], nothing_on(quist(church, name))) == ("inactive", True)


def test_undoing_twice_changes_nothing_and_an_undo_is_not_undone(church: GraceChurch) -> None:
    _, number = send_minas_card(church)
    undone = take_back(church, number)
    with church_scope(church.church_id):
        assert not undo.may_be_undone(runs.get_run(number))
        assert not undo.may_be_undone(runs.get_run(undone.number))
        with pytest.raises(ChangeRefused), transaction():
            undo.begin(runs.get_run(number), "Sam Hill")
        with pytest.raises(ChangeRefused), transaction():
            undo.begin(runs.get_run(undone.number), "Sam Hill")


@pytest.mark.usefixtures("any_database")
def test_what_was_taken_back_is_sent_again_on_purpose_and_nobody_is_there_twice(church: GraceChurch) -> None:
    card, number = send_minas_card(church, family=FAMILY)
    undone = take_back(church, number)
    with church_scope(church.church_id), transaction():
        again = undo.send_again(runs.get_run(undone.number), "Sam Hill").number
    run = church.work_until_done(again)
    assert (run.created, run.updated, run.failed, run.needs_you) == (0, 1, 0, 0)
    assert church.item(card).state == "synced"
    for name in ("Wilhelmina", "Tobias", "Leo"):
        person = quist(church, name)
        assert (person["status"], len(person["households"])) == ("active", 1)
    mina = quist(church)
    assert [email["address"] for email in mina["emails"]] == ["mina.quist@gmail.com"]
    assert len(mina["phone_numbers"]) == len(mina["addresses"]) == len(mina["notes"]) == 1
    second = take_back(church, again)
    assert (second.updated, kept(church, second)) == (1, {})
    assert (quist(church)["status"], nothing_on(quist(church))) == ("inactive", True)


def test_what_staff_changed_in_between_is_kept_and_says_why(church: GraceChurch) -> None:
    _, number = send_minas_card(church)
    mina, client = quist(church), planning_center(church)
    client.update(people.EMAIL, mina["emails"][0]["id"], {"location": "Work"})
    client.create(
        people.NOTE, {"note": "Called her.", "note_category_id": church.choices("note_category")[0].remote_id}, parent_id=mina["id"]
    )
    undone = take_back(church, number)
    assert kept(church, undone) == {"Email": undo_plans.CHANGED, "New person": undo_plans.ADDED_TO}
    mina = quist(church)
    assert (mina["status"], len(mina["emails"]), len(mina["phone_numbers"]), len(mina["notes"])) == ("active", 1, 0, 1)


def test_a_change_after_the_preview_is_seen_before_anything_is_removed(church: GraceChurch) -> None:
    _, number = send_minas_card(church)
    shown = preview(church, number)
    mina = quist(church)
    planning_center(church).update(people.PHONE_NUMBER, mina["phone_numbers"][0]["id"], {"location": "Work"})
    undone = confirm(church, shown)
    assert kept(church, undone) == {"Mobile number": undo_plans.CHANGED, "New person": undo_plans.SOMETHING_KEPT}
    assert len(quist(church)["phone_numbers"]) == 1


def test_somebody_is_renamed_the_moment_they_were_made_inactive(church: GraceChurch, monkeypatch: pytest.MonkeyPatch) -> None:
    _, number = send_minas_card(church)
    shown, client, rest = preview(church, number), planning_center(church), UndoAtWork.finish

    def renamed_before(work: UndoAtWork) -> None:
        client.update(people.PERSON, quist(church)["id"], {"first_name": "Mina", "status": "active"})
        rest(work)

    monkeypatch.setattr(UndoAtWork, "finish", renamed_before)
    undone = confirm(church, shown)
    assert (undone.state, undone.updated, undone.needs_you) == ("finished", 1, 0)
    with church_scope(church.church_id):
        [card] = undo.undone_in(runs.get_run(undone.number))
    assert [row.confirmed for row in card.rows if row.label == "New person"] == [False]


def test_on_a_person_who_was_there_only_what_was_added_goes(church: GraceChurch) -> None:
    client = planning_center(church)
    person = client.create(people.PERSON, {"first_name": "Wilhelmina", "last_name": "Quist"})
    client.create(people.EMAIL, {"address": "mina.quist@gmail.com", "location": "Home"}, parent_id=person.id)
    _, number = send_minas_card(church)
    assert len(quist(church)["phone_numbers"]) == 1
    undone = take_back(church, number)
    assert (undone.updated, kept(church, undone)) == (1, {})
    mina = quist(church)
    assert (mina["status"], [email["address"] for email in mina["emails"]]) == ("active", ["mina.quist@gmail.com"])
    assert mina["phone_numbers"] == mina["addresses"] == mina["field_data"] == mina["notes"] == []


def test_what_another_card_says_too_is_kept(church: GraceChurch) -> None:
    _, number = send_minas_card(church)
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    church.work_until_done(church.press_sync())
    undone = take_back(church, number)
    assert kept(church, undone) == {"Email": undo_plans.ALSO_SAID, "New person": undo_plans.OTHER_CARD}
    assert (quist(church)["status"], len(quist(church)["emails"])) == ("active", 1)


def test_a_merged_person_is_left_alone(church: GraceChurch) -> None:
    card, number = send_minas_card(church)
    keep = planning_center(church).create(people.PERSON, {"first_name": "Mina", "last_name": "Quist-Berg"})
    church.practice.post("merge", {"keep": keep.id, "remove": church.item(card).person_remote_id})
    undone = take_back(church, number)
    assert set(kept(church, undone).values()) == {undo_plans.MERGED}
    assert (undone.skipped, undone.updated, church.item(card).state) == (1, 0, "synced")


def test_a_deleted_person_needs_nothing(church: GraceChurch) -> None:
    card, number = send_minas_card(church)
    church.practice.delete(str(church.item(card).person_remote_id))
    undone = take_back(church, number)
    assert (undone.state, undone.skipped, set(kept(church, undone).values())) == ("finished", 1, {undo_plans.PERSON_GONE})


@pytest.mark.parametrize("kind", ["drop_after", "timeout_before", "status_500", "status_502_after", "rate_limited", "html_403"])
def test_faults_in_the_middle_of_an_undo(church: GraceChurch, kind: str) -> None:
    _, number = send_minas_card(church)
    shown = preview(church, number)
    for after, method, path in (
        (0, "DELETE", "/people/v2/emails/*"),
        (0, "DELETE", "/people/v2/notes/*"),
        (0, "PATCH", "/people/v2/people/*"),
    ):
        church.practice.fault(method, path, kind, after=after, seconds=0.3)
    undone = confirm(church, shown)
    assert (undone.state, undone.updated, undone.failed, undone.needs_you, kept(church, undone)) == ("finished", 1, 0, 0, {})
    assert church.practice.open_faults() == []
    assert (quist(church)["status"], nothing_on(quist(church))) == ("inactive", True)


def test_saying_no_leaves_everything_and_the_run_can_be_undone_later(church: GraceChurch) -> None:
    card, number = send_minas_card(church)
    shown = preview(church, number)
    with church_scope(church.church_id):
        with transaction():
            undo.discard(runs.get_run(shown.number))
        assert undo.may_be_undone(runs.get_run(number))
    church.work()
    assert (church.run(shown.number).state, church.item(card).state, quist(church)["status"]) == ("stopped", "synced", "active")
    assert take_back(church, number).updated == 1


def test_the_neighbour_is_not_touched(church: GraceChurch, neighbour_church: GraceChurch) -> None:
    _, number = send_minas_card(church)
    before = church.practice.organization(1)
    take_back(church, number)
    assert church.practice.organization(1)["people"] == before["people"]
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(db.select(SyncItem)).all() == []
        assert runs.recent() == ([], False)
