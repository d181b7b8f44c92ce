"""Who somebody is in Planning Center, and of which organization, read with that person's own access."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from connectcard.planning_center import BasicAuth, BearerAuth, Client, Timeouts
from connectcard.planning_center.errors import ReconnectNeeded
from connectcard.planning_center.resources import people

USER_AGENT = "connectcard (sign-in)"
SOMEBODY_WAITS = Timeouts(connect=3, total=10)


@dataclass(frozen=True)
class Identity:
    """A person and the organization that they signed in for.

    `people_permissions` is None, Viewer, Editor or Manager. `time_zone` is an IANA name, `date_format` strftime's.
    """

    person_remote_id: str
    name: str
    people_permissions: str | None
    site_administrator: bool
    organization_id: str
    organization_name: str
    country_code: str
    time_zone: str
    date_format: str


def read_identity(base_url: str, access_token: str) -> Identity:
    """Who holds this access token, by two reads. Raises PlanningCenterError."""

    def this_one_only(*, refused: str | None = None) -> str:
        if refused:
            raise ReconnectNeeded("Planning Center refused an access token that it gave a moment ago")
        return access_token

    return _read(Client(BearerAuth(this_one_only), base_url=base_url, user_agent=USER_AGENT, timeouts=SOMEBODY_WAITS))


def read_identity_of_token_pair(base_url: str, application_id: str, secret: str) -> Identity:
    """Who made this personal access token, by two reads. Raises PlanningCenterError."""
    return _read(Client(BasicAuth(application_id, secret), base_url=base_url, user_agent=USER_AGENT, timeouts=SOMEBODY_WAITS))


def _read(client: Client) -> Identity:
    me, organization = client.get(people.ME), client.get(people.ORGANIZATION)
    return Identity(
        person_remote_id=me.id,
        name=_text(me["name"], "Somebody without a name"),
        people_permissions=me["people_permissions"],
        site_administrator=bool(me["site_administrator"]),
        organization_id=organization.id,
        organization_name=_text(organization["name"], "Our church"),
        country_code=_text(organization["country_code"], "US")[:2].upper(),
        time_zone=known_time_zone(_text(organization["time_zone"], "UTC")),
        date_format=_text(organization["date_format"], "%m/%d/%Y")[:20],
    )


def _text(said: object, unsaid: str) -> str:
    """What Planning Center says, as long as our columns are wide."""
    return str(said or "").strip()[:200] or unsaid


def known_time_zone(name: str) -> str:
    """The name where it is one of the IANA's, else UTC."""
    return name if name in available_time_zones() else "UTC"


@cache
def available_time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
