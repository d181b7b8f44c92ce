"""A visitor opens a church's card, sends it and is thanked; whatever arrives, no card that was thanked for is lost."""

import re
from html import unescape
from io import BytesIO
from typing import Any
from unittest import mock
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from connectcard.cards.models import QUARANTINED, RECEIVED, Card, Submission
from connectcard.cards.operations import SENT_AGAIN, ensure_default_card
from connectcard.cards.suspicion import HIDDEN_BOX, TOO_MANY, Crowd
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.web import capture, open_cards
from tests.conftest import MovedClock

CARD = "/c/grace/welcome"
ANA = {"first_name": "Ana", "last_name": "Lopez", "email": "ana@gmail.com", "phone": "(512) 555-0177", "visit": "first_time"}


@pytest.fixture(autouse=True)
def _cards(grace: UUID, neighbour: UUID) -> None:
    for church_id in (grace, neighbour):
        make_card(church_id)


def make_card(church_id: UUID, **questions: bool) -> None:
    with church_scope(church_id), transaction():
        card = ensure_default_card(get_church())
        card.questions = card.questions | questions


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def stored(church_id: UUID) -> list[Submission]:
    with church_scope(church_id):
        return list(db.session.scalars(select(Submission).order_by(Submission.received_at)))


def hidden(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found
    return found[1]


def problems(page: TestResponse) -> list[str]:
    """The lines of the summary."""
    summary = page.text.split('id="problems"')[1].split("</ul>")[0]
    return [unescape(line) for line in re.findall(r"<li>(?:<a [^>]*>)?([^<]+)", summary)]


# The way of a card


def test_a_visitor_fills_in_the_card_and_is_thanked_by_name(visitor: FlaskClient, grace: UUID) -> None:
    page = visitor.get(CARD)
    sent = visitor.post(CARD, data={**ANA, "submission_key": hidden(page, "submission_key"), "form_token": hidden(page, "form_token")})
    assert (sent.status_code, sent.location) == (303, f"{CARD}/thanks")
    assert "Thank you, Ana" in visitor.get(sent.location).text
    [card] = stored(grace)
    assert (card.state, card.answers, card.came_from, card.language) == (RECEIVED, ANA, "phone", "en")


def test_the_name_is_shown_once_and_stands_in_no_address(visitor: FlaskClient) -> None:
    sent = visitor.post(CARD, data=ANA)
    assert "Ana" not in sent.location
    assert "Thank you, Ana" in visitor.get(sent.location).text
    again = visitor.get(sent.location)
    assert "Thank you" in again.text
    assert "Ana" not in again.text


@pytest.mark.parametrize("note", ["", "Ana", "WyJBbmEiLCJ4Il0.forged.signature", "\xff" * 50])
def test_a_forged_or_missing_note_thanks_without_a_name(visitor: FlaskClient, note: str) -> None:
    visitor.set_cookie(capture.THANKS_COOKIE, note, domain="127.0.0.1")
    page = visitor.get(f"{CARD}/thanks")
    assert (page.status_code, "Ana" in page.text) == (200, False)


def test_the_note_with_the_name_is_short_lived_and_not_for_scripts(visitor: FlaskClient) -> None:
    cookie = visitor.post(CARD, data=ANA).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/c/grace/welcome", "Max-Age=120"} <= set(cookie.split("; "))
    assert cookie != visitor.post(CARD, data=ANA).headers["Set-Cookie"]


def test_no_page_of_the_card_may_be_kept_by_a_browser(visitor: FlaskClient) -> None:
    for page in (visitor.get(CARD), visitor.post(CARD, data=ANA), visitor.post(CARD, data={}), visitor.get(f"{CARD}/thanks")):
        assert page.headers["Cache-Control"] == "no-store"
        assert "script-src 'self'; style-src 'self'" in page.headers["Content-Security-Policy"]


def test_a_double_tap_is_one_card_and_the_same_thanks(visitor: FlaskClient, grace: UUID) -> None:
    form = {**ANA, "submission_key": str(uuid4())}
    first, second = visitor.post(CARD, data=form), visitor.post(CARD, data=form)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(stored(grace)) == 1


def test_other_answers_under_the_same_key_are_thanked_for_and_wait_for_staff(visitor: FlaskClient, grace: UUID) -> None:
    key = str(uuid4())
    visitor.post(CARD, data={**ANA, "submission_key": key})
    sent = visitor.post(CARD, data={**ANA, "submission_key": key, "email": "ana@outlook.com"})
    assert "Thank you, Ana" in visitor.get(sent.location).text
    assert sorted((card.state, card.state_reason) for card in stored(grace)) == [(QUARANTINED, SENT_AGAIN), (RECEIVED, None)]


def test_the_neighbour_sees_and_gets_nothing(visitor: FlaskClient, grace: UUID, neighbour: UUID) -> None:
    visitor.post(CARD, data=ANA)
    visitor.post("/c/hope/welcome", data={**ANA, "first_name": "Ben"})
    assert [[card.first_name for card in stored(church_id)] for church_id in (grace, neighbour)] == [["Ana"], ["Ben"]]
    assert "Hope Church" not in visitor.get(CARD).text


@pytest.mark.parametrize(
    "path", ["/c/nobody/welcome", "/c/grace/none", "/c/GRACE/welcome", "/c/%00/welcome", "/c/grace/%F0%9F%98%80", "/c/a/" + "b" * 300]
)
def test_an_unknown_card_has_a_friendly_page(visitor: FlaskClient, path: str) -> None:
    for page in (visitor.get(path), visitor.post(path, data=ANA)):
        assert page.status_code == 404
        assert "There is no card here" in page.text


# Mending answers


def test_what_needs_mending_is_said_and_what_was_typed_is_kept(visitor: FlaskClient, grace: UUID) -> None:
    typed = {
        "last_name": "Lopez <b>",
        "interests": ["kids"],
        "visit": "home",
        "child_1_age": "6",
        "phone": "555",
        "submission_key": str(uuid4()),
    }
    page = visitor.post(CARD, data=typed)
    assert page.status_code == 422
    assert problems(page) == [
        "Enter your first name",
        "Enter a mobile number with its area code",
        "Enter the child’s first name, or remove the child",
    ]
    assert "<title>Error: Welcome · Grace Church</title>" in page.text
    assert 'href="#child_1_first_name"' in page.text
    assert 'value="Lopez &lt;b&gt;"' in page.text
    assert re.search(r'value="kids"[^>]* checked', page.text)
    assert re.search(r'value="home"[^>]* checked', page.text)
    assert hidden(page, "submission_key") == typed["submission_key"]
    assert stored(grace) == []


def test_each_problem_stands_beside_its_input(visitor: FlaskClient) -> None:
    page = visitor.post(CARD, data={"first_name": "Ana", "email": "ana@"}).text
    assert (
        '<p class="problem" id="email-problem"><span class="unseen">Error:</span> <span data-words>Enter an email address in the correct'
        in page
    )
    assert 'aria-describedby="email-hint email-problem" aria-invalid="true"' in page
    assert '<p class="problem" id="first_name-problem" hidden>' in page


def test_a_mistyped_domain_is_taken_and_only_asked_about_when_the_card_comes_back(visitor: FlaskClient, grace: UUID) -> None:
    assert "Did you mean ana@gmail.com?" in visitor.post(CARD, data={"email": "ana@gmial.com"}).text
    assert visitor.post(CARD, data={**ANA, "email": "ana@gmial.com"}).status_code == 303
    assert stored(grace)[0].email == "ana@gmial.com"


def test_without_the_database_nobody_is_thanked_and_the_answers_stay(visitor: FlaskClient, grace: UUID) -> None:
    away = OperationalError("insert", {}, Exception("database is locked"))
    visitor.get(CARD)
    key = str(uuid4())
    with mock.patch.object(capture.operations, "submit_card", side_effect=away):
        page = visitor.post(CARD, data={**ANA, "submission_key": key})
    assert page.status_code == 503
    assert problems(page) == ["We could not keep your card just now. Wait a moment, then send it again."]
    assert 'value="ana@gmail.com"' in page.text
    assert hidden(page, "submission_key") == key


def test_a_database_that_goes_away_for_long_takes_no_answer_from_the_page(
    visitor: FlaskClient, grace: UUID, moved_clock: MovedClock
) -> None:
    make_card(grace, group=True)
    away = OperationalError("select", {}, Exception("could not connect"))

    def waited_in_vain(*_: object, **__: object) -> None:
        moved_clock.move(seconds=open_cards.KEPT_FOR.total_seconds() + 1)
        raise away

    visitor.get(CARD)
    with (
        mock.patch.object(capture.operations, "submit_card", side_effect=waited_in_vain),
        mock.patch.object(open_cards, "public_church", side_effect=away),
    ):
        page = visitor.post(CARD, data=ANA)
    assert (page.status_code, 'value="ana@gmail.com"' in page.text) == (503, True)


# Languages, questions, places


@pytest.mark.parametrize(
    ("query", "browser", "language"),
    [
        ("", "", "en"),
        ("?lang=es", "en-US", "es"),
        ("", "es-MX,es;q=0.9,en;q=0.5", "es"),
        ("?lang=en", "es", "en"),
        ("?lang=xx", "de", "en"),
    ],
)
def test_the_page_speaks_the_chosen_language_else_the_browsers_else_english(
    visitor: FlaskClient, query: str, browser: str, language: str
) -> None:
    page = visitor.get(CARD + query, headers={"Accept-Language": browser})
    assert page.status_code == 200
    assert f'<html lang="{language}" dir="ltr">' in page.text
    assert ("Send my card" in page.text, "Enviar mi tarjeta" in page.text) == (language == "en", language == "es")


def test_a_card_in_spanish_is_spanish_to_the_end(visitor: FlaskClient, grace: UUID) -> None:
    assert problems(visitor.post(f"{CARD}?lang=es", data={"child_1_age": "6"})) == [
        "Escriba su nombre",
        "Escriba un correo electrónico o un número de celular",
        "Escriba el nombre del niño o quítelo de la lista",
    ]
    sent = visitor.post(f"{CARD}?lang=es", data=ANA)
    assert "Gracias, Ana" in visitor.get(sent.location).text
    assert stored(grace)[0].language == "es"
    assert stored(grace)[0].consent_wording.startswith("Grace Church guarda estos datos")


def test_optional_questions_are_asked_where_they_are_switched_on(
    app: Flask, visitor: FlaskClient, grace: UUID, moved_clock: MovedClock
) -> None:
    def asked(path: str) -> set[str]:
        page = visitor.get(path).text
        return {name for name in ("heard", "address_city", "prayer", "child_1_first_name", "text_me") if f'name="{name}"' in page}

    assert asked(CARD) == {"heard", "child_1_first_name", "text_me"}
    assert asked(f"{CARD}?at=tablet") == {"child_1_first_name", "text_me"}
    make_card(grace, heard=False, address=True, prayer=True, family=False, text_me=False)
    moved_clock.move(seconds=open_cards.KEPT_FOR.total_seconds() + 1)
    assert asked(CARD) == {"address_city", "prayer"}


def test_nothing_is_ticked_for_the_visitor_but_the_narrowest_audience(visitor: FlaskClient, grace: UUID) -> None:
    make_card(grace, prayer=True)
    ticked = [re.search(r'value="([^"]*)"', tag)[1] for tag in re.findall(r"<input[^>]* checked[^>]*>", visitor.get(CARD).text)]  # type: ignore[index]
    assert ticked == ["pastors"]


def test_the_tablet_lets_no_browser_fill_in_and_the_phone_does(visitor: FlaskClient) -> None:
    def tokens(path: str) -> set[str]:
        return set(re.findall(r'<input[^>]* type="(?:text|email|tel)"[^>]*autocomplete="([^"]*)"', visitor.get(path).text))

    assert tokens(f"{CARD}?at=tablet") == {"off"}
    assert tokens(CARD) == {"off", "given-name", "family-name", "email", "tel"}


def test_where_a_card_came_from_is_kept_along_the_way(visitor: FlaskClient, grace: UUID) -> None:
    page = visitor.get(f"{CARD}?at=tablet&lang=es")
    assert f'action="{CARD}?at=tablet&amp;lang=es"' in page.text
    sent = visitor.post(f"{CARD}?at=tablet&lang=es", data=ANA)
    assert sent.location == f"{CARD}/thanks?at=tablet&lang=es"
    assert f'href="{CARD}?at=tablet"' in visitor.get(sent.location).text
    assert stored(grace)[0].came_from == "tablet"


def test_prayers_and_families_are_nowhere_in_the_logs(visitor: FlaskClient, grace: UUID, caplog: pytest.LogCaptureFixture) -> None:
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *seen: statements.append(repr(seen[3])))
    visitor.post(CARD, data={**ANA, "prayer": "the surgery on Friday", "child_1_first_name": "Leonidas"})
    assert stored(grace)[0].prayer == "the surgery on Friday"
    assert "surgery" not in caplog.text + "".join(statements)
    assert "Leonidas" not in caplog.text + "".join(statements)


