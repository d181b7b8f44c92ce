"""The receipt of a push: each record written, its id with a link, made or found, read back, on the page of the record and of its run."""

import re
from datetime import date

from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.people.group_edits import edit_group, mark_of
from connectcard.people.models import Group
from connectcard.sync import push_approvals
from connectcard.sync.approvals import CHANGED, Approval, approve
from connectcard.sync.models import PULL_GROUPS, PUSH_FAMILIES, PUSH_FULL, PUSH_PEOPLE, SKIPPED, SYNCED
from connectcard.sync.previews import find_previews, want_previews
from tests.staff import signed_in
from tests.sync.conftest import GraceChurch
from tests.sync.pushing import Directory, Outside
from tests.sync.test_undo_pages import visible


def test_staff_go_from_the_preview_of_a_family_to_its_receipt(grace_church: GraceChurch) -> None:
    directory, staff = Directory(grace_church), signed_in(grace_church.app, grace_church.church_id, "staff")
    ruth, leo = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Leo", "Miller", child=True)
    family = directory.family("Miller Household", ruth, leo)
    preview = staff.post(f"/send/{PUSH_FAMILIES}/preview").location
    page = visible(staff.get(preview).text)
    assert "Looking in Planning Center for 3 records… Nothing is written." in page
    grace_church.work()
    page = visible(staff.get(preview).text)
    assert all(words in page for words in ("3 records to send, 6 changes", "Ruth Miller in the household", "Leo Miller in the household"))
    said = {"approved": [str(one) for one in (ruth, leo, family)]}
    for subject, seen in re.findall(r'name="seen-([\w-]+)" value="(\w+)"', page):
        said |= {f"seen-{subject}": [seen], f"row-{subject}": re.findall(rf'name="row-{subject}" value="(\w+)"', page)}
    assert staff.post(f"/send/{PUSH_FAMILIES}/approved", said).location == "/runs/1"
    run = directory.work_until_done(1)
    assert (run.created, run.needs_you, run.failed) == (3, 0, 0)
    receipt = visible(staff.get(f"/send/{directory.item(family).id}").text)
    assert receipt.count("✓ read back") == 3
    assert "Approved by Sam Hill" in receipt


