"""The control paths: plain JSON, for tests and for whoever practises by hand. They are not part of Planning Center.

POST   /_simulator/reset          {"people": 200, "seed": 1}: a fresh practice pair; "groups": 80 says how many
GET    /_simulator/organizations  both churches with their people (?people=0 without, ?organization=ID one of them)
POST   /_simulator/faults         one order or a list of them (see `faults.py`); [] forgets those that are open
GET    /_simulator/faults         the orders still open;  DELETE forgets them
POST   /_simulator/settings       {"latency_ms", "limit", "period", "search_lag_s", "groups_lag_s",
                                  "refresh_ends_old_access", "webhook_copies", "webhook_disorder_s", "deep_limit", "deep_offset",
                                  "default_version", "advance_s"}
GET    /_simulator/settings       the settings and the practice clock
GET    /_simulator/log?since=N    one entry for each request with a number above N
POST   /_simulator/merge          {"keep", "remove"}: merge two people, as staff do in Planning Center
PATCH  /_simulator/people/<id>    attributes: edit a person in Planning Center;  DELETE deletes
POST   /_simulator/permission     {"person", "permission"}: none, Viewer, Editor, Manager or site_administrator; in another product
                                  {"person", "product", "permission"}: see `ELSEWHERE`
POST   /_simulator/confirm        {"form_submission"}: the person follows the link in the mail, what waits is carried out
POST   /_simulator/form_field     {"form_field", "required"}: whether a field of a form has to be answered
GET    /_simulator/mails          what would have been mailed, the newest first: organization, to, subject, person, at
POST   /_simulator/clients        {"client_id", "client_secret", "redirect_uris"}: register an application
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any

from flask import Blueprint, Response, request

from connectcard.simulator import forms, merging, rules, webhooks
from connectcard.simulator.answers import Refusal, plain_json
from connectcard.simulator.callers import Caller
from connectcard.simulator.catalogue import FACTS, PARENTS, PEOPLE
from connectcard.simulator.faults import KINDS, Fault
from connectcard.simulator.practice import personal_access_token
from connectcard.simulator.practice_life import MOST_GROUPS
from connectcard.simulator.rules import Body, Desk
from connectcard.simulator.state import Settings, Simulator, the
from connectcard.simulator.store import Condition, Row, Store

MOST_PEOPLE = 200_000
PERMISSIONS: dict[str, tuple[str | None, bool]] = {
    "none": (None, False),
    "Viewer": ("Viewer", False),
    "Editor": ("Editor", False),
    "Manager": ("Manager", False),
    "site_administrator": ("Manager", True),
}
ELSEWHERE = {
    "groups": ("none", "administrator"),
    "check_ins": ("none", "Viewer", "Editor", "Manager"),
    "calendar": ("none", "Viewer", "Editor", "Manager"),
}
pages = Blueprint("control", __name__, url_prefix="/_simulator")


class Mistaken(Exception):
    """A control request that cannot be carried out; the text says how to mend it."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status


@pages.errorhandler(Mistaken)
def say_mistake(mistake: Mistaken) -> Response:
    return plain_json({"error": str(mistake)}, mistake.status)


@pages.errorhandler(Refusal)
def say_refusal(refusal: Refusal) -> Response:
    return plain_json({"error": "Planning Center would refuse this", "errors": refusal.errors}, refusal.status)


@pages.post("/reset")
def reset() -> Response:
    sent = values("people", "seed", "groups")
    people = int(number(sent, "people", 50, 0, MOST_PEOPLE))
    groups = int(number(sent, "groups", 0, 1, MOST_GROUPS)) if "groups" in sent else None
    the().reset(int(number(sent, "seed", 1, -(2**53), 2**53)), people, groups)
    return plain_json({"organizations": all_organizations(the(), people=False)})


@pages.get("/organizations")
def organizations() -> Response:
    asked = request.args.get("people", "1")
    return plain_json(all_organizations(the(), people=asked not in ("0", "false"), only=request.args.get("organization")))


@pages.get("/faults")
def open_faults() -> Response:
    return plain_json(the().faults.open())


