"""What is to be written for contacts that were changed or removed here: pure, so that a preview is the plan, shown.

Only what staff themselves changed or removed is written, by the record's own id, and only while it stands there as it did then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectcard.people.contacts import (
    ADDRESS,
    PRIMARY,
    PRIMARY_WORDS,
    WORDS,
    Content,
    Part,
    compared,
    content_of,
    field_of,
    in_words,
    kind_of,
    mark_of,
    primary_of,
    says_the_same,
)
from connectcard.people.marks import value_mark
from connectcard.people.models import EMAIL
from connectcard.sync.plans import REMOVE_CONTACT, UPDATE_CONTACT, PlannedStep

BOTH_SIDES = "It was changed here and in Planning Center. Decide which of both stands, then send again."
THERE_TWICE = (
    "This person has the new one in Planning Center already, beside the old one. Take the change back here, or remove one of both."
)
# Of a removal: which one of its kind Planning Center made the primary one in its place.
INSTEAD = "instead"
STREET = {"street": "street_line_1", "street2": "street_line_2", "city": "city", "state": "state", "zip": "zip"}


@dataclass(frozen=True)
class ChangedContact:
    """What waits of one contact that stands there: no `ours` where it was removed here, `base` the mark of what stood there then.

    With `remote_id` contacts.PRIMARY it says which one of the kind is to be the primary one.
    """

    kind: str
    remote_id: str
    ours: Content | None
    base: str


def changed_contacts(changed: Sequence[ChangedContact], there: Sequence[Part], key: str) -> Iterator[PlannedStep]:
    """The writes for what was changed, then those that say which is primary; `there` are the contacts as they stand."""
    for one in changed:
        if one.ours is not None and one.remote_id != PRIMARY:
            yield from _changed(one, one.ours, there, key)
    for one in changed:
        if one.remote_id == PRIMARY:
            yield from _made_primary(one, one.ours or {}, there, key)


def removed_contacts(changed: Sequence[ChangedContact], there: Sequence[Part], key: str) -> Iterator[PlannedStep]:
    """Removals come last, so that there is another primary one before the old one goes."""
    for one in changed:
        now = _standing(one.kind, one.remote_id, there)
        if one.ours is None and now is not None:
            theirs = content_of(now)
            yield PlannedStep(
                REMOVE_CONTACT,
                field_of(one.kind, one.remote_id),
                WORDS[one.kind],
                {"of": one.kind, "record": one.remote_id, "was": compared(theirs)},
                "Removed",
                in_words(theirs),
                problem=None if mark_of(theirs, key) == one.base else BOTH_SIDES,
                before={**wire(one.kind, theirs), PRIMARY: now.primary},
            )


def untouched(changed: Sequence[ChangedContact], there: Sequence[Part]) -> list[Part]:
    """The contacts that stay there as they are: what is changed or removed stands in nobody's way."""
    named = {(one.kind, one.remote_id) for one in changed}
    return [part for part in there if (kind_of(part), part.remote_id) not in named]


def primary_additions(changed: Sequence[ChangedContact], there: Sequence[Part], key: str) -> Collection[str]:
    """The kinds of which one that is only here yet is to be the primary one there, while nobody chose another one there."""
    added = [one for one in changed if one.remote_id == PRIMARY and not (one.ours or {}).get("remote_id")]
    return {one.kind for one in added if one.base == value_mark(key, _primary_id(one.kind, there))}


def wire(kind: str, content: Content) -> dict[str, Any]:
    """A contact as it is sent, by Planning Center's names."""
    place = {"location": content["location"]} if content.get("location") else {}
    if kind != ADDRESS:
        return {"address" if kind == EMAIL else "number": content.get("display") or content["value"], **place}
    country = {"country_code": content["country_code"]} if content.get("country_code") else {}
    return {theirs: content.get(ours) or None for ours, theirs in STREET.items()} | country | place


def _changed(one: ChangedContact, ours: Content, there: Sequence[Part], key: str) -> Iterator[PlannedStep]:
    now = _standing(one.kind, one.remote_id, there)
    theirs = content_of(now) if now else None
    if compared(ours) == compared(theirs):
        return
    told, stood = wire(one.kind, ours), wire(one.kind, theirs) if theirs else {}
    attributes = {name: value for name, value in told.items() if value != stood.get(name)}
    yield PlannedStep(
        UPDATE_CONTACT,
        field_of(one.kind, one.remote_id),
        WORDS[one.kind],
        {"of": one.kind, "record": one.remote_id, "attributes": attributes, "content": dict(ours), "was": compared(theirs)},
        in_words(ours),
        in_words(theirs),
        problem=_why_not(one, ours, theirs, there, key),
        before={name: stood.get(name) for name in attributes},
    )


def _why_not(one: ChangedContact, ours: Content, theirs: Content | None, there: Sequence[Part], key: str) -> str | None:
    if mark_of(theirs, key) != one.base:
        return BOTH_SIDES
    others = [part for part in there if kind_of(part) == one.kind and part.remote_id != one.remote_id]
    return THERE_TWICE if any(says_the_same(content_of(part), ours) for part in others) else None


def _made_primary(one: ChangedContact, ours: Mapping[str, Any], there: Sequence[Part], key: str) -> Iterator[PlannedStep]:
    now, instead_of = _standing(one.kind, ours.get("remote_id") or "", there), primary_of(there, one.kind)
    if now is None or now.primary:
        return
    yield PlannedStep(
        UPDATE_CONTACT,
        field_of(one.kind, PRIMARY),
        PRIMARY_WORDS[one.kind],
        {"of": one.kind, "record": now.remote_id, "attributes": {PRIMARY: True}, "instead_of": _primary_id(one.kind, there)},
        in_words(ours),
        in_words(content_of(instead_of)) if instead_of else "",
        problem=None if value_mark(key, _primary_id(one.kind, there)) == one.base else BOTH_SIDES,
        before={PRIMARY: False},
    )


def _standing(kind: str, remote_id: str, there: Sequence[Part]) -> Part | None:
    return next((part for part in there if (kind_of(part), part.remote_id) == (kind, remote_id)), None)


def _primary_id(kind: str, there: Sequence[Part]) -> str | None:
    part = primary_of(there, kind)
    return part.remote_id if part else None
