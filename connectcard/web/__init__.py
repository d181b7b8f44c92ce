"""The pages: every page family registers its blueprint here."""

from flask import Flask, g

from connectcard.web import capture, card_words, home, inbox, layout, mapping, runs, security, sign_in, times
from connectcard.web.sessions import StaffSessions

PAGE_FAMILIES = (capture, home, inbox, mapping, runs, sign_in)


def init_app(app: Flask) -> None:
    """Register the page families, and what holds for all of them."""
    app.session_interface = StaffSessions()
    security.init_app(app)
    layout.init_app(app)
    times.init_app(app)
    card_words.init_app(app)
    for family in PAGE_FAMILIES:
        app.register_blueprint(family.blueprint)


def chosen_language() -> str:
    """The language of the page that is being made."""
    return str(g.get("language", "en"))
