"""“Join a group”: an owner has the card ask, a visitor chooses of what is open and listed, and staff see to what is left to do."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from connectcard.cards.models import Submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import db, transaction
from connectcard.people.models import Group
from connectcard.sync.models import SYNCED, SyncItem
from tests.making import an_item
from tests.web.conftest import StaffBrowser
from tests.web.test_directory import a_group
from tests.web.test_mapping import with_account

SignIn = Callable[..., StaffBrowser]
CARD = "/c/grace/welcome"
ANA = {"first_name": "Ana", "last_name": "Lopez", "email": "ana@gmail.com"}
OPEN = {"listed": True, "enrollment": "open"}


@pytest.fixture
def owner(grace: UUID, neighbour: UUID, sign_in: SignIn) -> StaffBrowser:
    with_account(grace)
    with_account(neighbour)
    return sign_in(grace, "owner")


@pytest.fixture
def choir(grace: UUID) -> UUID:
    return a_group(grace, "Choir", schedule="Sundays at 7", **OPEN)


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


def change(church_id: UUID, group_id: UUID, **values: object) -> None:
    with church_scope(church_id), transaction() as session:
        group = session.get_one(Group, group_id)
        for name, value in values.items():
            setattr(group, name, value)


def ask(owner: StaffBrowser, way: str = "all", *groups: UUID) -> None:
    assert owner.post("/mapping/group", {"place": "group", "ask": way, "group": [str(one) for one in groups]}).status_code == 303
    forget_open_cards(owner)


def forget_open_cards(owner: StaffBrowser) -> None:
    """Seconds have passed."""
    owner.client.application.extensions.pop("open_cards", None)


def send(visitor: FlaskClient, group: object, **more: str) -> None:
    assert visitor.post(CARD, data={**ANA, "submission_key": str(uuid4()), "group": str(group), **more}).status_code == 303


def last(church_id: UUID) -> Submission:
    with church_scope(church_id):
        return db.session.scalars(select(Submission).order_by(Submission.received_at.desc())).first() or pytest.fail("no card came")


# What the card offers.


def test_it_is_off_until_an_owner_switches_it_on(owner: StaffBrowser, visitor: FlaskClient, choir: UUID) -> None:
    assert 'name="group"' not in visitor.get(CARD).text
    assert "Not asked on the card" in owner.get("/mapping").text
    ask(owner)
    page = visitor.get(CARD).text
    assert ("Choir · Sundays at 7" in page, "I’d like to join a group" in page) == (True, True)
    assert "Me gustaría unirme a un grupo" in visitor.get(f"{CARD}?lang=es").text
    assert "The card offers 1 group" in owner.get("/mapping").text


@pytest.mark.parametrize(
    "values", [{"listed": False}, {"enrollment": "closed"}, {"enrollment": "full"}, {"archived_at": now()}, {"gone_at": now()}]
)
def test_only_what_is_open_and_listed_is_offered(
    owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID, values: dict[str, object]
) -> None:
    a_group(grace, "Band", **OPEN | values)
    ask(owner)
    page = visitor.get(CARD).text
    assert ("Choir" in page, "Band" in page) == (True, False)


def test_an_owner_may_choose_which(owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID) -> None:
    band = a_group(grace, "Band", **OPEN)
    ask(owner, "chosen", band)
    page = visitor.get(CARD).text
    assert ("Choir" in page, "Band" in page) == (False, True)
    assert owner.post("/mapping/group", {"place": "group", "ask": "chosen"}).status_code == 422


def test_a_church_with_hundreds_shows_a_hundred_and_is_told(owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID) -> None:
    with church_scope(grace), transaction() as session:
        area_id = session.get_one(Group, choir).area_id
        session.add_all(Group(area_id=area_id, name=f"House {number:03}", remote_id=str(number), **OPEN) for number in range(300))
    ask(owner)
    page = visitor.get(CARD).text
    assert page.count("<option") == 101
    assert len(page) < 40_000
    assert "301 groups are open and listed; the card shows the first 100." in owner.get("/mapping").text


# What a visitor sends.


def test_what_they_chose_is_kept_with_its_name(owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID) -> None:
    ask(owner)
    send(visitor, choir)
    assert last(grace).answers["group"] == {"id": str(choir), "name": "Choir", "open": True}
    change(grace, choir, name="Gospel choir")
    assert "Choir" in owner.get(f"/cards/{last(grace).id}").text
    assert "Group to join" in owner.get("/cards/export.csv").text


def test_a_group_that_closed_while_the_page_was_open_loses_nothing(
    owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID
) -> None:
    ask(owner)
    key = str(uuid4())
    send(visitor, choir, submission_key=key)
    change(grace, choir, enrollment="closed")
    forget_open_cards(owner)
    again = visitor.post(CARD, data={**ANA, "first_name": "", "group": str(choir)})
    assert (again.status_code, f'value="{choir}" selected' in again.text) == (422, True)
    # The same card sent twice is one card, also where the group closed in between.
    send(visitor, choir, submission_key=key)
    with church_scope(grace):
        assert [card.state for card in db.session.scalars(select(Submission).where(Submission.submission_key == UUID(key)))] == ["received"]
        assert db.session.scalars(select(Submission).where(Submission.state == "quarantined")).all() == []
    send(visitor, choir)
    assert last(grace).answers["group"]["open"] is False
    assert "Choir (it took nobody in any more when the card came)" in owner.get(f"/cards/{last(grace).id}").text


@pytest.mark.parametrize("value", ["nonsense", "00000000-0000-0000-0000-000000000000", "'; drop table card"])
def test_a_value_that_is_no_group_is_kept_as_it_came(
    owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID, value: str
) -> None:
    ask(owner)
    send(visitor, value)
    assert ("group" not in last(grace).answers, last(grace).answers["extra"]["group"]) == (True, value)


def test_the_neighbours_group_is_none_of_ours(
    owner: StaffBrowser, visitor: FlaskClient, sign_in: SignIn, grace: UUID, neighbour: UUID, choir: UUID
) -> None:
    theirs = a_group(neighbour, "Secret council", **OPEN)
    ask(owner)
    assert "Secret council" not in visitor.get(CARD).text + owner.get("/mapping/group/edit").text
    send(visitor, theirs)
    assert (last(grace).answers.get("group"), last(grace).answers["extra"]) == (None, {"group": str(theirs)})
    assert "Secret council" not in owner.get(f"/cards/{last(grace).id}").text
    assert owner.post("/mapping/group", {"place": "group", "ask": "chosen", "group": str(theirs)}).status_code == 422
    # And the neighbour's card asks nothing.
    assert 'name="group"' not in visitor.get(CARD.replace("grace", "hope")).text


# What is left to do.


@pytest.fixture
def to_do(owner: StaffBrowser, visitor: FlaskClient, grace: UUID, choir: UUID) -> str:
    """The page of a card whose visitor has to be put into the group by hand."""
    ask(owner)
    send(visitor, choir)
    an_item(
        grace, last(grace).id, SYNCED, to_do="“Choir” takes requests: its leader decides who joins.", decision={"kind": "new", "words": ""}
    )
    return f"/cards/{last(grace).id}"


def test_staff_read_what_to_do_and_say_that_it_is_done(owner: StaffBrowser, to_do: str) -> None:
    assert all(words in owner.get("/cards?tab=needs_you").text for words in ("Synced, one thing to do", "takes requests"))
    page = owner.get(to_do).text
    assert ("One thing is left for you to do" in page, "Put them in now" in page) == (True, False)
    assert owner.post(f"{to_do}/done").status_code == 303
    page = owner.get(to_do).text
    assert ("One thing is left" in page, "Done by hand, says Sam Hill" in page) == (False, True)
    assert "Ana" not in owner.get("/cards?tab=needs_you").text


def test_where_the_church_sends_memberships_they_can_be_put_in(owner: StaffBrowser, grace: UUID, to_do: str) -> None:
    with church_scope(grace), transaction() as session:
        session.get_one(Church, grace).sends_memberships = True
    assert "Put them in now" in owner.get(to_do).text
    assert owner.post(f"{to_do}/into-group").status_code == 303
    with church_scope(grace):
        item = db.session.scalars(select(SyncItem)).one()
        assert (item.state, item.into_group_by, item.planned_at) == ("pending", "Sam Hill", None)


def test_viewers_and_the_neighbour_cannot_press_it(to_do: str, grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    viewer = sign_in(grace, "viewer")
    assert ("takes requests" in viewer.get(to_do).text, "/done" in viewer.get(to_do).text) == (True, False)
    for browser, status in ((viewer, 403), (sign_in(neighbour, "owner"), 404)):
        assert [browser.post(f"{to_do}/{press}").status_code for press in ("done", "into-group")] == [status, status]
