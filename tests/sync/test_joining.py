"""Who asks on a card to join a group is in it once, and where that is not ours to do staff are told what to do; the card arrives anyway."""

from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import select, update

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import ChangeRefused
from connectcard.people.models import Group, GroupMembership
from connectcard.people.pulled import PulledArea, PulledGroup
from connectcard.planning_center import Client
from connectcard.sync import cards_in_sync, decisions, to_dos
from connectcard.sync.cards_in_sync import NEEDS_YOU, TO_DO
from connectcard.sync.group_wishes import GroupNow, WantedGroup, why_by_hand
from connectcard.sync.group_writes import MembershipTarget
from connectcard.sync.models import DONE, FINISHED, LEFT_OUT, PULL_GROUPS, REFUSED, SYNCED, SyncItem, SyncStep
from connectcard.sync.plans import ADD_TO_GROUP
from connectcard.sync.steps import Made, Step
from connectcard.sync.undo_plans import UNKNOWN
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside
from tests.sync.test_undo_pushes import kept, send_again, take_back

ANA = ("Ana", "Lopez", "ana.lopez@gmail.com")
MEMBERSHIPS = "/groups/v2/groups/*/memberships"


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


@pytest.fixture
def practice(practice: Practice) -> Practice:
    """A church with groups of every way of joining."""
    practice.post("reset", {"people": 70, "seed": 1})
    practice.post("settings", {"limit": 100_000})
    return practice


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    """Groups are pulled, and the church sends memberships."""
    directory = Directory(grace_church)
    directory.pull(PULL_GROUPS)
    directory.send_memberships()
    return directory


def group_that(church: GraceChurch, strategy: str) -> Group:
    """A listed group with this way of joining."""
    with church_scope(church.church_id):
        stands = Group.enrollment_strategy == strategy, Group.archived_at.is_(None), Group.listed
        return db.session.scalars(select(Group).where(*stands).order_by(Group.name)).first() or pytest.fail("no such practice group")


@pytest.fixture
def group(directory: Directory) -> Group:
    return group_that(directory.church, "open_signup")


def chosen(group: Group) -> dict[str, object]:
    """The answer of a card that chose this group."""
    return {"id": str(group.id), "name": group.name, "open": True}


def in_group(outside: Outside, group: Group) -> dict[str, str]:
    rows = outside.get(f"/groups/v2/groups/{group.remote_id}/memberships?per_page=100")
    return {row["relationships"]["person"]["data"]["id"]: row["attributes"]["role"] for row in rows}


def sync(church: GraceChurch) -> None:
    run = church.work_until_done(church.press_sync())
    assert (run.state, run.failed, run.needs_you) == (FINISHED, 0, 0)


def group_step(church: GraceChurch, card: UUID) -> SyncStep:
    return next(step for step in church.steps(card) if step.kind == ADD_TO_GROUP)


def standing(church: GraceChurch, card: UUID) -> str:
    with church_scope(church.church_id):
        return cards_in_sync.get_card(card).standing


def to_do(church: GraceChurch, card: UUID) -> str:
    assert standing(church, card) == TO_DO
    return church.item(card).to_do or ""


# It goes well.


def test_a_new_visitor_is_made_and_put_into_the_group(grace_church: GraceChurch, outside: Outside, group: Group) -> None:
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    item, step = grace_church.item(card), group_step(grace_church, card)
    assert in_group(outside, group)[item.person_remote_id or ""] == "member"
    assert (item.state, item.to_do, step.state, step.found, bool(step.confirmed_at)) == (SYNCED, None, DONE, False, True)
    with church_scope(grace_church.church_id):
        kept = db.session.scalars(select(GroupMembership).where(GroupMembership.remote_id == step.remote_id)).one()
        assert (kept.group_id, kept.person_remote_id, kept.added_here_at) == (group.id, item.person_remote_id, None)


def test_whoever_is_in_it_already_stays_what_they_are(grace_church: GraceChurch, outside: Outside, group: Group) -> None:
    ana = outside.person(*ANA)
    outside.post(f"/groups/v2/groups/{group.remote_id}/memberships", "Membership", {"person_id": ana, "role": "leader"})
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    assert (in_group(outside, group)[ana], standing(grace_church, card)) == ("leader", SYNCED)
    assert all(step.kind != ADD_TO_GROUP for step in grace_church.steps(card))


