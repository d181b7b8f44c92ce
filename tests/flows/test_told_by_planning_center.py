"""Planning Center tells, over HTTP, and here it is so: an edit there, a delivery, a worker, our own directory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select

from connectcard import create_app
from connectcard.churches.operations import open_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.clients import client_for
from connectcard.connections.models import PERSONAL_ACCESS_TOKEN, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.people.models import Contact, Family, FamilyMember, Person
from connectcard.planning_center import Client
from connectcard.planning_center.resources import people, webhooks
from connectcard.simulator import create_simulator
from connectcard.sync import inbox, pull, subscriptions
from connectcard.sync.models import PULL_FULL, SyncRun
from connectcard.sync.webhook_models import DONE, WebhookDelivery, WebhookSubscription
from tests import servers
from tests.conftest import make_config, running
from tests.servers import serving, wait_until


@dataclass
class Told:
    """Grace Church, served on a real socket, told by a practice Planning Center on another."""

    app: Flask
    church_id: UUID
    practice: str

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.practice}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def client(self) -> Client:
        with church_scope(self.church_id):
            connection = find_connection()
            assert connection is not None
            return client_for(connection)

    def ask(self, call: Callable[[Client], Any]) -> Any:
        """Something is done in Planning Center by whoever connected."""
        with church_scope(self.church_id):
            client = self.client()
            end_reading()
            return call(client)

    def work(self) -> None:
        """One pass of the worker's inward lane."""
        inbox.work_inbox(self.church_id, self.client(), Event())
        while pull.advance_pulls(self.church_id, Event()):
            continue

    def pull_everything(self) -> None:
        with church_scope(self.church_id), transaction():
            pull.want_pull(PULL_FULL, "Sam Hill")
        self.work()

    def outcomes(self, subject: str) -> set[str]:
        """What came of the deliveries about a thing."""
        with church_scope(self.church_id):
            of = select(WebhookDelivery.outcome).where(WebhookDelivery.subject == subject, WebhookDelivery.state == DONE)
            return {str(outcome) for outcome in db.session.scalars(of)}

    def count(self) -> int:
        with church_scope(self.church_id):
            return db.session.scalar(select(func.count(WebhookDelivery.id))) or 0

    def after(self, change: Callable[[], Any], deliveries: int = 1) -> Any:
        """Make a change in Planning Center, wait until it told us, and let the worker look."""
        before = self.count()
        made = change()
        wait_until(lambda: self.count() >= before + deliveries, f"{deliveries} deliveries")
        self.work()
        return made

    def person(self, remote_id: str) -> Person | None:
        with church_scope(self.church_id):
            return db.session.scalars(select(Person).where(Person.remote_id == remote_id)).one_or_none()

    def emails(self, remote_id: str) -> set[str]:
        with church_scope(self.church_id):
            of = select(Contact.value).join(Person, Person.id == Contact.person_id).where(Person.remote_id == remote_id)
            return set(db.session.scalars(of.where(Contact.kind == "email")))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Told]:
    database = tmp_path_factory.mktemp("told") / "connectcard.sqlite"
    copyfile(sqlite_template, database)
    port = servers.free_port()
    with serving(create_simulator(people=40)) as practice:
        (grace, *_) = requests.get(f"{practice}/_simulator/organizations?people=0", timeout=30).json()
        requests.post(f"{practice}/_simulator/settings", json={"limit": 100_000}, timeout=30)
        token = grace["personal_access_token"]
        settings = {"pco_base_url": practice, "personal_access_token": (token["app_id"], token["secret"])}
        app = create_app(make_config(f"sqlite:///{database}", public_url=f"http://127.0.0.1:{port}", **settings))
        with serving(app, port), running(app):
            yield connected(app, practice, grace)


def connected(app: Flask, practice: str, organization: dict[str, Any]) -> Told:
    with every_church(), transaction():
        church_id = open_church(practice, organization["id"], organization["name"], "US", "America/Chicago", "%m/%d/%Y").id
    with church_scope(church_id), transaction() as session:
        session.add(Connection(kind=PERSONAL_ACCESS_TOKEN, origin=practice, organization_id=organization["id"]))
        subscriptions.want_check()
    told = Told(app, church_id, practice)
    told.work()
    told.pull_everything()
    return told


def somebody(told: Told, place: int) -> dict[str, Any]:
    """A grown-up: what is known of children is sealed."""
    adults = [person for person in told.control("GET", "organizations")[0]["people"] if not person["child"] and not person["can_sign_in"]]
    return dict(adults[place])


def test_an_edit_there_is_an_edit_here(told: Told) -> None:
    person = somebody(told, 0)
    told.after(lambda: told.control("PATCH", f"people/{person['id']}", {"nickname": "Nat"}))
    known = told.person(person["id"])
    assert known is not None
    assert known.nickname == "Nat"
    assert told.outcomes(f"person {person['id']}") == {"Read again: it was changed here."}


def test_an_email_that_comes_and_goes_there_comes_and_goes_here(told: Told) -> None:
    person = somebody(told, 1)["id"]
    address = {"address": "new.address@gmail.com", "location": "Home"}
    made = told.after(lambda: told.ask(lambda client: client.create(people.EMAIL, address, parent_id=person)))
    assert "new.address@gmail.com" in told.emails(person)
    told.after(lambda: told.ask(lambda client: client.delete(people.EMAIL, made.id)))
    assert "new.address@gmail.com" not in told.emails(person)


def test_what_we_wrote_ourselves_comes_back_and_changes_nothing(told: Told) -> None:
    person = somebody(told, 2)["id"]

    def write_and_keep() -> None:
        told.ask(lambda client: client.update(people.PERSON, person, {"nickname": "Ours"}))
        told.ask(lambda client: pull.refresh_person(person, client))

    told.after(write_and_keep)
    assert told.outcomes(f"person {person}") == {"Read again: it was so here already."}


