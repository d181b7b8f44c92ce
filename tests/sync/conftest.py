"""Grace Church on a practice Planning Center of its own: cards come in, the shipped worker sends them, time is moved."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from flask import Flask

from connectcard import create_app
from connectcard.cards.models import Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.models import Church
from connectcard.churches.operations import open_church
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.config import Config, Waits
from connectcard.connections import budget, clients
from connectcard.connections.clients import client_for
from connectcard.connections.models import CONNECTED, PERSONAL_ACCESS_TOKEN, Connection, RemoteChoice
from connectcard.connections.operations import note_visit, read_choices
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.jobs.retention import erase_expired
from connectcard.planning_center.resources import people
from connectcard.simulator import create_simulator
from connectcard.sync import lanes, runs
from connectcard.sync.cards_in_sync import get_card
from connectcard.sync.models import CLAIMED, OPEN_STATES, SyncItem, SyncRun, SyncStep
from connectcard.sync.previews import Preview, find_preview, want_preview
from connectcard.sync.set_aside import bring_back, set_aside
from tests import servers
from tests.conftest import MovedClock, make_config, running


@dataclass
class Practice:
    """The practice Planning Center, by its control paths."""

    url: str

    def now(self) -> datetime:
        """What its own clock says."""
        return datetime.fromisoformat(requests.get(f"{self.url}/_simulator/settings", timeout=30).json()["now"])

    def post(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def organization(self, place: int = 0, *, people: bool = True) -> dict[str, Any]:
        return requests.get(f"{self.url}/_simulator/organizations?people={int(people)}", timeout=60).json()[place]  # type: ignore[no-any-return]

    def people(self, place: int = 0) -> list[dict[str, Any]]:
        return self.organization(place)["people"]  # type: ignore[no-any-return]

    def named(self, first_name: str, last_name: str) -> list[dict[str, Any]]:
        return [person for person in self.people() if (person["first_name"], person["last_name"]) == (first_name, last_name)]

    def fault(self, method: str, path: str, kind: str, times: int = 1, after: int = 0, **more: Any) -> None:
        self.post("faults", {"method": method, "path": path, "kind": kind, "times": times, "after": after, **more})

    def open_faults(self) -> list[dict[str, Any]]:
        return requests.get(f"{self.url}/_simulator/faults", timeout=30).json()  # type: ignore[no-any-return]

    def delete(self, person_remote_id: str) -> None:
        """Somebody deletes a person in Planning Center."""
        assert requests.delete(f"{self.url}/_simulator/people/{person_remote_id}", timeout=30).ok

    def rename(self, person_remote_id: str, first_name: str, last_name: str) -> None:
        """Somebody changes a name in Planning Center."""
        named = {"first_name": first_name, "last_name": last_name}
        assert requests.patch(f"{self.url}/_simulator/people/{person_remote_id}", json=named, timeout=30).ok

    def requests_since(self, number: int) -> list[dict[str, Any]]:
        return requests.get(f"{self.url}/_simulator/log?since={number}", timeout=30).json()  # type: ignore[no-any-return]


@dataclass
class GraceChurch:
    """Grace Church, connected; what its staff and its worker do."""

    app: Flask
    church_id: UUID
    practice: Practice
    clock: MovedClock

    def card(self, first_name: str, last_name: str = "", email: str = "", phone: str = "", **answers: Any) -> UUID:
        """A visitor left this card, a moment after the one before: what comes in at one moment has no order."""
        self.clock.move(milliseconds=1)
        named = {"first_name": first_name, "last_name": last_name, "email": email, "phone": phone}
        written = {key: value for key, value in {**named, **answers}.items() if value and key not in ("prayer", "family")}
        with church_scope(self.church_id), transaction() as session:
            church = session.get(Church, self.church_id)
            assert church is not None
            card = ensure_default_card(church)
            submission = Submission(card_id=card.id, submission_key=uuid4(), answers_hash=uuid4().hex, answers=written, **named)
            submission.prayer = answers.get("prayer")
            submission.family = json.dumps(answers["family"]) if "family" in answers else None
            session.add(submission)
            return submission.id

    def press_sync(self) -> int:
        with church_scope(self.church_id):
            with transaction():
                run = runs.start_push("Sam Hill")
            return run.number

    def preview(self, submission_id: UUID) -> Preview:
        """Staff ask what a card would write, and the worker looks."""
        with church_scope(self.church_id), transaction():
            want_preview(submission_id)
        self.work()
        with church_scope(self.church_id):
            preview = find_preview(submission_id)
        assert preview is not None
        return preview

    def ignored_for(self, submission_id: UUID, days: int = 0) -> tuple[int, int]:
        """Staff set a card aside, and take it up again so many days later; gives what was erased by then."""
        with church_scope(self.church_id), transaction():
            set_aside(get_card(submission_id))
        self.move(days=days)
        with church_scope(self.church_id):
            erased = erase_expired(get_church())
            with transaction():
                bring_back(get_card(submission_id))
        return erased

    def work(self) -> None:
        """One pass of the worker over everything that is due."""
        lanes.advance(self.church_id, Event())

    def work_until_done(self, number: int, minutes: float = 30) -> SyncRun:
        """The worker's passes, the clock moved between them to when something is due again, until the run is over."""
        end = self.clock() + timedelta(minutes=minutes)
        while self.clock() < end:
            self.work()
            run = self.run(number)
            if run.finished_at:
                return run
            self.move(seconds=self.seconds_until_due())
        raise AssertionError(f"run {number} did not end: {[(item.state, item.reason) for item in self.items()]}")

    def seconds_until_due(self) -> float:
        """How long nothing is due; ten seconds where something is and waits for what no row tells."""
        open_items = [item for item in self.items() if item.state in OPEN_STATES]
        moments = [item.lease_until if item.state == CLAIMED else item.due_at for item in open_items]
        waits = [(moment - self.clock()).total_seconds() for moment in moments if moment is not None]
        return max(10.0, min(waits, default=0.0) + 0.001)

    def move(self, **by: float) -> None:
        """Both clocks, ours and Planning Center's."""
        self.clock.move(**by)
        self.practice.post("settings", {"advance_s": timedelta(**by).total_seconds()})

    def run(self, number: int) -> SyncRun:
        with church_scope(self.church_id):
            return runs.get_run(number)

    def items(self) -> list[SyncItem]:
        with church_scope(self.church_id):
            return list(db.session.scalars(db.select(SyncItem)))

    def item(self, submission_id: UUID) -> SyncItem:
        return next(item for item in self.items() if item.submission_id == submission_id)

    def steps(self, submission_id: UUID) -> list[SyncStep]:
        item = self.item(submission_id)
        with church_scope(self.church_id):
            return list(db.session.scalars(db.select(SyncStep).where(SyncStep.item_id == item.id).order_by(SyncStep.position)))

    def choices(self, kind: str) -> list[RemoteChoice]:
        with church_scope(self.church_id):
            return list(db.session.scalars(db.select(RemoteChoice).where(RemoteChoice.kind == kind)))


