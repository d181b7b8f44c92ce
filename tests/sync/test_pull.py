"""A church pulled whole from a practice Planning Center and compared with it record for record; then changed, cut off, limited, refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from threading import Event

import pytest
from sqlalchemy import func, select

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.clock import clock
from connectcard.config import Config
from connectcard.connections import budget
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.people.matching import Visitor
from connectcard.people.models import GROUP, Conflict, Family, Group, Person
from connectcard.people.queries import find_candidates, find_person
from connectcard.planning_center import Step, paging
from connectcard.planning_center.resources import groups, people
from connectcard.sync import cursors, pull, pull_lists, pull_shift, readings, record_readings
from connectcard.sync.mappings import Mapping
from connectcard.sync.models import PULL_FAMILIES, PULL_FULL, PULL_GROUPS, PULL_PEOPLE
from connectcard.sync.refreshing import refresh_person
from tests.conftest import MovedClock, running
from tests.servers import wait_until
from tests.sync.conftest import GraceChurch, Practice, connect_church
from tests.sync.practice_views import work as read_what_is_wanted
from tests.sync.pulling import (
    Puller,
    as_there,
    change,
    families_here,
    families_there,
    groups_here,
    groups_there,
    here,
    last_request,
    practice,
    pulls,
    requests_of,
    somebody,
    there,
)

__all__ = ["practice", "pulls"]


@pytest.fixture
def grace_church(config: Config, practice: Practice, moved_clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[GraceChurch]:
    monkeypatch.setattr(budget, "monotonic", lambda: moved_clock().timestamp())
    # What the practice church did lies before its own now; ours begins there too.
    with running(create_app(config)) as app:
        yield connect_church(app, practice, moved_clock)


def test_a_whole_church_comes_record_for_record_and_a_second_pull_changes_nothing(
    any_database: str, grace_church: GraceChurch, pulls: Puller
) -> None:
    run = pulls()
    assert run.note is None
    as_there(grace_church)
    again = pulls(whole=True)
    assert (again.created, again.updated, again.needs_you) == (0, 0, 0)
    as_there(grace_church)


def test_what_changed_is_asked_for_in_few_requests(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    for number, one in enumerate(grace_church.practice.people()[-20:]):
        change(grace_church, one["id"], nickname=f"Nick {number}")
    before = last_request(grace_church)
    pulls(PULL_PEOPLE), pulls(PULL_FAMILIES)
    assert len(requests_of(grace_church, before)) <= 5
    as_there(grace_church)


@pytest.mark.parametrize("turns", [2, 7])
def test_a_pull_that_is_cut_off_goes_on_at_its_page(
    grace_church: GraceChurch, pulls: Puller, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stay = 0, pull_shift.Pull.stay

    def cut(shift: pull_shift.Pull) -> None:
        nonlocal whole
        whole += 1
        if whole == turns:
            raise KeyboardInterrupt
        stay(shift)

    number = pulls.want()
    with monkeypatch.context() as patched:
        patched.setattr(pull_shift.Pull, "stay", cut)
        with pytest.raises(KeyboardInterrupt):
            pulls.turn()
    pulls.work(number)
    as_there(grace_church)


@pytest.mark.parametrize("kind", ["status_500", "rate_limited", "truncated", "drop_after"])
def test_faults_in_the_middle_change_nothing_about_the_end(grace_church: GraceChurch, pulls: Puller, kind: str) -> None:
    for path in ("/people/v2/people", "/people/v2/households", "/groups/v2/groups"):
        grace_church.practice.fault("GET", path, kind, times=2, after=1)
    run = pulls()
    assert run.state == "finished"
    as_there(grace_church)


def test_windows_and_deep_pages(grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "WINDOW_RECORDS", 150)
    pulls()
    as_there(grace_church)


def test_somebody_edits_while_we_read(grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGES_AHEAD", 1)
    number, stay, moments = pulls.want(PULL_PEOPLE), pull_shift.Pull.stay, count(1)
    oldest, newest = somebody(grace_church, -2), somebody(grace_church)

    def while_we_read(shift: pull_shift.Pull) -> None:
        # The first page is read and not stored yet, the last one is not read: of these two only the later one is seen by this pass.
        if next(moments) == 3:
            change(grace_church, oldest, nickname="Earlier")
            change(grace_church, newest, nickname="Later")
        stay(shift)

    monkeypatch.setattr(pull_shift.Pull, "stay", while_we_read)
    pulls.work(number)
    assert {person: here(grace_church)[person][2] for person in (oldest, newest)} == {oldest: "", newest: "Later"}
    pulls(PULL_PEOPLE)
    assert here(grace_church) == there(grace_church)


def test_merged_and_deleted_people_are_marked_and_nothing_of_ours_is_lost(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    kept, merged, deleted = (somebody(grace_church, place) for place in range(3))
    with church_scope(grace_church.church_id), transaction():
        person = find_person(merged)
        assert person is not None
        person.allergies = "Nuts"
    grace_church.practice.post("merge", {"keep": kept, "remove": merged})
    grace_church.practice.delete(deleted)
    pulls(whole=True)
    with church_scope(grace_church.church_id):
        rows = {remote_id: find_person(remote_id) for remote_id in (kept, merged, deleted)}
        assert all(rows.values())
        assert rows[merged].merged_into == kept  # type: ignore[union-attr]
        assert rows[deleted].gone_at is not None  # type: ignore[union-attr]
        assert rows[kept].allergies == "Nuts"  # type: ignore[union-attr]
    as_there(grace_church)


def test_who_goes_while_their_page_waits_to_be_stored_stays_gone(
    grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulls(PULL_PEOPLE)
    kept, merged, deleted = (somebody(grace_church, place) for place in range(3))
    take_in, pages = pull_lists._take_in, count(1)

    def meanwhile(shift: pull_shift.Pull, mapping: Mapping, step: Step) -> None:
        if next(pages) == 1:
            # Every page was asked for; two deliveries are worked before they are stored.
            wait_until(lambda: len(requests_of(grace_church, before)) >= 4, "all pages to be asked for")
            grace_church.move(seconds=1)
            grace_church.practice.post("merge", {"keep": kept, "remove": merged})
            grace_church.practice.delete(deleted)
            for gone in (merged, deleted):
                refresh_person(gone, shift.client)
        take_in(shift, mapping, step)

    before = last_request(grace_church)
    monkeypatch.setattr(pull_lists, "_take_in", meanwhile)
    pulls(PULL_PEOPLE, whole=True)
    assert here(grace_church) == there(grace_church)


def test_an_answer_that_shows_nobody_takes_nobody_away(grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch) -> None:
    pulls()
    for one in grace_church.practice.people()[5:90]:
        grace_church.practice.delete(one["id"])
    run = pulls(PULL_PEOPLE, whole=True)
    assert "Nothing was marked as gone" in (run.note or "")
    with church_scope(grace_church.church_id):
        assert db.session.scalar(select(func.count(Person.id)).where(Person.gone_at.is_not(None))) == 0


def test_without_groups_the_rest_is_pulled_and_staff_read_why(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    with church_scope(grace_church.church_id):
        groups = db.session.scalar(select(func.count(Group.id)))
    grace_church.practice.fault("GET", "/groups/v2/groups", "no_access", times=20)
    run = pulls(whole=True)
    assert run.state == "finished"
    assert "Groups" in (run.note or "")
    with church_scope(grace_church.church_id):
        assert db.session.scalar(select(func.count(Group.id)).where(Group.gone_at.is_(None))) == groups


def test_groups_that_are_hidden_from_whoever_connected_are_not_taken_for_gone(grace_church: GraceChurch, pulls: Puller) -> None:
    ada = next(one["id"] for one in grace_church.practice.people() if one["first_name"] == "Ada")
    joined, unseen, *_ = sorted(groups_there(grace_church))
    join(grace_church, joined, ada)
    pulls()
    before = groups_here(grace_church)
    grace_church.practice.post("permission", {"person": ada, "permission": "Manager"})
    grace_church.practice.post("permission", {"person": ada, "product": "groups", "permission": "none"})
    assert "administrator of Groups" in (pulls(whole=True).note or "")
    with church_scope(grace_church.church_id), transaction():
        record_readings.want(GROUP, unseen)
    read_what_is_wanted(grace_church.church_id)
    assert groups_here(grace_church) == before
    grace_church.practice.post("permission", {"person": ada, "permission": "site_administrator"})
    assert "administrator of Groups" not in (pulls(whole=True).note or "")


def join(church: GraceChurch, group_remote_id: str, person_remote_id: str) -> None:
    """Somebody is added to a group there."""
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        end_reading()
        attributes = {"person_id": int(person_remote_id), "role": "member"}
        client.create(groups.MEMBERSHIP, attributes, parent_id=group_remote_id)


def test_whoever_left_a_family_or_group_leaves_it_here_too_and_the_last_one_as_well(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    household, emptied_household = [one for one, (_, _, members) in sorted(families_there(grace_church).items()) if len(members) > 1][:2]
    group, emptied_group = [one for one, (*_, members) in sorted(groups_there(grace_church).items()) if len(members) > 1][:2]
    with church_scope(grace_church.church_id):
        connection = find_connection()
        assert connection is not None
        client = client_for(connection)
        end_reading()
        for resource, parent, how_many in (
            (people.HOUSEHOLD_MEMBERSHIP, household, 1),
            (people.HOUSEHOLD_MEMBERSHIP, emptied_household, None),
            (groups.MEMBERSHIP, group, 1),
            (groups.MEMBERSHIP, emptied_group, None),
        ):
            for one in list(client.iterate(resource, parent_id=parent))[:how_many]:
                client.delete(resource, one.id, parent_id=parent)
    pulls(whole=True)
    assert (families_here(grace_church)[emptied_household][2], groups_here(grace_church)[emptied_group][3]) == (set(), set())
    as_there(grace_church)


def test_cards_go_first(grace_church: GraceChurch, pulls: Puller) -> None:
    number = pulls.want()
    card = grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync = grace_church.press_sync()
    assert pulls.turn() is False
    assert not grace_church.run(number).finished_at
    grace_church.work_until_done(sync)
    pulls.work(number)
    assert grace_church.item(card).state == "synced"
    as_there(grace_church)


def test_who_was_pulled_is_found_by_matching(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls(PULL_PEOPLE)
    one = next(one for one in grace_church.practice.people() if one["emails"] and not one["child"])
    with church_scope(grace_church.church_id):
        found = find_candidates(Visitor("Somebody", "Else", email=one["emails"][0]["address"]))
        named = find_candidates(Visitor(one["first_name"], one["last_name"]))
    assert one["id"] in {candidate.remote_id for candidate in found} & {candidate.remote_id for candidate in named}


def test_childrens_names_are_nowhere_in_the_open(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls(PULL_PEOPLE)
    with church_scope(grace_church.church_id):
        children = db.session.scalars(select(Person).where(Person.child)).all()
        assert len(children) > 10
        assert all(child.identity.first_name and not child.first_name and not child.last_name and not child.birthdate for child in children)
        assert all(child.identity.first_name.lower() not in child.name_key for child in children)


def test_stop_ends_a_pull_where_it_is(grace_church: GraceChurch, pulls: Puller) -> None:
    from connectcard.sync import runs

    number = pulls.want()
    with church_scope(grace_church.church_id), transaction():
        runs.stop(runs.get_run(number))
    pulls.turn()
    assert grace_church.run(number).state == "stopped"
    assert pulls.want() != number


def test_a_family_that_is_opened_gets_the_roles_of_its_members(grace_church: GraceChurch, pulls: Puller) -> None:
    pulls()
    with church_scope(grace_church.church_id), transaction() as session:
        family = session.scalars(select(Family).where(Family.roles_read_at.is_(None)).limit(1)).one()
        record_readings.want("family", family.remote_id)
    households = [(one["id"], row) for one in grace_church.practice.people() for row in one["households"]]
    roles = {person: row["household_role"] or "" for person, row in households if row["household_id"] == family.remote_id}
    read_what_is_wanted(grace_church.church_id)
    with church_scope(grace_church.church_id):
        again = db.session.scalars(select(Family).where(Family.id == family.id)).one()
        assert again.roles_read_at is not None
        assert {member.person_remote_id: member.role for member in again.members} == roles
        assert all(member.remote_id for member in again.members)
        assert readings.wanted_now() == []


def test_one_pull_at_a_time(grace_church: GraceChurch, pulls: Puller) -> None:
    assert pulls.want(PULL_FULL) == pulls.want(PULL_GROUPS)
    with church_scope(grace_church.church_id):
        fence = pull_shift.take_lane()
        assert fence is not None
        assert pull_shift.take_lane() is None
    assert pull.advance_pulls(grace_church.church_id, Event()) is False
    assert here(grace_church) == {}


def test_the_church_next_door_is_not_touched(grace_church: GraceChurch, pulls: Puller) -> None:
    neighbour = connect_church(grace_church.app, grace_church.practice, grace_church.clock, place=1)
    before = grace_church.practice.organization(1)
    pulls()
    with church_scope(neighbour.church_id):
        for model in (Person, Family, Group, Conflict, cursors.SyncCursor):
            assert db.session.scalar(select(func.count(model.id))) == 0
    assert grace_church.practice.organization(1) == before


def test_workers_that_are_killed_leave_a_pull_that_another_one_ends(
    grace_church: GraceChurch, pulls: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "source", lambda: datetime.now(UTC))
    number = pulls.want()
    grace_church.practice.post("settings", {"latency_ms": 60})
    for asked in (3, 6):
        pulls.kill_a_worker_after(asked)
    assert not grace_church.run(number).finished_at
    grace_church.practice.post("settings", {"latency_ms": 0})
    while pulls.turn() or not grace_church.run(number).finished_at:
        pass
    as_there(grace_church)
