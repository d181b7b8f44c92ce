"""Access tokens that are always fresh, renewed by one worker at a time.

Refresh tokens are used once: of two refreshes at the same moment one would lose the church's connection. Whoever refreshes has
claimed it in the row by one UPDATE and its row count; the others read the row again until the new tokens stand there. Both tokens
are committed before the first of them is used. Only a JSON answer that says the grant is dead, given twice a quarter of an hour
apart, means that the church must connect again; after anything else the tokens are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any, cast
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import CursorResult, Update, bindparam, or_, select, update

from connectcard.clock import now
from connectcard.config import Config
from connectcard.connections.aside import reading_aside, writing_aside
from connectcard.connections.incidents import INCIDENT_WORDS, WITHIN, is_incident
from connectcard.connections.models import CONNECTED, DISCONNECTED, RECONNECT, Connection
from connectcard.database import end_reading
from connectcard.planning_center.errors import (
    ClientRefused,
    DeadGrant,
    NotRenewed,
    OutcomeUnknown,
    PlanningCenterError,
    ReconnectNeeded,
    Unavailable,
)
from connectcard.planning_center.oauth import OAuthClient, Tokens

log = structlog.get_logger()

REFRESH_AHEAD = timedelta(minutes=10)
# Longer than two calls of the token endpoint may take.
CLAIM = timedelta(seconds=60)
# After a failure nobody tries again for so long.
PAUSE = timedelta(seconds=30)
PATIENCE_SECONDS = 20.0
# Soon at first, and then so seldom that many who wait leave the machine to the one who works.
LOOK_AGAIN_SECONDS = (0.1, 0.2, 0.4, 0.8)
RECONNECT_WORDS = "Planning Center says that this church's sign-in is no longer valid. An owner needs to connect again; no card is lost."
NOT_RENEWED = "Planning Center did not renew this church's sign-in. We try once more before anybody has to connect again; no card is lost."
RENEWAL_FAILED = "Planning Center could not be reached to renew the sign-in; we keep trying."


@dataclass(frozen=True)
class _Standing:
    """A connection's sign-in as it stood in the row a moment ago."""

    connection_id: UUID
    state: str
    version: int
    expires_at: datetime | None
    claimed_until: datetime | None
    second_try_at: datetime | None
    tried_again_at: datetime | None
    failing: bool
    access_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)

    def usable(self, refused: str | None, left: timedelta = timedelta(0)) -> bool:
        """Whether the access token lives longer than `left` and is not the one that was refused."""
        lives = self.expires_at is not None and self.expires_at - now() > left
        return self.access_token is not None and self.access_token != refused and lives

    @property
    def claimed(self) -> bool:
        """Whether somebody renews it, or did in vain a moment ago."""
        return self.claimed_until is not None and self.claimed_until > now()

    @property
    def resting(self) -> bool:
        """Whether a renewal failed a moment ago, so that nobody should try just now."""
        return self.failing and self.claimed

    @property
    def given_up(self) -> bool:
        """Whether a dead answer is the last word: the second one, or there is no token to try again with."""
        return self.refresh_token is None or (self.second_try_at is not None and self.second_try_at <= now())


def fresh_access_token(connection_id: UUID, *, refused: str | None = None) -> str:
    """An access token that lives ten minutes longer, renewed if need be; with `refused`, another one than that.

    Raises ReconnectNeeded, ClientRefused or Unavailable, of which none means that anything was sent. No transaction may be open.
    """
    known = _known_tokens().get(connection_id)
    if known is not None and known.usable(refused, REFRESH_AHEAD) and _still_stands(known):
        return cast(str, known.access_token)
    give_up_at, pauses = monotonic() + PATIENCE_SECONDS, iter(LOOK_AGAIN_SECONDS)
    while True:
        standing = _read(connection_id)
        if standing.usable(refused, REFRESH_AHEAD):
            _known_tokens()[connection_id] = standing
            return cast(str, standing.access_token)
        # Who waits only reads: forty who try to claim ten times a second keep the database from the one who has new tokens to store.
        if not standing.claimed and _claim(standing):
            renewed = _renew(standing, refused)
            if renewed is not None:
                return renewed
        elif standing.resting or monotonic() > give_up_at:
            return _make_do(standing, refused)
        else:
            sleep(next(pauses, LOOK_AGAIN_SECONDS[-1]))


