"""Whatever happens to a list while it is read, nothing that stays is missed and nothing is given twice."""

from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import current_thread

import pytest
import requests_mock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectcard.planning_center import BearerAuth, Client, paging
from connectcard.planning_center.errors import NotDeclared, PlanningCenterError, Unavailable
from connectcard.planning_center.resources import Resource, groups, people
from tests.planning_center.changing_list import ChangingList, written

BASE = "https://api.planningcenteronline.com"
# People can be asked for from a moment on; addresses can only be ordered by it; field data neither.
KINDS = {
    people.PERSON: ChangingList,
    people.ADDRESS: lambda: ChangingList(where=()),
    people.FIELD_DATUM: lambda: ChangingList(where=(), order=()),
}


def client(before_send: Callable[[], None] | None = None) -> Client:
    return Client(BearerAuth(lambda refused=None: "token"), base_url=BASE, user_agent="my-church", before_send=before_send)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "WINDOW_RECORDS", 12)


@pytest.fixture
def wire() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as wire:
        yield wire


def read(rows: ChangingList, resource: Resource, wire: requests_mock.Mocker, per_page: int = 4, **how: str) -> list[str]:
    wire.get(requests_mock.ANY, json=rows.answer)
    return [record.id for record in client().iterate(resource, per_page=per_page, **how)]  # type: ignore[arg-type]


CHANGES = st.lists(
    st.one_of(
        st.builds(lambda n, s: lambda rows: rows.add(n, seconds=s), st.integers(1, 3), st.integers(0, 2)),
        st.builds(lambda place: lambda rows: rows.remove(place), st.integers(0, 60)),
        st.builds(lambda place: lambda rows: (rows.remove(place), rows.remove(0), rows.add()), st.integers(0, 60)),
        st.builds(lambda place: lambda rows: rows.touch(place), st.integers(0, 60)),
        st.just(lambda rows: None),
    ),
    max_size=40,
)
BATCHES = st.lists(st.integers(1, 6), max_size=14)


@pytest.mark.parametrize("resource", KINDS, ids=lambda one: one.type)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, changes=CHANGES, per_page=st.integers(3, 6), order=st.sampled_from([None, "updated_at"]))
def test_a_list_that_changes_while_it_is_read(
    small_windows: None, resource: Resource, batches: list[int], changes: list[Callable[[ChangingList], None]], per_page: int, order: str
) -> None:
    rows = KINDS[resource]()
    for batch in batches:
        rows.add(batch)
    there = set(rows.rows)
    rows.changes = deque(changes)
    how = {"order": order} if order in resource.orders else {}
    with requests_mock.Mocker() as wire:
        given_ = read(rows, resource, wire, per_page, **how)
        assert len(given_) == len(set(given_))
        stayed = there & set(rows.rows)
        assert stayed <= set(given_) <= rows.ever
        # In the order of creation what is new comes last: all that was there when an end was first read is given.
        if not how and resource is people.PERSON:
            assert (rows.at_the_first_end or frozenset()) & set(rows.rows) <= set(given_)
        rows.changes.clear()
        assert set(read(rows, resource, wire, per_page, **how)) == set(rows.rows)


@pytest.mark.parametrize("resource", KINDS, ids=lambda one: one.type)
@pytest.mark.parametrize(("many", "requests"), [(0, 1), (1, 1), (4, 1), (5, 2), (7, 2), (8, 3), (10, 3)])
def test_a_list_at_rest_is_read_once(resource: Resource, many: int, requests: int, wire: requests_mock.Mocker) -> None:
    rows = KINDS[resource]()
    for _ in range(many):
        rows.add()
    assert read(rows, resource, wire) == sorted(rows.rows)
    assert len(rows.asked) == requests


def test_a_vanished_row_hides_no_other(wire: requests_mock.Mocker) -> None:
    rows = KINDS[people.FIELD_DATUM]()
    rows.add(12)
    rows.changes = deque([lambda rows: None, lambda rows: (rows.remove(0), rows.remove(0))])
    assert read(rows, people.FIELD_DATUM, wire) == [str(1000 + number) for number in range(12)]


