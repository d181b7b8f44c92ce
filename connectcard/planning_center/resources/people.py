"""The product People, version 2025-11-10: the resources that a connect card touches.

Attributes, relationships, includes, orders, filters and where-names are those of Planning Center's published definitions; a
contract test compares. Which attributes can be written stands on the vertex pages of its documentation. `EXCEPTIONS` names what
is declared here although the definitions do not have it, with the source.
"""

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
    on_request,
    readable,
    write_only,
)

PRODUCT = "people"
VERSION = "2025-11-10"

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
    # The permission attributes can be written by some tokens; we never do, so here they are only read.
    | readable(BOOLEAN, "accounting_administrator", "site_administrator", "can_create_forms", "can_email_lists", "passed_background_check")
    | readable(
        STRING, "demographic_avatar_url", "directory_status", "login_identifier", "name", "people_permissions", "school_type"
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
        "marital_status": Relationship("MaritalStatus", assignable=True, write_only=True),
    },
    includes={
        "addresses": "Address",
        "emails": "Email",
        "field_data": "FieldDatum",
        "households": "Household",
        "inactive_reason": "InactiveReason",
        "marital_status": "MaritalStatus",
        "organization": "Organization",
        "phone_numbers": "PhoneNumber",
        "primary_campus": "Campus",
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

CAMPUS = Resource(
    type="Campus",
    product=PRODUCT,
    version=VERSION,
    path="campuses",
    attributes=readable(
        STRING, "avatar_url", "city", "contact_email_address", "country", "date_format", "description", "name", "phone_number", "state",
        "street", "time_zone", "website", "zip",
    )
    | readable(BOOLEAN, "church_center_enabled", "geolocation_set_manually", "twenty_four_hour_time")
    | readable(NUMBER, "latitude", "longitude")
    | readable(MOMENT, "created_at", "updated_at")
    | on_request(STRING, "time_zone_raw"),
    relationships={"organization": Relationship("Organization")},
    wheres=("created_at", "id", "updated_at"),
    orders=("created_at", "name", "updated_at"),
)  # fmt: skip

TAB = Resource(
    type="Tab",
    product=PRODUCT,
    version=VERSION,
    path="tabs",
    attributes=assignable(STRING, "name") | assignable(INTEGER, "sequence") | readable(STRING, "slug"),
    includes={"field_definitions": "FieldDefinition", "field_options": "FieldOption"},
    verbs=WRITE,
    wheres=("name", "sequence", "slug"),
    orders=("name", "sequence", "slug"),
    filters=("with_field_definitions",),
)

# `parent` matters for creating: POST /tabs/{id}/field_definitions.
FIELD_DEFINITION = Resource(
    type="FieldDefinition",
    product=PRODUCT,
    version=VERSION,
    path="field_definitions",
    parent=TAB,
    attributes=assignable(STRING, "name", "data_type")
    | assignable(INTEGER, "sequence")
    | readable(STRING, "config", "slug", "tab_id")
    | readable(MOMENT, "deleted_at"),
    relationships={"tab": Relationship("Tab")},
    includes={"field_options": "FieldOption", "tab": "Tab"},
    verbs=WRITE,
    wheres=("config", "data_type", "deleted_at", "name", "sequence", "slug", "tab_id"),
    orders=("config", "data_type", "deleted_at", "name", "sequence", "slug", "tab_id"),
    filters=("include_deleted",),
)

FIELD_OPTION = Resource(
    type="FieldOption",
    product=PRODUCT,
    version=VERSION,
    path="field_options",
    parent=FIELD_DEFINITION,
    nested_only=True,
    attributes=assignable(STRING, "value") | assignable(INTEGER, "sequence"),
    relationships={"field_definition": Relationship("FieldDefinition")},
    verbs=WRITE,
    wheres=("sequence", "value"),
    orders=("sequence", "value"),
)

FIELD_DATUM = Resource(
    type="FieldDatum",
    product=PRODUCT,
    version=VERSION,
    path="field_data",
    parent=PERSON,
    attributes=assignable(STRING, "value")
    | readable(OBJECT, "file")
    | readable(STRING, "file_content_type", "file_name")
    | readable(INTEGER, "file_size")
    | write_only(STRING, "field_definition_id"),
    relationships={
        "field_definition": Relationship("FieldDefinition", assignable=True),
        "customizable": Relationship("Person"),
    },
    includes={"field_definition": "FieldDefinition", "field_option": "FieldOption", "tab": "Tab"},
    verbs=WRITE,
    wheres=("field_definition_id", "file", "file_content_type", "file_name", "file_size", "value"),
    orders=("file", "file_content_type", "file_name", "file_size", "value"),
)

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

NOTE_CATEGORY = Resource(
    type="NoteCategory",
    product=PRODUCT,
    version=VERSION,
    path="note_categories",
    attributes=assignable(STRING, "name")
    | readable(BOOLEAN, "locked")
    | readable(STRING, "organization_id")
    | readable(MOMENT, "created_at", "updated_at"),
    relationships={"organization": Relationship("Organization")},
    verbs=WRITE,
    wheres=("created_at", "locked", "name", "organization_id", "updated_at"),
    orders=("created_at", "locked", "name", "organization_id", "updated_at"),
    filters=("view_creatable",),
)

# A note without `note_category_id` is answered with a puzzling 404.
NOTE = Resource(
    type="Note",
    product=PRODUCT,
    version=VERSION,
    path="notes",
    parent=PERSON,
    attributes=assignable(STRING, "note", "note_category_id")
    | assignable(MOMENT, "display_date", "created_at")
    | readable(STRING, "created_by_id", "organization_id", "person_id")
    | readable(MOMENT, "updated_at"),
    relationships={
        "note_category": Relationship("NoteCategory"),
        "organization": Relationship("Organization"),
        "person": Relationship("Person"),
        "created_by": Relationship("Person"),
    },
    includes={"category": "NoteCategory", "created_by": "Person", "person": "Person"},
    verbs=WRITE,
    wheres=("note", "note_category_id"),
    orders=("created_at", "display_date", "id", "note", "note_category_id", "updated_at"),
)

WORKFLOW = Resource(
    type="Workflow",
    product=PRODUCT,
    version=VERSION,
    path="workflows",
    attributes=assignable(STRING, "name")
    | readable(STRING, "campus_id", "workflow_category_id")
    | readable(BOOLEAN, "recently_viewed")
    | readable(
        INTEGER, "completed_card_count", "my_ready_card_count", "total_cards_count", "total_overdue_card_count",
        "total_ready_and_snoozed_card_count", "total_ready_card_count", "total_steps_count", "total_unassigned_card_count",
        "total_unassigned_steps_count",
    )
    | readable(MOMENT, "archived_at", "created_at", "deleted_at", "updated_at")
    | on_request(INTEGER, "my_due_soon_card_count", "my_overdue_card_count"),
    relationships={"workflow_category": Relationship("WorkflowCategory"), "campus": Relationship("Campus")},
    includes={"steps": "WorkflowStep"},
    verbs=WRITE,
    wheres=("archived_at", "campus_id", "created_at", "deleted_at", "id", "name", "updated_at", "workflow_category_id"),
    orders=(
        "archived_at", "campus_id", "campus_name", "created_at", "deleted_at", "my_ready_card_count", "name", "total_overdue_card_count",
        "total_ready_card_count", "total_unassigned_card_count", "updated_at", "workflow_category_id", "workflow_category_name",
    ),
    filters=(
        "archived", "has_my_cards", "manage_cards_allowed", "needs_attention", "not_archived", "only_deleted", "recently_deleted",
        "recently_viewed", "unassigned", "with_deleted", "with_recoverable", "with_steps",
    ),
)  # fmt: skip

WORKFLOW_STEP = Resource(
    type="WorkflowStep",
    product=PRODUCT,
    version=VERSION,
    path="steps",
    parent=WORKFLOW,
    nested_only=True,
    attributes=assignable(STRING, "name", "description", "auto_snooze_interval", "default_assignee_id")
    | assignable(INTEGER, "sequence", "auto_snooze_value", "expected_response_time_in_days")
    | readable(INTEGER, "auto_snooze_days", "my_ready_card_count", "total_ready_card_count")
    | readable(MOMENT, "created_at", "updated_at"),
    relationships={"default_assignee": Relationship("Person"), "workflow": Relationship("Workflow")},
    includes={"default_assignee": "Person"},
    verbs=WRITE,
    wheres=("created_at", "name", "updated_at"),
    orders=("created_at", "name", "sequence", "updated_at"),
)

WORKFLOW_CARD = Resource(
    type="WorkflowCard",
    product=PRODUCT,
    version=VERSION,
    path="cards",
    parent=WORKFLOW,
    nested_only=True,
    attributes=assignable(BOOLEAN, "sticky_assignment")
    | readable(BOOLEAN, "overdue")
    | readable(STRING, "stage")
    | readable(INTEGER, "calculated_due_at_in_days_ago")
    | readable(
        MOMENT, "completed_at", "created_at", "flagged_for_notification_at", "moved_to_step_at", "removed_at", "snooze_until", "updated_at"
    )
    | write_only(STRING, "person_id", "assignee_id"),
    relationships={
        "assignee": Relationship("Assignee", assignable=True),
        "person": Relationship("Person", assignable=True),
        "workflow": Relationship("Workflow"),
        "current_step": Relationship("WorkflowStep"),
    },
    includes={"assignee": "Person", "current_step": "WorkflowStep", "person": "Person", "workflow": "Workflow"},
    verbs=WRITE,
    wheres=("assignee_id", "overdue", "stage"),
    orders=(
        "completed_at", "created_at", "first_name", "flagged_for_notification_at", "last_name", "moved_to_step_at", "removed_at", "stage",
        "updated_at",
    ),
)  # fmt: skip

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
PERSON_WORKFLOW_CARD = replace(
    WORKFLOW_CARD,
    path="workflow_cards",
    parent=PERSON,
    verbs=READ,
    actions=("go_back", "promote", "remove", "restore", "send_email", "skip_step", "snooze", "unsnooze"),
    filters=("assigned",),
)
HOUSEHOLD_PERSON = replace(PERSON, parent=HOUSEHOLD, nested_only=True, verbs=("list",), filters=("non_pending", "without_deceased"))

RESOURCES: tuple[Resource, ...] = (
    ORGANIZATION, PERSON, ME, EMAIL, PHONE_NUMBER, ADDRESS, CAMPUS, TAB, FIELD_DEFINITION, FIELD_OPTION, FIELD_DATUM, HOUSEHOLD,
    HOUSEHOLD_MEMBERSHIP, MEMBERSHIP_TYPE, MARITAL_STATUS, GENDER, NOTE_CATEGORY, NOTE, WORKFLOW, WORKFLOW_STEP, WORKFLOW_CARD,
    PERSON_MERGER, PERSON_HOUSEHOLD, PERSON_HOUSEHOLD_MEMBERSHIP, PERSON_WORKFLOW_CARD, HOUSEHOLD_PERSON,
)  # fmt: skip

# What the published definitions lack: "Type" or "Type.name" -> where it comes from.
EXCEPTIONS = {
    "Gender": "documentation of Person: 'gender' takes the text of an option of /people/v2/genders",
    "Person.gender_id": "documentation of Person, 'Assignable attributes on create and update'",
    "Person.primary_campus_id": "documentation of Person, 'Assignable attributes on create and update'",
    "FieldDatum.field_definition_id": "documentation of FieldDatum, example of creating one",
    "WorkflowCard.person_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
    "WorkflowCard.assignee_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
}
