"""What staff change of a group here is changed in Planning Center once; what changed on both sides is left for them to decide."""

from threading import Event
from unittest import mock
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.people import conflicts, group_values
from connectcard.people.group_edits import edit_group, mark_of
from connectcard.people.models import Group
from connectcard.planning_center.errors import Forbidden
from connectcard.sync import lanes, push, push_decisions, push_groups
from connectcard.sync.group_tags import refresh_tags
from connectcard.sync.models import FINISHED, GROUP, IGNORED, LONGEST_REASON, PULL_GROUPS, PUSH_FULL, PUSH_GROUPS, REVIEW, SYNCED
from connectcard.sync.previews import find_preview, want_preview
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside
from tests.sync.test_undo_pushes import kept, send_again, take_back

GROUPS = "/groups/v2/groups"


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    directory = Directory(grace_church)
    directory.pull(PULL_GROUPS)
    return directory


@pytest.fixture
def group(directory: Directory) -> UUID:
    with church_scope(directory.church.church_id):
        return db.session.scalars(select(Group.id).where(Group.archived_at.is_(None)).order_by(Group.name)).first() or pytest.fail(
            "no group"
        )


def ours(directory: Directory, group: UUID) -> Group:
    with church_scope(directory.church.church_id):
        row = db.session.scalars(select(Group).where(Group.id == group)).one()
        assert row.area
        return row


def change(directory: Directory, group: UUID, **values: object) -> None:
    """Staff change a group here."""
    with church_scope(directory.church.church_id), transaction() as session:
        row = session.get_one(Group, group)
        assert edit_group(row, values, "Sam Hill", mark_of(row))


def there(outside: Outside, remote_id: str | None) -> tuple[str, str, str]:
    found = outside.get(f"{GROUPS}/{remote_id}")
    return (
        found["attributes"]["name"],
        found["attributes"]["schedule"],
        found["relationships"]["group_type"]["data"]["id"],
    )


def change_there(outside: Outside, remote_id: str | None, **attributes: object) -> None:
    outside.patch(f"{GROUPS}/{remote_id}", "Group", remote_id or "", **attributes)


def other_type(outside: Outside, group_type: str) -> str:
    return next(one["id"] for one in outside.get("/groups/v2/group_types") if one["id"] not in (group_type, "unique"))


def test_name_schedule_and_type_are_changed_once_and_are_no_edits_any_more(directory: Directory, outside: Outside, group: UUID) -> None:
    row = ours(directory, group)
    target = other_type(outside, row.area.remote_id or "")
    directory.pull(PULL_GROUPS)
    with church_scope(directory.church.church_id):
        known = {area for (area,) in db.session.execute(select(type(row.area).remote_id))}
    if target not in known:
        pytest.skip("no second type has a group")
    change(directory, group, name="Gospel choir", schedule="Mondays at 6", group_type=target)
    run = directory.push(PUSH_GROUPS)
    assert (run.state, run.total, run.updated) == (FINISHED, 1, 1)
    assert there(outside, row.remote_id) == ("Gospel choir", "Mondays at 6", target)
    assert (ours(directory, group).edits, ours(directory, group).area.remote_id) == (None, target)
    assert all(step.confirmed_at and step.before for step in directory.steps(group))
    # A pull afterwards changes nothing, and nothing waits.
    directory.pull(PULL_GROUPS)
    with church_scope(directory.church.church_id):
        assert (push.waiting(PUSH_GROUPS), conflicts.count()) == (0, 0)


def test_the_preview_says_what_is_there_and_what_will_be(directory: Directory, group: UUID) -> None:
    row = ours(directory, group)
    change(directory, group, schedule="Mondays at 6")
    with church_scope(directory.church.church_id), transaction():
        want_preview(group, GROUP)
    lanes.advance(directory.church.church_id, Event())
    with church_scope(directory.church.church_id):
        preview = find_preview(group)
    assert preview is not None
    assert [(line.label, line.now, line.after) for line in preview.rows] == [("When a group meets", row.schedule, "Mondays at 6")]


def read_tags(directory: Directory, group: UUID) -> None:
    """Somebody opened the group, and a worker read its tags."""
    remote_id = ours(directory, group).remote_id or ""
    with church_scope(directory.church.church_id):
        connection = find_connection()
        assert connection is not None
        refresh_tags(remote_id, client_for(connection))


