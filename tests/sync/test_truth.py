"""The nightly comparison of both sides: what it finds, that it goes on where it was cut off, and what changes while it reads."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import func, select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import clock
from connectcard.database import db, transaction
from connectcard.people.models import FAMILY, GROUP, PERSON, Family, Group
from connectcard.sync import pull, pull_shift, record_readings, truth, truth_reading
from connectcard.sync.models import TRUTH_CHECK
from connectcard.sync.runs import new_run
from connectcard.sync.truth import CHANGED_THERE, MISSING_HERE, MISSING_THERE, Checked, Difference, Here
from connectcard.sync.truth_reading import Beginning, ComparedPage, There
from tests.sync.conftest import GraceChurch
from tests.sync.practice_views import work as read_what_is_wanted
from tests.sync.pulling import Puller, as_there, change, practice, pulls, somebody
from tests.sync.pushing import Outside

__all__ = ["practice", "pulls"]


def found(church: GraceChurch) -> Checked:
    with church_scope(church.church_id):
        checked = truth.last_check()
        assert checked is not None
        return checked


def differing(church: GraceChurch) -> set[tuple[str, str, str]]:
    return {(one.kind, one.remote_id, one.what) for one in found(church).differences}


def once(monkeypatch: pytest.MonkeyPatch, place: object, name: str, happens: Callable[[], None], *, when: Callable[..., bool]) -> None:
    """Something happens the first time that the check comes to a place."""
    happened, goes_on = count(), getattr(place, name)

    def then(*arguments: object) -> object:
        if when(*arguments) and next(happened) == 0:
            happens()
        return goes_on(*arguments)

    monkeypatch.setattr(place, name, then)


def make_them_differ(church: GraceChurch) -> set[tuple[str, str, str]]:
    """One changed there, one gone there, and a family that was lost here."""
    changed, deleted = somebody(church), somebody(church, 1)
    church.practice.delete(deleted)
    change(church, changed, nickname="Changed")
    with church_scope(church.church_id), transaction() as session:
        lost = session.scalars(select(Family).limit(1)).one()
        session.delete(lost)
    return {(PERSON, changed, CHANGED_THERE), (PERSON, deleted, MISSING_THERE), (FAMILY, str(lost.remote_id), MISSING_HERE)}


def test_it_says_what_differs_and_fix_reads_it_again(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    made = make_them_differ(grace_church)
    pulls(TRUTH_CHECK)
    assert made <= differing(grace_church)
    differ = len(differing(grace_church))
    assert found(grace_church).words.endswith(f"compared; {differ} differ.")
    with church_scope(grace_church.church_id), transaction():
        assert truth.fix() == differ
    read_what_is_wanted(grace_church.church_id)
    as_there(grace_church)
    pulls(TRUTH_CHECK)
    assert found(grace_church).words.endswith("compared; none differ.")


# Cut off.


def pages_kept(church: GraceChurch) -> int:
    with church_scope(church.church_id):
        return db.session.scalar(select(func.count(ComparedPage.id))) or 0


class Killed(BaseException):
    """The worker is gone: nothing that stands behind this runs."""


def dies_at(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """The worker's transaction of this number is its last, and is not committed."""
    begun, stay = count(1), pull_shift.Pull.stay

    def cut(shift: pull_shift.Pull) -> None:
        stay(shift)
        if next(begun) == place:
            raise Killed

    monkeypatch.setattr(pull_shift.Pull, "stay", cut)


