"""The door for Planning Center's deliveries: what is taken, what is turned away, and what is kept of either."""

import json
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from connectcard.churches.tenancy import church_scope
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.planning_center.webhooks import signature
from connectcard.sync import inbox
from connectcard.sync.webhook_models import WAITING, WebhookDelivery, WebhookSubscription
from tests.conftest import MovedClock
from tests.deliveries import PERSON_UPDATED, Told, told_of_everything
from tests.making import a_run
from tests.staff import StaffBrowser

SignIn = Callable[..., StaffBrowser]


@pytest.fixture
def told(any_database: str, moved_clock: MovedClock, app: Flask, grace: UUID) -> Told:
    return told_of_everything(app, grace, "1001")


@pytest.fixture
def hope(app: Flask, neighbour: UUID) -> Told:
    return told_of_everything(app, neighbour, "1002")


def test_a_genuine_delivery_is_kept_for_a_worker_without_anything_personal(told: Told) -> None:
    record = {"type": "Email", "id": "7", "attributes": {"address": "ana.lopez@gmail.com", "created_at": "2026-11-22T15:00:00Z"}}
    record |= {"relationships": {"person": {"data": {"type": "Person", "id": "12"}}}}
    assert told.deliver("people.v2.events.email.created", record=record).status_code == 200
    (kept,) = told.kept()
    assert (kept.name, kept.subject, kept.state) == ("people.v2.events.email.created", "person 12", WAITING)
    with church_scope(told.church_id):
        row = db.session.scalars(select(WebhookDelivery)).one()
        assert json.loads(row.payload or "")["attributes"] == {"address": "hidden", "created_at": "2026-11-22T15:00:00Z"}
        assert b"2026-11-22" not in (row.payload_sealed or b"")


def test_a_forged_delivery_is_turned_away_and_counted_and_its_body_is_not_kept(told: Told) -> None:
    body = told.body(PERSON_UPDATED)
    genuine = signature(body, told.secrets[PERSON_UPDATED])
    forgeries = {
        "another secret": (body, signature(body, "guessed")),
        "another body": (body.replace(b'"12', b'"13'), genuine),
        "no signature": (body, None),
        "an empty signature": (body, ""),
        "upper case": (body, genuine.upper()),
        "a part of it": (body, genuine[:-1]),
    }
    for forgery, (sent, signed) in forgeries.items():
        assert told.post(sent, signed).status_code == 401, forgery
    assert told.kept() == []
    assert told.address().refused == len(forgeries)
    assert len(told.address().refusals) == len(forgeries)
    assert "Ana" not in json.dumps(told.address().refusals)


def test_the_secret_of_one_event_signs_no_other(told: Told) -> None:
    body = told.body("people.v2.events.person.destroyed")
    assert told.post(body, signature(body, told.secrets[PERSON_UPDATED])).status_code == 403
    assert told.kept() == []


def test_what_speaks_of_another_organization_is_not_kept(told: Told, hope: Told) -> None:
    assert told.deliver(organization_id="1002").status_code == 403
    assert told.kept() == hope.kept() == []
    assert "another organization" in told.address().refusals[0]["words"]
    assert hope.address().refused == 0


def test_the_neighbours_genuine_delivery_at_our_address_is_a_forgery(told: Told, hope: Told) -> None:
    body = hope.body(PERSON_UPDATED)
    signed = signature(body, hope.secrets[PERSON_UPDATED])
    assert told.post(body, signed).status_code == 401
    assert told.post(body, signed, path=hope.path).status_code == 200
    assert told.kept() == []
    assert len(hope.kept()) == 1


def test_one_event_delivered_a_thousand_times_is_one_row(told: Told) -> None:
    event_id = str(uuid4())
    body = told.body(PERSON_UPDATED, event_id=event_id)
    signed = signature(body, told.secrets[PERSON_UPDATED])
    answers = {told.post(body, signed, name=PERSON_UPDATED).status_code for _ in range(50)}
    with church_scope(told.church_id), transaction():
        deliveries = inbox.opened(body, signed)
        assert sum(inbox.keep(deliveries) for _ in range(950)) == 0
    assert answers == {200}
    assert [row.event_id for row in told.kept()] == [event_id]


def test_a_replayed_delivery_that_was_worked_stays_worked(told: Told) -> None:
    body = told.body(PERSON_UPDATED)
    signed = signature(body, told.secrets[PERSON_UPDATED])
    told.post(body, signed)
    with church_scope(told.church_id), transaction() as session:
        session.scalars(select(WebhookDelivery)).one().state = "done"
    assert told.post(body, signed).status_code == 200
    assert [row.state for row in told.kept()] == ["done"]


def test_a_body_over_a_mebibyte_is_not_read(told: Told) -> None:
    body = b"x" * (1024 * 1024 + 1)
    assert told.post(body, "0" * 64).status_code == 413
    assert told.address().refused == 0


def test_a_body_of_nearly_a_mebibyte_is_taken(told: Told) -> None:
    record = {"type": "Person", "id": "12", "attributes": {"first_name": "A" * 900_000}}
    assert told.deliver(record=record).status_code == 200
    assert len(told.kept()) == 1


def test_an_address_that_is_nobodys_gives_nothing_away(told: Told) -> None:
    nobody = told.post(b"{}", "0" * 64, path=f"/webhooks/planning-center/{uuid4().hex}")
    assert nobody.status_code == 404
    assert told.app.test_client().get(told.path).status_code == 405


