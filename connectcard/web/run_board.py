"""The part of the Planning Center page that moves: what can be started, what is on, and what earlier runs did."""

from dataclasses import dataclass
from typing import Any

from flask import g

from connectcard.churches.models import OWNER, VIEWER
from connectcard.churches.queries import get_church
from connectcard.sync import runs, starting
from connectcard.sync.models import (
    PULL_FAMILIES,
    PULL_FULL,
    PULL_GROUPS,
    PULL_PEOPLE,
    PUSH_FAMILIES,
    PUSH_FULL,
    PUSH_GROUPS,
    PUSH_MEMBERSHIPS,
    PUSH_PEOPLE,
    TRUTH_CHECK,
)
from connectcard.sync.runs import Counters
from connectcard.web.run_history import history
from connectcard.web.run_words import KINDS, KindWords, title

BUTTONS = {
    PULL_PEOPLE: "People", PULL_FAMILIES: "Families", PULL_GROUPS: "Groups", PULL_FULL: "Everything", TRUTH_CHECK: "Truth check",
    PUSH_PEOPLE: "People", PUSH_FAMILIES: "Families", PUSH_GROUPS: "Groups", PUSH_MEMBERSHIPS: "Group memberships", PUSH_FULL: "Everything",
}  # fmt: skip


@dataclass(frozen=True)
class RunOn:
    """A run that is on: how far it is, in figures where they are known and in words where they are not."""

    figures: Counters
    title: str
    kind: KindWords
    stage: str
    done: int
    of: int | None


def board() -> dict[str, Any]:
    """What `connection/_board.html` shows."""
    shown, chosen = history("connection.page"), get_church().sends_memberships
    on = [_on(run) for run in runs.all_running()]
    return shown | {
        "on": on,
        "pulls": [(kind, words) for kind, words in BUTTONS.items() if kind in starting.PULLS],
        "pushes": [(kind, words) for kind, words in BUTTONS.items() if kind in starting.PUSHES and (chosen or kind != PUSH_MEMBERSHIPS)],
        "sends_memberships": chosen,
        "may_choose": g.member.role == OWNER,
        "pulling": any(one.figures.kind in starting.PULLS for one in on),
        "pushing": any(one.figures.kind in starting.PUSHES for one in on),
        "may_sync": g.member.role != VIEWER,
        "seen": mark_of(shown["runs"], on),
    }


def _on(run: Any) -> RunOn:
    figures, progress = runs.counters(run), run.progress or {}
    done, of = progress.get("done", figures.settled), progress.get("of") if run.progress else figures.total
    return RunOn(figures, title(run), KINDS[run.kind], progress.get("stage", ""), done, of)


def mark_of(shown: list[Any], on: list[RunOn]) -> str:
    """Changes whenever the board would look different."""
    versions = [f"{run.number}.{run.version}.{run.state[0]}" for run in shown[:3]]
    moving = [f"{one.figures.number}.{one.figures.version}.{one.done}.{one.of or 0}.{len(one.figures.waiting_for or '')}" for one in on]
    return "-".join([*versions, "on", *moving])
