"""From an answer on a card to what is sent for it; pure.

A choice is only ever sent as an option that exists: Planning Center makes a new option of any other text (its field_data documentation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectcard.cards.in_words import Labels, in_words
from connectcard.connections.models import RemoteChoice
from connectcard.sync.card_fields import CAMPUS, CHOICE_TYPES, FIELDS, MEMBERSHIP, NOTE, NOTHING, WORKFLOW_CARD, example
from connectcard.sync.models import Destination
from connectcard.sync.places import TARGETS, label_of, option_for, options_of, place, sent_as, target_of, why_gone


@dataclass(frozen=True)
class Resolved:
    """What one answer becomes: the values to send, and in words what could not be sent and why."""

    values: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def resolve(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels | None = None) -> Resolved:
    """What is sent for an answer. Pure.

    `choices` is `offered()`, `words` is `labels()`. An unanswered field sends nothing. A choice is sent as the existing option
    with the same normalised text, or not at all, with a problem that says so. Values are texts: option texts, an ISO date,
    "true", a campus's or workflow's id. An address is sent by its parts; here it is one line, for people to read.
    """
    words = words or {}
    if FIELDS[destination.card_field].constant:
        answer = destination.constant
    if destination.kind == NOTHING or answer in (None, "", False, [], {}):
        return Resolved()
    if destination.kind in TARGETS and not (destination.kind == WORKFLOW_CARD and destination.choices):
        return _into_target(destination, answer, choices, words)
    if destination.kind == WORKFLOW_CARD or destination.target in (MEMBERSHIP, CAMPUS):
        return _as_options(destination, answer, choices, words)
    return _as_text(destination, answer, words)


def _into_target(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    target = target_of(destination, choices)
    if target is None:
        return Resolved(problems=(f"{label_of(destination)}: {why_gone(destination)} Choose another place in Field mapping.",))
    if destination.kind == WORKFLOW_CARD:
        return Resolved((target.remote_id,))
    return _as_text(destination, answer, words) if destination.kind == NOTE else _into_field(destination, target, answer, choices, words)


def _into_field(destination: Destination, target: RemoteChoice, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    data_type = target.detail.get("data_type")
    if data_type not in FIELDS[destination.card_field].data_types:
        return Resolved(problems=(f"{label_of(destination)} does not fit “{target.name}”, which is now a {data_type} field.",))
    if data_type in CHOICE_TYPES:
        return _as_options(destination, answer, choices, words)
    return Resolved(("true",)) if data_type == "boolean" else _as_text(destination, answer, words)


def _as_text(destination: Destination, answer: Any, words: Labels) -> Resolved:
    text = in_words(destination.card_field, answer, words)
    return Resolved((text,) if text else ())


def _as_options(destination: Destination, answer: Any, choices: Sequence[RemoteChoice], words: Labels) -> Resolved:
    options = options_of(destination, choices)
    keys = answer if isinstance(answer, list) else [answer]
    wanted = {key: wanted_option(destination, key, words) for key in keys}
    found = {key: option_for(options, text) for key, text in wanted.items() if text}
    values = [sent_as(option) for option in found.values() if option]
    problems = [_no_option(destination, key, choices, words) for key, option in found.items() if option is None]
    return Resolved(tuple(dict.fromkeys(values)), tuple(problems))


def wanted_option(destination: Destination, key: str, words: Labels) -> str:
    """The text (or id) that one choice on the card is meant to become; "" where the church does not send it."""
    return destination.choices.get(key, words.get(destination.card_field, {}).get(key, key))


def _no_option(destination: Destination, key: str, choices: Sequence[RemoteChoice], words: Labels) -> str:
    answer = in_words(destination.card_field, key, words)
    return f"“{answer}” has no matching choice in {place(destination, choices)}, so it is not sent."


def warnings(destination: Destination, choices: Sequence[RemoteChoice], words: Labels) -> tuple[str, ...]:
    """What would go wrong with the answers that can be given, in words; choices without a match make one sentence."""
    answers = list(words.get(destination.card_field, {}))
    lost = [in_words(destination.card_field, key, words) for key in answers if _has_no_option(destination, key, choices, words)]
    if lost:
        are = "have no matching choice in" if len(lost) > 1 else "has no matching choice in"
        not_sent = "are not sent" if len(lost) > 1 else "is not sent"
        return (f"{', '.join(lost)} {are} {place(destination, choices)} and {not_sent}.",)
    return resolve(destination, answers[0] if answers else example(destination.card_field), choices, words).problems


def _has_no_option(destination: Destination, key: str, choices: Sequence[RemoteChoice], words: Labels) -> bool:
    resolved = resolve(destination, key, choices, words)
    return bool(resolved.problems and options_of(destination, choices))
