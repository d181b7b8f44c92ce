"""What each kind of run is called on the pages, and what its counters count."""

from dataclasses import dataclass

from connectcard.sync import models
from connectcard.sync.models import SyncRun
from connectcard.sync.runs import Counters


@dataclass(frozen=True)
class KindWords:
    """`title` names a run of this kind in a list; `one` and `many` are what it counts."""

    title: str
    one: str
    many: str

    def counted(self, number: int) -> str:
        """1 card, 2 cards"""
        return f"{number} {self.one if number == 1 else self.many}"


KINDS = {
    models.CARDS: KindWords("Sync", "card", "cards"),
    models.UNDO: KindWords("Undo", "record", "records"),
    models.PULL_PEOPLE: KindWords("People from Planning Center", "person", "people"),
    models.PULL_FAMILIES: KindWords("Families from Planning Center", "family", "families"),
    models.PULL_GROUPS: KindWords("Groups from Planning Center", "group", "groups"),
    models.PULL_FULL: KindWords("Everything from Planning Center", "record", "records"),
    models.PUSH_PEOPLE: KindWords("People to Planning Center", "person", "people"),
    models.PUSH_FAMILIES: KindWords("Families to Planning Center", "family", "families"),
    models.PUSH_GROUPS: KindWords("Groups to Planning Center", "group", "groups"),
    models.PUSH_MEMBERSHIPS: KindWords("Group memberships to Planning Center", "membership", "memberships"),
    models.PUSH_FULL: KindWords("Everything to Planning Center", "record", "records"),
    models.TRUTH_CHECK: KindWords("Truth check", "record", "records"),
}


def title(run: SyncRun | Counters) -> str:
    """Sync 12"""
    return f"{KINDS[run.kind].title} {run.number}"


def end_words(run: SyncRun | Counters, words: KindWords | None = None) -> str:
    """25 cards: 17 created, 6 updated, 2 need you. `words` are those of the run that an undo takes back."""
    needing = "1 needs you" if run.needs_you == 1 else f"{run.needs_you} need you"
    updated, skipped = ("taken back", "left as it is") if run.kind == models.UNDO else ("updated", "skipped")
    parts = [
        f"{run.created} created" if run.created else "",
        f"{run.updated} {updated}" if run.updated else "",
        f"{run.skipped} {skipped}" if run.skipped else "",
        needing if run.needs_you else "",
        f"{run.failed} failed" if run.failed else "",
    ]
    return f"{(words or KINDS[run.kind]).counted(run.settled)}: {', '.join(filter(None, parts)) or 'nothing to do'}."
