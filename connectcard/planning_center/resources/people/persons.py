"""People, how they are reached, their households and what they can be."""

from dataclasses import replace

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    DATE,
    INTEGER,
    LIST,
    MOMENT,
    NUMBER,
    OBJECT,
    READ,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    below,
    on_request,
    readable,
    the_one_below,
    withheld,
    write_only,
)
from connectcard.planning_center.resources.people.product import PRODUCT, VERSION

ORGANIZATION = Resource(
    type="Organization",
    product=PRODUCT,
    version=VERSION,
    path="",
    singleton=True,
    attributes=readable(
        STRING, "avatar_url", "church_center_subdomain", "contact_website", "country_code", "date_format", "name", "time_zone"
    )
    | readable(MOMENT, "created_at")
    | readable(LIST, "grades"),
    verbs=("get",),
)

PERSON = Resource(
    type="Person",
    product=PRODUCT,
    version=VERSION,
    path="people",
    attributes=assignable(
        STRING, "first_name", "last_name", "given_name", "middle_name", "nickname", "gender", "medical_notes", "membership", "status",
        "avatar",
    )
    | assignable(DATE, "anniversary", "birthdate")
    | assignable(INTEGER, "grade", "graduation_year", "remote_id")
    | assignable(BOOLEAN, "child")
    | assignable(MOMENT, "inactivated_at")
    | withheld(BOOLEAN, "accounting_administrator", "site_administrator")
    | withheld(STRING, "people_permissions")
    | readable(BOOLEAN, "can_create_forms", "can_email_lists", "passed_background_check")
    | readable(
        STRING, "demographic_avatar_url", "directory_status", "login_identifier", "name", "school_type"
    )
    | readable(OBJECT, "resource_permission_flags")
    | readable(MOMENT, "created_at", "updated_at")
    | on_request(OBJECT, "directory_shared_info")
    | on_request(BOOLEAN, "mfa_configured")
    | on_request(STRING, "stripe_customer_identifier")
    | write_only(STRING, "gender_id", "primary_campus_id"),
    relationships={
        # Planning Center calls the type at the other end PrimaryCampus; what `include` brings is a Campus of the same id.
        "primary_campus": Relationship("PrimaryCampus", assignable=True),
        "created_by": Relationship("Person"),
        "inactive_reason": Relationship("InactiveReason", assignable=True, write_only=True),
        "marital_status": Relationship("MaritalStatus", assignable=True, write_only=True),
        "name_prefix": Relationship("NamePrefix", assignable=True, write_only=True),
        "name_suffix": Relationship("NameSuffix", assignable=True, write_only=True),
        "school": Relationship("SchoolOption", assignable=True, write_only=True),
    },
    includes={
        "addresses": "Address",
        "emails": "Email",
        "field_data": "FieldDatum",
        "households": "Household",
        "inactive_reason": "InactiveReason",
        "marital_status": "MaritalStatus",
        "name_prefix": "NamePrefix",
        "name_suffix": "NameSuffix",
        "organization": "Organization",
        "person_apps": "PersonApp",
        "phone_numbers": "PhoneNumber",
        "platform_notifications": "PlatformNotification",
        "primary_campus": "Campus",
        "school": "SchoolOption",
        "social_profiles": "SocialProfile",
    },
    verbs=WRITE,
    wheres=(
        "accounting_administrator", "anniversary", "birthdate", "child", "created_at", "first_name", "gender", "given_name", "grade",
        "graduation_year", "id", "inactivated_at", "last_name", "medical_notes", "membership", "mfa_configured", "middle_name",
        "nickname", "people_permissions", "primary_campus_id", "remote_id", "search_name", "search_name_or_email",
        "search_name_or_email_or_phone_number", "search_phone_number", "search_phone_number_e164", "site_administrator", "status",
        "updated_at",
    ),
    orders=(
        "accounting_administrator", "anniversary", "birthdate", "child", "created_at", "first_name", "gender", "given_name", "grade",
        "graduation_year", "inactivated_at", "last_name", "membership", "middle_name", "nickname", "people_permissions", "remote_id",
        "site_administrator", "status", "updated_at",
    ),
    filters=("admins", "created_since", "organization_admins"),
    filter_values={"created_since": "time"},
)  # fmt: skip

ME = replace(PERSON, path="me", singleton=True, verbs=("get",), wheres=(), orders=(), filters=())

_CONTACT_OF = {"person": Relationship("Person")}

EMAIL = Resource(
    type="Email",
    product=PRODUCT,
    version=VERSION,
    path="emails",
    parent=PERSON,
    attributes=assignable(STRING, "address", "location")
    | assignable(BOOLEAN, "primary")
    | readable(BOOLEAN, "blocked")
    | readable(MOMENT, "created_at", "updated_at"),
    relationships=_CONTACT_OF,
    verbs=WRITE,
    wheres=("address", "blocked", "created_at", "location", "primary", "updated_at"),
    orders=("address", "created_at", "location", "primary", "updated_at"),
)

PHONE_NUMBER = Resource(
    type="PhoneNumber",
    product=PRODUCT,
    version=VERSION,
    path="phone_numbers",
    parent=PERSON,
    attributes=assignable(STRING, "number", "carrier", "location")
    | assignable(BOOLEAN, "primary")
    | readable(STRING, "country_code", "e164", "international", "national")
    | readable(MOMENT, "created_at", "updated_at")
    | on_request(STRING, "formatted_number"),
    relationships=_CONTACT_OF,
    verbs=WRITE,
    wheres=("carrier", "created_at", "location", "number", "primary", "updated_at"),
    orders=("carrier", "created_at", "location", "number", "primary", "updated_at"),
)