def test_each_record_of_a_family_has_its_receipt(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    ruth, leo = directory.person("Ruth", "Miller", "ruth@gmail.com"), directory.person("Leo", "Miller", child=True, born=date(2019, 5, 1))
    family = directory.family("Miller Household", ruth, leo)
    run = directory.push(PUSH_FAMILIES)
    staff, url = signed_in(grace_church.app, grace_church.church_id), grace_church.practice.url
    page = visible(staff.get(f"/runs/{run.number}").text)
    for subject, link in ((ruth, f"{url}/people/AC"), (family, f"{url}/open/people/households/")):
        item = directory.item(subject)
        assert f'href="/send/{item.id}"' in page
        receipt = visible(staff.get(f"/send/{item.id}").text)
        steps = directory.steps(subject)
        assert all(f"#{step.remote_id}<" in receipt for step in steps)
        assert receipt.count("✓ read back") == len(steps) == receipt.count(">Created<")
        assert link in receipt
    assert "Ruth Miller in the household" in receipt
    assert "Leo Miller in the household" in receipt
    assert all("Leo" not in step.label for step in directory.steps(family)), "the name stands in the directory only"
    assert "Added to Planning Center in" in receipt


def test_what_was_changed_is_not_said_to_be_created(grace_church: GraceChurch) -> None:
    directory, outside = Directory(grace_church), Outside(grace_church.practice)
    ruth = directory.person("Ruth", "Miller", "ruth@gmail.com")
    directory.push(PUSH_PEOPLE)
    directory.edit(ruth, nickname="Ruthie")
    directory.pull(PULL_GROUPS)
    with church_scope(grace_church.church_id), transaction() as session:
        group = session.scalars(select(Group).where(Group.archived_at.is_(None)).order_by(Group.name)).first()
        assert group is not None
        assert edit_group(group, {"name": "The Millers’ table"}, "Sam Hill", mark_of(group))
        group_id, remote_id = group.id, group.remote_id
    directory.push(PUSH_FULL)
    staff, url = signed_in(grace_church.app, grace_church.church_id), grace_church.practice.url
    person = visible(staff.get(f"/send/{directory.item(ruth).id}").text)
    assert (person.count(">Created<"), person.count(">Changed<")) == (2, 1)
    changed = visible(staff.get(f"/send/{directory.item(group_id).id}").text)
    assert (changed.count(">Created<"), changed.count(">Changed<")) == (0, 1)
    assert f'href="{url}/open/groups/groups/{remote_id}"' in changed
    assert outside.get(f"/groups/v2/groups/{remote_id}")["attributes"]["name"] == "The Millers’ table"


def test_who_was_found_is_said_to_be_found(grace_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    Outside(grace_church.practice).person("Ruth", "Miller", "ruth@gmail.com")
    ruth = directory.person("Ruth", "Miller", "ruth@gmail.com")
    run = directory.push(PUSH_PEOPLE)
    assert run.skipped == 1
    assert directory.item(ruth).state == SYNCED
    page = visible(signed_in(grace_church.app, grace_church.church_id).get(f"/runs/{run.number}").text)
    assert "Everything was there already" in page
    assert SKIPPED.capitalize() in page


def test_a_record_that_stopped_shows_the_new_difference_and_is_approved_on_its_page(grace_church: GraceChurch) -> None:
    directory, outside = Directory(grace_church), Outside(grace_church.practice)
    remote_id = outside.person("Ruth", "Miller", "ruth@gmail.com")
    ruth = directory.person("Ruth", "Miller", "ruth@gmail.com", "+15125550111", born=date(1980, 1, 2))
    with church_scope(grace_church.church_id), transaction():
        want_previews(push_approvals.page_of(PUSH_PEOPLE, 1).subjects)
    grace_church.work()
    with church_scope(grace_church.church_id), transaction():
        seen = find_previews([ruth])[ruth]
        number = approve([Approval(ruth, seen.fingerprint, seen.optional)], push_approvals.pushes_of(PUSH_PEOPLE), "Sam Hill")[0].number
    outside.post(f"/people/v2/people/{remote_id}/phone_numbers", "PhoneNumber", {"number": "(512) 555-0111", "location": "Home"})
    directory.work_until_done(number)
    staff, item = signed_in(grace_church.app, grace_church.church_id), directory.item(ruth)
    assert "Look at the difference" in staff.get("/send").text
    page = visible(staff.get(f"/send/{item.id}").text)
    assert CHANGED in page
    assert "1980-01-02" in page
    assert "(512) 555-0111" not in page
    with church_scope(grace_church.church_id):
        new = find_previews([ruth])[ruth]
    said = {f"seen-{ruth}": new.fingerprint, f"row-{ruth}": sorted(new.optional)}
    assert staff.post(f"/send/{item.id}/approve", said).status_code == 303
    assert "Approved. It is on its way" in visible(staff.get(f"/send/{item.id}").text)
    directory.work_until_done(2)
    assert grace_church.practice.named("Ruth", "Miller")[0]["birthdate"] == "1980-01-02"
    assert "Approved by Sam Hill" in staff.get(f"/send/{item.id}").text


def test_the_neighbour_sees_no_receipt(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    directory = Directory(grace_church)
    ruth = directory.person("Ruth", "Miller", "ruth@gmail.com")
    directory.push(PUSH_PEOPLE)
    next_door = signed_in(grace_church.app, neighbour_church.church_id)
    for path in ("", "/preview", "/standing"):
        assert next_door.get(f"/send/{directory.item(ruth).id}{path}").status_code == 404
