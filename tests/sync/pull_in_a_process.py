"""A worker that pulls, in a process of its own. Arguments: database, Planning Center, application id, secret, church."""

import sys
from threading import Event
from uuid import UUID

from connectcard import create_app
from connectcard.sync import pull
from tests.conftest import make_config, running


def main(database_url: str, url: str, application_id: str, secret: str, church_id: str) -> None:
    config = make_config(database_url, pco_base_url=url, personal_access_token=(application_id, secret))
    with running(create_app(config)):
        pull.advance_pulls(UUID(church_id), Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
