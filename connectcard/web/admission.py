"""Who comes in, to which church, in which role: the decisions between Planning Center's word and a session of ours."""

from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from connectcard.cards.operations import ensure_default_card
from connectcard.churches import operations, queries
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections.identity import Identity
from connectcard.database import begins_anew, end_reading, transaction
from connectcard.web.refusals import Refusal
from connectcard.web.sessions import SignedIn, browser_session


@dataclass(frozen=True)
class Arrival:
    """Somebody whom Planning Center knows, about to come in."""

    issuer: str
    subject: str
    role: str | None
    identity: Identity
    next_path: str | None = None


def settings() -> Config:
    config: Config = current_app.config["CONNECTCARD"]
    return config


def church_of(arrival: Arrival) -> UUID | None:
    """The church that somebody comes in to, None if it is to be opened; raises Refusal if they cannot come in at all."""
    identity, origin = arrival.identity, settings().pco_base_url
    if arrival.role is None:
        raise Refusal("no_permission", name=identity.name, church=identity.organization_name)
    church = queries.find_church_of(origin, identity.organization_id)
    if church is None and queries.origins_of(identity.organization_id):
        raise Refusal("another_origin", church=identity.organization_name)
    if church is None and not operations.may_open_a_church(arrival.role):
        raise Refusal("not_opened", name=identity.name, church=identity.organization_name)
    return church.id if church else None


def let_in(arrival: Arrival) -> SignedIn:
    """Open the church if it is new, remember the member with today's role, and begin a session with a new key."""
    end_reading()
    signed_in = _admit(arrival)
    browser_session().begin(*signed_in)
    return signed_in


@begins_anew
def _admit(arrival: Arrival) -> SignedIn:
    """Of two people of a church who come in for the first time at the same moment, one finds what the other made."""
    who = arrival.identity
    with church_scope(_open_or_find_church(arrival)), transaction():
        church = queries.get_church()
        ensure_default_card(church)
        member = operations.sign_in_member(
            church, arrival.issuer, arrival.subject, who.name, arrival.role or "", remote_id=who.person_remote_id
        )
        return SignedIn(church.id, member.id)


def _open_or_find_church(arrival: Arrival) -> UUID:
    """A viewer's token may not see the organization's settings, so only others' bring the church up to date."""
    found, who = church_of(arrival), arrival.identity
    if found and not operations.may_open_a_church(arrival.role):
        return found
    with transaction():
        return operations.open_church(
            settings().pco_base_url, who.organization_id, who.organization_name, who.country_code, who.time_zone, who.date_format
        ).id
