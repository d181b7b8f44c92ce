"""The rate limit: so many requests in a window, for each person who calls."""

from collections.abc import Callable
from typing import Any

from tests.simulator.conftest import Church, SignIn


def count(church: Church) -> tuple[int, str]:
    response = church.call("GET", "me")
    return response.status_code, response.headers["X-PCO-API-Request-Rate-Count"]


def test_the_first_request_counts_one_and_the_hundred_and_first_is_too_many(grace: Church, control: Callable[..., Any]) -> None:
    answers = [count(grace) for _ in range(102)]
    assert answers[:100] == [(200, str(number)) for number in range(1, 101)]
    assert answers[100:] == [(429, "101"), (429, "102")], "it goes on counting"
    response = grace.call("GET", "me")
    assert response.json == {
        "errors": [{"code": "429", "title": "Too Many Requests", "detail": "Rate limit exceeded: 103 of 100 requests per 20 seconds"}]
    }
    assert 1 <= int(response.headers["Retry-After"]) <= 20
    assert (response.headers["X-PCO-API-Request-Rate-Limit"], response.headers["X-PCO-API-Request-Rate-Period"]) == ("100", "20")
    control("POST", "settings", {"advance_s": int(response.headers["Retry-After"])})
    assert count(grace) == (200, "1")


def test_what_was_too_much_was_not_done(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"limit": 1})
    assert [grace.post("people", {"first_name": "Zebulon", "last_name": "Q"}).status_code for _ in range(3)] == [201, 429, 429]
    control("POST", "settings", {"advance_s": 20})
    assert len(grace.rows("people", **{"where[last_name]": "Q"})) == 1


def test_the_limit_can_change_while_a_window_is_open(grace: Church, control: Callable[..., Any]) -> None:
    assert [count(grace)[0] for _ in range(11)] == [200] * 11
    control("POST", "settings", {"limit": 10, "period": 60})
    response = grace.call("GET", "me")
    assert response.status_code == 429
    assert "12 of 10 requests per 60 seconds" in response.text


def test_every_person_has_a_window_of_their_own_whatever_the_token(
    sign_in: SignIn, staff: dict[str, str], grace: Church, hope: Church
) -> None:
    first, second = (sign_in.church_of(staff["Eddie Editor"]) for _ in range(2))
    assert [count(first), count(second), count(first)] == [(200, "1"), (200, "2"), (200, "3")]
    assert (count(grace), count(hope)) == ((200, "1"), (200, "1"))


def test_deep_offsets_have_a_smaller_limit(grace: Church) -> None:
    assert grace.call("GET", "people?offset=30001").headers["X-PCO-API-Request-Rate-Limit"] == "75"
    assert grace.call("GET", "people?offset=30000").headers["X-PCO-API-Request-Rate-Limit"] == "100"


def test_deep_offsets_may_have_a_limit_of_their_own(grace: Church, control: Callable[..., Any]) -> None:
    control("POST", "settings", {"deep_limit": 10})
    answers = [grace.call("GET", "people?offset=32700&per_page=100") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].json["errors"][0]["detail"] == "Rate limit exceeded: 11 of 10 requests per 20 seconds"
    assert grace.call("GET", "people").headers["X-PCO-API-Request-Rate-Limit"] == "100"


def test_strangers_are_counted_as_well(grace: Church) -> None:
    response = grace.client.get("/people/v2/me", headers={"Authorization": "Bearer nothing"})
    assert (response.status_code, response.headers["X-PCO-API-Request-Rate-Count"]) == (401, "1")