def test_tags_that_were_changed_on_both_sides_are_put_before_staff_by_their_names(
    directory: Directory, outside: Outside, group: UUID
) -> None:
    read_tags(directory, group)
    row = ours(directory, group)
    tags = row.tag_ids or []
    change(directory, group, tags=tags[:1])
    directory.pull(PULL_GROUPS)
    assert list(ours(directory, group).edits or {}) == ["tags"]
    change_there(outside, row.remote_id, tag_ids=tags[1:])
    read_tags(directory, group)
    with church_scope(directory.church.church_id), transaction():
        [shown] = conflicts.open_conflicts()
        names = group_values.value_in_words("tags", tags[:1]), group_values.value_in_words("tags", tags[1:])
        assert (shown.field, shown.ours, shown.theirs) == ("Tags of a group", *names)
        assert "#" not in shown.ours + shown.theirs
        conflicts.take_theirs(shown.conflict, "Sam Hill")
    assert (ours(directory, group).tag_ids, ours(directory, group).edits) == (tags[1:], None)


def test_tags_are_read_when_a_group_is_opened_and_changed(directory: Directory, outside: Outside, group: UUID) -> None:
    row = ours(directory, group)
    read_tags(directory, group)
    tags = ours(directory, group).tag_ids or []
    assert tags == sorted(one["id"] for one in outside.get(f"{GROUPS}/{row.remote_id}/tags"))
    change(directory, group, tags=tags[:1])
    assert directory.push(PUSH_GROUPS).updated == 1
    assert [one["id"] for one in outside.get(f"{GROUPS}/{row.remote_id}/tags")] == tags[:1]
    assert (ours(directory, group).edits, ours(directory, group).tag_ids) == (None, tags[:1])


def test_what_changed_on_both_sides_waits_for_staff(directory: Directory, outside: Outside, group: UUID) -> None:
    row = ours(directory, group)
    change(directory, group, name="Gospel choir")
    change_there(outside, row.remote_id, name="Chamber choir")
    run = directory.push(PUSH_GROUPS)
    assert (run.needs_you, there(outside, row.remote_id)[0]) == (1, "Chamber choir")
    directory.pull(PULL_GROUPS)
    with church_scope(directory.church.church_id), transaction():
        [shown] = conflicts.open_conflicts()
        assert (shown.field, shown.ours, shown.theirs) == ("Group name", "Gospel choir", "Chamber choir")
        conflicts.keep_ours(shown.conflict, "Sam Hill")
    with church_scope(directory.church.church_id), transaction():
        number = push_decisions.try_again(directory.item(group).id, "Sam Hill").number
    directory.work_until_done(number)
    assert (there(outside, row.remote_id)[0], ours(directory, group).edits) == ("Gospel choir", None)


def test_a_change_there_after_the_look_is_left_alone(directory: Directory, outside: Outside, practice: Practice, group: UUID) -> None:
    row = ours(directory, group)
    change(directory, group, name="Gospel choir")
    # The first send never arrives; before the next one somebody renames it there.
    practice.fault("PATCH", f"{GROUPS}/*", "refuse_before")
    with church_scope(directory.church.church_id), transaction():
        number = push.start(PUSH_GROUPS, "Sam Hill").number
    directory.church.move(seconds=1)
    directory.church.work()
    change_there(outside, row.remote_id, name="Chamber choir")
    directory.work_until_done(number)
    assert (there(outside, row.remote_id)[0], directory.item(group).state) == ("Chamber choir", REVIEW)


@pytest.mark.parametrize("fault", ["drop_after", "late_apply", "status_500", "rate_limited"])
def test_a_lost_answer_is_found_again(directory: Directory, outside: Outside, practice: Practice, group: UUID, fault: str) -> None:
    practice.fault("PATCH", f"{GROUPS}/*", fault, seconds=100 if fault == "late_apply" else 0.3)
    change(directory, group, name="Gospel choir")
    directory.push(PUSH_GROUPS)
    assert practice.open_faults() == []
    assert (there(outside, ours(directory, group).remote_id)[0], directory.item(group).state) == ("Gospel choir", SYNCED)
    assert ours(directory, group).edits is None