@pages.post("/faults")
def order_faults() -> Response:
    sent = read()
    ordered = [read_fault(one) for one in (sent if isinstance(sent, list) else [sent])]
    if not ordered:
        the().faults.clear()
    the().faults.order(ordered)
    return plain_json(the().faults.open(), 201)


@pages.delete("/faults")
def clear_faults() -> Response:
    the().faults.clear()
    return plain_json([])


@pages.get("/settings")
def settings() -> Response:
    return plain_json(asdict(the().settings) | {"now": the().moments.stamp(), "ahead_s": the().moments.ahead})


@pages.post("/settings")
def change_settings() -> Response:
    sent = values(*(one.name for one in fields(Settings)), "advance_s")
    limits = {"latency_ms": (0, 600_000), "limit": (1, 1_000_000), "period": (1, 86_400), "search_lag_s": (0, 86_400)}
    limits |= {"groups_lag_s": (0, 86_400), "webhook_copies": (1, 5), "webhook_disorder_s": (0, 3600), "deep_limit": (0, 1_000_000)}
    limits |= {"deep_offset": (0, 1_000_000)}
    changed: dict[str, object] = {name: int(number(sent, name, 0, least, most)) for name, (least, most) in limits.items() if name in sent}
    if "refresh_ends_old_access" in sent:
        changed["refresh_ends_old_access"] = bool(sent["refresh_ends_old_access"])
    if "default_version" in sent:
        changed["default_version"] = read_version(sent["default_version"])
    seconds = number(sent, "advance_s", 0, 0, 10 * 365 * 86_400)
    the().change_settings(changed)
    the().advance(seconds)
    return settings()


@pages.get("/log")
def log() -> Response:
    since = request.args.get("since", "0")
    if not (since.isascii() and since.isdigit() and len(since) < 18):
        raise Mistaken("since: the number of the last entry you have seen, for example ?since=0", 400)
    return plain_json(the().log.since(int(since)))


@pages.post("/merge")
def merge() -> Response:
    sent = values("keep", "remove")
    with the().store.transaction():
        kept, removed = person(the().store, sent.get("keep")), person(the().store, sent.get("remove"))
        if kept.id == removed.id or kept.organization != removed.organization:
            raise Mistaken("keep and remove: two different people of one organization")
        with by_hand(kept.organization) as desk:
            merger = merging.merge(desk, kept, removed)
        return plain_json({"id": str(merger.id), "person_to_keep_id": str(kept.id), "person_to_remove_id": str(removed.id)}, 201)


@pages.patch("/people/<remote_id>")
def edit_person(remote_id: str) -> Response:
    sent = values(*(name for name, one in FACTS["Person"].attributes.items() if one.assignable))
    with the().store.transaction():
        row = person(the().store, remote_id)
        with by_hand(row.organization) as desk:
            rules.assign(desk, FACTS["Person"], row, Body(sent, {}))
            rules.keep(desk, row)
        return plain_json(told_person(the().store, row))


@pages.delete("/people/<remote_id>")
def delete_person(remote_id: str) -> Response:
    with the().store.transaction():
        row = person(the().store, remote_id)
        with by_hand(row.organization) as desk:
            rules.remove(desk, row)
    return Response(status=204)


@pages.post("/permission")
def change_permission() -> Response:
    sent = values("person", "permission", "product")
    wanted = "none" if sent.get("permission") is None else sent["permission"]
    changed = permission_attributes(sent.get("product", "people"), wanted)
    with the().store.transaction():
        row = person(the().store, sent.get("person"))
        row.attributes |= changed
        with by_hand(row.organization) as desk:
            desk.save(row)
        return plain_json(told_person(the().store, row))


def permission_attributes(product: object, wanted: object) -> dict[str, object]:
    """What a permission is on the row of a person."""
    if not isinstance(product, str) or product not in ("people", *ELSEWHERE):
        raise Mistaken(f"product: one of people, {', '.join(ELSEWHERE)}")
    levels = tuple(PERMISSIONS) if product == "people" else ELSEWHERE[product]
    if not isinstance(wanted, str) or wanted not in levels:
        raise Mistaken(f"permission: one of {', '.join(levels)}")
    if product == "people":
        return dict(zip(("people_permissions", "site_administrator"), PERMISSIONS[wanted], strict=True))
    return {f"{product}_permission": None if wanted == "none" else wanted}


