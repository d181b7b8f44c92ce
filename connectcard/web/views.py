"""Read-only views of Planning Center: check-ins, calendar and groups as a worker last read them. One page shows every view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.clock import now
from connectcard.connections.models import CONNECTED
from connectcard.connections.queries import find_connection
from connectcard.database import after_commit, transaction
from connectcard.errors import NotFound
from connectcard.jobs.queue import ring
from connectcard.sync import mirror_lists, mirrors, readings
from connectcard.sync.mappings import moment
from connectcard.sync.mirror_lists import ANY_TIME, Wish
from connectcard.sync.mirror_models import RemoteReading, RemoteRecord
from connectcard.sync.remote_values import code_of
from connectcard.sync.remote_views import (
    AGES,
    BELOW,
    BY_KEY,
    DAY,
    MOMENT,
    NUMBER,
    PAST,
    PRODUCT_WORDS,
    RANGE,
    UPCOMING,
    WORDS,
    YES_NO,
    Column,
    View,
    tabs_of,
)
from connectcard.web.access import check_role, poll, reaches, staff_page
from connectcard.web.paging import asked_page

blueprint = Blueprint("views", __name__)

TIME_WORDS = {UPCOMING: "Upcoming", PAST: "Past", ANY_TIME: "Any time"}
READ_BY_ITSELF_AFTER = timedelta(hours=12)
TAKES_LONG = timedelta(seconds=45)
LONGEST_SEARCH = 100
MONTHS = 12


@dataclass(frozen=True)
class Place:
    """What an address below /views/ shows: a view, and the record it stands below."""

    view: View
    parent: RemoteRecord | None = None

    @property
    def parent_remote_id(self) -> str:
        return self.parent.remote_id if self.parent else ""

    @property
    def address(self) -> str:
        return f"{self.view.below}/{self.parent_remote_id}" if self.parent else self.view.key


@dataclass(frozen=True)
class Cell:
    """One value as it is shown: words, or a moment."""

    column: Column
    words: str = ""
    moment: datetime | None = None

    @property
    def is_number(self) -> bool:
        return self.column.kind == NUMBER


@dataclass(frozen=True)
class Row:
    """One record: what it is called, its other values, where it leads here, and its page in Planning Center."""

    name: Cell
    cells: Sequence[Cell]
    leads_to: str
    page: str


@blueprint.get("/views/<path:address>")
@staff_page()
def view(address: str) -> str:
    return page_at(address)


@blueprint.post("/search-views/<path:address>")
@staff_page()
def search(address: str) -> str:
    """The same page, for names that are sealed: what is looked for stands in no address and so in no log."""
    return page_at(address)


def page_at(address: str) -> str:
    place = place_of(address)
    return render_template("views/page.html", tabs=tabs_of_member(place.view.section), **shown(place))


@blueprint.post("/views/<path:address>")
@staff_page()
def refresh(address: str) -> str | AnyResponse:
    """Have a worker read this view of Planning Center again."""
    place, church_id = place_of(address), g.church.id
    with transaction():
        mirrors.want_view(place.view, place.parent_remote_id)
        after_commit(lambda: ring(church_id))
    if request.headers.get("HX-Request") == "true":
        return render_template("views/_rows.html", **shown(place))
    return redirect(address_of(place, wished(place.view)), 303)


@blueprint.get("/read-views/<path:address>")
@staff_page()
@poll
def read_yet(address: str) -> str | AnyResponse:
    """The rows, asked for while a worker reads; nothing (204) until it has."""
    place = place_of(address)
    reading = readings.find_reading(place.view.key, place.parent_remote_id)
    if readings.is_wanted(reading) and mark_of(reading) == request.args.get("seen"):
        return Response(status=204)
    return render_template("views/_rows.html", **shown(place))


def place_of(address: str) -> Place:
    """The view at an address; raises NotFound, or NotAllowed where it is not for this member."""
    above, _, remote_id = address.rpartition("/")
    place = _below(BY_KEY[above], remote_id) if address not in BY_KEY and above in BELOW else Place(mirrors.get_view(address))
    if place.view.below and place.parent is None:
        raise NotFound("There is no such view of Planning Center.")
    check_role(g.member, place.view.role)
    return place


def _below(above: View, remote_id: str) -> Place:
    record = mirrors.find_record(above, remote_id)
    if record is None:
        raise NotFound(f"We do not know this one. Refresh the list of {above.title.lower()}, then open it from there.")
    return Place(BELOW[above.key], record)


def tabs_of_member(section: str) -> list[View]:
    return [tab for tab in tabs_of(section) if reaches(g.member, tab.role)]


def shown(place: Place) -> dict[str, object]:
    """Everything that the page of a view and its fragment show."""
    reading = readings.find_reading(place.view.key, place.parent_remote_id)
    wish = wished(place.view)
    listing = mirror_lists.list_records(place.view, place.parent_remote_id, wish)
    connection = find_connection()
    connected = connection is not None and connection.state == CONNECTED
    is_wanted = readings.is_wanted(reading) and connected
    # What was looked for by a sealed name stands in no address, so that the page cannot ask for the same once more by itself.
    stands_still = place.view.sealed and bool(wish.text)
    return {
        "place": place,
        "view": place.view,
        "product_words": PRODUCT_WORDS[place.view.product],
        "parent": row_of(BY_KEY[place.view.below], place.parent) if place.parent else None,
        "reading": reading,
        "is_wanted": is_wanted,
        "polls": is_wanted and not stands_still,
        "takes_long": reading is not None and reading.wanted_at is not None and now() - reading.wanted_at > TAKES_LONG,
        "reads_by_itself": connected and not stands_still and reads_by_itself(reading),
        "seen": mark_of(reading),
        "connected": connected,
        "listing": listing,
        "page": listing.page if listing.page > 1 else "",
        "rows": [row_of(place.view, record) for record in listing.rows],
        "choices": mirror_lists.choices(place.view, reading),
        "times": TIME_WORDS if place.view.by_time else {},
        "wish": wish,
        "narrowed": bool(wish.text or any(wish.chosen.values())),
        "page_rows": mirror_lists.PAGE_ROWS,
        "most_rows": mirrors.MOST_ROWS,
        "address_of": address_of,
    }


def mark_of(reading: RemoteReading | None) -> str:
    """Changes whenever a worker has said something."""
    return f"{reading.read_at}-{reading.tries}-{bool(reading.wanted_at)}" if reading else ""


def reads_by_itself(reading: RemoteReading | None) -> bool:
    """Whether the page asks for a reading by itself: nobody did so far, or it is half a day old."""
    if reading is None:
        return True
    if reading.wanted_at is not None or reading.problem:
        return False
    return reading.read_at is None or now() - reading.read_at > READ_BY_ITSELF_AFTER


def wished(view: View) -> Wish:
    """What the address or the form asks for; what it says wrong is left out."""
    posted = request.endpoint == "views.search"
    said = request.form if posted else request.args
    when = said.get("when", UPCOMING)
    return Wish(
        text=said.get("search", "").strip()[:LONGEST_SEARCH] if posted or not view.sealed else "",
        chosen={narrowing.name: said.get(narrowing.name, "") for narrowing in view.narrowings},
        when=when if when in TIME_WORDS else UPCOMING,
        page=asked_page(),
    )


def address_of(place: Place, wish: Wish, endpoint: str = "views.view", **others: Any) -> str:
    """The address of a list like this one; what was looked for by a sealed name is left out."""
    said = {**wish.chosen, "search": "" if place.view.sealed else wish.text, "when": wish.when if place.view.by_time else "", **others}
    return url_for(endpoint, address=place.address, **{name: value for name, value in said.items() if value})


# Rows in words.


def row_of(view: View, record: RemoteRecord) -> Row:
    values = mirror_lists.values_of(record)
    first, *others = (cell_of(column, values) for column in view.columns)
    leads_to = url_for("views.view", address=f"{view.key}/{record.remote_id}") if view.key in BELOW else ""
    return Row(first, others, leads_to, record.page)


def cell_of(column: Column, values: Mapping[str, Any]) -> Cell:
    """A value in words. Whatever stands there, something is shown: what is not as expected is shown as it came."""
    parts = [values.get(part) for part in column.source.split()]
    if column.kind in (MOMENT, DAY):
        at = moment(parts[0])
        return Cell(column, "" if at else in_words(parts[0]), at)
    if column.kind in (AGES, RANGE):
        return Cell(column, (ages if column.kind == AGES else span)(*parts))
    words = {"true": "Yes", "false": "No"} if column.kind == YES_NO else column.words if column.kind == WORDS else {}
    return Cell(column, " ".join(filter(None, (in_words(part, words) for part in parts))))


def in_words(value: Any, words: Mapping[str, str] | None = None) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(in_words(one, words) for one in value)
    return (words or {}).get(code_of(value), str(value))


def span(least: Any, most: Any) -> str:
    """1 to 5, from 3, up to 5"""
    if least is not None and most is not None:
        return str(least) if least == most else f"{least} to {most}"
    return f"from {least}" if least is not None else f"up to {most}" if most is not None else ""


def ages(least: Any, most: Any) -> str:
    """Months as people say them: 2 to 5 years, 0 to 23 months. `most` is the last month that still counts."""
    if not all(isinstance(bound, int | None) for bound in (least, most)):
        return span(least, most)
    in_years = (least or 0) % MONTHS == 0 and (most is None or most >= 2 * MONTHS) and ((most or -1) + 1) % MONTHS == 0
    if in_years and (least or most):
        return f"{span(None if least is None else least // MONTHS, None if most is None else most // MONTHS)} years"
    said = span(least, most)
    return f"{said} months" if said else ""
