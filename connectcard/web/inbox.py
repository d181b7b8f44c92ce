"""The cards that came in: a list to work through, one card with everything about it, and what staff do with it."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, g, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.cards import corrections, queries
from connectcard.cards.in_words import FIELD_LABELS, Labels, in_words, opened_family
from connectcard.cards.models import Correction, Submission
from connectcard.churches.models import STAFF, VIEWER
from connectcard.churches.tenancy import church_scope
from connectcard.clock import now
from connectcard.database import after_commit, transaction
from connectcard.errors import AnswersRefused, ChangeRefused
from connectcard.jobs.queue import ring
from connectcard.sync import cards_in_sync, decisions, destinations, questions, runs, set_aside, to_dos
from connectcard.sync.approvals import stopped_as_changed
from connectcard.sync.card_approvals import may_be_approved
from connectcard.sync.cards_in_sync import ALL, ARRIVED, NEEDS_YOU, READY, SENDING, STANDINGS, TABS, CardInSync, Wish
from connectcard.sync.families import names_for_staff
from connectcard.sync.family_questions import members_asked
from connectcard.sync.histories import history
from connectcard.sync.models import FAILED, SYNCED, WAITING
from connectcard.sync.previews import find_preview, want_preview
from connectcard.web.access import poll, staff_page
from connectcard.web.card_words import LIST_WORDS, Status, came_from, status
from connectcard.web.paging import asked_page
from connectcard.web.times import local, local_day, long_day

blueprint = Blueprint("inbox", __name__)

TAB_WORDS = {NEEDS_YOU: "Needs you", READY: "Ready", SYNCED: "Synced", ALL: "All"}
LONGEST_SEARCH = 100
SENT_AGAIN = "The card is on its way to Planning Center again."
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "Received",
    "First name",
    "Last name",
    "Email",
    "Mobile",
    "Address",
    "Visit",
    "Asked for",
    "Heard about us",
    "Group to join",
    "Text me",
    "Planning Center",
    "Person",
    "Came from",
)


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
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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


def exported_lines(wish: Wish, labels: Labels, church_id: UUID, time_zone: str) -> Iterator[str]:
    """The file piece by piece. The view has returned and its scope is closed, so that each piece opens it again."""
    yield "\ufeff" + csv_line(COLUMNS)  # the mark by which Excel knows UTF-8
    after = None
    while True:
        with church_scope(church_id):
            cards = cards_in_sync.in_batches(wish, time_zone, after)
            piece = "".join(map(csv_line, exported(cards, labels)))
        if not cards:
            return
        after = (cards[-1].submission.received_at, cards[-1].submission.id)
        yield piece


def exported(cards: Sequence[CardInSync], labels: Labels) -> Iterator[list[str]]:
    """One row a card, in the order of COLUMNS."""
    answers_of = queries.effective_answers_of([card.submission for card in cards])
    for card in cards:
        submission, answers = card.submission, answers_of[card.submission.id]
        named = [submission.first_name, submission.last_name, submission.email, submission.phone]
        said = [in_words(field, answers.get(field), labels) for field in ("address", "visit", "interests", "heard", "group", "text_me")]
        person = (card.item and card.item.person_remote_id) or ""
        received = f"{local(submission.received_at):%Y-%m-%d %H:%M}"
        yield [received, *named, *said, one_line(status(card)), person, came_from(submission.came_from)]


def one_line(status: Status) -> str:
    return f"{status.words}: {status.detail}" if status.detail else status.words


def csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([defused(cell) for cell in cells])
    return line.getvalue()


def defused(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


# One card.


@blueprint.get("/cards/<uuid:submission_id>")
@staff_page()
def card(submission_id: UUID) -> str:
    return card_page(cards_in_sync.get_card(submission_id))


def card_page(card: CardInSync) -> str:
    """Everything about one card, for those who may see it."""
    submission = card.submission
    return render_template(
        "cards/card.html",
        card=card,
        submission=submission,
        answers=written(submission),
        may_change=may_change(),
        private=private_words(submission) if may_change() else None,
        family_names=family_names(submission),
        history=history(card),
        preview=find_preview(submission.id),
        candidates=candidates_of(card),
        members_asked=members_asked(card.item) if may_change() else [],
        travelling=card.standing in (SENDING, WAITING),
        arrived=card.standing in ARRIVED,
        may_put_in=to_dos.may_be_put_in(card.item),
        changed=stopped_as_changed(card.item),
        may_approve=may_be_approved(card),
    )


def may_change() -> bool:
    return bool(g.member.role != VIEWER)


@dataclass(frozen=True)
class Written:
    """One answer as the visitor wrote it, and what staff made of it."""

    field: str
    label: str
    words: str
    corrected: str | None = None
    by: str = ""


def written(submission: Submission) -> list[Written]:
    """What they wrote, in the order of the card; a corrected answer keeps the visitor's own words beside it."""
    labels = queries.labels_of(submission)
    corrected = {correction.field: correction for correction in queries.corrections_of(submission)}
    answers = [
        Written(field, label, in_words(field, submission.answers.get(field), labels), *_corrected(corrected.get(field), labels))
        for field, label in FIELD_LABELS.items()
    ]
    extra = [Written(name, name, text) for name, text in submission.answers.get("extra", {}).items()]
    return [answer for answer in answers + extra if answer.words or answer.corrected]


