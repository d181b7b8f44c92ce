"""A church's own fields, and what stands in them."""

from connectcard.planning_center.resources._core import (
    INTEGER,
    MOMENT,
    OBJECT,
    STRING,
    WRITE,
    Relationship,
    Resource,
    assignable,
    readable,
    write_only,
)
from connectcard.planning_center.resources.people.persons import PERSON
from connectcard.planning_center.resources.people.product import PRODUCT, VERSION

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

FIELDS = (TAB, FIELD_DEFINITION, FIELD_OPTION, FIELD_DATUM)
