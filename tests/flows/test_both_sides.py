"""A church is pulled whole, edited on both sides, then pulled, pushed and told until both sides agree, record for record.

Real processes: web, worker, Redis and Planning Center. The worker is killed, limits fall, answers are lost and deep pages cost more on
the way. `make both-sides` does it with 5,000 people and 80 groups; BOTH_SIDES_PEOPLE, BOTH_SIDES_GROUPS and BOTH_SIDES_PERIOD (the
seconds of a rate window) say otherwise.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people import conflicts
from connectcard.people.contact_changes import add_contact
from connectcard.people.contacts import email_content
from connectcard.people.matching import NEW
from connectcard.people.models import EMAIL, Conflict, Family, Group, Person
from connectcard.people.operations import edit_person
from connectcard.simulator.practice import personal_access_token
from connectcard.sync import pull, push, push_decisions, subscriptions
from connectcard.sync.cursors import SyncCursor
from connectcard.sync.models import FAILED, FAMILY, MEMBERSHIP, PERSON, PULL_FULL, PUSH_FULL, REVIEW, RUNNING, STOPPING, SyncItem, SyncRun
from connectcard.sync.pull_shift import PullLane
from connectcard.sync.webhook_models import DONE, WAITING, WebhookAddress, WebhookDelivery
from tests.conftest import MovedClock, make_config, running
from tests.installation import Installation, eventually, installed
from tests.sync.conftest import GraceChurch, Practice, connect_church
from tests.sync.pulling import as_there
from tests.sync.pushing import Directory, Outside

PEOPLE = int(os.environ.get("BOTH_SIDES_PEOPLE", "400"))
GROUPS = int(os.environ.get("BOTH_SIDES_GROUPS", "12"))
PERIOD = int(os.environ.get("BOTH_SIDES_PERIOD", "2"))
# So many of each kind of edit.
EDITS = max(3, PEOPLE // 100)
BY = "Sam Hill"
SECONDS = 60 + PEOPLE // 8
TOKEN = personal_access_token(1, 0)


ANSWERS: dict[str, Callable[[UUID], SyncRun]] = {
    PERSON: lambda item_id: push_decisions.decide(item_id, NEW, None, BY),
    FAMILY: lambda item_id: push_decisions.try_again(item_id, BY),
    MEMBERSHIP: lambda item_id: push_decisions.send_anyway(item_id, BY),
}


class BothSides:
    """Grace Church in its own installation, and the practice Planning Center."""

    def __init__(self, church: GraceChurch, installation: Installation) -> None:
        self.church, self.installation = church, installation
        self.directory, self.outside = Directory(church), Outside(church.practice)
        self.killed = self.last = 0

    # The machines.

    def settings(self, **settings: int) -> None:
        self.church.practice.post("settings", settings)

    def asked(self) -> int:
        """How many requests Planning Center was sent."""
        self.last = max((entry["number"] for entry in self.church.practice.requests_since(self.last)), default=self.last)
        return self.last

    def kill_the_worker_after(self, requests: int) -> None:
        """SIGKILL once it asked so much more, and another worker at once."""
        before = self.asked()
        self.until(lambda: self.asked() >= before + requests, f"{requests} requests")
        self.installation.worker.kill()
        self.killed += 1
        with self.here():
            # What a dead worker had in hand is let go by itself after a minute or two; nobody waits for it here.
            db.session.execute(update(PullLane).values(until=None))
            db.session.execute(update(WebhookDelivery).where(WebhookDelivery.state == WAITING).values(due_at=now()))
        self.installation.worker.start()

    def until(self, happened: Callable[[], Any], what: str) -> Any:
        """Wait for something; what a pull put off for a minute is due at once."""

        def look() -> Any:
            if self.value(select(SyncCursor.id).where(SyncCursor.due_at > now()).limit(1)):
                with self.here():
                    db.session.execute(update(SyncCursor).values(due_at=now()))
            return happened()

        return eventually(look, what, SECONDS)

    @contextmanager
    def here(self) -> Iterator[None]:
        with church_scope(self.church.church_id), transaction():
            yield

    def value(self, asked: Any) -> Any:
        with church_scope(self.church.church_id):
            return db.session.scalar(asked)

    # What staff do.

    def press_pull(self, *, whole: bool = False) -> int:
        with self.here():
            return pull.want_pull(PULL_FULL, BY, whole=whole).number

    def press_push(self) -> int:
        with self.here():
            return push.start(PUSH_FULL, BY).number

    def end_of(self, number: int) -> SyncRun:
        self.until(lambda: self.church.run(number).finished_at, f"run {number} to end")
        return self.church.run(number)

    def answer_questions(self) -> int:
        """What staff decide: every second conflict for Planning Center, namesakes are new people, leaders were asked; says how many."""
        with self.here():
            waiting = conflicts.open_conflicts()
            for place, one in enumerate(waiting):
                (conflicts.keep_ours if place % 2 else conflicts.take_theirs)(one.conflict, BY)
            asked = select(SyncItem.id, SyncItem.kind).where(SyncItem.kind.in_(ANSWERS), SyncItem.state == REVIEW)
            for item_id, kind in db.session.execute(asked).all():
                ANSWERS[kind](item_id)
            return len(waiting)

    def asking(self) -> list[tuple[str, str | None]]:
        """What waits for staff, with the reason that they read."""
        with church_scope(self.church.church_id):
            rows = db.session.execute(select(SyncItem.kind, SyncItem.reason).where(SyncItem.state.in_((REVIEW, FAILED))))
            return [(kind, reason) for kind, reason in rows]

    def is_quiet(self) -> bool:
        """Whether no run is on, no delivery waits and Planning Center has none on its way."""
        on = self.value(select(func.count(SyncRun.id)).where(SyncRun.state.in_((RUNNING, STOPPING))))
        waiting = self.value(select(func.count(WebhookDelivery.id)).where(WebhookDelivery.state == WAITING))
        return not on and not waiting

    def agree(self) -> int:
        """Questions answered, pushes and pulls pressed until nothing waits on either side; says how many conflicts there were."""
        decided = 0
        for _ in range(8):
            self.until(self.is_quiet, "everything to come to rest")
            decided += self.answer_questions()
            self.until(self.is_quiet, "what was answered to be sent")
            with self.here():
                waiting = push.waiting(PUSH_FULL)
            if waiting:
                self.end_of(self.press_push())
            run = self.end_of(self.press_pull())
            self.until(self.is_quiet, "everything to come to rest")
            if not waiting and not run.created and not run.updated and not self.answer_questions():
                assert not self.asking(), self.asking()
                return decided
        raise AssertionError(f"both sides do not come to rest: {self.asking()}")


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[BothSides]:
    waits = {"PCO_APP_ID": TOKEN[0], "PCO_SECRET": TOKEN[1], "SYNC_WAITS": "6,4,4,0.5"}
    with installed(tmp_path, database_url, **waits) as installation:
        practice = Practice(installation.planning_center.url)
        practice.post("reset", {"people": PEOPLE, "seed": 1, "groups": GROUPS})
        settings = {"public_url": installation.url, "redis_url": installation.redis_url, "pco_base_url": practice.url}
        with running(create_app(make_config(database_url, personal_access_token=TOKEN, **settings))) as app:
            yield BothSides(connect_church(app, practice, MovedClock()), installation)


@pytest.mark.timeout(3 * SECONDS)
def test_both_sides_come_to_agree(both: BothSides, capsys: pytest.CaptureFixture[str]) -> None:
    neighbour = connect_church(both.church.app, both.church.practice, both.church.clock, place=1)
    next_door, began = both.church.practice.organization(1), time.monotonic()
    pull_it_whole(both)
    as_there(both.church)
    pulled, asked = time.monotonic() - began, both.asked()
    both.settings(limit=2000, latency_ms=20, deep_offset=30_000, webhook_copies=2, webhook_disorder_s=1)
    subscribe(both)
    edit_here(both)
    edit_there(both)
    number = both.press_push()
    both.kill_the_worker_after(EDITS * 4)
    both.end_of(number)
    decided = both.agree()
    as_there(both.church)
    assert str(both.end_of(check(both)).note).endswith("compared; none differ.")
    assert decided >= EDITS
    assert both.church.practice.organization(1) == next_door
    with church_scope(neighbour.church_id):
        for model in (Person, Family, Group, Conflict, WebhookDelivery):
            assert db.session.scalar(select(func.count(model.id))) == 0
    with capsys.disabled():
        print(f"\n{figures(both)}; pulled whole in {pulled:.0f} s and {asked} requests; both sides agreed, record for record, after")
        print(f"{time.monotonic() - began:.0f} s, {both.asked()} requests, {both.killed} SIGKILLs and {decided} decided conflicts")


def pull_it_whole(both: BothSides) -> None:
    """Everything comes although workers die, the limit falls, answers are lost and deep pages are counted dearer."""
    both.settings(latency_ms=100, period=PERIOD, deep_offset=PEOPLE // 2, deep_limit=10)
    practice = both.church.practice
    practice.fault("GET", "/people/v2/people", "rate_limited", times=2, after=3, seconds=1)
    practice.fault("GET", "/people/v2/households", "truncated", after=1)
    practice.fault("GET", "/groups/v2/groups", "status_503", seconds=1)
    practice.fault("GET", "/groups/v2/groups/*/memberships", "drop_after", times=2, after=2)
    number = both.press_pull()
    both.kill_the_worker_after(max(3, PEOPLE // 200))
    both.settings(limit=10)
    before = both.asked()
    both.until(lambda: both.asked() >= before + 8, "a few requests under the lower limit")
    both.settings(limit=100)
    both.kill_the_worker_after(max(4, GROUPS // 2))
    run = both.end_of(number)
    assert run.state == "finished"
    assert run.note is None, run.note
    assert practice.open_faults() == []


def subscribe(both: BothSides) -> None:
    with both.here():
        subscriptions.want_check()
    both.until(lambda: both.value(select(WebhookAddress.checked_at)), "the subscriptions to be made")


def check(both: BothSides) -> int:
    with both.here():
        return pull.want_truth_check(BY).number


def figures(both: BothSides) -> str:
    there = {model: both.value(select(func.count(model.id)).where(model.gone_at.is_(None))) for model in (Person, Family, Group)}
    told = both.value(select(func.count(WebhookDelivery.id)).where(WebhookDelivery.state == DONE))
    return f"{there[Person]} people, {there[Family]} families, {there[Group]} groups, {told} deliveries"


# The edits. Each kind has people and families of its own, so that what both sides should look like at the end is beyond doubt.


def adults(both: BothSides, slice_: int) -> list[dict[str, Any]]:
    """Some grown-ups whom nobody signs in as; each number stands for other ones."""
    found = [one for one in both.church.practice.people() if not one["child"] and not one["can_sign_in"] and one["emails"]]
    return found[slice_ * EDITS : (slice_ + 1) * EDITS]


def households(both: BothSides, slice_: int) -> list[str]:
    found = dict.fromkeys(row["household_id"] for one in both.church.practice.people() for row in one["households"])
    return list(found)[slice_ * EDITS : (slice_ + 1) * EDITS]


def edit_there(both: BothSides) -> None:
    """Others at the church work in Planning Center itself."""
    outside, practice = both.outside, both.church.practice
    renamed, given, taken, marked, merged, deleted = (adults(both, number) for number in (0, 1, 2, 3, 4, 5))
    for place, one in enumerate(renamed):
        outside.patch(f"/people/v2/people/{one['id']}", "Person", one["id"], nickname=f"There {place}", last_name=f"Renamed{place}")
    for place, one in enumerate(given):
        outside.post(f"/people/v2/people/{one['id']}/emails", "Email", {"address": f"given.{place}.church@gmail.com", "location": "Work"})
        number = {"number": f"312-555-{4000 + place}", "location": "Home"}
        outside.post(f"/people/v2/people/{one['id']}/phone_numbers", "PhoneNumber", number)
    for one in taken:
        outside.delete(f"/people/v2/emails/{one['emails'][0]['id']}")
    for place, one in enumerate(marked):
        outside.patch(f"/people/v2/people/{one['id']}", "Person", one["id"], nickname=f"Theirs {place}")
    practice.post("merge", {"keep": merged[0]["id"], "remove": merged[1]["id"]})
    practice.delete(deleted[0]["id"])
    for place, household in enumerate(households(both, 0)):
        outside.patch(f"/people/v2/households/{household}", "Household", household, name=f"House of {place}")
    move_somebody(both, *households(both, 1)[:2])
    for place in range(EDITS):
        found_a_household(outside, place)
    change_groups(both)


def move_somebody(both: BothSides, household: str, other: str) -> None:
    """The last of one household moves to another one."""
    last = both.outside.get(f"/people/v2/households/{household}/household_memberships")[-1]
    both.outside.delete(f"/people/v2/households/{household}/household_memberships/{last['id']}")
    who = {"type": "Person", "id": last["relationships"]["person"]["data"]["id"]}
    both.outside.post(f"/people/v2/households/{other}/household_memberships", "HouseholdMembership", {}, person=who)


def found_a_household(outside: Outside, place: int) -> None:
    people = [outside.person(first, f"Founder{place}", f"{first}.{place}.church@gmail.com".lower()) for first in ("Quentin", "Petronella")]
    refs = [{"type": "Person", "id": one} for one in people]
    outside.post("/people/v2/households", "Household", {"name": f"Founder{place} Household"}, primary_contact=refs[0], people=refs)


def change_groups(both: BothSides) -> None:
    """In each group the second one leads too, the third one leaves, and somebody joins."""
    joining = adults(both, 6)
    for place, group in enumerate(groups_of(both)[:EDITS]):
        path = f"/groups/v2/groups/{group}/memberships"
        members = both.outside.get(path)
        both.outside.patch(f"{path}/{members[1]['id']}", "Membership", members[1]["id"], role="leader")
        both.outside.delete(f"{path}/{members[2]['id']}")
        if joining[place]["id"] not in {one["relationships"]["person"]["data"]["id"] for one in members}:
            both.outside.post(path, "Membership", {"person_id": joining[place]["id"], "role": "member"})


def groups_of(both: BothSides) -> list[str]:
    with church_scope(both.church.church_id):
        open_ones = select(Group.remote_id).where(Group.archived_at.is_(None), Group.gone_at.is_(None))
        return [str(remote_id) for remote_id in db.session.scalars(open_ones.order_by(Group.remote_id))]


def edit_here(both: BothSides) -> None:
    """Staff work in our own directory; some of it on the same people at the same time."""
    directory = both.directory
    directory.send_memberships()
    with both.here():
        for place, person in enumerate(ours(both, 3)):
            edit_person(person, {"nickname": f"Ours {place}"}, BY)
        for place, person in enumerate(ours(both, 7)):
            edit_person(person, {"nickname": f"Here {place}"}, BY)
        for place, person in enumerate(ours(both, 8)):
            add_contact(person, EMAIL, email_content(f"added.{place}.church@gmail.com", "Work"), BY)
    for place in range(EDITS):
        home = {"street": f"{place} Elm St", "city": "Springfield", "state": "IL", "zip": "62701", "country_code": "US", "location": "Home"}
        last = f"Settler{place}"
        parent = directory.person("Wilhelmina", last, f"mina.{place}.church@gmail.com", f"+1312556{place:04}", address=home)
        child = directory.person("Ozias", last, child=True)
        directory.family(f"{last} Household", parent, child)
        directory.join(groups_of(both)[-1 - place % GROUPS], parent)


def ours(both: BothSides, slice_: int) -> list[Person]:
    """Our rows of these people."""
    wanted = [one["id"] for one in adults(both, slice_)]
    return list(db.session.scalars(select(Person).where(Person.remote_id.in_(wanted)).order_by(Person.remote_id)))
