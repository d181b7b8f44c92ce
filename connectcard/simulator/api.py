"""Planning Center's API: addresses to rows, rows to documents."""

import json
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, request

from connectcard.planning_center.resources import Resource
from connectcard.simulator import follow_up, forms, people_rules, questions, rules, webhooks
from connectcard.simulator.answers import (
    STANDING_HEADERS,
    Refusal,
    access_denied,
    bad_request,
    bad_version,
    document,
    no_content,
    no_such_address,
    not_found,
    not_routed,
    outside_scope,
    rate_limited,
    unauthorized,
)
from connectcard.simulator.behaviour import ACTIONS
from connectcard.simulator.callers import Caller, end_family, find_credential, recognise
from connectcard.simulator.catalogue import PEOPLE, PRODUCTS, Product, kind_of
from connectcard.simulator.documents import Document, Writer, parent_of
from connectcard.simulator.edges import Edge
from connectcard.simulator.filters import arrived, filters, visible
from connectcard.simulator.limits import Counted, limit_for
from connectcard.simulator.moments import stamp
from connectcard.simulator.rules import Body, Desk
from connectcard.simulator.search import Search
from connectcard.simulator.state import Simulator, the
from connectcard.simulator.store import Condition, Row

ALSO_KNOWN_AS = {"check_ins": "check-ins"}
ELSEWHERE = ("services", "giving", "registrations", "publishing", "groups", "calendar", "check-ins", "webhooks", "current", "api")
METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]
HINTS = {
    "no_access": "TRASH_PANDA",
    "lacks_scope": "PELICAN",
    "person_left": "FLAMINGO",
    "church_left": "LEMMING",
    "unknown_client": "CHINCHILLA",
}
ROUTED = ("GET", "HEAD", "POST", "PATCH", "DELETE")

pages = Blueprint("api", __name__)


@pages.route("/<product>/v2", defaults={"rest": ""}, methods=METHODS, strict_slashes=False)
@pages.route("/<product>/v2/<path:rest>", methods=METHODS)
def answer(product: str, rest: str) -> Response:
    """Every request to the API. What it changes is kept only if the answer is not an error."""
    if request.method == "OPTIONS":
        return with_standing_headers(no_content())
    product = ALSO_KNOWN_AS.get(product, product)
    if request.method not in ROUTED or not (product in PRODUCTS or product in ELSEWHERE):
        return not_routed().response()
    visit = Visit(the(), product, [part for part in rest.split("/") if part])
    return visit.answer()


