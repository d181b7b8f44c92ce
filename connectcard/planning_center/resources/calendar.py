"""The product Calendar, version 2022-07-07: read only, although some of it could be written.

Attributes, relationships, includes, orders, filters and where-names are those of Planning Center's published definitions; a contract
test compares. An event is a series without times, its instances have them; the list of events takes no order. Changes are not all seen
in `updated_at`, and deletions nowhere: whoever keeps a copy reads the whole span of days again from time to time.
"""

from dataclasses import replace

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    NUMBER,
    OBJECT,
    STRING,
    Relationship,
    Resource,
    below,
    on_request,
    readable,
    the_one_below,
)

PRODUCT = "calendar"
VERSION = "2022-07-07"

ORGANIZATION = Resource(
    type="Organization",
    product=PRODUCT,
    version=VERSION,
    path="",
    singleton=True,
    attributes=readable(STRING, "calendar_starts_on", "date_format", "name", "time_zone")
    | readable(BOOLEAN, "twenty_four_hour_time")
    | on_request(BOOLEAN, "onboarding"),
    verbs=("get",),
)

PERSON = Resource(
    type="Person",
    product=PRODUCT,
    version=VERSION,
    path="people",
    attributes=readable(
        STRING,
        "avatar_url", "event_permissions_type", "first_name", "gender", "last_name", "middle_name", "name", "name_prefix",
        "name_suffix", "people_permissions_type", "resources_permissions_type", "room_permissions_type", "status",
    )
    | readable(
        BOOLEAN,
        "can_edit_people", "can_edit_resources", "can_edit_rooms", "child", "has_access", "resolves_conflicts",
        "site_administrator",
    )
    | readable(OBJECT, "contact_data")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(INTEGER, "pending_request_count", "permissions")
    | on_request(BOOLEAN, "member_of_approval_groups"),
    includes={"organization": "Organization"},
    wheres=("created_at", "first_name", "last_name", "middle_name", "updated_at"),
    orders=("created_at", "first_name", "last_name", "resolves_conflicts", "updated_at"),
    filters=("active", "event_owners"),
)  # fmt: skip

EVENT = Resource(
    type="Event",
    product=PRODUCT,
    version=VERSION,
    path="events",
    attributes=readable(STRING, "approval_status", "description", "image_url", "name", "registration_url", "summary")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "featured", "visible_in_church_center")
    | readable(INTEGER, "percent_approved", "percent_rejected"),
    relationships={"calendar": Relationship("Calendar"), "owner": Relationship("Person")},
    includes={"attachments": "Attachment", "feed": "Feed", "owner": "Person", "tags": "Tag"},
    wheres=(
        "approval_status", "created_at", "featured", "name", "percent_approved", "percent_rejected", "updated_at",
        "visible_in_church_center",
    ),
    filters=("future",),
)  # fmt: skip

EVENT_INSTANCE = Resource(
    type="EventInstance",
    product=PRODUCT,
    version=VERSION,
    path="event_instances",
    attributes=readable(BOOLEAN, "all_day_event")
    | readable(
        STRING,
        "church_center_url", "compact_recurrence_description", "location", "name", "published_ends_at", "published_starts_at",
        "recurrence", "recurrence_description",
    )
    | readable(MOMENT, "created_at", "ends_at", "starts_at", "updated_at")
    | on_request(STRING, "description", "image_url", "kind"),
    relationships={"event": Relationship("Event")},
    includes={"event": "Event", "event_times": "EventTime", "resource_bookings": "ResourceBooking", "tags": "Tag"},
    wheres=("created_at", "ends_at", "kind", "starts_at", "updated_at"),
    # `where[event][visible_in_church_center]=true` stands in its documentation as an example.
    wheres_above={"event": EVENT},
    orders=("created_at", "ends_at", "starts_at", "updated_at"),
    filters=(
        "all", "approved", "approved_pending", "approved_pending_rejected", "approved_rejected", "approver", "approver_subscriber",
        "future", "lost", "lost_due_to_blockout", "manager", "manager_approver", "manager_approver_subscriber", "manager_subscriber",
        "not_pending_event_requests", "owner", "owner_approver", "owner_approver_subscriber", "owner_manager", "owner_manager_approver",
        "owner_manager_approver_subscriber", "owner_manager_subscriber", "owner_subscriber", "pending", "pending_rejected", "rejected",
        "shared", "subscriber", "unresolved",
    ),
)  # fmt: skip

