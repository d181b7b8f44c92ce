"""The door of the public: from the two names in an address to a church's card.

A card is kept for some seconds, so that a full church filling in cards at once costs no look-ups. What is kept are plain loaded
rows, detached from any session, and never anything that a visitor wrote.
"""

import re
from datetime import datetime, timedelta

from flask import current_app

from connectcard.cards import queries
from connectcard.cards.fields import GroupChoice
from connectcard.cards.models import Card
from connectcard.clock import now
from connectcard.errors import NotFound
from connectcard.sync import group_offers
from connectcard.web.access import public_church

KEPT_FOR = timedelta(seconds=5)
# A card, with the groups that it offers to join.
Opened = tuple[Card, list[GroupChoice]]
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?")


def open_card(church_slug: str, card_slug: str) -> Card:
    """The card at /c/<church>/<card>, with its church; raises NotFound."""
    kept = _cards()
    read_at, read = kept.get((church_slug, card_slug), (None, None))
    if read_at is None or read is None or now() - read_at > KEPT_FOR:
        read = _read(church_slug, card_slug)
        kept[church_slug, card_slug] = now(), read
    return read[0]


def offered_groups(card: Card) -> list[GroupChoice]:
    """The groups that an open card offers to join, read together with it; not once more, since the database may be away by now."""
    _, (_, groups) = _cards()[card.church.slug, card.slug]
    return groups


def _cards() -> dict[tuple[str, str], tuple[datetime, Opened]]:
    """What this process read last, and when, by the two names in the address."""
    return current_app.extensions.setdefault("open_cards", {})  # type: ignore[no-any-return]


def _read(church_slug: str, card_slug: str) -> Opened:
    if not _SLUG.fullmatch(church_slug) or not _SLUG.fullmatch(card_slug):
        raise NotFound("There is no card at this address.")
    with public_church(church_slug):
        card = queries.card_for(card_slug)
        return card, group_offers.offered(card)