def test_a_card_costs_one_statement_once_the_page_was_open(visitor: FlaskClient, grace: UUID) -> None:
    visitor.get(CARD)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    visitor.post(CARD, data=ANA)
    assert [statement.split()[0] for statement in statements] == ["INSERT"]


# Where a card comes from


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1:5000"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Referer": "http://127.0.0.1:5000/c/grace/welcome"}, True),
        ({"Referer": "https://evil.example/form"}, False),
    ],
)
def test_a_form_of_another_website_is_refused_with_a_way_on(
    visitor: FlaskClient, grace: UUID, headers: dict[str, str], taken: bool
) -> None:
    sent = visitor.post(CARD, data=ANA, headers=headers)
    assert sent.status_code == (303 if taken else 403)
    assert len(stored(grace)) == taken
    assert taken or ("This card came from another website" in sent.text and f'href="{CARD}"' in sent.text)


def test_a_filled_trap_is_thanked_for_and_kept_for_staff(visitor: FlaskClient, grace: UUID) -> None:
    assert visitor.post(CARD, data={**ANA, "website": "https://pills.example"}).status_code == 303
    assert [(card.state, card.state_reason) for card in stored(grace)] == [(QUARANTINED, HIDDEN_BOX)]


def test_a_flood_from_one_address_is_kept_apart_and_nobody_is_turned_away(
    app: Flask, visitor: FlaskClient, grace: UUID, neighbour: UUID, moved_clock: MovedClock
) -> None:
    app.extensions["crowd"] = Crowd(most_a_minute=3)
    assert {visitor.post(CARD, data=ANA).status_code for _ in range(5)} == {303}
    assert [(card.state, card.state_reason) for card in stored(grace)].count((QUARANTINED, TOO_MANY)) == 2
    visitor.post(CARD, data=ANA, environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    visitor.post("/c/hope/welcome", data=ANA)
    moved_clock.move(minutes=1)
    visitor.post(CARD, data=ANA)
    assert [card.state for card in stored(grace)].count(RECEIVED) == 5
    assert [card.state for card in stored(neighbour)] == [RECEIVED]


# Any body


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"first_name=" + b"A" * 70_000, "application/x-www-form-urlencoded", 413, "That was too much to send"),
        ("&".join(f"f{n}=1" for n in range(10_000)).encode(), "application/x-www-form-urlencoded", 413, "That was too much to send"),
        ("&".join(f"f{n}=1" for n in range(1_000)).encode(), "application/x-www-form-urlencoded", 413, "That was too much to send"),
        (b'{"first_name": "Ana"}', "application/json", 415, "This card could not be read"),
        (b"<card/>", "text/xml", 415, "This card could not be read"),
        (b"", "application/x-www-form-urlencoded", 422, "There is a problem"),
        (b"\xff\xfe\x00=%ff%00&&&==%", "application/x-www-form-urlencoded", 422, "There is a problem"),
        (b"not multipart at all", "multipart/form-data; boundary=x", 422, "There is a problem"),
        (b"not multipart at all", "multipart/form-data", 422, "There is a problem"),
    ],
)
def test_what_is_no_card_has_a_page_that_says_so(
    visitor: FlaskClient, grace: UUID, body: bytes, content_type: str, status: int, words: str
) -> None:
    page = visitor.post(CARD, data=body, content_type=content_type)
    assert (page.status_code, words in page.text) == (status, True)
    assert stored(grace) == []


