"""Grace Church's own directory: people, families and groups that staff keep here, and a push of them."""

from datetime import date
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.identity import base_email
from connectcard.people.models import EMAIL, PHONE, Address, Contact, Identity, Person
from connectcard.people.operations import edit_person, marking_key, set_identity
from connectcard.sync import push
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
        return self.church.work_until_done(number)

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
        body = {
            "data": {"type": kind, "attributes": attributes, "relationships": {name: {"data": of} for name, of in relationships.items()}}
        }
        answer = requests.post(f"{self.url}{path}", json=body, auth=self.auth, headers={"User-Agent": "tests"}, timeout=30)
        assert answer.ok, answer.text
        return str(answer.json()["data"]["id"])

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}{path}", auth=self.auth, headers={"User-Agent": "tests"}, timeout=30)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def person(self, first_name: str, last_name: str, *emails: str, **attributes: Any) -> str:
        made = self.post("/people/v2/people", "Person", {"first_name": first_name, "last_name": last_name, **attributes})
        for address in emails:
            self.post(f"/people/v2/people/{made}/emails", "Email", {"address": address, "location": "Home"})
        return made
