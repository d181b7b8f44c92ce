"""What earlier runs did, of every kind: the same list on the page of the syncs and on the Planning Center page, and as a file."""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import Blueprint, Response, g, request

from connectcard.churches.models import VIEWER
from connectcard.clock import now
from connectcard.sync import retrying, runs
from connectcard.sync.models import SyncRun
from connectcard.web.access import staff_page
from connectcard.web.paging import asked_page
from connectcard.web.run_words import KINDS, end_words, title
from connectcard.web.spreadsheets import csv_line
from connectcard.web.times import local, local_day

blueprint = Blueprint("run_history", __name__)

COLUMNS = ("Number", "Kind", "Started by", "Started", "Ended", "State", "Created", "Updated", "Skipped", "Needs you", "Failed", "Note")
MOST_EXPORTED = 10_000


def history(endpoint: str) -> dict[str, Any]:
    """What `runs/_history.html` shows; the page and the filter are those of the request, `endpoint` is the page it stands on."""
    page, problems = asked_page(), bool(request.args.get("problems"))
    found, has_more = runs.recent(page, problems=problems)
    return {
        "runs": found, "page": page, "has_more": has_more, "problems": problems, "history_endpoint": endpoint,
        "words_of": end_words, "title_of": title, "ready": runs.ready_count(), "failed_left": retrying.failed_in(found),
        "may_retry": g.member.role != VIEWER,
    }  # fmt: skip


@blueprint.get("/runs/history.csv")
@staff_page()
def export() -> Response:
    """The runs as a file for a spreadsheet, newest first."""
    found = runs.all_of(problems=bool(request.args.get("problems")), most=MOST_EXPORTED)
    lines = "\ufeff" + csv_line(COLUMNS) + "".join(map(csv_line, _rows(found)))
    disposition = {"Content-Disposition": f"attachment; filename=syncs-{local_day(now())}.csv"}
    return Response(lines, mimetype="text/csv", headers=disposition)


def _rows(found: Iterable[SyncRun]) -> Iterator[list[str]]:
    for run in found:
        started = f"{local(run.started_at):%Y-%m-%d %H:%M}"
        ended = f"{local(run.finished_at):%Y-%m-%d %H:%M}" if run.finished_at else ""
        counts = (run.created, run.updated, run.skipped, run.needs_you, run.failed)
        yield [str(run.number), KINDS[run.kind].title, run.started_by, started, ended, run.state, *map(str, counts), run.note or ""]