class Visit:
    """One request to the API, from the credentials to the answer."""

    def __init__(self, simulator: Simulator, product: str, parts: list[str]) -> None:
        self.simulator, self.store = simulator, simulator.store
        self.slug, self.product, self.parts = product, PRODUCTS.get(product), parts
        self.seconds = simulator.moments.seconds()
        self.started = time.perf_counter()
        self.caller: Caller | None = None
        self.counted: Counted | None = None
        self.version = (self.product or PEOPLE).versions[0]

    def answer(self) -> Response:
        self._suffer_the_fault()
        try:
            with self.store.transaction():
                response = self._answer()
            request.environ["simulator.noted"]["applied"] = request.method not in ("GET", "HEAD")
        except Refusal as refusal:
            if not refusal.routed:
                return self._from_the_gateway(refusal)
            response = refusal.response()
        return self._with_headers(response)

    def _from_the_gateway(self, refusal: Refusal) -> Response:
        response = refusal.response()
        if refusal.page is None:
            response.headers.update(self._count_stranger().headers() | {"X-PCO-API-Request-Rate-Period": self._period_in_words})
        return with_standing_headers(response)

    @property
    def _period_in_words(self) -> str:
        return f"{self.simulator.settings.period} seconds"

    def _answer(self) -> Response:
        caller = self._recognise()
        self._count(caller)
        caller.must_reach(self.product.scope if self.product else self.slug)
        if self.product is None:
            raise no_such_address()
        self.version = self._version(self.product)
        door = Door(self.simulator, caller, self.product.at(self.version), self.version, self.seconds, self.parts)
        response = door.answer()
        webhooks.publish(self.simulator, door.desk, door.writer.origin)
        return response

    def _recognise(self) -> Caller:
        self.caller = recognise(self.store, request.authorization, self.seconds)
        request.environ["simulator.noted"]["organization"] = str(self.caller.organization)
        if hint := HINTS.get(self._fault):
            raise unauthorized(hint)
        if self._fault == "outside_scope":
            raise outside_scope(self.slug)
        if self._fault in ("expired_token", "revoked_token"):
            raise access_denied()
        return self.caller

    def _version(self, product: Product) -> str:
        asked = request.headers.get("X-PCO-API-Version") or self.simulator.settings.default_version
        version = product.processed_as(asked)
        if version is None:
            raise bad_version(str(asked))
        return version

    def _count(self, caller: Caller) -> None:
        settings = self.simulator.settings
        limit = limit_for(questions.paging(request.args).offset, settings.limit, settings.deep_limit, settings.deep_offset)
        self.counted = self.simulator.windows.count(caller.key, self.seconds, limit, settings.period)
        if self._fault in ("rate_limited", "limited_silent"):
            raise self._limited_as_told(self.counted)
        if refusal := self.counted.refusal():
            raise refusal

    @property
    def _fault(self) -> str:
        fault = request.environ.get("simulator.fault")
        return fault.kind if fault else ""

    def _limited_as_told(self, counted: Counted) -> Refusal:
        seconds = request.environ["simulator.fault"].seconds
        if self._fault == "limited_silent":
            return replace(counted.exceeded(), headers={})
        if seconds is None:
            return counted.exceeded()
        return rate_limited(counted.limit + 1, counted.limit, counted.period, round(seconds))

    def _suffer_the_fault(self) -> None:
        """A token that is told to be dead is dead from now on, for later requests as well."""
        authorization = request.authorization
        if self._fault not in ("expired_token", "revoked_token") or authorization is None or authorization.type != "bearer":
            return
        with self.store.transaction():
            credential = find_credential(self.store, authorization.token or "", "access")
            if credential and self._fault == "revoked_token":
                end_family(self.store, credential.family, self.seconds)
            elif credential:
                self.store.execute("update credential set expires_at = ? where secret = ?", (self.seconds, credential.secret))

    def _with_headers(self, response: Response) -> Response:
        response.headers.update((self.counted or self._count_stranger()).headers())
        if self.caller:
            response.headers["X-PCO-API-Auth-Method"] = self.caller.method
            response.headers["X-PCO-API-Processed-As-Version"] = self.version
            response.headers["X-PCO-API-Processor"] = "ENG_4.8.1"
        response.headers["X-Runtime"] = f"{time.perf_counter() - self.started:.6f}"
        return with_standing_headers(response)

    def _count_stranger(self) -> Counted:
        """Whoever is not recognised is counted by address."""
        settings = self.simulator.settings
        return self.simulator.windows.count(f"address {request.remote_addr}", self.seconds, settings.limit, settings.period)


def with_standing_headers(response: Response) -> Response:
    for name, value in STANDING_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache")
    response.headers["X-Request-Id"] = str(uuid4())
    return response


