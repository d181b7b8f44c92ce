"""A visitor opens a church's card, sends it and is thanked; whatever arrives, no card that was thanked for is lost."""

import re
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from connectcard.cards.models import RECEIVED, Submission
from connectcard.cards.operations import ensure_default_card
from connectcard.churches.queries import get_church
from connectcard.churches.tenancy import church_scope
from connectcard.database import db, transaction

CARD = "/c/grace/welcome"
ANA = {"first_name": "Ana", "last_name": "Lopez", "email": "ana@gmail.com", "phone": "(512) 555-0177", "visit": "first_time"}


@pytest.fixture(autouse=True)
def _cards(grace: UUID, neighbour: UUID) -> None:
    for church_id in (grace, neighbour):
        with church_scope(church_id), transaction():
            ensure_default_card(get_church())


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


def test_a_visitor_fills_in_the_card_and_is_thanked_by_name(visitor: FlaskClient, grace: UUID) -> None:
    page = visitor.get(CARD)
    sent = visitor.post(CARD, data={**ANA, "submission_key": hidden(page, "submission_key"), "form_token": hidden(page, "form_token")})
    assert (sent.status_code, sent.location) == (303, f"{CARD}/thanks")
    assert "Thank you, Ana" in visitor.get(sent.location).text
    [card] = stored(grace)
    assert (card.state, card.answers) == (RECEIVED, ANA)