EVENT_TIME = Resource(
    type="EventTime",
    product=PRODUCT,
    version=VERSION,
    path="event_times",
    parent=EVENT_INSTANCE,
    nested_only=True,
    attributes=readable(MOMENT, "ends_at", "name", "starts_at") | readable(BOOLEAN, "visible_on_kiosks", "visible_on_widget_and_ical"),
    relationships={"event": Relationship("Event")},
    includes={"event": "Event"},
    wheres=("ends_at", "name", "starts_at", "visible_on_kiosks", "visible_on_widget_and_ical"),
    orders=("ends_at", "starts_at"),
)

TAG_GROUP = Resource(
    type="TagGroup",
    product=PRODUCT,
    version=VERSION,
    path="tag_groups",
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "name") | readable(BOOLEAN, "required"),
    includes={"events": "Event", "tags": "Tag"},
    wheres=("created_at", "name", "updated_at"),
    orders=("name",),
    filters=("required",),
)

TAG = Resource(
    type="Tag",
    product=PRODUCT,
    version=VERSION,
    path="tags",
    attributes=readable(BOOLEAN, "church_center_category")
    | readable(STRING, "color", "name")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(NUMBER, "position"),
    includes={"tag_group": "TagGroup"},
    wheres=("church_center_category", "color", "created_at", "id", "name", "position", "updated_at"),
    orders=("name", "position"),
    filters=("individual",),
)

ATTACHMENT = Resource(
    type="Attachment",
    product=PRODUCT,
    version=VERSION,
    path="attachments",
    attributes=readable(STRING, "content_type", "description", "name", "url")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(INTEGER, "file_size"),
    relationships={"event": Relationship("Event")},
    includes={"event": "Event"},
    wheres=("content_type", "created_at", "description", "file_size", "name", "updated_at"),
    orders=("content_type", "created_at", "description", "file_size", "name", "updated_at"),
)

CONFLICT = Resource(
    type="Conflict",
    product=PRODUCT,
    version=VERSION,
    path="conflicts",
    attributes=readable(MOMENT, "created_at", "resolved_at", "updated_at") | readable(STRING, "note"),
    relationships={"resource": Relationship("Resource"), "resolved_by": Relationship("Person"), "winner": Relationship("Event")},
    includes={"resolved_by": "Person", "resource": "Resource", "winner": "Event"},
    orders=("resolved_at",),
    filters=("future", "resolved", "unresolved"),
)

EVENT_CONNECTION = Resource(
    type="EventConnection",
    product=PRODUCT,
    version=VERSION,
    path="event_connections",
    parent=EVENT,
    nested_only=True,
    attributes=readable(STRING, "connected_to_id", "connected_to_name", "connected_to_type", "connected_to_url", "product_name")
    | on_request(BOOLEAN, "promoted"),
    relationships={"event": Relationship("Event")},
    wheres=("connected_to_id", "product_name", "promoted"),
)

FEED = Resource(
    type="Feed",
    product=PRODUCT,
    version=VERSION,
    path="feeds",
    attributes=readable(BOOLEAN, "can_delete", "deleting")
    | readable(OBJECT, "default_church_center_visibility")
    | readable(STRING, "feed_type", "name", "source_id")
    | readable(MOMENT, "imported_at")
    | on_request(BOOLEAN, "prefix_event_names", "sync_campus_tags"),
    relationships={"event_owner": Relationship("Person"), "default_calendar": Relationship("Calendar")},
    wheres=("feed_type", "source_id"),
    orders=("name",),
)

RESOURCE = Resource(
    type="Resource",
    product=PRODUCT,
    version=VERSION,
    path="resources",
    attributes=readable(MOMENT, "created_at", "expires_at", "updated_at")
    | readable(STRING, "description", "home_location", "kind", "name", "path_name", "serial_number")
    | readable(OBJECT, "image")
    | readable(INTEGER, "quantity"),
    includes={
        "resource_approval_groups": "ResourceApprovalGroup",
        "resource_folder": "ResourceFolder",
        "resource_questions": "ResourceQuestion",
        "room_setups": "RoomSetup",
    },
    wheres=("created_at", "id", "kind", "name", "path_name", "serial_number", "updated_at"),
    orders=("created_at", "expires_at", "name", "updated_at"),
    filters=("resources", "rooms"),
)

