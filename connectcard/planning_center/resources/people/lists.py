"""Lists of people, made by rules."""

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    MOMENT,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    below,
    readable,
)
from connectcard.planning_center.resources.people.persons import PERSON
from connectcard.planning_center.resources.people.product import PRODUCT, VERSION

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
    attributes=readable(MOMENT, "created_at", "updated_at") | assignable(STRING, "name") | readable(STRING, "organization_id"),
    relationships={"organization": Relationship("Organization")},
    includes={"lists": "List"},
    verbs=WRITE,
    wheres=("created_at", "name", "organization_id", "updated_at"),
    orders=("created_at", "name", "organization_id", "updated_at"),
)

LIST_PERSON = below(PEOPLE_LIST, PERSON)

LISTS = (PEOPLE_LIST, LIST_RESULT, LIST_CATEGORY, LIST_PERSON)
