"""The card itself: a visitor opens /c/<church>/<card>, fills it in, sends it and is thanked.

The language is the one in `?lang=`, else the best that the browser asks for among ours, else English. Nobody is redirected for it and
the names of the languages stand in the corner: on a visitor's phone that is the language of the phone, on the church's tablet the one
that the tablet was set up in, so a cleared tablet returns to it.
"""

import secrets
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import segno
from flask import Blueprint, abort, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from connectcard.cards import fields, operations
from connectcard.cards.models import Card
from connectcard.cards.suspicion import TOO_MANY, Crowd, suspicion
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.config import Config
from connectcard.database import transaction
from connectcard.errors import AnswersRefused, NotFound
from connectcard.sync import group_offers
from connectcard.web.open_cards import offered_groups, open_card
from connectcard.web.security import is_from_our_pages

blueprint = Blueprint("capture", __name__, url_prefix="/c/<church_slug>/<card_slug>")

LANGUAGES = {"en": "English", "es": "Español"}
PHONE, TABLET = "phone", "tablet"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_INPUTS = 200
THANKS_COOKIE = "card_thanks"
THANKS_SECONDS = 120
TABLET_CLEARS_AFTER_SECONDS = 8


@blueprint.before_request
def choose_language() -> None:
    asked = request.args.get("lang", "")
    g.language = asked if asked in LANGUAGES else request.accept_languages.best_match(list(LANGUAGES), "en")


@blueprint.after_request
def turn_the_page(response: Response) -> Response:
    """Change a cookie with every page: Chromium then drops the earlier pages it kept for Back and Forward, which `no-store` alone does
    not make it do, with JavaScript switched off as well."""
    if request.method == "GET" and response.mimetype == "text/html":
        response.set_cookie("card_page", secrets.token_hex(8), path=card_path(), **cookie_rules())
    return response


@blueprint.get("")
def page(church_slug: str, card_slug: str) -> str:
    """An empty card."""
    return card_page(open_card(church_slug, card_slug), {}, {}, str(uuid4()))


@blueprint.post("")
def submit(church_slug: str, card_slug: str) -> Any:
    """Store a card and thank the visitor; show it again where answers need mending. Whatever else is odd, the card is kept."""
    card = open_card(church_slug, card_slug)
    if not is_from_our_pages():
        abort(403)
    form = posted_form()
    try:
        receipt = stored(card, form)
    except AnswersRefused as refused:
        with church_scope(card.church_id):
            groups = group_offers.named(form.getlist("group"))
        return page_again(card, form, refused.problems, groups), 422
    except (OperationalError, NoConnection):
        # The database is away. Nobody is thanked, and what was typed stays on the page with its key: sending it again is safe.
        current_app.logger.exception("a card could not be stored")
        return page_again(card, form, {"": gettext("We could not keep your card just now. Wait a moment, then send it again.")}), 503
    return thank(receipt.first_name)


@blueprint.get("/thanks")
def thanks(church_slug: str, card_slug: str) -> Response:
    """The thank-you, with the first name the first time it is shown and without it ever after."""
    card = open_card(church_slug, card_slug)
    shown = make_response(render_template("card/thanks.html", first_name=taken_name(), seconds=TABLET_CLEARS_AFTER_SECONDS, **around(card)))
    shown.delete_cookie(THANKS_COOKIE, path=card_path(), **cookie_rules())
    return shown


@blueprint.get("/code.svg")
def code(church_slug: str, card_slug: str) -> Response:
    """The address of the card for a phone, as a code to scan from the tablet."""
    open_card(church_slug, card_slug)
    drawing = BytesIO()
    segno.make(current_app.config["CONNECTCARD"].public_url + card_path(), micro=False).save(drawing, kind="svg", border=0, xmldecl=False)
    return Response(drawing.getvalue(), mimetype="image/svg+xml")


def stored(card: Card, form: MultiDict[str, str]) -> operations.Receipt:
    doubt = suspicion(form, dwell(form)) or (TOO_MANY if from_a_crowd(card) else None)
    with church_scope(card.church_id), transaction():
        groups = group_offers.named(form.getlist("group"))
        return operations.submit_card(card, form, language=g.language, came_from=came_from(), suspicion=doubt, groups=groups)


def posted_form() -> MultiDict[str, str]:
    """What was posted, when it is a form of a size that a person could fill in; anything else ends in a page that says so."""
    if request.mimetype and request.mimetype not in FORM_TYPES:
        abort(415)
    if sum(len(values) for values in request.form.listvalues()) > MOST_INPUTS:
        abort(413)
    return request.form


# The pages


