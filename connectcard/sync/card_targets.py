"""The steps of a card are written to People, but for the one that puts its visitor into a group: each goes where it belongs."""

from dataclasses import dataclass

from connectcard.planning_center import Client
from connectcard.planning_center.errors import Refused
from connectcard.sync import plans
from connectcard.sync.card_writes import CardTarget
from connectcard.sync.group_writes import MembershipTarget
from connectcard.sync.models import SyncItem
from connectcard.sync.steps import Made, Step, Target


@dataclass(frozen=True)
class CardAndGroup:
    """The target of a card whose visitor joins a group: each step is written where it belongs."""

    card: CardTarget
    group: MembershipTarget

    def of(self, step: Step) -> Target:
        return self.group if step.kind == plans.ADD_TO_GROUP else self.card

    def missing(self, step: Step) -> str:
        return self.of(step).missing(step)

    def looks_first(self, step: Step) -> bool:
        return self.of(step).looks_first(step)

    def send(self, step: Step, client: Client) -> Made:
        return self.of(step).send(step, client)

    def probe(self, step: Step, client: Client) -> Made | None:
        return self.of(step).probe(step, client)

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return self.of(step).may_be_there(step, error)

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        return self.of(step).why_refused(step, client, error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        self.of(step).is_done(step, made, item)
