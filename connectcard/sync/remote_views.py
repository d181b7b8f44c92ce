"""What of Planning Center staff can look at here without changing it: one row of a table for each view, and no code of its own.

What is not named in a view is not kept: of a check-in neither medical notes, emergency contacts nor the code by which a child is
handed out. Addresses of Planning Center's own pages are those that other programs link to; where none is known there is no link.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connectcard.churches.models import STAFF, VIEWER
from connectcard.planning_center.resources import Resource, calendar, check_ins, groups, people

TEXT, MOMENT, DAY, NUMBER, YES_NO, WORDS, AGES, RANGE = "text", "moment", "day", "number", "yes_no", "words", "ages", "range"
UPCOMING, PAST = "upcoming", "past"

PRODUCT_WORDS = {"people": "People", "groups": "Groups", "check-ins": "Check-Ins", "calendar": "Calendar"}
APPROVAL_WORDS = {"A": "Approved", "P": "Waiting for approval", "R": "Not approved"}
ENROLLMENT_WORDS = {"open_signup": "Open to everyone", "request_to_join": "Ask to join", "closed": "Closed"}
ROLE_WORDS = {"leader": "Leader", "member": "Member", "visitor": "Visitor", "applicant": "Applicant"}
PRINTS_FOR_WORDS = {"Person": "Each person (name label)", "Group": "Each family (security label)"}
YES_NO_WORDS = {"true": "Yes", "false": "No"}


@dataclass(frozen=True)
class Column:
    """One column: where its value stands in a record, and how it is shown.

    `source` is an attribute ("name"), one of a related record ("event.name", "tags.name"), or several of them that stand together
    ("first_name last_name"). `words` says codes in English. A `sealed` value is kept sealed.
    """

    label: str
    source: str
    kind: str = TEXT
    words: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False


@dataclass(frozen=True)
class Narrowing:
    """One filter over the rows that are kept: by a code in the record, or by a related record ("event", "group.group_type").

    `words` are those of codes. The names of related records stand in the record itself (`named` "event.name") or are those of the
    rows of another view (`of_view`).
    """

    name: str
    label: str
    source: str
    words: Mapping[str, str] = field(default_factory=dict)
    named: str = ""
    of_view: str = ""


@dataclass(frozen=True)
class Span:
    """Only records whose `attribute` lies in these days are asked for."""

    attribute: str
    back: timedelta | None = None
    ahead: timedelta | None = None


@dataclass(frozen=True)
class View:
    """One read-only list of Planning Center.

    `key` is its address below /views/. The first column is what a row is called. `at` is the moment that orders the rows, else they
    are ordered by that column. `each` is a list to walk where `resource` has none of its own; `below` is the key of the view whose
    rows it belongs to, one reading for each. `page` is the address of a row's own page in Planning Center ("/events/{event}"), in
    `page_product` where that is another product.
    """

    key: str
    section: str
    title: str
    resource: Resource
    columns: Sequence[Column]
    holds: str
    narrowings: Sequence[Narrowing] = ()
    include: Sequence[str] = ()
    order: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    filter: str | None = None
    span: Span | None = None
    each: Resource | None = None
    each_filter: str | None = None
    below: str = ""
    at: str = ""
    newest_first: bool = False
    by_time: bool = False
    page: str = ""
    page_product: str = ""
    role: str = VIEWER
    keep: timedelta = timedelta(days=90)

    @property
    def product(self) -> str:
        return self.resource.product

    @property
    def sealed(self) -> bool:
        """Whether what a row is called is kept sealed, so that the database can neither order nor search it."""
        return self.columns[0].sealed


VIEWS: tuple[View, ...] = (
    View(
        key="check-ins",
        section="Check-ins",
        title="Check-ins",
        resource=check_ins.CHECK_IN,
        columns=(
            Column("Name", "first_name last_name", sealed=True),
            Column("Kind", "kind"),
            Column("Event", "event.name"),
            Column("Location", "locations.name"),
            Column("Checked in", "created_at", MOMENT),
            Column("Checked out", "checked_out_at", MOMENT),
        ),
        holds="who was checked in during the last six weeks",
        narrowings=(
            Narrowing("event", "Event", "event", named="event.name"),
            Narrowing("location", "Location", "locations", named="locations.name"),
            Narrowing("kind", "Kind", "kind"),
        ),
        include=("event", "locations"),
        span=Span("created_at", timedelta(weeks=6)),
        order="-created_at",
        at="created_at",
        newest_first=True,
        page="/event_periods/{event_period}/check_ins/{id}",
        role=STAFF,
        keep=timedelta(days=14),
    ),
    View(
        key="check-ins/events",
        section="Check-ins",
        title="Events",
        resource=check_ins.EVENT,
        columns=(Column("Event", "name"), Column("How often", "frequency"), Column("Archived", "archived_at", DAY)),
        holds="the events that people are checked in to",
        page="/events/{id}",
    ),
    View(
        key="check-ins/locations",
        section="Check-ins",
        title="Locations",
        resource=check_ins.LOCATION,
        columns=(
            Column("Location", "name"),
            Column("Event", "event.name"),
            Column("In folder", "parent.name"),
            Column("Kind", "kind"),
            Column("Ages", "age_min_in_months age_max_in_months", AGES),
            Column("Grades", "grade_min grade_max", RANGE),
            Column("Holds", "max_occupancy", NUMBER),
            Column("Open", "opened", YES_NO),
        ),
        holds="the rooms of each event that is not archived",
        narrowings=(
            Narrowing("event", "Event", "event", named="event.name"),
            Narrowing("open", "Open", "opened", words=YES_NO_WORDS),
        ),
        include=("event", "parent"),
        each=check_ins.EVENT,
        each_filter="not_archived",
        page="/events/{event}",
    ),
    View(
        key="check-ins/headcounts",
        section="Check-ins",
        title="Headcounts",
        resource=check_ins.HEADCOUNT,
        columns=(
            Column("Counted", "attendance_type.name"),
            Column("Service", "event_time.name"),
            Column("Day", "event_time.starts_at", MOMENT),
            Column("Total", "total", NUMBER),
        ),
        holds="how many were counted, back to half a year; a service without a row was not counted or had nobody",
        narrowings=(Narrowing("counted", "Counted", "attendance_type", named="attendance_type.name"),),
        include=("event_time", "attendance_type"),
        span=Span("created_at", timedelta(weeks=26)),
        order="-created_at",
        at="event_time.starts_at",
        newest_first=True,
        page="/events/{event_time.event}",
    ),
    View(
        key="check-ins/stations",
        section="Check-ins",
        title="Stations",
        resource=check_ins.STATION,
        columns=(
            Column("Station", "name"),
            Column("Event", "event.name"),
            Column("Location", "location.name"),
            Column("Input", "input_type", WORDS, {"keypad": "Keypad", "scanner": "Scanner"}),
            Column("Rests after (seconds)", "timeout_seconds", NUMBER),
        ),
        holds="the devices at which people are checked in",
        narrowings=(Narrowing("event", "Event", "event", named="event.name"),),
        include=("event", "location"),
        page="/events/{event}",
    ),
    View(
        key="check-ins/labels",
        section="Check-ins",
        title="Labels",
        resource=check_ins.LABEL,
        columns=(Column("Label", "name"), Column("Printed for", "prints_for", WORDS, PRINTS_FOR_WORDS), Column("Roll", "roll")),
        holds="the labels that stations print",
    ),
    View(
        key="calendar",
        section="Calendar",
        title="Dates",
        resource=calendar.EVENT_INSTANCE,
        columns=(
            Column("Event", "name"),
            Column("Begins", "starts_at", MOMENT),
            Column("Ends", "ends_at", MOMENT),
            Column("Where", "location"),
            Column("Repeats", "recurrence_description", WORDS, {"None": "Once"}),
            Column("Tags", "tags.name"),
            Column("Approval", "event.approval_status", WORDS, APPROVAL_WORDS),
        ),
        holds="what is on the calendar for the next half year",
        narrowings=(
            Narrowing("tag", "Tag", "tags", named="tags.name"),
            Narrowing("approval", "Approval", "event.approval_status", words=APPROVAL_WORDS),
        ),
        include=("event", "tags"),
        filter="future",
        span=Span("starts_at", ahead=timedelta(days=183)),
        order="starts_at",
        at="starts_at",
        by_time=True,
        page="/events/{event}",
    ),
    View(
        key="calendar/events",
        section="Calendar",
        title="Events",
        resource=calendar.EVENT,
        columns=(
            Column("Event", "name"),
            Column("About", "summary"),
            Column("Tags", "tags.name"),
            Column("Owner", "owner.name"),
            Column("Approval", "approval_status", WORDS, APPROVAL_WORDS),
            Column("In Church Center", "visible_in_church_center", YES_NO),
        ),
        holds="the events that have a date to come",
        narrowings=(
            Narrowing("tag", "Tag", "tags", named="tags.name"),
            Narrowing("approval", "Approval", "approval_status", words=APPROVAL_WORDS),
            Narrowing("shown", "In Church Center", "visible_in_church_center", words=YES_NO_WORDS),
        ),
        include=("tags", "owner"),
        filter="future",
        page="/events/{id}",
    ),
    View(
        key="groups",
        section="Groups",
        title="Groups",
        resource=groups.GROUP,
        columns=(
            Column("Group", "name"),
            Column("Type", "group_type.name"),
            Column("Meets", "schedule"),
            Column("Members", "memberships_count", NUMBER),
            Column("Joining", "enrollment.strategy", WORDS, ENROLLMENT_WORDS),
            Column("Listed", "listed", YES_NO),
            Column("Archived", "archived_at", DAY),
        ),
        holds="every group, the archived ones too",
        narrowings=(
            Narrowing("type", "Type", "group_type", named="group_type.name"),
            Narrowing("joining", "Joining", "enrollment.strategy", words=ENROLLMENT_WORDS),
            Narrowing("listed", "Listed", "listed", words=YES_NO_WORDS),
        ),
        include=("group_type", "enrollment"),
        where={"archive_status": "include"},
        page="/groups/{id}",
    ),
    View(
        key="groups/types",
        section="Groups",
        title="Types",
        resource=groups.GROUP_TYPE,
        columns=(
            Column("Type", "name"),
            Column("About", "description"),
            Column("In Church Center", "church_center_visible", YES_NO),
        ),
        holds="the types that groups are sorted by",
        narrowings=(Narrowing("shown", "In Church Center", "church_center_visible", words=YES_NO_WORDS),),
    ),
    View(
        key="groups/events",
        section="Groups",
        title="Events",
        resource=groups.EVENT,
        columns=(
            Column("Event", "name"),
            Column("Group", "group.name"),
            Column("Begins", "starts_at", MOMENT),
            Column("Ends", "ends_at", MOMENT),
            Column("Canceled", "canceled", WORDS, {"true": "Canceled", "false": ""}),
            Column("Visitors", "visitors_count", NUMBER),
        ),
        holds="what groups do, from six weeks back to half a year ahead",
        narrowings=(
            Narrowing("group", "Group", "group", named="group.name"),
            Narrowing("type", "Type", "group.group_type", of_view="groups/types"),
            Narrowing("canceled", "Canceled", "canceled", words={"true": "Canceled", "false": "Not canceled"}),
        ),
        include=("group",),
        span=Span("starts_at", timedelta(weeks=6), timedelta(days=183)),
        order="starts_at",
        at="starts_at",
        by_time=True,
        page="/groups/{group}/events/{id}",
    ),
    View(
        key="groups/events/attendances",
        section="Groups",
        title="Attendance",
        resource=groups.ATTENDANCE,
        columns=(
            Column("Name", "person.first_name person.last_name", sealed=True),
            Column("Role", "role", WORDS, ROLE_WORDS),
            Column("Came", "attended", YES_NO),
        ),
        holds="who came",
        narrowings=(
            Narrowing("came", "Came", "attended", words=YES_NO_WORDS),
            Narrowing("role", "Role", "role", words=ROLE_WORDS),
        ),
        include=("person",),
        below="groups/events",
        page="/people/AC{person}",
        page_product="people",
        role=STAFF,
        keep=timedelta(days=14),
    ),
    View(
        key="groups/campuses",
        section="Groups",
        title="Campuses",
        resource=people.CAMPUS,
        columns=(
            Column("Campus", "name"),
            Column("Address", "street city state"),
            Column("Phone", "phone_number"),
            Column("Time zone", "time_zone"),
        ),
        holds="the campuses of the church",
    ),
)

BY_KEY = {view.key: view for view in VIEWS}
BELOW = {view.below: view for view in VIEWS if view.below}
SECTIONS = tuple(dict.fromkeys(view.section for view in VIEWS))


def tabs_of(section: str) -> list[View]:
    """The views of a section that stand by themselves."""
    return [view for view in VIEWS if view.section == section and not view.below]
