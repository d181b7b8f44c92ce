"""Whom staff put into a group here is in it in Planning Center once; what is refused there becomes a to-do, in Planning Center's words."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.people.models import Group
from connectcard.sync import push, push_decisions
from connectcard.sync.models import FINISHED, PULL_GROUPS, PUSH_FULL, PUSH_MEMBERSHIPS, REVIEW, SYNCED
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    directory = Directory(grace_church)
    directory.pull(PULL_GROUPS)
    directory.send_memberships()
    return directory


@pytest.fixture
def group(directory: Directory, outside: Outside) -> str:
    """A group whose leaders take no requests first."""
    with church_scope(directory.church.church_id), transaction() as session:
        row = session.query(Group).filter(Group.archived_at.is_(None)).order_by(Group.name).first()
        assert row is not None
        row.enrollment_strategy = "open_signup"
        return str(row.remote_id)


def in_group(outside: Outside, group: str) -> dict[str, str]:
    rows = outside.get(f"/groups/v2/groups/{group}/memberships?per_page=100")
    return {row["relationships"]["person"]["data"]["id"]: row["attributes"]["role"] for row in rows}


def test_somebody_new_is_made_and_put_in_as_a_leader(directory: Directory, outside: Outside, group: str) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    joined = directory.join(group, ana, "leader")
    run = directory.push(PUSH_MEMBERSHIPS)
    assert (run.state, run.total, run.created) == (FINISHED, 2, 2)
    person = directory.get(ana).remote_id or ""
    assert in_group(outside, group)[person] == "leader"
    kept = directory.get_membership(joined)
    assert (kept.person_remote_id, bool(kept.remote_id), kept.added_here_at, directory.item(joined).state) == (person, True, None, SYNCED)


def test_who_is_in_it_already_is_found_and_keeps_the_role(directory: Directory, outside: Outside, group: str) -> None:
    ana = outside.person("Ana", "Lopez", "ana.lopez@gmail.com")
    outside.post(f"/groups/v2/groups/{group}/memberships", "Membership", {"person_id": ana, "role": "leader"})
    joined = directory.join(group, directory.person("Ana", "Lopez", "ana.lopez@gmail.com"))
    run = directory.push(PUSH_MEMBERSHIPS)
    assert (run.created, in_group(outside, group)[ana]) == (0, "leader")
    assert directory.item(joined).reason == "They are in the group as leader already; leaders keep roles in Planning Center."


def test_a_refusal_is_a_to_do_in_planning_centers_words(directory: Directory, practice: Practice, group: str) -> None:
    practice.fault("POST", "/groups/v2/groups/*/memberships", "no_access", times=5)
    joined = directory.join(group, directory.person("Ana", "Lopez", "ana.lopez@gmail.com"))
    run = directory.push(PUSH_MEMBERSHIPS)
    item = directory.item(joined)
    assert (run.created, run.needs_you, item.state) == (1, 1, REVIEW)
    assert (item.reason or "").startswith("Add them to the group in Planning Center by hand. Planning Center said: “")


def test_a_group_that_takes_requests_asks_first(directory: Directory, outside: Outside, group: str) -> None:
    with church_scope(directory.church.church_id), transaction() as session:
        session.query(Group).filter(Group.remote_id == group).one().enrollment_strategy = "request_to_join"
    joined = directory.join(group, directory.person("Ana", "Lopez", "ana.lopez@gmail.com"))
    before = in_group(outside, group)
    directory.push(PUSH_MEMBERSHIPS)
    assert (directory.item(joined).state, in_group(outside, group)) == (REVIEW, before)
    with church_scope(directory.church.church_id), transaction():
        push_decisions.send_anyway(directory.item(joined).id, "Sam Hill")
    directory.church.work_until_done(max(run.number for run in directory.runs()))
    assert len(in_group(outside, group)) == len(before) + 1


def test_memberships_are_sent_only_where_the_church_chose_it(directory: Directory, group: str) -> None:
    directory.send_memberships(chosen=False)
    directory.join(group, directory.person("Ana", "Lopez", "ana.lopez@gmail.com"))
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_FULL) == 1
        with pytest.raises(ChangeRefused), transaction():
            push.start(PUSH_MEMBERSHIPS, "Sam Hill")


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch, group: str) -> None:
    before = Outside(directory.church.practice, 1).get("/groups/v2/groups?per_page=100")
    directory.join(group, directory.person("Ana", "Lopez", "ana.lopez@gmail.com"))
    directory.push(PUSH_MEMBERSHIPS)
    assert Outside(directory.church.practice, 1).get("/groups/v2/groups?per_page=100") == before
    with church_scope(neighbour_church.church_id):
        assert push.waiting(PUSH_FULL) == 0
