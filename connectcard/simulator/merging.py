"""Two people are made one, as staff do it in Planning Center itself."""

from connectcard.simulator import search
from connectcard.simulator.people_rules import CONTACTS
from connectcard.simulator.rules import Desk, remove
from connectcard.simulator.store import Row


def merge(desk: Desk, kept: Row, removed: Row) -> Row:
    """Make two people one: contact details and everything else move over, the other id is gone and a merger tells where to."""
    for kind in CONTACTS:
        taken = {search.fold_contact(row) for row in desk.store.of_person(kind, kept.id)}
        for row in desk.store.of_person(kind, removed.id):
            if search.fold_contact(row) not in taken:
                row.attributes["primary"] = bool(row["primary"]) and not taken
                hand_over(desk, row, kept)
    for kind in ("FieldDatum", "Note", "WorkflowCard", "HouseholdMembership"):
        taken_places = {
            (row.parent, row["value"]) for row in desk.store.of_person(kind, kept.id) if kind in ("FieldDatum", "HouseholdMembership")
        }
        for row in desk.store.of_person(kind, removed.id):
            if (row.parent, row["value"]) not in taken_places:
                hand_over(desk, row, kept)
    for kind in ("FormSubmission", "ListResult", "groups.GroupApplication", "groups.Attendance", "groups.RSVP", "check_ins.CheckIn"):
        for row in desk.store.of_person(kind, removed.id):
            hand_over(desk, row, kept)
    own_groups = {row.parent for row in desk.store.of_person("groups.Membership", kept.id)}
    for row in desk.store.of_person("groups.Membership", removed.id):
        if row.parent not in own_groups:
            hand_over(desk, row, kept)
    desk.store.execute(
        "update record set relations = json_set(relations, '$.primary_contact', ?) where organization = ? and kind = 'Household'"
        " and json_extract(relations, '$.primary_contact') = ?",
        (kept.id, desk.organization, removed.id),
    )
    remove(desk, removed)
    merger = Row("PersonMerger", desk.organization, relations={"person_to_keep": kept.id, "person_to_remove": removed.id})
    desk.save(merger)
    desk.touch(kept.id)
    return merger


def hand_over(desk: Desk, row: Row, person: Row) -> None:
    row.person = person.id
    desk.save(row)
