"""Whatever happens to a request while a push is taken back: nothing of ours is left, nobody is deleted, and everything stays here."""

from itertools import count
from random import Random
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, end_reading, transaction
from connectcard.people.identity import base_email
from connectcard.people.models import EMAIL, PHONE, Contact, Family, FamilyMember, Group, GroupMembership, Identity, Person
from connectcard.people.operations import edit_person, marking_key, set_identity
from connectcard.sync import pull, push, runs, undo
from connectcard.sync.models import FINISHED, PULL_GROUPS, PUSH_FULL, REVIEW, SYNCED, SyncItem, SyncRun
from tests.matrix.practice import Grace, Visitor
from tests.matrix.wire import FAULTS, REFUSALS, Request

# Those that differ in what a worker has to find out afterwards; the rest the undo of a card meets.
KINDS = ("timeout_before", "late_100", "status_502_after", "blocked", "forbidden", "crash_after_applied", "crash_after_commit")
NUMBERS = count(5000)


class Household:
    """A mother and her child, whom staff wrote down here: a family, she with contacts and in a group."""

    def __init__(self, grace: Grace) -> None:
        self.grace = grace
        grace.visitor, grace.survivors = Visitor(next(NUMBERS)), {}
        with church_scope(grace.church_id), transaction() as session:
            session.get_one(Church, grace.church_id).sends_memberships = True
            self.mother, self.child = self._person("Ruth", child=False), self._person("Leo", child=True)
            self.family = self._family()
            self.joined = self._membership()

    def _person(self, first_name: str, *, child: bool) -> UUID:
        person, visitor = Person(seen_at=None), self.grace.visitor
        set_identity(person, Identity(first_name, visitor.last_name), child=child, key=marking_key())
        for value in () if child else (visitor.email, visitor.phone):
            kind, mailbox = (EMAIL, base_email(value)) if "@" in value else (PHONE, None)
            person.contacts.append(Contact(church_id=self.grace.church_id, kind=kind, value=value, display=value, mailbox=mailbox))
        return _kept(person)

    def _family(self) -> UUID:
        family_id = _kept(Family(name=f"{self.grace.visitor.last_name} Household"))
        for one in self.people:
            db.session.add(FamilyMember(family_id=family_id, person_id=one, primary=one == self.mother, added_here_at=now()))
        return family_id

    def _membership(self) -> UUID:
        group = db.session.scalars(select(Group).where(Group.archived_at.is_(None)).order_by(Group.name)).first()
        assert group is not None
        group.enrollment_strategy = "open_signup"
        return _kept(GroupMembership(group_id=group.id, person_id=self.mother, added_here_at=now()))

    @property
    def people(self) -> tuple[UUID, UUID]:
        return self.mother, self.child

    def send(self) -> int:
        with church_scope(self.grace.church_id), transaction():
            number = push.start(PUSH_FULL, "Sam Hill").number
        self.grace.wire.begin({})
        self.grace.rest()
        with church_scope(self.grace.church_id):
            run = runs.get_run(number)
            assert (run.state, run.failed, run.needs_you) == (FINISHED, 0, 0)
        return number

    def change(self) -> None:
        """Staff change the mother's nickname."""
        with church_scope(self.grace.church_id), transaction() as session:
            edit_person(session.get_one(Person, self.mother), {"nickname": "Ruthie"}, "Sam Hill")

    def statuses(self) -> list[str]:
        """How they stand in Planning Center; nobody is made twice, and nobody is deleted."""
        found = self.grace.people()
        assert sorted(str(row["first_name"]) for row in found) == ["Leo", "Ruth"]
        return [str(row["status"]) for row in found]

    def parts(self) -> list[str]:
        """What is left there on them."""
        kinds = ("Email", "PhoneNumber", "HouseholdMembership", "groups.Membership")
        store = self.grace.simulator.store
        return [kind for row in self.grace.people() for kind in kinds for _ in store.of_person(kind, row.id)]

    def here(self) -> list[str]:
        """What is not here any more, or stands in Planning Center as far as we know, of what staff wrote down here."""
        with church_scope(self.grace.church_id):
            mother, family = db.session.get_one(Person, self.mother), db.session.get_one(Family, self.family)
            membership = db.session.get_one(GroupMembership, self.joined)
            members = list(db.session.scalars(select(FamilyMember).where(FamilyMember.family_id == family.id)))
            wrong = [] if (len(mother.contacts), len(members)) == (2, 2) else [f"{len(mother.contacts)} contacts, {len(members)} members"]
            wrong += [f"contact {one.remote_id}" for one in mother.contacts if one.remote_id or not one.added_here_at]
            wrong += [f"{one.__tablename__} {one.remote_id}" for one in (family, membership, *members) if one.remote_id or one.gone_at]
            end_reading()
        return wrong