@pytest.fixture
def simulator() -> Iterator[str]:
    """A small practice Planning Center of the test's own; gives its address."""
    with servers.serving(create_simulator(people=12)) as url:
        yield url


@pytest.fixture
def practice(simulator: str) -> Practice:
    practice = Practice(simulator)
    # Plenty of room, since the clock that is moved is ours and not the simulator's.
    practice.post("settings", {"limit": 100_000})
    return practice


@pytest.fixture
def config(database_url: str, practice: Practice) -> Config:
    token = practice.organization(people=False)["personal_access_token"]
    # Real time: on a busy machine a call may take seconds, and is no fault of the story.
    waits = Waits(send=timedelta(seconds=20))
    return make_config(database_url, pco_base_url=practice.url, personal_access_token=(token["app_id"], token["secret"]), waits=waits)


@pytest.fixture
def grace_church(config: Config, practice: Practice, moved_clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraceChurch]:
    monkeypatch.setattr(budget, "monotonic", lambda: moved_clock().timestamp())
    # What the rate limit holds back is put aside until the clock is moved, rather than waited for.
    monkeypatch.setattr(clients, "WORKER_PATIENCE_SECONDS", 1.0)
    # Both clocks begin together, on whatever day the tests run: an undo compares what either of them says.
    moved_clock.moment = practice.now()
    with running(create_app(config)) as app:
        yield connect_church(app, practice, moved_clock)


def connect_church(app: Flask, practice: Practice, moved_clock: MovedClock, place: int = 0) -> GraceChurch:
    organization = practice.organization(place, people=False)
    with every_church(), transaction():
        church_id = open_church(practice.url, organization["id"], organization["name"], "US", "America/Chicago", "%m/%d/%Y").id
    with church_scope(church_id):
        with transaction() as session:
            ensure_default_card(session.get_one(Church, church_id))
            session.add(
                Connection(
                    kind=PERSONAL_ACCESS_TOKEN if place == 0 else "oauth",
                    state=CONNECTED if place == 0 else "disconnected",
                    origin=practice.url,
                    organization_id=organization["id"],
                )
            )
        connection = find_connection()
        if place == 0 and connection is not None:
            end_reading()
            know_choices(connection)
            end_reading()
    return GraceChurch(app, church_id, practice, moved_clock)


CHOICES: dict[str, list[dict[str, Any]]] = {}
_CHOSEN = ("kind", "remote_id", "name", "position", "parent_remote_id", "detail")


def know_choices(connection: Connection) -> None:
    """What a card's fields can be sent to: the same at each practice Planning Center made from one seed, so that only the first is asked.

    Of another seed the organization has another id.
    """
    choices = CHOICES.get(connection.organization_id)
    if choices is None:
        read_choices(connection)
        assert connection.choices_problem is None
        CHOICES[connection.organization_id] = [_values_of(row) for row in db.session.scalars(db.select(RemoteChoice))]
        return
    # By the first answer a budget learns its limit.
    next(client_for(connection).iterate(people.CAMPUS))
    note_visit(connection.id, None)
    with transaction() as session:
        session.add_all(RemoteChoice(**choice) for choice in choices)
        session.get_one(Connection, connection.id).choices_read_at = now()


def _values_of(row: RemoteChoice) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CHOSEN}


@pytest.fixture
def neighbour_church(grace_church: GraceChurch) -> GraceChurch:
    """The church next door, in the same installation and the same practice Planning Center."""
    return connect_church(grace_church.app, grace_church.practice, grace_church.clock, place=1)
