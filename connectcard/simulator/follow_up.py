"""Workflow cards and lists: what happens besides writing."""

from typing import Any

from connectcard.simulator.answers import invalid, not_found
from connectcard.simulator.catalogue import FACTS
from connectcard.simulator.mails import post_mail
from connectcard.simulator.moments import stamp
from connectcard.simulator.questions import condition, whole_number
from connectcard.simulator.rules import Desk, keep, require
from connectcard.simulator.store import Condition, Row

DAY = 86_400


def act_on_card(desk: Desk, card: Row, action: str, told: dict[str, Any]) -> None:
    """`told` is what the body says for the action; the answer is empty, the card tells how it stands."""
    steps = sorted(desk.store.below("WorkflowStep", card.parent or 0), key=lambda step: (step["sequence"] or 0, step.id))
    if action in ("promote", "skip_step"):
        move_card(desk, card, steps, +1)
    elif action == "go_back":
        move_card(desk, card, steps, -1)
    elif action == "remove":
        card.attributes |= {"stage": "removed", "removed_at": desk.now}
    elif action in ("restore", "unsnooze"):
        card.attributes |= {"stage": "ready", "removed_at": None, "snooze_until": None}
    elif action == "snooze":
        days = min(365, max(1, whole_number(told.get("duration")) or 1))
        card.attributes |= {"stage": "snoozed", "snooze_until": stamp(desk.seconds + DAY * days)}
    elif action == "send_email":
        send_email(desk, card, told)
    desk.save(card)


def move_card(desk: Desk, card: Row, steps: list[Row], by: int) -> None:
    """On from the last step a card is completed; back from there it is ready again at the last step."""
    place = next((number for number, step in enumerate(steps) if step.id == card.relations.get("current_step")), 0) + by
    if card["stage"] == "completed":
        place = len(steps) - 1 if by < 0 else len(steps)
    card.attributes |= {"stage": "ready", "snooze_until": None, "completed_at": None}
    if place >= len(steps):
        card.attributes |= {"stage": "completed", "completed_at": desk.now}
    elif place >= 0:
        card.attributes["moved_to_step_at"] = desk.now
        card.relations["current_step"] = steps[place].id


def send_email(desk: Desk, card: Row, told: dict[str, Any]) -> None:
    person = desk.find("Person", card.person)
    if not str(told.get("subject") or "").strip():
        raise invalid("WorkflowCard", "subject")
    if person:
        post_mail(desk, person, str(told["subject"]))


def wake_cards(desk: Desk) -> None:
    """Cards whose rest is over are ready again."""
    asleep = [Condition("record.kind = 'WorkflowCard' and record.organization = ?", (desk.organization,))]
    over = "json_extract(record.attributes, '$.stage') = 'snoozed' and json_extract(record.attributes, '$.snooze_until') <= ?"
    for card in desk.store.find([*asleep, Condition(over, (desk.now,))]):
        card.attributes |= {"stage": "ready", "snooze_until": None}
        desk.save(card)


def check_card_note(desk: Desk, note: Row) -> None:
    """A note of a card that names a category stands on the person's profile as well."""
    require(note, "note")
    card = desk.find("WorkflowCard", note.parent)
    if card is None:
        raise not_found()
    note.person = card.person
    if category := note.relations.get("note_category"):
        keep(desk, Row("Note", desk.organization, {"note": note["note"]}, person=card.person, parent=category))


def run_list(desk: Desk, found: Row, action: str, told: dict[str, Any]) -> None:
    """Look for the people that the list's rule describes now; who no longer fits leaves it."""
    wanted = set(people_of_rule(desk, found))
    for result in desk.store.below("ListResult", found.id):
        if result.person in wanted:
            wanted.discard(result.person)
        else:
            desk.store.remove(result)
    for person in sorted(wanted):
        desk.save(Row("ListResult", desk.organization, person=person, parent=found.id))
    found.attributes |= {"refreshed_at": desk.now, "batch_completed_at": desk.now, "status": "complete"}
    desk.save(found)


def people_of_rule(desk: Desk, found: Row) -> list[int]:
    """The rule of a practice list: attributes of Person with the values they must have."""
    person = FACTS["Person"]
    conditions = [condition(person, name, "", str(value)) for name, value in (found["rule"] or {}).items()]
    here = [Condition("record.kind = 'Person' and record.organization = ?", (desk.organization,))]
    return [row.id for row in desk.store.find([*here, *conditions])]
