"""What a church's connection is and offers, read from our own rows."""

from sqlalchemy import select

from connectcard.connections.models import Connection, RemoteChoice
from connectcard.database import db

_CONNECTION = select(Connection)


def find_connection() -> Connection | None:
    """The connection of the open scope's church, whatever its state."""
    return db.session.scalars(_CONNECTION).one_or_none()


def choices(kind: str) -> list[RemoteChoice]:
    """What the church's Planning Center offered of one kind when it was last read, in its order."""
    ordered = (
        select(RemoteChoice).where(RemoteChoice.kind == kind).order_by(RemoteChoice.position, RemoteChoice.name, RemoteChoice.remote_id)
    )
    return list(db.session.scalars(ordered))


def wants_choices(connection: Connection) -> bool:
    """Whether somebody asked for the choices to be read since they were read last."""
    wanted, read = connection.choices_wanted_at, connection.choices_read_at
    return wanted is not None and (read is None or read < wanted)
