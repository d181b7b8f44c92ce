"""Whatever happens to a request, the card arrives once: each fault at each write of a full card."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.sync.card_fields import NOTE, WORKFLOW_CARD
from connectcard.sync.decisions import retry
from connectcard.sync.models import Destination
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Outside
from tests.sync.test_merged_and_deleted import item_of

ADDRESS = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
PRAYER = "For my mother."
WRITES = ("people", "emails", "phone_numbers", "addresses", "field_data")
FAULTS = (
    "refuse_before", "drop_after", "timeout_before", "timeout_after", "late_apply", "status_500", "status_502_after", "status_503",
    "rate_limited", "html_403", "truncated",
)  # fmt: skip


def send_a_full_card(church: GraceChurch) -> None:
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", address=ADDRESS, visit="first_time", heard="friend")
    run = church.work_until_done(church.press_sync())
    assert (run.created, run.failed, run.needs_you) == (1, 0, 0)


def exactly_once(church: GraceChurch) -> None:
    [person] = [person for person in church.practice.people() if person["last_name"] == "Quist"]
    assert [email["address"] for email in person["emails"]] == ["mina.quist@gmail.com"]
    assert [phone["e164"] for phone in person["phone_numbers"]] == ["+12175550123"]
    assert len(person["addresses"]) == 1
    definitions = [datum["field_definition_id"] for datum in person["field_data"]]
    assert len(definitions) == len(set(definitions)) == 2


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES)
def test_each_fault_at_each_write(grace_church: GraceChurch, write: str, fault: str) -> None:
    path = "/people/v2/people" if write == "people" else f"/people/v2/people/*/{write}"
    grace_church.practice.fault("POST", path, fault, seconds=100 if fault == "late_apply" else 0.3)
    send_a_full_card(grace_church)
    exactly_once(grace_church)


@pytest.mark.parametrize("lag", [30, 120])
def test_a_lost_answer_while_search_lags(grace_church: GraceChurch, lag: int) -> None:
    grace_church.practice.post("settings", {"search_lag_s": lag})
    grace_church.practice.fault("POST", "/people/v2/people", "drop_after")
    send_a_full_card(grace_church)
    exactly_once(grace_church)


@pytest.mark.parametrize("done_with", ["remove", "skip_step"])
def test_a_workflow_card_whose_answer_was_lost_stands_there_once_though_staff_are_done_with_it(
    grace_church: GraceChurch, done_with: str
) -> None:
    [workflow, *_] = grace_church.choices("workflow")
    with church_scope(grace_church.church_id), transaction() as session:
        session.add(Destination(card_field="visit", kind=WORKFLOW_CARD, target=workflow.remote_id))
    grace_church.practice.fault("POST", "/people/v2/workflows/*/cards", "drop_after")
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", visit="first_time")
    number = grace_church.press_sync()
    grace_church.work()
    [mina] = grace_church.practice.named("Wilhelmina", "Quist")
    outside, cards = Outside(grace_church.practice), f"/people/v2/people/{mina['id']}/workflow_cards"
    [card] = outside.get(cards)
    while outside.get(cards)[0]["attributes"]["stage"] not in ("completed", "removed"):
        outside.act(f"{cards}/{card['id']}/{done_with}")
    grace_church.work_until_done(number)
    assert len(outside.get(cards)) == 1


@pytest.mark.parametrize("write", ["/people/v2/people", "/people/v2/people/*/emails", "/people/v2/people/*/notes", "/people/v2/households"])
def test_a_card_that_was_ignored_unclear_and_brought_back_after_its_prayer_was_forgotten_arrives_once(
    grace_church: GraceChurch, write: str
) -> None:
    """Staff gave up on it after nothing was confirmed three times, and change their minds a month later."""
    church = grace_church
    with church_scope(church.church_id), transaction() as session:
        session.add(Destination(card_field="prayer", kind=NOTE, target=church.choices("note_category")[0].remote_id))
    asked = {"prayer": PRAYER, "has_prayer": True, "prayer_audience": "pastors", "family": {"children": [{"first_name": "Leo"}]}}
    # Three tries; a path without a star would fit what lies below it too.
    church.practice.fault("POST", f"*{write.removeprefix('/people')}", "refuse_before", times=3)
    card = church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", **asked)
    church.work_until_done(church.press_sync())
    assert (church.item(card).state, church.practice.open_faults()) == ("review", [])
    assert church.ignored_for(card, days=31) == (1, 0)
    assert not [step for step in church.steps(card) if PRAYER in (step.body or "")]
    church.work_until_done(church.press_sync())
    if church.item(card).state == "review":
        with church_scope(church.church_id), transaction():
            number = retry(item_of(card), "Sam Hill").number
        church.work_until_done(number)
    assert church.item(card).state == "synced"
    quists = {one["first_name"]: one for one in church.practice.people() if one["last_name"] == "Quist"}
    assert list(quists) == ["Wilhelmina", "Leo"]
    assert [len(quists["Wilhelmina"][part]) for part in ("emails", "households")] == [1, 1]
