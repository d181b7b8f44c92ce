"""How long somebody stays signed in, and what of it is kept where."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from connectcard.churches.models import StaffSession
from connectcard.database import db, transaction
from connectcard.web.access import poll, staff_page
from connectcard.web.sessions import forget_old_sessions
from tests.conftest import MovedClock
from tests.making import a_card
from tests.staff import StaffBrowser

SignIn = Callable[..., StaffBrowser]


@pytest.fixture(autouse=True)
def polled(app: Flask, moved_clock: MovedClock) -> None:
    """A page that asks for a fragment by itself."""

    def fragment() -> str:
        return "still running"

    app.add_url_rule("/fragment", view_func=staff_page()(poll(fragment)))


def rows() -> list[StaffSession]:
    db.session.rollback()
    return list(db.session.scalars(select(StaffSession)))


@pytest.mark.usefixtures("any_database")
def test_half_an_hour_without_a_page_ends_the_session(grace: UUID, sign_in: SignIn, moved_clock: MovedClock) -> None:
    sam = sign_in(grace)
    moved_clock.move(minutes=29)
    assert sam.get("/connection").status_code == 200
    moved_clock.move(minutes=29)
    assert sam.get("/connection").status_code == 200
    moved_clock.move(minutes=30)
    assert sam.get("/connection").status_code == 302


def test_a_page_that_polls_by_itself_does_not_keep_an_unattended_session(grace: UUID, sign_in: SignIn, moved_clock: MovedClock) -> None:
    sam = sign_in(grace)
    for _ in range(29):
        moved_clock.move(minutes=1)
        assert sam.get("/fragment").text == "still running"
    moved_clock.move(minutes=1)
    assert sam.get("/fragment", headers={"HX-Request": "true"}).status_code == 401


def test_twelve_hours_are_the_end_however_busy_somebody_is(grace: UUID, sign_in: SignIn, moved_clock: MovedClock) -> None:
    sam = sign_in(grace)
    for _ in range(12 * 3 - 1):
        moved_clock.move(minutes=20)
        assert sam.get("/connection").status_code == 200
    moved_clock.move(minutes=20)
    assert sam.get("/connection").status_code == 302


def test_the_last_visit_is_written_at_most_once_a_minute(grace: UUID, sign_in: SignIn, moved_clock: MovedClock) -> None:
    sam = sign_in(grace)
    began = moved_clock.moment
    for _ in range(5):
        moved_clock.move(seconds=10)
        sam.get("/connection")
    assert rows()[0].last_seen_at == began
    moved_clock.move(seconds=10)
    sam.get("/connection")
    assert rows()[0].last_seen_at == moved_clock.moment


def test_only_a_hash_of_the_key_is_kept(app: Flask) -> None:
    browser = app.test_client()
    browser.get("/sign-in/start")
    cookie = browser.get_cookie("connectcard", domain="127.0.0.1")
    assert cookie is not None
    assert len(cookie.value) >= 43
    assert [row.key_hash for row in rows()] == [hashlib.sha256(cookie.value.encode()).hexdigest()]


def test_public_pages_neither_read_nor_make_a_session(app: Flask, grace: UUID, sign_in: SignIn) -> None:
    sam = sign_in(grace)
    with counted_queries() as queries:
        for path in ("/c/grace/welcome", "/c/grace/nothing", "/static/tokens.css", "/nothing"):
            answer = sam.get(path, buffered=True)
            assert "Set-Cookie" not in answer.headers or "connectcard" not in answer.headers["Set-Cookie"]
        app.test_client().get("/c/grace/welcome")
    assert [query for query in queries if "staff_session" in query] == []
    assert len(rows()) == 1


def test_looking_at_the_sign_in_makes_no_session_but_setting_out_does(app: Flask) -> None:
    browser = app.test_client()
    browser.get("/sign-in")
    assert rows() == []
    browser.get("/sign-in/start")
    assert len(rows()) == 1


@pytest.mark.usefixtures("any_database")
def test_signing_out_everywhere_ends_this_members_sessions_and_nobody_elses(
    app: Flask, grace: UUID, neighbour: UUID, sign_in: SignIn
) -> None:
    sam, ada, kim = sign_in(grace), sign_in(grace, name="Ada Moss"), sign_in(neighbour)
    with transaction() as database:
        database.add(StaffSession(key_hash=hashlib.sha256(b"tablet").hexdigest(), church_id=grace, member_id=sam.member_id, contents={}))
    assert sam.post("/sign-out/everywhere").status_code == 302
    assert sorted(str(row.member_id) for row in rows()) == sorted(str(browser.member_id) for browser in (ada, kim))
    assert ada.get("/").status_code == 200
    assert kim.get("/").status_code == 200


def test_a_cookie_made_up_by_somebody_is_no_session_and_becomes_none(app: Flask) -> None:
    browser = app.test_client()
    browser.set_cookie("connectcard", "made-up-key", domain="127.0.0.1")
    assert browser.get("/connection").status_code == 302
    browser.get("/sign-in/start")
    cookie = browser.get_cookie("connectcard", domain="127.0.0.1")
    assert cookie is not None
    assert cookie.value != "made-up-key"


def test_rows_that_no_cookie_opens_any_more_are_removed(grace: UUID, sign_in: SignIn, moved_clock: MovedClock) -> None:
    sign_in(grace)
    moved_clock.move(minutes=31)
    sign_in(grace, name="Ada Moss")
    with transaction():
        forget_old_sessions()
    assert len(rows()) == 1


def test_whoever_presses_a_button_after_the_session_ended_is_not_led_to_a_part_of_a_page(
    grace: UUID, sign_in: SignIn, moved_clock: MovedClock
) -> None:
    sam, card = sign_in(grace), a_card(grace)
    moved_clock.move(minutes=31)
    assert sam.post(f"/cards/{card}/correct").headers["Location"] == f"/sign-in?next=/cards/{card}/correct"
    assert sam.post(f"/cards/{card}/preview").headers["Location"] == "/sign-in"


def test_a_page_of_one_church_shows_no_part_of_another_that_signed_in_beside_it(
    app: Flask, grace: UUID, neighbour: UUID, sign_in: SignIn
) -> None:
    sam, kim = sign_in(grace), sign_in(neighbour)
    page = sam.get("/").text
    assert f'<meta name="church" content="{grace}">' in page
    beside = {"HX-Request": "true", "X-Church": str(grace)}
    assert sam.get("/fragment", headers=beside).text == "still running"
    answer = kim.get("/fragment", headers=beside)
    assert (answer.status_code, answer.text, answer.headers.get("HX-Refresh")) == (204, "", "true")
    answer = kim.post("/sign-out", headers=beside)
    assert answer.headers.get("HX-Refresh") == "true"
    assert kim.get("/").status_code == 200, "nothing was done"


def test_the_neighbours_session_opens_the_neighbours_church_only(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    sam, kim = sign_in(grace), sign_in(neighbour)
    for _ in range(2):
        assert "Grace Church" in sam.get("/").text
        page = kim.get("/").text
        assert "Hope Church" in page
        assert "Grace Church" not in page


class counted_queries:
    """The statements that reach the database meanwhile."""

    def __enter__(self) -> list[str]:
        from sqlalchemy import event

        self.seen: list[str] = []
        event.listen(db.engine, "before_cursor_execute", self._count)
        return self.seen

    def __exit__(self, *_: object) -> None:
        from sqlalchemy import event

        event.remove(db.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.seen.append(statement)
