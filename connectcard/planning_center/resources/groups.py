"""The product Groups, version 2023-07-10.

Attributes, relationships, includes, orders, filters, where-names and verbs are those of Planning Center's published definitions and
OpenAPI file; a contract test compares. What an action takes stands on the vertex pages of its documentation. A group, a membership
and an event say nowhere when they were changed last: whoever keeps a copy reads all of them each time. Groups that the connecting
person may not see are simply missing, and archived ones are listed only with `where={"archive_status": "include"}`.
"""

from dataclasses import replace

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    LIST,
    MOMENT,
    NUMBER,
    OBJECT,
    READ,
    STRING,
    WRITE,
    Attribute,
    Relationship,
    Resource,
    assignable,
    below,
    on_request,
    readable,
    the_one_below,
    write_only,
    write_only_on_create,
)

PRODUCT = "groups"
VERSION = "2023-07-10"

ORGANIZATION = Resource(
    type="Organization",
    product=PRODUCT,
    version=VERSION,
    path="",
    singleton=True,
    attributes=readable(STRING, "name", "time_zone"),
    verbs=("get",),
)

GROUP_TYPE = Resource(
    type="GroupType",
    product=PRODUCT,
    version=VERSION,
    path="group_types",
    attributes=readable(BOOLEAN, "church_center_map_visible", "church_center_visible")
    | readable(STRING, "color", "description", "name", "public_church_center_web_url")
    | readable(OBJECT, "default_group_settings")
    | readable(INTEGER, "position"),
    wheres=("id",),
    orders=("name", "position"),
    filters=("church_center_visible", "not_church_center_visible"),
)

GROUP = Resource(
    type="Group",
    product=PRODUCT,
    version=VERSION,
    path="groups",
    attributes=assignable(STRING, "name", "schedule")
    | readable(MOMENT, "archived_at", "created_at")
    | readable(BOOLEAN, "chat_enabled", "events_listed", "leaders_can_search_people_database", "listed", "members_are_confidential")
    | readable(
        STRING,
        "contact_email", "description", "description_as_plain_text", "events_visibility", "location_type_preference",
        "public_church_center_web_url", "virtual_location_url",
    )
    | readable(OBJECT, "header_image")
    | readable(INTEGER, "memberships_count")
    | on_request(BOOLEAN, "can_create_conversation")
    | on_request(STRING, "can_create_conversation_reason_code")
    # Answered only on request, and written: the ids of its tags, all of them each time.
    | {"tag_ids": Attribute(INTEGER, assignable=True, on_request=True)}
    | on_request(OBJECT, "widget_status")
    | write_only(STRING, "group_type_id"),
    relationships={"group_type": Relationship("GroupType", assignable=True), "location": Relationship("Location")},
    includes={"enrollment": "Enrollment", "group_type": "GroupType", "location": "Location"},
    verbs=("list", "get", "update"),
    actions={
        "assign_campuses": ("campus_ids",),
        "disable_chat": ("confirm",),
        "duplicate": ("fields", "group_type_id", "name"),
        "enable_chat": ("confirm",),
    },
    wheres=("archive_status", "name"),
    orders=(
        "chat_enabled", "contact_email", "created_at", "enrollment_limit", "listed", "members_are_confidential", "memberships_count",
        "name",
    ),
    filters=(
        "campus", "enrollment", "group", "group_type", "hidden", "meeting_schedule", "my_groups", "people_database_searchable",
        "published", "tag",
    ),
    filter_values={
        "campus": "campus_id",
        "enrollment": "enrollment",
        "group": "group_id",
        "group_type": "group_type_id",
        "people_database_searchable": "people_database_searchable",
        "tag": "tag_id",
    },
)  # fmt: skip

ENROLLMENT = Resource(
    type="Enrollment",
    product=PRODUCT,
    version=VERSION,
    path="enrollment",
    parent=GROUP,
    nested_only=True,
    singleton=True,
    attributes=readable(BOOLEAN, "auto_closed", "date_limit_reached", "member_limit_reached")
    | readable(STRING, "auto_closed_reason", "date_limit", "status", "strategy")
    | readable(INTEGER, "member_limit"),
    relationships={"group": Relationship("Group")},
    verbs=("get",),
)

PERSON = Resource(
    type="Person",
    product=PRODUCT,
    version=VERSION,
    path="people",
    attributes=readable(LIST, "addresses", "email_addresses", "phone_numbers")
    | readable(STRING, "avatar_url", "first_name", "gender", "last_name", "permissions")
    | readable(MOMENT, "created_at")
    | on_request(BOOLEAN, "child"),
    wheres=("first_name", "last_name"),
    orders=("first_name", "last_name"),
)

