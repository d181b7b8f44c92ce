"""The pages: every page family registers its blueprint here."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the page families."""


def chosen_language() -> str:
    """The language of the page that is being made."""
    return "en"
