"""Staff send the directory, say who somebody is, and see to what Planning Center refused."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, OAUTH, Connection
from connectcard.database import db, transaction
from connectcard.people.models import Identity, Person
from connectcard.people.operations import marking_key, set_identity
from connectcard.sync import push
from connectcard.sync.models import FINISHED, IGNORED, PENDING, PERSON, PUSH_PEOPLE, REVIEW, SyncItem, SyncPreview, SyncRun
from tests.making import a_card
from tests.web.conftest import StaffBrowser

SignIn = Callable[..., StaffBrowser]
REASONS = [{"agrees": "yes", "words": "Same email: millers@gmail.com"}]


def bob(church_id: UUID) -> UUID:
    """Bob was sent, and it is not clear whether he is Ruth's namesake; gives the item."""
    with church_scope(church_id), transaction() as session:
        person = Person(seen_at=None)
        set_identity(person, Identity("Bob", "Miller"), child=False, key=marking_key())
        run = SyncRun(number=7, kind=PUSH_PEOPLE, state=FINISHED, started_by="Sam Hill", total=1, finished_at=now())
        session.add_all([person, run])
        session.flush()
        shown = {"remote_id": "70", "name": "Robert Miller", "first_name": "Robert", "last_name": "Miller", "reasons": REASONS}
        decision = {"kind": "unclear", "person": None, "words": "Same email as Robert Miller.", "candidates": [shown]}
        item = SyncItem(kind=PERSON, subject_id=person.id, run_id=run.id, state=REVIEW, decision=decision, reason=decision["words"])
        session.add(item)
        session.flush()
        return item.id


def item_of(church_id: UUID, item_id: UUID) -> SyncItem:
    with church_scope(church_id):
        return db.session.scalars(select(SyncItem).where(SyncItem.id == item_id)).one()


def test_staff_say_that_it_is_the_same_person(grace: UUID, sign_in: SignIn) -> None:
    item_id, staff = bob(grace), sign_in(grace, "staff", "Mona Reyes")
    page = staff.get("/send").text
    assert "Bob Miller" in page
    assert "Robert Miller" in page
    assert "Same email: millers@gmail.com" in page
    with church_scope(grace):
        assert push.waiting(PUSH_PEOPLE) == 0
    assert staff.post(f"/send/{item_id}/person", {"kind": "same", "person": "70"}).status_code == 303
    item = item_of(grace, item_id)
    assert (item.state, item.decision["person"], item.decision["by"]) == (PENDING, "70", "Mona Reyes")
    with church_scope(grace):
        assert db.session.get_one(SyncRun, item.run_id).number == 8


def test_only_somebody_who_was_shown_can_be_chosen(grace: UUID, sign_in: SignIn) -> None:
    item_id, staff = bob(grace), sign_in(grace, "staff")
    assert staff.post(f"/send/{item_id}/person", {"kind": "same", "person": "71"}).status_code >= 400
    assert item_of(grace, item_id).state == REVIEW


def test_what_was_done_by_hand_leaves_the_list(grace: UUID, sign_in: SignIn) -> None:
    item_id, staff = bob(grace), sign_in(grace, "staff")
    staff.post(f"/send/{item_id}/done", {})
    assert item_of(grace, item_id).state == IGNORED
    assert 'id="needs-you"' not in staff.get("/send").text


def test_an_owner_chooses_that_memberships_are_sent(grace: UUID, sign_in: SignIn) -> None:
    assert sign_in(grace, "staff").post("/send/memberships", {"send": "yes"}).status_code == 403
    owner = sign_in(grace, "owner")
    assert owner.post("/send/memberships", {"send": "yes"}).status_code == 303
    with church_scope(grace):
        assert db.session.get_one(Church, grace).sends_memberships
    assert "This church sends group memberships" in owner.get("/send").text


def test_somebody_who_may_only_look_sends_nothing(grace: UUID, sign_in: SignIn) -> None:
    item_id, viewer = bob(grace), sign_in(grace, "viewer")
    assert "Someone new" not in viewer.get("/send").text
    assert viewer.post(f"/send/{item_id}/person", {"kind": "new"}).status_code == 403


