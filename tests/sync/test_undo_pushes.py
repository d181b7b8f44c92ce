"""A push is taken back: what it wrote goes, what others touched stays and says why, and our own directory keeps what staff wrote in it."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import end_reading, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people import conflicts
from connectcard.people.models import Group
from connectcard.planning_center import Client
from connectcard.planning_center.resources import groups, people
from connectcard.sync import push, push_decisions, runs, undo, undo_plans
from connectcard.sync.models import (
    FINISHED,
    IGNORED,
    PULL_FULL,
    PULL_GROUPS,
    PUSH_FAMILIES,
    PUSH_FULL,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    REVIEW,
    RUNNING,
    SYNCED,
    SyncRun,
)
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory, Outside

HOME = {"street": "12 Elm Street", "city": "Austin", "state": "TX", "zip": "78701"}


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    return Directory(grace_church)


@pytest.fixture
def outside(directory: Directory) -> Outside:
    return Outside(directory.church.practice)


@pytest.fixture
def group(directory: Directory) -> str:
    """A group that was pulled, whose leaders take no requests first; this church sends group memberships."""
    directory.pull(PULL_GROUPS)
    directory.send_memberships()
    with church_scope(directory.church.church_id), transaction() as session:
        row = session.query(Group).filter(Group.archived_at.is_(None)).order_by(Group.name).first()
        assert row is not None
        row.enrollment_strategy = "open_signup"
        return str(row.remote_id)


@pytest.fixture
def client(directory: Directory) -> Client:
    """Somebody at the church who works in Planning Center itself."""
    with church_scope(directory.church.church_id):
        connection = find_connection()
        assert connection is not None
        end_reading()
        return client_for(connection)


def preview(directory: Directory, number: int) -> SyncRun:
    with church_scope(directory.church.church_id), transaction():
        undone = undo.begin(runs.get_run(number), "Sam Hill").number
    directory.church.work()
    return directory.church.run(undone)


def confirm(directory: Directory, undone: SyncRun) -> SyncRun:
    with church_scope(directory.church.church_id), transaction():
        undo.confirm(runs.get_run(undone.number))
    for _ in range(60):
        directory.church.work()
        run = directory.church.run(undone.number)
        if run.finished_at:
            return run
        directory.church.move(seconds=10)
    raise AssertionError([(item.kind, item.state, item.reason) for item in directory.church.items()])


def take_back(directory: Directory, number: int) -> SyncRun:
    return confirm(directory, preview(directory, number))


def kept(directory: Directory, undone: SyncRun) -> dict[str, str]:
    with church_scope(directory.church.church_id):
        return {row.label: row.kept for one in undo.undone_in(runs.get_run(undone.number)) for row in one.rows if row.kept}


def waiting(directory: Directory, kind: str) -> int:
    with church_scope(directory.church.church_id):
        return push.waiting(kind)


def send_again(directory: Directory, undone: SyncRun) -> SyncRun:
    with church_scope(directory.church.church_id), transaction():
        number = undo.send_again(runs.get_run(undone.number), "Sam Hill").number
    return directory.work_until_done(number)


def the(directory: Directory, first_name: str, last_name: str) -> dict[str, Any]:
    [person] = directory.church.practice.named(first_name, last_name)
    return person


def ana(directory: Directory, **more: Any) -> UUID:
    return directory.person("Ana", "Lopez", "ana.lopez@gmail.com", "+15125550177", address=HOME, **more)


def test_somebody_whom_a_push_made_is_made_inactive_and_stays_here_whole(directory: Directory) -> None:
    person = ana(directory)
    number = directory.push(PUSH_PEOPLE).number
    undone = take_back(directory, number)
    assert (undone.state, undone.updated, undone.failed, undone.needs_you, kept(directory, undone)) == (FINISHED, 1, 0, 0, {})
    there = the(directory, "Ana", "Lopez")
    assert (there["status"], there["emails"], there["phone_numbers"], there["addresses"]) == ("inactive", [], [], [])
    ours = directory.get(person)
    assert (ours.remote_id, ours.status) == (there["id"], "inactive")
    assert {(one.value, one.remote_id, bool(one.added_here_at)) for one in ours.contacts} == {
        ("ana.lopez@gmail.com", None, True),
        ("+15125550177", None, True),
    }
    item = directory.item(person)
    assert (item.state, item.reason) == (REVIEW, "Taken back by Sam Hill. Send it again, or leave it.")


def test_nothing_that_was_taken_back_is_sent_by_the_next_push(directory: Directory) -> None:
    ana(directory)
    take_back(directory, directory.push(PUSH_PEOPLE).number)
    assert waiting(directory, PUSH_PEOPLE) == 0
    with church_scope(directory.church.church_id), pytest.raises(NotFound), transaction():
        push.start(PUSH_PEOPLE, "Sam Hill")


def test_a_later_pull_makes_no_conflict_of_it_and_loses_nothing(directory: Directory) -> None:
    person = ana(directory)
    take_back(directory, directory.push(PUSH_PEOPLE).number)
    directory.pull(PULL_FULL)
    ours = directory.get(person)
    assert sorted(one.value for one in ours.contacts) == ["+15125550177", "ana.lopez@gmail.com"]
    assert (ours.gone_at, ours.edits, waiting(directory, PUSH_FULL)) == (None, None, 0)
    with church_scope(directory.church.church_id):
        assert conflicts.count() == 0


def test_what_was_taken_back_is_sent_again_and_nobody_is_there_twice(directory: Directory) -> None:
    person = ana(directory)
    undone = take_back(directory, directory.push(PUSH_PEOPLE).number)
    again = send_again(directory, undone)
    assert (again.kind, again.created, again.updated, again.failed, again.needs_you) == (PUSH_PEOPLE, 0, 1, 0, 0)
    there = the(directory, "Ana", "Lopez")
    assert (there["status"], len(there["emails"]), len(there["phone_numbers"]), len(there["addresses"])) == ("active", 1, 1, 1)
    assert (directory.item(person).state, directory.get(person).status) == (SYNCED, "active")
    second = take_back(directory, again.number)
    assert (second.updated, kept(directory, second), the(directory, "Ana", "Lopez")["status"]) == (1, {}, "inactive")


def test_what_is_left_is_sent_once_somebody_changes_it_here_again(directory: Directory) -> None:
    person = ana(directory)
    take_back(directory, directory.push(PUSH_PEOPLE).number)
    with church_scope(directory.church.church_id), transaction():
        push_decisions.leave_here(directory.item(person).id)
    assert (directory.item(person).state, waiting(directory, PUSH_PEOPLE)) == (IGNORED, 0)
    directory.church.move(seconds=60)
    directory.edit(person, nickname="Anita")
    assert waiting(directory, PUSH_PEOPLE) == 1
    directory.push(PUSH_PEOPLE)
    there = the(directory, "Ana", "Lopez")
    assert (there["nickname"], there["status"], len(there["emails"])) == ("Anita", "active", 1)


def test_a_field_that_was_changed_is_put_back_there_and_stays_changed_here(directory: Directory) -> None:
    person = ana(directory, gender="Female")
    directory.push(PUSH_PEOPLE)
    directory.church.move(minutes=10)
    directory.edit(person, nickname="Anita", gender="Male")
    undone = take_back(directory, directory.push(PUSH_PEOPLE).number)
    assert (undone.updated, kept(directory, undone)) == (1, {})
    there = the(directory, "Ana", "Lopez")
    assert (there["nickname"], there["gender"], there["status"]) == (None, "Female", "active")
    directory.pull(PULL_FULL)
    ours = directory.get(person)
    assert (ours.nickname, ours.gender, set(ours.edits or {})) == ("Anita", "Male", {"nickname", "gender"})
    with church_scope(directory.church.church_id):
        assert conflicts.count() == 0
    send_again(directory, undone)
    assert the(directory, "Ana", "Lopez")["nickname"] == "Anita"


def test_what_others_did_in_planning_center_stays_and_says_why(directory: Directory, client: Client) -> None:
    ana(directory)
    number = directory.push(PUSH_PEOPLE).number
    there = the(directory, "Ana", "Lopez")
    client.update(people.EMAIL, there["emails"][0]["id"], {"location": "Work"})
    client.create(people.PHONE_NUMBER, {"number": "(512) 555-0199", "location": "Work"}, parent_id=there["id"])
    undone = take_back(directory, number)
    assert kept(directory, undone) == {"Email": undo_plans.CHANGED, "New person": undo_plans.ADDED_TO}
    there = the(directory, "Ana", "Lopez")
    assert (there["status"], len(there["emails"]), len(there["phone_numbers"]), there["addresses"]) == ("active", 1, 1, [])


def test_of_somebody_who_was_there_only_what_the_push_added_goes(directory: Directory, outside: Outside) -> None:
    remote_id = outside.person("Ana", "Lopez", "ana.lopez@gmail.com")
    person = ana(directory)
    undone = take_back(directory, directory.push(PUSH_PEOPLE).number)
    assert (undone.updated, kept(directory, undone)) == (1, {})
    there = the(directory, "Ana", "Lopez")
    assert (there["id"], there["status"], len(there["emails"]), there["phone_numbers"], there["addresses"]) == (
        remote_id, "active", 1, [], [],
    )  # fmt: skip
    assert directory.get(person).remote_id == remote_id


def test_a_later_push_is_taken_back_first(directory: Directory) -> None:
    person = ana(directory)
    first = directory.push(PUSH_PEOPLE).number
    directory.edit(person, nickname="Anita")
    second = directory.push(PUSH_PEOPLE).number
    undone = take_back(directory, first)
    assert kept(directory, undone) == {"New person": undo_plans.LATER}
    assert take_back(directory, second).updated == 1


# Families and groups.


class Millers:
    """Ruth and Tom with their child Leo."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.ruth = directory.person("Ruth", "Miller", "ruth.miller@gmail.com")
        self.tom = directory.person("Tom", "Miller", "tom.miller@gmail.com")
        self.leo = directory.person("Leo", "Miller", child=True)
        self.family = directory.family("Miller Household", self.ruth, self.tom, self.leo)

    def statuses(self) -> set[str]:
        return {one["status"] for one in self.directory.church.practice.people() if one["last_name"] == "Miller"}

    def households(self, outside: Outside) -> int:
        return sum("Miller" in one["attributes"]["name"] for one in outside.get("/people/v2/households?per_page=100"))


