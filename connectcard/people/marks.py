"""Keyed marks: what something is found or compared by without being kept. The key is the church's `remote_id_key`."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any


def name_mark(key: str, name: str) -> str:
    """By what a child is found again without their name being kept: `name` is a `name_key`."""
    return hmac.new(key.encode(), f"name|{name}".encode(), hashlib.sha256).hexdigest()


def value_mark(key: str, value: Any) -> str:
    """By what a later value is known to be the same; 32 letters. Keyed, since a birthdate could be guessed from a plain one."""
    text = json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), key=key.encode()[:64], digest_size=16).hexdigest()


def marks_of(key: str, values: Mapping[str, Any]) -> dict[str, str]:
    """A mark for each value."""
    return {name: value_mark(key, value) for name, value in values.items()}