EVENT_RESOURCE_REQUEST = Resource(
    type="EventResourceRequest",
    product=PRODUCT,
    version=VERSION,
    path="event_resource_requests",
    attributes=readable(BOOLEAN, "approval_sent", "visible_on_kiosks")
    | readable(STRING, "approval_status", "notes")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(INTEGER, "quantity"),
    relationships={
        "event": Relationship("Event"),
        "resource": Relationship("Resource"),
        "event_resource_request": Relationship("EventResourceRequest"),
        "created_by": Relationship("Person"),
        "updated_by": Relationship("Person"),
        "room_setup": Relationship("RoomSetup"),
    },
    includes={"created_by": "Person", "event": "Event", "resource": "Resource", "room_setup": "RoomSetup", "updated_by": "Person"},
    wheres=("approval_sent", "approval_status", "created_at", "updated_at"),
)

RESOURCE_BOOKING = Resource(
    type="ResourceBooking",
    product=PRODUCT,
    version=VERSION,
    path="resource_bookings",
    attributes=readable(MOMENT, "created_at", "ends_at", "starts_at", "updated_at")
    | readable(INTEGER, "quantity"),
    relationships={
        "event": Relationship("Event"),
        "event_instance": Relationship("EventInstance"),
        "resource": Relationship("Resource"),
    },
    includes={"event_instance": "EventInstance", "event_resource_request": "EventResourceRequest", "resource": "Resource"},
    wheres=("created_at", "ends_at", "starts_at", "updated_at"),
    orders=("created_at", "ends_at", "starts_at", "updated_at"),
    filters=(
        "approved", "approved_pending", "approved_pending_rejected", "approved_rejected", "future", "pending", "pending_rejected",
        "rejected", "resources", "rooms",
    ),
)  # fmt: skip

CALENDAR = Resource(
    type="Calendar",
    product=PRODUCT,
    version=VERSION,
    path="calendars",
    attributes=readable(STRING, "name"),
)

# What can be booked, and who has to approve it

RESOURCE_FOLDER = Resource(
    type="ResourceFolder",
    product=PRODUCT,
    version=VERSION,
    path="resource_folders",
    attributes=readable(STRING, "ancestry", "kind", "name", "path_name") | readable(MOMENT, "created_at", "updated_at"),
    includes={"resources": "Resource"},
    wheres=("ancestry", "created_at", "name", "path_name", "updated_at"),
    orders=("ancestry", "created_at", "name", "updated_at"),
    filters=("resources", "rooms"),
)

RESOURCE_APPROVAL_GROUP = Resource(
    type="ResourceApprovalGroup",
    product=PRODUCT,
    version=VERSION,
    path="resource_approval_groups",
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "name")
    | on_request(INTEGER, "form_count", "resource_count", "room_count"),
    includes={"people": "Person", "resources": "Resource"},
    wheres=("created_at", "id", "name", "updated_at"),
    orders=("created_at", "name", "updated_at"),
)

REQUIRED_APPROVAL = Resource(
    type="RequiredApproval",
    product=PRODUCT,
    version=VERSION,
    path="required_approvals",
    parent=RESOURCE,
    nested_only=True,
    includes={"resource": "Resource"},
)

RESOURCE_QUESTION = Resource(
    type="ResourceQuestion",
    product=PRODUCT,
    version=VERSION,
    path="resource_questions",
    attributes=readable(STRING, "choices", "description", "kind", "question")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "multiple_select", "optional")
    | readable(INTEGER, "position"),
    relationships={"resource": Relationship("Resource")},
    wheres=("created_at", "kind", "updated_at"),
)

EVENT_RESOURCE_ANSWER = Resource(
    type="EventResourceAnswer",
    product=PRODUCT,
    version=VERSION,
    path="answers",
    parent=EVENT_RESOURCE_REQUEST,
    nested_only=True,
    attributes=readable(OBJECT, "answer", "question") | readable(MOMENT, "created_at", "updated_at") | on_request(STRING, "db_answer"),
    relationships={
        "created_by": Relationship("Person"),
        "updated_by": Relationship("Person"),
        "resource_question": Relationship("ResourceQuestion"),
        "event_resource_request": Relationship("EventResourceRequest"),
    },
)

