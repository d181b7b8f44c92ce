"""Preview of a push: what every record that waits would write in Planning Center, a page at a time; what is ticked is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import transaction
from connectcard.errors import NotFound
from connectcard.sync import push_approvals, push_board
from connectcard.sync.models import SyncItem
from connectcard.sync.previews import Preview, find_previews, want_previews
from connectcard.web import previewed
from connectcard.web.access import poll, staff_page
from connectcard.web.paging import asked_page
from connectcard.web.previewed import Page, Previewed
from connectcard.web.push_words import KIND_WORDS, WORDS, address_of
from connectcard.web.ringing import ring_afterwards

blueprint = Blueprint("push_previews", __name__)

EMPTY = "When staff add or change somebody here, this page shows what would be written in Planning Center, before anything is written."


@blueprint.post("/send/<kind>/preview")
@staff_page(STAFF)
def look(kind: str) -> AnyResponse:
    """Have a worker find out what the records of one page would write."""
    found = push_approvals.page_of(kind, asked_page())
    with transaction():
        want_previews(found.subjects)
        ring_afterwards()
    return redirect(url_for("push_previews.preview", kind=kind, page=found.page), 303)


@blueprint.get("/send/<kind>/preview")
@staff_page()
def preview(kind: str) -> str:
    found = push_approvals.page_of(kind, asked_page())
    counted = f"{found.waiting:,} record{'' if found.waiting == 1 else 's'} to send"
    page = replace(_place(kind), counted=counted, number=found.page, pages=found.pages)
    kinds = {subject: item_kind for item_kind, subject in found.subjects}
    return previewed.shown(page, _rows(kinds, find_previews(list(kinds))))


@blueprint.get("/send/<kind>/preview/found")
@staff_page()
@poll
def found(kind: str) -> AnyResponse:
    """What a worker found since the page asked last."""
    return previewed.found(_place(kind), _previewed_before)


@blueprint.post("/send/<kind>/approved")
@staff_page(STAFF)
def send(kind: str) -> AnyResponse:
    """Send the records that are ticked, each with the writes that are ticked."""
    return previewed.send(push_approvals.pushes_of(kind), _place(kind))


def _place(kind: str) -> Page:
    if kind not in WORDS:
        raise NotFound("There is no such push.")
    return Page("push_previews", {"kind": kind}, f"Preview: {WORDS[kind].lower()}", empty=EMPTY)


def _previewed_before(subjects: Sequence[UUID]) -> list[Previewed]:
    previews = find_previews(subjects)
    kinds = {subject: previews[subject].kind for subject in subjects if subject in previews}
    return _rows({subject: kind for subject, kind in kinds.items() if kind in KIND_WORDS}, previews)


def _rows(kinds: Mapping[UUID, str], previews: Mapping[UUID, Preview]) -> list[Previewed]:
    items = push_approvals.items_of(list(kinds))
    return [_row(kind, subject, items.get(subject), previews.get(subject)) for subject, kind in kinds.items()]


def _row(kind: str, subject: UUID, item: SyncItem | None, preview: Preview | None) -> Previewed:
    return Previewed(
        about=subject,
        name=push_board.about(kind, subject) or "Somebody",
        address=address_of(kind, subject),
        preview=preview,
        names=push_board.names_in(kind, subject),
        waits=push_approvals.may_be_approved(item),
        left_out=(item.approval or {}).get("left_out", ()) if item else (),
        kind=KIND_WORDS[kind],
    )
