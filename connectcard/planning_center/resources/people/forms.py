"""Planning Center's own forms, and what was filled in."""

from connectcard.planning_center.resources._core import (
    BOOLEAN,
    INTEGER,
    LIST,
    MOMENT,
    OBJECT,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    on_request,
    readable,
    write_only_on_create,
)
from connectcard.planning_center.resources.people.product import FORM_SUBMISSION_VERSION, PRODUCT, VERSION

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
    attributes=readable(MOMENT, "created_at", "updated_at") | assignable(STRING, "name"),
    verbs=WRITE,
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

FORMS = (FORM, FORM_CATEGORY, FORM_FIELD, FORM_FIELD_OPTION, FORM_SUBMISSION, FORM_SUBMISSION_VALUE)
