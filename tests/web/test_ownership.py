"""Staff read whose each field is, decide what was changed on both sides, and see whether both sides are the same."""

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import Connection
from connectcard.database import db, transaction
from connectcard.people import ownership
from connectcard.people.models import Conflict, Identity, Person
from connectcard.people.operations import edit_person, forget_person
from connectcard.people.pulled import PulledPerson
from connectcard.people.taking_in import take_in_people
from connectcard.sync import readings
from connectcard.sync.models import FINISHED, TRUTH_CHECK, SyncRun
from connectcard.sync.truth import Difference
from connectcard.web import ownership as ownership_pages
from tests.conftest import ORIGIN
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
FIELD = "person.nickname"


def ana(nickname: str = "", last_name: str = "Lopez") -> PulledPerson:
    return PulledPerson("7", Identity("Ana", last_name, nickname=nickname, birthdate=date(1990, 5, 1)))


def two_sided(church_id: UUID) -> UUID:
    """Ana's last name was changed here, then in Planning Center; gives the conflict."""
    with church_scope(church_id), transaction() as session:
        take_in_people([ana()], now())
        edit_person(session.scalars(select(Person)).one(), {"last_name": "Lopez-Garcia"}, "Sam Hill")
        assert take_in_people([ana(last_name="Garcia")], now()).conflicts == 1
        return session.scalars(select(Conflict.id)).one()


def shown(browser: StaffBrowser) -> dict[str, str]:
    """What the form of the first conflict on the page carries."""
    found = re.search(r'name="seen" value="(\w+)"', browser.get("/ownership/conflicts").text)
    return {"seen": found[1]} if found else {}


def last_name(church_id: UUID) -> str:
    with church_scope(church_id):
        return db.session.scalars(select(Person.last_name)).one()


def open_conflicts(church_id: UUID) -> int:
    with church_scope(church_id):
        return len(db.session.scalars(select(Conflict).where(Conflict.decided_at.is_(None))).all())


def test_whose_a_field_is_stands_there_in_words_and_an_owner_may_choose(grace: UUID, sign_in: SignIn) -> None:
    owner = sign_in(grace, "owner")
    page = owner.get("/ownership").text
    assert "Allergies" in page
    assert "Kept sealed here and never sent." in page
    assert owner.post(f"/ownership/fields/{FIELD}", {"owner": "here"}).status_code == 302
    assert "Chosen by" in owner.get("/ownership").text
    with church_scope(grace):
        assert ownership.owners()[FIELD] == "here"


def test_what_both_sides_rely_on_cannot_be_chosen_nor_by_staff(grace: UUID, sign_in: SignIn) -> None:
    assert sign_in(grace, "owner").post("/ownership/fields/person.first_name", {"owner": "here"}).status_code >= 400
    assert sign_in(grace, "staff").post(f"/ownership/fields/{FIELD}", {"owner": "here"}).status_code == 403


@pytest.mark.parametrize(("way", "stands"), [("ours", "Lopez-Garcia"), ("theirs", "Garcia")])
def test_staff_decide_which_value_stands_and_a_later_pull_asks_no_more(grace: UUID, sign_in: SignIn, way: str, stands: str) -> None:
    conflict = two_sided(grace)
    staff = sign_in(grace, "staff")
    page = staff.get("/ownership/conflicts").text
    assert all(words in page for words in ("Lopez-Garcia", "Garcia", "Last name", "by Sam Hill"))
    assert staff.post(f"/ownership/conflicts/{conflict}/{way}", shown(staff)).status_code == 302
    with church_scope(grace), transaction():
        take_in_people([ana(last_name="Garcia", nickname="Annie")], now())
    assert last_name(grace) == stands
    assert open_conflicts(grace) == 0
    assert "Nothing to decide" in staff.get("/ownership/conflicts").text


