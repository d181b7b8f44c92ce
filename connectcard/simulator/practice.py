"""Two made-up churches to practise with: the same seed makes the same people, with the same ids."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from connectcard.simulator.practice_life import Life
from connectcard.simulator.search import terms_of
from connectcard.simulator.store import Row, Store
from connectcard.simulator.webhooks import available_events

OPENED = datetime(2024, 1, 7, 14, 0, tzinfo=UTC)
PERMISSIONS = ("Manager", "Editor", "Viewer")

FIRST_NAMES = (  # noqa: SIM905
    "Abigail Adam Adrian Aisha Alice Amara Ana Andre Anthony Beatriz Benjamin Bianca Caleb Camila Carlos Charlotte Chloe Clara Daniel "
    "David Deborah Diego Elena Eli Elijah Elizabeth Emma Ethan Eva Felix Fiona Gabriel Gloria Grace Hannah Henry Hugo Ibrahim Irene "
    "Isaac Isabel Ivan Jack Jacob Jasmine Javier Jonah Jose Joseph Joshua Julia Kate Kenji Laura Leah Leo Liam Lily Linda Lucas Lucia "
    "Luke Lydia Maggie Marco Maria Martha Mateo Maya Mei Micah Miguel Miriam Naomi Nathan Nia Noah Nora Oliver Olivia Omar Patrick "
    "Paul Peter Priya Rachel Rebecca Robert Rosa Ruth Samuel Sara Sofia Stephen Teresa Thomas Timothy Victor Violet William Zoe"
).split()
LAST_NAMES = (  # noqa: SIM905
    "Abbott Adeyemi Alvarez Andersen Baker Banerjee Barnes Bell Bennett Brooks Bryant Burke Carter Castillo Chen Clarke Coleman "
    "Cooper Cruz Dalton Davies Delgado Diaz Dixon Edwards Ellis Evans Farrell Fischer Fleming Flores Foster Garcia Gibson Gomez "
    "Graham Griffin Gutierrez Hale Hansen Harper Hayes Herrera Hoffman Holt Hughes Ingram Jackson Jensen Jimenez Kaplan Keller Kim "
    "Knox Lambert Larsen Lawson Lee Lopez Lowe Marsh Martinez Mason Mbeki Mendoza Meyer Molina Moore Morales Moreno Murphy Nakamura "
    "Navarro Nguyen Norris Ochoa Okafor Olsen Ortiz Osei Owens Palmer Park Parker Patel Perez Pham Porter Quinn Ramirez Reed Reyes "
    "Rivera Romero Ross Ruiz Russo Salazar Santos Schmidt Shaw Silva Singh Soto Stone Sutton Tanaka Torres Tran Tucker Vargas Vega "
    "Walsh Ward Weaver Webb Wells Wong Young Zamora"
).split()
EMAIL_DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "hotmail.com", "comcast.net")
STREETS = ("Maple St", "Oak Ave", "Cedar Ln", "Lincoln Ave", "Park Rd", "2nd St", "Washington Blvd", "Lake Dr", "Hill St", "Birch Ct")
AREA_CODES = ("217", "309", "312", "314", "503", "512", "541", "612", "618", "708", "773", "815", "847", "971")
HEARD = ("Friend or family", "Website", "Social media", "Drove by", "Event")
INTERESTS = ("Small groups", "Kids", "Serving", "Baptism", "Prayer")
MEMBERSHIPS = ("Visitor", "Regular Attender", "Member")
FIELDS = (
    ("Connect card", "How did you hear about us?", "select", HEARD),
    ("Connect card", "First visit date", "date", ()),
    ("Connect card", "Interests", "checkboxes", INTERESTS),
    ("Connect card", "Text message consent", "boolean", ()),
    ("Family", "Allergies", "text", ()),
    ("Family", "Baptism date", "date", ()),
)
WORKFLOWS = (
    ("New visitor follow-up", ("Send a welcome e-mail", "Call within a week", "Invite to the newcomers' lunch")),
    ("Prayer team", ("Pray", "Write back")),
    ("Ideas for later", ()),
)


@dataclass(frozen=True)
class Staff:
    """Somebody who can sign in; `permission` None and not an administrator: no access to People at all.

    `elsewhere` is what the person may do in the other products, by scope; an administrator of the organization may do everything.
    """

    first_name: str
    last_name: str
    permission: str | None
    site_administrator: bool = False
    elsewhere: Mapping[str, str] = field(default_factory=dict)


MANAGER = {"groups": "administrator", "check_ins": "Manager", "calendar": "Manager"}
EDITOR = {"check_ins": "Viewer", "calendar": "Viewer"}


@dataclass(frozen=True)
class Church:
    name: str
    subdomain: str
    city: str
    state: str
    zip: str
    time_zone: str
    campuses: tuple[str, ...]
    staff: tuple[Staff, ...]
    domain: str


CHURCHES = (
    Church(
        "Grace Community Church",
        "gracecommunity",
        "Springfield",
        "IL",
        "62701",
        "America/Chicago",
        ("Downtown", "West"),
        (
            Staff("Ada", "Admin", "Manager", site_administrator=True),
            Staff("Mona", "Manager", "Manager", elsewhere=MANAGER),
            Staff("Eddie", "Editor", "Editor", elsewhere=EDITOR),
            Staff("Vera", "Viewer", "Viewer"),
            Staff("Noah", "Noaccess", None),
        ),
        "gracespringfield.org",
    ),
    Church(
        "Hope Chapel",
        "hopechapel",
        "Portland",
        "OR",
        "97201",
        "America/Los_Angeles",
        ("Riverside",),
        (
            Staff("Hugh", "Admin", "Manager", site_administrator=True),
            Staff("Holly", "Manager", "Manager", elsewhere=MANAGER),
            Staff("Hank", "Editor", "Editor", elsewhere=EDITOR),
            Staff("Heidi", "Viewer", "Viewer"),
            Staff("Hazel", "Noaccess", None),
        ),
        "hopechapelportland.org",
    ),
)


def reset(store: Store, seed: int, people: int, now: float, groups: int | None = None) -> None:
    """Empty the store and make the practice pair with `people` people each, those who can sign in among them, and so many groups.

    The same seed makes the same people with the same ids; what goes on in the churches has its dates round `now` (seconds).
    """
    store.empty()
    numbers = count(10_000_000 * (abs(seed) % 90 + 1) + 1)
    for place, church in enumerate(CHURCHES):
        _Founding(store, church, place, seed, numbers, datetime.fromtimestamp(now, UTC), groups).found(people)
    store.keep("last_id", next(numbers))
    store.filled()


def personal_access_token(seed: int, place: int) -> tuple[str, str]:
    """The application id and secret of a practice church: made up, and the same for the same seed."""
    return hexadecimal(f"application {seed} {place}"), hexadecimal(f"secret {seed} {place}")


def hexadecimal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Family:
    """People who live together, before they have ids."""

    last_name: str
    adults: list[str]
    children: list[str]
    emails: list[str | None]
    phones: list[str]
    street: str


@dataclass
class _Founding:
    store: Store
    church: Church
    place: int
    seed: int
    numbers: Iterator[int]
    now: datetime
    groups: int | None = None
    rows: list[Row] = field(default_factory=list)
    moment: datetime = OPENED
    stamp: str = OPENED.strftime("%Y-%m-%dT%H:%M:%SZ")
    adults: list[int] = field(default_factory=list)
    children: list[tuple[int, str, str]] = field(default_factory=list)
    known: dict[str, int] = field(default_factory=dict)

    def found(self, people: int) -> None:
        self.organization = next(self.numbers)
        self._make_organization()
        self._make_choices()
        self._make_custom_fields()
        self._make_follow_up()
        for staff in self.church.staff:
            self._make_staff(staff)
        self._make_families(people - len(self.church.staff))
        self._write()
        self._begin_life()
        self._write()
        self._give_personal_access_token()

    def _add(self, kind: str, attributes: dict[str, object], **where: object) -> Row:
        moments = {"created_at": self.stamp, "updated_at": self.stamp}
        row = Row(kind, self.organization, attributes, id=next(self.numbers), **(moments | where))  # type: ignore[arg-type]
        self.rows.append(row)
        return row

    def _write(self) -> None:
        added_at = OPENED.timestamp()
        self.store.add_many(self.rows)
        terms = (
            (row.organization, row.person or row.id, row.id, kind, text, added_at) for row in self.rows for kind, text in terms_of(row)
        )
        self.store.execute_many("insert into term values (?, ?, ?, ?, ?, ?)", terms)
        self.rows.clear()

    def _make_organization(self) -> None:
        church = self.church
        organization = self._add(
            "Organization",
            {
                "name": church.name,
                "country_code": "US",
                "date_format": "MM/DD/YYYY",
                "time_zone": church.time_zone,
                "avatar_url": None,
                "church_center_subdomain": church.subdomain,
                "contact_website": f"https://{church.domain}",
                "grades": [{"name": "Pre-K", "value": -1}, {"name": "Kindergarten", "value": 0}]
                + [{"name": f"Grade {number}", "value": number} for number in range(1, 13)],
            },
        )
        organization.id = self.organization

    def _make_choices(self) -> None:
        church = self.church
        for number, name in enumerate(church.campuses, 1):
            place = {"street": f"{number} Main St", "city": church.city, "state": church.state, "zip": church.zip, "country": "US"}
            more = {"time_zone": church.time_zone, "church_center_enabled": True, "geolocation_set_manually": False}
            self._add("Campus", {"name": name, "latitude": "42.2116041", "longitude": "-71.0236303"} | place | more)
        self.campuses = [row.id for row in self.rows if row.kind == "Campus"]
        for campus in self.campuses:
            for hour in (9, 11):
                self._add("ServiceTime", {"day": "sunday", "start_time": hour * 3600, "description": None}, parent=campus)
        for key, value in enumerate(("Pre-K", "Kindergarten", *(f"Grade {number}" for number in range(1, 13))), -1):
            self._add("Grade", {"key": key, "value": value})
        for kind, values in (
            ("MembershipType", MEMBERSHIPS),
            ("MaritalStatus", ("Single", "Married", "Widowed")),
            ("Gender", ("Female", "Male")),
            ("InactiveReason", ("Moved", "No contact")),
            ("NamePrefix", ("Mr.", "Mrs.", "Ms.", "Dr.")),
            ("NameSuffix", ("Jr.", "Sr.", "III")),
            ("SchoolOption", ("Lincoln Elementary School", "Washington High School")),
        ):
            for sequence, value in enumerate(values, 1):
                self._add(kind, {"value": value, "sequence": sequence})
        for name in ("General", "Prayer request", "Connect card"):
            self.known[name] = self._add("NoteCategory", {"name": name, "locked": False}).id

    def _make_custom_fields(self) -> None:
        self.fields: dict[str, Row] = {}
        tabs: dict[str, Row] = {}
        for sequence, (tab, name, data_type, options) in enumerate(FIELDS, 1):
            if tab not in tabs:
                tabs[tab] = self._add("Tab", {"name": tab, "sequence": len(tabs) + 1, "slug": slug(tab)})
            definition = {"name": name, "data_type": data_type, "sequence": sequence, "slug": slug(name), "config": None}
            self.fields[name] = self._add("FieldDefinition", definition, parent=tabs[tab].id)
            self.known[name] = self.fields[name].id
            for place, value in enumerate(options, 1):
                option = self._add("FieldOption", {"value": value, "sequence": place}, parent=self.fields[name].id)
                self.known[f"{name} › {value}"] = option.id

    def _make_follow_up(self) -> None:
        for name, steps in WORKFLOWS:
            workflow = self._add("Workflow", {"name": name, "recently_viewed": False})
            self.known[name] = workflow.id
            for sequence, step in enumerate(steps, 1):
                self._add("WorkflowStep", {"name": step, "sequence": sequence, "description": None}, parent=workflow.id)

    def _make_staff(self, staff: Staff) -> None:
        email = f"{staff.first_name}.{staff.last_name}@{self.church.domain}".lower()
        person = self._person(staff.first_name, staff.last_name, child=False)
        person.attributes |= {
            "people_permissions": staff.permission,
            "site_administrator": staff.site_administrator,
            "login_identifier": email,
        } | {f"{scope}_permission": level for scope, level in staff.elsewhere.items()}
        person.relations["account"] = 900_000_000 + next(self.numbers)
        self._email(person, email)

    def _make_families(self, people: int) -> None:
        shared = max(people // 10, min(people, 3))
        for random, wanted in ((Random(f"{self.seed} both"), shared), (Random(f"{self.seed} {self.place}"), people - shared)):  # noqa: S311
            while wanted > 0:
                family = made_up_family(random, wanted)
                wanted -= len(family.adults) + len(family.children)
                self._make_family(random, family)

    def _make_family(self, random: Random, family: Family) -> None:
        self.moment += timedelta(minutes=1)
        self.stamp = self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        if len(self.rows) > 20_000:
            self._write()
        adults = [self._person(name, family.last_name, child=False) for name in family.adults]
        children = [self._person(name, family.last_name, child=True) for name in family.children]
        for adult, email, phone in zip(adults, family.emails, family.phones, strict=True):
            self._complete(random, adult, email, phone, family.street)
        if len(adults) + len(children) > 1:
            self._household(family, adults + children)

    def _person(self, first_name: str, last_name: str, *, child: bool) -> Row:
        names = {"first_name": first_name, "last_name": last_name, "name": f"{first_name} {last_name}"}
        person = self._add("Person", names | {"child": child, "status": "active"})
        if child:
            self.children.append((person.id, first_name, last_name))
        else:
            self.adults.append(person.id)
        return person

    def _complete(self, random: Random, person: Row, email: str | None, phone: str, street: str) -> None:
        if email:
            self._email(person, email)
        national = f"({phone[:3]}) {phone[3:6]}-{phone[6:]}"
        forms = {
            "e164": f"+1{phone}",
            "international": f"+1 {phone[:3]}-{phone[3:6]}-{phone[6:]}",
            "national": national,
            "country_code": "US",
        }
        written = random.choice((phone, national))
        self._add("PhoneNumber", {"number": written, "location": "Mobile", "primary": True} | forms, person=person.id)
        self._address(person, street)
        person.attributes["membership"] = random.choice(MEMBERSHIPS)
        person.relations["primary_campus"] = random.choice(self.campuses)
        if random.random() < 0.3:
            self._add("FieldDatum", {"value": random.choice(HEARD)}, person=person.id, parent=self.fields["How did you hear about us?"].id)

    def _email(self, person: Row, address: str) -> None:
        self._add("Email", {"address": address, "location": "Home", "primary": True, "blocked": False}, person=person.id)

    def _address(self, person: Row, street: str) -> None:
        church = self.church
        place = {"street_line_1": street, "street_line_2": None, "city": church.city, "state": church.state, "zip": church.zip}
        self._add(
            "Address",
            place | {"country_code": "US", "country_name": "United States", "location": "Home", "primary": True},
            person=person.id,
        )

    def _household(self, family: Family, members: list[Row]) -> None:
        relations = {"primary_contact": members[0].id}
        household = self._add("Household", {"name": f"{family.last_name} Household"}, relations=relations)
        for member in members:
            self._add("HouseholdMembership", {"pending": False}, person=member.id, parent=household.id)

    def _begin_life(self) -> None:
        for event in available_events():
            self._add("webhooks.AvailableEvent", dict(event))
        self.stamp = OPENED.strftime("%Y-%m-%dT%H:%M:%SZ")
        random = Random(f"{self.seed} {self.place} life")  # noqa: S311
        Life(self._add, random, self.now, self.adults, self.children, self.campuses, self.known, self.church.subdomain, self.groups).begin()

    def _give_personal_access_token(self) -> None:
        app_id, secret = personal_access_token(self.seed, self.place)
        owner = self.store.all("Person", self.organization)[0]
        self.store.execute(
            "insert into credential values (?, 'personal', 0, ?, ?, 'people groups calendar check_ins', ?, null, null, ?)",
            (f"{app_id}:{secret}", self.organization, owner.id, OPENED.timestamp(), "{}"),
        )


def made_up_family(random: Random, room: int) -> Family:
    """A family of at most `room` people; now and then a couple shares one e-mail address or one telephone."""
    last_name = random.choice(LAST_NAMES)
    adults = random.sample(FIRST_NAMES, min(room, random.choice((1, 1, 2, 2, 2))))
    children = random.sample([name for name in FIRST_NAMES if name not in adults], min(room - len(adults), random.choice((0, 0, 1, 2, 3))))
    emails: list[str | None] = [made_up_email(random, name, last_name) for name in adults]
    phones = [made_up_phone(random) for _ in adults]
    chance = random.random()
    if chance < 0.15:
        emails = [emails[0]] * len(adults)
    elif chance < 0.25:
        phones = [phones[0]] * len(adults)
    elif chance < 0.30:
        emails[-1] = None
    return Family(last_name, adults, children, emails, phones, f"{random.randint(1, 1999)} {random.choice(STREETS)}")


def made_up_email(random: Random, first_name: str, last_name: str) -> str:
    return f"{first_name}.{last_name}{random.randint(1, 9999)}@{random.choice(EMAIL_DOMAINS)}".lower()


def made_up_phone(random: Random) -> str:
    return f"{random.choice(AREA_CODES)}555{random.randint(0, 9999):04}"


def slug(name: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())
