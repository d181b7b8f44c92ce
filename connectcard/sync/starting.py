"""Which kinds of run staff can start by a button of the Planning Center page; a kind that is not here has no button.

A new kind of run is a line here, under its name in `models`.
"""

from collections.abc import Callable, Mapping

from connectcard.errors import NotFound
from connectcard.sync.models import SyncRun

Starter = Callable[[str], SyncRun]

# Takes the member's name, inside `transaction()`; gives the run that is on where there is one.
PULLS: Mapping[str, Starter] = {}
PUSHES: Mapping[str, Starter] = {}


def start(kind: str, member_name: str) -> SyncRun:
    """Start a run of this kind. Inside `transaction()`; the caller rings. Raises NotFound for a kind that has no button."""
    starter = PULLS.get(kind) or PUSHES.get(kind)
    if starter is None:
        raise NotFound("There is no such kind of run.")
    return starter(member_name)