@pytest.mark.usefixtures("any_database")
def test_a_family_is_taken_back_with_its_household_and_its_people(directory: Directory, outside: Outside, group: str) -> None:
    millers = Millers(directory)
    joined = directory.join(group, millers.ruth, "leader")
    before = len(outside.get(f"/groups/v2/groups/{group}/memberships?per_page=100"))
    number = directory.push(PUSH_FULL).number
    undone = take_back(directory, number)
    assert (undone.state, undone.total, undone.updated, kept(directory, undone)) == (FINISHED, 5, 5, {})
    assert (millers.statuses(), millers.households(outside)) == ({"inactive"}, 0)
    assert len(outside.get(f"/groups/v2/groups/{group}/memberships?per_page=100")) == before
    family, membership = directory.get_family(millers.family), directory.get_membership(joined)
    assert (family.remote_id, family.gone_at, membership.remote_id, membership.gone_at) == (None, None, None, None)
    directory.pull(PULL_FULL)
    assert (waiting(directory, PUSH_FULL), directory.get_family(millers.family).remote_id) == (0, None)
    again = send_again(directory, undone)
    assert (again.total, again.failed, again.needs_you) == (5, 0, 0)
    assert (millers.statuses(), millers.households(outside)) == ({"active"}, 1)
    rows = outside.get(f"/groups/v2/groups/{group}/memberships?per_page=100")
    ruth = directory.get(millers.ruth).remote_id
    assert [one["attributes"]["role"] for one in rows if one["relationships"]["person"]["data"]["id"] == ruth] == ["leader"]
    second = take_back(directory, again.number)
    assert (second.updated, kept(directory, second), millers.statuses()) == (5, {}, {"inactive"})


