"""The product Check-Ins, version 2025-05-28: read only, since Planning Center lets nobody check people in over its API.

Attributes, relationships, includes, orders, filters and where-names are those of Planning Center's published definitions; a contract
test compares. Locations are reached below their event only. A check-in holds a child's medical notes: do not keep them.
"""

from dataclasses import replace

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    DATE,
    INTEGER,
    LIST,
    MOMENT,
    OBJECT,
    STRING,
    Relationship,
    Resource,
    below,
    on_request,
    readable,
)

PRODUCT = "check-ins"
VERSION = "2025-05-28"

ORGANIZATION = Resource(
    type="Organization",
    product=PRODUCT,
    version=VERSION,
    path="",
    singleton=True,
    attributes=readable(STRING, "avatar_url", "date_format_pattern", "name", "time_zone")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(INTEGER, "daily_check_ins"),
    verbs=("get",),
)

EVENT = Resource(
    type="Event",
    product=PRODUCT,
    version=VERSION,
    path="events",
    attributes=readable(MOMENT, "archived_at", "created_at", "updated_at")
    | readable(BOOLEAN, "enable_services_integration", "location_times_enabled", "pre_select_enabled")
    | readable(STRING, "frequency", "integration_key", "name")
    | on_request(STRING, "app_source"),
    relationships={"campuses": Relationship("Campus", many=True)},
    includes={"attendance_types": "AttendanceType"},
    wheres=("id", "name"),
    orders=("created_at", "name"),
    filters=("archived", "for_campus", "for_headcounts", "for_registrations", "not_archived"),
)

EVENT_PERIOD = Resource(
    type="EventPeriod",
    product=PRODUCT,
    version=VERSION,
    path="event_periods",
    parent=EVENT,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "ends_at", "starts_at", "updated_at")
    | readable(INTEGER, "guest_count", "regular_count", "volunteer_count")
    | readable(STRING, "note"),
    relationships={"event": Relationship("Event")},
    includes={"event": "Event", "event_times": "EventTime"},
    wheres=("ends_at", "starts_at"),
    orders=("starts_at",),
)

EVENT_TIME = Resource(
    type="EventTime",
    product=PRODUCT,
    version=VERSION,
    path="event_times",
    attributes=readable(MOMENT, "created_at", "hides_at", "shows_at", "starts_at", "updated_at")
    | readable(INTEGER, "day_of_week", "guest_count", "hour", "minute", "regular_count", "total_count", "volunteer_count")
    | readable(STRING, "name"),
    relationships={"event": Relationship("Event"), "event_period": Relationship("EventPeriod")},
    includes={"event": "Event", "event_period": "EventPeriod", "headcounts": "Headcount"},
    wheres=("created_at", "updated_at"),
    orders=("shows_at", "starts_at"),
)

LOCATION = Resource(
    type="Location",
    product=PRODUCT,
    version=VERSION,
    path="locations",
    parent=EVENT,
    nested_only=True,
    attributes=readable(
        INTEGER,
        "age_max_in_months", "age_min_in_months", "attendees_per_volunteer", "grade_max", "grade_min", "max_occupancy",
        "min_volunteers", "position",
    )
    | readable(DATE, "age_on", "effective_date")
    | readable(STRING, "age_range_by", "child_or_adult", "gender", "kind", "milestone", "name")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "opened")
    | readable(LIST, "questions"),
    relationships={"parent": Relationship("Location")},
    includes={"event": "Event", "locations": "Location", "options": "Option", "parent": "Location"},
    orders=("kind", "name", "position"),
    filters=("locations", "root"),
)  # fmt: skip

ATTENDANCE_TYPE = Resource(
    type="AttendanceType",
    product=PRODUCT,
    version=VERSION,
    path="attendance_types",
    parent=EVENT,
    nested_only=True,
    attributes=readable(STRING, "color", "name") | readable(MOMENT, "created_at", "updated_at") | readable(INTEGER, "limit"),
    relationships={"event": Relationship("Event")},
    includes={"event": "Event"},
    wheres=("id", "name"),
)

