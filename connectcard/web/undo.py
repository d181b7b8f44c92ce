"""Taking a run back: a preview first in which single rows can be left out, then yes or no, and sending again on purpose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.jobs.queue import ring
from connectcard.sync import cards_in_sync, push_board, runs, undo
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.families import named
from connectcard.sync.models import CARD, CARDS, FAMILY, PERSON, PUSH_PEOPLE, UNDO, SyncItem, SyncRun
from connectcard.sync.undo import Undone, UndoRow
from connectcard.web.access import staff_page
from connectcard.web.card_page import family_names
from connectcard.web.paging import asked_page
from connectcard.web.run_words import KINDS, KindWords

blueprint = Blueprint("undo", __name__)

DONE_SO = ("Removed", "Made", "Empty")


@dataclass(frozen=True)
class ShownRow:
    """One write, with the name of whom it is about where staff may read it."""

    row: UndoRow
    label: str


@dataclass(frozen=True)
class ShownItem:
    """A card or a record of the directory, as the page of an undo shows it. `page` is its own page and what that is asked with."""

    undone: Undone
    name: str
    page: tuple[str, dict[str, UUID]]
    rows: Sequence[ShownRow]


@blueprint.post("/runs/<int:number>/undo")
@staff_page(STAFF)
def begin(number: int) -> AnyResponse:
    """Look at what would be taken back; nothing is written."""
    return _then_show(number, lambda run: undo.begin(run, g.member.name))


@blueprint.post("/runs/<int:number>/undo/rows")
@staff_page(STAFF)
def rows(number: int) -> str | AnyResponse:
    """Keep which rows are ticked: the page with what follows from it, or another page of the same undo."""
    with transaction():
        run = runs.get_run(number)
        if run.kind != UNDO:
            raise NotFound("There is no such undo.")
        _keep_ticks(run)
    if request.headers.get("HX-Request"):
        run = runs.get_run(number)
        return render_template("runs/_undo_rows.html", run=run, figures=runs.counters(run), may_sync=True, **shown(run))
    return redirect(url_for("runs.run", number=number, page=request.form.get("go", 1, type=int)), 303)


@blueprint.post("/runs/<int:number>/undo/confirm")
@staff_page(STAFF)
def confirm(number: int) -> AnyResponse:
    """Take back what the preview shows, less what is not ticked."""

    def take_back(run: SyncRun) -> SyncRun:
        _keep_ticks(run)
        return undo.confirm(run)

    return _then_show(number, take_back)


@blueprint.post("/runs/<int:number>/undo/discard")
@staff_page(STAFF)
def discard(number: int) -> AnyResponse:
    """Leave everything as it is."""
    return _then_show(number, undo.discard)


@blueprint.post("/runs/<int:number>/undo/send-again")
@staff_page(STAFF)
def send_again(number: int) -> AnyResponse:
    """Send what was taken back once more."""
    return _then_show(number, lambda run: undo.send_again(run, g.member.name))


def _keep_ticks(run: SyncRun) -> None:
    seen = _asked("shown")
    if seen:
        undo.leave_out(run, seen, _asked("take"), g.member.name)


def _asked(name: str) -> list[UUID]:
    """The steps that the form names."""
    return request.form.getlist(name, type=UUID)


def _then_show(number: int, change: Callable[[SyncRun], SyncRun]) -> AnyResponse:
    try:
        with transaction():
            shown = change(runs.get_run(number)).number
            after_commit(partial(ring, g.church.id))
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        shown = number
    return redirect(url_for("runs.run", number=shown), 303)


def words_of(run: SyncRun) -> KindWords:
    """What a run counts; an undo counts what the run did that it takes back, where that is of one kind."""
    undone = undo.undone_run(run).kind if run.kind == UNDO else run.kind
    return KINDS[undone if undone in (CARDS, PUSH_PEOPLE) or run.kind != UNDO else UNDO]


def shown(run: SyncRun) -> dict[str, object]:
    """What the page of a run shows of undoing: the rows of an undo, or whether the run can be taken back."""
    if run.kind != UNDO:
        return {"may_be_undone": undo.may_be_undone(run), "undo_run": undo.undo_of(run)}
    undone, page = undo.undone_run(run), asked_page()
    return {
        "undone_run": undone,
        "begun_before": undo.begun_before(undone),
        "of_cards": undone.kind == CARDS,
        "looked_at": undo.looked_at(run),
        "waiting_again": undo.waiting_again(run),
        "undo_items": _items(run, page),
        "undo_page": page,
        "undo_pages": -(-run.total // undo.ROWS_A_PAGE),
    }


@blueprint.app_template_filter()
def will_be(result: str) -> str:
    """What is shown before it is done: "Will be removed"; a value that comes back stays as it is."""
    return f"Will be {result[0].lower()}{result[1:]}" if result.startswith(DONE_SO) else result


def _items(run: SyncRun, page: int) -> list[ShownItem]:
    undone = undo.undone_in(run, page)
    cards = cards_in_sync.cards_of_items([one.of.id for one in undone if one.of.kind == CARD])
    return [_item(one, cards.get(one.of.id)) for one in undone if one.of.kind != CARD or one.of.id in cards]


def _item(undone: Undone, card: CardInSync | None) -> ShownItem:
    if card is None:
        name = push_board.about(undone.of.kind, undone.of.about) or "Somebody"
        return ShownItem(undone, name, _page_of(undone.of), [_of_directory(row) for row in undone.rows])
    names, left = family_names(card.submission), card.submission
    rows = [ShownRow(row, named(row.label, row.member, names)) for row in undone.rows]
    return ShownItem(undone, f"{left.first_name} {left.last_name}".strip(), ("inbox.card", {"submission_id": left.id}), rows)


def _page_of(item: SyncItem) -> tuple[str, dict[str, UUID]]:
    if item.kind == PERSON:
        return "directory.person", {"person_id": item.about}
    if item.kind == FAMILY:
        return "directory.family", {"family_id": item.about}
    return "directory.group", {"group_id": push_board.group_of(item.about) or item.about}


def _of_directory(row: UndoRow) -> ShownRow:
    """A family's rows name nobody; whoever may see the directory reads there who it is."""
    name = push_board.name_of(row.subject) if row.subject else ""
    return ShownRow(row, row.label.replace(f"Person {row.member}", name, 1) if name else row.label)
