"""One of several processes of the same installation that count up at once. Arguments: database, church, how often."""

import sys
from uuid import UUID

from sqlalchemy import select

from connectcard import create_app
from connectcard.churches.tenancy import church_scope
from connectcard.database import transaction
from connectcard.sync.models import SyncRun
from tests.conftest import make_config


def main(database_url: str, church_id: str, times: str) -> None:
    """Read a number, add one and write it back, many times over."""
    with create_app(make_config(database_url)).app_context(), church_scope(UUID(church_id)):
        for _ in range(int(times)):
            with transaction() as session:
                run = session.scalars(select(SyncRun).with_for_update()).one()
                run.total = run.total + 1


if __name__ == "__main__":
    main(*sys.argv[1:])
