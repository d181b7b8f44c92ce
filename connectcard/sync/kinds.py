"""The kinds of items that a lane can work on, each with the class that does it. A new kind is a class and a line here."""

from collections.abc import Callable, Iterable
from uuid import UUID

from connectcard.planning_center import Client
from connectcard.sync.card_items import CardAtWork
from connectcard.sync.holds import Hold
from connectcard.sync.items import ItemAtWork, bring_to_rest
from connectcard.sync.models import CARD, FAMILY, GROUP, MEMBERSHIP, PERSON, UNDO
from connectcard.sync.proposals import ProposedAtWork
from connectcard.sync.push_families import FamilyAtWork
from connectcard.sync.push_groups import GroupAtWork
from connectcard.sync.push_memberships import MembershipAtWork
from connectcard.sync.push_people import PersonAtWork
from connectcard.sync.side_by_side import SideBySide
from connectcard.sync.undo_items import UndoAtWork

KINDS: dict[str, type[ItemAtWork]] = {
    CARD: CardAtWork,
    PERSON: PersonAtWork,
    FAMILY: FamilyAtWork,
    GROUP: GroupAtWork,
    MEMBERSHIP: MembershipAtWork,
    UNDO: UndoAtWork,
}
# The kinds that can be previewed and approved.
PREVIEWED = {kind: at_work for kind, at_work in KINDS.items() if issubclass(at_work, ProposedAtWork)}


def sync_item(hold: Hold, client: Client, stopping: Callable[[], bool], side_by_side: SideBySide) -> None:
    """Bring a claimed item of any kind to rest, or make it wait."""
    bring_to_rest(KINDS[hold.kind](hold, client), stopping, side_by_side)


def marks_of(items: Iterable[tuple[UUID, str]]) -> dict[UUID, frozenset[str]]:
    """By what these items, given with their kinds, may touch the people of another one."""
    of_kind: dict[str, list[UUID]] = {}
    for item_id, kind in items:
        of_kind.setdefault(kind, []).append(item_id)
    return {item_id: marks for kind, ids in of_kind.items() for item_id, marks in KINDS[kind].marks_of(ids).items()}