ADDRESS = Resource(
    type="Address",
    product=PRODUCT,
    version=VERSION,
    path="addresses",
    parent=PERSON,
    attributes=assignable(STRING, "street_line_1", "street_line_2", "city", "state", "zip", "country_code", "location")
    | assignable(BOOLEAN, "primary")
    | readable(STRING, "country_name")
    | readable(MOMENT, "created_at", "updated_at"),
    relationships=_CONTACT_OF,
    verbs=WRITE,
    wheres=("city", "country_code", "location", "primary", "state", "street_line_1", "street_line_2", "zip"),
    orders=(
        "city", "country_code", "created_at", "location", "primary", "state", "street_line_1", "street_line_2", "updated_at", "zip",
    ),
)  # fmt: skip

# The church's own sites; only an administrator of the organization may change them.
CAMPUS = Resource(
    type="Campus",
    product=PRODUCT,
    version=VERSION,
    path="campuses",
    attributes=assignable(
        STRING, "avatar_url", "city", "contact_email_address", "country", "date_format", "description", "name", "phone_number", "state",
        "street", "time_zone", "website", "zip",
    )
    | assignable(BOOLEAN, "church_center_enabled", "geolocation_set_manually", "twenty_four_hour_time")
    | assignable(NUMBER, "latitude", "longitude")
    | readable(MOMENT, "created_at", "updated_at")
    | on_request(STRING, "time_zone_raw"),
    relationships={"organization": Relationship("Organization")},
    includes={"lists": "List", "service_times": "ServiceTime"},
    verbs=WRITE,
    wheres=("created_at", "id", "updated_at"),
    orders=("created_at", "name", "updated_at"),
)  # fmt: skip

HOUSEHOLD = Resource(
    type="Household",
    product=PRODUCT,
    version=VERSION,
    path="households",
    attributes=assignable(STRING, "name")
    | readable(STRING, "avatar", "primary_contact_id", "primary_contact_name")
    | readable(INTEGER, "member_count")
    | readable(MOMENT, "created_at", "updated_at"),
    relationships={
        "primary_contact": Relationship("Person", assignable=True),
        "people": Relationship("Person", many=True, assignable=True),
    },
    includes={"people": "Person"},
    verbs=WRITE,
    wheres=("created_at", "member_count", "name", "primary_contact_name", "updated_at"),
    orders=("created_at", "member_count", "name", "primary_contact_name", "updated_at"),
)

HOUSEHOLD_MEMBERSHIP = Resource(
    type="HouseholdMembership",
    product=PRODUCT,
    version=VERSION,
    path="household_memberships",
    parent=HOUSEHOLD,
    nested_only=True,
    attributes=assignable(STRING, "household_role") | assignable(BOOLEAN, "pending") | readable(STRING, "person_name"),
    relationships={"person": Relationship("Person", assignable=True)},
    includes={"household": "Household", "person": "Person"},
    verbs=WRITE,
    wheres=("pending", "person_name"),
    orders=("pending", "person_name"),
)

MEMBERSHIP_TYPE = Resource(
    type="MembershipType",
    product=PRODUCT,
    version=VERSION,
    path="membership_types",
    attributes=assignable(STRING, "value"),
    verbs=WRITE,
    wheres=("value",),
    orders=("sequence", "value"),
)

MARITAL_STATUS = replace(MEMBERSHIP_TYPE, type="MaritalStatus", path="marital_statuses")

GENDER = replace(MEMBERSHIP_TYPE, type="Gender", path="genders", verbs=READ, attributes=readable(STRING, "value"), wheres=(), orders=())

PERSON_MERGER = Resource(
    type="PersonMerger",
    product=PRODUCT,
    version=VERSION,
    path="person_mergers",
    # Text in the definitions, whole numbers on the wire: compare them as text.
    attributes=readable(STRING, "person_to_keep_id", "person_to_remove_id") | readable(MOMENT, "created_at"),
    relationships={"person_to_keep": Relationship("Person"), "person_to_remove": Relationship("Person")},
    wheres=("created_at", "person_to_keep_id", "person_to_remove_id"),
    orders=("created_at",),
)

# The same things once more, at the address below another parent.
PERSON_HOUSEHOLD = replace(HOUSEHOLD, parent=PERSON, nested_only=True, verbs=("list",))

PERSON_HOUSEHOLD_MEMBERSHIP = replace(HOUSEHOLD_MEMBERSHIP, parent=PERSON, verbs=READ)

PERSON_PRIMARY_CAMPUS = the_one_below(PERSON, CAMPUS, "primary_campus")

PERSON_ORGANIZATION = the_one_below(PERSON, ORGANIZATION, "organization")

HOUSEHOLD_PERSON = below(HOUSEHOLD, PERSON, filters=("non_pending", "without_deceased"))

PERSONS = (
    ORGANIZATION, PERSON, ME, EMAIL, PHONE_NUMBER, ADDRESS, CAMPUS, HOUSEHOLD, HOUSEHOLD_MEMBERSHIP, MEMBERSHIP_TYPE, MARITAL_STATUS,
    GENDER, PERSON_MERGER, PERSON_HOUSEHOLD, PERSON_HOUSEHOLD_MEMBERSHIP, PERSON_PRIMARY_CAMPUS, PERSON_ORGANIZATION, HOUSEHOLD_PERSON,
)  # fmt: skip
