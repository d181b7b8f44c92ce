"""A name of one long word, in letters of either direction, makes no page of the staff wider than the screen, be it a phone or a desk."""

from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import transaction
from connectcard.people.models import Family, FamilyMember, Identity, Person
from connectcard.people.pulled import PulledPerson
from connectcard.people.taking_in import take_in_people
from connectcard.sync.models import PERSON, REVIEW, SYNCED, SyncItem, SyncOutcome
from connectcard.web.sessions import cookie_name
from tests import browsing
from tests.making import a_card, a_run, a_step, an_item, candidate, unclear
from tests.staff import signed_in
from tests.web.test_directory import a_group

LONG, OTHER = "Wolfeschlegelsteinhausenbergerdorffwelche", "عبدالرحمنKeihanaikukauakahihuliheekahaunaele"
SIZES = ((320, 640), browsing.PHONE, browsing.TABLET, browsing.DESKTOP)


@pytest.fixture
def pages(grace: UUID) -> dict[str, str]:
    """Pages about somebody of such a name, by what they are called."""
    asked, arrived = a_card(grace, first_name=LONG, last_name=OTHER), a_card(grace, first_name=LONG, last_name=LONG)
    run = a_run(grace, "finished", finished_at=now(), total=2, created=1, needs_you=1, started_by=f"{LONG} Hill")
    somebody = unclear(candidate("48213", f"{OTHER} {LONG}", "email"), words=f"Same email as {OTHER} {LONG}, but another name.")
    an_item(grace, asked, REVIEW, run, "needs_you", decision=somebody)
    new = {"kind": "new", "words": "Nobody has this name.", "person": None, "candidates": []}
    a_step(grace, an_item(grace, arrived, SYNCED, run, "created", decision=new, person_remote_id="77"), LONG, remote_id="78")
    group = a_group(grace, f"Young families of {LONG}", schedule=OTHER)
    with church_scope(grace), transaction() as session:
        take_in_people([PulledPerson("7", Identity(LONG, OTHER, nickname=LONG))], now())
        person, family = session.scalars(select(Person.id)).one(), Family(name=f"{LONG} {LONG} Household", city=f"{LONG}{LONG}")
        session.add(family)
        session.flush()
        session.add(FamilyMember(family_id=family.id, person_id=person, added_here_at=now()))
        sent = SyncItem(kind=PERSON, subject_id=person, run_id=run, state=REVIEW, decision=somebody)
        session.add(sent)
        session.flush()
        session.add(SyncOutcome(run_id=run, item_id=sent.id, outcome="needs_you"))
        return {
            "home": "/", "list": "/cards?tab=all", "asked": f"/cards/{asked}", "arrived": f"/cards/{arrived}", "review": "/cards/review",
            "correct": f"/cards/{asked}/correct", "run": "/runs/1", "people": "/people", "person": f"/people/{person}",
            "families": "/families", "family": f"/families/{family.id}", "group": f"/groups/{group}", "send": "/send",
            "record": f"/send/{sent.id}",
        }  # fmt: skip


def test_no_page_is_wider_than_the_screen(app: Flask, browser: Browser, served: str, grace: UUID, pages: dict[str, str]) -> None:
    sam = signed_in(app, grace, name=f"{LONG} Hill")
    with browsing.visitor(browser, served) as context:
        context.add_cookies([{"name": cookie_name(app), "value": sam.key, "url": served}])
        page = context.new_page()
        found = {}
        for name, path in pages.items():
            page.goto(path)
            for size in SIZES:
                browsing.show(page, size, dark=False)
                found[name, size] = browsing.sticks_out(page)
            browsing.photograph(page, f"long-{name}")
    assert {where: what for where, what in found.items() if what} == {}
