"""Grace Church's own directory: people, families and groups that staff keep here, and a push of them."""

from datetime import date
from threading import Event
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people.identity import base_email
from connectcard.people.models import EMAIL, PHONE, Address, Contact, Family, FamilyMember, Group, GroupMembership, Identity, Person
from connectcard.people.operations import edit_person, marking_key, set_identity
from connectcard.sync import pull, push
from connectcard.sync.models import SyncItem, SyncRun, SyncStep
from tests.sync.conftest import GraceChurch, Practice


class Directory:
    """What staff of a church do in their own directory."""

    def __init__(self, church: GraceChurch) -> None:
        self.church = church

    def person(self, first_name: str, last_name: str, *contacts: str, child: bool = False, born: date | None = None, **more: Any) -> UUID:
        """Staff write somebody down."""
        with church_scope(self.church.church_id), transaction() as session:
            person = Person(seen_at=None, **{name: value for name, value in more.items() if name != "address"})
            set_identity(person, Identity(first_name, last_name, birthdate=born), child=child, key=marking_key())
            person.contacts = [contact(one) for one in contacts]
            person.addresses = [Address(**more["address"])] if "address" in more else []
            for part in (*person.contacts, *person.addresses):
                part.church_id = self.church.church_id
            session.add(person)
            session.flush()
            return person.id

    def family(self, name: str, *people: UUID, roles: tuple[str, ...] = ()) -> UUID:
        """Staff put these people together; the first is the one to write to."""
        with church_scope(self.church.church_id), transaction() as session:
            family = Family(name=name)
            session.add(family)
            session.flush()
            for place, person_id in enumerate(people):
                role = roles[place] if roles else ""
                session.add(FamilyMember(family_id=family.id, person_id=person_id, role=role, primary=place == 0, added_here_at=now()))
            return family.id

    def join(self, group_remote_id: str, person_id: UUID, role: str = "member") -> UUID:
        """Staff put somebody into a group that was pulled."""
        with church_scope(self.church.church_id), transaction() as session:
            group = session.scalars(select(Group).where(Group.remote_id == group_remote_id)).one()
            membership = GroupMembership(group_id=group.id, person_id=person_id, role=role, added_here_at=now())
            session.add(membership)
            session.flush()
            return membership.id

    def get_family(self, family_id: UUID) -> Family:
        with church_scope(self.church.church_id):
            return db.session.scalars(select(Family).where(Family.id == family_id)).one()

    def get_membership(self, membership_id: UUID) -> GroupMembership:
        with church_scope(self.church.church_id):
            return db.session.scalars(select(GroupMembership).where(GroupMembership.id == membership_id)).one()

    def pull(self, kind: str) -> SyncRun:
        with church_scope(self.church.church_id), transaction():
            number = pull.want_pull(kind, "Sam Hill").number
        for _ in range(40):
            pull.advance_pulls(self.church.church_id, Event(), lambda: False)
            run = self.church.run(number)
            if run.finished_at:
                return run
            self.church.move(seconds=20)
        raise AssertionError(f"the pull did not end: {run.progress}")

    def put_in(self, family_id: UUID, person_id: UUID) -> None:
        """Staff put one more into a family."""
        with church_scope(self.church.church_id), transaction() as session:
            session.add(FamilyMember(family_id=family_id, person_id=person_id, added_here_at=now()))

    def runs(self) -> list[SyncRun]:
        with church_scope(self.church.church_id):
            return list(db.session.scalars(select(SyncRun)))

    def send_memberships(self, *, chosen: bool = True) -> None:
        """An owner chooses whether group memberships are sent."""
        with church_scope(self.church.church_id), transaction() as session:
            session.get_one(Church, self.church.church_id).sends_memberships = chosen

    def edit(self, person_id: UUID, **values: Any) -> None:
        with church_scope(self.church.church_id), transaction() as session:
            edit_person(session.get_one(Person, person_id), values, "Sam Hill")

    def get(self, person_id: UUID) -> Person:
        with church_scope(self.church.church_id):
            return db.session.scalars(select(Person).where(Person.id == person_id)).one()

    def push(self, kind: str) -> SyncRun:
        """Press the button and let the worker end the run."""
        with church_scope(self.church.church_id), transaction():
            number = push.start(kind, "Sam Hill").number
        return self.work_until_done(number)

    def work_until_done(self, number: int) -> SyncRun:
        """The worker's passes until the run is over, the clock moved on in between by more than anything waits for."""
        for _ in range(30):
            self.church.work()
            run = self.church.run(number)
            if run.finished_at:
                return run
            self.church.move(seconds=125)
        raise AssertionError(f"run {number} did not end: {[(item.kind, item.state, item.reason) for item in self.church.items()]}")

    def item(self, subject_id: UUID) -> SyncItem:
        return next(item for item in self.church.items() if item.subject_id == subject_id)

    def steps(self, subject_id: UUID) -> list[SyncStep]:
        with church_scope(self.church.church_id):
            wanted = select(SyncStep).join(SyncItem, SyncItem.id == SyncStep.item_id).where(SyncItem.subject_id == subject_id)
            return list(db.session.scalars(wanted.order_by(SyncStep.position)))


def contact(written: str) -> Contact:
    kind = EMAIL if "@" in written else PHONE
    return Contact(kind=kind, value=written, display=written, mailbox=base_email(written) if kind == EMAIL else None)


class Outside:
    """Somebody at the church who works in Planning Center itself, over its API, in the product's own words."""

    def __init__(self, practice: Practice, place: int = 0) -> None:
        token = practice.organization(place)["personal_access_token"]
        self.url, self.auth = practice.url, (token["app_id"], token["secret"])

    def post(self, path: str, kind: str, attributes: dict[str, Any], **relationships: Any) -> str:
        related = {name: {"data": of} for name, of in relationships.items()}
        return str(self._ask("POST", path, {"type": kind, "attributes": attributes, "relationships": related})["data"]["id"])

    def patch(self, path: str, kind: str, remote_id: str, **attributes: Any) -> None:
        self._ask("PATCH", path, {"type": kind, "id": remote_id, "attributes": attributes})

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def get(self, path: str) -> Any:
        return self._ask("GET", path)["data"]

    def act(self, path: str) -> None:
        """Press one of the buttons of a record, as "remove" of a workflow card."""
        self._ask("POST", path)

    def _ask(self, method: str, path: str, sent: Any = None) -> Any:
        body = None if sent is None else {"data": sent}
        answer = requests.request(method, f"{self.url}{path}", json=body, auth=self.auth, headers={"User-Agent": "tests"}, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def person(self, first_name: str, last_name: str, *emails: str, **attributes: Any) -> str:
        made = self.post("/people/v2/people", "Person", {"first_name": first_name, "last_name": last_name, **attributes})
        for address in emails:
            self.post(f"/people/v2/people/{made}/emails", "Email", {"address": address, "location": "Home"})
        return made