def test_a_merge_by_hand_is_followed_in_whatever_order_its_events_come(told: Told) -> None:
    told.control("POST", "settings", {"webhook_copies": 2})
    keep, remove = somebody(told, 3)["id"], somebody(told, 4)["id"]
    told.after(lambda: told.control("POST", "merge", {"keep": keep, "remove": remove}), deliveries=2)
    told.control("POST", "settings", {"webhook_copies": 1})
    assert told.outcomes(f"person {remove}") & {f"Merged into #{keep}; what is here goes on with that."}
    gone = told.person(remove)
    assert gone is None or gone.gone_at is not None
    assert told.person(keep) is not None


def test_who_is_deleted_there_is_marked_gone_here_and_not_erased(told: Told) -> None:
    person = somebody(told, 5)["id"]
    told.after(lambda: told.control("DELETE", f"people/{person}"))
    known = told.person(person)
    assert known is not None
    assert known.gone_at is not None


def test_who_leaves_a_household_there_leaves_the_family_here(told: Told) -> None:
    with church_scope(told.church_id):
        families = select(FamilyMember).where(FamilyMember.person_remote_id.is_not(None), FamilyMember.gone_at.is_(None))
        member = db.session.scalars(families).first()
        assert member is not None
        household = member.family.remote_id
    told.ask(lambda client: pull.refresh_family(str(household), client))
    rows = told.ask(lambda client: list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=household)))
    last = rows[-1]
    told.after(lambda: told.ask(lambda client: client.delete(people.HOUSEHOLD_MEMBERSHIP, last.id, parent_id=household)))
    with church_scope(told.church_id):
        left = db.session.scalars(select(FamilyMember).where(FamilyMember.remote_id == last.id)).one_or_none()
        assert left is None or left.gone_at is not None


def test_who_moves_to_another_household_there_moves_here_although_no_roles_were_read(told: Told) -> None:
    with church_scope(told.church_id):
        unread = select(Family.remote_id).where(Family.roles_read_at.is_(None), Family.gone_at.is_(None)).order_by(Family.remote_id)
        first, other = db.session.scalars(unread.limit(2)).all()
    last = told.ask(lambda client: list(client.iterate(people.HOUSEHOLD_MEMBERSHIP, parent_id=first)))[-1]
    told.after(lambda: told.ask(lambda client: client.delete(people.HOUSEHOLD_MEMBERSHIP, last.id, parent_id=first)))
    who = {"person": last.related("person")[0]}
    told.after(lambda: told.ask(lambda client: client.create(people.HOUSEHOLD_MEMBERSHIP, {}, parent_id=other, relationships=who)))
    with church_scope(told.church_id):
        there = FamilyMember.person_remote_id == who["person"].id, FamilyMember.gone_at.is_(None)
        families = select(Family.remote_id).join(FamilyMember, FamilyMember.family_id == Family.id).where(*there)
        assert db.session.scalars(families).all() == [other]


def test_a_secret_that_is_rotated_while_deliveries_are_on_their_way_loses_none(told: Told) -> None:
    name = "people.v2.events.person.updated"
    person = somebody(told, 0)["id"]

    def rotated_there() -> str:
        with church_scope(told.church_id):
            row = db.session.scalars(select(WebhookSubscription).where(WebhookSubscription.name == name)).one()
            remote_id = str(row.remote_id)
        told.ask(lambda client: client.act(webhooks.SUBSCRIPTION, remote_id, "rotate_secret"))
        return remote_id

    rotated_there()
    told.control("PATCH", f"people/{person}", {"nickname": "While rotating"})
    wait_until(lambda: refused(told) > 0, "the delivery that is signed with a secret which we do not know yet")
    with church_scope(told.church_id), transaction():
        subscriptions.want_check()
    told.work()
    told.after(lambda: told.control("POST", "settings", {"advance_s": 60}))
    known = told.person(person)
    assert known is not None
    assert known.nickname == "While rotating"


def refused(told: Told) -> int:
    with church_scope(told.church_id):
        address = subscriptions.find_address()
        assert address is not None
        return address.refused


def test_a_subscription_that_was_switched_off_is_revived_and_what_was_missed_is_pulled(told: Told) -> None:
    with church_scope(told.church_id):
        rows = {row.name: str(row.remote_id) for row in db.session.scalars(select(WebhookSubscription))}
    told.ask(lambda client: client.update(webhooks.SUBSCRIPTION, rows["people.v2.events.person.updated"], {"active": False}))
    person = somebody(told, 6)["id"]
    told.control("PATCH", f"people/{person}", {"nickname": "Missed"})
    with church_scope(told.church_id), transaction():
        subscriptions.want_check()
    told.work()
    known = told.person(person)
    assert known is not None
    assert known.nickname == "Missed"
    with church_scope(told.church_id):
        assert db.session.scalars(select(SyncRun.started_by).where(SyncRun.kind == PULL_FULL, SyncRun.number > 1)).all() == ["Webhooks"]


def test_nothing_of_it_reached_the_neighbour(told: Told) -> None:
    hope = requests.get(f"{told.practice}/_simulator/organizations?people=0", timeout=30).json()[1]
    with every_church(), transaction():
        neighbour = open_church(told.practice, hope["id"], hope["name"], "US", "America/Chicago", "%m/%d/%Y").id
    with church_scope(neighbour):
        assert db.session.scalars(select(WebhookDelivery)).all() == []
        assert db.session.scalars(select(Person)).all() == []
