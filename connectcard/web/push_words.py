"""What pushes and the kinds of records in them are called on the pages, and where a record stands in our directory."""

from uuid import UUID

from flask import url_for

from connectcard.sync.models import FAMILY, MEMBERSHIP, PERSON, PUSH_FAMILIES, PUSH_FULL, PUSH_MEMBERSHIPS, PUSH_PEOPLE
from connectcard.sync.push_board import group_of

WORDS = {
    PUSH_PEOPLE: "People",
    PUSH_FAMILIES: "Families and their people",
    PUSH_MEMBERSHIPS: "Group memberships and their people",
    PUSH_FULL: "Everything",
}
KIND_WORDS = {PERSON: "Person", FAMILY: "Family", MEMBERSHIP: "Group membership"}


def address_of(kind: str, subject_id: UUID) -> str:
    """The page of a record in our directory; a membership stands on its group's."""
    if kind == PERSON:
        return url_for("directory.person", person_id=subject_id)
    if kind == FAMILY:
        return url_for("directory.family", family_id=subject_id)
    group_id = group_of(subject_id)
    return url_for("directory.group", group_id=group_id) if group_id else ""
