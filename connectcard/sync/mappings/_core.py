"""What the generic loops need to know of a resource."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Values
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from typing import Any

from connectcard.people.pulled import Tally
from connectcard.planning_center import Record
from connectcard.planning_center.resources import Resource

# What a model of ours has that stands in Planning Center: `remote_id`, `seen_at`, `gone_at`.
Mirrored = Any


@dataclass(frozen=True)
class Mapping:
    """One resource that is kept here.

    `read` makes a value of a record, with the church's country for phone numbers; `take_in` stores values as shown at a moment. With
    `changed_by` (an attribute that says when a record changed last) only what changed is asked for; without it every pass is whole.
    `model` is our table.
    """

    name: str
    words: str
    resource: Resource
    model: Mirrored
    read: Callable[[Record, str], Any]
    take_in: Callable[[Sequence[Any], datetime], Tally]
    include: tuple[str, ...] = ()
    where: Values[str, Any] = field(default_factory=dict)
    changed_by: str | None = None
    product: str = "People"


def moment(text: Any) -> datetime | None:
    """A moment as Planning Center writes it; None for none, for what is no moment, and for one that is in no calendar of some time zone."""
    try:
        told = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if told is None or not MINYEAR < told.year < MAXYEAR:
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told


def day(text: Any) -> date | None:
    """A day as Planning Center writes it; None for none, and for what is in no calendar of ours, such as the year 20202."""
    try:
        return date.fromisoformat(text.partition("T")[0]) if isinstance(text, str) else None
    except ValueError:
        return None


def fitting(value: Any, most: int) -> str:
    """Text that fits its column; "" for none."""
    return str(value)[:most] if value not in (None, "") else ""
