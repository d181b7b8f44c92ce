"""What every staff page shows around its content: the way around, counts, addresses of static files."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for

from connectcard.connections.models import CONNECTED, RECONNECT, Connection
from connectcard.connections.queries import find_connection
from connectcard.people import conflicts
from connectcard.sync import cards_in_sync, push_board, questions
from connectcard.sync.remote_views import SECTIONS, tabs_of
from connectcard.web.access import reaches

ROLE_WORDS = {"owner": "Owner", "staff": "Staff", "viewer": "May look"}
REVIEW = "/cards/review"
HTMX_CONFIG = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "allowScriptTags": False,
    "historyCacheSize": 0,
    # What came in works at once: with a delay a quick key press would meet a button without its meaning.
    "defaultSettleDelay": 0,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        {"code": "422", "swap": True},
        {"code": "[45]..", "swap": False, "error": True},
    ],
}


@dataclass(frozen=True)
class Place:
    """A page that one can go to from everywhere."""

    words: str
    path: str
    icon: str = ""
    count: int = 0
    root: str = ""

    @property
    def here(self) -> bool:
        """Whether the page that is being made is this one or stands below it, or below `root` where that is another address."""
        root = self.root or self.path
        below = root != "/" and request.path.startswith(root + "/") and not request.path.startswith(REVIEW)
        return request.path in (self.path, root) or below


@dataclass(frozen=True)
class Group:
    heading: str
    places: Sequence[Place] = field(default_factory=list)


def navigation() -> list[Group]:
    """The way around; the first group is also the bottom bar of a phone."""
    counts = cards_in_sync.counts()
    open_cards = counts[cards_in_sync.NEEDS_YOU] + counts[cards_in_sync.READY]
    return [
        Group(
            "",
            [
                Place("Home", "/", "home"),
                Place("Cards", "/cards", "cards", open_cards),
                Place("Duplicates", REVIEW, "people", questions.count()),
                Place("Sync", "/runs", "sync"),
            ],
        ),
        Group(
            "Directory",
            [
                Place("People", "/people"),
                Place("Families", "/families"),
                Place("Groups", "/groups"),
                Place("Both sides", "/ownership", count=conflicts.count()),
                Place("Send", "/send", count=push_board.count()),
            ],
        ),
        Group(
            "Planning Center",
            [
                Place("Connection", "/connection"),
                Place("Field mapping", "/mapping"),
                Place("Webhooks", "/webhooks"),
                *views_of_planning_center(),
            ],
        ),
    ]


def views_of_planning_center() -> list[Place]:
    """What can be looked at; a section leads to the first of its views that the member may see."""
    seen = {section: [view for view in tabs_of(section) if reaches(g.member, view.role)] for section in SECTIONS}
    return [Place(section, f"/views/{views[0].key}", root=f"/views/{tabs_of(section)[0].key}") for section, views in seen.items() if views]


def init_app(app: Flask) -> None:
    app.context_processor(words_of_every_page)


def words_of_every_page() -> dict[str, Any]:
    """`framed` says whether a member is in and the church's scope is open: only then may a page ask about the church."""
    words: dict[str, Any] = {"static_url": static_url, "framed": g.get("framed", False)}
    if not words["framed"]:
        return words
    connection = find_connection()
    return words | {
        "navigation": navigation(),
        "role_words": ROLE_WORDS,
        "htmx_config": HTMX_CONFIG,
        "sign_in": connection if connection is not None and _is_in_trouble(connection) else None,
        "connected": connection is not None and connection.state == CONNECTED,
    }


def _is_in_trouble(connection: Connection) -> bool:
    """Whether its sign-in needs an owner, or was not renewed for now."""
    return connection.state == RECONNECT or connection.not_renewed


def static_url(name: str) -> str:
    """The address of a static file with a mark of its content, so that a browser may keep it for a year."""
    folder = current_app.static_folder
    return url_for("static", filename=name, v=_mark_of(Path(folder or "") / name))


@cache
def _mark_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
