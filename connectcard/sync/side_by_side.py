"""Which writes of one item may be on their way at once: those that have nothing to do with each other. Pure but for the threads.

They are about somebody who is there already. Two of one kind may fight over what is primary, or over one field, so they come one
after the other; and whatever is not named here waits for all before it, as a household waits for the people whom it names.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from connectcard.planning_center.errors import PlanningCenterError
from connectcard.sync import plans
from connectcard.sync.families import VISITOR
from connectcard.sync.holds import HoldLost
from connectcard.sync.steps import AskSomebody, Later, NoLonger, PerhapsMade, PersonGone, Step

# Requests of one item on their way at once: with the cards in flight they use up a window without emptying it in one gulp.
MOST_AT_ONCE = 3
# Of one person, and at most one of each kind at once.
PARTS = frozenset({plans.UPDATE_PERSON, plans.ADD_EMAIL, plans.ADD_PHONE, plans.ADD_ADDRESS, plans.ADD_NOTE, plans.ADD_WORKFLOW_CARD})
# What the item rests with where several go wrong, the first named going first: who lost the item writes nothing more into it, what
# needs eyes is not put off, and what is known to be refused tells more than what has to be waited for. Nothing is planned anew while a
# write is unclear.
GRAVEST_FIRST = (HoldLost, PersonGone, PerhapsMade, AskSomebody, PlanningCenterError, Later, NoLonger)

# Runs every call to its end, and says of each what went wrong with it.
SideBySide = Callable[[Sequence[Callable[[], None]]], list[Exception | None]]


def waves(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in their order, parted into those that go together; none overtakes one that it cannot go together with."""
    parted: list[list[Step]] = []
    for step in steps:
        if parted and len(parted[-1]) < MOST_AT_ONCE and all(go_together(step, other) for other in parted[-1]):
            parted[-1].append(step)
        else:
            parted.append([step])
    return parted


def go_together(one: Step, other: Step) -> bool:
    """Whether neither of two writes changes what the other one is about."""
    mine, theirs = _about(one), _about(other)
    return mine is not None and theirs is not None and mine != theirs


def _about(step: Step) -> tuple[str, str] | None:
    """What a write alone changes; None where it changes more than that, or where others need what it makes."""
    if step.kind in PARTS:
        return step.kind, ""
    if step.kind == plans.SET_FIELD:
        return step.kind, str(step.body["attributes"]["field_definition_id"])
    if step.kind == plans.CREATE_PERSON and step.member != VISITOR:
        return step.kind, str(step.member)
    return None


def gravest(troubles: Sequence[Exception]) -> Exception:
    """The one that decides how the item goes on; whatever nobody foresaw goes before all others."""
    return min(troubles, key=_gravity)


def _gravity(trouble: Exception) -> int:
    return next((place for place, kind in enumerate(GRAVEST_FIRST) if isinstance(trouble, kind)), -1)


def trouble_of(call: Callable[[], None]) -> Exception | None:
    """Run it, and say what went wrong instead of raising it: those beside it go on to their own end first."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is raised as soon as those beside it have come to their end
        return error
    return None


def in_threads(calls: Sequence[Callable[[], None]]) -> list[Exception | None]:
    """The shipped way: each call in a thread of its own."""
    with ThreadPoolExecutor(len(calls), thread_name_prefix="write") as pool:
        return list(pool.map(trouble_of, calls))
