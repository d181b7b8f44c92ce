"""Keyed marks: what something is found or compared by without being kept. The key is the church's `remote_id_key`."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any

WORD_MARK_LETTERS = 3


def name_mark(key: str, name: str) -> str:
    """By what a child is found again without their name being kept: `name` is a `name_key`."""
    return hmac.new(key.encode(), f"name|{name}".encode(), hashlib.sha256).hexdigest()


def word_marks(key: str, words: Iterable[str]) -> str:
    """By what a child is looked for by the words of its name: |0f3|a21|, short keyed marks in the order of their letters.

    A mark says as little as a search can do with. Whole words only, since marks of their beginnings would tell which names begin alike
    and how long each is. Only 12 bits, so that no mark is surely one name: whom the marks find is opened and compared. Who reads the
    database without the key learns how many words a name has and which children probably share one, so also which marks come often; the
    fewer children a church has, the surer. What the words are, the marks do not tell.
    """
    marks = {hmac.new(key.encode(), f"word|{word}".encode(), hashlib.sha256).hexdigest()[:WORD_MARK_LETTERS] for word in words}
    return f"|{'|'.join(sorted(marks))}|" if marks else ""


def value_mark(key: str, value: Any) -> str:
    """By what a later value is known to be the same; 32 letters. Keyed, since a birthdate could be guessed from a plain one."""
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), key=key.encode()[:64], digest_size=16).hexdigest()


def marks_of(key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A mark for each value."""
    return {name: value_mark(key, value) for name, value in values.items()}
