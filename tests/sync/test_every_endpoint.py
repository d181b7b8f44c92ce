"""Every address of Planning Center that a two-way connection uses is called, and answered, over HTTP.

The product calls what it can by its own ways; what is left is called through the same client, each for what it is for.
"""

import re
from threading import Event

import pytest

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import end_reading, transaction
from connectcard.planning_center import Client
from connectcard.planning_center.resources import groups, people
from connectcard.sync import pull
from connectcard.sync.models import PULL_FULL
from connectcard.sync.refreshing import refresh_family, refresh_group, refresh_memberships, refresh_person
from connectcard.sync.remote_views import VIEWS
from tests.endpoints import BESIDE, LISTED
from tests.sync.conftest import GraceChurch
from tests.sync.practice_views import listing, refresh, want, work


@pytest.fixture
def client(grace_church: GraceChurch) -> Client:
    with church_scope(grace_church.church_id):
        connection = find_connection()
        assert connection is not None
        return client_for(connection)


def test_every_endpoint_is_called_and_answered(grace_church: GraceChurch, client: Client) -> None:
    bring_everything_over(grace_church)
    look_at_everything(grace_church)
    read_single_records_again(grace_church, client)
    send_a_family(grace_church)
    write_as_a_push_does(grace_church, client)
    missing = (LISTED | BESIDE) - answered(grace_church)
    assert not missing, f"nothing calls {', '.join(sorted(missing))}"


def answered(church: GraceChurch) -> set[str]:
    """What was asked of Planning Center and answered well, ids left out."""
    calls = church.practice.requests_since(0)
    good = [call for call in calls if call["status"] is not None and call["status"] < 300]
    return {f"{call['method']} {re.sub(r'/[0-9]+(?=/|$)', '/{id}', call['path'])}" for call in good}


def bring_everything_over(church: GraceChurch) -> None:
    with church_scope(church.church_id), transaction():
        pull.want_pull(PULL_FULL, "Sam Hill")
    while pull.advance_pulls(church.church_id, Event()):
        church.move(seconds=30)


def look_at_everything(church: GraceChurch) -> None:
    for view in VIEWS:
        if not view.below:
            want(church.church_id, view.key)
    work(church.church_id)
    meeting = listing(church.church_id, "groups/events").rows[0]
    assert refresh(church.church_id, "groups/events/attendances", meeting.remote_id).problem is None


def read_single_records_again(church: GraceChurch, client: Client) -> None:
    with church_scope(church.church_id):
        one_of = {kind: client.list(kind, per_page=1).records[0].id for kind in (people.PERSON, people.HOUSEHOLD, groups.GROUP)}
        refresh_person(one_of[people.PERSON], client)
        refresh_family(one_of[people.HOUSEHOLD], client)
        refresh_group(one_of[groups.GROUP], client)
        refresh_memberships(one_of[groups.GROUP], client)


def send_a_family(church: GraceChurch) -> None:
    """First the parents are made with their household, then a child is added to it."""
    spouse, leo = {"first_name": "Tobias", "last_name": ""}, {"first_name": "Leo", "age": "6"}
    for children in ([], [leo]):
        church.card("Wilhelmina", "Quist", "mina.quist@gmail.com", "(217) 555-0123", family={"spouse": spouse, "children": children})
        church.work_until_done(church.press_sync())


def write_as_a_push_does(church: GraceChurch, client: Client) -> None:
    """Somebody's name is changed, their contacts are compared, and they join a group and lead it."""
    with church_scope(church.church_id):
        end_reading()
        mina = client.list(people.PERSON, where={"first_name": "Wilhelmina"}).records[0]
        assert client.update(people.PERSON, mina.id, {"nickname": "Mina"})["nickname"] == "Mina"
        emails, phones = (client.list(kind, parent_id=mina.id).records for kind in (people.EMAIL, people.PHONE_NUMBER))
        assert [emails[0]["address"], phones[0]["e164"]] == ["mina.quist@gmail.com", "+12175550123"]
        assert client.list(people.ADDRESS, parent_id=mina.id).records == ()
        group = client.list(groups.GROUP, per_page=1).records[0]
        joined = client.create(groups.MEMBERSHIP, {"person_id": mina.id, "role": "member"}, parent_id=group.id)
        assert client.update(groups.MEMBERSHIP, joined.id, {"role": "leader"}, parent_id=group.id)["role"] == "leader"


def test_the_list_is_whole() -> None:
    """Twenty-five rows stand in the description's tables."""
    assert len(LISTED) == 25
