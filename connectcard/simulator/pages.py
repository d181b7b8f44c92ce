"""Pages of the simulator's own: the practice churches as Planning Center would show them."""

from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request

from connectcard.simulator.control import Telling
from connectcard.simulator.search import Search
from connectcard.simulator.state import the
from connectcard.simulator.store import Condition, Row, Store

ROWS = 50
pages = Blueprint("pages", __name__)


@dataclass(frozen=True)
class Listed:
    """One page of a church's people."""

    church: Row
    people: list[Row]
    total: int


@pages.get("/")
def index() -> str:
    asked = request.args.get("q", "").strip()
    with the().store.transaction():
        churches = [listed(the().store, church, asked, 0) for church in the().store.organizations()]
    return render_template("simulator/index.html", churches=churches, asked=asked, rows=ROWS)


@pages.get("/organizations/<int:number>")
def church(number: int) -> str:
    asked, start = request.args.get("q", "").strip(), max(0, request.args.get("start", 0, type=int))
    with the().store.transaction():
        row = the().store.anywhere("Organization", number) if number < 2**62 else None
        if row is None:
            abort(404)
        shown = listed(the().store, row, asked, min(start, 2**31))
    return render_template("simulator/church.html", shown=shown, asked=asked, start=start, rows=ROWS)


@pages.get("/people/AC<int:number>")
def person(number: int) -> str:
    with the().store.transaction():
        row = the().store.anywhere("Person", number) if number < 2**62 else None
        if row is None:
            abort(404)
        church_row = the().store.anywhere("Organization", row.organization)
        told = told_for_page(the().store, row)
    return render_template("simulator/person.html", person=told, row=row, church=church_row)


@pages.get("/open/<product>/")
@pages.get("/open/<product>/<path:where>")
def record(product: str, where: str = "") -> str:
    """What another product would show at this address: the record whose id stands last in it."""
    numbers = [int(part) for part in where.split("/") if part.isdecimal() and int(part) < 2**62]
    if not numbers:
        return render_template("simulator/record.html", row=None, title=product.capitalize(), product=product)
    with the().store.transaction():
        found = the().store.find([Condition("record.id = ?", (numbers[-1],))], limit=1)
    if not found:
        abort(404)
    return render_template("simulator/record.html", row=found[0], title=found[0]["name"] or where, product=product)


@pages.app_errorhandler(404)
def nothing_here(error: Exception) -> Response:
    return Response(render_template("simulator/wire/not_found.html"), 404)


def listed(store: Store, church: Row, asked: str, start: int) -> Listed:
    conditions = [Condition("record.kind = 'Person'"), Condition("record.organization = ?", (church.id,))]
    if not asked:
        return Listed(church, store.find(conditions, "record.id desc", ROWS, start), store.count(conditions))
    found = list(dict.fromkeys(Search(store, church.id, float("inf")).find("search_name_or_email_or_phone_number", asked)))
    return Listed(church, store.ranked(found, conditions, "found.key", ROWS, start), len(found))


def told_for_page(store: Store, row: Row) -> dict[str, object]:
    """A person with everything below; only this person's rows are read."""
    telling = Telling(store, row.organization, only=row.id)
    campus = store.get("Campus", row.organization, row.relations.get("primary_campus", 0))
    return telling.one(row) | {"campus": campus["name"] if campus else None, "groups": groups_of(store, row)}


def groups_of(store: Store, row: Row) -> list[dict[str, object]]:
    memberships = store.of_person("groups.Membership", row.id)
    groups = store.several("groups.Group", row.organization, [membership.parent or 0 for membership in memberships])
    return [{"name": groups[one.parent]["name"], "role": one["role"]} for one in memberships if one.parent in groups]
