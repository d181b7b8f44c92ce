"""The product Current, version 2018-08-01: who is signed in, in which church; a token needs no scope for it.

As Planning Center's OpenAPI file of that version has it. connectcard asks People instead; programs of others ask here.
"""

from connectcard.planning_center.resources._core import STRING, Resource, readable

PRODUCT = "current"
VERSION = "2018-08-01"

ORGANIZATION = Resource(
    type="Organization",
    product=PRODUCT,
    version=VERSION,
    path="",
    singleton=True,
    attributes=readable(STRING, "name", "subdomain"),
    verbs=("get",),
)

ME = Resource(
    type="Person",
    product=PRODUCT,
    version=VERSION,
    path="me",
    singleton=True,
    attributes=readable(STRING, "email", "first_name", "last_name"),
    includes={"organization": "Organization"},
    verbs=("get",),
)

RESOURCES: tuple[Resource, ...] = (ORGANIZATION, ME)
