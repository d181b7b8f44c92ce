"""Read and write any resource of the catalogue, once per call: no retries, and no doubt left unsaid."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from connectcard.planning_center import documents, paging, queries
from connectcard.planning_center.auth import Auth
from connectcard.planning_center.budget import Budget, read_rate
from connectcard.planning_center.documents import Malformed, Page, Record, Related
from connectcard.planning_center.errors import Gone, NotDeclared, PlanningCenterError, RateLimited, RefreshNeeded, Refused, Unavailable
from connectcard.planning_center.refusals import merged, other_version, refusal, still_refused, unknown
from connectcard.planning_center.resources import people
from connectcard.planning_center.resources._core import ParentId, Resource
from connectcard.planning_center.transport import Answer, Lost, Request, Timeouts, Transport

T = TypeVar("T")


class Client:
    """One church's Planning Center. May be shared by threads.

    `budget` paces; `before_send` is called right before each request and may raise to stop it. Everything a method raises is of
    the family in `errors`, `before_send`'s own errors aside. Nothing is sent, and no answer awaited, later than `timeouts.total`
    seconds after a call began, whatever it waited for before.
    """

    def __init__(
        self,
        auth: Auth,
        *,
        base_url: str,
        user_agent: str,
        budget: Budget | None = None,
        before_send: Callable[[], None] | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
    ) -> None:
        self._auth = auth
        self._budget = budget
        self._before_send = before_send
        self._timeouts = timeouts
        self._transport = Transport(base_url, user_agent, timeouts)

    def list(
        self,
        resource: Resource,
        *,
        parent_id: ParentId = None,
        where: queries.Where | None = None,
        order: str | None = None,
        include: Sequence[str] = (),
        filter: queries.Filter | None = None,
        fields: Sequence[str] = (),
        per_page: int = queries.MOST_PER_PAGE,
        offset: int = 0,
    ) -> Page:
        """One page of a list. `fields` narrows the attributes of its records, and brings those that come on request only."""
        asked = queries.query(resource, where=where, order=order, include=include, filter_=filter, fields=fields)
        return self._page(resource, parent_id, asked, per_page, offset)

    def iterate(
        self,
        resource: Resource,
        *,
        parent_id: ParentId = None,
        where: queries.Where | None = None,
        order: str | None = None,
        include: Sequence[str] = (),
        filter: queries.Filter | None = None,
        fields: Sequence[str] = (),
        per_page: int = queries.MOST_PER_PAGE,
    ) -> Iterator[Record]:
        """Every record of a list once, although it changes meanwhile; what `paging` says holds. Pages ahead are read in threads.

        Without an `order` the oldest come first where the list can be ordered so.
        """
        return paging.every_record(self._listing(resource, parent_id, where, order, include, filter, fields, per_page))

    def steps(
        self,
        resource: Resource,
        position: paging.Position | None = None,
        *,
        parent_id: ParentId = None,
        where: queries.Where | None = None,
        order: str | None = None,
        include: Sequence[str] = (),
        fields: Sequence[str] = (),
        per_page: int = queries.MOST_PER_PAGE,
    ) -> Generator[paging.Step, None, None]:
        """The pages of one sweep through a list, each with where the sweep goes on: whoever keeps that can go on after being stopped.

        The question must be the same as before. Neighbouring pages share a record; whether all were seen is for the caller to count.
        """
        listing = self._listing(resource, parent_id, where, order, include, None, fields, per_page)
        return paging.steps_from(listing, position or paging.Position())

    def _listing(
        self,
        resource: Resource,
        parent_id: ParentId,
        where: queries.Where | None,
        order: str | None,
        include: Sequence[str],
        filter_: queries.Filter | None,
        fields: Sequence[str],
        per_page: int,
    ) -> "_Listing":
        key = queries.key_of(resource, where, order)
        order = key or order or queries.steady_order(resource)
        fields = [*fields, key] if fields and key and key not in fields else fields

        def asked(since: str | None) -> Sequence[tuple[str, str]]:
            narrowed = where if since is None or key is None else queries.since(where, key, since)
            return queries.query(resource, where=narrowed, order=order, include=include, filter_=filter_, fields=fields)

        queries.check_verb(resource, "list")
        queries.check_linked(per_page)
        asked(None)
        steady = order in (None, "created_at", "-created_at")
        return _Listing(self, resource, parent_id, key, steady, asked, per_page)

    def get(
        self,
        resource: Resource,
        remote_id: str | None = None,
        *,
        parent_id: ParentId = None,
        include: Sequence[str] = (),
        fields: Sequence[str] = (),
    ) -> Record:
        """One record; a singleton (ME, ORGANIZATION) has no id.

        Raises Gone where it is not there any more; of a person of People it is Merged where there is one to go on with (one more look).
        """
        queries.check_verb(resource, "get")
        asked = queries.query(resource, include=include, fields=fields)
        request = self._request("GET", resource, _address(resource.member_path, remote_id, parent_id), asked)
        wanted = None if resource.singleton else remote_id
        try:
            return self._send(request, lambda answer: _of_id(documents.read_record(answer.body), wanted))
        except Gone as gone:
            if resource is people.PERSON and wanted and (kept_id := self._kept_instead_of(wanted)):
                raise merged(gone, kept_id) from gone
            raise

    def create(
        self,
        resource: Resource,
        attributes: Mapping[str, Any],
        *,
        parent_id: ParentId = None,
        relationships: Mapping[str, Related] | None = None,
        included: Sequence[tuple[Resource, Mapping[str, Any]]] = (),
    ) -> Record:
        """Create one record and return it. Planning Center has no idempotency keys: after OutcomeUnknown look before sending again.

        `included` are parts that are made together with it: the values of a form submission.
        """
        queries.check_verb(resource, "create")
        queries.check_body(resource, attributes, relationships or {}, new=True)
        for part, values in included:
            queries.check_included(resource, part, values)
        parts = [(part.type, values) for part, values in included]
        body = documents.write_document(resource.type, attributes, relationships, included=parts)
        request = self._request("POST", resource, _address(resource.collection_path, parent_id), body=body)
        return self._send(request, lambda answer: documents.read_record(answer.body))

    def update(
        self,
        resource: Resource,
        remote_id: str,
        attributes: Mapping[str, Any],
        relationships: Mapping[str, Related] | None = None,
        *,
        parent_id: ParentId = None,
    ) -> Record:
        """Change only what is given, and return the record as it is now."""
        queries.check_verb(resource, "update")
        queries.check_body(resource, attributes, relationships or {}, new=False)
        body = documents.write_document(resource.type, attributes, relationships, remote_id)
        request = self._request("PATCH", resource, _address(resource.member_path, remote_id, parent_id), body=body)
        return self._send(request, lambda answer: _of_id(documents.read_record(answer.body), remote_id))

    def delete(self, resource: Resource, remote_id: str, *, parent_id: ParentId = None) -> None:
        """Delete one record. Raises Gone when it is not there any more."""
        queries.check_verb(resource, "delete")
        self._send(self._request("DELETE", resource, _address(resource.member_path, remote_id, parent_id)), _nothing)

    def act(
        self,
        resource: Resource,
        remote_id: str,
        action: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        parent_id: ParentId = None,
    ) -> None:
        """Do one of the resource's actions, such as `promote` on a person's workflow card."""
        queries.check_action(resource, action, attributes or {})
        body = documents.write_action(attributes) if attributes else None
        path = f"{_address(resource.member_path, remote_id, parent_id)}/{action}"
        self._send(self._request("POST", resource, path, body=body), _nothing)

    def _kept_instead_of(self, remote_id: str) -> str | None:
        """The person into whom this one was merged; None where there is none, or where we may not look."""
        try:
            mergers = self.list(people.PERSON_MERGER, where={"person_to_remove_id": remote_id}).records
        except Refused:
            return None
        kept = [merger["person_to_keep_id"] for merger in mergers if str(merger["person_to_remove_id"]) == remote_id]
        return str(kept[-1]) if kept else None

    def _page(
        self, resource: Resource, parent_id: ParentId, asked: Sequence[tuple[str, str]], per_page: int, offset: int, *, aside: bool = False
    ) -> Page:
        queries.check_verb(resource, "list")
        address = _address(resource.collection_path, parent_id)
        request = self._request("GET", resource, address, [*asked, *queries.paging(per_page, offset)])
        return self._send(request, lambda answer: documents.read_page(answer.body, offset), aside=aside)

    def _request(
        self, method: str, resource: Resource, path: str, query: Sequence[tuple[str, str]] = (), body: bytes | None = None
    ) -> Request:
        headers = {"X-PCO-API-Version": resource.version}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return Request(method, path, query, headers, body)

    def _send(self, request: Request, read: Callable[[Answer], T], *, aside: bool = False) -> T:
        """Send and read the answer; `aside`: in a thread of ours, while `before_send` is the business of whoever waits for it."""
        deadline = monotonic() + self._timeouts.total
        authorization = self._auth.authorization()
        try:
            answer = self._once(request, authorization, deadline, aside=aside)
        except RefreshNeeded:
            answer = self._with_renewed_sign_in(request, authorization, deadline, aside=aside)
        try:
            return read(answer)
        except Malformed as error:
            text = f"{request}: Planning Center's answer could not be read ({error})"
            raise unknown(request, text, status=answer.status, request_id=answer.request_id) from error

    def _with_renewed_sign_in(self, request: Request, refused: str, deadline: float, *, aside: bool) -> Answer:
        authorization = self._auth.renewed(refused)
        try:
            return self._once(request, authorization, deadline, aside=aside)
        except RefreshNeeded as error:
            raise still_refused(error) from error

    def _once(self, request: Request, authorization: str, deadline: float, *, aside: bool) -> Answer:
        if self._budget is not None:
            self._budget.wait(deadline - monotonic())
        if not aside:
            self.before_waiting()
        signed = Request(request.method, request.path, request.query, {**request.headers, "Authorization": authorization}, request.body)
        try:
            answer = self._transport.send(signed, deadline)
        except Lost as error:
            raise unknown(request, f"{request}: no whole answer came back ({error})") from error
        refused = refusal(request, answer) or other_version(request, answer)
        self._tell_budget(answer, refused)
        if refused is not None:
            raise refused
        return answer

    def before_waiting(self) -> None:
        if self._before_send is not None:
            self._before_send()

    def _tell_budget(self, answer: Answer, error: PlanningCenterError | None) -> None:
        if self._budget is None:
            return
        rate = read_rate(answer.headers)
        if rate is not None:
            self._budget.learn(rate)
        if isinstance(error, RateLimited) or (isinstance(error, Unavailable) and error.retry_after is not None):
            self._budget.block(error.retry_after)


@dataclass(frozen=True)
class _Listing:
    """A list as `paging` reads it."""

    client: Client
    resource: Resource
    parent_id: ParentId
    key: str | None
    steady: bool
    asked: Callable[[str | None], Sequence[tuple[str, str]]]
    per_page: int

    @property
    def name(self) -> str:
        return f"GET {self.resource.collection_path(self.parent_id)}"

    def page(self, since: str | None, offset: int) -> Page:
        return self._page(since, offset, self.per_page)

    def page_aside(self, since: str | None, offset: int) -> Page:
        return self._page(since, offset, self.per_page, aside=True)

    def waiting(self) -> None:
        self.client.before_waiting()

    def count(self) -> int | None:
        return self._page(None, 0, 1).total_count

    def _page(self, since: str | None, offset: int, per_page: int, *, aside: bool = False) -> Page:
        return self.client._page(self.resource, self.parent_id, self.asked(since), per_page, offset, aside=aside)


def _address(path: Callable[..., str], *ids: ParentId) -> str:
    try:
        return path(*ids)
    except ValueError as error:
        raise NotDeclared(str(error)) from error


def _of_id(record: Record, remote_id: str | None) -> Record:
    if remote_id is not None and record.id != remote_id:
        raise Malformed("the answer is about another record")
    return record


def _nothing(_answer: Answer) -> None:
    """An answer without anything to read."""