@pages.post("/confirm")
def confirm() -> Response:
    sent = values("form_submission")
    with the().store.transaction():
        found = anywhere("FormSubmission", sent.get("form_submission"))
        with by_hand(found.organization) as desk:
            forms.confirm(desk, found)
        return plain_json({"id": str(found.id), "verified": found["verified"]})


@pages.post("/form_field")
def change_form_field() -> Response:
    sent = values("form_field", "required")
    with the().store.transaction():
        found = anywhere("FormField", sent.get("form_field"))
        found.attributes["required"] = bool(sent.get("required"))
        with by_hand(found.organization) as desk:
            desk.save(found)
        return plain_json({"id": str(found.id), "required": found["required"]})


def anywhere(kind: str, remote_id: object) -> Row:
    """A row of either church."""
    text = str(remote_id)
    found = the().store.anywhere(kind, int(text)) if text.isascii() and text.isdigit() and len(text) < 18 else None
    if found is None:
        raise Mistaken(f"there is no {kind} {text[:40]}", 404)
    return found


@pages.get("/mails")
def mails() -> Response:
    with the().store.transaction():
        found = the().store.find([Condition("record.kind = 'Mail'")], "record.id desc", 1000)
    told = [{"organization": str(row.organization), "person": str(row.person), "at": row.created_at} | row.attributes for row in found]
    return plain_json(told)


@pages.post("/clients")
def register_client() -> Response:
    sent = values("client_id", "client_secret", "redirect_uris")
    uris = sent.get("redirect_uris", [])
    texts = [sent.get("client_id"), sent.get("client_secret"), *(uris if isinstance(uris, list) else [None])]
    if not all(isinstance(text, str) and text for text in texts):
        raise Mistaken("client_id and client_secret: text that is not empty; redirect_uris: a list of addresses")
    with the().store.transaction():
        the().register_client(sent["client_id"], sent["client_secret"], uris)
    return plain_json({"client_id": sent["client_id"]}, 201)


# Reading what was sent


