"""Preview of a push: what somebody approved of our directory is exactly what is sent, and where a side changed they are asked again."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.people.models import Family, Group
from connectcard.sync import push, push_approvals
from connectcard.sync.approvals import CHANGED, Approval, approve
from connectcard.sync.models import (
    FINISHED,
    PULL_GROUPS,
    PUSH_FAMILIES,
    PUSH_FULL,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    REVIEW,
    SYNCED,
    SyncPreview,
    SyncRun,
)
from connectcard.sync.previews import Preview, find_preview, find_previews, want_previews
from connectcard.sync.push_families import members_in_order
from tests.staff import signed_in
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    return Directory(grace_church)


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


class Previewed:
    """The page of previews of one push: everything that waits was looked at."""

    def __init__(self, directory: Directory, kind: str, page: int = 1) -> None:
        self.directory, self.kind = directory, kind
        with church_scope(directory.church.church_id):
            self.page = push_approvals.page_of(kind, page)
            with transaction():
                want_previews(self.page.subjects)
        before = len(directory.church.practice.requests_since(0))
        directory.church.work()
        asked = directory.church.practice.requests_since(before)
        assert {one["method"] for one in asked} <= {"GET"}, "a preview only reads"
        self.seen = self.now()

    def now(self) -> dict[UUID, Preview]:
        with church_scope(self.directory.church.church_id):
            return find_previews([subject for _, subject in self.page.subjects])

    def approve(self, *but: str, only: Sequence[UUID] | None = None) -> SyncRun:
        """Tick everything but these writes, send it, and let the worker end the run."""
        chosen = {subject: one for subject, one in self.seen.items() if only is None or subject in only}
        said = [
            Approval(subject, one.fingerprint, frozenset(row.mark for row in one.rows if row.label not in but))
            for subject, one in chosen.items()
        ]
        with church_scope(self.directory.church.church_id), transaction():
            number = approve(said, push_approvals.pushes_of(self.kind), "Sam Hill")[0].number
        return self.directory.work_until_done(number)


def changes(preview: Preview) -> list[tuple[str, str, str]]:
    return [(row.label, row.now, row.after) for row in preview.rows if row.after]


@pytest.mark.usefixtures("any_database")
def test_what_was_approved_is_what_is_written_and_what_was_left_out_never_is(directory: Directory) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com", "+15125550177")
    preview = Previewed(directory, PUSH_PEOPLE)
    assert changes(preview.seen[ana]) == [
        ("New person", "", "A new person"),
        ("Email", "", "ana.lopez@gmail.com"),
        ("Mobile number", "", "+15125550177"),
    ]
    assert directory.church.practice.named("Ana", "Lopez") == []
    run = preview.approve("Mobile number")
    assert (run.state, run.created) == (FINISHED, 1)
    (there,) = directory.church.practice.named("Ana", "Lopez")
    assert ([one["address"] for one in there["emails"]], there["phone_numbers"]) == (["ana.lopez@gmail.com"], [])
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_PEOPLE) == 1, "what was left out still waits"
    page = signed_in(directory.church.app, directory.church.church_id).get("/send").text
    assert "What you leave out of a preview still waits and goes with the next press." in page


def test_the_person_who_is_made_can_only_be_left_out_as_a_whole(directory: Directory) -> None:
    directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    Previewed(directory, PUSH_PEOPLE).approve("New person", "Email")
    (there,) = directory.church.practice.named("Ana", "Lopez")
    assert there["emails"] == []


def test_a_record_without_a_tick_stays_and_the_others_go(directory: Directory) -> None:
    ana, ben = directory.person("Ana", "Lopez", "ana.lopez@gmail.com"), directory.person("Ben", "Okafor", "ben@gmail.com")
    run = Previewed(directory, PUSH_PEOPLE).approve(only=[ana])
    assert run.total == 1
    assert directory.get(ben).remote_id is None
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_PEOPLE) == 1


def test_what_somebody_changed_there_meanwhile_stops_the_record_and_shows_the_new_difference(
    directory: Directory, outside: Outside
) -> None:
    remote_id = outside.person("Ruth", "Miller", "ruth.miller@gmail.com")
    ruth = directory.person("Ruth", "Miller", "ruth.miller@gmail.com", "+15125550111")
    preview = Previewed(directory, PUSH_PEOPLE)
    assert changes(preview.seen[ruth]) == [("Mobile number", "", "+15125550111")]
    outside.post(f"/people/v2/people/{remote_id}/phone_numbers", "PhoneNumber", {"number": "(512) 555-0111", "location": "Home"})
    run = preview.approve()
    assert (run.updated, run.needs_you) == (0, 1)
    assert (directory.item(ruth).state, directory.item(ruth).reason) == (REVIEW, CHANGED)
    assert changes(preview.now()[ruth]) == []
    assert directory.get(ruth).remote_id is None, "nothing of a stopped record is kept"


def test_what_we_changed_here_meanwhile_stops_it_too_and_it_can_be_approved_again(directory: Directory, outside: Outside) -> None:
    outside.person("Ruth", "Miller", "ruth.miller@gmail.com")
    ruth = directory.person("Ruth", "Miller", "ruth.miller@gmail.com", born=date(1980, 1, 2))
    preview = Previewed(directory, PUSH_PEOPLE)
    directory.edit(ruth, birthdate=date(1981, 3, 4))
    assert preview.approve().needs_you == 1
    preview.seen = preview.now()
    assert [(label, after) for label, _, after in changes(preview.seen[ruth])] == [("Birthdate", "1981-03-04")]
    assert preview.approve().state == FINISHED
    assert directory.church.practice.named("Ruth", "Miller")[0]["birthdate"] == "1981-03-04"


def test_somebody_who_appeared_there_meanwhile_is_not_made_again(directory: Directory, outside: Outside) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    preview = Previewed(directory, PUSH_PEOPLE)
    outside.person("Ana", "Lopez", "ana.lopez@gmail.com")
    assert preview.approve().needs_you == 1
    assert directory.item(ana).reason == CHANGED
    assert len(directory.church.practice.named("Ana", "Lopez")) == 1
    preview.seen = preview.now()
    assert preview.approve().failed == 0
    assert directory.get(ana).remote_id == directory.church.practice.named("Ana", "Lopez")[0]["id"]


def test_an_approval_of_an_older_preview_is_refused(directory: Directory) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    preview = Previewed(directory, PUSH_PEOPLE)
    directory.edit(ana, gender="Female")
    Previewed(directory, PUSH_PEOPLE)
    with pytest.raises(ChangeRefused):
        preview.approve()
    assert directory.runs() == []


def test_a_whole_family_is_previewed_on_one_page_and_sent_as_it_was_shown(directory: Directory, outside: Outside) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Tom", "Miller", "tom@gmail.com")
    leo = directory.person("Leopold", "Miller", child=True, born=date(2019, 5, 1))
    family = directory.family("Miller Household", ruth, tom, leo)
    preview = Previewed(directory, PUSH_FAMILIES)
    assert preview.page.waiting == len(preview.page.subjects) == 4
    assert [after for _, _, after in changes(preview.seen[family])] == ["Miller Household", *["In the household"] * 3]
    assert "Leopold" not in str(preview.seen), "a name of a child stands in no preview"
    run = preview.approve()
    assert (run.state, run.created, run.needs_you) == (FINISHED, 4, 0)
    members = outside.get(f"/people/v2/households/{directory.get_family(family).remote_id}/household_memberships")
    assert {one["relationships"]["person"]["data"]["id"] for one in members} == {directory.get(one).remote_id for one in (ruth, tom, leo)}


def test_whose_place_in_a_household_is_left_out_is_not_put_into_it_and_stays_in_the_family_here(
    directory: Directory, outside: Outside
) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Tom", "Miller", "tom@gmail.com")
    leo = directory.person("Leopold", "Miller", child=True, born=date(2019, 5, 1))
    family = directory.family("Miller Household", ruth, tom, leo)
    preview = Previewed(directory, PUSH_FAMILIES)
    assert [row.label for row in preview.seen[family].rows if row.required] == ["Household", place_of(directory, family, ruth)]
    run = preview.approve(place_of(directory, family, leo))
    assert (run.state, run.created, run.needs_you) == (FINISHED, 4, 0)
    assert at_home(directory, outside, family) == {directory.get(one).remote_id for one in (ruth, tom)}
    assert set(members_here(directory, family)) == {ruth, tom, leo}
    with church_scope(directory.church.church_id):
        assert push.waiting(PUSH_FAMILIES) == 1, "what was left out still waits"


def test_a_household_of_one_is_not_made(directory: Directory) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Tom", "Miller", "tom@gmail.com")
    family = directory.family("Miller Household", ruth, tom)
    Previewed(directory, PUSH_FAMILIES).approve(place_of(directory, family, tom))
    assert directory.get_family(family).remote_id is None
    assert "A household needs two people" in (directory.item(family).reason or "")


def place_of(directory: Directory, family: UUID, person: UUID) -> str:
    """How a plan calls somebody's place in the household, without a name."""
    return f"Person {members_here(directory, family)[person]} in the household"


