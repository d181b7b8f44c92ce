"""Every address that the description of the two-way integration names answers, and answers with what it is for."""

from typing import Any

import pytest

from connectcard.simulator.catalogue import PRODUCTS
from tests.endpoints import BRINGS, lists
from tests.simulator.conftest import Church, SignIn

VERSIONS = {"people": "2025-11-10", "groups": "2023-07-10", "check-ins": "2025-05-28", "calendar": "2022-07-07"}
# What the pages and the pulls ask for beside the plain lists.
QUESTIONS = (
    "/people/v2/people?include=emails,phone_numbers,addresses&per_page=100",
    "/people/v2/people?where[updated_at][gte]=2020-01-01",
    "/people/v2/people?where[search_name_or_email_or_phone_number]=Ada",
    "/people/v2/households?include=people",
    "/groups/v2/groups?where[archive_status]=include",
    "/groups/v2/groups/{id}/memberships?include=person",
    "/check-ins/v2/check_ins?include=event,person,locations",
    "/calendar/v2/event_instances?filter=future&order=starts_at",
)


class Caller:
    """A church whose answers are asked for in the pinned versions."""

    def __init__(self, church: Church) -> None:
        self.church = church

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-PCO-API-Version": VERSIONS[path.split("/")[1]]}
        response = self.church.call(method, path, headers=headers, **({"json": {"data": body}} if body else {}))
        assert response.status_code in (200, 201, 204), (path, response.text)
        assert response.headers["X-PCO-API-Processed-As-Version"] == headers["X-PCO-API-Version"]
        return response.json["data"] if response.data else None


@pytest.fixture
def call(grace: Church) -> Caller:
    return Caller(grace)


@pytest.fixture
def ids(call: Caller) -> dict[str, str]:
    """Somebody with contact details, and by its path one of each thing that has a list below it."""
    person = call("GET", "/people/v2/emails")[-1]["relationships"]["person"]["data"]["id"]
    above = ("/people/v2/households", "/groups/v2/groups", "/groups/v2/events", "/check-ins/v2/events")
    return {"/people/v2/people": person} | {path: call("GET", path)[0]["id"] for path in above}


@pytest.mark.parametrize("path", [*lists(), *QUESTIONS])
def test_a_list_brings_what_it_is_for(call: Caller, ids: dict[str, str], path: str) -> None:
    above = path.split("/{id}")[0]
    rows = call("GET", path.replace("{id}", ids.get(above, "")))
    assert {row["type"] for row in rows} == {BRINGS[path.split("?")[0].rsplit("/", 1)[1]]}


def test_what_is_pushed_is_there_afterwards(call: Caller, ids: dict[str, str]) -> None:
    person = call("POST", "/people/v2/people", {"type": "Person", "attributes": {"first_name": "Ann", "last_name": "Lee"}})["id"]
    call("PATCH", f"/people/v2/people/{person}", {"type": "Person", "attributes": {"birthdate": "1990-05-04", "remote_id": 12}})
    call("POST", f"/people/v2/people/{person}/emails", {"attributes": {"address": "ann@gmail.com", "location": "Home"}})
    call("POST", f"/people/v2/people/{person}/phone_numbers", {"attributes": {"number": "312-555-0177", "location": "Mobile"}})
    told = call("GET", f"/people/v2/people/{person}")
    assert told["attributes"].items() >= {"birthdate": "1990-05-04", "remote_id": 12, "name": "Ann Lee"}.items()
    assert call("GET", f"/people/v2/people/{person}/phone_numbers")[0]["attributes"]["e164"] == "+13125550177"
    who = {"type": "Person", "id": person}
    relations = {"primary_contact": {"data": who}, "people": {"data": [who]}}
    household = call("POST", "/people/v2/households", {"attributes": {"name": "Lee"}, "relationships": relations})["id"]
    other = call("POST", "/people/v2/people", {"attributes": {"first_name": "Bo", "last_name": "Lee"}})["id"]
    member = {"attributes": {"pending": False}, "relationships": {"person": {"data": {"type": "Person", "id": other}}}}
    call("POST", f"/people/v2/households/{household}/household_memberships", member)
    assert call("GET", f"/people/v2/households/{household}")["attributes"]["member_count"] == 2
    memberships = f"/groups/v2/groups/{ids['/groups/v2/groups']}/memberships"
    joined = call("POST", memberships, {"type": "Membership", "attributes": {"person_id": person, "role": "member"}})["id"]
    changed = call("PATCH", f"{memberships}/{joined}", {"type": "Membership", "attributes": {"role": "leader"}})
    assert changed["attributes"]["role"] == "leader"
    assert call("GET", f"/groups/v2/groups/{ids['/groups/v2/groups']}")["type"] == "Group"
    call("DELETE", f"{memberships}/{joined}")


def test_who_is_signed_in_is_told_without_any_scope(sign_in: SignIn, staff: dict[str, str], grace: Church) -> None:
    noah = sign_in.church_of(staff["Noah Noaccess"], scope="openid")
    told = noah.call("GET", "/current/v2/me?include=organization").json
    assert told["data"]["attributes"].items() >= {"first_name": "Noah", "last_name": "Noaccess"}.items()
    assert told["data"]["attributes"]["email"] == "noah.noaccess@gracespringfield.org"
    assert [one["attributes"] for one in told["included"]] == [{"name": "Grace Community Church", "subdomain": "gracecommunity"}]


@pytest.mark.parametrize("slug", list(PRODUCTS))
def test_the_root_of_every_product_is_the_organization(grace: Church, slug: str) -> None:
    told = grace.call("GET", f"/{slug}/v2", headers={"X-PCO-API-Version": PRODUCTS[slug].versions[-1]}).json["data"]
    assert (told["type"], told["id"]) == ("Organization", grace.id)
    status = grace.call("GET", f"/{slug}/v2/me", headers={"X-PCO-API-Version": PRODUCTS[slug].versions[-1]}).status_code
    assert status == (404 if slug == "webhooks" else 200)
