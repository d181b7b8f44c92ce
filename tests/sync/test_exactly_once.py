"""Whatever happens to a request, the card arrives once: each fault at each write of a full card."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.sync.card_fields import WORKFLOW_CARD
from connectcard.sync.models import Destination
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Outside

ADDRESS = {"street": "12 Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
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
