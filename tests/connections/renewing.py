"""One of many worker processes that all need the church's sign-in renewed at the same moment."""

from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections import tokens
from tests.conftest import running

# Forty processes on two cores may keep the one that renews from its turn for longer than the product waits.
PATIENCE_SECONDS = 100.0


def renew(config: Config, church_id: UUID, connection_id: UUID, all_ready: Barrier, got: Any) -> None:
    """Wait for all the others, then ask for a fresh access token and tell which one it is."""
    tokens.PATIENCE_SECONDS = PATIENCE_SECONDS
    with running(create_app(config)), church_scope(church_id):
        all_ready.wait(100)
        got.put(tokens.fresh_access_token(connection_id))
