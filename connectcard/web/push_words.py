"""What pushes and the kinds of records in them are called on the pages, and where a record stands in our directory."""

from uuid import UUID

from flask import url_for

from connectcard.sync.approvals import stopped_as_changed
from connectcard.sync.held_up import is_held_up
from connectcard.sync.models import (
    FAILED,
    FAMILY,
    GROUP,
    IGNORED,
    MEMBERSHIP,
    PERSON,
    PUSH_FAMILIES,
    PUSH_FULL,
    PUSH_GROUPS,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    REVIEW,
    SYNCED,
    WAITING,
    SyncItem,
)
from connectcard.sync.push_board import group_of
from connectcard.web.card_words import Status
from connectcard.web.times import clock_time, on_the_clock

WORDS = {
    PUSH_PEOPLE: "People",
    PUSH_FAMILIES: "Families and their people",
    PUSH_GROUPS: "Groups",
    PUSH_MEMBERSHIPS: "Group memberships and their people",
    PUSH_FULL: "Everything",
}
KIND_WORDS = {PERSON: "Person", FAMILY: "Family", GROUP: "Group", MEMBERSHIP: "Group membership"}


def standing(item: SyncItem) -> Status:
    """How far a record has come, in few words."""
    match item.state:
        case "synced":
            return Status("ok", f"Sent {on_the_clock(item.synced_at)}" if item.synced_at else "Sent")
        case "review":
            return Status("warn", "Changed since approved" if stopped_as_changed(item) else "Needs you")
        case "failed":
            return Status("bad", "Not accepted")
        case "ignored":
            return Status("", "Left alone")
        case "waiting" if is_held_up(item):
            return Status("warn", "Waits for a press")
        case "waiting":
            return Status("", f"Waiting until {clock_time(item.due_at)}")
        case _:
            return Status("info", "On its way")


NEXT = {
    SYNCED: "This is in Planning Center.",
    FAILED: "Mend it here or there and try again; what was written already is not written twice.",
    IGNORED: "This is kept here and not sent, until somebody changes it again.",
    WAITING: "It goes on by itself; nobody needs to do anything.",
    REVIEW: "",
}


def next_step(item: SyncItem) -> str:
    """What happened, and what is next."""
    said = "" if is_held_up(item) else NEXT.get(item.state, "A worker sends it in a moment.")
    words = (said, item.reason) if item.state == SYNCED else (item.reason, said)
    return " ".join(filter(None, words))


def address_of(kind: str, subject_id: UUID) -> str:
    """The page of a record in our directory; a membership stands on its group's."""
    if kind == PERSON:
        return url_for("directory.person", person_id=subject_id)
    if kind == FAMILY:
        return url_for("directory.family", family_id=subject_id)
    group_id = subject_id if kind == GROUP else group_of(subject_id)
    return url_for("directory.group", group_id=group_id) if group_id else ""
