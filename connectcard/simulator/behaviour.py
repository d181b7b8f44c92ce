"""What each kind of thing does besides being kept, gathered: checks, side effects and actions of all products."""

from collections.abc import Callable, Mapping
from typing import Any

from connectcard.simulator import follow_up, rules
from connectcard.simulator.rules import Desk
from connectcard.simulator.store import Row

# An action on a row: its name, and what the body tells it.
Action = Callable[[Desk, Row, str, dict[str, Any]], None]

rules.CHECKS |= {"WorkflowCardNote": follow_up.check_card_note}

ACTIONS: Mapping[str, Action] = {
    "List": follow_up.run_list,
    "WorkflowCard": follow_up.act_on_card,
}
