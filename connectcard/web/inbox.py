"""The cards that came in: a list to work through, one card (card_page), and what staff do with it."""

from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards import corrections, queries
from connectcard.cards.fields import FIELDS, Address
from connectcard.cards.models import Submission
from connectcard.churches.models import STAFF
from connectcard.clock import now
from connectcard.database import transaction
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.sync import cards_in_sync, decisions, destinations, questions, runs, set_aside, to_dos
from connectcard.sync.card_approvals import may_be_approved
from connectcard.sync.cards_in_sync import ALL, NEEDS_YOU, READY, STANDINGS, TABS, CardInSync, Wish
from connectcard.sync.models import FAILED, SYNCED
from connectcard.sync.previews import find_preview, want_preview
from connectcard.web.access import poll, staff_page
from connectcard.web.card_export import exported_lines
from connectcard.web.card_page import card_page, family_names, may_change, written
from connectcard.web.card_words import LIST_WORDS
from connectcard.web.paging import asked_page
from connectcard.web.ringing import ring_afterwards
from connectcard.web.times import local_day, long_day

blueprint = Blueprint("inbox", __name__)

TAB_WORDS = {NEEDS_YOU: "Needs you", READY: "Ready", SYNCED: "Synced", ALL: "All"}
LONGEST_SEARCH = 100
SENT_AGAIN = "The card is on its way to Planning Center again."


# The list.


@blueprint.get("/cards")
@staff_page()
def inbox() -> str:
    counts = cards_in_sync.counts()
    wish = wished(counts)
    found = cards_in_sync.inbox(wish, g.church.time_zone)
    return render_template(
        "cards/inbox.html",
        inbox=found,
        counts=counts,
        wish=wish,
        tabs=TAB_WORDS,
        list_words=LIST_WORDS,
        labels=destinations.labels(),
        running=runs.running(),
        questions=questions.count(),
        today_words=long_day(now()),
        page_rows=cards_in_sync.PAGE_ROWS,
        address_of=address_of,
    )


def wished(counts: dict[str, int]) -> Wish:
    """What the address asks for; what it says wrong is left out. Without a tab the first one with work in it is shown."""
    standing = request.args.get("state", "")
    tab = request.args.get("tab", "")
    first_with_work = next((tab for tab in (NEEDS_YOU, READY) if counts[tab]), ALL)
    return Wish(
        tab=ALL if standing in STANDINGS else tab if tab in TABS else first_with_work,
        standing=standing if standing in STANDINGS else "",
        day=_day(request.args.get("day", "")),
        text=request.args.get("search", "").strip()[:LONGEST_SEARCH],
        page=asked_page(),
    )


def _day(text: str) -> date | None:
    """A day that begins and ends within the calendar, in every time zone."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if MINYEAR < day.year < MAXYEAR else None


def address_of(wish: Wish, endpoint: str = "inbox.inbox", **others: Any) -> str:
    """The address of a list like this one."""
    said = {"tab": wish.tab, "state": wish.standing, "day": wish.day, "search": wish.text} | others
    return url_for(endpoint, **{name: value for name, value in said.items() if value})


@blueprint.get("/cards/export.csv")
@staff_page()
def export() -> Response:
    """The cards of the list as a file for a spreadsheet: no prayer, no family, and no cell that could be a formula."""
    lines = exported_lines(wished(cards_in_sync.counts()), destinations.labels(), g.church.id, g.church.time_zone)
    disposition = {"Content-Disposition": f"attachment; filename=cards-{local_day(now())}.csv"}
    return Response(stream_with_context(lines), mimetype="text/csv", headers=disposition)


# One card.


@blueprint.get("/cards/<uuid:submission_id>")
@staff_page()
def card(submission_id: UUID) -> str:
    return card_page(cards_in_sync.get_card(submission_id))


def go_to(card_or_id: CardInSync | UUID, anchor: str | None = None) -> AnyResponse:
    submission_id = card_or_id if isinstance(card_or_id, UUID) else card_or_id.submission.id
    return redirect(url_for("inbox.card", submission_id=submission_id, _anchor=anchor), 303)


# What staff do with it.


@blueprint.post("/cards/<uuid:submission_id>/decide")
@staff_page(STAFF)
def decide(submission_id: UUID) -> AnyResponse:
    """Say who this is: `person` is "new", or "same" or "household" with the remote id of somebody of those found: "same:48213"."""
    kind, _, person = request.form.get("person", "").partition(":")
    try:
        with transaction():
            item = cards_in_sync.get_card(submission_id).item
            if item is None:
                raise ChangeRefused("This card was not sent yet, so there is nothing to decide.")
            decisions.decide_by_hand(item, kind, person or None, g.member.name)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "bad")
    else:
        flash("Saved. The card is on its way to Planning Center.", "ok")
    return go_to(submission_id)


@blueprint.get("/cards/<uuid:submission_id>/correct")
@staff_page(STAFF)
def correct(submission_id: UUID) -> str | AnyResponse:
    card = cards_in_sync.get_card(submission_id)
    try:
        set_aside.refuse_while_it_travels(card)
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return go_to(card)
    return correct_page(card, form_of(queries.effective_answers(card.submission)), {})


def correct_page(card: CardInSync, form: Mapping[str, str], problems: Mapping[str, str]) -> str:
    original = {answer.field: answer.words for answer in written(card.submission)}
    number = len(queries.corrections_of(card.submission))
    return render_template("cards/correct.html", card=card, form=form, problems=problems, original=original, corrections=number)


def refuse_what_was_not_seen(submission: Submission) -> None:
    """Raise AnswersRefused where somebody corrected the card since the form was shown: nobody's correction is undone unseen."""
    since = queries.corrections_of(submission)[request.form.get("corrections", 0, type=int) :]
    corrected = frozenset[str]().union(*(FIELDS[one.field].names for one in since))
    stands = {name: value for name, value in form_of(queries.effective_answers(submission)).items() if name in corrected}
    others = {name: value or "Nothing" for name, value in stands.items() if request.form.get(name, "") != value}
    if others:
        raise AnswersRefused({name: f"{value} stands here by now. Save again to replace it." for name, value in others.items()})