def _known_tokens() -> dict[UUID, _Standing]:
    """What this process read before: the seals of a token need not be opened for each request."""
    return current_app.extensions.setdefault("known_tokens", {})  # type: ignore[no-any-return]


# Asked before each request, so it is built once.
_NOW_STANDING = select(Connection.state, Connection.version, Connection.expires_at).where(Connection.id == bindparam("connection"))


def _still_stands(known: _Standing) -> bool:
    """Whether nobody renewed, spent or ended the sign-in since: after a disconnection not one request more goes out."""
    with reading_aside() as session:
        found = session.execute(_NOW_STANDING, {"connection": known.connection_id}).one_or_none()
    return found == (known.state, known.version, known.expires_at)


def keep_alive(connection: Connection) -> None:
    """Renew the tokens of a church that syncs rarely: a refresh token dies after 90 days in which nobody used it."""
    standing = _read(connection.id)
    if standing.refresh_token is not None and _claim(standing):
        _renew(standing, None)


def revoke(tokens: Mapping[str, Any]) -> bool:
    """Give tokens back to Planning Center. False where it did not confirm that; that is logged, since nothing else is left to do."""
    end_reading()
    given_back = [_revoke_one(tokens[name]) for name in ("refresh_token", "access_token") if tokens.get(name)]
    return all(given_back)


def oauth_client() -> OAuthClient:
    config = cast("Config", current_app.config["CONNECTCARD"])
    return OAuthClient(config.pco_base_url, config.pco_client_id, config.pco_client_secret, user_agent())


def user_agent() -> str:
    """Planning Center's firewall turns away who does not say who they are."""
    config = cast("Config", current_app.config["CONNECTCARD"])
    return f"connectcard ({config.public_url})"


def _read(connection_id: UUID) -> _Standing:
    with reading_aside() as session:
        row = session.scalars(select(Connection).where(Connection.id == connection_id)).one_or_none()
        if row is None or row.state == DISCONNECTED:
            raise ReconnectNeeded("This church is not connected to Planning Center. An owner can connect it on the Connection page.")
        if row.state == RECONNECT:
            raise ReconnectNeeded(row.state_reason or RECONNECT_WORDS)
        return _Standing(
            connection_id=row.id,
            state=row.state,
            version=row.version,
            expires_at=row.expires_at,
            claimed_until=row.refresh_claimed_until,
            second_try_at=row.second_try_at,
            tried_again_at=row.tried_again_at,
            failing=row.state_reason is not None,
            access_token=row.access_token,
            refresh_token=row.refresh_token,
        )


def _as_it_stood(standing: _Standing) -> Update:
    """An UPDATE of the row that finds nothing once anybody stored newer tokens or disconnected."""
    return update(Connection).where(
        Connection.id == standing.connection_id, Connection.version == standing.version, Connection.state == CONNECTED
    )


def _changed(statement: Update) -> bool:
    with writing_aside() as session:
        return cast("CursorResult[Any]", session.execute(statement)).rowcount == 1


def _claim(standing: _Standing) -> bool:
    free = or_(Connection.refresh_claimed_until.is_(None), Connection.refresh_claimed_until <= now())
    return _changed(_as_it_stood(standing).where(free).values(refresh_claimed_until=now() + CLAIM, state_reason=None))


def _renew(standing: _Standing, refused: str | None) -> str | None:
    """The new access token, stored; None where somebody else's newer tokens stand in the row already."""
    asked_at = now()
    try:
        tokens = _next_tokens(standing)
    except DeadGrant as error:
        return _turned_away(standing, refused, error)
    except PlanningCenterError as error:
        log.warning("refresh_failed", connection_id=str(standing.connection_id), error=type(error).__name__)
        _changed(_as_it_stood(standing).values(refresh_claimed_until=now() + PAUSE, state_reason=RENEWAL_FAILED))
        return _make_do(standing, refused, error)
    return tokens.access_token if _store(standing, tokens, asked_at) else None


