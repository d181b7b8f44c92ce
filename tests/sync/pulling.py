"""Grace Church's staff press a pull button; the shipped worker's function does it. What stands here and there, side by side."""

from collections.abc import Iterable
from threading import Event
from typing import Any

import requests
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.models import Family, FamilyMember, Group, GroupMembership, Person
from connectcard.sync import pull
from connectcard.sync.models import PULL_FULL, SyncRun
from tests.sync.conftest import GraceChurch


class Puller:
    """Pulls of one church."""

    def __init__(self, church: GraceChurch) -> None:
        self.church = church

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
        people = db.session.scalars(select(Person).where(Person.remote_id.is_not(None), Person.gone_at.is_(None))).all()
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
                tuple(sorted({one.display for one in person.contacts})),
                tuple(sorted((one.street, one.city, one.zip) for one in person.addresses)),
            )
            for person in people
        }


def there(church: GraceChurch) -> dict[str, tuple[Any, ...]]:
    """Everybody as the practice Planning Center itself tells them."""
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
            tuple(sorted({row["address"] for row in one["emails"]} | {row["number"] for row in one["phone_numbers"]})),
            tuple(sorted((row["street_line_1"] or "", row["city"] or "", row["zip"] or "") for row in one["addresses"])),
        )
        for one in church.practice.people()
    }


def families_here(church: GraceChurch) -> dict[str, set[str]]:
    """Who is in which family, by ids in Planning Center."""
    there = FamilyMember.gone_at.is_(None), Family.gone_at.is_(None)
    with church_scope(church.church_id):
        wanted = select(Family.remote_id, Person.remote_id).join(FamilyMember, FamilyMember.family_id == Family.id)
        return _collected(db.session.execute(wanted.join(Person, Person.id == FamilyMember.person_id).where(*there)).all())


def families_there(church: GraceChurch) -> dict[str, set[str]]:
    return _collected((row["household_id"], one["id"]) for one in church.practice.people() for row in one["households"])


def groups_here(church: GraceChurch) -> dict[str, tuple[str, str, set[tuple[str, str]]]]:
    """Each group's name and type, and who is in it as what."""
    with church_scope(church.church_id):
        groups = db.session.scalars(select(Group).where(Group.gone_at.is_(None))).all()
        return {group.remote_id or "": (group.name, group.area.name, _members(group)) for group in groups}


def _members(group: Group) -> set[tuple[str, str]]:
    rows = db.session.scalars(select(GroupMembership).where(GroupMembership.group_id == group.id, GroupMembership.gone_at.is_(None)))
    return {(row.person.remote_id or "", row.role) for row in rows if row.person}


def groups_there(church: GraceChurch) -> dict[str, tuple[str, str, set[tuple[str, str]]]]:
    """The same, asked of the practice Planning Center without our client."""
    groups = asked(church, "groups/v2/groups?where[archive_status]=include&include=group_type&per_page=100")
    types = {one["id"]: one["attributes"]["name"] for one in groups["included"] if one["type"] == "GroupType"}
    found = {}
    for group in groups["data"]:
        members = asked(church, f"groups/v2/groups/{group['id']}/memberships?per_page=100")["data"]
        roles = {(one["relationships"]["person"]["data"]["id"], one["attributes"]["role"]) for one in members}
        type_ = group["relationships"]["group_type"]["data"]
        found[group["id"]] = (group["attributes"]["name"], types[type_["id"]] if type_ else "Unique groups", roles)
    return found


def asked(church: GraceChurch, address: str) -> Any:
    token = church.practice.organization()["personal_access_token"]
    headers = {"User-Agent": "test", "X-PCO-API-Version": "2023-07-10"} if address.startswith("groups") else {"User-Agent": "test"}
    auth = (token["app_id"], token["secret"])
    return requests.get(f"{church.practice.url}/{address}", auth=auth, headers=headers, timeout=30).json()


def as_there(church: GraceChurch) -> None:
    """Every person, family and group here is as it is in Planning Center, and nobody else is."""
    assert here(church) == there(church)
    assert families_here(church) == families_there(church)
    assert groups_here(church) == groups_there(church)


def _collected(pairs: Iterable[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for whole, part in pairs:
        found.setdefault(whole, set()).add(part)
    return found
