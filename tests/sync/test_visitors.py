"""A card's way into Planning Center, told from the lobby to the person there."""

from uuid import UUID

import pytest

from connectcard.cards.corrections import correct
from connectcard.cards.queries import get_submission
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.sync import lanes, runs
from connectcard.sync.decisions import decide_by_hand, retry
from connectcard.sync.models import SyncItem, SyncRun
from connectcard.sync.previews import find_preview
from tests.sync.conftest import GraceChurch

pytestmark = pytest.mark.usefixtures("any_database")


def test_a_new_visitor_becomes_one_person_with_everything_from_the_card(grace_church: GraceChurch) -> None:
    address = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
    answers = {"address": address, "visit": "first_time", "heard": "drove_by", "interests": ["kids", "serving"]}
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", **answers)
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated, run.needs_you, run.failed) == (1, 0, 0, 0)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert [email["address"] for email in person["emails"]] == ["mina.quist@gmail.com"]
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]
    assert person["addresses"][0]["street_line_1"] == "12 Oak Street"
    assert person["remote_id"] == grace_church.item(card).remote_id_token
    assert all(step.state == "done" and step.confirmed_at for step in grace_church.steps(card))


@pytest.mark.parametrize("letters", ["北京市朝阳区", "Wilhelmina "])
def test_answers_as_long_as_the_card_lets_them_be_arrive_and_are_known_again(grace_church: GraceChurch, letters: str) -> None:
    name, street, city = ((letters * 34)[:longest].strip() for longest in (100, 200, 100))
    address = {"street": street, "street2": street, "city": city, "state": "IL", "zip": "62701" * 4}
    for _ in range(2):
        card = grace_church.card(name, name, "mina.quist@gmail.com", address=address)
        grace_church.work_until_done(grace_church.press_sync())
        assert (grace_church.item(card).state, grace_church.item(card).reason) == ("synced", None)
    [person] = grace_church.practice.named(name, name)
    assert (len(person["emails"]), len(person["addresses"])) == (1, 1)


