"""The cards of a list as a file: no prayer, no family, and no cell that could be a formula."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from connectcard.cards import queries
from connectcard.cards.in_words import Labels, in_words
from connectcard.churches.tenancy import church_scope
from connectcard.sync import cards_in_sync
from connectcard.sync.cards_in_sync import CardInSync, Wish
from connectcard.web.card_words import Status, came_from, status
from connectcard.web.spreadsheets import csv_line
from connectcard.web.times import local

COLUMNS = (
    "Received",
    "First name",
    "Last name",
    "Email",
    "Mobile",
    "Address",
    "Visit",
    "Asked for",
    "Heard about us",
    "Group to join",
    "Text me",
    "Planning Center",
    "Person",
    "Came from",
)


def exported_lines(wish: Wish, labels: Labels, church_id: UUID, time_zone: str) -> Iterator[str]:
    """The file piece by piece. The view has returned and its scope is closed, so that each piece opens it again."""
    yield "\ufeff" + csv_line(COLUMNS)  # the mark by which Excel knows UTF-8
    after = None
    while True:
        with church_scope(church_id):
            cards = cards_in_sync.in_batches(wish, time_zone, after)
            piece = "".join(map(csv_line, exported(cards, labels)))
        if not cards:
            return
        after = (cards[-1].submission.received_at, cards[-1].submission.id)
        yield piece


def exported(cards: Sequence[CardInSync], labels: Labels) -> Iterator[list[str]]:
    """One row a card, in the order of COLUMNS."""
    answers_of = queries.effective_answers_of([card.submission for card in cards])
    for card in cards:
        submission, answers = card.submission, answers_of[card.submission.id]
        named = [submission.first_name, submission.last_name, submission.email, submission.phone]
        said = [in_words(field, answers.get(field), labels) for field in ("address", "visit", "interests", "heard", "group", "text_me")]
        person = (card.item and card.item.person_remote_id) or ""
        received = f"{local(submission.received_at):%Y-%m-%d %H:%M}"
        yield [received, *named, *said, one_line(status(card)), person, came_from(submission.came_from)]


def one_line(status: Status) -> str:
    return f"{status.words}: {status.detail}" if status.detail else status.words
