"""A church pulled whole from a practice Planning Center and compared with it record for record; then changed, killed, limited, refused."""

from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.people.models import Family, FamilyMember, Person
from connectcard.sync import pull
from connectcard.sync.models import PULL_FULL, SyncRun
from tests.sync.conftest import GraceChurch


class Puller:
    """Grace Church's staff press a pull button; the shipped worker's function does it."""

    def __init__(self, church: GraceChurch) -> None:
        self.church = church

    def want(self, kind: str = PULL_FULL, *, whole: bool = False) -> int:
        with church_scope(self.church.church_id), transaction():
            return pull.want_pull(kind, "Sam Hill", whole=whole).number

    def work(self, number: int) -> SyncRun:
        for _ in range(40):
            pull.advance_pulls(self.church.church_id, Event())
            run = self.church.run(number)
            if run.finished_at:
                return run
            self.church.move(seconds=30)
        raise AssertionError(f"the pull did not end: {run.state}, {run.progress}, {run.note}")

    def __call__(self, kind: str = PULL_FULL, *, whole: bool = False) -> SyncRun:
        return self.work(self.want(kind, whole=whole))


@pytest.fixture
def pulls(grace_church: GraceChurch) -> Puller:
    return Puller(grace_church)


def here(church: GraceChurch) -> dict[str, tuple[Any, ...]]:
    """Everybody in our directory, by their id in Planning Center."""
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
    with church_scope(church.church_id):
        rows = db.session.execute(
            select(Family.remote_id, Person.remote_id)
            .join(FamilyMember, FamilyMember.family_id == Family.id)
            .join(Person, Person.id == FamilyMember.person_id)
            .where(FamilyMember.gone_at.is_(None), Family.gone_at.is_(None))
        ).all()
    return collected(rows)


def families_there(church: GraceChurch) -> dict[str, set[str]]:
    return collected((row["household_id"], one["id"]) for one in church.practice.people() for row in one["households"])


def collected(pairs: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for whole, part in pairs:
        found.setdefault(whole, set()).add(part)
    return found


def test_a_whole_church_is_pulled_record_for_record(grace_church: GraceChurch, pulls: Puller) -> None:
    run = pulls()
    assert run.note is None
    assert here(grace_church) == there(grace_church)
    assert families_here(grace_church) == families_there(grace_church)
    assert run.created >= len(there(grace_church))
    again = pulls(whole=True)
    assert (again.created, again.updated) == (0, 0)