PERSON = Resource(
    type="Person",
    product=PRODUCT,
    version=VERSION,
    path="people",
    attributes=readable(LIST, "addresses", "email_addresses", "phone_numbers")
    | readable(
        STRING,
        "avatar_url", "demographic_avatar_url", "first_name", "gender", "last_name", "medical_notes", "middle_name", "name",
        "name_prefix", "name_suffix", "permission", "top_permission",
    )
    | readable(DATE, "birthdate")
    | readable(INTEGER, "check_in_count", "grade")
    | readable(BOOLEAN, "child", "headcounter", "ignore_filters", "passed_background_check")
    | readable(MOMENT, "created_at", "last_checked_in_at", "updated_at"),
    includes={"organization": "Organization"},
    wheres=("headcounter", "ignore_filters", "permission", "search_name"),
    orders=("check_in_count", "first_name", "last_checked_in_at", "last_name"),
)  # fmt: skip

CHECK_IN = Resource(
    type="CheckIn",
    product=PRODUCT,
    version=VERSION,
    path="check_ins",
    attributes=readable(MOMENT, "checked_out_at", "confirmed_at", "created_at", "updated_at")
    | readable(
        STRING,
        "emergency_contact_name", "emergency_contact_phone_number", "first_name", "kind", "last_name", "medical_notes",
        "security_code",
    )
    | readable(INTEGER, "number")
    | readable(BOOLEAN, "one_time_guest"),
    relationships={"event_period": Relationship("EventPeriod"), "person": Relationship("Person")},
    includes={
        "check_in_times": "CheckInTime",
        "checked_in_at": "Station",
        "checked_in_by": "Person",
        "checked_out_by": "Person",
        "event": "Event",
        "event_period": "EventPeriod",
        "event_times": "EventTime",
        "locations": "Location",
        "options": "Option",
        "person": "Person",
    },
    wheres=("account_center_person_id", "created_at", "security_code", "updated_at"),
    orders=("checked_out_at", "created_at", "first_name", "last_name", "number", "updated_at"),
    filters=(
        "attendee", "checked_out", "first_time", "guest", "not_checked_out", "not_one_time_guest", "one_time_guest", "regular",
        "volunteer",
    ),
)  # fmt: skip

CHECK_IN_TIME = Resource(
    type="CheckInTime",
    product=PRODUCT,
    version=VERSION,
    path="check_in_times",
    parent=CHECK_IN,
    nested_only=True,
    attributes=readable(LIST, "alerts") | readable(BOOLEAN, "has_validated", "services_integrated") | readable(STRING, "kind"),
    relationships={
        "event_time": Relationship("EventTime"),
        "location": Relationship("Location"),
        "check_in": Relationship("CheckIn"),
        "pre_check": Relationship("PreCheck"),
    },
)

STATION = Resource(
    type="Station",
    product=PRODUCT,
    version=VERSION,
    path="stations",
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "input_type", "input_type_options", "name")
    | readable(INTEGER, "mode", "timeout_seconds")
    | on_request(INTEGER, "check_in_count")
    | on_request(MOMENT, "closes_at", "next_shows_at")
    | on_request(BOOLEAN, "online", "open_for_check_in"),
    includes={"event": "Event", "location": "Location", "print_station": "Station", "theme": "Theme"},
)

LABEL = Resource(
    type="Label",
    product=PRODUCT,
    version=VERSION,
    path="labels",
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "name", "prints_for", "roll", "xml"),
)

OPTION = Resource(
    type="Option",
    product=PRODUCT,
    version=VERSION,
    path="options",
    attributes=readable(STRING, "body") | readable(MOMENT, "created_at", "updated_at") | readable(INTEGER, "quantity"),
    includes={"label": "Label"},
)

HEADCOUNT = Resource(
    type="Headcount",
    product=PRODUCT,
    version=VERSION,
    path="headcounts",
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(INTEGER, "total"),
    relationships={"event_time": Relationship("EventTime"), "attendance_type": Relationship("AttendanceType")},
    includes={"attendance_type": "AttendanceType", "event_time": "EventTime"},
    wheres=("created_at", "updated_at"),
    orders=("created_at", "total", "updated_at"),
)

