"""Errors as they were recorded from Planning Center, or stand in its published OpenAPI files: body, type and status, to the letter."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.simulator.conftest import Church, SignIn

JSON = "application/json; charset=utf-8"
DOCUMENT = "application/vnd.api+json; charset=utf-8"
SUBSCRIPTION = {"data": {"attributes": {"name": "people.v2.events.person.created", "url": "https://hooks.gmail.com/x", "active": True}}}


def check(response: TestResponse, status: int, *errors: dict[str, Any]) -> None:
    assert response.status_code == status
    assert response.headers["Content-Type"] == JSON
    assert response.json == {"errors": list(errors)}
    assert response.headers["Cache-Control"] == "no-cache"
    assert "ETag" not in response.headers
    for name in ("Limit", "Period", "Count"):
        assert response.headers[f"X-PCO-API-Request-Rate-{name}"]


def test_a_body_without_data(grace: Church) -> None:
    detail = "The payload given does not contain a 'data' key."
    error = {"status": "400", "title": "Bad Request", "code": "invalid_resource_payload", "detail": detail}
    check(grace.call("POST", "people", json={}), 400, error)


def test_a_body_that_is_not_json(grace: Church) -> None:
    detail = "Your request could not be processed"
    error = {"status": "400", "title": "Bad Request", "code": "invalid_json", "detail": detail}
    check(grace.call("POST", "people", data=b"{", content_type="application/json"), 400, error)


def test_a_number_that_is_too_big(grace: Church) -> None:
    detail = "Your request could not be processed"
    error = {"status": "400", "title": "Bad Request", "code": "integer_out_of_range", "detail": detail}
    check(grace.post("people", {"first_name": "Ann", "remote_id": 10**12}), 400, error)


def test_a_version_that_never_was(grace: Church) -> None:
    response = grace.call("GET", "people", headers={"X-PCO-API-Version": "2011-01-01"})
    assert (response.status_code, response.json["errors"][0]["title"]) == (400, "Invalid Version")


def test_wrong_basic_credentials(client: FlaskClient) -> None:
    response = client.get("/people/v2/people", auth=("wrong", "pair"))
    assert (response.status_code, response.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Application"'
    assert response.text == "HTTP Basic: Access denied.\n"


@pytest.mark.parametrize("product", ["people", "calendar"])
def test_a_person_who_lacks_the_product(sign_in: SignIn, staff: dict[str, str], product: str) -> None:
    noah = sign_in.church_of(staff["Noah Noaccess"], scope="people calendar")
    detail = "This request could not be authenticated. Error Code Hint: (TRASH_PANDA)"
    error = {"code": "unauthorized", "title": "Unauthorized", "status": "401", "detail": detail}
    check(noah.call("GET", f"/{product}/v2/people"), 401, error)


@pytest.mark.parametrize("path", ["/groups/v2/groups", "/groups/v2/no/such/address"])
def test_a_token_without_the_scope(sign_in: SignIn, staff: dict[str, str], path: str) -> None:
    ada = sign_in.church_of(staff["Ada Admin"], scope="people")
    detail = "The API credentials do not have access to the application groups"
    error = {"status": "401", "code": "bad_scope", "title": "Request outside authenticated scope", "detail": detail}
    check(ada.call("GET", path), 401, error)


def test_what_a_person_may_not_do(sign_in: SignIn, staff: dict[str, str], grace: Church) -> None:
    about = {"status": "403", "title": "Forbidden", "detail": "You do not have access to this resource"}
    number = grace.call("GET", "me").json["data"]["id"]
    create = about | {"meta": {"description": f"User with id {number} cannot create a Group."}}
    check(grace.post("/groups/v2/groups", {"name": "New"}, headers={"X-PCO-API-Version": "2023-07-10"}), 403, create)
    vera, form = sign_in.church_of(staff["Vera Viewer"]), grace.named("forms", "Connect card")["id"]
    vertex = "AppGraph::V2026_06_04::Vertices::FormSubmissionVertex"
    read = about | {"meta": {"description": f"User with id {staff['Vera Viewer']} cannot read {vertex} collection."}}
    check(vera.call("GET", f"forms/{form}/form_submissions", headers={"X-PCO-API-Version": "2026-06-04"}), 403, read)


def test_what_is_not_there(grace: Church) -> None:
    check(
        grace.call("GET", "people/1"),
        404,
        {"status": "404", "title": "Not Found", "detail": "The resource you requested could not be found"},
    )


def test_what_is_there_already(grace: Church) -> None:
    version = {"X-PCO-API-Version": "2022-10-20"}
    first, second = (grace.call("POST", "/webhooks/v2/webhook_subscriptions", json=SUBSCRIPTION, headers=version) for _ in range(2))
    assert (first.status_code, first.headers["Content-Type"]) == (201, DOCUMENT)
    detail = "The record you are trying to create/update already exists"
    check(second, 409, {"status": "409", "title": "Duplicate Record", "detail": detail})


def test_what_cannot_be_assigned(grace: Church) -> None:
    error = {"status": "422", "title": "Forbidden Attribute", "detail": "shoe_size cannot be assigned"}
    check(grace.post("people", {"first_name": "Ann", "shoe_size": 9}), 422, error)


def test_what_must_be_there(grace: Church) -> None:
    group = grace.call("GET", "/groups/v2/groups").json["data"][0]["id"]
    error = {
        "status": "422",
        "title": "Validation Error",
        "detail": "can't be blank",
        "source": {"parameter": "person"},
        "meta": {"resource": "Membership", "associated_resources": []},
    }
    check(grace.post(f"/groups/v2/groups/{group}/memberships", {}, headers={"X-PCO-API-Version": "2023-07-10"}), 422, error)


def test_what_names_nothing(grace: Church) -> None:
    detail = "Error setting person_id. The underlying resource couldn't be found."
    error = {"status": "422", "title": "Attribute Resource Not Found", "code": "attribute_resource_not_found", "detail": detail}
    workflow = grace.named("workflows", "Prayer team")["id"]
    check(grace.post(f"workflows/{workflow}/cards", {"person_id": "1"}), 422, error)


def test_what_is_no_choice(grace: Church) -> None:
    household = grace.rows("households")[0]["id"]
    relation = {"person": {"data": {"type": "Person", "id": grace.person()}}}
    error = grace.post(f"households/{household}/household_memberships", {"household_role": "boss"}, relation).json["errors"][0]
    assert (error["status"], error["title"], error["code"]) == ("422", "Invalid Enum Value", "invalid_enum_value")
    assert error["source"] == {"parameter": "household_role"}


def test_too_many_requests(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"limit": 2})
    for _ in range(2):
        assert grace.call("GET", "me").status_code == 200
    response = grace.call("GET", "me")
    detail = "Rate limit exceeded: 3 of 2 requests per 20 seconds"
    check(response, 429, {"code": "429", "title": "Too Many Requests", "detail": detail})
    assert 1 <= int(response.headers["Retry-After"]) <= 20


def test_an_error_of_theirs(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "faults", {"kind": "status_500"})
    response = grace.call("GET", "people")
    detail = "An internal server error occurred on our end and we've been notified.  Please contact support if the issue persists."
    assert response.status_code == 500
    assert response.json == {"errors": [{"status": "500", "title": "Internal Server Error", "detail": detail}]}


def test_nothing_to_say_has_no_type(grace: Church) -> None:
    response = grace.call("DELETE", f"people/{grace.person()}")
    assert (response.status_code, response.data) == (204, b"")
    assert not {"Content-Type", "ETag"} & set(response.headers.keys())
    assert response.headers["Cache-Control"] == "no-cache"
