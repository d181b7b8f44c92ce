"""Taking a sync back: a preview first, then yes or no, and sending the cards again on purpose."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused
from connectcard.jobs.queue import ring
from connectcard.sync import cards_in_sync, runs, undo
from connectcard.sync.cards_in_sync import CardInSync
from connectcard.sync.models import UNDO, SyncRun
from connectcard.sync.undo import UndoneCard
from connectcard.web.access import staff_page
from connectcard.web.inbox import family_names

blueprint = Blueprint("undo", __name__)

DONE_SO = ("Removed", "Made", "Empty")


@dataclass(frozen=True)
class UndoneRow:
    """A card of an undo, as its page shows it. `names` are those of the family, for staff."""

    undone: UndoneCard
    card: CardInSync
    names: dict[int, str]


@blueprint.post("/runs/<int:number>/undo")
@staff_page(STAFF)
def begin(number: int) -> AnyResponse:
    """Look at what would be taken back; nothing is written."""
    return _then_show(number, lambda run: undo.begin(run, g.member.name))


@blueprint.post("/runs/<int:number>/undo/confirm")
@staff_page(STAFF)
def confirm(number: int) -> AnyResponse:
    """Take back what the preview shows."""
    return _then_show(number, undo.confirm)


@blueprint.post("/runs/<int:number>/undo/discard")
@staff_page(STAFF)
def discard(number: int) -> AnyResponse:
    """Leave everything as it is."""
    return _then_show(number, undo.discard)


@blueprint.post("/runs/<int:number>/undo/send-again")
@staff_page(STAFF)
def send_again(number: int) -> AnyResponse:
    """Send the cards that were taken back once more."""
    return _then_show(number, lambda run: undo.send_again(run, g.member.name))


def _then_show(number: int, change: Callable[[SyncRun], SyncRun]) -> AnyResponse:
    church_id = g.church.id
    try:
        with transaction():
            shown = change(runs.get_run(number)).number
            after_commit(lambda: ring(church_id))
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        shown = number
    return redirect(url_for("runs.run", number=shown), 303)


def shown(run: SyncRun) -> dict[str, object]:
    """What the page of a run shows of undoing: the rows of an undo, or whether the run can be taken back."""
    if run.kind != UNDO:
        return {"may_be_undone": undo.may_be_undone(run), "undo_run": undo.undo_of(run)}
    page = max(1, request.args.get("page", 1, type=int))
    return {
        "undone_run": undo.undone_run(run),
        "looked_at": undo.looked_at(run),
        "waiting_again": undo.waiting_again(run),
        "undo_rows": _rows(run, page),
        "undo_page": page,
        "undo_pages": -(-run.total // undo.ROWS_A_PAGE),
    }


@blueprint.app_template_filter()
def will_be(result: str) -> str:
    """What is shown before it is done: "Will be removed"; a value that comes back stays as it is."""
    return f"Will be {result[0].lower()}{result[1:]}" if result.startswith(DONE_SO) else result


def _rows(run: SyncRun, page: int) -> list[UndoneRow]:
    undone = undo.cards_of(run, page)
    cards = cards_in_sync.cards_of_items([one.card_item_id for one in undone])
    here = [(one, cards[one.card_item_id]) for one in undone if one.card_item_id in cards]
    return [UndoneRow(one, card, dict(family_names(card.submission))) for one, card in here]
