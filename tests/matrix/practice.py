"""Grace Church with its shipped worker, a real database and a practice Planning Center, all in this process, on one moved clock."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from random import Random
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from connectcard import create_app
from connectcard.cards.models import Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.models import Church
from connectcard.churches.operations import open_church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import clock as the_clock
from connectcard.clock import now
from connectcard.connections import budget, tokens
from connectcard.connections.models import CONNECTED, Connection, RemoteChoice
from connectcard.connections.operations import read_choices
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import client, oauth, transport
from connectcard.planning_center import wire as wire_of_client
from connectcard.simulator import PRACTICE_CLIENT_ID, PRACTICE_CLIENT_SECRET, create_simulator
from connectcard.simulator import oauth as simulator_oauth
from connectcard.simulator.state import Simulator, the
from connectcard.simulator.store import Row
from connectcard.sync import lanes, runs
from connectcard.sync.models import (
    CLAIMED,
    FAILED,
    INTENT,
    OPEN_STATES,
    OUTCOMES,
    REVIEW,
    SYNCED,
    Destination,
    SyncItem,
    SyncRun,
    SyncStep,
)  # fmt: skip
from tests.conftest import MovedClock, make_config, running
from tests.matrix.interleaved import Interleaved, give_way
from tests.matrix.wire import CONNECTION, REFUSALS, Crash, Request, Wire, sent_over

ORIGIN = "http://127.0.0.1:80"
MOST_PASSES = 60
SPOUSE, CHILD = "wed", "kid"


class MovingEvent(Event):
    """A worker's stop signal: waiting for it takes no real time."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def wait(self, timeout: float | None = None) -> bool:
        self.wire.move(timeout or 0.0)
        return self.is_set()


@dataclass(frozen=True)
class Visitor:
    """Somebody with a full card, unlike everybody else by every mark; `family` says who stands on the card with them."""

    number: int
    family: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Letters that are like nobody else's: two names that differ in one letter might be a typo."""
        digest = sha256(str(self.number).encode()).digest()
        return "".join("abcdefghijklmnopqrstuvwxyz"[byte % 26] for byte in digest[:9])

    @property
    def first_name(self) -> str:
        return self.code.capitalize()

    @property
    def last_name(self) -> str:
        return f"{self.code}son".capitalize()

    @property
    def email(self) -> str:
        return f"{self.code}.quist@gmail.com"

    @property
    def phone(self) -> str:
        return f"+1217{2_000_000 + self.number:07d}"

    @property
    def names(self) -> list[str]:
        """The first names of the visitor and the family."""
        return [self.first_name, *(self.first_name_of(who) for who in self.family)]

    def first_name_of(self, who: str) -> str:
        return f"{who}{self.code}".capitalize()

    def on_the_card(self) -> str | None:
        """The family as a card keeps it."""
        children = [{"first_name": self.first_name_of(CHILD), "age": "6"}] if CHILD in self.family else []
        spouse = {"first_name": self.first_name_of(SPOUSE)} if SPOUSE in self.family else {}
        return json.dumps({"spouse": spouse, "children": children}) if self.family else None

    def answers(self) -> dict[str, Any]:
        address = {"street": f"{self.number + 1} Oak Street", "city": "Springfield", "state": "IL", "zip": "62701"}
        named = {"first_name": self.first_name, "last_name": self.last_name, "email": self.email, "phone": self.phone}
        return {**named, "address": address, "visit": "first_time", "heard": "friend", "text_me": True}


@dataclass
class Fared:
    """How one card fared: what was met, where it rests, and everything that is wrong about it."""

    number: int
    faults: dict[int, str]
    met: list[tuple[int, str]]
    state: str
    reason: str | None
    passes: int
    calls: int
    duplicates: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [self.words(one) for one in self.duplicates + self.losses + self.others]

    def words(self, wrong: str) -> str:
        return f"run {self.number} {self.faults}: {wrong} (met {self.met}, {self.state}, {self.reason})"


