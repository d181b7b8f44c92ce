"""The product People, version 2025-11-10; submissions of a form are spoken of in version 2026-06-04.

Attributes, relationships, includes, orders, filters and where-names are those of Planning Center's published definitions; a
contract test compares. Which attributes can be written stands on the vertex pages of its documentation. `EXCEPTIONS` names what
is declared here although the definitions do not have it, with the source.
"""

# ruff: noqa: F403, F405 - the face of the product: everything is said in one of its parts

from connectcard.planning_center.resources._core import Resource
from connectcard.planning_center.resources.people.beside import *
from connectcard.planning_center.resources.people.fields import *
from connectcard.planning_center.resources.people.follow_up import *
from connectcard.planning_center.resources.people.forms import *
from connectcard.planning_center.resources.people.lists import *
from connectcard.planning_center.resources.people.persons import *
from connectcard.planning_center.resources.people.product import *

RESOURCES: tuple[Resource, ...] = (*PERSONS, *FIELDS, *FOLLOW_UP, *LISTS, *FORMS, *BESIDE)

# What the published definitions lack: "Type", "Type.attribute" or "Type.verb" -> where it comes from.
EXCEPTIONS = {
    "Gender": "documentation of Person: 'gender' takes the text of an option of /people/v2/genders",
    "Person.gender_id": "documentation of Person, 'Assignable attributes on create and update'",
    "Person.primary_campus_id": "documentation of Person, 'Assignable attributes on create and update'",
    "FieldDatum.field_definition_id": "documentation of FieldDatum, example of creating one",
    "ListShare.person_id": "documentation of ListShare, 'Assignable attributes on create'",
    "WorkflowCard.person_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
    "WorkflowCard.assignee_id": "documentation of WorkflowCard, 'Assignable attributes on create'",
    "WorkflowCardNote.note_category_id": "documentation of WorkflowCardNote, 'Assignable attributes on create'",
    "FormSubmission.create": "documentation of FormSubmission at 2026-06-04, 'Creating'; the definitions end at 2025-11-10",
    "FormSubmission.person_id": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmission.person_attributes": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmissionValue.form_field_id": "documentation of FormSubmission at 2026-06-04, 'Creating'",
    "FormSubmissionValue.value": "documentation of FormSubmission at 2026-06-04, 'Creating'",
}