@pytest.mark.parametrize("way", ["ours", "theirs"])
def test_what_changed_there_since_the_page_was_shown_is_not_decided_unseen(grace: UUID, sign_in: SignIn, way: str) -> None:
    conflict, staff = two_sided(grace), sign_in(grace, "staff")
    seen = shown(staff)
    with church_scope(grace), transaction():
        take_in_people([ana(last_name="Garcia-Lorca")], now())
    assert "changed meanwhile" in staff.post(f"/ownership/conflicts/{conflict}/{way}", seen, follow_redirects=True).text
    assert (open_conflicts(grace), last_name(grace)) == (1, "Lopez-Garcia")
    staff.post(f"/ownership/conflicts/{conflict}/{way}", shown(staff))
    assert (open_conflicts(grace), last_name(grace)) == (0, "Lopez-Garcia" if way == "ours" else "Garcia-Lorca")


def test_about_somebody_who_is_gone_nothing_is_to_be_decided_on_their_page_either(grace: UUID, sign_in: SignIn) -> None:
    conflict, staff = two_sided(grace), sign_in(grace, "staff")
    seen = shown(staff)
    with church_scope(grace), transaction() as session:
        person = session.scalars(select(Person.id)).one()
        forget_person("7")
    assert "Keep this" not in staff.get(f"/directory/people/{person}").text
    assert staff.post(f"/ownership/conflicts/{conflict}/ours", seen).status_code == 404
    assert open_conflicts(grace) == 1, "it waits for the case that they are back"


def test_more_decisions_than_a_page_shows_are_counted(grace: UUID, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    two_sided(grace)
    with church_scope(grace), transaction() as session:
        edit_person(session.scalars(select(Person)).one(), {"nickname": "Annie"}, "Sam Hill")
        take_in_people([ana(last_name="Garcia", nickname="Anita")], now())
    monkeypatch.setattr(ownership_pages, "MOST_SHOWN", 1)
    page = sign_in(grace, "staff").get("/ownership/conflicts").text
    assert (page.count("Keep this"), "1 more wait" in page) == (1, True)


def test_every_page_says_how_many_decisions_wait(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    two_sided(grace)
    assert "<span>Both sides</span><span>1</span>" in sign_in(grace, "staff").get("/").text
    assert "<span>Both sides</span><span>" not in sign_in(neighbour, "staff").get("/").text


def test_a_viewer_reads_and_decides_nothing(grace: UUID, sign_in: SignIn) -> None:
    conflict = two_sided(grace)
    viewer = sign_in(grace, "viewer")
    assert "Keep this" not in viewer.get("/ownership/conflicts").text
    assert viewer.post(f"/ownership/conflicts/{conflict}/ours").status_code == 403
    assert open_conflicts(grace) == 1


def test_a_check_is_asked_for_and_what_differs_is_fixed(grace: UUID, sign_in: SignIn) -> None:
    staff = sign_in(grace, "staff")
    assert "Not compared yet" in staff.get("/ownership/truth-check").text
    with church_scope(grace), transaction() as session:
        session.add(Connection(origin=ORIGIN, organization_id="1001"))
        take_in_people([ana()], now())
        words = "5,012 people, 1,460 families, 92 groups compared; 1 differs."
        run = SyncRun(number=1, kind=TRUTH_CHECK, state=FINISHED, started_by="Schedule", finished_at=now(), note=words)
        session.add_all([run, Difference(kind="person", remote_id="7", what="changed_there")])
    page = staff.get("/ownership/truth-check").text
    assert words in page
    assert "Ana Lopez" in page
    assert staff.post("/ownership/truth-check/fix").status_code == 302
    with church_scope(grace):
        assert readings.wanted_now() == [("directory/person", "7")]
    assert staff.post("/ownership/truth-check").status_code == 302
    assert "being compared" in staff.get("/ownership/truth-check").text


def test_the_church_next_door_sees_nothing_of_it(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    conflict = two_sided(grace)
    other = sign_in(neighbour, "owner")
    assert "Lopez" not in other.get("/ownership/conflicts").text
    assert other.post(f"/ownership/conflicts/{conflict}/theirs").status_code == 404
    assert other.post(f"/ownership/fields/{FIELD}", {"owner": "here"}).status_code == 302
    with church_scope(grace):
        assert ownership.owners()[FIELD] == "planning_center"
    assert open_conflicts(grace) == 1