def _kept(row: Any) -> UUID:
    db.session.add(row)
    db.session.flush()
    return row.id  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def pulled(grace: Grace) -> Grace:
    """Its sign-in covers Groups, and they are known here."""
    grace.scopes = "openid people groups"
    grace.reconnect()
    grace.wire.move(60)
    with church_scope(grace.church_id), transaction():
        number = pull.want_pull(PULL_GROUPS, "Sam Hill").number
    pull.advance_pulls(grace.church_id, Event(), lambda: False)
    with church_scope(grace.church_id):
        run = runs.get_run(number)
        assert (run.state, run.note) == (FINISHED, None)
        end_reading()
    return grace


def take_back(grace: Grace, number: int, faults: dict[int, str]) -> SyncRun:
    with church_scope(grace.church_id), transaction():
        begun = undo.begin(runs.get_run(number), "Sam Hill").number
    grace.wire.begin({})
    grace.rest()
    with church_scope(grace.church_id), transaction():
        undo.confirm(runs.get_run(begun))
    grace.wire.begin(faults)
    grace.rest()
    grace.wire.move(400)
    with church_scope(grace.church_id):
        return runs.get_run(begun)


def wrong_with(grace: Grace, faults: dict[int, str]) -> list[str]:
    """What is not as it should be after the undo of a push that met these faults."""
    home = Household(grace)
    number, others = home.send(), grace.records()
    undone = take_back(grace, number, faults)
    with church_scope(grace.church_id):
        items = list(db.session.scalars(select(SyncItem).where(SyncItem.run_id == undone.id)))
    place = f"{faults}: {[(item.state, item.reason) for item in items]}; "
    wrong = [] if undone.state == FINISHED else [f"{place}the run did not end: {undone.state}"]
    wrong += [] if grace.records()["Person"] == others["Person"] else [f"{place}people are gone"]
    if {kind for _, kind in grace.wire.met} & REFUSALS:
        home.statuses()
        return wrong + [f"{place}no reason" for item in items if item.state != SYNCED and not item.reason]
    wrong += [f"{place}needs somebody without need" for item in items if item.state != SYNCED]
    wrong += [f"{place}{home.statuses()}, {home.parts()}"] if set(home.statuses()) != {"inactive"} or home.parts() else []
    return wrong + [f"{place}{missing} here" for missing in home.here()]


@pytest.fixture(scope="module")
def calls(pulled: Grace) -> int:
    """What such an undo asks of Planning Center when nothing goes wrong, the preview not counted."""
    assert wrong_with(pulled, {}) == []
    return len(pulled.wire.calls)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_the_middle_of_the_undo_of_a_push(pulled: Grace, calls: int, kind: str) -> None:
    assert kind in FAULTS
    call = Random(f"undo of a push {kind}").randrange(1, calls + 1)
    assert wrong_with(pulled, {call: kind}) == []


def lose_the_answer(grace: Grace, write: str) -> tuple[list[str], pytest.MonkeyPatch]:
    """The next write to such an address is applied, and its answer is lost."""
    apply, lost, patched = grace.wire.apply, [], pytest.MonkeyPatch()

    def lose_once(request: Request) -> bytes:
        answer = apply(request)
        if request.is_write and write in request.path and not lost:
            lost.append(request.path)
            raise ConnectionResetError("done, and reset")
        return answer

    patched.setattr(grace.wire, "apply", lose_once)
    return lost, patched


@pytest.mark.parametrize("write", ["/emails/", "/households/", "/memberships/"])
def test_an_answer_that_is_lost_after_each_kind_of_write(pulled: Grace, write: str) -> None:
    home = Household(pulled)
    number = home.send()
    lost, patched = lose_the_answer(pulled, write)
    undone = take_back(pulled, number, {})
    patched.undo()
    assert lost
    assert (undone.state, undone.failed, undone.needs_you) == (FINISHED, 0, 0)
    assert (set(home.statuses()), home.parts(), home.here()) == ({"inactive"}, [], [])


def test_a_change_is_put_back_though_its_answer_is_lost_and_stays_changed_here(pulled: Grace) -> None:
    home = Household(pulled)
    home.send()
    home.change()
    number = home.send()
    lost, patched = lose_the_answer(pulled, "/people/v2/people/")
    undone = take_back(pulled, number, {})
    patched.undo()
    assert (bool(lost), undone.state, undone.updated) == (True, FINISHED, 1)
    with church_scope(pulled.church_id):
        mother = db.session.get_one(Person, home.mother)
        assert (mother.nickname, set(mother.edits or {})) == ("Ruthie", {"nickname"})
        item = db.session.scalars(select(SyncItem).where(SyncItem.subject_id == home.mother)).one()
        row = pulled.simulator.store.get("Person", pulled.organization, int(mother.remote_id or 0))
    assert row is not None
    assert (row["nickname"], row["status"], item.state) == (None, "active", REVIEW)