class Door:
    """One product, as one caller finds it."""

    def __init__(self, simulator: Simulator, caller: Caller, product: Product, version: str, seconds: float, parts: list[str]) -> None:
        self.simulator, self.store, self.caller, self.product = simulator, simulator.store, caller, product
        self.desk = Desk(simulator.store, caller, seconds, version, replication_lag=simulator.settings.groups_lag_s)
        self.parts = [
            str(caller.person.id) if place == 1 and part == "me" and parts[0] == "people" else part for place, part in enumerate(parts)
        ]
        origin = request.host_url.rstrip("/")
        self.writer = Writer(simulator.store, origin, product, version, caller, request.args)

    def answer(self) -> Response:
        if not self.parts:
            return self._organization()
        if self.parts[0] == "me" and "Person" in self.product.facts:
            return self._me()
        resource = self.product.top.get(self.parts[0])
        if resource is None:
            raise no_such_address()
        return self._below(resource, None, self.parts[1:], f"{self._base}/{self.parts[0]}")

    @property
    def _base(self) -> str:
        return f"/{self.product.slug}/v2"

    def _organization(self) -> Response:
        self._only_reading()
        row = self._row(self.product.facts["Organization"], str(self.caller.organization))
        return document(self.writer.single(self.product.facts["Organization"], row))

    def _me(self) -> Response:
        """The caller. Unlike every other single answer this one has no `meta.parent`."""
        if len(self.parts) > 1:
            return self._below(self.product.facts["Person"], None, [str(self.caller.person.id), *self.parts[1:]], f"{self._base}/people")
        self._only_reading()
        return document(
            self.writer.single(self.product.facts["Person"], self._row(self.product.facts["Person"], str(self.caller.person.id)))
        )

    def _only_reading(self) -> None:
        if request.method not in ("GET", "HEAD"):
            raise not_routed()

    def _below(self, resource: Resource, parent: Row | None, rest: list[str], path: str) -> Response:
        """Walk down the address: a collection, one of it, what stands below that one."""
        if not rest:
            return self._collection(resource, parent, path)
        row = self._row(resource, rest[0])
        if parent and not self.store.count([Condition("record.id = ?", (row.id,)), self._beneath(resource, parent)]):
            raise not_found()
        if len(rest) == 1:
            return self._member(resource, row, parent)
        if len(rest) == 2 and rest[1] in resource.actions:
            return self._action(resource, row, rest[1])
        return self._edge(resource, row, rest[1:], f"{path}/{row.id}")

    def _edge(self, resource: Resource, row: Row, rest: list[str], path: str) -> Response:
        name = rest[0]
        below = self.product.below.get((row.kind, name))
        edge = self.product.edges(row.kind).get(name)
        if edge is None:
            raise no_such_address()
        if below and edge.many:
            return self._below(below, row, rest[1:], f"{path}/{name}")
        return self._read_edge(row, edge, rest, path)

    def _read_edge(self, row: Row, edge: Edge, rest: list[str], path: str) -> Response:
        """What can be read below a thing without having an address of its own there."""
        found = self.writer.edge(row, rest[0])
        if edge.many and len(rest) == 1:
            self._only_reading()
            return self._list_found(self.product.facts.get(edge.kind) or EMPTY, row, found, f"{path}/{rest[0]}")
        if edge.many or not found:
            raise not_found()
        resource = self.product.facts[edge.kind]
        if len(rest) > 1:
            return self._edge(resource, found[0], rest[1:], f"{path}/{rest[0]}")
        self._only_reading()
        return document(self.writer.single(resource, found[0], parent=self._organization_parent()))

    def _row(self, resource: Resource, number: str) -> Row:
        row = find_by_word(self.desk, kind_of(resource), number)
        if row is None or not self._is_visible(row):
            raise not_found()
        return row

    def _is_visible(self, row: Row) -> bool:
        hiding = self._hiding(row.kind)
        return not hiding or bool(self.store.count([Condition("record.id = ?", (row.id,)), *hiding]))

    def _hiding(self, kind: str) -> list[Condition]:
        before = stamp(self.desk.seconds - self.desk.replication_lag)
        return [*visible(self.product.scope, kind, self.caller), *arrived(self.product.scope, kind, before)]

    def _organization_parent(self) -> Document:
        return {"id": str(self.caller.organization), "type": "Organization"}

    def _parent(self, row: Row | None) -> Document:
        return parent_of(row) if row else self._organization_parent()

    # Reading

    def _collection(self, resource: Resource, parent: Row | None, path: str) -> Response:
        if request.method == "POST" and "create" in resource.verbs:
            return self._create(resource, parent)
        if request.method == "POST":
            self._must_be_possible("create", resource)
        if request.method not in ("GET", "HEAD") or "list" not in resource.verbs:
            raise not_routed()
        return self._list(resource, parent, path)

    def _list(self, resource: Resource, parent: Row | None, path: str) -> Response:
        self.caller.must_read(kind_of(resource), self.desk.version, "collection")
        if resource.type == "WorkflowCard":
            follow_up.wake_cards(self.desk)
        if resource.type == "FormSubmission":
            forms.must_read_submissions(self.caller, self.desk.version)
        asked = [
            *questions.conditions(resource, request.args),
            *filters(resource, request.args, self.caller, self.desk.now),
            *self._hiding(kind_of(resource)),
        ]
        conditions = [Condition("record.kind = ?", (kind_of(resource),)), Condition("record.organization = ?", (self.caller.organization,))]
        conditions += [self._beneath(resource, parent)] if parent else []
        page = questions.paging(request.args)
        found = self._searched(resource)
        if found is None:
            rows = self.store.find([*conditions, *asked], questions.order(resource, request.args), page.per_page, page.offset)
            total = self.store.count([*conditions, *asked])
        else:
            order = questions.order(resource, request.args, otherwise="found.key")
            rows = self.store.ranked(found, [*conditions, *asked], order, page.per_page, page.offset)
            total = self.store.count_ranked(found, [*conditions, *asked])
        return document(self.writer.listing(resource, path, rows, total, self._parent(parent)))

    def _beneath(self, resource: Resource, parent: Row) -> Condition:
        """The rows that stand below this one, at the address that the catalogue has for them there."""
        edge = self.product.edges(parent.kind)[resource.path]
        tables, key = edge.source()
        if tables == "record":
            return Condition(f"{key} = ?", (parent.id,))
        return Condition(f"record.id in (select record.id from {tables} where {key} = ?)", (parent.id,))  # noqa: S608

    def _list_found(self, resource: Resource, parent: Row, found: list[Row], path: str) -> Response:
        page = questions.paging(request.args)
        rows = found[page.offset : page.offset + page.per_page]
        return document(self.writer.listing(resource, path, rows, len(found), self._parent(parent)))

    def _searched(self, resource: Resource) -> list[int] | None:
        """The people that every search asked for finds, in the order of the first; None when nothing is searched for."""
        search = Search(self.store, self.caller.organization, self.desk.seconds - self.simulator.settings.search_lag_s)
        results = [search.find(name, value) for name, value in questions.searches(resource, request.args)]
        if not results:
            return None
        return [number for number in results[0] if all(number in other for other in map(set, results[1:]))]

    def _member(self, resource: Resource, row: Row, above: Row | None) -> Response:
        if request.method in ("GET", "HEAD"):
            self.caller.must_read(row.kind, self.desk.version, "")
            return document(self.writer.single(resource, row, parent=self._parent(above)))
        if request.method == "PATCH" and "update" in resource.verbs:
            return self._update(resource, row, above)
        if request.method == "DELETE" and "delete" in resource.verbs:
            return self._delete(resource, row)
        if request.method == "DELETE":
            self._must_be_possible("destroy", resource)
        raise not_routed()

    def _must_be_possible(self, verb: str, resource: Resource) -> None:
        """What Groups does not do over the API nobody may do: it says so of the person."""
        if resource.product == "groups":
            raise self.caller.cannot(verb, resource.type)

    # Writing

    def _create(self, resource: Resource, parent: Row | None) -> Response:
        self.caller.must_write("create", self.product.scope, resource.type)
        sent = read_json()
        row = forms.fill_in(self.desk, parent, sent) if parent and resource.type == "FormSubmission" else self._made(resource, parent, sent)
        created = self.writer.single(resource, row, parent=self._parent(parent))
        if resource.type == "Household":
            created["data"]["attributes"]["member_count"] = None  # as recorded: the number is there at the next read
        return document(created, 201)

    def _made(self, resource: Resource, parent: Row | None, sent: Any) -> Row:
        body = Body.read(sent)
        row = Row(kind_of(resource), self.caller.organization)
        if parent:
            place_below(row, parent, self.product.edges(parent.kind)[resource.path])
        rules.assign(self.desk, resource, row, body)
        self._must_have_a_place(resource, row)
        if resource.type == "Household":
            people_rules.found_household(self.desk, row, body)
        else:
            rules.keep(self.desk, row)
        return row

    def _must_have_a_place(self, resource: Resource, row: Row) -> None:
        """Contact details and the like are made below a person: their own lists are for reading."""
        if resource.parent and resource.parent.type == "Person" and row.person is None:
            raise not_routed()
        if resource.parent and resource.parent.type == "Tab" and row.parent is None:
            raise not_routed()

    def _update(self, resource: Resource, row: Row, above: Row | None) -> Response:
        self.caller.must_write("update", self.product.scope, resource.type)
        updated_at = row.updated_at
        body = Body.read(read_json())
        if row.kind == "Person" and "status" in body.attributes and "inactivated_at" not in body.attributes:
            row.attributes["inactivated_at"] = None
        elif row.kind == "Person" and "inactivated_at" in body.attributes and "status" not in body.attributes:
            row.attributes["status"] = "inactive" if body.attributes["inactivated_at"] else "active"
        rules.assign(self.desk, resource, row, body)
        rules.keep(self.desk, row)
        if row.kind == "Person" and set(body.attributes) == {"medical_notes"}:
            row.updated_at = updated_at
            self.store.change(row)
        return document(self.writer.single(resource, row, parent=self._parent(above)))

    def _delete(self, resource: Resource, row: Row) -> Response:
        self.caller.must_write("destroy", self.product.scope, resource.type)
        rules.remove(self.desk, row)
        return no_content()

    def _action(self, resource: Resource, row: Row, action: str) -> Response:
        # A list was run by GET as well (recorded).
        if request.method != "POST" and not (request.method == "GET" and action == "run"):
            raise not_routed()
        self.caller.must_write("update", self.product.scope, resource.type)
        changed = ACTIONS[row.kind, action](self.desk, row, action, told_to(read_json()) if request.get_data() else {})
        if action == "redeliver":
            webhooks.deliver_later(self.simulator, row)
        if changed is None:
            return no_content()
        return document(self.writer.single(resource, changed, parent=self._organization_parent()), 201)


