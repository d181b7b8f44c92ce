"""The only door out: clients are made here and nowhere else."""

from flask import current_app

from connectcard.connections.models import Connection
from connectcard.database import end_reading
from connectcard.errors import ConnectionMissing
from connectcard.planning_center import BasicAuth, Client, Timeouts


def client_for(connection: Connection, *, interactive: bool = False) -> Client:
    """A client that acts for this church. Raises ConnectionMissing where there is nothing to sign in with."""
    config = current_app.config["CONNECTCARD"]
    if config.personal_access_token is None:
        raise ConnectionMissing("The church is not connected to Planning Center.")
    return Client(
        BasicAuth(*config.personal_access_token),
        base_url=config.pco_base_url,
        user_agent=f"connectcard/1.0 ({config.public_url})",
        before_send=end_reading,
        timeouts=Timeouts(total=config.waits.send.total_seconds()),
    )
