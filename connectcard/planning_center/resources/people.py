"""The product People, version 2025-11-10; submissions of a form are spoken of in version 2026-06-04.

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
    below,
    on_request,
    readable,
    the_one_below,
    write_only,
    write_only_on_create,
)

PRODUCT = "people"
VERSION = "2025-11-10"
# The first in which submissions of a form can be made.
FORM_SUBMISSION_VERSION = "2026-06-04"

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

# Made below its workflow, changed below its person.
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
    verbs=("list", "get", "create"),
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

PEOPLE_LIST = Resource(
    type="List",
    product=PRODUCT,
    version=VERSION,
    path="lists",
    attributes=readable(INTEGER, "active_automations_count", "automations_count", "paused_automations_count", "total_people")
    | readable(
        BOOLEAN,
        "auto_generated_name", "auto_refresh", "automations_active", "has_inactive_results", "include_inactive", "invalid",
        "recently_viewed", "return_original_if_none", "starred",
    )
    | readable(STRING, "auto_refresh_frequency", "description", "name", "name_or_description", "returns", "status", "subset")
    | readable(MOMENT, "batch_completed_at", "created_at", "refreshed_at", "updated_at"),
    includes={
        "campus": "Campus",
        "category": "ListCategory",
        "created_by": "Person",
        "mailchimp_sync_status": "MailchimpSyncStatus",
        "people": "Person",
        "rules": "Rule",
        "shares": "ListShare",
        "updated_by": "Person",
    },
    actions={"run": ()},
    wheres=("batch_completed_at", "created_at", "id", "name", "updated_at"),
    orders=(
        "active_automations_count", "auto_refresh_frequency", "automations_count", "batch_completed_at", "campus_id", "campuses.name",
        "created_at", "list_categories.name", "list_category_id", "name", "name_or_description", "refreshed_at", "starred",
        "total_people", "updated_at",
    ),
    filters=(
        "auto_refresh_enabled", "can_manage", "has_active_automations", "mailchimp_connected", "needs_attention", "recently_viewed",
        "starred", "unassigned",
    ),
)  # fmt: skip

LIST_RESULT = Resource(
    type="ListResult",
    product=PRODUCT,
    version=VERSION,
    path="list_results",
    parent=PEOPLE_LIST,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at"),
    relationships={"person": Relationship("Person"), "list": Relationship("List")},
    includes={"person": "Person"},
    wheres=("person_id",),
    orders=("created_at", "updated_at"),
)

LIST_CATEGORY = Resource(
    type="ListCategory",
    product=PRODUCT,
    version=VERSION,
    path="list_categories",
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "name", "organization_id"),
    relationships={"organization": Relationship("Organization")},
    includes={"lists": "List"},
    wheres=("created_at", "name", "organization_id", "updated_at"),
    orders=("created_at", "name", "organization_id", "updated_at"),
)

FORM = Resource(
    type="Form",
    product=PRODUCT,
    version=VERSION,
    path="forms",
    attributes=readable(
        BOOLEAN,
        "active", "archived", "can_manage", "login_required", "recently_viewed", "send_submission_notification_to_submitter",
    )
    | readable(MOMENT, "archived_at", "created_at", "deleted_at", "updated_at")
    | readable(STRING, "description", "name", "public_url")
    | readable(INTEGER, "submission_count"),
    relationships={"campus": Relationship("Campus"), "form_category": Relationship("FormCategory")},
    includes={"campus": "Campus", "category": "FormCategory"},
    wheres=("active", "id"),
    orders=(
        "active", "archived_at", "campus", "category", "created_at", "deleted_at", "description", "name", "submission_count",
        "updated_at",
    ),
    filters=(
        "archived", "closed", "not_archived", "open", "recently_deleted", "recently_viewed", "unassigned", "with_recoverable",
    ),
)  # fmt: skip

FORM_CATEGORY = Resource(
    type="FormCategory",
    product=PRODUCT,
    version=VERSION,
    path="form_categories",
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "name"),
    wheres=("created_at", "name", "updated_at"),
    orders=("created_at", "name", "updated_at"),
)

FORM_FIELD = Resource(
    type="FormField",
    product=PRODUCT,
    version=VERSION,
    path="fields",
    parent=FORM,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(STRING, "description", "field_type", "label")
    | readable(BOOLEAN, "required")
    | readable(INTEGER, "sequence")
    | readable(OBJECT, "settings"),
    relationships={
        "form": Relationship("Form"),
        "fieldable": Relationship("Fieldable"),
        "options": Relationship("FormFieldOption"),
        "form_field_conditions": Relationship("FormFieldCondition", many=True),
    },
    includes={"options": "FormFieldOption"},
    orders=("created_at", "sequence", "updated_at"),
)

FORM_FIELD_OPTION = Resource(
    type="FormFieldOption",
    product=PRODUCT,
    version=VERSION,
    path="options",
    parent=FORM_FIELD,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "label") | readable(INTEGER, "sequence"),
    relationships={"form_field": Relationship("FormField"), "optionable": Relationship("Optionable")},
    orders=("created_at", "sequence", "updated_at"),
)

# Made with its values as `included`: one for each selection, which names an option by its id. Planning Center mails and runs the
# workflows of the form at once, and nothing takes that back; made twice, it stands there twice.
FORM_SUBMISSION = Resource(
    type="FormSubmission",
    product=PRODUCT,
    version=FORM_SUBMISSION_VERSION,
    path="form_submissions",
    parent=FORM,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "verified")
    | on_request(BOOLEAN, "requires_verification")
    | write_only_on_create(STRING, "person_id")
    | write_only_on_create(OBJECT, "person_attributes"),
    relationships={"person": Relationship("Person"), "form": Relationship("Form")},
    includes={"form": "Form", "form_fields": "FormField", "form_submission_values": "FormSubmissionValue", "person": "Person"},
    verbs=("list", "get", "create"),
    wheres=("created_at", "updated_at"),
    orders=("created_at", "person.first_name", "person.last_name", "updated_at"),
)

FORM_SUBMISSION_VALUE = Resource(
    type="FormSubmissionValue",
    product=PRODUCT,
    version=FORM_SUBMISSION_VERSION,
    path="form_submission_values",
    parent=FORM_SUBMISSION,
    nested_only=True,
    attributes=readable(LIST, "attachments")
    | readable(STRING, "display_value")
    # A text, but an object for a phone number and for an address.
    | write_only_on_create(STRING, "form_field_id", "value"),
    relationships={
        "form_field": Relationship("FormField"),
        "form_field_option": Relationship("FormFieldOption"),
        "form_submission": Relationship("FormSubmission"),
    },
)

# The same things once more, at the address below another parent.
PERSON_HOUSEHOLD = replace(HOUSEHOLD, parent=PERSON, nested_only=True, verbs=("list",))
PERSON_HOUSEHOLD_MEMBERSHIP = replace(HOUSEHOLD_MEMBERSHIP, parent=PERSON, verbs=READ)
PERSON_WORKFLOW_CARD = replace(
    WORKFLOW_CARD,
    path="workflow_cards",
    parent=PERSON,
    verbs=("list", "get", "update", "delete"),
    actions={
        "go_back": (),
        "promote": (),
        "remove": (),
        "restore": (),
        "send_email": ("note", "subject"),
        "skip_step": (),
        "snooze": ("duration",),
        "unsnooze": (),
    },
    filters=("assigned",),
)
WORKFLOW_CARD_NOTE = Resource(
    type="WorkflowCardNote",
    product=PRODUCT,
    version=VERSION,
    path="notes",
    parent=PERSON_WORKFLOW_CARD,
    nested_only=True,
    attributes=assignable(STRING, "note") | readable(MOMENT, "created_at") | write_only(STRING, "note_category_id"),
    verbs=("list", "get", "create"),
    orders=("created_at",),
)

LIST_PERSON = below(PEOPLE_LIST, PERSON)
PERSON_PRIMARY_CAMPUS = the_one_below(PERSON, CAMPUS, "primary_campus")
PERSON_ORGANIZATION = the_one_below(PERSON, ORGANIZATION, "organization")
HOUSEHOLD_PERSON = below(HOUSEHOLD, PERSON, filters=("non_pending", "without_deceased"))

RESOURCES: tuple[Resource, ...] = (
    ORGANIZATION, PERSON, ME, EMAIL, PHONE_NUMBER, ADDRESS, CAMPUS, TAB, FIELD_DEFINITION, FIELD_OPTION, FIELD_DATUM, HOUSEHOLD,
    HOUSEHOLD_MEMBERSHIP, MEMBERSHIP_TYPE, MARITAL_STATUS, GENDER, NOTE_CATEGORY, NOTE, WORKFLOW, WORKFLOW_STEP, WORKFLOW_CARD,
    PERSON_MERGER, PEOPLE_LIST, LIST_RESULT, LIST_CATEGORY, FORM, FORM_CATEGORY, FORM_FIELD, FORM_FIELD_OPTION, FORM_SUBMISSION,
    FORM_SUBMISSION_VALUE, PERSON_HOUSEHOLD, PERSON_HOUSEHOLD_MEMBERSHIP, PERSON_WORKFLOW_CARD, WORKFLOW_CARD_NOTE, LIST_PERSON,
    PERSON_PRIMARY_CAMPUS, PERSON_ORGANIZATION, HOUSEHOLD_PERSON,
)  # fmt: skip

# What the published definitions lack: "Type", "Type.attribute" or "Type.verb" -> where it comes from.
EXCEPTIONS = {
    "Gender": "documentation of Person: 'gender' takes the text of an option of /people/v2/genders",
    "Person.gender_id": "documentation of Person, 'Assignable attributes on create and update'",
    "Person.primary_campus_id": "documentation of Person, 'Assignable attributes on create and update'",
    "FieldDatum.field_definition_id": "documentation of FieldDatum, example of creating one",
    "WorkflowCard.person_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
    "WorkflowCard.assignee_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
    "WorkflowCardNote.note_category_id": "documentation of WorkflowCardNote, 'Assignable attributes on create'",
    "FormSubmission.create": "documentation of FormSubmission at 2026-06-04, 'Creating'; the definitions end at 2025-11-10",
    "FormSubmission.person_id": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmission.person_attributes": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmissionValue.form_field_id": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmissionValue.value": "documentation of FormSubmission at 2026-06-04, 'Creating'",
}
