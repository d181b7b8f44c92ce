"""Whatever staff, visitors, Planning Center and bad luck do, in any order: no card is lost, nobody and nothing is there twice, and what
an undo says is taken back is not there.

STATEFUL_EXAMPLES says how many stories are tried (a dozen by default), STATEFUL_STEPS how long each of them is.
"""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select

from connectcard.cards import corrections
from connectcard.cards.models import IGNORED as LEFT_ALONE
from connectcard.cards.models import Submission
from connectcard.churches.operations import mark_restored
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.connections.operations import disconnect
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people.matching import NEW, SAME
from connectcard.sync import cards_in_sync, decisions, runs, set_aside, undo
from connectcard.sync.models import (
    CARD,
    DONE,
    FAILED,
    FINISHED,
    IGNORED,
    PREVIEW,
    REVIEW,
    STOPPED,
    SYNCED,
    UNDO,
    SyncItem,
    SyncRun,
    SyncStep,
)
from connectcard.sync.plans import REACTIVATE
from connectcard.sync.undo_plans import MAKE_INACTIVE, REMOVE_HOUSEHOLD, REMOVE_MEMBER, REMOVES
from tests.matrix.pairs import FAMILIES, LAGS
from tests.matrix.practice import FULL, Grace, Visitor, grace_church, parts_of
from tests.matrix.wire import FAULTS

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "12"))
STEPS = int(os.environ.get("STATEFUL_STEPS", "25"))
AT_REST = {SYNCED, REVIEW, FAILED, IGNORED}
# What each kind of step of an undo removes; a workflow card stays as a record.
REMOVED = {"remove_email": "Email", "remove_phone": "PhoneNumber", "remove_address": "Address", "remove_field": "FieldDatum"} | {
    "remove_note": "Note", REMOVE_MEMBER: "HouseholdMembership", REMOVE_HOUSEHOLD: "Household"
}  # fmt: skip
assert {*REMOVES.values()} - {"remove_workflow_card"} < {*REMOVED}