ROOM_SETUP = Resource(
    type="RoomSetup",
    product=PRODUCT,
    version=VERSION,
    path="room_setups",
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "description", "diagram_thumbnail_url", "diagram_url", "name")
    | readable(OBJECT, "diagram"),
    relationships={
        "room_setup": Relationship("RoomSetup"),
        "resource_suggestions": Relationship("ResourceSuggestion", many=True),
        "containing_resource": Relationship("Resource"),
    },
    includes={"resource_suggestions": "ResourceSuggestion"},
    wheres=("created_at", "name", "updated_at"),
    orders=("created_at", "name", "updated_at"),
    filters=("shared_room_setups",),
)

RESOURCE_SUGGESTION = Resource(
    type="ResourceSuggestion",
    product=PRODUCT,
    version=VERSION,
    path="resource_suggestions",
    parent=ROOM_SETUP,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(INTEGER, "quantity"),
    relationships={"resource": Relationship("Resource"), "room_setup": Relationship("RoomSetup")},
    includes={"resource": "Resource"},
)

REPORT_TEMPLATE = Resource(
    type="ReportTemplate",
    product=PRODUCT,
    version=VERSION,
    path="report_templates",
    attributes=readable(STRING, "body", "created_at", "description", "title", "updated_at"),
)

JOB_STATUS = Resource(
    type="JobStatus",
    product=PRODUCT,
    version=VERSION,
    path="job_statuses",
    attributes=readable(OBJECT, "errors")
    | readable(STRING, "message", "status")
    | readable(INTEGER, "retries")
    | readable(MOMENT, "started_at"),
)

# The same things once more, at the addresses below others.
ME = replace(PERSON, path="me", singleton=True, verbs=("get",), wheres=(), orders=(), filters=())
TAG_EVENT = below(TAG, EVENT)
TAG_EVENT_INSTANCE = below(TAG, EVENT_INSTANCE)
TAG_GROUP_EVENT = below(TAG_GROUP, EVENT)
TAG_GROUP_TAG = below(TAG_GROUP, TAG)
EVENT_ATTACHMENT = below(EVENT, ATTACHMENT)
EVENT_CONFLICT = below(EVENT, CONFLICT)
EVENT_EVENT_INSTANCE = below(EVENT, EVENT_INSTANCE, filters=("future",))
EVENT_EVENT_RESOURCE_REQUEST = below(EVENT, EVENT_RESOURCE_REQUEST)
EVENT_RESOURCE_BOOKING = below(EVENT, RESOURCE_BOOKING, filters=("future",))
EVENT_TAG = below(EVENT, TAG)
EVENT_FEED = the_one_below(EVENT, FEED, "feed")
EVENT_OWNER = the_one_below(EVENT, PERSON, "owner")
ATTACHMENT_EVENT = the_one_below(ATTACHMENT, EVENT, "event")
CONFLICT_WINNER = the_one_below(CONFLICT, EVENT, "winner")
EVENT_INSTANCE_EVENT = the_one_below(EVENT_INSTANCE, EVENT, "event")
EVENT_INSTANCE_TAG = below(EVENT_INSTANCE, TAG)
EVENT_INSTANCE_RESOURCE_BOOKING = below(EVENT_INSTANCE, RESOURCE_BOOKING, filters=("future", "resources", "rooms"))
EVENT_TIME_EVENT = the_one_below(EVENT_TIME, EVENT, "event")
EVENT_RESOURCE_REQUEST_EVENT = the_one_below(EVENT_RESOURCE_REQUEST, EVENT, "event")

