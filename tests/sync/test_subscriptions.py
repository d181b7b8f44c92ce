"""The church's subscriptions: made, looked after every day, given new secrets, ended."""

from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.connections.clients import client_for
from connectcard.connections.queries import find_connection
from connectcard.database import db, end_reading, transaction
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import FieldRefused
from connectcard.planning_center.resources import webhooks
from connectcard.sync import inbox, subscriptions
from connectcard.sync.events import EVENTS
from connectcard.sync.subscriptions import plan
from connectcard.sync.webhook_models import ACTIVE, REFUSED, WebhookAddress, WebhookSubscription
from tests.sync.conftest import GraceChurch

URL = "https://cards.gracechurch.org/webhooks/planning-center/abc"
FIRST = EVENTS[0]


def remote(name: str = FIRST, url: str = URL, *, active: bool = True) -> Record:
    return Record("WebhookSubscription", "7", {"name": name, "url": url, "active": active, "authenticity_secret": "s"})


# What is to be done; pure.


def done(found: list[Record], offered: tuple[str, ...] = EVENTS, rotating: tuple[str, ...] = ()) -> dict[str, str]:
    return {f"{task.name}{'' if task.remote is None else f' {task.remote.id}'}": task.what for task in plan(URL, found, offered, rotating)}


def test_a_new_church_is_told_of_every_event_that_planning_center_offers() -> None:
    assert set(done([]).values()) == {"create"}
    assert len(done([])) == len(EVENTS)
    assert done([], offered=EVENTS[1:])[FIRST] == "refuse"


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (remote(), "keep"),
        (remote(active=False), "revive"),
        (remote(url="https://old.gracechurch.org/webhooks/planning-center/abc"), "remove"),
        (remote("people.v2.events.note.created"), "remove"),
    ],
)
def test_each_one_that_is_there_is_kept_or_mended(found: Record, what: str) -> None:
    assert done([found])[f"{found['name']} 7"] == what


def test_a_wanted_rotation_waits_until_a_switched_off_one_is_revived() -> None:
    assert done([remote()], rotating=(FIRST,))[f"{FIRST} 7"] == "rotate"
    assert done([remote(active=False)], rotating=(FIRST,))[f"{FIRST} 7"] == "revive"


def test_what_others_subscribed_to_for_other_addresses_is_left_alone() -> None:
    others = remote(url="https://elsewhere.org/hooks")
    assert f"{FIRST} 7" not in done([others])


# With a practice Planning Center.


class Subscribed:
    """Grace Church's worker and its subscriptions, here and there."""

    def __init__(self, church: GraceChurch) -> None:
        self.church = church

    def client(self) -> Client:
        connection = find_connection()
        assert connection is not None
        return client_for(connection)

    def want(self) -> None:
        with church_scope(self.church.church_id), transaction():
            subscriptions.want_check()

    def check(self) -> bool:
        with church_scope(self.church.church_id):
            return subscriptions.keep_in_order(self.client())

    def there(self) -> list[Record]:
        with church_scope(self.church.church_id):
            client = self.client()
            end_reading()
            return list(client.iterate(webhooks.SUBSCRIPTION))

    def here(self, name: str = FIRST) -> WebhookSubscription:
        with church_scope(self.church.church_id):
            row = db.session.scalars(select(WebhookSubscription).where(WebhookSubscription.name == name)).one()
            row.known = (row.secret, row.previous_secret)  # type: ignore[attr-defined]
            return row

    def address(self) -> WebhookAddress:
        with church_scope(self.church.church_id):
            return db.session.scalars(select(WebhookAddress)).one()

    def change_there(self, remote_id: str, active: bool | None) -> None:
        """Planning Center switches one off, or somebody deletes it there."""
        with church_scope(self.church.church_id):
            client = self.client()
            end_reading()
            if active is None:
                client.delete(webhooks.SUBSCRIPTION, remote_id)
            else:
                client.update(webhooks.SUBSCRIPTION, remote_id, {"active": active})


@pytest.fixture
def subscribed(grace_church: GraceChurch) -> Subscribed:
    subscribed = Subscribed(grace_church)
    subscribed.want()
    return subscribed


def test_a_day_in_the_life_of_subscriptions(subscribed: Subscribed) -> None:
    assert subscribed.check() is False, "nothing can have been missed before the first subscription"
    made = subscribed.there()
    assert sorted(str(one["name"]) for one in made) == sorted(EVENTS)
    assert {one["url"] for one in made} == {f"http://127.0.0.1:5000/webhooks/planning-center/{subscribed.address().key}"}
    first = next(one for one in made if one["name"] == FIRST)
    assert subscribed.here().known[0] == first["authenticity_secret"]  # type: ignore[attr-defined]

    seen = len(subscribed.church.practice.requests_since(0))
    assert subscribed.check() is False
    assert len(subscribed.church.practice.requests_since(0)) == seen, "they are looked at once a day"

    subscribed.change_there(first.id, active=False)
    subscribed.church.move(hours=25)
    assert subscribed.check() is True, "a pull has to catch up"
    assert subscribed.here().revived_at == subscribed.church.clock()
    assert all(one["active"] for one in subscribed.there())

    subscribed.change_there(first.id, active=None)
    subscribed.church.move(hours=25)
    assert subscribed.check() is True, "one that somebody deleted is made again"
    assert len(subscribed.there()) == len(EVENTS)
    assert subscribed.here().remote_id != first.id