def form_of(answers: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of the correction, filled with the answers as they stand."""
    address = {f"address_{part}": answers.get("address", {}).get(part, "") for part in Address.parts}
    return {field: answers.get(field, "") for field in ("first_name", "last_name", "email", "phone")} | address


@blueprint.post("/cards/<uuid:submission_id>/correct")
@staff_page(STAFF)
def save_correction(submission_id: UUID) -> tuple[str, int] | AnyResponse:
    """Mend a typo; a rejected card is tried again at once if staff say so."""
    try:
        with transaction():
            card = set_aside.card_to_change(submission_id)
            refuse_what_was_not_seen(card.submission)
            changed = corrections.correct(card.submission, request.form, g.member.name)
            again = card.item is not None and card.standing == FAILED and "retry" in request.form
            if again:
                try_again(card)
    except AnswersRefused as refused:
        return correct_page(cards_in_sync.get_card(submission_id), request.form, refused.problems), 422
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
        return go_to(submission_id)
    flash(SENT_AGAIN if again else "Corrected. What they wrote stays beside it." if changed else "Nothing was changed.", "ok")
    return go_to(submission_id)


@blueprint.post("/cards/<uuid:submission_id>/retry")
@staff_page(STAFF)
def retry(submission_id: UUID) -> AnyResponse:
    """Try a rejected card again as it is."""
    return _move(submission_id, try_again, SENT_AGAIN)


def try_again(card: CardInSync) -> None:
    if card.item is None:
        raise ChangeRefused("This card was not sent yet. It goes with the next sync.")
    decisions.retry(card.item, g.member.name)
    ring_afterwards()


@blueprint.post("/cards/<uuid:submission_id>/ignore")
@staff_page(STAFF)
def ignore(submission_id: UUID) -> AnyResponse:
    return _move(submission_id, set_aside.set_aside, "Ignored. The card is kept and not sent.")


@blueprint.post("/cards/<uuid:submission_id>/restore")
@staff_page(STAFF)
def restore(submission_id: UUID) -> AnyResponse:
    return _move(submission_id, set_aside.bring_back, "This card goes with the next sync.")


@blueprint.post("/cards/<uuid:submission_id>/done")
@staff_page(STAFF)
def done(submission_id: UUID) -> AnyResponse:
    """What the card left to staff is done."""
    return _move(submission_id, lambda card: to_dos.done(card.item, g.member.name), "Done. Nothing is left to do about this card.")


@blueprint.post("/cards/<uuid:submission_id>/into-group")
@staff_page(STAFF)
def put_into_group(submission_id: UUID) -> AnyResponse:
    """Have the visitor put into the group that they chose after all."""

    def put_in(card: CardInSync) -> None:
        to_dos.put_into_group(card.item, g.member.name)
        ring_afterwards()

    return _move(submission_id, put_in, "They are on their way into the group.")


def _move(submission_id: UUID, move: Callable[[CardInSync], None], done: str) -> AnyResponse:
    try:
        with transaction():
            move(cards_in_sync.get_card(submission_id))
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    else:
        flash(done, "ok")
    return go_to(submission_id)


# What changes while somebody looks at the page.


@blueprint.get("/cards/<uuid:submission_id>/standing")
@staff_page()
@poll
def standing(submission_id: UUID) -> AnyResponse:
    """Asked by the page of a card that travels: once it moved on, the page is shown anew."""
    card = cards_in_sync.get_card(submission_id)
    if card.standing == request.args.get("seen"):
        return Response(status=204)
    return Response(headers={"HX-Redirect": url_for("inbox.card", submission_id=submission_id)})


@blueprint.post("/cards/<uuid:submission_id>/preview")
@staff_page(STAFF)
def preview(submission_id: UUID) -> AnyResponse:
    """Have a worker find out what a sync would do, without writing."""
    with transaction():
        card = cards_in_sync.get_card(submission_id)
        want_preview(submission_id)
        ring_afterwards()
    return go_to(card, "preview")


@blueprint.get("/cards/<uuid:submission_id>/preview")
@staff_page()
@poll
def found_preview(submission_id: UUID) -> str | AnyResponse:
    """The fragment that a page asks for until the worker has looked."""
    card = cards_in_sync.get_card(submission_id)
    found = find_preview(submission_id)
    if found is not None and found.state == "looking":
        return Response(status=204)
    may = {"may_change": may_change(), "may_approve": may_be_approved(card)}
    return render_template("cards/_preview.html", card=card, preview=found, family_names=family_names(card.submission), **may)
