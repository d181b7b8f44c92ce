"""The ledger of keeping both sides the same: runs, their items, and each single write as a step.

item: pending · claimed · waiting (for a time or for the limit) · review (needs a person) · synced · failed · ignored
step: planned · intent · done · refused · skipped
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from connectcard.churches.tenancy import ChurchOwned, belongs_to, one_church
from connectcard.clock import now
from connectcard.crypto import Sealed
from connectcard.database import Base, UtcDateTime

RUNNING, STOPPING, FINISHED, STOPPED = "running", "stopping", "finished", "stopped"
# An undo that is worked out and shown; nothing of it is sent before somebody says so.
PREVIEW = "preview"
# The runs whose due items a lane takes.
WORKED_ON = (RUNNING, PREVIEW)
PENDING, CLAIMED, WAITING, REVIEW, SYNCED, FAILED, IGNORED = "pending", "claimed", "waiting", "review", "synced", "failed", "ignored"
OPEN_STATES = (PENDING, CLAIMED, WAITING)
PLANNED, INTENT, DONE, REFUSED, LEFT_OUT = "planned", "intent", "done", "refused", "skipped"
CREATED, UPDATED, SKIPPED, NEEDS_YOU = "created", "updated", "skipped", "needs_you"
# What is said of an item or a step; Planning Center may say more of one refusal.
LONGEST_REASON, LONGEST_KEY, LONGEST_LABEL = 500, 300, 200
OUTCOMES = (CREATED, UPDATED, SKIPPED, NEEDS_YOU, FAILED)
# What a run that was stopped had written for an item that did not come to rest in it: counted nowhere, and there to be undone.
BEGUN = "begun"

# Kinds of runs. Those of items work through rows of `sync_item` and end with the last one; the others read, and end themselves.
CARDS, UNDO = "cards", "undo"
PUSH_PEOPLE, PUSH_FAMILIES, PUSH_MEMBERSHIPS, PUSH_FULL = "push_people", "push_families", "push_memberships", "push_full"
PUSH_GROUPS = "push_groups"
PULL_PEOPLE, PULL_FAMILIES, PULL_GROUPS, PULL_FULL = "pull_people", "pull_families", "pull_groups", "pull_full"
TRUTH_CHECK = "truth_check"
RUNS_OF_ITEMS = (CARDS, UNDO, PUSH_PEOPLE, PUSH_FAMILIES, PUSH_GROUPS, PUSH_MEMBERSHIPS, PUSH_FULL)

# Kinds of items: a card, the undo of how a card fared in one run, and a record of our own directory that is pushed.
CARD, PERSON, FAMILY, GROUP, MEMBERSHIP = "card", "person", "family", "group", "membership"


class SyncRun(ChurchOwned, Base):
    """One press of Sync, of Undo, of a pull or a push: `kind` says which. `version` grows with every change that the page would show.

    `total` and the counters count items, or what a pull read. `progress` is for runs without items: {"stage": words, "done": 120,
    "of": 4000 or null}. `undoes_run_id` is the run that an undo takes back.
    """

    __tablename__ = "sync_run"
    __table_args__ = (
        UniqueConstraint("church_id", "number"),
        one_church(),
        belongs_to("sync_run", "undoes_run_id"),
        Index("ix_sync_run_state", "church_id", "state"),
    )

    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20), default=CARDS)
    undoes_run_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(10), default=RUNNING)
    started_by: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    total: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    needs_you: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    note: Mapped[str | None] = mapped_column(String(300))

    @property
    def settled(self) -> int:
        """How many items of the run have come to rest."""
        return self.created + self.updated + self.skipped + self.needs_you + self.failed


class SyncItem(ChurchOwned, Base):
    """Something on its way to Planning Center: a card, or what `kind` says, which is then about `subject_id`.

    One row for each card or subject for good: its steps are what keeps a second run from writing twice. `fence` grows with each
    claim; every later write names the fence it holds. `decision` is what matching said:
    {"kind": "same|new|household|unclear", "person": remote id, "words", "candidates": [...]}, and where somebody decided by hand
    "by": their name, "household_of": the remote id of whose household a new person belongs to, "asked": what stood there before.
    `search_wanted` is whom staff look for in Planning Center, until a worker has looked; `search_answer` what came of it, in words; who
    was found stands among the candidates. `family_decisions` is what staff said of the family: {"2": {"person": remote id or null for
    somebody new, "by": member name}}.
    `moves` are merges and deletions of its person: [{"at": ISO time, "from": remote id, "to": remote id or null}].
    `reference` is the short code that marks the notes of this card, such as CC-7F3K2M9Q. `approval` is what somebody approved of
    its preview: {"fingerprint": of the plan or null, "left_out": [marks of steps], "by": member name, "at": ISO time, "changed": true
    where the plan was another one when the card's turn came}. `to_do` is what staff have to do in Planning Center themselves although
    the card has arrived, in words, until somebody said that it is done; `into_group_by` who of staff said to put its visitor into the
    group they chose, whether or not it takes people by itself.
    """

    __tablename__ = "sync_item"
    __table_args__ = (
        UniqueConstraint("church_id", "submission_id"),
        UniqueConstraint("church_id", "kind", "subject_id"),
        one_church(),
        belongs_to("submission", "submission_id"),
        belongs_to("sync_run", "run_id"),
        Index("ix_sync_item_due", "church_id", "state", "due_at"),
        Index("ix_sync_item_run", "church_id", "run_id"),
    )

    kind: Mapped[str] = mapped_column(String(12), default=CARD)
    submission_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    run_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(10), default=PENDING)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    reference: Mapped[str] = mapped_column(String(16), default="")
    remote_id_token: Mapped[int | None]
    person_remote_id: Mapped[str | None] = mapped_column(String(40))
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    approval: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    moves: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    search_wanted: Mapped[str | None] = mapped_column(String(100))
    search_answer: Mapped[str | None] = mapped_column(String(300))
    family_decisions: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    planned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(500))
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    to_do: Mapped[str | None] = mapped_column(String(500))
    to_do_done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    to_do_done_by: Mapped[str | None] = mapped_column(String(200))
    into_group_by: Mapped[str | None] = mapped_column(String(200))

    steps: Mapped[list["SyncStep"]] = relationship(
        back_populates="item", order_by="SyncStep.position", cascade="all, delete-orphan", passive_deletes=True, overlaps="church"
    )

    @property
    def about(self) -> UUID:
        """What the item is about: the submission of a card, the subject of another."""
        return self.submission_id or self.subject_id or self.id

    @property
    def of_submission(self) -> UUID:
        """The submission that a card's item is about."""
        if self.submission_id is None:
            raise ValueError(f"an item of kind {self.kind} is no card")
        return self.submission_id


class SyncStep(ChurchOwned, Base):
    """One write to Planning Center, done exactly once.

    `natural_key` finds what the step made: a normalised address, a field definition's id, a reference code. `body` is the
    JSON of what is sent, sealed, since it may hold a prayer. `found` says that a probe found it instead of a send;
    `confirmed_at` that the read-back showed it. `rounds` counts the sends whose outcome stayed unknown. `member` says whom of the
    family it is about: 0 the visitor, 1 the spouse, 2 and more the children; neither `label` nor `natural_key` holds their names.
    `run_id` is the run in which it was sent or found. `before` is the JSON of the attributes that it replaces, as they were, sealed
    (nothing for a record that it makes), `after` the JSON of what Planning Center answered for what was sent; `undone_at` when the
    step was taken back.
    """

    __tablename__ = "sync_step"
    __table_args__ = (
        UniqueConstraint("church_id", "item_id", "kind", "natural_key"),
        belongs_to("sync_item", "item_id"),
        belongs_to("sync_run", "run_id"),
        Index("ix_sync_step_run", "church_id", "run_id"),
        # Before somebody is made it is asked whether a step waits for a word about somebody of that name; hardly any step has a problem.
        Index("ix_sync_step_problem", "church_id", "problem"),
    )

    item_id: Mapped[UUID]
    position: Mapped[int]
    member: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(24))
    natural_key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    label: Mapped[str] = mapped_column(String(LONGEST_LABEL), default="")
    body_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    before_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    after_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    run_id: Mapped[UUID | None]
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(8), default=PLANNED)
    intent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    remote_id: Mapped[str | None] = mapped_column(String(40))
    found: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rounds: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(String(500))
    fence: Mapped[int] = mapped_column(default=0)

    # Whom it was written to, where staff said later that the card is somebody else's: it is no step of the card any more.
    written_to: Mapped[str | None] = mapped_column(String(40))
    # When to ask again whether the visitor has confirmed a submission (sync.confirmations).
    look_again_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)

    item: Mapped[SyncItem] = relationship(back_populates="steps", overlaps="church")

    body = Sealed()
    before = Sealed()
    after = Sealed()


