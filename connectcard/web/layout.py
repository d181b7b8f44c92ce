"""What every staff page shows around its content: the way around, counts, addresses of static files."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, request, url_for

ROLE_WORDS = {"owner": "Owner", "staff": "Staff", "viewer": "May look"}
HTMX_CONFIG = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "allowScriptTags": False,
    "historyCacheSize": 0,
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

    @property
    def here(self) -> bool:
        """Whether the page that is being made is this one or stands below it."""
        return request.path == self.path or (self.path != "/" and request.path.startswith(self.path + "/"))


@dataclass(frozen=True)
class Group:
    heading: str
    places: Sequence[Place] = field(default_factory=list)


def navigation() -> list[Group]:
    """The way around; the first group is also the bottom bar of a phone."""
    return [
        Group("", [Place("Home", "/", "home"), Place("Cards", "/cards", "cards"), Place("Sync", "/runs", "sync")]),
        Group("Planning Center", [Place("Connection", "/connection"), Place("Field mapping", "/mapping")]),
    ]


def init_app(app: Flask) -> None:
    app.context_processor(words_of_every_page)


def words_of_every_page() -> dict[str, Any]:
    static: dict[str, Any] = {"static_url": static_url}
    if "member" not in g:
        return static
    return static | {"navigation": navigation(), "role_words": ROLE_WORDS, "htmx_config": HTMX_CONFIG, "reconnect_needed": False}


def static_url(name: str) -> str:
    """The address of a static file with a mark of its content, so that a browser may keep it for a year."""
    folder = current_app.static_folder
    return url_for("static", filename=name, v=_mark_of(Path(folder or "") / name))


@cache
def _mark_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
