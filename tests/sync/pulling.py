"""Grace Church's staff press a pull button; the shipped worker's function does it. What stands here and there, side by side."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.models import Family, FamilyMember, Group, GroupMembership, Person
from connectcard.sync import pull
from connectcard.sync.models import PULL_FULL, SyncRun
from connectcard.sync.pull_shift import PullLane
from tests import servers
from tests.sync.conftest import GraceChurch, Practice

PEOPLE = 220


@pytest.fixture
def practice(simulator: str) -> Practice:
    """A practice Planning Center whose lists have several pages."""
    practice = Practice(simulator)
    practice.post("reset", {"people": PEOPLE, "seed": 4})
    practice.post("settings", {"limit": 100_000})
    return practice


@pytest.fixture
def pulls(grace_church: GraceChurch, tmp_path: Path) -> "Puller":
    return Puller(grace_church, tmp_path / "worker.log")


def requests_of(church: GraceChurch, since: int) -> list[str]:
    return [entry["path"] for entry in church.practice.requests_since(since)]


def last_request(church: GraceChurch) -> int:
    return max((entry["number"] for entry in church.practice.requests_since(0)), default=0)


def somebody(church: GraceChurch, place: int = 0, *, child: bool = False) -> str:
    """Somebody of the church who does not hold a token."""
    people = [one for one in church.practice.people() if not one["can_sign_in"] and one["child"] is child]
    return str(people[-1 - place]["id"])


class Puller:
    """Pulls of one church."""

    def __init__(self, church: GraceChurch, log: Path) -> None:
        self.church, self.log = church, log

    def want(self, kind: str = PULL_FULL, *, whole: bool = False) -> int:
        with church_scope(self.church.church_id), transaction():
            return pull.want_pull(kind, "Sam Hill", whole=whole).number

    def turn(self) -> bool:
        """One turn of a worker."""
        return pull.advance_pulls(self.church.church_id, Event())

    def work(self, number: int) -> SyncRun:
        """Turns of a worker, the clocks moved on between them, until the pull is over."""
        for _ in range(40):
            self.turn()
            run = self.church.run(number)
            if run.finished_at:
                return run
            self.church.move(seconds=40)
        raise AssertionError(f"the pull did not end: {run.state}, {run.progress}, {run.note}")

    def kill_a_worker_after(self, asked: int) -> None:
        """A worker in a process of its own, gone at once after so many requests."""
        before = last_request(self.church)
        self.kill_a_worker_when(lambda: last_request(self.church) >= before + asked, "a few pages")

    def kill_a_worker_when(self, happened: Callable[[], bool], what: str) -> None:
        config = self.church.app.config["CONNECTCARD"]
        arguments = (config.database_url, self.church.practice.url, *config.personal_access_token, str(self.church.church_id))
        worker = servers.spawn([sys.executable, "-m", "tests.sync.pull_in_a_process", *arguments], self.log)
        servers.wait_until(happened, what, 120)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        with church_scope(self.church.church_id), transaction() as session:
            # A dead worker's lease ends by itself after a minute; nobody waits for it here.
            session.execute(update(PullLane).values(until=None))

    def __call__(self, kind: str = PULL_FULL, *, whole: bool = False) -> SyncRun:
        self.church.move(seconds=1)
        return self.work(self.want(kind, whole=whole))


def change(church: GraceChurch, remote_id: str, **attributes: Any) -> None:
    """Somebody edits a person in Planning Center, a little later than whatever was read before."""
    church.move(minutes=6)
    answer = requests.patch(f"{church.practice.url}/_simulator/people/{remote_id}", json=attributes, timeout=30)
    assert answer.ok, answer.text


def here(church: GraceChurch) -> dict[str, tuple[Any, ...]]:
    """Everybody in our directory who stands in Planning Center, by their id there."""
    with church_scope(church.church_id):
        there = select(Person).where(Person.remote_id.is_not(None), Person.gone_at.is_(None)).options(selectinload(Person.addresses))
        people = db.session.scalars(there).all()
        return {
            person.remote_id or "": (
                person.identity.first_name,
                person.identity.last_name,
                person.identity.nickname,
                person.identity.birthdate.isoformat() if person.identity.birthdate else None,
                person.child,
                person.gender,
                person.status,
                person.membership,
                person.campus_remote_id,
                tuple(sorted({(one.display, one.location, one.primary) for one in person.contacts})),
                tuple(
                    sorted((one.street, one.street2, one.city, one.state, one.zip, one.location, one.primary) for one in person.addresses)
                ),
            )
            for person in people
        }


def there(church: GraceChurch) -> dict[str, tuple[Any, ...]]:
    """Everybody as the practice Planning Center itself tells them."""
    places = ("street_line_1", "street_line_2", "city", "state", "zip", "location")
    return {
        one["id"]: (
            one["first_name"] or "",
            one["last_name"] or "",
            one["nickname"] or "",
            one["birthdate"],
            one["child"],
            one["gender"] or "",
            one["status"],
            one["membership"] or "",
            one["primary_campus_id"],
            tuple(
                sorted(
                    {(row["address"], row["location"] or "", row["primary"]) for row in one["emails"]}
                    | {(row["number"], row["location"] or "", row["primary"]) for row in one["phone_numbers"]}
                )
            ),
            tuple(sorted((*(row[name] or "" for name in places), row["primary"]) for row in one["addresses"])),
        )
        for one in church.practice.people()
    }


Families = dict[str, tuple[str, str | None, set[str]]]


def families_here(church: GraceChurch) -> Families:
    """Each family's name, whom to write to and who is in it, by ids in Planning Center."""
    with church_scope(church.church_id):
        members = select(FamilyMember.family_id, Person.remote_id).join(Person, Person.id == FamilyMember.person_id)
        found: dict[Any, set[str]] = {}
        for family_id, remote_id in db.session.execute(members.where(FamilyMember.gone_at.is_(None))):
            found.setdefault(family_id, set()).add(remote_id)
        families = db.session.scalars(select(Family).where(Family.gone_at.is_(None)))
        return {one.remote_id or "": (one.name, one.primary_contact_remote_id, found.get(one.id, set())) for one in families}