def test_a_household_to_which_others_belong_stays_and_so_do_its_people(directory: Directory, outside: Outside, client: Client) -> None:
    millers = Millers(directory)
    number = directory.push(PUSH_FAMILIES).number
    grandmother = outside.person("Rose", "Miller")
    household = directory.get_family(millers.family).remote_id
    outside.post(
        f"/people/v2/households/{household}/household_memberships", "HouseholdMembership", {"pending": False},
        person={"type": "Person", "id": grandmother},
    )  # fmt: skip
    undone = take_back(directory, number)
    reasons = kept(directory, undone)
    assert (reasons["Household"], reasons["New person"]) == (undo_plans.HOUSEHOLD_GREW, undo_plans.SOMETHING_KEPT)
    assert (millers.statuses(), millers.households(outside)) == ({"active"}, 1)
    assert directory.get_family(millers.family).remote_id == household


def test_who_was_put_into_a_household_later_is_taken_out_of_it_alone(directory: Directory, outside: Outside) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth.miller@gmail.com"), directory.person("Tom", "Miller", "tom.miller@gmail.com")
    family = directory.family("Miller Household", ruth, tom)
    directory.push(PUSH_FAMILIES)
    directory.put_in(family, directory.person("Leo", "Miller", child=True))
    undone = take_back(directory, directory.push(PUSH_FAMILIES).number)
    assert (undone.updated, kept(directory, undone)) == (2, {})
    household = directory.get_family(family).remote_id
    members = outside.get(f"/people/v2/households/{household}/household_memberships")
    assert sorted(one["attributes"]["person_name"] for one in members) == ["Ruth Miller", "Tom Miller"]
    assert the(directory, "Leo", "Miller")["status"] == "inactive"
    assert waiting(directory, PUSH_FAMILIES) == 0


