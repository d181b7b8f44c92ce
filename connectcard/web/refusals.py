"""Every no has a page that says why and what to do next; never a stack, never a bare one."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from connectcard import errors

# The pages of the ways in and out of Planning Center, under templates/refusals/.
STATUSES = {
    "denied": HTTPStatus.FORBIDDEN,
    "state": HTTPStatus.BAD_REQUEST,
    "not_confirmed": HTTPStatus.BAD_REQUEST,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "no_permission": HTTPStatus.FORBIDDEN,
    "not_opened": HTTPStatus.FORBIDDEN,
    "second_church": HTTPStatus.CONFLICT,
    "another_origin": HTTPStatus.CONFLICT,
    "another_organization": HTTPStatus.CONFLICT,
    "cannot_write": HTTPStatus.FORBIDDEN,
    "no_oauth": HTTPStatus.NOT_FOUND,
    "used_link": HTTPStatus.GONE,
}

# Title and sentence of the pages that any address can answer with.
WORDS = {
    400: (
        "This could not be read",
        "It was not complete, it came from another website, or its page is older than your sign-in. "
        "Open the page again and send it from there.",
    ),
    403: ("This is not for your role", "Your role does not reach this far."),
    404: ("There is nothing here", "The page was moved or removed, or the address has a typing mistake."),
    405: ("This address only takes forms", "Go back to the page with the form and send it from there."),
    409: ("This has changed meanwhile", "Somebody changed the same thing before you. Open the page again to see how it stands."),
    413: ("That is too much at once", "What was sent is larger than a card can be. Shorten it and send it again."),
    415: ("This could not be read", "What was sent is not a form of ours. Open the page again and send it from there."),
    421: ("This is not the address of connectcard", "Open connectcard at its own address and send the form from there."),
    429: ("That was a little fast", "Wait a minute, then try again. Nothing is lost."),
    500: ("Something went wrong on our side", "It has been written down. What was saved before is safe. Try again in a moment."),
    503: ("connectcard is resting for a moment", "Something that we need does not answer. Try again in a minute."),
}
# Ours that whoever uses a page can do something about; any other is a fault of the program and answered as one.
OURS: dict[type[errors.ConnectCardError], tuple[int, str]] = {
    errors.NotFound: (404, "There is nothing here"),
    errors.NotAllowed: (403, "This is not for your role"),
    errors.AnswersRefused: (422, "Some answers need another look"),
    errors.ChangeRefused: (422, "This cannot be done"),
    errors.ConnectionMissing: (409, "Planning Center is not connected"),
}


class Refusal(errors.ConnectCardError):
    """A refusal with a page of its own under templates/refusals/."""

    def __init__(self, page: str, **words: Any) -> None:
        super().__init__(f"refused: {page}")
        self.page, self.words = page, words


def init_app(app: Flask) -> None:
    app.register_error_handler(Refusal, show_refusal)
    app.register_error_handler(HTTPException, show_http_error)
    for kind in OURS:
        app.register_error_handler(kind, show_our_error)


def show_refusal(refusal: Refusal) -> tuple[str, int]:
    return render_template(f"refusals/{refusal.page}.html", **refusal.words), STATUSES[refusal.page]


def show_our_error(error: errors.ConnectCardError) -> tuple[str, int] | Response:
    status, title = next(answer for kind, answer in OURS.items() if isinstance(error, kind))
    return show_page(status, title, str(error))


def show_http_error(error: HTTPException) -> tuple[str, int] | Response | HTTPException:
    """Flask has logged the cause of a 500 before it asks for this page."""
    status = error.code or 500
    if status < 400:
        return error
    return show_page(status, *WORDS.get(status, WORDS[500 if status >= 500 else 400]))


def show_page(status: int, title: str, sentence: str) -> tuple[str, int] | Response:
    """A page for visitors below /c/, for staff elsewhere; in the staff frame only while a church's scope is open.

    A fragment's place is too small for it: there the sentence goes alone, and `staff.js` says it below the page.
    """
    if request.headers.get("HX-Request") == "true":
        return Response(sentence, status, mimetype="text/plain")
    return render_template("refusals/page.html", title=title, sentence=sentence, for_visitors=request.path.startswith("/c/")), status
