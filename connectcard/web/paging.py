"""Which page of a list is asked for."""

from flask import request

# Beyond what any list has, and still a number that every database can count to.
LAST_PAGE = 1_000_000


def asked_page() -> int:
    """The number in `page`, of the address or of the form; the first page where it is none."""
    return min(max(1, request.values.get("page", 1, type=int)), LAST_PAGE)
