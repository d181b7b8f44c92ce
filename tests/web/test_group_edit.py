"""Staff change a group of the directory: what Planning Center takes, kept as an edit with who and when until it was sent."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import transaction
from connectcard.people.models import Area, Group, GroupTag
from tests.web.conftest import StaffBrowser
from tests.web.test_directory import a_group

SignIn = Callable[..., StaffBrowser]


@pytest.fixture
def staff(grace: UUID, sign_in: SignIn) -> StaffBrowser:
    return sign_in(grace, "staff")


@pytest.fixture
def choir(grace: UUID, neighbour: UUID) -> UUID:
    """A group with tags in a church that has two types and three tags."""
    choir = a_group(grace, "Choir", schedule="Sundays at 7", tag_ids=["1"])
    a_group(grace, "Band")
    for church_id, words in ((grace, ("Adults", "Youth", "Evening")), (neighbour, ("Secret", "Hidden", "Council"))):
        with church_scope(church_id), transaction() as session:
            session.add_all(GroupTag(remote_id=str(at), name=name, tag_group="Who", position=at) for at, name in enumerate(words, 1))
    return choir


def form_at(staff: StaffBrowser, group: UUID, **changes: Any) -> dict[str, Any]:
    """What the page would send, with changes."""
    page = staff.get(f"/groups/{group}/edit").text
    as_of = re.search(r'name="as_of" value="([^"]*)"', page)
    assert as_of
    form = {"name": "Choir", "schedule": "Sundays at 7", "group_type": "area-Choir", "tags": ["1"], "shows_tags": "yes"}
    return {**form, "as_of": as_of[1], **changes}


def kept(church_id: UUID, group: UUID) -> Group:
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(Group).where(Group.id == group)).one()
        assert row.area
        return row


def test_what_is_changed_is_kept_with_who_changed_it(staff: StaffBrowser, grace: UUID, choir: UUID) -> None:
    form = form_at(staff, choir, name="Gospel choir", group_type="area-Band", tags=["1", "3"])
    assert staff.post(f"/groups/{choir}/edit", form).status_code == 303
    row = kept(grace, choir)
    assert (row.name, row.schedule, row.area.name, row.tag_ids) == ("Gospel choir", "Sundays at 7", "Area of Band", ["1", "3"])
    assert {name: edit["by"] for name, edit in (row.edits or {}).items()} == dict.fromkeys(("name", "group_type", "tags"), "Sam Hill")
    page = staff.get(f"/groups/{choir}").text
    assert "Name, Type, Tags: changed here and not in Planning Center yet." in page
    assert "Adults, Evening" in page
    assert "Groups" in staff.get("/send").text


def test_a_form_without_tags_leaves_them(staff: StaffBrowser, grace: UUID, choir: UUID) -> None:
    form = form_at(staff, choir, schedule="Mondays")
    del form["shows_tags"], form["tags"]
    staff.post(f"/groups/{choir}/edit", form)
    assert (kept(grace, choir).tag_ids, list(kept(grace, choir).edits or {})) == (["1"], ["schedule"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "Enter the name of the group"),
        ({"schedule": "x" * 301}, "Shorten this to 300 letters or fewer"),
        ({"group_type": "nonsense"}, "Choose one of the types in the list"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_the_reason(
    staff: StaffBrowser, grace: UUID, choir: UUID, changes: dict[str, str], words: str
) -> None:
    answer = staff.post(f"/groups/{choir}/edit", form_at(staff, choir, **changes))
    assert (answer.status_code, words in answer.text, kept(grace, choir).edits) == (422, True, None)


def test_two_of_staff_at_once_are_told(staff: StaffBrowser, grace: UUID, choir: UUID) -> None:
    form = form_at(staff, choir, name="Gospel choir")
    staff.post(f"/groups/{choir}/edit", form_at(staff, choir, name="Chamber choir"))
    answer = staff.post(f"/groups/{choir}/edit", form)
    assert (answer.status_code, "Chamber choir" in answer.text, "Somebody changed this group" in answer.text) == (422, True, True)
    assert kept(grace, choir).name == "Chamber choir"


@pytest.mark.parametrize("gone", ["archived_at", "gone_at"])
def test_a_group_that_is_archived_or_gone_is_not_changed(staff: StaffBrowser, grace: UUID, choir: UUID, gone: str) -> None:
    form = form_at(staff, choir, name="Gospel choir")
    with church_scope(grace), transaction() as session:
        setattr(session.get_one(Group, choir), gone, now())
    assert staff.get(f"/groups/{choir}/edit").status_code == 303
    assert staff.post(f"/groups/{choir}/edit", form).status_code == 422
    assert f"/groups/{choir}/edit" not in staff.get(f"/groups/{choir}").text


def test_a_tag_or_type_of_the_neighbour_is_none_of_ours(staff: StaffBrowser, grace: UUID, neighbour: UUID, choir: UUID) -> None:
    a_group(neighbour, "Council")
    with church_scope(neighbour), transaction() as session:
        session.add(GroupTag(remote_id="77", name="Theirs", tag_group="Who"))
    page = staff.get(f"/groups/{choir}/edit").text
    assert not any(words in page for words in ("Secret", "Theirs", "Area of Council"))
    staff.post(f"/groups/{choir}/edit", form_at(staff, choir, tags=["1", "77"]))
    assert (kept(grace, choir).tag_ids, kept(grace, choir).edits) == (["1"], None)
    assert staff.post(f"/groups/{choir}/edit", form_at(staff, choir, group_type="area-Council")).status_code == 422


def test_viewers_and_the_neighbour_change_nothing(grace: UUID, neighbour: UUID, choir: UUID, staff: StaffBrowser, sign_in: SignIn) -> None:
    form = form_at(staff, choir, name="Gospel choir")
    for browser, status in ((sign_in(grace, "viewer"), 403), (sign_in(neighbour, "owner"), 404)):
        assert browser.get(f"/groups/{choir}/edit").status_code == status
        assert browser.post(f"/groups/{choir}/edit", form).status_code == status
    assert kept(grace, choir).edits is None
    with church_scope(neighbour), transaction() as session:
        assert session.scalars(select(Area)).all() == []