def test_somebody_who_was_made_before_their_family_is_not_made_inactive(directory: Directory) -> None:
    millers = Millers(directory)
    first = directory.push(PUSH_PEOPLE).number
    directory.push(PUSH_FAMILIES)
    undone = take_back(directory, first)
    assert set(kept(directory, undone).values()) == {undo_plans.LATER}
    assert millers.statuses() == {"active"}


def test_a_group_that_does_not_let_go_is_said_in_words(directory: Directory, outside: Outside, group: str) -> None:
    directory.join(group, ana(directory))
    number = directory.push(PUSH_MEMBERSHIPS).number
    shown = preview(directory, number)
    directory.church.practice.fault("DELETE", "/groups/v2/groups/*/memberships/*", "no_access", times=5)
    undone = confirm(directory, shown)
    assert (undone.failed, undone.updated) == (1, 1)
    [reason] = [item.reason for item in directory.church.items() if item.state == "failed"]
    assert "Only somebody who administers Groups may take people out of a group" in (reason or "")
    assert kept(directory, undone) == {"New person": undo_plans.SOMETHING_KEPT}
    assert the(directory, "Ana", "Lopez")["status"] == "active"


def test_a_role_that_a_leader_changed_is_left_alone(directory: Directory, client: Client, group: str) -> None:
    joined = directory.join(group, ana(directory))
    number = directory.push(PUSH_MEMBERSHIPS).number
    client.update(groups.MEMBERSHIP, directory.get_membership(joined).remote_id or "", {"role": "leader"}, parent_id=group)
    undone = take_back(directory, number)
    assert kept(directory, undone) == {"Group": undo_plans.CHANGED, "New person": undo_plans.SOMETHING_KEPT}


# Leaving single rows out.


def leave_out(directory: Directory, shown: SyncRun, *labels: str) -> None:
    with church_scope(directory.church.church_id), transaction():
        run = runs.get_run(shown.number)
        rows = [row for one in undo.undone_in(run) for row in one.rows]
        undo.leave_out(run, [row.id for row in rows], [row.id for row in rows if row.label not in labels], "Mona Reyes")