THEME = Resource(
    type="Theme",
    product=PRODUCT,
    version=VERSION,
    path="themes",
    attributes=readable(STRING, "background_color", "color", "image_thumbnail", "mode", "name", "text_color")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(OBJECT, "image"),
)

# Which labels are printed where, and for whom

EVENT_LABEL = Resource(
    type="EventLabel",
    product=PRODUCT,
    version=VERSION,
    path="event_labels",
    parent=EVENT,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "for_guest", "for_regular", "for_volunteer")
    | readable(INTEGER, "quantity"),
    includes={"event": "Event", "label": "Label"},
)

LOCATION_LABEL = replace(
    EVENT_LABEL,
    type="LocationLabel",
    path="location_labels",
    parent=LOCATION,
    includes={"label": "Label", "location": "Location"},
)

# Who came where, counted

LOCATION_EVENT_PERIOD = Resource(
    type="LocationEventPeriod",
    product=PRODUCT,
    version=VERSION,
    path="location_event_periods",
    parent=EVENT_PERIOD,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(INTEGER, "guest_count", "regular_count", "volunteer_count"),
    includes={"event_period": "EventPeriod", "location": "Location"},
)

LOCATION_EVENT_TIME = replace(
    LOCATION_EVENT_PERIOD,
    type="LocationEventTime",
    path="location_event_times",
    parent=EVENT_TIME,
    includes={"event_time": "EventTime", "location": "Location"},
    wheres=("created_at", "updated_at"),
)

PERSON_EVENT = Resource(
    type="PersonEvent",
    product=PRODUCT,
    version=VERSION,
    path="person_events",
    parent=EVENT,
    nested_only=True,
    attributes=readable(INTEGER, "check_in_count") | readable(MOMENT, "created_at", "updated_at"),
    includes={"event": "Event", "first_check_in": "CheckIn", "last_check_in": "CheckIn", "person": "Person"},
)

CHECK_IN_GROUP = Resource(
    type="CheckInGroup",
    product=PRODUCT,
    version=VERSION,
    path="check_in_group",
    parent=CHECK_IN,
    nested_only=True,
    singleton=True,
    attributes=readable(INTEGER, "check_ins_count", "name_labels_count", "security_labels_count")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "print_status"),
    includes={"check_ins": "CheckIn", "event_period": "EventPeriod", "print_station": "Station"},
    verbs=("get",),
)

PASS = Resource(
    type="Pass",
    product=PRODUCT,
    version=VERSION,
    path="passes",
    attributes=readable(STRING, "code", "kind") | readable(MOMENT, "created_at", "updated_at"),
    includes={"person": "Person"},
    wheres=("code",),
)

INTEGRATION_LINK = Resource(
    type="IntegrationLink",
    product=PRODUCT,
    version=VERSION,
    path="integration_links",
    attributes=readable(STRING, "remote_app", "remote_gid", "remote_id", "remote_type") | readable(BOOLEAN, "sync_future_assignment_types"),
    relationships={"local": Relationship("Event")},
    wheres=("remote_gid",),
)

# The same things once more, at the addresses below others.
ME = replace(PERSON, path="me", singleton=True, verbs=("get",), wheres=(), orders=())
EVENT_CHECK_IN = below(EVENT, CHECK_IN, filters=CHECK_IN.filters)
EVENT_PERIOD_CHECK_IN = below(EVENT_PERIOD, CHECK_IN, filters=CHECK_IN.filters)
EVENT_TIME_CHECK_IN = below(EVENT_TIME, CHECK_IN, filters=CHECK_IN.filters)
LOCATION_CHECK_IN = below(LOCATION, CHECK_IN, filters=CHECK_IN.filters)
PERSON_CHECK_IN = below(PERSON, CHECK_IN, filters=CHECK_IN.filters)
EVENT_CURRENT_EVENT_TIME = below(EVENT, EVENT_TIME, "current_event_times")
EVENT_PERIOD_EVENT_TIME = below(EVENT_PERIOD, EVENT_TIME, filters=("available",))
EVENT_TIME_HEADCOUNT = below(EVENT_TIME, HEADCOUNT)
LOCATION_LOCATION = below(LOCATION, LOCATION)
LOCATION_OPTION = below(LOCATION, OPTION)