def test_long_lists_are_read_in_windows_without_deep_offsets(small_windows: None, wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    for _ in range(40):
        rows.add()
    assert len(read(rows, people.PERSON, wire)) == 40
    assert max(int(asked.get("offset", 0)) for asked in rows.asked) < 12
    since = sorted({asked.get("where[created_at][gte]", "") for asked in rows.asked})
    assert since == ["", written(13), written(25), written(37)]
    # One question more than pages: how many there are in all.
    assert [asked["per_page"] for asked in rows.asked].count("1") == 1


def test_more_rows_of_one_second_than_a_window_holds(small_windows: None, wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(2)
    rows.add(30)
    rows.add(3)
    assert sorted(read(rows, people.PERSON, wire)) == sorted(rows.rows)


def test_a_question_from_a_moment_on_stays_one(small_windows: None, wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    for _ in range(40):
        rows.add()
    wire.get(requests_mock.ANY, json=rows.answer)
    where = {"created_at": {"gte": written(11), "lt": "2027-01-01T00:00:00Z"}, "status": "active"}
    assert len(list(client().iterate(people.PERSON, where=where, per_page=4))) == 30
    assert {(asked["where[created_at][lt]"], asked["where[status]"]) for asked in rows.asked} == {("2027-01-01T00:00:00Z", "active")}
    changed = {"updated_at": {"gte": written(20)}}
    assert len(list(client().iterate(people.PERSON, where=changed, per_page=4))) == 21
    # An exact moment cannot be narrowed.
    list(client().iterate(people.PERSON, where={"created_at": written(3)}, per_page=4))
    assert not any("where[created_at][gte]" in asked and "where[created_at]" in asked for asked in rows.asked)


def test_somebody_whom_a_search_lists_twice_is_given_once(wire: requests_mock.Mocker) -> None:
    rows = KINDS[people.FIELD_DATUM]()
    rows.add(3)
    original = rows._matching
    rows._matching = lambda query: original(query) * 2  # type: ignore[method-assign]
    assert read(rows, people.FIELD_DATUM, wire) == sorted(rows.rows)


def test_a_list_that_holds_fewer_than_it_says_is_no_whole_list(wire: requests_mock.Mocker) -> None:
    rows = ChangingList(counts_too_many=3)
    rows.add(9)
    with pytest.raises(Unavailable, match=r"GET /people/v2/people: .* fewer records than it says"):
        read(rows, people.PERSON, wire)


def test_a_list_that_shows_other_rows_each_time_is_given_up(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(20)
    original = rows._matching

    def renamed(query: dict[str, str]) -> list:  # type: ignore[type-arg]
        for row in list(rows.rows.values()):
            row.id = f"{row.id}x"
        return original(query)

    rows._matching = renamed  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="changes too fast"):
        read(rows, people.PERSON, wire)


def test_a_server_that_gives_smaller_pages_than_asked_for(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(17)
    original = rows._page
    rows._page = lambda query: original(query | {"per_page": "3"})  # type: ignore[method-assign]
    assert read(rows, people.PERSON, wire, per_page=8) == sorted(rows.rows)


def test_groups_and_their_members_have_no_moments(wire: requests_mock.Mocker) -> None:
    rows = ChangingList(where=(), order=())
    rows.add(9)
    wire.get(requests_mock.ANY, json=rows.answer)
    assert len(list(client().iterate(groups.MEMBERSHIP, parent_id="4", per_page=4, filter=()))) == 9
    assert {asked.get("order") for asked in rows.asked} == {None}


CHURCH: ContextVar[str] = ContextVar("church", default="nobody's")


def test_pages_ahead_are_read_in_threads_that_know_whose_they_are(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(40)
    seen, waited = set(), []

    def token(*, refused: str | None = None) -> str:
        seen.add((current_thread().name.startswith("pages-ahead"), CHURCH.get()))
        return "token"

    def waiting() -> None:
        waited.append(current_thread().name)

    wire.get(requests_mock.ANY, json=rows.answer)
    CHURCH.set("Grace's")
    reader = Client(BearerAuth(token), base_url=BASE, user_agent="my-church", before_send=waiting)
    assert len(list(reader.iterate(people.PERSON, per_page=4))) == 40
    assert seen == {(False, "Grace's"), (True, "Grace's")}
    # Whoever iterates is told before each wait, and nobody else: its transactions are its own.
    assert set(waited) == {current_thread().name}
    assert len(waited) == len(rows.asked)


def test_where_changed_rows_move_to_the_end_no_page_is_read_before_the_one_ahead_of_it(wire: requests_mock.Mocker) -> None:
    """A row that leaves page 2 for the last page, which was read already, would be in neither."""
    rows = ChangingList()
    rows.add(40)
    assert len(read(rows, people.PERSON, wire, order="updated_at")) == 40
    offsets = [int(asked.get("offset", 0)) for asked in rows.asked]
    assert offsets == sorted(offsets)
    assert all("pages-ahead" not in name for name in rows.read_by)


def test_whoever_may_not_wait_gets_no_further_page(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(40)
    allowed = [True, True]

    def waiting() -> None:
        if not allowed:
            raise RuntimeError("a transaction is open")
        allowed.pop()

    wire.get(requests_mock.ANY, json=rows.answer)
    records = client(waiting).iterate(people.PERSON, per_page=4)
    assert [next(records).id for _ in range(5)] == ["1000", "1001", "1002", "1003", "1004"]
    with pytest.raises(RuntimeError):
        list(records)


def test_reading_on_is_not_needed(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(400)
    wire.get(requests_mock.ANY, json=rows.answer)
    records = client().iterate(people.PERSON, per_page=4)
    next(records)
    records.close()  # type: ignore[attr-defined]
    assert len(rows.asked) <= 1 + paging.PAGES_AHEAD


def test_what_went_wrong_ahead_is_told_when_it_is_reached(wire: requests_mock.Mocker) -> None:
    rows = ChangingList()
    rows.add(9)

    def answer(request: object, context: object) -> object:
        document = rows.answer(request, context)
        if len(rows.asked) > 1:
            context.status_code = 500  # type: ignore[attr-defined]
        return document

    wire.get(requests_mock.ANY, json=answer)
    records = client().iterate(people.PERSON, per_page=4)
    assert [next(records).id for _ in range(4)] == ["1000", "1001", "1002", "1003"]
    with pytest.raises(PlanningCenterError):
        next(records)


def test_nothing_is_asked_that_the_catalogue_does_not_declare() -> None:
    with pytest.raises(NotDeclared):
        client().iterate(people.PERSON, where={"createdat": "2026-01-01"})
    with pytest.raises(NotDeclared):
        client().iterate(people.ME)
    with pytest.raises(NotDeclared, match="2 to 100"):
        client().iterate(people.PERSON, per_page=1)
