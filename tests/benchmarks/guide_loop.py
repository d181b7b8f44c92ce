"""The usual way to send visitors to Planning Center, as guides to its API show it: one after the other, one request after the other.

Search for the e-mail address, create the person, add each thing by a request of its own, rest a quarter of a second, wait as told on
429. Nothing is remembered, and nothing is looked up after a failure.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests

Card = dict[str, Any]


def send_all(url: str, token: str, cards: list[Card], fields: dict[str, str]) -> None:
    """Send the cards; `fields` are the ids of the church's custom fields by what the cards call them."""
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {token}", "User-Agent": "the guide's loop", "X-PCO-API-Version": "2025-11-10"})
        for card in cards:
            _send(session, f"{url}/people/v2/people", card, fields)
            time.sleep(0.25)


def _send(session: requests.Session, people: str, card: Card, fields: dict[str, str]) -> None:
    found = _ask(session, "GET", people, params={"where[search_name_or_email]": card["email"], "per_page": 1})
    if found["data"]:
        return
    named = {"first_name": card["first_name"], "last_name": card["last_name"], "membership": "Visitor"}
    person = _ask(session, "POST", people, json=_body("Person", named))["data"]["id"]
    for path, kind, attributes in _parts(card, fields):
        _ask(session, "POST", f"{people}/{person}/{path}", json=_body(kind, attributes))


def _parts(card: Card, fields: dict[str, str]) -> Iterator[tuple[str, str, Card]]:
    yield "emails", "Email", {"address": card["email"], "location": "Home", "primary": True}
    yield "phone_numbers", "PhoneNumber", {"number": card["phone"], "location": "Mobile", "primary": True}
    address = card["address"]
    place = {"street_line_1": address["street"], "city": address["city"], "state": address["state"], "zip": address["zip"]}
    yield "addresses", "Address", {**place, "location": "Home", "primary": True}
    for name, definition in fields.items():
        yield "field_data", "FieldDatum", {"field_definition_id": definition, "value": card[name]}


def _body(kind: str, attributes: Card) -> Card:
    return {"data": {"type": kind, "attributes": attributes}}


def _ask(session: requests.Session, method: str, url: str, **sent: Any) -> Card:
    while True:
        answer = session.request(method, url, timeout=60, **sent)
        if answer.status_code != 429:
            answer.raise_for_status()
            said: Card = answer.json()
            return said
        time.sleep(float(answer.headers["Retry-After"]))