@dataclass
class Grace:
    """Grace Church as the matrix drives it."""

    app: Flask
    church_id: UUID
    simulator: Simulator
    wire: Wire
    clock: MovedClock
    organization: int
    by_hand: FlaskClient
    number: int = 0
    dead: bool = False
    armed: list[tuple[int, str]] = field(default_factory=list)
    survivors: dict[int, str] = field(default_factory=dict)
    went: dict[int, datetime] = field(default_factory=dict)
    visitor: Visitor = field(default_factory=lambda: Visitor(0))
    baseline: Counter[str] = field(default_factory=Counter)
    scopes: str = "openid people"
    side_by_side: Interleaved = field(default_factory=lambda: Interleaved(Random(0)))

    def lag(self, seconds: int) -> None:
        """From now on the searches find what is at least so old."""
        self.simulator.change_settings({"search_lag_s": seconds})

    # What happens at Grace Church

    def leave_card(self, visitor: Visitor, **others: Any) -> UUID:
        with church_scope(self.church_id), transaction() as session:
            card = ensure_default_card(session.get_one(Church, self.church_id))
            answers = {**visitor.answers(), **others}
            named = {name: answers.get(name, "") for name in ("first_name", "last_name", "email", "phone")}
            answers = {name: value for name, value in answers.items() if value}
            submission = Submission(card_id=card.id, submission_key=uuid4(), answers_hash=uuid4().hex, answers=answers, **named)
            submission.prayer = "For my mother."
            submission.family = visitor.on_the_card()
            session.add(submission)
            return submission.id

    def press_sync(self) -> int:
        with church_scope(self.church_id), transaction():
            return runs.start_push("Sam Hill").number

    def work(self) -> None:
        """One worker process does what is due, and ends or dies."""
        with suppress(Crash):
            lanes.advance(self.church_id, MovingEvent(self.wire), side_by_side=self.side_by_side)
        self.dead, self.armed = False, []

    def work_beside(self) -> None:
        """Another worker process, elsewhere, does what is due."""

        def work() -> None:
            with self.app.app_context(), suppress(Crash):
                lanes.advance(self.church_id, MovingEvent(self.wire), side_by_side=self.side_by_side)

        thread = Thread(target=work)
        thread.start()
        thread.join()

    def rest(self) -> int:
        """Passes of the worker, with the clock moved to the next moment at which something is due, until nothing is open."""
        for passes in range(1, MOST_PASSES):
            self.work()
            moment = self.next_moment()
            if moment is None:
                return passes
            self.wire.move(max(0.0, (moment - self.clock()).total_seconds()) + 0.001)
        return MOST_PASSES

    def next_moment(self) -> datetime | None:
        """When a worker can do something again; None where everything rests."""
        with church_scope(self.church_id):
            open_items = list(db.session.scalars(select(SyncItem).where(SyncItem.state.in_(OPEN_STATES))))
            connection = find_connection()
            assert connection is not None
            needs_owner, lane_until = connection.state != CONNECTED, connection.lane_until
        if not open_items:
            return lane_until or self.clock() if self.has_due_work(lane_until) else None
        if needs_owner:
            self.reconnect()
        moments = [item.lease_until if item.state == CLAIMED else item.due_at for item in open_items]
        known = [moment for moment in moments if moment is not None]
        soonest = max(min(known), lane_until or min(known))
        # What is due and was not worked waits for another card that is in hand.
        return soonest if soonest > self.clock() else min((moment for moment in known if moment > self.clock()), default=soonest)

    def has_due_work(self, lane_until: datetime | None) -> bool:
        """Whether a worker would be woken, once the lane of one that died is free."""
        self.wire.move(max(0.0, ((lane_until or self.clock()) - self.clock()).total_seconds()) + 0.001)
        return self.church_id in lanes.churches_with_due_work()

    def reconnect(self) -> None:
        """An owner signs the church in again."""
        grant = (self.number + 1000, self.organization, self.simulator.store.all("Person", self.organization)[0].id, self.scopes)
        with self.simulator.store.transaction():
            facts = {"client_id": PRACTICE_CLIENT_ID}
            access = simulator_oauth.issue(self.simulator, "access", grant, 7200, facts)
            refresh = simulator_oauth.issue(self.simulator, "refresh", grant, 90 * 86400, facts)
        with church_scope(self.church_id), transaction():
            connection = find_connection()
            assert connection is not None
            tokens.keep_tokens(connection, tokens.Tokens(access, refresh), now())

    # Faults that are more than an answer

    def expire_token(self, _request: Request) -> None:
        with self.simulator.store.transaction():
            self.simulator.store.execute("update credential set expires_at = ? where kind = 'access'", (self.clock().timestamp() - 1,))

    def merge(self, _request: Request) -> None:
        """Staff merge somebody of the card into somebody else, if they are there."""
        for row in self.met():
            with self.simulator.store.transaction():
                at = row.updated_at
                kept = self.simulator.store.add(
                    Row("Person", self.organization, {"first_name": "Kept", "status": "active"}, created_at=at, updated_at=at)
                )
            self.by_hand.post("/_simulator/merge", json={"keep": str(kept.id), "remove": str(row.id)})
            self.survivors[kept.id], self.went[row.id] = self.name_of(row), self.clock()

    def delete(self, _request: Request) -> None:
        for row in self.met():
            self.by_hand.delete(f"/_simulator/people/{row.id}")
            self.went[row.id] = self.clock()

    def met(self) -> list[Row]:
        """Whom a merge or a deletion meets: with an even call the visitor, with an odd one whoever of the family came last."""
        people = sorted(self.people(), key=lambda row: row.id)
        named = [row for row in people if self.name_of(row) == self.visitor.first_name]
        return named if len(self.wire.calls) % 2 == 0 else people[-1:]

    def name_of(self, row: Row) -> str:
        """The first name that stands on the card for somebody, though they were merged."""
        return self.survivors.get(row.id, str(row["first_name"]))

    def give_way(self, _request: Request) -> None:
        """Those beside a request go on; where one of them died, the whole process did."""
        give_way()
        if self.dead:
            raise Crash("this process is gone")

    def arm(self, commits: int, what: str) -> None:
        self.armed.append((commits, what))

    def before_commit(self) -> None:
        if self.dead:
            raise Crash("this process is gone")
        if (0, "sleep") in self.armed:
            self.armed.remove((0, "sleep"))
            self.sleep()

    def after_commit(self) -> None:
        due = [what for commits, what in self.armed if commits == 1]
        self.armed = [(commits - 1, what) if commits > 0 else (commits, what) for commits, what in self.armed if commits != 1]
        for what in due:
            if what == "crash":
                self.die()
            self.sleep()

    def die(self) -> None:
        self.dead = True
        raise Crash("this process is gone")

    def sleep(self) -> None:
        """This worker stands still for 200 seconds; another one takes over meanwhile."""
        self.wire.move(200)
        self.work_beside()

    # What is there

    def people(self) -> list[Row]:
        """Everybody in Planning Center who has this visitor's name, or was merged with them."""
        rows = self.simulator.store.execute(
            "select id from record where organization = ? and kind = 'Person' and fold(json_extract(attributes, '$.last_name')) = ?",
            (self.organization, self.visitor.last_name.casefold()),
        )
        found = [self.simulator.store.get("Person", self.organization, row[0]) for row in rows]
        return [row for row in found if row is not None] + self.kept()

    def kept(self) -> list[Row]:
        found = [self.simulator.store.get("Person", self.organization, number) for number in self.survivors]
        return [row for row in found if row is not None]

    def households(self) -> int:
        """How many households were made for this visitor."""
        rows = self.simulator.store.all("Household", self.organization)
        return sum(row["name"] == f"{self.visitor.last_name} Household" for row in rows)

    def records(self) -> Counter[str]:
        rows = self.simulator.store.execute("select kind, count(*) from record where organization = ? group by kind", (self.organization,))
        return Counter({kind: count for kind, count in rows if kind in PARTS or kind == "Person"})

    # One run of the matrix

    def run(self, faults: dict[int, str], family: tuple[str, ...] = (CHILD,)) -> Fared:
        """A full card of somebody new goes to rest, whatever it meets."""
        self.number, self.visitor, self.survivors, self.went = self.number + 1, Visitor(self.number, family), {}, {}
        self.wire.move(400)
        self.simulator.later.forget()
        self.reconnect()
        submission_id = self.leave_card(self.visitor)
        number = self.press_sync()
        self.wire.begin(faults)
        self.side_by_side = Interleaved(Random(f"{self.number} {sorted(faults.items())}"))
        passes = self.rest()
        self.wire.move(400)
        return self.fared(submission_id, number, faults, passes)

    def fared(self, submission_id: UUID, run_number: int, faults: dict[int, str], passes: int) -> Fared:
        with church_scope(self.church_id):
            item = db.session.scalars(select(SyncItem).where(SyncItem.submission_id == submission_id)).one()
            run = db.session.scalars(select(SyncRun).where(SyncRun.number == run_number)).one()
            unclear = db.session.scalar(select(func.count(SyncStep.id)).where(SyncStep.item_id == item.id, SyncStep.state == INTENT))
        fared = Fared(self.number, faults, list(self.wire.met), item.state, item.reason, passes, len(self.wire.calls))
        people = self.people()
        found = {row.id: parts_of(self.simulator, row) for row in people}
        fared.duplicates = duplicates(found, Counter(self.name_of(row) for row in people), self.households())
        fared.losses = losses(item, found, self.went) + not_at_home(fared, found, self.visitor)
        fared.others = [*counted(run, item), *unclear_elsewhere(item, unclear or 0), *needless(fared)]
        self.account(found)
        return fared

    def account(self, found: dict[int, Counter[tuple[str, str]]]) -> None:
        """Keep count of all that may be there, so that a record on somebody else shows."""
        self.baseline["Person"] += len(found)
        for parts in found.values():
            for (kind, _), count in parts.items():
                self.baseline[kind] += count


