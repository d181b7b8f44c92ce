"""A personal access token of another organization in the settings: nothing of a church goes there, and nothing from there comes here."""

from dataclasses import replace
from threading import Event

import pytest
from sqlalchemy import select

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import CONNECTED, PERSONAL_ACCESS_TOKEN, RECONNECT, Connection
from connectcard.connections.queries import find_connection
from connectcard.database import db, transaction
from connectcard.jobs import worker
from connectcard.people.models import Person
from connectcard.sync import pull
from connectcard.sync.models import PULL_PEOPLE, SYNCED, SyncRun
from tests.conftest import running
from tests.sync.conftest import GraceChurch


def everything_once(church: GraceChurch) -> Connection:
    """A card and a pull are wanted, and a worker that was just started does what is due; gives the connection as it stands then."""
    with church_scope(church.church_id), transaction():
        pull.want_pull(PULL_PEOPLE, "Sam Hill")
    church.card("Wilhelmina", "Quist", "mina.quist@gmail.com")
    church.press_sync()
    for _ in range(3):
        worker.serve(church.app, church.church_id, Event(), lambda: False)
        worker.hear(church.app, church.church_id, Event())
        church.move(seconds=10)
    with church_scope(church.church_id):
        connection = find_connection()
        assert connection is not None
        return connection


def pulled(church: GraceChurch) -> set[str | None]:
    with church_scope(church.church_id):
        return set(db.session.scalars(select(Person.remote_id)))


def test_nothing_is_sent_or_read_with_a_token_of_another_organization(grace_church: GraceChurch) -> None:
    other = grace_church.practice.organization(1)
    token = (other["personal_access_token"]["app_id"], other["personal_access_token"]["secret"])
    before = len(grace_church.practice.people(1))
    with running(create_app(replace(grace_church.app.config["CONNECTCARD"], personal_access_token=token))) as app:
        connection = everything_once(replace(grace_church, app=app))
    assert (connection.state, "another organization" in (connection.state_reason or "")) == (RECONNECT, True)
    assert (len(grace_church.practice.people(1)), pulled(grace_church)) == (before, set())


def test_with_its_own_token_a_church_is_asked_once_whose_it_is(grace_church: GraceChurch) -> None:
    connection = everything_once(grace_church)
    assert connection.state == CONNECTED
    assert pulled(grace_church) >= {one["id"] for one in grace_church.practice.people()}
    asked = [one["path"] for one in grace_church.practice.requests_since(0) if one["path"].split("?")[0] == "/people/v2"]
    assert len(asked) == 1


def test_while_planning_center_is_away_a_church_waits_with_words_and_goes_on_by_itself(grace_church: GraceChurch) -> None:
    grace_church.practice.fault("GET", "/people/v2", "status_503", times=500)
    assert everything_once(grace_church).state == CONNECTED
    assert (pulled(grace_church), [run.state for run in runs_of(grace_church)]) == (set(), ["running", "running"])
    assert ["Planning Center" in (run.note or "") for run in runs_of(grace_church)] == [True, True]
    grace_church.practice.post("faults", [])
    for _ in range(3):
        worker.serve(grace_church.app, grace_church.church_id, Event(), lambda: False)
        worker.hear(grace_church.app, grace_church.church_id, Event())
        grace_church.move(seconds=10)
    assert [(run.state, run.note) for run in runs_of(grace_church)] == [("finished", None), ("finished", None)]
    assert [item.state for item in grace_church.items()] == [SYNCED]


def test_without_a_token_in_the_settings_what_waits_says_so(grace_church: GraceChurch) -> None:
    with running(create_app(replace(grace_church.app.config["CONNECTCARD"], personal_access_token=None))) as app:
        everything_once(replace(grace_church, app=app))
        assert ["PCO_APP_ID" in (run.note or "") for run in runs_of(grace_church)] == [True, True]


def runs_of(church: GraceChurch) -> list[SyncRun]:
    with church_scope(church.church_id):
        return list(db.session.scalars(select(SyncRun).order_by(SyncRun.number)))


def test_without_access_to_people_a_card_says_so_instead_of_waiting_in_silence(grace_church: GraceChurch) -> None:
    grace_church.practice.fault("GET", "/people/v2", "no_access", times=50)
    assert everything_once(grace_church).products["people"] == "no_access"
    [item] = grace_church.items()
    assert item.reason == "The church needs to be connected to Planning Center again."


@pytest.mark.usefixtures("neighbour_church")
def test_the_neighbour_stays_connected(grace_church: GraceChurch, neighbour_church: GraceChurch) -> None:
    test_nothing_is_sent_or_read_with_a_token_of_another_organization(grace_church)
    with church_scope(neighbour_church.church_id):
        connection = find_connection()
        assert connection is not None
        assert (connection.kind == PERSONAL_ACCESS_TOKEN, connection.state_reason) == (False, None)
