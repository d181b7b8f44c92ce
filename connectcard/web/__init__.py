"""The pages: every page family registers its blueprint here."""

from flask import Flask, g

from connectcard.web import (
    about,
    approvals,
    authorization,
    capture,
    card_words,
    connection,
    contacts,
    directory,
    group_edit,
    home,
    inbox,
    layout,
    mapping,
    outside,
    ownership,
    push_previews,
    push_records,
    pushes,
    refusals,
    review,
    run_history,
    runs,
    security,
    sign_in,
    times,
    undo,
    views,
    webhooks,
    whose,
)
from connectcard.web.sessions import StaffSessions

PAGE_FAMILIES = (
    about,
    approvals,
    capture,
    connection,
    contacts,
    directory,
    group_edit,
    home,
    inbox,
    mapping,
    ownership,
    push_previews,
    push_records,
    pushes,
    review,
    run_history,
    runs,
    security,
    sign_in,
    undo,
    views,
    webhooks,
    whose,
)
WHAT_PAGES_SHARE = (security, authorization, refusals, layout, times, outside, card_words)


def init_app(app: Flask) -> None:
    """Register the page families, and what holds for all of them."""
    app.session_interface = StaffSessions()
    for part in WHAT_PAGES_SHARE:
        part.init_app(app)
    for family in PAGE_FAMILIES:
        app.register_blueprint(family.blueprint)


def chosen_language() -> str:
    """The language of the page that is being made."""
    return str(g.get("language", "en"))
