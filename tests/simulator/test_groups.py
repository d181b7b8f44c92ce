"""Groups: who is in which, who may say so, and what is left out in silence."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.conftest import Church, SignIn, refused

GROUPS = "/groups/v2"
VERSION = {"X-PCO-API-Version": "2023-07-10"}
GROUP_ATTRIBUTES = [
    "archived_at", "chat_enabled", "contact_email", "created_at", "description", "description_as_plain_text", "events_listed",
    "events_visibility", "header_image", "leaders_can_search_people_database", "listed", "location_type_preference",
    "members_are_confidential", "memberships_count", "name", "public_church_center_web_url", "schedule", "virtual_location_url",
]  # fmt: skip


def rows(church: Church, path: str, **query: Any) -> list[Any]:
    return list(told(church, path, **({"per_page": 100} | query))["data"])


def told(church: Church, path: str, **query: Any) -> Any:
    response = church.call("GET", f"{GROUPS}/{path}", query_string=query, headers=VERSION)
    assert response.status_code == 200, response.text
    return response.json


def send(church: Church, method: str, path: str, attributes: dict[str, Any] | None = None) -> Any:
    body = None if attributes is None else {"data": {"type": "Membership", "attributes": attributes}}
    return church.call(method, f"{GROUPS}/{path}", json=body, headers=VERSION)


def ids(found: list[Any]) -> set[str]:
    return {row["id"] for row in found}


def test_a_group_tells_what_it_is_and_nowhere_when_it_changed(grace: Church) -> None:
    answer = told(grace, "groups", include="enrollment,group_type,location")
    group = answer["data"][0]
    assert list(group["attributes"]) == GROUP_ATTRIBUTES
    assert {one["type"] for one in answer["included"]} == {"Enrollment", "GroupType", "Location"}
    asked = told(grace, f"groups/{group['id']}", **{"fields[Group]": "tag_ids"})["data"]
    assert list(asked["attributes"]) == ["tag_ids"]
    links = told(grace, f"groups/{group['id']}")["data"]["links"]
    actions = ["assign_campuses", "disable_chat", "duplicate", "enable_chat"]
    # As it was measured: what can be done stands among what can be read.
    assert list(links) == [
        "applications", "assign_campuses", "campuses", "disable_chat", "duplicate", "enable_chat", "enrollment", "events", "group_type",
        "location", "memberships", "my_membership", "people", "resources", "tags", "self", "html_url",
    ]  # fmt: skip
    for name, link in links.items():
        if link and name not in ("html_url", *actions):
            assert grace.call("GET", link.removeprefix("http://localhost"), headers=VERSION).status_code == 200, name


def test_archived_groups_are_listed_only_when_they_are_asked_for(grace: Church) -> None:
    usual, all_of_them, archived = (ids(rows(grace, "groups", **query)) for query in (
        {}, {"where[archive_status]": "include"}, {"where[archive_status]": "only"}))  # fmt: skip
    assert usual | archived == all_of_them
    assert archived
    assert not usual & archived
    assert told(grace, f"groups/{archived.pop()}")["data"]["attributes"]["archived_at"]


def test_only_a_few_things_of_a_group_can_be_changed_and_none_be_made(grace: Church) -> None:
    group, other = rows(grace, "groups")[0], rows(grace, "group_types")[-1]["id"]
    tag = rows(grace, f"tag_groups/{rows(grace, 'tag_groups')[0]['id']}/tags")[0]["id"]
    changed = send(
        grace, "PATCH", f"groups/{group['id']}", {"name": "Renamed", "schedule": "Mondays", "group_type_id": other, "tag_ids": [tag]}
    )
    assert changed.json["data"]["attributes"]["name"] == "Renamed"
    assert changed.json["data"]["relationships"]["group_type"]["data"]["id"] == other
    assert ids(rows(grace, f"groups/{group['id']}/tags")) == {tag}
    assert refused(send(grace, "PATCH", f"groups/{group['id']}", {"description": "x"})) == (422, "", "description cannot be assigned")
    response = send(grace, "POST", "groups", {"name": "New"})
    assert refused(response) == (403, "", "You do not have access to this resource")
    assert response.json["errors"][0]["meta"]["description"].endswith("cannot create a Group.")
    assert send(grace, "DELETE", f"groups/{group['id']}").status_code == 403


def test_a_person_joins_a_group_once_and_leaves_it(grace: Church) -> None:
    group, person = rows(grace, "groups")[0], grace.person("Ann", "Lee")
    path = f"groups/{group['id']}/memberships"
    made = send(grace, "POST", path, {"person_id": person, "role": "member"})
    assert made.status_code == 201
    membership = made.json["data"]
    assert list(membership["attributes"]) == ["joined_at", "role"]
    assert {name: one["data"]["id"] for name, one in membership["relationships"].items()} == {"group": group["id"], "person": person}
    assert refused(send(grace, "POST", path, {"person_id": person}))[:2] == (422, "person")
    assert refused(send(grace, "POST", path, {})) == (422, "person", "can't be blank")
    assert refused(send(grace, "POST", path, {"person": person})) == (422, "", "person cannot be assigned")
    assert refused(send(grace, "POST", path, {"person_id": grace.person(), "role": "boss"}))[:2] == (422, "role")
    count = group["attributes"]["memberships_count"] + 1
    assert told(grace, f"groups/{group['id']}")["data"]["attributes"]["memberships_count"] == count
    assert ids(rows(grace, f"people/{person}/memberships")) == {membership["id"]}
    assert ids(rows(grace, f"people/{person}/groups")) == {group["id"]}
    assert (
        send(grace, "PATCH", f"people/{person}/memberships/{membership['id']}", {"role": "leader"}).json["data"]["attributes"]["role"]
        == "leader"
    )
    assert send(grace, "PATCH", f"{path}/{membership['id']}", {"person_id": "1"}).status_code == 422
    assert send(grace, "DELETE", f"{path}/{membership['id']}").status_code == 204
    assert rows(grace, f"people/{person}/memberships") == []


def test_a_roster_comes_with_contact_details_as_lists(grace: Church) -> None:
    group = rows(grace, "groups")[0]["id"]
    answer = told(grace, f"groups/{group}/memberships", include="person", order="last_name")
    names = [one["attributes"]["last_name"] for one in answer["included"]]
    assert len(names) == len(answer["data"]) > 0
    person = next(one for one in answer["included"] if one["attributes"]["phone_numbers"])
    emails = [email for one in answer["included"] for email in one["attributes"]["email_addresses"]]
    assert list(emails[0]) == ["address", "location", "primary"]
    assert list(person["attributes"]["phone_numbers"][0]) == ["number", "carrier", "location", "primary"]
    assert person["attributes"]["permissions"] in ("administrator", "leader", "member")
    assert [row["attributes"]["role"] for row in rows(grace, f"groups/{group}/memberships", **{"where[role]": "leader"})] == ["leader"]


def test_somebody_made_a_moment_ago_has_not_arrived_in_groups(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"groups_lag_s": 20})
    group, person = rows(grace, "groups")[0]["id"], grace.person()
    response = send(grace, "POST", f"groups/{group}/memberships", {"person_id": person})
    assert response.json["errors"][0]["code"] == "attribute_resource_not_found"
    assert send(grace, "GET", f"people/{person}").status_code == 404
    control("POST", "settings", {"advance_s": 21})
    assert send(grace, "POST", f"groups/{group}/memberships", {"person_id": person}).status_code == 201


def test_an_application_is_approved_into_a_membership(grace: Church) -> None:
    application = rows(grace, "group_applications", **{"where[status]": "pending"})[0]
    group, person = (application["relationships"][name]["data"]["id"] for name in ("group", "person"))
    assert send(grace, "POST", f"group_applications/{application['id']}/approve", {"role": "member"}).status_code == 201
    assert told(grace, f"group_applications/{application['id']}")["data"]["attributes"]["status"] == "approved"
    assert person in ids(rows(grace, f"groups/{group}/people"))


def test_actions_of_a_group(grace: Church) -> None:
    group, campus = rows(grace, "groups")[0]["id"], rows(grace, "campuses")[-1]["id"]
    assert campus in ids(grace.rows("campuses")), "the same campuses as in People"
    assert send(grace, "POST", f"groups/{group}/assign_campuses", {"campus_ids": [campus]}).status_code == 201
    assert ids(rows(grace, f"groups/{group}/campuses")) == {campus}
    assert group in ids(rows(grace, "groups", filter="campus", campus_id=campus))
    assert send(grace, "POST", f"groups/{group}/enable_chat", {}).json["data"]["attributes"]["chat_enabled"] is True
    copy = send(grace, "POST", f"groups/{group}/duplicate", {"name": "Second table"}).json["data"]
    assert (copy["attributes"]["name"], copy["attributes"]["memberships_count"]) == ("Second table", 0)


def test_filters_of_groups(grace: Church) -> None:
    everyone = ids(rows(grace, "groups"))
    published, hidden = ids(rows(grace, "groups", filter="published")), ids(rows(grace, "groups", filter="hidden"))
    assert (published | hidden, published & hidden) == (everyone, set())
    group_type = rows(grace, "group_types")[1]["id"]
    by_type = rows(grace, "groups", filter="group_type", group_type_id=group_type)
    assert {row["relationships"]["group_type"]["data"]["id"] for row in by_type} == {group_type}
    assert ids(by_type) == ids(rows(grace, f"group_types/{group_type}/groups"))
    stages, days = (rows(grace, f"tag_groups/{one['id']}/tags") for one in rows(grace, "tag_groups"))
    any_stage = ",".join(row["id"] for row in stages)
    assert ids(rows(grace, "groups", filter="tag", tag_id=any_stage)) == everyone
    both = ids(rows(grace, "groups", filter="tag", tag_id=f"{any_stage},{days[0]['id']}"))
    assert both == ids(
        rows(grace, f"groups/{rows(grace, 'groups')[0]['id']}/tags") and rows(grace, "groups", filter="tag", tag_id=days[0]["id"])
    )
    for strategy in ("open_signup", "request_to_join", "closed"):
        found = told(grace, "groups", filter="enrollment", enrollment=strategy, include="enrollment")["included"]
        assert {one["attributes"]["strategy"] for one in found} <= {strategy}
    assert ids(rows(grace, "groups", filter="nonsense")) == everyone
    assert told(grace, "group_types/unique")["data"]["id"] == "unique"


def test_meetings_of_the_last_and_the_next_weeks(grace: Church) -> None:
    group = rows(grace, "groups")[0]["id"]
    events = rows(grace, f"groups/{group}/events", order="starts_at")
    coming = rows(grace, "events", filter="group,upcoming", group_id=group)
    assert 0 < len(coming) < len(events)
    assert ids(rows(grace, f"groups/{group}/events", filter="canceled")) < ids(events)
    assert len(rows(grace, f"events/{events[0]['id']}/attendances", filter="attended")) <= len(
        rows(grace, f"events/{events[0]['id']}/attendances")
    )
    assert rows(grace, f"events/{events[-1]['id']}/rsvps")[0]["type"] == "RSVP"
    since = events[3]["attributes"]["starts_at"]
    assert ids(rows(grace, f"groups/{group}/events", **{"where[starts_at][gte]": since})) == ids(events[3:])


@pytest.mark.parametrize("name", ["Eddie Editor", "Noah Noaccess"])
def test_who_is_no_groups_administrator_sees_own_groups_only_and_writes_nothing(
    sign_in: SignIn, staff: dict[str, str], grace: Church, name: str
) -> None:
    group = rows(grace, "groups")[1]["id"]
    send(grace, "POST", f"groups/{rows(grace, 'groups')[0]['id']}/memberships", {"person_id": staff[name]})
    member = sign_in.church_of(staff[name], scope="openid people groups")
    mine = ids(rows(member, "groups"))
    assert mine == ids(rows(grace, f"people/{staff[name]}/groups"))
    outside = next(one for one in ids(rows(grace, "groups")) if one not in mine)
    assert send(member, "GET", f"groups/{outside}").status_code == 404
    assert ids(rows(member, "people")) == {staff[name]}
    response = send(member, "POST", f"groups/{mine.pop()}/memberships", {"person_id": staff["Ada Admin"]})
    assert response.json["errors"][0]["meta"]["description"] == f"User with id {staff[name]} cannot create a Membership."
    assert group in ids(rows(grace, "groups"))


def test_an_administrator_of_groups_is_made_while_it_runs(
    sign_in: SignIn, staff: dict[str, str], grace: Church, control: Callable[..., Any]
) -> None:
    eddie = sign_in.church_of(staff["Eddie Editor"], scope="openid groups")
    assert len(rows(eddie, "groups")) < len(rows(grace, "groups"))
    control("POST", "permission", {"person": staff["Eddie Editor"], "product": "groups", "permission": "administrator"})
    assert ids(rows(eddie, "groups")) == ids(rows(grace, "groups"))


def test_the_neighbour_s_groups_are_not_there(grace: Church, hope: Church) -> None:
    theirs = rows(hope, "groups")[0]["id"]
    assert send(grace, "GET", f"groups/{theirs}").status_code == 404
    assert send(grace, "POST", f"groups/{theirs}/memberships", {"person_id": grace.person()}).status_code == 404
    group = rows(grace, "groups")[0]["id"]
    assert send(grace, "POST", f"groups/{group}/memberships", {"person_id": hope.person()}).status_code == 422
