"""One of many worker processes that all need the church's sign-in renewed at the same moment."""

from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections.tokens import fresh_access_token
from tests.conftest import make_config, running

# What is loaded with the first application is loaded once, before the processes part.
create_app(make_config("sqlite://"))


def renew(config: Config, church_id: UUID, connection_id: UUID, all_ready: Barrier, got: Any) -> None:
    """Wait for all the others, then ask for a fresh access token and tell which one it is."""
    with running(create_app(config)), church_scope(church_id):
        all_ready.wait(60)
        got.put(fresh_access_token(connection_id))
