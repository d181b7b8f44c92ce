"""A push of changed contacts is taken back: they stand there as before, what others touched stays, and what staff wrote waits anew."""

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.people import contact_changes
from connectcard.people.models import EMAIL
from connectcard.sync import runs, undo, undo_plans
from connectcard.sync.models import FINISHED, PULL_PEOPLE, SyncRun
from tests.sync.conftest import GraceChurch, Practice
from tests.sync.pushing import Directory
from tests.sync.test_push_contacts import NEW, OLD, SECOND, Ana, ana
from tests.sync.test_undo_pushes import confirm, kept, preview, send_again, take_back

__all__ = ["ana"]


def pushed(ana: Ana) -> int:
    """One address was changed and one removed here, and both were sent."""
    ana.change(ana.first, NEW)
    ana.remove(EMAIL, ana.second)
    number: int = ana.push().number
    assert ana.emails() == {ana.first: (NEW, True)}
    return number


def test_what_was_changed_is_as_before_what_was_removed_is_there_again_and_both_wait_here(ana: Ana) -> None:
    undone = take_back(ana.directory, pushed(ana))
    assert (undone.state, kept(ana.directory, undone)) == (FINISHED, {})
    assert sorted(ana.emails().values()) == [(OLD, True), (SECOND, False)]
    assert (list(ana.here().values()), ana.waiting()) == ([(NEW, True)], 2)
    ana.church.move(minutes=6)
    ana.directory.pull("pull_people")
    assert (list(ana.here().values()), ana.asked()) == ([(NEW, True)], [])
    send_again(ana.directory, undone)
    assert (ana.emails(), ana.waiting()) == ({ana.first: (NEW, True)}, 0)


def test_the_earlier_primary_one_is_primary_again(ana: Ana) -> None:
    ana.staff(contact_changes.make_primary, EMAIL, ana.second)
    number = ana.push().number
    assert ana.emails()[ana.second] == (SECOND, True)
    undone = take_back(ana.directory, number)
    assert ana.emails() == {ana.first: (OLD, True), ana.second: (SECOND, False)}
    assert (ana.here()[ana.second], ana.waiting(), ana.asked()) == ((SECOND, True), 1, [])
    send_again(ana.directory, undone)
    assert ana.emails()[ana.second] == (SECOND, True)


def test_what_somebody_touched_since_is_left_alone_and_says_why(ana: Ana) -> None:
    number = pushed(ana)
    ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address="ana@work.org")
    ana.outside.post(f"/people/v2/people/{ana.remote_id}/emails", "Email", {"address": SECOND, "location": "Home"})
    before = ana.emails()
    undone = take_back(ana.directory, number)
    assert sorted(row for row in kept(ana.directory, undone)) == ["Email"]
    assert ana.emails() == before


def test_what_somebody_touches_after_the_preview_is_left_alone(ana: Ana) -> None:
    number = pushed(ana)
    undone = preview(ana.directory, number)
    ana.outside.patch(f"/people/v2/emails/{ana.first}", "Email", ana.first, address="ana@work.org")
    confirm(ana.directory, undone)
    assert ana.emails()[ana.first][0] == "ana@work.org"
    assert kept(ana.directory, undone)["Email"] == undo_plans.CHANGED


def the_primary_one_is_removed(ana: Ana) -> int:
    ana.remove(EMAIL, ana.first)
    number: int = ana.push().number
    assert ana.emails() == {ana.second: (SECOND, True)}, "Planning Center makes the next one primary by itself"
    return number


def staff_choose_another_there(ana: Ana) -> None:
    ana.outside.post(f"/people/v2/people/{ana.remote_id}/emails", "Email", {"address": NEW, "location": "Home", "primary": True})


def results(ana: Ana, undone: SyncRun) -> list[str]:
    with church_scope(ana.church.church_id):
        return [row.result for one in undo.undone_in(runs.get_run(undone.number)) for row in one.rows]


def test_a_primary_one_that_was_removed_is_primary_again(ana: Ana) -> None:
    undone = take_back(ana.directory, the_primary_one_is_removed(ana))
    assert sorted(ana.emails().values()) == [(OLD, True), (SECOND, False)]
    assert results(ana, undone) == ["As it was before"]


@pytest.mark.parametrize("after_the_preview", [False, True])
def test_it_comes_back_without_taking_the_place_of_another_one_that_staff_chose_since(ana: Ana, after_the_preview: bool) -> None:
    number = the_primary_one_is_removed(ana)
    if not after_the_preview:
        staff_choose_another_there(ana)
    undone = preview(ana.directory, number)
    assert results(ana, undone) == ["As it was before" if after_the_preview else undo_plans.NOT_PRIMARY]
    if after_the_preview:
        staff_choose_another_there(ana)
    confirm(ana.directory, undone)
    assert sorted(ana.emails().values()) == [(OLD, False), (NEW, True), (SECOND, False)]
    assert (results(ana, undone), kept(ana.directory, undone)) == ([undo_plans.NOT_PRIMARY], {})
    ana.church.move(minutes=6)
    ana.directory.pull(PULL_PEOPLE)
    assert ana.asked() == []
    send_again(ana.directory, undone)
    assert sorted(ana.emails().values()) == [(NEW, True), (SECOND, False)]


@pytest.mark.parametrize("fault", ["drop_after", "late_apply", "status_500"])
def test_lost_answers_put_nothing_back_twice(ana: Ana, practice: Practice, fault: str) -> None:
    number = pushed(ana)
    for method, path in (("PATCH", "/people/v2/emails/*"), ("POST", "/people/v2/people/*/emails")):
        practice.fault(method, path, fault, seconds=100 if fault == "late_apply" else 0.3)
    take_back(ana.directory, number)
    assert practice.open_faults() == []
    assert sorted(ana.emails().values()) == [(OLD, True), (SECOND, False)]
    assert (list(ana.here().values()), ana.waiting()) == ([(NEW, True)], 2)


def test_the_neighbour_is_not_touched(ana: Ana, neighbour_church: GraceChurch) -> None:
    next_door = ana.church.practice.people(1)
    theirs = Directory(neighbour_church).person("Ana", "Lopez", OLD, SECOND)
    take_back(ana.directory, pushed(ana))
    assert ana.church.practice.people(1) == next_door
    assert sorted(one.value for one in Directory(neighbour_church).get(theirs).contacts) == sorted([OLD, SECOND])