def test_a_body_without_an_announced_length_is_measured_all_the_same(visitor: FlaskClient, grace: UUID) -> None:
    body = BytesIO(b"first_name=Ana&email=ana%40gmail.com&last_name=" + b"A" * 70_000)
    page = visitor.post(
        CARD, input_stream=body, content_type="application/x-www-form-urlencoded", environ_overrides={"wsgi.input_terminated": True}
    )
    assert page.status_code == 413
    assert stored(grace) == []


def test_a_multipart_card_is_a_card(visitor: FlaskClient, grace: UUID) -> None:
    assert visitor.post(CARD, data=ANA, content_type="multipart/form-data").status_code == 303
    assert stored(grace)[0].answers == ANA


def test_other_encodings_are_stored_readable_and_shown_escaped(visitor: FlaskClient, grace: UUID) -> None:
    body = b"first_name=Jos%E9%00<script>&email=jose%40gmail.com&last_name=%E2%80%AEzepoL"
    assert visitor.post(CARD, data=body, content_type="application/x-www-form-urlencoded; charset=iso-8859-1").status_code == 303
    assert (stored(grace)[0].first_name, stored(grace)[0].last_name) == ("Jos%E9<script>", "zepoL")
    assert "Thank you, Jos%E9&lt;script&gt;" in visitor.get(f"{CARD}/thanks").text