@pytest.mark.parametrize("method", ["PATCH", "GET"])
def test_a_refusal_is_a_to_do_that_staff_can_settle(directory: Directory, practice: Practice, group: UUID, method: str) -> None:
    practice.fault(method, f"{GROUPS}/*", "no_access", times=9)
    change(directory, group, name="Gospel choir")
    run = directory.push(PUSH_GROUPS)
    item = directory.item(group)
    assert (run.needs_you, item.state) == (1, REVIEW)
    assert "Change this in Planning Center by hand. Planning Center said: “" in (item.reason or "")
    with church_scope(directory.church.church_id), transaction():
        push_decisions.done_by_hand(item.id)
    assert directory.item(group).state == IGNORED


def test_who_does_not_administer_groups_is_refused_by_planning_center_itself(directory: Directory, practice: Practice, group: UUID) -> None:
    ada = next(one["id"] for one in practice.people() if one["first_name"] == "Ada")
    practice.post("permission", {"person": ada, "permission": "Manager"})
    practice.post("permission", {"person": ada, "product": "groups", "permission": "none"})
    change(directory, group, name="Gospel choir")
    directory.push(PUSH_GROUPS)
    item = directory.item(group)
    assert (item.state, "by hand" in (item.reason or "") or "may not see it" in (item.reason or "")) == (REVIEW, True)


def test_what_planning_center_says_at_length_is_cut_to_what_is_kept_of_it(
    directory: Directory, group: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(directory, group, name="Gospel choir")
    refused = mock.Mock(side_effect=Forbidden("refused", status=403, detail="You may not do this. " * 60))
    monkeypatch.setattr(push_groups, "values_there", refused)
    directory.push(PUSH_GROUPS)
    item = directory.item(group)
    assert (item.state, len(item.reason or "")) == (REVIEW, LONGEST_REASON)


def test_a_push_of_a_group_is_taken_back_and_can_be_sent_again(directory: Directory, outside: Outside, group: UUID) -> None:
    row = ours(directory, group)
    change(directory, group, name="Gospel choir", schedule="Mondays at 6")
    number = directory.push(PUSH_GROUPS).number
    change_there(outside, row.remote_id, schedule="Fridays")
    undone = take_back(directory, number)
    assert (undone.state, undone.failed, undone.needs_you) == (FINISHED, 0, 0)
    assert there(outside, row.remote_id)[:2] == (row.name, "Fridays")
    assert list(kept(directory, undone)) == ["When a group meets"]
    # What staff wrote stays here as a change that is not sent yet, and a pull finds no conflict in it.
    assert (ours(directory, group).name, list(ours(directory, group).edits or {})) == ("Gospel choir", ["name"])
    directory.pull(PULL_GROUPS)
    with church_scope(directory.church.church_id):
        assert (directory.item(group).state, conflicts.count()) == (REVIEW, 0)
    send_again(directory, undone)
    assert there(outside, row.remote_id)[:2] == ("Gospel choir", "Fridays")


def test_a_group_that_is_left_is_sent_once_somebody_changes_it_again(directory: Directory, group: UUID) -> None:
    change(directory, group, name="Gospel choir")
    take_back(directory, directory.push(PUSH_GROUPS).number)
    with church_scope(directory.church.church_id), transaction():
        push_decisions.leave_here(directory.item(group).id)
    with church_scope(directory.church.church_id):
        assert (push.waiting(PUSH_GROUPS), push.waiting(PUSH_FULL)) == (0, 0)
    directory.church.move(seconds=60)
    change(directory, group, schedule="Mondays at 6")
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_GROUPS) == 1


def test_everything_takes_groups_with_it(directory: Directory, outside: Outside, group: UUID) -> None:
    change(directory, group, name="Gospel choir")
    assert directory.push(PUSH_FULL).updated == 1
    assert there(outside, ours(directory, group).remote_id)[0] == "Gospel choir"


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch, group: UUID) -> None:
    before = Outside(directory.church.practice, 1).get(f"{GROUPS}?per_page=100")
    change(directory, group, name="Gospel choir")
    directory.push(PUSH_GROUPS)
    assert Outside(directory.church.practice, 1).get(f"{GROUPS}?per_page=100") == before
    with church_scope(neighbour_church.church_id):
        assert push.waiting(PUSH_GROUPS) == 0
        assert db.session.scalars(select(Group)).all() == []