def test_what_is_left_out_stays_and_the_person_stays_active(directory: Directory) -> None:
    ana(directory)
    shown = preview(directory, directory.push(PUSH_PEOPLE).number)
    leave_out(directory, shown, "Email")
    seen = {"Email": "Left out by Mona Reyes.", "New person": undo_plans.SOMETHING_KEPT}
    assert kept(directory, shown) == seen
    undone = confirm(directory, shown)
    assert kept(directory, undone) == seen
    there = the(directory, "Ana", "Lopez")
    assert (there["status"], len(there["emails"]), there["phone_numbers"], there["addresses"]) == ("active", 1, [], [])


def test_a_household_that_is_left_out_keeps_its_people_active(directory: Directory, outside: Outside) -> None:
    millers = Millers(directory)
    shown = preview(directory, directory.push(PUSH_FAMILIES).number)
    assert kept(directory, shown) == {}
    leave_out(directory, shown, "Household")
    assert kept(directory, shown)["New person"] == undo_plans.SOMETHING_KEPT
    undone = confirm(directory, shown)
    assert (undone.state, millers.statuses(), millers.households(outside)) == (FINISHED, {"active"}, 1)
    assert the(directory, "Ruth", "Miller")["emails"] == []


def test_what_was_left_out_can_be_taken_in_again_until_it_is_confirmed(directory: Directory) -> None:
    ana(directory)
    shown = preview(directory, directory.push(PUSH_PEOPLE).number)
    leave_out(directory, shown, "Email")
    leave_out(directory, shown)
    assert kept(directory, shown) == {}
    confirm(directory, shown)
    with pytest.raises(ChangeRefused):
        leave_out(directory, shown, "Email")
    assert the(directory, "Ana", "Lopez")["status"] == "inactive"


def test_who_presses_a_moment_later_decides_about_what_the_first_one_left(directory: Directory) -> None:
    ana(directory)
    shown = preview(directory, directory.push(PUSH_PEOPLE).number)
    for decide in (lambda run: undo.leave_out(run, [], [], "Mona Reyes"), undo.discard):
        with church_scope(directory.church.church_id), transaction() as session:
            stale = runs.get_run(shown.number)
            begun = update(SyncRun).where(SyncRun.id == stale.id).values(state=RUNNING)
            session.execute(begun, execution_options={"synchronize_session": False})
            with pytest.raises(ChangeRefused, match="begun already"):
                decide(stale)


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch) -> None:
    next_door = Directory(neighbour_church)
    theirs = next_door.person("Ana", "Lopez", "ana.lopez@gmail.com")
    before = directory.church.practice.people(1)
    ana(directory)
    number = directory.push(PUSH_PEOPLE).number
    shown = preview(directory, number)
    with church_scope(neighbour_church.church_id), pytest.raises(NotFound):
        runs.get_run(shown.number)
    confirm(directory, shown)
    assert directory.church.practice.people(1) == before
    assert [one.value for one in next_door.get(theirs).contacts] == ["ana.lopez@gmail.com"]


@pytest.mark.parametrize("edited", [True, False])
def test_somebody_whose_birthday_staff_mended_before_a_lost_answer_was_found_stays_active(
    directory: Directory, outside: Outside, edited: bool
) -> None:
    church = directory.church
    church.practice.fault("POST", "*/v2/people", "drop_after")
    directory.person("Wilhelmina", "Quist", "mina.quist@gmail.com", born=date(1990, 5, 4))
    with church_scope(church.church_id), transaction():
        number = push.start(PUSH_PEOPLE, "Sam Hill").number
    church.work()
    [mina] = church.practice.named("Wilhelmina", "Quist")
    if edited:
        outside.patch(f"/people/v2/people/{mina['id']}", "Person", mina["id"], birthdate="1980-05-04")
    directory.work_until_done(number)
    take_back(directory, number)
    [mina] = church.practice.named("Wilhelmina", "Quist")
    assert mina["status"] == ("active" if edited else "inactive")
