"""What would be written for a card or a record of ours, worked out by reading alone: a preview shows it, and a run carries it out.

A kind of item that can be previewed is a class below `ProposedAtWork`; everything that holds for approvals is here, once.
"""

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from connectcard.planning_center import Client
from connectcard.sync.approvals import CHANGED, fingerprint_of, still_approved
from connectcard.sync.holds import held
from connectcard.sync.items import ItemAtWork
from connectcard.sync.models import NEEDS_YOU, REVIEW, SyncItem
from connectcard.sync.moves import Moves, follow
from connectcard.sync.outcomes import settle
from connectcard.sync.plans import Kept, PlannedStep
from connectcard.sync.previews import contents_of, keep_preview


@dataclass(frozen=True)
class Proposal:
    """The writes for one item as things stand now, and the reasons.

    `decision` is as on an item, where somebody was looked for. With a `question` staff have to answer first, and nothing is written.
    With a `refusal` Planning Center would not take it as it is, and nothing can be sent; the words say what is to be mended. `kept` and
    `problems` are for staff to read. `who` is what an approval holds to besides the writes: who it is. `moves` are merges
    and deletions that were met on the way.
    """

    steps: tuple[PlannedStep, ...] = ()
    decision: dict[str, Any] | None = None
    question: str = ""
    refusal: str = ""
    kept: tuple[Kept, ...] = ()
    problems: tuple[str, ...] = ()
    who: tuple[Any, ...] = ()
    moves: Moves = field(default_factory=dict)


P = TypeVar("P", bound=Proposal)


class ProposedAtWork(ItemAtWork, Generic[P]):
    """An item whose writes are proposed first: what somebody approved is what is sent, and where it changed they are asked again."""

    def plan(self) -> bool:
        if self.planned:
            return True
        proposal = self.propose()
        with held(self.hold) as item:
            follow(proposal.moves, item)
            if proposal.question:
                item.decision = proposal.decision or item.decision
                settle(item, REVIEW, NEEDS_YOU, proposal.question)
            elif not still_approved(item.approval, fingerprint_of(proposal.who, proposal.steps)):
                _ask_again(item, proposal)
            else:
                self.store(item, proposal)
            return item.planned_at is not None

    @property
    @abstractmethod
    def planned(self) -> bool:
        """Whether the writes are stored already, and go on as they are."""

    @abstractmethod
    def propose(self) -> P:
        """Look and decide; reads only, and no transaction is open. Raises as `ItemAtWork.plan` does."""

    @abstractmethod
    def store(self, item: SyncItem, proposal: P) -> None:
        """Inside `held`: write down who it is and what will be sent, and set `item.planned_at`."""

    @staticmethod
    @abstractmethod
    def rehearse(about: UUID, client: Client) -> Proposal:
        """The same proposal for a preview of this submission or subject, which may have no item yet. Reads only."""


def shown(proposal: Proposal) -> dict[str, Any]:
    """A proposal as a preview keeps it."""
    return contents_of(proposal, fingerprint_of(proposal.who, proposal.steps))


def _ask_again(item: SyncItem, proposal: Proposal) -> None:
    """The plan is no longer the one that was approved: nothing is sent, and the new difference is there to be looked at."""
    item.approval = {**(item.approval or {}), "changed": True}
    keep_preview(item.kind, item.about, shown(proposal))
    settle(item, REVIEW, NEEDS_YOU, CHANGED)
