"""Marks by which what we wrote is found again: derived, so that they survive the loss of every row."""

import hashlib
import hmac
from uuid import UUID

# Planning Center keeps remote_id as a signed 32-bit integer; the upper half leaves a church's own small numbers alone.
LOWEST = 2**30
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def remote_id_token(key: str, submission_id: UUID, attempt: int = 0, family_member: int = 0) -> int:
    """The `remote_id` of the person we create for a card; `attempt` grows when a number turns out to be taken."""
    return LOWEST + int.from_bytes(_digest(key, f"{submission_id}|{family_member}|{attempt}")[:8], "big") % LOWEST


def reference_code(key: str, submission_id: UUID) -> str:
    """The short code in the notes of a card, such as CC-7F3K2M9Q."""
    digest = _digest(key, f"reference|{submission_id}")
    return "CC-" + "".join(_CODE_LETTERS[byte % len(_CODE_LETTERS)] for byte in digest[:8])


def _digest(key: str, message: str) -> bytes:
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
