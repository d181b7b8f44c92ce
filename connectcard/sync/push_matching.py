"""Who is somebody of our directory in Planning Center? The one ladder of matching, for each of their contacts, and the day of birth.

A contact alone under another name is never the same person; a name alone neither, unless both were born on the same day. A child is
looked for among everybody of their last name, since no address that is asked for holds a child's name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest

from connectcard.database import end_reading
from connectcard.people.identity import name_key
from connectcard.people.marks import name_mark
from connectcard.people.matching import NEW, SAME, UNCLEAR, Candidate, Comparison, Decision, Visitor, compare, decide
from connectcard.people.models import Identity
from connectcard.people.queries import find_unnamed
from connectcard.planning_center import Client
from connectcard.planning_center.resources import people
from connectcard.sync.looking import CONTACTS, find_person_now, person_now
from connectcard.sync.made_people import unless_asked
from connectcard.sync.mappings import day
from connectcard.sync.remembered import answered
from connectcard.sync.visitors import candidates_of

SAME_DAY = "Same name and same birthdate."
CHILD_UNCLEAR = "A child of this name is in Planning Center. Say whether it is the same one."
NO_LAST_NAME = "This child has no last name here, so nobody can be looked for."
SEVERAL = "Their contact details lead to more than one person in Planning Center."


@dataclass(frozen=True)
class Stranger:
    """Somebody of ours of whom it is not known yet whether they are in Planning Center. Contacts are normalised."""

    identity: Identity
    child: bool
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    country_code: str
    key: str

    @property
    def visitors(self) -> Iterator[Visitor]:
        """One for each contact, so that every one is looked for."""
        named = self.identity.first_name, self.identity.last_name
        pairs = list(zip_longest(self.emails, self.phones, fillvalue="")) or [("", "")]
        yield from (Visitor(*named, email, phone, child=self.child) for email, phone in pairs)


def decide_who(one: Stranger, client: Client, moves: dict[str, str | None]) -> Decision:
    """Same, new or unclear, with reasons. Reads only; merges that it meets are put down in `moves`."""
    if one.child:
        return unless_asked(_decide_child(one, client), next(one.visitors), one.country_code, client)
    decisions = [_decide(one, visitor, client, moves) for visitor in one.visitors]
    people_found = {decision.person.remote_id for decision in decisions if decision.person}
    if len(people_found) > 1:
        return replace(decisions[0], kind=UNCLEAR, person=None, words=SEVERAL, compared=_everybody(decisions))
    same = next((decision for decision in decisions if decision.kind == SAME), None)
    unclear = next((decision for decision in decisions if decision.kind == UNCLEAR), None)
    return same or unclear or decisions[0]


def _everybody(decisions: Sequence[Decision]) -> tuple[Comparison, ...]:
    return tuple({row.candidate.remote_id: row for decision in decisions for row in decision.compared}.values())


def _decide(one: Stranger, visitor: Visitor, client: Client, moves: dict[str, str | None]) -> Decision:
    decision = decide(visitor, candidates_of(visitor, one.country_code, client, moves))
    if decision.kind != UNCLEAR:
        return unless_asked(decision, visitor, one.country_code, client)
    decision = answered(decision, visitor, one.key)
    end_reading()
    return decision if decision.kind == SAME else _born_the_same_day(one, decision, client)


def _born_the_same_day(one: Stranger, decision: Decision, client: Client) -> Decision:
    """An unclear decision, answered where exactly one of the same name was born on the same day."""
    if one.identity.birthdate is None:
        return decision
    named = [row.candidate for row in decision.compared if row.name and row.candidate.child == one.child and not row.candidate.inactive]
    fitting = [candidate for candidate in named if _birthdate(candidate, one.country_code, client) == one.identity.birthdate]
    return replace(decision, kind=SAME, person=fitting[0], words=SAME_DAY) if len(fitting) == 1 else decision


def _birthdate(candidate: Candidate, country_code: str, client: Client) -> date | None:
    found = find_person_now(candidate.remote_id, country_code, client, include=())
    return day(found.attributes.get("birthdate")) if found else None


def _decide_child(one: Stranger, client: Client) -> Decision:
    named = one.identity.first_name, one.identity.last_name
    known = find_unnamed(name_mark(one.key, name_key(*named)))
    end_reading()
    if not one.identity.last_name:
        return (
            Decision(UNCLEAR, "This child has no last name here, so nobody can be looked for.") if known else Decision(NEW, "Nobody fits.")
        )
    there = {
        record.id: person_now(record, one.country_code)
        for record in client.iterate(people.PERSON, where={"last_name": one.identity.last_name}, include=CONTACTS)
    }
    ours = (find_person_now(remote_id, one.country_code, client) for remote_id in known if remote_id not in there)
    found = [*there.values(), *(person for person in ours if person is not None)]
    visitor = Visitor(*named, *next(iter(zip_longest(one.emails[:1], one.phones[:1], fillvalue="")), ("", "")), child=True)
    alike = [person.candidate for person in found if compare(visitor, person.candidate).name]
    decision = decide(visitor, alike)
    if decision.kind != UNCLEAR:
        return decision
    decision = _born_the_same_day(one, decision, client)
    return decision if decision.kind == SAME else replace(decision, words=CHILD_UNCLEAR)