EMPTY = Resource(type="Nothing", product="people", version="", path="nothing")


def find_by_word(desk: Desk, kind: str, word: str) -> Row | None:
    """A row by what stands in the address: a number, or one of the few ids that are words."""
    if word.isascii() and word.isdigit() and len(word) < 18:
        return desk.find(kind, int(word))
    named = Condition("record.kind = ? and record.organization = ? and json_extract(record.attributes, '$.id') = ?")
    found = desk.store.find([Condition(named.sql, (kind, desk.organization, word))], limit=1)
    return found[0] if found else None


def told_to(document: Any) -> dict[str, Any]:
    """What the body of an action tells it; a body that says nothing understandable says nothing."""
    document = document.get("data") if isinstance(document, dict) else None
    attributes = document.get("attributes") if isinstance(document, dict) else None
    return attributes if isinstance(attributes, dict) else {}


def place_below(row: Row, parent: Row, edge: Edge) -> None:
    if edge.by == "person":
        row.person = parent.id
    elif edge.by == "parent":
        row.parent = parent.id
    elif edge.by == "naming":
        row.relations[edge.via] = parent.id


def read_json() -> Any:
    """The body; raises the refusal for what is not JSON (numbers that JSON does not have and half characters included)."""
    try:
        body = json.loads(request.get_data(), parse_constant=refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request("invalid_json") from None
    return body


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
