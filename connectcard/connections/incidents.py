"""When Planning Center calls many churches' sign-ins dead at once, the fault is there and not with the churches.

It has happened: hundreds of integrations lost their churches in an hour to answers that were withdrawn later (planningcenter/developers
issue 1310). From the sixth church on within ten minutes nobody is told to connect again: the tokens are kept and tried later.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select

from connectcard.churches.tenancy import every_church
from connectcard.clock import now
from connectcard.connections.aside import writing_aside
from connectcard.connections.models import CONNECTED, Connection, DeadGrantSeen
from connectcard.database import db

log = structlog.get_logger()

MOST_CHURCHES = 5
WITHIN = timedelta(minutes=10)
INCIDENT_WORDS = (
    "Planning Center turned many churches away at once, which is a fault on its side. "
    f"We try again after {WITHIN // timedelta(minutes=1)} minutes; no card is lost."
)


def is_incident(connection_id: UUID) -> bool:
    """Note that this church's grant was called dead; True where so many were of late that it is not believed."""
    with writing_aside() as session:
        session.execute(delete(DeadGrantSeen).where(DeadGrantSeen.seen_at < now() - WITHIN))
        session.merge(DeadGrantSeen(connection_id=connection_id, seen_at=now()))
        session.flush()
        count = session.scalar(select(func.count(DeadGrantSeen.connection_id))) or 0
    if count > MOST_CHURCHES:
        log.error("planning_center_calls_many_sign_ins_dead", count=count)
    return count > MOST_CHURCHES


def churches_turned_away() -> int:
    """How many churches' sign-ins were called dead within the last ten minutes, for whoever hosts this."""
    return db.session.scalar(select(func.count(DeadGrantSeen.connection_id)).where(DeadGrantSeen.seen_at >= now() - WITHIN)) or 0


def churches_tried_once_more() -> int:
    """How many churches' sign-ins were called dead and are asked about once more, for whoever hosts this."""
    awaited = select(func.count(Connection.id)).where(Connection.state == CONNECTED, Connection.second_try_at.is_not(None))
    with every_church():
        return db.session.scalar(awaited) or 0
