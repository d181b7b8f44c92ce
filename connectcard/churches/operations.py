"""Opening a church and letting its people in."""

import re
import secrets
import unicodedata
from itertools import chain, count

from sqlalchemy import select, update

from connectcard.churches import queries
from connectcard.churches.models import OWNER, STAFF, VIEWER, Church, Member
from connectcard.clock import now
from connectcard.crypto import new_secret
from connectcard.database import db

LONGEST_SLUG = 60
ROLES = {"Manager": OWNER, "Editor": STAFF, "Viewer": VIEWER}


def role_from(people_permissions: str | None, site_administrator: bool) -> str | None:
    """The role that a person's rights in Planning Center People give: owner, staff, viewer or None."""
    return OWNER if site_administrator else ROLES.get(people_permissions or "")


def may_open_a_church(role: str | None) -> bool:
    return role in (OWNER, STAFF)


def open_church(
    origin: str, organization_id: str, name: str, country_code: str = "US", time_zone: str = "UTC", date_format: str = "%m/%d/%Y"
) -> Church:
    """The church of an organization, opened on the first call. Inside `transaction()`, under `every_church()`."""
    church = queries.find_church_of(origin, organization_id)
    if church is None:
        church = Church(origin=origin, organization_id=organization_id, name=name, slug=free_slug(name))
        db.session.add(church)
        db.session.flush()
        church.remote_id_key = new_secret()
    church.name, church.country_code, church.time_zone, church.date_format = name, country_code, time_zone, date_format
    db.session.flush()
    return church


def sign_in_member(church: Church, issuer: str, subject: str, name: str, role: str, remote_id: str | None = None) -> Member:
    """The member with today's name and role; (issuer, subject) is who it is. Inside `transaction()`, in the church's scope."""
    member = db.session.scalar(select(Member).where(Member.issuer == issuer, Member.subject == subject))
    if member is None:
        member = Member(church_id=church.id, issuer=issuer, subject=subject)
        db.session.add(member)
    member.name, member.role, member.last_signed_in_at = name, role, now()
    member.remote_id = remote_id or member.remote_id
    db.session.flush()
    return member


def slug_from(name: str) -> str:
    """A name as it may stand in an address: "Iglesia de la Peña" -> "iglesia-de-la-pena"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].rstrip("-")


def free_slug(name: str) -> str:
    """The first address that no other church has."""
    base = slug_from(name) or f"church-{secrets.token_hex(3)}"
    return next(slug for slug in chain([base], (f"{base}-{number}" for number in count(2))) if not queries.find_church_by_slug(slug))


def mark_restored() -> None:
    """The database was put back from a backup: what was written to Planning Center since is unknown here. Under `every_church()`,
    inside `transaction()`."""
    db.session.execute(update(Church).values(restored_at=now()))
