"""One table: status, content type and body of an answer -> the error that says what to do next.

Sources: Planning Center's documentation ("Errors", "Authentication", "Rate limiting"), its OpenAPI files, and bodies recorded on
the wire. A parser must survive a missing title, code, source or meta, and a page of HTML from what stands in front.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from connectcard.planning_center.documents import read_json
from connectcard.planning_center.errors import (
    AnotherVersion,
    Blocked,
    ChurchLeft,
    ClientRefused,
    Conflict,
    FieldRefused,
    Forbidden,
    Gone,
    GrantRevoked,
    Merged,
    OutcomeUnknown,
    PersonLeft,
    PlanningCenterError,
    ProductUnavailable,
    RateLimited,
    ReconnectNeeded,
    RefreshNeeded,
    Refused,
    ScopeMissing,
    Unavailable,
)
from connectcard.planning_center.transport import Answer, Request

LONGEST_RETRY_AFTER = 3600.0

_REFUSED: dict[int, type[PlanningCenterError]] = {400: FieldRefused, 403: Forbidden, 404: Gone, 409: Conflict, 422: FieldRefused}

# The hint stands in brackets at the end of a 401's detail. A hint we do not know is treated as an expired token, once.
_HINTS: dict[str, type[PlanningCenterError]] = {
    "BABOON": RefreshNeeded,
    "CAPUCHIN": GrantRevoked,
    "PELICAN": ScopeMissing,
    "TRASH_PANDA": ProductUnavailable,
    "FLAMINGO": PersonLeft,
    "LEMMING": ChurchLeft,
    "CHINCHILLA": ClientRefused,
    "BLACKBIRD": ClientRefused,
}


@dataclass(frozen=True)
class _Words:
    """What the body of an error says; every part may be missing."""

    title: str | None = None
    detail: str | None = None
    parameter: str | None = None
    code: str | None = None

    @property
    def hint(self) -> str | None:
        found = re.search(r"\(([A-Z_]+)\)", self.detail or "")
        return found[1] if found else None


def refusal(request: Request, answer: Answer) -> PlanningCenterError | None:
    """The error that an answer stands for; None where it is a success."""
    if 200 <= answer.status < 300:
        return None
    words = _words(answer)
    # For the client's own family only: the title is one of a short list, `detail` may hold what somebody typed.
    known: dict[str, Any] = {"status": answer.status, "request_id": answer.request_id}
    if words:
        known |= {"title": words.title, "detail": words.detail, "parameter": words.parameter}
        known |= {"hint": words.hint} if answer.status == 401 else {}
    text = f"{request}: Planning Center answered {answer.status}" + (f" {words.title}" if words and words.title else "")
    if answer.status in (429, 503):
        return _come_back_later(request, answer, text, known)
    if answer.status == 408 or not 400 <= answer.status < 500:
        return unknown(request, text, **known)
    return _kind(answer, words)(text, **known)


def unknown(request: Request, text: str, **known: Any) -> PlanningCenterError:
    """An answer that is none: a write may have been applied, a read can simply be asked again."""
    return OutcomeUnknown(text, **known) if request.is_write else Unavailable(text, **known)


def other_version(request: Request, answer: Answer) -> PlanningCenterError | None:
    """The error of a success that was not made in the version asked for: its shape is not the one we know."""
    asked, processed = request.headers.get("X-PCO-API-Version"), answer.headers.get("X-PCO-API-Processed-As-Version")
    if processed in (None, asked):
        return None
    text = f"{request}: Planning Center answered in version {processed[:20]!r}, not {asked}"
    kind = OutcomeUnknown if request.is_write else AnotherVersion
    return kind(text, status=answer.status, request_id=answer.request_id)


def still_refused(error: RefreshNeeded) -> ReconnectNeeded:
    """A token that was just renewed is not taken either: the authorisation itself is gone."""
    return ReconnectNeeded(f"{error}, also with a renewed sign-in", **_told(error), hint=error.hint)


def merged(gone: Gone, kept_id: str) -> Merged:
    """What is gone is a person who lives on under another id."""
    return Merged(f"{gone}; the person was merged into another", kept_id=kept_id, **_told(gone))


def _told(error: PlanningCenterError) -> dict[str, Any]:
    return {name: getattr(error, name) for name in ("status", "title", "detail", "parameter", "request_id")}


def _come_back_later(request: Request, answer: Answer, text: str, known: dict[str, Any]) -> PlanningCenterError:
    seconds = retry_after(answer.headers)
    if answer.status == 429:
        return RateLimited(text, retry_after=seconds, **known)
    # Only with a Retry-After is it the front door that turned us away; without one the request may have gone through.
    return unknown(request, text, **known) if seconds is None else Unavailable(text, retry_after=seconds, **known)


def _kind(answer: Answer, words: _Words | None) -> type[PlanningCenterError]:
    if answer.status == 401:
        return _kind_of_401(answer, words)
    if words is None:
        return Blocked
    if words.code == "bad_scope":
        return ScopeMissing
    if answer.status == 400 and "invalid version" in (words.title or "").lower():
        return AnotherVersion
    return _REFUSED.get(answer.status, Refused)


def _kind_of_401(answer: Answer, words: _Words | None) -> type[PlanningCenterError]:
    if words is None:
        # "HTTP Basic: Access denied." comes as a page; any other page is not Planning Center's own answer.
        return RefreshNeeded if "basic" in answer.headers.get("WWW-Authenticate", "").lower() else Blocked
    if words.code == "bad_scope":
        return ScopeMissing
    return _HINTS.get(words.hint or "", RefreshNeeded)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, at most an hour; a date is compared with the answer's own Date."""
    written = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", written):
        return min(float(written), LONGEST_RETRY_AFTER)
    until, sent = _moment(written), _moment(headers.get("Date", ""))
    if until is None or sent is None or (until.tzinfo is None) != (sent.tzinfo is None):
        return None
    return min(max((until - sent).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _moment(written: str) -> datetime | None:
    try:
        return parsedate_to_datetime(written)
    except (ValueError, TypeError, OverflowError):
        return None


def _words(answer: Answer) -> _Words | None:
    """The words of Planning Center's own error document; None for anything else."""
    errors = _errors(answer) if answer.may_be_json else []
    if not errors:
        return None
    first = errors[0]
    details = [_text(first.get("detail"))] + [" ".join(filter(None, (_parameter(each), _text(each.get("detail"))))) for each in errors[1:5]]
    return _Words(_text(first.get("title")), "; ".join(filter(None, details)) or None, _parameter(first), _text(first.get("code")))


def _errors(answer: Answer) -> list[dict[str, Any]]:
    try:
        document = read_json(answer.body)
    except (ValueError, RecursionError):
        return []
    listed = document.get("errors") if isinstance(document, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _parameter(error: Mapping[str, Any]) -> str | None:
    source = error.get("source")
    return _text(source.get("parameter")) if isinstance(source, dict) else None


def _text(value: Any) -> str | None:
    """One line of at most 300 characters."""
    return " ".join(value[:300].split()) or None if isinstance(value, str) else None
