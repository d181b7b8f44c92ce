"""Every error body that Planning Center is known to answer, and the class that says what to do next."""

import json
from typing import Any

import pytest
from requests_mock import Mocker

from connectcard.planning_center import BearerAuth, Client, errors
from connectcard.planning_center.errors import PlanningCenterError
from connectcard.planning_center.refusals import refusal
from connectcard.planning_center.resources import people
from connectcard.planning_center.transport import Answer, Request

BASE = "https://api.planningcenteronline.com"
JSON = {"Content-Type": "application/json; charset=utf-8"}
OLD_JSON = {"Content-Type": "application/vnd.api+json; charset=utf-8; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
CLOUDFRONT = "<HTML><TITLE>ERROR: The request could not be satisfied</TITLE><H1>403 ERROR</H1>Request blocked. Request ID: x==</HTML>"


def client() -> Client:
    return Client(BearerAuth(lambda refused=None: "token"), base_url=BASE, user_agent="connectcard/0.1")


def body(**error: Any) -> str:
    return json.dumps({"errors": [error]})


def hinted(hint: str) -> str:
    detail = f"This request could not be authenticated. Error Code Hint: ({hint})"
    return body(code="unauthorized", title="Unauthorized", status="401", detail=detail)


NOT_THERE = body(status="404", title="Not Found", detail="The resource you requested could not be found")
BAD_SCOPE = body(
    status="403",
    code="bad_scope",
    title="Request outside authenticated scope",
    detail="The API credentials do not have access to the application groups",
)
OVER_THE_LIMIT = body(code="429", title="Too Many Requests", detail="Rate limit exceeded: 101 of 100 requests per 20 seconds")
FORBIDDEN = body(
    status="403",
    title="Forbidden",
    detail="You do not have access to this resource",
    meta={"description": "User with id 70255 cannot read AppGraph::V2026_06_04::Vertices::CampusVertex collection"},
)
INTERNAL = body(
    status="500",
    title="Internal Server Error",
    detail="An internal server error occurred on our end and we've been notified.  Please contact support if the issue persists.",
)
NO_DATA = body(
    status="400", title="Bad Request", code="invalid_resource_payload", detail="The payload given does not contain a 'data' key."
)
INVALID_JSON = body(status="400", title="Bad Request", code="invalid_json", detail="Your request could not be processed")
DUPLICATE = body(status="409", title="Duplicate Record", detail="The record you are trying to create/update already exists")
NOT_ASSIGNABLE = body(status="422", title="Forbidden Attribute", detail="person cannot be assigned")
BASIC_DENIED = HTML | {"WWW-Authenticate": 'Basic realm="Application"'}

# status, headers, body, what a read raises, what a write raises
TABLE: list[tuple[int, dict[str, str], str, type[PlanningCenterError], type[PlanningCenterError]]] = [
    (400, JSON, NO_DATA, errors.FieldRefused, errors.FieldRefused),
    (400, JSON, INVALID_JSON, errors.FieldRefused, errors.FieldRefused),
    (400, JSON, body(status="400", title="Invalid Version", detail="*", code="*"), errors.AnotherVersion, errors.AnotherVersion),
    (400, HTML, "<h1>400 Bad Request</h1>", errors.Blocked, errors.Blocked),
    (401, BASIC_DENIED, "HTTP Basic: Access denied.\n", errors.ReconnectNeeded, errors.ReconnectNeeded),
    (401, HTML, CLOUDFRONT, errors.Blocked, errors.Blocked),
    (401, JSON, hinted("BABOON"), errors.ReconnectNeeded, errors.ReconnectNeeded),
    (401, JSON, hinted("CAPUCHIN"), errors.ReconnectNeeded, errors.ReconnectNeeded),
    (401, JSON, hinted("NEW_ANIMAL"), errors.ReconnectNeeded, errors.ReconnectNeeded),
    (401, JSON, body(status="401", title="Unauthorized"), errors.ReconnectNeeded, errors.ReconnectNeeded),
    (401, JSON, hinted("PELICAN"), errors.ScopeMissing, errors.ScopeMissing),
    (401, JSON, hinted("TRASH_PANDA"), errors.ProductUnavailable, errors.ProductUnavailable),
    (401, JSON, hinted("FLAMINGO"), errors.PersonLeft, errors.PersonLeft),
    (401, JSON, hinted("LEMMING"), errors.ChurchLeft, errors.ChurchLeft),
    (401, JSON, hinted("CHINCHILLA"), errors.ClientRefused, errors.ClientRefused),
    (401, JSON, BAD_SCOPE, errors.ScopeMissing, errors.ScopeMissing),
    (403, JSON, BAD_SCOPE, errors.ScopeMissing, errors.ScopeMissing),
    (403, JSON, FORBIDDEN, errors.Forbidden, errors.Forbidden),
    (403, HTML, CLOUDFRONT, errors.Blocked, errors.Blocked),
    (403, JSON, '{"message": "Forbidden"}', errors.Blocked, errors.Blocked),
    (403, JSON, "<html>", errors.Blocked, errors.Blocked),
    (404, JSON, NOT_THERE, errors.Gone, errors.Gone),
    (404, OLD_JSON, NOT_THERE, errors.Gone, errors.Gone),
    (404, HTML, "<html>18 kB of page</html>", errors.Blocked, errors.Blocked),
    (405, JSON, body(status="405", title="Method not allowed"), errors.Refused, errors.Refused),
    (408, HTML, "", errors.Unavailable, errors.OutcomeUnknown),
    (409, JSON, DUPLICATE, errors.Conflict, errors.Conflict),
    (422, JSON, NOT_ASSIGNABLE, errors.FieldRefused, errors.FieldRefused),
    (422, JSON, body(detail="can't be blank"), errors.FieldRefused, errors.FieldRefused),
    (429, JSON, OVER_THE_LIMIT, errors.RateLimited, errors.RateLimited),
    (429, HTML, "slow down", errors.RateLimited, errors.RateLimited),
    (500, JSON, INTERNAL, errors.Unavailable, errors.OutcomeUnknown),
    (502, HTML, "<h1>502</h1>", errors.Unavailable, errors.OutcomeUnknown),
    (503, HTML, "<h1>503</h1>", errors.Unavailable, errors.OutcomeUnknown),
    (503, HTML | {"Retry-After": "30"}, "<h1>503</h1>", errors.Unavailable, errors.Unavailable),
    (504, HTML, "<h1>504</h1>", errors.Unavailable, errors.OutcomeUnknown),
    (520, HTML, "", errors.Unavailable, errors.OutcomeUnknown),
    (302, HTML, "", errors.Unavailable, errors.OutcomeUnknown),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "text", "of_a_read", "of_a_write"), TABLE)