def test_pressing_sync_again_changes_nothing(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    before = grace_church.practice.people()
    with pytest.raises(NotFound):
        grace_church.press_sync()
    assert grace_church.practice.people() == before


def test_a_second_press_while_it_runs_shows_the_same_run(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    first = grace_church.press_sync()
    grace_church.card("Bartholomew", "Adeyemi", "bart.adeyemi@gmail.com")
    assert grace_church.press_sync() == first
    assert grace_church.work_until_done(first).created == 2


def test_somebody_who_was_there_gets_only_what_is_missing(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    grace_church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated, run.skipped) == (0, 1, 0)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]


def test_a_spouse_with_the_same_email_is_asked_about_and_never_written_over(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    before = grace_church.practice.people()
    card = grace_church.card("Tobias", "Quist", "quist.family@gmail.com")
    run = grace_church.work_until_done(grace_church.press_sync())
    assert run.needs_you == 1
    assert grace_church.practice.people() == before
    assert grace_church.item(card).reason == "Same email as Wilhelmina Quist, but another name. It may be somebody of the same household."


def test_staff_decide_that_the_spouse_is_someone_new(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    card = grace_church.card("Tobias", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(_item(card), "new", None, "Sam Hill").number
    assert grace_church.work_until_done(number).created == 1
    assert len(grace_church.practice.named("Tobias", "Quist")) == 1


def test_staff_decide_that_it_is_the_same_person(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    card = grace_church.card("W.", "Q", "quist.family@gmail.com", "(217) 555-0123")
    grace_church.work_until_done(grace_church.press_sync())
    [candidate] = grace_church.item(card).decision["candidates"]  # type: ignore[index]
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(_item(card), "same", candidate["remote_id"], "Sam Hill").number
    assert grace_church.work_until_done(number).updated == 1
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]


def test_a_person_who_was_never_shown_cannot_be_chosen(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    card = grace_church.card("Tobias", "Quist", "quist.family@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    with church_scope(grace_church.church_id), pytest.raises(ChangeRefused), transaction():
        decide_by_hand(_item(card), "same", "1", "Sam Hill")


def test_two_cards_of_one_person_in_one_run_become_one_person(grace_church: GraceChurch) -> None:
    grace_church.practice.post("settings", {"search_lag_s": 120})
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    run = grace_church.work_until_done(grace_church.press_sync())
    assert (run.created, run.updated) == (1, 1)
    assert len([person for person in grace_church.practice.people() if person["last_name"] == "Quist"]) == 1


def test_an_email_that_planning_center_refuses_does_not_stop_the_rest(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina@example.com", "(217) 555-0123")
    run = grace_church.work_until_done(grace_church.press_sync())
    assert run.failed == 1
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert (len(person["emails"]), len(person["phone_numbers"])) == (0, 1)
    assert "disallowed domain" in (grace_church.item(card).reason or "")


def test_a_mended_card_goes_on_where_it_stopped(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina@example.com", "(217) 555-0123")
    grace_church.work_until_done(grace_church.press_sync())
    with church_scope(grace_church.church_id), transaction() as session:
        form = {"first_name": "Wilhelmina", "last_name": "Quist", "email": "mina.quist@gmail.com", "phone": "(217) 555-0123"}
        correct(get_submission(card), form, "Sam Hill")
        session.flush()
        number = retry(_item(card), "Sam Hill").number
    run = grace_church.work_until_done(number)
    assert (run.created, run.failed) == (1, 0)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert ([email["address"] for email in person["emails"]], len(person["phone_numbers"])) == (["mina.quist@gmail.com"], 1)


def test_a_preview_says_what_would_be_written_and_writes_nothing(grace_church: GraceChurch) -> None:
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    before = grace_church.practice.people()
    preview = grace_church.preview(card)
    assert (preview.state, preview.requests) == ("ready", 2)
    assert [(row.label, row.after) for row in preview.rows] == [("New person", "Wilhelmina Quist"), ("Email", "mina.quist@gmail.com")]
    assert grace_church.practice.people() == before


def test_stopping_leaves_the_other_cards_ready(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = grace_church.press_sync()
    with church_scope(grace_church.church_id), transaction():
        runs.stop(runs.get_run(number))
    assert grace_church.run(number).state == "stopped"
    grace_church.work()
    assert grace_church.practice.named("Wilhelmina", "Quist") == []
    again = grace_church.press_sync()
    assert again != number
    assert grace_church.work_until_done(again).created == 1


def test_a_merged_person_is_followed(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    grace_church.card("Bartholomew", "Adeyemi", "bart.adeyemi@gmail.com")
    grace_church.work_until_done(grace_church.press_sync())
    [mina], [bart] = grace_church.practice.named("Wilhelmina", "Quist"), grace_church.practice.named("Bartholomew", "Adeyemi")
    grace_church.practice.post("merge", {"keep": bart["id"], "remove": mina["id"]})
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    grace_church.work_until_done(grace_church.press_sync())
    assert grace_church.item(card).state in ("review", "synced")
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_a_new_visitor_costs_at_most_four_reads_six_writes_and_one_read_back(grace_church: GraceChurch) -> None:
    address = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
    answers = {"address": address, "visit": "first_time", "heard": "drove_by"}
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", **answers)
    number = grace_church.press_sync()
    since = len(grace_church.practice.requests_since(0))
    grace_church.work_until_done(number)
    methods = [entry["method"] for entry in grace_church.practice.requests_since(0)[since:] if entry["path"].startswith("/people/v2")]
    assert (methods.count("GET"), methods.count("POST")) == (5, 6)


def test_the_neighbour_sees_nothing_and_is_not_touched(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    neighbour_card = neighbour_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    neighbour_people = grace_church.practice.people(place=1)
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = grace_church.press_sync()
    assert grace_church.work_until_done(number).total == 1
    assert grace_church.practice.people(place=1) == neighbour_people
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(db.select(SyncRun)).all() == []
        assert runs.ready_count() == 1
        assert find_preview(neighbour_card) is None
        with pytest.raises(NotFound):
            runs.get_run(number)


def test_only_churches_with_something_due_are_woken(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    neighbour_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    assert lanes.churches_with_due_work() == []
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    number = grace_church.press_sync()
    assert lanes.churches_with_due_work() == [grace_church.church_id]
    grace_church.work_until_done(number)
    assert lanes.churches_with_due_work() == []


def _item(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def test_a_card_without_contacts_asks_for_nobody_by_what_it_does_not_say(grace_church: GraceChurch) -> None:
    grace_church.card("Xiomara", "Zuniga", "xiomara.z@gmail.com", "(217) 555-0101")
    grace_church.work_until_done(grace_church.press_sync())
    [known] = grace_church.practice.named("Xiomara", "Zuniga")
    before = max(entry["number"] for entry in grace_church.practice.requests_since(0))
    grace_church.card("Bogdan", "Yurchenko", family={"spouse": {"first_name": "Iryna"}})
    grace_church.work_until_done(grace_church.press_sync())
    asked = [entry["path"] for entry in grace_church.practice.requests_since(before)]
    assert not [path for path in asked if path.endswith(f"/{known['id']}")]
    assert len(grace_church.practice.named("Bogdan", "Yurchenko")) == 1