class AnyOrder(RuleBasedStateMachine):
    """One church from its first card on. `cards` are those that were acknowledged, with who left them."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.home = Path(mkdtemp(prefix="connectcard-any-order-"))
        self.database = self.home / "connectcard.sqlite"
        shutil.copyfile(self.template, self.database)
        monkeypatch = self.open.enter_context(pytest.MonkeyPatch.context())
        self.grace: Grace = self.open.enter_context(grace_church(f"sqlite:///{self.database}", monkeypatch))
        self.cards: dict[UUID, Visitor] = {}
        self.visitors: list[Visitor] = []
        self.backup: dict[UUID, Visitor] | None = None
        self.touched: set[Visitor] = set()
        self.wanted_anew: Counter[Visitor] = Counter()
        self.survivors: dict[int, tuple[Visitor, str]] = {}
        self.taken_back: set[Visitor] = set()

    # What happens

    @initialize(lag=st.sampled_from(LAGS), family=st.sampled_from(FAMILIES), synced=st.booleans())
    def open_the_doors(self, lag: int, family: tuple[str, ...], synced: bool) -> None:
        self.grace.lag(lag)
        self.submit(family)
        if synced:
            self.press_sync()
            self.grace.rest()

    @rule(family=st.sampled_from(FAMILIES))
    def submit(self, family: tuple[str, ...]) -> None:
        self.visitors.append(Visitor(len(self.visitors), family))
        self.cards[self.grace.leave_card(self.visitors[-1])] = self.visitors[-1]

    @rule(which=st.integers(0, 99))
    def come_again(self, which: int) -> None:
        """The same person leaves another card."""
        visitor = self.visitors[which % len(self.visitors)]
        self.cards[self.grace.leave_card(visitor)] = visitor

    @precondition(lambda self: self.cards)
    @rule(which=st.integers(0, 99))
    def edit(self, which: int) -> None:
        """Staff correct a phone number while the card may be corrected."""

        def correct(submission: Submission) -> None:
            set_aside.refuse_while_it_travels(cards_in_sync.get_card(submission.id))
            answers = submission.answers
            address = {f"address_{name}": text for name, text in answers["address"].items()}
            named = {name: answers[name] for name in ("first_name", "last_name", "email")}
            corrections.correct(submission, {**named, **address, "phone": "+13125550100"}, "Sam Hill")

        self._staff(which, correct)

    @rule()
    def press_sync(self) -> None:
        with suppress(NotFound):
            self.grace.press_sync()

    @rule(seed=st.integers(0, 10_000), how_many=st.integers(0, 2))
    def work(self, seed: int, how_many: int) -> None:
        """A worker does what is due; some of its calls meet a fault, and it may die."""
        random = Random(seed)
        self.grace.wire.begin({random.randrange(1, 40): random.choice(self._faults()) for _ in range(how_many)})
        self.grace.work()
        self.grace.wire.begin({})

    @rule(seconds=st.sampled_from([1, 30, 130, 400]))
    def tick(self, seconds: int) -> None:
        self.grace.wire.move(seconds)

    @rule(which=st.integers(0, 99), gone=st.booleans())
    def staff_merge_or_delete(self, which: int, gone: bool) -> None:
        self.grace.visitor = self.visitors[which % len(self.visitors)]
        self.grace.survivors = {number: name for number, (visitor, name) in self.survivors.items() if visitor == self.grace.visitor}
        self.touched.add(self.grace.visitor)
        (self.grace.delete if gone else self.grace.merge)(None)  # type: ignore[arg-type]
        self.survivors |= {number: (self.grace.visitor, name) for number, name in self.grace.survivors.items()}

    @rule()
    def disconnect(self) -> None:
        with church_scope(self.grace.church_id):
            connection = find_connection()
            assert connection is not None
            end_reading()
            disconnect(connection)

    @rule()
    def connect_again(self) -> None:
        self.grace.reconnect()

    @precondition(lambda self: self.cards)
    @rule(which=st.integers(0, 99), new=st.booleans())
    def decide(self, which: int, new: bool) -> None:
        """Staff answer a question, or try again what was refused."""

        def answer(submission: Submission) -> None:
            item = self._item(submission.id)
            if item is None or item.state not in (REVIEW, FAILED):
                return
            shown = (item.decision or {}).get("candidates", [])
            if not shown:
                decisions.retry(item, "Sam Hill")
                return
            decisions.decide_by_hand(item, NEW if new else SAME, None if new else shown[0]["remote_id"], "Sam Hill")
            self.wanted_anew[self.cards[submission.id]] += new

        self._staff(which, answer)

    @precondition(lambda self: self.cards)
    @rule(which=st.integers(0, 99), back=st.booleans())
    def set_aside_or_bring_back(self, which: int, back: bool) -> None:
        def move(submission: Submission) -> None:
            (set_aside.bring_back if back else set_aside.set_aside)(cards_in_sync.get_card(submission.id))

        self._staff(which, move)

    @precondition(lambda self: self.cards)
    @rule(which=st.integers(0, 99))
    def begin_an_undo(self, which: int) -> None:
        """Staff look at what would be taken back of a sync."""
        with church_scope(self.grace.church_id):
            over = [run.number for run in db.session.scalars(select(SyncRun)) if undo.may_be_undone(run)]
            end_reading()
            if over:
                with transaction():
                    undo.begin(runs.get_run(over[which % len(over)]), "Sam Hill")
        self.grace.work()

    @precondition(lambda self: self.cards)
    @rule(which=st.integers(0, 99), all_of_it=st.booleans(), seed=st.integers(0, 10_000), how_many=st.integers(0, 2))
    def take_a_sync_back(self, which: int, all_of_it: bool, seed: int, how_many: int) -> None:
        """They say yes once everything was looked at, to all of it or to every second row; a worker begins with it."""
        self.begin_an_undo(which)

        def confirm(run: SyncRun) -> None:
            rows = [row.id for one in undo.undone_in(run) for row in one.rows if row.optional]
            undo.leave_out(run, rows, rows if all_of_it else rows[::2], "Sam Hill")
            undo.confirm(run)
            self.taken_back |= set(self.visitors)

        self._of_undos(which, confirm, lambda run: run.state == PREVIEW)
        self.work(seed, how_many)

    @rule(which=st.integers(0, 99))
    def discard_an_undo(self, which: int) -> None:
        self._of_undos(which, undo.discard, lambda run: run.state == PREVIEW)

    @rule(which=st.integers(0, 99))
    def send_again_what_was_taken_back(self, which: int) -> None:
        self._of_undos(which, lambda run: undo.send_again(run, "Sam Hill"), lambda run: run.finished_at is not None)

    @rule()
    def back_up(self) -> None:
        with closing(sqlite3.connect(self.database)) as now, closing(sqlite3.connect(self.home / "backup.sqlite")) as then:
            now.backup(then)
        self.backup = dict(self.cards)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        """The database of then takes the place of today's; what came in since is gone from it, and is there at most once remotely."""
        assert self.backup is not None
        db.session.remove()
        db.engine.dispose()
        with closing(sqlite3.connect(self.home / "backup.sqlite")) as then, closing(sqlite3.connect(self.database)) as now:
            then.backup(now)
        with every_church(), transaction():
            mark_restored()
        self.grace.reconnect()
        self.cards = dict(self.backup)
        # A database of before an undo does not know that what it had written is gone.
        self.touched |= self.taken_back

    # What must be true

    @invariant()
    def every_card_is_kept(self) -> None:
        with church_scope(self.grace.church_id):
            assert db.session.scalar(select(func.count(Submission.id))) == len(self.cards)
            end_reading()

    @invariant()
    def nothing_is_there_twice(self) -> None:
        assert [wrong for visitor in self.visitors for wrong in self._extra(visitor)] == []

    @invariant()
    def what_was_taken_back_is_gone(self) -> None:
        """Of what an undo says it removed nothing is there; people are never deleted for it."""
        store, organization = self.grace.simulator.store, self.grace.organization
        with church_scope(self.grace.church_id):
            removed = select(SyncStep.kind, SyncStep.remote_id).where(SyncStep.kind.in_(REMOVED), SyncStep.state == DONE)
            rows = [(REMOVED[kind], int(remote_id)) for kind, remote_id in db.session.execute(removed) if remote_id]
            end_reading()
        assert [(kind, remote_id) for kind, remote_id in rows if store.get(kind, organization, remote_id)] == []

    def teardown(self) -> None:
        try:
            self._come_to_rest()
            self.nothing_is_there_twice()
            self.what_was_taken_back_is_gone()
            states = {submission_id: self._standing(submission_id) for submission_id in self.cards}
            assert set(states.values()) <= AT_REST, states
            assert self._of_the_undos() == []
            assert [wrong for card, state in states.items() if state == SYNCED for wrong in self._missing(card)] == []
        finally:
            self.open.close()
            shutil.rmtree(self.home)

    def _come_to_rest(self) -> None:
        self.grace.reconnect()
        self.grace.wire.begin({})
        self.press_sync()
        self.grace.wire.move(1)
        assert self.grace.rest() < 50
        self.grace.wire.move(400)

    def _of_the_undos(self) -> list[str]:
        """What is not at rest of an undo, or went wrong in words that say nothing."""
        with church_scope(self.grace.church_id):
            open_runs = [run for run in db.session.scalars(select(SyncRun)) if run.state not in (FINISHED, STOPPED, PREVIEW)]
            items = list(db.session.scalars(select(SyncItem).where(SyncItem.kind == UNDO)))
            wrong = [f"run {run.number} did not end: {run.state}" for run in open_runs]
            wrong += [f"an undo is {item.state}: {item.reason}" for item in items if item.state not in AT_REST]
            wrong += [f"an undo is {item.state} without a reason" for item in items if item.state in (REVIEW, FAILED) and not item.reason]
            wrong += [word for item in items if item.state == SYNCED for word in self._still_active(item)]
            end_reading()
        return wrong

    def _still_active(self, item: SyncItem) -> list[str]:
        """Whom an undo made inactive is inactive, unless they were sent again or somebody in Planning Center touched them. Who was made
        active again by a later sync is so until that one is taken back, of which staff may leave it out."""
        card = undo.undone_item(item)
        visitor = self.cards.get(card.about) if card.kind == CARD else None
        if visitor is None or visitor in self.touched or list(self.cards.values()).count(visitor) > 1 or card.planned_at is not None:
            return []
        active_again = [step.done_at for step in card.steps if step.kind == REACTIVATE and step.state == DONE and step.done_at]
        done = [step for step in item.steps if step.kind == MAKE_INACTIVE and step.state == DONE and step.done_at]
        made = [step for step in done if step.done_at == max([step.done_at, *active_again])]
        rows = [self.grace.simulator.store.get("Person", self.grace.organization, int(step.remote_id or 0)) for step in made]
        return [
            f"{visitor.last_name}: {row and row['status']} after the undo" for row in rows if row is None or row["status"] != "inactive"
        ]

    def _of_undos(self, which: int, change: Callable[[SyncRun], object], fits: Callable[[SyncRun], bool]) -> None:
        """What staff press on the page of an undo, or what the page answers."""
        with church_scope(self.grace.church_id):
            undos = [run.number for run in db.session.scalars(select(SyncRun).where(SyncRun.kind == UNDO)) if fits(run)]
            end_reading()
            with suppress(ChangeRefused):
                if undos:
                    with transaction():
                        change(runs.get_run(undos[which % len(undos)]))

    def _extra(self, visitor: Visitor) -> list[str]:
        people = self._people(visitor)
        names = Counter(name for name, _ in people)
        most = 1 + self.wanted_anew[visitor]
        too_many = [f"{visitor.last_name}: {count} x {name}" for name, count in names.items() if count > most]
        twice = [f"{visitor.last_name}: {count} x {part}" for _, parts in people for part, count in parts.items() if count > 1]
        return too_many + twice

    def _missing(self, card: UUID) -> list[str]:
        visitor = self.cards[card]
        if visitor in self.touched:
            return []
        with church_scope(self.grace.church_id):
            item = self._item(card)
            assert item is not None
            remote_id = int(item.person_remote_id or 0)
            end_reading()
        row = self.grace.simulator.store.get("Person", self.grace.organization, remote_id)
        if row is None:
            return [f"{visitor.last_name}: person {remote_id} is not there"]
        kinds = Counter(kind for kind, _ in parts_of(self.grace.simulator, row).elements())
        return [f"{visitor.last_name}: {kinds[kind]} of {least} {kind}" for kind, least in FULL.items() if kinds[kind] < least]

    def _people(self, visitor: Visitor) -> list[tuple[str, Counter[tuple[str, str]]]]:
        self.grace.visitor = visitor
        self.grace.survivors = {number: name for number, (whose, name) in self.survivors.items() if whose == visitor}
        return [(self.grace.name_of(row), parts_of(self.grace.simulator, row)) for row in self.grace.people()]

    def _faults(self) -> list[str]:
        return [kind for kind in FAULTS if kind not in ("merged", "deleted")]

    def _item(self, submission_id: UUID) -> SyncItem | None:
        return db.session.scalars(select(SyncItem).where(SyncItem.submission_id == submission_id)).first()

    def _standing(self, submission_id: UUID) -> str:
        with church_scope(self.grace.church_id):
            item = self._item(submission_id)
            submission = db.session.get_one(Submission, submission_id)
            standing = IGNORED if submission.state == LEFT_ALONE else item.state if item else "no item"
            end_reading()
            return standing

    def _staff(self, which: int, act: Callable[[Submission], Any]) -> None:
        """Staff do something to a card, and may be told that it cannot be done just now."""
        submission_id = list(self.cards)[which % len(self.cards)]
        with church_scope(self.grace.church_id), suppress(ChangeRefused, NotFound), transaction() as session:
            act(session.get_one(Submission, submission_id))


@pytest.mark.timeout(max(300, EXAMPLES * 30))
def test_anything_in_any_order(sqlite_template: Path) -> None:
    AnyOrder.template = sqlite_template
    how = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, derandomize=EXAMPLES <= 12)
    run_state_machine_as_test(AnyOrder, settings=settings(how, suppress_health_check=list(HealthCheck)))  # type: ignore[no-untyped-call]
