"""The doors of the pages: who comes in, to which church, in which role. Only here is a church's scope opened for a request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Response, current_app, g, redirect, request, url_for
from sqlalchemy import select
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from connectcard import errors
from connectcard.churches import queries
from connectcard.churches.models import OWNER, STAFF, VIEWER, Church, Member
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.clock import now
from connectcard.database import begins_anew, db
from connectcard.extensions import csrf
from connectcard.sync.webhook_models import WebhookAddress
from connectcard.web.security import NUL, check_origin, check_text
from connectcard.web.sessions import SignedIn, browser_session, poll

__all__ = ["poll", "public_church", "staff_page", "told_church"]

REACH = {VIEWER: 1, STAFF: 2, OWNER: 3}
WHO_MAY = {STAFF: "an Editor in Planning Center People", OWNER: "an owner (a Manager in Planning Center People)"}

TOLD_KEPT_FOR = timedelta(seconds=5)

View = Callable[..., Any]


def staff_page(role: str = VIEWER) -> Callable[[View], View]:
    """Let a view run for a signed-in member with at least this role, inside the church's scope, with `g.member` and `g.church`.

    A view is one unit of work, which begins anew where somebody else stored the same row at that moment.
    """

    def door(view: View) -> View:
        work = begins_anew(view)

        @wraps(view)
        def behind_the_door(*args: Any, **kwargs: Any) -> Any:
            signed_in = browser_session().signed_in
            if signed_in is None:
                return ask_to_sign_in()
            with church_scope(signed_in.church_id):
                return _let_in(signed_in, role, lambda: work(*args, **kwargs))

        behind_the_door.staff_role = role  # type: ignore[attr-defined]
        return behind_the_door

    return door


def _let_in(signed_in: SignedIn, role: str, view: Callable[[], Any]) -> Any:
    member = db.session.scalar(select(Member).where(Member.id == signed_in.member_id))
    if member is None:
        browser_session().end()
        return ask_to_sign_in()
    if _is_asked_by_a_page_of_another_church(signed_in):
        return Response(status=204, headers={"HX-Refresh": "true"})
    g.member, g.church, g.framed = member, queries.get_church(), True
    try:
        _check_form()
        check_role(member, role)
        return view()
    except (HTTPException, errors.ConnectCardError) as error:
        # Answered here, while the church's scope is open, so that the refusal keeps the look of the page.
        return current_app.handle_user_exception(error)
    finally:
        g.framed = False


def _is_asked_by_a_page_of_another_church(signed_in: SignedIn) -> bool:
    """Whether the page was opened before a second church signed in beside it: none of its parts may be shown there."""
    return request.headers.get("X-Church", str(signed_in.church_id)) != str(signed_in.church_id)


def _check_form() -> None:
    check_origin()
    csrf.protect()
    check_text()


def reaches(member: Member, role: str) -> bool:
    """Whether a member's role reaches as far as this one."""
    return REACH[member.role] >= REACH[role]


def check_role(member: Member, role: str) -> None:
    """Refuse a member whose role is smaller than this one."""
    if not reaches(member, role):
        raise errors.NotAllowed(f"This is for {WHO_MAY[role]}.")


def ask_to_sign_in() -> AnyResponse:
    """Send a page to the sign-in and back; a fragment tells the page around it to go there."""
    if request.headers.get("HX-Request") == "true":
        path = urlsplit(request.headers.get("HX-Current-URL", "")).path
        return Response(status=401, headers={"HX-Redirect": url_for("sign_in.page", next=local_path(path))})
    return redirect(url_for("sign_in.page", next=local_path(request.path)))


def local_path(path: str | None) -> str | None:
    """The path when it is one of our own staff pages, and no part of one, else None: nobody is sent anywhere else after the sign-in."""
    try:
        endpoint, _ = current_app.url_map.bind("").match(path or "", method="GET")
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return None
    view = current_app.view_functions[endpoint]
    return path if hasattr(view, "staff_role") and not hasattr(view, "is_poll") else None


@contextmanager
def public_church(slug: str) -> Iterator[Church]:
    """Open the scope of the church whose public page is asked for; raises NotFound."""
    church = queries.find_church_by_slug(slug)
    if church is None:
        raise errors.NotFound("There is no church at this address.")
    with church_scope(church.id):
        yield queries.get_church()


@contextmanager
def told_church(key: str) -> Iterator[UUID]:
    """Open the scope of the church whose webhook address was delivered to; raises NotFound. Who delivers is not known by this yet.

    Whose an address is, is kept for some seconds: deliveries come in bursts.
    """
    kept: dict[str, tuple[datetime, UUID]] = current_app.extensions.setdefault("told_churches", {})
    read_at, church_id = kept.get(key, (None, None))
    if read_at is None or church_id is None or now() - read_at > TOLD_KEPT_FOR:
        church_id = _church_told_at(key)
        kept[key] = now(), church_id
    with church_scope(church_id):
        yield church_id


def _church_told_at(key: str) -> UUID:
    with every_church():
        told = select(WebhookAddress.church_id).where(WebhookAddress.key == key)
        church_id = db.session.scalar(told) if NUL not in key else None
    if church_id is None:
        raise errors.NotFound("Nobody is told anything at this address.")
    return church_id