def _turned_away(standing: _Standing, refused: str | None, error: DeadGrant) -> str | None:
    """Planning Center called the grant dead: believed the second time only, and not at all where it says so of many churches."""
    if is_incident(standing.connection_id):
        # What is said in an incident is no first answer either: the church has its quarter of an hour after it.
        again_at, second_try_at = now() + WITHIN, now() + _until_second_try()
        kept = {"refresh_claimed_until": again_at, "second_try_at": second_try_at, "state_reason": INCIDENT_WORDS}
        _changed(_as_it_stood(standing).values(**kept))
        return _make_do(replace(standing, tried_again_at=min(again_at, second_try_at)), refused, error)
    if not standing.given_up:
        return _try_once_more_later(standing, refused, error)
    over = {"state": RECONNECT, "state_reason": RECONNECT_WORDS, "refresh_claimed_until": None, "second_try_at": None}
    if _changed(_as_it_stood(standing).values(**over)):
        log.warning("connection_needs_reconnect", connection_id=str(standing.connection_id))
        raise ReconnectNeeded(RECONNECT_WORDS) from error
    return None


def _try_once_more_later(standing: _Standing, refused: str | None, error: DeadGrant) -> str | None:
    """Keep both tokens and leave them alone until then; an access token that was refused is not tried on anybody's card again."""
    second_try_at = standing.second_try_at or now() + _until_second_try()
    kept = {"refresh_claimed_until": second_try_at, "second_try_at": second_try_at, "state_reason": NOT_RENEWED}
    spent = {"expires_at": now()} if refused and refused == standing.access_token else {}
    if not _changed(_as_it_stood(standing).values(**kept, **spent)):
        return None
    log.warning("sign_in_not_renewed", connection_id=str(standing.connection_id))
    return _make_do(replace(standing, tried_again_at=second_try_at), refused, error)


def _until_second_try() -> timedelta:
    return cast("Config", current_app.config["CONNECTCARD"]).waits.second_try


def _next_tokens(standing: _Standing) -> Tokens:
    if standing.refresh_token is None:
        raise DeadGrant("there is no refresh token to renew the sign-in with")
    end_reading()
    try:
        return oauth_client().refresh(standing.refresh_token)
    except OutcomeUnknown:
        # The answer was lost: perhaps the old token still holds, perhaps it is spent. The second answer tells.
        return oauth_client().refresh(standing.refresh_token)


def _store(standing: _Standing, tokens: Tokens, asked_at: datetime) -> bool:
    """Commit both tokens before either is used; False where the row moved on meanwhile."""
    with writing_aside() as session:
        as_it_stood = select(Connection).where(
            Connection.id == standing.connection_id, Connection.version == standing.version, Connection.state != DISCONNECTED
        )
        row = session.scalars(as_it_stood.with_for_update()).one_or_none()
        if row is not None:
            # A worker that came second with the same token may have marked the row dead; we hold the proof that it is not.
            keep_tokens(row, tokens, asked_at)
    if row is None:
        revoke({"refresh_token": tokens.refresh_token, "access_token": tokens.access_token})
    return row is not None


def keep_tokens(row: Connection, tokens: Tokens, asked_at: datetime) -> None:
    """Put a pair of tokens into a connection's row, as its newest. Inside `transaction()`."""
    row.access_token, row.refresh_token = tokens.access_token, tokens.refresh_token
    row.expires_at, row.version = asked_at + timedelta(seconds=tokens.expires_in), row.version + 1
    row.state, row.state_reason, row.refresh_claimed_until, row.second_try_at = CONNECTED, None, None, None
    row.scope = tokens.scope or row.scope


def _make_do(standing: _Standing, refused: str | None, error: PlanningCenterError | None = None) -> str:
    """The old access token while it lives; otherwise Planning Center is out of reach for a while."""
    if standing.usable(refused):
        return cast(str, standing.access_token)
    if isinstance(error, ClientRefused):
        raise error
    if standing.tried_again_at is not None and standing.tried_again_at > now():
        raise NotRenewed(NOT_RENEWED, retry_after=(standing.tried_again_at - now()).total_seconds()) from error
    # Whatever became of the refresh, the request that needed it was surely not sent.
    raise Unavailable(RENEWAL_FAILED, retry_after=PAUSE.total_seconds()) from error


def _revoke_one(token: str) -> bool:
    try:
        oauth_client().revoke(token)
    except PlanningCenterError as error:
        log.warning("token_not_given_back", error=type(error).__name__, status=error.status)
        return False
    return True
