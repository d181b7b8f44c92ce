"""What goes over the wire, byte for byte, and what comes back as values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from requests_mock import Mocker

from connectcard.planning_center import BasicAuth, BearerAuth, Client, Record, Ref
from connectcard.planning_center.errors import Gone, NotDeclared, OutcomeUnknown, RateLimited, ReconnectNeeded, RefreshNeeded, Unavailable
from connectcard.planning_center.resources import calendar, check_ins, groups, people, webhooks

BASE = "https://api.planningcenteronline.com"
USER_AGENT = "connectcard/0.1 (https://cards.gracechurch.org)"


class Tokens:
    """A token source that gives the next token whenever one is refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refused: list[str] = []

    def __call__(self, *, refused: str | None = None) -> str:
        if refused is not None:
            self.refused.append(refused)
            self.tokens.pop(0)
        return self.tokens[0]


@pytest.fixture
def client() -> Client:
    return Client(BearerAuth(Tokens("first", "second", "third")), base_url=BASE, user_agent=USER_AGENT)


def document(type_: str, remote_id: str, **attributes: Any) -> dict[str, Any]:
    return {"type": type_, "id": remote_id, "attributes": attributes, "links": {"self": f"{BASE}/somewhere"}}


def answered(*records: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"links": {}, "data": list(records), "included": [], "meta": meta}


UNAUTHORIZED = {"errors": [{"status": "401", "title": "Unauthorized", "detail": "Not authenticated. Error Code Hint: (BABOON)"}]}