def members_here(directory: Directory, family: UUID) -> dict[UUID | None, int]:
    """Who is in it here, with their numbers."""
    with church_scope(directory.church.church_id):
        return {row.person_id: number for number, row in members_in_order(db.session.get_one(Family, family)).items()}


def at_home(directory: Directory, outside: Outside, family: UUID) -> set[str]:
    """Who is in the household of a family, in Planning Center."""
    members = outside.get(f"/people/v2/households/{directory.get_family(family).remote_id}/household_memberships")
    return {one["relationships"]["person"]["data"]["id"] for one in members}


def test_a_family_stops_where_somebody_of_it_was_left_out(directory: Directory) -> None:
    ruth, tom = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Tom", "Miller", "tom@gmail.com")
    family = directory.family("Miller Household", ruth, tom)
    preview = Previewed(directory, PUSH_FAMILIES)
    preview.approve(only=[ruth, family])
    assert directory.item(family).reason == CHANGED
    assert all(not row.after for row in preview.now()[family].rows), "a household needs two"
    assert directory.get_family(family).remote_id is None


def test_a_member_of_a_group_is_previewed_with_the_person(directory: Directory) -> None:
    directory.pull(PULL_GROUPS)
    directory.send_memberships()
    with church_scope(directory.church.church_id), transaction() as session:
        group = session.scalars(select(Group).where(Group.archived_at.is_(None)).order_by(Group.name)).first()
        assert group is not None
        group.enrollment_strategy, remote_id = "open_signup", str(group.remote_id)
    ruth = directory.person("Ruth", "Miller", "ruth@gmail.com")
    joined = directory.join(remote_id, ruth, "leader")
    preview = Previewed(directory, PUSH_MEMBERSHIPS)
    assert changes(preview.seen[joined]) == [("Group", "", "Leader of the group")]
    run = preview.approve()
    assert (run.state, run.needs_you) == (FINISHED, 0)
    assert directory.item(joined).state == SYNCED


