"""People whom staff keep here arrive in Planning Center once, on the right person, and nothing that stands there is overwritten unseen."""

from datetime import date
from threading import Event

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.errors import NotFound
from connectcard.people import conflicts
from connectcard.sync import pull, push
from connectcard.sync.models import FINISHED, PUSH_PEOPLE, REVIEW, SYNCED
from connectcard.sync.push_people import PersonAtWork
from connectcard.sync.push_person_writes import PersonTarget
from connectcard.sync.steps import Step
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory, Outside


@pytest.fixture
def directory(grace_church: GraceChurch) -> Directory:
    return Directory(grace_church)


@pytest.fixture
def outside(practice: Practice) -> Outside:
    return Outside(practice)


def test_somebody_new_is_made_with_everything_we_know(directory: Directory) -> None:
    home = {"street": "12 Elm Street", "city": "Austin", "state": "TX", "zip": "78701"}
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com", "+15125550177", born=date(1990, 4, 2), gender="Female", address=home)
    run = directory.push(PUSH_PEOPLE)
    assert (run.state, run.total, run.created) == (FINISHED, 1, 1)
    (there,) = directory.church.practice.named("Ana", "Lopez")
    assert (there["birthdate"], [one["address"] for one in there["emails"]]) == ("1990-04-02", ["ana.lopez@gmail.com"])
    assert (there["phone_numbers"][0]["e164"], there["addresses"][0]["street_line_1"]) == ("+15125550177", "12 Elm Street")
    kept = directory.get(ana)
    assert (kept.remote_id, directory.item(ana).state) == (there["id"], SYNCED)
    assert all(step.confirmed_at for step in directory.steps(ana))
    assert [(one.value, one.added_here_at, bool(one.remote_id)) for one in kept.contacts if one.kind == "email"] == [
        ("ana.lopez@gmail.com", None, True)
    ]


def test_what_was_pushed_is_not_pushed_again(directory: Directory) -> None:
    directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    directory.push(PUSH_PEOPLE)
    with church_scope(directory.church.church_id), pytest.raises(NotFound), transaction():
        push.start(PUSH_PEOPLE, "Sam Hill")


def test_somebody_who_is_there_is_matched_and_keeps_their_name(directory: Directory, outside: Outside) -> None:
    remote_id = outside.person("Robert", "Miller", "bob.miller@gmail.com")
    bob = directory.person("Bob", "Miller", "bob.miller@gmail.com", "+15125550142", born=date(1980, 1, 2))
    run = directory.push(PUSH_PEOPLE)
    assert (run.created, run.updated) == (0, 1)
    (there,) = [one for one in directory.church.practice.people() if one["last_name"] == "Miller"]
    assert (there["id"], there["first_name"], there["birthdate"]) == (remote_id, "Robert", "1980-01-02")
    assert [one["e164"] for one in there["phone_numbers"]] == ["+15125550142"]
    assert directory.get(bob).remote_id == remote_id


def test_an_email_alone_under_another_name_is_never_the_same_person(directory: Directory, outside: Outside) -> None:
    outside.person("Ruth", "Miller", "millers@gmail.com")
    bob = directory.person("Bob", "Miller", "millers@gmail.com")
    run = directory.push(PUSH_PEOPLE)
    item = directory.item(bob)
    assert (run.needs_you, item.state, item.decision["kind"]) == (1, REVIEW, "unclear")
    assert directory.get(bob).remote_id is None
    assert not directory.church.practice.named("Bob", "Miller")
    assert not directory.steps(bob)


def test_a_pull_that_knows_the_person_and_a_person_of_ours_become_one(directory: Directory, outside: Outside) -> None:
    church = directory.church
    remote_id = outside.person("Ruth", "Miller", "ruth.miller@gmail.com")
    with church_scope(church.church_id), transaction():
        pull.want_pull("pull_people", "Sam Hill")
    pull.advance_pulls(church.church_id, Event(), lambda: False)
    ruth = directory.person("Ruth", "Miller", "ruth.miller@gmail.com", "+15125550111", allergies="Nuts")
    directory.push(PUSH_PEOPLE)
    gone = directory.get(ruth)
    assert (gone.merged_into, gone.remote_id) == (remote_id, None)
    (there,) = church.practice.named("Ruth", "Miller")
    assert [one["e164"] for one in there["phone_numbers"]] == ["+15125550111"]


