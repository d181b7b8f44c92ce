"""What People has besides: choices of the church, messages, imports, reports, who may see what.

connectcard writes none of it but the choices; programs of others read it. Two addresses that answer no list of things
(`birthday_people`, `stats`) are left out.
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
    WRITE,
    Relationship,
    Resource,
    assignable,
    below,
    readable,
    write_only,
)
from connectcard.planning_center.resources.people.fields import FIELD_OPTION, TAB
from connectcard.planning_center.resources.people.follow_up import NOTE_CATEGORY, WORKFLOW, WORKFLOW_CARD, WORKFLOW_STEP
from connectcard.planning_center.resources.people.lists import LIST_CATEGORY, PEOPLE_LIST
from connectcard.planning_center.resources.people.persons import CAMPUS, MEMBERSHIP_TYPE, PERSON
from connectcard.planning_center.resources.people.product import PRODUCT, VERSION

# Choices

NAME_PREFIX = replace(MEMBERSHIP_TYPE, type="NamePrefix", path="name_prefixes", orders=("value",))
NAME_SUFFIX = replace(NAME_PREFIX, type="NameSuffix", path="name_suffixes")
INACTIVE_REASON = replace(NAME_PREFIX, type="InactiveReason", path="inactive_reasons")

SCHOOL_OPTION = Resource(
    type="SchoolOption",
    product=PRODUCT,
    version=VERSION,
    path="school_options",
    attributes=assignable(STRING, "beginning_grade", "ending_grade", "value")
    | assignable(LIST, "school_types")
    | assignable(INTEGER, "sequence"),
    verbs=WRITE,
    wheres=("beginning_grade", "ending_grade", "school_types", "sequence", "value"),
    orders=("beginning_grade", "ending_grade", "sequence", "value"),
)

SERVICE_TIME = Resource(
    type="ServiceTime",
    product=PRODUCT,
    version=VERSION,
    path="service_times",
    parent=CAMPUS,
    nested_only=True,
    # Seconds since midnight, and a day in lower case.
    attributes=assignable(STRING, "day", "description") | assignable(INTEGER, "start_time"),
    relationships={"organization": Relationship("Organization"), "campus": Relationship("Campus")},
    verbs=WRITE,
    orders=("time",),
)

GRADE = Resource(
    type="Grade",
    product=PRODUCT,
    version=VERSION,
    path="grades",
    attributes=readable(INTEGER, "key") | readable(STRING, "value"),
    verbs=("list",),
)

CARRIER = Resource(
    type="Carrier",
    product=PRODUCT,
    version=VERSION,
    path="carriers",
    attributes=readable(BOOLEAN, "international") | readable(STRING, "name", "value"),
    verbs=("list",),
    orders=("international", "name"),
)

# Of a person

APP = Resource(
    type="App",
    product=PRODUCT,
    version=VERSION,
    path="apps",
    attributes=readable(STRING, "name", "url"),
    wheres=("name", "url"),
    orders=("name", "url"),
)

PERSON_APP = Resource(
    type="PersonApp",
    product=PRODUCT,
    version=VERSION,
    path="person_apps",
    parent=PERSON,
    nested_only=True,
    attributes=readable(BOOLEAN, "allow_pco_login") | readable(STRING, "people_permissions"),
    relationships={"app": Relationship("App"), "person": Relationship("Person")},
    includes={"app": "App"},
)

BACKGROUND_CHECK = Resource(
    type="BackgroundCheck",
    product=PRODUCT,
    version=VERSION,
    path="background_checks",
    parent=PERSON,
    attributes=assignable(MOMENT, "completed_at")
    | readable(MOMENT, "status_updated_at")
    | assignable(BOOLEAN, "current")
    | assignable(DATE, "expires_on")
    | assignable(STRING, "note", "report_url", "status"),
    relationships={"person": Relationship("Person"), "created_by": Relationship("Person")},
    includes={"created_by": "Person", "person": "Person"},
    verbs=WRITE,
    wheres=("expires_on", "status_updated_at"),
    orders=("expires_on", "status_updated_at"),
    filters=(
        "awaiting_applicant", "canceled", "complete_clear", "complete_not_clear", "current", "expired", "expired_invitation",
        "needs_review", "not_expired", "report_processing",
    ),
)  # fmt: skip

CONNECTED_PERSON = Resource(
    type="ConnectedPerson",
    product=PRODUCT,
    version=VERSION,
    path="connected_people",
    parent=PERSON,
    nested_only=True,
    attributes=readable(
        STRING, "first_name", "gender", "given_name", "last_name", "middle_name", "nickname", "organization_id", "organization_name"
    ),
    relationships={"organization": Relationship("Organization")},
)

PLATFORM_NOTIFICATION = Resource(
    type="PlatformNotification",
    product=PRODUCT,
    version=VERSION,
    path="platform_notifications",
    parent=PERSON,
    nested_only=True,
    attributes=readable(STRING, "html"),
)

SOCIAL_PROFILE = Resource(
    type="SocialProfile",
    product=PRODUCT,
    version=VERSION,
    path="social_profiles",
    parent=PERSON,
    attributes=assignable(STRING, "site", "url") | readable(BOOLEAN, "verified") | readable(MOMENT, "created_at", "updated_at"),
    includes={"person": "Person"},
    verbs=WRITE,
    wheres=("created_at", "site", "updated_at", "url", "verified"),
    orders=("created_at", "site", "updated_at", "url", "verified"),
)

# Messages

MESSAGE_GROUP = Resource(
    type="MessageGroup",
    product=PRODUCT,
    version=VERSION,
    path="message_groups",
    attributes=readable(BOOLEAN, "contains_user_generated_content", "system_message", "transactional_message")
    | readable(MOMENT, "created_at")
    | readable(STRING, "from_address", "message_type", "reply_to_address", "reply_to_name", "subject", "uuid")
    | readable(INTEGER, "message_count"),
    includes={"app": "App", "from": "Person", "messages": "Message"},
    wheres=(
        "contains_user_generated_content", "created_at", "from_address", "message_count", "message_type", "reply_to_address",
        "reply_to_name", "subject", "system_message", "transactional_message", "uuid",
    ),
    orders=(
        "contains_user_generated_content", "created_at", "from_address", "message_count", "message_type", "reply_to_address",
        "reply_to_name", "subject", "system_message", "transactional_message", "uuid",
    ),
)  # fmt: skip

MESSAGE = Resource(
    type="Message",
    product=PRODUCT,
    version=VERSION,
    path="messages",
    attributes=readable(
        STRING,
        "app_name", "delivery_status", "from_address", "from_name", "kind", "message_type", "reject_reason", "subject", "to_addresses",
    )
    | readable(MOMENT, "bounced_at", "created_at", "read_at", "rejection_notification_sent_at", "sent_at")
    | readable(OBJECT, "file"),
    relationships={"from": Relationship("Person"), "to": Relationship("Person"), "message_group": Relationship("MessageGroup")},
    includes={"message_group": "MessageGroup", "to": "Person"},
    wheres=(
        "app_name", "bounced_at", "created_at", "delivery_status", "file", "from_address", "kind", "reject_reason",
        "rejection_notification_sent_at", "sent_at", "subject", "to_addresses",
    ),
    orders=(
        "app_name", "bounced_at", "created_at", "delivery_status", "file", "from_address", "from_name", "kind", "reject_reason",
        "rejection_notification_sent_at", "sent_at", "subject", "to_addresses",
    ),
    filters=("created_after",),
)  # fmt: skip

CUSTOM_SENDER = Resource(
    type="CustomSender",
    product=PRODUCT,
    version=VERSION,
    path="custom_senders",
    attributes=readable(MOMENT, "created_at", "updated_at", "verification_requested_at", "verified_at")
    | readable(STRING, "email_address", "name", "verification_status")
    | readable(BOOLEAN, "expired", "verified"),
    relationships={"custom_sender_shares": Relationship("CustomSenderShare")},
    orders=("created_at", "name", "updated_at", "verification_requested_at", "verified_at"),
)

SPAM_EMAIL_ADDRESS = Resource(
    type="SpamEmailAddress",
    product=PRODUCT,
    version=VERSION,
    path="spam_email_addresses",
    attributes=readable(STRING, "address") | readable(MOMENT, "created_at", "updated_at"),
)

# Reports and imports

REPORT = Resource(
    type="Report",
    product=PRODUCT,
    version=VERSION,
    path="reports",
    attributes=assignable(STRING, "body", "name") | readable(MOMENT, "created_at", "updated_at"),
    includes={"created_by": "Person", "updated_by": "Person"},
    verbs=WRITE,
    wheres=("body", "created_at", "name", "updated_at"),
    orders=("body", "created_at", "name", "updated_at"),
)

PEOPLE_IMPORT = Resource(
    type="PeopleImport",
    product=PRODUCT,
    version=VERSION,
    path="people_imports",
    attributes=readable(OBJECT, "attribs")
    | readable(MOMENT, "created_at", "processed_at", "undone_at", "updated_at")
    | readable(STRING, "status"),
    relationships={"created_by": Relationship("Person"), "undone_by": Relationship("Person")},
    wheres=("status",),
)

PEOPLE_IMPORT_CONFLICT = Resource(
    type="PeopleImportConflict",
    product=PRODUCT,
    version=VERSION,
    path="conflicts",
    parent=PEOPLE_IMPORT,
    nested_only=True,
    attributes=readable(STRING, "conflicting_changes", "data", "kind", "message", "name")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(BOOLEAN, "ignore"),
    wheres=("kind", "name"),
    filters=(
        "creates", "creates_and_updates", "errors", "household_creates", "household_updates", "identical", "ignored", "not_ignored",
        "updates",
    ),
)  # fmt: skip

PEOPLE_IMPORT_HISTORY = Resource(
    type="PeopleImportHistory",
    product=PRODUCT,
    version=VERSION,
    path="histories",
    parent=PEOPLE_IMPORT,
    nested_only=True,
    attributes=readable(OBJECT, "conflicting_changes") | readable(MOMENT, "created_at", "updated_at") | readable(STRING, "kind", "name"),
    includes={"household": "Household", "person": "Person"},
    wheres=("name",),
    filters=("creates", "household_creates", "household_updates", "identical", "updates"),
)

# How lists are made, and who may see them

RULE = Resource(
    type="Rule",
    product=PRODUCT,
    version=VERSION,
    path="rules",
    parent=PEOPLE_LIST,
    nested_only=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "subset"),
    includes={"conditions": "Condition"},
    wheres=("created_at", "subset", "updated_at"),
    orders=("created_at", "subset", "updated_at"),
)

CONDITION = Resource(
    type="Condition",
    product=PRODUCT,
    version=VERSION,
    path="conditions",
    parent=RULE,
    nested_only=True,
    attributes=readable(STRING, "application", "comparison", "definition_class", "definition_identifier", "description")
    | readable(MOMENT, "created_at", "updated_at")
    | readable(OBJECT, "settings"),
    relationships={"created_by": Relationship("Person")},
    includes={"created_by": "Person"},
    wheres=(
        "application", "comparison", "created_at", "definition_class", "definition_identifier", "description", "settings", "updated_at",
    ),
    orders=(
        "application", "comparison", "created_at", "definition_class", "definition_identifier", "description", "settings", "updated_at",
    ),
)  # fmt: skip

LIST_SHARE = Resource(
    type="ListShare",
    product=PRODUCT,
    version=VERSION,
    path="shares",
    parent=PEOPLE_LIST,
    nested_only=True,
    attributes=readable(MOMENT, "created_at")
    | assignable(STRING, "group", "permission")
    | readable(STRING, "name")
    | write_only(STRING, "person_id"),
    relationships={"person": Relationship("Person", assignable=True)},
    includes={"person": "Person"},
    verbs=WRITE,
    wheres=("created_at", "group", "name", "permission"),
    orders=("created_at", "group"),
)

LIST_STAR = Resource(
    type="ListStar",
    product=PRODUCT,
    version=VERSION,
    path="star",
    parent=PEOPLE_LIST,
    nested_only=True,
    singleton=True,
    attributes=readable(MOMENT, "created_at"),
    verbs=("get",),
)

MAILCHIMP_SYNC_STATUS = Resource(
    type="MailchimpSyncStatus",
    product=PRODUCT,
    version=VERSION,
    path="mailchimp_sync_status",
    parent=PEOPLE_LIST,
    nested_only=True,
    attributes=readable(MOMENT, "completed_at") | readable(STRING, "error", "status") | readable(INTEGER, "progress", "segment_id"),
)

# Notes and workflows: who may see them, and who has how much to do

NOTE_CATEGORY_SHARE = Resource(
    type="NoteCategoryShare",
    product=PRODUCT,
    version=VERSION,
    path="shares",
    parent=NOTE_CATEGORY,
    nested_only=True,
    attributes=assignable(STRING, "group", "permission", "person_id"),
    relationships={"person": Relationship("Person", assignable=True), "note_category": Relationship("NoteCategory")},
    includes={"person": "Person"},
    verbs=WRITE,
    wheres=("permission",),
)

NOTE_CATEGORY_SUBSCRIPTION = Resource(
    type="NoteCategorySubscription",
    product=PRODUCT,
    version=VERSION,
    path="note_category_subscriptions",
    attributes=readable(MOMENT, "created_at", "updated_at"),
    relationships={"person": Relationship("Person"), "note_category": Relationship("NoteCategory")},
    includes={"person": "Person"},
    wheres=("created_at", "updated_at"),
    orders=("created_at", "updated_at"),
)

WORKFLOW_CATEGORY = Resource(
    type="WorkflowCategory",
    product=PRODUCT,
    version=VERSION,
    path="category",
    parent=WORKFLOW,
    nested_only=True,
    singleton=True,
    attributes=readable(MOMENT, "created_at", "updated_at") | readable(STRING, "name"),
    verbs=("get",),
)

WORKFLOW_SHARE = Resource(
    type="WorkflowShare",
    product=PRODUCT,
    version=VERSION,
    path="shares",
    parent=WORKFLOW,
    nested_only=True,
    attributes=assignable(STRING, "group", "permission", "person_id"),
    relationships={"person": Relationship("Person", assignable=True), "workflow": Relationship("Workflow")},
    includes={"person": "Person"},
    verbs=WRITE,
    wheres=("permission",),
)

WORKFLOW_CARD_ACTIVITY = Resource(
    type="WorkflowCardActivity",
    product=PRODUCT,
    version=VERSION,
    path="activities",
    parent=WORKFLOW_CARD,
    nested_only=True,
    attributes=readable(LIST, "attachments_meta", "attachments_urls")
    | readable(
        STRING,
        "automation_url", "comment", "content", "form_submission_url", "person_avatar_url", "person_name", "reassigned_to_avatar_url",
        "reassigned_to_name", "subject", "type",
    )
    | readable(BOOLEAN, "content_is_html")
    | readable(MOMENT, "created_at"),
    relationships={"workflow_card": Relationship("WorkflowCard"), "workflow_step": Relationship("WorkflowStep")},
    orders=("id",),
)  # fmt: skip

WORKFLOW_ASSIGNEE_SUMMARY = Resource(
    type="WorkflowAssigneeSummary",
    product=PRODUCT,
    version=VERSION,
    path="workflow_assignee_summaries",
    attributes=readable(INTEGER, "overdue_count", "ready_count", "snoozed_count"),
    relationships={"person": Relationship("Person")},
    orders=("first_name", "last_name", "name", "overdue_count", "ready_count", "snoozed_count"),
)

WORKFLOW_ASSIGNEE_WORKFLOW_SUMMARY = Resource(
    type="WorkflowAssigneeWorkflowSummary",
    product=PRODUCT,
    version=VERSION,
    path="workflow_assignee_workflow_summaries",
    parent=PERSON,
    nested_only=True,
    attributes=readable(INTEGER, "overdue_count", "ready_count", "snoozed_count") | readable(STRING, "workflow_name"),
    relationships={"workflow": Relationship("Workflow"), "person": Relationship("Person")},
    orders=("overdue_count", "ready_count", "snoozed_count", "workflow_name"),
)

WORKFLOW_STEP_ASSIGNEE_SUMMARY = Resource(
    type="WorkflowStepAssigneeSummary",
    product=PRODUCT,
    version=VERSION,
    path="assignee_summaries",
    parent=WORKFLOW_STEP,
    nested_only=True,
    attributes=readable(INTEGER, "ready_count", "snoozed_count"),
    relationships={"person": Relationship("Person"), "step": Relationship("Step")},
    includes={"person": "Person"},
)

# The same things once more, at the address below another.
CAMPUS_LIST = below(CAMPUS, PEOPLE_LIST, "lists")
LIST_CATEGORY_LIST = below(LIST_CATEGORY, PEOPLE_LIST, "lists")
MESSAGE_GROUP_MESSAGE = below(MESSAGE_GROUP, MESSAGE)
NOTE_CATEGORY_SUBSCRIBER = below(NOTE_CATEGORY, PERSON, "subscribers")
NOTE_CATEGORY_NOTE_CATEGORY_SUBSCRIPTION = below(NOTE_CATEGORY, NOTE_CATEGORY_SUBSCRIPTION, "subscriptions")
PERSON_APPS = below(PERSON, APP)
PERSON_MESSAGE = below(PERSON, MESSAGE, filters=("created_after", "received", "sent", "unread"))
PERSON_MESSAGE_GROUP = below(PERSON, MESSAGE_GROUP)
PERSON_WORKFLOW_SHARE = below(PERSON, WORKFLOW_SHARE, "workflow_shares")
TAB_FIELD_OPTION = below(TAB, FIELD_OPTION)
WORKFLOW_SHARED_PERSON = below(WORKFLOW, PERSON, "shared_people")

BESIDE = (
    NAME_PREFIX, NAME_SUFFIX, INACTIVE_REASON, SCHOOL_OPTION, SERVICE_TIME, GRADE, CARRIER, APP, PERSON_APP, BACKGROUND_CHECK,
    CONNECTED_PERSON, PLATFORM_NOTIFICATION, SOCIAL_PROFILE, MESSAGE_GROUP, MESSAGE, CUSTOM_SENDER, SPAM_EMAIL_ADDRESS, REPORT,
    PEOPLE_IMPORT, PEOPLE_IMPORT_CONFLICT, PEOPLE_IMPORT_HISTORY, RULE, CONDITION, LIST_SHARE, LIST_STAR, MAILCHIMP_SYNC_STATUS,
    NOTE_CATEGORY_SHARE, NOTE_CATEGORY_SUBSCRIPTION, WORKFLOW_CATEGORY, WORKFLOW_SHARE, WORKFLOW_CARD_ACTIVITY,
    WORKFLOW_ASSIGNEE_SUMMARY, WORKFLOW_ASSIGNEE_WORKFLOW_SUMMARY, WORKFLOW_STEP_ASSIGNEE_SUMMARY, CAMPUS_LIST, LIST_CATEGORY_LIST,
    MESSAGE_GROUP_MESSAGE, NOTE_CATEGORY_SUBSCRIBER, NOTE_CATEGORY_NOTE_CATEGORY_SUBSCRIPTION, PERSON_APPS,
    PERSON_MESSAGE, PERSON_MESSAGE_GROUP, PERSON_WORKFLOW_SHARE, TAB_FIELD_OPTION, WORKFLOW_SHARED_PERSON,
)  # fmt: skip
