"""What a step that puts somebody into a group is written to, whether it is of a card or of a push. A role that stands is never changed."""

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from connectcard.clock import now
from connectcard.connections.words import in_words as trouble_in_words
from connectcard.database import db
from connectcard.people.groups import membership_in
from connectcard.people.models import LEADER, MEMBER, GroupMembership
from connectcard.planning_center import Client, Record
from connectcard.planning_center.errors import (
    Conflict,
    FieldRefused,
    Forbidden,
    Gone,
    Merged,
    PlanningCenterError,
    ProductUnavailable,
    Refused,
    ScopeMissing,
)
from connectcard.planning_center.resources import groups, people
from connectcard.sync.mappings._core import moment
from connectcard.sync.models import INTENT, SyncItem, SyncStep
from connectcard.sync.steps import AskSomebody, Later, Made, PersonGone, Step, in_words

NOT_ARRIVED = "Planning Center Groups does not know this person yet. Tried again by itself."

# Somebody made in People a moment ago may not have arrived in Groups yet.
ARRIVES_AFTER = timedelta(seconds=15)
MOST_WAITS = 6


def said(error: PlanningCenterError) -> str:
    """Planning Center's own words, or ours where it only lets us feel that Groups is closed to us."""
    return error.detail if isinstance(error, Forbidden) and error.detail else trouble_in_words(error, "Groups")


def find_membership(group: str, person: str, client: Client) -> Record | None:
    """Somebody's membership of a group. Raises Gone where Groups does not know them."""
    records = client.iterate(groups.PERSON_MEMBERSHIP, parent_id=person)
    return next((record for record in records if group in {ref.id for ref in record.related("group")}), None)


@dataclass(frozen=True)
class MembershipTarget:
    """The target of such a step, whose body is {"attributes": {"role", "person_id"}, "group": remote id}; a plan that is older than
    the person has no `person_id`, and `person` says who it is by now.

    `arriving`: a person whom Groups does not know may still be on the way there.
    """

    person: str | None
    arriving: bool

    def who(self, step: Step) -> str:
        return str(step.body["attributes"].get("person_id") or self.person or "")

    def missing(self, step: Step) -> str:
        return "" if self.who(step) else "The person was not made, so that nobody can be put into the group."

    def looks_first(self, step: Step) -> bool:
        return True

    def send(self, step: Step, client: Client) -> Made:
        attributes = {**step.body["attributes"], "person_id": self.who(step)}
        try:
            return Made.of(client.create(groups.MEMBERSHIP, attributes, parent_id=step.body["group"]))
        except (ProductUnavailable, ScopeMissing) as error:
            # For one write no access is a refusal: staff do it by hand, and the rest of the run goes on.
            raise Forbidden(str(error), status=error.status, detail=said(error)) from error

    def probe(self, step: Step, client: Client) -> Made | None:
        try:
            found = find_membership(step.body["group"], self.who(step), client)
        except Gone:
            # Whoever has not arrived in Groups yet is in no group.
            return None
        except (Forbidden, ProductUnavailable, ScopeMissing) as error:
            if step.state == INTENT:
                raise AskSomebody("Planning Center no longer shows who is in this group. Look there whether they are in it.") from error
            return None
        return Made.of(found) if found else None

    def may_be_there(self, step: Step, error: Refused) -> bool:
        return isinstance(error, Conflict) or (isinstance(error, FieldRefused) and "taken" in in_words(error))

    def why_refused(self, step: Step, client: Client, error: Refused) -> str:
        if isinstance(error, Gone | FieldRefused):
            _look_for(self.who(step), client)
            if self.arriving and "role" not in in_words(error):
                raise Later(now() + ARRIVES_AFTER, NOT_ARRIVED)
        return in_words(error)

    def is_done(self, step: Step, made: Made, item: SyncItem) -> None:
        _say_who(step, self.who(step))
        row = _subject_of(item) if item.subject_id else membership_in(step.body["group"], self.who(step))
        if made.record is not None and row is not None:
            keep_membership(row, made.record, self.who(step))


def _say_who(step: Step, person: str) -> None:
    """The step of a card was planned before its person was made; from now on it says who was put in."""
    row = db.session.scalars(select(SyncStep).where(SyncStep.id == step.id)).one()
    row.body = json.dumps({**step.body, "attributes": {**step.body["attributes"], "person_id": person}})


def _subject_of(item: SyncItem) -> GroupMembership:
    return db.session.scalars(select(GroupMembership).where(GroupMembership.id == item.subject_id)).one()


def keep_membership(row: GroupMembership, record: Record, person: str) -> None:
    """The membership stands there now: the answer is its read-back. Where it was pulled meanwhile, ours gives way."""
    pulled = select(GroupMembership).where(GroupMembership.group_id == row.group_id, GroupMembership.person_remote_id == person)
    other = db.session.scalars(pulled.where(GroupMembership.id != row.id)).first()
    row.role = LEADER if record["role"] == LEADER else MEMBER
    if other is not None:
        row.gone_at, row.added_here_at = now(), None
        return
    row.remote_id, row.person_remote_id, row.joined_at = record.id, person, moment(record["joined_at"])
    row.added_here_at, row.gone_at = None, None


def _look_for(remote_id: str, client: Client) -> None:
    try:
        client.get(people.PERSON, remote_id)
    except Merged as moved:
        raise PersonGone(moved.kept_id) from moved
    except Gone as gone:
        raise PersonGone(None) from gone
