"""The database is put back from an older backup while Planning Center keeps what was written since: nothing is written twice."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg import sql
from werkzeug.datastructures import MultiDict

from connectcard.cards.operations import submit_card
from connectcard.cards.queries import card_for
from connectcard.churches.models import Church
from connectcard.churches.operations import mark_restored
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.database import db, end_reading, transaction
from connectcard.sync import card_fields, destinations
from connectcard.sync.decisions import decide_by_hand
from connectcard.sync.models import SyncItem
from connectcard.sync.restored import COMES_AGAIN_WITHIN, looks_first
from tests.servers import PostgresqlServer
from tests.sync.conftest import GraceChurch

pytestmark = pytest.mark.usefixtures("any_database")

FAMILY = {"spouse": {"first_name": "Tobias", "last_name": ""}, "children": [{"first_name": "Leo", "age": "6"}]}
MINA = {"email": "mina.quist@gmail.com", "phone": "(217) 555-0123", "prayer": "For my mother", "interests": ["serving"], "family": FAMILY}


class Backup:
    """A copy of the whole database, taken once and put back at the end of the story."""

    def __init__(self, take: Callable[[], None], put_back: Callable[[], None]) -> None:
        self._take, self._put_back = take, put_back

    def take(self) -> None:
        self._away()
        self._take()

    def put_back(self) -> None:
        """And say so, as `connectcard restored` does."""
        self._away()
        self._put_back()
        with every_church(), transaction():
            mark_restored()

    def _away(self) -> None:
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def backup(any_database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Backup:
    if any_database == "sqlite":
        file, copy = tmp_path / "connectcard.sqlite", tmp_path / "backup.sqlite"
        return Backup(lambda: _copy_file(file, copy), lambda: _copy_file(copy, file))
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    name: str = request.getfixturevalue("postgresql_database")
    kept: list[str] = []

    def put_back() -> None:
        server.drop_database(name)
        server.administer(sql.SQL("alter database {} rename to {}").format(sql.Identifier(kept[0]), sql.Identifier(name)))

    return Backup(lambda: kept.append(server.make_database(template=name)), put_back)


def _copy_file(source: Path, target: Path) -> None:
    """With nobody connected: SQLite has emptied its journal into the file then."""
    for journal in ("-wal", "-shm"):
        assert not source.with_name(source.name + journal).exists()
        target.with_name(target.name + journal).unlink(missing_ok=True)
    shutil.copyfile(source, target)


@pytest.fixture(autouse=True)
def mapping(grace_church: GraceChurch) -> None:
    """Grace Church sends prayers as notes, and whoever wants to serve into a workflow."""
    category, workflow = grace_church.choices("note_category")[0], grace_church.choices("workflow")[0]
    with church_scope(grace_church.church_id), transaction():
        destinations.save("prayer", card_fields.NOTE, category.remote_id, {}, None, "Sam Hill")
        destinations.save("interests", card_fields.WORKFLOW_CARD, workflow.remote_id, {}, None, "Sam Hill")


def mina(church: GraceChurch) -> UUID:
    return church.card("Wilhelmina", "Quist", visit="first_time", **MINA)


def sync(church: GraceChurch) -> None:
    church.work_until_done(church.press_sync())


def records(church: GraceChurch) -> list[dict[str, Any]]:
    """Everybody in Planning Center with all that hangs on them; when a record was last touched does not count."""
    return [{name: value for name, value in person.items() if name != "updated_at"} for person in church.practice.people()]


def test_a_card_that_was_unsent_in_the_backup_finds_all_of_its_own(grace_church: GraceChurch, backup: Backup) -> None:
    card = mina(grace_church)
    backup.take()
    sync(grace_church)
    written = records(grace_church)
    assert [len(person["notes"]) for person in grace_church.practice.named("Wilhelmina", "Quist")] == [1]
    backup.put_back()
    sync(grace_church)
    assert records(grace_church) == written
    assert grace_church.item(card).state == "synced"
    assert all(step.found for step in grace_church.steps(card) if step.state == "done")


def test_a_card_that_came_in_after_the_backup_and_comes_again_from_the_tablet(grace_church: GraceChurch, backup: Backup) -> None:
    form = {
        "first_name": "Wilhelmina",
        "last_name": "Quist",
        "phone": "(217) 555-0123",
        "visit": "first_time",
        "submission_key": str(uuid4()),
    }
    form |= {"spouse_first_name": "Tobias", "prayer": "For my mother"}
    backup.take()
    first = sent_from_the_tablet(grace_church, form)
    sync(grace_church)
    written = records(grace_church)
    backup.put_back()
    grace_church.move(days=20)
    assert sent_from_the_tablet(grace_church, form) == first, "the same card, although its row was lost"
    sync(grace_church)
    assert records(grace_church) == written
    assert grace_church.item(first).state == "synced"


def sent_from_the_tablet(church: GraceChurch, form: dict[str, str]) -> UUID:
    with church_scope(church.church_id), transaction():
        card = card_for("welcome")
        assert card is not None
        card.questions = {**card.questions, "prayer": True}
        return submit_card(card, MultiDict(form), language="en", came_from="tablet").submission_id


@pytest.mark.parametrize("stuck_at", ["/people/v2/people/*/emails", "/people/v2/people/*/notes", "/people/v2/households"])
def test_a_backup_made_in_the_middle_of_a_card(grace_church: GraceChurch, backup: Backup, stuck_at: str) -> None:
    card = mina(grace_church)
    number = grace_church.press_sync()
    grace_church.practice.fault("POST", stuck_at, "status_503")
    grace_church.work()
    assert grace_church.item(card).planned_at is not None
    assert "done" in {step.state for step in grace_church.steps(card)}
    backup.take()
    grace_church.work_until_done(number)
    written = records(grace_church)
    backup.put_back()
    grace_church.work_until_done(number)
    assert records(grace_church) == written
    assert grace_church.item(card).state == "synced"


def test_a_note_on_somebody_who_was_there_is_not_written_again(grace_church: GraceChurch, backup: Backup) -> None:
    sync_of = [mina(grace_church)]
    sync(grace_church)
    sync_of.append(grace_church.card("Mina", "Quist", "mina.quist@gmail.com", prayer="For my father", interests=["serving"]))
    backup.take()
    sync(grace_church)
    written = records(grace_church)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    assert len(person["notes"]) == 2
    backup.put_back()
    sync(grace_church)
    assert records(grace_church) == written
    assert [grace_church.item(card).state for card in sync_of] == ["synced", "synced"]


def test_somebody_whom_staff_called_new_is_not_made_again(grace_church: GraceChurch, backup: Backup) -> None:
    mina(grace_church)
    sync(grace_church)
    ben = grace_church.card("Ben", "Quist", "mina.quist@gmail.com", "(217) 555-0177")
    sync(grace_church)
    backup.take()
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(ben), "new", None, "Sam Hill").number
    grace_church.work_until_done(number)
    written = records(grace_church)
    backup.put_back()
    with church_scope(grace_church.church_id), transaction():
        number = decide_by_hand(item_of(ben), "new", None, "Ruth Bell").number
    grace_church.work_until_done(number)
    assert records(grace_church) == written
    assert len(grace_church.practice.named("Ben", "Quist")) == 1


def item_of(card: UUID) -> SyncItem:
    return db.session.scalars(db.select(SyncItem).where(SyncItem.submission_id == card)).one()


def test_somebody_whom_staff_renamed_since_is_asked_about(grace_church: GraceChurch, backup: Backup) -> None:
    card = grace_church.card("Wilhelmina", "Quist")
    backup.take()
    sync(grace_church)
    [person] = grace_church.practice.named("Wilhelmina", "Quist")
    grace_church.practice.rename(person["id"], "Esmeralda", "Adeyemi")
    backup.put_back()
    sync(grace_church)
    item = grace_church.item(card)
    assert (item.state, "mark of this card" in (item.reason or "")) == ("review", True)
    assert [candidate["remote_id"] for candidate in (item.decision or {})["candidates"]] == [person["id"]]
    assert grace_church.practice.named("Wilhelmina", "Quist") == []


def test_without_a_restore_no_card_asks_for_its_mark_twice(grace_church: GraceChurch) -> None:
    grace_church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    sync(grace_church)
    asked = [request for request in grace_church.practice.requests_since(0) if "remote_id" in request["query"]]
    assert len(asked) == 1


def test_who_looks_first(grace_church: GraceChurch) -> None:
    restored_at = grace_church.clock.moment
    assert not looks_first(restored_at, None)
    assert looks_first(restored_at - COMES_AGAIN_WITHIN * 3, restored_at)
    assert looks_first(restored_at + COMES_AGAIN_WITHIN, restored_at)
    assert not looks_first(restored_at + COMES_AGAIN_WITHIN * 2, restored_at)


def test_the_neighbour_is_marked_too_and_nothing_of_theirs_is_written(
    grace_church: GraceChurch, neighbour_church: GraceChurch, backup: Backup
) -> None:
    before = neighbour_church.practice.people(1)
    mina(grace_church)
    backup.take()
    sync(grace_church)
    backup.put_back()
    sync(grace_church)
    assert neighbour_church.practice.people(1) == before
    assert neighbour_church.items() == []
    with every_church():
        assert None not in set(db.session.scalars(db.select(Church.restored_at)))
        end_reading()
