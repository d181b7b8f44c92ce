"""Which kinds of run staff can start by a button of the Planning Center page; a kind that is not here has no button.

A new kind of run is a line here, under its name in `models`.
"""

from collections.abc import Callable, Mapping
from functools import partial

from connectcard.errors import NotFound
from connectcard.sync import push
from connectcard.sync.models import PULL_FAMILIES, PULL_FULL, PULL_GROUPS, PULL_PEOPLE, TRUTH_CHECK, SyncRun
from connectcard.sync.pull import want_pull

Starter = Callable[[str], SyncRun]

# Takes the member's name, inside `transaction()`; gives the run that is on where there is one. Raises NotFound where there is nothing to
# send, and ConnectionMissing.
PULLS: Mapping[str, Starter] = {
    kind: partial(want_pull, kind) for kind in (PULL_PEOPLE, PULL_FAMILIES, PULL_GROUPS, PULL_FULL, TRUTH_CHECK)
}
PUSHES: Mapping[str, Starter] = {kind: partial(push.start, kind) for kind in push.WAITING}


def starter_of(kind: str) -> Starter:
    """What starts a run of this kind; raises NotFound for a kind that has no button."""
    starter = PULLS.get(kind) or PUSHES.get(kind)
    if starter is None:
        raise NotFound("There is no such kind of run.")
    return starter