class RememberedDecision(ChurchOwned, Base):
    """Who staff said somebody is. `mark` is keyed from the name and one contact; without `person_remote_id` it is whom the card made."""

    __tablename__ = "remembered_decision"
    __table_args__ = (
        UniqueConstraint("church_id", "mark"),
        belongs_to("sync_item", "item_id"),
        Index("ix_remembered_decision_item", "church_id", "item_id"),
    )

    mark: Mapped[str] = mapped_column(String(64))
    item_id: Mapped[UUID]
    person_remote_id: Mapped[str | None] = mapped_column(String(40))
    decided_by: Mapped[str] = mapped_column(String(200))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SyncOutcome(ChurchOwned, Base):
    """How one card fared in one run: the rows behind the counters and behind a card's history; `outcome` is one of OUTCOMES or BEGUN."""

    __tablename__ = "sync_outcome"
    __table_args__ = (
        UniqueConstraint("church_id", "run_id", "item_id"),
        belongs_to("sync_run", "run_id"),
        belongs_to("sync_item", "item_id"),
    )

    run_id: Mapped[UUID]
    item_id: Mapped[UUID]
    outcome: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(500))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class SyncPreview(ChurchOwned, Base):
    """What sending one card or one record of ours would do, worked out without writing; a worker fills it, a page shows it.

    `kind` and whom or what it is about are as on an item. `contents` is {"decision": as on an item or null, "question": words or "",
    "refusal": words or "", "rows": [{"label", "now", "after", "member", "mark", "required"}], "requests": 7, "problems": [...],
    "fingerprint": of the plan}. It is sealed at rest, since it shows values of people; prayers and family are named in it, never quoted,
    and no label holds a name.
    """

    __tablename__ = "sync_preview"
    __table_args__ = (
        UniqueConstraint("church_id", "submission_id"),
        UniqueConstraint("church_id", "kind", "subject_id"),
        belongs_to("submission", "submission_id"),
    )

    kind: Mapped[str] = mapped_column(String(12), default=CARD)
    submission_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    wanted_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    plan_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    problem: Mapped[str | None] = mapped_column(String(500))

    plan = Sealed()

    @property
    def contents(self) -> dict[str, Any] | None:
        """The plan as it is shown; None until a worker has looked, and where that failed."""
        return json.loads(self.plan) if self.plan else None

    @contents.setter
    def contents(self, contents: dict[str, Any] | None) -> None:
        self.plan = json.dumps(contents) if contents else None

    @property
    def about(self) -> UUID:
        """What it is about: the submission of a card, the subject of another item."""
        return self.submission_id or self.subject_id or self.id


class Destination(ChurchOwned, Base):
    """Where one card field goes in the church's Planning Center.

    `kind` is person_attribute, email, phone, address, household, custom_field, form_field, note, workflow_card or nothing. `target` is
    the attribute's name or the remote id of the field definition, form field, note category or workflow. `choices` maps the card's
    choice keys to the option text (or, for workflow cards, to workflow ids). `constant` is sent for fields that the visitor does not
    answer (membership and campus of new people).
    """

    __tablename__ = "destination"
    __table_args__ = (UniqueConstraint("church_id", "card_field"), one_church())

    card_field: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    target: Mapped[str | None] = mapped_column(String(60))
    choices: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    constant: Mapped[str | None] = mapped_column(String(300))
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Landing(ChurchOwned, Base):
    """How a church's cards land in Planning Center: as direct records, or, with `form_remote_id`, as submissions of that form."""

    __tablename__ = "landing"
    __table_args__ = (UniqueConstraint("church_id"), one_church())

    form_remote_id: Mapped[str | None] = mapped_column(String(40))
    form_name: Mapped[str] = mapped_column(String(300), default="")
    changed_by: Mapped[str] = mapped_column(String(200), default="")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