def test_an_answer_says_what_to_do_next(
    requests_mock: Mocker,
    status: int,
    headers: dict[str, str],
    text: str,
    of_a_read: type[PlanningCenterError],
    of_a_write: type[PlanningCenterError],
) -> None:
    requests_mock.get(f"{BASE}/people/v2/people/7", status_code=status, headers=headers, text=text)
    requests_mock.get(f"{BASE}/people/v2/person_mergers", json={"data": []})
    requests_mock.post(f"{BASE}/people/v2/people", status_code=status, headers=headers, text=text)
    with pytest.raises(PlanningCenterError) as read:
        client().get(people.PERSON, "7")
    with pytest.raises(PlanningCenterError) as written:
        client().create(people.PERSON, {"first_name": "Ana"})
    assert (type(read.value), type(written.value)) == (of_a_read, of_a_write)
    assert read.value.status == status


def test_a_refused_value_is_named_with_the_reason(requests_mock: Mocker) -> None:
    several = {
        "errors": [
            {
                "status": "422",
                "title": "Validation Error",
                "detail": "can't be blank",
                "source": {"parameter": "field_definition"},
                "meta": {"resource": "FieldDatum", "associated_resources": []},
            },
            {"status": "422", "detail": "is too long", "source": {"parameter": "value"}},
        ]
    }
    requests_mock.post(f"{BASE}/people/v2/people/7/field_data", status_code=422, json=several, headers=JSON)
    with pytest.raises(errors.FieldRefused) as refused:
        client().create(people.FIELD_DATUM, {"value": ""}, parent_id="7")
    said = refused.value
    assert (said.title, said.parameter, said.detail) == ("Validation Error", "field_definition", "can't be blank; value is too long")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ({"Retry-After": "13"}, 13.0),
        ({"Retry-After": "999999"}, 3600.0),
        ({}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT", "Date": "Fri, 20 Nov 2026 10:00:10 GMT"}, 20.0),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        ({"Retry-After": "Fri, 20 Nov 2026 10:00:30", "Date": "Fri, 20 Nov 2026 10:00:10 GMT"}, None),
    ],
)
def test_how_long_to_wait(requests_mock: Mocker, written: dict[str, str], seconds: float | None) -> None:
    requests_mock.get(f"{BASE}/people/v2/me", status_code=429, text=OVER_THE_LIMIT, headers=JSON | written)
    with pytest.raises(errors.RateLimited) as limited:
        client().get(people.ME)
    assert limited.value.retry_after == seconds


