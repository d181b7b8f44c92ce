"""What is kept of a record of Planning Center for a view. Pure; whatever an answer holds, something can be shown."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectcard.people.plain_letters import plain_words
from connectcard.planning_center import Record
from connectcard.sync.mappings import fitting, moment
from connectcard.sync.remote_views import Narrowing, View

LONGEST_TEXT = 500
LONGEST_NAME = 300
LONGEST_PAGE = 200


@dataclass(frozen=True)
class Kept:
    """A record as it is kept; `sealed_values` is the plain JSON of what is to be sealed, None where nothing is."""

    remote_id: str
    attributes: Mapping[str, Any]
    sealed_values: str | None
    at: datetime | None
    name_key: str
    marks: str
    page: str


def kept_of(view: View, record: Record) -> Kept:
    """A record cut down to the columns of its view."""
    sealed = {part: value_at(record, part) for column in view.columns if column.sealed for part in column.source.split()}
    open_ones = {part: value_at(record, part) for column in view.columns if not column.sealed for part in column.source.split()}
    name = " ".join(str(open_ones.get(part) or "") for part in view.columns[0].source.split())
    return Kept(
        remote_id=record.id[:40],
        attributes=open_ones,
        sealed_values=json.dumps(sealed, ensure_ascii=False) if sealed else None,
        at=moment(value_at(record, view.at)) if view.at else None,
        name_key=name_key_of(name),
        marks=marks_of(view.narrowings, record),
        page=page_of(view.page, record),
    )


def value_at(record: Record, path: str) -> Any:
    """An attribute, or one of each related record; text, a number or a truth, several as a list, None where there is nothing."""
    relation, _, attribute = path.rpartition(".")
    holders = related_records(record, relation) if relation else [record]
    values = [plain for holder in holders if (plain := _plain(holder[attribute])) is not None]
    return values[0] if len(values) == 1 else values or None


def related_records(record: Record, relation: str) -> list[Record]:
    """The included records that a relationship points at."""
    pointed_at = {(ref.type, ref.id) for ref in record.related(relation)}
    return [one for one in record.included if (one.type, one.id) in pointed_at]


def ids_at(record: Record, path: str) -> list[str]:
    """The ids that a relationship points at: "event", or "group.group_type" of the related record's own."""
    first, _, rest = path.partition(".")
    if rest:
        return [ref_id for one in related_records(record, first) for ref_id in ids_at(one, rest)]
    return [ref.id for ref in record.related(first)]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return fitting(value.strip(), LONGEST_TEXT) or None
    return value if isinstance(value, bool | int | float) else None


def name_key_of(name: str) -> str:
    """A name in plain letters, to be found by: José is jose."""
    return " ".join(plain_words(name))[:LONGEST_NAME]


def marks_of(narrowings: Sequence[Narrowing], record: Record) -> str:
    """Everything that a record can be filtered by, between bars."""
    return "".join(f"{mark(narrowing.name, code)}" for narrowing in narrowings for code in codes_of(narrowing, record)).replace("||", "|")


def mark(name: str, code: str) -> str:
    return f"|{name}={code.replace('|', ' ')}|"


def codes_of(narrowing: Narrowing, record: Record) -> list[str]:
    """What a record counts as under one filter: the ids of related records, or the code that it carries."""
    if narrowing.named or narrowing.of_view:
        return ids_at(record, narrowing.source)
    value = value_at(record, narrowing.source)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [code_of(one) for one in values]


def code_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def choices_of(narrowings: Sequence[Narrowing], records: Sequence[Record]) -> dict[str, dict[str, str]]:
    """What can be chosen in each filter, by the words that people read."""
    found = {narrowing.name: dict(_named(narrowing, records)) for narrowing in narrowings}
    return {name: dict(sorted(words.items(), key=lambda one: one[1].casefold())) for name, words in found.items()}


def _named(narrowing: Narrowing, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        if narrowing.named:
            relation, _, attribute = narrowing.named.rpartition(".")
            yield from ((one.id, str(_plain(one[attribute]) or one.id)) for one in related_records(record, relation))
        else:
            yield from ((code, narrowing.words.get(code, code)) for code in codes_of(narrowing, record))


def page_of(page: str, record: Record) -> str:
    """The address of a record's page, without the host; "" where a part of it is not known."""
    ids = {part: record.id if part == "id" else next(iter(ids_at(record, part)), "") for part in re.findall(r"\{([^}]+)\}", page)}
    if not page or not all(ids.values()):
        return ""
    for part, remote_id in ids.items():
        page = page.replace(f"{{{part}}}", quote(remote_id, safe=""))
    return page[:LONGEST_PAGE]