def test_a_check_that_dies_at_every_transaction_goes_on_at_its_page(
    grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulls()
    made = make_them_differ(grace_church)
    number, kept = pulls.want(TRUTH_CHECK), [0]
    for place in count(1):
        with monkeypatch.context() as patched:
            dies_at(patched, place)
            try:
                pulls.turn()
                break
            except Killed:
                kept.append(pages_kept(grace_church))
    run = grace_church.run(number)
    assert (run.state, run.failed) == ("finished", 0)
    assert made <= differing(grace_church)
    # Three pages of people, one of families and one of groups: each is kept once, however often a worker dies after it.
    assert kept == sorted(kept)
    assert kept[-1] == 5
    assert pages_kept(grace_church) == 0


def test_a_worker_that_is_killed_leaves_what_it_read_and_the_church_next_door_is_not_touched(
    any_database: str, grace_church: GraceChurch, neighbour_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulls()
    made, same = make_them_differ(grace_church), somebody(grace_church)
    with church_scope(neighbour_church.church_id), transaction() as session:
        run = new_run(TRUTH_CHECK, "Sam Hill")
        read = ComparedPage(run_id=run.id, kind=PERSON, records={same: [None, None]})
        session.add_all([read, Difference(kind=PERSON, remote_id=same, what=MISSING_HERE)])
    monkeypatch.setattr(clock, "source", lambda: datetime.now(UTC))
    number = pulls.want(TRUTH_CHECK)
    grace_church.practice.post("settings", {"latency_ms": 300})
    pulls.kill_a_worker_when(lambda: pages_kept(grace_church) > 0, "a page to be kept")
    assert not grace_church.run(number).finished_at
    # Each page was kept once: what the dead worker had read was not read again.
    compared: list[int] = []
    once(
        monkeypatch, truth, "forget_pages", lambda: compared.append(len(db.session.scalars(select(ComparedPage)).all())), when=lambda: True
    )
    grace_church.practice.post("settings", {"latency_ms": 0})
    while pulls.turn() or not grace_church.run(number).finished_at:
        pass
    assert made <= differing(grace_church)
    assert compared == [5]
    with church_scope(neighbour_church.church_id):
        assert db.session.scalars(select(ComparedPage.records)).all() == [{same: [None, None]}]
        assert db.session.scalars(select(Difference.what)).all() == [MISSING_HERE]


def test_it_waits_for_the_rate_limit_however_often(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    grace_church.practice.fault("GET", "/people/v2/people", "rate_limited", times=pull.MOST_TRIES + 4, after=2, seconds=1)
    run = pulls(TRUTH_CHECK)
    assert grace_church.practice.open_faults() == []
    assert (run.failed, run.note) == (0, found(grace_church).words)
    assert found(grace_church).words.endswith("compared; none differ.")


def test_what_cannot_be_read_is_left_out_and_the_others_are_compared(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    made = make_them_differ(grace_church)
    with church_scope(grace_church.church_id), transaction() as session:
        group = session.scalars(select(Group).limit(1)).one()
        session.add(Difference(kind=GROUP, remote_id=str(group.remote_id), what=CHANGED_THERE))
    grace_church.practice.fault("GET", "/groups/v2/groups", "outside_scope")
    run = pulls(TRUTH_CHECK)
    checked = found(grace_church)
    assert (run.failed, checked.whole) == (1, False)
    assert "families compared" in checked.words
    assert "groups compared" not in checked.words
    assert made | {(GROUP, str(group.remote_id), CHANGED_THERE)} <= differing(grace_church)


def test_groups_that_are_hidden_from_whoever_connected_are_no_difference(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    ada = next(one["id"] for one in grace_church.practice.people() if one["first_name"] == "Ada")
    grace_church.practice.post("permission", {"person": ada, "permission": "Manager"})
    grace_church.practice.post("permission", {"person": ada, "product": "groups", "permission": "none"})
    run = pulls(TRUTH_CHECK)
    assert (run.failed, "administrator of Groups" in (run.note or "")) == (1, True)
    assert not any(kind == GROUP for kind, *_ in differing(grace_church))


# While it reads.


def read_here(church_id: UUID, *remote_ids: str) -> None:
    """Webhooks told of these people, and they were read again."""
    with church_scope(church_id), transaction():
        for remote_id in remote_ids:
            record_readings.want(PERSON, remote_id)
    read_what_is_wanted(church_id)


def test_what_comes_changes_and_goes_while_it_reads_is_no_difference(
    grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulls()
    outside, practice_ = Outside(grace_church.practice), grace_church.practice
    deleted, changed = str(practice_.people()[-5]["id"]), str(practice_.people()[-6]["id"])

    def among_the_people() -> None:
        grace_church.move(seconds=5)
        outside.person("Nora", "Newcomer")
        outside.patch(f"/people/v2/people/{changed}", "Person", changed, nickname="Late")

    def after_the_people() -> None:
        grace_church.move(seconds=5)
        practice_.delete(deleted)
        read_here(grace_church.church_id, deleted, outside.person("Otto", "Later"))

    once(monkeypatch, pull_shift.Pull, "pause_for_others", among_the_people, when=lambda _: True)
    once(monkeypatch, truth_reading, "note_the_latest", after_the_people, when=lambda _pull, stage, *_: stage == f"check_{FAMILY}")
    pulls(TRUTH_CHECK)
    assert {one for one in differing(grace_church) if one[0] == PERSON} == set()
    grace_church.move(minutes=1)
    pulls(TRUTH_CHECK)
    assert {(PERSON, changed, CHANGED_THERE)} < differing(grace_church)


BEGAN = datetime(2026, 11, 22, 3, tzinfo=UTC)
BEFORE, SINCE = BEGAN - timedelta(hours=1), BEGAN + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("there", "here", "what"),
    [
        (There(BEFORE, BEFORE), Here(BEFORE, BEFORE), None),
        (There(BEFORE, BEFORE), None, MISSING_HERE),
        (There(SINCE, SINCE), None, None),
        (There(), None, MISSING_HERE),
        (There(BEFORE, BEFORE), Here(BEFORE, BEFORE, gone_at=BEFORE), MISSING_HERE),
        (There(BEFORE, BEFORE), Here(BEFORE, BEFORE, gone_at=SINCE), None),
        (None, Here(BEFORE, BEFORE), MISSING_THERE),
        (None, Here(BEFORE, None), MISSING_THERE),
        (None, Here(BEFORE, SINCE), None),
        (None, Here(BEFORE, BEFORE, gone_at=SINCE), None),
        (There(BEFORE, BEFORE), Here(BEFORE - timedelta(days=1), BEFORE), CHANGED_THERE),
        (There(BEFORE, BEFORE), Here(None, BEFORE), CHANGED_THERE),
        (There(BEFORE, SINCE), Here(BEFORE, BEFORE), None),
        (There(BEFORE, SINCE), Here(SINCE, SINCE), None),
    ],
    ids=[
        "the same", "not here", "came meanwhile", "not here, of unknown age", "gone here and there again", "went meanwhile",
        "not there", "not there and never shown", "came and was read meanwhile", "went and was read meanwhile",
        "changed there", "changed there, unread", "changed meanwhile", "changed and read meanwhile",
    ],
)  # fmt: skip
def test_what_is_a_difference(there: There | None, here: Here | None, what: str | None) -> None:
    theirs, ours = {"7": there} if there else {}, {"7": here} if here else {}
    assert truth.differences(theirs, ours, Beginning(BEGAN, BEGAN)).get("7") == what
