"""The addresses of Planning Center that a two-way connection uses: one list for those who call them and for those who answer.

`LISTED` is the integration's own description, "All Endpoints Used". `BESIDE` is what it has otherwise than Planning Center: locations
have no list of their own, whatever it says of them; attendances, campuses and roles it leaves out. `BRINGS` says what a list brings.
"""

LISTED = frozenset(
    """
GET /people/v2/people
GET /people/v2/people/{id}
POST /people/v2/people
PATCH /people/v2/people/{id}
GET /people/v2/people/{id}/emails
POST /people/v2/people/{id}/emails
GET /people/v2/people/{id}/phone_numbers
POST /people/v2/people/{id}/phone_numbers
GET /people/v2/people/{id}/addresses
GET /people/v2/households
POST /people/v2/households
POST /people/v2/households/{id}/household_memberships
GET /groups/v2/groups
GET /groups/v2/groups/{id}
GET /groups/v2/group_types
GET /groups/v2/groups/{id}/memberships
POST /groups/v2/groups/{id}/memberships
PATCH /groups/v2/groups/{id}/memberships/{id}
GET /check-ins/v2/check_ins
GET /check-ins/v2/events
GET /check-ins/v2/stations
GET /check-ins/v2/labels
GET /check-ins/v2/headcounts
GET /calendar/v2/events
GET /calendar/v2/event_instances
""".strip().splitlines()
)
BESIDE = frozenset(
    """
GET /check-ins/v2/events/{id}/locations
GET /groups/v2/events
GET /groups/v2/events/{id}/attendances
GET /people/v2/campuses
GET /people/v2/households/{id}/household_memberships
""".strip().splitlines()
)
BRINGS = {
    "people": "Person",
    "emails": "Email",
    "phone_numbers": "PhoneNumber",
    "addresses": "Address",
    "households": "Household",
    "household_memberships": "HouseholdMembership",
    "campuses": "Campus",
    "groups": "Group",
    "group_types": "GroupType",
    "memberships": "Membership",
    "attendances": "Attendance",
    "check_ins": "CheckIn",
    "events": "Event",
    "locations": "Location",
    "stations": "Station",
    "labels": "Label",
    "headcounts": "Headcount",
    "event_instances": "EventInstance",
}


def lists() -> list[str]:
    """The paths of all lists, with {id} for what they stand below."""
    read = (endpoint.removeprefix("GET ") for endpoint in LISTED | BESIDE if endpoint.startswith("GET "))
    return sorted(path for path in read if not path.endswith("{id}"))
