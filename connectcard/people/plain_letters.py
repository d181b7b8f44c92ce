"""A name as words, as it was written and in plain letters."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_APART = re.compile(r"[^a-z0-9]+")
# Apostrophes, also the Hawaiian one, stand inside a word.
_INSIDE = re.compile("['’ʻʼ`´‘]")


@lru_cache(maxsize=8192)
def words_of(name: str | None) -> tuple[str, ...]:
    """The words of a name in lower case, in the letters they are written in."""
    text = unicodedata.normalize("NFC", _INSIDE.sub("", name or "")).lower()
    return tuple("".join(letter if letter.isalnum() or unicodedata.combining(letter) else " " for letter in text).split())


@lru_cache(maxsize=8192)
def plain_words(name: str | None) -> tuple[str, ...]:
    """The words of a name in plain letters, lower case ("José  María" -> jose, maria)."""
    return tuple(word for word in _APART.split(anyascii(_INSIDE.sub("", name or "")).lower().replace("'", "")) if word)
