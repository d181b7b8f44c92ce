"""The staff's sessions: rows in the database behind an opaque cookie, loaded only when a page asks for them."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, or_, select, update

from connectcard.churches.models import StaffSession
from connectcard.clock import now
from connectcard.database import db, transaction

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)

View = TypeVar("View", bound=Callable[..., Any])


def poll(view: View) -> View:
    """Mark a view that a page asks for by itself: it does not keep an unattended session alive."""
    view.is_poll = True  # type: ignore[attr-defined]
    return view


class SignedIn(NamedTuple):
    """Whose session it is."""

    church_id: UUID
    member_id: UUID


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """256 random bits for the cookie."""
    return secrets.token_urlsafe(32)


class BrowserSession(SessionMixin):
    """What the server keeps for one browser. Nothing is read before it is asked for, so public pages cost no query."""

    def __init__(self, key: str | None) -> None:
        self.key = key
        self.old_key: str | None = None
        self.loaded = False
        self.accessed = False
        self.modified = False
        self.ended = False
        self._signed_in: SignedIn | None = None
        self._contents: dict[str, Any] = {}
        self._last_seen_at: datetime | None = None

    @property
    def signed_in(self) -> SignedIn | None:
        self._load()
        return self._signed_in

    @property
    def stored(self) -> bool:
        """Whether a row of this session stands in the database."""
        return self._last_seen_at is not None

    def begin(self, church_id: UUID, member_id: UUID) -> None:
        """Sign in: a new key and nothing of what was kept before, so that a planted cookie is worth nothing."""
        self._load()
        self.old_key, self.key = self.key, new_key()
        self._signed_in = SignedIn(church_id, member_id)
        self._contents, self._last_seen_at = {}, None
        self.modified, self.ended = True, False

    def end(self) -> None:
        """Sign out."""
        self._load()
        self._signed_in, self._contents = None, {}
        self.ended = True

    def take(self, name: str) -> Any:
        """Read a value once and for all: it is gone from the database before this returns, also for a request beside this one."""
        self._load()
        if not self.stored or name not in self._contents:
            return self._contents.pop(name, None)
        with transaction() as database:
            row = database.get(StaffSession, hash_of(self.key or ""), with_for_update=True)
            contents = dict(row.contents) if row else {}
            value = contents.pop(name, None)
            if row:
                row.contents = contents
        self._contents.pop(name, None)
        return value

    def is_due_to_be_seen(self) -> bool:
        return self._last_seen_at is None or now() - self._last_seen_at >= SEEN_EVERY

    def _load(self) -> None:
        self.accessed = True
        if self.loaded:
            return
        self.loaded = True
        row = _living_row(self.key) if self.key else None
        if row is None:
            self.key = None
            return
        self._contents, self._last_seen_at = dict(row.contents), row.last_seen_at
        if row.church_id and row.member_id:
            self._signed_in = SignedIn(row.church_id, row.member_id)

    def __getitem__(self, name: str) -> Any:
        self._load()
        return self._contents[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._load()
        self._contents[name] = value
        self.modified = True

    def __delitem__(self, name: str) -> None:
        self._load()
        del self._contents[name]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._contents)

    def __len__(self) -> int:
        self._load()
        return len(self._contents)

    def row(self) -> StaffSession:
        church_id, member_id = self._signed_in or (None, None)
        return StaffSession(key_hash=hash_of(self.key or ""), church_id=church_id, member_id=member_id, contents=self._contents)


def _living_row(key: str) -> StaffSession | None:
    """The session's row unless it was idle for too long or is too old; both ends are judged here only."""
    return db.session.scalar(
        select(StaffSession).where(
            StaffSession.key_hash == hash_of(key), StaffSession.last_seen_at > now() - IDLE, StaffSession.created_at > now() - ABSOLUTE
        )
    )


class StaffSessions(SessionInterface):
    """Flask's way to sessions, kept in our rows."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        return BrowserSession(request.cookies.get(cookie_name(app)))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        kept = cast(BrowserSession, session)
        if not kept.loaded:
            return
        if kept.ended:
            _forget(app, kept, response)
        elif kept.stored:
            _keep_up(kept)
        elif kept.modified:
            _store(app, kept, response)


def browser_session() -> BrowserSession:
    """The session of the request, with what Flask's own type does not know."""
    return cast(BrowserSession, session)


def _forget(app: Flask, session: BrowserSession, response: Response) -> None:
    with transaction() as database:
        database.execute(delete(StaffSession).where(StaffSession.key_hash == hash_of(session.key or "")))
    response.delete_cookie(cookie_name(app), path="/", secure=app.config["CONNECTCARD"].secure, httponly=True, samesite="Lax")


def _keep_up(session: BrowserSession) -> None:
    changes: dict[str, Any] = {}
    if session.modified:
        changes["contents"] = session.row().contents
    if session.is_due_to_be_seen() and not _is_polled():
        changes["last_seen_at"] = now()
    if changes:
        with transaction() as database:
            database.execute(update(StaffSession).where(StaffSession.key_hash == hash_of(session.key or "")).values(**changes))


def _store(app: Flask, session: BrowserSession, response: Response) -> None:
    session.key = session.key or new_key()
    with transaction() as database:
        if session.old_key:
            database.execute(delete(StaffSession).where(StaffSession.key_hash == hash_of(session.old_key)))
        database.add(session.row())
    response.set_cookie(cookie_name(app), session.key, path="/", secure=app.config["CONNECTCARD"].secure, httponly=True, samesite="Lax")


def _is_polled() -> bool:
    return getattr(current_app.view_functions.get(request.endpoint or ""), "is_poll", False)


def cookie_name(app: Flask) -> str:
    """`__Host-` makes browsers refuse the cookie from a neighbouring host name; it needs https."""
    return "__Host-connectcard" if app.config["CONNECTCARD"].secure else "connectcard"


def end_every_session_of(member_id: UUID) -> None:
    """Sign a member out on every device. Inside `transaction()`."""
    db.session.execute(delete(StaffSession).where(StaffSession.member_id == member_id))


def forget_old_sessions() -> None:
    """Remove the rows that no cookie can open any more. Inside `transaction()`."""
    too_old = or_(StaffSession.last_seen_at <= now() - IDLE, StaffSession.created_at <= now() - ABSOLUTE)
    db.session.execute(delete(StaffSession).where(too_old))