def test_the_neighbour_sees_nothing_of_it(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    item_id, next_door = bob(grace), sign_in(neighbour, "owner")
    assert "Bob Miller" not in next_door.get("/send").text
    assert next_door.post(f"/send/{item_id}/person", {"kind": "new"}).status_code == 404
    assert item_of(grace, item_id).state == REVIEW


def ana(church_id: UUID) -> UUID:
    """Somebody whom staff wrote down here."""
    with church_scope(church_id), transaction() as session:
        person = Person(seen_at=None)
        set_identity(person, Identity("Ana", "Lopez"), child=False, key=marking_key())
        session.add(person)
        session.flush()
        return person.id


def plan() -> dict[str, Any]:
    rows = [
        {"label": "New person", "now": "", "after": "A new person", "mark": "m-person", "required": True},
        {"label": "Email", "now": "", "after": "ana.lopez@gmail.com", "mark": "m-email"},
    ]
    decision = {"kind": "new", "words": "Nobody has this name.", "person": None, "candidates": []}
    return {"decision": decision, "question": "", "rows": rows, "requests": 2, "problems": [], "fingerprint": "as seen"}


def looked_at(church_id: UUID, subject: UUID, contents: dict[str, Any]) -> None:
    with church_scope(church_id), transaction() as session:
        row = session.scalars(select(SyncPreview).where(SyncPreview.subject_id == subject)).one()
        row.made_at, row.contents = now(), contents


def connect(church_id: UUID) -> None:
    with church_scope(church_id), transaction() as session:
        session.add(Connection(kind=OAUTH, state=CONNECTED, origin="https://api.planningcenteronline.com", organization_id="1001"))


def test_staff_look_at_what_would_be_sent_leave_something_out_and_send_the_rest(grace: UUID, sign_in: SignIn) -> None:
    connect(grace)
    subject, staff = ana(grace), sign_in(grace, "staff")
    assert f'action="/send/{PUSH_PEOPLE}/preview"' in staff.get("/send").text
    assert staff.post(f"/send/{PUSH_PEOPLE}/preview").location == f"/send/{PUSH_PEOPLE}/preview?page=1"
    page = staff.get(f"/send/{PUSH_PEOPLE}/preview").text
    assert "Looking in Planning Center for 1 record" in page
    found = f"/send/{PUSH_PEOPLE}/preview/found?waiting={subject.hex}"
    assert found in page
    assert staff.get(found).status_code == 204
    looked_at(grace, subject, plan())
    fragment = staff.get(found).text
    for words in ("Ana Lopez", "New person", "ana.lopez@gmail.com", "2 changes", f'id="previewed-{subject}"'):
        assert words in fragment
    said = {"approved": [str(subject)], f"seen-{subject}": "as seen", f"row-{subject}": []}
    assert staff.post(f"/send/{PUSH_PEOPLE}/approved", said).location == "/runs/1"
    with church_scope(grace):
        item = db.session.scalars(select(SyncItem)).one()
    assert item.approval is not None
    assert (item.subject_id, item.approval["fingerprint"], item.approval["left_out"]) == (subject, "as seen", ["m-email"])


def test_what_waits_for_an_answer_says_so_in_the_preview(grace: UUID, sign_in: SignIn) -> None:
    subject, staff = ana(grace), sign_in(grace, "staff")
    staff.post(f"/send/{PUSH_PEOPLE}/preview")
    looked_at(grace, subject, {**plan(), "decision": None, "rows": [], "requests": 0, "question": "This group takes requests."})
    page = staff.get(f"/send/{PUSH_PEOPLE}/preview").text
    assert "You will be asked" in page
    assert "This group takes requests. Nothing is written before that is settled." in page


def test_a_push_that_is_none_and_somebody_who_may_only_look(grace: UUID, sign_in: SignIn) -> None:
    subject = ana(grace)
    assert sign_in(grace, "staff").get("/send/pull_people/preview").status_code == 404
    viewer = sign_in(grace, "viewer")
    assert viewer.post(f"/send/{PUSH_PEOPLE}/preview").status_code == 403
    assert viewer.post(f"/send/{PUSH_PEOPLE}/approved", {"approved": [str(subject)]}).status_code == 403


def test_a_card_is_not_among_the_records_of_a_push(grace: UUID, sign_in: SignIn) -> None:
    staff, card = sign_in(grace, "staff"), a_card(grace)
    assert staff.post("/sync/preview").status_code == 303
    found = staff.get(f"/send/{PUSH_PEOPLE}/preview/found?waiting={card.hex}")
    assert (found.status_code, "Lopez" in found.text) == (200, False)


def test_the_neighbours_records_are_neither_previewed_nor_sent(grace: UUID, neighbour: UUID, sign_in: SignIn) -> None:
    theirs, staff = ana(neighbour), sign_in(grace, "staff")
    assert "Nothing waits to be sent" in staff.get(f"/send/{PUSH_PEOPLE}/preview").text
    sign_in(neighbour, "staff").post(f"/send/{PUSH_PEOPLE}/preview")
    looked_at(neighbour, theirs, plan())
    assert str(theirs) not in staff.get(f"/send/{PUSH_PEOPLE}/preview/found?waiting={theirs.hex}").text
    staff.post(f"/send/{PUSH_PEOPLE}/approved", {"approved": [str(theirs)], f"seen-{theirs}": "as seen"})
    with church_scope(neighbour):
        assert db.session.scalars(select(SyncItem)).all() == []


def test_memberships_have_a_button_only_where_the_church_sends_them(grace: UUID, sign_in: SignIn) -> None:
    connect(grace)
    owner, staff = sign_in(grace, "owner"), sign_in(grace, "staff")
    assert 'id="start-push_memberships"' not in owner.get("/connection").text
    assert 'href="/send#memberships"' in owner.get("/connection").text
    assert "An owner can choose to send them." in staff.get("/connection").text
    owner.post("/send/memberships", {"send": "yes"})
    assert 'id="start-push_memberships"' in staff.get("/connection").text
    assert "Group memberships are not sent" not in staff.get("/connection").text
