"""The named filters (`filter=`), and what a list leaves out by itself.

A filter that is known to the catalogue and changes nothing here (`recently_viewed` has nobody who views) lets everything through.
"""

import json
from collections.abc import Callable, Iterator

from werkzeug.datastructures import MultiDict

from connectcard.planning_center.resources import Resource
from connectcard.simulator.callers import Caller
from connectcard.simulator.catalogue import column, kind_of
from connectcard.simulator.moments import read_moment
from connectcard.simulator.questions import whole_number
from connectcard.simulator.store import Condition

Arguments = MultiDict[str, str]
Filter = Callable[[Arguments, Caller, str], Condition]

ADMINISTRATOR = f"coalesce({column('Person', 'site_administrator')}, 0)"
OWN_GROUPS = "(select m.parent from record m where m.kind = 'groups.Membership' and m.person = ?)"
OWN_EVENTS = f"(select e.id from record e where e.kind = 'groups.Event' and e.parent in {OWN_GROUPS})"  # noqa: S608
APPROVAL = {"approved": "A", "pending": "P", "rejected": "R"}


def value(name: str) -> str:
    return f"json_extract(record.attributes, '$.{name}')"


def always(sql: str) -> Filter:
    """A filter that depends on nothing but the row; `?` stands for now."""
    return lambda arguments, caller, now: Condition(sql, (now,) * sql.count("?"))


def by_ids(parameter: str, sql: str) -> Filter:
    """A filter whose parameter is a list of ids, which the SQL compares with `json_each(?)`."""

    def wanted(arguments: Arguments, caller: Caller, now: str) -> Condition:
        numbers = [whole_number(text) for text in arguments.get(parameter, "").split(",")]
        return Condition(sql, (json.dumps([number for number in numbers if number is not None]),) * sql.count("?"))

    return wanted


def by_words(parameter: str, sql: str) -> Filter:
    """A filter whose parameter is a list of words, which the SQL looks for in a text between commas."""
    return lambda arguments, caller, now: Condition(sql, (f",{arguments.get(parameter, '')},",))


def my_groups(sql: str) -> Filter:
    return lambda arguments, caller, now: Condition(sql, (caller.person.id,))


def created_since(arguments: Arguments, caller: Caller, now: str) -> Condition:
    return Condition("record.created_at >= ?", (read_moment(arguments.get("time", "")) or now,))


GIVEN = "(select value from json_each(?))"
AT_CAMPUS = "exists (select 1 from json_each(record.attributes, '$.campus_ids') c where c.value in (select value from json_each(?)))"
GROUP_OF_EVENT = "(select g.id from record g, json_each(g.attributes, '$.campus_ids') c where c.value in (select value from json_each(?)))"
# Tags: any of those of one tag group, and that for every tag group.
TAGGED = (
    "not exists (select 1 from (select distinct t.parent as above from json_each(?) w join record t on t.id = w.value) a where not exists"
    " (select 1 from json_each(?) w join record t on t.id = w.value where t.parent = a.above"
    " and w.value in (select value from json_each(record.attributes, '$.tag_ids'))))"
)
ENROLLED = (
    "exists (select 1 from record e where e.kind = 'groups.Enrollment' and e.parent = record.id"
    " and instr(?, ',' || json_extract(e.attributes, '$.strategy') || ','))"
)
IN_FUTURE = f"{value('ends_at')} >= ?"
SERIES = "(select json_extract(e.attributes, '$.approval_status') from record e where e.id = record.parent)"
COUNTED = "exists (select 1 from record t where t.parent = record.id and t.kind = 'check_ins.AttendanceType')"
ALL_APPROVALS = "approved_pending_rejected"
FIRST_TIME = (
    "not exists (select 1 from record o where o.kind = 'check_ins.CheckIn' and o.person = record.person and o.parent = record.parent"
    " and o.created_at < record.created_at)"
)

