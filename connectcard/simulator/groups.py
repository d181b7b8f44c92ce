"""What happens in Groups when something is written. Most of Groups is for reading; memberships and applications are not."""

from typing import Any

from connectcard.simulator.answers import invalid, invalid_enum_value, no_such_resource
from connectcard.simulator.moments import stamp
from connectcard.simulator.rules import Desk, ids_of, keep, require
from connectcard.simulator.store import Row

ROLES = ("member", "leader")
COPIED_BELOW = ("groups.Enrollment",)


def check_membership(desk: Desk, row: Row) -> None:
    """A person is in a group once. Somebody made in People a moment ago may not have arrived in Groups yet."""
    person = desk.find("Person", row.person)
    if person is None:
        raise invalid("Membership", "person")
    if person.created_at > stamp(desk.seconds - desk.replication_lag):
        raise no_such_resource("person_id")
    if any(other.parent == row.parent for other in desk.siblings(row)):
        raise invalid("Membership", "person", "has already been taken")
    row.attributes["role"] = row["role"] or "member"
    if row["role"] not in ROLES:
        raise invalid_enum_value("role")
    row.attributes["joined_at"] = row["joined_at"] or desk.now


def check_group(desk: Desk, row: Row) -> None:
    require(row, "name")


def assign_campuses(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    row.attributes["campus_ids"] = ids_of(desk, "Campus", "campus_ids", told.get("campus_ids"))
    desk.save(row)
    return row


def switch_chat(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    row.attributes["chat_enabled"] = action == "enable_chat"
    desk.save(row)
    return row


def duplicate(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    """A new group like this one, without its members and meetings."""
    copy = Row("groups.Group", desk.organization, dict(row.attributes), dict(row.relations))
    copy.attributes["name"] = str(told.get("name") or f"{row['name']} (copy)")
    keep(desk, copy)
    for kind in COPIED_BELOW:
        for below in desk.store.below(kind, row.id):
            keep(desk, Row(kind, desk.organization, dict(below.attributes), parent=copy.id))
    return copy


def approve(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    members = desk.store.below("groups.Membership", row.parent or 0)
    if all(member.person != row.person for member in members):
        role = str(told.get("role") or "member")
        keep(desk, Row("groups.Membership", desk.organization, {"role": role}, person=row.person, parent=row.parent))
    row.attributes["status"] = "approved"
    desk.save(row)
    return row


def reject(desk: Desk, row: Row, action: str, told: dict[str, Any]) -> Row:
    row.attributes["status"] = "rejected"
    desk.save(row)
    return row
