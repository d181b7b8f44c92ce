"""The product Webhooks, version 2022-10-20: which events there are, who is told of them, and what was delivered.

Attributes, orders, where-names, verbs and actions are those of Planning Center's published definitions and OpenAPI file; a contract
test compares. A subscription belongs to the connecting person and needs the scope of the product whose events it is about.
"""

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    NUMBER,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    create_only,
    readable,
)

PRODUCT = "webhooks"
VERSION = "2022-10-20"

ORGANIZATION = Resource(type="Organization", product=PRODUCT, version=VERSION, path="", singleton=True, verbs=("get",))

AVAILABLE_EVENT = Resource(
    type="AvailableEvent",
    product=PRODUCT,
    version=VERSION,
    path="available_events",
    attributes=readable(STRING, "action", "app", "name", "resource", "type", "version"),
    verbs=("list",),
)

# One event name each, and so one secret each.
SUBSCRIPTION = Resource(
    type="WebhookSubscription",
    product=PRODUCT,
    version=VERSION,
    path="webhook_subscriptions",
    attributes=assignable(BOOLEAN, "active")
    | create_only(STRING, "name", "url")
    | readable(STRING, "application_id", "authenticity_secret")
    | readable(MOMENT, "created_at", "updated_at"),
    verbs=WRITE,
    actions={"rotate_secret": ()},
    wheres=("application_id",),
)

EVENT = Resource(
    type="Event",
    product=PRODUCT,
    version=VERSION,
    path="events",
    parent=SUBSCRIPTION,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "payload", "status", "uuid"),
    relationships={"subscription": Relationship("WebhookSubscription")},
    actions={"ignore": (), "redeliver": ()},
    wheres=("status", "uuid"),
    orders=("created_at",),
)

DELIVERY = Resource(
    type="Delivery",
    product=PRODUCT,
    version=VERSION,
    path="deliveries",
    parent=EVENT,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "object_url", "request_body", "request_headers", "response_body", "response_headers")
    | readable(INTEGER, "status")
    | readable(NUMBER, "timing"),
    relationships={"event": Relationship("Event")},
    orders=("created_at",),
)

RESOURCES: tuple[Resource, ...] = (ORGANIZATION, AVAILABLE_EVENT, SUBSCRIPTION, EVENT, DELIVERY)

# What the published definitions lack: "Type" or "Type.name" -> where it comes from.
EXCEPTIONS: dict[str, str] = {}
