"""A card wants to join a group: whether its visitor is put in, or staff have something to do first. Pure.

Planning Center takes no request to join from outside (reference: Groups, applications cannot be created), and lets whoever administers
Groups put anybody into any group; so it is looked at here whether a group takes people in by itself.
"""

from dataclasses import dataclass

from connectcard.people.pulled import PulledGroup

REQUESTS = "request_to_join"
TO_DO = "Add them to the group in Planning Center by hand. Planning Center said: {}"
BY_HAND = "Add them to “{}” in Planning Center by hand, or tell its leader."
NOT_CHOSEN = "Your church does not send group memberships, since leaders may be told of each."
NO_GROUP = "“{}” is archived or gone in Planning Center, or whoever connected the church may not see it. Ask them which group they want."
TAKES_NOBODY = {
    "closed": "“{}” takes nobody in at the moment.",
    "full": "“{}” is full.",
    "private": "“{}” is private now.",
}
UNLISTED = "“{}” is not listed any more."
TAKES_REQUESTS = "“{}” takes requests: its leader decides who joins."
ASK_LEADER = "Ask the leader, then put them in."


@dataclass(frozen=True)
class WantedGroup:
    """The group that a card wants to join. `key` is our own id of it. `by_hand` is why we do not put them in, as far as that is known
    here; `agreed` says that staff wanted them put in whether or not the group takes people by itself."""

    key: str
    name: str
    remote_id: str = ""
    by_hand: str = ""
    agreed: bool = False


@dataclass(frozen=True)
class GroupNow:
    """How the group stands in Planning Center, and the visitor's role in it; `problem` is why that is not known, in words."""

    group: PulledGroup | None = None
    role: str = ""
    problem: str = ""


def why_by_hand(wanted: WantedGroup, now: GroupNow) -> str:
    """What staff have to do about it, in words; "" where they can be put in."""
    if wanted.by_hand or now.problem or now.group is None:
        return wanted.by_hand or now.problem
    if now.group.archived_at is not None:
        return NO_GROUP.format(wanted.name)
    why = "" if wanted.agreed else _why_not_by_itself(now.group)
    return f"{why.format(wanted.name)} {ASK_LEADER}" if why else ""


def _why_not_by_itself(group: PulledGroup) -> str:
    if group.enrollment != "open":
        return TAKES_NOBODY.get(group.enrollment, TAKES_NOBODY["closed"])
    if not group.listed:
        return UNLISTED
    return TAKES_REQUESTS if group.enrollment_strategy == REQUESTS else ""