MEMBERSHIP = Resource(
    type="Membership",
    product=PRODUCT,
    version=VERSION,
    path="memberships",
    parent=GROUP,
    nested_only=True,
    attributes=assignable(MOMENT, "joined_at") | assignable(STRING, "role") | write_only_on_create(STRING, "person_id"),
    relationships={"group": Relationship("Group"), "person": Relationship("Person", assignable=True)},
    includes={"person": "Person"},
    verbs=WRITE,
    wheres=("role",),
    orders=("first_name", "joined_at", "last_name", "role"),
)

APPLICATION = Resource(
    type="GroupApplication",
    product=PRODUCT,
    version=VERSION,
    path="group_applications",
    attributes=readable(MOMENT, "applied_at") | readable(STRING, "message", "status"),
    relationships={"group": Relationship("Group"), "person": Relationship("Person")},
    includes={"group": "Group", "person": "Person"},
    actions={"approve": ("role",), "reject": ()},
    wheres=("applied_at", "status"),
    orders=("applied_at", "status"),
)

EVENT = Resource(
    type="Event",
    product=PRODUCT,
    version=VERSION,
    path="events",
    attributes=readable(
        BOOLEAN,
        "attendance_requests_enabled", "automated_reminder_enabled", "canceled", "multi_day", "reminders_sent", "repeating",
    )
    | readable(MOMENT, "canceled_at", "ends_at", "reminders_sent_at", "starts_at")
    | readable(STRING, "description", "location_type_preference", "name", "virtual_location_url")
    | readable(OBJECT, "image")
    | readable(INTEGER, "visitors_count"),
    relationships={
        "attendance_submitter": Relationship("Person"),
        "group": Relationship("Group"),
        "location": Relationship("Location"),
        "repeating_event": Relationship("RepeatingEvent"),
    },
    includes={"group": "Group", "location": "Location"},
    wheres=("ends_at", "name", "starts_at"),
    orders=("ends_at", "name", "starts_at"),
    filters=("campus", "canceled", "group", "group_type", "my_groups", "not_canceled", "upcoming"),
    filter_values={"campus": "campus_id", "group": "group_id", "group_type": "group_type_id"},
)  # fmt: skip

ATTENDANCE = Resource(
    type="Attendance",
    product=PRODUCT,
    version=VERSION,
    path="attendances",
    parent=EVENT,
    nested_only=True,
    attributes=readable(BOOLEAN, "attended") | readable(STRING, "role"),
    relationships={"person": Relationship("Person"), "event": Relationship("Event")},
    includes={"person": "Person"},
    verbs=("list",),
    wheres=("role",),
    orders=("first_name", "last_name", "role"),
    filters=("attended",),
)

EVENT_NOTE = Resource(
    type="EventNote",
    product=PRODUCT,
    version=VERSION,
    path="notes",
    parent=EVENT,
    nested_only=True,
    attributes=readable(STRING, "body"),
    relationships={"annotatable": Relationship("Annotatable"), "owner": Relationship("Owner")},
    includes={"owner": "Owner"},
)

OWNER = Resource(
    type="Owner",
    product=PRODUCT,
    version=VERSION,
    path="owner",
    parent=EVENT_NOTE,
    nested_only=True,
    singleton=True,
    attributes=readable(STRING, "avatar_url", "first_name", "last_name"),
    verbs=("get",),
)

RSVP = Resource(
    type="RSVP",
    product=PRODUCT,
    version=VERSION,
    path="rsvps",
    parent=EVENT,
    nested_only=True,
    attributes=readable(STRING, "response"),
    relationships={"event": Relationship("Event"), "group": Relationship("Group"), "person": Relationship("Person")},
    verbs=("list",),
    wheres=("response",),
    orders=("response",),
)

LOCATION = Resource(
    type="Location",
    product=PRODUCT,
    version=VERSION,
    path="location",
    parent=GROUP,
    nested_only=True,
    singleton=True,
    attributes=readable(STRING, "display_preference", "full_formatted_address", "name", "strategy")
    | readable(NUMBER, "latitude", "longitude")
    | readable(INTEGER, "radius"),
    includes={"group": "Group"},
    verbs=("get",),
)

CAMPUS = Resource(
    type="Campus",
    product=PRODUCT,
    version=VERSION,
    path="campuses",
    attributes=readable(STRING, "name"),
    wheres=("id", "name"),
    orders=("name",),
)

TAG_GROUP = Resource(
    type="TagGroup",
    product=PRODUCT,
    version=VERSION,
    path="tag_groups",
    attributes=readable(BOOLEAN, "display_publicly", "multiple_options_enabled") | readable(STRING, "name") | readable(INTEGER, "position"),
    wheres=("name",),
    orders=("name", "position"),
    filters=("public",),
)

