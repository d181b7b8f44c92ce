"""Notes and workflows: what staff do about somebody."""

from dataclasses import replace

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    on_request,
    readable,
    write_only,
)
from connectcard.planning_center.resources.people.persons import PERSON
from connectcard.planning_center.resources.people.product import PRODUCT, VERSION

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
    includes={"shares": "NoteCategoryShare", "subscribers": "Person", "subscriptions": "NoteCategorySubscription"},
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
    includes={"category": "WorkflowCategory", "shares": "WorkflowShare", "steps": "WorkflowStep"},
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

# Made below its workflow; its actions are below its person.
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

FOLLOW_UP = (NOTE_CATEGORY, NOTE, WORKFLOW, WORKFLOW_STEP, WORKFLOW_CARD, PERSON_WORKFLOW_CARD, WORKFLOW_CARD_NOTE)