def families_there(church: GraceChurch) -> Families:
    """The same, asked of the practice Planning Center without our client."""
    found: Families = {}
    for one in everything(church, "people/v2/households?include=people")["data"]:
        contact, people = one["relationships"]["primary_contact"]["data"], one["relationships"]["people"]["data"]
        found[one["id"]] = (one["attributes"]["name"], contact and contact["id"], {each["id"] for each in people})
    return found


def roles_here(church: GraceChurch) -> dict[tuple[str, str], str]:
    """The roles in families that were read, by household and person; the list of households tells none."""
    with church_scope(church.church_id):
        rows = select(Family.remote_id, FamilyMember.person_remote_id, FamilyMember.role).join(Family, Family.id == FamilyMember.family_id)
        told = FamilyMember.role != "", FamilyMember.gone_at.is_(None), Family.gone_at.is_(None)
        return {(household or "", person or ""): role for household, person, role in db.session.execute(rows.where(*told))}


def roles_there(church: GraceChurch) -> dict[tuple[str, str], str]:
    rows = ((row, one["id"]) for one in church.practice.people() for row in one["households"])
    return {(row["household_id"], person): row["household_role"] for row, person in rows if row["household_role"]}


def groups_here(church: GraceChurch) -> dict[str, tuple[str, str, str, set[tuple[str, str]]]]:
    """Each group's name, schedule and type, and who is in it as what."""
    with church_scope(church.church_id):
        groups = db.session.scalars(select(Group).where(Group.gone_at.is_(None))).all()
        return {group.remote_id or "": (group.name, group.schedule, group.area.name, _members(group)) for group in groups}


def _members(group: Group) -> set[tuple[str, str]]:
    rows = db.session.scalars(select(GroupMembership).where(GroupMembership.group_id == group.id, GroupMembership.gone_at.is_(None)))
    return {(row.person.remote_id or "", row.role) for row in rows if row.person}


def groups_there(church: GraceChurch) -> dict[str, tuple[str, str, str, set[tuple[str, str]]]]:
    """The same, asked of the practice Planning Center without our client."""
    groups = everything(church, "groups/v2/groups?where[archive_status]=include&include=group_type")
    types = {one["id"]: one["attributes"]["name"] for one in groups["included"] if one["type"] == "GroupType"}
    found = {}
    for group in groups["data"]:
        members = everything(church, f"groups/v2/groups/{group['id']}/memberships?")["data"]
        roles = {(one["relationships"]["person"]["data"]["id"], one["attributes"]["role"]) for one in members}
        named, type_ = group["attributes"], group["relationships"]["group_type"]["data"]
        found[group["id"]] = (named["name"], named["schedule"] or "", types[type_["id"]] if type_ else "Unique groups", roles)
    return found


def everything(church: GraceChurch, address: str) -> dict[str, list[Any]]:
    """All pages of a list that nobody changes meanwhile."""
    whole: dict[str, list[Any]] = {"data": [], "included": []}
    offset: int | None = 0
    while offset is not None:
        page = asked(church, f"{address}&per_page=100&offset={offset}")
        whole["data"] += page["data"]
        whole["included"] += page["included"]
        offset = page["meta"].get("next", {}).get("offset")
    return whole


def asked(church: GraceChurch, address: str) -> Any:
    token = church.practice.organization(people=False)["personal_access_token"]
    headers = {"User-Agent": "test", "X-PCO-API-Version": "2023-07-10" if address.startswith("groups") else "2026-06-04"}
    auth = (token["app_id"], token["secret"])
    return requests.get(f"{church.practice.url}/{address}", auth=auth, headers=headers, timeout=30).json()


def as_there(church: GraceChurch) -> None:
    """Every person, family and group here is as it is in Planning Center, and nobody else is."""
    differs("people", here(church), there(church))
    differs("families", families_here(church), families_there(church))
    assert roles_here(church).items() <= roles_there(church).items()
    differs("groups", groups_here(church), groups_there(church))


def differs(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Fails with the first few records that are not the same on both sides."""
    found = [key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)]
    shown = "".join(f"\n  {key}\n    here  {ours.get(key)}\n    there {theirs.get(key)}" for key in sorted(found)[:5])
    assert not found, f"{len(found)} of {len(theirs)} {what} differ:{shown}"
