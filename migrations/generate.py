"""Writes a migration from the models: `make migration m="Add a column"`.

`make initial-migration` writes the first one anew, for as long as nobody runs connectcard yet.
"""

import os
import sys
import tempfile
from pathlib import Path

import flask_migrate

from connectcard import create_app
from connectcard.config import Config

VERSIONS = Path(__file__).parent / "versions"


def throw_away_settings(folder: str) -> Config:
    return Config(
        database_url=f"sqlite:///{folder}/empty.sqlite",
        redis_url="redis://127.0.0.1:1/0",
        secret_key=os.urandom(32).hex(),
        encryption_keys=(os.urandom(32),),
        public_url="http://127.0.0.1",
    )


def generate(message: str, number: str) -> None:
    with tempfile.TemporaryDirectory() as folder, create_app(throw_away_settings(folder)).app_context():
        flask_migrate.upgrade()
        flask_migrate.migrate(message=message, rev_id=number)


def main(arguments: list[str]) -> None:
    if arguments == ["--initial"]:
        for earlier in VERSIONS.glob("*.py"):
            earlier.unlink()
        arguments = ["Every table of the first release"]
    generate(arguments[0], f"{len(list(VERSIONS.glob('*.py'))) + 1:04}")


main(sys.argv[1:])
