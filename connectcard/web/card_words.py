"""How far a card has come, in the words of the staff pages: a short status, and what happens next and by whom."""

from dataclasses import dataclass
from typing import Any

from flask import Flask

from connectcard.people.identity import in_writing
from connectcard.sync.approvals import stopped_as_changed
from connectcard.sync.cards_in_sync import NEW, READY, SENDING, SUSPECTED, TO_DO, CardInSync
from connectcard.sync.families import named
from connectcard.sync.forms import AWAITS
from connectcard.sync.held_up import asks_for_sync, is_held_up
from connectcard.sync.models import DONE, FAILED, IGNORED, INTENT, LEFT_OUT, PLANNED, REFUSED, REVIEW, SYNCED, WAITING, SyncStep
from connectcard.sync.plans import REACTIVATE, REMOVE_CONTACT, UPDATE_CONTACT, UPDATE_GROUP, UPDATE_PERSON
from connectcard.sync.push_family_plans import RENAME_HOUSEHOLD
from connectcard.sync.questions import may_be_undone
from connectcard.sync.taken_back import was_taken_back
from connectcard.web.times import clock_time, on_the_clock

WRITE_WORDS = {REFUSED: "Not accepted", INTENT: "Sent, waiting for the answer", PLANNED: "To do", LEFT_OUT: "Left out"}
CHANGES = (UPDATE_PERSON, REACTIVATE, UPDATE_CONTACT, UPDATE_GROUP, RENAME_HOUSEHOLD)
CAME_FROM = {"tablet": "Tablet", "phone": "Phone", "qr": "QR code"}
LIST_WORDS = {
    NEW: "New",
    READY: "Ready",
    SENDING: "Sending",
    WAITING: "Waiting",
    REVIEW: "Needs a decision",
    FAILED: "Rejected",
    TO_DO: "To do",
    SYNCED: "Synced",
    SUSPECTED: "Suspected",
    IGNORED: "Ignored",
}


@dataclass(frozen=True)
class Status:
    """A pill and the line under it; its tone is ok, warn, bad, info or "" (quiet)."""

    tone: str
    words: str
    detail: str = ""


def init_app(app: Flask) -> None:
    for words in (written_so, status, next_step, matched_name, came_from, named, in_writing, can_be_undone, taken_back, asks_for_sync):
        app.add_template_filter(words)


def written_so(step: SyncStep) -> str:
    """What was done with a write of a receipt: a record was made, changed or removed, or was found as it was to be."""
    if step.state != DONE:
        return WRITE_WORDS[step.state]
    return "Found" if step.found else "Removed" if step.kind == REMOVE_CONTACT else "Changed" if step.kind in CHANGES else "Created"


def status(card: CardInSync) -> Status:
    """The few words that a list shows for a card."""
    item = card.item
    if card.standing == SUSPECTED:
        return Status("warn", "Suspected, decide")
    if item is None or card.standing in (NEW, READY, SENDING, IGNORED):
        return Status("" if card.standing == IGNORED else "info", LIST_WORDS[card.standing])
    match card.standing:
        case "review" if was_taken_back(item):
            return Status("warn", "Taken back")
        case "review":
            return Status("warn", "Changed since approved" if stopped_as_changed(item) else question(item.decision))
        case "failed":
            return Status("bad", "Rejected", item.reason or "")
        case "to_do":
            return Status("warn", "Synced, one thing to do", item.to_do or "")
        case "waiting" if is_held_up(item):
            return Status("warn", "Waits for a press", item.reason or "")
        case "waiting":
            return Status("", f"Waiting until {clock_time(item.due_at)}", item.reason or "")
        case _ if AWAITS in (item.reason or ""):
            return Status("info", "Waiting for the visitor’s confirmation", matched(item.decision))
        case _:
            return Status("ok", f"Synced {on_the_clock(item.synced_at)}" if item.synced_at else "Synced", matched(item.decision))


def matched(decision: dict[str, Any] | None) -> str:
    """Whom a synced card became."""
    if not decision or decision["kind"] in ("new", "household"):
        return "New person" if decision else ""
    name = name_of(decision)
    return f"Matched to {name}" if name else "Matched"


def name_of(decision: dict[str, Any]) -> str:
    """The name of the person that a decision is about, as matching saw them; "" where it makes somebody."""
    names = {candidate["remote_id"]: candidate["name"] for candidate in decision.get("candidates", [])}
    return str(names.get(decision.get("person"), ""))


def matched_name(card: CardInSync) -> str:
    """The name of the person whom a card reached, as matching saw them; "" where it made them."""
    return name_of((card.item.decision if card.item else None) or {})


def next_step(card: CardInSync) -> str:
    """Why a card stands where it does, what happens next, and whose turn it is."""
    reason = sentence(card.item.reason if card.item else None)
    match card.standing:
        case "ready" if card.item and any(step.state in (DONE, INTENT) for step in card.item.steps):
            return "Begun in a sync that was stopped. The rest goes to Planning Center with the next sync."
        case "new" | "ready":
            return "Goes to Planning Center with the next sync. Nothing was written yet."
        case "sending":
            return "This card is being sent right now. This page follows by itself."
        case "waiting" if is_held_up(card.item):
            return reason
        case "waiting":
            return f"{reason} This card goes on by itself; nobody needs to do anything.".strip()
        case "review" if stopped_as_changed(card.item) or was_taken_back(card.item):
            return reason
        case "review":
            return f"{reason} Say who this is, and the card goes on.".strip()
        case "failed":
            return f"{reason} Mend the card and send it again; what was written already is not written twice.".strip()
        case "to_do":
            return f"This card is in Planning Center. {reason} One thing is left for you to do.".replace("  ", " ")
        case "suspected":
            why = f" ({card.submission.state_reason})" if card.submission.state_reason else ""
            return f"This card looks like abuse{why}. It is sent only if you say that it is a real one."
        case "ignored":
            return "This card is left alone: it is kept here and not sent."
        case _:
            return f"This card is in Planning Center. {reason}".strip()


def sentence(reason: str | None) -> str:
    """A reason with its full stop, so that others can follow it."""
    if not reason:
        return ""
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def question(decision: dict[str, Any] | None) -> str:
    """What staff are asked about a card that could be somebody who is already there."""
    agreeing = [agreeing_points(candidate) for candidate in (decision or {}).get("candidates", [])]
    named = [found for found in agreeing if {"first name", "last name"} <= found]
    fitting = [found for found in named if found & {"email", "mobile number"}]
    sharing = [found for found in agreeing if found & {"email", "mobile number"}]
    if len(fitting) > 1:
        return f"{'Two' if len(fitting) == 2 else len(fitting)} possible matches"
    if sharing:
        return f"Same {'email' if 'email' in sharing[0] else 'mobile number'}, different name"
    return "Same name, other contacts" if named else "Needs a decision"


def agreeing_points(candidate: dict[str, Any]) -> set[str]:
    """Which of the four points agree; a reason reads "Same email: ana@gmail.com"."""
    points = ("first name", "last name", "email", "mobile number")
    words = [reason["words"].casefold() for reason in candidate["reasons"] if reason["agrees"] == "yes"]
    return {point for point in points if any(point in said.partition(":")[0] for said in words)}


def can_be_undone(card: CardInSync) -> bool:
    return may_be_undone(card.item)


def taken_back(card: CardInSync) -> bool:
    return was_taken_back(card.item)


def came_from(where: str) -> str:
    return CAME_FROM.get(where, where.capitalize())