_BOOKED = (
    "approved", "approved_pending", "approved_pending_rejected", "approved_rejected", "future", "pending", "pending_rejected",
    "rejected",
)  # fmt: skip
_ASKED_FOR = ("awaiting_response", "future", "not_in_conflict", "not_overbooked", "overbooked")
EVENT_RESOURCE_REQUEST_RESOURCE_BOOKING = below(EVENT_RESOURCE_REQUEST, RESOURCE_BOOKING, filters=_BOOKED)
PERSON_EVENT_RESOURCE_REQUEST = below(PERSON, EVENT_RESOURCE_REQUEST, filters=_ASKED_FOR)
RESOURCE_CONFLICT = below(RESOURCE, CONFLICT)
RESOURCE_EVENT_RESOURCE_REQUEST = below(RESOURCE, EVENT_RESOURCE_REQUEST)
RESOURCE_RESOURCE_APPROVAL_GROUP = below(RESOURCE, RESOURCE_APPROVAL_GROUP)
RESOURCE_RESOURCE_BOOKING = below(RESOURCE, RESOURCE_BOOKING, filters=_BOOKED)
RESOURCE_RESOURCE_FOLDER = the_one_below(RESOURCE, RESOURCE_FOLDER, "resource_folder")
RESOURCE_RESOURCE_QUESTION = below(RESOURCE, RESOURCE_QUESTION)
RESOURCE_ROOM_SETUP = below(RESOURCE, ROOM_SETUP)
APPROVAL_GROUP_EVENT_RESOURCE_REQUEST = below(RESOURCE_APPROVAL_GROUP, EVENT_RESOURCE_REQUEST, filters=_ASKED_FOR)
APPROVAL_GROUP_PERSON = below(RESOURCE_APPROVAL_GROUP, PERSON)
APPROVAL_GROUP_REQUIRED_APPROVAL = below(RESOURCE_APPROVAL_GROUP, REQUIRED_APPROVAL, filters=("resources", "rooms"))
APPROVAL_GROUP_RESOURCE = below(RESOURCE_APPROVAL_GROUP, RESOURCE, filters=("resources", "rooms"))
RESOURCE_FOLDER_RESOURCE = below(RESOURCE_FOLDER, RESOURCE)
TAG_TAG_GROUP = the_one_below(TAG, TAG_GROUP, "tag_group")

RESOURCES: tuple[Resource, ...] = (
    ORGANIZATION, PERSON, EVENT, EVENT_INSTANCE, EVENT_TIME, TAG_GROUP, TAG, ATTACHMENT, CONFLICT, EVENT_CONNECTION, FEED, RESOURCE,
    EVENT_RESOURCE_REQUEST, RESOURCE_BOOKING, CALENDAR, ME, TAG_EVENT, TAG_EVENT_INSTANCE, TAG_GROUP_EVENT, TAG_GROUP_TAG,
    EVENT_ATTACHMENT, EVENT_CONFLICT, EVENT_EVENT_INSTANCE, EVENT_EVENT_RESOURCE_REQUEST, EVENT_RESOURCE_BOOKING, EVENT_TAG,
    EVENT_FEED, EVENT_OWNER, ATTACHMENT_EVENT, CONFLICT_WINNER, EVENT_INSTANCE_EVENT, EVENT_INSTANCE_TAG,
    EVENT_INSTANCE_RESOURCE_BOOKING, EVENT_TIME_EVENT, EVENT_RESOURCE_REQUEST_EVENT, RESOURCE_FOLDER, RESOURCE_APPROVAL_GROUP,
    REQUIRED_APPROVAL, RESOURCE_QUESTION, EVENT_RESOURCE_ANSWER, ROOM_SETUP, RESOURCE_SUGGESTION, REPORT_TEMPLATE, JOB_STATUS,
    EVENT_RESOURCE_REQUEST_RESOURCE_BOOKING, PERSON_EVENT_RESOURCE_REQUEST, RESOURCE_CONFLICT, RESOURCE_EVENT_RESOURCE_REQUEST,
    RESOURCE_RESOURCE_APPROVAL_GROUP, RESOURCE_RESOURCE_BOOKING, RESOURCE_RESOURCE_FOLDER, RESOURCE_RESOURCE_QUESTION,
    RESOURCE_ROOM_SETUP, APPROVAL_GROUP_EVENT_RESOURCE_REQUEST, APPROVAL_GROUP_PERSON, APPROVAL_GROUP_REQUIRED_APPROVAL,
    APPROVAL_GROUP_RESOURCE, RESOURCE_FOLDER_RESOURCE, TAG_TAG_GROUP,
)  # fmt: skip

# What the published definitions lack: "Type" or "Type.name" -> where it comes from.
EXCEPTIONS = {
    "Calendar": "named among the top-level addresses of version 2022-07-07; described nowhere, that it has a name is a guess",
}
