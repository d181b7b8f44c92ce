"""Sealed columns: AES-256-GCM, the key's id in the envelope, each value bound to its church, column and row.

An envelope is `version (1) | key id (4) | nonce (12) | ciphertext and tag`. A value moved to another church, column or row
does not open. Fernet was looked at and left: it has no associated data.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

from connectcard.errors import ConnectCardError

VERSION = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12


class CannotOpen(ConnectCardError):
    """A sealed value does not open: its key is not in ENCRYPTION_KEYS, or it was moved or changed."""


def key_id(key: bytes) -> bytes:
    """The public name of a key: the first bytes of its SHA-256."""
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES]


class Keyring:
    """The encryption keys: the first seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {key_id(key): AESGCM(key) for key in keys}
        self.current = key_id(keys[0])

    def seal(self, plain: str, bound_to: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        head = VERSION + self.current
        return head + nonce + self._keys[self.current].encrypt(nonce, plain.encode(), head + bound_to.encode())

    def open(self, envelope: bytes, bound_to: str) -> str:
        head, nonce, sealed = envelope[:5], envelope[5:17], envelope[17:]
        key = self._keys.get(head[1:])
        if head[:1] != VERSION or key is None:
            what = bound_to.split("|")[0]
            raise CannotOpen(f"{what} is sealed with key {head[1:].hex()}, which is not in ENCRYPTION_KEYS; add that key back")
        try:
            return key.decrypt(nonce, sealed, head + bound_to.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"{bound_to.split('|')[0]} does not belong to this row or was changed; restore it from a backup") from error

    def key_of(self, envelope: bytes) -> str:
        """The id, in hex, of the key that a value is sealed with."""
        return envelope[1:5].hex()

    def is_current(self, envelope: bytes) -> bool:
        """Whether a value is sealed with the key that seals today; `connectcard keys rotate` reseals the others."""
        return self.key_of(envelope) == self.current.hex()


def keyring() -> Keyring:
    return current_app.extensions["keyring"]  # type: ignore[no-any-return]


def new_secret() -> str:
    """256 random bits in hex."""
    return secrets.token_hex(32)


class Sealed:
    """A text attribute that is kept sealed in the column `<name>_sealed`; None and "" are kept as None.

    The row must have its `id` and `church_id` before the first assignment (ChurchOwned gives both at once).
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.column = f"{name}_sealed"

    def bound_to(self, row: Any) -> str:
        church_id: UUID | None = row.church_id
        if church_id is None or row.id is None:
            raise CannotOpen(f"{row.__tablename__}.{self.name} cannot be sealed before its row has a church and an id")
        return f"{row.__tablename__}.{self.name}|{church_id}|{row.id}"

    if TYPE_CHECKING:

        @overload
        def __get__(self, row: None, owner: type) -> "Sealed": ...
        @overload
        def __get__(self, row: object, owner: type) -> str | None: ...

    def __get__(self, row: Any, owner: type) -> Any:
        if row is None:
            return self
        envelope = getattr(row, self.column)
        return None if envelope is None else keyring().open(envelope, self.bound_to(row))

    def __set__(self, row: Any, plain: str | None) -> None:
        setattr(row, self.column, keyring().seal(plain, self.bound_to(row)) if plain else None)

    def reseal(self, row: Any) -> bool:
        """Seal the row's value with the current key; says whether that changed anything."""
        envelope = getattr(row, self.column)
        if envelope is None or keyring().is_current(envelope):
            return False
        self.__set__(row, keyring().open(envelope, self.bound_to(row)))
        return True


def sealed_attributes(model: type) -> list[Sealed]:
    """The sealed attributes of a model, for the key rotation."""
    return [value for value in vars(model).values() if isinstance(value, Sealed)]