FILTERS: dict[tuple[str, str], Filter] = {
    ("Person", "admins"): always(f"{ADMINISTRATOR} or {column('Person', 'people_permissions')} = 'Manager'"),
    ("Person", "organization_admins"): always(ADMINISTRATOR),
    ("Person", "created_since"): created_since,
    ("Workflow", "with_steps"): always("exists (select 1 from record s where s.parent = record.id and s.kind = 'WorkflowStep')"),
    ("HouseholdMembership", "non_pending"): always(f"not coalesce({value('pending')}, 0)"),
    ("Form", "archived"): always(f"{value('archived_at')} is not null"),
    ("Form", "not_archived"): always(f"{value('archived_at')} is null"),
    ("Form", "open"): always(value("active")),
    ("Form", "closed"): always(f"not {value('active')}"),
    ("Tab", "with_field_definitions"): always("exists (select 1 from record f where f.parent = record.id and f.kind = 'FieldDefinition')"),
    ("groups.Group", "campus"): by_ids("campus_id", AT_CAMPUS),
    ("groups.Group", "enrollment"): by_words("enrollment", ENROLLED),
    ("groups.Group", "group"): by_ids("group_id", f"record.id in {GIVEN}"),
    ("groups.Group", "group_type"): by_ids("group_type_id", f"{column('groups.Group', 'group_type_id')} in {GIVEN}"),
    ("groups.Group", "hidden"): always(f"not {value('listed')}"),
    ("groups.Group", "meeting_schedule"): always(f"{value('schedule')} is not null"),
    ("groups.Group", "my_groups"): my_groups(f"record.id in {OWN_GROUPS}"),
    ("groups.Group", "people_database_searchable"): by_words(
        "people_database_searchable", f"instr(?, case when {value('leaders_can_search_people_database')} then ',only,' else ',none,' end)"
    ),
    ("groups.Group", "published"): always(value("listed")),
    ("groups.Group", "tag"): by_ids("tag_id", TAGGED),
    ("groups.GroupType", "church_center_visible"): always(value("church_center_visible")),
    ("groups.GroupType", "not_church_center_visible"): always(f"not {value('church_center_visible')}"),
    ("groups.Event", "campus"): by_ids("campus_id", f"record.parent in {GROUP_OF_EVENT}"),
    ("groups.Event", "canceled"): always(value("canceled")),
    ("groups.Event", "group"): by_ids("group_id", f"record.parent in {GIVEN}"),
    ("groups.Event", "group_type"): by_ids("group_type_id", f"{column('groups.Event', 'group_type_id')} in {GIVEN}"),
    ("groups.Event", "my_groups"): my_groups(f"record.parent in {OWN_GROUPS}"),
    ("groups.Event", "not_canceled"): always(f"not {value('canceled')}"),
    ("groups.Event", "upcoming"): always(f"{value('starts_at')} >= ?"),
    ("groups.Attendance", "attended"): always(value("attended")),
    ("groups.TagGroup", "public"): always(value("display_publicly")),
    ("groups.Resource", "leaders"): always(f"{value('visibility')} = 'leaders'"),
    ("check_ins.CheckIn", "attendee"): always(f"{value('kind')} != 'Volunteer'"),
    ("check_ins.CheckIn", "checked_out"): always(f"{value('checked_out_at')} is not null"),
    ("check_ins.CheckIn", "first_time"): always(FIRST_TIME),
    ("check_ins.CheckIn", "guest"): always(f"{value('kind')} = 'Guest'"),
    ("check_ins.CheckIn", "not_checked_out"): always(f"{value('checked_out_at')} is null"),
    ("check_ins.CheckIn", "not_one_time_guest"): always(f"not {value('one_time_guest')}"),
    ("check_ins.CheckIn", "one_time_guest"): always(value("one_time_guest")),
    ("check_ins.CheckIn", "regular"): always(f"{value('kind')} = 'Regular'"),
    ("check_ins.CheckIn", "volunteer"): always(f"{value('kind')} = 'Volunteer'"),
    ("check_ins.Event", "archived"): always(f"{value('archived_at')} is not null"),
    ("check_ins.Event", "not_archived"): always(f"{value('archived_at')} is null"),
    ("check_ins.Event", "for_headcounts"): always(COUNTED),
    ("check_ins.EventTime", "available"): always(f"{value('shows_at')} <= ? and {value('hides_at')} >= ?"),
    ("check_ins.Location", "locations"): always(f"{value('kind')} != 'Folder'"),
    ("check_ins.Location", "root"): always(f"{column('check_ins.Location', 'parent_id')} is null"),
    ("calendar.Event", "future"): always(
        "exists (select 1 from record i where i.kind = 'calendar.EventInstance' and i.parent = record.id"
        " and json_extract(i.attributes, '$.ends_at') >= ?)"
    ),
    ("calendar.Conflict", "resolved"): always(f"{value('resolved_at')} is not null"),
    ("calendar.Conflict", "unresolved"): always(f"{value('resolved_at')} is null"),
    ("calendar.EventInstance", "future"): always(IN_FUTURE),
    ("calendar.EventInstance", "shared"): always(f"{value('kind')} = 'standard'"),
    ("calendar.ResourceBooking", "future"): always(IN_FUTURE),
    ("calendar.TagGroup", "required"): always(value("required")),
    ("calendar.Tag", "individual"): always("record.parent is null"),
} | {
    ("calendar.EventInstance", name): always(f"{SERIES} in ({', '.join(repr(APPROVAL[word]) for word in name.split('_'))})")
    for name in ("approved", "pending", "rejected", "approved_pending", "approved_rejected", "pending_rejected", ALL_APPROVALS)
}  # fmt: skip