ATTENDANCE_TYPE_HEADCOUNT = below(ATTENDANCE_TYPE, HEADCOUNT)
CHECK_IN_EVENT_TIME = below(CHECK_IN, EVENT_TIME)
CHECK_IN_LOCATION = below(CHECK_IN, LOCATION)
CHECK_IN_OPTION = below(CHECK_IN, OPTION)
CHECK_IN_GROUP_CHECK_IN = below(CHECK_IN_GROUP, CHECK_IN)
EVENT_INTEGRATION_LINK = below(EVENT, INTEGRATION_LINK)
EVENT_TIME_AVAILABLE_LOCATION = below(EVENT_TIME, LOCATION, "available_locations", filters=("for_current_station",))
LABEL_EVENT_LABEL = below(LABEL, EVENT_LABEL)
LABEL_LOCATION_LABEL = below(LABEL, LOCATION_LABEL)
LOCATION_INTEGRATION_LINK = below(LOCATION, INTEGRATION_LINK)
LOCATION_LOCATION_EVENT_PERIOD = below(LOCATION, LOCATION_EVENT_PERIOD)
LOCATION_LOCATION_EVENT_TIME = below(LOCATION, LOCATION_EVENT_TIME)
LOCATION_EVENT_PERIOD_CHECK_IN = below(LOCATION_EVENT_PERIOD, CHECK_IN, filters=CHECK_IN.filters)
LOCATION_EVENT_TIME_CHECK_IN = below(LOCATION_EVENT_TIME, CHECK_IN, filters=CHECK_IN.filters)
OPTION_CHECK_IN = below(OPTION, CHECK_IN)
PERSON_PASS = below(PERSON, PASS)
PERSON_PERSON_EVENT = below(PERSON, PERSON_EVENT)
STATION_CHECK_IN = below(STATION, CHECK_IN, "checked_in_at_check_ins", filters=CHECK_IN.filters)
STATION_CHECK_IN_GROUP = below(
    STATION, CHECK_IN_GROUP, "check_in_groups", singleton=False, filters=("canceled", "printed", "ready", "skipped")
)

RESOURCES: tuple[Resource, ...] = (
    ORGANIZATION, EVENT, EVENT_PERIOD, EVENT_TIME, LOCATION, ATTENDANCE_TYPE, PERSON, CHECK_IN, CHECK_IN_TIME, STATION, LABEL, OPTION,
    HEADCOUNT, THEME, ME, EVENT_CHECK_IN, EVENT_PERIOD_CHECK_IN, EVENT_TIME_CHECK_IN, LOCATION_CHECK_IN, PERSON_CHECK_IN,
    EVENT_CURRENT_EVENT_TIME, EVENT_PERIOD_EVENT_TIME, EVENT_TIME_HEADCOUNT, LOCATION_LOCATION, LOCATION_OPTION, EVENT_LABEL,
    LOCATION_LABEL, LOCATION_EVENT_PERIOD, LOCATION_EVENT_TIME, PERSON_EVENT, CHECK_IN_GROUP, PASS, INTEGRATION_LINK,
    ATTENDANCE_TYPE_HEADCOUNT, CHECK_IN_EVENT_TIME, CHECK_IN_LOCATION, CHECK_IN_OPTION, CHECK_IN_GROUP_CHECK_IN,
    EVENT_INTEGRATION_LINK, EVENT_TIME_AVAILABLE_LOCATION, LABEL_EVENT_LABEL, LABEL_LOCATION_LABEL, LOCATION_INTEGRATION_LINK,
    LOCATION_LOCATION_EVENT_PERIOD, LOCATION_LOCATION_EVENT_TIME, LOCATION_EVENT_PERIOD_CHECK_IN, LOCATION_EVENT_TIME_CHECK_IN,
    OPTION_CHECK_IN, PERSON_PASS, PERSON_PERSON_EVENT, STATION_CHECK_IN, STATION_CHECK_IN_GROUP,
)  # fmt: skip

# What the published definitions lack: "Type" or "Type.name" -> where it comes from.
EXCEPTIONS: dict[str, str] = {}