def test_a_rotated_secret_is_kept_beside_the_one_before_also_when_somebody_else_rotated_it(subscribed: Subscribed) -> None:
    subscribed.check()
    before = subscribed.here().secret_sealed
    old = subscribed.here().known[0]  # type: ignore[attr-defined]
    subscribed.church.move(minutes=1)
    with church_scope(subscribed.church.church_id), transaction():
        subscriptions.want_rotation(FIRST)
    subscribed.check()
    row = subscribed.here()
    assert row.known[1] == old  # type: ignore[attr-defined]
    assert (row.secret_sealed != before, row.secret_set_at, row.rotation_wanted_at) == (True, subscribed.church.clock(), None)
    assert subscribed.here(EVENTS[1]).previous_secret_sealed is None

    with church_scope(subscribed.church.church_id):
        client = subscribed.client()
        end_reading()
        client.act(webhooks.SUBSCRIPTION, str(row.remote_id), "rotate_secret")
    subscribed.want()
    subscribed.check()
    assert subscribed.here().known[1] == row.known[0]  # type: ignore[attr-defined]


def test_without_a_scope_its_events_are_refused_in_words_and_the_others_are_made(
    subscribed: Subscribed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Client.create

    def without_groups(client: Client, resource: Any, attributes: Any, **more: Any) -> Record:
        if attributes["name"].startswith("groups."):
            detail = f'Event "{attributes["name"]}" is not available for subscription within current OAuth2 scope (openid people)'
            raise FieldRefused("POST: refused", status=422, detail=detail, parameter="base")
        return made(client, resource, attributes, **more)

    monkeypatch.setattr(Client, "create", without_groups)
    subscribed.check()
    with church_scope(subscribed.church.church_id):
        rows = list(db.session.scalars(select(WebhookSubscription)))
    refused = [row for row in rows if row.state == REFUSED]
    words = "This church’s sign-in does not cover Groups. An owner can connect again and allow it."
    assert {row.problem for row in refused} == {words}
    assert (len(refused), sum(row.state == ACTIVE for row in rows)) == (6, len(EVENTS) - 6)


def test_whoever_may_not_manage_webhooks_is_told_so_and_it_is_tried_again_tomorrow(subscribed: Subscribed) -> None:
    subscribed.church.practice.fault("GET", "/webhooks/v2/webhook_subscriptions", "no_access", times=9)
    assert subscribed.check() is False
    address = subscribed.address()
    assert "may not manage webhooks" in (address.problem or "")
    assert "changes arrive with each pull" in (address.problem or "")
    assert address.check_due_at == subscribed.church.clock() + subscriptions.CHECK_EVERY


def test_a_worker_that_is_cut_off_goes_on_where_it_was(subscribed: Subscribed) -> None:
    subscribed.church.practice.fault("POST", "/webhooks/v2/webhook_subscriptions", "drop_after", after=4)
    subscribed.check()
    assert subscribed.address().problem
    subscribed.church.move(minutes=11)
    assert subscribed.check() is False
    assert subscribed.address().problem is None
    there = subscribed.there()
    assert sorted(str(one["name"]) for one in there) == sorted(EVENTS), "the one whose answer was lost was found, not made twice"
    assert subscribed.here(EVENTS[4]).state == ACTIVE


def test_on_this_machine_only_nothing_is_subscribed_to_and_the_page_can_say_why(
    subscribed: Subscribed, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = subscribed.church.app.config["CONNECTCARD"]
    real = replace(config, pco_base_url="https://api.planningcenteronline.com")
    monkeypatch.setattr(subscriptions, "_config", lambda: real)
    assert subscribed.check() is False
    assert "cannot reach it" in (subscribed.address().problem or "")
    monkeypatch.undo()
    assert subscribed.there() == []


def test_disconnecting_deletes_them_there_and_here(subscribed: Subscribed, neighbour_church: GraceChurch) -> None:
    subscribed.check()
    with church_scope(neighbour_church.church_id), transaction():
        theirs = subscriptions.want_check().key
    with church_scope(subscribed.church.church_id):
        subscriptions.end(subscribed.client())
        assert subscriptions.find_address() is None
    assert subscribed.there() == []
    with church_scope(neighbour_church.church_id):
        address = subscriptions.find_address()
        assert address is not None
        assert address.key == theirs


def test_the_worker_looks_after_them_on_its_way(subscribed: Subscribed) -> None:
    church_id = subscribed.church.church_id
    assert church_id in inbox.churches_with_due_work()
    with church_scope(church_id):
        client: Any = subscribed.client()
    inbox.work_inbox(church_id, client, Event())
    assert len(subscribed.there()) == len(EVENTS)
    assert church_id not in inbox.churches_with_due_work()
