"""A church's sign-in stays alive: renewed by one at a time, kept through every outage, given up only on a clear word."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import inspect, select, update

from connectcard import doctor
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections import operations, tokens
from connectcard.connections.incidents import INCIDENT_WORDS, WITHIN, churches_turned_away, is_incident
from connectcard.connections.models import CONNECTED, DISCONNECTED, RECONNECT, Connection
from connectcard.connections.queries import find_connection
from connectcard.connections.tokens import fresh_access_token
from connectcard.crypto import CannotOpen
from connectcard.database import db, transaction
from connectcard.planning_center.errors import ClientRefused, NotRenewed, ReconnectNeeded, Unavailable
from tests.conftest import MovedClock
from tests.connections.conftest import TokenEndpoint, all_at_once, connected, connection_of

SOON = timedelta(minutes=9)
PAST = timedelta(minutes=-1)


def test_a_token_with_time_left_is_used_without_asking(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=timedelta(minutes=11))
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-0"
    assert endpoint.refreshed == []


@pytest.mark.parametrize("elsewhere", [{"state": DISCONNECTED}, {"state": RECONNECT}])
def test_not_one_request_more_after_another_process_ended_the_sign_in(
    grace: UUID, endpoint: TokenEndpoint, elsewhere: dict[str, str]
) -> None:
    connection_id = connected(grace)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-0"
        with transaction() as session:
            session.execute(update(Connection).values(**elsewhere))
        with pytest.raises(ReconnectNeeded):
            fresh_access_token(connection_id)


def test_tokens_that_another_process_renewed_or_saw_refused_are_read_anew(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-0"
        with transaction() as session:
            row = session.scalars(select(Connection)).one()
            row.access_token, row.version = "access-of-another", row.version + 1
        assert fresh_access_token(connection_id) == "access-of-another"
        with transaction() as session:
            session.scalars(select(Connection)).one().expires_at = now()
        assert fresh_access_token(connection_id) == "access-1"


def test_a_token_that_ends_soon_is_renewed_and_both_tokens_are_kept(grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=SOON)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"
    row = connection_of(grace)
    assert (row.access_token, row.refresh_token, row.version) == ("access-1", "refresh-1", 2)
    assert row.expires_at == moved_clock.moment + timedelta(hours=2)
    assert (row.refresh_claimed_until, row.scope) == (None, "openid people")


def test_forty_workers_at_once_ask_once(any_database: str, app: Flask, grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)
    got = all_at_once(app, grace, 40, partial(fresh_access_token, connection_id))
    assert got == ["access-1"] * 40
    assert endpoint.refreshed == ["refresh-0"]


def test_forty_workers_whose_token_was_refused_ask_once(app: Flask, grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace)
    got = all_at_once(app, grace, 40, partial(fresh_access_token, connection_id, refused="access-0"))
    assert got == ["access-1"] * 40
    assert endpoint.refreshed == ["refresh-0"]


def test_a_refused_token_that_somebody_renewed_already_is_not_renewed_again(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, tokens="5")
    with church_scope(grace):
        assert fresh_access_token(connection_id, refused="access-4") == "access-5"
    assert endpoint.refreshed == []


def test_an_answer_that_got_lost_is_asked_for_once_more(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [endpoint.lost]
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"
    assert endpoint.refreshed == ["refresh-0", "refresh-0"]


# Called dead: believed the second time.


def called_dead(church_id: UUID, connection_id: UUID, times: int = 1) -> None:
    """Workers ask for the sign-in, which Planning Center has just called dead."""
    with church_scope(church_id):
        for _ in range(times):
            with pytest.raises(NotRenewed, match="try once more"):
                fresh_access_token(connection_id)


def given_up(church_id: UUID, connection_id: UUID, times: int = 1) -> None:
    with church_scope(church_id):
        for _ in range(times):
            with pytest.raises(ReconnectNeeded, match="connect again"):
                fresh_access_token(connection_id)


def test_a_lost_answer_that_spent_the_token_means_reconnect_in_the_end(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [endpoint.applied_and_lost]
    called_dead(grace, connection_id)
    moved_clock.move(minutes=15)
    given_up(grace, connection_id)


def test_a_dead_grant_is_asked_about_once_more_and_then_nobody_asks_again(
    any_database: str, app: Flask, grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    called_dead(grace, connection_id, times=3)
    row = connection_of(grace)
    assert (row.state, row.refresh_token, row.not_renewed) == (CONNECTED, "refresh-9", True)
    assert row.second_try_at == moved_clock.moment + timedelta(minutes=15)
    moved_clock.move(minutes=14, seconds=59)
    called_dead(grace, connection_id)
    assert endpoint.refreshed == ["refresh-9"], "left alone for a quarter of an hour"
    moved_clock.move(seconds=1)
    given_up(grace, connection_id, times=3)
    assert endpoint.refreshed == ["refresh-9", "refresh-9"]
    row = connection_of(grace)
    assert (row.state, row.not_renewed) == (RECONNECT, False)
    assert "An owner needs to connect again" in (row.state_reason or "")


def test_what_was_called_dead_by_mistake_is_good_again(grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [endpoint.dead_grant]
    called_dead(grace, connection_id)
    moved_clock.move(minutes=15)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"
    row = connection_of(grace)
    assert (row.state, row.state_reason, row.second_try_at) == (CONNECTED, None, None)


def test_the_old_token_is_used_while_it_lives(grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=SOON, tokens="9")
    with church_scope(grace):
        assert [fresh_access_token(connection_id) for _ in range(3)] == ["access-9"] * 3
    moved_clock.move(minutes=10)
    called_dead(grace, connection_id)
    assert endpoint.refreshed == ["refresh-9"]


def test_a_token_that_planning_center_refused_is_not_tried_again(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, tokens="9")
    with church_scope(grace), pytest.raises(NotRenewed):
        fresh_access_token(connection_id, refused="access-9")
    called_dead(grace, connection_id)


def test_an_outage_at_the_second_try_decides_nothing(grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    called_dead(grace, connection_id)
    moved_clock.move(minutes=15)
    endpoint.plays = [endpoint.blocked]
    with church_scope(grace), pytest.raises(Unavailable):
        fresh_access_token(connection_id)
    assert connection_of(grace).state == CONNECTED
    moved_clock.move(seconds=31)
    given_up(grace, connection_id)


def test_a_worker_that_dies_at_the_second_try_is_followed_by_another(grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    called_dead(grace, connection_id)
    moved_clock.move(minutes=15)
    with church_scope(grace), transaction() as session:
        session.execute(update(Connection).values(refresh_claimed_until=now() + timedelta(seconds=60), state_reason=None))
    moved_clock.move(seconds=61)
    given_up(grace, connection_id)


def test_forty_workers_at_the_second_try_ask_once(
    any_database: str, app: Flask, grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [endpoint.dead_grant]
    called_dead(grace, connection_id)
    moved_clock.move(minutes=16)
    got = all_at_once(app, grace, 40, partial(fresh_access_token, connection_id))
    assert got == ["access-1"] * 40
    assert endpoint.refreshed == ["refresh-0", "refresh-0"]


def test_a_new_consent_does_not_wait_for_the_second_try(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    called_dead(grace, connection_id)
    with church_scope(grace), transaction() as session:
        answer = {"access_token": "access-0", "refresh_token": "refresh-0", "expires_in": 7200, "token_type": "Bearer"}
        operations.connect(session.get_one(Church, grace), answer, organization_id="1001", authorised_by="Sam Hill")
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-0"
    assert connection_of(grace).not_renewed is False


def test_a_sign_in_without_a_refresh_token_is_given_up_at_once(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)
    with church_scope(grace), transaction() as session:
        session.scalars(select(Connection)).one().refresh_token = None
    given_up(grace, connection_id)


def test_the_neighbours_sign_in_is_not_touched(grace: UUID, neighbour: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    connected(neighbour, tokens="50")
    called_dead(grace, connection_id)
    assert "did not renew that of one church; it is tried once more" in doctor._sign_ins().words
    moved_clock.move(minutes=15)
    given_up(grace, connection_id)
    assert (connection_of(neighbour).state, connection_of(neighbour).not_renewed) == (CONNECTED, False)


def five_others_are_turned_away() -> None:
    for _ in range(5):
        assert not is_incident(uuid4())


def test_when_many_churches_are_turned_away_at_once_the_sixth_keeps_its_sign_in(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST)
    five_others_are_turned_away()
    endpoint.plays = [endpoint.dead_grant]
    with church_scope(grace), pytest.raises(Unavailable):
        fresh_access_token(connection_id)
    row = connection_of(grace)
    assert (row.state, row.state_reason, row.refresh_token) == (CONNECTED, INCIDENT_WORDS, "refresh-0")
    assert row.not_renewed, "staff are told"
    moved_clock.move(minutes=11)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"
    assert not connection_of(grace).not_renewed


def test_a_sign_in_that_is_dead_is_given_up_a_quarter_of_an_hour_after_the_incident(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    five_others_are_turned_away()
    with church_scope(grace), pytest.raises(Unavailable):
        fresh_access_token(connection_id)
    moved_clock.move(minutes=11)
    called_dead(grace, connection_id)
    moved_clock.move(minutes=4)
    given_up(grace, connection_id)
    assert endpoint.refreshed == ["refresh-9"] * 3


def test_in_an_incident_cards_wait_as_long_as_the_sign_in_rests_and_staff_read_the_same_moment(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=PAST)
    five_others_are_turned_away()
    endpoint.plays = [endpoint.dead_grant]
    for asked in range(2):
        with church_scope(grace), pytest.raises(NotRenewed) as waits:
            fresh_access_token(connection_id)
        assert waits.value.retry_after == pytest.approx((WITHIN - timedelta(seconds=asked)).total_seconds())
        moved_clock.move(seconds=1)
    again_at = connection_of(grace).tried_again_at
    assert again_at == moved_clock() + timedelta(seconds=(waits.value.retry_after or 0) - 1)
    moved_clock.move(seconds=waits.value.retry_after or 0)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1", "free as soon as the cards are due"


def test_one_church_that_is_turned_away_again_and_again_is_no_incident(app: Flask) -> None:
    one = uuid4()
    assert not any(is_incident(one) for _ in range(9))
    assert churches_turned_away() == 1


def test_a_dead_grant_is_not_believed_when_somebody_else_won_meanwhile(app: Flask, grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")

    def another_wins() -> None:
        with app.app_context(), church_scope(grace), transaction() as session:
            row = session.scalars(select(Connection)).one()
            row.access_token, row.version, row.expires_at = "access-of-another", row.version + 1, now() + timedelta(hours=2)

    endpoint.before_answering = another_wins
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-of-another"
    assert connection_of(grace).state == CONNECTED


@pytest.mark.parametrize("trouble", ["lost", "blocked"])
def test_an_outage_leaves_a_living_token_in_use_and_rests(
    grace: UUID, endpoint: TokenEndpoint, trouble: str, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=SOON)
    endpoint.plays = [getattr(endpoint, trouble)] * 4
    with church_scope(grace):
        assert [fresh_access_token(connection_id) for _ in range(5)] == ["access-0"] * 5
        asked = len(endpoint.refreshed)
        assert asked <= 2
        moved_clock.move(seconds=31)
        endpoint.plays = []
        assert fresh_access_token(connection_id) == "access-1"
    assert connection_of(grace).state_reason is None


@pytest.mark.parametrize("trouble", ["lost", "blocked"])
def test_an_outage_with_a_dead_access_token_waits_and_keeps_everything(grace: UUID, endpoint: TokenEndpoint, trouble: str) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [getattr(endpoint, trouble)] * 2
    with church_scope(grace):
        for _ in range(3):
            with pytest.raises(Unavailable):
                fresh_access_token(connection_id)
    row = connection_of(grace)
    assert (row.state, row.refresh_token) == (CONNECTED, "refresh-0")
    assert len(endpoint.refreshed) <= 2


def test_an_unreachable_planning_center_keeps_everything(
    app: Flask, grace: UUID, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = connected(grace, left=PAST)
    monkeypatch.setattr(tokens, "oauth_client", lambda: tokens.OAuthClient("http://127.0.0.1:1", "id", "secret", "connectcard"))
    for _ in range(2):
        with church_scope(grace), pytest.raises(Unavailable, match="could not be reached"):
            fresh_access_token(connection_id)
    assert connection_of(grace).refresh_token == "refresh-0"


def test_a_wrong_client_secret_is_the_hosts_matter_and_keeps_everything(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)
    endpoint.plays = [endpoint.unknown_client]
    with church_scope(grace), pytest.raises(ClientRefused):
        fresh_access_token(connection_id)
    row = connection_of(grace)
    assert (row.state, row.refresh_token) == (CONNECTED, "refresh-0")


def test_a_worker_that_died_while_renewing_is_followed_after_its_claim(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock
) -> None:
    connection_id = connected(grace, left=SOON, refresh_claimed_until=moved_clock.moment + timedelta(seconds=60))
    moved_clock.move(seconds=61)
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"


def test_whoever_waits_in_vain_never_asks_on_its_own(
    grace: UUID, endpoint: TokenEndpoint, moved_clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE_SECONDS", 0.3)
    claimed = moved_clock.moment + timedelta(seconds=60)
    connection_id = connected(grace, left=PAST, refresh_claimed_until=claimed)
    with church_scope(grace), pytest.raises(Unavailable):
        fresh_access_token(connection_id)
    assert endpoint.refreshed == []


def test_tokens_that_arrive_after_a_disconnect_are_given_back_and_not_kept(app: Flask, grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)

    def disconnect() -> None:
        with app.app_context(), church_scope(grace), transaction() as session:
            row = session.scalars(select(Connection)).one()
            row.access_token = row.refresh_token = None
            row.state, row.version = DISCONNECTED, row.version + 1

    endpoint.before_answering = disconnect
    with church_scope(grace), pytest.raises(ReconnectNeeded, match="not connected"):
        fresh_access_token(connection_id)
    row = connection_of(grace)
    assert (row.state, row.access_token, row.refresh_token) == (DISCONNECTED, None, None)
    assert sorted(endpoint.revoked) == ["access-1", "refresh-1"]


def test_new_tokens_revive_a_row_that_a_second_worker_took_for_dead(app: Flask, grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)

    def mark_dead() -> None:
        with app.app_context(), church_scope(grace), transaction() as session:
            session.execute(update(Connection).values(state=RECONNECT, state_reason="spent"))

    endpoint.before_answering = mark_dead
    with church_scope(grace):
        assert fresh_access_token(connection_id) == "access-1"
    row = connection_of(grace)
    assert (row.state, row.state_reason, row.refresh_token) == (CONNECTED, None, "refresh-1")


def test_a_church_that_syncs_rarely_is_kept_alive(grace: UUID, endpoint: TokenEndpoint) -> None:
    connected(grace)
    with church_scope(grace):
        row = find_connection()
        assert row is not None
        tokens.keep_alive(row)
    assert connection_of(grace).refresh_token == "refresh-1"


def test_nothing_is_asked_while_a_transaction_is_open(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=PAST)
    with church_scope(grace), pytest.raises(RuntimeError, match="nest"), transaction():
        fresh_access_token(connection_id)
    assert endpoint.refreshed == []


def test_the_callers_rows_stay_as_they_are(grace: UUID, endpoint: TokenEndpoint) -> None:
    connection_id = connected(grace, left=timedelta(minutes=11))
    with church_scope(grace):
        row = find_connection()
        assert row is not None
        fresh_access_token(connection_id)
        assert row in db.session
        assert inspect(row).expired_attributes == set()


# The neighbour.


def test_a_churchs_tokens_are_never_used_for_the_neighbour(grace: UUID, neighbour: UUID, endpoint: TokenEndpoint) -> None:
    graces = connected(grace, left=PAST)
    connected(neighbour, tokens="50")
    endpoint.live.add("refresh-50")
    with church_scope(neighbour), pytest.raises(ReconnectNeeded, match="not connected"):
        fresh_access_token(graces)
    assert endpoint.refreshed == []
    with church_scope(grace):
        fresh_access_token(graces)
    assert connection_of(neighbour).access_token == "access-50"
    assert connection_of(neighbour).version == 1


def test_a_sealed_token_opens_in_no_other_church(app: Flask, grace: UUID, neighbour: UUID, endpoint: TokenEndpoint) -> None:
    connected(grace)
    connected(neighbour, tokens="50")
    stolen = connection_of(grace).access_token_sealed
    with church_scope(neighbour), transaction() as session:
        session.execute(update(Connection).values(access_token_sealed=stolen))
    with church_scope(neighbour):
        row = find_connection()
        assert row is not None
        with pytest.raises(CannotOpen):
            _ = row.access_token


def test_no_token_stands_in_the_database_file(grace: UUID, endpoint: TokenEndpoint, tmp_path: Path) -> None:
    connection_id = connected(grace, left=PAST)
    with church_scope(grace):
        fresh_access_token(connection_id)
    db.session.remove()
    written = b"".join(path.read_bytes() for path in tmp_path.glob("connectcard.sqlite*"))
    assert b"1001" in written
    assert not any(secret in written for secret in (b"access-0", b"refresh-0", b"access-1", b"refresh-1", b"client-secret"))


def test_tokens_and_reasons_show_nothing(grace: UUID, endpoint: TokenEndpoint, capfd: pytest.CaptureFixture[str]) -> None:
    connection_id = connected(grace, left=PAST, tokens="9")
    with church_scope(grace), pytest.raises(NotRenewed) as error:
        fresh_access_token(connection_id)
    shown = f"{error.value}{connection_of(grace).state_reason}" + "".join(capfd.readouterr())
    assert "refresh-9" not in shown
    assert "access-9" not in shown


def test_disconnecting_gives_the_tokens_back(grace: UUID, endpoint: TokenEndpoint) -> None:
    connected(grace)
    with church_scope(grace):
        row = find_connection()
        assert row is not None
        assert operations.disconnect(row) is True
    assert sorted(endpoint.revoked) == ["access-0", "refresh-0"]
