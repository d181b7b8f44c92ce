"""What Planning Center delivers: genuine or not, and what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectcard.planning_center.documents import Malformed
from connectcard.planning_center.webhooks import AUTHENTICITY, is_genuine, read_deliveries

SECRET = "abcdefg123456"
BODY = (
    rb'{"data":[{"id":"7ea0c1d2-0000-4000-8000-000000000001","type":"EventDelivery","attributes":{"name":"people.v2.events.person.updated",'
    rb'"attempt":2,"payload":"{\"data\":{\"type\":\"Person\",\"id\":\"7\",\"attributes\":{\"first_name\":\"Zo\u00eb\"}},\"included\":[],'
    rb'\"meta\":{\"parent\":{\"type\":\"Organization\",\"id\":\"9\"}}}"},"relationships":{"organization":{"data":{"type":"Organization","id":"9"}}}}]}'
)
# By another program: openssl dgst -sha256 -hmac abcdefg123456
SIGNATURE = "be84a4768690bd9561d12e576d2f3c46ad06993dabab43869689a095d379dfe7"


def test_the_right_secret_among_several_is_enough() -> None:
    assert AUTHENTICITY == "X-PCO-Webhooks-Authenticity"
    assert is_genuine(BODY, SIGNATURE, [SECRET])
    assert is_genuine(BODY, SIGNATURE, ["of another subscription", SECRET, ""])


@pytest.mark.parametrize(
    ("body", "authenticity", "secrets"),
    [
        (BODY, SIGNATURE, []),
        (BODY, SIGNATURE, ["of another subscription"]),
        (BODY, SIGNATURE.upper(), [SECRET]),
        (BODY, SIGNATURE[:-1], [SECRET]),
        (BODY, "", [SECRET]),
        (BODY, None, [SECRET]),
        (BODY, "Zoë", [SECRET]),
        (BODY + b"\n", SIGNATURE, [SECRET]),
        (BODY.replace(b'"7\\"', b'"8\\"'), SIGNATURE, [SECRET]),
        (b"", SIGNATURE, [SECRET]),
    ],
)
def test_anything_else_is_not_genuine(body: bytes, authenticity: str | None, secrets: list[str]) -> None:
    assert not is_genuine(body, authenticity, secrets)


def test_every_secret_is_tried_however_early_one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: bool(compared.append(one)) or one == other)
    assert is_genuine(BODY, SIGNATURE, [SECRET, "second", "third"])
    assert len(compared) == 3


def test_what_is_delivered_is_json_inside_json() -> None:
    [delivery] = read_deliveries(BODY)
    assert (delivery.id, delivery.name, delivery.attempt) == ("7ea0c1d2-0000-4000-8000-000000000001", "people.v2.events.person.updated", 2)
    assert delivery.organization_id == "9"
    assert (delivery.record.type, delivery.record.id, delivery.record["first_name"]) == ("Person", "7", "Zoë")


def test_several_events_come_in_one_delivery_and_an_old_one_says_not_whose_it_is() -> None:
    entry = BODY.removeprefix(b'{"data":[').removesuffix(b"]}")
    owner = entry[entry.index(b',"relationships"') : -1]
    first, second = read_deliveries(b'{"data":[' + entry + b"," + entry.replace(owner, b"") + b"]}")
    assert (first.organization_id, second.organization_id) == ("9", None)
    assert read_deliveries(b'{"data":[]}') == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"data":{}}',
        b'{"data":[1]}',
        b'{"data":[{"type":"EventDelivery","id":"1"}]}',
        b'{"data":[{"type":"EventDelivery","id":"1","attributes":{"name":"x","payload":{}}}]}',
        b'{"data":[{"type":"EventDelivery","id":"1","attributes":{"name":"x","payload":"{"}}]}',
        b'{"data":[{"type":"EventDelivery","id":"1","attributes":{"name":"x","payload":"\\ud800"}}]}',
        b'{"data":[{"type":"EventDelivery","id":"1","attributes":{"name":"x","payload":"' + b"[" * 50_000 + b'"}}]}',
    ],
)
def test_what_is_no_delivery_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_deliveries(body)


@given(st.binary(max_size=200), st.text(max_size=80), st.lists(st.text(max_size=20), max_size=3))
def test_whatever_is_sent_is_answered(body: bytes, authenticity: str, secrets: list[str]) -> None:
    assert is_genuine(body, authenticity, secrets) is False
    with pytest.raises(Malformed):
        read_deliveries(body)
