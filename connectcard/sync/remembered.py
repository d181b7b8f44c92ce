"""What staff decided once is not asked again: a contact together with a name, and the person that a card of theirs became.

Nothing of the visitor stands in it, only keyed marks, so that it may outlive the card. A mark answers an open question only, and
only with somebody whom matching has just found.
"""

import hashlib
import hmac
from dataclasses import replace

from sqlalchemy import delete, func, select

from connectcard.cards.queries import effective_answers, get_submission
from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.database import db
from connectcard.people.identity import base_email, e164, name_key
from connectcard.people.matching import SAME, Decision, Visitor
from connectcard.sync.models import RememberedDecision, SyncItem


def marks_of(visitor: Visitor, key: str) -> list[str]:
    """One mark for each contact of a visitor, with the name."""
    name = name_key(visitor.first_name, visitor.last_name)
    contacts = filter(None, (base_email(visitor.email), visitor.phone))
    return [hmac.new(key.encode(), f"decided|{name}|{contact}".encode(), hashlib.sha256).hexdigest() for contact in contacts]


def remember(item: SyncItem, person_remote_id: str | None, member_name: str) -> None:
    """Keep what was decided about a card; without a person it is the one that the card is going to make. Inside `transaction()`."""
    church = db.session.scalars(select(Church).where(Church.id == current_church_id())).one()
    marks = marks_of(_visitor(item, church), church.remote_id_key or "")
    db.session.execute(delete(RememberedDecision).where(RememberedDecision.mark.in_(marks)))
    for mark in marks:
        db.session.add(RememberedDecision(mark=mark, item_id=item.id, person_remote_id=person_remote_id, decided_by=member_name))
    db.session.flush()


def _visitor(item: SyncItem, church: Church) -> Visitor:
    said = effective_answers(get_submission(item.of_submission))
    names = said.get("first_name", ""), said.get("last_name", "")
    return Visitor(*names, said.get("email", ""), e164(said.get("phone"), church.country_code or "US"))


def forget(item: SyncItem) -> None:
    """Take back what was remembered of a card. Inside `transaction()`."""
    db.session.execute(delete(RememberedDecision).where(RememberedDecision.item_id == item.id))


def answered(decision: Decision, visitor: Visitor, key: str) -> Decision:
    """An unclear decision, answered if staff answered it for this name with this contact before; else as it was."""
    person = func.coalesce(SyncItem.person_remote_id, RememberedDecision.person_remote_id)
    rows = db.session.execute(
        select(person, RememberedDecision.decided_by)
        .join(SyncItem, SyncItem.id == RememberedDecision.item_id)
        .where(RememberedDecision.mark.in_(marks_of(visitor, key)))
    ).all()
    people = {row[0]: row[1] for row in rows}
    fitting = [row.candidate for row in decision.compared if row.candidate.remote_id in people]
    if len(people) != 1 or len(fitting) != 1:
        return decision
    by = people[fitting[0].remote_id]
    return replace(decision, kind=SAME, person=fitting[0], words=f"{by} said before that this is {fitting[0].name}.")
