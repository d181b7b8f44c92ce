"""From the answers on a card to what should be true in Planning Center."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectcard.cards.in_words import Labels
from connectcard.connections.models import RemoteChoice
from connectcard.people.identity import e164, normalised_email
from connectcard.people.matching import Visitor
from connectcard.sync import card_fields, families, places, resolving
from connectcard.sync.forms import FORM_FIELD
from connectcard.sync.group_wishes import WantedGroup
from connectcard.sync.models import Destination
from connectcard.sync.plans import Wanted, WantedAnswer, WantedField, WantedForm, WantedNote, WantedWorkflowCard


@dataclass(frozen=True)
class CardAnswers:
    """A card as it is sent: the answers with the corrections applied, and the sealed parts opened for this moment; `group` is the group
    of its answer, as it stands in our directory.

    `mark_of` gives the mark (`remote_id`) of each of the family, by their number.
    """

    answers: Mapping[str, Any]
    prayer: str | None
    family: str | None
    received_at: datetime
    group: WantedGroup | None = None
    linked: str | None = None
    mark_of: Callable[[int], int] = int


@dataclass(frozen=True)
class ChurchWishes:
    """Where the church wants each answer, and what there is to choose from."""

    where: Mapping[str, Destination]
    choices: Sequence[RemoteChoice]
    words: Labels
    country_code: str
    time_zone: str
    form_id: str | None = None
    form_name: str = ""


def visitor_from(card: CardAnswers, wishes: ChurchWishes) -> Wanted:
    """What this card wants; an answer that cannot be sent as it is becomes a problem in words, never a guess."""
    answers, where = card.answers, wishes.where
    resolved = {field: resolving.resolve(where[field], answer, wishes.choices, wishes.words) for field, answer in _answers(card, wishes)}
    sent = {field: result.values for field, result in resolved.items() if result.values}
    return Wanted(
        visitor=_visitor(card, wishes),
        email=answers.get("email", "") if where["email"].kind == card_fields.EMAIL else "",
        phone=answers.get("phone", "") if where["phone"].kind == card_fields.PHONE else "",
        address=_address(answers.get("address"), wishes) if where["address"].kind == card_fields.ADDRESS else None,
        attributes=_attributes(sent, where, constant=False),
        for_new=_attributes(sent, where, constant=True),
        fields=tuple(_fields(sent, where, wishes.choices)),
        notes=tuple(_notes(sent, where)),
        workflow_cards=tuple(_workflow_cards(sent, where)),
        family=_family(card) if where["family"].kind == card_fields.HOUSEHOLD else (),
        form=_form(card, sent, wishes) if wishes.form_id else None,
        group=card.group if where["group"].kind == card_fields.GROUP else None,
        problems=tuple(problem for result in resolved.values() for problem in result.problems),
    )


def _visitor(card: CardAnswers, wishes: ChurchWishes) -> Visitor:
    answers = card.answers
    return Visitor(
        first_name=answers.get("first_name", ""),
        last_name=answers.get("last_name", ""),
        email=normalised_email(answers.get("email")),
        phone=e164(answers.get("phone"), wishes.country_code),
        linked=card.linked,
    )


def _family(card: CardAnswers) -> tuple[families.WantedMember, ...]:
    return families.members_of(json.loads(card.family or "{}"), card.answers.get("last_name", ""), card.mark_of)


def _answers(card: CardAnswers, wishes: ChurchWishes) -> list[tuple[str, Any]]:
    first_visit = card_fields.first_visit_date(card.answers, card.received_at, wishes.time_zone)
    family = json.loads(card.family) if card.family else None
    # Where the family goes as words, the ages stand in them.
    ages_apart = wishes.where["family"].kind == card_fields.HOUSEHOLD
    derived = {
        "prayer": card.prayer,
        "family": family,
        "ages": card_fields.ages_of(family or {}) if ages_apart else None,
        "first_visit_date": first_visit,
        "membership": None,
        "campus": None,
    }
    return [(field, derived.get(field, card.answers.get(field))) for field in wishes.where]


def _attributes(sent: Mapping[str, tuple[str, ...]], where: Mapping[str, Destination], *, constant: bool) -> dict[str, str]:
    return {
        str(where[field].target): values[0]
        for field, values in sent.items()
        if where[field].kind == card_fields.PERSON_ATTRIBUTE
        and card_fields.FIELDS[field].constant is constant
        and not card_fields.FIELDS[field].fixed
    }


def _fields(sent: Mapping[str, tuple[str, ...]], where: Mapping[str, Destination], choices: Sequence[RemoteChoice]) -> list[WantedField]:
    wanted = []
    for field, values in sent.items():
        target = places.target_of(where[field], choices)
        if where[field].kind == card_fields.CUSTOM_FIELD and target is not None:
            multiple = target.detail.get("data_type") == "checkboxes"
            private = field in card_fields.PRIVATE
            wanted += [WantedField(target.remote_id, target.name, value, multiple, private) for value in values]
    return wanted


def _form(card: CardAnswers, sent: Mapping[str, tuple[str, ...]], wishes: ChurchWishes) -> WantedForm:
    answers = [answer for field, values in sent.items() for answer in _form_answers(field, values, card, wishes)]
    return WantedForm(str(wishes.form_id), wishes.form_name, card.received_at.isoformat(), tuple(answers))


def _form_answers(field: str, values: tuple[str, ...], card: CardAnswers, wishes: ChurchWishes) -> list[WantedAnswer]:
    """One answer for each value, as Planning Center wants them: option ids, and phone numbers and addresses by their parts."""
    destination = wishes.where[field]
    target = places.target_of(destination, wishes.choices)
    if destination.kind != FORM_FIELD or target is None:
        return []
    names = {option.remote_id: option.name for option in places.options_of(destination, wishes.choices)}
    return [_form_answer(field, value, target, card, wishes, names) for value in values]


def _form_answer(
    field: str, value: str, target: RemoteChoice, card: CardAnswers, wishes: ChurchWishes, names: Mapping[str, str]
) -> WantedAnswer:
    sent = _form_value(field, value, target, card, wishes)
    return WantedAnswer(target.remote_id, field, target.name, sent, _shown(field, value, target, names))


def _shown(field: str, value: str, target: RemoteChoice, names: Mapping[str, str]) -> str:
    """What a page may show: a preview is kept in the open, so prayers and families are never quoted."""
    if field in card_fields.PRIVATE:
        return "What they wrote"
    return "Yes" if target.detail.get("data_type") == "boolean" else names.get(value, value)


def _form_value(field: str, value: str, target: RemoteChoice, card: CardAnswers, wishes: ChurchWishes) -> Any:
    if target.detail.get("data_type") == "boolean":
        return True
    if field == "phone":
        return {"number": card.answers["phone"], "location": "Mobile"}
    if field == "address":
        return _address_in_form(_address(card.answers["address"], wishes) or {})
    return value


def _address_in_form(address: Mapping[str, str]) -> dict[str, str]:
    """A form says `street` where the profile says `street_line_1` (reference: Planning Center People, 3.8)."""
    street = ", ".join(filter(None, (address.get("street_line_1"), address.get("street_line_2"))))
    kept = {name: address.get(name, "") for name in ("city", "state", "zip", "country_code")}
    return {"street": street, **kept, "location": "Home"}


def _notes(sent: Mapping[str, tuple[str, ...]], where: Mapping[str, Destination]) -> list[WantedNote]:
    """One note for each category: what several answers say stands in it line by line."""
    lines: dict[str, list[str]] = {}
    labels: dict[str, list[str]] = {}
    for field, values in sent.items():
        if where[field].kind == card_fields.NOTE:
            label = card_fields.FIELDS[field].label
            lines.setdefault(str(where[field].target), []).append(f"{label}: {', '.join(values)}")
            labels.setdefault(str(where[field].target), []).append(label)
    return [WantedNote(category, f"Note: {', '.join(labels[category])}", "\n".join(text)) for category, text in lines.items()]


def _workflow_cards(sent: Mapping[str, tuple[str, ...]], where: Mapping[str, Destination]) -> list[WantedWorkflowCard]:
    wanted = {
        workflow: card_fields.FIELDS[field].label
        for field, values in sent.items()
        if where[field].kind == card_fields.WORKFLOW_CARD
        for workflow in values
    }
    return [WantedWorkflowCard(workflow, f"Workflow card: {label}") for workflow, label in wanted.items()]


def _address(address: Mapping[str, str] | None, wishes: ChurchWishes) -> dict[str, str] | None:
    if not address or not address.get("street"):
        return None
    return {
        "street_line_1": address["street"],
        "street_line_2": address.get("street2", ""),
        "city": address.get("city", ""),
        "state": address.get("state", ""),
        "zip": address.get("zip", ""),
        "country_code": address.get("country") or wishes.country_code,
    }