def _corrected(correction: Correction | None, labels: Labels) -> tuple[str | None, str]:
    return (in_words(correction.field, correction.value, labels), correction.member_name) if correction else (None, "")


def private_words(submission: Submission) -> dict[str, str]:
    """The sealed parts of a card, opened for staff."""
    return {"prayer": submission.prayer or "", "family": in_words("family", opened_family(submission.family), {})}


def family_names(submission: Submission) -> dict[int, str]:
    """What the members of the family are called, opened for staff."""
    return names_for_staff(opened_family(submission.family)) if may_change() else {}


def candidates_of(card: CardInSync) -> list[dict[str, Any]]:
    """The people whom this card could be, as matching saw them."""
    return (card.item.decision or {}).get("candidates", []) if card.item else []


def go_to(card_or_id: CardInSync | UUID, anchor: str | None = None) -> AnyResponse:
    submission_id = card_or_id if isinstance(card_or_id, UUID) else card_or_id.submission.id
    return redirect(url_for("inbox.card", submission_id=submission_id, _anchor=anchor), 303)


# What staff do with it.


@blueprint.post("/cards/<uuid:submission_id>/decide")
@staff_page(STAFF)
def decide(submission_id: UUID) -> AnyResponse:
    """Say who this is: somebody of those found, or someone new."""
    chosen = request.form.get("person", "")
    try:
        with transaction():
            card = cards_in_sync.get_card(submission_id)
            decide_about(card, chosen)
            ring_afterwards()
    except ChangeRefused as refusal:
        flash(str(refusal), "bad")
    else:
        flash("Saved. The card is on its way to Planning Center.", "ok")
    return go_to(submission_id)


def decide_about(card: CardInSync, chosen: str) -> None:
    """`chosen` is the remote id of a person, or "new". Raises ChangeRefused."""
    if card.item is None or not chosen:
        raise ChangeRefused("Choose one of the people, or “Someone new”.")
    kind, person = ("new", None) if chosen == "new" else ("same", chosen)
    decisions.decide_by_hand(card.item, kind, person, g.member.name)


def ring_afterwards() -> None:
    """Wake the worker once everything is stored; a lost bell costs delay only."""
    church_id = g.church.id
    after_commit(lambda: ring(church_id))


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
    return render_template("cards/correct.html", card=card, form=form, problems=problems, original=original)


def form_of(answers: Mapping[str, Any]) -> dict[str, str]:
    """The inputs of the correction, filled with the answers as they stand."""
    address = {f"address_{part}": text for part, text in answers.get("address", {}).items()}
    return {field: answers.get(field, "") for field in ("first_name", "last_name", "email", "phone")} | address


@blueprint.post("/cards/<uuid:submission_id>/correct")
@staff_page(STAFF)
def save_correction(submission_id: UUID) -> tuple[str, int] | AnyResponse:
    """Mend a typo; a rejected card is tried again at once if staff say so."""
    try:
        with transaction():
            card = cards_in_sync.get_card(submission_id)
            set_aside.refuse_while_it_travels(card)
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
