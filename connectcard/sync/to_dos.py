"""What staff have to do themselves about a card that has arrived: put its visitor into a group where we may not, or ask its leader."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_

from connectcard.churches.queries import get_church
from connectcard.clock import now
from connectcard.errors import ChangeRefused
from connectcard.sync.approvals import without_fingerprint
from connectcard.sync.decisions import send_again
from connectcard.sync.group_wishes import TO_DO
from connectcard.sync.models import LEFT_OUT, LONGEST_REASON, REFUSED, SYNCED, SyncItem, SyncRun, SyncStep
from connectcard.sync.plans import ADD_TO_GROUP
from connectcard.sync.runs import one_press_at_a_time

NOTHING_OPEN = "Nothing is left to do about this card. Look at it again."
OPEN: ColumnElement[bool] = and_(SyncItem.to_do.is_not(None), SyncItem.to_do_done_at.is_(None))


def leave_to_staff(item: SyncItem, steps: Sequence[SyncStep]) -> None:
    """Inside `held`: write down what the steps of a card leave to staff, if anything."""
    words = [_to_do(step) for step in steps if step.kind == ADD_TO_GROUP and step.problem]
    item.to_do, item.to_do_done_at, item.to_do_done_by = next(filter(None, words), "")[:LONGEST_REASON] or None, None, None


def _to_do(step: SyncStep) -> str:
    if step.state == REFUSED:
        return TO_DO.format(f"“{step.problem}”")
    return step.problem or "" if step.state == LEFT_OUT else ""


def is_open(item: SyncItem | None) -> bool:
    """Whether a card that has arrived waits for staff."""
    return item is not None and item.state == SYNCED and item.to_do is not None and item.to_do_done_at is None


def done(item: SyncItem | None, member_name: str) -> None:
    """Staff did it themselves in Planning Center. Inside `transaction()`. Raises ChangeRefused."""
    one_press_at_a_time()
    if item is None or not is_open(item):
        raise ChangeRefused(NOTHING_OPEN)
    item.to_do_done_at, item.to_do_done_by = now(), member_name


def put_into_group(item: SyncItem | None, member_name: str) -> SyncRun:
    """Staff say to put the visitor into the group after all: the leader was asked, or somebody may now. Raises ChangeRefused.

    Inside `transaction()`; the caller rings. Nothing else of the card is written again.
    """
    one_press_at_a_time()
    if item is None or not may_be_put_in(item):
        raise ChangeRefused(NOTHING_OPEN)
    item.into_group_by, item.planned_at, item.approval = member_name, None, without_fingerprint(item.approval)
    return send_again(item, member_name)


def may_be_put_in(item: SyncItem | None) -> bool:
    """Whether a press can put the visitor in: only where the church sends memberships at all."""
    return is_open(item) and get_church().sends_memberships


def agreed_to_group(item: SyncItem) -> bool:
    """Whether staff said to put the visitor in, whether or not the group takes people by itself; until the card is sent whole again."""
    return item.into_group_by is not None
