"""Whatever happens to a request, the card arrives once: each fault at each write of a full card."""

import pytest

from tests.sync.conftest import GraceChurch

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