def filters(resource: Resource, arguments: Arguments, caller: Caller, now: str) -> Iterator[Condition]:
    kind = kind_of(resource)
    asked = [name.strip() for name in arguments.get("filter", "").split(",")]
    for name in asked:
        if name in resource.filters and (kind, name) in FILTERS:
            yield FILTERS[kind, name](arguments, caller, now)
    if kind == "FieldDefinition" and not {"include_deleted", "with_deleted"} & set(asked):
        yield Condition(f"{column(kind, 'deleted_at')} is null")
    if kind == "groups.Group":
        yield from by_archive_status(arguments.get("where[archive_status]", "not_archived"))


def by_archive_status(status: str) -> Iterator[Condition]:
    """Archived groups are not listed unless they are asked for: whoever looks for deleted ones must ask."""
    if status != "include":
        yield Condition(f"{value('archived_at')} is {'not ' if status == 'only' else ''}null")


def arrived(scope: str, kind: str, before: str) -> list[Condition]:
    """People are in Groups some time after they are in People."""
    return [Condition("record.created_at <= ?", (before,))] if scope == "groups" and kind == "Person" else []


def visible(scope: str, kind: str, caller: Caller) -> list[Condition]:
    """What of a kind the caller may see at all. Groups does not refuse: it leaves out, and answers 200."""
    person = (caller.person.id,)
    if kind.startswith("webhooks.") and kind != "webhooks.AvailableEvent":
        owner = {"webhooks.WebhookSubscription": "record.id", "webhooks.Event": "record.parent"}.get(kind)
        mine = "(select s.id from record s where s.kind = 'webhooks.WebhookSubscription' and s.person = ?)"
        return [Condition(f"{owner} in {mine}", person)] if owner else []
    if scope != "groups" or caller.is_groups_administrator:
        return []
    if kind == "Person":
        return [Condition("record.id = ?", person)]
    if kind == "groups.Group":
        return [Condition(f"record.id in {OWN_GROUPS}", person)]
    if kind in ("groups.Event", "groups.Membership", "groups.Enrollment", "groups.GroupApplication", "groups.Resource"):
        return [Condition(f"record.parent in {OWN_GROUPS}", person)]
    return [Condition(f"record.parent in {OWN_EVENTS}", person)] if kind in ("groups.Attendance", "groups.RSVP", "groups.EventNote") else []
