"""Against the practice Planning Center over HTTP: people come, change and go between the pages of a list."""

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectcard.planning_center import BasicAuth, Client, paging
from connectcard.planning_center.errors import Gone
from connectcard.planning_center.resources import people

# After so many records given: somebody comes, changes or goes.
CHANGES = st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["come", "change", "go"]), st.integers(0, 400)), max_size=12)


@pytest.fixture
def client(simulator: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(paging, "WINDOW_RECORDS", 20)
    for path, sent in (("reset", {"people": 40, "seed": 3}), ("settings", {"limit": 1_000_000})):
        requests.post(f"{simulator}/_simulator/{path}", json=sent, timeout=30).raise_for_status()
    token = requests.get(f"{simulator}/_simulator/organizations?people=0", timeout=30).json()[0]["personal_access_token"]
    return Client(BasicAuth(token["app_id"], token["secret"]), base_url=simulator, user_agent="my-church")


def church(simulator: str) -> dict[str, str]:
    """The first name of everybody, by id, as the practice Planning Center itself tells it."""
    told = requests.get(f"{simulator}/_simulator/organizations", timeout=30).json()[0]
    return {person["id"]: person["first_name"] for person in told["people"]}


def change(client: Client, kind: str, ids: list[str], place: int) -> None:
    remote_id = ids[place % len(ids)]
    try:
        if kind == "come":
            ids.append(client.create(people.PERSON, {"first_name": "Nova", "last_name": f"Number {place}"}).id)
        elif kind == "change":
            client.update(people.PERSON, remote_id, {"nickname": f"Nick {place}"})
        else:
            client.delete(people.PERSON, remote_id)
    except Gone:
        # Went before.
        return


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, per_page=st.integers(4, 9), order=st.sampled_from([None, "updated_at", "last_name"]))
def test_nobody_who_stays_is_missed(
    client: Client, simulator: str, changes: list[tuple[int, str, int]], per_page: int, order: str | None
) -> None:
    there = church(simulator)
    staff = {remote_id for remote_id, name in there.items() if name in ("Ada", "Mona", "Eddie", "Vera", "Noah")}
    ids = sorted(there.keys() - staff, key=int)
    waiting, given_ = list(changes), []
    for person in client.iterate(people.PERSON, per_page=per_page, order=order, include=("emails",)):
        given_.append(person.id)
        while waiting and waiting[0][0] <= len(given_) % 13:
            _, kind, place = waiting.pop(0)
            change(client, kind, ids, place)
    assert len(given_) == len(set(given_))
    assert there.keys() & church(simulator).keys() <= set(given_) <= there.keys() | set(ids)
    assert {person.id: person["first_name"] for person in client.iterate(people.PERSON, per_page=per_page)} == church(simulator)