# What a person has, and what may be wrong with it.

PARTS = {
    "Email": "address", "PhoneNumber": "e164", "Address": "street_line_1", "FieldDatum": "value", "Note": "note", "WorkflowCard": "",
    "HouseholdMembership": "",
}  # fmt: skip
FULL = {"Email": 1, "PhoneNumber": 1, "Address": 1, "FieldDatum": 2, "Note": 1, "WorkflowCard": 1}


def parts_of(simulator: Simulator, person: Row) -> Counter[tuple[str, str]]:
    """Everything below a person, counted by what makes it the same thing again; a workflow card that was taken out is over."""
    rows = [row for kind in PARTS for row in simulator.store.of_person(kind, person.id) if row["stage"] != "removed"]
    return Counter((row.kind, f"{row.parent or ''} {row[PARTS[row.kind]] if PARTS[row.kind] else ''}".strip()) for row in rows)


def duplicates(found: dict[int, Counter[tuple[str, str]]], names: Counter[str], households: int) -> list[str]:
    """What is there twice: of one person of the card, of one thing of theirs, of their household."""
    people = [f"{count} people for one on the card" for count in names.values() if count > 1]
    repeated = [f"{count} x {kind}" for parts in found.values() for (kind, _), count in parts.items() if count > 1]
    contacts = sum((parts for parts in found.values()), Counter[tuple[str, str]]())
    shared = [f"{count} x {kind} in the family" for (kind, key), count in contacts.items() if count > 1 and kind in ("Email", "Note")]
    return people + repeated + shared + ([f"{households} households"] if households > 1 else [])


