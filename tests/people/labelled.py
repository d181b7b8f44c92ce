"""Reading the labelled pairs: cards held against people, with what a careful church secretary does."""

import re
from dataclasses import dataclass
from pathlib import Path

from connectcard.people.identity import e164, normalised_email
from connectcard.people.matching import Candidate, Visitor

FILE = Path(__file__).with_name("labelled_pairs.txt")
SAME, ASK, OTHER = "same", "ask", "other"
_FLAG = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True)
class Pair:
    """One line: the card, the people of the church, the label, and whom the secretary takes (None where nobody)."""

    kind: str
    line: str
    label: str
    visitor: Visitor
    people: tuple[Candidate, ...]
    right: str | None


def labelled_pairs() -> tuple[list[Pair], dict[str, int]]:
    """Every pair, and how many cards of a thousand are of each kind."""
    pairs, shares, kind = [], {}, ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind, _, share = line[3:].partition(":")
            shares[kind] = int(share)
        elif line and not line.startswith("#"):
            pairs.append(_pair(kind, line))
    return pairs, shares


def _pair(kind: str, line: str) -> Pair:
    label, _, rest = line.partition(": ")
    country = "US"
    if rest.startswith("@"):
        country, rest = rest[1:3], rest[4:]
    card, _, people = rest.partition(" = ")
    written = [_fill(text) for text in re.split(r" / ", people)]
    starred = [number for number, text in enumerate(written, 1) if text.startswith("*")]
    right = str(starred[0] if starred else 1) if label == SAME else None
    candidates = tuple(_person(str(number), text.lstrip("*"), country) for number, text in enumerate(written, 1))
    return Pair(kind, line, label, _visitor(_fill(card), country), candidates, right)


def _fill(text: str) -> str:
    return text.strip() if ";" in text else f"{text.strip()};"


def _split(text: str, country: str) -> tuple[str, str, set[str], set[str], set[str]]:
    """(last name, the rest of the name, e-mails, phones, flags)"""
    flags = set(_FLAG.findall(text))
    name, _, contacts = _FLAG.sub("", text).partition(";")
    last, _, first = name.partition(",")
    emails = {normalised_email(word) for word in contacts.split() if "@" in word}
    phones = {word for word in contacts.split() if "@" not in word}
    return last.strip(), first.strip(), emails, phones, flags


def _visitor(text: str, country: str) -> Visitor:
    last, first, emails, phones, flags = _split(text, country)
    phone = e164(next(iter(phones), ""), country)
    return Visitor(first, last, next(iter(emails), ""), phone, child="child" in flags)


def _person(remote_id: str, text: str, country: str) -> Candidate:
    last, first, emails, phones, flags = _split(text, country)
    nickname = "".join(re.findall(r'"([^"]+)"', first))
    given = "".join(re.findall(r"\(([^)]+)\)", first))
    return Candidate(
        remote_id=remote_id,
        first_name=re.sub(r'"[^"]+"|\([^)]+\)', "", first).strip(),
        last_name=last,
        given_name=given,
        nickname=nickname,
        emails=frozenset(emails),
        phones=frozenset(e164(number, country) or number for number in phones),
        inactive="inactive" in flags,
        child="child" in flags,
        name_suffix="".join(flags - {"inactive", "child"}),
    )
