"""Both sides: whose each field of the directory is, what was changed on both sides, and whether both sides are the same."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from connectcard.churches.models import OWNER, STAFF
from connectcard.database import after_commit, transaction
from connectcard.errors import ChangeRefused, ConnectionMissing
from connectcard.jobs.queue import ring
from connectcard.people import conflicts, ownership
from connectcard.people.models import FAMILY, GROUP, HERE, PERSON, PLANNING_CENTER, Conflict
from connectcard.sync import pull, truth
from connectcard.sync.models import TRUTH_CHECK
from connectcard.web.access import staff_page

blueprint = Blueprint("ownership", __name__)

SUBJECT_WORDS = {PERSON: "People", FAMILY: "Families", GROUP: "Groups"}
OWNER_WORDS = {PLANNING_CENTER: "Planning Center", HERE: "This directory"}
GIVE_WORDS = {PLANNING_CENTER: "Give to Planning Center", HERE: "Keep here"}
MOST_SHOWN = 100


def directory_address(kind: str, subject_id: UUID) -> str:
    """The page of a person, family or group."""
    if kind == PERSON:
        return url_for("directory.person", person_id=subject_id)
    if kind == FAMILY:
        return url_for("directory.family", family_id=subject_id)
    return url_for("directory.group", group_id=subject_id)


# Whose a field is.


@blueprint.get("/ownership")
@staff_page()
def page() -> str:
    return render_template(
        "ownership/page.html",
        fields={words: [one for one in ownership.FIELDS if one.subject == subject] for subject, words in SUBJECT_WORDS.items()},
        owners=ownership.owners(),
        chosen=ownership.choices(),
        owner_words=OWNER_WORDS,
        give_words=GIVE_WORDS,
        may_choose=g.member.role == OWNER,
        open_conflicts=conflicts.count(),
    )


@blueprint.post("/ownership/fields/<field>")
@staff_page(OWNER)
def choose(field: str) -> AnyResponse:
    with transaction():
        ownership.choose_owner(field, request.form.get("owner", ""), g.member.name)
    flash(f"Saved: {ownership.BY_KEY[field].words}.")
    return redirect(url_for("ownership.page") + f"#{field}")


# What was changed on both sides.


@blueprint.get("/ownership/conflicts")
@staff_page()
def changed_on_both_sides() -> str:
    found = conflicts.open_conflicts(MOST_SHOWN)
    return render_template(
        "ownership/conflicts.html",
        conflicts=found,
        more=conflicts.count() - len(found),
        subject_words={PERSON: "Person", FAMILY: "Family", GROUP: "Group"},
        address=directory_address,
        may_decide=g.member.role != "viewer",
    )


@blueprint.post("/ownership/conflicts/<uuid:conflict_id>/ours")
@staff_page(STAFF)
def keep_ours(conflict_id: UUID) -> AnyResponse:
    return _decide(conflict_id, conflicts.keep_ours, "Kept what stands here. It goes to Planning Center with the next push.")


@blueprint.post("/ownership/conflicts/<uuid:conflict_id>/theirs")
@staff_page(STAFF)
def take_theirs(conflict_id: UUID) -> AnyResponse:
    return _decide(conflict_id, conflicts.take_theirs, "Took what stands in Planning Center.")


def _decide(conflict_id: UUID, decide: Callable[[Conflict, str], None], words: str) -> AnyResponse:
    conflict = conflicts.get_conflict(conflict_id)
    subject = directory_address(conflict.subject_kind, conflict.subject_id)
    try:
        with transaction():
            decide(conflicts.get_conflict_as_seen(conflict_id, request.form.get("seen", "")), g.member.name)
    except ChangeRefused as refusal:
        flash(str(refusal), "warn")
    else:
        flash(words)
    return redirect(subject if request.form.get("back") == "record" else url_for("ownership.changed_on_both_sides"))


# Whether both sides are the same.


@blueprint.get("/ownership/truth-check")
@staff_page()
def truth_check() -> str:
    running = pull.running_pull()
    checked = truth.last_check()
    return render_template(
        "ownership/truth.html",
        checked=checked,
        rows=[truth.named(one) for one in checked.differences[:MOST_SHOWN]] if checked else [],
        more=max(0, len(checked.differences) - MOST_SHOWN) if checked else 0,
        running=running,
        checking=running is not None and running.kind == TRUTH_CHECK,
        subject_words={PERSON: "Person", FAMILY: "Family", GROUP: "Group"},
        what_words=truth.WORDS,
        address=directory_address,
        may_act=g.member.role != "viewer",
    )


@blueprint.post("/ownership/truth-check")
@staff_page(STAFF)
def check_now() -> AnyResponse:
    with transaction():
        run = pull.want_truth_check(g.member.name)
        after_commit(lambda: ring(g.church.id))
        started = run.kind == TRUTH_CHECK
    flash("Comparing both sides. This page says what differs once it is done." if started else "A pull is on; compare once it is done.")
    return redirect(url_for("ownership.truth_check"))


@blueprint.post("/ownership/truth-check/fix")
@staff_page(STAFF)
def fix() -> AnyResponse:
    if not pull.is_connected():
        raise ConnectionMissing("This church is not connected to Planning Center. An owner can connect it.")
    with transaction():
        wanted = truth.fix()
        after_commit(lambda: ring(g.church.id))
    flash(f"{wanted} {'record is' if wanted == 1 else 'records are'} being read again." if wanted else "Nothing differs any more.")
    return redirect(url_for("ownership.truth_check"))
