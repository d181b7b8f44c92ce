"""The preview of an undo in a real browser: rows are left out one after the other, also where the answers come slowly."""

import json
from uuid import UUID

from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import transaction
from connectcard.sync.models import FINISHED, PREVIEW, REVIEW, SYNCED, UNDO, SyncItem, SyncOutcome, SyncStep
from connectcard.web.sessions import cookie_name
from tests import browsing
from tests.making import a_card, a_run, an_item
from tests.staff import signed_in

SLOWLY = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}


def what_would_be_taken_back(church_id: UUID) -> None:
    """Run 2 shows what it would take back of run 1: an e-mail address, a phone number and an address of one card."""
    run = a_run(church_id, FINISHED, finished_at=now(), total=1, updated=1)
    an_item(church_id, a_card(church_id), SYNCED, run, "updated", person_remote_id="77")
    undo = a_run(church_id, PREVIEW, kind=UNDO, undoes_run_id=run, total=1)
    with church_scope(church_id), transaction() as session:
        outcome = session.scalars(select(SyncOutcome.id)).one()
        item = SyncItem(kind=UNDO, subject_id=outcome, run_id=undo, state=REVIEW, planned_at=now())
        session.add(item)
        session.flush()
        for position, (kind, label) in enumerate((("email", "Email"), ("phone", "Mobile number"), ("address", "Address"))):
            body = json.dumps({"record": str(position), "person": "77", "of": f"add_{kind}", "result": "Removed", "after": {}})
            step = SyncStep(item_id=item.id, position=position, kind=f"remove_{kind}", natural_key=kind, label=label)
            step.body = body
            session.add(step)


def test_two_rows_left_out_at_once_are_both_left_out(app: Flask, browser: Browser, served: str, grace: UUID) -> None:
    what_would_be_taken_back(grace)
    with browsing.visitor(browser, served) as context:
        context.add_cookies([{"name": cookie_name(app), "value": signed_in(app, grace).key, "url": served}])
        page = context.new_page()
        page.goto("/runs/2")
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOWLY)
        page.get_by_label("Email").uncheck()
        page.get_by_label("Mobile number").uncheck()
        expect(page.get_by_text("1 to take back, 2 kept")).to_be_visible(timeout=8_000)
        expect(page.get_by_label("Mobile number")).not_to_be_checked()
        assert page.get_by_label("Address").is_checked()