def losses(item: SyncItem, found: dict[int, Counter[tuple[str, str]]], went: dict[int, datetime]) -> list[str]:
    """What a card says that is not so; whom staff merged or deleted once it had arrived (`went`) it cannot know of."""
    if item.state in (REVIEW, FAILED):
        return [] if item.reason else [f"{item.state} without a reason"]
    if item.state != SYNCED:
        return [f"did not come to rest: {item.state}, {item.reason}"]
    person = int(item.person_remote_id or 0)
    parts = found.get(person)
    if parts is None:
        arrived_first = person in went and item.synced_at is not None and went[person] >= item.synced_at
        return [] if arrived_first else [f"synced, but person {item.person_remote_id} is not there"]
    kinds = Counter(kind for kind, _ in parts.elements())
    return [f"synced with {kinds[kind]} of {wanted} {kind}" for kind, wanted in FULL.items() if kinds[kind] < wanted]


def not_at_home(fared: Fared, found: dict[int, Counter[tuple[str, str]]], visitor: Visitor) -> list[str]:
    """Of a card that says nothing is missing everybody is in one household, unless staff deleted somebody."""
    if fared.state != SYNCED or fared.reason or not visitor.family or "deleted" in {kind for _, kind in fared.met}:
        return []
    homes = Counter(key for parts in found.values() for key in parts if key[0] == "HouseholdMembership")
    members, wanted = max(homes.values(), default=0), len(visitor.names)
    return [f"synced with {members} of {wanted} in the household"] if members < wanted else []


def counted(run: SyncRun, item: SyncItem) -> list[str]:
    """The counters say what became of the card."""
    outcome = {SYNCED: run.created + run.updated + run.skipped, REVIEW: run.needs_you, FAILED: run.failed}.get(item.state, 0)
    total = sum(getattr(run, name) for name in OUTCOMES)
    if (run.total, total, outcome) != (1, 1, 1):
        return [f"counters do not add up: total {run.total}, settled {total}, {outcome} as {item.state}"]
    return [] if run.finished_at else [f"the run did not end: {run.state}"]


def unclear_elsewhere(item: SyncItem, unclear: int) -> list[str]:
    return [f"{unclear} unclear writes, but {item.state}"] if unclear and item.state != REVIEW else []


