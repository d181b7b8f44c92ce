"""Taking somebody into a household, as it goes over the wire: with a role, and in a church that has no roles."""

import pytest
from requests_mock import Mocker

from connectcard.planning_center import BasicAuth, Client
from connectcard.planning_center.documents import Record, Ref
from connectcard.planning_center.errors import Refused
from connectcard.sync.households import needs_role, take_in

MEMBERSHIPS = "https://api.planningcenteronline.com/people/v2/households/7/household_memberships"
ATTRIBUTES = {"household_role": "adult", "pending": False}
NO_ROLES = {"errors": [{"status": "422", "title": "Forbidden Attribute", "detail": "household_role cannot be assigned"}]}
TAKEN_IN = {"data": {"type": "HouseholdMembership", "id": "9", "attributes": {"pending": False}}}


@pytest.fixture
def client() -> Client:
    return Client(BasicAuth("id", "secret"), base_url="https://api.planningcenteronline.com", user_agent="connectcard/0.1 (test)")


def test_somebody_is_taken_in_with_a_role_and_without_a_mail(client: Client, requests_mock: Mocker) -> None:
    sent = requests_mock.post(MEMBERSHIPS, json=TAKEN_IN, status_code=201)
    assert take_in("7", "12", ATTRIBUTES, None, client).id == "9"
    assert sent.last_request is not None
    assert sent.last_request.json()["data"] == {
        "type": "HouseholdMembership",
        "attributes": {"household_role": "adult", "pending": False},
        "relationships": {"person": {"data": {"type": "Person", "id": "12"}}},
    }


def test_in_a_church_without_roles_they_are_taken_in_without(client: Client, requests_mock: Mocker) -> None:
    answers = [{"json": NO_ROLES, "status_code": 422}, {"json": TAKEN_IN, "status_code": 201}]
    sent = requests_mock.post(MEMBERSHIPS, answers)
    assert take_in("7", "12", ATTRIBUTES, None, client).id == "9"
    assert [request.json()["data"]["attributes"] for request in sent.request_history] == [ATTRIBUTES, {"pending": False}]


def test_a_role_that_is_refused_leaves_the_member_as_they_are(client: Client, requests_mock: Mocker) -> None:
    membership = Record("HouseholdMembership", "9", {"household_role": None})
    requests_mock.patch(f"{MEMBERSHIPS}/9", json=NO_ROLES, status_code=422)
    assert take_in("7", "12", ATTRIBUTES, membership, client) is membership


def test_any_other_refusal_is_a_refusal(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(MEMBERSHIPS, json={"errors": [{"status": "422", "title": "No", "detail": "person is deceased"}]}, status_code=422)
    with pytest.raises(Refused):
        take_in("7", "12", ATTRIBUTES, None, client)


@pytest.mark.parametrize(
    ("attributes", "needed"), [({"household_role": None}, True), ({"household_role": "other_adult"}, False), ({"pending": False}, False)]
)
def test_a_role_is_set_where_there_are_roles_and_nobody_set_one(attributes: dict[str, object], needed: bool) -> None:
    person = {"person": (Ref("Person", "12"),)}
    assert needs_role(Record("HouseholdMembership", "9", attributes, person)) is needed