TAG = Resource(
    type="Tag",
    product=PRODUCT,
    version=VERSION,
    path="tags",
    parent=TAG_GROUP,
    nested_only=True,
    attributes=readable(STRING, "name") | readable(INTEGER, "position"),
    relationships={"tag_group": Relationship("TagGroup")},
    wheres=("id", "name"),
    orders=("name", "position"),
)

SHARED_RESOURCE = Resource(
    type="Resource",
    product=PRODUCT,
    version=VERSION,
    path="resources",
    parent=GROUP,
    nested_only=True,
    attributes=readable(STRING, "description", "name", "type", "visibility") | readable(MOMENT, "last_updated"),
    relationships={"created_by": Relationship("Person")},
    orders=("last_updated", "name"),
    filters=("leaders",),
)

# The same things once more, at the addresses below others.
ME = replace(PERSON, path="me", singleton=True, verbs=("get",), wheres=(), orders=())
GROUP_TYPE_GROUP = below(GROUP_TYPE, GROUP)
CAMPUS_GROUP = below(CAMPUS, GROUP)
PERSON_GROUP = below(PERSON, GROUP)
GROUP_GROUP_TYPE = the_one_below(GROUP, GROUP_TYPE, "group_type")
GROUP_PERSON = below(GROUP, PERSON, verbs=READ)
GROUP_CAMPUS = below(GROUP, CAMPUS, verbs=READ)
GROUP_TAG = below(GROUP, TAG, verbs=READ)
TAG_GROUPS = below(GROUP_TAG, GROUP)
GROUP_APPLICATION = below(GROUP, APPLICATION, "applications", verbs=READ)
APPLICATION_GROUP = the_one_below(APPLICATION, GROUP, "group")
APPLICATION_PERSON = the_one_below(APPLICATION, PERSON, "person")
PERSON_MEMBERSHIP = below(PERSON, MEMBERSHIP, verbs=("list", "get", "update", "delete"))
MY_MEMBERSHIP = the_one_below(GROUP, MEMBERSHIP, "my_membership")
MEMBERSHIP_GROUP = the_one_below(MEMBERSHIP, GROUP, "group")
MEMBERSHIP_PERSON = the_one_below(MEMBERSHIP, PERSON, "person")
GROUP_EVENT = below(GROUP, EVENT, verbs=READ, filters=("canceled", "not_canceled"))
GROUP_TYPE_EVENT = below(GROUP_TYPE, EVENT, verbs=READ, filters=("canceled", "not_canceled", "upcoming"))
PERSON_EVENT = below(PERSON, EVENT, verbs=READ, filters=("canceled", "not_canceled"))
EVENT_GROUP = the_one_below(EVENT, GROUP, "group")
EVENT_LOCATION = the_one_below(EVENT, LOCATION, "location")
LOCATION_GROUP = the_one_below(EVENT_LOCATION, GROUP, "group")
ATTENDANCE_PERSON = the_one_below(ATTENDANCE, PERSON, "person")
GROUP_TYPE_SHARED_RESOURCE = below(GROUP_TYPE, SHARED_RESOURCE, verbs=READ)

RESOURCES: tuple[Resource, ...] = (
    ORGANIZATION, GROUP_TYPE, GROUP, ENROLLMENT, PERSON, MEMBERSHIP, APPLICATION, EVENT, ATTENDANCE, EVENT_NOTE, OWNER, RSVP,
    LOCATION, CAMPUS, TAG_GROUP, TAG, SHARED_RESOURCE, ME, GROUP_TYPE_GROUP, CAMPUS_GROUP, PERSON_GROUP, GROUP_GROUP_TYPE,
    GROUP_PERSON, GROUP_CAMPUS, GROUP_TAG, TAG_GROUPS, GROUP_APPLICATION, APPLICATION_GROUP, APPLICATION_PERSON, PERSON_MEMBERSHIP,
    MY_MEMBERSHIP, MEMBERSHIP_GROUP, MEMBERSHIP_PERSON, GROUP_EVENT, GROUP_TYPE_EVENT, PERSON_EVENT, EVENT_GROUP, EVENT_LOCATION,
    LOCATION_GROUP, ATTENDANCE_PERSON, GROUP_TYPE_SHARED_RESOURCE,
)  # fmt: skip

# What the published definitions lack: "Type" or "Type.name" -> where it comes from.
EXCEPTIONS: dict[str, str] = {
    "Group.group_type_id": "OpenAPI, group_attributes_assignable_on_update; vertex page of Group, 'Updating'",
    "Membership.person_id": "OpenAPI, membership_attributes_assignable_on_create",
}
