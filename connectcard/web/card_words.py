"""How far a card has come, in the words of the staff pages: a short status, and what happens next and by whom."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, g

from connectcard.config import PLANNING_CENTER_URL
from connectcard.sync.cards_in_sync import NEW, READY, SENDING, SUSPECTED, CardInSync
from connectcard.sync.models import FAILED, IGNORED, REVIEW, SYNCED, WAITING
from connectcard.web.times import clock_time, recently

CAME_FROM = {"tablet": "Tablet", "phone": "Phone", "qr": "QR code"}
LIST_WORDS = {
    NEW: "New",
    READY: "Ready",
    SENDING: "Sending",
    WAITING: "Waiting",
    REVIEW: "Needs a decision",
    FAILED: "Rejected",
    SYNCED: "Synced",
    SUSPECTED: "Suspected",
    IGNORED: "Ignored",
}


@dataclass(frozen=True)
class Status:
    """A pill: its tone is ok, warn, bad, info or "" (quiet)."""

    tone: str
    words: str


def init_app(app: Flask) -> None:
    for words in (status, person_link, came_from):
        app.add_template_filter(words)


def status(card: CardInSync) -> Status:
    """The few words that a list shows for a card."""
    item = card.item
    match card.standing:
        case "review":
            return Status("warn", question(item.decision if item else None))
        case "failed":
            return Status("bad", f"Rejected: {item.reason}" if item and item.reason else "Rejected")
        case "synced":
            return Status("ok", f"Synced {recently(item.synced_at)}" if item and item.synced_at else "Synced")
        case "waiting":
            return Status("", f"Waiting until {clock_time(item.due_at)}" if item else "Waiting")
        case "suspected":
            return Status("warn", "Suspected, decide")
        case "ignored":
            return Status("", "Ignored")
        case _:
            return Status("info", LIST_WORDS[card.standing])


def question(decision: dict[str, Any] | None) -> str:
    """What staff are asked about a card that could be somebody who is already there."""
    agreeing = [_agreeing(candidate) for candidate in (decision or {}).get("candidates", [])]
    named = [found for found in agreeing if {"first name", "last name"} <= found]
    fitting = [found for found in named if found & {"email", "mobile number"}]
    sharing = [found for found in agreeing if found & {"email", "mobile number"}]
    if len(fitting) > 1:
        return f"{'Two' if len(fitting) == 2 else len(fitting)} possible matches"
    if sharing:
        return f"Same {'email' if 'email' in sharing[0] else 'mobile number'}, different name"
    return "Same name, other contacts" if named else "Needs a decision"


def _agreeing(candidate: dict[str, Any]) -> set[str]:
    """Which of the four points agree; a reason reads "Same email: ana@gmail.com"."""
    points = ("first name", "last name", "email", "mobile number")
    words = [reason["words"].casefold() for reason in candidate["reasons"] if reason["agrees"] == "yes"]
    return {point for point in points if any(point in said.partition(":")[0] for said in words)}


def person_link(remote_id: str) -> str:
    """The address of a person's page in the church's Planning Center; a practice one serves it at its own origin."""
    origin = g.church.origin
    host = "https://people.planningcenteronline.com" if origin == PLANNING_CENTER_URL else origin
    return f"{host}/people/AC{remote_id}"


def came_from(where: str) -> str:
    return CAME_FROM.get(where, where.capitalize())
