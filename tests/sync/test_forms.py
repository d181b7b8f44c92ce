"""A church lets its cards land as submissions of its own Planning Center form: exactly once each, on the right person."""

from typing import Any
from uuid import UUID

import pytest
import requests

from connectcard.churches.operations import mark_restored
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.operations import read_choices
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import confirmations, destinations, forms, lanes, runs
from connectcard.sync.decisions import decide_by_hand, retry
from connectcard.sync.forms import AWAITS
from connectcard.sync.models import Destination, SyncItem
from connectcard.sync.steps import PERHAPS_RENAMED
from tests.sync.conftest import GraceChurch
from tests.sync.test_merged_and_deleted import item_of, merge, somebody

SUBMISSIONS = "/people/v2/forms/*/form_submissions"
MINA = {"email": "mina.quist@gmail.com", "phone": "(217) 555-0123", "interests": ["kids", "small_groups"], "prayer": "For my mother"}


def form_named(church: GraceChurch, name: str) -> str:
    with church_scope(church.church_id):
        return next(form.remote_id for form in forms.forms_offered() if form.name == name)


def choose(church: GraceChurch, name: str | None = "Connect card") -> None:
    """An owner chooses the form, and a worker reads its fields."""
    form = form_named(church, name) if name else None
    with church_scope(church.church_id):
        with transaction():
            forms.choose(form, "Ada Admin")
        connection = find_connection()
        assert connection is not None
        end_reading()
        read_choices(connection, form=forms.chosen_form_id())


def field_named(church: GraceChurch, label: str) -> str:
    return next(field.remote_id for field in church.choices("form_field") if field.name == label)


@pytest.fixture
def lands_in_the_form(grace_church: GraceChurch) -> GraceChurch:
    choose(grace_church)
    with church_scope(grace_church.church_id), transaction():
        destinations.save("prayer", forms.FORM_FIELD, field_named(grace_church, "Prayer request"), {}, None, "Ada Admin")
        destinations.save("text_me", forms.FORM_FIELD, field_named(grace_church, "Please contact me"), {}, None, "Ada Admin")
    return grace_church


def submissions(church: GraceChurch) -> list[dict[str, Any]]:
    """What stands in the church's form, by the practice Planning Center's own API."""
    token = church.practice.organization()["personal_access_token"]
    form = form_named(church, "Connect card")
    answer = requests.get(
        f"{church.practice.url}/people/v2/forms/{form}/form_submissions?include=form_submission_values",
        auth=(token["app_id"], token["secret"]),
        headers={"User-Agent": "the test", "X-PCO-API-Version": "2026-06-04"},
        timeout=30,
    )
    values = {one["id"]: one["attributes"]["display_value"] for one in answer.json().get("included", [])}
    return [
        {
            "id": one["id"],
            "verified": one["attributes"]["verified"],
            "person": one["relationships"]["person"]["data"]["id"],
            "says": [values[ref["id"]] for ref in one["relationships"].get("form_submission_values", {}).get("data", [])],
        }
        for one in answer.json()["data"]
    ]


def sync(church: GraceChurch) -> Any:
    """With long strides, since what is unclear rests for minutes."""
    number = church.press_sync()
    for _ in range(12):
        church.work()
        if church.run(number).finished_at:
            return church.run(number)
        church.move(seconds=200)
    raise AssertionError([(item.state, item.reason) for item in church.items()])


def test_a_new_visitor_becomes_one_submission_that_is_applied_at_once(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card = church.card("Wilhelmina", "Quist", text_me=True, **MINA)
    assert sync(church).created == 1
    [submission] = submissions(church)
    [person] = church.practice.named("Wilhelmina", "Quist")
    assert (submission["person"], submission["verified"]) == (person["id"], True)
    assert {"Kids", "Small groups", "For my mother"} <= set(submission["says"])
    assert [email["address"] for email in person["emails"]] == ["mina.quist@gmail.com"]
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]
    assert [len(person[name]) for name in ("notes", "workflow_cards")] == [1, 1]
    item = church.item(card)
    assert (item.state, item.person_remote_id, item.reason) == ("synced", person["id"], None)


