"""Sending our directory to Planning Center in a real browser: what waits, its preview, what needs somebody, and a record's receipt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.connections.models import CONNECTED, OAUTH, Connection
from connectcard.database import db, transaction
from connectcard.people.models import Family, FamilyMember, Identity, Person
from connectcard.people.operations import marking_key, set_identity
from connectcard.sync.approvals import CHANGED
from connectcard.sync.models import (
    DONE,
    FAILED,
    FAMILY,
    FINISHED,
    PERSON,
    PUSH_FAMILIES,
    PUSH_PEOPLE,
    REFUSED,
    REVIEW,
    SYNCED,
    SyncItem,
    SyncOutcome,
    SyncPreview,
    SyncRun,
    SyncStep,
)
from tests import browsing
from tests.browser.test_preview_pages import enter
from tests.making import candidate
from tests.web.conftest import StaffBrowser, sign_in  # noqa: F401

SignIn = Callable[..., StaffBrowser]
LONG = Identity("Bartholomew-Alexander", "Featherstonehaugh-Montgomery")


@dataclass(frozen=True)
class Directory:
    """Who waits to be sent, and the items of those who were."""

    ana: UUID
    millers: UUID
    sent: UUID
    changed: UUID


def somebody(session: Any, identity: Identity, **more: Any) -> Person:
    person = Person(seen_at=None, **more)
    set_identity(person, identity, child=False, key=marking_key())
    session.add(person)
    session.flush()
    return person


def an_item(session: Any, run: SyncRun, kind: str, subject: UUID, state: str, outcome: str, **more: Any) -> SyncItem:
    item = SyncItem(kind=kind, subject_id=subject, run_id=run.id, state=state, synced_at=now() if state == SYNCED else None, **more)
    session.add(item)
    session.flush()
    session.add(SyncOutcome(run_id=run.id, item_id=item.id, outcome=outcome, reason=more.get("reason")))
    return item


def a_step(session: Any, item: SyncItem, position: int, label: str, state: str = DONE, **more: Any) -> None:
    step = SyncStep(
        item_id=item.id, position=position, kind="add_email", natural_key=f"{position}", label=label, state=state, run_id=item.run_id
    )
    step.done_at, step.remote_id = now(), "7001" if state == DONE else None
    for name, value in more.items():
        setattr(step, name, value)
    session.add(step)


def plan(*rows: tuple[str, str, str], **more: Any) -> dict[str, Any]:
    decision = {
        "kind": "new",
        "words": "Nobody in Planning Center has this name, email or mobile number.",
        "person": None,
        "candidates": [],
    }
    lines = [
        {"label": label, "now": now_, "after": after, "mark": f"m-{place}", "required": place == 0}
        for place, (label, now_, after) in enumerate(rows)
    ]
    return {"decision": decision, "question": "", "rows": lines, "requests": len(rows), "problems": [], "fingerprint": "as seen"} | more


@pytest.fixture
def directory(grace: UUID) -> Directory:
    """Two who wait and a family; one sent, one refused, one unclear, one that changed since it was approved."""
    with church_scope(grace), transaction() as session:
        session.add(Connection(kind=OAUTH, state=CONNECTED, origin="https://api.planningcenteronline.com", organization_id="1001"))
        ana, long = somebody(session, Identity("Ana", "Lopez")), somebody(session, LONG)
        family = Family(name="Miller Household")
        session.add(family)
        session.flush()
        ruth, leo = (
            somebody(session, Identity("Ruth", "Miller"), remote_id="881"),
            somebody(session, Identity("Leo", "Miller"), remote_id="882"),
        )
        for person in (ruth, leo):
            session.add(FamilyMember(family_id=family.id, person_id=person.id, added_here_at=now()))
        counted = {"total": 4, "created": 1, "needs_you": 2, "failed": 1}
        run = SyncRun(number=7, kind=PUSH_PEOPLE, state=FINISHED, started_by="Sam Hill", finished_at=now(), **counted)
        session.add(run)
        session.flush()
        sent = an_item(session, run, PERSON, ruth.id, SYNCED, "created", person_remote_id="881")
        a_step(session, sent, 1, "New person", kind="create_person", remote_id="881", confirmed_at=now())
        a_step(session, sent, 2, "Email", found=True, confirmed_at=now())
        a_step(session, sent, 3, "Birthdate", kind="update_person")
        refused = an_item(
            session, run, PERSON, leo.id, FAILED, "failed", person_remote_id="882", reason="Planning Center did not accept Email."
        )
        a_step(session, refused, 1, "Email", REFUSED, problem="has a disallowed domain name")
        ben = somebody(session, Identity("Ben", "Okafor"))
        asked = {
            "kind": "unclear",
            "person": None,
            "words": "Same email as Robert Okafor, but another name.",
            "candidates": [candidate("70", "Robert Okafor", "email")],
        }
        an_item(session, run, PERSON, ben.id, REVIEW, "needs_you", decision=asked, reason=asked["words"])
        tom = somebody(session, Identity("Tom", "Becker"))
        changed = an_item(
            session,
            run,
            PERSON,
            tom.id,
            REVIEW,
            "needs_you",
            reason=CHANGED,
            approval={"fingerprint": "old", "left_out": [], "by": "Sam Hill", "at": now().isoformat(), "changed": True},
        )
        found = {
            ana.id: plan(("New person", "", "A new person"), ("Email", "", "ana.lopez@gmail.com"), ("Mobile number", "", "(512) 555-0177")),
            long.id: plan(
                decision={
                    "kind": "unclear",
                    "words": "Their contact details lead to more than one person in Planning Center.",
                    "person": None,
                    "candidates": [],
                },
                rows=[],
                requests=0,
                question="Their contact details lead to more than one person in Planning Center.",
            ),
            tom.id: plan(("Birthdate", "1980-01-02", "1980-02-01"), ("Email", "tom@gmail.com", "tom.becker@gmail.com"), decision=None),
        }
        for subject, contents in found.items():
            session.add(SyncPreview(kind=PERSON, subject_id=subject, made_at=now(), contents=contents))
        lines = plan(
            ("Household", "", "Miller Household"),
            ("Person 1 in the household", "", "In the household"),
            ("Person 2 in the household", "", "In the household"),
            decision=None,
        )
        for number in (1, 2):
            lines["rows"][number]["member"] = number
        session.add(SyncPreview(kind=FAMILY, subject_id=family.id, made_at=now(), contents=lines))
        return Directory(ana.id, family.id, sent.id, changed.id)


def test_the_pages_of_a_push_are_readable_for_everybody(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    directory: Directory,
    sign_in: SignIn,  # noqa: F811
) -> None:
    page = enter(context, app, sign_in(grace, "owner").key, served)
    paths = {
        "send": "/send", "preview of people": f"/send/{PUSH_PEOPLE}/preview", "preview of families": f"/send/{PUSH_FAMILIES}/preview",
        "a receipt": f"/send/{directory.sent}", "a new difference": f"/send/{directory.changed}", "the run": "/runs/7", "runs": "/runs",
        "Planning Center": "/connection",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(path)
        assert browsing.faults_everywhere(page, f"push {name}") == []


def test_on_a_phone_preview_and_send_stand_on_the_line_of_what_they_send(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    directory: Directory,
    sign_in: SignIn,  # noqa: F811
) -> None:
    page = enter(context, app, sign_in(grace, "staff").key, served)
    browsing.show(page, browsing.PHONE, dark=False)
    page.goto("/send")
    rows = page.locator(".send-rows > li").filter(has=page.get_by_role("button", name="Preview"))
    assert rows.count() == 3
    for row in rows.all():
        line, preview, send = row.bounding_box(), *(one.bounding_box() for one in row.get_by_role("button").all())
        assert line is not None
        assert preview is not None
        assert send is not None
        assert preview["y"] == send["y"]
        assert preview["x"] > line["x"] + line["width"] / 3, "beside the words, not below them"


def test_staff_leave_something_out_of_a_family_and_send_the_rest(
    app: Flask,
    context: BrowserContext,
    served: str,
    grace: UUID,
    directory: Directory,
    sign_in: SignIn,  # noqa: F811
) -> None:
    page = enter(context, app, sign_in(grace, "staff").key, served)
    page.goto(f"/send/{PUSH_FAMILIES}/preview")
    family = page.locator(f"#previewed-{directory.millers}")
    expect(family.get_by_label("Leo Miller in the household")).to_be_checked()
    family.get_by_label("Leo Miller in the household").uncheck()
    expect(family.get_by_text("left out").locator("visible=true")).to_have_count(1)
    page.get_by_role("button", name="Send what is approved").click()
    expect(page.get_by_role("heading", name="Families to Planning Center 8")).to_be_visible()
    with church_scope(grace):
        item = db.session.scalars(select(SyncItem).where(SyncItem.subject_id == directory.millers)).one()
    assert item.approval is not None
    assert item.approval["left_out"] in (["m-1"], ["m-2"])