def needless(fared: Fared) -> list[str]:
    """A card that met nothing but lost requests arrives without anybody's help."""
    if (fared.state == SYNCED and fared.reason is None) or REFUSALS & {kind for _, kind in fared.met}:
        return []
    return [f"needs somebody without need: {fared.state}, {fared.reason}"]


# Setting it up.


@contextmanager
def grace_church(database_url: str, monkeypatch: pytest.MonkeyPatch, lag: int = 0) -> Iterator[Grace]:
    """Grace Church, connected by OAuth, with note and workflow mapped; every clock and every wait is the moved one."""
    clock = MovedClock()
    simulator_app = create_simulator(people=12)
    simulator = the(simulator_app)
    wire = Wire(simulator_app, clock)
    replace_the_clock(monkeypatch, clock, simulator, wire)
    monkeypatch.setattr(CONNECTION, "_new_conn", sent_over(wire))
    simulator.change_settings({"limit": 1_000_000, "search_lag_s": lag})
    config = make_config(database_url, pco_base_url=ORIGIN, pco_client_id=PRACTICE_CLIENT_ID, pco_client_secret=PRACTICE_CLIENT_SECRET)
    try:
        with running(create_app(config)) as app:
            grace = Grace(
                app, connected_church(simulator), simulator, wire, clock, simulator.store.organizations()[0].id, simulator_app.test_client()
            )
            set_up(grace, monkeypatch)
            yield grace
    finally:
        simulator.close()


def replace_the_clock(monkeypatch: pytest.MonkeyPatch, clock: MovedClock, simulator: Simulator, wire: Wire) -> None:
    monkeypatch.setattr(the_clock, "source", clock)
    for module in (budget, tokens, client, transport, oauth, wire_of_client):
        monkeypatch.setattr(module, "monotonic", lambda: clock().timestamp())
    monkeypatch.setattr(tokens, "sleep", wire.move)
    monkeypatch.setattr(simulator.moments, "seconds", lambda: clock().timestamp())


def connected_church(simulator: Simulator) -> UUID:
    organization = simulator.store.organizations()[0]
    with every_church(), transaction():
        church_id = open_church(ORIGIN, str(organization.id), organization["name"], "US", "America/Chicago", "%m/%d/%Y").id
    with church_scope(church_id), transaction() as session:
        ensure_default_card(session.get_one(Church, church_id))
        session.add(Connection(state=CONNECTED, origin=ORIGIN, organization_id=str(organization.id)))
    return church_id


def set_up(grace: Grace, monkeypatch: pytest.MonkeyPatch) -> None:
    grace.reconnect()
    with church_scope(grace.church_id):
        connection = find_connection()
        assert connection is not None
        end_reading()
        read_choices(connection)
        map_everything()
    grace.wire.actors = {
        "token expires": grace.expire_token,
        "staff merge the person": grace.merge,
        "staff delete the person": grace.delete,
        "crash with the next commit": lambda _request: grace.arm(1, "crash"),
        "sleep before the next commit": lambda _request: grace.arm(0, "sleep"),
        "sleep after the next commit": lambda _request: grace.arm(1, "sleep"),
        "sleep after the commit after the next": lambda _request: grace.arm(2, "sleep"),
        "give way": grace.give_way,
        "die": lambda _request: setattr(grace, "dead", True),
    }
    grace.baseline = grace.records()
    watch_commits(grace, monkeypatch)


def map_everything() -> None:
    """Prayer goes into a note, a first visit into a workflow; the custom fields follow from their names."""
    with transaction() as session:
        found = {choice.kind: choice for choice in session.scalars(select(RemoteChoice).order_by(RemoteChoice.position.desc()))}
        workflow = session.scalars(
            select(RemoteChoice).where(RemoteChoice.kind == "workflow", RemoteChoice.name.like("New visitor%"))
        ).one()
        session.add(Destination(card_field="prayer", kind="note", target=found["note_category"].remote_id))
        session.add(Destination(card_field="visit", kind="workflow_card", target=workflow.remote_id))


def watch_commits(grace: Grace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker can die or fall asleep at any commit of its own."""

    @contextmanager
    def watched() -> Iterator[Any]:
        grace.before_commit()
        with transaction() as session:
            yield session
        grace.after_commit()

    for name, module in list(sys.modules.items()):
        if name.startswith("connectcard.sync") and getattr(module, "transaction", None) is transaction:
            monkeypatch.setattr(module, "transaction", watched)
