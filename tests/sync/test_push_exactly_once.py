"""Lost answers, limits, crashes and two workers: no person, household, member or group membership is made twice."""

from contextlib import suppress
from threading import Event, Thread

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.people.models import Group
from connectcard.sync import lanes, push
from connectcard.sync.models import FINISHED, PULL_FULL, PULL_GROUPS, PUSH_FULL
from connectcard.sync.push_families import FamilyTarget
from connectcard.sync.push_memberships import MembershipTarget
from connectcard.sync.push_person_writes import PersonTarget
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside

WRITES = (
    ("POST", "/people/v2/people"),
    ("POST", "/people/v2/people/*/emails"),
    ("POST", "/people/v2/households"),
    ("PATCH", "/people/v2/households/*/household_memberships/*"),
    ("POST", "/groups/v2/groups/*/memberships"),
)


class Millers:
    """Ruth and Tom with their child Leo; Ruth leads a group."""

    def __init__(self, church: GraceChurch) -> None:
        self.directory, self.outside = Directory(church), Outside(church.practice)
        self.directory.pull(PULL_GROUPS)
        self.directory.send_memberships()
        with church_scope(church.church_id), transaction() as session:
            group = session.query(Group).filter(Group.archived_at.is_(None)).order_by(Group.name).first()
            assert group is not None
            group.enrollment_strategy, self.group = "open_signup", str(group.remote_id)
        self.ruth = self.directory.person("Ruth", "Miller", "ruth.miller@gmail.com")
        self.tom = self.directory.person("Tom", "Miller", "tom.miller@gmail.com")
        self.leo = self.directory.person("Leo", "Miller", child=True)
        self.family = self.directory.family("Miller Household", self.ruth, self.tom, self.leo)
        self.joined = self.directory.join(self.group, self.ruth, "leader")

    def are_there_once(self) -> None:
        there = [one for one in self.directory.church.practice.people() if one["last_name"] == "Miller"]
        assert sorted(one["first_name"] for one in there) == ["Leo", "Ruth", "Tom"]
        assert [len(one["emails"]) for one in sorted(there, key=lambda one: one["first_name"])] == [0, 1, 1]
        assert len([one for one in self.outside.get("/people/v2/households?per_page=100") if "Miller" in one["attributes"]["name"]]) == 1
        household = self.directory.get_family(self.family).remote_id
        members = self.outside.get(f"/people/v2/households/{household}/household_memberships")
        assert sorted(str(one["attributes"]["household_role"]) for one in members) == [
            "child_or_dependent",
            "parent_guardian",
            "parent_guardian",
        ]
        ruth = self.directory.get(self.ruth).remote_id
        rows = self.outside.get(f"/groups/v2/groups/{self.group}/memberships?per_page=100")
        assert [one["attributes"]["role"] for one in rows if one["relationships"]["person"]["data"]["id"] == ruth] == ["leader"]


@pytest.fixture
def millers(grace_church: GraceChurch) -> Millers:
    return Millers(grace_church)


@pytest.mark.parametrize("fault", ["drop_after", "late_apply", "status_500"])
def test_every_kind_of_write_goes_wrong_once(millers: Millers, practice: Practice, fault: str) -> None:
    for method, path in WRITES:
        practice.fault(method, path, fault, seconds=100 if fault == "late_apply" else 0.3)
    run = millers.directory.push(PUSH_FULL)
    assert (run.state, run.total, run.needs_you, run.failed) == (FINISHED, 5, 0, 0)
    assert practice.open_faults() == []
    millers.are_there_once()


@pytest.mark.parametrize(("fault", "seconds"), [("rate_limited", 0), ("rate_limited", 17), ("limited_silent", None)])
def test_planning_center_asks_for_a_pause_in_the_midst_of_each_kind_of_write_and_of_look_ups(
    millers: Millers, practice: Practice, fault: str, seconds: float | None
) -> None:
    """However long the pause is to be, and where nothing is said of it: everything arrives once."""
    for method, path in WRITES:
        practice.fault(method, path, fault, seconds=seconds)
        practice.fault(method, path, fault, seconds=seconds, after=1)
    for reads_before in (0, 5, 11, 17, 23):
        practice.fault("GET", "/people/v2/*", fault, seconds=seconds, after=reads_before)
    run = millers.directory.push(PUSH_FULL)
    assert (run.state, run.total, run.needs_you, run.failed) == (FINISHED, 5, 0, 0)
    # How many look-ups there are depends on who goes first; a pause that nobody met is not for whoever looks in the end.
    practice.post("faults", [])
    millers.are_there_once()


class Crash(BaseException):
    """The worker dies after Planning Center answered and before the answer was written down."""


@pytest.mark.parametrize("target", [PersonTarget, FamilyTarget, MembershipTarget])
def test_a_worker_dies_between_answer_and_result(millers: Millers, target: type, monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[str] = []
    as_it_is = target.is_done  # type: ignore[attr-defined]

    def dies_once(self: object, step: object, made: object, item: object) -> None:
        if not died:
            died.append(str(made))
            raise Crash
        as_it_is(self, step, made, item)

    monkeypatch.setattr(target, "is_done", dies_once)
    with church_scope(millers.directory.church.church_id), transaction():
        number = push.start(PUSH_FULL, "Sam Hill").number
    for _ in range(2):
        with suppress(Crash):
            millers.directory.church.work()
        millers.directory.church.move(seconds=125)
    run = millers.directory.work_until_done(number)
    assert (bool(died), run.state, run.needs_you, run.failed) == (True, FINISHED, 0, 0)
    millers.are_there_once()


def test_two_workers_at_once(millers: Millers) -> None:
    church = millers.directory.church
    with church_scope(church.church_id), transaction():
        number = push.start(PUSH_FULL, "Sam Hill").number

    def work() -> None:
        with church.app.app_context():
            lanes.advance(church.church_id, Event())

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    millers.directory.work_until_done(number)
    millers.are_there_once()


def test_after_a_push_a_pull_changes_nothing_and_both_sides_agree(millers: Millers, neighbour_church: GraceChurch) -> None:
    next_door = millers.directory.church.practice.people(1)
    millers.directory.push(PUSH_FULL)
    directory = millers.directory
    pulled = directory.pull(PULL_FULL)
    assert pulled.state == FINISHED
    theirs = {one["id"]: one for one in directory.church.practice.people()}
    for person_id in (millers.ruth, millers.tom, millers.leo):
        ours = directory.get(person_id)
        there = theirs[ours.remote_id or ""]
        assert (ours.identity.first_name, ours.identity.last_name, ours.child) == (there["first_name"], there["last_name"], there["child"])
        emails = sorted(one.value for one in ours.contacts if one.kind == "email")
        assert (emails, ours.gone_at, ours.edits) == (sorted(one["address"] for one in there["emails"]), None, None)
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_FULL) == 0
    assert directory.church.practice.people(1) == next_door
    with church_scope(neighbour_church.church_id):
        assert push.waiting(PUSH_FULL) == 0
