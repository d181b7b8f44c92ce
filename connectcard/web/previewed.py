"""The page of previews, for cards and for records of our own directory: what a worker found, what is ticked, and sending just that."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import VIEWER
from connectcard.database import transaction
from connectcard.errors import ChangeRefused
from connectcard.sync import approvals
from connectcard.sync.approvals import Approval, Sendable
from connectcard.sync.previews import LOOKING, Preview
from connectcard.web.ringing import ring_afterwards

# As many as an address can name (gunicorn takes 4,094 characters of it).
MOST_NAMED = 100


@dataclass(frozen=True)
class Previewed:
    """A card or record with its preview, where one was asked for. `waits`: it can be approved; `kind` is for a page of several kinds.

    `names` are those of the members of a family, by their numbers; `left_out` are the marks that were left out before.
    """

    about: UUID
    name: str
    address: str
    preview: Preview | None
    names: Mapping[int, str]
    waits: bool
    left_out: Collection[str] = ()
    kind: str = ""

    @property
    def looking(self) -> bool:
        return self.preview is not None and self.preview.state == LOOKING

    @property
    def may_be_sent(self) -> bool:
        return self.preview is not None and self.preview.can_be_sent and self.waits


@dataclass(frozen=True)
class Page:
    """Where previews stand: the `room` with the pages look, preview, found and send, and what tells its pages apart (`of`)."""

    room: str
    of: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    counted: str = ""
    number: int = 1
    pages: int = 1
    empty: str = ""

    def address(self, name: str, **more: Any) -> str:
        values: dict[str, Any] = {**self.of, **more}
        return url_for(f"{self.room}.{name}", **values)


def shown(page: Page, rows: Sequence[Previewed]) -> str:
    """The page with what is known of its rows."""
    looked_at = [row.preview for row in rows if row.preview and not row.looking]
    return render_template(
        "runs/preview.html",
        page=page,
        rows=rows,
        waiting=[row for row in rows if row.looking],
        sendable=any(row.may_be_sent for row in rows),
        unseen=sum(row.preview is None for row in rows),
        looked_at=len(looked_at),
        requests=sum(preview.requests for preview in looked_at),
        may_sync=may_sync(),
    )


def found(page: Page, rows_of: Callable[[Sequence[UUID]], Sequence[Previewed]]) -> AnyResponse:
    """What a worker found since the page asked last; nothing (204) where that is nothing."""
    waiting = asked_ids("waiting")
    rows = rows_of(waiting)
    new = [row for row in rows if not row.looking]
    if not new and len(rows) == len(waiting):
        return Response(status=204)
    still = [row for row in rows if row.looking]
    sendable = bool(request.args.get("sendable")) or any(row.may_be_sent for row in new)
    return Response(render_template("runs/_found.html", page=page, new=new, waiting=still, sendable=sendable, may_sync=may_sync()))


def send(sendable: Sendable, page: Page) -> AnyResponse:
    """Send what is ticked, each with the writes that are ticked, and show the run."""
    approved = [Approval(one, *said_about(one)) for one in asked_ids("approved")]
    try:
        if not approved:
            raise ChangeRefused("Nothing was ticked, so nothing was sent.")
        with transaction():
            run, sent = approvals.approve(approved, sendable, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return redirect(page.address("preview"), 303)
    if sent < len(approved):
        flash(f"{len(approved) - sent} of them changed meanwhile and stayed here. Preview them again.", "warn")
    return redirect(url_for("runs.run", number=run.number), 303)


def said_about(about: UUID) -> tuple[str, frozenset[str]]:
    """What the form says about a card or record: the plan that was shown, and the writes that are ticked."""
    return request.form.get(f"seen-{about}", ""), frozenset(request.form.getlist(f"row-{about}"))


def asked_ids(name: str) -> list[UUID]:
    """The ids that the request names, with points between them or one by one; what is none is left out."""
    named = ".".join(request.values.getlist(name)).split(".")[:MOST_NAMED]
    return list(dict.fromkeys(filter(None, map(_id, named))))


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def may_sync() -> bool:
    return bool(g.member.role != VIEWER)
