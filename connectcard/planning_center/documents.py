"""JSON:API text <-> records. Planning Center's ids are text, whatever they look like."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

# Text that can be kept nowhere: PostgreSQL takes no NUL, and half of a pair of surrogates is in no encoding.
_KEPT_NOWHERE = re.compile("[\0\ud800-\udfff]")
_PERHAPS_KEPT_NOWHERE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")


class Malformed(ValueError):
    """An answer is not the JSON:API document it should be."""


@dataclass(frozen=True)
class Ref:
    """Which record a relationship points at."""

    type: str
    id: str


Related = Ref | Sequence[Ref] | None


@dataclass(frozen=True)
class Record:
    """One record as answered: its attributes, whom it points at, and the included records that belong to it."""

    type: str
    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    relationships: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)
    included: tuple["Record", ...] = ()

    def __getitem__(self, name: str) -> Any:
        """An attribute; None where the answer lacks it, since a token of little permission simply sees fewer of them."""
        return self.attributes.get(name)

    def related(self, name: str) -> list[Ref]:
        """Whom a relationship points at: none, one or several."""
        return list(self.relationships.get(name, ()))

    def included_of(self, type_: str) -> list["Record"]:
        return [record for record in self.included if record.type == type_]


@dataclass(frozen=True)
class Page:
    """One page of a list. `next_offset` is None on the last one; `total_count` counts the whole list."""

    records: tuple[Record, ...]
    included: tuple[Record, ...] = ()
    total_count: int | None = None
    next_offset: int | None = None


def write_document(
    type_: str,
    attributes: Mapping[str, Any],
    relationships: Mapping[str, Related] | None = None,
    remote_id: str | None = None,
    included: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> bytes:
    """The body of a create or an update; `included` are parts made together with it, a type and attributes each."""
    document: dict[str, Any] = {"type": type_}
    if remote_id is not None:
        document["id"] = remote_id
    document["attributes"] = dict(attributes)
    if relationships:
        document["relationships"] = {name: {"data": _write_related(related)} for name, related in relationships.items()}
    parts = {"included": [{"type": part, "attributes": dict(values)} for part, values in included]} if included else {}
    return _text({"data": document} | parts)


def write_action(attributes: Mapping[str, Any]) -> bytes:
    """The body of an action, which is of no type (documentation of WorkflowCard, examples of `snooze` and `send_email`)."""
    return _text({"data": {"attributes": dict(attributes)}})


def _text(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _write_related(related: Related) -> Any:
    if related is None:
        return None
    if isinstance(related, Ref):
        return {"type": related.type, "id": related.id}
    return [_write_related(one) for one in related]


def read_record(body: bytes | str) -> Record:
    """The single record of an answer, with everything included. Raises Malformed."""
    document = _document(body)
    record = _record(document.get("data"))
    return Record(record.type, record.id, record.attributes, record.relationships, _included(document))


def read_page(body: bytes, offset: int = 0) -> Page:
    """One page of an answer that was asked for from `offset` on. Raises Malformed."""
    document = _document(body)
    included = _included(document)
    records = tuple(_with_their_own([_record(each) for each in _list(document.get("data"))], included))
    meta = _mapping(document.get("meta"))
    return Page(records, included, _count(meta.get("total_count")), _next_offset(document, meta, offset))


def read_json(body: bytes | str) -> Any:
    """What a body holds, its text without what can be kept nowhere. Raises ValueError or RecursionError."""
    found = json.loads(body)
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return _to_be_kept(found) if _PERHAPS_KEPT_NOWHERE.search(raw) else found


def _to_be_kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {_to_be_kept(name): _to_be_kept(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_to_be_kept(each) for each in value]
    return _KEPT_NOWHERE.sub("", value) if isinstance(value, str) else value


def _document(body: bytes | str) -> Mapping[str, Any]:
    try:
        document = read_json(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(document, dict):
        raise Malformed("not a document")
    return document


def _record(entry: Any) -> Record:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise Malformed("not a record with a type and an id")
    relationships = {str(name): _refs(one) for name, one in _mapping(entry.get("relationships")).items()}
    return Record(entry["type"], entry["id"], _mapping(entry.get("attributes")), relationships)


def _refs(relationship: Any) -> tuple[Ref, ...]:
    linkage = _mapping(relationship).get("data")
    entries = linkage if isinstance(linkage, list) else [linkage] if linkage is not None else []
    return tuple(Ref(entry.type, entry.id) for entry in map(_record, entries))


def _included(document: Mapping[str, Any]) -> tuple[Record, ...]:
    return tuple(_record(each) for each in _list(document.get("included", [])))


def _with_their_own(records: Sequence[Record], included: tuple[Record, ...]) -> Iterator[Record]:
    """The records of a list, each with those of the page's included records that it points at, or that point at it."""
    place_of = {_key(each): place for place, each in enumerate(included)}
    pointing_at: dict[tuple[str, str], set[int]] = {}
    for place, each in enumerate(included):
        for target in _targets(each):
            pointing_at.setdefault(target, set()).add(place)
    for record in records:
        places = {place_of[target] for target in _targets(record) if target in place_of} | pointing_at.get(_key(record), set())
        own = tuple(included[place] for place in sorted(places))
        yield Record(record.type, record.id, record.attributes, record.relationships, own)


def _targets(record: Record) -> Iterator[tuple[str, str]]:
    return (_key(ref) for refs in record.relationships.values() for ref in refs)


def _key(one: Ref | Record) -> tuple[str, str]:
    # A person points at a PrimaryCampus; what is included is the Campus of the same id.
    return one.type.removeprefix("Primary"), one.id


def _next_offset(document: Mapping[str, Any], meta: Mapping[str, Any], offset: int) -> int | None:
    """Where the next page begins: `meta.next.offset`, else the query of `links.next`. The rest of a link is never used."""
    link = _mapping(document.get("links")).get("next")
    following = _count(_mapping(meta.get("next")).get("offset"))
    if following is None and isinstance(link, str):
        following = _offset_of(link)
    if following is not None and following <= offset:
        raise Malformed("the next page is not further on")
    return following


def _offset_of(link: str) -> int | None:
    try:
        written = parse_qs(urlsplit(link).query).get("offset", [""])[0]
        return int(written) if written.isdecimal() else None
    except ValueError as error:
        raise Malformed("the link to the next page is odd") from error


def _mapping(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("a part of the document is not an object")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed("a part of the document is not a list")
    return value


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