def read() -> Any:
    text = request.get_data()
    try:
        sent = json.loads(text) if text.strip() else {}
        json.dumps(sent, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Mistaken("the body must be JSON", 400) from None
    return sent


def values(*known: str) -> dict[str, Any]:
    sent = read()
    if not isinstance(sent, dict):
        raise Mistaken("the body must be a JSON object", 400)
    if unknown := sorted(set(sent) - set(known)):
        raise Mistaken(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    return sent


def number(sent: dict[str, Any], name: str, otherwise: float, least: float, most: float) -> float:
    found = sent.get(name, otherwise)
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
        raise Mistaken(f"{name}: a number from {least} to {most}")
    return found


def read_version(sent: Any) -> str:
    if sent == "" or (isinstance(sent, str) and PEOPLE.processed_as(sent)):
        return str(sent)
    raise Mistaken("default_version: a date such as 2025-11-10, LATEST, or nothing for the oldest")


def read_fault(sent: Any) -> Fault:
    if not isinstance(sent, dict) or not {"kind"} <= set(sent) <= {one.name for one in fields(Fault)}:
        raise Mistaken("a fault is an object with kind, and as you like method, path, times, after, seconds")
    if sent["kind"] not in KINDS:
        raise Mistaken(f"kind: one of {', '.join(KINDS)}")
    if not all(isinstance(sent.get(name, "*"), str) for name in ("method", "path")):
        raise Mistaken("method and path: text")
    counts = {"times": int(number(sent, "times", 1, 1, 1_000_000)), "after": int(number(sent, "after", 0, 0, 1_000_000))}
    seconds = None if sent.get("seconds") is None else number(sent, "seconds", 0, 0, 86_400)
    return Fault(sent["kind"], sent.get("method", "*").upper(), sent.get("path", "*"), **counts, seconds=seconds)


def person(store: Store, remote_id: object) -> Row:
    text = str(remote_id)
    found = store.anywhere("Person", int(text)) if text.isascii() and text.isdigit() and len(text) < 18 else None
    if found is None:
        raise Mistaken(f"there is no person {text[:40]}", 404)
    return found


@contextmanager
def by_hand(organization: int) -> Iterator[Desk]:
    """Changes made by hand are made by the church's first administrator, and webhooks tell of them as of any other."""
    owner = the().store.all("Person", organization)[0]
    caller = Caller(owner, organization, frozenset(), "by hand")
    desk = Desk(the().store, caller, the().moments.seconds(), PEOPLE.versions[-1])
    yield desk
    webhooks.publish(the(), desk, request.host_url.rstrip("/"))


# Telling what is there


def all_organizations(simulator: Simulator, *, people: bool, only: str | None = None) -> list[dict[str, Any]]:
    with simulator.store.transaction():
        found = list(enumerate(simulator.store.organizations()))
        return [told_organization(simulator, place, one, people) for place, one in found if only in (None, str(one.id))]


def told_organization(simulator: Simulator, place: int, organization: Row, people: bool) -> dict[str, Any]:
    app_id, secret = personal_access_token(simulator.store.kept("seed", 1), place)
    told = {"id": str(organization.id), "name": organization["name"], "personal_access_token": {"app_id": app_id, "secret": secret}}
    return told | {"people": Telling(simulator.store, organization.id).everyone()} if people else told


def told_person(store: Store, row: Row) -> dict[str, Any]:
    return Telling(store, row.organization, only=row.id).one(store.get("Person", row.organization, row.id) or row)


class Telling:
    """People with all that stands below them, read kind by kind: a large church is told in a few queries. `only` one person."""

    def __init__(self, store: Store, organization: int, only: int | None = None) -> None:
        self.store, self.organization, self.only = store, organization, only
        self.below = {
            kind: self._by_person(kind)
            for kind in ("Email", "PhoneNumber", "Address", "FieldDatum", "HouseholdMembership", "Note", "WorkflowCard")
        }
        self._names: dict[int, str | None] = {}

    def _name(self, number: int | None) -> str | None:
        if number and number not in self._names:
            found = self.store.execute("select json_extract(attributes, '$.name') from record where id = ?", (number,))
            self._names[number] = found[0][0] if found else None
        return self._names.get(number or 0)

    def _by_person(self, kind: str) -> dict[int, list[Row]]:
        found: dict[int, list[Row]] = {}
        for row in self.store.of_person(kind, self.only) if self.only else self.store.all(kind, self.organization):
            found.setdefault(row.person or 0, []).append(row)
        return found

    def everyone(self) -> list[dict[str, Any]]:
        return [self.one(row) for row in self.store.all("Person", self.organization)]

    def one(self, row: Row) -> dict[str, Any]:
        names = ("first_name", "last_name", "nickname", "given_name", "membership", "status", "remote_id", "birthdate", "gender")
        told: dict[str, Any] = {"id": str(row.id)} | {name: row[name] for name in names}
        campus = row.relations.get("primary_campus")
        permission = "site_administrator" if row["site_administrator"] else row["people_permissions"]
        return told | {
            "child": bool(row["child"]),
            "primary_campus_id": str(campus) if campus else None,
            "permission": permission,
            "can_sign_in": "account" in row.relations,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "emails": self._some(row, "Email", "address", "location", "primary"),
            "phone_numbers": self._some(row, "PhoneNumber", "number", "e164", "location", "primary"),
            "addresses": self._some(
                row, "Address", "street_line_1", "street_line_2", "city", "state", "zip", "country_code", "location", "primary"
            ),
            "field_data": self._some(row, "FieldDatum", "value"),
            "households": self._some(row, "HouseholdMembership", "household_role"),
            "notes": self._some(row, "Note", "note"),
            "workflow_cards": self._some(row, "WorkflowCard", "stage"),
        }

    def _some(self, person: Row, kind: str, *names: str) -> list[dict[str, Any]]:
        """Each with its own id, and with the id and the name of what it stands below."""
        rows = self.below[kind].get(person.id, [])
        return [{"id": str(row.id)} | {name: row[name] for name in names} | self._parent(row) for row in rows]

    def _parent(self, row: Row) -> dict[str, Any]:
        return {f"{PARENTS[row.kind]}_id": str(row.parent), "name": self._name(row.parent)} if row.kind in PARENTS else {}
