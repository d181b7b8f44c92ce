"""What Planning Center can answer that is not what was asked for; the class says what to do next.

PlanningCenterError
├── NotDeclared         a programming mistake: the catalogue knows no such name; nothing was sent
├── NotSent             surely not applied: the request never left; send it again after a pause
├── OutcomeUnknown      it may have been applied: look before anything is sent again (writes only)
├── RateLimited         surely not applied: the whole connection waits `retry_after` seconds
├── Unavailable         not applied, or nothing was to be applied: come back after `retry_after` seconds
│   └── AnotherVersion  ... of connectcard: Planning Center no longer speaks the version that the catalogue was written for
├── Blocked             not applied: something before Planning Center answered; back off minutes, keep the tokens
├── RefreshNeeded       not applied: the access token ran out (BABOON); refresh it once
│   └── GrantRevoked    ... or was taken back (CAPUCHIN): a refresh will hardly help, connect again after one try
├── ReconnectNeeded     not applied: the church has to connect again
│   └── ScopeMissing    ... since its authorisation does not cover this product (PELICAN)
├── ProductUnavailable  not applied: the connecting person has no access to that product (TRASH_PANDA); refreshing is useless
│   ├── PersonLeft      ... that person is no longer there, or is inactive (FLAMINGO): somebody else has to connect
│   └── ChurchLeft      ... the church itself is no longer at Planning Center (LEMMING)
├── Refused             not applied: this one request will never be taken as it is
│   ├── Forbidden       the connecting person may not do this
│   ├── Gone            there is nothing of that id any more
│   │   └── Merged      ... it is a person who was merged into `kept_id`: go on with that one
│   ├── Conflict        it is there already
│   └── FieldRefused    `parameter` cannot take this value; `detail` says why
├── DeadGrant           the refresh token is spent, expired or revoked: reconnect
└── ClientRefused       our own client id or secret is wrong: whoever hosts connectcard mends the settings

A write that ends in anything but OutcomeUnknown was surely not applied. The text names the request and the answer's title, never
an address's query, a body, a token or `detail`: it is safe to log. `detail` is Planning Center's own sentence, for staff to read.
"""


class PlanningCenterError(Exception):
    """Planning Center did not do what was asked.

    `status` is the HTTP status, None where there was no answer. `title`, `detail` and `parameter` are the first error's own words,
    `hint` is the animal by which a 401 says why, `request_id` is what Planning Center's support asks for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        title: str | None = None,
        detail: str | None = None,
        parameter: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.detail = detail
        self.parameter = parameter
        self.request_id = request_id
        self.hint = hint


class NotDeclared(PlanningCenterError):
    """The catalogue declares no such verb, attribute, where, include, order or filter."""


class NotSent(PlanningCenterError):
    """The request never reached Planning Center: refused, unknown host, TLS, connect timeout, or no time was left."""


class OutcomeUnknown(PlanningCenterError):
    """A write was sent and its answer was lost, garbled or a server error."""


class _Later(PlanningCenterError):
    """`retry_after` is in seconds; None where Planning Center did not say."""

    def __init__(self, message: str, *, retry_after: float | None = None, **answer: object) -> None:
        super().__init__(message, **answer)  # type: ignore[arg-type]
        self.retry_after = retry_after


class RateLimited(_Later):
    """Too many requests, by Planning Center's count or by ours before sending."""


class Unavailable(_Later):
    """Planning Center is not there just now."""


class NotRenewed(Unavailable):
    """The sign-in was not renewed, which is tried once more before it is given up."""


class AnotherVersion(Unavailable):
    """Planning Center answered in another version than it was asked for, or does not know that version."""


class Blocked(PlanningCenterError):
    """A firewall or gateway answered with a page of its own."""


class RefreshNeeded(PlanningCenterError):
    """The access token is not taken."""


class GrantRevoked(RefreshNeeded):
    """The church, or Planning Center, took the access token back."""


class ReconnectNeeded(PlanningCenterError):
    """The church's authorisation is gone."""


class ScopeMissing(ReconnectNeeded):
    """The church's authorisation does not cover this product."""


class ProductUnavailable(PlanningCenterError):
    """The connecting person, or the church, has no access to this product any more."""


class PersonLeft(ProductUnavailable):
    """The person who connected is gone or inactive in Planning Center."""


class ChurchLeft(ProductUnavailable):
    """The church's organization is gone from Planning Center."""


class Refused(PlanningCenterError):
    """Planning Center understood and said no."""


class Forbidden(Refused):
    """The connecting person's permission does not reach that far."""


class Gone(Refused):
    """No record of that id: it was deleted, or never there."""


class Merged(Gone):
    """A person who was merged into another; `kept_id` is whom Planning Center kept, who may have been merged again since."""

    def __init__(self, message: str, *, kept_id: str, **answer: object) -> None:
        super().__init__(message, **answer)  # type: ignore[arg-type]
        self.kept_id = kept_id


class Conflict(Refused):
    """The record is there already."""


class FieldRefused(Refused):
    """A value cannot be taken as it is."""


class DeadGrant(PlanningCenterError):
    """The token endpoint said that the grant is dead."""


class ClientRefused(PlanningCenterError):
    """The OAuth application itself is refused."""