def test_what_was_changed_here_is_sent_and_what_was_changed_on_both_sides_is_asked(directory: Directory) -> None:
    practice = directory.church.practice
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com", gender="Female")
    directory.push(PUSH_PEOPLE)
    directory.edit(ana, nickname="Anita", gender="Male", last_name="Garcia")
    practice.rename(directory.get(ana).remote_id or "", "Ana", "Lopez-Ruiz")
    run = directory.push(PUSH_PEOPLE)
    (there,) = practice.named("Ana", "Lopez-Ruiz")
    assert (there["nickname"], run.updated) == ("Anita", 1)
    kept = directory.get(ana)
    assert (kept.last_name, set(kept.edits or {})) == ("Garcia", {"last_name"})
    with church_scope(directory.church.church_id):
        assert [(one.field, one.ours, one.theirs) for one in conflicts.of_subject(ana)] == [("Last name", "Garcia", "Lopez-Ruiz")]
    step = next(step for step in directory.steps(ana) if step.natural_key.startswith("nickname"))
    assert step.before == '{"nickname": null}'


def test_what_changed_there_between_plan_and_write_is_left_alone(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    practice, as_it_is, renamed = directory.church.practice, PersonTarget.looks_first, []
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    directory.push(PUSH_PEOPLE)

    def somebody_is_quicker(self: PersonTarget, step: Step) -> bool:
        if not renamed:
            renamed.append(step.natural_key)
            practice.rename(str(self.person_remote_id), "Ana", "Lopez-Ruiz")
        return as_it_is(self, step)

    monkeypatch.setattr(PersonTarget, "looks_first", somebody_is_quicker)
    directory.edit(ana, last_name="Garcia", gender="Female")
    directory.push(PUSH_PEOPLE)
    (there,) = practice.named("Ana", "Lopez-Ruiz")
    assert (bool(renamed), there["gender"], directory.get(ana).last_name) == (True, "Female", "Garcia")
    with church_scope(directory.church.church_id):
        assert [(one.field, one.ours, one.theirs) for one in conflicts.of_subject(ana)] == [("Last name", "Garcia", "Lopez-Ruiz")]


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("ana.lopez@gmail.com", {"ana.lopez@gmail.com": True}),
        ("ana@work.example.org", {"ana@work.example.org": True, "ana.lopez@gmail.com": False}),
    ],
)
def test_an_email_that_staff_add_there_between_plan_and_write_is_neither_doubled_nor_put_second(
    directory: Directory, outside: Outside, monkeypatch: pytest.MonkeyPatch, theirs: str, expected: dict[str, bool]
) -> None:
    remote_id = outside.person("Ana", "Lopez")
    outside.post(f"/people/v2/people/{remote_id}/phone_numbers", "PhoneNumber", {"number": "+15125550177", "location": "Mobile"})
    as_it_is, added = PersonAtWork.target, []

    def somebody_is_quicker(self: PersonAtWork) -> PersonTarget:
        if not added:
            sent = {"address": theirs, "location": "Home", "primary": True}
            added.append(outside.post(f"/people/v2/people/{remote_id}/emails", "Email", sent))
        return as_it_is(self)

    monkeypatch.setattr(PersonAtWork, "target", somebody_is_quicker)
    ana = directory.person("Ana", "Lopez", "ana.lopez@gmail.com", "+15125550177")
    with church_scope(directory.church.church_id), transaction():
        for one in directory.get(ana).contacts:
            one.primary = True
    directory.push(PUSH_PEOPLE)
    [there] = directory.church.practice.named("Ana", "Lopez")
    assert {one["address"]: one["primary"] for one in there["emails"]} == expected
    assert (there["id"], directory.item(ana).state) == (remote_id, SYNCED)


def test_a_child_of_the_same_name_is_asked_about_and_one_born_the_same_day_is_found(directory: Directory, outside: Outside) -> None:
    practice = directory.church.practice
    leo = outside.person("Leo", "Miller", child=True, birthdate="2019-05-06")
    outside.person("Mia", "Miller", child=True)
    ours_leo = directory.person("Leo", "Miller", child=True, born=date(2019, 5, 6))
    ours_mia = directory.person("Mia", "Miller", child=True, born=date(2021, 5, 6))
    directory.push(PUSH_PEOPLE)
    assert directory.get(ours_leo).remote_id == leo
    item = directory.item(ours_mia)
    assert (item.state, directory.get(ours_mia).remote_id) == (REVIEW, None)
    assert "Mia" not in str(item.decision)
    paths = [one["path"] for one in practice.requests_since(0)]
    assert paths
    assert not any("Mia" in path or "Leo" in path for path in paths)


def test_the_neighbour_is_not_touched(directory: Directory, neighbour_church: GraceChurch) -> None:
    next_door = Directory(neighbour_church)
    theirs = next_door.person("Ana", "Lopez", "ana.lopez@gmail.com")
    before = directory.church.practice.people(1)
    directory.person("Ana", "Lopez", "ana.lopez@gmail.com")
    directory.push(PUSH_PEOPLE)
    assert directory.church.practice.people(1) == before
    assert next_door.get(theirs).remote_id is None
    with church_scope(neighbour_church.church_id):
        assert push.waiting(PUSH_PEOPLE) == 1
