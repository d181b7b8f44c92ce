"""Contacts that staff changed, removed or chose here arrive in Planning Center, exactly once, on this person's own record only."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.people import conflicts, contact_changes
from connectcard.people.contact_edits import edits_of
from connectcard.people.contacts import ADDRESS, email_content, phone_content
from connectcard.people.models import EMAIL, PHONE, Conflict, Person
from connectcard.sync import push
from connectcard.sync.models import DONE, FAILED, FINISHED, LEFT_OUT, PULL_PEOPLE, PUSH_PEOPLE
from connectcard.sync.push_person_writes import PersonTarget
from connectcard.sync.refreshing import refresh_person
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside

OLD, SECOND, NEW = "ana.lopez@gmail.com", "lopez.ana@outlook.com", "ana@lopezfamily.org"


class Ana:
    """Ana Lopez, who stands in Planning Center and was pulled; what staff do to her contacts here and what stands there."""

    def __init__(self, church: GraceChurch) -> None:
        self.church, self.directory, self.outside = church, Directory(church), Outside(church.practice)
        self.remote_id = self.outside.person("Ana", "Lopez", OLD, SECOND)
        below = f"/people/v2/people/{self.remote_id}"
        self.number = self.outside.post(f"{below}/phone_numbers", "PhoneNumber", {"number": "(512) 555-0177", "location": "Mobile"})
        home = {"street": "12 Elm Street", "city": "Austin", "state": "TX", "zip": "78701", "location": "Home"}
        self.home = self.outside.post(f"{below}/addresses", "Address", home)
        self.directory.pull(PULL_PEOPLE)
        self.first, self.second = (one["id"] for one in self.there()["emails"])
        with church_scope(church.church_id):
            self.id: UUID = db.session.scalars(db.select(Person.id).where(Person.remote_id == self.remote_id)).one()

    def there(self) -> dict[str, Any]:
        return next(one for one in self.church.practice.people() if one["id"] == self.remote_id)

    def emails(self) -> dict[str, tuple[str, bool]]:
        return {one["id"]: (one["address"], one["primary"]) for one in self.there()["emails"]}

    def staff(self, change: Any, *given: Any) -> None:
        with church_scope(self.church.church_id), transaction():
            change(db.session.get_one(Person, self.id), *given, "Sam Hill")

    def change(self, remote_id: str, value: str, location: str = "Home") -> None:
        self.staff(contact_changes.change_contact, EMAIL, remote_id, email_content(value, location))

    def remove(self, kind: str, remote_id: str) -> None:
        self.staff(contact_changes.remove_contact, kind, remote_id)

    def add(self, value: str) -> None:
        self.staff(contact_changes.add_contact, EMAIL, email_content(value, "Home"))

    def waiting(self) -> int:
        with church_scope(self.church.church_id):
            return len(edits_of(db.session.get_one(Person, self.id)))

    def here(self) -> dict[str | None, tuple[str, bool]]:
        return {one.remote_id: (one.value, one.primary) for one in self.directory.get(self.id).contacts if one.kind == EMAIL}

    def asked(self) -> list[tuple[str, str, str]]:
        with church_scope(self.church.church_id):
            return [(one.field, one.ours, one.theirs) for one in conflicts.of_subject(self.id)]

    def decide(self, decide: Any) -> None:
        with church_scope(self.church.church_id), transaction():
            (one,) = db.session.scalars(db.select(Conflict).where(Conflict.decided_at.is_(None)))
            decide(one, "Sam Hill")

    def push(self) -> Any:
        return self.directory.push(PUSH_PEOPLE)

    def writes(self) -> list[tuple[str, str]]:
        rows = self.church.practice.requests_since(0)
        return [(row["method"], row["path"]) for row in rows if row["method"] in ("PATCH", "DELETE")]


@pytest.fixture
def ana(grace_church: GraceChurch) -> Ana:
    return Ana(grace_church)


def test_what_was_changed_here_is_sent_to_the_records_own_id(ana: Ana) -> None:
    ana.change(ana.first, NEW, "Work")
    ana.staff(contact_changes.change_contact, PHONE, ana.number, phone_content("512 555 0188", "Home", "US"))
    with church_scope(ana.church.church_id):
        (address,) = db.session.get_one(Person, ana.id).addresses
        moved = {**contact_changes.content_of(address), "street": "1 Oak Avenue", "street2": "Apt 2"}
    ana.staff(contact_changes.change_contact, ADDRESS, ana.home, moved)
    run = ana.push()
    assert (run.state, run.updated, run.failed, run.needs_you) == (FINISHED, 1, 0, 0)
    there = ana.there()
    assert ana.emails() == {ana.first: (NEW, True), ana.second: (SECOND, False)}
    assert [(one["id"], one["e164"], one["location"]) for one in there["phone_numbers"]] == [(ana.number, "+15125550188", "Home")]
    (home,) = there["addresses"]
    assert (home["id"], home["street_line_1"], home["street_line_2"], home["zip"]) == (ana.home, "1 Oak Avenue", "Apt 2", "78701")
    assert sorted(ana.writes()) == [
        ("PATCH", f"/people/v2/addresses/{ana.home}"),
        ("PATCH", f"/people/v2/emails/{ana.first}"),
        ("PATCH", f"/people/v2/phone_numbers/{ana.number}"),
    ]
    assert (ana.waiting(), ana.asked()) == (0, [])
    with church_scope(ana.church.church_id):
        assert push.waiting(PUSH_PEOPLE) == 0


def test_what_it_replaced_and_what_was_answered_is_kept_for_an_undo(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.push()
    changed, removed = ana.directory.steps(ana.id)
    assert (changed.kind, json.loads(changed.before or ""), changed.remote_id) == ("update_contact", {"address": OLD}, ana.first)
    assert json.loads(changed.after or "")["address"] == NEW
    assert (removed.kind, removed.remote_id) == ("remove_contact", ana.second)
    assert json.loads(removed.before or "") == {"address": SECOND, "location": "Home", "primary": False}
    assert all(step.confirmed_at for step in (changed, removed))


def test_a_removal_goes_to_this_persons_record_although_a_spouse_has_the_same_address(ana: Ana) -> None:
    spouse = ana.outside.person("Ben", "Lopez", SECOND)
    ana.directory.pull(PULL_PEOPLE)
    ana.remove(EMAIL, ana.second)
    assert ana.push().updated == 1
    assert ana.emails() == {ana.first: (OLD, True)}
    (ben,) = [one for one in ana.church.practice.people() if one["id"] == spouse]
    assert [one["address"] for one in ben["emails"]] == [SECOND]
    assert ana.waiting() == 0


def test_an_address_that_is_only_missing_here_is_never_removed_there(ana: Ana) -> None:
    with church_scope(ana.church.church_id), transaction() as session:
        session.get_one(Person, ana.id).contacts = []
    ana.add(NEW)
    ana.push()
    assert sorted(value for value, _ in ana.emails().values()) == sorted([OLD, SECOND, NEW])


def test_another_primary_one_and_an_added_one_that_is_to_be_primary(ana: Ana) -> None:
    ana.staff(contact_changes.make_primary, EMAIL, ana.second)
    ana.remove(EMAIL, ana.first)
    ana.push()
    assert ana.emails() == {ana.second: (SECOND, True)}
    ana.add(NEW)
    added = next(str(one.id) for one in ana.directory.get(ana.id).contacts if one.value == NEW)
    ana.staff(contact_changes.make_primary, EMAIL, added)
    ana.push()
    assert sorted(ana.emails().values()) == [(NEW, True), (SECOND, False)]
    assert sorted(ana.here().values()) == [(NEW, True), (SECOND, False)]
    assert (ana.waiting(), ana.asked()) == (0, [])


def test_the_same_mailbox_written_otherwise_takes_the_place_of_what_is_removed(ana: Ana) -> None:
    ana.remove(EMAIL, ana.first)
    ana.add("analopez@gmail.com")
    ana.push()
    assert sorted(value for value, _ in ana.emails().values()) == ["analopez@gmail.com", SECOND]


# Changed there too.


def test_what_changed_there_before_the_push_is_left_alone_and_asked_about(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address="ana@work.org")
    ana.outside.patch(f"/people/v2/emails/{ana.second}", "Email", ana.second, address="lopez@work.org")
    run = ana.push()
    assert (run.updated, run.skipped) == (0, 1)
    assert ana.writes()[2:] == []
    assert {step.state for step in ana.directory.steps(ana.id)} == {LEFT_OUT}
    assert "Decide which of both stands" in str(ana.directory.item(ana.id).reason)
    assert sorted(ana.asked()) == [("Email", "Removed", "lopez@work.org (home)"), ("Email", f"{NEW} (home)", "ana@work.org (home)")]


def test_what_changed_there_between_plan_and_write_is_left_alone(ana: Ana, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = PersonTarget.probe
    changed: list[str] = []

    def somebody_is_quicker(self: PersonTarget, step: Any, client: Any) -> Any:
        if not changed:
            changed.append(step.kind)
            ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address="ana@work.org")
            ana.outside.delete(f"/people/v2/emails/{ana.second}")
        return as_it_is(self, step, client)

    monkeypatch.setattr(PersonTarget, "probe", somebody_is_quicker)
    ana.change(ana.first, NEW)
    ana.change(ana.second, "third@lopezfamily.org")
    ana.push()
    assert changed == ["update_contact"]
    assert ana.emails() == {ana.first: ("ana@work.org", True)}
    assert sorted(ana.asked()) == [("Email", f"{NEW} (home)", "ana@work.org (home)"), ("Email", "third@lopezfamily.org (home)", "Removed")]


def test_what_staff_decided_is_what_is_sent(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.outside.delete(f"/people/v2/emails/{ana.first}")
    ana.push()
    ana.decide(conflicts.keep_ours)
    ana.push()
    assert sorted(value for value, _ in ana.emails().values()) == [NEW, SECOND]
    ana.remove(EMAIL, ana.second)
    ana.outside.patch(f"/people/v2/emails/{ana.second}", "Email", ana.second, address="lopez@work.org")
    ana.push()
    ana.decide(conflicts.keep_ours)
    ana.push()
    assert [value for value, _ in ana.emails().values()] == [NEW]
    assert (ana.waiting(), ana.asked(), list(ana.here().values())) == (0, [], [(NEW, True)])


def test_what_somebody_did_there_as_well_is_found_and_not_sent(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address=NEW)
    ana.outside.delete(f"/people/v2/emails/{ana.second}")
    before = len(ana.writes())
    run = ana.push()
    assert (run.skipped, len(ana.writes()), ana.waiting()) == (1, before, 0)


def test_what_planning_center_refuses_is_said_in_words_and_waits(ana: Ana) -> None:
    ana.change(ana.first, "ana@example.com")
    ana.push()
    item = ana.directory.item(ana.id)
    assert item.state == FAILED
    assert "disallowed domain" in str(item.reason)
    assert (ana.waiting(), ana.emails()[ana.first]) == (1, (OLD, True))


# Echoes and pulls.


def told(ana: Ana) -> Any:
    """A webhook says that Ana changed there, or a truth check found it: she is read again."""
    with ana.church.app.app_context(), church_scope(ana.church.church_id):
        connection = find_connection()
        assert connection is not None
        return refresh_person(ana.remote_id, client_for(connection))


def test_what_a_webhook_tells_asks_and_overwrites_nothing(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address="ana@work.org")
    ana.outside.delete(f"/people/v2/emails/{ana.second}")
    assert told(ana).conflicts == 1
    assert (ana.here(), ana.asked()) == ({ana.first: (NEW, True)}, [("Email", f"{NEW} (home)", "ana@work.org (home)")])
    assert ana.waiting() == 1, "what both sides removed is settled"


def test_the_echo_of_our_own_write_changes_nothing(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.push()
    assert told(ana).outcome == "as it was"
    assert ana.directory.pull(PULL_PEOPLE).updated == 0


def test_a_pull_before_the_push_keeps_what_waits(ana: Ana) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.church.practice.rename(ana.remote_id, "Ana Maria", "Lopez")
    ana.church.move(minutes=6)
    ana.directory.pull(PULL_PEOPLE)
    assert (ana.directory.get(ana.id).first_name, ana.here()) == ("Ana Maria", {ana.first: (NEW, True)})
    ana.push()
    assert ana.emails() == {ana.first: (NEW, True)}


# Exactly once.


@pytest.mark.parametrize("fault", ["drop_after", "late_apply", "status_500"])
def test_lost_answers_leave_every_contact_as_it_was_meant(ana: Ana, practice: Practice, fault: str) -> None:
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.staff(contact_changes.change_contact, PHONE, ana.number, phone_content("512 555 0188", "Mobile", "US"))
    ana.remove(ADDRESS, ana.home)
    for method, path in (("PATCH", "emails"), ("DELETE", "emails"), ("PATCH", "phone_numbers"), ("DELETE", "addresses")):
        practice.fault(method, f"/people/v2/{path}/*", fault, seconds=100 if fault == "late_apply" else 0.3)
    run = ana.push()
    assert (run.state, run.needs_you, run.failed, practice.open_faults()) == (FINISHED, 0, 0, [])
    there = ana.there()
    assert (ana.emails(), [one["e164"] for one in there["phone_numbers"]]) == ({ana.first: (NEW, True)}, ["+15125550188"])
    assert (there["addresses"], ana.waiting(), ana.asked()) == ([], 0, [])
    assert {step.state for step in ana.directory.steps(ana.id)} == {DONE}


class Crash(BaseException):
    """The worker dies after Planning Center answered and before the answer was written down."""


def test_a_worker_dies_between_answer_and_result(ana: Ana, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is, died = PersonTarget.is_done, []

    def dies_at_each(self: PersonTarget, step: Any, made: Any, item: Any) -> None:
        if step.kind not in died:
            died.append(step.kind)
            raise Crash
        as_it_is(self, step, made, item)

    monkeypatch.setattr(PersonTarget, "is_done", dies_at_each)
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    with church_scope(ana.church.church_id), transaction():
        number = push.start(PUSH_PEOPLE, "Sam Hill").number
    for _ in range(3):
        with suppress(Crash):
            ana.church.work()
        ana.church.move(seconds=125)
    run = ana.directory.work_until_done(number)
    assert (sorted(died), run.state, run.failed) == (["remove_contact", "update_contact"], FINISHED, 0)
    assert (ana.emails(), ana.waiting()) == ({ana.first: (NEW, True)}, 0)
    assert len(ana.writes()) == 2, "each was sent once"


def test_changed_again_while_it_was_on_its_way_goes_with_the_next_push(ana: Ana, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is, again = PersonTarget.send, []

    def staff_type_on(self: PersonTarget, step: Any, client: Any) -> Any:
        made = as_it_is(self, step, client)
        if not again:
            again.append(step.kind)
            ana.change(ana.first, "third@lopezfamily.org")
        return made

    monkeypatch.setattr(PersonTarget, "send", staff_type_on)
    ana.change(ana.first, NEW)
    ana.push()
    assert (ana.emails()[ana.first], ana.here()[ana.first], ana.asked()) == ((NEW, True), ("third@lopezfamily.org", True), [])
    ana.push()
    assert (ana.emails()[ana.first], ana.waiting()) == (("third@lopezfamily.org", True), 0)


def test_the_neighbour_is_not_touched(ana: Ana, neighbour_church: GraceChurch) -> None:
    next_door = ana.church.practice.people(1)
    theirs = Directory(neighbour_church).person("Ana", "Lopez", OLD, SECOND)
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    ana.push()
    assert ana.church.practice.people(1) == next_door
    assert sorted(one.value for one in Directory(neighbour_church).get(theirs).contacts) == sorted([OLD, SECOND])