def test_what_is_signed_but_cannot_be_read_is_turned_away_with_a_reason(told: Told) -> None:
    for body in (b"not json", b'{"data": [{"id": "1", "type": "EventDelivery", "attributes": {}}]}', b'{"data": 7}'):
        assert told.post(body, signature(body, told.secrets[PERSON_UPDATED])).status_code == 403
    assert {refusal["words"] for refusal in told.address().refusals} == {"Signed by Planning Center, but it could not be read."}


def test_after_a_rotation_the_secret_before_is_still_good_and_the_one_before_that_is_not(told: Told) -> None:
    first = told.secrets[PERSON_UPDATED]

    def rotate(secret: str) -> None:
        with church_scope(told.church_id), transaction() as session:
            row = session.scalars(select(WebhookSubscription).where(WebhookSubscription.name == PERSON_UPDATED)).one()
            row.previous_secret, row.secret = row.secret, secret

    rotate("the second")
    assert told.deliver(secret="the second").status_code == 200
    assert told.deliver(secret=first).status_code == 200
    rotate("the third")
    assert told.deliver(secret=first).status_code == 401
    assert len(told.kept()) == 2


def test_no_session_no_cookie_and_no_form_token_is_asked_for(told: Told) -> None:
    answer = told.deliver()
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)


def test_more_than_we_keep_waiting_is_not_kept_but_everything_will_be_pulled(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_WAITING", 5)
    assert {told.deliver().status_code for _ in range(9)} == {200}
    assert len(told.kept()) == 5
    assert told.address().catch_up_since is not None


def test_a_storm_of_forgeries_leaves_twenty_lines(told: Told) -> None:
    with church_scope(told.church_id):
        for _ in range(60):
            with transaction():
                inbox.note_refusal(inbox.NotGenuine("It is not signed."))
        assert db.session.scalar(select(func.count()).select_from(WebhookDelivery)) == 0
    assert (told.address().refused, len(told.address().refusals)) == (60, 20)


# The page.


def connect(told: Told) -> None:
    with church_scope(told.church_id), transaction() as session:
        session.add(Connection(origin="http://127.0.0.1:7777", organization_id=told.organization_id))


def page_of(member: StaffBrowser) -> str:
    return " ".join(member.get("/webhooks").text.split())


def test_the_page_shows_each_event_the_last_deliveries_and_nothing_personal(told: Told, sign_in: SignIn) -> None:
    connect(told)
    record = {"type": "Person", "id": "12", "attributes": {"first_name": "Xiomara", "created_at": "2026-11-22T15:00:00Z"}}
    told.deliver(record=record)
    told.post(told.body(PERSON_UPDATED), "0" * 64)
    page = page_of(sign_in(told.church_id))
    assert f"http://127.0.0.1:5000{told.path}" in page
    assert "this very machine" in page
    assert "Person changed" in page
    assert "Signature good." in page
    assert "Signature bad. The signature is not Planning Center’s." in page
    assert "1 turned away so far" in page
    assert "2026-11-22T15:00:00Z" in page
    assert "Xiomara" not in page
    assert all(secret not in page for secret in told.secrets.values())


def test_what_is_not_subscribed_to_stands_there_with_its_reason_once(told: Told, sign_in: SignIn) -> None:
    connect(told)
    with church_scope(told.church_id), transaction() as session:
        for row in session.scalars(select(WebhookSubscription).where(WebhookSubscription.name.startswith("groups."))):
            row.state, row.problem = "refused", "This church’s sign-in does not cover Groups."
    page = page_of(sign_in(told.church_id))
    assert "Told of 19 of 25 events" in page
    assert page.count("does not cover Groups") == 1
    assert page.count("not told") == 6


def test_a_church_that_is_not_connected_is_told_what_it_would_gain(grace: UUID, sign_in: SignIn) -> None:
    page = page_of(sign_in(grace))
    assert "Not connected" in page
    assert "changes arrive with each pull" in page


def test_staff_process_a_failed_delivery_again_and_an_owner_rotates_the_secrets(told: Told, sign_in: SignIn) -> None:
    connect(told)
    told.deliver()
    (row,) = told.kept()
    with church_scope(told.church_id), transaction() as session:
        session.scalars(select(WebhookDelivery)).one().state = "failed"
    again = f"/webhooks/deliveries/{row.id}/again"
    assert sign_in(told.church_id, "viewer", "Vera").post(again).status_code == 403
    assert sign_in(told.church_id, "staff", "Eddie").post(again).status_code == 303
    assert [kept.state for kept in told.kept()] == [WAITING]
    assert sign_in(told.church_id, "staff", "Edda").post("/webhooks/rotate").status_code == 403
    sam = sign_in(told.church_id)
    assert sam.post("/webhooks/rotate").status_code == 303
    assert "New secrets are being made" in page_of(sam)


def test_silence_for_two_days_while_people_changed_is_said(told: Told, sign_in: SignIn, moved_clock: MovedClock) -> None:
    connect(told)
    told.deliver()
    moved_clock.move(hours=49)
    sam = sign_in(told.church_id)
    assert "told us nothing since" not in page_of(sam), "nothing changed, so there was nothing to tell"
    a_run(told.church_id, "finished", kind="pull_people", updated=3)
    assert "told us nothing since" in page_of(sam)
    told.deliver()
    assert "told us nothing since" not in page_of(sam)


def test_the_neighbour_sees_and_repeats_nothing_of_ours(told: Told, hope: Told, sign_in: SignIn) -> None:
    connect(told)
    told.deliver()
    (row,) = told.kept()
    hugh = sign_in(hope.church_id, name="Hugh")
    page = page_of(hugh)
    assert told.key not in page
    assert "Nothing yet" in page
    assert hugh.post(f"/webhooks/deliveries/{row.id}/again").status_code == 404
