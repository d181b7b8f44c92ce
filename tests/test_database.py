"""The one committer: nothing is lost between processes, nothing nests, bells ring when it is true."""

import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope, every_church
from connectcard.database import after_commit, db, end_reading, transaction
from connectcard.jobs.models import Schedule
from connectcard.sync.models import SyncRun
from tests.servers import spawn

PROCESSES, INCREMENTS = 4, 50


def test_processes_that_count_up_at_once_lose_nothing(
    any_database: str, app: Flask, grace: UUID, database_url: str, tmp_path: Path
) -> None:
    with church_scope(grace), transaction() as session:
        session.add(SyncRun(number=1, started_by="Sam Hill"))
    command = [sys.executable, "-m", "tests.counting", database_url, str(grace), str(INCREMENTS)]
    counting = [spawn(command, tmp_path / "counting.log") for _ in range(PROCESSES)]
    assert [process.wait(60) for process in counting] == [0] * PROCESSES
    assert (tmp_path / "counting.log").read_text() == ""
    with church_scope(grace):
        assert db.session.scalars(select(SyncRun.total)).one() == PROCESSES * INCREMENTS


def test_a_transaction_inside_a_transaction_is_refused(any_database: str, app: Flask, grace: UUID) -> None:
    with church_scope(grace), transaction() as session:
        session.add(SyncRun(number=1, started_by="Sam Hill"))
        with pytest.raises(RuntimeError, match="does not nest"), transaction():
            pass
    with church_scope(grace):
        assert db.session.scalars(select(SyncRun.number)).one() == 1


def test_an_error_takes_everything_back(any_database: str, app: Flask, grace: UUID) -> None:
    with church_scope(grace), pytest.raises(ZeroDivisionError), transaction() as session:
        session.add(SyncRun(number=1, started_by="Sam Hill"))
        session.flush()
        _ = 1 / 0
    with church_scope(grace):
        assert db.session.scalars(select(SyncRun)).all() == []
        with transaction() as session:
            session.add(SyncRun(number=1, started_by="Sam Hill"))


def test_what_was_read_before_a_transaction_is_read_again_inside(any_database: str, app: Flask, grace: UUID) -> None:
    with every_church():
        church = db.session.get_one(Church, grace)
        with db.engine.begin() as someone_else:
            someone_else.execute(Church.__table__.update().values(name="Renamed"))  # type: ignore[attr-defined]
        with transaction():
            assert church.name == "Renamed"
        with db.engine.begin() as someone_else:
            someone_else.execute(Church.__table__.update().values(name="Renamed again"))  # type: ignore[attr-defined]
        with transaction():
            assert church.name == "Renamed again"


def rows_seen_from_outside(name: str) -> int:
    with db.engine.connect() as connection:
        return len(connection.execute(select(Schedule.__table__.c.name).where(Schedule.__table__.c.name == name)).all())


def test_a_bell_rings_after_the_commit_and_in_order(any_database: str, app: Flask) -> None:
    rung: list[tuple[str, int]] = []
    with transaction() as session:
        session.add(Schedule(name="sweep", due_at=datetime(2026, 1, 1, tzinfo=UTC)))
        after_commit(lambda: rung.append(("first", rows_seen_from_outside("sweep"))))
        after_commit(lambda: rung.append(("second", rows_seen_from_outside("sweep"))))
        session.flush()
        assert rung == []
    assert rung == [("first", 1), ("second", 1)]


def test_no_bell_rings_when_nothing_was_kept(app: Flask) -> None:
    rung: list[str] = []
    with pytest.raises(ZeroDivisionError), transaction():
        after_commit(lambda: rung.append("rung"))
        _ = 1 / 0
    with pytest.raises(IntegrityError), transaction() as session:
        after_commit(lambda: rung.append("rung"))
        session.add_all([Schedule(name="twice", due_at=datetime.now(UTC)), Schedule(name="twice", due_at=None)])
    with transaction():
        pass
    assert rung == []


def test_a_bell_outside_a_transaction_is_a_mistake(app: Flask) -> None:
    with pytest.raises(RuntimeError, match="belongs inside transaction"):
        after_commit(lambda: None)


def test_a_bell_may_start_the_next_transaction(app: Flask) -> None:
    def note() -> None:
        with transaction() as session:
            session.add(Schedule(name="after", due_at=datetime(2026, 1, 1, tzinfo=UTC)))

    with transaction():
        after_commit(note)
    assert rows_seen_from_outside("after") == 1


def test_end_reading_gives_the_connection_back(any_database: str, app: Flask, grace: UUID) -> None:
    with church_scope(grace):
        db.session.scalars(select(SyncRun)).all()
        assert db.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        end_reading()
        assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_end_reading_inside_a_transaction_is_a_mistake(app: Flask) -> None:
    with transaction(), pytest.raises(RuntimeError, match="a transaction is open"):
        end_reading()


def test_a_moment_comes_back_as_it_was_and_in_utc(any_database: str, app: Flask) -> None:
    there = timezone(timedelta(hours=-6))
    with transaction() as session:
        session.add(Schedule(name="sweep", due_at=datetime(2026, 11, 22, 9, 0, tzinfo=there)))
    moment = db.session.scalars(select(Schedule.due_at)).one()
    assert (moment, moment.tzinfo) == (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), UTC)


def test_a_moment_without_a_zone_is_not_stored(app: Flask) -> None:
    with pytest.raises(Exception, match="without a time zone"), transaction() as session:
        session.add(Schedule(name="sweep", due_at=datetime(2026, 11, 22)))  # noqa: DTZ001


def test_names_of_constraints_are_short_enough_for_postgresql(app: Flask) -> None:
    for table in inspect(db.engine).get_table_names():
        for unique in inspect(db.engine).get_unique_constraints(table):
            assert len(unique["name"] or "") <= 63