def test_groups_may_know_a_new_person_later(grace_church: GraceChurch, practice: Practice, outside: Outside, group: Group) -> None:
    practice.post("settings", {"groups_lag_s": 20})
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    assert (standing(grace_church, card), list(in_group(outside, group).values()).count("leader")) == (SYNCED, 1)
    assert grace_church.item(card).person_remote_id in in_group(outside, group)


@pytest.mark.parametrize("fault", ["drop_after", "late_apply", "status_500", "rate_limited"])
def test_a_lost_answer_puts_nobody_in_twice(
    grace_church: GraceChurch, practice: Practice, outside: Outside, group: Group, fault: str
) -> None:
    before = in_group(outside, group)
    practice.fault("POST", MEMBERSHIPS, fault, seconds=100 if fault == "late_apply" else 0.3)
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    assert practice.open_faults() == []
    assert (standing(grace_church, card), len(in_group(outside, group))) == (SYNCED, len(before) + 1)


def test_somebody_puts_them_in_at_the_same_moment(
    grace_church: GraceChurch, outside: Outside, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = MembershipTarget.send

    def after_a_leader(self: MembershipTarget, step: Step, client: Client) -> Made:
        member = {"person_id": self.who(step), "role": "leader"}
        outside.post(f"/groups/v2/groups/{group.remote_id}/memberships", "Membership", member)
        return as_it_is(self, step, client)

    monkeypatch.setattr(MembershipTarget, "send", after_a_leader)
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    step = group_step(grace_church, card)
    assert (standing(grace_church, card), step.state, step.found) == (SYNCED, DONE, True)
    assert in_group(outside, group)[grace_church.item(card).person_remote_id or ""] == "leader"


class Crash(BaseException):
    """The worker dies after Planning Center answered and before the answer was written down."""


def test_a_worker_dies_between_answer_and_result(
    grace_church: GraceChurch, outside: Outside, group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, died, as_it_is = in_group(outside, group), [], MembershipTarget.is_done

    def dies_once(self: MembershipTarget, step: Step, made: Made, item: SyncItem) -> None:
        if not died:
            died.append(made)
            raise Crash
        as_it_is(self, step, made, item)

    monkeypatch.setattr(MembershipTarget, "is_done", dies_once)
    card = grace_church.card(*ANA, group=chosen(group))
    number = grace_church.press_sync()
    with suppress(Crash):
        grace_church.work()
    grace_church.move(seconds=125)
    grace_church.work_until_done(number)
    assert (len(died), standing(grace_church, card), len(in_group(outside, group))) == (1, SYNCED, len(before) + 1)


def test_the_preview_says_it_and_a_tick_leaves_it_out(grace_church: GraceChurch, group: Group) -> None:
    card = grace_church.card(*ANA, group=chosen(group))
    preview = grace_church.preview(card)
    assert [(row.label, row.after, row.required) for row in preview.rows][-1] == ("Group", f"Member of “{group.name}”", False)


# It is not ours to do.


def test_a_refusal_is_a_to_do_in_planning_centers_words_and_the_card_arrives(
    grace_church: GraceChurch, practice: Practice, outside: Outside, group: Group
) -> None:
    practice.fault("POST", MEMBERSHIPS, "no_access", times=9)
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    assert to_do(grace_church, card).startswith("Add them to the group in Planning Center by hand. Planning Center said: “")
    assert (group_step(grace_church, card).state, len(practice.named("Ana", "Lopez")[0]["emails"])) == (REFUSED, 1)
    with church_scope(grace_church.church_id):
        assert (cards_in_sync.counts()[NEEDS_YOU], cards_in_sync.counts()[SYNCED]) == (1, 1)


def test_a_group_that_takes_requests_is_put_in_once_the_leader_agreed(directory: Directory, outside: Outside) -> None:
    church, group = directory.church, group_that(directory.church, "request_to_join")
    before, card = in_group(outside, group), directory.church.card(*ANA, group=chosen(group))
    sync(church)
    assert to_do(church, card) == f"“{group.name}” takes requests: its leader decides who joins. Ask the leader, then put them in."
    assert (in_group(outside, group), group_step(church, card).state) == (before, LEFT_OUT)
    with church_scope(church.church_id), transaction():
        number = to_dos.put_into_group(cards_in_sync.get_card(card).item, "Sam Hill").number
    church.work_until_done(number)
    assert (standing(church, card), len(in_group(outside, group))) == (SYNCED, len(before) + 1)
    assert len(church.practice.named("Ana", "Lopez")) == 1
    run = church.run(number)
    assert (run.created, run.updated, run.skipped) == (0, 1, 0), "she was made in the run before"


def test_putting_them_in_later_adds_nothing_that_staff_removed_since(directory: Directory, outside: Outside) -> None:
    """What they had already, and the household that the card made, are gone by then: on purpose."""
    church, group = directory.church, group_that(directory.church, "request_to_join")
    ana = outside.person(*ANA)
    card = church.card(*ANA, group=chosen(group), phone="(512) 555-0177", family={"children": [{"first_name": "Leo", "age": "6"}]})
    sync(church)
    assert to_do(church, card)
    [person] = church.practice.named("Ana", "Lopez")
    for email in person["emails"]:
        outside.delete(f"/people/v2/emails/{email['id']}")
    for household in outside.get(f"/people/v2/people/{ana}/households"):
        outside.delete(f"/people/v2/households/{household['id']}")
    before, receipt = church.practice.people(), {(step.kind, step.state) for step in church.steps(card) if step.kind != ADD_TO_GROUP}
    with church_scope(church.church_id), transaction():
        number = to_dos.put_into_group(cards_in_sync.get_card(card).item, "Sam Hill").number
    church.work_until_done(number)
    assert (standing(church, card), in_group(outside, group).get(ana)) == (SYNCED, "member")
    assert church.practice.people() == before
    assert outside.get(f"/people/v2/people/{ana}/households") == []
    assert {(step.kind, step.state) for step in church.steps(card) if step.kind != ADD_TO_GROUP} == receipt


def test_whoever_was_put_in_is_sent_whole_again_after_an_undo(directory: Directory, outside: Outside) -> None:
    church, group = directory.church, group_that(directory.church, "request_to_join")
    card, first = church.card(*ANA, group=chosen(group)), church.press_sync()
    church.work_until_done(first)
    with church_scope(church.church_id), transaction():
        number = to_dos.put_into_group(cards_in_sync.get_card(card).item, "Sam Hill").number
    church.work_until_done(number)
    take_back(directory, number)
    undone = take_back(directory, first)
    assert church.practice.named("Ana", "Lopez")[0]["status"] == "inactive"
    send_again(directory, undone)
    [ana] = church.practice.named("Ana", "Lopez")
    assert (ana["status"], [email["address"] for email in ana["emails"]]) == ("active", ["ana.lopez@gmail.com"])
    assert to_do(church, card), "whoever is sent anew is asked about anew"


def test_a_group_that_closed_since_is_a_to_do_until_somebody_says_done(directory: Directory) -> None:
    church, group = directory.church, group_that(directory.church, "closed")
    card = church.card(*ANA, group={**chosen(group), "open": False})
    sync(church)
    assert to_do(church, card) == f"“{group.name}” takes nobody in at the moment. Ask the leader, then put them in."
    with church_scope(church.church_id), transaction():
        to_dos.done(cards_in_sync.get_card(card).item, "Sam Hill")
    item = church.item(card)
    assert (standing(church, card), item.to_do_done_by) == (SYNCED, "Sam Hill")
    with church_scope(church.church_id), pytest.raises(ChangeRefused), transaction():
        to_dos.done(cards_in_sync.get_card(card).item, "Sam Hill")


def test_nobody_is_put_in_whom_somebody_else_saw_to_a_moment_ago(directory: Directory) -> None:
    church = directory.church
    card = church.card(*ANA, group=chosen(group_that(church, "request_to_join")))
    sync(church)
    with church_scope(church.church_id), transaction() as session:
        stale = cards_in_sync.get_card(card).item
        seen_to = update(SyncItem).where(SyncItem.submission_id == card).values(to_do_done_at=church.clock())
        session.execute(seen_to, execution_options={"synchronize_session": False})
        for press in (to_dos.put_into_group, to_dos.done):
            with pytest.raises(ChangeRefused):
                press(stale, "Mona Reyes")
    assert standing(church, card) == SYNCED


def test_a_church_that_sends_no_memberships_gets_a_to_do(directory: Directory, outside: Outside, group: Group) -> None:
    directory.send_memberships(chosen=False)
    before, card = in_group(outside, group), directory.church.card(*ANA, group=chosen(group))
    sync(directory.church)
    assert "does not send group memberships" in to_do(directory.church, card)
    assert in_group(outside, group) == before
    with church_scope(directory.church.church_id):
        assert not to_dos.may_be_put_in(cards_in_sync.get_card(card).item)


@pytest.mark.parametrize(
    ("fault", "words"), [("no_access", "no access to Planning Center Groups"), ("outside_scope", "does not cover Planning Center Groups")]
)
def test_groups_that_are_closed_to_us_keep_no_card(
    grace_church: GraceChurch, practice: Practice, group: Group, fault: str, words: str
) -> None:
    practice.fault("GET", "/groups/v2/groups/*", fault, times=9)
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    assert words in to_do(grace_church, card)


def test_a_card_that_is_somebody_elses_puts_them_in_too(grace_church: GraceChurch, outside: Outside, group: Group) -> None:
    other = outside.person("Beatriz", "Silva", "beatriz@gmail.com")
    card = grace_church.card(*ANA, group=chosen(group))
    sync(grace_church)
    with church_scope(grace_church.church_id), transaction() as session:
        item = session.get_one(SyncItem, grace_church.item(card).id)
        item.decision = {**(item.decision or {}), "candidates": [{"remote_id": other, "name": "Beatriz Silva"}]}
        number = decisions.correct_link(item, "same", other, "Sam Hill").number
    grace_church.work_until_done(number)
    assert other in in_group(outside, group)


def test_an_undo_takes_them_out_of_the_group(directory: Directory, outside: Outside, group: Group) -> None:
    before, card = in_group(outside, group), directory.church.card(*ANA, group=chosen(group))
    number = directory.church.press_sync()
    directory.church.work_until_done(number)
    undone = take_back(directory, number)
    assert (undone.state, undone.failed, in_group(outside, group)) == (FINISHED, 0, before)
    assert (group_step(directory.church, card).undone_at is not None, directory.church.practice.named("Ana", "Lopez")[0]["status"]) == (
        True,
        "inactive",
    )


def test_an_undo_after_the_prayer_was_forgotten_leaves_them_in_the_group_and_says_so(
    directory: Directory, outside: Outside, group: Group
) -> None:
    card = directory.church.card(*ANA, group=chosen(group))
    number = directory.church.press_sync()
    directory.church.work_until_done(number)
    with church_scope(directory.church.church_id), transaction() as session:
        for step in session.scalars(select(SyncStep)):
            step.body = step.before = step.after = None
    undone = take_back(directory, number)
    assert kept(directory, undone)["Group"] == UNKNOWN
    assert in_group(outside, group)[directory.church.item(card).person_remote_id or ""] == "member"


def test_an_undo_leaves_who_leads_the_group_by_now(directory: Directory, outside: Outside, group: Group) -> None:
    card = directory.church.card(*ANA, group=chosen(group))
    number = directory.church.press_sync()
    directory.church.work_until_done(number)
    ana, step = directory.church.item(card).person_remote_id or "", group_step(directory.church, card)
    made = step.remote_id or ""
    outside.patch(f"/groups/v2/groups/{group.remote_id}/memberships/{made}", "Membership", made, role="leader")
    take_back(directory, number)
    assert (in_group(outside, group)[ana], group_step(directory.church, card).undone_at) == ("leader", None)


STANDS = PulledGroup("1", "Band", PulledArea("1", "Teams"), listed=True, enrollment="open", enrollment_strategy="open_signup")


@pytest.mark.parametrize(
    ("enrollment", "listed", "words"),
    [("open", True, ""), ("full", True, "“Band” is full."), ("private", True, "“Band” is private now."), ("open", False, "not listed")],
)
def test_how_a_group_stands_at_the_moment_of_the_sync(enrollment: str, listed: bool, words: str) -> None:
    now = GroupNow(PulledGroup("1", "Band", STANDS.area, listed=listed, enrollment=enrollment, enrollment_strategy="open_signup"))
    why = why_by_hand(WantedGroup("k", "Band", "1"), now)
    assert words in why if words else why == ""
    assert why_by_hand(WantedGroup("k", "Band", "1", agreed=True), now) == ""


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch, group: Group) -> None:
    theirs = Outside(directory.church.practice, 1).get("/groups/v2/groups?per_page=100")
    directory.church.card(*ANA, group=chosen(group))
    # The neighbour's own card names a group of ours, which is none of theirs.
    foreign = neighbour_church.card(*ANA, group=chosen(group))
    sync(directory.church)
    assert Outside(directory.church.practice, 1).get("/groups/v2/groups?per_page=100") == theirs
    with church_scope(neighbour_church.church_id):
        assert cards_in_sync.get_card(foreign).standing == "new"
        assert db.session.scalars(select(GroupMembership)).all() == []