NAMES = st.sampled_from(sorted(capture.fields.KNOWN_NAMES)) | st.text(max_size=60)
FORMS = st.lists(st.tuples(NAMES, st.text(max_size=300)), max_size=40)
BODIES = st.tuples(
    st.binary(max_size=2000) | st.text(alphabet="&=%+01first_nameémail@\x00", max_size=2000).map(str.encode),
    st.sampled_from(
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", "", "x", "multipart/form-data"]
    ),
)
QUERIES = st.sampled_from(["", "?at=tablet", "?lang=es", "?at=%00&at=tablet", "?lang=\u202e", "?lang=es&lang=en", "?" + "a=1&" * 500])
anything = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@anything
@given(form=FORMS, query=QUERIES, named=st.booleans())
def test_any_form_is_a_stored_card_or_a_clear_page(
    visitor: FlaskClient, grace: UUID, form: list[tuple[str, str]], query: str, named: bool
) -> None:
    before = len(stored(grace))
    pairs: Any = [*form, *(ANA.items() if named else ())]
    body = urlencode(pairs, errors="surrogatepass")
    page = visitor.post(CARD + query, data=body, content_type="application/x-www-form-urlencoded")
    assert page.status_code in (303, 413, 422)
    assert len(stored(grace)) - before == (page.status_code == 303)


