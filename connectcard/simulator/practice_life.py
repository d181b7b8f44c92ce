"""What goes on in a practice church: lists, forms, groups with their meetings, children checked in on Sundays, a calendar.

The people come first (`practice.py`); everything here is drawn from them by the church's own seed, with dates round the day it is made.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from random import Random

from connectcard.simulator.store import Row

Add = Callable[..., Row]
WEEK = timedelta(weeks=1)
MOST_GROUPS = 300
MOST_CHILDREN = 400
WEEKS_OF_CHECK_INS = 6

LISTS = (
    ("Visitors", {"membership": "Visitor"}),
    ("Inactive people", {"status": "inactive"}),
    ("Administrators", {"site_administrator": True}),
)
# Fields of the connect card that stand for custom fields with options.
CUSTOM_CHOICES = (("How did you hear about us?", "How did you hear about us?"), ("Areas of interest", "Interests"))
STRATEGIES = ("open_signup", "request_to_join", "closed")
GROUP_TYPES = ("Small groups", "Classes", "Teams")
GROUP_NAMES = (
    "Young families",
    "Men's breakfast",
    "Women's study",
    "College",
    "Prayer",
    "Newcomers",
    "Choir",
    "Welcome team",
    "Grief care",
    "Seniors",
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
STAGES = ("Families", "Students", "Young adults", "Seniors")
ROOMS = (("Nursery", 0, 23), ("Preschool", 24, 71), ("Elementary", 72, 143))
SERVICES = (
    ("Sunday service", 9, "None", True, "A"),
    ("Youth night", 18, "Every week", True, "A"),
    ("Staff meeting", 10, "Every week", False, "A"),
    ("Baptism Sunday", 11, "None", True, "P"),
    ("Workday", 8, "None", True, "R"),
)


@dataclass
class Life:
    """Adds the rows of one church. `add(kind, attributes, **where)` numbers and keeps them; `now` is the moment of the making."""

    add: Add
    random: Random
    now: datetime
    adults: Sequence[int]
    children: Sequence[tuple[int, str, str]]
    campuses: Sequence[int]
    known: dict[str, int]
    subdomain: str
    groups: int | None = None
    visits: dict[int, Row] = field(default_factory=dict)

    def begin(self) -> None:
        self._make_lists()
        self._make_forms()
        self._make_groups()
        self._make_check_ins()
        self._make_calendar()

    # Lists and forms

    def _make_lists(self) -> None:
        category = self.add("ListCategory", {"name": "Follow-up"})
        for name, rule in LISTS:
            self.add(
                "List",
                {"name": name, "name_or_description": name, "rule": rule, "status": "pending", "returns": "People", "subset": "all"},
                relations={"category": category.id, "created_by": self.adults[0]},
            )

    def _make_forms(self) -> None:
        category = self.add("FormCategory", {"name": "Visitors"})
        card = self._form("Connect card", category, active=True, shared_with_editors=True)
        for sequence, (kind, label, stands_for) in enumerate(
            (
                ("string", "Anything we should know?", None),
                ("phone_number", "Mobile phone", None),
                ("address", "Address", None),
                ("birthday", "Birthday", None),
                ("gender", "Gender", None),
                ("custom_field", "Allergies", "Allergies"),
                ("note", "Prayer request", "Prayer request"),
                ("workflow_checkbox", "Please contact me", "New visitor follow-up"),
            ),
            1,
        ):
            self._field(card, kind, label, sequence, stands_for)
        interests = self._field(card, "checkboxes", "I am interested in", 9, None)
        self._options(interests, ("Small groups", "Kids", "Serving"))
        service = self._field(card, "dropdown", "Which service did you attend?", 10, None)
        self._options(service, ("9:00", "11:00"))
        for sequence, (label, stands_for) in enumerate(CUSTOM_CHOICES, 11):
            self._options_of(stands_for, self._field(card, "custom_field", label, sequence, stands_for))
        self._field(card, "heading", "Thank you!", 13, None)
        application = self._form("Volunteer application", category, active=True, shared_with_editors=False)
        self._field(application, "text", "Why would you like to serve?", 1, None, required=True)
        self._form("Old card", category, active=False, shared_with_editors=True, archived_at=self._stamp(self.now - 52 * WEEK))

    def _form(self, name: str, category: Row, **more: object) -> Row:
        told = {
            "name": name,
            "description": None,
            "archived": "archived_at" in more,
            "login_required": False,
            "public_url": f"https://{self.subdomain}.churchcenter.com/people/forms/{len(name)}",
            "send_submission_notification_to_submitter": True,
        }
        return self.add("Form", told | more, relations={"form_category": category.id})

    def _field(self, form: Row, kind: str, label: str, sequence: int, stands_for: str | None, *, required: bool = False) -> Row:
        told = {"field_type": kind, "label": label, "sequence": sequence, "required": required, "settings": {}, "description": None}
        return self.add("FormField", told, parent=form.id, relations={"fieldable": self.known[stands_for]} if stands_for else {})

    def _options(self, field: Row, labels: Sequence[str]) -> None:
        for sequence, label in enumerate(labels, 1):
            self.add("FormFieldOption", {"label": label, "sequence": sequence}, parent=field.id)

    def _options_of(self, custom_field: str, field: Row) -> None:
        """The options of a custom field, as options of the form's field: with ids of their own."""
        start = f"{custom_field} › "
        named = ((name.removeprefix(start), number) for name, number in self.known.items() if name.startswith(start))
        for sequence, (label, number) in enumerate(named, 1):
            told = {"label": label, "sequence": sequence}
            self.add("FormFieldOption", told, parent=field.id, relations={"optionable": number})

    # Groups

    def _make_groups(self) -> None:
        self.add("groups.GroupType", {"id": "unique", "name": "Unique groups", "position": 0, "church_center_visible": False})
        types = [
            self.add(
                "groups.GroupType", {"name": name, "position": place, "church_center_visible": True, "color": "#4a6", "description": None}
            )
            for place, name in enumerate(GROUP_TYPES, 1)
        ]
        stages, days = self._tags("Life stage", STAGES), self._tags("Day", DAYS)
        how_many = max(2, min(MOST_GROUPS, len(self.adults) // 8)) if self.groups is None else self.groups
        for number in range(how_many):
            tags = [self.random.choice(stages).id, days[number % 7].id]
            group = self._group(number, types[number % len(types)], tags, archived=number == how_many - 1)
            self._gather(group, number)

    def _tags(self, name: str, words: Sequence[str]) -> list[Row]:
        told = {"name": name, "position": 1, "display_publicly": True, "multiple_options_enabled": True}
        above = self.add("groups.TagGroup", told)
        return [self.add("groups.Tag", {"name": word, "position": place}, parent=above.id) for place, word in enumerate(words, 1)]

    def _group(self, number: int, group_type: Row, tags: list[int], *, archived: bool) -> Row:
        name = GROUP_NAMES[number % len(GROUP_NAMES)] + (f" {number // len(GROUP_NAMES) + 1}" if number >= len(GROUP_NAMES) else "")
        location = self.add("groups.Location", {"name": "A home", "display_preference": "approximate", "full_formatted_address": None,
                                                "latitude": 42.2, "longitude": -71.0, "radius": 900, "strategy": "exact"})  # fmt: skip
        told = {
            "name": name, "schedule": f"{DAYS[number % 7]}s at 7 pm", "archived_at": self._stamp(self.now) if archived else None,
            "description": f"<p>{name}</p>", "description_as_plain_text": name, "contact_email": None, "chat_enabled": False,
            "events_listed": True, "events_visibility": "public", "leaders_can_search_people_database": False, "listed": number % 5 != 4,
            "members_are_confidential": name.startswith("Grief"), "location_type_preference": "physical", "virtual_location_url": None,
            "header_image": {"thumbnail": None, "medium": None, "original": None},
            "public_church_center_web_url": f"https://{self.subdomain}.churchcenter.com/groups/{name.lower().replace(' ', '-')}",
            "tag_ids": tags, "campus_ids": [self.campuses[number % len(self.campuses)]], "can_create_conversation": False,
        }  # fmt: skip
        group = self.add("groups.Group", told, relations={"group_type": group_type.id, "location": location.id})
        location.parent = location.relations["group"] = group.id
        strategy = STRATEGIES[number % 3]
        status = "closed" if strategy == "closed" else "open"
        enrollment = {"auto_closed": False, "auto_closed_reason": None, "date_limit": None, "date_limit_reached": False, "member_limit": 20,
                      "member_limit_reached": False, "status": status, "strategy": strategy}  # fmt: skip
        self.add("groups.Enrollment", enrollment, parent=group.id)
        return group

    def _gather(self, group: Row, number: int) -> None:
        """Members, the meetings of the last and the next weeks, who came and who will come, and somebody who would like to join."""
        start = self.random.randrange(len(self.adults))
        members = list(dict.fromkeys(islice(cycle(self.adults), start, start + self.random.randint(5, 12))))
        for place, person in enumerate(members):
            joined = self._stamp(self.now - self.random.randint(1, 100) * WEEK)
            self.add("groups.Membership", {"role": "member" if place else "leader", "joined_at": joined}, parent=group.id, person=person)
        for week in range(-3, 4):
            self._meeting(group, members, self._at(week, number % 7, 19), canceled=week == 2)
        asking = self.adults[(start + 40) % len(self.adults)]
        if number % 4 == 0 and asking not in members:
            told = {"applied_at": self._stamp(self.now - timedelta(days=2)), "message": "I would like to join.", "status": "pending"}
            self.add("groups.GroupApplication", told, parent=group.id, person=asking)

    def _meeting(self, group: Row, members: list[int], starts: datetime, *, canceled: bool) -> None:
        told = {
            "name": group.attributes["name"], "starts_at": self._stamp(starts), "ends_at": self._stamp(starts + timedelta(hours=2)),
            "canceled": canceled, "canceled_at": self._stamp(self.now) if canceled else None, "multi_day": False, "repeating": True,
            "attendance_requests_enabled": True, "automated_reminder_enabled": True, "reminders_sent": starts < self.now,
            "reminders_sent_at": None, "description": None, "location_type_preference": "physical", "virtual_location_url": None,
            "visitors_count": 0, "image": None,
        }  # fmt: skip
        relations = {name: group.relations[name] for name in ("group_type", "location")}
        event = self.add("groups.Event", told, parent=group.id, relations=relations)
        for place, person in enumerate(members):
            if starts < self.now:
                attended = {"attended": self.random.random() < 0.7, "role": "member" if place else "leader"}
                self.add("groups.Attendance", attended, parent=event.id, person=person)
            else:
                response = self.random.choice(("yes", "no", "maybe", "awaiting_response"))
                self.add("groups.RSVP", {"response": response}, parent=event.id, person=person, relations={"group": group.id})

    # Check-Ins

    def _make_check_ins(self) -> None:
        told = {"name": "Sunday kids", "frequency": "Weekly", "archived_at": None, "enable_services_integration": False,
                "location_times_enabled": False, "pre_select_enabled": True, "integration_key": None}  # fmt: skip
        event = self.add("check_ins.Event", told)
        self.add("check_ins.Event", told | {"name": "Summer camp", "archived_at": self._stamp(self.now - 20 * WEEK)})
        rooms = self._rooms(event)
        attendance_type = self.add("check_ins.AttendanceType", {"name": "Adults", "color": "#999", "limit": None}, parent=event.id)
        theme = self.add("check_ins.Theme", {"name": "Plain", "mode": "light", "color": "#246", "background_color": "#fff"})
        label = self.add("check_ins.Label", {"name": "Name", "prints_for": "Person", "roll": "4x2", "xml": "<label/>"})
        prints = {"quantity": 1, "for_regular": True, "for_guest": True, "for_volunteer": False}
        self.add("check_ins.EventLabel", dict(prints), parent=event.id, relations={"label": label.id})
        for room in rooms:
            self.add("check_ins.LocationLabel", dict(prints), parent=room.id, relations={"label": label.id})
        for number, (person, _, _) in enumerate(self.children[:20], 1001):
            self.add("check_ins.Pass", {"code": f"{number:06}", "kind": "barcode"}, person=person)
        station = self.add("check_ins.Station", {"name": "Welcome desk", "mode": 0, "timeout_seconds": 60, "input_type": "keypad"},
                           relations={"event": event.id, "theme": theme.id})  # fmt: skip
        for week in range(-WEEKS_OF_CHECK_INS, 0):
            self._sunday(event, rooms, attendance_type, station, week)

    def _rooms(self, event: Row) -> list[Row]:
        usual = {"opened": True, "child_or_adult": "child", "gender": None, "max_occupancy": 30, "min_volunteers": 2, "questions": [],
                 "attendees_per_volunteer": 6, "age_range_by": "month"}  # fmt: skip
        folder = self.add("check_ins.Location", usual | {"name": "Kids", "kind": "Folder", "position": 1}, parent=event.id)
        return [
            self.add("check_ins.Location",
                     usual | {"name": name, "kind": "Location", "position": place, "age_min_in_months": least, "age_max_in_months": most},
                     parent=event.id, relations={"parent": folder.id})
            for place, (name, least, most) in enumerate(ROOMS, 1)
        ]  # fmt: skip

    def _sunday(self, event: Row, rooms: list[Row], attendance_type: Row, station: Row, week: int) -> None:
        starts = self._at(week, 0, 9)
        period = self.add(
            "check_ins.EventPeriod",
            {"starts_at": self._stamp(starts), "ends_at": self._stamp(starts + timedelta(hours=4)), "note": None, "guest_count": 0,
             "volunteer_count": 0, "regular_count": len(self.children)}, parent=event.id)  # fmt: skip
        times = [
            self.add("check_ins.EventTime",
                     {"name": f"{hour}:00", "hour": hour, "minute": 0, "day_of_week": 0,
                      "starts_at": self._stamp(starts.replace(hour=hour)),
                      "shows_at": self._stamp(starts.replace(hour=hour - 1)), "hides_at": self._stamp(starts.replace(hour=hour + 1)),
                      "guest_count": 0, "regular_count": 0, "volunteer_count": 0, "total_count": 0},
                     parent=event.id, relations={"event_period": period.id})
            for hour in (9, 11)
        ]  # fmt: skip
        for time in times:
            self.add(
                "check_ins.Headcount",
                {"total": self.random.randint(40, 90)},
                parent=time.id,
                relations={"attendance_type": attendance_type.id},
                created_at=time.attributes["starts_at"],
            )
        there = {
            room.id: self.add("check_ins.LocationEventPeriod", {}, parent=period.id, relations={"location": room.id}) for room in rooms
        }
        then = {
            (time.id, room.id): self.add("check_ins.LocationEventTime", {}, parent=time.id, relations={"location": room.id})
            for time in times
            for room in rooms
        }
        for number, (person, first_name, last_name) in enumerate(self.children[:MOST_CHILDREN], 1):
            if self.random.random() < 0.6:
                time, room = self.random.choice(times), self.random.choice(rooms)
                row = self._check_in(event, period, time, room, station, starts, number, person, first_name, last_name)
                row.attributes |= {
                    "location_event_period_ids": [there[room.id].id],
                    "location_event_time_ids": [then[time.id, room.id].id],
                }
                self._remember_visit(event, row)

    def _check_in(
        self, event: Row, period: Row, time: Row, room: Row, station: Row, starts: datetime, number: int, person: int, first: str, last: str
    ) -> Row:
        at = self._stamp(starts - timedelta(minutes=self.random.randint(1, 20)))
        told = {
            "first_name": first, "last_name": last, "kind": "Regular", "number": number, "one_time_guest": False, "medical_notes": None,
            "security_code": "".join(self.random.choices("BCDFGHJKLMNPQRSTVWXZ23456789", k=4)), "emergency_contact_name": None,
            "emergency_contact_phone_number": None, "checked_out_at": None, "confirmed_at": at, "event_time_ids": [time.id],
            "location_ids": [room.id], "option_ids": [],
        }  # fmt: skip
        relations = {"event_period": period.id, "checked_in_at": station.id, "location": room.id}
        row = self.add("check_ins.CheckIn", told, parent=event.id, person=person, relations=relations, created_at=at)
        self.add("check_ins.CheckInTime", {"kind": "Regular", "has_validated": True, "services_integrated": False, "alerts": []},
                 parent=row.id, relations={"event_time": time.id, "location": room.id})  # fmt: skip
        return row

    def _remember_visit(self, event: Row, check_in: Row) -> None:
        """The first and the last time that a child came."""
        known = self.visits.get(check_in.person or 0)
        if known is None:
            relations = {"first_check_in": check_in.id, "last_check_in": check_in.id}
            self.visits[check_in.person or 0] = self.add(
                "check_ins.PersonEvent", {}, parent=event.id, person=check_in.person, relations=relations
            )
        else:
            known.relations["last_check_in"] = check_in.id

    # Calendar

    def _make_calendar(self) -> None:
        calendar = self.add("calendar.Calendar", {"name": "Church calendar"})
        feed = self.add(
            "calendar.Feed", {"name": "Calendar", "feed_type": "form", "can_delete": False, "deleting": False, "source_id": None}
        )
        above = self.add("calendar.TagGroup", {"name": "Ministry", "required": False})
        tags = [
            self.add(
                "calendar.Tag",
                {"name": name, "color": "#26a", "position": float(place), "church_center_category": place == 1},
                parent=above.id,
            )
            for place, name in enumerate(("Worship", "Youth", "Staff"), 1)
        ]
        room = self.add("calendar.Resource", {"name": "Fellowship hall", "kind": "Room", "quantity": 1, "path_name": "Fellowship hall"})
        for place, (name, hour, recurrence, visible, approval) in enumerate(SERVICES):
            event = self._series(
                name, visible, approval, tags[place % 3], above, {"owner": self.adults[0], "calendar": calendar.id, "feed": feed.id}
            )
            weeks = range(-8, 26) if recurrence != "None" or place == 0 else range(3, 4)
            for week in weeks:
                self._instance(event, self._at(week, 0 if place in (0, 3) else place + 1, hour), recurrence, room, tags[place % 3])

    def _series(self, name: str, visible: bool, approval: str, tag: Row, above: Row, relations: dict[str, int]) -> Row:
        told = {
            "name": name, "summary": f"{name} of our church", "description": f"<p>{name}</p>", "approval_status": approval,
            "percent_approved": 100 if approval == "A" else 0, "percent_rejected": 100 if approval == "R" else 0, "image_url": None,
            "registration_url": None, "featured": False, "visible_in_church_center": visible,
            "tag_ids": [tag.id], "tag_group_ids": [above.id],
        }  # fmt: skip
        event = self.add("calendar.Event", told, relations=relations)
        self.add("calendar.Attachment", {"name": f"{name}.pdf", "content_type": "application/pdf", "file_size": 1024, "description": None,
                                         "url": f"https://files.churchcenter.com/{event.id}"}, parent=event.id)  # fmt: skip
        return event

    def _instance(self, event: Row, starts: datetime, recurrence: str, room: Row, tag: Row) -> None:
        begins, ends = self._stamp(starts), self._stamp(starts + timedelta(hours=1, minutes=30))
        told = {
            "name": event.attributes["name"], "starts_at": begins, "ends_at": ends, "published_starts_at": begins,
            "published_ends_at": ends,
            "all_day_event": False, "location": "Main building", "recurrence": recurrence, "recurrence_description": recurrence,
            "compact_recurrence_description": recurrence, "kind": "standard", "description": None, "image_url": None, "tag_ids": [tag.id],
        }  # fmt: skip
        row = self.add("calendar.EventInstance", told, parent=event.id)
        row.attributes["church_center_url"] = f"https://{self.subdomain}.churchcenter.com/calendar/event/{row.id}"
        seen = {"visible_on_kiosks": True, "visible_on_widget_and_ical": True}
        self.add(
            "calendar.EventTime", {"name": None, "starts_at": begins, "ends_at": ends} | seen, parent=row.id, relations={"event": event.id}
        )
        self.add("calendar.ResourceBooking", {"starts_at": begins, "ends_at": ends, "quantity": 1}, parent=row.id,
                 relations={"event": event.id, "resource": room.id})  # fmt: skip

    # Time

    def _at(self, week: int, day: int, hour: int) -> datetime:
        """A moment of a week counted from this one; day 0 is Sunday."""
        sunday = self.now - timedelta(days=(self.now.weekday() + 1) % 7)
        return (sunday + week * WEEK + timedelta(days=day)).replace(hour=hour, minute=0, second=0, microsecond=0)

    def _stamp(self, moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
