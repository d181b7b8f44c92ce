"""What resources were in older versions: every change that Planning Center made to a shape, told once, newest shape first.

The catalogue knows the pinned versions only. A request that asks for an older one, or for none, meets the resources as they were then.
Sources: the version notes in Planning Center's documentation and its published definitions of those versions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from connectcard.planning_center.resources import Attribute, Relationship, Resource, webhooks
from connectcard.planning_center.resources._core import BOOLEAN, INTEGER, MOMENT, STRING, assignable, readable

Said = TypeVar("Said")

GENDER_IN_WORDS = "2022-07-14"
STREET_IN_LINES = "2023-03-21"
NO_GENDER_RELATIONSHIP = "2025-11-10"
FORMS_CAN_BE_FILLED_IN = "2026-06-04"
WEBHOOK_SUBSCRIPTIONS = "2022-10-20"


@dataclass(frozen=True)
class Older:
    """How a type was before a version: without some of its names, and with others."""

    type: str
    before: str
    without: frozenset[str] = frozenset()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    relationships: Mapping[str, Relationship] = field(default_factory=dict)
    includes: Mapping[str, str] = field(default_factory=dict)
    wheres: tuple[str, ...] = ()

    def of(self, resource: Resource) -> Resource:
        return replace(
            resource,
            attributes={**self._left(resource.attributes), **self.attributes},
            relationships={**self._left(resource.relationships), **self.relationships},
            includes={**self._left(resource.includes), **self.includes},
            wheres=(*self._names(resource.wheres), *self.wheres),
            orders=self._names(resource.orders),
        )

    def _left(self, said: Mapping[str, Said]) -> dict[str, Said]:
        return {name: one for name, one in said.items() if name not in self.without}

    def _names(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in self.without)


PEOPLE = (
    Older("WorkflowCardNote", "2025-07-02", relationships={"note_category": Relationship("NoteCategory")}),
    Older(
        "Address",
        STREET_IN_LINES,
        without=frozenset({"street_line_1", "street_line_2", "country_code", "country_name"}),
        attributes=assignable(STRING, "street"),
        wheres=("street",),
    ),
)
GROUPS = (
    Older("Group", "2023-07-10", attributes=readable(BOOLEAN, "enrollment_open") | readable(STRING, "enrollment_strategy")),
    Older(
        "Membership",
        "2023-07-10",
        attributes=readable(STRING, "avatar_url", "email_address", "first_name", "last_name", "phone_number")
        | readable(INTEGER, "account_center_identifier", "color_identifier"),
    ),
)
CHECK_INS = (
    Older("CheckIn", "2019-07-17", without=frozenset({"check_in_times", "locations"}), includes={"location": "Location"}),
)  # fmt: skip
CALENDAR = (
    Older("Event", "2022-07-07", without=frozenset({"featured"})),
    Older("EventInstance", "2022-07-07", without=frozenset({"compact_recurrence_description", "kind"})),
    Older(
        "Event",
        "2021-07-20",
        without=frozenset({"description", "summary"}),
        attributes=readable(STRING, "details") | readable(MOMENT, "archived_at"),
    ),
    Older("Event", "2020-04-08", without=frozenset({"registration_url"})),
)


def older_by_type(changes: Iterable[Older]) -> Callable[[tuple[Resource, ...], str], tuple[Resource, ...]]:
    def at(resources: tuple[Resource, ...], version: str) -> tuple[Resource, ...]:
        return tuple(as_it_was(resource, changes, version) for resource in resources)

    return at


def as_it_was(resource: Resource, changes: Iterable[Older], version: str) -> Resource:
    for change in changes:
        if change.type == resource.type and version < change.before:
            resource = change.of(resource)
    return resource


def older_webhooks(resources: tuple[Resource, ...], version: str) -> tuple[Resource, ...]:
    """Before 2022-10-20 subscriptions had another address and another name."""
    if version >= WEBHOOK_SUBSCRIPTIONS:
        return resources
    subscription = replace(webhooks.SUBSCRIPTION, type="Subscription", path="subscriptions")
    event = replace(webhooks.EVENT, parent=subscription, relationships={"subscription": Relationship("Subscription")})
    return (webhooks.ORGANIZATION, webhooks.AVAILABLE_EVENT, subscription, event, replace(webhooks.DELIVERY, parent=event))


AT: Mapping[str, Callable[[tuple[Resource, ...], str], tuple[Resource, ...]]] = {
    "people": older_by_type(PEOPLE),
    "groups": older_by_type(GROUPS),
    "check-ins": older_by_type(CHECK_INS),
    "calendar": older_by_type(CALENDAR),
    "webhooks": older_webhooks,
    "current": older_by_type(()),
}
