"""What came in at the door is worked by reading again what it is about, once for however many deliveries speak of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread
from typing import Any, cast
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.planning_center import Client
from connectcard.planning_center.errors import Forbidden, PlanningCenterError, RateLimited, Unavailable
from connectcard.planning_center.webhooks import signature
from connectcard.sync import inbox
from connectcard.sync.rereading import Reader
from connectcard.sync.webhook_models import DONE, FAILED, WAITING, WebhookDelivery
from tests.conftest import MovedClock, make_config
from tests.deliveries import PERSON_UPDATED, Told, told_of_everything

EMAIL_CREATED = "people.v2.events.email.created"


@dataclass
class Readers:
    """What was read again, and what goes wrong with it."""

    read: list[str] = field(default_factory=list)
    trouble: dict[str, Exception] = field(default_factory=dict)
    meanwhile: Any = None

    def reader(self, kind: str) -> Reader:
        def read(remote_id: str, client: Client) -> str:
            self.read.append(f"{kind} {remote_id}")
            if self.meanwhile:
                meanwhile, self.meanwhile = self.meanwhile, None
                beside = Thread(target=meanwhile)
                beside.start()
                beside.join()
            if f"{kind} {remote_id}" in self.trouble:
                raise self.trouble[f"{kind} {remote_id}"]
            return "Read again."

        return read


@pytest.fixture
def config(database_url: str) -> Config:
    """These tests need no Planning Center."""
    return make_config(database_url)


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Readers:
    readers = Readers()
    kinds = ("person", "family", "group", "memberships")
    monkeypatch.setattr(inbox, "READ_AGAIN", {kind: readers.reader(kind) for kind in kinds})
    monkeypatch.setattr(inbox.subscriptions, "keep_in_order", lambda client: False)
    return readers


@pytest.fixture
def told(moved_clock: MovedClock, any_database: str, app: Flask, grace: UUID) -> Told:
    with church_scope(grace), transaction() as session:
        session.add(Connection(origin="http://127.0.0.1:7777", organization_id="1001"))
    return told_of_everything(app, grace, "1001")


def work(told: Told) -> None:
    inbox.work_inbox(told.church_id, cast("Client", None), Event())


def about(type_: str, remote_id: str, **of: str) -> dict[str, Any]:
    related = {name: {"data": {"type": name.title(), "id": one}} for name, one in of.items()}
    return {"type": type_, "id": remote_id, "attributes": {}, "relationships": related}


def test_a_hundred_events_about_one_person_are_worked_once(told: Told, readers: Readers) -> None:
    for number in range(50):
        told.deliver()
        told.deliver(EMAIL_CREATED, record=about("Email", str(number), person="12"))
    told.deliver(record=about("Person", "13"))
    work(told)
    assert readers.read == ["person 12", "person 13"]
    assert {(row.state, row.outcome) for row in told.kept()} == {(DONE, "Read again.")}
    work(told)
    assert len(readers.read) == 2


def test_each_kind_of_event_makes_us_read_what_it_is_about(told: Told, readers: Readers) -> None:
    told.deliver("people.v2.events.person.destroyed", record=about("Person", "1"))
    told.deliver("people.v2.events.phone_number.updated", record=about("PhoneNumber", "7", person="2"))
    told.deliver("people.v2.events.address.created", record=about("Address", "7", person="3"))
    told.deliver("people.v2.events.household.updated", record=about("Household", "4"))
    told.deliver("people.v2.events.household_membership.created", record=about("HouseholdMembership", "9", household="5", person="1"))
    told.deliver("groups.v2.events.group.updated", record=about("Group", "6"))
    told.deliver("groups.v2.events.membership.created", record=about("Membership", "7", group="7", person="1"))
    merger = {"type": "PersonMerger", "id": "8", "attributes": {"person_to_keep_id": 21, "person_to_remove_id": 20}}
    told.deliver("people.v2.events.person_merger.created", record=merger)
    work(told)
    expected = ["person 1", "person 2", "person 3", "family 4", "family 5", "group 6", "memberships 7", "person 20", "person 21"]
    assert sorted(readers.read) == sorted(expected)


def test_what_arrives_while_its_person_is_read_is_read_once_more(told: Told, readers: Readers) -> None:
    told.deliver()
    readers.meanwhile = told.deliver
    work(told)
    assert readers.read == ["person 12", "person 12"]
    assert [row.state for row in told.kept()] == [DONE, DONE]


def test_a_failure_is_tried_again_after_longer_and_longer_pauses_and_then_shown(
    told: Told, readers: Readers, moved_clock: MovedClock
) -> None:
    told.deliver()
    readers.trouble["person 12"] = Forbidden("GET /people/12: refused")
    for pause in inbox.PAUSES:
        work(told)
        work(told)
        (row,) = told.kept()
        assert (row.state, row.due_at - moved_clock()) == (WAITING, pause)
        moved_clock.move(seconds=pause.total_seconds())
    work(told)
    (row,) = told.kept()
    assert (row.state, len(readers.read)) == (FAILED, len(inbox.PAUSES) + 1)
    assert "lacks a permission" in (row.outcome or "")
    readers.trouble.clear()
    with church_scope(told.church_id), transaction():
        inbox.process_again(row.id)
    work(told)
    assert [row.state for row in told.kept()] == [DONE]


@pytest.mark.parametrize("trouble", [RateLimited("slow down"), Unavailable("away")])
def test_when_planning_center_lets_nothing_through_all_wait_and_none_of_them_counts_as_failed(
    told: Told, readers: Readers, moved_clock: MovedClock, trouble: PlanningCenterError
) -> None:
    for number in range(3):
        told.deliver(record=about("Person", str(number)))
    readers.trouble["person 0"] = trouble
    for _ in range(20):
        work(told)
        moved_clock.move(seconds=31)
    assert set(readers.read) >= {"person 0"}
    assert next(row for row in told.kept() if row.subject == "person 0").state == WAITING
    readers.trouble.clear()
    work(told)
    assert {row.state for row in told.kept()} == {DONE}


def test_a_fault_of_ours_in_one_delivery_does_not_keep_the_others(told: Told, readers: Readers) -> None:
    readers.trouble["person 1"] = ZeroDivisionError("Ana Lopez")
    for number in range(3):
        told.deliver(record=about("Person", str(number)))
    work(told)
    states = {row.subject: (row.state, row.outcome) for row in told.kept()}
    assert states["person 0"][0] == states["person 2"][0] == DONE
    assert states["person 1"] == (WAITING, "Something went wrong on our side (ZeroDivisionError).")


def test_a_worker_that_died_with_a_delivery_in_hand_leaves_it_to_the_next(told: Told, readers: Readers, moved_clock: MovedClock) -> None:
    told.deliver()
    readers.trouble["person 12"] = cast("Exception", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        work(told)
    readers.trouble.clear()
    work(told)
    assert [row.state for row in told.kept()] == [WAITING]
    moved_clock.move(seconds=inbox.LEASE.total_seconds())
    work(told)
    assert [row.state for row in told.kept()] == [DONE]


def test_nine_hundred_events_in_a_burst_are_all_kept_and_what_is_settled_is_erased_in_time(
    told: Told, readers: Readers, moved_clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_KEPT", 100)
    bodies = [told.body(PERSON_UPDATED, record=about("Person", str(number % 30))) for number in range(900)]
    with church_scope(told.church_id):
        for body in bodies:
            moved_clock.move(microseconds=10)
            opened = inbox.opened(body, signature(body, told.secrets[PERSON_UPDATED]), PERSON_UPDATED)
            with transaction():
                assert inbox.keep(opened) == 1
    assert len(told.kept()) == 900
    work(told)
    assert sorted(readers.read) == sorted(f"person {number}" for number in range(30))
    assert len(told.kept()) <= 100
    moved_clock.move(days=15)
    with church_scope(told.church_id):
        inbox.erase_old()
        assert db.session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0


def test_what_waits_is_never_erased(told: Told, moved_clock: MovedClock) -> None:
    told.deliver()
    moved_clock.move(days=365)
    with church_scope(told.church_id):
        assert inbox.erase_old() == 0


def test_the_neighbours_deliveries_are_not_touched(told: Told, readers: Readers, app: Flask, neighbour: UUID) -> None:
    hope = told_of_everything(app, neighbour, "1002")
    told.deliver()
    hope.deliver()
    work(told)
    assert [row.state for row in hope.kept()] == [WAITING]
    (theirs,) = hope.kept()
    with church_scope(told.church_id), transaction(), pytest.raises(inbox.NotFound):
        inbox.process_again(theirs.id)
    assert inbox.churches_with_due_work() == [] or told.church_id in inbox.churches_with_due_work()


def test_a_church_with_due_deliveries_is_found_and_a_disconnected_one_is_not(told: Told, moved_clock: MovedClock) -> None:
    with church_scope(told.church_id), transaction():
        address = told_address()
        address.check_due_at = moved_clock() + timedelta(days=1)
    assert inbox.churches_with_due_work() == []
    told.deliver()
    assert inbox.churches_with_due_work() == [told.church_id]
    with church_scope(told.church_id), transaction() as session:
        session.scalars(select(Connection)).one().state = "disconnected"
    assert inbox.churches_with_due_work() == []


def told_address() -> Any:
    return db.session.scalars(select(inbox.WebhookAddress)).one()
