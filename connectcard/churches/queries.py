"""What the doors and pages ask about churches."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from connectcard.churches.models import Church
from connectcard.churches.tenancy import current_church_id
from connectcard.database import db
from connectcard.errors import NotFound


def find_church_by_slug(slug: str) -> Church | None:
    return db.session.scalar(select(Church).where(Church.slug == slug))


def find_church_of(origin: str, organization_id: str) -> Church | None:
    """The church that this organization of a Planning Center opened, if it did."""
    return db.session.scalar(select(Church).where(Church.origin == origin, Church.organization_id == organization_id))


def origins_of(organization_id: str) -> Sequence[str]:
    """Every Planning Center address at which an organization of this id has opened a church here."""
    return db.session.scalars(select(Church.origin).where(Church.organization_id == organization_id)).all()


_CHURCH = select(Church).where(Church.id == bindparam("church"))


def get_church() -> Church:
    """The church of the open scope."""
    church = db.session.scalar(_CHURCH, {"church": current_church_id()})
    if church is None:
        raise NotFound("This church is no longer here.")
    return church


def churches() -> Sequence[Church]:
    return db.session.scalars(select(Church).order_by(Church.name, Church.slug)).all()
