"""Sync to Planning Center: start it, watch it, stop it, and what earlier ones did."""

from datetime import timedelta

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import STAFF, VIEWER
from connectcard.clock import now
from connectcard.connections.models import Connection
from connectcard.connections.queries import find_connection
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused, NotFound
from connectcard.jobs.queue import ring
from connectcard.sync import confirmations, retrying, runs
from connectcard.sync.models import CREATED, FAILED, NEEDS_YOU, SKIPPED, UPDATED, SyncRun
from connectcard.sync.runs import Counters
from connectcard.web import run_history, undo
from connectcard.web.access import poll, staff_page
from connectcard.web.run_rows import ROWS_SHOWN, rows_of
from connectcard.web.run_words import KINDS, KindWords, end_words, title

blueprint = Blueprint("runs", __name__)

MILESTONES = (75, 50, 25)
FIGURES_STAY_TRUE = timedelta(minutes=1)


@blueprint.post("/sync")
@staff_page(STAFF)
def start() -> AnyResponse:
    """Send the ready cards; while a run is on, a second press shows that one."""
    church_id = g.church.id
    try:
        with transaction():
            run = runs.start_push(g.member.name)
            after_commit(lambda: ring(church_id))
    except NotFound:
        flash("No card is ready to be sent: 0 created, 0 changed. New cards appear here as they come in.", "info")
        return redirect(url_for("inbox.inbox"), 303)
    return redirect(url_for("runs.run", number=run.number), 303)


@blueprint.get("/runs")
@staff_page()
def history() -> str:
    return render_template(
        "runs/history.html",
        may_sync=may_sync(),
        running=runs.running(),
        **run_history.history("runs.history"),
    )


@blueprint.get("/runs/<int:number>")
@staff_page()
def run(number: int) -> str:
    return render_template("runs/run.html", **shown(runs.get_run(number)))


@blueprint.get("/runs/<int:number>/progress")
@staff_page()
@poll
def progress(number: int) -> str | AnyResponse:
    """The part of the page that moves; nothing (204) while the page shows it as it is."""
    found = runs.get_run(number)
    figures = runs.counters(found)
    if mark_of(figures, rate_line()) == request.args.get("seen"):
        return Response(status=204)
    return render_template("runs/_progress.html", said_before=request.args.get("said", ""), **shown(found, figures))


@blueprint.post("/runs/<int:number>/stop")
@staff_page(STAFF)
def stop(number: int) -> AnyResponse:
    """End a run after the cards in hand; the others stay ready."""
    church_id = g.church.id
    with transaction():
        runs.stop(runs.get_run(number))
        after_commit(lambda: ring(church_id))
    return redirect(url_for("runs.run", number=number), 303)


@blueprint.post("/runs/<int:number>/retry")
@staff_page(STAFF)
def retry(number: int) -> AnyResponse:
    """Send what failed in a run once more, and show the run that it is in now."""
    church_id = g.church.id
    try:
        with transaction():
            again, sent = retrying.retry_failed(runs.get_run(number), g.member.name)
            number = again.number
            after_commit(lambda: ring(church_id))
    except ChangeRefused as refusal:
        flash(str(refusal), "info")
    else:
        flash(f"{sent} {'is' if sent == 1 else 'are'} sent again. What waits for a decision was left alone.", "ok")
    return redirect(url_for("runs.run", number=number), 303)


def shown(run: SyncRun, figures: Counters | None = None) -> dict[str, object]:
    """Everything that the page of a run and its fragment show."""
    figures = figures or runs.counters(run)
    words, rate = undo.words_of(run), rate_line()
    return {
        "run": run,
        "figures": figures,
        "run_title": title(run),
        "kind_words": words,
        "rate": rate if figures.on else None,
        "seen": mark_of(figures, rate),
        "milestone": milestone(figures, words),
        "end_words": end_words(figures, words),
        "awaiting": confirmations.count(run),
        "attention": rows_of(run, (NEEDS_YOU, FAILED)),
        "through": rows_of(run, (CREATED, UPDATED, SKIPPED)),
        "rows_shown": ROWS_SHOWN,
        "failed_left": retrying.failed_in([run]).get(run.id, 0),
        "may_sync": may_sync(),
    } | undo.shown(run)


def may_sync() -> bool:
    return bool(g.member.role != VIEWER)


def mark_of(figures: Counters, rate: str | None) -> str:
    """Changes whenever the page would look different, the time left aside."""
    waiting = "waiting" if figures.waiting_for else ""
    return f"{figures.version}{waiting}-{''.join(filter(str.isdigit, rate or ''))}" if figures.on else str(figures.version)


def rate_line() -> str | None:
    """What Planning Center's last answer said about its limit; nothing once that is old."""
    connection: Connection | None = find_connection()
    if connection is None or not connection.rate_limit or not connection.rate_seen_at:
        return None
    if now() - connection.rate_seen_at > FIGURES_STAY_TRUE:
        return None
    limit, period, used = connection.rate_limit, connection.rate_period or 20, connection.rate_count or 0
    return f"Planning Center allows {limit} requests per {period} seconds. Using {used}."


def milestone(figures: Counters, words: KindWords) -> tuple[str, str]:
    """What is said aloud, and its mark: only the start, each quarter, the first failure and the end are said."""
    if not figures.on:
        return f"{figures.state}", end_words(figures, words)
    percent = 100 * figures.settled // figures.total if figures.total else 0
    quarter = next((step for step in MILESTONES if percent >= step), 0)
    counted = words.counted(figures.total)
    said = f"{figures.settled} of {counted} are through." if quarter else f"{KINDS[figures.kind].title} started with {counted}."
    trouble = " Some were not accepted." if figures.failed else ""
    return f"{quarter}{'f' if figures.failed else ''}", said + trouble