def test_a_list_is_asked_for_with_everything_percent_encoded(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/emails", json=answered())
    client.list(people.EMAIL, where={"address": "ana+church@gmail.com"}, order="-created_at")
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.url == f"{BASE}/people/v2/emails?where%5Baddress%5D=ana%2Bchurch%40gmail.com&order=-created_at&per_page=100"
    assert sent.body is None
    assert dict(sent.headers) == {
        "User-Agent": USER_AGENT,
        "Accept-Encoding": sent.headers["Accept-Encoding"],
        "Accept": "application/json",
        "Connection": "keep-alive",
        "X-PCO-API-Version": "2025-11-10",
        "Authorization": "Bearer first",
    }


@pytest.mark.parametrize(
    ("ask", "query"),
    [
        (lambda c: c.list(people.PERSON, where={"remote_id": 1073741824}), "where%5Bremote_id%5D=1073741824&per_page=100"),
        (lambda c: c.list(people.PERSON, where={"child": True}), "where%5Bchild%5D=true&per_page=100"),
        (lambda c: c.list(people.PERSON, where={"birthdate": date(2020, 2, 29)}), "where%5Bbirthdate%5D=2020-02-29&per_page=100"),
        (
            lambda c: c.list(people.PERSON, where={"updated_at": {"gte": datetime(2026, 11, 1, 2, 3, 4, 5, UTC)}}),
            "where%5Bupdated_at%5D%5Bgte%5D=2026-11-01T02%3A03%3A04Z&per_page=100",
        ),
        (
            lambda c: c.list(
                people.PERSON, where={"search_phone_number_e164": "+15125550177"}, include=("emails", "phone_numbers"), per_page=25
            ),
            "where%5Bsearch_phone_number_e164%5D=%2B15125550177&include=emails%2Cphone_numbers&per_page=25",
        ),
        (lambda c: c.list(people.NOTE_CATEGORY, filter="view_creatable", offset=200), "filter=view_creatable&per_page=100&offset=200"),
        (lambda c: c.list(people.PERSON, where={"search_name": "Ana Lopez"}), "where%5Bsearch_name%5D=Ana%20Lopez&per_page=100"),
    ],
)
def test_questions_in_their_written_form(client: Client, requests_mock: Mocker, ask: Callable[[Client], Any], query: str) -> None:
    requests_mock.get(f"{BASE}/people/v2/people", json=answered())
    requests_mock.get(f"{BASE}/people/v2/note_categories", json=answered())
    ask(client)
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.url.split("?")[1] == query


def test_a_person_is_created(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/people/v2/people", status_code=201, json={"data": document("Person", "77", first_name="Zoë")})
    made = client.create(people.PERSON, {"first_name": "Zoë", "last_name": None, "child": False})
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.body == '{"data":{"type":"Person","attributes":{"first_name":"Zoë","last_name":null,"child":false}}}'.encode()
    assert sent.headers["Content-Type"] == "application/json"
    assert (made.id, made["first_name"], made["nickname"]) == ("77", "Zoë", None)


def test_a_detail_is_created_below_its_person_with_relationships(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(
        f"{BASE}/people/v2/people/77/field_data", status_code=201, json={"data": document("FieldDatum", "5", value="Friend")}
    )
    client.create(people.FIELD_DATUM, {"value": "Friend"}, parent_id="77", relationships={"field_definition": Ref("FieldDefinition", "9")})
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.body == (
        b'{"data":{"type":"FieldDatum","attributes":{"value":"Friend"},'
        b'"relationships":{"field_definition":{"data":{"type":"FieldDefinition","id":"9"}}}}}'
    )


def test_a_household_takes_several_people_and_a_campus_is_taken_away(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/people/v2/households", status_code=201, json={"data": document("Household", "3")})
    client.create(people.HOUSEHOLD, {"name": "Lopez"}, relationships={"people": [Ref("Person", "1"), Ref("Person", "2")]})
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.body.endswith(
        b'"relationships":{"people":{"data":[{"type":"Person","id":"1"},{"type":"Person","id":"2"}]}}}}'
    )
    requests_mock.patch(f"{BASE}/people/v2/people/1", json={"data": document("Person", "1")})
    client.update(people.PERSON, "1", {}, {"primary_campus": None})
    assert requests_mock.last_request.body == (
        b'{"data":{"type":"Person","id":"1","attributes":{},"relationships":{"primary_campus":{"data":null}}}}'
    )


def test_updating_deleting_and_acting(client: Client, requests_mock: Mocker) -> None:
    requests_mock.patch(f"{BASE}/people/v2/emails/3", json={"data": document("Email", "3", location="Work")})
    requests_mock.delete(f"{BASE}/people/v2/emails/3", status_code=204)
    requests_mock.post(f"{BASE}/people/v2/people/7/workflow_cards/5/promote", status_code=204)
    assert client.update(people.EMAIL, "3", {"location": "Work"})["location"] == "Work"
    client.delete(people.EMAIL, "3")
    client.act(people.PERSON_WORKFLOW_CARD, "5", "promote", parent_id="7")
    written = [(sent.method, sent.body) for sent in requests_mock.request_history]
    assert written == [
        ("PATCH", b'{"data":{"type":"Email","id":"3","attributes":{"location":"Work"}}}'),
        ("DELETE", None),
        ("POST", None),
    ]


def test_a_form_submission_is_made_with_its_values(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/people/v2/forms/4/form_submissions", status_code=201, json={"data": document("FormSubmission", "9")})
    values = [
        (people.FORM_SUBMISSION_VALUE, {"form_field_id": "11", "value": "Friend"}),
        (people.FORM_SUBMISSION_VALUE, {"form_field_id": "12", "value": {"number": "(512) 555-0177", "location": "Mobile"}}),
    ]
    assert client.create(people.FORM_SUBMISSION, {"person_id": "7"}, parent_id="4", included=values).id == "9"
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.headers["X-PCO-API-Version"] == "2026-06-04"
    assert sent.json() == {
        "data": {"type": "FormSubmission", "attributes": {"person_id": "7"}},
        "included": [
            {"type": "FormSubmissionValue", "attributes": {"form_field_id": "11", "value": "Friend"}},
            {
                "type": "FormSubmissionValue",
                "attributes": {"form_field_id": "12", "value": {"number": "(512) 555-0177", "location": "Mobile"}},
            },
        ],
    }


def test_an_action_takes_its_own_attributes(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(f"{BASE}/people/v2/people/7/workflow_cards/5/snooze", status_code=204)
    client.act(people.PERSON_WORKFLOW_CARD, "5", "snooze", {"duration": 15}, parent_id="7")
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.body == b'{"data":{"attributes":{"duration":15}}}'


def test_what_stands_below_two_others_is_reached(client: Client, requests_mock: Mocker) -> None:
    address = f"{BASE}/people/v2/people/7/workflow_cards/5/notes"
    requests_mock.post(address, status_code=201, json={"data": document("WorkflowCardNote", "3", note="Called")})
    requests_mock.get(address, json=answered(document("WorkflowCardNote", "3", note="Called")))
    client.create(people.WORKFLOW_CARD_NOTE, {"note": "Called"}, parent_id=("7", "5"))
    assert [note["note"] for note in client.iterate(people.WORKFLOW_CARD_NOTE, parent_id=("7", "5"))] == ["Called"]


def test_each_product_has_its_own_address_and_version(client: Client, requests_mock: Mocker) -> None:
    for resource, path in [
        (groups.GROUP, "groups/v2/groups"),
        (check_ins.CHECK_IN, "check-ins/v2/check_ins"),
        (calendar.EVENT_INSTANCE, "calendar/v2/event_instances"),
        (webhooks.SUBSCRIPTION, "webhooks/v2/webhook_subscriptions"),
    ]:
        requests_mock.get(f"{BASE}/{path}", json=answered())
        client.list(resource)
        assert requests_mock.last_request is not None
        assert requests_mock.last_request.headers["X-PCO-API-Version"] == resource.version


@pytest.mark.parametrize(
    ("ask", "query"),
    [
        ({"filter": "published"}, "filter=published"),
        ({"filter": ("published", "my_groups")}, "filter=published%2Cmy_groups"),
        ({"filter": {"group_type": ("1", "2")}}, "filter=group_type&group_type_id=1%2C2"),
        ({"filter": {"tag": "7", "campus": ["3"]}}, "filter=tag%2Ccampus&tag_id=7&campus_id=3"),
        ({"where": {"archive_status": "include"}}, "where%5Barchive_status%5D=include"),
        ({"fields": ("name", "tag_ids")}, "fields%5BGroup%5D=name%2Ctag_ids"),
    ],
)
def test_groups_are_asked_for(client: Client, requests_mock: Mocker, ask: dict[str, Any], query: str) -> None:
    requests_mock.get(f"{BASE}/groups/v2/groups", json=answered())
    client.list(groups.GROUP, **ask)
    assert requests_mock.last_request is not None
    assert requests_mock.last_request.url.split("?")[1] == f"{query}&per_page=100"


def test_what_a_thing_belongs_to_can_be_asked_for(client: Client, requests_mock: Mocker) -> None:
    wire = requests_mock.get(f"{BASE}/calendar/v2/event_instances", json={"data": []})
    client.list(calendar.EVENT_INSTANCE, where={"event": {"visible_in_church_center": True}, "starts_at": {"gte": "2026-11-20"}})
    assert (
        unquote(wire.last_request.url)
        .partition("?")[2]
        .startswith("where[event][visible_in_church_center]=true&where[starts_at][gte]=2026-11-20")
    )
    with pytest.raises(NotDeclared, match="did you mean 'visible_in_church_center'"):
        client.list(calendar.EVENT_INSTANCE, where={"event": {"visible_in_church_centre": True}})
    with pytest.raises(NotDeclared, match="no where 'event'"):
        client.list(calendar.EVENT_INSTANCE, where={"event": "7"})


def test_a_singleton_has_no_id(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/me", json={"data": document("Person", "7", people_permissions="Editor")})
    requests_mock.get(f"{BASE}/people/v2", json={"data": document("Organization", "1001", country_code="US")})
    assert client.get(people.ME)["people_permissions"] == "Editor"
    assert client.get(people.ORGANIZATION).id == "1001"


def test_what_was_included_is_given_to_the_record_it_belongs_to(client: Client, requests_mock: Mocker) -> None:
    def email(remote_id: str, person: str) -> dict[str, Any]:
        return document("Email", remote_id, address=f"{person}@gmail.com") | {
            "relationships": {"person": {"data": {"type": "Person", "id": person}}}
        }

    def person(remote_id: str, *emails: str) -> dict[str, Any]:
        linked = {"data": [{"type": "Email", "id": each} for each in emails], "links": {"related": f"{BASE}/x"}}
        campus = {"data": {"type": "PrimaryCampus", "id": "4"}}
        return document("Person", remote_id) | {"relationships": {"emails": linked, "primary_campus": campus}}

    answer = answered(person("1", "11"), person("2", "12", "13"), total_count=2)
    answer["included"] = [email("11", "1"), email("12", "2"), email("13", "2"), document("Campus", "4", name="West")]
    requests_mock.get(f"{BASE}/people/v2/people", json=answer)
    page = client.list(people.PERSON, include=("emails", "primary_campus"))
    assert [[one.id for one in record.included_of("Email")] for record in page.records] == [["11"], ["12", "13"]]
    assert [one["name"] for one in page.records[1].included_of("Campus")] == ["West"]
    assert page.records[0].related("emails") == [Ref("Email", "11")]
    assert page.records[0].related("nothing") == []
    assert page.total_count == 2


def test_a_link_is_used_for_its_query_only(client: Client, requests_mock: Mocker) -> None:
    page = answered(document("Campus", "1")) | {"links": {"next": "https://evil.example/people/v2/campuses?offset=4"}}
    requests_mock.get(f"{BASE}/people/v2/campuses", json=page)
    assert client.list(people.CAMPUS, order="created_at", per_page=2).next_offset == 4


def test_an_expired_token_is_renewed_once_and_the_request_repeated(client: Client, requests_mock: Mocker) -> None:
    requests_mock.post(
        f"{BASE}/people/v2/people",
        [{"status_code": 401, "json": UNAUTHORIZED}, {"status_code": 201, "json": {"data": document("Person", "1")}}],
    )
    assert client.create(people.PERSON, {"first_name": "Ana"}).id == "1"
    first, second = requests_mock.request_history
    assert (first.headers["Authorization"], second.headers["Authorization"]) == ("Bearer first", "Bearer second")
    assert first.body == second.body


def test_a_token_that_is_refused_twice_means_reconnect(requests_mock: Mocker) -> None:
    tokens = Tokens("first", "second", "third")
    requests_mock.get(f"{BASE}/people/v2/me", status_code=401, json=UNAUTHORIZED)
    with pytest.raises(ReconnectNeeded) as raised:
        Client(BearerAuth(tokens), base_url=BASE, user_agent=USER_AGENT).get(people.ME)
    assert raised.value.status == 401
    assert tokens.refused == ["first"]
    assert len(requests_mock.request_history) == 2


def test_a_personal_access_token_is_sent_as_basic_and_cannot_be_renewed(requests_mock: Mocker) -> None:
    requests_mock.get(
        f"{BASE}/people/v2/me",
        status_code=401,
        text="HTTP Basic: Access denied.\n",
        headers={"Content-Type": "text/html; charset=utf-8", "WWW-Authenticate": 'Basic realm="Application"'},
    )
    with pytest.raises(ReconnectNeeded, match="PCO_APP_ID"):
        Client(BasicAuth("app", "secret"), base_url=BASE, user_agent=USER_AGENT).get(people.ME)
    assert [sent.headers["Authorization"] for sent in requests_mock.request_history] == ["Basic YXBwOnNlY3JldA=="]


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda c: c.list(people.PERSON, where={"firstname": "Ana"}), "'first_name'"),
        (lambda c: c.list(people.PERSON, where={"first_name": {"gte": "A"}}), "equality only"),
        (lambda c: c.list(people.PERSON, where={"updated_at": {"since": "2026-01-01"}}), "gte"),
        (lambda c: c.list(people.PERSON, where={"first_name": None}), "NoneType"),
        (lambda c: c.list(people.PERSON, include=("email",)), "'emails'"),
        (lambda c: c.list(people.PERSON, order="-lastname"), "'last_name'"),
        (lambda c: c.list(people.WORKFLOW, filter="archive"), "'archived'"),
        (lambda c: c.list(people.PERSON, per_page=101), "1 to 100"),
        (lambda c: c.list(people.FIELD_OPTION), "FieldDefinition"),
        (lambda c: c.get(people.PERSON, ""), "without an id"),
        (lambda c: c.create(people.PERSON, {"first_nam": "Ana"}), "'first_name'"),
        (lambda c: c.create(people.PERSON, {"site_administrator": True}), "no assignable attribute"),
        (lambda c: c.create(people.PERSON, {}, relationships={"emails": []}), "no assignable relationship"),
        (lambda c: c.update(people.EMAIL, "1", {"blocked": False}), "no assignable attribute"),
        (lambda c: c.create(people.PERSON_MERGER, {}), "no verb"),
        (lambda c: c.delete(people.GENDER, "1"), "no verb"),
        (lambda c: c.act(people.PERSON_WORKFLOW_CARD, "1", "promoted", parent_id="2"), "'promote'"),
        (lambda c: c.act(people.PERSON_WORKFLOW_CARD, "1", "snooze", {"days": 3}, parent_id="2"), "duration"),
        (lambda c: c.list(groups.GROUP, filter="group_type"), "takes values"),
        (lambda c: c.list(groups.GROUP, filter={"published": "yes"}), "takes no values"),
        (lambda c: c.list(groups.GROUP, fields=("tags",)), "'tag_ids'"),
        (lambda c: c.list(groups.MEMBERSHIP), "Group"),
        (lambda c: c.list(check_ins.LOCATION), "Event"),
        (lambda c: c.list(calendar.EVENT, order="name"), "no order"),
        (lambda c: c.update(groups.GROUP, "1", {"description": "Tuesdays"}), "no assignable attribute"),
        (lambda c: c.update(groups.MEMBERSHIP, "1", {"person_id": "2"}, parent_id="3"), "no assignable attribute"),
        (lambda c: c.update(webhooks.SUBSCRIPTION, "1", {"url": "https://gracechurch.org"}), "no assignable attribute"),
        (lambda c: c.create(check_ins.CHECK_IN, {}), "no verb"),
        (lambda c: c.create(people.FORM, {"name": "Card"}), "no verb"),
        (lambda c: c.create(people.PERSON, {}, included=[(people.EMAIL, {"address": "ana@gmail.com"})]), "not made together"),
        (
            lambda c: c.create(people.FORM_SUBMISSION, {}, parent_id="1", included=[(people.FORM_SUBMISSION_VALUE, {"field": "1"})]),
            "form_field_id",
        ),
    ],
)
def test_what_the_catalogue_does_not_declare_never_reaches_the_wire(
    client: Client, requests_mock: Mocker, ask: Callable[[Client], Any], meant: str
) -> None:
    with pytest.raises(NotDeclared, match=meant):
        ask(client)
    assert requests_mock.request_history == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"null", b"[]", b'"x"', b"{}", b'{"data":null}', b'{"data":[]}', b'{"data":{"type":"Person"}}',
        b'{"data":{"type":"Person","id":7}}', b'{"data":{"type":"Person","id":""}}',
        b'{"data":{"type":"Person","id":"7","attributes":[]}}',
        b'{"data":{"type":"Person","id":"7","relationships":{"emails":{"data":[3]}}}}',
        b'{"data":{"type":"Person","id":"7"},"included":{}}',
        b'{"data":{"type":"Person","id":"7"', b'\xff\xfe{"data"', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_success_that_cannot_be_read_may_have_been_applied(client: Client, requests_mock: Mocker, body: bytes) -> None:
    requests_mock.post(f"{BASE}/people/v2/people", status_code=201, content=body)
    with pytest.raises(OutcomeUnknown):
        client.create(people.PERSON, {"first_name": "Ana"})
    requests_mock.get(f"{BASE}/people/v2/people/7", content=body)
    with pytest.raises(Unavailable):
        client.get(people.PERSON, "7")


def test_an_answer_about_somebody_else_is_not_taken(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/people/7", json={"data": document("Person", "8")})
    with pytest.raises(Unavailable):
        client.get(people.PERSON, "7")
    requests_mock.patch(f"{BASE}/people/v2/people/7", json={"data": document("Person", "8")})
    with pytest.raises(OutcomeUnknown):
        client.update(people.PERSON, "7", {"first_name": "Ana"})


def test_a_list_that_does_not_go_forward_is_not_followed(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/campuses", json=answered(document("Campus", "1"), next={"offset": 0}))
    with pytest.raises(Unavailable):
        list(client.iterate(people.CAMPUS))


def test_a_redirect_is_not_followed(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/me", status_code=302, headers={"Location": "https://evil.example/"})
    requests_mock.get("https://evil.example/", json={"data": document("Person", "7")})
    with pytest.raises(Unavailable):
        client.get(people.ME)
    assert len(requests_mock.request_history) == 1


def test_cookies_are_not_kept(client: Client, requests_mock: Mocker) -> None:
    requests_mock.get(f"{BASE}/people/v2/me", json={"data": document("Person", "7")}, headers={"Set-Cookie": "request_method=POST; path=/"})
    client.get(people.ME)
    client.get(people.ME)
    assert requests_mock.last_request is not None
    assert "Cookie" not in requests_mock.last_request.headers


def test_the_hook_runs_before_each_request_and_can_stop_it(requests_mock: Mocker) -> None:
    def refuse() -> None:
        raise RuntimeError("a transaction is open")

    client = Client(BearerAuth(Tokens("first")), base_url=BASE, user_agent=USER_AGENT, before_send=refuse)
    with pytest.raises(RuntimeError):
        client.get(people.ME)
    assert requests_mock.request_history == []


class Ledger:
    """A budget that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def wait(self, seconds_left: float) -> None:
        self.told.append("wait")

    def learn(self, rate: Any) -> None:
        self.told.append((rate.count, rate.limit, rate.period))

    def block(self, retry_after: float | None) -> None:
        self.told.append(("block", retry_after))


RATE = {"X-PCO-API-Request-Rate-Limit": "100", "X-PCO-API-Request-Rate-Period": "20 seconds", "X-PCO-API-Request-Rate-Count": "7"}


def test_the_budget_hears_of_every_answer(requests_mock: Mocker) -> None:
    ledger = Ledger()
    client = Client(BearerAuth(Tokens("first")), base_url=BASE, user_agent=USER_AGENT, budget=ledger)
    limited = {
        "errors": [{"code": "429", "title": "Too Many Requests", "detail": "Rate limit exceeded: 118 of 100 requests per 20 seconds"}]
    }
    requests_mock.get(
        f"{BASE}/people/v2/me",
        [
            {"json": {"data": document("Person", "7")}, "headers": RATE},
            {"status_code": 429, "json": limited, "headers": RATE | {"X-PCO-API-Request-Rate-Count": "118", "Retry-After": "13"}},
            {"status_code": 503, "text": "down", "headers": {"Retry-After": "30"}},
            {"status_code": 503, "text": "down"},
        ],
    )
    client.get(people.ME)
    with pytest.raises(RateLimited) as limit:
        client.get(people.ME)
    assert limit.value.retry_after == 13
    for _ in range(2):
        with pytest.raises(Unavailable):
            client.get(people.ME)
    assert ledger.told == ["wait", (7, 100, 20), "wait", (118, 100, 20), ("block", 13.0), "wait", ("block", 30.0), "wait"]


def test_what_people_typed_and_the_token_stand_in_no_error(client: Client, requests_mock: Mocker) -> None:
    secrets = ("ana@gmail.com", "ana%40gmail.com", "first", "second")
    body = {"errors": [{"status": "404", "title": "Not Found", "detail": "ana@gmail.com is not there"}]}
    requests_mock.get(f"{BASE}/people/v2/emails", status_code=404, json=body, headers={"X-Request-Id": "19250fef"})
    with pytest.raises(Gone) as gone:
        client.list(people.EMAIL, where={"address": "ana@gmail.com"})
    assert str(gone.value) == "GET /people/v2/emails: Planning Center answered 404 Not Found"
    assert (gone.value.detail, gone.value.request_id) == ("ana@gmail.com is not there", "19250fef")
    assert not any(secret in f"{gone.value}{gone.value!r}" for secret in secrets)


def test_records_and_errors_of_one_church_never_name_a_token(client: Client) -> None:
    assert "first" not in repr(client)
    assert RefreshNeeded("x").request_id is None
    assert Record("Person", "1")["anything"] is None
