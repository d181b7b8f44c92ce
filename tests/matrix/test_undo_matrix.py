"""Whatever happens to a request of an undo, and to its worker: nothing of ours is left, nobody is deleted, and nothing of others goes."""

from collections import Counter
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.sync import runs, undo
from connectcard.sync.models import FAILED, FINISHED, REVIEW, SYNCED, SyncItem, SyncRun
from tests.matrix.practice import CHILD, Grace, parts_of
from tests.matrix.wire import FAULTS, REFUSALS

# What the undo of a full card of a family asks of Planning Center when nothing goes wrong, the preview not counted.
CALLS = 41
CALLS_A_FAULT = 1


def send_card(grace: Grace) -> int:
    fared = grace.run({}, (CHILD,))
    assert (fared.state, fared.wrong) == (SYNCED, [])
    with church_scope(grace.church_id):
        return max(db.session.scalars(select(SyncRun.number)))


def take_back(grace: Grace, number: int, faults: dict[int, str]) -> SyncRun:
    with church_scope(grace.church_id), transaction():
        begun = undo.begin(runs.get_run(number), "Sam Hill").number
    grace.rest()
    with church_scope(grace.church_id), transaction():
        undo.confirm(runs.get_run(begun))
    grace.wire.begin(faults)
    grace.rest()
    grace.wire.move(400)
    with church_scope(grace.church_id):
        return runs.get_run(begun)


def item_of(grace: Grace, run_id: UUID) -> SyncItem:
    with church_scope(grace.church_id):
        return db.session.scalars(select(SyncItem).where(SyncItem.run_id == run_id)).one()


def left_on(grace: Grace) -> Counter[str]:
    """What the people of the card still have."""
    return Counter(kind for person in grace.people() for kind, _ in parts_of(grace.simulator, person).elements())


def wrong_with(grace: Grace, faults: dict[int, str]) -> list[str]:
    """What is not as it should be after an undo that met these faults."""
    number, others = send_card(grace), grace.records()
    people = len(grace.people())
    undone = take_back(grace, number, faults)
    grace.baseline = grace.records()
    item, met = item_of(grace, undone.id), {kind for _, kind in grace.wire.met}
    place = f"{faults}: {item.state}, {item.reason}; "
    wrong = [] if undone.state == FINISHED else [f"{place}the run did not end: {undone.state}"]
    if "deleted" not in met and others["Person"] != grace.records()["Person"]:
        wrong.append(f"{place}{others['Person'] - grace.records()['Person']} people are gone")
    if met & REFUSALS:
        return wrong + ([] if item.reason or item.state == SYNCED else [f"{place}no reason"])
    if item.state != SYNCED:
        wrong.append(f"{place}needs somebody without need")
    if left_on(grace) or {row["status"] for row in grace.people()} != {"inactive"} or len(grace.people()) != people:
        wrong.append(f"{place}left: {dict(left_on(grace))}, {[row['status'] for row in grace.people()]}")
    return wrong


def test_an_undo_that_meets_no_fault(grace: Grace) -> None:
    assert wrong_with(grace, {}) == []
    assert len(grace.wire.calls) == CALLS


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_in_the_middle_of_an_undo(grace: Grace, kind: str) -> None:
    calls = Random(f"undo {kind}").sample(range(1, CALLS + 1), CALLS_A_FAULT)
    assert [wrong for call in calls for wrong in wrong_with(grace, {call: kind})] == []


def test_undoing_and_sending_again_makes_nobody_twice(grace: Grace) -> None:
    number = send_card(grace)
    people = len(grace.people())
    undone = take_back(grace, number, {})
    with church_scope(grace.church_id), transaction():
        undo.send_again(runs.get_run(undone.number), "Sam Hill")
    grace.rest()
    assert [row["status"] for row in grace.people()] == ["active"] * people
    repeated = {part: count for row in grace.people() for part, count in parts_of(grace.simulator, row).items() if count > 1}
    assert repeated == {}
    with church_scope(grace.church_id):
        card = db.session.scalars(select(SyncItem).where(SyncItem.kind == "card").order_by(SyncItem.synced_at.desc())).first()
    assert card is not None
    assert card.state not in (REVIEW, FAILED)