def test_however_many_wait_one_page_is_looked_at(directory: Directory) -> None:
    people = {directory.person("Ana", f"Lopez{number}") for number in range(23)}
    first = Previewed(directory, PUSH_FULL)
    assert (len(first.page.subjects), first.page.pages, first.page.waiting) == (10, 3, 23)
    with church_scope(directory.church.church_id):
        assert len(db.session.scalars(select(SyncPreview)).all()) == 10
        last = push_approvals.page_of(PUSH_FULL, 3)
        others = push_approvals.page_of(PUSH_FULL, 2)
    assert {subject for page in (first.page, others, last) for _, subject in page.subjects} == people
    assert len(last.subjects) == 3


@pytest.mark.usefixtures("any_database")
def test_values_of_people_are_sealed_where_previews_are_kept(directory: Directory) -> None:
    directory.person("Leopold", "Miller", child=True, born=date(2019, 5, 1))
    directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    Previewed(directory, PUSH_PEOPLE)
    with church_scope(directory.church.church_id):
        rows: Any = db.session.execute(text("select * from sync_preview")).all()
    assert len(rows) == 2
    for kept in ("Leopold", "2019-05-01", "ana.lopez"):
        assert kept not in str(rows)


def test_the_neighbours_directory_is_neither_shown_nor_sent(directory: Directory, neighbour_church: GraceChurch) -> None:
    theirs = Directory(neighbour_church).person("Ana", "Lopez", "ana.lopez@gmail.com")
    ours = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    preview = Previewed(directory, PUSH_PEOPLE)
    assert list(preview.seen) == [ours]
    preview.seen = {theirs: preview.seen[ours]}
    with pytest.raises(ChangeRefused):
        preview.approve()
    with church_scope(neighbour_church.church_id):
        assert find_preview(ours) is None
        assert push_approvals.page_of(PUSH_PEOPLE, 1).subjects == (("person", theirs),)
        with pytest.raises(NotFound):
            push_approvals.page_of("cards", 1)


def test_what_somebody_sent_meanwhile_is_not_sent_again_by_an_approval(directory: Directory) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    preview = Previewed(directory, PUSH_PEOPLE)
    directory.push(PUSH_PEOPLE)
    with pytest.raises(ChangeRefused):
        preview.approve()
    assert directory.item(ana).approval is None
    assert len(directory.church.practice.named("Ana", "Lopez")) == 1


def test_an_approval_of_a_preview_that_is_old_by_then_holds_for_nothing_later(directory: Directory) -> None:
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com", "+15125550177")
    Previewed(directory, PUSH_PEOPLE).approve("Mobile number")
    with church_scope(directory.church.church_id):
        assert find_preview(ana) is None, "it would show what stood there before"
    directory.push(PUSH_PEOPLE)
    (there,) = directory.church.practice.named("Ana", "Lopez")
    assert [one["e164"] for one in there["phone_numbers"]] == ["+15125550177"], "without a preview everything is sent"


def test_memberships_are_previewed_where_the_church_sends_them(directory: Directory) -> None:
    with church_scope(directory.church.church_id), pytest.raises(ChangeRefused):
        push_approvals.page_of(PUSH_MEMBERSHIPS, 1)