def card_page(card: Card, answers: fields.Answers, problems: fields.Problems, submission_key: str) -> str:
    return render_template(
        "card/page.html",
        answers=answers,
        problems=problems,
        submission_key=submission_key,
        form_token=form_tokens().dumps(""),
        asked=asked(card),
        interests=fields.shown_choices(card.interests, g.language),
        sources=fields.shown_choices(card.sources, g.language),
        groups=offered_groups(card),
        consent=operations.consent(card, g.language).split("\n\n"),
        suggested_email=fields.suggested_email(answers.get("email", "")),
        fields=fields,
        **around(card),
    )


def page_again(card: Card, form: MultiDict[str, str], problems: fields.Problems, groups: fields.Groups | None = None) -> str:
    """The card as it was typed, with what needs mending marked."""
    key = fields.Posted(form).line("submission_key") or str(uuid4())
    known = {one.id: one for one in offered_groups(card)} | dict(groups or {})
    return card_page(card, fields.read(form, card, known), problems, key)


def around(card: Card) -> dict[str, Any]:
    """What every page of the card shows around its content."""
    return {
        "card": card,
        "church": card.church,
        "came_from": came_from(),
        "languages": [(code, name, address("page", lang=code)) for code, name in LANGUAGES.items()],
        "form_address": address("submit", lang=chosen_by_hand()),
        "code_address": address("code", lang=None),
        "fresh_address": address("page", lang=None if at_tablet() else chosen_by_hand()),
    }


@blueprint.context_processor
def words_of_every_page() -> dict[str, Any]:
    return {"language": g.language, "direction": "ltr"}


def asked(card: Card) -> dict[str, bool]:
    """The optional questions on this page; how one heard of the church is left out where others wait for the tablet."""
    return {**card.questions, "heard": card.questions.get("heard", False) and came_from() == PHONE}


def address(view: str, lang: str | None) -> str:
    """Where a page of this card is, in the layout of the page that is being made."""
    names: dict[str, Any] = dict(request.view_args or {})
    return url_for(f"capture.{view}", **names, at=at_tablet(), lang=lang)


def came_from() -> str:
    return TABLET if request.args.get("at") == TABLET else PHONE


def at_tablet() -> str | None:
    return TABLET if came_from() == TABLET else None


def chosen_by_hand() -> str | None:
    return g.language if request.args.get("lang") == g.language else None


# The thank-you: the name travels in a signed cookie that nothing but the next page reads, never in an address.


def thank(first_name: str) -> Response:
    answer = redirect(address("thanks", lang=chosen_by_hand()), 303)
    note = thanks_notes().dumps([first_name, secrets.token_hex(8)])
    answer.set_cookie(THANKS_COOKIE, note, max_age=THANKS_SECONDS, path=card_path(), **cookie_rules())
    return answer


def taken_name() -> str:
    try:
        first_name, _ = thanks_notes().loads(request.cookies.get(THANKS_COOKIE, ""), max_age=THANKS_SECONDS)
    except BadSignature:
        return ""
    return str(first_name)


def card_path() -> str:
    return request.path.removesuffix("/thanks").removesuffix("/code.svg")


def cookie_rules() -> dict[str, Any]:
    config: Config = current_app.config["CONNECTCARD"]
    return {"secure": config.secure, "httponly": True, "samesite": "Lax"}


def thanks_notes() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="thank-you")


# Doubts about a card. None of them refuses it.


def form_tokens() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="card-form")


def dwell(form: MultiDict[str, str]) -> timedelta | None:
    """How long the form was open before it was sent; None where its token is missing or not ours."""
    try:
        _, made_at = form_tokens().loads(form.get("form_token", ""), return_timestamp=True)
    except BadSignature:
        return None
    opened: timedelta = now() - made_at
    return opened


def from_a_crowd(card: Card) -> bool:
    """Whether this address has sent us more cards for the church within a minute than a full church would."""
    crowd: Crowd = current_app.extensions.setdefault("crowd", Crowd())
    return crowd.is_too_large((card.church_id, request.remote_addr), now())


# What cannot be taken at all: each has a page that says what to do.


@blueprint.errorhandler(NotFound)
def no_such_card(_error: NotFound) -> tuple[str, int]:
    return render_template("card/no_card.html"), 404


@blueprint.errorhandler(403)
def from_another_site(_error: HTTPException) -> tuple[str, int]:
    return refusal("another_site", 403)


@blueprint.errorhandler(413)
def too_large(_error: HTTPException) -> tuple[str, int]:
    return refusal("too_large", 413)


@blueprint.errorhandler(415)
def not_a_form(_error: HTTPException) -> tuple[str, int]:
    return refusal("not_a_form", 415)


def refusal(reason: str, status: int) -> tuple[str, int]:
    return render_template("card/refusal.html", reason=reason, address=address("page", lang=chosen_by_hand())), status
