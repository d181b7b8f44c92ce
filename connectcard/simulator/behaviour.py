"""What each kind of thing does besides being kept, gathered: checks, side effects and actions of all products."""

from collections.abc import Callable, Mapping
from typing import Any

from connectcard.simulator import follow_up, groups, people_rules, rules, webhooks
from connectcard.simulator.rules import Desk
from connectcard.simulator.store import Row

# An action on a row: its name, and what the body tells it. It gives the row that is answered, or None for an answer without a body.
Action = Callable[[Desk, Row, str, dict[str, Any]], Row | None]

rules.CHECKS |= people_rules.CHECKS | {
    "WorkflowCardNote": follow_up.check_card_note,
    "groups.Group": groups.check_group,
    "groups.Membership": groups.check_membership,
    "webhooks.WebhookSubscription": webhooks.check_subscription,
}
rules.SETTLED_NEW |= people_rules.SETTLED_NEW
rules.SETTLED |= people_rules.SETTLED
rules.REMOVED |= people_rules.REMOVED | {"webhooks.WebhookSubscription": webhooks.subscription_removed}

ACTIONS: Mapping[tuple[str, str], Action] = {
    ("List", "run"): follow_up.run_list,
    ("groups.Group", "assign_campuses"): groups.assign_campuses,
    ("groups.Group", "disable_chat"): groups.switch_chat,
    ("groups.Group", "duplicate"): groups.duplicate,
    ("groups.Group", "enable_chat"): groups.switch_chat,
    ("groups.GroupApplication", "approve"): groups.approve,
    ("groups.GroupApplication", "reject"): groups.reject,
    ("webhooks.Event", "ignore"): webhooks.ignore,
    ("webhooks.Event", "redeliver"): webhooks.redeliver,
    ("webhooks.WebhookSubscription", "rotate_secret"): webhooks.rotate_secret,
} | {
    ("WorkflowCard", name): follow_up.act_on_card
    for name in ("go_back", "promote", "remove", "restore", "send_email", "skip_step", "snooze", "unsnooze")
}
