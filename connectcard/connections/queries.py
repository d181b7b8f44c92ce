"""Reading a church's connection."""

from sqlalchemy import select

from connectcard.connections.models import Connection, RemoteChoice
from connectcard.database import db


def find_connection() -> Connection | None:
    """The connection of the church whose scope is open."""
    return db.session.scalars(select(Connection)).first()


def choices(kind: str) -> list[RemoteChoice]:
    """What there is to choose from, in Planning Center's order."""
    wanted = select(RemoteChoice).where(RemoteChoice.kind == kind)
    return list(db.session.scalars(wanted.order_by(RemoteChoice.position, RemoteChoice.name)))