@anything
@given(body=BODIES, query=QUERIES)
def test_any_body_is_a_stored_card_or_a_clear_page(visitor: FlaskClient, grace: UUID, body: tuple[bytes, str], query: str) -> None:
    before = len(stored(grace))
    page = visitor.post(CARD + query, data=body[0], content_type=body[1])
    assert page.status_code in (303, 413, 415, 422)
    assert len(stored(grace)) - before == (page.status_code == 303)


@anything
@given(path=st.text(max_size=40), headers=st.fixed_dictionaries({}, optional={"Accept-Language": st.text("es-;q=0.,*", max_size=30)}))
def test_any_address_has_an_answer(visitor: FlaskClient, path: str, headers: dict[str, str]) -> None:
    assert visitor.get(f"/c/grace/{quote(path, safe='')}", headers=headers).status_code in (200, 308, 404)


def test_a_card_is_looked_up_anew_after_some_seconds(visitor: FlaskClient, grace: UUID, moved_clock: MovedClock) -> None:
    visitor.get(CARD)
    with church_scope(grace), transaction() as session:
        session.scalars(select(Card)).one().slug = "moved"
    assert visitor.get(CARD).status_code == 200
    moved_clock.move(seconds=6)
    assert visitor.get(CARD).status_code == 404


def test_the_code_at_the_tablet_leads_a_phone_to_the_same_card(visitor: FlaskClient) -> None:
    assert f'src="{CARD}/code.svg?at=tablet"' in visitor.get(f"{CARD}?at=tablet").text
    drawing = visitor.get(f"{CARD}/code.svg?at=tablet")
    with mock.patch.object(capture.segno, "make", wraps=capture.segno.make) as make:
        visitor.get(f"{CARD}/code.svg?at=tablet")
    assert make.call_args.args == ("http://127.0.0.1:5000/c/grace/welcome",)
    assert (drawing.mimetype, drawing.data[:4]) == ("image/svg+xml", b"<svg")
    assert visitor.get("/c/nobody/welcome/code.svg").status_code == 404
