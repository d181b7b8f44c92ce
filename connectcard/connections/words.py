"""What went wrong with Planning Center, in words that staff read: what happened, and whose turn it is."""

from connectcard.planning_center import errors
from connectcard.planning_center.errors import PlanningCenterError

_CONNECT_AS_ANOTHER = "Give it to them there, or connect as somebody else."

_WORDS: tuple[tuple[type[PlanningCenterError], str], ...] = (
    (errors.ScopeMissing, "This sign-in does not cover Planning Center {product}. An owner needs to connect again and allow it."),
    (errors.ReconnectNeeded, "Planning Center does not accept this church's sign-in any more. An owner needs to connect again."),
    (errors.PersonLeft, "The person who connected is no longer active in Planning Center. An owner needs to connect as somebody else."),
    (errors.ChurchLeft, "Planning Center does not know this church any more. An owner needs to look at the church's subscription there."),
    (errors.ProductUnavailable, "The person who connected has no access to Planning Center {product}. " + _CONNECT_AS_ANOTHER),
    (errors.ClientRefused, "Planning Center does not know this installation. Whoever hosts it needs to look at PCO_CLIENT_ID."),
    (errors.Forbidden, f"The person who connected lacks a permission in Planning Center. {_CONNECT_AS_ANOTHER}"),
    (errors.RateLimited, "Planning Center asks us to slow down. Nothing is lost; try again in a minute."),
    (errors.Blocked, "Something in front of Planning Center turned us away. Nothing is lost; try again in a few minutes."),
    (errors.NotSent, "Planning Center could not be reached. Nothing is lost; try again in a few minutes."),
    (errors.AnotherVersion, "Planning Center has changed, and this installation needs an update. Whoever hosts it needs to install it."),
    (errors.NotRenewed, "Planning Center did not renew this church's sign-in. It is tried once more by itself; no card is lost."),
    (errors.Unavailable, "Planning Center did not answer properly. Nothing is lost; try again in a few minutes."),
    (errors.Refused, "Planning Center refused the request."),
)


def in_words(error: PlanningCenterError, product: str = "People") -> str:
    """One or two sentences; nothing of a request or an answer is in them. `product` is the one that was asked, as staff know it."""
    fallback = "Planning Center did not do what was asked."
    return next((words for kind, words in _WORDS if isinstance(error, kind)), fallback).replace("{product}", product)