@pytest.mark.parametrize("any_database", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
@pytest.mark.usefixtures("any_database")
def test_a_form_may_have_a_long_name(grace_church: GraceChurch) -> None:
    choose(grace_church)
    with church_scope(grace_church.church_id), transaction():
        landing = forms.find_landing()
        assert landing is not None
        landing.form_name = "Connect card " * 20
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    assert sync(grace_church).created == 1


def test_somebody_who_is_there_is_named_and_has_to_confirm(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(church)
    card = church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    assert sync(church).updated == 1
    newest = submissions(church)[-1] if submissions(church)[-1]["verified"] is False else submissions(church)[0]
    [person] = church.practice.named("Wilhelmina", "Quist")
    assert (newest["person"], newest["verified"], person["phone_numbers"]) == (person["id"], False, [])
    assert church.item(card).reason == AWAITS
    church.practice.post("confirm", {"form_submission": newest["id"]})
    [person] = church.practice.named("Wilhelmina", "Quist")
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]


def test_what_the_person_has_already_is_not_asked_to_be_confirmed(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    sync(church)
    card = church.card("Mina", "Quist", "mina.quist@gmail.com", "217 555 0123", interests=["kids"])
    sync(church)
    assert [one["verified"] for one in submissions(church)] == [True, True]
    assert church.item(card).reason is None


def with_custom_choices(church: GraceChurch) -> dict[str, Any]:
    """Two answers go to fields of the form that stand for custom fields with options; one choice by hand, the others by their words."""
    with church_scope(church.church_id), transaction():
        interests = field_named(church, "Areas of interest")
        destinations.save("interests", forms.FORM_FIELD, interests, {"small_groups": "Prayer"}, None, "Ada Admin")
    return {"heard": "friend", "interests": ["kids", "small_groups"]}


def test_custom_fields_with_options_are_filled_in_by_the_forms_own_choices(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **with_custom_choices(church))
    [shown] = [row.after for row in church.preview(card).rows if row.required]
    assert shown == "Areas of interest: Kids; Areas of interest: Prayer; How did you hear about us?: Friend or family"
    assert sync(church).created == 1
    [person] = church.practice.named("Wilhelmina", "Quist")
    assert sorted((one["name"], one["value"]) for one in person["field_data"]) == [
        ("How did you hear about us?", "Friend or family"),
        ("Interests", "Kids"),
        ("Interests", "Prayer"),
    ]


@pytest.mark.parametrize("kind", ["drop_after", "status_502_after", "truncated"])
def test_a_submission_with_choices_of_custom_fields_is_found_again(lands_in_the_form: GraceChurch, kind: str) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **with_custom_choices(church))
    church.practice.fault("POST", SUBMISSIONS, kind)
    sync(church)
    assert church.practice.open_faults() == [], "the fault was not met"
    assert [sorted(one["says"]) for one in submissions(church)] == [["Friend or family", "Kids", "Prayer"]]


def require(church: GraceChurch, label: str) -> None:
    """Staff make a field of the form required in Planning Center, after the fields were read here."""
    church.practice.post("form_field", {"form_field": field_named(church, label), "required": True})


def test_a_required_field_that_the_card_does_not_answer_is_named_before_anything_is_sent(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    require(church, "How did you hear about us?")
    card = church.card("Wilhelmina", "Quist", **MINA)
    preview = church.preview(card)
    assert ("“How did you hear about us?”" in preview.refusal, preview.can_be_sent) == (True, False)
    assert sync(church).failed == 1
    assert "requires “How did you hear about us?”, which this card does not answer" in (church.item(card).reason or "")
    assert (submissions(church), church.practice.named("Wilhelmina", "Quist")) == ([], [])


def test_a_required_field_is_filled_in_even_where_the_person_has_it_already(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    sync(church)
    require(church, "Mobile phone")
    card = church.card("Mina", "Quist", "mina.quist@gmail.com", "217 555 0123", interests=["kids"])
    assert sync(church).failed == 0
    assert church.item(card).state == "synced"


def test_pressing_sync_again_submits_nothing_again(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card = church.card("Wilhelmina", "Quist", **MINA)
    sync(church)
    with church_scope(church.church_id), transaction():
        item = db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()
        item.state = "failed"
        number = retry(item, "Sam Hill").number
    church.work_until_done(number)
    assert len(submissions(church)) == 1
    assert len(church.practice.named("Wilhelmina", "Quist")) == 1


FAULTS = ("refuse_before", "drop_after", "status_500", "status_502_after", "rate_limited", "truncated", "html_403", "expired_token")


@pytest.mark.parametrize(("kind", "known"), [*((kind, False) for kind in FAULTS), ("drop_after", True), ("status_500", True)])
def test_a_submission_that_meets_a_fault_stands_there_once(lands_in_the_form: GraceChurch, kind: str, known: bool) -> None:
    church = lands_in_the_form
    if known:
        church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
        sync(church)
    before = len(submissions(church))
    card = church.card("Wilhelmina", "Quist", **MINA)
    church.practice.fault("POST", SUBMISSIONS, kind)
    sync(church)
    assert church.practice.open_faults() == [], "the fault was not met"
    assert len(submissions(church)) == before + 1
    assert len(church.practice.named("Wilhelmina", "Quist")) == 1
    assert church.item(card).state == "synced"


def lost(church: GraceChurch) -> tuple[UUID, int]:
    """Mina's submission arrived, its answer did not, and the card waits; the card and the run."""
    church.practice.fault("POST", SUBMISSIONS, "drop_after")
    card = church.card("Wilhelmina", "Quist", **MINA)
    number = church.press_sync()
    church.work()
    assert church.practice.open_faults() == [], "the fault was not met"
    return card, number


@pytest.mark.parametrize("becomes", ["renamed", "merged"])
@pytest.mark.parametrize("it_is_them", [True, False])
def test_a_new_visitor_who_is_called_otherwise_by_then_is_asked_about(
    lands_in_the_form: GraceChurch, becomes: str, it_is_them: bool
) -> None:
    church = lands_in_the_form
    card, number = lost(church)
    [mina] = church.practice.named("Wilhelmina", "Quist")
    there = mina["id"] if becomes == "renamed" else somebody(church)
    if becomes == "renamed":
        church.practice.rename(there, "Theodora", "Quist")
    else:
        merge(church, there, mina["id"])
    before = len(church.practice.people())
    church.work_until_done(number)
    item = church.item(card)
    assert (item.state, item.reason, len(submissions(church))) == ("review", PERHAPS_RENAMED, 1)
    assert [one["remote_id"] for one in (item.decision or {})["candidates"]] == [there]
    church.ignored_for(card)
    assert church.work_until_done(church.press_sync()).needs_you == 1
    assert (church.item(card).reason, len(submissions(church)), len(church.practice.people())) == (PERHAPS_RENAMED, 1, before)
    with church_scope(church.church_id), transaction():
        said = ("same", there) if it_is_them else ("new", None)
        number = decide_by_hand(item_of(card), *said, "Sam Hill").number
    church.work_until_done(number)
    assert (church.item(card).state, len(church.practice.people()) - before) == ("synced", 0 if it_is_them else 1)
    assert len(submissions(church)) == (1 if it_is_them else 2)


def test_a_submission_that_was_forgotten_with_its_prayer_before_it_was_clear_is_asked_about(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.practice.fault("POST", SUBMISSIONS, "refuse_before", times=3)
    card = church.card("Wilhelmina", "Quist", **MINA)
    church.work_until_done(church.press_sync())
    assert (church.item(card).state, church.practice.open_faults()) == ("review", [])
    assert church.ignored_for(card, days=31) == (1, 0)
    assert church.work_until_done(church.press_sync()).needs_you == 1
    assert (church.item(card).state, church.item(card).reason) == ("review", PERHAPS_RENAMED)
    with church_scope(church.church_id), transaction():
        number = decide_by_hand(item_of(card), "new", None, "Sam Hill").number
    church.work_until_done(number)
    assert (church.item(card).state, len(church.practice.named("Wilhelmina", "Quist")), len(submissions(church))) == ("synced", 1, 1)


def test_a_submission_that_was_never_sent_and_forgotten_with_its_prayer_is_sent_without_a_question(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.practice.fault("POST", SUBMISSIONS, "rate_limited", seconds=600)
    card = church.card("Wilhelmina", "Quist", **MINA)
    number = church.press_sync()
    church.work()
    with church_scope(church.church_id), transaction():
        runs.stop(runs.get_run(number))
    assert [(step.kind, step.state) for step in church.steps(card)] == [("submit_form_new", "planned")]
    assert church.ignored_for(card, days=31) == (1, 0)
    church.work_until_done(church.press_sync())
    assert (church.item(card).state, len(church.practice.named("Wilhelmina", "Quist")), len(submissions(church))) == ("synced", 1, 1)


def test_a_lost_submission_of_somebody_known_that_was_forgotten_with_its_prayer_stands_there_once(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(church)
    before = len(submissions(church))
    card, number = lost(church)
    with church_scope(church.church_id), transaction():
        runs.stop(runs.get_run(number))
    assert church.ignored_for(card, days=31) == (1, 0)
    church.work_until_done(church.press_sync())
    assert (church.item(card).state, len(submissions(church)) - before) == ("synced", 1)


def test_a_submission_of_somebody_who_was_merged_meanwhile_stands_there_once(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(church)
    card, number = lost(church)
    they_went_to_whom_was_kept(church, card, number)


def test_a_submission_of_somebody_who_was_merged_before_it_was_sent_goes_to_whom_was_kept(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(church)
    church.practice.fault("POST", SUBMISSIONS, "refuse_before")
    card = church.card("Wilhelmina", "Quist", **MINA)
    number = church.press_sync()
    church.work()
    they_went_to_whom_was_kept(church, card, number)


def they_went_to_whom_was_kept(church: GraceChurch, card: UUID, number: int) -> None:
    """Staff merge the visitor while the second of her two cards waits."""
    [mina] = church.practice.named("Wilhelmina", "Quist")
    kept = somebody(church)
    merge(church, kept, mina["id"])
    church.work_until_done(number)
    assert (church.item(card).state, church.item(card).person_remote_id) == ("synced", kept)
    assert [one["person"] for one in submissions(church)] == [kept, kept]


def test_two_visitors_of_one_name_are_two_submissions(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", interests=["kids"])
    sync(church)
    other = church.card("Wilhelmina", "Quist", "willa.quist@outlook.com", interests=["kids"])
    sync(church)
    assert church.item(other).state == "review", "the name alone is never enough"
    assert len(submissions(church)) == 1


def test_a_form_that_staff_may_not_manage_is_refused_in_words(grace_church: GraceChurch) -> None:
    choose(grace_church)
    card = grace_church.card("Wilhelmina", "Quist", **MINA)
    owner = grace_church.practice.people()[0]["id"]
    grace_church.practice.post("permission", {"person": owner, "permission": "Viewer"})
    assert sync(grace_church).failed == 1
    assert "a manager of this form" in (grace_church.item(card).reason or "")


def test_a_field_that_was_taken_out_of_the_form_is_told(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    with church_scope(church.church_id), transaction() as session:
        row = session.scalars(db.select(Destination).where(Destination.card_field == "text_me")).one()
        choice = next(one for one in destinations.offered() if one.remote_id == row.target)
        choice.remote_id = row.target = "999999"
    card = church.card("Wilhelmina", "Quist", text_me=True, **MINA)
    assert sync(church).created == 1
    assert "no such field any more" in (church.item(card).reason or "")
    assert len(submissions(church)) == 1


def test_the_preview_shows_the_submission_and_quotes_no_prayer(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card = church.card("Wilhelmina", "Quist", **MINA)
    [row] = [row for row in church.preview(card).rows if row.label == "Form “Connect card”"]
    assert (row.required, "Kids" in row.after, "For my mother" in row.after) == (True, True, False)
    assert submissions(church) == []


def test_a_family_and_an_address_go_along(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    address = {"street": "12 Oak Street", "city": "Austin", "state": "TX", "zip": "78701"}
    family = {"spouse": {"first_name": "Tobias", "last_name": ""}, "children": []}
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", address=address, family=family)
    assert sync(church).created == 1
    [mina], [tobias] = church.practice.named("Wilhelmina", "Quist"), church.practice.named("Tobias", "Quist")
    assert [one["street_line_1"] for one in mina["addresses"]] == ["12 Oak Street"]
    assert mina["households"][0]["household_id"] == tobias["households"][0]["household_id"]


def test_a_form_is_chosen_only_where_it_can_be_filled_in(grace_church: GraceChurch) -> None:
    with church_scope(grace_church.church_id), transaction(), pytest.raises(ChangeRefused):
        forms.choose("123456", "Ada Admin")
    names = [form.name for form in grace_church.choices("form")]
    assert "Old card" not in names
    assert grace_church.choices("form_field") == []


def test_direct_records_again(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    choose(church, None)
    with church_scope(church.church_id):
        assert {row.kind for row in destinations.current().values()} & {forms.FORM_FIELD} == set()
    church.card("Wilhelmina", "Quist", **MINA)
    assert sync(church).created == 1
    assert submissions(church) == []


def test_the_neighbour_keeps_landing_as_before(lands_in_the_form: GraceChurch, neighbour_church: GraceChurch) -> None:
    with church_scope(neighbour_church.church_id):
        assert forms.find_landing() is None
        assert forms.forms_offered() == []
        assert {row.kind for row in destinations.current().values()} & {forms.FORM_FIELD} == set()


def test_without_looking_a_lost_answer_would_be_a_second_submission(
    lands_in_the_form: GraceChurch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "_with_these_answers", lambda *_: iter(()))
    lands_in_the_form.card("Wilhelmina", "Quist", **MINA)
    lands_in_the_form.practice.fault("POST", SUBMISSIONS, "drop_after")
    sync(lands_in_the_form)
    assert len(submissions(lands_in_the_form)) == 2, "the test must be able to fail"


# What the visitor still has to confirm.


def awaited(church: GraceChurch) -> tuple[UUID, str]:
    """Mina is known, and a new number of hers waits for her; the card and the submission."""
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(church)
    card = church.card("Mina", "Quist", "mina.quist@gmail.com", "(217) 555-0123")
    sync(church)
    return card, next(one["id"] for one in submissions(church) if one["verified"] is False)


def test_a_confirmation_is_noticed_within_a_day(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card, submission = awaited(church)
    with church_scope(church.church_id):
        assert confirmations.count(runs.get_run(2)) == 1
    church.move(hours=2)
    church.work()
    assert church.item(card).reason == AWAITS, "not yet"
    church.practice.post("confirm", {"form_submission": submission})
    church.move(days=1, hours=1)
    assert church.church_id in lanes.churches_with_due_work()
    church.work()
    assert church.item(card).reason is None
    with church_scope(church.church_id):
        assert confirmations.count(runs.get_run(2)) == 0
    assert church.church_id not in lanes.churches_with_due_work()


def test_what_is_never_confirmed_is_not_asked_for_ever(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card, _ = awaited(church)
    for _ in range(3):
        church.move(days=20)
        church.work()
    assert church.church_id not in lanes.churches_with_due_work()
    assert church.item(card).reason == AWAITS


def test_after_a_restore_a_card_finds_its_own_submission(lands_in_the_form: GraceChurch) -> None:
    church = lands_in_the_form
    card = church.card("Wilhelmina", "Quist", interests=["kids"])
    sync(church)
    with every_church(), transaction():
        mark_restored()
    with church_scope(church.church_id), transaction() as session:
        # The backup is from before it was sent.
        session.delete(session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one())
    sync(church)
    assert len(submissions(church)) == 1
    [person] = church.practice.named("Wilhelmina", "Quist")
    assert (church.item(card).state, church.item(card).person_remote_id) == ("synced", person["id"])
