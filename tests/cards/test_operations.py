"""A card that was sent is stored, and stored once, whatever the network and the thumbs do."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from connectcard.cards.models import QUARANTINED, RECEIVED, Card, Submission
from connectcard.cards.operations import DEFAULT_CONSENT, SENT_AGAIN, Receipt, ensure_default_card, submit_card
from connectcard.cards.suspicion import HIDDEN_BOX, IN_A_HURRY, LINK_IN_NAME, MORE_CHILDREN, suspicion
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction
from connectcard.errors import AnswersRefused

ANA = {"first_name": "Ana", "last_name": "Lopez", "email": "Ana@Gmail.com", "phone": "(512) 555-0177"}


@pytest.fixture
def card(grace: UUID) -> Card:
    return make_card(grace)


def make_card(church_id: UUID) -> Card:
    with church_scope(church_id), transaction():
        made = ensure_default_card(get_church())
        assert made.church
        return made


def submit(card: Card, form: dict[str, Any], **how: Any) -> Receipt:
    with church_scope(card.church_id), transaction():
        return submit_card(card, form, **{"language": "en", "came_from": "phone", **how})


def stored(church_id: UUID) -> list[Submission]:
    with church_scope(church_id):
        return list(db.session.scalars(select(Submission).order_by(Submission.received_at)))


def test_a_church_has_one_first_card(grace: UUID) -> None:
    first, again = make_card(grace), make_card(grace)
    assert first.id == again.id
    assert (first.slug, first.questions["prayer"], first.questions["address"]) == ("welcome", False, False)


def test_what_was_sent_is_stored_as_it_was_written(card: Card, grace: UUID) -> None:
    receipt = submit(card, {**ANA, "visit": "home", "text_me": "yes", "interests": ["kids"]}, language="es", came_from="tablet")
    [row] = stored(grace)
    assert (row.id, row.state, row.language, row.came_from) == (receipt.submission_id, RECEIVED, "es", "tablet")
    assert row.answers == {**ANA, "visit": "home", "text_me": True, "interests": ["kids"]}
    assert row.search_text == "ana lopez ana@gmail.com 5125550177"
    assert row.consent_wording == DEFAULT_CONSENT["es"].replace("{church}", "Grace Church")
    assert row.consent_version == 1


def test_a_card_that_needs_mending_is_not_stored(card: Card, grace: UUID) -> None:
    with pytest.raises(AnswersRefused) as refused:
        submit(card, {"last_name": "Lopez"})
    assert list(refused.value.problems) == ["first_name", "email"]
    assert stored(grace) == []


def test_the_same_form_sent_again_is_the_same_card(card: Card, grace: UUID) -> None:
    form = {**ANA, "submission_key": str(uuid4())}
    assert submit(card, form) == submit(card, form, language="es")
    assert len(stored(grace)) == 1


def test_other_answers_under_a_used_key_wait_for_staff_and_are_kept_once(card: Card, grace: UUID) -> None:
    form = {**ANA, "submission_key": str(uuid4())}
    first = submit(card, form)
    second = submit(card, {**form, "first_name": "Anna"})
    assert submit(card, {**form, "first_name": "Anna"}) == second
    assert (second.first_name, second.state) == ("Anna", QUARANTINED)
    rows = {row.id: row for row in stored(grace)}
    assert set(rows) == {first.submission_id, second.submission_id}
    assert rows[second.submission_id].state_reason == SENT_AGAIN


@pytest.mark.parametrize("key", ["", "not a key", "\x00", "1" * 5000])
def test_a_damaged_key_costs_no_card(card: Card, grace: UUID, key: str) -> None:
    submit(card, {**ANA, "submission_key": key})
    submit(card, {**ANA, "submission_key": key})
    assert len(stored(grace)) == 2


@pytest.mark.usefixtures("any_database")
def test_twenty_taps_at_once_are_one_card(app: Flask, card: Card, grace: UUID) -> None:
    form, together = {**ANA, "submission_key": str(uuid4())}, Barrier(20)

    def tap(_: int) -> Receipt:
        with app.app_context():
            together.wait()
            return submit(card, form)

    with ThreadPoolExecutor(20) as thumbs:
        receipts = set(thumbs.map(tap, range(20)))
    assert [row.id for row in stored(grace)] == [receipt.submission_id for receipt in receipts]


@pytest.mark.usefixtures("any_database")
def test_different_answers_at_once_under_one_key_are_all_kept(app: Flask, card: Card, grace: UUID) -> None:
    key, names, together = str(uuid4()), ["Ana", "Ben", "Cleo", "Dan"], Barrier(8)

    def tap(name: str) -> Receipt:
        with app.app_context():
            together.wait()
            return submit(card, {**ANA, "first_name": name, "submission_key": key})

    with ThreadPoolExecutor(8) as thumbs:
        receipts = set(thumbs.map(tap, names * 2))
    assert sorted(row.first_name for row in stored(grace)) == names
    assert len(receipts) == 4
    assert sorted(row.state for row in stored(grace)) == [QUARANTINED] * 3 + [RECEIVED]


def test_prayer_and_family_stand_nowhere_in_the_open(app: Flask, card: Card, grace: UUID) -> None:
    submit(card, {**ANA, "prayer": "for the surgery on Friday", "prayer_audience": "prayer_team", "child_1_first_name": "Leonidas"})
    [row] = stored(grace)
    assert row.prayer == "for the surgery on Friday"
    assert json.loads(row.family or "")["children"] == [{"first_name": "Leonidas", "age": ""}]
    assert row.answers == {**ANA, "has_prayer": True, "prayer_audience": "prayer_team", "has_family": True}
    with db.engine.connect() as connection:
        raw = repr(connection.execute(text("select * from submission")).all())
    assert "surgery" not in raw
    assert "Leonidas" not in raw


def test_only_the_pastors_read_a_prayer_unless_the_visitor_says_otherwise(card: Card, grace: UUID) -> None:
    submit(card, {**ANA, "prayer": "for Leo"})
    assert stored(grace)[0].answers["prayer_audience"] == "pastors"


def test_the_neighbour_may_use_the_same_key_and_sees_nothing(card: Card, grace: UUID, neighbour: UUID) -> None:
    form = {**ANA, "submission_key": str(uuid4())}
    next_door = make_card(neighbour)
    submit(card, form)
    assert stored(neighbour) == []
    submit(next_door, form)
    assert [len(stored(church_id)) for church_id in (grace, neighbour)] == [1, 1]
    assert stored(grace)[0].id != stored(neighbour)[0].id


LATER, AT_ONCE = timedelta(seconds=20), timedelta(seconds=0.4)


@pytest.mark.parametrize(
    ("form", "dwell", "doubt"),
    [
        (ANA, LATER, None),
        (ANA, AT_ONCE, None),
        (ANA, None, None),
        ({**ANA, "website": "https://buy.example"}, LATER, HIDDEN_BOX),
        ({**ANA, "first_name": "Win www.casino.example"}, LATER, LINK_IN_NAME),
        ({**ANA, **{f"child_{row}_first_name": "Leo" for row in range(1, 9)}}, LATER, None),
        ({**ANA, **{f"child_{row}_first_name": "Leo" for row in range(1, 10)}}, LATER, MORE_CHILDREN),
        ({**ANA, "prayer": "see https://our-family.example"}, LATER, None),
        ({**ANA, "prayer": "see https://pills.example"}, AT_ONCE, IN_A_HURRY),
        ({**ANA, "prayer": "see https://pills.example"}, None, IN_A_HURRY),
    ],
)
def test_only_what_no_person_does_is_suspected(form: dict[str, str], dwell: timedelta | None, doubt: str | None) -> None:
    assert suspicion(form, dwell) == doubt


def test_a_suspected_card_is_kept_for_staff(card: Card, grace: UUID) -> None:
    assert submit(card, ANA, suspicion=HIDDEN_BOX).state == QUARANTINED
    assert stored(grace)[0].state_reason == HIDDEN_BOX
