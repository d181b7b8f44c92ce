"""Planning Center's `search_*`: fuzzy, late, and now and then the same person twice.

Everything a person can be found by is a term; a term can be found only when it is older than `search_lag_s`. What is asked for
stands first in the answer, but people who fit only in part follow, as they do in Planning Center.
"""

import re
from collections import Counter
from collections.abc import Iterator

from connectcard.simulator.store import Row, Store

NAMES = ("first_name", "given_name", "nickname", "middle_name", "last_name")
ENOUGH_LETTERS = 4
NEAR_MISSES = 3


def terms_of(row: Row) -> Iterator[tuple[str, str]]:
    """What a row can be found by: (kind, text)."""
    if row.kind == "Person":
        yield from (("name", word) for word in sorted({word for name in NAMES for word in words(row[name])}))
    elif row.kind == "Email":
        yield "email", str(row["address"]).casefold()
    elif row.kind == "PhoneNumber":
        yield "phone", digits(row["number"])
        if row["e164"]:
            yield "e164", row["e164"]


def words(text: object) -> list[str]:
    return re.findall(r"[^\W_]+", str(text or "").casefold())


def digits(text: object) -> str:
    return "".join(letter for letter in str(text or "") if letter in "0123456789")


class Search:
    """The searches of one organization, as they would be answered at a moment when terms younger than `newest` are not in yet."""

    def __init__(self, store: Store, organization: int, newest: float) -> None:
        self.store, self.organization, self.newest = store, organization, newest

    def find(self, name: str, asked: str) -> list[int]:
        """Ids of people, best first; `name` is the where-key. The same id may come twice."""
        if name == "search_name":
            return self.by_name(asked)
        if name == "search_name_or_email":
            return unique(self.by_email(asked) + self.by_name(asked))
        if name == "search_name_or_email_or_phone_number":
            return unique(self.by_email(asked) + self.by_digits(asked) + self.by_name(asked))
        return self.by_digits(asked) if name == "search_phone_number" else self._people("e164", "text = ?", asked.strip())

    def by_name(self, asked: str) -> list[int]:
        wanted = list(dict.fromkeys(words(asked)))
        scores = Counter[int]()
        complete = Counter[int]()
        for word in wanted:
            for person, score in self._people_named_like(word).items():
                scores[person] += score
                complete[person] += 1
        full = [person for person in scores if complete[person] == len(wanted)]
        near = [person for person in scores if complete[person] < len(wanted)]
        return ranked(full, scores) + ranked(near, scores)[:NEAR_MISSES]

    def _people_named_like(self, word: str) -> dict[int, int]:
        start = word[:ENOUGH_LETTERS]
        found = self.store.execute(
            "select person, max(case when text = ? then 3 when text like ? then 2 else 1 end) from term indexed by term_by_text"
            " where organization = ? and kind = 'name' and text >= ? and text < ? and added_at <= ? group by person",
            (word, word + "%", self.organization, start, start + "\U0010ffff", self.newest),
        )
        return dict(found)

    def by_email(self, asked: str) -> list[int]:
        address = asked.strip().casefold()
        local, at, _ = address.partition("@")
        same = self._people("email", "text = ?", address)
        if not local:
            return []
        start = f"{local}{at}" if at else local
        return same + self._people("email", "text >= ? and text < ?", start, start + "\U0010ffff")

    def by_digits(self, asked: str) -> list[int]:
        wanted = digits(asked)
        return self._people("phone", "text like ?", f"%{wanted}%") if wanted else []

    def _people(self, kind: str, condition: str, *values: object) -> list[int]:
        """A person comes once for each of the terms that fit."""
        wanted = f"organization = ? and kind = ? and {condition} and added_at <= ?"
        sql = f"select person from term indexed by term_by_text where {wanted} order by person, record"  # noqa: S608
        return [row[0] for row in self.store.execute(sql, (self.organization, kind, *values, self.newest))]


def ranked(people: list[int], scores: Counter[int]) -> list[int]:
    return sorted(people, key=lambda person: (-scores[person], person))


def unique(people: list[int]) -> list[int]:
    return list(dict.fromkeys(people))


def remember(store: Store, row: Row, at: float) -> None:
    """Make a new or changed row searchable from `at` on, by what it says now."""
    kept = {
        (kind, text): added_at
        for kind, text, added_at in store.execute("select kind, text, added_at from term where record = ?", (row.id,))
    }
    store.execute("delete from term where record = ?", (row.id,))
    store.execute_many(
        "insert into term values (?, ?, ?, ?, ?, ?)",
        [(row.organization, row.person or row.id, row.id, kind, text, kept.get((kind, text), at)) for kind, text in terms_of(row)],
    )


def fold_contact(row: Row) -> object:
    """What makes two contact details the same one: the address, the number or the street."""
    if row.kind == "PhoneNumber":
        return row["e164"] or digits(row["number"])
    if row.kind == "Email":
        return str(row["address"]).casefold()
    return tuple(str(row[name] or "").casefold() for name in ("street_line_1", "street_line_2", "city", "zip"))
