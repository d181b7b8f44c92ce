"""One of many worker processes that all need the church's sign-in renewed at the same moment."""

from multiprocessing.synchronize import Barrier
from typing import Any
from uuid import UUID

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.config import Config
from connectcard.connections import tokens
from tests import made_once
from tests.conftest import make_config, running

# What is loaded and compiled with the first application is so once, before the processes part.
made_once.for_every_application()
# Forty processes on two cores may keep the one that renews from its turn for longer than the product waits.
tokens.PATIENCE_SECONDS = 100.0
create_app(make_config("sqlite://"))


def renew(config: Config, church_id: UUID, connection_id: UUID, all_ready: Barrier, got: Any) -> None:
    """Wait for all the others, then ask for a fresh access token and tell which one it is."""
    with running(create_app(config)), church_scope(church_id):
        all_ready.wait(100)
        got.put(tokens.fresh_access_token(connection_id))
