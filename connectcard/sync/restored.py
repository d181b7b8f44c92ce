"""After the database was put back from a backup: what was written since stands in Planning Center, and nothing here says so.

Whatever such a card would write is looked for first. Marks of people and codes of notes are derived from the card, so they are
the same although every row was lost.
"""

from datetime import datetime, timedelta

# A tablet that was put away may hold a card for long, and it comes in only then.
COMES_AGAIN_WITHIN = timedelta(days=90)


def looks_first(received_at: datetime, restored_at: datetime | None) -> bool:
    """Whether a card may have been written before by rows that are lost: it was there at the restore, or came in not long after."""
    return restored_at is not None and received_at <= restored_at + COMES_AGAIN_WITHIN
