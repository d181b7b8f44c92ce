"""Every call acts as the person who gave the access; two churches never see each other."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import Church, SignIn, refused

NATHAN = {"first_name": "Nathan", "last_name": "Hale"}


@pytest.mark.parametrize("name", ["Ada Admin", "Mona Manager", "Eddie Editor"])
def test_editors_and_above_write(sign_in: SignIn, staff: dict[str, str], name: str) -> None:
    assert sign_in.church_of(staff[name]).post("people", NATHAN).status_code == 201


def test_a_viewer_reads_and_is_refused_every_write_with_the_reason(sign_in: SignIn, staff: dict[str, str], grace: Church) -> None:
    viewer, person = sign_in.church_of(staff["Vera Viewer"]), grace.person()
    assert viewer.get("me")["data"]["attributes"]["people_permissions"] == "Viewer"
    for response in (viewer.post("people", NATHAN), viewer.patch(f"people/{person}", NATHAN), viewer.call("DELETE", f"people/{person}")):
        assert refused(response) == (403, "", "You do not have access to this resource")
    description = viewer.post(f"people/{person}/emails", {}).json["errors"][0]["meta"]["description"]
    assert description == f"User with id {staff['Vera Viewer']} cannot create an Email."
    assert grace.get(f"people/{person}")["data"]["attributes"]["first_name"] == "Nathan"


def test_an_editor_does_not_change_what_belongs_to_the_whole_church(sign_in: SignIn, staff: dict[str, str]) -> None:
    assert sign_in.church_of(staff["Eddie Editor"]).post("membership_types", {"value": "Friend"}).status_code == 403
    assert sign_in.church_of(staff["Mona Manager"]).post("membership_types", {"value": "Friend"}).status_code == 201


def test_whoever_may_not_use_people_is_told_so_everywhere(sign_in: SignIn, staff: dict[str, str]) -> None:
    nobody = sign_in.church_of(staff["Noah Noaccess"])
    for path in ("me", "people", "/people/v2", "emails"):
        response = nobody.call("GET", path)
        assert refused(response) == (401, "", "This request could not be authenticated. Error Code Hint: (TRASH_PANDA)")
        assert "X-PCO-API-Request-Rate-Count" in response.headers


def test_a_permission_that_changes_counts_from_the_next_request(
    sign_in: SignIn, staff: dict[str, str], control: Callable[..., Any]
) -> None:
    eddie = sign_in.church_of(staff["Eddie Editor"])
    assert eddie.post("people", NATHAN).status_code == 201
    for permission, status in (("Viewer", 403), ("none", 401), ("Manager", 201), ("site_administrator", 201)):
        control("POST", "permission", {"person": staff["Eddie Editor"], "permission": permission})
        assert eddie.post("people", NATHAN).status_code == status


def test_two_churches_share_names_and_emails_and_see_nothing_of_each_other(
    grace: Church, hope: Church, control: Callable[..., Any]
) -> None:
    control("POST", "settings", {"limit": 10_000})
    mine, theirs = ({row["id"] for row in church.rows("people", per_page=100)} for church in (grace, hope))
    assert (len(mine), len(theirs), mine & theirs) == (50, 50, set())
    emails = [{row["attributes"]["address"] for row in church.rows("emails", per_page=100)} for church in (grace, hope)]
    shared = emails[0] & emails[1]
    assert shared, "some visitors go to both"
    for path in ("emails", "phone_numbers", "addresses", "field_data", "households", "campuses", "workflows", "notes", "field_definitions"):
        ids = [{row["id"] for row in church.rows(path, per_page=100)} for church in (grace, hope)]
        assert ids[0].isdisjoint(ids[1])
        for foreign in ids[1]:
            assert grace.call("GET", f"{path}/{foreign}").status_code == 404
    address = shared.pop()
    assert {row["relationships"]["person"]["data"]["id"] for row in grace.rows("emails", **{"where[address]": address})} <= mine
    assert {row["id"] for row in grace.rows("people", **{"where[search_name_or_email]": address})} <= mine


def test_nobody_writes_into_the_other_church(grace: Church, hope: Church) -> None:
    theirs = hope.person()
    before = hope.get(f"people/{theirs}", include="emails,households")
    email = {"address": "n@gmail.com", "location": "Home"}
    assert grace.post(f"people/{theirs}/emails", email).status_code == 404
    assert grace.patch(f"people/{theirs}", {"first_name": "X"}).status_code == 404
    assert grace.call("DELETE", f"people/{theirs}").status_code == 404
    workflow = grace.named("workflows", "Prayer team")["id"]
    assert grace.post(f"workflows/{workflow}/cards", {"person_id": theirs}).status_code == 422
    people = {"people": {"data": [{"type": "Person", "id": theirs}]}, "primary_contact": {"data": {"type": "Person", "id": grace.person()}}}
    assert grace.post("households", {"name": "Both"}, people).status_code == 422
    assert hope.get(f"people/{theirs}", include="emails,households") == before
