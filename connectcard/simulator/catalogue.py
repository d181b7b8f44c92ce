"""The catalogue of Planning Center's facts, seen from the side that answers: addresses, edges and where each value is kept.

A kind is what rows are kept under: the type of People's resources as it is (`Email`), other products' with the product before it
(`groups.Event`). People, campuses and the organization are the same rows in every product that shows them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TypeVar

from connectcard.planning_center.resources import Resource, calendar, check_ins, current, groups, people, webhooks
from connectcard.simulator.edges import Edge, below, included, the_one_below
from connectcard.simulator.versions import AT

SHARED = frozenset({("Person", "groups"), ("Person", "check_ins"), ("Person", "calendar"), ("Person", "current"), ("Campus", "groups")})


@dataclass(frozen=True, eq=False)
class Product:
    """A product: `slug` in its addresses, `scope` in tokens, and what the catalogue has of it. Versions: the oldest first."""

    slug: str
    scope: str
    versions: tuple[str, ...]
    resources: tuple[Resource, ...]

    @cached_property
    def facts(self) -> Mapping[str, Resource]:
        """By kind, as it is said first."""
        return first_of((kind_of(one), one) for one in self.resources)

    @cached_property
    def top(self) -> Mapping[str, Resource]:
        return first_of((one.path, one) for one in self.resources if not one.nested_only and not one.singleton)

    @cached_property
    def top_paths(self) -> Mapping[str, str]:
        """Where the rows of a kind have an address of their own, by kind, up to the id."""
        found = {kind_of(one): f"/{self.slug}/v2/{path}/" for path, one in reversed(list(self.top.items()))}
        return {name: path for name, path in found.items() if self.facts[name].type == type_of(name)}

    @cached_property
    def below(self) -> Mapping[tuple[str, str], Resource]:
        """By the kind above and the last part of the address."""
        return first_of(((kind_of(one.parent), one.path), one) for one in self.resources if one.parent)

    @cached_property
    def actions(self) -> Mapping[str, frozenset[str]]:
        """What can be done with rows of a kind, wherever they are reached."""
        found: dict[str, frozenset[str]] = {}
        for one in self.resources:
            found[kind_of(one)] = found.get(kind_of(one), frozenset()) | frozenset(one.actions)
        return found

    def edges(self, kind_name: str) -> Mapping[str, Edge]:
        """What stands below a row of this kind, by name."""
        return edges_of(self, kind_name)

    def at(self, version: str) -> "Product":
        """The product as it was in a version."""
        return product_at(self, version)

    def processed_as(self, asked: str | None) -> str | None:
        """The newest version that is not after the one asked for; None where there was none yet."""
        if not asked:
            return self.versions[0]
        if asked == "LATEST":
            return self.versions[-1]
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", asked, re.ASCII):
            return None
        return max((version for version in self.versions if version <= asked), default=None)


@cache
def product_at(product: Product, version: str) -> Product:
    resources = AT[product.slug](product.resources, version)
    return product if resources == product.resources else replace(product, resources=resources)


Key = TypeVar("Key")


def first_of(pairs: Iterable[tuple[Key, Resource]]) -> dict[Key, Resource]:
    found: dict[Key, Resource] = {}
    for key, one in pairs:
        found.setdefault(key, one)
    return found


def kind_of(resource: Resource) -> str:
    return kept_as(resource.product, resource.type)


@cache
def kept_as(product: str, name: str) -> str:
    scope = product.replace("-", "_")
    if (scope, name) == ("webhooks", "Subscription"):
        name = "WebhookSubscription"
    shared = scope == "people" or name == "Organization" or (name, scope) in SHARED
    return name if shared else f"{scope}.{name}"


def type_of(kind_name: str) -> str:
    """The word on the wire."""
    return kind_name.rpartition(".")[2]


PEOPLE = Product(
    "people",
    "people",
    (
        "2018-08-01", "2019-01-14", "2019-10-10", "2020-04-06", "2020-07-22", "2021-08-17", "2022-01-05", "2022-01-28", "2022-07-14",
        "2023-02-15", "2023-03-21", "2024-09-12", "2025-03-20", "2025-07-02", "2025-07-17", "2025-11-10", "2026-06-04",
    ),
    people.RESOURCES,
)  # fmt: skip
GROUPS = Product("groups", "groups", ("2018-08-01", "2023-07-10"), groups.RESOURCES)
CHECK_INS = Product(
    "check-ins",
    "check_ins",
    ("2018-08-01", "2019-07-17", "2023-04-05", "2024-09-03", "2024-11-07", "2025-05-28"),
    check_ins.RESOURCES,
)
CALENDAR = Product("calendar", "calendar", ("2018-08-01", "2020-04-08", "2021-07-20", "2022-07-07"), calendar.RESOURCES)
WEBHOOKS = Product("webhooks", "webhooks", ("2018-08-01", "2022-10-20"), webhooks.RESOURCES)
CURRENT = Product("current", "current", ("2018-08-01",), current.RESOURCES)
PRODUCTS: Mapping[str, Product] = {one.slug: one for one in (PEOPLE, GROUPS, CHECK_INS, CALENDAR, WEBHOOKS, CURRENT)}
FACTS: dict[str, Resource] = {}
for product in PRODUCTS.values():
    FACTS = {**product.facts, **FACTS}

# What a kind's `parent` column stands for.
PARENTS = {
    "FieldDatum": "field_definition",
    "FieldDefinition": "tab",
    "FieldOption": "field_definition",
    "WorkflowStep": "workflow",
    "WorkflowCard": "workflow",
    "HouseholdMembership": "household",
    "Note": "note_category",
    "WorkflowCardNote": "workflow_card",
    "WorkflowCardActivity": "workflow_card",
    "ListResult": "list",
    "ListShare": "list",
    "ListStar": "list",
    "MailchimpSyncStatus": "list",
    "Rule": "list",
    "Condition": "rule",
    "Message": "message_group",
    "NoteCategoryShare": "note_category",
    "NoteCategorySubscription": "note_category",
    "PeopleImportConflict": "people_import",
    "PeopleImportHistory": "people_import",
    "ServiceTime": "campus",
    "WorkflowShare": "workflow",
    "WorkflowStepAssigneeSummary": "step",
    "FormField": "form",
    "FormFieldOption": "form_field",
    "FormSubmission": "form",
    "FormSubmissionValue": "form_submission",
    "groups.Attendance": "event",
    "groups.Enrollment": "group",
    "groups.Event": "group",
    "groups.EventNote": "event",
    "groups.GroupApplication": "group",
    "groups.Membership": "group",
    "groups.RSVP": "event",
    "groups.Resource": "group",
    "groups.Tag": "tag_group",
    "check_ins.AttendanceType": "event",
    "check_ins.CheckIn": "event",
    "check_ins.CheckInTime": "check_in",
    "check_ins.EventLabel": "event",
    "check_ins.EventPeriod": "event",
    "check_ins.EventTime": "event",
    "check_ins.Headcount": "event_time",
    "check_ins.Location": "event",
    "check_ins.LocationEventPeriod": "event_period",
    "check_ins.LocationEventTime": "event_time",
    "check_ins.LocationLabel": "location",
    "check_ins.PersonEvent": "event",
    "calendar.Attachment": "event",
    "calendar.EventConnection": "event",
    "calendar.EventInstance": "event",
    "calendar.EventResourceAnswer": "event_resource_request",
    "calendar.RequiredApproval": "resource",
    "calendar.ResourceQuestion": "resource",
    "calendar.ResourceSuggestion": "room_setup",
    "calendar.EventTime": "event_instance",
    "calendar.ResourceBooking": "event_instance",
    "calendar.Tag": "tag_group",
    "webhooks.Delivery": "event",
    "webhooks.Event": "subscription",
}

# Ids that can be written, as an attribute or as a relationship, and the kind they must name.
POINTERS = {
    "field_definition": "FieldDefinition",
    "person": "Person",
    "assignee": "Person",
    "default_assignee": "Person",
    "primary_contact": "Person",
    "primary_campus": "Campus",
    "gender": "Gender",
    "inactive_reason": "InactiveReason",
    "marital_status": "MaritalStatus",
    "name_prefix": "NamePrefix",
    "name_suffix": "NameSuffix",
    "school": "SchoolOption",
    "note_category": "NoteCategory",
}


EDGES: dict[str, dict[str, Edge]] = {
    "Organization": {},
    "Person": {
        "addresses": Edge("Address", "person"),
        "apps": Edge("App", "person"),
        "background_checks": Edge("BackgroundCheck", "person"),
        "connected_people": Edge("ConnectedPerson", "person"),
        "emails": Edge("Email", "person"),
        "field_data": Edge("FieldDatum", "person"),
        "household_memberships": Edge("HouseholdMembership", "person"),
        "households": Edge("Household", "holders", "HouseholdMembership"),
        "inactive_reason": Edge("InactiveReason", "inactive_reason"),
        "marital_status": Edge("MaritalStatus", "marital_status"),
        "message_groups": Edge("MessageGroup", "person"),
        "messages": Edge("Message", "person"),
        "name_prefix": Edge("NamePrefix", "name_prefix"),
        "name_suffix": Edge("NameSuffix", "name_suffix"),
        "notes": Edge("Note", "person"),
        "organization": Edge("Organization", "organization"),
        "person_apps": Edge("PersonApp", "person"),
        "phone_numbers": Edge("PhoneNumber", "person"),
        "platform_notifications": Edge("PlatformNotification", "person"),
        "primary_campus": Edge("Campus", "primary_campus"),
        "school": Edge("SchoolOption", "school"),
        "social_profiles": Edge("SocialProfile", "person"),
        "workflow_cards": Edge("WorkflowCard", "person"),
        "workflow_shares": Edge("WorkflowShare", "person"),
    },
    "Email": {"person": Edge("Person", "person of")},
    "Campus": {"lists": Edge("List", "parent"), "service_times": Edge("ServiceTime", "parent")},
    "FieldDefinition": {"field_options": Edge("FieldOption", "parent"), "tab": Edge("Tab", "parent of")},
    "FieldDatum": {
        "field_definition": Edge("FieldDefinition", "parent of"),
        "field_option": Edge("FieldOption", "field_option"),
        "person": Edge("Person", "person of"),
        "tab": Edge("Tab", "tab of"),
    },
    "Tab": {"field_definitions": Edge("FieldDefinition", "parent"), "field_options": Edge("FieldOption", "tab")},
    "Household": {
        "household_memberships": Edge("HouseholdMembership", "parent"),
        "people": Edge("Person", "members", "HouseholdMembership"),
    },
    "HouseholdMembership": {"household": Edge("Household", "parent of"), "person": Edge("Person", "person of")},
    "Note": {
        "category": Edge("NoteCategory", "parent of"),
        "created_by": Edge("Person", "created_by"),
        "person": Edge("Person", "person of"),
    },
    "NoteCategory": {
        "shares": Edge("NoteCategoryShare", "parent"),
        "subscribers": Edge("Person", "members", "NoteCategorySubscription"),
        "subscriptions": Edge("NoteCategorySubscription", "parent"),
    },
    "Workflow": {
        "cards": Edge("WorkflowCard", "parent"),
        "category": Edge("WorkflowCategory", "workflow_category"),
        "shared_people": Edge("Person", "members", "WorkflowShare"),
        "shares": Edge("WorkflowShare", "parent"),
        "steps": Edge("WorkflowStep", "parent"),
    },
    "WorkflowStep": {"default_assignee": Edge("Person", "default_assignee")},
    "WorkflowCard": {
        "activities": Edge("WorkflowCardActivity", "parent"),
        "assignee": Edge("Person", "assignee"),
        "current_step": Edge("WorkflowStep", "current_step"),
        "notes": Edge("WorkflowCardNote", "parent"),
        "person": Edge("Person", "person of"),
        "workflow": Edge("Workflow", "parent of"),
    },
    "List": {
        "campus": Edge("Campus", "campus"),
        "category": Edge("ListCategory", "category"),
        "created_by": Edge("Person", "created_by"),
        "people": Edge("Person", "members", "ListResult"),
        "updated_by": Edge("Person", "updated_by"),
    },
    "Form": {"campus": Edge("Campus", "campus"), "category": Edge("FormCategory", "form_category")},
    "FormField": {"options": Edge("FormFieldOption", "parent")},
    "FormSubmission": {
        "form": Edge("Form", "parent of"),
        "form_fields": Edge("FormField", "fellows"),
        "form_submission_values": Edge("FormSubmissionValue", "parent"),
        "person": Edge("Person", "person of"),
    },
    "groups.Group": {
        "my_membership": Edge("groups.Membership", "mine"),
        "campuses": Edge("Campus", "listed", "campus_ids"),
        "people": Edge("Person", "members", "groups.Membership"),
        "tags": Edge("groups.Tag", "listed", "tag_ids"),
    },
    "groups.GroupType": {"events": Edge("groups.Event", "naming", "group_type")},
    "groups.Tag": {"groups": Edge("groups.Group", "listing", "tag_ids")},
    "check_ins.CheckIn": {
        "event_times": Edge("check_ins.EventTime", "listed", "event_time_ids"),
        "locations": Edge("check_ins.Location", "listed", "location_ids"),
        "options": Edge("check_ins.Option", "listed", "option_ids"),
    },
    "check_ins.Event": {"integration_links": Edge("check_ins.IntegrationLink", "naming", "local")},
    "check_ins.EventPeriod": {"location_event_periods": Edge("check_ins.LocationEventPeriod", "parent")},
    "check_ins.EventTime": {
        "available_locations": Edge("check_ins.Location", "fellows"),
        "check_ins": Edge("check_ins.CheckIn", "listing", "event_time_ids"),
    },
    "check_ins.Label": {
        "event_labels": Edge("check_ins.EventLabel", "naming", "label"),
        "location_labels": Edge("check_ins.LocationLabel", "naming", "label"),
    },
    "check_ins.Location": {
        "check_ins": Edge("check_ins.CheckIn", "listing", "location_ids"),
        "integration_links": Edge("check_ins.IntegrationLink", "naming", "location"),
        "location_event_periods": Edge("check_ins.LocationEventPeriod", "naming", "location"),
        "location_event_times": Edge("check_ins.LocationEventTime", "naming", "location"),
        "options": Edge("check_ins.Option", "listed", "option_ids"),
    },
    "check_ins.LocationEventPeriod": {"check_ins": Edge("check_ins.CheckIn", "listing", "location_event_period_ids")},
    "check_ins.LocationEventTime": {"check_ins": Edge("check_ins.CheckIn", "listing", "location_event_time_ids")},
    "check_ins.Option": {"check_ins": Edge("check_ins.CheckIn", "listing", "option_ids")},
    "check_ins.Station": {
        "check_in_groups": Edge("check_ins.CheckInGroup", "naming", "print_station"),
        "checked_in_at_check_ins": Edge("check_ins.CheckIn", "naming", "checked_in_at"),
    },
    "calendar.Event": {"tags": Edge("calendar.Tag", "listed", "tag_ids")},
    "calendar.EventInstance": {"tags": Edge("calendar.Tag", "listed", "tag_ids")},
    "calendar.Tag": {
        "event_instances": Edge("calendar.EventInstance", "listing", "tag_ids"),
        "events": Edge("calendar.Event", "listing", "tag_ids"),
    },
    "calendar.TagGroup": {"events": Edge("calendar.Event", "listing", "tag_group_ids")},
}

# The same for what People shares with the other products.
EDGES_ELSEWHERE: dict[tuple[str, str], dict[str, Edge]] = {
    ("groups", "Campus"): {"groups": Edge("groups.Group", "listing", "campus_ids")},
    ("groups", "Person"): {
        "events": Edge("groups.Event", "beside", "groups.Membership"),
        "groups": Edge("groups.Group", "holders", "groups.Membership"),
    },
    ("check_ins", "Person"): {"organization": Edge("Organization", "organization")},
    ("current", "Person"): {"organization": Edge("Organization", "organization")},
    ("calendar", "Person"): {"organization": Edge("Organization", "organization")},
}


@cache
def edges_of(product: Product, kind_name: str) -> Mapping[str, Edge]:
    elsewhere = product is not PEOPLE and "." not in kind_name
    said = EDGES_ELSEWHERE.get((product.scope, kind_name), {}) if elsewhere else EDGES.get(kind_name, {})
    resource = product.facts.get(kind_name)
    return {**include_edges(product, resource), **collection_edges(product, kind_name), **said} if resource else said


def include_edges(product: Product, resource: Resource) -> dict[str, Edge]:
    """An include that is a relationship leads where that leads."""
    return {
        name: included(resource, kind_of(resource), name, kept_as(product.slug, target), PARENTS)
        for name, target in resource.includes.items()
    }


def collection_edges(product: Product, kind_name: str) -> dict[str, Edge]:
    """What has an address below a thing: collections, and the one of a kind that belongs to it."""
    return {
        path: the_one_below(product.facts[kind_name], kind_name, child, kind_of(child), PARENTS)
        if child.singleton
        else below(child, kind_of(child), kind_name, PARENTS, targets(child))
        for (above, path), child in product.below.items()
        if above == kind_name
    }


def targets(resource: Resource) -> dict[str, str]:
    return {name: kept_as(resource.product, to.type) for name, to in resource.relationships.items()}


# Values worked out from other rows when they are read.
_CARDS = "(select count(*) from record card where card.parent = record.id and card.kind = 'WorkflowCard'{})"
_STAGE = " and json_extract(card.attributes, '$.stage') {}"
_NAME_OF = "(select json_extract(who.attributes, '$.name') from record who where who.id = {})"
COMPUTED: dict[str, dict[str, str]] = {
    "Household": {
        "member_count": "(select count(*) from record m where m.parent = record.id and m.kind = 'HouseholdMembership')",
        "primary_contact_name": _NAME_OF.format("json_extract(record.relations, '$.primary_contact')"),
    },
    "HouseholdMembership": {"person_name": _NAME_OF.format("record.person")},
    "Workflow": {
        "completed_card_count": _CARDS.format(_STAGE.format("= 'completed'")),
        "total_cards_count": _CARDS.format(""),
        "total_ready_card_count": _CARDS.format(_STAGE.format("= 'ready'")),
        "total_ready_and_snoozed_card_count": _CARDS.format(_STAGE.format("in ('ready', 'snoozed')")),
        "total_unassigned_card_count": _CARDS.format(" and json_extract(card.relations, '$.assignee') is null"),
        "total_steps_count": "(select count(*) from record s where s.parent = record.id and s.kind = 'WorkflowStep')",
    },
    "Form": {"submission_count": "(select count(*) from record s where s.parent = record.id and s.kind = 'FormSubmission')"},
    "List": {"total_people": "(select count(*) from record r where r.parent = record.id and r.kind = 'ListResult')"},
    "WorkflowStep": {
        "total_ready_card_count": (
            "(select count(*) from record card where card.parent = record.parent and card.kind = 'WorkflowCard'"
            " and json_extract(card.relations, '$.current_step') = record.id and json_extract(card.attributes, '$.stage') = 'ready')"
        )
    },
}

# Contact details as the other products show them with a person: JSON, read before it is written.
_CONTACTS = (
    "(select json_group_array(json_object({})) from (select attributes from record c where c.person = record.id and c.kind = '{}'"
    " order by c.id) c)"
)
_MEMBERSHIPS = "exists (select 1 from record m where m.person = record.id and m.kind = 'groups.Membership'{})"
_CHECK_INS = "(select {} from record c where c.person = record.id and c.kind = 'check_ins.CheckIn')"
_CHECKED_IN = (
    "(select count(*) from record c where c.parent = record.parent and c.kind = 'check_ins.CheckIn'"
    " and json_extract(c.relations, '$.event_period') = record.id and json_extract(c.attributes, '$.kind') = '{}')"
)
_AT_TIME = (
    "(select count(*) from record c, json_each(c.attributes, '$.event_time_ids') t where c.parent = record.parent"
    " and c.kind = 'check_ins.CheckIn' and t.value = record.id{})"
)


_LISTED_THERE = (
    "(select count(*) from record c, json_each(c.attributes, '$.{}') t where c.organization = record.organization"
    " and c.kind = 'check_ins.CheckIn' and t.value = record.id and json_extract(c.attributes, '$.kind') = '{}')"
)


def _members(**names: str) -> str:
    return ", ".join(f"'{name}', json_extract(c.attributes, '$.{kept}')" for name, kept in names.items())


# Values that only older versions show; of the person, or of what stands below the thing.
_OF_PERSON = "(select json_extract(p.attributes, '$.{}') from record p where p.id = record.person)"
_FIRST_CONTACT = (
    "(select json_extract(c.attributes, '$.{}') from record c where c.person = record.person and c.kind = '{}'"
    " order by json_extract(c.attributes, '$.primary') desc, c.id limit 1)"
)
_ENROLLMENT = "(select json_extract(e.attributes, '$.{}') from record e where e.parent = record.id and e.kind = 'groups.Enrollment')"
_LINE = "coalesce(json_extract(record.attributes, '$.street_line_{}'), '')"
READ_AS_JSON = frozenset({"addresses", "email_addresses", "enrollment_open", "phone_numbers"})
COMPUTED |= {
    "Person": {
        "addresses": _CONTACTS.format(
            _members(street_line_1="street_line_1", street_line_2="street_line_2", city="city", state="state", zip="zip",
                     country_code="country_code", location="location", primary="primary"), "Address",
        ),
        "check_in_count": _CHECK_INS.format("count(*)"),
        "email_addresses": _CONTACTS.format(_members(address="address", location="location", primary="primary"), "Email"),
        "last_checked_in_at": _CHECK_INS.format("max(c.created_at)"),
        "phone_numbers": _CONTACTS.format(
            _members(number="number", carrier="carrier", location="location", primary="primary"), "PhoneNumber"
        ),
    },
    "Address": {"street": f"nullif(trim({_LINE.format(1)} || char(10) || {_LINE.format(2)}, char(10)), '')"},
    "calendar.Event": {"details": "json_extract(record.attributes, '$.summary')"},
    "groups.Membership": {
        "account_center_identifier": "record.person",
        "avatar_url": _OF_PERSON.format("avatar"),
        "color_identifier": "record.person % 10",
        "email_address": _FIRST_CONTACT.format("address", "Email"),
        "first_name": _OF_PERSON.format("first_name"),
        "last_name": _OF_PERSON.format("last_name"),
        "phone_number": _FIRST_CONTACT.format("number", "PhoneNumber"),
    },
    "groups.Group": {
        "enrollment_open": f"case when {_ENROLLMENT.format('status')} = 'open' then 'true' else 'false' end",
        "enrollment_strategy": _ENROLLMENT.format("strategy"),
        "memberships_count": "(select count(*) from record m where m.parent = record.id and m.kind = 'groups.Membership')",
    },
    "check_ins.LocationEventPeriod": {
        f"{word.lower()}_count": _LISTED_THERE.format("location_event_period_ids", word) for word in ("Regular", "Guest", "Volunteer")
    },
    "check_ins.LocationEventTime": {
        f"{word.lower()}_count": _LISTED_THERE.format("location_event_time_ids", word) for word in ("Regular", "Guest", "Volunteer")
    },
    "check_ins.PersonEvent": {
        "check_in_count": "(select count(*) from record c where c.parent = record.parent and c.kind = 'check_ins.CheckIn'"
        " and c.person = record.person)"
    },
    "check_ins.EventPeriod": {f"{word.lower()}_count": _CHECKED_IN.format(word) for word in ("Regular", "Guest", "Volunteer")},
    "check_ins.EventTime": {
        f"{word.lower()}_count": _AT_TIME.format(f" and json_extract(c.attributes, '$.kind') = '{word}'")
        for word in ("Regular", "Guest", "Volunteer")
    } | {"total_count": _AT_TIME.format("")},
}  # fmt: skip
# The same word means something else in another product.
COMPUTED_ELSEWHERE: dict[tuple[str, str], dict[str, str]] = {
    ("current", "Organization"): {"subdomain": "json_extract(record.attributes, '$.church_center_subdomain')"},
    ("current", "Person"): {
        "email": "(select json_extract(c.attributes, '$.address') from record c where c.person = record.id and c.kind = 'Email'"
        " order by json_extract(c.attributes, '$.primary') desc, c.id limit 1)"
    },
    ("groups", "Person"): {
        "permissions": "case when coalesce(json_extract(record.attributes, '$.site_administrator'), 0)"
        " or json_extract(record.attributes, '$.groups_permission') = 'administrator' then 'administrator' when "
        + _MEMBERSHIPS.format(" and json_extract(m.attributes, '$.role') = 'leader'")
        + " then 'leader' when "
        + _MEMBERSHIPS.format("")
        + " then 'member' else 'no access' end",
    },
}


def computed_values(product: str, kind_name: str) -> Mapping[str, str]:
    return COMPUTED.get(kind_name, {}) | COMPUTED_ELSEWHERE.get((product, kind_name), {})


# What a row is sorted by without having it: names of the person whom it is about.
BORROWED = {
    (kind_name, name): f"(select json_extract(p.attributes, '$.{name}') from record p where p.id = record.person)"  # noqa: S608
    for kind_name in ("WorkflowCard", "groups.Membership", "groups.Attendance")
    for name in ("first_name", "last_name")
}

# What stands in an attribute that nobody has written.
OTHERWISE: dict[tuple[str, str], object] = {
    ("Person", "resource_permission_flags"): {"can_access_workflows": False},
    ("Person", "directory_status"): "no_access",
    ("FieldDatum", "file"): {"url": None},
    ("Person", "headcounter"): False,
    ("Person", "has_access"): False,
    ("groups.GroupType", "church_center_map_visible"): False,
    ("groups.GroupType", "default_group_settings"): "{}",
} | {
    ("Person", name): False
    for name in (
        "accounting_administrator", "can_create_forms", "can_email_lists", "child", "passed_background_check", "site_administrator",
    )
}  # fmt: skip


def column(kind: str, name: str) -> str:
    """The SQL of a value of a row, by the name it has in Planning Center."""
    if name in ("id", "created_at", "updated_at"):
        return f"record.{name}"
    if name in COMPUTED.get(kind, {}):
        return COMPUTED[kind][name]
    if (kind, name) in BORROWED:
        return BORROWED[kind, name]
    if name in ("person_id", "account_center_person_id"):
        return "record.person"
    if name == "organization_id":
        return "record.organization"
    if name == f"{PARENTS.get(kind)}_id":
        return "record.parent"
    if is_pointer(kind, name):
        return f"json_extract(record.relations, '$.{name.removesuffix('_id')}')"
    return f"json_extract(record.attributes, '$.{name}')"


def is_pointer(kind: str, name: str) -> bool:
    """Whether a name ending in `_id` is the id of another row (`remote_id` is not)."""
    return name.endswith("_id") and name != "remote_id"