ANIMALS = {
    "BABOON": errors.RefreshNeeded,
    "CAPUCHIN": errors.GrantRevoked,
    "PELICAN": errors.ScopeMissing,
    "TRASH_PANDA": errors.ProductUnavailable,
    "FLAMINGO": errors.PersonLeft,
    "LEMMING": errors.ChurchLeft,
}


@pytest.mark.parametrize("hint", [*ANIMALS, "NEW_ANIMAL"])
def test_the_animals_are_told_apart(hint: str) -> None:
    answer = Answer(401, JSON, hinted(hint).encode())
    error = refusal(Request("GET", "/people/v2/me"), answer)
    assert type(error) is ANIMALS.get(hint, errors.RefreshNeeded)
    assert error.hint == hint
    assert len(set(ANIMALS.values())) == len(ANIMALS)


def test_a_token_that_was_taken_back_is_renewed_once_and_then_means_reconnect(requests_mock: Mocker) -> None:
    wire = requests_mock.get(f"{BASE}/people/v2/me", status_code=401, headers=JSON, text=hinted("CAPUCHIN"))
    with pytest.raises(errors.ReconnectNeeded) as refused:
        client().get(people.ME)
    assert (refused.value.hint, wire.call_count) == ("CAPUCHIN", 2)


def merger(keep: int, remove: int) -> dict[str, Any]:
    return {"type": "PersonMerger", "id": "1", "attributes": {"person_to_keep_id": keep, "person_to_remove_id": remove}}


def test_a_merged_person_is_told_from_a_deleted_one(requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/people/7", status_code=404, headers=JSON, text=NOT_THERE)
    looked = requests_mock.get(f"{BASE}/people/v2/person_mergers", json={"data": [merger(9, 7)]})
    with pytest.raises(errors.Merged) as gone:
        client().get(people.PERSON, "7")
    assert (gone.value.kept_id, gone.value.status) == ("9", 404)
    assert looked.last_request.qs == {"where[person_to_remove_id]": ["7"], "per_page": ["100"]}
    requests_mock.get(f"{BASE}/people/v2/person_mergers", json={"data": []})
    with pytest.raises(errors.Gone) as deleted:
        client().get(people.PERSON, "7")
    assert type(deleted.value) is errors.Gone


@pytest.mark.parametrize(
    "answer",
    [{"json": {"data": [merger(9, 8)]}}, {"status_code": 403, "headers": JSON, "text": FORBIDDEN}],
    ids=["a merger of somebody else, the question having been ignored", "a token that may not look"],
)
def test_without_a_merger_of_their_own_they_are_gone(requests_mock: Mocker, answer: dict[str, Any]) -> None:
    requests_mock.get(f"{BASE}/people/v2/people/7", status_code=404, headers=JSON, text=NOT_THERE)
    requests_mock.get(f"{BASE}/people/v2/person_mergers", **answer)
    with pytest.raises(errors.Gone) as gone:
        client().get(people.PERSON, "7")
    assert type(gone.value) is errors.Gone


def test_only_a_person_is_looked_for_among_the_merged(requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/emails/7", status_code=404, headers=JSON, text=NOT_THERE)
    with pytest.raises(errors.Gone):
        client().get(people.EMAIL, "7")
    assert requests_mock.call_count == 1


def test_only_a_sign_in_has_an_animal(requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/me", status_code=422, headers=JSON, text=body(detail="is too long (MAXIMUM)"))
    with pytest.raises(PlanningCenterError) as refused:
        client().get(people.ME)
    assert refused.value.hint is None


def test_an_answer_in_another_version_is_not_read(requests_mock: Mocker) -> None:
    older = {"X-PCO-API-Processed-As-Version": "2022-07-14"}
    person = {"data": {"type": "Person", "id": "7", "attributes": {}}}
    requests_mock.get(f"{BASE}/people/v2/people/7", json=person, headers=older)
    requests_mock.post(f"{BASE}/people/v2/people", status_code=201, json=person, headers=older)
    with pytest.raises(errors.AnotherVersion, match="in version '2022-07-14', not 2025-11-10"):
        client().get(people.PERSON, "7")
    # It was made all the same: whoever sent it has to look.
    with pytest.raises(errors.OutcomeUnknown):
        client().create(people.PERSON, {"first_name": "Ana"})
    requests_mock.get(f"{BASE}/people/v2/people/7", json=person, headers={"X-PCO-API-Processed-As-Version": "2025-11-10"})
    assert client().get(people.PERSON, "7").id == "7"
